#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""dmacc.ko on Debian's stock kernels: built without a warning, and every command in a virtual handset.

The guest's scripts are module-*.sh beside this file; what they print is passed on as TAP.
"""
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parent.parent
sys.path.insert(0, str(HERE.parent / "qemu"))

import kernel as kernels  # noqa: E402
import vm  # noqa: E402

DEVICE_KEY = bytes.fromhex("ba946193ab736b31b712e4f52e4f43965b554e0557ea26c8e28a4997badaf499")
IMEI = ["IMEI:490154203237518"]


class Tap:
    """Numbers the tests of several guests through."""

    def __init__(self):
        self.count = self.failed = 0

    def test(self, ok, name, *details):
        self.count += 1
        self.failed += not ok
        print(f"{'ok' if ok else 'not ok'} {self.count} - {name}")
        for detail in details if not ok else ():
            print(f"# {detail}")

    def guest(self, name, guest):
        """Passes on what a guest's script found."""
        for line in guest.lines:
            if line.startswith(("ok ", "not ok ")):
                self.test(line.startswith("ok "), f"{name}: {line.split(' - ', 1)[1]}")
            elif line.startswith("#"):
                print(line)
        self.test(guest.status == 0, f"{name}: the script ended well", *guest.lines[-20:])
        self.test(not guest.kernel_warnings(), f"{name}: the kernel warned of nothing", *guest.dmesg[-60:])


def build_module(kernel, folder, tap):
    """dmacc.ko from a copy of the sources, so that the checkout stays clean."""
    source = Path(folder) / "source"
    source.mkdir()
    for name in ("Kbuild", "VERSION"):
        shutil.copy(TOP / name, source)
    for name in ("kmod", "uapi"):
        shutil.copytree(TOP / name, source / name, ignore=shutil.ignore_patterns("*.o", "*.ko", ".*.cmd"))
    checker = ["C=2", "CF=-Wsparse-error"] if shutil.which("sparse") else []
    done = subprocess.run(["make", "-C", kernel.kdir, f"M={source}", "W=1", *checker, "modules"], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    complaints = [line for line in done.stdout.splitlines() if "warning:" in line or "error:" in line]
    tap.test(done.returncode == 0 and not complaints, f"the module builds on {kernel.release} without a warning",
             *complaints, *done.stdout.splitlines()[-5:])
    return source / "kmod/dmacc.ko"


def build_probe(folder):
    probe = Path(folder) / "nlprobe"
    subprocess.run(["gcc", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror", "-static", f"-I{TOP / 'uapi'}",
                    HERE / "nlprobe.c", "-o", probe], check=True)
    return probe


class Handset:
    """Runs scripts in guests that all have the same module, probe and secrets."""

    def __init__(self, kernel, module, probe, tap):
        self.kernel, self.module, self.tap = kernel, module, tap
        master = os.urandom(32)
        self.files = {"guest/nlprobe": probe, "guest/guest.sh": HERE / "guest.sh", "guest/flip": HERE / "flip.sh",
                      "guest/master": master, "guest/other-master": os.urandom(32), "guest/zero": bytes(32),
                      "guest/short": master[:31], "guest/device-key": DEVICE_KEY,
                      "guest/secrets": f"{master.hex()}\n{DEVICE_KEY.hex()}\nVVWHHJPJ\nLX37WNX7\n".encode()}

    def boot(self, script, oem_strings, **more):
        files = self.files | {"guest/main": HERE / script} | more
        guest = vm.run(self.kernel, [self.module], files, oem_strings)
        self.tap.guest(f"{self.kernel.series} {script.removesuffix('.sh')}", guest)
        return guest


def test_kernel(series, tap):
    with tempfile.TemporaryDirectory() as folder:
        kernel = kernels.Kernel(series)
        module = build_module(kernel, folder, tap)
        handset = Handset(kernel, module, build_probe(folder), tap)
        factory = handset.boot("module-factory.sh", IMEI)
        blobs = {f"guest/{name}": bytes.fromhex(factory.values(name)[0]) for name in ("root", "unlocked", "slot")}
        handset.boot("module-field.sh", IMEI, **blobs)
        handset.boot("module-other.sh", ["IMEI:354358001352586"], **blobs)
        handset.boot("module-nobody.sh", ["490154203237518", "IMEI:490154203237517"])
        handset.boot("module-blob-identity.sh", [], **blobs)


def main():
    tap = Tap()
    for series in sys.argv[1:] or kernels.SERIES:
        test_kernel(series, tap)
    print(f"1..{tap.count}")
    return 1 if tap.failed or not tap.count else 0


if __name__ == "__main__":
    sys.exit(main())
