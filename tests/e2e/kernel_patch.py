#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""make kernel-patch on a whole source tree of Debian's: built with CONFIG_DMACC=y and then =m, and booted.

    kernel_patch.py [--tree DIR] [6.12|6.1]

A tree in DIR is used, or made there, and kept; else it is made in a temporary folder. It takes a kernel's build, which
is ten minutes of two processors, and three guests.
"""
import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from test_module import HERE, IMEI, TOP, Handset, Tap

sys.path.insert(0, str(HERE.parent / "qemu"))

import testkernel  # noqa: E402
from machine import MACHINES  # noqa: E402

PLACE = "drivers/misc/dmacc"
# beside what the module needs: what it reads the identifier from, so that all of it is linked
ALSO = 'CONFIG_OF=y\nCONFIG_NVMEM=y\nCONFIG_LOCALVERSION="-grafted"\n'


class GraftedKernel:
    """Can be used in the place of kernel.Kernel."""

    command_line = ""
    slowness = 3
    machine = MACHINES["amd64"]

    def __init__(self, tree, series, form, tap):
        self.kdir = self.modules = tree
        self.series = f"grafted {series} ={form}"
        self.image = tree / "arch/x86/boot/bzImage"
        testkernel.configure(tree, testkernel.read(testkernel.SHARED) + ALSO + f"CONFIG_DMACC={form}\n")
        tap.test(f"CONFIG_DMACC={form}\n" in (tree / ".config").read_text(), f"the tree takes CONFIG_DMACC={form}")
        self._compile(tap)
        testkernel.make(tree, "bzImage", "modules")
        self.release = (tree / "include/config/kernel.release").read_text().strip()

    def _compile(self, tap):
        """What the compiler says of our files with W=1; of others it says much."""
        testkernel.make(self.kdir, "prepare")
        for path in (self.kdir / PLACE).rglob("*.o"):
            path.unlink()
        done = subprocess.run(["nice", "make", "-C", self.kdir, "-s", "W=1", f"{PLACE}/"], text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        objects = len(list((self.kdir / PLACE).rglob("*.o")))
        tap.test(done.returncode == 0 and "warning:" not in done.stdout and objects > 10,
                 f"{self.series}: the module builds in the tree without a warning", *done.stdout.splitlines())


def make_tree(tree, series, tap):
    if not (tree / "Makefile").exists():
        tree.mkdir(parents=True, exist_ok=True)
        subprocess.run(["nice", "tar", "-C", tree, "--strip-components=1", "-xf",
                        f"/usr/src/linux-source-{series}.tar.xz"], check=True)
    done = subprocess.run(["make", "-s", "-C", TOP, "kernel-patch", f"KERNEL_TREE={tree}"], text=True,
                          capture_output=True, check=False)
    tap.test(done.returncode == 0, f"make kernel-patch takes Debian's {series}", done.stdout, done.stderr)


def installed(tree, folder, tap):
    """The module that modules_install installs."""
    testkernel.make(tree, f"INSTALL_MOD_PATH={folder}", "modules_install")
    found = list(Path(folder).rglob("dmacc.ko"))
    tap.test([path.parts[-6:] for path in found] == [("kernel", *PLACE.split("/"), "kmod", "dmacc.ko")],
             "=m: modules_install installs it", *found)
    return found[0] if found else None


def run(tree, series, folder, tap):
    make_tree(tree, series, tap)
    more = {"guest/version": (TOP / "VERSION").read_bytes()}
    kernel = GraftedKernel(tree, series, "y", tap)
    handset = Handset(kernel, None, folder, tap)
    handset.modules = []
    handset.boot("module-builtin.sh", IMEI, **more, **{"guest/form": b"y"})
    handset.command_line = "dmacc.locked=1"
    handset.boot("module-builtin-locked.sh", IMEI)
    kernel = GraftedKernel(tree, series, "m", tap)
    module = installed(tree, Path(folder) / "installed", tap)
    Handset(kernel, module, folder, tap).boot("module-builtin.sh", IMEI, **more, **{"guest/form": b"m"})


def main():
    parser = argparse.ArgumentParser(description="builds and boots kernels that the module was grafted into")
    parser.add_argument("--tree", type=Path, help="the tree, which is kept; made if it is not there")
    parser.add_argument("series", nargs="?", choices=testkernel.SERIES, default=testkernel.SERIES[0])
    args = parser.parse_args()
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        run((args.tree or Path(folder) / "linux").absolute(), args.series, folder, tap)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
