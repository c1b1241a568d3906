#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""dmaccctl disable and enable: an account, or the agent, is not served any more, and all of it comes back.

dmaccd and dmaccctl, each over its double of the module, on a bus of their own. systemd's part is in tests/unit/test_units.py.
"""
import json
import os
import re
import signal
import subprocess
import threading
import time
import unittest

from agent_case import CONF, PATIENCE, WithAgent
from ctl_case import DOUBLE, Device


class WithOwner(WithAgent):
    def setUp(self):
        super().setUp()
        self.etc = self.bus.folder / "etc"
        self.agent.templates = self.etc / "accounts.d"
        self.agent.templates.mkdir(parents=True)
        (self.agent.templates / "op.conf").write_text(CONF)
        (self.agent.templates / "other.conf").write_text(CONF.replace("com.example.dm", "other"))
        self.device = Device(self.bus.folder / "device")
        self.environment = {"DBUS_SYSTEM_BUS_ADDRESS": self.bus.address, "DMACC_CONFIGURATION": str(self.etc)}

    def ctl(self, *arguments):
        return self.device.run(*arguments, **self.environment)

    def ok(self, done):
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        return done.stdout

    def refused(self, sentence, *arguments):
        done = self.ctl(*arguments)
        self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
        self.assertIn(sentence, done.stderr)

    def files(self, folder):
        return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    def while_told(self, verb, name):
        """Runs it with somebody in the place of systemd, who has the agent read its files again once it is written down."""
        mark = self.agent.templates / f"{name}.disabled"
        env = self.device.environment() | self.environment
        process = subprocess.Popen([DOUBLE, verb, name], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
        self.agent.notify.settimeout(0.05)
        deadline = time.monotonic() + PATIENCE
        while process.poll() is None and time.monotonic() < deadline:
            if mark.exists() == (verb == "disable"):
                self.agent.process.send_signal(signal.SIGHUP)
            try:
                while True:
                    self.agent.notify.recv(4096)
            except TimeoutError:
                pass
        self.agent.notify.settimeout(PATIENCE)
        out, err = process.communicate(timeout=PATIENCE)
        self.assertEqual((process.returncode, err), (0, ""), out)
        return out

    def state(self, name="op"):
        return str(self.agent.account(name)["State"])


class AnAccount(WithOwner):
    def setUp(self):
        super().setUp()
        self.agent.start()
        self.assertEqual(self.state(), "ready")

    def test_it_is_not_served_and_the_others_are(self):
        said = self.while_told("disable", "op")
        self.assertIn("account op is disabled", said)
        self.assertIn("'dmaccctl enable op' is the way back", said)
        self.assertEqual((self.state(), self.state("other")), ("disabled", "ready"))
        self.assertIn("'dmaccctl enable op'", str(self.agent.account()["Reason"]))

    def test_nobody_gets_a_secret_or_a_session_or_changes_anything(self):
        self.while_told("disable", "op")
        client = self.client()
        self.refused_by_agent(client.account, "GetTreeWithSecrets", "1.2")
        self.refused_by_agent(client.account, "OpenSession", {"tls": False})
        self.refused_by_agent(client.account, "Revert", [])
        self.refused_by_agent(client.account, "Reset")

    def refused_by_agent(self, call, *arguments):
        message = WithAgent.refused(self, "NotReady", call, *arguments)
        self.assertIn("disabled", message)

    @unittest.skipIf(os.getuid(), "needs root")
    def test_an_open_session_gets_nothing_more(self):
        client = self.client()
        client.open()
        client.session("GetClientCredential", "syncml:auth-md5", b"".hex())
        self.while_told("disable", "op")
        self.refused_by_agent(client.session, "GetClientCredential", "syncml:auth-md5", b"".hex())

    def test_nothing_that_is_stored_is_touched_and_it_comes_back_as_it_was(self):
        before, tree = self.files(self.agent.state), self.agent.tree()
        self.while_told("disable", "op")
        self.assertEqual(self.files(self.agent.state), before)
        self.assertIn("account op is enabled", self.while_told("enable", "op"))
        self.assertEqual((self.state(), self.agent.tree()), ("ready", tree))
        self.assertEqual(self.files(self.agent.state), before)
        self.assertEqual(sorted(self.files(self.etc)), ["op.conf", "other.conf"])

    def test_it_holds_over_a_start_and_a_change_of_the_template(self):
        self.while_told("disable", "op")
        self.agent.stop()
        before = self.files(self.agent.state)
        (self.agent.templates / "op.conf").write_text(CONF.replace("Slot=vendor", "Slot=vendor\nGeneration=1"))
        self.agent.start()
        self.assertEqual(self.state(), "disabled")
        self.assertEqual(self.files(self.agent.state), before)

    def test_one_whose_template_is_refused_is_not_served_either(self):
        (self.agent.templates / "op.conf").write_text("nonsense")
        self.agent.reload()
        self.assertEqual(self.state(), "ready")
        self.while_told("disable", "op")
        self.assertEqual(self.state(), "disabled")

    def test_one_that_was_never_made_is_not_made(self):
        (self.agent.templates / "new.conf").write_text(CONF.replace("com.example.dm", "new"))
        self.while_told("disable", "new")
        # what is not there is not served: dmaccctl need not have waited for the agent
        self.agent.reload()
        self.assertEqual(self.state("new"), "disabled")
        self.assertNotIn("new", self.files(self.agent.state))

    def test_it_is_logged_once_by_its_name(self):
        self.while_told("disable", "op")
        log = (self.bus.folder / "log").read_text()
        self.assertEqual(len(re.findall("op: disabled: it was disabled on this device", log)), 1)

    def test_an_agent_that_does_not_let_go_is_no_success(self):
        done = self.ctl("disable", "op")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("the agent that runs goes on as before; restart it, or reboot", done.stderr)

    def test_a_name_that_there_is_not_is_refused_and_nothing_is_written(self):
        before = self.files(self.etc)
        for name, sentence in (("opp", "there is no account 'opp'"), ("o", "there is no account 'o'"),
                               ("../op", "cannot have that name"), ("", "cannot have that name"), ("x" * 65, "cannot have that name")):
            for verb in ("disable", "enable"):
                self.refused(sentence, verb, name)
        self.refused("takes one ACCOUNT", "disable", "op", "other")
        self.refused("has no option '--yes'", "disable", "--yes")
        self.assertEqual(self.files(self.etc), before)

    def test_twice_is_once(self):
        self.while_told("disable", "op")
        before = self.files(self.etc)
        self.assertIn("is disabled", self.ok(self.ctl("disable", "op")))
        self.assertEqual(self.files(self.etc), before)
        self.while_told("enable", "op")
        self.assertIn("account op is not disabled", self.ok(self.ctl("enable", "op")))

    def test_doctor_finds_nothing_wrong_with_it_and_notes_it(self):
        self.while_told("disable", "op")
        said = json.loads(self.ctl("doctor", "--json").stdout)
        self.assertNotIn("account op", [trouble["subject"] for trouble in said["troubles"]])
        self.assertIn("enable op", {note["subject"]: note["sentence"] for note in said["notes"]}["account op"])


class TheAgent(WithOwner):
    def test_its_end_is_waited_for(self):
        self.agent.start()
        ends = threading.Timer(1, self.agent.process.terminate)
        ends.start()
        self.addCleanup(ends.join)
        self.assertIn("the agent is disabled", self.ok(self.ctl("disable")))
        self.agent.stop()
        self.assertTrue((self.etc / "disabled").exists())

    def test_one_that_goes_on_is_no_success(self):
        self.agent.start()
        done = self.ctl("disable")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("the agent: it is written down, but", done.stderr)

    def test_status_and_doctor_say_so_and_the_way_back(self):
        self.ok(self.ctl("disable"))
        self.assertIn("the agent is disabled on this device; 'dmaccctl enable' is the way back", self.ctl("status").stdout)
        said = json.loads(self.ctl("doctor", "--json", "--factory-store", str(self.device.store)).stdout)
        self.assertEqual([trouble["subject"] for trouble in said["troubles"]], [])
        self.assertIn("'dmaccctl enable'", {note["subject"]: note["sentence"] for note in said["notes"]}["agent"])
        self.assertEqual(self.ok(self.ctl("enable")), "the agent is enabled\n")
        self.assertEqual(self.ok(self.ctl("enable")), "the agent is not disabled\n")
        self.assertNotIn("disabled", self.ctl("status").stdout)

    def test_an_account_that_is_enabled_meanwhile_says_that_the_agent_is_not(self):
        self.ok(self.ctl("disable"))
        self.ok(self.ctl("disable", "op"))
        self.assertIn("the agent is disabled, still", self.ok(self.ctl("enable", "op")))
        self.assertTrue((self.etc / "disabled").exists())

    def test_without_the_folder_it_is_made_and_anybody_may_see_it(self):
        self.environment["DMACC_CONFIGURATION"] = str(self.bus.folder / "none")
        self.ok(self.ctl("disable"))
        mark = self.bus.folder / "none/disabled"
        self.assertEqual((mark.stat().st_mode & 0o777, mark.parent.stat().st_mode & 0o777), (0o644, 0o755))

    def test_what_cannot_be_written_is_a_sentence(self):
        (self.bus.folder / "file").write_text("no folder")
        self.environment["DMACC_CONFIGURATION"] = str(self.bus.folder / "file")
        self.refused(f"{self.bus.folder}/file/disabled: Not a directory", "disable")


if __name__ == "__main__":
    unittest.main()
