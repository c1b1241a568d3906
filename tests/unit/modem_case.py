# SPDX-License-Identifier: LGPL-2.1-or-later
"""A ModemManager of python-dbusmock, whose modems a test plugs in and out."""
import os
import subprocess
import sys
import time

import dbus

from agent_case import PATIENCE, SERVER_PW, WithAgent

SERVICE = "org.freedesktop.ModemManager1"
PATH = "/org/freedesktop/ModemManager1"
MODEM = f"{SERVICE}.Modem"
MOCK = "org.freedesktop.DBus.Mock"
MANAGER = "org.freedesktop.DBus.ObjectManager"

POLICY = f"""<policy context="default">
    <allow own="{SERVICE}"/>
    <allow send_destination="{SERVICE}"/>
  </policy>"""

# whose passwords are in agent_case.py, and another one
IMEI = "490154203237518"
OTHER = "356938035643809"
# the passwords need no key, so that an identifier is all that a device lacks
UNKEYED = ("[Account]\nSlot=vendor\nProfile=fcs11384\n[DMAcc]\nAddr=https://dm.example.com/dm\n"
           "ServerID=com.example.dm\n")


class ModemManager:
    def __init__(self, bus):
        self.bus = bus
        env = os.environ | {"DBUS_SYSTEM_BUS_ADDRESS": bus.address}
        self.process = subprocess.Popen([sys.executable, "-m", "dbusmock", "--system", "-m", SERVICE, PATH, SERVICE],
                                        env=env, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE
        while not bus.connection.name_has_owner(SERVICE):
            assert time.monotonic() < deadline, "the double of ModemManager does not come"
            time.sleep(0.02)

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE)

    def object(self, path=PATH):
        return self.bus.connection.get_object(SERVICE, path, introspect=False)

    def mock(self, path, method, *args):
        return getattr(self.object(path), method)(*args, dbus_interface=MOCK)

    def plug(self, number, identifier, device="/sys/devices/soc/modem", **more):
        """A modem comes; @more: Imei=, Meid= and Esn=, of the interfaces of networks."""
        path = f"{PATH}/Modem/{number}"
        properties = {"EquipmentIdentifier": identifier, "Device": device, "State": dbus.Int32(8),
                      "SignalQuality": dbus.UInt32(0)}
        self.mock(PATH, "AddObject", path, MODEM, dbus.Dictionary(properties, signature="sv"),
                  dbus.Array([], signature="(ssss)"))
        for name, value in more.items():
            network = "Modem3gpp" if name == "Imei" else "ModemCdma"
            self.mock(path, "AddProperties", f"{MODEM}.{network}", dbus.Dictionary({name: value}, signature="sv"))
        added = dbus.Dictionary({MODEM: dbus.Dictionary(properties, signature="sv")}, signature="sa{sv}")
        self.mock(PATH, "EmitSignal", MANAGER, "InterfacesAdded", "oa{sa{sv}}",
                  dbus.Array([dbus.ObjectPath(path), added], signature="v"))

    def unplug(self, number):
        path = f"{PATH}/Modem/{number}"
        self.mock(PATH, "RemoveObject", path)
        self.mock(PATH, "EmitSignal", MANAGER, "InterfacesRemoved", "oas",
                  dbus.Array([dbus.ObjectPath(path), dbus.Array([MODEM], signature="s")], signature="v"))

    def say(self, number, **properties):
        """Properties of a modem change, and it is signalled as properties are."""
        self.mock(f"{PATH}/Modem/{number}", "UpdateProperties", MODEM, dbus.Dictionary(properties, signature="sv"))

    def begin_anew(self, number):
        """The modem's state changes."""
        self.mock(f"{PATH}/Modem/{number}", "EmitSignal", MODEM, "StateChanged", "iiu",
                  dbus.Array([dbus.Int32(8), dbus.Int32(2), dbus.UInt32(1)], signature="v"))


class WithModems(WithAgent):
    more = POLICY

    def setUp(self):
        super().setUp()
        self.agent.words.write_text("no-identity")
        (self.agent.templates / "op.conf").write_text(UNKEYED)

    def modem_manager(self):
        manager = ModemManager(self.bus)
        self.addCleanup(manager.stop)
        return manager

    def drain(self):
        """What the agent notifies is read, or it would wait for that."""
        self.agent.notify.settimeout(0)
        try:
            while self.agent.notify.recv(4096):
                pass
        except BlockingIOError:
            pass
        self.agent.notify.settimeout(PATIENCE)

    def state(self):
        self.drain()
        return str(self.agent.manager("State"))

    def reason(self):
        self.drain()
        return str(self.agent.manager("Reason"))

    def check_derived(self):
        """The account has the vector's password. Only root is given it."""
        if not os.getuid():
            with os.fdopen(self.agent.secrets(), encoding="utf-8") as file:
                self.assertIn(SERVER_PW, file.read())

    def word(self):
        return self.reason().split(":")[0]
