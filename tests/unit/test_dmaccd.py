#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The agent as a process, on a bus of its own with the policy that is installed.

dmaccd-double is the program with a double of the kernel's client; dmaccd itself is run for what it says of
a machine without the module.
"""
import fcntl
import json
import os
import re
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from gi.repository import GLib

from agent_case import (Agent, BUILD, CLIENT_PW, CONF, DMACCD, PATIENCE, SERVER_NONCE, SERVER_PW, TOP, W7, WithAgent)

UNSEAL = BUILD / "agent/dmacc-unseal/dmacc-unseal"


class OnTheBus(WithAgent):
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
            "Profile": "dmacc-1", "Generation": 0, "Template": str(self.agent.templates / "op.conf"),
            "Guessable": False, "EverConnected": False, "LastConnected": 0, "Nonces": "initial", "Session": "/"})

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

    def unseal(self):
        """dmacc-unseal runs, and leaves a report of what it found, which is nothing."""
        subprocess.run([UNSEAL, "--factory-store", self.bus.folder / "none", "--report", self.agent.report], check=True,
                       stderr=subprocess.DEVNULL)

    def test_when_dmacc_unseal_has_run_it_looks_again_though_nothing_was_missing(self):
        self.unseal()
        self.agent.start()
        self.assertEqual(self.agent.manager("State"), "ready")
        self.agent.words.write_text("no-root")
        self.unseal()
        self.wait_until(lambda: self.agent.manager("State") == "no-root")

    def test_where_dmacc_unseal_runs_for_the_first_time_it_notices_the_next_time(self):
        self.agent.start()
        self.unseal()
        # whatever has it look: it finds the folder then
        self.agent.reload()
        self.agent.words.write_text("no-root")
        self.unseal()
        self.wait_until(lambda: self.agent.manager("State") == "no-root")

    def test_another_file_beside_the_report_does_not_have_it_look(self):
        self.unseal()
        self.agent.start()
        self.agent.words.write_text("no-root")
        (self.agent.report / "x").touch()
        (self.agent.report / "x").rename(self.agent.report / "spent")
        time.sleep(1)
        self.assertEqual(self.agent.manager("State"), "ready")

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
