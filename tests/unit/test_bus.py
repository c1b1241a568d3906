#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""org.dmacc1 as dmaccd serves it: the interface, nodes by URI, sessions, and who may do what.

What the digests and nonces have to be is asked in test_session.c; here, that they come over the bus.
"""
import base64
import copy
import grp
import hashlib
import json
import os
import resource
import subprocess
import sys
import time
import unittest
import xml.etree.ElementTree as ElementTree

import dbus
from gi.repository import GLib

from agent_case import CLIENT_PW, CONF, PATIENCE, SERVER_PW, TOP, WithAgent, interface, raw

DM, USER = b"com.example.dm", b"HQU3K2QFHADCEVTNJZ4OUFUI"
CLIENT_NONCE = bytes.fromhex("a670dd9b4067126d1addb0bca209f28a")
SERVER_NONCE = bytes.fromhex("8b022d9671df0373c71c9d5acbd57575")
PATHS = {"org.dmacc1.Manager": "/org/dmacc1", "org.dmacc1.Account": "/org/dmacc1/account/op",
         "org.dmacc1.Session": "/org/dmacc1/session/op"}
ADDR = "./DMAcc/op/AppAddr/1/Addr"
GROUP = 54321
# polkit may be played by root on the tests' bus
POLKIT = """<policy user="root"><allow own="org.freedesktop.PolicyKit1"/></policy>
<policy context="default"><allow send_destination="org.freedesktop.PolicyKit1"/></policy>"""


def digest(*parts):
    """B64(H(parts with ':' between))"""
    return base64.b64encode(hashlib.md5(b":".join(parts)).digest()).decode()


def md5_credential(user, password, nonce):
    return digest(digest(user, password.encode()).encode(), nonce)


def mac_credential(user, password, nonce, body):
    mac = digest(digest(user, password.encode()).encode(), nonce, digest(body).encode())
    return f'algorithm=MD5, username="{user.decode()}", mac={mac}'


class Interface(WithAgent):
    def test_the_interfaces_are_those_in_uapi(self):
        self.agent.start()
        self.client().open()
        contract = ElementTree.parse(TOP / "uapi/org.dmacc1.xml")
        self.assertEqual({i.get("name") for i in contract.iter("interface")}, set(PATHS))
        for name, path in PATHS.items():
            text = self.agent.object(path).Introspect(dbus_interface="org.freedesktop.DBus.Introspectable")
            is_there = ElementTree.fromstring(text)
            self.assertEqual(interface(is_there, name), interface(contract, name))
            self.assertEqual({i.get("name") for i in is_there.iter("interface") if "dmacc" in i.get("name")}, {name})

    def test_whatever_is_different_would_be_noticed(self):
        """Each attribute, and each element that is left out, of the contract."""
        contract = ElementTree.parse(TOP / "uapi/org.dmacc1.xml").getroot()
        changes = 0
        for name in PATHS:
            wanted = interface(contract, name)
            other = copy.deepcopy(contract)
            one = next(i for i in other.iter("interface") if i.get("name") == name)
            for parent in list(one.iter()):
                for child in list(parent):
                    at = list(parent).index(child)
                    parent.remove(child)
                    self.assertNotEqual(interface(other, name), wanted, child.attrib)
                    parent.insert(at, child)
                    for key, value in child.attrib.items():
                        child.set(key, value + "x")
                        self.assertNotEqual(interface(other, name), wanted, child.attrib)
                        child.set(key, value)
                        changes += 1
            self.assertEqual(interface(other, name), wanted)
        self.assertGreater(changes, 200)

    def test_objects_are_listed_below_their_names(self):
        self.agent.start()
        self.client().open()
        self.assertEqual(sorted(self.agent.managed()), ["/org/dmacc1/account/op", "/org/dmacc1/session/op"])
        text = self.agent.object("/org/dmacc1").Introspect(dbus_interface="org.freedesktop.DBus.Introspectable")
        self.assertEqual(sorted(n.get("name") for n in ElementTree.fromstring(text).findall("node")), ["account", "session"])


class Nodes(WithAgent):
    def setUp(self):
        super().setUp()
        self.agent.start()
        self.me = self.client()

    def test_get_has_every_leaf_of_the_tree_that_may_be_read_and_refuses_the_others(self):
        seen = {True: 0, False: 0}
        for layout in ("1.1", "1.2"):
            for uri, kind, value, protected in self.me.account("GetTree", layout):
                if kind == "node":
                    self.assertIn("is an interior node", self.refused("NotPermitted", self.me.account, "Get", uri))
                elif protected:
                    self.assertIn("no Get", self.refused("NotPermitted", self.me.account, "Get", uri))
                    seen[True] += 1
                else:
                    self.assertEqual(self.me.account("Get", uri), [kind, raw(value.encode())])
                    seen[False] += 1
        self.assertEqual(seen[True], 8)
        self.assertGreater(seen[False], 15)

    def test_list_walks_the_whole_tree(self):
        for layout, base in (("1.1", "./SyncML/DMAcc"), ("1.2", "./DMAcc")):
            tree = self.me.account("GetTree", layout)
            found, left = [], [base]
            while left:
                uri = left.pop(0)
                for name in self.me.account("List", uri):
                    found.append(f"{uri}/{name}")
                    if next(kind for node, kind, _, _ in tree if node == found[-1]) == "node":
                        left.append(found[-1])
            self.assertEqual(sorted(found), sorted(node[0] for node in tree))
        self.assertIn("is a leaf", self.refused("NotPermitted", self.me.account, "List", ADDR))

    def test_both_layouts_are_one_account(self):
        for uri in (ADDR, "./SyncML/DMAcc/op/Addr"):
            self.assertEqual(self.me.account("Get", uri), ["chr", raw(b"https://dm.example.com/dm")])

    def test_what_is_no_node_of_it_is_named(self):
        for uri in ("", ".", "./DMAcc/", "./DMAcc/op/", "./DMAcc/other", "./DMAccx", "./DevInfo/DevId", "DMAcc/op", "./DMAcc//op",
                    "./SyncML/DMAcc/op/AppAddr", "./DMAcc/op/ServerId", "./DMAcc/op/" + "x" * 4000):
            for method in ("Get", "List"):
                self.assertIn(uri[:50], self.refused("NoSuchNode", self.me.account, method, uri))


class Changes(WithAgent):
    def setUp(self):
        super().setUp()
        self.agent.start()
        self.me = self.client()

    def origins(self):
        return {node: (source, note) for node, source, note in self.me.account("GetOrigins")}

    def test_a_local_change_shows_its_origin_and_can_be_taken_back(self):
        self.assertEqual(self.origins()["Addr"], ("template", ""))
        self.assertEqual(self.origins()["ServerPW"], ("derived", ""))
        self.me.account("Replace", ADDR, "chr", raw(b"https://other.example.com/dm"))
        self.assertEqual(self.origins()["Addr"], ("local", ""))
        self.assertEqual(self.me.account("Get", "./SyncML/DMAcc/op/Addr"), ["chr", raw(b"https://other.example.com/dm")])
        self.me.account("Revert", ["Addr"])
        self.assertEqual(self.origins()["Addr"], ("template", ""))
        self.assertEqual(self.me.account("Get", ADDR), ["chr", raw(b"https://dm.example.com/dm")])

    def test_what_cannot_be_replaced_has_its_error(self):
        self.refused("NoSuchNode", self.me.account, "Replace", "./DMAcc/op/Nothing", "chr", raw(b"x"))
        self.refused("NotPermitted", self.me.account, "Replace", "./DMAcc/op/AppID", "chr", raw(b"w8"))
        self.refused("BadValue", self.me.account, "Replace", "./DMAcc/op/AAuthPref", "chr", raw(b"ROT13"))
        self.refused("NoSuchNode", self.me.account, "Revert", ["Addr", "Nothing"])
        self.assertEqual(self.me.account("Get", ADDR), ["chr", raw(b"https://dm.example.com/dm")])

    def test_reset_burns_the_nonces_and_is_signalled(self):
        seen = []
        self.bus.connection.add_signal_receiver(lambda name, changed, _: seen.append(changed), "PropertiesChanged",
                                                "org.freedesktop.DBus.Properties", path="/org/dmacc1/account/op")
        self.assertEqual(self.agent.account()["Nonces"], "initial")
        self.me.account("Reset")
        self.assertEqual(self.agent.account()["Nonces"], "burnt")
        deadline = time.monotonic() + PATIENCE
        while not seen and time.monotonic() < deadline:
            GLib.MainContext.default().iteration(False)
        self.assertEqual(seen[0]["Nonces"], "burnt")

    def test_while_there_is_a_session_nothing_is_changed_beside_it(self):
        self.me.open()
        for call in (("Replace", ADDR, "chr", raw(b"https://x.example.com/")), ("Revert", []), ("Reset",)):
            self.refused("Busy", self.me.account, *call)


class Sessions(WithAgent):
    def setUp(self):
        super().setUp()
        self.agent.start()
        self.me = self.client()

    def session_properties(self):
        return self.agent.managed()["/org/dmacc1/session/op"]["org.dmacc1.Session"]

    def test_a_session_is_an_object_of_its_own(self):
        self.assertEqual(self.me.open(), "/org/dmacc1/session/op")
        self.assertEqual(dict(self.session_properties()), {
            "Account": "/org/dmacc1/account/op", "Owner": self.me.name, "ServerAuthenticated": False, "ClientAccepted": False})
        self.assertEqual(self.agent.account()["Session"], "/org/dmacc1/session/op")
        self.me.session("Close")
        self.assertEqual(self.agent.account()["Session"], "/")
        self.assertEqual(list(self.agent.managed()), ["/org/dmacc1/account/op"])
        self.refused("UnknownObject", self.me.session, "Close")

    def test_a_name_is_escaped_in_its_path(self):
        (self.agent.templates / "new-one.conf").write_text(CONF)
        self.agent.reload()
        self.assertEqual(self.me.open(name="new_2done"), "/org/dmacc1/session/new_2done")
        self.me.session("Close", name="new_2done")

    def test_one_at_a_time(self):
        self.me.open()
        other = self.client()
        self.assertIn(self.me.name, self.refused("Busy", other.open))
        self.refused("Busy", self.me.open)
        self.me.session("Close")
        other.open()

    def test_it_is_nobody_elses_not_even_roots(self):
        self.me.open()
        other = self.client()
        calls = {"GetClientCredential": ("", raw(b"")), "Challenged": ("syncml:auth-md5", raw(b"x")), "Accepted": (raw(b""),),
                 "VerifyServer": ("syncml:auth-md5", "x", raw(b"")), "GetServerNonce": (), "VerifyNotification": (raw(b"x"),),
                 "Replace": (ADDR, "chr", raw(b"x")), "GetSecrets": ("1.2",), "SetNonces": (raw(b"a"), raw(b"b")), "Commit": (True,),
                 "Close": ()}
        contract = ElementTree.parse(TOP / "uapi/org.dmacc1.xml")
        methods = next(i for i in contract.iter("interface") if i.get("name") == "org.dmacc1.Session").findall("method")
        self.assertEqual({m.get("name") for m in methods}, set(calls))
        for method, args in calls.items():
            self.assertEqual(self.refused("AccessDenied", other.session, method, *args), "only who opened the session may use it")
        self.me.session("Close")

    def test_it_ends_when_its_owner_leaves_the_bus(self):
        seen = []
        for member in ("InterfacesAdded", "InterfacesRemoved"):
            self.bus.connection.add_signal_receiver(lambda path, *_, member=None: seen.append((str(member), str(path))), member,
                                                    "org.freedesktop.DBus.ObjectManager", member_keyword="member")
        self.me.open()
        self.me.leave()
        self.wait_until(lambda: self.agent.account()["Session"] == "/")
        while GLib.MainContext.default().iteration(False):
            pass
        self.assertEqual(seen, [("InterfacesAdded", "/org/dmacc1/session/op"), ("InterfacesRemoved", "/org/dmacc1/session/op")])
        self.client().open()

    def test_it_ends_when_its_owner_is_killed(self):
        self.me.open()
        self.me.process.kill()
        self.wait_until(lambda: self.agent.account()["Session"] == "/")

    def test_options_are_judged(self):
        self.assertIn("no option encrypted", self.refused("InvalidArgs", self.me.account, "OpenSession", {"encrypted": True}))
        self.refused("InvalidArgs", self.me.account, "OpenSession", {"tls": "yes"})
        self.assertEqual(self.agent.account()["Session"], "/")

    def test_an_account_that_is_not_ready_has_no_session(self):
        self.agent.words.write_text("no-root")
        self.agent.reload()
        self.assertIn("no-secrets", self.refused("NotReady", self.me.open))
        self.refused("UnknownObject", self.me.open, name="none")

    def test_both_sides_authenticate_and_the_nonces_of_the_session_are_the_next_ones(self):
        self.me.open()
        self.assertEqual(self.me.session("GetClientCredential", "", raw(b"")),
                         ["syncml:auth-md5", md5_credential(USER, CLIENT_PW, CLIENT_NONCE)])
        self.me.session("Accepted", raw(b"for the next"))
        self.assertEqual(self.session_properties()["ClientAccepted"], True)
        self.assertIn("does not fit", self.refused("WrongCredential", self.me.session, "VerifyServer", "syncml:auth-md5",
                                                   md5_credential(DM, "wrong", SERVER_NONCE), raw(b"")))
        self.me.session("VerifyServer", "syncml:auth-md5", md5_credential(DM, SERVER_PW, SERVER_NONCE), raw(b""))
        self.assertEqual(self.session_properties()["ServerAuthenticated"], True)
        nonce = self.me.session("GetServerNonce")
        self.assertEqual(len(nonce), 16)
        before = time.time_ns() // 1000
        self.me.session("Commit", False)
        self.assertEqual((self.agent.account()["Nonces"], self.agent.account()["EverConnected"]), ("session", True))
        self.assertTrue(before <= self.agent.account()["LastConnected"] <= time.time_ns() // 1000)
        self.me.session("Close")
        self.agent.stop()
        self.agent.start()
        self.me.open()
        body = b"<SyncML/>"
        self.assertEqual(self.me.session("GetClientCredential", "syncml:auth-MAC", raw(body)),
                         ["syncml:auth-MAC", mac_credential(USER, CLIENT_PW, b"for the next", body)])
        self.me.session("VerifyServer", "syncml:auth-MAC", mac_credential(DM, SERVER_PW, nonce, body), raw(body))

    def test_a_challenge_and_a_downgrade(self):
        self.me.open()
        self.refused("Downgrade", self.me.session, "GetClientCredential", "syncml:auth-basic", raw(b""))
        self.refused("Downgrade", self.me.session, "Challenged", "syncml:auth-basic", raw(b""))
        self.refused("BadValue", self.me.session, "GetClientCredential", "syncml:auth-rot13", raw(b""))
        self.me.session("Challenged", "syncml:auth-md5", raw(b"\0\1:\xff"))
        self.assertEqual(self.me.session("GetClientCredential", "", raw(b""))[1], md5_credential(USER, CLIENT_PW, b"\0\1:\xff"))
        self.assertIn("nothing more to try", self.refused("Refused", self.me.session, "Challenged", "syncml:auth-md5", raw(b"again")))

    def test_only_a_server_that_is_verified_replaces(self):
        self.me.open()
        self.refused("NotAuthenticated", self.me.session, "Replace", ADDR, "chr", raw(b"https://new.example.com/"))
        self.me.session("VerifyServer", "syncml:auth-md5", md5_credential(DM, SERVER_PW, SERVER_NONCE), raw(b""))
        self.refused("NoSuchNode", self.me.session, "Replace", "./DMAcc/op/Nothing", "chr", raw(b"x"))
        self.refused("BadValue", self.me.session, "Replace", ADDR, "chr", raw(b"x" * 256))
        self.me.session("Replace", ADDR, "chr", raw(b"https://new.example.com/"))
        self.assertEqual(self.me.account("Get", "./SyncML/DMAcc/op/Addr"), ["chr", raw(b"https://new.example.com/")])
        self.assertIn(["Addr", "server", ""], self.me.account("GetOrigins"))
        self.me.session("Replace", "./DMAcc/op/AppAuth/SRVCRED/AAuthSecret", "chr", raw(b"new password"))
        self.assertIn(["ServerPW", "server", "unproven"], self.me.account("GetOrigins"))

    def test_a_notification_is_verified_and_read(self):
        trigger = (12 << 30 | 3 << 28 | 1 << 27).to_bytes(5, "big") + b"\x12\x34" + bytes([len(DM)]) + DM
        mac = hashlib.md5(b":".join((digest(DM, SERVER_PW.encode()).encode(), SERVER_NONCE, digest(trigger).encode()))).digest()
        self.me.open()
        self.assertEqual(self.me.session("VerifyNotification", raw(mac + trigger)), [12, 3, 1, 0x1234, DM.decode()])
        self.refused("WrongCredential", self.me.session, "VerifyNotification", raw(mac[::-1] + trigger))
        self.refused("BadValue", self.me.session, "VerifyNotification", raw(mac))

    def test_who_computes_itself_gets_the_secrets_and_says_what_became_of_them(self):
        self.me.open()
        self.refused("Refused", self.me.session, "SetNonces", raw(b"a"), raw(b"b"))
        tree = {node["uri"]: node["value"] for node in json.loads(self.me.session("GetSecrets", "1.1"))}
        self.assertEqual(tree["./SyncML/DMAcc/op/ServerPW"], SERVER_PW)
        self.assertEqual(tree["./SyncML/DMAcc/op/ClientNonce"], base64.b64encode(CLIENT_NONCE).decode())
        self.assertIn("layouts", self.refused("InvalidArgs", self.me.session, "GetSecrets", "1.3"))
        self.me.session("SetNonces", raw(b"the client's"), raw(b""))
        self.me.session("Commit", True)
        self.me.session("Close")
        self.me.open()
        self.assertEqual(self.me.session("GetClientCredential", "", raw(b""))[1], md5_credential(USER, CLIENT_PW, b"the client's"))

    def test_what_cannot_be_written_is_not_given_out(self):
        self.me.open()
        resource.prlimit(self.agent.process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        self.refused("Unwritten", self.me.session, "GetClientCredential", "", raw(b""))
        self.assertEqual(self.agent.account()["Nonces"], "initial")
        resource.prlimit(self.agent.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        self.assertEqual(self.me.session("GetClientCredential", "", raw(b""))[1], md5_credential(USER, CLIENT_PW, CLIENT_NONCE))


@unittest.skipIf(os.getuid(), "needs root, to be somebody else")
class Who(WithAgent):
    """Strangers, the group, root and polkit; each call that anybody could make."""
    more = POLKIT
    STRANGER = {"user": 65534, "group": 65534, "extra_groups": []}
    MEMBER = STRANGER | {"extra_groups": [GROUP]}

    def setUp(self):
        super().setUp()
        self.agent.environment["DMACC_CLIENT_GROUP"] = str(GROUP)
        self.agent.start()

    def start_polkit(self, *allowed):
        self.polkit = subprocess.Popen([sys.executable, "-m", "dbusmock", "--system", "--template", "polkitd"],
                                       env=os.environ | {"DBUS_SYSTEM_BUS_ADDRESS": self.bus.address}, stdout=subprocess.DEVNULL)
        self.addCleanup(self.polkit.wait)
        self.addCleanup(self.polkit.terminate)
        while not self.bus.connection.name_has_owner("org.freedesktop.PolicyKit1"):
            self.assertIsNone(self.polkit.poll())
            time.sleep(0.01)
        self.mock("SetAllowed", dbus.Array(allowed, signature="s"))

    def mock(self, method, *args):
        polkit = self.bus.connection.get_object("org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority", introspect=False)
        return polkit.get_dbus_method(method, "org.freedesktop.DBus.Mock")(*args)

    def test_anybody_reads_and_introspects(self):
        one = self.client(**self.STRANGER)
        one.send("/org/dmacc1", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")
        self.assertEqual(list(one.receive()), ["/org/dmacc1/account/op"])
        one.send("/org/dmacc1/account/op", "org.freedesktop.DBus.Introspectable", "Introspect")
        self.assertIn("org.dmacc1.Account", one.receive())
        one.send("/org/dmacc1", "org.freedesktop.DBus.Properties", "Get", "org.dmacc1.Manager", "State")
        self.assertEqual(one.receive(), "ready")
        self.assertEqual(one.account("List", "./DMAcc"), ["op"])
        self.assertEqual(one.account("Get", ADDR), ["chr", raw(b"https://dm.example.com/dm")])
        self.assertNotIn(SERVER_PW, str(one.account("GetTree", "1.1")) + str(one.account("GetOrigins")))

    def test_a_stranger_has_no_session_no_secret_and_changes_nothing(self):
        one = self.client(**self.STRANGER)
        self.assertIn("group dmclient", self.refused("AccessDenied", one.open))
        self.assertIn("for root only", self.refused("AccessDenied", one.account, "GetTreeWithSecrets", "1.2"))
        self.client().open()
        self.refused("AccessDenied", one.session, "GetSecrets", "1.2")
        self.refused("AccessDenied", one.session, "Close")

    def test_the_group_has_sessions_and_their_secrets_and_nothing_more(self):
        one = self.client(**self.MEMBER)
        one.open()
        self.assertIn(SERVER_PW, one.session("GetSecrets", "1.2"))
        one.session("Close")
        self.refused("AccessDenied", one.account, "GetTreeWithSecrets", "1.2")
        self.refused("AccessDenied", one.account, "Reset")

    def properties(self, client, method, *args):
        client.send("/org/dmacc1", "org.freedesktop.DBus.Properties", method, "org.dmacc1.Manager", *args)
        return client.receive()

    def test_the_identifier_is_told_root_and_the_group_and_nobody_else(self):
        for who in ({}, self.MEMBER):
            self.assertEqual(self.properties(self.client(**who), "Get", "DevId"), "IMEI:490154203237518")
        stranger = self.client(**self.STRANGER)
        self.assertIn("root and the group dmclient", self.refused("AccessDenied", self.properties, stranger, "Get", "DevId"))
        self.assertEqual(sorted(self.properties(stranger, "GetAll")), ["Reason", "RefusedTemplates", "State", "Version"])

    def test_the_first_group_of_a_client_counts_as_well(self):
        self.client(user=65534, group=GROUP, extra_groups=[]).open()

    def test_where_there_is_no_such_group_only_root_has_sessions(self):
        self.agent.stop()
        try:
            grp.getgrnam("dmclient")
            self.skipTest("there is such a group here")
        except KeyError:
            del self.agent.environment["DMACC_CLIENT_GROUP"]
        self.agent.start()
        self.refused("AccessDenied", self.client(**self.MEMBER).open)
        self.client().open()

    def test_without_polkit_only_root_changes(self):
        one = self.client(**self.STRANGER)
        for call in (("Replace", ADDR, "chr", raw(b"https://x.example.com/")), ("Revert", []), ("Reset",)):
            self.assertIn("no polkit", self.refused("AccessDenied", one.account, *call))
        self.assertEqual(one.account("Get", ADDR), ["chr", raw(b"https://dm.example.com/dm")])
        self.client().account("Replace", ADDR, "chr", raw(b"https://x.example.com/"))
        self.assertEqual(one.account("Get", ADDR), ["chr", raw(b"https://x.example.com/")])

    def test_polkit_lets_or_does_not(self):
        self.start_polkit()
        one = self.client(**self.STRANGER)
        self.assertIn("polkit does not let you", self.refused("AccessDenied", one.account, "Reset"))
        self.mock("SetAllowed", dbus.Array(["org.dmacc1.another-action"], signature="s"))
        self.refused("AccessDenied", one.account, "Reset")
        self.mock("SetAllowed", dbus.Array(["org.dmacc1.manage-accounts"], signature="s"))
        one.account("Replace", ADDR, "chr", raw(b"https://x.example.com/"))
        self.assertEqual(one.account("Get", ADDR), ["chr", raw(b"https://x.example.com/")])
        one.account("Revert", ["Addr"])
        self.assertEqual(one.account("Get", ADDR), ["chr", raw(b"https://dm.example.com/dm")])
        self.assertIn("no such node", self.refused("NoSuchNode", one.account, "Replace", "./DMAcc/op/Nothing", "chr", raw(b"x")))
        # what polkit lets is neither a session nor a secret
        self.refused("AccessDenied", one.open)
        self.refused("AccessDenied", one.account, "GetTreeWithSecrets", "1.2")

    def test_while_polkit_thinks_the_agent_goes_on(self):
        self.start_polkit("org.dmacc1.manage-accounts")
        self.mock("SimulateHang", True)
        one = self.client(**self.STRANGER)
        one.send("/org/dmacc1/account/op", "org.dmacc1.Account", "Replace", ADDR, "chr", raw(b"https://x.example.com/"))
        gone = self.client(**self.STRANGER)
        gone.send("/org/dmacc1/account/op", "org.dmacc1.Account", "Revert", ["AuthPref"])
        self.wait_until(lambda: self.mock("HaveHangingCalls"))
        self.assertEqual(self.client().account("Get", ADDR), ["chr", raw(b"https://dm.example.com/dm")])
        gone.process.kill()
        self.agent.reload()
        self.mock("SimulateHang", False)
        self.mock("ReleaseHangingCalls")
        self.assertIsNone(one.receive())
        self.assertEqual(self.client().account("Get", ADDR), ["chr", raw(b"https://x.example.com/")])

    def test_too_many_that_wait_for_polkit_are_refused_and_an_agent_that_ends_forgets_them(self):
        self.start_polkit()
        self.mock("SimulateHang", True)
        clients = [self.client(**self.STRANGER) for _ in range(3)]
        for one in clients:
            for _ in range(20):
                one.send("/org/dmacc1/account/op", "org.dmacc1.Account", "Reset")
        # those beyond the bound are answered at once
        time.sleep(0.1)
        self.assertEqual(self.agent.account()["State"], "ready")
        self.assertEqual(self.agent.stop(), 0)

    def test_the_policy_names_the_action_that_is_asked_for(self):
        policy = ElementTree.parse(TOP / "packaging/polkit/org.dmacc1.policy")
        self.assertEqual([a.get("id") for a in policy.iter("action")], ["org.dmacc1.manage-accounts"])


if __name__ == "__main__":
    unittest.main()
