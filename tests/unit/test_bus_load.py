#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""org.dmacc1 under many calls: fuzzed ones never end the agent, and ten thousand leave its memory where it was.

The same calls each time; SEED= in the environment makes others.
"""
import os
import random
import re
import unittest
from pathlib import Path

import dbus
import dbus.lowlevel

from agent_case import SIGNATURES, WithAgent

ACCOUNT, SESSION, MANAGER = "org.dmacc1.Account", "org.dmacc1.Session", "org.dmacc1.Manager"
ON_SESSIONS = ("GetClientCredential", "Challenged", "Accepted", "VerifyServer", "GetServerNonce", "VerifyNotification", "Replace",
               "GetSecrets", "SetNonces", "Commit", "Close")
PATHS = ("/org/dmacc1/account/op", "/org/dmacc1/session/op", "/org/dmacc1", "/org/dmacc1/account", "/org/dmacc1/account/_",
         "/org/dmacc1/account/none", "/org/dmacc1/session/_6fp_", "/org/dmacc1/account/op/op", "/")
TEXTS = ("", "op", "1.1", "1.2", "1.3", "chr", "int", "bin", "node", "b64", "null", "./DMAcc", "./SyncML/DMAcc", "./DMAcc/op",
         "./DMAcc/op/AppAddr/1/Addr", "./DMAcc/op/AppAuth/SRVCRED/AAuthSecret", "./DMAcc/op/AppAuth/CLCRED/AAuthData",
         "./DMAcc/op/Ext/dmacc/Generation", "./DMAcc/op/Ext/a/b", "./SyncML/DMAcc/op/PortNbr", "./SyncML/DMAcc/op/ServerPW",
         "./SyncML/DMAcc/op/AuthPref", "syncml:auth-md5", "syncml:auth-basic", "syncml:auth-MAC", "Addr", "ServerPW", "Generation",
         'algorithm=MD5, username="u", mac=AAAAAAAAAAAAAAAAAAAAAA==', "mac=", "%s%n", "\u0001\u00e9\U0001f600", "A" * 300, "./" * 5000)


class Calls:
    """Calls that are made up."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def text(self):
        if self.random.random() < 0.8:
            return self.random.choice(TEXTS)
        return "".join(chr(self.random.choice((self.random.randrange(1, 128), self.random.randrange(0x100, 0xd000))))
                       for _ in range(self.random.randrange(40)))

    def data(self):
        return dbus.ByteArray(self.random.randbytes(self.random.choice((0, 1, 4, 16, 22, 40, 255, 256, 70000))))

    def value(self, kind):
        if kind in "sg":
            return self.text() if kind == "s" else "a{sv}"
        if kind == "b":
            return self.random.random() < 0.5
        return self.random.randrange(0, 200) if kind in "uityxnq" else 0.5

    def argument(self, kind):
        if kind == "ay":
            return self.data()
        if kind == "as":
            return dbus.Array([self.text() for _ in range(self.random.randrange(4))], signature="s")
        if kind == "a{sv}":
            key = self.random.choice(("tls", "", "x" * 200))
            return dbus.Dictionary({key: self.value(self.random.choice("sbu"))} if self.random.random() < 0.7 else {},
                                   signature="sv")
        return self.value(kind)

    def signature(self, method):
        if self.random.random() < 0.85:
            return SIGNATURES[method]
        return "".join(self.random.choice(("s", "ay", "b", "u", "as", "a{sv}", "t")) for _ in range(self.random.randrange(4)))

    def message(self):
        method = self.random.choice(sorted(SIGNATURES))
        on_session = method in ON_SESSIONS and (method != "Replace" or self.random.random() < 0.5)
        path, name = (PATHS[1], SESSION) if on_session else (PATHS[0], ACCOUNT)
        if self.random.random() < 0.1:
            path = self.random.choice(PATHS)
        if self.random.random() < 0.05:
            name = self.random.choice((ACCOUNT, SESSION, MANAGER, "org.freedesktop.DBus.Properties"))
        m = dbus.lowlevel.MethodCallMessage("org.dmacc1", path, name, method)
        signature = self.signature(method)
        kinds = re.findall(r"a\{sv\}|a.|.", signature)
        m.append(*[self.argument(kind) for kind in kinds], signature=signature)
        return m


class Load(WithAgent):
    def setUp(self):
        super().setUp()
        # freed memory is given back at once, so that what stays is what was not freed
        self.agent.environment["ASAN_OPTIONS"] = "detect_leaks=1:quarantine_size_mb=0:thread_local_quarantine_size_kb=0:" \
            "malloc_context_size=1"
        self.agent.start()

    def call(self, message):
        """The name of the error, or None."""
        try:
            self.bus.connection.send_message_with_reply_and_block(message, 60)
        except dbus.DBusException as e:
            return e.get_dbus_name()
        return None

    def private_dirty(self):
        text = Path(f"/proc/{self.agent.process.pid}/smaps_rollup").read_text()
        return int(re.search(r"^Private_Dirty: +(\d+) kB", text, re.MULTILINE)[1])

    def test_fuzzed_calls_never_end_it(self):
        calls = Calls(int(os.environ.get("SEED", 1)))
        answers = {}
        for _ in range(4000):
            error = self.call(calls.message())
            answers[error] = answers.get(error, 0) + 1
            self.assertNotIn(error, ("org.freedesktop.DBus.Error.NoReply", "org.freedesktop.DBus.Error.ServiceUnknown"))
        # they came as far as the inside
        errors = {str(name).removeprefix("org.dmacc1.Error.") for name in answers}
        self.assertLessEqual({"NoSuchNode", "NotPermitted", "BadValue", "Busy", "Downgrade", "Refused"}, errors)
        self.assertGreater(answers[None], 200)
        self.assertEqual(self.agent.account()["State"], "ready")
        self.assertEqual(self.agent.stop(), 0)
        log = (self.bus.folder / "log").read_text()
        self.assertNotIn("ERROR", log)

    def round_of_calls(self):
        """Ten, as clients make them."""
        def message(path, name, method, *args, signature=None):
            m = dbus.lowlevel.MethodCallMessage("org.dmacc1", path, name, method)
            m.append(*args, signature=SIGNATURES[method] if signature is None else signature)
            return m

        account, session = PATHS[:2]
        errors = [self.call(m) for m in (
            message(account, "org.freedesktop.DBus.Properties", "GetAll", ACCOUNT, signature="s"),
            message(account, ACCOUNT, "GetTree", "1.2"),
            message(account, ACCOUNT, "Get", "./DMAcc/op/AppAuth/SRVCRED/AAuthSecret"),
            message(account, ACCOUNT, "GetOrigins"),
            message(account, ACCOUNT, "OpenSession", dbus.Dictionary({"tls": True}, signature="sv")),
            message(session, SESSION, "GetClientCredential", "syncml:auth-MAC", dbus.ByteArray(b"x" * 2000)),
            message(session, SESSION, "VerifyServer", "syncml:auth-md5", "AAAA", dbus.ByteArray(b"")),
            message(session, SESSION, "GetServerNonce"),
            message(session, SESSION, "Commit", False),
            message(session, SESSION, "Close"))]
        self.assertEqual([name for name in errors if name], ["org.dmacc1.Error.NotPermitted", "org.dmacc1.Error.WrongCredential"])

    def test_ten_thousand_calls_leave_its_memory_where_it_was(self):
        for _ in range(100):
            self.round_of_calls()
        before = self.private_dirty()
        for _ in range(1000):
            self.round_of_calls()
        # a call that left 64 bytes behind would come to 625 kB
        self.assertLess(self.private_dirty() - before, 400)


if __name__ == "__main__":
    unittest.main()
