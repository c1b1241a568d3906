#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Packages of RPM, Alpine and Yocto as far as it can be told in a minute; make check-recipes builds them."""
import hashlib
import re
import tempfile
import unittest
from pathlib import Path

import bitbake
import packaging_case as case
from packaging_case import TOP, VERSION

FEDORA = TOP / "tests/e2e/data/fedora.macros"


class Case(unittest.TestCase):
    """Each class has what recipes.sh makes, in `out`."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.out = case.recipes(cls.folder.name)


class Recipes(Case):
    def texts(self):
        for path in self.out.rglob("*"):
            if path.is_file() and not path.name.endswith(".tar.gz"):
                yield path, path.read_text()

    def test_nothing_is_left_to_fill_in(self):
        for path, text in self.texts():
            self.assertNotRegex(text, r"@[A-Z0-9]+@", path)
            self.assertFalse(path.name.endswith(".in"), path)

    def test_the_version_is_that_of_the_sources(self):
        seen = 0
        for path, text in self.texts():
            for found in re.findall(r"^(?:Version: *|pkgver=)(\S+)$", text, re.MULTILINE):
                self.assertEqual(found, VERSION, path)
                seen += 1
        self.assertEqual(seen, 4)
        self.assertEqual(len([*self.out.glob(f"yocto/recipes-*/*/*_{VERSION}.bb")]), 2)

    def test_the_archive_has_the_sources_and_nothing_that_was_built(self):
        names = case.output("tar", "--quoting-style=literal", "-tzf", self.out / f"dmacc-{VERSION}.tar.gz").splitlines()
        names = {name.removeprefix(f"dmacc-{VERSION}/") for name in names if not name.endswith("/")}
        tracked = set(case.output("git", "ls-files", "-zco", "--exclude-standard", cwd=TOP).split("\0"))
        self.assertEqual(names, {name for name in tracked if (TOP / name).is_file()})

    def test_the_same_sources_make_the_same_archive(self):
        with tempfile.TemporaryDirectory() as folder:
            again = case.recipes(folder) / f"dmacc-{VERSION}.tar.gz"
            self.assertEqual(again.read_bytes(), (self.out / again.name).read_bytes())

    def test_sh_finds_no_fault_in_the_scripts(self):
        for script in TOP.glob("packaging/*.sh"):
            case.output("sh", "-n", script)
            case.output("shellcheck", "-s", "sh", script)


class Rpm(Case):
    def spec(self, name, fmt, *options):
        return case.output("rpmspec", "--load", FEDORA, "-q", "--qf", fmt, *options, self.out / f"rpm/{name}.spec")

    def test_the_specs_are_understood_and_name_the_packages(self):
        names = {"dmacc", "dmacc-fleet", "dmacc-libdmclient", "dmacc-doc", "dmacc-kmod-common", "libdmacc",
                 "libdmacc-devel", "libdmacc-client", "libdmacc-client-devel"}
        said = self.spec("dmacc", "%{NAME} %{VERSION}\n").splitlines()
        self.assertEqual(set(said), {f"{name} {VERSION}" for name in names})

    def test_what_the_scriptlets_start_is_what_debian_starts(self):
        spec = (self.out / "rpm/dmacc.spec").read_text()
        preset = (TOP / "packaging/systemd/90-dmacc.preset").read_text()
        units = set(re.findall(r"^enable (\S+)$", preset, re.MULTILINE))
        for macro in ("post", "preun"):
            self.assertEqual(set(re.search(rf"^%systemd_{macro} (.*)$", spec, re.MULTILINE)[1].split()), units, macro)
        restarted = set(re.search(r"^%systemd_postun_with_restart (.*)$", spec, re.MULTILINE)[1].split())
        self.assertEqual(restarted, units - {"dmacc-unseal.service"})

    def test_each_filter_of_rpmlint_says_why(self):
        before = ""
        for line in (TOP / "packaging/rpm/dmacc.rpmlintrc").read_text().splitlines()[1:]:
            self.assertTrue(line.startswith("#") or before.startswith("#") or line == "", line)
            before = line

    def test_no_scriptlet_touches_the_factory_store_or_loads_a_module(self):
        scripts = self.spec("dmacc", "%{POSTIN}\n%{PREUN}\n%{POSTUN}\n")
        self.assertIn("dmaccd.service", scripts)
        self.assertNotRegex(scripts, "dmacc-factory|credstore|modprobe|insmod|rmmod|/var/lib/dmacc")


class Installed(Case):
    """Has what meson installs, too, in `tree`."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tree = case.install(Path(cls.folder.name) / "tree")


class Alpine(Installed):
    def aport(self, name):
        return case.Aport(self.out / "alpine" / name, tempfile.mkdtemp(dir=self.folder.name))

    def test_sh_finds_no_fault_in_the_recipes(self):
        # what abuild reads, and what it brings
        abuild = "SC2034,SC2154,SC3043"
        for path in (*self.out.glob("alpine/*/APKBUILD"), *self.out.glob("alpine/*/*.post-upgrade"),
                     *self.out.glob("alpine/*/AKMBUILD"), TOP / "tests/e2e/data/abuild.sh"):
            case.output("sh", "-n", path)
            case.output("shellcheck", "-s", "sh", "-e", abuild, path)

    def test_each_package_has_the_files_of_debians(self):
        aport = self.aport("dmacc")
        aport.run(f"package() {{ cp -a '{self.tree}'/. \"$pkgdir\"; }}", "abuild_package")
        found, wanted = aport.packages(), case.alpine_split(self.tree)
        self.assertEqual(set(found), set(wanted))
        for package in wanted:
            self.assertEqual(found[package], wanted[package], package)
            self.assertTrue(wanted[package], package)
        # folders that are there for an owner's files
        for folder in ("etc/dmacc/accounts.d", "usr/share/dmacc/accounts.d"):
            self.assertTrue((aport.work / "pkg/dmacc" / folder).is_dir(), folder)

    def test_the_modules_sources_are_debians_with_akms_instructions(self):
        aport = self.aport("dmacc-src")
        aport.run("abuild_package")
        found = {name.removeprefix("/usr/src/dmacc/") for name in aport.packages()["dmacc-src"]}
        self.assertEqual(found, case.module_sources() | {"AKMBUILD"})
        said = case.output("sh", "-c", '. "$0"; echo "$modname $modver $built_modules"',
                           aport.work / "pkg/dmacc-src/usr/src/dmacc/AKMBUILD")
        self.assertEqual(said, f"dmacc {VERSION} kmod/dmacc.ko\n")

    def test_a_wrong_checksum_is_noticed(self):
        aport = self.aport("dmacc-src")
        recipe = aport.folder / "APKBUILD"
        text = recipe.read_text()
        self.addCleanup(recipe.write_text, text)
        recipe.write_text(re.sub(r"^[0-9a-f]{128}", "0" * 128, text, flags=re.MULTILINE))
        with self.assertRaisesRegex(AssertionError, "did NOT match"):
            aport.run()


class Yocto(Installed):
    def recipe(self, name):
        path, = self.out.glob(f"yocto/recipes-*/*/{name}_{VERSION}.bb")
        return bitbake.Recipe(path)

    def test_each_line_of_the_recipes_is_understood(self):
        for name in ("dmacc", "kernel-module-dmacc"):
            self.assertIn("SUMMARY", self.recipe(name).values)
        self.assertIn("LAYERSERIES_COMPAT_dmacc", bitbake.Recipe(self.out / "yocto/conf/layer.conf").values)

    def test_the_checksums_of_licences_are_right(self):
        for name in ("dmacc", "kernel-module-dmacc"):
            listed = re.findall(r"file://(\S+);md5=(\S+)", self.recipe(name).get("LIC_FILES_CHKSUM"))
            self.assertTrue(listed)
            for path, checksum in listed:
                self.assertEqual(hashlib.md5((TOP / path).read_bytes()).hexdigest(), checksum, path)

    def test_the_archive_and_its_folder_are_where_the_recipes_look(self):
        for name in ("dmacc", "kernel-module-dmacc"):
            recipe = self.recipe(name)
            archive, = recipe.get("SRC_URI").split()
            path = recipe.path.parent / "files" / archive.removeprefix("file://")
            self.assertEqual(case.output("tar", "-tzf", path).split("/")[0], recipe.get("BP"))

    def test_each_package_has_the_files_of_debians(self):
        recipe = self.recipe("dmacc")
        found = recipe.split(case.files(self.tree))
        # one -dev and one -doc, as with Alpine, and names of libraries as there
        for package, wanted in case.alpine_split(self.tree, systemd=False).items():
            self.assertEqual(found.pop(package), wanted, package)
        self.assertEqual({package: names for package, names in found.items() if names}, {})

    def test_users_are_those_of_sysusers(self):
        text = (TOP / "packaging/systemd/dmacc.sysusers").read_text()
        wanted = {tuple(line.split()[1:2]) + (line.rsplit('"', 1)[1].strip() or "/",)
                  for line in text.splitlines() if line.startswith("u ")}
        made = {(line.split()[-1], re.search(r"--home-dir (\S+)", line)[1])
                for line in self.recipe("dmacc").get("USERADD_PARAM:dmacc").split(";")}
        self.assertEqual(made, wanted)

    def test_units_are_those_of_the_preset(self):
        preset = (TOP / "packaging/systemd/90-dmacc.preset").read_text()
        self.assertEqual(set(self.recipe("dmacc").get("SYSTEMD_SERVICE:dmacc").split()),
                         set(re.findall(r"^enable (\S+)$", preset, re.MULTILINE)))

    def test_options_are_mesons(self):
        options = set(re.findall(r"^option\('(\S+?)'", (TOP / "meson_options.txt").read_text(), re.MULTILINE))
        recipe = self.recipe("dmacc")
        used = re.findall(r"-D(\S+?)=", " ".join(recipe.flags("PACKAGECONFIG").values()) + recipe.get("EXTRA_OEMESON"))
        self.assertEqual(set(used), options)


if __name__ == "__main__":
    unittest.main()
