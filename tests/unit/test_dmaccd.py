#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The agent as a process, on a bus of its own with the policy that is installed.

dmaccd-double is the program with a double of the kernel's client; dmaccd itself is run for what it says of
a machine without the module.
"""
import fcntl
import json
import os
import pwd
import re
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import dbus
import dbus.bus
import dbus.mainloop.glib
from gi.repository import GLib

TOP = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ.get("DMACC_BUILD", TOP / "build"))
DOUBLE = BUILD / "tests/unit/dmaccd-double"
DMACCD = BUILD / "agent/dmaccd/dmaccd"
IMPORTER = BUILD / "agent/dmacc-import/dmacc-import"
PATIENCE = 60

# Kv = 00 01 ... 1f, IMEI:490154203237518, com.example.dm: uapi/derivation.md
SERVER_PW = "VVWHHJPJY3VV7GRTDCYZB5W7PR4AZLSO"
CLIENT_PW = "LX37WNX7VWGHGEZJ377UIPJCX4RCYCPK"
SERVER_NONCE = "iwItlnHfA3PHHJ1ay9V1dQ=="
CONF = "[Account]\nSlot=vendor\n[DMAcc]\nAddr=https://dm.example.com/dm\nServerID=com.example.dm\n"

W7 = """<?xml version="1.0"?>
<wap-provisioningdoc version="1.1">
  <characteristic type="APPLICATION">
    <parm name="APPID" value="w7"/>
    <parm name="PROVIDER-ID" value="com.example.w7"/>
    <characteristic type="APPADDR">
      <parm name="ADDR" value="https://dm.example.com/w7"/>
    </characteristic>
    <characteristic type="APPAUTH">
      <parm name="AAUTHLEVEL" value="CLIENT"/>
      <parm name="AAUTHNAME" value=""/>
      <parm name="AAUTHSECRET" value="{secret}"/>
    </characteristic>
  </characteristic>
</wap-provisioningdoc>
"""

# What a system bus lets through by default, before the policies of services
BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={folder}/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus"/>
  </policy>
  <include>{folder}/org.dmacc1.conf</include>
  {more}
</busconfig>
"""


class Bus:
    """A bus daemon and a folder for everything of one test."""

    def __init__(self, more=""):
        self.temporary = tempfile.TemporaryDirectory(prefix="test_dmaccd.")
        self.folder = Path(self.temporary.name)
        self.folder.chmod(0o755)
        user = pwd.getpwuid(os.getuid()).pw_name
        policy = (TOP / "packaging/dbus/org.dmacc1.conf").read_text().replace('user="dmacc"', f'user="{user}"')
        if os.getuid():
            policy = policy.replace('user="root"', f'user="{user}"')
        (self.folder / "org.dmacc1.conf").write_text(policy)
        (self.folder / "bus.conf").write_text(BUS.format(folder=self.folder, more=more))
        self.address = f"unix:path={self.folder}/bus"
        self.daemon = subprocess.Popen(["dbus-daemon", f"--config-file={self.folder}/bus.conf", "--print-address",
                                        "--nofork", "--nopidfile"], stdout=subprocess.PIPE, text=True)
        self.daemon.stdout.readline()
        dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
        self.connection = dbus.bus.BusConnection(self.address)

    def close(self):
        self.connection.close()
        self.daemon.terminate()
        self.daemon.wait()
        self.daemon.stdout.close()
        self.temporary.cleanup()


class Agent:
    """A dmaccd on that bus, with a socket for what it notifies."""

    def __init__(self, bus, program=DOUBLE):
        self.bus = bus
        self.templates = bus.folder / "templates"
        self.state = bus.folder / "state"
        self.words = bus.folder / "words"
        self.config = bus.folder / "dmaccd.conf"
        for folder in (self.templates, self.state):
            folder.mkdir(exist_ok=True)
        self.words.touch()
        self.program = program
        self.process = None

    def start(self):
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.settimeout(PATIENCE)
        path = self.bus.folder / f"notify-{time.monotonic_ns()}"
        self.notify.bind(str(path))
        self.log = open(self.bus.folder / "log", "a+", encoding="utf-8")
        env = os.environ | {"NOTIFY_SOCKET": str(path), "DBUS_SYSTEM_BUS_ADDRESS": self.bus.address,
                            "DMACC_DOUBLE": str(self.words)}
        env.pop("JOURNAL_STREAM", None)
        self.process = subprocess.Popen([self.program, "--config", self.config, "--templates", self.templates,
                                         "--state", self.state, "--importer", IMPORTER], env=env, stderr=self.log)
        return self.wait_for("READY=1")

    def wait_for(self, word):
        """The notification that has this line."""
        while True:
            message = self.notify.recv(4096).decode()
            if word in message.split("\n"):
                return message

    def reload(self):
        self.process.send_signal(signal.SIGHUP)
        self.wait_for("READY=1")

    def stop(self):
        self.process.terminate()
        status = self.process.wait(PATIENCE)
        self.notify.close()
        self.log.close()
        return status

    def object(self, path="/org/dmacc1"):
        return self.bus.connection.get_object("org.dmacc1", path, introspect=False)

    def managed(self):
        return self.object().GetManagedObjects(dbus_interface="org.freedesktop.DBus.ObjectManager")

    def manager(self, name):
        return self.object().Get("org.dmacc1.Manager", name, dbus_interface="org.freedesktop.DBus.Properties")

    def account(self, name="op"):
        return self.managed()[f"/org/dmacc1/account/{name}"]["org.dmacc1.Account"]

    def tree(self, layout="1.2", name="op"):
        return self.object(f"/org/dmacc1/account/{name}").GetTree(layout, dbus_interface="org.dmacc1.Account")

    def secrets(self, layout="1.2", name="op"):
        handle = self.object(f"/org/dmacc1/account/{name}").GetTreeWithSecrets(
            layout, dbus_interface="org.dmacc1.Account")
        return handle.take()


def interface(node, name):
    """What an interface has, in a form that two sources of it can be compared in."""
    for element in node.iter("interface"):
        if element.get("name") != name:
            continue
        members = {}
        for member in element:
            notes = {a.get("name"): a.get("value") for a in member.findall("annotation")}
            args = [(a.get("name"), a.get("type"), a.get("direction")) for a in member.findall("arg")]
            members[member.get("name")] = (member.tag, member.get("type"), member.get("access"), args, notes)
        return members
    return None


class WithAgent(unittest.TestCase):
    more = ""

    def setUp(self):
        self.bus = Bus(self.more)
        self.agent = Agent(self.bus)
        (self.agent.templates / "op.conf").write_text(CONF)

    def tearDown(self):
        if self.agent.process and self.agent.process.poll() is None:
            self.agent.stop()
        self.bus.close()

    def assert_error(self, name, call, *args):
        with self.assertRaises(dbus.DBusException) as caught:
            call(*args)
        self.assertEqual(caught.exception.get_dbus_name(), name)
        return caught.exception.get_dbus_message()


class OnTheBus(WithAgent):
    def test_the_interface_is_the_one_in_uapi(self):
        self.agent.start()
        contract = ElementTree.parse(TOP / "uapi/org.dmacc1.xml")
        for path, name in (("/org/dmacc1", "org.dmacc1.Manager"), ("/org/dmacc1/account/op", "org.dmacc1.Account")):
            text = self.agent.object(path).Introspect(dbus_interface="org.freedesktop.DBus.Introspectable")
            is_there = ElementTree.fromstring(text)
            self.assertIsNotNone(interface(contract, name))
            self.assertEqual(interface(is_there, name), interface(contract, name))

    def test_ready_comes_when_everything_is_there(self):
        message = self.agent.start()
        self.assertIn("STATUS=accounts ready: 1 of 1", message)
        # no waiting: who saw READY=1 finds the name and the account
        self.assertEqual(self.agent.account()["State"], "ready")
        self.assertEqual(self.agent.manager("State"), "ready")
        self.assertEqual(self.agent.manager("Reason"), "")
        self.assertEqual(self.agent.manager("Version"), (TOP / "VERSION").read_text().strip())

    def test_an_account_has_the_properties_of_its_template(self):
        self.agent.start()
        self.assertEqual(dict(self.agent.account()), {
            "Name": "op", "State": "ready", "Reason": "", "ServerID": "com.example.dm", "Slot": "vendor",
            "Profile": "dmacc-1", "Generation": 0, "Template": str(self.agent.templates / "op.conf")})

    def test_the_tree_has_no_value_that_the_standard_hides(self):
        self.agent.start()
        for layout, base in (("1.1", "./SyncML/DMAcc/op"), ("1.2", "./DMAcc/op")):
            nodes = self.agent.tree(layout)
            self.assertEqual(nodes[0][0], base)
            protected = [node for node in nodes if node[3]]
            self.assertEqual(len(protected), 4)
            self.assertEqual({str(node[2]) for node in protected}, {""})
            self.assertIn("com.example.dm", [node[2] for node in nodes])

    def test_root_gets_all_of_it_in_a_sealed_memfd(self):
        if os.getuid():
            self.skipTest("needs root")
        self.agent.start()
        fd = self.agent.secrets()
        self.assertEqual(fcntl.fcntl(fd, fcntl.F_GET_SEALS) & 0xf, 0xf)
        with os.fdopen(fd) as file:
            tree = json.load(file)
        nodes = {node["uri"]: node for node in tree}
        self.assertEqual([node["uri"] for node in tree], [node[0] for node in self.agent.tree()])
        secret = nodes["./DMAcc/op/AppAuth/SRVCRED/AAuthSecret"]
        self.assertEqual((secret["format"], secret["value"], secret["protected"]), ("chr", SERVER_PW, True))
        self.assertEqual(nodes["./DMAcc/op/AppAuth/CLCRED/AAuthSecret"]["value"], CLIENT_PW)
        self.assertEqual(nodes["./DMAcc/op/AppAuth/SRVCRED/AAuthData"]["value"], SERVER_NONCE)
        self.assertEqual(nodes["./DMAcc/op/AppAddr/1"],
                         {"uri": "./DMAcc/op/AppAddr/1", "format": "node", "value": "", "protected": False})

    def test_values_are_written_as_json_whatever_is_in_them(self):
        if os.getuid():
            self.skipTest("needs root")
        name = 'quote " back \\ slash é'
        (self.agent.templates / "op.conf").write_text(CONF + f"Name={name}\n")
        self.agent.start()
        with os.fdopen(self.agent.secrets("1.1"), encoding="utf-8") as file:
            nodes = {node["uri"]: node["value"] for node in json.load(file)}
        self.assertEqual(nodes["./SyncML/DMAcc/op/Name"], name)

    def test_another_layout_is_refused(self):
        self.agent.start()
        self.assert_error("org.freedesktop.DBus.Error.InvalidArgs", self.agent.tree, "1.3")

    def test_what_is_not_ready_has_no_secrets_and_says_why(self):
        self.agent.words.write_text("no-root")
        message = self.agent.start()
        self.assertIn("STATUS=no-root; accounts ready: 0 of 1", message)
        self.assertEqual(self.agent.manager("State"), "no-root")
        self.assertEqual(self.agent.account()["State"], "no-secrets")
        self.assertIn("not-unsealed: ", self.agent.manager("Reason"))
        if not os.getuid():
            text = self.assert_error("org.dmacc1.Error.NotReady", self.agent.secrets)
            self.assertIn("dmacc-unseal", text)
        # 1.2 can show an account without credentials, 1.1.2 cannot
        self.assertIn("./DMAcc/op/ServerID", [node[0] for node in self.agent.tree("1.2")])
        self.assert_error("org.dmacc1.Error.NotReady", self.agent.tree, "1.1")

    def test_what_was_missing_is_found_without_being_told(self):
        self.agent.words.write_text("no-module")
        self.agent.start()
        self.assertEqual(self.agent.manager("State"), "no-module")
        self.agent.words.write_text("")
        message = self.agent.wait_for("READY=1")
        while "accounts ready: 1 of 1" not in message:
            message = self.agent.wait_for("READY=1")
        self.assertEqual(self.agent.account()["State"], "ready")

    def test_below_the_rung_that_is_asked_nothing_is_served_until_it_is_asked_no_more(self):
        self.agent.start()
        self.agent.config.write_text("[Agent]\nMinimumMaster=tpm2\n")
        self.agent.reload()
        self.assertEqual(self.agent.account()["State"], "rung-too-low")
        self.assertRegex(self.agent.account()["Reason"], "^rung-too-low: .*a master that the TPM keeps")
        if not os.getuid():
            text = self.assert_error("org.dmacc1.Error.NotReady", self.agent.secrets)
            self.assertRegex(text, "^account op is rung-too-low: an account asks")
        self.agent.config.unlink()
        self.agent.reload()
        self.assertEqual(self.agent.account()["State"], "ready")

    def test_refused_templates_are_listed_with_their_reason(self):
        (self.agent.templates / "bad.conf").write_text("[DMAcc]\nAddr=x\n")
        self.agent.start()
        (path, reason), = self.agent.manager("RefusedTemplates")
        self.assertEqual(path, str(self.agent.templates / "bad.conf"))
        self.assertIn("ServerID", reason)

    def test_a_document_alone_is_a_template(self):
        (self.agent.templates / "op.conf").unlink()
        (self.agent.templates / "vendor.w7").write_text(W7.format(secret=""))
        self.agent.start()
        account = self.agent.account("vendor")
        self.assertEqual((account["State"], account["Reason"]), ("ready", ""))
        self.assertEqual(account["ServerID"], "com.example.w7")
        self.assertEqual(account["Slot"], "vendor")
        self.assertIn("https://dm.example.com/w7", [node[2] for node in self.agent.tree(name="vendor")])

    def test_a_document_that_is_broken_or_holds_a_password_is_refused_and_not_quoted(self):
        (self.agent.templates / "broken.w7").write_text(W7.format(secret="")[:-30])
        (self.agent.templates / "real.w7").write_text(W7.format(secret="Tr0ub4dor"))
        self.agent.start()
        refused = {Path(path).name: reason for path, reason in self.agent.manager("RefusedTemplates")}
        self.assertEqual(sorted(refused), ["broken.w7", "real.w7"])
        self.assertNotIn("Tr0ub4dor", refused["real.w7"])
        self.assertTrue(all(reason.startswith("document ") for reason in refused.values()))
        self.assertEqual(self.agent.account()["State"], "ready")

    def test_a_reload_signals_what_is_different(self):
        seen = []

        def note(*args, member, path, **_):
            seen.append((member, str(args[0]) if member.startswith("Interfaces") else str(path), args))

        self.agent.start()
        for member, source in (("InterfacesAdded", "ObjectManager"), ("InterfacesRemoved", "ObjectManager"),
                               ("PropertiesChanged", "Properties")):
            self.bus.connection.add_signal_receiver(note, member, f"org.freedesktop.DBus.{source}",
                                                    member_keyword="member", path_keyword="path")
        (self.agent.templates / "new-one.conf").write_text(CONF.replace("com.example.dm", "new"))
        (self.agent.templates / "op.conf").unlink()
        self.agent.process.send_signal(signal.SIGHUP)
        self.agent.wait_for("RELOADING=1")
        self.agent.wait_for("READY=1")
        context = GLib.MainContext.default()
        deadline = time.monotonic() + PATIENCE
        while len(seen) < 2 and time.monotonic() < deadline:
            if not context.iteration(False):
                time.sleep(0.01)
        self.assertEqual(sorted((member, path) for member, path, _ in seen),
                         [("InterfacesAdded", "/org/dmacc1/account/new_2done"),
                          ("PropertiesChanged", "/org/dmacc1/account/op")])
        changed = next(args for member, _, args in seen if member == "PropertiesChanged")
        self.assertEqual(changed[1]["State"], "withdrawn")
        if not os.getuid():
            self.assert_error("org.dmacc1.Error.NotReady", self.agent.secrets)

    def test_a_second_start_finds_what_the_first_stored(self):
        self.agent.start()
        self.assertEqual(self.agent.stop(), 0)
        stored = self.agent.state / "accounts/op"
        before = stored.read_bytes()
        self.assertEqual(stored.stat().st_mode & 0o777, 0o600)
        self.assertEqual(stored.parent.stat().st_mode & 0o777, 0o700)
        self.agent.start()
        self.assertEqual(self.agent.account()["State"], "ready")
        self.assertEqual(stored.read_bytes(), before)

    def test_no_secret_and_no_identifier_is_logged(self):
        (self.agent.templates / "bad.conf").write_text(CONF + "ClientPW=Tr0ub4dor\n")
        self.agent.start()
        self.agent.reload()
        self.agent.stop()
        log = (self.bus.folder / "log").read_text()
        self.assertIn("op: made from", log)
        self.assertIn("bad.conf: refused", log)
        for secret in (SERVER_PW, CLIENT_PW, SERVER_NONCE, "490154203237518", "Tr0ub4dor"):
            self.assertNotIn(secret, log)

    def test_its_memory_is_not_to_be_had(self):
        self.agent.start()
        limits = Path(f"/proc/{self.agent.process.pid}/limits").read_text()
        self.assertRegex(limits, r"Max core file size +0 +0 ")
        # PR_SET_DUMPABLE 0 gives the files below /proc/PID to root
        self.assertEqual(Path(f"/proc/{self.agent.process.pid}/environ").stat().st_uid, 0)

    def test_without_the_module_the_real_agent_says_so(self):
        if Path("/sys/module/dmacc").exists():
            self.skipTest("the module is loaded here")
        self.agent = Agent(self.bus, DMACCD)
        self.assertIn("STATUS=no-module; accounts ready: 0 of 1", self.agent.start())
        self.assertEqual(self.agent.manager("State"), "no-module")
        self.assertRegex(self.agent.manager("Reason"), "dmacc")
        self.assertEqual(self.agent.account()["State"], "no-secrets")
        self.assertFalse((self.agent.state / "accounts").exists())
        self.assertEqual(self.agent.stop(), 0)

    def test_a_bus_that_goes_ends_it(self):
        self.agent.start()
        self.bus.daemon.kill()
        self.assertEqual(self.agent.process.wait(PATIENCE), 1)
        self.agent.notify.close()
        self.agent.log.close()


class Others(WithAgent):
    """A user who is not root, with the installed policy."""

    def setUp(self):
        if os.getuid():
            self.skipTest("needs root, to be somebody else")
        super().setUp()

    def call(self, *args):
        return subprocess.run(["busctl", f"--address={self.bus.address}", "call", "org.dmacc1", *args],
                              user="nobody", text=True, capture_output=True, check=False)


class Strangers(Others):
    def test_a_stranger_is_kept_out_by_the_policy(self):
        self.agent.start()
        done = self.call("/org/dmacc1", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stderr, "(?i)access denied|rejected")


class Clients(Others):
    more = '<policy user="nobody"><allow send_destination="org.dmacc1"/></policy>'

    def test_a_client_that_a_policy_lets_in_gets_the_tree_and_no_secrets(self):
        self.agent.start()
        account = ("/org/dmacc1/account/op", "org.dmacc1.Account")
        done = self.call(*account, "GetTree", "s", "1.2")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn(SERVER_PW, done.stdout)
        done = self.call(*account, "GetTreeWithSecrets", "s", "1.2")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("Access denied", done.stderr)


class Options(unittest.TestCase):
    def run_it(self, *args):
        return subprocess.run([DMACCD, *args], text=True, capture_output=True, check=False)

    def test_version_and_usage(self):
        self.assertEqual(self.run_it("--version").stdout, f"dmaccd {(TOP / 'VERSION').read_text().strip()}\n")
        self.assertEqual(self.run_it("--help").returncode, 0)
        self.assertEqual(self.run_it("--nonsense").returncode, 2)
        self.assertEqual(self.run_it("argument").returncode, 2)

    def test_a_configuration_that_is_not_understood_ends_it_before_anything_is_served(self):
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
            file.write("[Agent]\nMinimumRung=trustet\n")
            file.flush()
            done = self.run_it("--config", file.name)
            self.assertEqual(done.returncode, 78)
            self.assertIn(f"{file.name}: line 2: MinimumRung: ", done.stderr)
        unit = (TOP / "packaging/systemd/dmaccd.service.in").read_text()
        self.assertIn("RestartPreventExitStatus=78\n", unit)

    def test_every_event_of_the_journal_is_in_the_catalog(self):
        source = (TOP / "agent/dmaccd/log.c").read_text()
        catalog = (TOP / "packaging/systemd/dmacc.catalog").read_text()
        ids = re.findall(r'= "([0-9a-f]{32})"', source)
        self.assertGreater(len(ids), 10)
        self.assertEqual(sorted(ids), sorted(re.findall(r"^-- ([0-9a-f]{32})$", catalog, re.MULTILINE)))


if __name__ == "__main__":
    unittest.main()
