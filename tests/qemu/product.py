# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is installed into a virtual handset: userspace and module, built and installed as a distribution would."""
import contextlib
import fcntl
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import archive
import handset
import rootfs
from machine import MACHINES

TOP = Path(__file__).resolve().parent.parent.parent
# Not build/, which may have been configured for another prefix or with sanitizers
BUILD = TOP / "build-handset"
VERSION = (TOP / "VERSION").read_text(encoding="ascii").strip()
# What the module is made of
MODULE_SOURCES = ("Kbuild", "VERSION", "kmod/Kbuild", "kmod/*.[ch]", "uapi/core/*.[ch]", "uapi/linux/*.h")


@contextlib.contextmanager
def workplace():
    """A folder for disks and keys, gone afterwards; so it is if a signal ends this program."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    BUILD.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="work-", dir=BUILD) as folder:
        yield Path(folder)


def make(*arguments):
    rootfs.run(["make", "-C", TOP, "NO_APT=1", *arguments], env=os.environ | {"MAKEFLAGS": ""})


CROSS = """[binaries]
c = '{triplet}-gcc'
ar = '{triplet}-ar'
strip = '{triplet}-strip'
pkgconfig = 'pkg-config'

[built-in options]
c_args = ['--sysroot={sysroot}']
c_link_args = ['--sysroot={sysroot}']

[properties]
sys_root = '{sysroot}'
pkg_config_libdir = '{sysroot}/usr/lib/{triplet}/pkgconfig:{sysroot}/usr/share/pkgconfig'

[host_machine]
system = 'linux'
cpu_family = 'aarch64'
cpu = 'aarch64'
endian = 'little'
"""


def build_folder(machine):
    """Where userspace is built for a machine; that of another one has a folder of its own in the one of this."""
    return BUILD if machine.architecture == "amd64" else BUILD / machine.architecture


def userspace(machine):
    """Arguments of make."""
    folder, flags = build_folder(machine), "-Dtests=disabled"
    if folder != BUILD:
        folder.mkdir(parents=True, exist_ok=True)
        cross = folder / "cross.ini"
        text = CROSS.format(triplet=machine.triplet, sysroot=archive.sysroot(machine.architecture))
        # a newer file would have all configured anew
        if not cross.exists() or cross.read_text() != text:
            cross.write_text(text)
        flags += f" --cross-file={cross}"
    return f"B={folder}", f"MESONFLAGS={flags}"


def build_userspace():
    """For this machine; returns the build folder."""
    make("userspace", *userspace(MACHINES["amd64"]))
    return BUILD


def copy_changed(source, target):
    """So that a second build compiles only what is new."""
    if not target.exists() or source.stat().st_mtime_ns != target.stat().st_mtime_ns:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)


def module_folder(kernel):
    return f"{BUILD.name}/module-{kernel.release}"


def build_module(kernel):
    """The folder of a copy of the module's sources, built for this kernel: the checkout stays clean."""
    folder = TOP / module_folder(kernel)
    for pattern in MODULE_SOURCES:
        for source in TOP.glob(pattern):
            copy_changed(source, folder / source.relative_to(TOP))
    make("modules", f"KDIR={kernel.kdir}", f"M={folder}", *kernel.machine.kbuild)
    return folder


def install(kernel, folder):
    """Makes a folder in `folder` of what a handset has beyond Debian, and returns it. Builds what is not built."""
    tree = Path(folder) / f"tree-{kernel.release}"
    BUILD.mkdir(exist_ok=True)
    # two runs at once build one after the other
    with open(BUILD / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        module = build_module(kernel)
        make("install", *userspace(kernel.machine), f"DESTDIR={tree}")
        make("modules_install", f"KDIR={kernel.kdir}", f"M={module}", f"DESTDIR={tree}", *kernel.machine.kbuild)
    handset.add_channel(tree)
    return tree
