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

import handset
import rootfs

TOP = Path(__file__).resolve().parent.parent.parent
# Not build/, which may have been configured for another prefix or with sanitizers
BUILD = TOP / "build-handset"


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


def build_userspace():
    make("userspace", f"B={BUILD}", "MESONFLAGS=-Dtests=disabled")
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
    for pattern in ("Kbuild", "VERSION", "kmod/Kbuild", "kmod/*.[ch]", "uapi/core/*.[ch]", "uapi/linux/*.h"):
        for source in TOP.glob(pattern):
            copy_changed(source, folder / source.relative_to(TOP))
    make("modules", f"KDIR={kernel.kdir}", f"M={folder}")
    return folder


def install(kernel, folder):
    """Makes a folder in `folder` of what a handset has beyond Debian, and returns it. Builds what is not built."""
    tree = Path(folder) / f"tree-{kernel.release}"
    BUILD.mkdir(exist_ok=True)
    # two runs at once build one after the other
    with open(BUILD / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        build_userspace()
        module = build_module(kernel)
        make("install", f"B={BUILD}", "MESONFLAGS=-Dtests=disabled", f"DESTDIR={tree}")
        make("modules_install", f"KDIR={kernel.kdir}", f"M={module}", f"DESTDIR={tree}")
    handset.add_channel(tree)
    return tree
