#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""make check: runs every suite, counts what passed, ends with `N passed, N failed`.

    tests/check.py [--list] [--verbose] [SUITE...]

A suite is a command. What it prints tells how many tests it ran: TAP or KTAP lines,
Python's unittest, meson's log. A suite that prints none of these counts as one test by
its exit status, and one that fails without naming a failed test adds one.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
BUILD = TOP / "build-check"

TAP = re.compile(r"^\s*(not ok|ok) \d+(?! .*# SKIP)", re.MULTILINE)
RAN = re.compile(r"^Ran (\d+) tests? in", re.MULTILINE)
UNITTEST_BAD = re.compile(r"^FAILED \((.*)\)$", re.MULTILINE)


@dataclass
class Suite:
    """A command of make check. `meson`: counted by meson's log."""
    name: str
    command: list
    meson: bool = False
    env: dict = field(default_factory=dict)


def python_suites(folder, **options):
    """Every test_*.py of a folder is a suite of its own: it runs alone, in any order."""
    for path in sorted((TOP / folder).glob("test_*.py")):
        yield Suite(f"{folder}/{path.name}", [sys.executable, str(path)], **options)


def suites():
    """In the order in which a developer wants to hear of a failure: the quick ones first."""
    sanitizers = {"ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0", "UBSAN_OPTIONS": "halt_on_error=1",
                  "CMOCKA_MESSAGE_OUTPUT": "TAP", "DMACC_BUILD": str(BUILD)}
    yield Suite("static", [sys.executable, str(TOP / "tests/static.py")])
    reconfigure = ["--reconfigure"] if (BUILD / "build.ninja").exists() else []
    yield Suite("setup", ["meson", "setup", *reconfigure, "--werror", "-Db_sanitize=address,undefined",
                          "-Db_lundef=false", str(BUILD), str(TOP)])
    yield Suite("compile", ["ninja", "-C", str(BUILD), "--quiet"])
    yield Suite("unit", ["meson", "test", "-C", str(BUILD), "--no-rebuild", "--print-errorlogs"],
                meson=True, env=sanitizers)
    yield from python_suites("tests/unit", env=sanitizers)
    for path in sorted((TOP / "tests/conformance").glob("*.pl")):
        yield Suite(f"conformance/{path.name}", ["perl", "-w", str(path)])
    yield Suite("differential", [sys.executable, str(TOP / "tests/unit/differential.py"), "--count", "100000",
                                 "--fleet", str(BUILD / "agent/dmacc-fleet/dmacc-fleet")], env=sanitizers)
    yield from python_suites("tests/e2e")
    # more than a TPM bears; make check-power-cuts is the long series
    yield Suite("power-cuts", [sys.executable, str(TOP / "tests/e2e/power_cuts.py"), "--boots", "6"])


def count(output, status):
    """(passed, failed) of what a suite printed."""
    lines = TAP.findall(output)
    failed = lines.count("not ok")
    passed = lines.count("ok")
    for ran in RAN.findall(output):
        passed += int(ran)
    for bad in UNITTEST_BAD.findall(output):
        broken = sum(int(n) for n in re.findall(r"(?:failures|errors|unexpected successes)=(\d+)", bad))
        passed -= broken
        failed += broken
    if not lines and not RAN.search(output):
        passed = 1 if status == 0 else 0
    if status != 0 and not failed:
        failed = 1
    return max(passed, 0), failed


def count_meson(status):
    """The same from meson's log, where each test's own output is counted."""
    passed = failed = 0
    log = BUILD / "meson-logs/testlog.json"
    for line in log.read_text().splitlines():
        test = json.loads(line)
        ok = test["result"] in ("OK", "EXPECTEDFAIL")
        p, f = count(test.get("stdout") or "", 0 if ok else 1)
        passed, failed = passed + p, failed + f
    if not passed or (status != 0 and not failed):
        failed += 1
    return passed, failed


def run(suite, verbose):
    """Runs one suite; its output is shown when it fails."""
    started = time.monotonic()
    log = BUILD / "meson-logs/testlog.json"
    if suite.meson:
        log.unlink(missing_ok=True)
    done = subprocess.run(suite.command, cwd=TOP, env=os.environ | suite.env, text=True, errors="replace",
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if suite.meson and log.exists():
        passed, failed = count_meson(done.returncode)
    else:
        passed, failed = count(done.stdout, done.returncode)
    seconds = time.monotonic() - started
    print(f"{'ok  ' if not failed else 'FAIL'} {suite.name}: {passed} passed, {failed} failed, {seconds:.0f} s",
          flush=True)
    if failed or verbose:
        print("\n".join(f"    {line}" for line in done.stdout.splitlines()[-200:]), flush=True)
    return passed, failed


def main():
    parser = argparse.ArgumentParser(description="runs every suite of this project")
    parser.add_argument("--list", action="store_true", help="print the names of the suites")
    parser.add_argument("--verbose", action="store_true", help="show output of what passes, too")
    parser.add_argument("suite", nargs="*", help="only suites whose name contains one of these")
    args = parser.parse_args()
    chosen = [s for s in suites() if not args.suite or any(word in s.name for word in args.suite)]
    if args.list:
        print("\n".join(s.name for s in chosen))
        return 0
    if not chosen:
        parser.error("no such suite")
    passed = failed = 0
    for suite in chosen:
        p, f = run(suite, args.verbose)
        passed, failed = passed + p, failed + f
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
