#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The module on a kernel that finds faults: KUnit, every script of test_module.py, trusted roots on a TPM,
allocations that fail, the kernel's style.

    test_kunit.py [6.12|6.1]

The kernel has KASAN, lockdep, kmemleak, UBSAN and more; a guest in which any of them says something
has failed. What KUnit reports is passed on as TAP.
"""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from test_factory import libraries
from test_module import HERE, IMEI, TOP, Handset, Tap, build_module, build_program, make_module, pass_on

sys.path.insert(0, str(HERE.parent / "qemu"))

import testkernel  # noqa: E402
import tpm as tpms  # noqa: E402
import vm  # noqa: E402

TOOLS = Path("/usr/bin/tpm2")
# KTAP in the kernel's log: a suite indents its cases once
PLAN = re.compile(r"^    1\.\.(\d+)$")
CASE = re.compile(r"^    (ok|not ok) \d+ (\S+)(?: .*)?$")
SUITE = re.compile(r"^    # Subtest: (\S+)$")
SCRIPT = b"""
insmod /lib/modules/*/updates/dmacc_kunit.ko && rmmod dmacc_kunit
"""


def report(tap, lines):
    """Passes KTAP on case by case; a suite that ended early has cases missing."""
    suite, planned, seen = None, 0, 0
    for number, line in enumerate(lines):
        if found := SUITE.match(line):
            suite = found[1]
        elif found := PLAN.match(line):
            planned += int(found[1])
        elif found := CASE.match(line):
            seen += 1
            tap.test(found[1] == "ok", f"kunit {suite}: {found[2].replace('_', ' ')}",
                     *lines[max(0, number - 12):number])
    tap.test(planned == seen and seen, f"kunit: as many cases ran as were planned, {seen} of {planned}", *lines[-60:])


def run_kunit(kernel, source, tap):
    make_module(kernel, source / "tests/kunit", "dmacc_kunit", tap)
    guest = vm.run(kernel, [source / "tests/kunit/dmacc_kunit.ko"], {"guest/main": SCRIPT})
    report(tap, guest.dmesg)
    pass_on(tap, f"{kernel.series} kunit", guest)


def check_audit(tap, guest):
    """Without a daemon that takes them the records are in the kernel's log."""
    records = [line for line in guest.dmesg if "dmacc op=" in line]
    tap.test(any(" op=open-root slot=? errno=0 " in line and line.endswith("res=1") for line in records),
             "what was done is in the audit records", *records)
    tap.test(any(" errno=" in line and " errno=0 " not in line and line.endswith("res=0") for line in records),
             "what was refused is, too", *records)
    tap.test(not any("4901542" in line for line in records), "no audit record has the identifier", *records)


class TrustedHandset(Handset):
    """Guests with a TPM, which scripts speak to with tpm2-tools."""

    # this kernel has no PCI, without which ACPI tells it of no device
    command_line = "tpm_tis.force=1"

    def __init__(self, kernel, module, folder, tap):
        super().__init__(kernel, module, folder, tap)
        self.folder = Path(folder)
        device = next(Path("/usr/lib").glob("*/libtss2-tcti-device.so.0"))
        self.files |= {"guest/tpm2": TOOLS, f"lib/{device.name}": device} | libraries(TOOLS) | libraries(device)
        self.files |= {"guest/nlnomem": build_program(folder, "nlnomem"), "guest/parent": b""}

    def boot_all(self):
        tpm = tpms.Tpm(self.folder / "tpm")
        self.boot("module-nomem.sh", [])
        factory = self.boot("module-trusted.sh", IMEI, tpm)
        blobs = {f"guest/{name}": bytes.fromhex(factory.values(name)[0]) for name in ("root", "slot")}
        self.boot("module-trusted-field.sh", IMEI, tpm, **blobs)
        self.boot("module-trusted-other.sh", IMEI, tpms.Tpm(self.folder / "other-tpm"), **blobs)
        self.boot("module-trusted-none.sh", IMEI, **blobs)
        self.boot("module-nomem.sh", [], tpm, also=" trusted", **{"guest/parent": b"0x8100dacc"})


def check_style(kernel, tap):
    command = ["perl", kernel.kdir / "scripts/checkpatch.pl", "--strict", "--no-tree", "--terse", "--no-summary",
               "--max-line-length=100", "--ignore=FILE_PATH_CHANGES", "-f"]
    for folder in ("kmod", "tests/kunit"):
        done = subprocess.run([*command, *sorted((TOP / folder).glob("*.[ch]"))], capture_output=True, text=True,
                              check=False)
        tap.test(done.returncode == 0, f"checkpatch --strict has nothing to say of {folder}", *done.stdout.splitlines(),
                 *done.stderr.splitlines())


def main():
    tap = Tap()
    for series in sys.argv[1:] or testkernel.SERIES[:1]:
        with tempfile.TemporaryDirectory() as folder:
            kernel = testkernel.TestKernel(series)
            check_style(kernel, tap)
            module = build_module(kernel, folder, tap)
            run_kunit(kernel, Path(folder) / "source", tap)
            check_audit(tap, Handset(kernel, module, folder, tap).boot_all())
            TrustedHandset(kernel, module, folder, tap).boot_all()
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
