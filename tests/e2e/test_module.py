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
from tap import Tap  # noqa: E402

DEVICE_KEY = bytes.fromhex("ba946193ab736b31b712e4f52e4f43965b554e0557ea26c8e28a4997badaf499")
IMEI = ["IMEI:490154203237518"]


def pass_on(tap, name, guest):
    """What a guest's script found."""
    for line in guest.lines:
        if line.startswith(("ok ", "not ok ")):
            tap.test(line.startswith("ok "), f"{name}: {line.split(' - ', 1)[1]}")
        elif line.startswith("#"):
            print(line)
    tap.test(guest.status == 0, f"{name}: the script ended well", *guest.lines[-20:])
    tap.test(not guest.kernel_warnings(), f"{name}: the kernel warned of nothing", *guest.dmesg[-60:])


def copy_sources(folder):
    """What a module is built from, so that the checkout stays clean."""
    source = Path(folder) / "source"
    source.mkdir()
    for name in ("Kbuild", "VERSION"):
        shutil.copy(TOP / name, source)
    for name in ("kmod", "uapi", "tests/kunit", "tests/unit"):
        shutil.copytree(TOP / name, source / name, ignore=shutil.ignore_patterns("*.o", "*.ko", ".*.cmd"))
    return source


def make_module(kernel, source, what, tap, *arguments):
    done = subprocess.run(["make", "-C", kernel.kdir, f"M={source}", "W=1", *kernel.machine.kbuild, *arguments,
                           "modules"], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    complaints = [line for line in done.stdout.splitlines() if "warning:" in line or "error:" in line]
    tap.test(done.returncode == 0 and not complaints, f"{what} builds on {kernel.release} without a warning",
             *complaints, *done.stdout.splitlines()[-5:])


def build_module(kernel, folder, tap):
    source = copy_sources(folder)
    checker = ["C=2", "CF=-Wsparse-error"] if shutil.which("sparse") else []
    make_module(kernel, source, "the module", tap, *checker)
    return source / "kmod/dmacc.ko"


def build_program(folder, name, source=HERE, compiler="gcc"):
    """A program for the guest, which has no libraries."""
    program = Path(folder) / name
    subprocess.run([compiler, "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror", "-static", f"-I{TOP / 'uapi'}",
                    f"-I{HERE}", source / f"{name}.c", HERE / "nl.c", "-o", program], check=True)
    return program


class Handset:
    """Runs scripts in guests that all have the same module, probe and secrets."""

    command_line = ""

    def __init__(self, kernel, module, folder, tap):
        self.kernel, self.modules, self.tap = kernel, [module], tap
        master = os.urandom(32)
        programs = [build_program(folder, name, compiler=kernel.machine.compiler) for name in ("nlprobe", "nlfuzz")]
        self.files = {**{f"guest/{program.name}": program for program in programs},
                      "guest/guest.sh": HERE / "guest.sh", "guest/flip": HERE / "flip.sh",
                      "guest/master": master, "guest/other-master": os.urandom(32), "guest/zero": bytes(32),
                      "guest/short": master[:31], "guest/device-key": DEVICE_KEY,
                      "guest/secrets": f"{master.hex()}\n{DEVICE_KEY.hex()}\nVVWHHJPJ\nLX37WNX7\n".encode()}

    def boot(self, script, identifiers, tpm=None, also="", nodes="", options=(), parts=(), **more):
        """`also` is added to the script's name, if that is run with more than one setting. `nodes`, `options`, `parts`
        are for vm.run().
        """
        files = self.files | {"guest/main": HERE / script} | more
        guest = vm.run(self.kernel, self.modules, files, identifiers, self.command_line, tpm=tpm, nodes=nodes,
                       options=options, parts=parts)
        pass_on(self.tap, f"{self.kernel.series} {script.removesuffix('.sh')}{also}", guest)
        return guest


    def boot_all(self):
        """Every guest's script, the factory's first, for it makes what the others are given."""
        factory = self.boot("module-factory.sh", IMEI)
        blobs = {f"guest/{name}": bytes.fromhex(factory.values(name)[0]) for name in ("root", "unlocked", "slot")}
        self.boot("module-field.sh", IMEI, **blobs)
        self.boot("module-other.sh", ["IMEI:354358001352586"], **blobs)
        self.boot("module-nobody.sh", ["490154203237518", "IMEI:490154203237517"])
        self.boot("module-blob-identity.sh", [], **blobs)
        self.boot("module-fuzz.sh", IMEI, **blobs)
        return factory


def test_kernel(series, tap):
    with tempfile.TemporaryDirectory() as folder:
        kernel = kernels.Kernel(series)
        Handset(kernel, build_module(kernel, folder, tap), folder, tap).boot_all()


def main():
    tap = Tap()
    for series in sys.argv[1:] or kernels.SERIES:
        test_kernel(series, tap)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
