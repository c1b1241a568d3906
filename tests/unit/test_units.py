#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The units as they are built: what they let their programs do, and when they run."""
import os
import re
import subprocess
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
UNITS = Path(os.environ.get("DMACC_BUILD", TOP / "build")) / "packaging"


def exposure(unit):
    """What systemd-analyze makes of the sandbox: 0 is best, 10 is none."""
    out = subprocess.run(["systemd-analyze", "security", "--offline=yes", unit], cwd=UNITS, text=True,
                         capture_output=True, check=False)
    return float(re.search(r"exposure level for \S+: ([0-9.]+)", out.stdout)[1])


def conditions(unit):
    """Of which one that is true is enough."""
    return re.findall(r"^ConditionPathExistsGlob=[|](.*)$", (UNITS / unit).read_text(), re.MULTILINE)


class Units(unittest.TestCase):
    def test_systemd_understands_every_line(self):
        for unit in ("dmaccd.service", "dmacc-unseal.service", "dmacc-unseal-report.service", "dmacc-unseal-retry.service",
                     "dmacc-unseal-retry.timer", "dmacc-unseal-tpm.service", "dmacc-templates.service",
                     "dmacc-templates.path"):
            out = subprocess.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", f"./{unit}"],
                                 cwd=UNITS, text=True, capture_output=True, check=False)
            # the programs are not installed where a build is tested
            lines = [line for line in out.stderr.splitlines()
                     if unit in line and "is not executable" not in line]
            self.assertEqual(lines, [])

    def test_the_agent_is_exposed_at_most_1_0(self):
        self.assertLessEqual(exposure("dmaccd.service"), 1.0)

    def test_dmacc_unseal_which_needs_root_is_exposed_at_most_1_5(self):
        self.assertLessEqual(exposure("dmacc-unseal.service"), 1.5)

    def test_who_reports_a_failure_is_exposed_at_most_1_0(self):
        self.assertLessEqual(exposure("dmacc-unseal-report.service"), 1.0)

    def test_dmacc_import_has_no_sandbox_but_the_agents_and_its_own(self):
        for path in UNITS.glob("*.service"):
            self.assertNotIn("dmacc-import\n", path.read_text(), path.name)
        agent = (UNITS / "dmaccd.service").read_text()
        # what the agent starts cannot be more than the agent is
        self.assertIn("\nNoNewPrivileges=yes\n", agent)
        self.assertIn("\nCapabilityBoundingSet=\n", agent)
        # and is let confine itself further, which tests/unit/test_import.py looks at
        self.assertRegex(agent, r"\nSystemCallFilter=@system-service .*\bseccomp\b")

    def test_without_a_template_neither_agent_nor_unseal_runs(self):
        endings = {".conf", ".w7", ".tnds", ".xml", ".wbxml"}
        for unit in ("dmaccd.service", "dmacc-unseal.service", "dmacc-unseal-tpm.service"):
            found = [Path(condition) for condition in conditions(unit)]
            for folder in ("share/dmacc/accounts.d", "etc/dmacc/accounts.d"):
                self.assertEqual({path.suffix for path in found if str(path.parent).endswith(folder)}, endings)
            self.assertEqual(len(found), 2 * len(endings))

    def test_neither_runs_where_the_owner_has_disabled_them(self):
        for unit in ("dmaccd.service", "dmacc-unseal.service", "dmacc-unseal-tpm.service"):
            # not one of those of which one is enough
            self.assertRegex((UNITS / unit).read_text(), r"\nConditionPathExists=!/\S*etc/dmacc/disabled\n")

    def test_no_unit_can_write_a_core(self):
        for unit in ("dmaccd.service", "dmacc-unseal.service", "dmacc-unseal-report.service"):
            self.assertIn("\nLimitCORE=0\n", (UNITS / unit).read_text())


if __name__ == "__main__":
    unittest.main()
