# SPDX-License-Identifier: LGPL-2.1-or-later
"""The agent as a process on a bus of its own, with the policy that is installed, and who talks to it."""
import json
import os
import pwd
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import dbus
import dbus.bus
import dbus.mainloop.glib

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
        self.report = bus.folder / "report"
        for folder in (self.templates, self.state):
            folder.mkdir(exist_ok=True)
        self.words.touch()
        self.program = program
        self.process = None
        self.environment = {}

    def start(self):
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.settimeout(PATIENCE)
        path = self.bus.folder / f"notify-{time.monotonic_ns()}"
        self.notify.bind(str(path))
        self.log = open(self.bus.folder / "log", "a+", encoding="utf-8")
        env = os.environ | {"NOTIFY_SOCKET": str(path), "DBUS_SYSTEM_BUS_ADDRESS": self.bus.address,
                            "DMACC_DOUBLE": str(self.words)}
        env |= self.environment
        env.pop("JOURNAL_STREAM", None)
        # Python ignores SIGXFSZ: so does the agent then, and a limit of its files is a disk that is full
        self.process = subprocess.Popen([self.program, "--config", self.config, "--templates", self.templates,
                                         "--state", self.state, "--importer", IMPORTER,
                                         "--report", self.report], env=env, stderr=self.log,
                                        restore_signals=False)
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


def note(element):
    return {a.get("name"): a.get("value") for a in element.findall("annotation")}


def member(element):
    args = [(dict(arg.attrib), note(arg)) for arg in element.findall("arg")]
    return element.tag, dict(element.attrib), args, note(element)


def interface(node, name):
    """What an interface has, in a form that two sources of it can be compared in."""
    for element in node.iter("interface"):
        if element.get("name") == name:
            return {m.get("name"): member(m) for m in element if m.tag != "annotation"}, note(element)
    return None


# Someone on the bus, who does as the lines of stdin say; given as text, since others cannot read this folder
CLIENT = """
import dbus.bus, json, sys
bus = dbus.bus.BusConnection(sys.argv[1])
print(bus.get_unique_name(), flush=True)
for line in sys.stdin:
    path, interface, method, signature, args = json.loads(line)
    args = [bytes.fromhex(a[4:]) if str(a).startswith("hex:") else a for a in args]
    try:
        ret = bus.call_blocking("org.dmacc1", path, interface, method, signature, args, byte_arrays=True)
        if isinstance(ret, dbus.types.UnixFd):
            ret = open(ret.take()).read()
        print(json.dumps([None, ret], default=lambda b: "hex:" + b.hex()), flush=True)
    except dbus.DBusException as e:
        print(json.dumps([e.get_dbus_name(), e.get_dbus_message()]), flush=True)
"""

SIGNATURES = {"GetClientCredential": "say", "Challenged": "say", "Accepted": "ay", "VerifyServer": "ssay", "GetServerNonce": "",
              "VerifyNotification": "ay", "Replace": "ssay", "GetSecrets": "s", "SetNonces": "ayay", "Commit": "b", "Close": "",
              "OpenSession": "a{sv}", "List": "s", "Get": "s", "GetTree": "s", "GetTreeWithSecrets": "s", "GetOrigins": "",
              "Revert": "as", "Reset": ""}


def raw(data):
    """Bytes as an argument or result of a Client."""
    return f"hex:{data.hex()}"


class Refused(Exception):
    """An error that the agent or the bus answered with."""

    def __init__(self, name, message):
        super().__init__(f"{name}: {message}")
        self.name = name.removeprefix("org.dmacc1.Error.").removeprefix("org.freedesktop.DBus.Error.")
        self.message = message


class Client:
    """A connection of its own, which may be another user's."""

    def __init__(self, bus, **user):
        self.process = subprocess.Popen([sys.executable, "-c", CLIENT, bus.address], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, cwd="/", **user)
        self.name = self.process.stdout.readline().strip()

    def send(self, path, name, method, *args):
        signature = SIGNATURES[method] if name.startswith("org.dmacc1.") else "s" * len(args)
        self.process.stdin.write(json.dumps([path, name, method, signature, args]) + "\n")
        self.process.stdin.flush()

    def receive(self):
        error, result = json.loads(self.process.stdout.readline())
        if error:
            raise Refused(error, result)
        return bytes.fromhex(result[4:]) if isinstance(result, str) and result.startswith("hex:") else result

    def account(self, method, *args, name="op"):
        self.send(f"/org/dmacc1/account/{name}", "org.dmacc1.Account", method, *args)
        return self.receive()

    def session(self, method, *args, name="op"):
        self.send(f"/org/dmacc1/session/{name}", "org.dmacc1.Session", method, *args)
        return self.receive()

    def open(self, tls=False, name="op"):
        return self.account("OpenSession", {"tls": tls}, name=name)

    def leave(self):
        self.process.stdin.close()
        self.process.wait(PATIENCE)
        self.process.stdout.close()


class WithAgent(unittest.TestCase):
    more = ""

    def setUp(self):
        self.bus = Bus(self.more)
        self.agent = Agent(self.bus)
        (self.agent.templates / "op.conf").write_text(CONF)

    def client(self, **user):
        client = Client(self.bus, **user)
        self.addCleanup(lambda: client.process.stdin.closed or client.leave())
        return client

    def wait_until(self, what):
        deadline = time.monotonic() + PATIENCE
        while not what() and time.monotonic() < deadline:
            time.sleep(0.01)
        self.assertTrue(what())

    def refused(self, error, call, *args, **options):
        with self.assertRaises(Refused) as caught:
            call(*args, **options)
        self.assertEqual(caught.exception.name, error, caught.exception)
        return caught.exception.message

    def tearDown(self):
        if self.agent.process and self.agent.process.poll() is None:
            self.agent.stop()
        self.bus.close()

    def assert_error(self, name, call, *args):
        with self.assertRaises(dbus.DBusException) as caught:
            call(*args)
        self.assertEqual(caught.exception.get_dbus_name(), name)
        return caught.exception.get_dbus_message()
