#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""org.dmacc1(5), as it is built, has every member of uapi/org.dmacc1.xml, and every word that the agent has for states and errors."""
import os
import re
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree as ET
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ.get("DMACC_BUILD", TOP / "build"))
PAGE = BUILD / "agent/dmaccd/org.dmacc1.5"
MAKER = TOP / "agent/dmaccd/bus_manual.py"
CONTRACT = TOP / "uapi/org.dmacc1.xml"


def read(page):
    """As a person sees it, in lines as long as they like."""
    done = subprocess.run(["mandoc", "-T", "ascii", "-O", "width=1000", page], capture_output=True, text=True, check=True)
    return re.sub(r".\x08", "", done.stdout)


def sections(text):
    """Title -> its lines, without those of deeper titles' indentation."""
    parts = re.split(r"^(\S.*)\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2]))


def words_of(source, name):
    """What a C table of that name holds."""
    table = re.search(rf"\b{name}\[\] = \{{(.*?)\n\t?\}};", (TOP / source).read_text(), re.DOTALL)[1]
    return re.findall(r'"([^"]+)"', table) or re.findall(r"BUS_ERROR\((\w+)\)", table)


class Page(unittest.TestCase):
    def setUp(self):
        self.text = read(PAGE)
        self.sections = sections(self.text)
        self.contract = ET.parse(CONTRACT).getroot()

    def entry(self, interface, head):
        """What is said below an entry of a list."""
        found = re.search(rf"^     {re.escape(head)}\n((?: {{7,}}.*\n)+)", self.sections[interface.get("name").upper()], re.MULTILINE)
        self.assertTrue(found, f"{interface.get('name')}: {head}")
        return found[1].strip()

    def test_every_member_of_every_interface_is_there_with_its_types_and_is_described(self):
        seen = 0
        for interface in self.contract.iter("interface"):
            for member in interface:
                if member.tag == "property":
                    constant = "const" in (note.get("value") for note in member.findall("annotation"))
                    head = f"{member.get('name')} ({member.get('type')}{', constant' if constant else ''})"
                else:
                    self.assertEqual(member.tag, "method")
                    args = [f"{a.get('direction')} {a.get('type')} {a.get('name')}" for a in member.findall("arg")]
                    head = f"{member.get('name')}({', '.join(args)})"
                self.assertGreater(len(self.entry(interface, head)), 5, head)
                seen += 1
        self.assertGreater(seen, 35)

    def test_it_has_no_member_that_is_not_there(self):
        for interface in self.contract.iter("interface"):
            lines = re.findall(r"^ {5}([A-Z]\w+) ?\(", self.sections[interface.get("name").upper()], re.MULTILINE)
            self.assertEqual(sorted(lines), sorted(member.get("name") for member in interface))

    def test_every_error_of_the_agent_is_there_and_no_other(self):
        source = (TOP / "agent/dmaccd/bus.c").read_text() + (TOP / "agent/dmaccd/bus_session.c").read_text()
        used = set(re.findall(r'BUS_ERROR\("(\w+)"\)', source))
        self.assertGreater(len(used), 8)
        named = set(re.findall(r"org\.dmacc1\.Error\.(\w+)$", self.sections["ERROR NAMES"], re.MULTILINE))
        self.assertEqual(named, used)

    def test_every_state_of_device_and_account_is_there(self):
        manager, account = self.contract.findall("interface")[:2]
        for interface, source in ((manager, "device"), (account, "account")):
            words = words_of(f"agent/dmaccd/{source}.c", "words")
            self.assertGreater(len(words), 4)
            said = self.entry(interface, "State (s)")
            self.assertEqual(re.findall(r"[a-z-]+", said)[:len(words)], words, said)

    def test_mandoc_finds_nothing_wrong(self):
        done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", PAGE], capture_output=True, text=True, check=False)
        self.assertEqual(done.stdout, "")


class Maker(unittest.TestCase):
    def make(self, text):
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (folder / "in.xml").write_text(text)
        done = subprocess.run([MAKER, folder / "in.xml", folder / "out.5"], capture_output=True, text=True, check=False)
        return done, folder / "out.5"

    def test_what_was_built_is_what_it_makes(self):
        done, page = self.make(CONTRACT.read_text())
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(page.read_text(), PAGE.read_text())

    def test_a_member_that_nobody_described_is_refused_by_its_name(self):
        for member in ('<method name="New"/>', '<property name="New" type="s" access="read"/>'):
            done, page = self.make(CONTRACT.read_text().replace("  </interface>", f"    {member}\n  </interface>", 1))
            self.assertEqual(done.returncode, 1)
            self.assertIn("org.dmacc1.Manager.New: there is no comment that describes it", done.stderr)
            self.assertFalse(page.exists())

    def test_a_signal_has_a_part_of_its_own(self):
        done, page = self.make(CONTRACT.read_text().replace(
            "  </interface>", '    <!-- It came -->\n    <signal name="Came"><arg name="who" type="s"/></signal>\n  </interface>', 1))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(read(page), r"Signals\n +Came\(s who\)\n +It came\n")


if __name__ == "__main__":
    unittest.main()
