#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""dmacc-fleet verify and check-ids: what they say of what was reported, and that they give nothing away."""
import csv
import io
import json
import random
import unittest

import reference as ref
from fleet_case import DEVICE, HEADER, KV, ROW, TOP, Fleet

USER, CLIENT_PW, SERVER_PW = ROW.split(",")[1:]
SECRETS = (USER, CLIENT_PW, SERVER_PW)


class Verify(Fleet):
    def verify(self, *arguments, text="", server="com.example.dm"):
        server = ("--server-id", server) if server else ()
        return self.fleet("verify", "--key", self.key, *server, *arguments, text=text)

    def results(self, done):
        self.assertEqual(done.stderr, b"")
        rows = list(csv.reader(io.StringIO(done.stdout.decode())))
        self.assertEqual(rows[0], ["line", "DevId", "result", "detail"])
        for secret in SECRETS:
            self.assertNotIn(secret, done.stdout.decode())
        return rows[1:]

    def test_what_derive_prints_matches(self):
        rng = random.Random(3)
        ids = "\n".join(f"{rng.randrange(10 ** 13, 10 ** 14)}" for _ in range(500))
        for options in ([], ["--nonces"], ["--as", "stored"], ["--format", "jsonl"], ["--format", "jsonl", "--nonces"]):
            derived = self.derive(*options, text=ids)
            done = self.verify("--threads", "2", text=derived.stdout)
            self.assertEqual(done.returncode, 0, done.stderr)
            results = self.results(done)
            self.assertEqual(len(results), 500)
            self.assertEqual({row[2] for row in results}, {"match"})
            fields = {"--nonces": "UserName ClientPW ServerPW ServerNonce ClientNonce",
                      "stored": "UserName ClientHash ServerHash"}.get((options or [""])[-1],
                                                                     "UserName ClientPW ServerPW")
            self.assertEqual({row[3] for row in results}, {fields})

    def test_what_differs_is_named_field_by_field_and_never_shown(self):
        wrong = "A" * 32
        text = f"{HEADER}\n{ROW}\n{DEVICE},{USER},{wrong},{SERVER_PW}\n{DEVICE},{USER[:-1]},{CLIENT_PW},{wrong}\n" \
               f"490154203237517,{USER},,\n{DEVICE},,,\n{DEVICE},,,{SERVER_PW}\n{DEVICE},{USER.lower()},,\n"
        done = self.verify(text=text)
        self.assertEqual(done.returncode, 1)
        self.assertNotIn(wrong.encode(), done.stdout)
        self.assertEqual(self.results(done), [
            ["2", DEVICE, "match", "UserName ClientPW ServerPW"], ["3", DEVICE, "differs", "ClientPW"],
            ["4", DEVICE, "differs", "UserName ServerPW"],
            ["5", "", "refused", "check-digit: its check digit is wrong"],
            ["6", DEVICE, "refused", "nothing: it reports no value that could be compared"],
            ["7", DEVICE, "match", "ServerPW"], ["8", DEVICE, "differs", "UserName"]])

    def test_columns_have_any_order_and_many_spellings(self):
        text = f"note,Server PW,imei,user-name,GENERATION\n\"a,b\",{SERVER_PW},49-015420-323751-8,{USER},0\n" \
               f"x,{SERVER_PW},490154203237518,{USER},1\n"
        done = self.verify(text=text)
        self.assertEqual(self.results(done), [["2", DEVICE, "match", "UserName ServerPW"],
                                              ["3", DEVICE, "differs", "ServerPW"]])

    def report(self, **changes):
        record = {"slot": "acme", "key_id": ref.key_id(KV, 2), "key_version": 2, "rung": "trusted",
                  "user_name": ref.credentials(ref.device_key(KV, DEVICE, 2), DEVICE, ref.SERVER_ID, b"x", 0).user_name,
                  "devid": DEVICE, "blob_sha256": "ab" * 32}
        return json.dumps(record | changes) + "\n"

    def test_the_factorys_report_needs_no_server(self):
        text = self.report() + self.report(key_id="0" * 16) + "\n" + self.report(user_name=USER) + \
            self.report(slot="other", key_id="1" * 16) + self.report(key_id=ref.key_id(KV, 2).upper())
        done = self.verify("--slot", "acme", text=text, server=None)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(self.results(done), [
            ["1", DEVICE, "match", "KeyId UserName"], ["2", DEVICE, "differs", "KeyId"],
            ["4", DEVICE, "differs", "UserName"], ["6", DEVICE, "match", "KeyId UserName"]])

    def test_what_is_a_servers_needs_the_server(self):
        done = self.verify(text=f"{HEADER}\n{ROW}\n", server=None)
        self.assertEqual((done.returncode, self.results(done)[0][2:]),
                         (1, ["refused", "server: what it reports is a server's; give --server-id or --addr"]))
        done = self.fleet("verify", "--key", self.key, "--addr", "https://x/", text=f"DevId,ClientHash\n{DEVICE},x\n")
        self.assertIn(b"server: the server's login name is in its hash", done.stdout)

    def test_lines_that_are_no_record_are_refused_and_do_not_stop_it(self):
        text = self.report() + '{"devid": "IMEI:1\n[1]\n{"devid":"IMEI:490154203237518"} x\n' + self.report()
        done = self.verify(text=text, server=None)
        self.assertEqual(done.returncode, 1)
        self.assertEqual([row[2] for row in self.results(done)], ["match", "refused", "refused", "refused", "match"])

    def test_one_device_by_options(self):
        done = self.fleet("verify", "--key", self.key, "--id", "490154203237518", "--user-name", USER, "--key-id",
                          ref.key_id(KV, 1))
        self.assertEqual((done.returncode, self.results(done)), (0, [["1", DEVICE, "match", "KeyId UserName"]]))
        done = self.fleet("verify", "--key", self.key, "--id", "490154203237518", "--user-name", "X", "--format",
                          "jsonl")
        self.assertEqual((done.returncode, json.loads(done.stdout)),
                         (1, {"line": "1", "DevId": DEVICE, "result": "differs", "detail": "UserName"}))
        done = self.fleet("verify", "--key", self.key, "--id", "13", "--user-name", "X")
        self.assertEqual((done.returncode, self.results(done)[0][2]), (1, "refused"))
        self.assert_nothing_done(self.fleet("verify", "--key", self.key, "--id", "1"), "a password goes through INPUT")
        self.assert_nothing_done(self.fleet("verify", "--key", self.key, "--user-name", "x"), "--id ID")

    def test_an_empty_input_is_no_success(self):
        for text in ("", HEADER + "\n"):
            done = self.verify(text=text)
            self.assertEqual(done.returncode, 2)
            self.assertIn(b"nothing to verify", done.stderr)

    def test_device_keys_are_compared(self):
        kd = ref.device_key(KV, DEVICE, 1).hex()
        done = self.verify(text=f"DevId,DeviceKey\n{DEVICE},{kd.upper()}\n{DEVICE},{'0' * 64}\n", server=None)
        self.assertEqual([row[2:] for row in self.results(done)], [["match", "DeviceKey"], ["differs", "DeviceKey"]])
        self.assertNotIn(kd.encode(), done.stdout.lower())

    def test_unkeyed_profiles_are_verified_too(self):
        text = "IMEI:354358001352586,LXgpyGcdtADjNX9EsgBwpg==,6DEU6GduEznJfqD08puMyA==,EtYTmcmXUPjteHV8i+4f1g=="
        done = self.fleet("verify", "--profile", "fcs11384", "--server-id", "ibm", text=f"{HEADER}\n{text}\n")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn(b"unkeyed", done.stderr)
        done = self.fleet("verify", "--profile", "fcs11384", "--server-id", "ibm",
                          text=f"DevId,KeyId\n{DEVICE},0\nA0000000002329,1\n")
        self.assertEqual(done.stdout.count(b"profile: an unkeyed profile has neither"), 2)

    def test_values_of_any_length_are_compared_safely(self):
        for length in (0, 1, 31, 33, 64, 65, 255, 256, 300):
            done = self.verify(text=f'DevId,ClientPW,UserName\n{DEVICE},"{"A" * length}",{USER}\n')
            self.assertIn(done.returncode, (0, 1) if not length else (1,))


class CheckIds(Fleet):
    def check(self, *arguments, text=""):
        return self.fleet("check-ids", *arguments, text=text)

    def test_every_line_says_what_it_is(self):
        text = "490154203237518\n4901542032375189\nurn:gsma:imei:49015420-323751-0\nA0000000002329\nESN:E69FFFFF\n" \
               "490154203237517\n\nESN:80000001\n"
        done = self.check(text=text)
        self.assertEqual((done.returncode, done.stderr), (1, b""))
        self.assertEqual(list(csv.reader(io.StringIO(done.stdout.decode()))), [
            ["line", "input", "DevId", "kind", "result", "detail"],
            ["1", "490154203237518", DEVICE, "IMEI", "ok", ""],
            ["2", "4901542032375189", DEVICE, "IMEI", "duplicate", "duplicate: the device is in line 1 already"],
            ["3", "urn:gsma:imei:49015420-323751-0", DEVICE, "IMEI", "duplicate",
             "duplicate: the device is in line 1 already"],
            ["4", "A0000000002329", "MEID:A0000000002329", "MEID", "ok", ""],
            ["5", "ESN:E69FFFFF", "ESN:E69FFFFF", "ESN", "ok", ""],
            ["6", "490154203237517", "", "", "refused", "check-digit: its check digit is wrong"],
            ["7", "", "", "", "refused", done.stdout.decode().splitlines()[7].split(",", 5)[5].strip('"')],
            ["8", "ESN:80000001", "", "", "refused", done.stdout.decode().splitlines()[8].split(",", 5)[5].strip('"')]])
        self.assertIn(b"missing: ", done.stdout)
        self.assertIn(b"pesn: ", done.stdout)

    def test_a_good_list_is_status_0_and_needs_no_key(self):
        done = self.check(text="490154203237518\nA0000000002329\n")
        self.assertEqual((done.returncode, done.stderr), (0, b""))

    def test_json_is_json_whatever_the_input_was(self):
        done = self.check("--format", "jsonl", text=b'490154203237518\n"a""b\\\x07\xff",x\n')
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(rows[0], {"line": "1", "input": "490154203237518", "DevId": DEVICE, "kind": "IMEI",
                                   "result": "ok", "detail": ""})
        self.assertEqual(rows[1]["input"], 'a"b\\\x07\ufffd')

    def test_duplicates_can_be_ignored(self):
        done = self.check("--duplicates", "ignore", text="490154203237518\n490154203237518\n")
        self.assertEqual((done.returncode, done.stdout.count(b",ok,")), (0, 2))

    def test_every_refused_identifier_of_the_vectors_says_its_reason(self):
        vectors = json.loads((TOP / "uapi/vectors.json").read_text())["identifiers"]["refused"]
        for spare_digit, options in ((False, []), (True, ["--spare-digit"])):
            chosen = [v for v in vectors if v["spare_digit"] == spare_digit]
            self.assertGreater(len(chosen), 0)
            raw = [bytes.fromhex(v["input_hex"]) for v in chosen]
            text = b"DevId\n" + b"".join(b'"' + r.replace(b'"', b'""') + b'"\r\n' for r in raw)
            done = self.check("--format", "jsonl", *options, text=text)
            rows = [json.loads(line) for line in done.stdout.splitlines()]
            self.assertEqual([(row["result"], row["detail"].split(":")[0]) for row in rows],
                             [("refused", v["reason"]) for v in chosen])


if __name__ == "__main__":
    unittest.main()
