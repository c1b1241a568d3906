#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""An agent on a bus with accounts that a test describes: what dmaccctl talks to when dmaccd is not under test.

    bus_agent.py DESCRIPTION.json

It speaks uapi/org.dmacc1.xml. DESCRIPTION has "manager" (properties), "accounts" (name -> properties and
"nodes"), and "deny": whether secrets are refused. Prints a line when it can be asked.
"""
import json
import os
import sys

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

MANAGER = "org.dmacc1.Manager"
ACCOUNT = "org.dmacc1.Account"


def properties(values):
    typed = {name: dbus.UInt32(value) if isinstance(value, int) else value for name, value in values.items()}
    if "RefusedTemplates" in typed:
        typed["RefusedTemplates"] = dbus.Array([dbus.Struct(pair, signature="ss") for pair in typed["RefusedTemplates"]],
                                               signature="(ss)")
    return dbus.Dictionary(typed, signature="sv")


class Account(dbus.service.Object):
    def __init__(self, bus, path, account, deny):
        super().__init__(bus, path)
        self.nodes, self.deny = account.pop("nodes"), deny
        self.properties = properties(account)

    @dbus.service.method(ACCOUNT, in_signature="s", out_signature="a(sssb)")
    def GetTree(self, layout):
        prefix = {"1.1": "./SyncML", "1.2": "."}[layout]
        return [(prefix + node["uri"], node["format"], "" if node["protected"] else node["value"], node["protected"])
                for node in self.nodes]

    @dbus.service.method(ACCOUNT, in_signature="s", out_signature="h")
    def GetTreeWithSecrets(self, layout):
        if self.deny:
            raise dbus.DBusException("this is for root", name="org.freedesktop.DBus.Error.AccessDenied")
        prefix = {"1.1": "./SyncML", "1.2": "."}[layout]
        nodes = [node | {"uri": prefix + node["uri"]} for node in self.nodes]
        fd = os.memfd_create("tree", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.write(fd, json.dumps(nodes).encode())
        return dbus.types.UnixFd(fd)


class Manager(dbus.service.Object):
    def __init__(self, bus, description):
        super().__init__(bus, "/org/dmacc1")
        self.properties = properties(description["manager"])
        self.accounts = {f"/org/dmacc1/account/{name}": Account(bus, f"/org/dmacc1/account/{name}", account,
                                                                 description["deny"])
                         for name, account in description["accounts"].items()}

    @dbus.service.method("org.freedesktop.DBus.Properties", in_signature="s", out_signature="a{sv}")
    def GetAll(self, interface):
        return self.properties if interface == MANAGER else properties({})

    @dbus.service.method("org.freedesktop.DBus.ObjectManager", out_signature="a{oa{sa{sv}}}")
    def GetManagedObjects(self):
        return {path: {ACCOUNT: account.properties, "org.freedesktop.DBus.Introspectable": properties({})}
                for path, account in self.accounts.items()}


def main():
    dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
    bus = dbus.SystemBus()
    with open(sys.argv[1]) as file:
        description = json.load(file)
    manager = Manager(bus, description)
    name = dbus.service.BusName("org.dmacc1", bus)
    print(name.get_name(), manager.accounts.keys(), flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
