#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""dmaccctl as its users run it, as far as that needs no module: usage, exit statuses, sentences, the agent's view.

What needs the module is in tests/e2e/test_factory.py. DMACC_BUILD= names the build folder.
"""
import copy
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from open_bus import OPEN_BUS

HERE = Path(__file__).resolve().parent
BUILD = Path(os.environ.get("DMACC_BUILD", HERE.parent.parent / "build"))
CTL = BUILD / "agent/dmaccctl/dmaccctl"
UNSEAL = BUILD / "agent/dmacc-unseal/dmacc-unseal"
KEY = "ba946193ab736b31b712e4f52e4f43965b554e0557ea26c8e28a4997badaf499"
KEY_ID = "b694ff823ea00e66"
SECRET = "VVWHHJPJY3VV7GRTDCYZB5W7PR4AZLSO"


def node(uri, kind="node", value="", protected=False):
    return {"uri": uri, "format": kind, "value": value, "protected": protected}


AGENT = {
    "manager": {"Version": "9.9", "State": "ready", "Reason": "", "Later": "unknown to dmaccctl",
                "RefusedTemplates": [["broken.conf", "line 3: there is no Addr"]]},
    "deny": False,
    "accounts": {
        "beta": {"Name": "beta", "State": "no-slot", "Reason": "no key is loaded for slot beta", "ServerID": "b\x1b[31m",
                 "Slot": "beta", "Profile": "dmacc-1", "Generation": 3, "Template": "/etc/dmacc/accounts.d/beta.conf",
                 "nodes": [node("/DMAcc/beta")]},
        "alpha": {"Name": "alpha", "State": "ready", "Reason": "", "ServerID": "com.example.dm", "Slot": "alpha",
                  "Profile": "dmacc-1", "Generation": 0, "Template": "/usr/share/dmacc/accounts.d/alpha.w7",
                  "nodes": [node("/DMAcc/alpha"), node("/DMAcc/alpha/Addr", "chr", "https://dm.example.com/dm"), node("/DMAcc/alpha/ConRef", "chr", ""),
                            node("/DMAcc/alpha/ServerPW", "chr", SECRET, True),
                            node("/DMAcc/alpha/ServerNonce", "bin", "iwItlnHfA3PHHJ1ay9V1dQ==", True)]}},
}


def run(program, *arguments, text="", environment=(), **options):
    # no bus but a test's own
    bare = os.environ | {"DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nonexistent"} | dict(environment)
    return subprocess.run([program, *map(str, arguments)], input=text, capture_output=True, text=True, env=bare,
                          timeout=60, check=False, **options)


class Refusals(unittest.TestCase):
    def refused(self, sentence, *arguments, **options):
        done = run(CTL, *arguments, **options)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertIn(sentence, done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        return done


class Usage(Refusals):
    def test_help_names_every_verb_and_none_that_is_not_there(self):
        text = run(CTL, "--help").stdout + run(CTL, "factory", "--help").stdout
        for verb in ("status", "doctor", "tree", "account", "reset", "probe", "disable", "enable", "factory inject", "factory verify", "factory lock", "factory report",
                     "factory parent", "factory export", "factory restore", "factory identity", "wipe"):
            self.assertIn(f"dmaccctl {verb} ", text)
        self.assertNotIn("monitor", text)

    def test_the_version_is_the_projects(self):
        version = (HERE.parent.parent / "VERSION").read_text().strip()
        self.assertEqual(run(CTL, "--version").stdout, f"dmaccctl {version}\n")
        self.assertEqual(run(UNSEAL, "--version").stdout, f"dmacc-unseal {version}\n")

    def test_a_missing_or_unknown_verb_is_refused(self):
        self.refused("a verb is missing; dmaccctl --help lists them")
        self.refused("there is no verb 'stat'; dmaccctl --help lists them", "stat")
        self.refused("a verb is missing; dmaccctl factory --help lists them", "factory")
        self.refused("there is no verb 'import'; dmaccctl factory --help lists them", "factory", "import")

    def test_unknown_options_and_arguments_too_many_are_refused(self):
        self.refused("unrecognized option", "status", "--jason")
        self.refused("status takes no argument 'now'", "status", "now")
        self.refused("tree takes one account, not also 'b'", "tree", "a", "b")
        for verb in ("verify", "lock", "report", "parent"):
            self.refused(f"{verb} takes no argument 'x'", "factory", verb, "x")

    def test_formats_that_are_not_made_are_refused(self):
        self.refused("--format takes 'text', 'json', 'tnds', 'w7', 'wbxml' or 'w7-wbxml', not 'yaml'",
                     "tree", "--format", "yaml")
        self.refused("--layout takes '1.1' or '1.2', not '1.3'", "tree", "--layout", "1.3")

    def test_terminal_controls_in_arguments_do_not_reach_the_terminal(self):
        done = self.refused("there is no verb '?[31m?'", "\x1b[31m\u009b")
        self.assertNotIn("\x1b", done.stderr)

    def test_status_works_without_bus_and_module_and_says_what_is_missing(self):
        done = run(CTL, "status", "--json")
        view = json.loads(done.stdout)
        self.assertEqual(view["agent"], {"error": "the system bus cannot be reached: No such file or directory"})
        self.assertEqual(done.returncode, 1 if "error" in view["module"] else 0)
        self.assertEqual(done.stderr, "")

    def test_a_full_disk_is_no_success(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([CTL, "--help"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("the output cannot be written", done.stderr)


class Inject(Refusals):
    """What is refused before the module is asked."""

    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def inject(self, sentence, *arguments, **options):
        done = self.refused(sentence, "factory", "inject", "--factory-store", self.folder / "store", *arguments, **options)
        self.assertFalse((self.folder / "store").exists())
        self.assertNotIn(KEY[:8], done.stderr)

    def key_file(self, text, mode=0o600):
        path = self.folder / "key"
        path.write_text(text)
        path.chmod(mode)
        return path

    def test_slot_and_key_id_are_needed(self):
        self.inject("--slot NAME is missing", "--key-id", KEY_ID)
        self.inject("--key-id HEX is missing", "--slot", "a")

    def test_slot_names_are_the_modules(self):
        for name in ("", "A", "a b", "a/b", ".a", "..", "a" * 33):
            self.inject("a slot name is 1 to 32 of a-z 0-9 . _ -", "--slot", name, "--key-id", KEY_ID)

    def test_a_key_id_has_16_digits_and_a_key_in_its_place_is_not_quoted(self):
        for bad in ("", KEY_ID[:15], KEY_ID + "0", KEY_ID[:15] + "g", KEY):
            self.inject("--key-id takes 16 hexadecimal digits", "--slot", "a", "--key-id", bad)

    def test_key_versions_are_numbers_from_1(self):
        for bad in ("0", "-1", "1x", "", "4294967296", "99999999999999999999"):
            self.inject("--key-version takes a number from 1", "--slot", "a", "--key-id", KEY_ID, "--key-version", bad)

    def test_rung_and_master_have_their_words(self):
        self.inject("--rung takes 'trusted' or 'wrapped', not 'none'", "--slot", "a", "--key-id", KEY_ID, "--rung", "none")
        for word in ("tpm", "credential"):
            self.inject(f"--master takes 'tpm2', 'host' or 'file', not '{word}'", "--slot", "a", "--key-id", KEY_ID,
                        "--master", word)

    def test_a_trusted_root_has_no_master(self):
        for word in ("tpm2", "host", "file"):
            self.inject("rung trusted has no master", "--slot", "a", "--key-id", KEY_ID, "--rung", "trusted",
                        "--master", word)

    def test_a_key_on_the_command_line_is_refused_and_not_quoted(self):
        self.inject("the file of the device key: No such file", "--slot", "a", "--key-id", KEY_ID, KEY)
        self.inject("inject takes one KEYFILE", "--slot", "a", "--key-id", KEY_ID, "-", KEY)

    def test_bad_keys_are_refused(self):
        for text, sentence in (("0" * 64, "the key is all zero"), (KEY[:62], "does not hold 64 hexadecimal digits"),
                               (KEY + "\n\n", "does not hold 64"), (KEY[:63] + "x", "no hexadecimal digit"), ("", "does not hold")):
            self.inject(sentence, "--slot", "a", "--key-id", KEY_ID, self.key_file(text))
            self.inject(sentence, "--slot", "a", "--key-id", KEY_ID, text=text)

    def test_a_key_file_that_others_can_read_is_refused(self):
        for mode in (0o640, 0o604, 0o660):
            self.inject("group or others have access to it", "--slot", "a", "--key-id", KEY_ID, self.key_file(KEY, mode))

    def test_a_key_file_that_is_none_is_refused(self):
        self.inject("it is a folder", "--slot", "a", "--key-id", KEY_ID, self.folder)
        os.mkfifo(self.folder / "fifo")
        self.inject("does not hold 64", "--slot", "a", "--key-id", KEY_ID, self.folder / "fifo")


class Unseal(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.folder.chmod(0o700)
        self.run_folder = self.folder / "run"

    def unseal(self, *arguments, **options):
        return run(UNSEAL, "--report", self.run_folder, *arguments, **options)

    def report(self):
        return (self.run_folder / "report").read_text().splitlines()

    def test_a_device_without_a_factory_store_or_root_has_nothing_to_unseal(self):
        for store in (self.folder / "nowhere", self.folder):
            done = self.unseal("--factory-store", store)
            self.assertEqual((done.returncode, done.stdout), (0, ""))
            self.assertIn("nothing to unseal: there is no", done.stderr)
            self.assertEqual(self.report(), ["dmacc-unseal-report 1", "root nothing-injected "])

    def test_a_store_that_others_can_write_to_is_refused(self):
        self.folder.chmod(0o777)
        done = self.unseal("--factory-store", self.folder)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{self.folder}: it is somebody else's, or group or others can write to it", done.stderr)
        self.assertTrue(self.report()[1].startswith("root factory-store-unsafe "), self.report())

    def test_sealed_keys_without_their_root_are_a_damaged_store(self):
        (self.folder / "slots").mkdir(0o700)
        (self.folder / "slots/alpha").write_bytes(b"x")
        done = self.unseal("--factory-store", self.folder)
        self.assertEqual(done.returncode, 1)
        self.assertTrue(self.report()[1].startswith("root factory-store-damaged "), self.report())

    def test_a_root_without_its_master_is_named(self):
        (self.folder / "root").write_bytes(b"DMACCROO\1\2" + bytes(100))
        done = self.unseal("--factory-store", self.folder)
        self.assertEqual(done.returncode, 1)
        # the first thing that is missing on this machine
        self.assertRegex(self.report()[1], "^root (master-missing|no-agent-user) ")
        self.assertFalse((self.run_folder / "retry").exists())

    def test_a_run_that_was_killed_is_explained_and_one_that_reported_is_left(self):
        (self.folder / "root").write_bytes(b"DMACCROO\1\2" + bytes(100))
        done = self.unseal("--explain", "--factory-store", self.folder, environment={"MONITOR_EXIT_STATUS": "TERM"})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("root unseal-failed dmacc-unseal did not come to its end: TERM", self.report())
        before = self.report()
        done = self.unseal("--explain", "--factory-store", self.folder, environment={"MONITOR_EXIT_STATUS": "1"})
        self.assertEqual((done.returncode, done.stderr, self.report()), (0, "", before))

    def test_arguments_are_refused(self):
        self.assertEqual(run(UNSEAL, "now").returncode, 2)
        self.assertEqual(run(UNSEAL, "--now").returncode, 2)


class Bus(unittest.TestCase):
    RULE = ""

    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        config = self.folder / "bus.conf"
        config.write_text(OPEN_BUS.format(folder=self.folder, rule=self.RULE))
        self.bus = {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={self.folder}/bus"}
        self.start(["dbus-daemon", f"--config-file={config}", "--nofork", "--print-address"])

    def start(self, command):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | self.bus)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        self.assertTrue(process.stdout.readline(), f"{command[0]} did not start")

    def agent(self, **changes):
        description = self.folder / "agent.json"
        description.write_text(json.dumps(copy.deepcopy(AGENT) | changes))
        self.start([sys.executable, HERE / "bus_agent.py", description])

    def agent_with_two_accounts(self):
        """Beta was made once, too."""
        self.agent(accounts=AGENT["accounts"] | {"beta": AGENT["accounts"]["beta"] | {"State": "withdrawn"}})

    def ctl(self, *arguments):
        return run(CTL, *arguments, environment=self.bus)


class Denied(Bus):
    RULE = '<deny send_destination="org.dmacc1" send_interface="org.freedesktop.DBus.Properties"/>'

    def test_who_may_not_ask_the_agent_is_told_so_without_the_terms_of_the_bus(self):
        self.agent()
        sentence = "you are not privileged to ask the agent; root is"
        self.assertEqual(json.loads(self.ctl("status", "--json").stdout)["agent"], {"error": sentence})
        done = self.ctl("tree")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (2, "", f"dmaccctl: {sentence}\n"))


class Agent(Bus):
    def tree(self, *arguments):
        done = self.ctl("tree", *arguments)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def test_an_agent_that_does_not_run_is_a_sentence(self):
        view = json.loads(self.ctl("status", "--json").stdout)
        self.assertTrue(view["agent"]["error"].startswith("the agent is not running"), view)
        done = self.ctl("tree")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("the agent is not running", done.stderr)

    def test_status_shows_accounts_and_refused_templates(self):
        self.agent()
        text = self.ctl("status").stdout
        self.assertIn("agent      ready\n", text)
        self.assertIn("account    alpha: ready\n           ServerID com.example.dm, slot alpha, template "
                      "/usr/share/dmacc/accounts.d/alpha.w7\n", text)
        self.assertIn("account    beta: no-slot, no key is loaded for slot beta\n           ServerID b?[31m,", text)
        self.assertIn("refused    broken.conf: line 3: there is no Addr\n", text)
        self.assertNotIn("\x1b", text)

    def test_status_json_has_all_of_the_agents_view(self):
        self.agent()
        view = json.loads(self.ctl("status", "--json").stdout)["agent"]
        self.assertEqual((view["version"], view["state"], view["reason"]), ("9.9", "ready", ""))
        self.assertEqual(view["refused_templates"], [{"template": "broken.conf", "reason": "line 3: there is no Addr"}])
        self.assertEqual([account["name"] for account in view["accounts"]], ["alpha", "beta"])
        self.assertEqual(view["accounts"][1], {
            "name": "beta", "state": "no-slot", "reason": "no key is loaded for slot beta", "server_id": "b\x1b[31m",
            "slot": "beta", "profile": "dmacc-1", "generation": 3, "template": "/etc/dmacc/accounts.d/beta.conf",
            "guessable": False})

    def test_the_reason_of_an_agent_that_is_not_ready_is_shown(self):
        self.agent(manager={"Version": "9.9", "State": "no-root", "Reason": "the keys are not unsealed"}, accounts={})
        self.assertIn("agent      no-root\n           the keys are not unsealed\n", self.ctl("status").stdout)
        done = self.ctl("tree")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("there is no account; 'dmaccctl status' says why", done.stderr)

    def test_the_tree_hides_what_the_standard_hides(self):
        self.agent_with_two_accounts()
        self.assertEqual(self.tree(), "./DMAcc/alpha node\n./DMAcc/alpha/Addr chr https://dm.example.com/dm\n./DMAcc/alpha/ConRef chr\n"
                         "./DMAcc/alpha/ServerPW chr (hidden)\n./DMAcc/alpha/ServerNonce bin (hidden)\n./DMAcc/beta node\n")
        self.assertEqual(self.tree("beta"), "./DMAcc/beta node\n")
        self.assertIn("./SyncML/DMAcc/beta node\n", self.tree("--layout", "1.1"))

    def test_the_tree_as_json_has_null_for_what_is_hidden(self):
        self.agent_with_two_accounts()
        alpha, beta = json.loads(self.tree("--format", "json"))
        self.assertEqual((alpha["account"], alpha["layout"], len(alpha["nodes"])), ("alpha", "1.2", 5))
        self.assertEqual(alpha["nodes"][3], {"uri": "./DMAcc/alpha/ServerPW", "format": "chr", "value": None, "protected": True})
        self.assertEqual(beta["nodes"], [{"uri": "./DMAcc/beta", "format": "node", "value": "", "protected": False}])

    def test_secrets_are_shown_on_demand(self):
        self.agent()
        text = self.tree("--show-secrets", "alpha")
        self.assertIn(f"./DMAcc/alpha/ServerPW chr {SECRET}\n./DMAcc/alpha/ServerNonce bin iwItlnHfA3PHHJ1ay9V1dQ==\n", text)
        nodes = json.loads(self.tree("--show-secrets", "--format", "json", "alpha"))[0]["nodes"]
        self.assertEqual(nodes[3], {"uri": "./DMAcc/alpha/ServerPW", "format": "chr", "value": SECRET, "protected": True})

    def test_secrets_that_are_refused_are_a_sentence(self):
        self.agent(deny=True)
        done = self.ctl("tree", "--show-secrets", "alpha")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("account alpha: the agent does not answer you: this is for root", done.stderr)

    def test_an_account_that_was_never_made_is_no_tree_but_a_sentence(self):
        self.agent()
        done = self.ctl("tree")
        self.assertEqual((done.returncode, done.stderr),
                         (1, "dmaccctl: account beta is no-slot: no key is loaded for slot beta\n"))
        self.assertIn("./DMAcc/alpha node\n", done.stdout)
        self.assertNotIn("beta", done.stdout)

    def test_an_account_that_is_not_there_is_no_match(self):
        self.agent()
        done = self.ctl("tree", "gamma")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("there is no account 'gamma'", done.stderr)


if __name__ == "__main__":
    unittest.main()
