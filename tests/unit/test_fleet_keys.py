#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where dmacc-fleet takes vendor keys from, but tokens: files, descriptors, credentials, keyrings."""
import os
import subprocess
import threading
import time
import unittest
from pathlib import Path

import reference as ref
from fleet_case import DEVICE, FLEET, KV, ROW, Fleet

OTHER = bytes(range(1, 33))
KEY_ID = b"b694ff823ea00e66\n"


class Sources(Fleet):
    def test_a_descriptor(self):
        with open(self.key, "rb") as key:
            done = self.fleet("key-id", "--key", f"fd:{key.fileno()}", pass_fds=[key.fileno()])
        self.assertEqual((done.returncode, done.stdout), (0, KEY_ID))
        self.assert_nothing_done(self.fleet("key-id", "--key", "fd:77"), "fd:77: Bad file descriptor")
        self.assert_nothing_done(self.fleet("key-id", "--key", "fd:x"), "no number of a descriptor")

    def test_a_descriptor_of_a_file_that_others_can_read_is_refused(self):
        self.key.chmod(0o644)
        with open(self.key, "rb") as key:
            done = self.fleet("key-id", "--key", f"fd:{key.fileno()}", pass_fds=[key.fileno()])
        self.assert_nothing_done(done, "chmod 600")

    def test_a_systemd_credential(self):
        env = os.environ | {"CREDENTIALS_DIRECTORY": str(self.folder)}
        # the mask of the ACL by which systemd lets the service's user read it looks like this
        self.key.chmod(0o440)
        done = self.fleet("key-id", "--key", "credential:key", env=env)
        self.assertEqual((done.returncode, done.stdout), (0, KEY_ID), done.stderr)
        self.key.chmod(0o444)
        self.assert_nothing_done(self.fleet("key-id", "--key", "credential:key", env=env), "have access")
        self.assert_nothing_done(self.fleet("key-id", "--key", "credential:none", env=env), "No such file")
        for name in ("", "../key", "..", "a/b"):
            self.assert_nothing_done(self.fleet("key-id", "--key", f"credential:{name}", env=env),
                                     "no name of a credential")
        env.pop("CREDENTIALS_DIRECTORY")
        self.assert_nothing_done(self.fleet("key-id", "--key", "credential:key", env=env), "CREDENTIALS_DIRECTORY")

    def test_a_fifo_whose_writer_takes_its_time(self):
        fifo = self.folder / "fifo"
        os.mkfifo(fifo, 0o600)

        def write():
            with open(fifo, "wb") as out:
                for part in (KV.hex()[:20], KV.hex()[20:]):
                    time.sleep(0.3)
                    out.write(part.encode())
                    out.flush()
        # open at both ends before the program looks, as a shell's <(...) is
        keep = os.open(fifo, os.O_RDWR)
        writer = threading.Thread(target=write)
        with subprocess.Popen([FLEET, "key-id", "--key", fifo], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as process:
            writer.start()
            writer.join()
            os.close(keep)
            out, errors = process.communicate(timeout=30)
        self.assertEqual((process.returncode, out), (0, KEY_ID), errors)

    def test_key_files_that_hold_no_key_are_refused(self):
        cases = {"63 digits": (KV.hex()[:63], "64 hexadecimal digits"), "CRLF": (KV.hex() + "\r\n", "carriage return"),
                 "65 digits": (KV.hex() + "0", "64 hexadecimal digits"), "zero": ("0" * 64, "all zero"),
                 "letters": ("g" * 64, "no hexadecimal digit"), "long": ("a" * 1000, "too long"),
                 "two lines": (KV.hex() + "\n\n", "64 hexadecimal digits"), "empty": ("", "64 hexadecimal digits")}
        for name, (text, sentence) in cases.items():
            with self.subTest(name):
                done = self.fleet("derive", "--server-id", "x", "--key", self.file("bad", text, 0o600), text="1\n")
                self.assert_nothing_done(done, sentence)
                self.assertNotIn(KV.hex()[:20], done.stderr.decode())

    def test_key_and_identifiers_do_not_both_come_from_stdin(self):
        for key in ("-", "fd:0"):
            self.assert_nothing_done(self.fleet("derive", "--server-id", "x", "--key", key), "both come from stdin")
        done = self.fleet("derive", "--server-id", "com.example.dm", "--key", "-", self.file("ids", "490154203237518"),
                          text=KV.hex())
        self.assertEqual(done.stdout.decode().splitlines()[1:], [ROW])


class Keyring(Fleet):
    def setUp(self):
        super().setUp()
        self.other = self.file("other", OTHER.hex(), 0o600)

    def keyring(self, text):
        return self.file("keyring.csv", text)

    def device_keys(self, text, ids, *arguments):
        return self.fleet("device-key", "--keyring", self.keyring(text), *arguments, text="\n".join(ids) + "\n")

    def refuses(self, text, sentence):
        done = self.device_keys(text, ["1"])
        self.assertEqual((done.returncode, done.stdout), (2, b""))
        self.assertIn(sentence, done.stderr.decode().splitlines()[-1])

    def test_the_longest_prefix_wins(self):
        text = f"*,{self.key},9\n4901,{self.key},1\n490154203,{self.other},4\nA0,{self.other}\n" \
               f"MEID:A1000000,{self.key},2\nESN:E6,{self.other},5\nIMEI:,{self.other},8\n"
        expected = [("49015420323751", OTHER, 4), ("49015520323751", KV, 1), ("35435800135258", OTHER, 8),
                    ("A0000000002329", OTHER, 1), ("A1000000002328", KV, 2), ("B0000000002328", KV, 9),
                    ("ESN:E69FFFFF", OTHER, 5), ("ESN:F69FFFFF", KV, 9)]
        done = self.device_keys(text, [written for written, *_ in expected])
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        devids = [ref.parse_devid(written.encode()) for written, *_ in expected]
        self.assertEqual(done.stdout.decode().splitlines()[1:],
                         [f"{devid},{ref.device_key(kv, devid, version).hex()}"
                          for devid, (_, kv, version) in zip(devids, expected)])

    def test_mixed_keys_derive_what_each_key_derives_alone(self):
        ids = [f"4901{n:010d}" if n % 3 else f"3543{n:010d}" for n in range(1, 900)]
        keyring = self.keyring(f"4901,{self.key},1\n3543,{self.other},2\n")
        for threads in ("1", "3"):
            done = self.fleet("derive", "--keyring", keyring, "--server-id", "x", "--threads", threads,
                              text="\n".join(ids))
            self.assertEqual(done.returncode, 0, done.stderr)
            lines = {line.split(",")[0]: line for line in done.stdout.decode().splitlines()[1:]}
            self.assertEqual(len(lines), len(ids))
            for key, version, prefix in ((self.key, "1", "4901"), (self.other, "2", "3543")):
                alone = self.fleet("derive", "--key", key, "--key-version", version, "--server-id", "x",
                                   text="\n".join(i for i in ids if i.startswith(prefix)))
                for line in alone.stdout.decode().splitlines()[1:]:
                    self.assertEqual(lines[line.split(",")[0]], line)

    def test_a_column_overrides_the_keyrings_version(self):
        done = self.device_keys(f"49,{self.key},3\n", ["DevId,key_version", "490154203237518,7", "490154203237518,"])
        self.assertEqual([line.split(",")[1] for line in done.stdout.decode().splitlines()[1:]],
                         [ref.device_key(KV, DEVICE, version).hex() for version in (7, 3)])

    def test_a_device_without_entry_is_refused_with_a_reason(self):
        done = self.device_keys(f"35,{self.key}\n", ["490154203237518", "354358001352586", "ESN:E69FFFFF"])
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr.decode().splitlines(),
                         [f"dmacc-fleet: line {n}: keyring: no prefix of the keyring is one of this device"
                          for n in (1, 3)])
        self.assertEqual(done.stdout.count(b"\n"), 2)
        done = self.fleet("device-key", "--keyring", self.folder / "keyring.csv", "490154203237518")
        self.assertEqual((done.returncode, done.stdout), (1, b""))
        self.assertIn(b"keyring: no prefix", done.stderr)

    def test_header_comments_blank_lines_crlf_and_relative_paths_are_fine(self):
        done = self.device_keys("\ufeffprefix,key,key_version\r\n# ours\r\n\r\n 49 , key , 2 \r\n", ["490154203237518"])
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertIn(ref.device_key(KV, DEVICE, 2).hex().encode(), done.stdout)

    def test_key_ids_of_a_keyring_are_a_table(self):
        done = self.fleet("key-id", "--keyring", self.keyring(f"49,{self.key},2\n*,{self.other}\n"))
        self.assertEqual((done.returncode, done.stdout.decode().splitlines()),
                         (0, ["prefix,key_version,KeyId", f"*,1,{ref.key_id(OTHER, 1)}",
                              f"IMEI:49,2,{ref.key_id(KV, 2)}"]))

    def test_bad_keyrings_name_the_line(self):
        self.refuses("# nothing\n", "it has no entry")
        self.refuses(f"49,{self.key}\n49\n", "line 2: it is not PREFIX,KEY")
        self.refuses(f"49,{self.key},1,x\n", "line 1: it is not PREFIX,KEY")
        self.refuses(f"49,{self.key},0\n", "line 1: the key version is no number")
        self.refuses(f",{self.key}\n", "line 1: the prefix is missing")
        self.refuses(f"4x,{self.key}\n", "line 1: the prefix has a character")
        self.refuses(f"TAC:49,{self.key}\n", "line 1: the prefix is none of")
        self.refuses(f"490154203237518,{self.key}\n", "line 1: the prefix has more digits")
        self.refuses("49,\n", "line 1: the key is missing")
        self.refuses("49,-\n", "line 1: a key of a keyring cannot come from stdin")
        self.refuses(f"49,{self.key}\n50,none\n", "line 2: its key cannot be had")
        self.refuses(f"49,{self.key}\n35,{self.key}\nimei:49,{self.other}\n",
                     "prefix IMEI:49 is there twice, in lines 1 and 3")

    def test_a_keyring_that_others_can_change_is_refused(self):
        keyring = self.keyring(f"49,{self.key}\n")
        keyring.chmod(0o666)
        self.assert_nothing_done(self.fleet("key-id", "--keyring", keyring), "chmod go-w")
        self.assert_nothing_done(self.fleet("key-id", "--keyring", self.folder), "it is no file")
        self.assert_nothing_done(self.fleet("key-id", "--keyring", self.folder / "none"), "No such file")

    def test_key_and_keyring_and_key_version_are_judged_together(self):
        keyring = self.keyring(f"49,{self.key}\n")
        self.assert_nothing_done(self.fleet("key-id", "--keyring", keyring, "--key", self.key), "either --key or")
        self.assert_nothing_done(self.fleet("key-id", "--keyring", keyring, "--key-version", "2"),
                                 "the key versions are the keyring's")
        self.assert_nothing_done(self.fleet("derive", "--profile", "fcs11384", "--server-id", "x", "--keyring",
                                            keyring), "takes no --key")


class Hidden(Fleet):
    """Nothing of a key shows from outside while the program works with it."""

    def test_secrets_are_not_where_others_look(self):
        env = os.environ | {"CREDENTIALS_DIRECTORY": str(self.folder)}
        with subprocess.Popen([FLEET, "derive", "--key", "credential:key", "--server-id", "com.example.dm"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=env) as process:
            process.stdin.write(b"490154203237518\nbad\n")
            process.stdin.flush()
            shown = b""
            while shown.count(b"\n") < 2:
                shown += process.stdout.read1(4096)
            proc = Path(f"/proc/{process.pid}")
            for name in ("cmdline", "environ", "comm", "status"):
                text = (proc / name).read_bytes()
                for secret in (KV, KV.hex().encode(), *(value.encode() for value in ROW.split(",")[1:])):
                    self.assertNotIn(secret, text, name)
            self.assertIn("Max core file size        0                    0", (proc / "limits").read_text())
            process.stdin.close()
            errors = process.stderr.read()
        self.assertNotIn(KV.hex().encode(), errors)
        for value in ROW.split(",")[1:]:
            self.assertNotIn(value.encode(), errors)

    def can_look_at(self, *command, env=None):
        """Can a process of the same user, who has no capability, look at one that runs this command?"""
        plain = [] if os.geteuid() else ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
        with subprocess.Popen([*plain, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              env=env) as process:
            process.stdin.write(b"490154203237518\n")
            process.stdin.flush()
            process.stdout.read1(1)
            done = subprocess.run([*plain, "cat", f"/proc/{process.pid}/environ"], capture_output=True, check=False)
            process.stdin.close()
            process.stdout.read()
        return not done.returncode

    def test_nobody_without_privilege_looks_into_its_memory(self):
        self.assertTrue(self.can_look_at("cat"))
        # the leak detector would want to look at its own process
        env = os.environ | {"ASAN_OPTIONS": "detect_leaks=0"}
        self.assertFalse(self.can_look_at(FLEET, "derive", "--key", self.key, "--server-id", "x", env=env))

    def test_a_crash_leaves_no_core(self):
        with subprocess.Popen([FLEET, "derive", "--key", self.key, "--server-id", "x"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, cwd=self.folder) as process:
            process.stdin.write(b"490154203237518\n")
            process.stdin.flush()
            process.stdout.read1(10)
            process.send_signal(6)
            _, status = os.waitpid(process.pid, 0)
            process.returncode = -6
            self.assertFalse(os.WCOREDUMP(status))
            process.stdin.close()
        self.assertEqual([p.name for p in self.folder.iterdir()], ["key"])


if __name__ == "__main__":
    unittest.main()
