#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""dmaccctl doctor: each state by its word, what is weakness and no trouble, and the manual's list of states."""
import json
import os
import re
import shutil
import subprocess
import unittest

import test_dmaccctl as agents
from ctl_case import DOUBLE, HERE, IMEI, KEY_2, OTHER_IMEI, Device, DeviceCase, flip

MANUALS = HERE.parent.parent / "agent/dmaccctl"


class Doctor(DeviceCase):
    def setUp(self):
        super().setUp()
        self.ok(self.device.inject())
        self.alpha = self.device.store / "slots/alpha"

    def test_a_device_that_is_in_order_is_well(self):
        self.assertEqual(self.troubles(), {})

    def test_it_changes_nothing(self):
        before, module = self.device.files(), self.device.module.read_bytes()
        self.device.doctor()
        self.assertEqual((self.device.files(), self.device.module.read_bytes()), (before, module))

    def test_each_trouble_is_printed_with_what_it_means_what_is_kept_and_its_way_out(self):
        self.device.reboot()
        done = self.device.run("doctor", "--factory-store", self.device.store, "--unseal-report", self.device.report_folder)
        self.assertEqual(done.returncode, 1)
        self.assertIn("root: not-unsealed\n  means    nothing has been unsealed since boot\n"
                      "  kept     all that is stored is as it was\n  way out  'systemctl start dmacc-unseal'\n", done.stdout)

    def test_a_missing_module_is_a_trouble(self):
        environment = self.device.environment()
        del environment["DMACC_MODULE"]
        done = subprocess.run([DOUBLE, "doctor", "--json"], env=environment,
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(json.loads(done.stdout)["troubles"][0]["state"], "no-module")

    def test_a_device_without_an_identifier_that_was_given_no_key(self):
        shutil.rmtree(self.device.store)
        self.device.reboot()
        self.device.imei = None
        self.assertEqual(self.troubles(), {"root": "nothing-injected", "identity": "no-identity"})

    def test_what_dmacc_unseal_reported_is_told_while_the_root_is_not_open(self):
        self.device.reported("root tpm-locked-out the TPM says so")
        self.assertEqual(self.troubles(), {})
        self.device.reboot()
        _, said = self.device.doctor()
        self.assertEqual([(t["subject"], t["state"], t["detail"]) for t in said["troubles"]],
                         [("root", "tpm-locked-out", "the TPM says so")])

    def test_a_root_that_the_module_refused(self):
        self.device.reboot()
        flip(self.device.store / "root", -1)
        self.device.factory("verify")
        self.assertEqual(self.troubles(), {"root": "root-refused"})

    def test_a_store_that_lost_its_root(self):
        self.device.reboot()
        (self.device.store / "root").unlink()
        self.assertEqual(self.troubles(), {"root": "factory-store-damaged", "factory store": "factory-store-damaged"})

    def test_a_store_that_others_can_write_to(self):
        self.device.store.chmod(0o777)
        self.assertEqual(self.troubles(), {"factory store": "factory-store-unsafe"})

    def test_damaged_keys_are_named_each(self):
        self.ok(self.device.inject("beta"))
        self.device.reported("root ok ", "slot alpha slot-damaged the sealed key was changed", "slot beta ok ")
        self.device.reboot()
        flip(self.alpha, -1)
        self.device.factory("verify")
        self.assertEqual(self.troubles(), {"slot alpha": "slot-damaged"})
        self.alpha.write_bytes(b"short")
        self.assertEqual(self.troubles(), {"slot alpha": "slot-damaged"})

    def test_a_key_under_another_name(self):
        self.ok(self.device.inject("beta"))
        shutil.copy(self.device.store / "slots/beta", self.alpha)
        self.assertEqual(self.troubles(), {"slot alpha": "slot-misplaced"})

    def test_a_key_that_is_older_than_the_one_that_is_loaded(self):
        old = self.alpha.read_bytes()
        self.ok(self.device.inject(key=KEY_2, version=2))
        self.alpha.write_bytes(old)
        self.assertEqual(self.troubles(), {"slot alpha": "slot-older"})

    def test_a_key_under_another_root(self):
        flip(self.alpha, 12)
        self.assertEqual(self.troubles(), {"slot alpha": "slot-other-root"})

    def test_another_board(self):
        self.device.reboot()
        self.device.imei = OTHER_IMEI
        self.device.factory("verify")
        self.assertEqual(self.troubles(), {"slot alpha": "other-device"})

    def test_a_key_that_is_gone_from_the_store(self):
        self.alpha.unlink()
        self.assertEqual(self.troubles(), {"slot alpha": "factory-store-damaged"})

    def test_a_master_in_a_file_and_a_device_that_is_not_locked_are_weaknesses_and_no_troubles(self):
        weak = {w["subject"] for w in self.device.doctor()[1]["weaknesses"]}
        self.assertEqual(weak, {"root", "lock"})
        self.ok(self.device.factory("lock"))
        _, said = self.device.doctor()
        self.assertEqual([w["subject"] for w in said["weaknesses"]], ["root"])
        self.assertIn("a plain file", said["weaknesses"][0]["sentence"])

    def test_who_may_not_see_the_store_is_told_so_and_what_was_reported(self):
        self.device.reported("root ok ", "slot gamma slot-damaged the sealed key was changed")
        self.device.store.chmod(0)
        # root but for what lets it open everything
        without = [] if os.geteuid() else ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
        done = subprocess.run([*without, DOUBLE, "doctor", "--json", "--factory-store", self.device.store, "--unseal-report",
                               self.device.report_folder], env=self.device.environment(), capture_output=True, text=True,
                              timeout=60, check=False)
        self.device.store.chmod(0o700)
        said = json.loads(done.stdout)
        self.assertEqual({t["subject"]: t["state"] for t in said["troubles"]}, {"slot gamma": "slot-damaged"})
        self.assertIn({"subject": "factory store", "sentence": "only root can look at it"}, said["notes"])


class Accounts(agents.Bus):
    """What the agent says of its accounts, over a bus of the test's own. There is no module."""

    def troubles(self, *accounts, **manager):
        template = agents.AGENT["accounts"]["alpha"]
        described = {account["Name"]: template | account for account in accounts}
        self.agent(accounts=described, manager=agents.AGENT["manager"] | {"RefusedTemplates": []} | manager)
        said = json.loads(self.ctl("doctor", "--json").stdout)
        found = {t["subject"]: t["state"] for t in said["troubles"]}
        self.assertEqual(found.pop("module"), "no-module")
        return found, said

    def test_accounts_that_are_not_served_are_troubles(self):
        found, _ = self.troubles({"Name": "a"}, {"Name": "b", "State": "no-slot", "Reason": "no key is loaded"},
                                 {"Name": "c", "State": "damaged", "Reason": "other-store: it was written elsewhere"},
                                 {"Name": "d", "State": "damaged", "Reason": "it is damaged"},
                                 {"Name": "e", "State": "no-secrets", "Reason": "rung-too-low: the template wants trusted"},
                                 {"Name": "f", "State": "withdrawn", "Reason": "its template has gone"})
        self.assertEqual(found, {"account b": "slot-empty", "account c": "other-store", "account d": "account-damaged",
                                 "account e": "rung-too-low"})

    def test_what_the_device_lacks_is_said_once(self):
        found, _ = self.troubles({"Name": "a", "State": "no-secrets", "Reason": "no-module: there is none"}, State="no-module",
                                 Reason="no-module: there is none")
        self.assertEqual(found, {})

    def test_refused_templates_are_troubles(self):
        found, _ = self.troubles(RefusedTemplates=[["broken.conf", "line 3: there is no Addr"]])
        self.assertEqual(found, {"template broken.conf": "template-refused"})

    def test_an_account_without_a_key_in_its_profile_is_guessable_and_well(self):
        found, said = self.troubles({"Name": "old", "Profile": "fcs11384"})
        self.assertEqual(found, {})
        self.assertIn("can compute its passwords", said["weaknesses"][0]["sentence"])


class Modem(agents.Bus):
    """What the agent knows of the modem is said of a device without an identifier, by doctor and status."""

    def setUp(self):
        super().setUp()
        self.device = Device(self.folder / "device", imei=None)

    def ask(self, *arguments, reason, state="no-identity"):
        self.agent(manager=agents.AGENT["manager"] | {"RefusedTemplates": [], "State": state, "Reason": reason}, accounts={})
        return self.device.run(*arguments, **self.bus).stdout

    def doctor(self, reason, state="no-identity"):
        said = json.loads(self.ask("doctor", "--json", "--factory-store", self.device.store, "--unseal-report",
                                   self.device.report_folder, reason=reason, state=state))
        return {t["subject"]: (t["state"], t["detail"]) for t in said["troubles"]}

    def test_doctor_says_what_the_agent_knows_of_the_modem(self):
        for word in ("modem-awaited", "modem-refused", "modem-ambiguous"):
            with self.subTest(word):
                self.assertEqual(self.doctor(f"{word}: it is so")["identity"], (word, f"{word}: it is so"))
                self.doCleanups()
                self.setUp()

    def test_doctor_says_what_it_always_does_if_it_is_not_the_modem(self):
        self.assertEqual(self.doctor("no-root: it is so")["identity"], ("no-identity", ""))

    def test_doctor_names_another_modem_beside_other_troubles(self):
        found = self.doctor("other-modem: it is so", "ready")
        self.assertEqual(found["agent"], ("other-modem", "other-modem: it is so"))
        self.assertIn("identity", found)

    def test_status_advises_to_wait_for_the_modem_and_not_to_type(self):
        said = self.ask("status", reason="modem-awaited: it is so")
        self.assertRegex(said, r"identity +none\n +modem-awaited: .*'mmcli -L'\n")
        self.assertNotIn("factory identity", said)


class Hardware(DeviceCase):
    """What the module says of an identifier that is not there yet, or is another one."""

    def find(self, news, imei=None):
        self.device = Device(self.folder / news, imei)
        environment = {"DMACC_HARDWARE_NEWS": news}
        said = json.loads(self.device.run("doctor", "--json", "--factory-store", self.device.store, "--unseal-report",
                                          self.device.report_folder, **environment).stdout)
        status = self.device.run("status", **environment).stdout
        module = json.loads(self.device.run("status", "--json", **environment).stdout)["module"]
        return {t["subject"]: t["state"] for t in said["troubles"]}, status, module

    def test_a_cell_that_is_waited_for_is_named_and_nobody_is_told_to_type(self):
        found, status, module = self.find("pending")
        self.assertEqual(found["identity"], "identity-awaited")
        self.assertRegex(status, r"identity +none\n +identity-awaited: ")
        self.assertNotIn("factory identity", status)
        self.assertIn("identity-awaited", module["advice"])

    def test_another_identifier_in_hardware_is_a_trouble_of_a_device_that_has_one(self):
        found, status, module = self.find("conflict", IMEI)
        self.assertEqual(found["identity"], "identity-conflict")
        self.assertRegex(status, r"identity +smbios, .*another one in nvmem\n +identity-conflict: ")
        self.assertEqual(module["identity_conflict"], "nvmem")
        self.assertIn("identity-conflict", module["advice"])

    def test_without_either_neither_is_named(self):
        found, status, module = self.find("nothing", IMEI)
        self.assertNotIn("identity", found)
        self.assertNotIn("identity-", status)
        self.assertNotIn("identity_conflict", module)


class Manual(unittest.TestCase):
    """dmacc-states(7) has the states of the code, each with its meaning, what is kept and its way out."""

    def setUp(self):
        done = agents.run(agents.CTL, "doctor", "--states", "--json")
        self.states = {t["state"]: t for t in json.loads(done.stdout)["troubles"]}
        page = (MANUALS / "dmacc-states.7").read_text()
        section = page[page.index(".Sh STATES"):page.index(".Sh FOUR")]
        self.page = dict(re.findall(r"^\.It Sy (\S+)\n(.*?)(?=^\.It|^\.El)", section, re.MULTILINE | re.DOTALL))

    def test_it_has_every_state_and_no_other(self):
        self.assertGreater(len(self.states), 25)
        self.assertEqual(list(self.page), list(self.states))

    def test_it_says_of_each_what_the_programs_say(self):
        for word, text in self.page.items():
            state = self.states[word]
            wanted = f"{state['means']}. Kept: {state['kept']}. Way out: {state['way_out']}."
            said = " ".join(text.replace(".br\n", "").replace("\\&", "").split())
            self.assertEqual(said.lower(), wanted.lower(), word)

    def test_every_way_out_by_dmaccctl_is_a_verb_that_there_is(self):
        help_text = agents.run(agents.CTL, "--help").stdout + agents.run(agents.CTL, "factory", "--help").stdout
        seen = 0
        for state in self.states.values():
            words = state["command"].split()
            if words[0] != "dmaccctl":
                continue
            verb = " ".join(words[:3] if words[1] == "factory" else words[:2])
            self.assertIn(f"{verb} ", help_text, state["state"])
            seen += 1
        self.assertGreater(seen, 10)

    def test_mandoc_finds_nothing_wrong(self):
        for page in ("dmacc-states.7", "dmaccctl.8"):
            done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", MANUALS / page], capture_output=True, text=True,
                                  check=False)
            self.assertEqual(done.stdout, "", page)


if __name__ == "__main__":
    unittest.main()
