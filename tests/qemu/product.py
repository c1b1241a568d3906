# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is installed into a virtual handset: userspace and module, built and installed as a distribution would."""
import os
import shutil
import subprocess
import sys
from pathlib import Path

import handset
import rootfs

TOP = Path(__file__).resolve().parent.parent.parent
# Not build/, which may have been configured for another prefix or with sanitizers
BUILD = TOP / "build-handset"


def make(*arguments):
    rootfs.run(["make", "-C", TOP, "NO_APT=1", *arguments], env=os.environ | {"MAKEFLAGS": ""})


def build_userspace():
    make("userspace", f"B={BUILD}")
    return BUILD


def copy_changed(source, target):
    """So that a second build compiles only what is new."""
    if not target.exists() or source.stat().st_mtime_ns != target.stat().st_mtime_ns:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)


def build_module(kernel):
    """The folder of a copy of the module's sources, built for this kernel: the checkout stays clean."""
    folder = BUILD / f"module-{kernel.release}"
    names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "Kbuild", "VERSION", "kmod", "uapi"], cwd=TOP,
                           text=True, capture_output=True, check=True).stdout.splitlines()
    for name in names:
        if (TOP / name).is_file():
            copy_changed(TOP / name, folder / name)
    make("modules", f"KDIR={kernel.kdir}", f"M={folder}")
    return folder


def install(kernel, folder):
    """Makes a folder in `folder` of what a handset has beyond Debian, and returns it. Builds what is not built."""
    tree = Path(folder) / f"tree-{kernel.series}"
    build_userspace()
    module = build_module(kernel)
    make("install", f"B={BUILD}", f"DESTDIR={tree}")
    make("modules_install", f"KDIR={kernel.kdir}", f"M={module}", f"DESTDIR={tree}")
    handset.add_channel(tree)
    return tree
