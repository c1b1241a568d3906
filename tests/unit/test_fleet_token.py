#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Vendor keys in a PKCS#11 token: SoftHSM2, in a folder of its own."""
import os
import pty
import random
import re
import select
import subprocess
import termios
import time
import unittest
from pathlib import Path

import reference as ref
from fleet_case import BUILD, FLEET, HEADER, KV, ROW, Fleet

MODULE = next((p for p in (Path("/usr/lib/softhsm/libsofthsm2.so"),
                           Path("/usr/lib64/softhsm/libsofthsm2.so"),
                           Path("/usr/lib64/pkcs11/libsofthsm2.so")) if p.exists()), None)
CLIENT = next(Path("/usr").glob("lib*/**/p11-kit-client.so"), None)
PIN = "4711-acme"


class Token(Fleet):
    def setUp(self):
        super().setUp()
        self.assertIsNotNone(MODULE, "SoftHSM2 is not installed: tests/host-packages check")
        (self.folder / "tokens").mkdir()
        conf = self.file("softhsm2.conf", f"directories.tokendir = {self.folder}/tokens\n"
                                          "objectstore.backend = file\nlog.level = ERROR\n")
        # the sanitizers' libraries stay as they are; what leaks in a module is not ours
        self.env = os.environ | {"SOFTHSM2_CONF": str(conf), "LSAN_OPTIONS": "detect_leaks=0"}
        self.make_token("acme")
        self.pin = self.file("pin", PIN + "\n", 0o600)
        self.put("kv", "1", KV)

    def make_token(self, label):
        subprocess.run(["softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", "so-" + PIN,
                        "--pin", PIN], env=self.env, check=True, capture_output=True)

    def put(self, label, identifier, key, *flags, token="acme"):
        subprocess.run([BUILD / "tests/unit/put-key", MODULE, token, label, identifier, *flags],
                       input=PIN.encode() + b"\n" + key, env=self.env, check=True)

    def uri(self, path="token=acme;object=kv", query="", module=MODULE):
        return f"pkcs11:{path}?module-path={module}{query}"

    def run_with(self, *arguments, uri=None, pin=True, text="", **options):
        pin_file = ("--pin-file", self.pin) if pin else ()
        options.setdefault("env", self.env)
        return self.fleet(*arguments, "--key", uri or self.uri(), *pin_file, text=text, **options)


class Keys(Token):
    def test_the_key_id_is_the_one_of_the_same_key_in_a_file(self):
        for version in ("1", "7"):
            done = self.run_with("key-id", "--key-version", version)
            self.assertEqual((done.returncode, done.stderr), (0, b""))
            self.assertEqual(done.stdout, self.fleet("key-id", "--key", self.key, "--key-version", version).stdout)

    def test_device_keys_and_credentials_are_those_of_the_same_key_in_a_file(self):
        rng = random.Random(5)
        ids = "identifier,generation,key_version\n" + "".join(
            f"{rng.randrange(10 ** 13, 10 ** 14)},{rng.randrange(3)},{rng.randrange(1, 4)}\n" for _ in range(700))
        for arguments in (["device-key"], ["derive", "--server-id", "com.example.dm", "--nonces"],
                          ["derive", "--server-id", "com.example.dm", "--threads", "3"]):
            from_token = self.run_with(*arguments, text=ids)
            from_file = self.fleet(*arguments, "--key", self.key, text=ids)
            self.assertEqual((from_token.returncode, from_token.stderr), (0, b""))
            self.assertEqual(from_token.stdout, from_file.stdout)
            self.assertEqual(from_token.stdout.count(b"\n"), 701)

    def test_one_device_key_and_verify_work_with_it(self):
        done = self.run_with("device-key", "490154203237518")
        self.assertEqual(done.stdout.decode().strip(), ref.device_key(KV, "IMEI:490154203237518", 1).hex())
        done = self.run_with("verify", "--server-id", "com.example.dm", text=f"{HEADER}\n{ROW}\n")
        self.assertEqual((done.returncode, done.stdout.decode().splitlines()[1]),
                         (0, "2,IMEI:490154203237518,match,UserName ClientPW ServerPW"))

    def test_the_module_comes_from_the_configuration_of_p11_kit(self):
        home = self.folder / "home"
        (home / ".config/pkcs11/modules").mkdir(parents=True)
        (home / ".config/pkcs11/pkcs11.conf").write_text("user-config: only\n")
        (home / ".config/pkcs11/modules/soft.module").write_text(f"module: {MODULE}\n")
        env = self.env | {"HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config")}
        for path in ("token=acme;object=kv", "token=acme;id=%31;type=secret-key"):
            done = self.run_with("key-id", uri=f"pkcs11:{path}", env=env)
            self.assertEqual((done.returncode, done.stdout), (0, b"b694ff823ea00e66\n"), done.stderr)
        done = self.run_with("key-id", uri="pkcs11:token=acme;object=kv?module-name=softhsm2", env=env)
        self.assertEqual(done.returncode, 0, done.stderr)
        done = self.run_with("key-id", uri="pkcs11:token=acme;object=kv?module-name=soft", env=env)
        self.assert_nothing_done(done, "no token matches")

    def test_a_keyring_may_name_tokens_and_files(self):
        self.put("other", "2", bytes(range(1, 33)))
        keyring = self.file("keyring", f"prefix,key,key_version\n4901,{self.uri()},1\nA0,{self.key},1\n"
                                       f'35,"{self.uri("token=acme;object=other")}",3\n')
        done = self.fleet("device-key", "--keyring", keyring, "--pin-file", self.pin, env=self.env,
                          text="490154203237518\nA0000000002329\n354358001352586\n")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertEqual([line.split(",")[1] for line in done.stdout.decode().splitlines()[1:]],
                         [ref.device_key(KV, "IMEI:490154203237518", 1).hex(),
                          ref.device_key(KV, "MEID:A0000000002329", 1).hex(),
                          ref.device_key(bytes(range(1, 33)), "IMEI:354358001352586", 3).hex()])


class Pins(Token):
    def test_the_uri_may_name_the_pin_file(self):
        for source in (f"file:{self.pin}", f"file://{self.pin}", self.pin):
            done = self.run_with("key-id", uri=self.uri(query=f"&pin-source={source}"), pin=False)
            self.assertEqual((done.returncode, done.stdout), (0, b"b694ff823ea00e66\n"), done.stderr)

    def test_the_pin_may_come_from_a_descriptor(self):
        with open(self.pin, "rb") as pin:
            done = self.fleet("key-id", "--key", self.uri(), "--pin-file", f"fd:{pin.fileno()}", env=self.env,
                              pass_fds=[pin.fileno()])
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_wrong_pin_is_named_and_not_shown(self):
        self.pin.write_text("wrong-pin")
        done = self.run_with("key-id")
        self.assert_nothing_done(done, "token acme: login: the PIN is wrong")
        self.assertNotIn(b"wrong-pin", done.stderr)

    def test_a_pin_in_the_uri_is_refused_and_not_repeated(self):
        for uri in (self.uri(query=f"&pin-value={PIN}"), f"pkcs11:broken;;=?pin-value={PIN}"):
            done = self.run_with("key-id", uri=uri)
            self.assert_nothing_done(done, "others see a command line")
            self.assertNotIn(PIN.encode(), done.stderr)

    def test_no_program_is_run_for_a_pin(self):
        done = self.run_with("key-id", uri=self.uri(query=f"&pin-source=%7ctouch {self.folder}/ran"), pin=False)
        self.assert_nothing_done(done, "names a program")
        self.assertFalse((self.folder / "ran").exists())

    def test_without_terminal_and_pin_file_it_says_what_to_give(self):
        done = self.run_with("key-id", pin=False, start_new_session=True)
        self.assert_nothing_done(done, "give --pin-file FILE")

    def test_a_bad_pin_file_is_named(self):
        for mode, text, sentence in ((0o644, PIN, "chmod 600"), (0o600, "\n", "the PIN is empty"),
                                     (0o600, "x" * 300, "far too long")):
            self.pin.write_text(text)
            self.pin.chmod(mode)
            self.assert_nothing_done(self.run_with("key-id"), sentence)

    def prompt(self, answer):
        """dmacc-fleet on a terminal of its own; what the terminal showed, what stdout got, the status."""
        read, write = os.pipe()
        child, terminal = pty.fork()
        if not child:
            os.dup2(write, 1)
            os.execve(FLEET, [FLEET, "key-id", "--key", self.uri()], self.env)
        os.close(write)
        shown = b""
        while b"PIN of token acme: " not in shown:
            self.assertTrue(select.select([terminal], [], [], 60)[0], shown)
            shown += os.read(terminal, 4096)
        # whoever types as fast as a program has to look whether the echo is off
        for _ in range(400):
            if not termios.tcgetattr(terminal)[3] & termios.ECHO:
                break
            time.sleep(0.05)
        os.write(terminal, answer.encode() + b"\n")
        try:
            while select.select([terminal], [], [], 60)[0] and (more := os.read(terminal, 4096)):
                shown += more
        except OSError:
            pass
        _, status = os.waitpid(child, 0)
        printed = os.read(read, 4096)
        os.close(read)
        os.close(terminal)
        return shown.decode(), printed, os.waitstatus_to_exitcode(status)

    def test_on_a_terminal_it_asks_and_shows_nothing_of_the_answer(self):
        shown, printed, status = self.prompt(PIN)
        self.assertEqual((printed, status), (b"b694ff823ea00e66\n", 0), shown)
        self.assertNotIn(PIN, shown)
        shown, printed, status = self.prompt("12345")
        self.assertEqual((printed, status), (b"", 2))
        self.assertIn("the PIN is wrong", shown)
        self.assertNotIn("12345", shown)


class Refused(Token):
    def test_keys_that_do_not_serve_are_named(self):
        self.put("may-not", "2", KV, "no-sign")
        self.put("short", "3", KV[:16])
        self.put("long", "4", KV * 2)
        self.put("aes", "5", KV, "aes")
        self.put("zero", "6", bytes(32))
        self.put("twice", "7", KV)
        self.put("twice", "8", KV)
        cases = {"may-not": "it may not sign (CKA_SIGN)", "short": "not 32 bytes", "long": "not 32 bytes",
                 "aes": "neither a generic secret nor an HMAC key", "zero": "all zero",
                 "twice": "several keys match", "none": "no such key"}
        for label, sentence in cases.items():
            self.assert_nothing_done(self.run_with("key-id", uri=self.uri(f"token=acme;object={label}")), sentence)
        done = self.run_with("key-id", uri=self.uri("token=acme;object=twice;id=8"))
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_key_that_can_be_read_out_is_used_with_a_warning(self):
        for flag in ("extractable", "readable"):
            self.put(flag, "9", KV, flag)
            done = self.run_with("key-id", uri=self.uri(f"token=acme;object={flag}"))
            self.assertEqual((done.returncode, done.stdout), (0, b"b694ff823ea00e66\n"))
            self.assertIn(b"warning: token acme: the key can be read out of it", done.stderr)

    def test_uris_that_name_no_key_are_refused(self):
        cases = {"pkcs11:token=other;object=kv": "no token matches", "pkcs11:token=acme": "object= or id=",
                 "pkcs11:token=acme;object=kv;type=private": "type=secret-key",
                 "pkcs11:token=acme;object=kv;frob=1": "RFC 7512", "pkcs11:token=%zz;object=kv": "cannot be read"}
        for uri, sentence in cases.items():
            done = self.run_with("key-id", uri=f"{uri}?module-path={MODULE}")
            self.assert_nothing_done(done, sentence)
        done = self.run_with("key-id", uri=self.uri(module=self.folder / "none.so"))
        self.assert_nothing_done(done, "none.so cannot be loaded")

    def test_two_tokens_of_one_name_are_told_apart_by_serial(self):
        self.make_token("acme")
        done = self.run_with("key-id")
        self.assert_nothing_done(done, "2 tokens match the pkcs11: URI; token= or serial=")
        slots = subprocess.run(["softhsm2-util", "--show-slots"], env=self.env, check=True, capture_output=True,
                               text=True).stdout
        serials = re.findall(r"Serial number:[ \t]+(\w+)", slots)
        outcomes = sorted(self.run_with("key-id", uri=self.uri(f"serial={s};object=kv")).returncode
                          for s in serials)
        self.assertEqual(outcomes, [0, 2])

    def test_a_module_that_is_no_module_is_refused(self):
        done = self.run_with("key-id", uri=self.uri(module=self.file("text.so", "no module")))
        self.assert_nothing_done(done, "cannot be loaded")


class Gone(Token):
    """The token is another process's, which can be killed: as pulling the plug of a real one."""

    def serve(self):
        self.assertIsNotNone(CLIENT, "p11-kit-modules is not installed: tests/host-packages check")
        socket = self.folder / "p11.socket"
        server = subprocess.Popen(["p11-kit", "server", "--foreground", "--name", str(socket), "--provider",
                                   str(MODULE), "pkcs11:token=acme"], env=self.env, stdout=subprocess.DEVNULL,
                                  start_new_session=True)
        self.addCleanup(server.wait)
        self.addCleanup(self.kill, server)
        for _ in range(200):
            if socket.exists():
                break
            time.sleep(0.05)
        self.env["P11_KIT_SERVER_ADDRESS"] = f"unix:path={socket}"
        return server

    def kill(self, server):
        try:
            os.killpg(server.pid, 9)
        except ProcessLookupError:
            pass

    def test_a_token_that_goes_half_way_is_an_error_and_leaves_no_file(self):
        server = self.serve()
        output = self.folder / "out.csv"
        with subprocess.Popen([FLEET, "derive", "--key", self.uri(module=CLIENT), "--pin-file", self.pin,
                               "--server-id", "x", "--output", output], env=self.env, stdin=subprocess.PIPE,
                              stderr=subprocess.PIPE) as process:
            process.stdin.write(b"490154203237518\n" * 50)
            process.stdin.flush()
            # the 50 are written before the token goes
            for _ in range(400):
                if any(p.stat().st_size > 2000 for p in self.folder.glob("out.csv.*")):
                    break
                time.sleep(0.05)
            else:
                self.fail("nothing was derived")
            self.kill(server)
            process.stdin.write(b"490154203237518\n" * 50)
            process.stdin.close()
            errors = process.stderr.read().decode()
            self.assertEqual(process.wait(60), 2, errors)
        self.assertIn("token acme: the device key cannot be computed: the token is gone", errors)
        self.assertEqual(errors.count("\n"), 1, errors)
        self.assertEqual(list(self.folder.glob("out.csv*")), [])

    def test_a_served_token_computes_the_same(self):
        self.serve()
        done = self.run_with("key-id", uri=self.uri(module=CLIENT))
        self.assertEqual((done.returncode, done.stdout), (0, b"b694ff823ea00e66\n"), done.stderr)


if __name__ == "__main__":
    unittest.main()
