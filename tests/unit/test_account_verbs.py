#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""dmaccctl account and reset, with an agent that has an account."""
import hashlib
import base64
import json
import os
import subprocess
import unittest

from agent_case import BUILD, CLIENT_PW, CONF, SERVER_PW, WithAgent, raw

CTL = BUILD / "agent/dmaccctl/dmaccctl"
SERVER_NONCE = bytes.fromhex("8b022d9671df0373c71c9d5acbd57575")


def md5_credential(user, password, nonce):
    inner = base64.b64encode(hashlib.md5(user + b":" + password.encode()).digest())
    return base64.b64encode(hashlib.md5(inner + b":" + nonce).digest()).decode()


class Verbs(WithAgent):
    def setUp(self):
        super().setUp()
        self.agent.start()

    def ctl(self, *arguments, text="", status=0):
        done = subprocess.run([CTL, *arguments], input=text, capture_output=True, text=True, timeout=120, check=False,
                              env=os.environ | {"DBUS_SYSTEM_BUS_ADDRESS": self.bus.address})
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        if not status:
            self.assertEqual(done.stderr, "")
        return done.stderr if status else done.stdout

    def values(self):
        account, = json.loads(self.ctl("account", "--json", "op"))
        return {v["node"]: (v["source"], v["note"], v["value"]) for v in account["values"]}

    def server_session(self, *replaces):
        client = self.client()
        client.open()
        client.session("VerifyServer", "syncml:auth-md5", md5_credential(b"com.example.dm", SERVER_PW, SERVER_NONCE), raw(b""))
        for uri, value in replaces:
            client.session("Replace", uri, "chr", raw(value))
        client.session("Close")


class Shown(Verbs):
    def test_values_are_shown_with_who_made_them_and_no_secret(self):
        self.server_session(("./DMAcc/op/AppAuth/CLCRED/AAuthSecret", b"made by the server"), ("./DMAcc/op/Name", b"A name"))
        self.ctl("account", "op", "set", "Addr=https://other.example.com/dm")
        text = self.ctl("account")
        self.assertRegex(text, r"\Aop: ready, generation 0, nonces burnt, never connected\n")
        self.assertIn("\n  Addr       local https://other.example.com/dm\n", text)
        self.assertIn("\n  ServerPW   derived (hidden)\n", text)
        self.assertIn("\n  ClientPW   server (unproven) (hidden)\n", text)
        self.assertIn("\n  ServerID   template com.example.dm\n", text)
        self.assertIn("\n  Name       server A name\n", text)
        self.assertIn("\n  UserName   derived HQU3K2QFHADCEVTNJZ4OUFUI\n", text)
        for secret in (SERVER_PW, CLIENT_PW, "made by the server"):
            self.assertNotIn(secret, text)
            self.assertNotIn(secret, self.ctl("account", "--json"))

    def test_json_has_the_same(self):
        account, = json.loads(self.ctl("account", "--json"))
        self.assertEqual({key: account[key] for key in account if key != "values"}, {
            "account": "op", "state": "ready", "generation": 0, "nonces": "initial", "ever_connected": False,
            "last_connected": 0, "guessable": False})
        self.assertEqual(self.values()["Addr"], ("template", "", "https://dm.example.com/dm"))
        self.assertEqual(self.values()["ServerPW"], ("derived", "", None))
        self.assertEqual(self.values()["X"], ("template", "", "op"))

    def test_when_it_connected_is_shown(self):
        client = self.client()
        client.open()
        client.session("GetClientCredential", "", raw(b""))
        client.session("Accepted", raw(b"next"))
        client.session("VerifyServer", "syncml:auth-md5", md5_credential(b"com.example.dm", SERVER_PW, SERVER_NONCE), raw(b""))
        client.session("Commit", False)
        self.assertRegex(self.ctl("account", "op"), r"nonces session, last connected 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC\n")

    def test_a_guessable_account_is_called_so_by_account_and_status(self):
        (self.agent.templates / "op.conf").write_text(CONF.replace("Slot=vendor", "Profile=fcs11384"))
        self.agent.reload()
        self.assertIn("guessable: whoever reads the IMEI", self.ctl("account"))
        done = subprocess.run([CTL, "status"], capture_output=True, text=True, timeout=120, check=False,
                              env=os.environ | {"DBUS_SYSTEM_BUS_ADDRESS": self.bus.address})
        self.assertIn("guessable: whoever reads the IMEI", done.stdout)

    def test_what_is_not_there_is_said(self):
        self.assertIn("there is no account 'none'", self.ctl("account", "none", status=1))
        self.assertIn("there is no account 'none'", self.ctl("reset", "none", status=1))
        (self.agent.templates / "op.conf").unlink()
        self.agent.stop()
        self.assertIn("the agent is not running", self.ctl("account", status=2))


class Set(Verbs):
    def test_a_value_is_set_and_reverted(self):
        for node, value in (("Addr", "https://x.example.com/"), ("Name", "Operator = one"), ("ConRef", "net1"), ("AuthPref", "HMAC"),
                            ("PortNbr", "8443"), ("AddrType", "URI"), ("UserName", "somebody")):
            self.assertEqual(self.ctl("account", "op", "set", f"{node}={value}"), "", node)
            self.assertEqual(self.values()[node], ("local", "", value))
        self.ctl("account", "op", "revert", "Addr", "UserName")
        self.assertEqual(self.values()["Addr"], ("template", "", "https://dm.example.com/dm"))
        self.assertEqual(self.values()["UserName"][0], "derived")
        self.assertEqual(self.values()["ConRef"][0], "local")
        self.ctl("account", "op", "revert")
        self.assertEqual({source for source, _, _ in self.values().values()}, {"template", "derived"})

    def test_a_secret_comes_from_stdin_only(self):
        said = self.ctl("account", "op", "set", "ServerPW=Tr0ub4dor", status=2)
        self.assertIn("read from standard input, not from the command line", said)
        self.assertNotIn("Tr0ub4dor", said)
        self.assertIn("there is none", self.ctl("account", "op", "set", "ServerPW", text="\n", status=2))
        self.ctl("account", "op", "set", "ServerPW", text="new password\n")
        self.assertEqual(self.values()["ServerPW"], ("local", "", None))
        if not os.getuid():
            tree, = json.loads(self.ctl("tree", "--format", "json", "--show-secrets", "op"))
            self.assertIn("new password", [node["value"] for node in tree["nodes"]])
        self.assertEqual(self.agent.account()["Nonces"], "burnt")

    def test_what_cannot_be_set_is_refused(self):
        self.assertIn("there is no value 'Nothing' to set", self.ctl("account", "op", "set", "Nothing=1", status=2))
        self.assertIn("the value is missing: Addr=VALUE", self.ctl("account", "op", "set", "Addr", status=2))
        self.assertIn("account NAME set takes one NODE=VALUE", self.ctl("account", "op", "set", status=2))
        self.assertIn("'set' or 'revert', not 'sit'", self.ctl("account", "op", "sit", status=2))
        self.assertIn("--json is for what is shown", self.ctl("account", "--json", "op", "revert", status=2))
        self.assertIn("account op: PortNbr: ", self.ctl("account", "op", "set", "PortNbr=many", status=1))
        self.assertIn("account op: the agent: there is no such node", self.ctl("account", "op", "revert", "Nothing", status=1))
        self.assertEqual({source for source, _, _ in self.values().values()}, {"template", "derived"})

    def test_while_there_is_a_session_it_is_busy(self):
        client = self.client()
        client.open()
        for verb in (("account", "op", "set", "Addr=https://x.example.com/"), ("account", "op", "revert"), ("reset", "op")):
            self.assertIn(client.name, self.ctl(*verb, status=1))


class Reset(Verbs):
    def test_it_is_as_the_factory_made_it_with_burnt_nonces(self):
        self.server_session(("./DMAcc/op/AppAuth/CLCRED/AAuthSecret", b"made by the server"), ("./DMAcc/op/Name", b"another"))
        self.ctl("account", "op", "set", "Addr=https://other.example.com/dm")
        said = self.ctl("reset", "op")
        self.assertEqual(said, "account op is as the factory made it: what its server or anybody here has changed is gone, and "
                               "the next session begins with a challenge\n")
        self.assertEqual({(source, note) for source, note, _ in self.values().values()}, {("template", ""), ("derived", "")})
        self.assertEqual(self.agent.account()["Nonces"], "burnt")

    def test_it_takes_one_account(self):
        self.assertIn("reset takes the name of one account", self.ctl("reset", status=2))
        self.assertIn("reset takes the name of one account", self.ctl("reset", "a", "b", status=2))


if __name__ == "__main__":
    unittest.main()
