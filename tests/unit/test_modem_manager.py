#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""dmaccd beside the real ModemManager, whose modem is modem.c, which its own test interface takes for a port.

What a modem may say, and when, is in test_modem.py; here it is that ModemManager says it as that test thinks.
"""
import os
import shutil
import subprocess
import time
import unittest

import dbus

from agent_case import BUILD, CONF, PATIENCE
from modem_case import IMEI, OTHER, PATH, SERVICE, WithModems

PROGRAM = shutil.which("ModemManager", path="/usr/sbin:/sbin:/usr/bin")


class Modem:
    """tests/e2e/modem.c, which ends with the test."""

    def __init__(self, case, name, imei):
        self.printed = case.bus.folder / name
        with self.printed.open("wb") as printed:
            self.process = subprocess.Popen([BUILD / "tests/unit/modem", name, imei], stdout=printed)
        case.addCleanup(self.stop)
        case.wait_until(self.lines)
        self.port, *_ = self.lines()

    def lines(self):
        return self.printed.read_text().splitlines()

    def stop(self):
        self.process.kill()
        self.process.wait()


class RealModemManager:
    def __init__(self, case):
        self.bus = case.bus
        # no modem of the machine that this runs on is touched
        self.process = subprocess.Popen([PROGRAM, "--test-session", "--test-no-udev", "--test-no-suspend-resume", "--test-enable"],
                                        env=os.environ | {"DBUS_SESSION_BUS_ADDRESS": self.bus.address,
                                                          "DBUS_SYSTEM_BUS_ADDRESS": self.bus.address},
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        case.addCleanup(self.stop)
        case.wait_until(lambda: self.bus.connection.name_has_owner(SERVICE))

    def plug(self, modem):
        manager = self.bus.connection.get_object(SERVICE, PATH, introspect=False)
        manager.SetProfile(f"test-{modem.port[-1]}", "generic", dbus.Array([modem.port], signature="s"),
                           dbus_interface=f"{SERVICE}.Test")

    def modems(self):
        manager = self.bus.connection.get_object(SERVICE, PATH, introspect=False)
        return manager.GetManagedObjects(dbus_interface="org.freedesktop.DBus.ObjectManager")

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class TheRealOne(WithModems):
    def modem(self, imei, number=0):
        return Modem(self, f"dmacc-{os.getpid()}-{number}", imei)

    def modem_manager(self):
        return RealModemManager(self)

    def test_the_modems_identifier_is_the_devices_even_if_it_comes_last(self):
        (self.agent.templates / "op.conf").write_text(CONF)
        self.agent.start()
        self.wait_until(lambda: "ModemManager does not run" in self.reason())
        manager = self.modem_manager()
        self.wait_until(lambda: "ModemManager has no modem" in self.reason())
        modem = self.modem(IMEI)
        manager.plug(modem)
        self.wait_until(lambda: self.state() == "ready")
        self.assertIn("AT+CGSN", modem.lines())
        self.check_derived()

    def test_one_that_reports_zeros_is_refused(self):
        self.modem_manager().plug(self.modem("000000000000000"))
        self.agent.start()
        self.wait_until(lambda: self.word() == "modem-refused")
        self.assertEqual(self.state(), "no-identity")

    def test_two_modems_are_for_the_owner_to_choose_from_by_the_device_that_it_shows(self):
        manager = self.modem_manager()
        for number, imei in enumerate((OTHER, IMEI)):
            manager.plug(self.modem(imei, number))
        # it shows one that it has asked everything; the agent would take the first
        self.wait_until(lambda: len(manager.modems()) == 2)
        self.agent.start()
        self.wait_until(lambda: self.word() == "modem-ambiguous")
        self.agent.config.write_text("[Agent]\nModem=/virtual/test-1\n")
        (self.agent.templates / "op.conf").write_text(CONF)
        self.agent.reload()
        self.wait_until(lambda: self.state() == "ready")
        self.check_derived()

    def test_when_it_ends_nothing_changes_and_another_modem_afterwards_is_told(self):
        manager = self.modem_manager()
        manager.plug(self.modem(IMEI))
        self.agent.start()
        self.wait_until(lambda: self.state() == "ready")
        manager.stop()
        time.sleep(1)
        self.agent.reload()
        self.assertEqual((self.state(), self.reason()), ("ready", ""))
        self.modem_manager().plug(self.modem(OTHER, 1))
        self.wait_until(lambda: self.word() == "other-modem")
        self.assertEqual((self.state(), self.agent.account()["State"]), ("ready", "ready"))


if __name__ == "__main__":
    unittest.main()
