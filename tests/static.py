#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What can be told from the files alone: licences, words, one source for each fact."""
import re
import subprocess
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent

DUAL_UAPI = "(GPL-2.0-only WITH Linux-syscall-note) OR BSD-3-Clause"
DUAL_CORE = "GPL-2.0-only OR BSD-3-Clause"
NO_COMMENTS = {"COPYING", "VERSION", "uapi/vectors.json"}


def tracked():
    """The files of the project, as git knows them, deleted ones left out."""
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=TOP, text=True,
                         capture_output=True, check=True)
    return [name for name in out.stdout.splitlines() if (TOP / name).is_file()]


def wanted_licence(name):
    if name.startswith("kmod/") or name == "Kbuild":
        return "GPL-2.0-only"
    if name.startswith("uapi/linux/") or name == "uapi/dmacc.yaml":
        return DUAL_UAPI
    if name.startswith(("uapi/core/", "uapi/devicetree/")):
        return DUAL_CORE
    return "LGPL-2.1-or-later"


class Static(unittest.TestCase):
    def texts(self):
        for name in tracked():
            if not name.startswith("LICENSES/") and "/corpus/" not in name:
                yield name, (TOP / name).read_text(errors="replace")

    def test_every_file_names_its_licence(self):
        seen = 0
        for name, text in self.texts():
            if name in NO_COMMENTS or not text or name.endswith((".w7", ".json")):
                continue
            found = re.search(r"SPDX-License-Identifier: (.*?)\s*(?:\*/|-->|$)", text[:600], re.MULTILINE)
            self.assertIsNotNone(found, f"{name}: no SPDX line")
            if not name.startswith("tests/kunit/"):
                self.assertEqual(found[1], wanted_licence(name), name)
            seen += 1
        self.assertGreater(seen, 20)

    def test_the_top_level_is_the_one_that_was_agreed(self):
        folders = {name.split("/")[0] for name in tracked() if "/" in name}
        self.assertLessEqual(folders - {"LICENSES", ".ci"},
                             {"kmod", "uapi", "agent", "tests", "packaging"})

    def test_no_kernel_version_test_outside_the_compat_header(self):
        for name, text in self.texts():
            if name.startswith(("kmod/", "uapi/", "tests/kunit/")) and name != "kmod/compat.h":
                self.assertNotRegex(text, r"LINUX_VERSION_CODE|KERNEL_VERSION\(", name)

    def test_the_lenient_reader_stays_outside_the_kernel(self):
        for name, text in self.texts():
            if name.startswith("kmod/"):
                self.assertNotIn("devid_read", text, name)

    def test_no_text_file_has_blanks_at_a_line_end_or_lacks_the_last_newline(self):
        for name, text in self.texts():
            self.assertNotRegex(text, r"[ \t]\n", name)
            self.assertTrue(not text or text.endswith("\n"), name)

    def test_the_threat_model_names_tests_that_are_there(self):
        text = (TOP / "uapi/threat-model.md").read_text()
        named = 0
        # a file, and up to the next one or the end of the item what is in it
        for path, names in re.findall(r"`(tests/\S+)`:((?:(?!`tests/|\n\n|\n- ).)*)", text, re.DOTALL):
            content = (TOP / path).read_text()
            found = re.findall(r"`(\w+)`", names), re.findall(r"\*([^*]+)\*", names)
            for name in found[0]:
                self.assertRegex(content, rf"def {name}\(|KUNIT_CASE\({name}\)", f"{path} has no {name}")
            for sentence in found[1]:
                self.assertIn(f'check "{" ".join(sentence.split())}"', content, path)
            self.assertTrue(found[0] or found[1], f"{path}: which test of it?")
            named += len(found[0]) + len(found[1])
        self.assertGreater(named, 25)

    def test_each_nothing_of_the_threat_model_names_its_tests(self):
        text = (TOP / "uapi/threat-model.md").read_text()
        notes = dict(re.findall(r"^- \[(\w)\] (.*(?:\n  .*)*)", text, re.MULTILINE))
        cells = [cell.strip() for line in text.splitlines() if line.startswith("| ")
                 for cell in line.strip("| ").split("|")]
        self.assertGreater(len(cells), 40)
        for cell in cells:
            numbers = re.findall(r"\[(\w)\]", cell)
            if "nothing" in cell:
                self.assertTrue(any("`tests/" in notes[number] for number in numbers), cell)
            self.assertLessEqual(set(numbers), set(notes), cell)

    def test_the_version_is_written_once(self):
        version = (TOP / "VERSION").read_text().strip()
        for name, text in self.texts():
            if name != "VERSION" and not name.startswith("tests/"):
                self.assertNotIn(f'"{version}"', text, name)


if __name__ == "__main__":
    unittest.main()
