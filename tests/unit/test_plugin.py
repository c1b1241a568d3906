#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The plugin for libdmclient, loaded and called as that client does, over the mock of the agent."""
import base64
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import dbus
import dbus.bus

from open_bus import OPEN_BUS
from test_client_library import CLIENT_NONCE, CLIENT_PW, DM, SERVER_NONCE, SERVER_PW, TEMPLATE, USER

TOP = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ.get("DMACC_BUILD", TOP / "build")).absolute()
HOST = BUILD / "tests/unit/plugin-host"
ACCOUNTS, DEVICE = BUILD / "agent/plugin/dmacc.so", BUILD / "agent/plugin/devinfo.so"
X = "./DMAcc/example"
CLIENT, SERVER = f"{X}/AppAuth/CLCRED", f"{X}/AppAuth/SRVCRED"
DEVID = "IMEI:490154203237518"
NOTHING, INTERIOR, LEAF = 0, 1, 2


class Plugin(unittest.TestCase):
    PARAMETERS = {}

    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (self.folder / "bus.conf").write_text(OPEN_BUS.format(folder=self.folder, rule=""))
        self.env = {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={self.folder}/bus"}
        self.start(["dbus-daemon", f"--config-file={self.folder}/bus.conf", "--nofork", "--print-address"]).stdout.readline()
        self.connection = dbus.bus.BusConnection(self.env["DBUS_SYSTEM_BUS_ADDRESS"])
        self.addCleanup(self.connection.close)
        self.host = None

    def start(self, command, **options):
        process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True,
                                   env=os.environ | self.env, **options)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        return process

    def start_agent(self):
        mock = self.start([sys.executable, "-m", "dbusmock", "--system", "--template", TEMPLATE, "--logfile", self.folder / "log",
                           "--parameters", json.dumps(self.PARAMETERS)])
        while not self.connection.name_has_owner("org.dmacc1"):
            self.assertIsNone(mock.poll())
        # it answers nothing before it has all
        self.object("/org/dmacc1/account/example").Introspect(dbus_interface="org.freedesktop.DBus.Introspectable")

    def object(self, path="/org/dmacc1"):
        return self.connection.get_object("org.dmacc1", path, introspect=False)

    def control(self, method, *args):
        return self.object().get_dbus_method(method, "org.freedesktop.DBus.Mock")(*args)

    def load(self, *files):
        self.host = self.start([HOST], stdin=subprocess.PIPE)
        return [self.call("load", file) for file in files]

    def call(self, *words):
        print(*words, file=self.host.stdin, flush=True)
        answer = self.host.stdout.readline()
        self.assertTrue(answer, f"{words}: the host has ended with {self.host.poll()}")
        return answer.rstrip("\n")

    def finish(self):
        """The client ends; with a sanitizer that is where leaks are found."""
        self.host.stdin.close()
        self.assertEqual(self.host.wait(60), 0)

    def get(self, uri, n=0):
        """(format, bytes), or a status"""
        status, *rest = self.call("get", n, uri).split(" ")
        return (rest[0], bytes.fromhex(rest[2])) if status == "0" else int(status)

    def set(self, uri, data, kind="-"):
        return int(self.call("set", 0, uri, kind, data.hex() or "-"))

    def acl(self, uri, n=0):
        return self.call("acl", n, uri)

    def stored(self):
        """What the agent has: the end of a URI -> bytes."""
        fd = self.object("/org/dmacc1/account/example").GetTreeWithSecrets("1.2", dbus_interface="org.dmacc1.Account").take()
        with open(fd, "rb") as file:
            return {node["uri"].removeprefix(X + "/AppAuth/"): base64.b64decode(node["value"])
                    if node["format"] == "bin" else node["value"].encode() for node in json.load(file)}

    def calls(self, method):
        """How often the session's method was called."""
        return len(self.object("/org/dmacc1/session/example").GetMethodCalls(method, dbus_interface="org.freedesktop.DBus.Mock"))

    def nonces(self):
        stored = self.stored()
        return stored["CLCRED/AAuthData"], stored["SRVCRED/AAuthData"]


class Accounts(Plugin):
    def setUp(self):
        super().setUp()
        self.start_agent()

    def test_the_urn_finds_the_accounts_that_are_ready_and_not_their_base(self):
        self.control("AddAccount", "second", "ready", "")
        self.control("AddAccount", "broken", "no-secrets", "no key is loaded")
        self.assertEqual(self.load(ACCOUNTS), ["0 ./DMAcc"])
        self.assertEqual(self.call("urn", 0, "urn:oma:mo:oma-dm-dmacc:1.0"), "0 ./DMAcc/example ./DMAcc/second")
        self.assertEqual(self.call("urn", 0, "urn:oma:mo:oma-dm-devinfo:1.0"), "404")
        self.assertEqual(self.get("./DMAcc"), ("node", b"example/second"))
        for uri in ("./DMAcc/broken", "./DMAcc/exampl", "./DMAcc/example2/ServerID", "./DMAcc/example/Nothing", "./DevInfo"):
            self.assertEqual((self.get(uri), self.call("node", 0, uri)), (404, f"0 {NOTHING}"))
        self.finish()

    def test_every_child_that_is_listed_is_there(self):
        self.load(ACCOUNTS)
        seen = {}

        def descend(uri):
            kind, data = self.get(uri)
            self.assertEqual(self.call("node", 0, uri), f"0 {INTERIOR if kind == 'node' else LEAF}", uri)
            if kind == "node":
                for name in data.decode().split("/"):
                    descend(f"{uri}/{name}")
            else:
                seen[uri.removeprefix(X + "/")] = data
        descend("./DMAcc")
        self.assertEqual(seen, {
            "AppID": b"w7", "ServerID": DM, "AppAddr/1/Addr": b"https://dm.example.com/dm", "AppAddr/1/AddrType": b"URI",
            "AAuthPref": b"DIGEST",
            "AppAuth/CLCRED/AAuthLevel": b"CLCRED", "AppAuth/CLCRED/AAuthType": b"DIGEST", "AppAuth/CLCRED/AAuthName": USER,
            "AppAuth/CLCRED/AAuthSecret": CLIENT_PW, "AppAuth/CLCRED/AAuthData": CLIENT_NONCE,
            "AppAuth/SRVCRED/AAuthLevel": b"SRVCRED", "AppAuth/SRVCRED/AAuthType": b"DIGEST", "AppAuth/SRVCRED/AAuthName": DM,
            "AppAuth/SRVCRED/AAuthSecret": SERVER_PW, "AppAuth/SRVCRED/AAuthData": SERVER_NONCE})
        self.finish()

    def test_nobody_reads_a_secret_and_only_its_server_an_account(self):
        self.load(ACCOUNTS)
        self.assertEqual(self.acl("./DMAcc"), "0 'Get=*'")
        self.assertEqual(self.acl(X), f"0 'Delete={DM.decode()}&Get={DM.decode()}&Replace={DM.decode()}'")
        for uri in (f"{X}/AppAuth", CLIENT, f"{CLIENT}/AAuthName", f"{X}/AppAddr/1/Addr"):
            self.assertEqual(self.acl(uri), "0", uri)
        for credential in (CLIENT, SERVER):
            self.assertEqual(self.acl(f"{credential}/AAuthSecret"), f"0 'Replace={DM.decode()}'")
            self.assertEqual(self.acl(f"{credential}/AAuthData"), "0 ''")
        self.assertEqual(self.acl("./DMAcc/other"), "404")
        self.finish()

    def begin(self, *files):
        """As a session begins: the client reads what it computes with."""
        self.load(*(files or [ACCOUNTS]))
        for credential in (CLIENT, SERVER):
            for leaf in ("AAuthType", "AAuthName", "AAuthSecret", "AAuthData"):
                self.assertIsInstance(self.get(f"{credential}/{leaf}"), tuple)

    def test_nonces_are_stored_when_the_first_command_of_a_server_is_executed(self):
        self.begin()
        client = bytes(range(16))
        # the client's own nonce looks like base64, and counts as it looks
        self.assertEqual(self.set(f"{SERVER}/AAuthData", b"0BxsFDC81gQ="), 0)
        self.assertEqual(self.set(f"{CLIENT}/AAuthData", client), 0)
        self.assertEqual((self.nonces(), self.calls("Accepted")), ((CLIENT_NONCE, SERVER_NONCE), 0))
        self.acl(f"{X}/AppAddr/1/Addr")
        self.assertEqual((self.nonces(), self.calls("Accepted")), ((client, b"0BxsFDC81gQ="), 1))
        self.finish()
        self.assertEqual(self.nonces(), (client, b"0BxsFDC81gQ="))

    def test_what_a_server_that_proves_nothing_sends_is_dropped(self):
        self.begin()
        for _ in range(3):
            self.assertEqual(self.set(f"{SERVER}/AAuthData", b"a new one"), 0)
            self.assertEqual(self.set(f"{CLIENT}/AAuthData", b"from nobody knows whom"), 0)
        self.finish()
        self.assertEqual(self.nonces(), (CLIENT_NONCE, SERVER_NONCE))

    def test_a_status_alone_is_no_proof(self):
        """Anybody can send 212 and a nonce; the client's rights are asked before a server was heard."""
        self.begin()
        self.assertEqual(self.set(f"{CLIENT}/AAuthData", b"from nobody knows whom"), 0)
        self.acl(X)
        self.assertEqual(self.nonces(), (CLIENT_NONCE, SERVER_NONCE))
        self.finish()

    def test_each_proof_is_for_what_came_before_it(self):
        self.begin()
        self.set(f"{SERVER}/AAuthData", b"one")
        self.acl(X)
        self.set(f"{SERVER}/AAuthData", b"two")
        self.assertEqual(self.nonces(), (CLIENT_NONCE, b"one"))
        self.acl(X)
        self.assertEqual(self.nonces(), (CLIENT_NONCE, b"two"))
        self.finish()

    def test_nonces_that_are_none_are_not_taken(self):
        self.begin()
        for nothing in (b"", b"0x00000000", bytes(4)):
            for credential in (CLIENT, SERVER):
                self.assertEqual(self.set(f"{credential}/AAuthData", nothing), 0)
        self.acl(X)
        self.assertEqual(self.nonces(), (CLIENT_NONCE, SERVER_NONCE))
        self.assertEqual(self.get(f"{CLIENT}/AAuthData"), ("bin", CLIENT_NONCE))
        self.finish()

    def test_a_nonce_is_any_bytes_and_the_client_reads_what_was_stored(self):
        for nonce in (b"\0", bytes(range(255)), b"=" * 24):
            with self.subTest(nonce):
                self.begin()
                self.set(f"{SERVER}/AAuthData", b"server's")
                self.assertEqual(self.set(f"{CLIENT}/AAuthData", nonce), 0)
                self.acl(X)
                self.finish()
                self.begin()
                self.assertEqual(self.get(f"{CLIENT}/AAuthData"), ("bin", nonce))
                self.finish()

    def test_a_password_is_replaced_by_a_server_that_was_found_right(self):
        self.begin()
        self.assertEqual(self.set(f"{CLIENT}/AAuthSecret", b"new"), 405)
        self.set(f"{SERVER}/AAuthData", b"one")
        self.assertEqual(self.set(f"{CLIENT}/AAuthSecret", b"new"), 405)
        self.assertEqual(self.acl(f"{CLIENT}/AAuthSecret"), f"0 'Replace={DM.decode()}'")
        self.assertEqual(self.set(f"{CLIENT}/AAuthSecret", b"new"), 0)
        self.assertEqual(self.set(f"{X}/AppAddr/1/Addr", b"https://b/", "chr"), 0)
        self.assertEqual(self.stored()["CLCRED/AAuthSecret"], b"new")
        self.assertEqual(self.get(f"{X}/AppAddr/1/Addr"), ("chr", b"https://b/"))
        for uri, status in ((f"{X}/ServerID", 405), (X, 405), ("./DMAcc", 405), ("./DMAcc/y/Name", 404), (f"{X}/Nothing", 404)):
            self.assertEqual(self.set(uri, b"v", "chr"), status, uri)
        self.finish()

    def test_a_command_is_refused_if_the_nonces_before_it_are_not_on_the_disk(self):
        self.begin()
        self.set(f"{SERVER}/AAuthData", b"one")
        self.control("SetRefusal", "Commit", "Unwritten", "no space left")
        self.assertEqual(self.acl(X), "500")
        self.assertEqual(self.acl(X), "500")
        self.control("SetRefusal", "Commit", "", "")
        self.assertTrue(self.acl(X).startswith("0 "))
        self.assertEqual(self.nonces(), (CLIENT_NONCE, b"one"))
        self.finish()

    def test_the_session_ends_with_the_client_and_another_one_waits_for_it(self):
        self.begin()
        first = self.host
        self.load(ACCOUNTS)
        self.assertEqual(self.get(f"{X}/ServerID"), ("chr", DM))
        self.assertEqual(self.get(f"{CLIENT}/AAuthSecret"), 500)
        self.assertEqual(self.set(f"{CLIENT}/AAuthData", b"n"), 405)
        first.stdin.close()
        self.assertEqual(first.wait(60), 0)
        self.assertEqual(self.get(f"{CLIENT}/AAuthSecret"), ("chr", CLIENT_PW))
        self.finish()

    def test_a_client_has_one_account_at_a_time(self):
        self.control("AddAccount", "second", "ready", "")
        self.begin()
        self.assertEqual(self.get("./DMAcc/second/AppAuth/CLCRED/AAuthSecret"), 405)
        self.assertEqual(self.set("./DMAcc/second/AppAuth/CLCRED/AAuthData", b"n"), 405)
        self.finish()

    def test_an_agent_that_goes_is_a_status(self):
        self.begin()
        pid = self.connection.call_blocking("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                            "GetConnectionUnixProcessID", "s", ["org.dmacc1"])
        os.kill(pid, 9)
        while self.connection.name_has_owner("org.dmacc1"):
            pass
        self.assertEqual(self.get(f"{CLIENT}/AAuthSecret"), 500)
        self.assertEqual(self.set(f"{SERVER}/AAuthData", b"n"), 404)
        self.assertEqual(self.get(f"{X}/ServerID"), 500)
        self.finish()


class Mac(Plugin):
    PARAMETERS = {"auth_pref": "syncml:auth-MAC"}

    def test_a_preference_that_the_client_cannot_meet_is_not_brought_down(self):
        self.start_agent()
        self.load(ACCOUNTS)
        for credential in (CLIENT, SERVER):
            self.assertEqual(self.get(f"{credential}/AAuthType"), ("chr", b"HMAC"))
        self.finish()


class Device(Plugin):
    def begin(self, devid=DEVID):
        self.start_agent()
        self.control("UpdateProperties", "org.dmacc1.Manager", {"DevId": devid})

    def test_without_an_agent_nothing_is_served_and_the_client_goes_on(self):
        self.assertEqual(self.load(ACCOUNTS, DEVICE), ["500 ./DMAcc", "500 ./DevInfo"])
        self.finish()

    def test_a_device_that_does_not_know_who_it_is_is_nobody(self):
        self.begin("")
        self.assertEqual(self.load(DEVICE), ["500 ./DevInfo"])
        self.finish()

    def test_an_identifier_that_is_none_is_not_taken(self):
        self.begin("IMEI:490154203237519")
        self.assertEqual(self.load(DEVICE), ["500 ./DevInfo"])
        self.finish()

    def test_the_device_has_its_mandatory_leaves(self):
        self.begin()
        self.assertEqual(self.load(DEVICE), ["0 ./DevInfo"])
        self.assertEqual(self.call("urn", 0, "urn:oma:mo:oma-dm-devinfo:1.0"), "0 ./DevInfo")
        kind, names = self.get("./DevInfo")
        self.assertEqual((kind, sorted(names.decode().split("/"))), ("node", ["DevId", "DmV", "Lang", "Man", "Mod"]))
        self.assertEqual(self.get("./DevInfo/DevId"), ("chr", DEVID.encode()))
        self.assertEqual(self.get("./DevInfo/DmV")[1].decode(), (TOP / "VERSION").read_text().strip())
        for name in names.decode().split("/"):
            self.assertEqual(self.call("node", 0, f"./DevInfo/{name}"), f"0 {LEAF}")
            self.assertRegex(self.get(f"./DevInfo/{name}")[1].decode(), r"\A[ -~]+\Z")
            self.assertEqual(self.acl(f"./DevInfo/{name}"), "0")
        self.assertEqual(self.acl("./DevInfo"), "0 'Get=*'")
        for uri in ("./DevInfo/Ext", "./DevInfoX", "./DevInfo/"):
            self.assertEqual((self.get(uri), self.call("node", 0, uri), self.acl(uri)), (404, f"0 {NOTHING}", "404"))
        self.assertEqual(self.set("./DevInfo/DevId", b"IMEI:0", "chr"), 405)
        self.finish()

    def test_a_command_that_reads_the_device_is_proof_once_a_server_was_heard(self):
        self.begin()
        self.load(ACCOUNTS, DEVICE)
        self.get(f"{SERVER}/AAuthSecret")
        # as the client does for its first message
        self.assertEqual(self.acl("./DevInfo/Mod", 1), "0")
        self.set(f"{CLIENT}/AAuthData", b"c")
        self.assertEqual(self.acl("./DevInfo/Mod", 1), "0")
        self.assertEqual(self.nonces(), (CLIENT_NONCE, SERVER_NONCE))
        self.set(f"{SERVER}/AAuthData", b"s")
        self.assertEqual(self.nonces(), (CLIENT_NONCE, SERVER_NONCE))
        self.assertEqual(self.acl("./DevInfo/DevId", 1), "0")
        self.assertEqual(self.nonces(), (b"c", b"s"))
        self.finish()

    def test_whose_proof_it_is_has_to_be_sure(self):
        """Two clients in one process: which of them reads the device cannot be told."""
        self.begin()
        self.load(ACCOUNTS, ACCOUNTS, DEVICE)
        self.get(f"{SERVER}/AAuthSecret")
        self.set(f"{SERVER}/AAuthData", b"s")
        self.acl("./DevInfo/DevId", 2)
        self.assertEqual(self.nonces(), (CLIENT_NONCE, SERVER_NONCE))
        self.assertEqual(self.call("end", 1), "0")
        self.acl("./DevInfo/DevId", 2)
        self.assertEqual(self.nonces(), (CLIENT_NONCE, b"s"))
        self.finish()


class Files(unittest.TestCase):
    def test_an_object_exports_its_one_function(self):
        for file in (ACCOUNTS, DEVICE):
            done = subprocess.run(["nm", "-D", "--defined-only", file], capture_output=True, text=True, check=True)
            names = [name for name in re.findall(r" [TDB] (\S+)$", done.stdout, re.MULTILINE) if "asan" not in name]
            self.assertEqual(names, ["omadm_get_mo_interface"])


# the cases of the module that it takes from are its own to run
def load_tests(loader, _tests, _pattern):
    return unittest.TestSuite(loader.loadTestsFromTestCase(case) for case in (Accounts, Mac, Device, Files))


if __name__ == "__main__":
    unittest.main()
