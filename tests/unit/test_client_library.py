#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""libdmacc-client as a stranger gets it, and its template for python-dbusmock: one against the other.

The values are those of derivation.md; digests are computed here anew.
"""
import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import unittest
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import dbus
import dbus.bus

from library_case import Installed, Manual, Package, TOP
from open_bus import OPEN_BUS

LIBRARY = TOP / "agent/libdmacc-client"
TEMPLATE = LIBRARY / "dbusmock/dmacc1.py"
EXAMPLE = LIBRARY / "examples/dm-session.c"
CALLS = TOP / "tests/unit/client_calls.c"
DM, USER = b"com.example.dm", b"HQU3K2QFHADCEVTNJZ4OUFUI"
SERVER_PW, CLIENT_PW = b"VVWHHJPJY3VV7GRTDCYZB5W7PR4AZLSO", b"LX37WNX7VWGHGEZJ377UIPJCX4RCYCPK"
SERVER_NONCE = bytes.fromhex("8b022d9671df0373c71c9d5acbd57575")
CLIENT_NONCE = bytes.fromhex("a670dd9b4067126d1addb0bca209f28a")
# by the names that org.dmacc1.xml lists
ERRORS = {"NotReady": "ENOKEY", "Busy": "EBUSY", "NoSuchNode": "ENOENT", "NotPermitted": "EPERM", "BadValue": "EINVAL",
          "Downgrade": "EPROTONOSUPPORT", "WrongCredential": "EKEYREJECTED", "NotAuthenticated": "EPERM", "Refused": "EPERM",
          "Unwritten": "EIO"}


def b64(data):
    return base64.b64encode(data).decode()


def digest(*parts):
    """B64(H(parts with ':' between))"""
    return b64(hashlib.md5(b":".join(parts)).digest())


def md5_credential(user, password, nonce, *more):
    return digest(digest(user, password).encode(), nonce, *more)


def mac_credential(user, password, nonce, body):
    mac = md5_credential(user, password, nonce, digest(body).encode())
    return f'algorithm=MD5, username="{user.decode()}", mac={mac}'


class Client(Installed):
    NAME, VERSION, HEADER, NEEDED = "libdmacc-client", "LIBDMACC_CLIENT_0", LIBRARY / "dmacc-client.h", "libsystemd"
    MAIN = "int main(void) { return dmacc_client_free(0) != 0; }"
    FUNCTIONS = 21
    WORDS = ("No password comes out of it", "-EKEYREJECTED for a server's credential, or a notification, that does not fit",
             "An account has come, gone or changed")


class AsPackage(Package, Client):
    pass


class AsPage(Manual, Client):
    pass


class OnTheMock(Client):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.calls = cls.compile(cls(), CALLS).rename(Path(cls.folder.name) / "calls")
        cls.example = cls.compile(cls(), EXAMPLE).rename(Path(cls.folder.name) / "example")
        cls.template = next(cls.stage.rglob("dmacc1.py"))

    def setUp(self):
        self.bus_folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (self.bus_folder / "bus.conf").write_text(OPEN_BUS.format(folder=self.bus_folder, rule=""))
        self.env = {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={self.bus_folder}/bus"}
        self.start(["dbus-daemon", f"--config-file={self.bus_folder}/bus.conf", "--nofork", "--print-address"]).stdout.readline()
        self.connection = dbus.bus.BusConnection(self.env["DBUS_SYSTEM_BUS_ADDRESS"])
        self.addCleanup(self.connection.close)
        self.start_mock()

    def start(self, command, **options):
        process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True,
                                   env=os.environ | self.env | {"LD_LIBRARY_PATH": str(self.library.parent)}, **options)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        return process

    def start_mock(self, **parameters):
        command = [sys.executable, "-m", "dbusmock", "--system", "--template", self.template, "--logfile",
                   self.bus_folder / "log"]
        if parameters:
            command += ["--parameters", json.dumps(parameters)]
        self.mock = self.start(command)
        while not self.connection.name_has_owner("org.dmacc1"):
            self.assertIsNone(self.mock.poll())
        # it has the name before it has its objects; it answers nothing before it has all
        self.object("/org/dmacc1/account/example").Introspect(dbus_interface="org.freedesktop.DBus.Introspectable")

    def object(self, path="/org/dmacc1"):
        return self.connection.get_object("org.dmacc1", path, introspect=False)

    def control(self, method, *args):
        return self.object().get_dbus_method(method, "org.freedesktop.DBus.Mock")(*args)

    def account(self, name="example"):
        return self.object().GetManagedObjects(
            dbus_interface="org.freedesktop.DBus.ObjectManager")[f"/org/dmacc1/account/{name}"]["org.dmacc1.Account"]

    def talk(self, *lines, program=None, arguments=()):
        """What it prints for these lines."""
        done = self.run_with(program or self.calls, *arguments, text="".join(line + "\n" for line in lines))
        self.assertEqual(done.stderr, "")
        return done.stdout.splitlines()

    def run_with(self, program, *arguments, text=""):
        return subprocess.run([program, *arguments], input=text, capture_output=True, text=True, timeout=120, check=False,
                              env=os.environ | self.env | {"LD_LIBRARY_PATH": str(self.library.parent)})


class Mock(OnTheMock):
    """A template that is other than the interface would mislead."""

    def test_it_is_the_interface_in_uapi(self):
        contract = ElementTree.parse(TOP / "uapi/org.dmacc1.xml")
        wanted = {i.get("name"): i for i in contract.iter("interface")}
        self.assertEqual(len(wanted), 3)
        session = self.object("/org/dmacc1/account/example").OpenSession({}, dbus_interface="org.dmacc1.Account", signature="a{sv}")
        for path in ("/org/dmacc1", "/org/dmacc1/account/example", session):
            there = ElementTree.fromstring(self.object(path).Introspect(dbus_interface="org.freedesktop.DBus.Introspectable"))
            name, = wanted.keys() & {i.get("name") for i in there.iter("interface")}
            here = next(i for i in there.iter("interface") if i.get("name") == name)
            self.assertEqual(self.shape(here), self.shape(wanted.pop(name)), name)
        self.assertEqual(wanted, {})

    @staticmethod
    def shape(interface):
        methods = {m.get("name"): [(a.get("type"), a.get("direction")) for a in m.findall("arg")]
                   for m in interface.findall("method")}
        return methods, {p.get("name"): p.get("type") for p in interface.findall("property")}

    def test_the_trees_of_the_mock_have_the_nodes_of_the_real_ones(self):
        text = (TOP / "agent/libdmacc/tree.c").read_text()
        for layout, base in (("1.1", "./SyncML/DMAcc/example"), ("1.2", "./DMAcc/example")):
            table = text[text.index(f"rows_{layout.replace('.', '_')}[]"):]
            rows = dict(re.findall(r'\{ "([^"]+)", "(\w+)"', table[:table.index("};")]))
            tree = self.object("/org/dmacc1/account/example").GetTree(layout, dbus_interface="org.dmacc1.Account")
            for uri, kind, _, _ in tree[1:]:
                self.assertEqual(rows[uri.removeprefix(f"{base}/")], kind)
            hidden = {str(node[0]).rsplit("/", 1)[1] for node in tree if node[3]}
            self.assertEqual(hidden, {"AAuthSecret", "AAuthData"} if layout == "1.2" else
                             {"ServerPW", "ClientPW", "ServerNonce", "ClientNonce"})

    def test_parameters_and_states_are_a_client_authors(self):
        self.control("SetState", "example", "no-secrets", "no-store-key: none")
        self.assertEqual(self.talk("open example", "ready", "accounts"),
                         ["ENOKEY account example is no-secrets: no-store-key: none", "0", "0 example"])
        self.control("SetState", "example", "ready", "")
        self.control("SetRefusal", "Commit", "Unwritten", "the disk is full")
        self.assertEqual(self.talk("open example", "commit"), ["0", "EIO the disk is full"])
        self.control("SetRefusal", "Commit", "", "")
        self.assertEqual(self.talk("open example", "commit"), ["0", "0"])
        self.assertEqual([str(call[1]) for call in self.object("/org/dmacc1/account/example").GetCalls(
            dbus_interface="org.freedesktop.DBus.Mock")], ["OpenSession"] * 3)

    def test_a_session_is_its_owners_and_ends_with_it(self):
        path = self.object("/org/dmacc1/account/example").OpenSession({}, dbus_interface="org.dmacc1.Account", signature="a{sv}")
        self.assertEqual(self.account()["Session"], path)
        self.assertRegex(self.talk("open example")[0], "^EBUSY ")
        other = dbus.bus.BusConnection(self.env["DBUS_SYSTEM_BUS_ADDRESS"])
        with self.assertRaisesRegex(dbus.DBusException, "only who opened the session may use it"):
            other.get_object("org.dmacc1", path, introspect=False).Close(dbus_interface="org.dmacc1.Session")
        other.close()
        self.object(path).Close(dbus_interface="org.dmacc1.Session")
        self.assertEqual(self.account()["Session"], "/")
        self.assertEqual(self.talk("open example"), ["0"])
        deadline = time.monotonic() + 60
        while self.account()["Session"] != "/" and time.monotonic() < deadline:
            time.sleep(0.01)
        self.assertEqual(self.account()["Session"], "/")


class Calls(OnTheMock):
    def test_the_device_says_who_it_is_or_that_it_does_not_know(self):
        self.assertEqual(self.talk("devid"), ["0", "IMEI:490154203237518"])
        self.object().UpdateProperties("org.dmacc1.Manager", {"DevId": ""}, dbus_interface="org.freedesktop.DBus.Mock")
        self.assertEqual(self.talk("devid"), ["ENOKEY the agent does not know who this device is"])

    def test_each_error_of_the_interface_has_an_errno_that_the_header_describes(self):
        contract = (TOP / "uapi/org.dmacc1.xml").read_text()
        names = re.findall(r"^    ([A-Z]\w+)  ", contract[contract.index("org.dmacc1.Error."):contract.index("-->\n<node>")], re.MULTILINE)
        self.assertEqual(set(names), set(ERRORS))
        described = LIBRARY.joinpath("dmacc-client.h").read_text().split("#ifndef")[0]
        for name, errno in ERRORS.items():
            with self.subTest(name):
                self.control("SetRefusal", "Accepted", name, f"it is {name}")
                self.assertEqual(self.talk("open example", "accepted -"), ["0", f"{errno} it is {name}"])
                self.assertIn(f"-{errno} ", described)

    def test_accounts_are_sorted_and_those_that_are_not_ready_can_be_left_out(self):
        self.assertEqual(self.talk("accounts"), ["0 example"])
        self.control("AddAccount", "an.other-1", "ready", "")
        self.control("AddAccount", "bare", "no-slot", "no key")
        self.assertEqual(self.talk("accounts", "ready"), ["0 an.other-1 bare example", "0 an.other-1 example"])

    def test_a_leaf_has_its_bytes_and_a_node_its_children(self):
        self.control("AddAccount", "an.other-1", "ready", "")
        said = self.talk("get an.other-1 ./DMAcc/an.other-1/AppAddr/1/Addr", "get an.other-1 ./SyncML/DMAcc/an.other-1/ConRef",
                         "list an.other-1 ./DMAcc", "list an.other-1 ./DMAcc/an.other-1/AppAuth", "list example ./SyncML/DMAcc/example/Addr",
                         "list example ./DMAcc/none", "get nobody ./DMAcc/nobody/Name")
        self.assertEqual(said, ["0", f"chr {b'https://dm.example.com/dm'.hex()} 25", "0", "chr  0", "0 an.other-1", "0 CLCRED SRVCRED",
                                "EPERM ./SyncML/DMAcc/example/Addr is a leaf", "ENOENT there is no node ./DMAcc/none",
                                "ENOENT there is no such account"])

    def test_secrets_are_not_to_be_got(self):
        for leaf in ("AppAuth/SRVCRED/AAuthSecret", "AppAuth/CLCRED/AAuthData"):
            self.assertRegex(self.talk(f"get example ./DMAcc/example/{leaf}")[0], "^EPERM the standard gives no Get")

    def test_credentials_of_each_type_are_those_of_the_standard(self):
        body = b"<SyncML/>"
        self.assertEqual(self.talk("open example", "credential -", f"credential syncml:auth-MAC {body.hex()}"), [
            "0", f"0 syncml:auth-md5 {md5_credential(USER, CLIENT_PW, CLIENT_NONCE)}",
            f"0 syncml:auth-MAC {mac_credential(USER, CLIENT_PW, CLIENT_NONCE, body)}"])

    def test_what_is_weaker_than_the_account_allows_is_a_downgrade(self):
        self.assertEqual(self.talk("open example tls", "credential syncml:auth-basic", "challenged syncml:auth-basic -")[1:],
                         ["EPROTONOSUPPORT syncml:auth-basic is weaker than syncml:auth-md5"] * 2)

    def test_a_challenge_changes_type_and_nonce(self):
        nonce = b"\0\1:\xff"
        said = self.talk("open example", f"challenged syncml:auth-MAC {nonce.hex()}", "credential - 41")
        self.assertEqual(said[1:], ["0", f"0 syncml:auth-MAC {mac_credential(USER, CLIENT_PW, nonce, b'A')}"])

    def test_the_server_is_verified_and_only_then_replaces(self):
        good = md5_credential(DM, SERVER_PW, SERVER_NONCE)
        bad = md5_credential(DM, SERVER_PW, CLIENT_NONCE)
        uri = "./DMAcc/example/AppAddr/1/Addr"
        said = self.talk("open example", f"replace {uri} chr 61", f"verify syncml:auth-md5 {bad}", f"verify syncml:auth-md5 {good}",
                         f"replace {uri} chr 61", "replace ./DMAcc/example/none chr 61", "replace ./DMAcc/example/AAuthPref chr 61",
                         f"get example {uri}")
        self.assertEqual(said[1:], ["EPERM the server has not proved who it is",
                                    "EKEYREJECTED the server's credential does not fit", "0", "0",
                                    "ENOENT there is no node ./DMAcc/example/none", "EINVAL AuthPref is none of the three", "0", "chr 61 1"])
        origins = self.object("/org/dmacc1/account/example").GetOrigins(dbus_interface="org.dmacc1.Account")
        self.assertIn(("Addr", "server", ""), [tuple(origin) for origin in origins])

    def test_nonces_of_a_committed_session_are_the_next_ones(self):
        said = self.talk("open example", f"verify syncml:auth-md5 {md5_credential(DM, SERVER_PW, SERVER_NONCE)}", "accepted 4e6f6e6365",
                         "nonce", "commit", "close")
        nonce = bytes.fromhex(said[4])
        self.assertEqual(len(nonce), 16)
        self.assertEqual((self.account()["EverConnected"], self.account()["Nonces"]), (True, "session"))
        said = self.talk("open example", "credential -", f"verify syncml:auth-md5 {md5_credential(DM, SERVER_PW, nonce)}")
        self.assertEqual(said[1:], [f"0 syncml:auth-md5 {md5_credential(USER, CLIENT_PW, b'Nonce')}", "0"])

    def test_what_an_unauthenticated_server_sent_is_dropped(self):
        self.talk("open example", "accepted 4e6f6e6365", "commit", "close")
        self.assertEqual(self.talk("open example", "credential -")[1],
                         f"0 syncml:auth-md5 {md5_credential(USER, CLIENT_PW, CLIENT_NONCE)}")

    def test_a_second_session_of_an_account_is_busy(self):
        first = self.start([self.calls], stdin=subprocess.PIPE)
        self.addCleanup(first.stdin.close)
        first.stdin.write("open example\n")
        first.stdin.flush()
        self.assertEqual(first.stdout.readline(), "0\n")
        self.assertRegex(self.talk("open example")[0], "^EBUSY another client has a session of account example$")
        first.stdin.write("close\nopen example\n")
        first.stdin.flush()
        self.assertEqual(first.stdout.readline(), "0\n")

    def test_secrets_come_in_a_memfd_for_who_computes_itself(self):
        said = self.talk("open example", "secrets 1.2", "nonces 4e6f6e6365 -", "commit 1", "close", "open example", "credential -",
                         "secrets 1.3")
        tree = {node["uri"]: node["value"] for node in json.loads(said[2])}
        self.assertEqual(tree["./DMAcc/example/AppAuth/SRVCRED/AAuthSecret"], SERVER_PW.decode())
        self.assertEqual(tree["./DMAcc/example/AppAuth/CLCRED/AAuthData"], b64(CLIENT_NONCE))
        self.assertEqual(said[3:], ["0", "0", "0", f"0 syncml:auth-md5 {md5_credential(USER, CLIENT_PW, b'Nonce')}",
                                    "EINVAL there are layouts 1.1 and 1.2"])

    def test_a_notification_is_verified_and_read(self):
        # version 1.2, UI mode 3, by the server, session 0x1234
        trigger = (12 << 30 | 3 << 28 | 1 << 27).to_bytes(5, "big") + b"\x12\x34" + bytes([len(DM)]) + DM
        mac = hashlib.md5(b":".join((digest(DM, SERVER_PW).encode(), SERVER_NONCE, digest(trigger).encode()))).digest()
        said = self.talk("open example", f"notification {(mac + trigger).hex()}", f"notification {(mac[::-1] + trigger).hex()}",
                         f"notification {mac.hex()}")
        self.assertEqual(said[1:], ["0 12 3 1 4660 com.example.dm", "EKEYREJECTED the notification's digest does not fit",
                                    "EINVAL this is no notification"])

    def test_changes_are_told_while_calls_go_on(self):
        client = self.start([self.calls], stdin=subprocess.PIPE)
        self.addCleanup(client.stdin.close)

        def ask(line):
            client.stdin.write(line + "\n")
            client.stdin.flush()

        ask("watch")
        self.assertEqual(client.stdout.readline(), "0\n")
        self.control("AddAccount", "new.one", "ready", "")
        self.control("SetState", "example", "withdrawn", "its template is gone")
        # what has come during a call is not lost
        ask("accounts")
        self.assertEqual(client.stdout.readline(), "0 example new.one\n")
        ask("watch 2")
        self.assertEqual([client.stdout.readline() for _ in range(3)], ["changed new.one\n", "changed example\n", "0\n"])
        self.mock.terminate()
        ask("watch 1")
        self.assertEqual([client.stdout.readline() for _ in range(2)], ["changed all\n", "0\n"])

    def test_without_an_agent_or_a_bus_it_is_not_connected(self):
        client = self.start([self.calls], stdin=subprocess.PIPE)
        self.addCleanup(client.stdin.close)

        def ask(line):
            client.stdin.write(line + "\n")
            client.stdin.flush()
            return client.stdout.readline()

        self.assertEqual(ask("open example"), "0\n")
        self.mock.terminate()
        self.mock.wait()
        self.assertRegex(ask("accounts"), "^ENOTCONN ")
        self.start_mock()
        self.assertRegex(ask("credential -"), "^ESTALE the session is over")
        self.assertEqual(ask("close\naccounts"), "0 example\n")
        self.env = {"DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nonexistent"}
        self.assertEqual(self.run_with(self.calls).returncode, 2)
        done = self.run_with(self.example)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("the system bus cannot be reached", done.stderr)

    def test_bytes_that_are_no_text_are_refused_before_the_bus_hangs_up(self):
        text = b"open example\nverify syncml:auth-md5 \xff\xfe\nverify syncml:auth-md5 \xed\xa0\x80\nget example \xc0\xaf\nget example \xf4\x90\x80\x80\nready\n"
        done = subprocess.run([self.calls], input=text, capture_output=True, timeout=60, check=True,
                              env=os.environ | self.env | {"LD_LIBRARY_PATH": str(self.library.parent)})
        self.assertEqual(done.stdout.decode().splitlines(), ["0", *["EINVAL the credential is not UTF-8"] * 2,
                                                             *["EINVAL the URI is not UTF-8"] * 2, "0 example"])
        self.assertEqual(self.talk("get example ./é\u20ac\U0001f600"), ["ENOENT there is no node ./é\u20ac\U0001f600"])


class Example(OnTheMock):
    def session(self, *lines, arguments=("example",), status=0):
        done = self.run_with(self.example, *arguments, text="".join(line + "\n" for line in lines))
        self.assertEqual((done.returncode, done.stderr), (status, ""), done.stdout)
        return done.stdout.splitlines()

    def test_it_lists_accounts(self):
        self.assertEqual(self.session(arguments=()), ["example"])

    def test_two_sessions_authenticate_both_ways_and_the_second_has_the_nonces_of_the_first(self):
        first = self.session("send", f"server syncml:auth-md5 {md5_credential(DM, SERVER_PW, SERVER_NONCE)}",
                             f"accepted {b64(b'next one')}", "chal", "get ./DMAcc/example/ServerID")
        self.assertEqual(first[:3] + first[4:], [f"cred syncml:auth-md5 {md5_credential(USER, CLIENT_PW, CLIENT_NONCE)}", "ok", "ok",
                                                 f"value chr {b64(DM)}"])
        nonce = base64.b64decode(first[3].removeprefix("nonce "))
        second = self.session("send", f"server syncml:auth-md5 {md5_credential(DM, SERVER_PW, nonce)}")
        self.assertEqual(second, [f"cred syncml:auth-md5 {md5_credential(USER, CLIENT_PW, b'next one')}", "ok"])

    def test_what_is_wrong_is_said_and_makes_it_fail(self):
        said = self.session("server syncml:auth-md5 AAAA", "challenge syncml:auth-md5 !", "dance", status=1)
        self.assertEqual(said, ["error the server's credential does not fit", "error that is no base64", "error that is no event"])
        self.assertEqual(self.session(arguments=("nobody",), status=1), ["error there is no such account"])


if __name__ == "__main__":
    unittest.main()
