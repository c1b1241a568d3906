#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Kernels of our own, with trusted keys, built from Debian's source of a series by the *.config beside this file.

    testkernel.py kdir|handset-kdir 6.1|6.12    prints the build tree, for make KDIR=; builds it if need be

TestKernel finds faults: KUnit, KASAN, lockdep, kmemleak, UBSAN and more; it boots guests in memory. HandsetKernel is
quick and boots a virtual handset. A build takes some minutes and is kept by what it was made from: version
of the source package, configuration and the steps here.
"""
import inspect
import os
import shutil
import subprocess
import sys
from pathlib import Path

import cache
from machine import MACHINES

SERIES = ("6.12", "6.1")
SHARED = "test-kernel.config"
# A module is built against headers, scripts and symbols: the other folders of the tree are not kept
KEPT = {"": ("arch", "include", "scripts", "tools"), "arch": ("x86",), "tools": ("objtool",)}


def source_version(series):
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", f"linux-source-{series}"], text=True,
                          capture_output=True, check=False)
    if done.returncode or not done.stdout:
        sys.exit(f"the source of Debian's kernel {series} is not installed: install linux-source-{series}")
    return done.stdout


def read(*fragments):
    return "".join(Path(__file__).with_name(name).read_text() for name in fragments)


def make(tree, *arguments):
    done = subprocess.run(["nice", "make", "-C", tree, "-s", f"-j{os.cpu_count()}", *arguments], text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        sys.exit(f"the test kernel cannot be built: make {' '.join(arguments)}:\n{done.stdout[-3000:]}")


def configure(tree, config):
    """All off but what `config` says; a line of it that the kernel did not take is an error."""
    given = tree / "given.config"
    given.write_text(config)
    make(tree, f"KCONFIG_ALLCONFIG={given}", "allnoconfig")
    got = (tree / ".config").read_text().splitlines()
    lost = [line for line in config.splitlines() if line.startswith("CONFIG_") and line not in got]
    if lost:
        sys.exit(f"this kernel does not take {' '.join(lost)}")


def prune(tree):
    for folder, kept in KEPT.items():
        for part in (tree / folder).iterdir():
            if part.is_dir() and part.name not in kept:
                shutil.rmtree(part)
    for name in ("vmlinux", "vmlinux.o", "vmlinux.a"):
        (tree / name).unlink(missing_ok=True)


def steps(series, config, folder):
    """Fills the folder; what these functions say is part of what a build is kept by."""
    archive = f"/usr/src/linux-source-{series}.tar.xz"
    subprocess.run(["nice", "tar", "-C", folder, "--strip-components=1", "-xf", archive], check=True)
    configure(folder, config)
    make(folder, "bzImage", "modules")
    prune(folder)


def key(series, config):
    how = [inspect.getsource(step) for step in (steps, configure, make, prune)]
    return cache.digest(source_version(series), config, str(KEPT), *how)


class OwnKernel:
    """Like kernel.Kernel, and can be used in its place."""

    command_line = ""
    slowness = 1
    machine = MACHINES["amd64"]
    name = fragment = None

    def __init__(self, series):
        self.series = f"{self.name} {series}"
        config = read(SHARED, self.fragment)
        of = key(series, config)
        # part of the release, so that what is kept of a kernel under its release is of this one
        config += f'CONFIG_LOCALVERSION="-{self.name}-{of[:8]}"\n'
        self.kdir = cache.entry(f"{self.name}-kernel-{series}-{of}", lambda folder: steps(series, config, folder))
        self.release = (self.kdir / "include/config/kernel.release").read_text().strip()
        self.image = self.kdir / "arch/x86/boot/bzImage"
        # that there are none, all being built in, is told by the files of this folder
        self.modules = self.kdir


class TestKernel(OwnKernel):
    """Finds faults, for guests in memory."""

    command_line = "audit=1 page_poison=1 kmemleak=on"
    slowness = 4
    name, fragment = "test", "faults.config"


class HandsetKernel(OwnKernel):
    """Quick, for virtual handsets."""

    name, fragment = "handset", "handset.config"


KERNELS = {"kdir": TestKernel, "handset-kdir": HandsetKernel}


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in KERNELS or sys.argv[2] not in SERIES:
        sys.exit(f"usage: testkernel.py {'|'.join(KERNELS)} 6.1|6.12")
    print(KERNELS[sys.argv[1]](sys.argv[2]).kdir)


if __name__ == "__main__":
    main()
