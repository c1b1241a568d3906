#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A kernel that finds faults, built from Debian's source of a series by test-kernel.config.

    testkernel.py kdir 6.1|6.12     prints the build tree, for make KDIR=; builds it if need be

It has KUnit, KASAN, lockdep, kmemleak, UBSAN and more. The build takes some minutes and is kept
by what it was made from: version of the source package, configuration and this script.
"""
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import cache

SERIES = ("6.12", "6.1")
FRAGMENT = Path(__file__).with_name("test-kernel.config")
# A module is built against headers, scripts and symbols: the other folders of the tree are not kept
KEPT = {"": ("arch", "include", "scripts", "tools"), "arch": ("x86",), "tools": ("objtool",)}


def source_version(series):
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", f"linux-source-{series}"], text=True,
                          capture_output=True, check=False)
    if done.returncode or not done.stdout:
        sys.exit(f"the source of Debian's kernel {series} is not installed: install linux-source-{series}")
    return done.stdout


def key(series):
    made_from = hashlib.sha256(source_version(series).encode())
    for part in (FRAGMENT, Path(__file__)):
        made_from.update(part.read_bytes())
    return made_from.hexdigest()[:16]


def make(tree, *arguments):
    done = subprocess.run(["nice", "make", "-C", tree, "-s", f"-j{os.cpu_count()}", *arguments], text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        sys.exit(f"the test kernel cannot be built: make {' '.join(arguments)}:\n{done.stdout[-3000:]}")


def configure(tree):
    """All off but what the fragment says; a line of it that the kernel did not take is an error."""
    make(tree, f"KCONFIG_ALLCONFIG={FRAGMENT}", "allnoconfig")
    got = (tree / ".config").read_text().splitlines()
    lost = [line for line in FRAGMENT.read_text().splitlines() if line.startswith("CONFIG_") and line not in got]
    if lost:
        sys.exit(f"{FRAGMENT.name}: this kernel does not take {' '.join(lost)}")


def prune(tree):
    for folder, kept in KEPT.items():
        for part in (tree / folder).iterdir():
            if part.is_dir() and part.name not in kept:
                shutil.rmtree(part)
    for name in ("vmlinux", "vmlinux.o", "vmlinux.a"):
        (tree / name).unlink(missing_ok=True)


class TestKernel:
    """Like kernel.Kernel, and can be used in its place."""

    command_line = "audit=1 page_poison=1 kmemleak=on"
    slowness = 4

    def __init__(self, series):
        self.series = f"test {series}"
        self.kdir = cache.entry(f"test-kernel-{series}-{key(series)}", lambda folder: self._build(series, folder))
        self.release = (self.kdir / "include/config/kernel.release").read_text().strip()
        self.image = self.kdir / "arch/x86/boot/bzImage"
        # that there are none, all being built in, is told by the files of this folder
        self.modules = self.kdir

    @staticmethod
    def _build(series, folder):
        archive = f"/usr/src/linux-source-{series}.tar.xz"
        subprocess.run(["nice", "tar", "-C", folder, "--strip-components=1", "-xf", archive], check=True)
        configure(folder)
        make(folder, "bzImage", "modules")
        prune(folder)


def main():
    if len(sys.argv) != 3 or sys.argv[1] != "kdir" or not re.fullmatch("|".join(SERIES), sys.argv[2]):
        sys.exit("usage: testkernel.py kdir 6.1|6.12")
    print(TestKernel(sys.argv[2]).kdir)


if __name__ == "__main__":
    main()
