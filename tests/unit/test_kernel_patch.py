#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""make kernel-patch: the module in a kernel's source tree, as a graft and as a patch.

The trees here have of Debian's linux-source only what the graft reads; a whole one is built and booted by
tests/e2e/kernel_patch.py.
"""
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tests/qemu"))

import cache  # noqa: E402
import kernel as kernels  # noqa: E402
import testkernel  # noqa: E402

PLACE = "drivers/misc/dmacc"
HOOKS = {"drivers/misc/Kconfig": f'source "{PLACE}/Kconfig"', "drivers/misc/Makefile": "obj-$(CONFIG_DMACC)\t\t+= dmacc/"}


def sources():
    """What the module is compiled from, by its own list."""
    objects = (TOP / "kmod/Kbuild").read_text().replace("\\\n", " ").split("dmacc-y := ")[1].splitlines()[0].split()
    headers = [path for pattern in ("kmod/*.h", "uapi/core/*.h", "uapi/linux/*.h") for path in TOP.glob(pattern)]
    core = [TOP / "uapi/core" / name for name in ("devid.c", "kdf.c", "refusal.c", "server.c")]
    return {str(path.relative_to(TOP)) for path in headers + core} | {f"kmod/{name[:-2]}.c" for name in objects}


def skeleton():
    """The files of a kernel's source tree that the graft reads. It takes half a minute to find them in the archive."""
    series = testkernel.SERIES[0]

    def unpack(folder):
        names = [f"linux-source-{series}/{name}" for name in ("Makefile", "init/main.c", *HOOKS)]
        subprocess.run(["tar", "-C", folder, "--strip-components=1", "--occurrence=1", "-xf",
                        f"/usr/src/linux-source-{series}.tar.xz", *names], check=True)
    return cache.entry(f"kernel-skeleton-{testkernel.source_version(series)}", unpack)


def content(tree):
    return {str(path.relative_to(tree)): path.read_text() for path in tree.rglob("*") if path.is_file()}


class KernelPatch(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.folder = Path(place.name)

    def tree(self):
        return Path(shutil.copytree(skeleton(), self.folder / "linux"))

    def make(self, *arguments):
        return subprocess.run([TOP / "packaging/kernel/graft.py", *arguments], text=True, capture_output=True,
                              check=False)

    def graft(self, tree, *patch):
        done = self.make(tree, *patch)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)

    def refused(self, tree, pattern, *patch):
        before = content(tree) if tree.is_relative_to(self.folder) and tree.exists() else None
        done = self.make(tree, *patch)
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stderr, rf"kernel-patch: .*{pattern}")
        if before is not None:
            self.assertEqual(content(tree), before)

    def test_the_tree_has_the_modules_own_files_and_no_others(self):
        tree = self.tree()
        self.graft(tree)
        found = content(tree / PLACE)
        wanted = sources() | {"kmod/Kbuild", "VERSION"}
        self.assertEqual(set(found), wanted | {"Kconfig", "Makefile"})
        for name in wanted:
            self.assertEqual(found[name], (TOP / name).read_text(), name)

    def test_make_takes_the_tree_and_the_patch_as_variables(self):
        command = ["make", "-s", "-C", TOP, "--no-print-directory", "kernel-patch"]
        done = subprocess.run(command, text=True, capture_output=True, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("kernel-patch: which kernel tree? make kernel-patch KERNEL_TREE=DIR", done.stderr)
        tree, patch = self.tree(), self.folder / "dmacc.patch"
        subprocess.run([*command, f"KERNEL_TREE={tree}", f"PATCH={patch}"], stdout=subprocess.DEVNULL, check=True)
        self.assertIn(f"+++ b/{PLACE}/Kconfig\n", patch.read_text())
        self.assertFalse((tree / PLACE).exists())
        subprocess.run([*command, f"KERNEL_TREE={tree}"], stdout=subprocess.DEVNULL, check=True)
        self.assertTrue((tree / PLACE / "Kconfig").exists())

    def test_the_folder_above_names_it_once_and_keeps_all_else(self):
        tree = self.tree()
        before = {name: (tree / name).read_text().splitlines() for name in HOOKS}
        self.graft(tree)
        for name, hook in HOOKS.items():
            lines = (tree / name).read_text().splitlines()
            self.assertEqual(lines.count(hook), 1)
            self.assertEqual([line for line in lines if line != hook], before[name])
        self.assertEqual((tree / "drivers/misc/Kconfig").read_text().splitlines()[-2:],
                         [HOOKS["drivers/misc/Kconfig"], "endmenu"])

    def test_done_again_it_touches_nothing(self):
        tree = self.tree()
        self.graft(tree)
        before = {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in tree.rglob("*")}
        self.graft(tree)
        self.assertEqual({path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in tree.rglob("*")}, before)

    def test_an_older_version_is_brought_up_to_date_and_what_was_built_stays(self):
        tree = self.tree()
        self.graft(tree)
        wanted = content(tree)
        (tree / PLACE / "kmod/gone.c").touch()
        (tree / PLACE / "uapi/core/gone.h").touch()
        (tree / PLACE / "kmod/root.c").write_text("old")
        for name in ("kmod/root.o", "kmod/dmacc.mod.c"):
            (tree / PLACE / name).write_text("built")
        self.graft(tree)
        found = content(tree)
        self.assertEqual({found.pop(f"{PLACE}/kmod/root.o"), found.pop(f"{PLACE}/kmod/dmacc.mod.c")}, {"built"})
        self.assertEqual(found, wanted)

    def test_the_patch_makes_the_same_tree_and_leaves_the_first_alone(self):
        tree, patch = self.tree(), self.folder / "dmacc.patch"
        before = content(tree)
        self.graft(tree, patch)
        self.assertEqual(content(tree), before)
        for name, command in (("patched", ["patch", "-s", "-p1", "-i", patch]), ("applied", ["git", "apply", patch])):
            shutil.copytree(tree, self.folder / name)
            subprocess.run(command, cwd=self.folder / name, check=True)
        self.graft(tree)
        for name in ("patched", "applied"):
            self.assertEqual(content(self.folder / name), content(tree), name)

    def test_the_patch_of_a_grafted_tree_is_that_of_the_tree_before(self):
        tree = self.tree()
        self.graft(tree, self.folder / 'before')
        self.graft(tree)
        self.graft(tree, self.folder / 'after')
        self.assertEqual((self.folder / "after").read_text(), (self.folder / "before").read_text())

    def test_a_folder_that_is_no_kernel_tree_is_refused(self):
        self.refused(self.folder / "nowhere", "nowhere: there is no such folder")
        self.refused(TOP / "uapi", "is no kernel tree: it has no Makefile")
        tree = self.tree()
        (tree / "drivers/misc/Makefile").unlink()
        self.refused(tree, "is no kernel tree: it has no drivers/misc/Makefile")

    def test_headers_without_the_sources_are_refused(self):
        for series in kernels.SERIES:
            kdir = kernels.Kernel(series).kdir
            common = Path(f"{str(kdir).removesuffix('-amd64')}-common")
            self.refused(common, "headers only")
            self.refused(kdir, "its Makefile names no version")

    def test_a_kernel_that_is_too_old_or_has_no_version_is_refused(self):
        tree = self.tree()
        makefile = (tree / "Makefile").read_text()
        for version in ((5, 19), (6, 0), (4, 99)):
            (tree / "Makefile").write_text(makefile.replace("VERSION = 6", f"VERSION = {version[0]}", 1)
                                           .replace("PATCHLEVEL = 12", f"PATCHLEVEL = {version[1]}"))
            self.refused(tree, f"is Linux {version[0]}.{version[1]}; the module needs 6.1 or later")
        (tree / "Makefile").write_text("all:\n")
        self.refused(tree, "its Makefile names no version")

    def test_a_folder_of_somebody_else_in_its_place_is_refused(self):
        tree = self.tree()
        (tree / PLACE).mkdir()
        (tree / PLACE / "Kconfig").write_text("config OTHER\n")
        self.refused(tree, "is there, and is not ours")

    def test_a_refusal_leaves_an_older_patch_alone(self):
        patch = self.folder / "patch"
        patch.write_text("older")
        self.refused(self.folder / "nowhere", "no such folder", patch)
        self.assertEqual(patch.read_text(), "older")


if __name__ == "__main__":
    unittest.main()
