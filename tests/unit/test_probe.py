#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""dmacc-probe, which `dmaccctl probe` runs, with the agent and the tests' own DM server, over HTTP and HTTPS.

dmacc-probe-double is the program with a double of the kernel's client, and so is the agent.
"""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import unittest
from pathlib import Path

import agent_case

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

import certificates  # noqa: E402
import dm_messages as dm  # noqa: E402
from dm_server import DmServer  # noqa: E402

PROBE = agent_case.BUILD / "tests/unit/dmacc-probe-double"
IMEI = "490154203237518"
DEVID = f"IMEI:{IMEI}"
SERVER_ID = "com.example.dm"
USER_NAME = "HQU3K2QFHADCEVTNJZ4OUFUI"
SECRETS = (agent_case.SERVER_PW, agent_case.CLIENT_PW, agent_case.SERVER_NONCE)
VENDOR_KEY = bytes(range(32))


CONF = ("[Account]\nSlot=vendor\n[DMAcc]\nAddr={addr}\nServerID={server_id}\nAuthPref={kind}\n")


class WithServer(unittest.TestCase):
    """`self.server` is at its URL, and the phone's account `self.account` has that as its Addr."""
    kind = dm.MD5
    account = "op"
    tls = None

    def setUp(self):
        self.bus = agent_case.Bus()
        self.addCleanup(self.bus.close)
        self.folder = self.bus.folder
        self.agent = agent_case.Agent(self.bus)
        self.addCleanup(self.stop_agent)
        self.start_server()

    def stop_agent(self):
        if self.agent.process and self.agent.process.poll() is None:
            self.assertEqual(self.agent.stop(), 0)

    def restart(self, signal_number=signal.SIGTERM):
        self.agent.process.send_signal(signal_number)
        self.agent.process.wait(agent_case.PATIENCE)
        self.agent.notify.close()
        self.agent.log.close()
        self.agent.start()

    def start_server(self, **more):
        self.server = DmServer(VENDOR_KEY, SERVER_ID, [IMEI], self.folder / "server", self.kind, tls=self.tls, **more)
        self.addCleanup(self.server.__exit__)
        self.server.__enter__()
        self.set_addr(self.server.uri)

    def set_addr(self, addr):
        """As the template has it."""
        text = CONF.format(addr=addr, server_id=SERVER_ID, kind=self.kind)
        (self.agent.templates / f"{self.account}.conf").write_text(text)
        if self.agent.process:
            self.agent.reload()
        else:
            self.agent.start()

    def run_probe(self, *options):
        env = {"PATH": os.environ["PATH"], "DBUS_SYSTEM_BUS_ADDRESS": self.bus.address, "DMACC_DOUBLE": "/dev/null"}
        env |= {name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")}
        done = subprocess.run([PROBE, *options, self.account], env=env, text=True, capture_output=True, check=False)
        for secret in SECRETS:
            self.assertNotIn(secret, done.stdout + done.stderr)
        return done

    def probe(self, status, verdict, *options):
        """The JSON of a probe that has to come to that."""
        done = self.run_probe("--json", *options)
        self.assertEqual(done.stderr, "")
        found = json.loads(done.stdout)
        self.assertEqual((done.returncode, found["verdict"]), (status, verdict), done.stdout)
        return found

    @property
    def record(self):
        return self.server.records[-1]


class Sessions(WithServer):
    def test_the_first_session_needs_no_challenge(self):
        found = self.probe(0, "agreed")
        self.assertTrue(self.record.agreed)
        self.assertEqual((self.record.challenged, self.record.refused), (0, 0))
        self.assertEqual((found["challenges"], found["refusals"], found["messages"]), (0, 0, 2))
        self.assertEqual((found["client_accepted"], found["server_authenticated"]), (True, True))
        self.assertEqual((found["server_id"], found["user_name"], found["url"]),
                         (SERVER_ID, USER_NAME, self.server.uri))
        self.assertEqual(self.record.alerts, [1201])
        self.assertEqual(self.record.info["./DevInfo/DevId"], DEVID)
        self.assertEqual(sorted(self.record.info), [f"./DevInfo/{leaf}" for leaf in ("DevId", "DmV", "Lang", "Man", "Mod")])

    def test_the_text_ends_with_the_verdict(self):
        done = self.run_probe()
        self.assertEqual(done.returncode, 0)
        lines = done.stdout.splitlines()
        self.assertEqual(lines[0].split(), ["server", SERVER_ID, "at", self.server.uri])
        self.assertIn(f"UserName {USER_NAME}, generation 0", lines[1])
        self.assertRegex(lines[-1], f"^{self.account}: agreed: .*{self.kind}")

    def test_what_a_server_may_read_and_what_not(self):
        account = f"./DMAcc/{self.account}"
        wanted = {"./DMAcc": 200, "./DevInfo": 200, "./DevInfo/DmV": 200, ".": 200, "./DevInfo/Other": 404,
                  f"{account}/ServerID": 200, f"{account}/AppAuth": 200, f"{account}/Nothing": 404,
                  f"{account}/AppAuth/CLCRED/AAuthSecret": 405, f"{account}/AppAuth/SRVCRED/AAuthData": 405,
                  f"{account}/AppAuth/CLCRED/AAuthName": 200, "./DevDetail/HwV": 404, "./DMAcc?list=Struct": 406}
        for uri in wanted:
            self.server.order(DEVID, "get", uri)
        self.probe(0, "agreed")
        answers = {uri: code for name, uri, code in self.record.answers}
        self.assertEqual({uri: answers[uri] for uri in wanted}, wanted)
        self.assertEqual(self.record.results["./DevInfo/DmV"], "1.2")
        self.assertEqual(sorted(self.record.results["."].split("/")), ["DMAcc", "DevInfo"])
        self.assertEqual(self.record.results[f"{account}/AppAuth/CLCRED/AAuthName"], USER_NAME)
        self.assertEqual(sorted(self.record.results[f"{account}/AppAuth"].split("/")), ["CLCRED", "SRVCRED"])

    def test_what_a_server_may_replace_and_what_not(self):
        self.server.order(DEVID, "replace", "./DMAcc/*/AppAddr/1/Addr", "chr", f"{self.server.uri}?a=1&b=2")
        self.server.order(DEVID, "replace", "./DMAcc/*/ServerID", "chr", "other")
        self.server.order(DEVID, "replace", "./DevInfo/Lang", "chr", "de")
        self.server.order(DEVID, "replace", "./Other", "chr", "x")
        self.probe(0, "agreed")
        codes = [code for name, uri, code in self.record.answers if name == "Replace"]
        self.assertEqual(codes, [200, 405, 405, 404])
        self.assertEqual(self.probe(0, "agreed")["url"], f"{self.server.uri}?a=1&b=2")

    def test_replaced_passwords_are_used_from_the_next_session_on(self):
        self.server.order(DEVID, "passwords")
        self.probe(0, "agreed")
        self.assertEqual(self.record.client_tag, "generation 0")
        self.agree()
        self.assertRegex(self.record.client_tag, "^passwords")
        self.assertEqual(self.record.server_tag, self.record.client_tag)

    def test_a_server_with_a_wrong_password_is_refused_and_changes_nothing(self):
        self.server.faults.wrong_server_pw = True
        self.server.order(DEVID, "replace", "./DMAcc/*/AppAddr/1/Addr", "chr", "http://elsewhere/")
        found = self.probe(1, "server-refused")
        self.assertEqual((found["client_accepted"], found["server_authenticated"]), (True, False))
        self.assertFalse(self.record.server_accepted)
        self.assertEqual(self.record.results, {})
        self.assertRegex(found["sentence"], "it does not fit account op")
        self.server.faults.wrong_server_pw = False
        self.assertEqual(self.probe(0, "agreed")["url"], self.server.uri)

    def test_a_server_without_a_credential_is_refused(self):
        self.server.faults.no_credential = True
        self.assertIn("sends no credential", self.probe(1, "server-refused")["sentence"])

    def test_a_server_that_refuses_us_is_named_with_what_we_used(self):
        self.server.faults.wrong_client_pw = True
        found = self.probe(1, "client-refused")
        self.assertEqual((found["client_accepted"], found["server_authenticated"]), (False, True))
        for words in ("with a fresh nonce, too", USER_NAME, SERVER_ID, "generation 0"):
            self.assertIn(words, found["sentence"])

    def test_a_server_that_asks_for_basic_gets_no_password(self):
        self.server.faults.ask_basic = True
        self.assertIn("syncml:auth-basic", self.probe(1, "downgrade")["sentence"])
        self.assertEqual(self.record.messages, 1)

    def test_a_server_that_gives_up_in_the_middle_is_unfinished(self):
        self.server.faults.drop_request = 2
        self.assertIn("after 1 messages", self.probe(1, "unfinished")["sentence"])
        self.server.faults.drop_request = 0
        self.probe(0, "agreed")


    # The account's life

    def derived(self, generation=0):
        return self.server.derive(DEVID, generation)

    def nonces(self):
        return [nonce for record in self.server.records for nonce in record.client_nonces + record.server_nonces]

    def agree(self, challenged=False):
        found = self.probe(0, "agreed")
        self.assertTrue(self.record.agreed)
        if not challenged:
            self.assertEqual(self.record.challenged, 0, found["steps"])
            self.assertLessEqual(self.record.refused, self.used_up, found["steps"])
        return found

    @property
    def used_up(self):
        """With auth-MAC the server's last message uses up its nonce, and none follows it that could bring another one:
        in the next session the device may challenge it."""
        return int(self.kind == dm.MAC and len(self.server.records) > 1)

    def test_the_first_session_uses_the_derived_nonces(self):
        self.assertEqual(self.agent.account()["Nonces"], "initial")
        self.assertFalse(self.agent.account()["EverConnected"])
        self.agree()
        self.assertEqual(self.record.client_nonces[0], self.derived().client_nonce.hex())
        self.assertEqual(self.record.server_nonces[0], self.derived().server_nonce.hex())
        self.assertEqual(self.agent.account()["Nonces"], "session")
        self.assertTrue(self.agent.account()["EverConnected"])
        self.assertGreater(self.agent.account()["LastConnected"], 0)

    def test_ten_more_sessions_have_new_nonces_each_whatever_becomes_of_the_agent(self):
        self.agree()
        for number in range(10):
            if number % 3:
                self.restart(signal.SIGKILL if number % 2 else signal.SIGTERM)
            self.agree()
        self.assertEqual(len(set(self.nonces())), len(self.nonces()))
        self.assertGreaterEqual(len(self.nonces()), 22)

    def test_a_session_that_breaks_off_anywhere_is_followed_by_one_that_agrees(self):
        self.server.order(DEVID, "passwords")
        for fault in ("drop_request", "drop_answer"):
            for message in (1, 2, 3, 4):
                setattr(self.server.faults, fault, message)
                self.run_probe()
                setattr(self.server.faults, fault, 0)
                self.restart(signal.SIGKILL)
                self.agree(challenged=True)
                self.agree()
                self.server.order(DEVID, "passwords" if message % 2 else "generation")
        self.assertEqual(len(set(self.record.client_nonces)), len(self.record.client_nonces))

    def test_an_agent_that_dies_at_any_message_is_followed_by_a_session_that_agrees(self):
        def kill(at, _record, messages):
            if (at, messages) == self.fatal:
                self.agent.process.kill()

        for self.fatal in (("received", 0), ("decided", 1), ("received", 1), ("decided", 2), ("decided", 3)):
            self.server.order(DEVID, "passwords")
            self.server.faults.sees = kill
            done = self.run_probe()
            self.server.faults.sees = None
            self.assertEqual(done.returncode, 1, (self.fatal, done.stdout))
            self.restart(signal.SIGKILL)
            self.agree(challenged=True)
            self.agree()
            self.assertEqual(self.server.state.devices[DEVID]["orders"], [])

    def test_the_generation_is_raised_and_used_from_the_next_session_on(self):
        for generation in (1, 2):
            self.server.order(DEVID, "generation")
            self.agree()
            self.agree()
            tag = f"generation {generation}"
            self.assertEqual((self.record.client_tag, self.record.server_tag), (tag, tag))
            self.assertEqual(self.agent.account()["Generation"], generation)
            self.assertIn(f"generation {generation}", self.run_probe().stdout)

    def test_a_lower_generation_or_none_is_refused_as_the_derivation_has_it(self):
        self.server.order(DEVID, "generation")
        self.agree()
        wanted = (("1", 200), ("0", 403), ("01", 400), ("-1", 400), ("2147483648", 400))
        for text, _ in wanted:
            self.server.order(DEVID, "replace", "./DMAcc/*/Ext/dmacc/Generation", "int", text)
        self.agree()
        codes = [code for name, _, code in self.record.answers if name == "Replace"]
        self.assertEqual(codes, [code for _, code in wanted])

    def test_name_and_passwords_change_together(self):
        self.server.order(DEVID, "name", "somebody")
        self.agree()
        self.assertEqual(self.agree()["user_name"], "somebody")
        self.assertRegex(self.record.client_tag, "^passwords")

    def test_after_a_reset_of_the_account_it_authenticates_again(self):
        self.server.order(DEVID, "passwords")
        self.agree()
        self.agree()
        self.agent.object(f"/org/dmacc1/account/{self.account}").Reset(dbus_interface="org.dmacc1.Account")
        self.assertEqual(self.agent.account()["Nonces"], "burnt")
        self.server.was_reset(DEVID)
        self.agree(challenged=True)
        self.agree()
        self.assertEqual(self.record.client_tag, "generation 1")

    def test_after_a_wipe_of_the_agents_files_it_authenticates_again(self):
        self.agree()
        self.agent.process.kill()
        shutil.rmtree(self.agent.state)
        self.agent.state.mkdir()
        self.restart()
        self.server.was_reset(DEVID)
        self.agree(challenged=True)
        self.agree()

    def test_no_secret_is_logged(self):
        self.server.order(DEVID, "passwords")
        for _ in range(3):
            self.agree()
        self.server.faults.wrong_server_pw = True
        self.probe(1, "server-refused")
        text = (self.folder / "log").read_text()
        device = self.server.state.devices[DEVID]
        secrets = {*SECRETS, *(c["password"] for side in ("client", "server") for c in device[side]), *self.nonces()}
        secrets |= {dm.b64(bytes.fromhex(nonce)) for nonce in self.nonces()}
        self.assertGreater(len(secrets), 12)
        for secret in secrets:
            self.assertNotIn(secret, text)


class SessionsWithMac(Sessions):
    kind = dm.MAC


class Transport(WithServer):
    """What is no DM server, or not the one that is meant."""

    def test_a_name_that_nobody_knows(self):
        self.set_addr("http://no-such-host.invalid/dm")
        self.assertIn("no-such-host.invalid", self.probe(2, "name")["sentence"])

    def test_nobody_answers(self):
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            self.set_addr("http://127.0.0.1:%d/dm" % unused.getsockname()[1])
            self.probe(2, "connection")

    def test_an_address_that_is_none(self):
        self.set_addr("ftp://127.0.0.1/dm")
        self.assertIn("neither http nor https", self.probe(2, "address")["sentence"])

    def test_http_statuses_and_redirections_are_named(self):
        for status in (404, 500, 301):
            self.server.faults.http_status = status
            self.assertIn(str(status), self.probe(2, "http")["sentence"])

    def test_what_is_no_message_is_not_read_and_not_quoted(self):
        entity = b'<!DOCTYPE SyncML [<!ENTITY a "aaaaaaaa">]><SyncML><SyncHdr/><SyncBody>&a;</SyncBody></SyncML>'
        other = b'<SyncML><SyncHdr><VerProto>SyncML/1.1</VerProto></SyncHdr><SyncBody/></SyncML>'
        deep = b"<a>" * 30000
        for garbage, words in ((b"<SyncML", "well-formed"), (b"<html/>", "no message of SyncML"), (entity, "entity"),
                               (other, "no message of OMA DM 1.2"), (deep, "well-formed")):
            self.server.faults.garbage = garbage
            self.assertIn(words, self.probe(1, "protocol")["sentence"])

    def test_an_answer_without_end_is_cut(self):
        self.server.faults.garbage = b" " * (1 << 20)
        self.assertIn("longer than", self.probe(2, "http")["sentence"])

    def test_an_account_that_is_not_ready_says_why(self):
        self.account = "other"
        self.assertEqual(self.probe(2, "not-ready")["sentence"], "there is no account 'other'")

    def test_usage(self):
        for options in ((), ("--nonsense", "a"), ("a", "b")):
            done = subprocess.run([PROBE, *options], text=True, capture_output=True, check=False)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertTrue(done.stderr)

    def test_dmaccctl_names_the_program_that_it_lacks(self):
        done = subprocess.run([agent_case.BUILD / "agent/dmaccctl/dmaccctl", "probe", "a"], text=True,
                              capture_output=True, check=False)
        if Path("/usr/libexec/dmacc-probe").exists():
            self.skipTest("it is installed here")
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, "dmacc-probe, which is not installed")


class Tls(WithServer):
    def setUp(self):
        super().setUp()
        self.authority = certificates.Authority(self.folder)
        self.trust = ("--ca-file", str(self.authority.file))

    def serve(self, name, host="localhost"):
        self.tls = self.authority.server(name)
        self.start_server(host=host)

    def test_a_session_over_tls(self):
        self.serve("localhost")
        found = self.probe(0, "agreed", *self.trust)
        self.assertRegex(found["url"], "^https://localhost:")

    def test_a_host_name_that_is_not_the_certificates_is_refused(self):
        self.serve("dm.example.com")
        self.assertIn("localhost", self.probe(2, "tls", *self.trust)["sentence"])
        self.assertEqual(self.server.records, [])

    def test_an_authority_that_nobody_trusts_is_refused(self):
        self.serve("localhost")
        self.probe(2, "tls")
        other = certificates.Authority(self.folder, "Another authority")
        self.probe(2, "tls", "--ca-file", str(other.file))
        self.assertEqual(self.server.records, [])

    def test_a_file_of_authorities_that_is_none(self):
        self.serve("localhost")
        done = self.run_probe("--ca-file", str(self.folder / "nothing"))
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertRegex(done.stderr, "No such file")
        (self.folder / "text").write_text("no certificate\n")
        self.probe(2, "tls", "--ca-file", str(self.folder / "text"))


if __name__ == "__main__":
    unittest.main()
