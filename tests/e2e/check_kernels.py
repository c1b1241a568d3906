#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Debian's stock kernels one by one, and the newest that apt offers here: module and whole system, as a table.

    check_kernels.py [KERNEL]...                 6.1, 6.12; others as kernel.py names them, 6.1-arm64

Each row is test_module.py and test_handset.py on that kernel; what failed is printed before the table.
"""
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "qemu"))
sys.path.insert(0, str(HERE.parent))

import check  # noqa: E402
import kernel as kernels  # noqa: E402

HEADERS = re.compile(r"^linux-headers-((\d+\.\d+)\.[\w.+~]*(?:-\d+)?-amd64)$")
COLUMNS = ("kernel", "arch", "release", "build without warning", "module", "whole system")


def offered():
    """Releases of stock kernels whose headers apt knows: series -> the newest release."""
    names = subprocess.run(["apt-cache", "pkgnames", "linux-headers-"], text=True, capture_output=True, check=True).stdout
    found = [match for match in map(HEADERS.match, names.split()) if match]
    found.sort(key=lambda match: [int(number) for number in re.findall(r"\d+", match[1])])
    return {match[2]: match[1] for match in found}


def wanted():
    newest = list(offered().items())[-1:]
    for series, release in newest:
        print(f"# the newest stock kernel that apt offers here: {series} ({release})")
    return list(dict.fromkeys([*kernels.SERIES, *(series for series, _ in newest)]))


def run(script, series):
    """(passed, failed, what it printed); what failed is shown at once."""
    print(f"# {script} {series}", flush=True)
    done = subprocess.run([sys.executable, HERE / script, series], text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    passed, failed = check.count(done.stdout, done.returncode)
    if failed:
        print("\n".join(f"    {line}" for line in done.stdout.splitlines()[-200:]), flush=True)
    return passed, failed, done.stdout


def cell(passed, failed):
    return f"{passed} passed" if not failed else f"{failed} FAILED, {passed} passed"


def row_of(series):
    """The table's cells, and whether all is well."""
    kernel = kernels.Kernel(series)
    *module, printed = run("test_module.py", series)
    built = re.search(rf"^ok \d+ - the module builds on {re.escape(kernel.release)} without a warning$", printed, re.MULTILINE)
    *system, _ = run("test_handset.py", series)
    row = (series, kernel.machine.architecture, kernel.release, "yes" if built else "NO", cell(*module), cell(*system))
    return row, bool(built) and not module[1] and not system[1] and module[0] and system[0]


def main():
    rows = [row_of(series) for series in sys.argv[1:] or wanted()]
    for row in (COLUMNS, ("---",) * len(COLUMNS), *(row for row, _ in rows)):
        print(f"| {' | '.join(row)} |")
    return 0 if all(well for _, well in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
