#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Puts the module into a kernel's source tree, as drivers/misc/dmacc with CONFIG_DMACC.

    graft.py TREE           makes it there
    graft.py TREE PATCH     writes it as a patch for patch -p1 or git apply; TREE stays as it is

The sources are the same files as those of the module that is built by itself. Done again, it brings them up to date; what
is the same is not touched, so that a kernel that was built is not built anew.
"""
import difflib
import os
import re
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
PARENT = "drivers/misc"
PLACE = f"{PARENT}/dmacc"
KCONFIG = f'source "{PLACE}/Kconfig"\n'
MAKEFILE = "obj-$(CONFIG_DMACC)\t\t+= dmacc/\n"
OLDEST = (6, 1)
SOURCES = ("VERSION", "kmod/Kbuild", "kmod/*.[ch]", "uapi/core/*.[ch]", "uapi/linux/*.h")
SUBFOLDER_MAKEFILE = "# SPDX-License-Identifier: GPL-2.0-only\nobj-$(CONFIG_DMACC) += kmod/\n"


def die(sentence):
    sys.exit(f"kernel-patch: {sentence}")


def ours(path):
    """Made by a build, or for userspace only."""
    return not path.name.endswith(".mod.c") and path.name != "devid_read.c"


def check_version(tree):
    if not (tree / "Makefile").is_file():
        die(f"{tree} is no kernel tree: it has no Makefile")
    found = re.search(r"^VERSION = (\d+)\nPATCHLEVEL = (\d+)$", (tree / "Makefile").read_text(), re.MULTILINE)
    if not found:
        die(f"{tree} is no kernel's source tree: its Makefile names no version")
    if (int(found[1]), int(found[2])) < OLDEST:
        die(f"{tree} is Linux {found[1]}.{found[2]}; the module needs {OLDEST[0]}.{OLDEST[1]} or later")


def check(tree):
    if not tree.is_dir():
        die(f"{tree}: there is no such folder")
    check_version(tree)
    if not (tree / "init/main.c").is_file():
        die(f"{tree} has a kernel's headers only; this needs its source tree")
    for name in (f"{PARENT}/Kconfig", f"{PARENT}/Makefile"):
        if not (tree / name).is_file():
            die(f"{tree} is no kernel tree: it has no {name}")
    kconfig = tree / PLACE / "Kconfig"
    if (tree / PLACE).exists() and not (kconfig.is_file() and "config DMACC\n" in kconfig.read_text()):
        die(f"{tree / PLACE} is there, and is not ours")


def plain(tree):
    """The tree's two files as they are without the graft: name -> text."""
    return {name: "".join(line for line in (tree / name).read_text().splitlines(True) if line != hook)
            for name, hook in ((f"{PARENT}/Kconfig", KCONFIG), (f"{PARENT}/Makefile", MAKEFILE))}


def grafted(tree):
    """Every file as it is to be. The hooks come last: a tree whose hooks name the folder has it."""
    files = {f"{PLACE}/{path.relative_to(TOP)}": path.read_text()
             for pattern in SOURCES for path in sorted(TOP.glob(pattern)) if ours(path)}
    files[f"{PLACE}/Kconfig"] = (TOP / "kmod/Kconfig").read_text()
    files[f"{PLACE}/Makefile"] = SUBFOLDER_MAKEFILE
    kconfig, makefile = plain(tree).values()
    menu, end, rest = kconfig.rpartition("\nendmenu\n")
    if not end:
        die(f"{tree / PARENT}/Kconfig does not end its menu")
    files[f"{PARENT}/Kconfig"] = f"{menu}\n{KCONFIG}endmenu\n{rest}"
    files[f"{PARENT}/Makefile"] = makefile + MAKEFILE
    return files


def replace(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.dmacc-new")
    new.write_text(text)
    if path.exists():
        new.chmod(path.stat().st_mode & 0o777)
    os.replace(new, path)


def graft(tree, files):
    for path in (tree / PLACE).rglob("*.[ch]"):
        # of an older version; what a build left stays
        if str(path.relative_to(tree)) not in files and not path.name.endswith(".mod.c"):
            path.unlink()
    for name, text in files.items():
        path = tree / name
        if not path.is_file() or path.read_text() != text:
            replace(path, text)


def patch(tree, files):
    before = plain(tree)
    for name in sorted(files):
        old = before.get(name)
        yield f"diff --git a/{name} b/{name}\n"
        if old is None:
            yield "new file mode 100644\n"
        yield from difflib.unified_diff((old or "").splitlines(True), files[name].splitlines(True),
                                        f"a/{name}" if old else "/dev/null", f"b/{name}")


def main():
    arguments = [argument for argument in sys.argv[1:] if argument]
    if not arguments:
        die("which kernel tree? make kernel-patch KERNEL_TREE=DIR")
    tree = Path(arguments[0])
    check(tree)
    files = grafted(tree)
    try:
        if len(arguments) > 1:
            replace(Path(arguments[1]), "".join(patch(tree, files)))
            print(f"{arguments[1]} is there; patch -p1 or git apply takes it")
        else:
            graft(tree, files)
            print(f"{tree / PLACE} is there; CONFIG_DMACC=m or y builds it")
    except OSError as error:
        die(f"{error.filename}: {error.strerror}")


if __name__ == "__main__":
    main()
