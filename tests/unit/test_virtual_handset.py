#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""When a virtual handset is started again: only if its kernel died without anything of this project."""
import sys
import tempfile
import unittest
from pathlib import Path
from types import SimpleNamespace

TOP = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tests/qemu"))

import handset as handsets  # noqa: E402
import vm  # noqa: E402
from machine import MACHINES  # noqa: E402

PANIC = "Kernel panic - not syncing: Fatal exception in interrupt\n"
# As kernels up to 6.9 and later ones begin it; what is between is left out
BREAKPOINTS = [f"[   14.197] {oops}int3: 0000 [#1] PREEMPT SMP NOPTI\nCall Trace:\n {{}}\nModules linked in: {{}} ext4\n"
               for oops in ("", "Oops: ")]
BEGIN = f"{handsets.BEGIN}\n"
RESUME = f"{handsets.RESUME}\n"
ANSWERS = "(answers)"


class Scripted(handsets.Handset):
    """Its starts show these consoles, one after the other; the one that has ANSWERS in it takes commands."""

    def __init__(self, folder, consoles):
        super().__init__("scripted", SimpleNamespace(machine=MACHINES["amd64"]), Path(folder) / "disk")
        self.consoles, self.starts = consoles, 0

    def power_on(self):
        self.console.write_text(self.consoles[self.starts])
        self.starts += 1

    def power_cut(self):
        pass

    def run(self, command, stdin=b"", timeout=0):
        return self._reply("1", 0, f"did not answer to: {command}")

    def _reply(self, token, deadline, sentence):
        if ANSWERS not in self.said():
            self._fail(sentence)
        return handsets.Result(0, b"", b"")


class Starts(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def starts(self, action, *consoles):
        """How often it was started, and whether it took commands in the end."""
        handset = Scripted(self.folder, consoles)
        try:
            action(handset)
        except handsets.HandsetFailed:
            return handset.starts, False
        return handset.starts, True

    def test_one_that_answers_is_started_once(self):
        self.assertEqual(self.starts(Scripted.boot, BEGIN + ANSWERS), (1, True))
        self.assertEqual(self.starts(Scripted.resume, RESUME + ANSWERS), (1, True))

    def test_a_kernel_that_died_at_its_start_is_started_again(self):
        self.assertEqual(self.starts(Scripted.boot, PANIC, RESUME + PANIC, BEGIN + ANSWERS), (3, True))

    def test_a_hibernated_one_that_died_before_it_looked_for_its_image_is_started_again(self):
        self.assertEqual(self.starts(Scripted.resume, PANIC, RESUME + ANSWERS), (2, True))

    def test_a_hibernated_one_that_died_with_its_image_is_not_started_again(self):
        self.assertEqual(self.starts(Scripted.resume, RESUME + PANIC, RESUME + ANSWERS), (1, False))

    def test_a_panic_of_a_system_that_runs_is_a_failure(self):
        self.assertEqual(self.starts(Scripted.boot, BEGIN + PANIC, BEGIN + ANSWERS), (1, False))

    def test_one_that_died_at_a_breakpoint_of_its_own_is_started_again(self):
        for trap in BREAKPOINTS:
            died = BEGIN + trap.format("kauditd_thread+0x282/0x2d0", "autofs4") + PANIC
            self.assertEqual(self.starts(Scripted.boot, died, BEGIN + ANSWERS), (2, True))
            self.assertTrue(vm.died_of_its_emulator(died))

    def test_one_that_died_at_a_breakpoint_with_the_module_in_it_is_a_failure(self):
        for trap in BREAKPOINTS:
            for died in (trap.format("netlink_rcv+0x1/0x2 [dmacc]", "autofs4 dmacc"),
                         trap.format("dmacc_derive+0x1/0x2", "autofs4"), trap.format("", "dmacc")):
                self.assertEqual(self.starts(Scripted.boot, BEGIN + died + PANIC, BEGIN + ANSWERS), (1, False))

    def test_a_breakpoint_that_it_survived_is_no_reason(self):
        died = BEGIN + BREAKPOINTS[1].format("", "autofs4")
        self.assertEqual(self.starts(Scripted.boot, died, BEGIN + ANSWERS), (1, False))

    def test_a_hibernated_one_that_died_at_a_breakpoint_with_its_image_is_not_started_again(self):
        died = RESUME + BREAKPOINTS[1].format("", "autofs4") + PANIC
        self.assertEqual(self.starts(Scripted.resume, died, RESUME + ANSWERS), (1, False))

    def test_one_that_hangs_is_a_failure(self):
        self.assertEqual(self.starts(Scripted.boot, "", BEGIN + ANSWERS), (1, False))

    def test_a_kernel_that_always_dies_is_a_failure(self):
        self.assertEqual(self.starts(Scripted.boot, *[PANIC] * vm.STARTS, BEGIN + ANSWERS), (vm.STARTS, False))


if __name__ == "__main__":
    unittest.main()
