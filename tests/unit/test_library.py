#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""libdmacc as a stranger gets it: installed, found by pkg-config, from many threads, and what it exports."""
import base64
import hashlib
import json
import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

import reference as ref
from library_case import Installed, Manual, Package, must, run

TOP = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ.get("DMACC_BUILD", TOP / "build"))
LIBRARY = TOP / "agent/libdmacc"
EXAMPLE = LIBRARY / "examples/check-login.c"
KV = bytes(range(32))
DEVICE, DM = "IMEI:490154203237518", b"com.example.dm"


class Libdmacc(Installed):
    NAME, VERSION, HEADER, NEEDED = "libdmacc", "LIBDMACC_0", LIBRARY / "dmacc.h", "libcrypto"
    MAIN = "int main(void) { return dmacc_wipe(0, 0), 0; }"
    FUNCTIONS = 30
    WORDS = ("One call for one device", "every function can be called by any number of threads",
             "-EINVAL if identifier, key version, server or vendor key is refused")


class AsPackage(Package, Libdmacc):
    pass


class AsPage(Manual, Libdmacc):
    pass


class CheckLogin(Libdmacc):
    """The example of a server-side check, with the standard's printed values and with derived ones."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls.compile(cls(), EXAMPLE)
        cls.table = Path(cls.folder.name) / "stored.csv"
        cls.credentials = ref.credentials(ref.device_key(KV, DEVICE, 1), DEVICE, ref.SERVER_ID, DM, 0)

    def write_table(self, *rows):
        self.table.write_text("\n".join(("DevId,UserName,ClientHash,ServerHash", *rows)) + "\n")

    def login(self, *logins, arguments=None):
        text = "".join(" ".join(login) + "\n" for login in logins)
        done = self.run_program(self.program, *(arguments or [self.table]), input=text)
        return done.returncode, done.stdout.splitlines(), done.stderr

    @staticmethod
    def b64(data):
        return base64.b64encode(data).decode()

    def derived(self, name, client_nonce=b"\0\1:\xff", server_nonce=b"four"):
        """(line of a login of the device, the server's answer)."""
        c = self.credentials
        digest = ref.login_digest(ref.stored(c.user_name.encode(), c.client_pw.encode()), client_nonce)
        own = ref.login_digest(ref.stored(DM, c.server_pw.encode()), server_nonce)
        return (name, digest, self.b64(client_nonce), self.b64(server_nonce)), f"{DEVICE} yes {own}"

    def write_derived_table(self):
        key = Path(self.folder.name) / "key"
        key.write_text(KV.hex())
        key.chmod(0o600)
        fleet = BUILD / "agent/dmacc-fleet/dmacc-fleet"
        text = "".join(f"{imei:014d}\n" for imei in range(35417803685970, 35417803688170)) + DEVICE + "\n"
        self.table.write_text(must(fleet, "derive", "--key", key, "--server-id", DM.decode(), "--as", "stored", input=text))
        return key

    def test_the_printed_values_of_oma_dm(self):
        stored = self.b64(hashlib.md5(b"Bruce2:OhBehave").digest())
        self.write_table(f"IMEI:493005100592800,Bruce2,{stored},{stored}")
        nonce = self.b64(b"Nonce")
        good = ("Bruce2", "Zz6EivR3yeaaENcRN6lpAQ==", nonce, nonce)
        self.assertEqual(self.login(good), (0, ["IMEI:493005100592800 yes Zz6EivR3yeaaENcRN6lpAQ=="], ""))

    def test_every_login_of_the_vector_file(self):
        logins = json.loads((TOP / "uapi/vectors.json").read_text())["logins"]
        self.assertGreater(len(logins), 3)
        for login in logins:
            self.write_table(f"IMEI:493005100592800,{login['name']},{login['stored']},{login['stored']}")
            nonce = self.b64(bytes.fromhex(login["nonce_hex"]))
            self.assertEqual(self.login((login["name"], login["digest"], nonce, nonce)),
                             (0, [f"IMEI:493005100592800 yes {login['digest']}"], ""))

    def test_devid_in_any_spelling_and_user_name_lead_to_the_device(self):
        self.write_derived_table()
        for name in (DEVICE, "490154203237518", "49-015420-323751-8", "4901542032375199", "IMEI:490154203237510",
                     self.credentials.user_name):
            line, answer = self.derived(name)
            self.assertEqual(self.login(line), (0, [answer], ""))

    def test_the_same_from_the_vendor_key_for_each_login(self):
        key = self.write_derived_table()
        line, answer = self.derived("49-015420-323751-8")
        self.assertEqual(self.login(line, arguments=["--key", key, DM.decode()]), (0, [answer], ""))
        line, _ = self.derived(self.credentials.user_name)
        self.assertEqual(self.login(line, arguments=["--key", key, DM.decode()])[:2], (1, [f"{line[0]} no"]))

    def test_what_does_not_authenticate(self):
        self.write_derived_table()
        (name, digest, nonce, own), _ = self.derived(DEVICE)
        flipped = ("A" if digest[0] != "A" else "B") + digest[1:]
        cases = [(name, flipped, nonce, own), (name, digest[:-1], nonce, own), (name, digest + "A", nonce, own),
                 (name, digest, own, nonce), ("IMEI:354178036859789", digest, nonce, own),
                 ("IMEI:260531793113837", digest, nonce, own), (self.credentials.user_name[:-1], digest, nonce, own),
                 # the base64 text of the nonce instead of its bytes
                 (name, ref.login_digest(ref.stored(self.credentials.user_name.encode(),
                                                    self.credentials.client_pw.encode()), nonce.encode()), nonce, own)]
        for case in cases:
            self.assertEqual(self.login(case)[:2], (1, [f"{case[0]} no"]), case)

    def test_a_device_that_nobody_knows_does_not_get_in_with_the_hash_of_nobody(self):
        self.write_table()
        digest = ref.login_digest("A" * 22 + "==", b"n")
        self.assertEqual(self.login(("nobody", digest, self.b64(b"n"), self.b64(b"n")))[:2], (1, ["nobody no"]))

    def test_malformed_lines_are_named_and_the_others_answered(self):
        self.write_derived_table()
        line, answer = self.derived(DEVICE)
        status, out, err = self.login(("x",), (DEVICE, "d", "!!!", "AA=="), (DEVICE, "d", "====", "AA=="), line)
        self.assertEqual((status, out), (1, [answer]))
        for number in (1, 2, 3):
            self.assertIn(f"line {number}: ", err)

    def test_a_table_or_key_that_is_none_is_refused(self):
        self.table.write_text("not a table\n")
        self.assertEqual(self.login(arguments=[self.table])[0], 2)
        self.assertEqual(self.login(arguments=["/nowhere/at/all"])[0], 2)
        self.table.chmod(0o644)
        self.assertIn("chmod 600", self.login(arguments=["--key", self.table, "x"])[2])


class Threads(unittest.TestCase):
    """A build of its own with -fsanitize=thread, which cannot be had together with the others."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        build = Path(cls.folder.name) / "tsan"
        must("meson", "setup", "-Db_sanitize=thread", "-Db_lundef=false", "-Db_pie=false", build, TOP)
        must("ninja", "-C", build, "tests/unit/test_threads", "agent/dmacc-fleet/dmacc-fleet")
        cls.program, cls.fleet = build / "tests/unit/test_threads", build / "agent/dmacc-fleet/dmacc-fleet"

    def run_threads(self, *command):
        # TSan of this age does not know how wide addresses are randomised today
        return run("setarch", "-R", *command, env=os.environ | {"TSAN_OPTIONS": "halt_on_error=1:exitcode=66"})

    def test_eight_threads_get_the_published_values_without_a_data_race(self):
        done = self.run_threads(self.program)
        self.assertEqual((done.returncode, done.stdout), (0, "all threads got the published values\n"), done.stderr)

    def test_dmacc_fleet_derives_in_four_threads_without_a_data_race(self):
        key, identifiers = Path(self.folder.name) / "key", Path(self.folder.name) / "identifiers"
        key.write_text(KV.hex())
        key.chmod(0o600)
        # many times what a thread reads at once
        identifiers.write_text("".join(f"{number:014}\n" for number in range(10 ** 13, 10 ** 13 + 80_000)))
        derive = self.fleet, "derive", "--key", key, "--server-id", "com.example.dm", identifiers
        one, four = self.run_threads(*derive), self.run_threads(*derive, "--threads", "4")
        self.assertEqual((one.returncode, four.returncode), (0, 0), one.stderr + four.stderr)
        self.assertEqual(one.stdout.count("\n"), 80_001)
        self.assertTrue(one.stdout == four.stdout)

    def test_the_library_has_no_variable_of_its_own(self):
        """No global state: what is left is what compiler and linker put into every library."""
        library = self.program.parent.parent.parent / "agent/libdmacc/libdmacc.so.0"
        found = re.findall(r" O \.t?(?:bss|data)\s.*?(\S+)$", must("objdump", "-t", library), re.MULTILINE)
        self.assertLessEqual(set(found), {"completed.0", "__dso_handle", "__TMC_END__", "__cpu_model",
                                          "__cpu_features2"})
        self.assertIn("__dso_handle", found)

    def test_a_data_race_would_be_noticed(self):
        done = self.run_threads(self.program, "race")
        self.assertEqual(done.returncode, 66)
        self.assertIn("data race", done.stderr)


if __name__ == "__main__":
    unittest.main()
