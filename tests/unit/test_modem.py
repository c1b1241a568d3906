#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who the device is according to its modem: dmaccd and a ModemManager of python-dbusmock on a bus of their own."""
import json
import os
import re
import signal
import subprocess
import threading
import time
import unittest
from pathlib import Path

import dbus

from agent_case import CONF, DMACCD, PATIENCE
from ctl_case import KEY_1, KEY_ID, Device
from modem_case import IMEI, MODEM, OTHER, PATH, WithModems


class NothingElseNamesTheDevice(WithModems):
    def test_the_modems_identifier_is_the_devices(self):
        self.modem_manager().plug(0, IMEI)
        self.agent.start()
        self.wait_until(lambda: self.state() == "ready")
        self.assertEqual(self.reason(), "")
        self.assertEqual(self.agent.account()["State"], "ready")
        self.assertEqual(self.agent.manager("DevId"), f"IMEI:{IMEI}")
        self.assertTrue(self.agent.account()["Guessable"])
        self.assertRegex((self.bus.folder / "log").read_text(), "the identifier of this device is its modem's")

    def test_what_is_derived_is_what_the_same_identifier_makes_anywhere(self):
        if os.getuid():
            self.skipTest("needs root")
        (self.agent.templates / "op.conf").write_text(CONF)
        self.modem_manager().plug(0, IMEI)
        self.agent.start()
        self.wait_until(lambda: self.agent.account()["State"] == "ready")
        self.check_derived()

    def test_the_agent_is_ready_before_the_modem_and_says_that_it_waits(self):
        message = self.agent.start()
        self.assertIn("STATUS=no-identity; accounts ready: 0 of 1", message)
        self.wait_until(lambda: "ModemManager does not run" in self.reason())
        self.assertEqual((self.state(), self.word()), ("no-identity", "modem-awaited"))
        self.assertIn("mmcli -L", self.reason())
        self.assertEqual(self.agent.manager("DevId"), "")
        self.assertEqual(self.agent.account()["State"], "no-secrets")
        self.assertIn("modem-awaited", self.agent.account()["Reason"])

    def test_when_the_wait_is_over_it_says_what_to_do(self):
        self.agent.config.write_text("[Agent]\nModemWait=1\n")
        self.agent.start()
        self.wait_until(lambda: self.word() == "no-identity")
        self.assertRegex(self.reason(), "ModemManager does not run; way out: .*'dmaccctl factory identity -'")

    def test_a_modem_that_comes_after_the_wait_is_taken_without_being_asked(self):
        self.agent.config.write_text("[Agent]\nModemWait=1\n")
        manager = self.modem_manager()
        self.agent.start()
        self.wait_until(lambda: self.word() == "no-identity")
        self.assertIn("ModemManager has no modem", self.reason())
        manager.plug(0, IMEI)
        self.wait_until(lambda: self.state() == "ready")

    def test_a_modem_that_says_its_identifier_after_30_seconds_is_taken(self):
        manager = self.modem_manager()
        manager.plug(0, "")
        self.agent.start()
        self.wait_until(lambda: "has not said its identifier yet" in self.reason())
        time.sleep(30)
        self.assertEqual(self.word(), "modem-awaited")
        manager.say(0, EquipmentIdentifier=IMEI)
        self.wait_until(lambda: self.state() == "ready")

    def test_a_modem_manager_that_starts_later_is_heard_of(self):
        self.agent.start()
        self.wait_until(lambda: "ModemManager does not run" in self.reason())
        self.modem_manager().plug(0, IMEI)
        self.wait_until(lambda: self.state() == "ready")

    def test_modem_manager_is_never_started_for_it(self):
        # a bus that could: it would say that it tried
        services = self.bus.folder / "services"
        services.mkdir()
        (services / "org.freedesktop.ModemManager1.service").write_text(
            f"[D-BUS Service]\nName=org.freedesktop.ModemManager1\nExec=/usr/bin/touch {services}/started\n")
        conf = self.bus.folder / "bus.conf"
        conf.write_text(conf.read_text().replace("</busconfig>", f"<servicedir>{services}</servicedir></busconfig>"))
        self.bus.connection.call_blocking("org.freedesktop.DBus", "/", "org.freedesktop.DBus", "ReloadConfig", "", ())
        self.assertIn("org.freedesktop.ModemManager1", self.bus.connection.list_activatable_names())
        self.agent.start()
        self.wait_until(lambda: "ModemManager does not run" in self.reason())
        self.agent.reload()
        self.assertFalse((services / "started").exists())

    def test_what_cannot_be_an_identifier_is_refused_and_says_why(self):
        manager = self.modem_manager()
        for number, (wrong, why) in enumerate({
                "0": "", "unknown": "", "000000000000000": "", "490154203237519": "check digit",
                "ffffffffffffff": "", "80123456": ""}.items()):
            with self.subTest(wrong):
                manager.plug(number, wrong)
                if not self.agent.process:
                    self.agent.start()
                self.wait_until(lambda: self.word() == "modem-refused")
                self.assertEqual(self.state(), "no-identity")
                self.assertRegex(self.reason(), f"EquipmentIdentifier: .*{why}.*; way out: .*'mmcli -m any'")
                if len(wrong) > 4:
                    self.assertNotIn(wrong, self.reason().replace("unknown ", ""))
                manager.unplug(number)
                self.wait_until(lambda: self.word() == "modem-awaited")

    def test_one_that_reports_0_first_and_then_itself_is_taken(self):
        manager = self.modem_manager()
        manager.plug(0, "0")
        self.agent.start()
        self.wait_until(lambda: self.word() == "modem-refused")
        manager.say(0, EquipmentIdentifier=IMEI)
        self.wait_until(lambda: self.state() == "ready")

    def test_an_imei_counts_before_a_meid_and_a_meid_before_an_esn(self):
        manager = self.modem_manager()
        manager.plug(0, "A0000000002329", Meid="A0000000002329", Esn="E69FFFFF", Imei=IMEI)
        (self.agent.templates / "op.conf").write_text(CONF)
        self.agent.start()
        self.wait_until(lambda: self.state() == "ready")
        self.check_derived()

    def test_a_modem_without_an_imei_is_named_by_its_esn(self):
        self.modem_manager().plug(0, "E69FFFFF", Esn="E69FFFFF")
        (self.agent.templates / "op.conf").write_text(CONF)
        self.agent.start()
        self.wait_until(lambda: self.state() == "ready")

    def test_two_modems_are_for_the_owner_to_choose_from(self):
        manager = self.modem_manager()
        manager.plug(0, OTHER, device="/sys/devices/usb/dongle")
        manager.plug(1, IMEI, device="/sys/devices/soc/modem")
        self.agent.start()
        self.wait_until(lambda: self.word() == "modem-ambiguous")
        self.assertIn("Modem=", self.reason())
        self.assertEqual(self.state(), "no-identity")
        self.agent.config.write_text("[Agent]\nModem=/sys/devices/soc/modem\n")
        (self.agent.templates / "op.conf").write_text(CONF)
        self.agent.reload()
        self.wait_until(lambda: self.state() == "ready")
        self.check_derived()

    def test_two_slots_of_the_same_number_are_one(self):
        manager = self.modem_manager()
        manager.plug(0, IMEI)
        manager.plug(1, IMEI[:14])
        self.agent.start()
        self.wait_until(lambda: self.state() == "ready")

    def test_a_second_modem_that_has_not_spoken_is_waited_for(self):
        manager = self.modem_manager()
        manager.plug(0, OTHER, device="/sys/devices/usb/dongle")
        manager.plug(1, "")
        self.agent.config.write_text("[Agent]\nModemWait=9999\n")
        self.agent.start()
        manager.plug(2, "0")
        time.sleep(1.5)
        self.assertEqual(self.word(), "modem-awaited")
        self.agent.config.write_text("[Agent]\nModemWait=0\n")
        self.agent.reload()
        self.wait_until(lambda: self.state() == "ready")

    def test_a_modem_with_two_numbers_of_one_kind_is_refused(self):
        self.modem_manager().plug(0, IMEI, Imei=OTHER)
        self.agent.start()
        self.wait_until(lambda: self.word() == "modem-refused")
        self.assertIn("two numbers of one kind", self.reason())

    def test_what_a_modem_manager_answers_that_is_none_is_no_modem(self):
        for number, (signature, code) in enumerate({
                "a{oa{sa{sv}}}": f"ret = {{'{PATH}/Modem/0': {{'{MODEM}': {{'EquipmentIdentifier': 5}}}}}}",
                "s": "ret = 'modems'",
                "u": "raise dbus.exceptions.DBusException('no', name='org.example.No')"}.items()):
            with self.subTest(code):
                manager = self.modem_manager()
                manager.mock(PATH, "AddMethod", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", "", signature,
                             code)
                if not self.agent.process:
                    self.agent.start()
                self.agent.reload()
                self.wait_until(lambda: ("not understood", "not understood", "org.example.No")[number] in self.reason())
                self.assertEqual(self.word(), "modem-awaited")
                manager.stop()
                self.wait_until(lambda: "does not run" in self.reason())

    def test_a_modem_manager_that_refuses_at_once_is_not_asked_without_end(self):
        manager = self.modem_manager()
        counter = self.bus.folder / "asked"
        manager.mock(PATH, "AddMethod", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", "", "",
                     f"open('{counter}', 'a').write('x')\n"
                     "raise dbus.exceptions.DBusException('no', name='org.freedesktop.DBus.Error.NoReply')")
        self.agent.start()
        self.wait_until(lambda: "NoReply" in self.reason())
        time.sleep(1)
        self.assertLess(len(counter.read_text(encoding="ascii")), 5)

    def test_a_modem_elsewhere_than_dmaccd_conf_says_does_not_count(self):
        self.agent.config.write_text("[Agent]\nModem=/sys/devices/soc/modem\nModemWait=0\n")
        self.modem_manager().plug(0, IMEI, device="/sys/devices/usb/dongle")
        self.agent.start()
        self.wait_until(lambda: "no modem at the place" in self.reason())
        self.assertEqual(self.word(), "no-identity")

    def test_with_modem_none_none_is_asked(self):
        self.agent.config.write_text("[Agent]\nModem=none\n")
        self.modem_manager().plug(0, IMEI)
        self.agent.start()
        time.sleep(1.5)
        self.assertEqual(self.word(), "no-identity")
        self.assertNotIn("modem", self.reason().split("way out")[0])

    def test_while_the_root_is_not_open_the_modem_does_not_count(self):
        self.agent.words.write_text("no-identity no-root")
        self.modem_manager().plug(0, IMEI)
        self.agent.start()
        time.sleep(1.5)
        self.assertIn("no sealed key can bring one", self.reason())
        self.agent.words.write_text("no-identity")
        self.agent.reload()
        self.wait_until(lambda: self.state() == "ready")

    def test_a_modem_manager_that_hangs_keeps_nobody(self):
        manager = self.modem_manager()
        manager.plug(0, IMEI)
        manager.process.send_signal(signal.SIGSTOP)
        self.addCleanup(manager.process.send_signal, signal.SIGCONT)
        began = time.monotonic()
        self.agent.start()
        self.assertEqual(self.word(), "modem-awaited")
        self.assertLess(time.monotonic() - began, 20)
        manager.process.send_signal(signal.SIGCONT)
        self.wait_until(lambda: self.state() == "ready")


class AfterItWasTaken(WithModems):
    def setUp(self):
        super().setUp()
        self.manager = self.modem_manager()
        self.manager.plug(0, IMEI)
        self.agent.start()
        self.wait_until(lambda: self.state() == "ready")

    def test_a_modem_that_goes_changes_nothing(self):
        self.manager.unplug(0)
        self.agent.reload()
        self.assertEqual((self.state(), self.reason()), ("ready", ""))
        self.assertEqual(self.agent.account()["State"], "ready")

    def test_a_modem_manager_that_goes_and_comes_changes_nothing(self):
        self.manager.stop()
        self.agent.reload()
        self.assertEqual((self.state(), self.reason()), ("ready", ""))
        again = self.modem_manager()
        again.plug(0, IMEI)
        self.agent.reload()
        self.assertEqual((self.state(), self.reason()), ("ready", ""))

    def test_a_change_is_told_and_the_account_stays_that_of_the_first(self):
        before = self.agent.managed()
        self.manager.unplug(0)
        self.manager.plug(1, OTHER)
        self.wait_until(lambda: self.word() == "other-modem")
        self.assertEqual(self.state(), "ready")
        self.assertNotIn(OTHER, self.reason())
        self.assertNotIn(IMEI, self.reason())
        self.assertRegex(self.reason(), "put the modem back.*'dmaccctl wipe --yes'")
        account = "/org/dmacc1/account/op"
        self.assertEqual(self.agent.managed()[account], before[account])
        # and when the right one is back, nothing is wrong
        self.manager.unplug(1)
        self.manager.plug(2, IMEI)
        self.wait_until(lambda: self.reason() == "")

    def test_a_modem_that_begins_anew_as_another_is_noticed(self):
        self.manager.say(0, EquipmentIdentifier=OTHER)
        self.manager.begin_anew(0)
        self.wait_until(lambda: self.word() == "other-modem")

    def test_what_a_modem_says_all_the_time_does_not_wake_the_agent(self):
        def switches():
            status = Path(f"/proc/{self.agent.process.pid}/status").read_text(encoding="ascii")
            return int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", status, re.MULTILINE)[1])

        time.sleep(1)
        before = switches()
        for strength in range(40):
            self.manager.say(0, SignalQuality=dbus.UInt32(strength))
        self.assertLess(switches() - before, 10)

    def test_an_extra_modem_is_no_contradiction(self):
        self.manager.plug(1, OTHER, device="/sys/devices/usb/dongle")
        time.sleep(1)
        self.agent.reload()
        self.assertEqual((self.state(), self.reason()), ("ready", ""))

    def test_after_a_restart_with_another_modem_the_stored_account_is_kept_and_not_served(self):
        self.agent.stop()
        self.manager.unplug(0)
        self.manager.plug(1, OTHER)
        self.agent.start()
        self.wait_until(lambda: self.agent.account()["State"] == "damaged")
        self.assertIn("another identifier than this device has now", self.agent.account()["Reason"])


class SomethingElseNamesTheDevice(WithModems):
    def start(self, words, identifier):
        self.agent.words.write_text(words)
        (self.agent.templates / "op.conf").write_text(CONF)
        self.modem_manager().plug(0, identifier)
        self.agent.start()

    def test_a_sealed_keys_identifier_that_the_modem_has_is_right(self):
        self.start("blob", IMEI)
        time.sleep(1)
        self.assertEqual((self.state(), self.reason()), ("ready", ""))

    def test_a_modem_that_was_changed_is_told_and_the_sealed_key_counts(self):
        self.start("blob", OTHER)
        self.wait_until(lambda: self.word() == "other-modem")
        self.assertEqual(self.state(), "ready")
        self.assertEqual((self.agent.account()["State"], self.agent.account()["Reason"]), ("ready", ""))

    def test_hardware_counts_before_the_modem(self):
        self.start("", OTHER)
        self.wait_until(lambda: self.word() == "other-modem")
        self.assertEqual(self.agent.account()["State"], "ready")

    def test_hardware_that_is_waited_for_counts_before_the_modem(self):
        self.start("no-identity pending", IMEI)
        self.wait_until(lambda: self.word() == "identity-awaited")
        time.sleep(1)
        self.assertEqual((self.state(), self.word()), ("no-identity", "identity-awaited"))
        self.agent.words.write_text("")
        self.agent.reload()
        self.wait_until(lambda: self.state() == "ready")

    def test_hardware_that_names_another_is_told_and_the_accounts_are_served(self):
        self.start("conflict", IMEI)
        self.wait_until(lambda: self.word() == "identity-conflict")
        self.assertEqual(self.state(), "ready")
        self.assertEqual((self.agent.account()["State"], self.agent.account()["Reason"]), ("ready", ""))

    def test_a_modem_that_says_nothing_useful_is_no_contradiction(self):
        self.start("blob", "0")
        time.sleep(1)
        self.assertEqual((self.state(), self.reason()), ("ready", ""))

    def test_a_number_of_another_kind_is_no_contradiction(self):
        self.start("blob", "A0000000002329")
        time.sleep(1)
        self.assertEqual((self.state(), self.reason()), ("ready", ""))


class AtTheFactory(WithModems):
    """dmaccctl factory identity --modem, without an agent."""

    def setUp(self):
        super().setUp()
        self.device = Device(self.bus.folder / "device", imei=None)

    def identity(self, *arguments):
        return self.device.run("factory", "identity", *arguments, DBUS_SYSTEM_BUS_ADDRESS=self.bus.address)

    def refused(self, sentence, *arguments):
        done = self.identity(*arguments)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn(sentence, done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertNotIn(IMEI, done.stderr)
        self.assertEqual(json.loads(self.device.run("status", "--json").stdout)["module"]["identity_source"], "none")

    def test_a_key_can_be_injected_for_what_the_modem_reports(self):
        self.modem_manager().plug(0, IMEI)
        done = self.identity("--modem")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("identity set until reboot", done.stdout)
        injected = self.device.inject("alpha", KEY_1, 1, KEY_ID, "--json")
        self.assertEqual(json.loads(injected.stdout)["devid"], f"IMEI:{IMEI}")

    def test_another_modem_than_the_one_that_was_taken_is_refused(self):
        manager = self.modem_manager()
        manager.plug(0, IMEI)
        self.assertEqual(self.identity("--modem").returncode, 0)
        manager.unplug(0)
        manager.plug(1, OTHER)
        self.assertIn("another identity already", self.identity("--modem").stderr)

    def test_one_that_comes_later_is_waited_for(self):
        manager = self.modem_manager()
        manager.plug(0, "0")
        later = threading.Timer(2, manager.say, (0,), {"EquipmentIdentifier": IMEI})
        later.start()
        self.addCleanup(later.join)
        self.assertEqual(self.identity("--modem").returncode, 0)

    def test_one_of_two_modems_is_named_by_its_device(self):
        manager = self.modem_manager()
        manager.plug(0, IMEI)
        manager.plug(1, OTHER, device="/sys/devices/usb/dongle")
        self.refused("there are modems with different identifiers", "--modem")
        self.refused("no modem at the place", "--modem", "--wait", "0", "--device", "/sys/devices/elsewhere")
        self.assertEqual(self.identity("--modem", "--device", "/sys/devices/soc/modem").returncode, 0)

    def test_what_cannot_be_had_says_why(self):
        self.refused("ModemManager does not run", "--modem", "--wait", "0")
        manager = self.modem_manager()
        self.refused("ModemManager has no modem", "--modem", "--wait", "1")
        manager.plug(0, "")
        self.refused("has not said its identifier yet", "--modem", "--wait", "0")
        manager.say(0, EquipmentIdentifier="000000000000000")
        self.refused("the same", "--modem", "--wait", "0")

    def test_options_that_make_no_sense_are_refused(self):
        self.refused("takes no FILE", "--modem", "-")
        self.refused("go with --modem", "--wait", "5")
        self.refused("go with --modem", "--device", "/sys/devices/soc/modem")
        for wait in ("", "-1", "soon", "10000", "1x"):
            self.refused("0 to 9999", "--modem", "--wait", wait)
        for device in ("", "x" * 256):
            self.refused("'device' of a modem", "--modem", "--device", device)


class Configuration(WithModems):
    def test_what_is_not_understood_is_refused_with_its_line(self):
        for line, sentence in (("ModemWait=soon", "ModemWait: it is not a number of seconds"),
                               ("ModemWait=10000", "ModemWait: it is not a number of seconds"),
                               ("ModemWait=1\nModemWait=2", "ModemWait: it is there twice"),
                               ("Modem=", "Modem: it is not none, nor a modem's Device"),
                               (f"Modem=/{'x' * 300}", "it is longer than"),
                               ("Modem=/a\nModem=/b", "Modem: it is there twice")):
            with self.subTest(line):
                self.agent.config.write_text(f"[Agent]\n{line}\n")
                done = subprocess.run([DMACCD, "--config", self.agent.config], capture_output=True, text=True, timeout=PATIENCE,
                                      check=False)
                self.assertEqual(done.returncode, 78)
                self.assertRegex(done.stderr, f"line [23]: ({sentence})")


if __name__ == "__main__":
    unittest.main()
