#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What of its secrets is in the agent's memory: nothing, but for the moment that it needs them.

The agent runs over a double of the kernel's client, which keeps the store key inverted; memgrep reads
/proc/PID/mem. A secret is looked for in the forms that it is ever written in, each as a whole and by its
second half: of a freed piece of the heap the C library overwrites the first sixteen bytes.
"""
import base64
import ctypes
import json
import os
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from agent_case import BUILD, CLIENT_PW, CONF, SERVER_NONCE, SERVER_PW, W7, WithAgent

DMACCCTL = BUILD / "agent/dmaccctl/dmaccctl"
STOP_AT_EXIT = BUILD / "tests/unit/libstop-at-exit.so"
MEMGREP = BUILD / "tests/unit/memgrep"
CLIENT_NONCE = "pnDdm0BnEm0a3bC8ognyig=="
STORE_KEY = bytes((7 * i + 1) & 0xff for i in range(32))
# what somebody put into a template that is refused for it
REAL = "Tr0ub4dor-and-3-horse-batteries!"


def forms(secret):
    """The bytes of a secret that is text or raw, as the agent might have written them anywhere."""
    raw = secret if isinstance(secret, bytes) else secret.encode()
    return [raw, raw.hex().encode(), raw.hex().upper().encode()] + (
        [base64.b64encode(raw)] if isinstance(secret, bytes) else [])


def searched(secrets):
    """(name, bytes) of everything to look for."""
    for name, secret in secrets.items():
        for form in forms(secret):
            yield name, form
            yield f"second half of {name}", form[len(form) // 2:]


def memgrep(pid, secrets):
    """The names of those secrets that are in the memory of a process."""
    wanted = list(searched(secrets))
    done = subprocess.run([MEMGREP, str(pid)], input="".join(f"{form.hex()}\n" for _, form in wanted), text=True,
                          capture_output=True, check=False)
    if done.returncode not in (0, 1):
        raise AssertionError(f"memgrep: {done.stderr}")
    found = [int(line.split("secret number ")[1].split()[0]) for line in done.stdout.splitlines()]
    if bool(found) != (done.returncode == 1):
        raise AssertionError(f"memgrep ended with {done.returncode} and said {done.stdout}")
    places = [line.split(" in ", 1)[1] for line in done.stdout.splitlines()]
    return sorted({f"{wanted[n - 1][0]} in {place}" for n, place in zip(found, places)})


SECRETS = {"store key": STORE_KEY, "ServerPW": SERVER_PW, "ClientPW": CLIENT_PW,
           "ServerNonce": base64.b64decode(SERVER_NONCE), "ClientNonce": base64.b64decode(CLIENT_NONCE)}


class Searching(unittest.TestCase):
    """memgrep itself, on this process."""

    def setUp(self):
        self.secret = os.urandom(32)

    def test_it_finds_what_is_there(self):
        buffer = ctypes.create_string_buffer(self.secret, 32)
        self.assertTrue(memgrep(os.getpid(), {"it": buffer.raw}))

    def test_it_finds_what_lies_across_the_ends_of_its_chunks(self):
        size = 3 << 20
        memory = ctypes.create_string_buffer(size)
        for at in range(0, size - 32, 65521):
            ctypes.memmove(ctypes.addressof(memory) + at, self.secret, 32)
        done = subprocess.run([MEMGREP, str(os.getpid())], input=self.secret.hex(), text=True,
                              capture_output=True, check=False)
        start, end = ctypes.addressof(memory), ctypes.addressof(memory) + size
        found = [int(line.split(" at ")[1].split()[0], 16) for line in done.stdout.splitlines()]
        self.assertEqual([at - start for at in found if start <= at < end], list(range(0, size - 32, 65521)))

    def test_it_does_not_find_what_is_not_there(self):
        with subprocess.Popen(["sleep", "60"]) as sleep:
            self.assertEqual(memgrep(sleep.pid, {"it": self.secret}), [])
            sleep.terminate()

    def test_what_cannot_be_searched_is_an_error(self):
        for pid, secret in (("0", self.secret.hex()), (str(os.getpid()), "00112233"), (str(os.getpid()), "secret"),
                            (str(os.getpid()), "")):
            done = subprocess.run([MEMGREP, pid], input=secret, text=True, capture_output=True, check=False)
            self.assertEqual(done.returncode, 2)
            self.assertRegex(done.stderr, "^memgrep: ")


class InTheAgent(WithAgent):
    def setUp(self):
        if os.getuid():
            self.skipTest("needs root, to read a process that does not want to be read")
        super().setUp()

    def assert_no_secret(self, when, secrets=None):
        self.assertEqual(memgrep(self.agent.process.pid, secrets or SECRETS), [], when)

    def ask(self):
        with os.fdopen(self.agent.secrets()) as file:
            return {node["uri"]: node["value"] for node in json.load(file)}

    def test_after_the_first_start_which_derives_and_writes(self):
        self.agent.start()
        self.assert_no_secret("after READY=1")

    def test_after_a_start_that_finds_all_as_it_was(self):
        self.agent.start()
        self.agent.stop()
        self.agent.start()
        self.assert_no_secret("after READY=1")
        self.agent.reload()
        self.assert_no_secret("after a reload")

    def test_after_a_start_with_many_accounts_and_a_reload_that_changes_them(self):
        for i in range(20):
            (self.agent.templates / f"op{i}.conf").write_text(CONF + f"X=op{i}\n")
        (self.agent.templates / "document.w7").write_text(W7.format(secret=""))
        (self.agent.templates / "document.conf").write_text("[Account]\nSlot=vendor\nDocument=document.w7\n")
        self.agent.start()
        self.assert_no_secret("after READY=1")
        for i in range(20):
            (self.agent.templates / f"op{i}.conf").write_text(CONF + f"X=op{i}\nName=Another {i}\n")
        self.agent.reload()
        self.assert_no_secret("after a reload")

    def test_they_are_in_the_answer_to_root_and_not_in_memory_afterwards(self):
        self.agent.start()
        for _ in range(5):
            nodes = self.ask()
            self.assertEqual(nodes["./DMAcc/op/AppAuth/SRVCRED/AAuthSecret"], SERVER_PW)
            self.assertEqual(nodes["./DMAcc/op/AppAuth/CLCRED/AAuthSecret"], CLIENT_PW)
            self.assertEqual(nodes["./DMAcc/op/AppAuth/CLCRED/AAuthData"], CLIENT_NONCE)
        time.sleep(0.2)
        self.assert_no_secret("after five answers")

    def test_not_after_a_damaged_file_was_made_good(self):
        self.agent.start()
        self.agent.stop()
        stored = self.agent.state / "accounts/op"
        stored.write_bytes(stored.read_bytes()[:-1] + b"x")
        self.agent.start()
        self.assert_no_secret("after READY=1")

    def test_not_while_what_is_missing_is_tried_again(self):
        self.agent.start()
        self.agent.words.write_text("no-slot")
        self.agent.reload()
        self.agent.wait_for("READY=1")
        self.assert_no_secret("after a retry")

    def test_a_real_password_in_a_template_is_not_kept(self):
        (self.agent.templates / "bad.conf").write_text(CONF + f"X=bad\nClientPW={REAL}\n")
        (self.agent.templates / "worse.w7").write_text(W7.format(secret=REAL))
        self.agent.start()
        refused = self.agent.manager("RefusedTemplates")
        self.assertEqual(len(refused), 2)
        self.assert_no_secret("after READY=1", {"password": REAL})
        # and what read the document is no more
        pid = self.agent.process.pid
        self.assertEqual(Path(f"/proc/{pid}/task/{pid}/children").read_text(), "")

    def test_the_search_would_find_them(self):
        """The searcher sees the agent's memory: something that is there for good."""
        self.agent.start()
        self.assertTrue(memgrep(self.agent.process.pid, {"Addr": "https://dm.example.com/dm"}))


class InDmaccctl(WithAgent):
    """dmaccctl is done in a moment; it stops at its end here, to be searched."""

    def setUp(self):
        if os.getuid():
            self.skipTest("needs root, to be given secrets")
        super().setUp()

    def show(self, *options):
        """What it printed, and what it left in its memory."""
        # the sanitizer wants to be loaded first
        env = os.environ | {"DBUS_SYSTEM_BUS_ADDRESS": self.bus.address, "LD_PRELOAD": STOP_AT_EXIT,
                            "ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=0"}
        with tempfile.TemporaryFile("w+", errors="replace") as output, subprocess.Popen([DMACCCTL, "tree", *options], env=env,
                                                                      stdout=output) as process:
            _, status = os.waitpid(process.pid, os.WUNTRACED)
            self.assertTrue(os.WIFSTOPPED(status))
            try:
                found = memgrep(process.pid, SECRETS)
            finally:
                process.send_signal(signal.SIGCONT)
            output.seek(0)
            return output.read(), found

    def test_nothing_of_what_was_shown_is_left(self):
        for i in range(10):
            (self.agent.templates / f"op{i}.conf").write_text(CONF + f"X=op{i}\n")
        self.agent.start()
        for options in (["--format", "json"], ["--format", "text"], ["--format", "json", "--layout", "1.1", "op"],
                        ["--format", "tnds", "op"], ["--format", "w7", "op"], ["--format", "wbxml", "op"],
                        ["--format", "w7-wbxml", "op"]):
            text, found = self.show("--show-secrets", *options)
            self.assertIn(SERVER_PW, text)
            self.assertIn(CLIENT_NONCE, text)
            self.assertEqual(found, [], options)


if __name__ == "__main__":
    unittest.main()
