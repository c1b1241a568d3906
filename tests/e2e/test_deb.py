#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The Debian packages as make deb leaves them: what Debian's own checkers say, what is in which, what scripts do."""
import os
import re
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(TOP / "tests/qemu"), str(TOP / "tests/unit")]

import kernel as kernels  # noqa: E402
import debs  # noqa: E402
from packaging_case import VERSION, output, run  # noqa: E402

NAMES = {"dmacc", "dmacc-dkms", "dmacc-doc", "dmacc-fleet", "dmacc-libdmclient", "libdmacc-client-dev",
         "libdmacc-client0", "libdmacc-dev", "libdmacc0"}
MULTI_ARCH = {"dmacc": "foreign", "dmacc-dkms": "foreign", "dmacc-doc": "foreign", "dmacc-fleet": "foreign",
              "dmacc-libdmclient": "same", "libdmacc-client-dev": "same", "libdmacc-client0": "same",
              "libdmacc-dev": "same", "libdmacc0": "same"}
# What the maintainer scripts meet: of the agent, of dmaccctl disable, of the factory
MADE = ("/var/lib/dmacc/account", "/var/lib/dmacc/nonces/account")
OWNERS = ("/etc/dmacc/disabled", "/etc/dmacc/accounts.d/operator.disabled")
FACTORY = ("/var/lib/dmacc-factory/root", "/var/lib/dmacc-factory/slots/operator", "/etc/credstore.encrypted/dmacc.master")


class Deb(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = debs.build()
        cls.debs = {path.name.split("_")[0]: path for path in cls.folder.glob("*.deb")}
        cls.place = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.place.cleanup)
        for name, path in cls.debs.items():
            output("dpkg-deb", "-R", path, f"{cls.place.name}/{name}")

    def field(self, package, name):
        return output("dpkg-deb", "-f", self.debs[package], name).strip()

    def unpacked(self, package):
        return Path(self.place.name) / package

    def files(self, package):
        """What is not a folder."""
        tree = self.unpacked(package)
        return {f"/{path.relative_to(tree)}" for path in tree.rglob("*") if path.is_symlink() or not path.is_dir()
                if path.parent.name != "DEBIAN"}

    def dkms_conf(self, name):
        conf = (self.unpacked("dmacc-dkms") / f"usr/src/dmacc-{VERSION}/dkms.conf").read_text()
        return re.search(rf'^{re.escape(name)}="(.*)"$', conf, re.MULTILINE)[1]

    def script(self, package, name):
        path = self.unpacked(package) / "DEBIAN" / name
        return path.read_text() if path.exists() else ""

    def test_each_package_is_there_and_no_other(self):
        self.assertEqual(set(self.debs), NAMES)

    def test_the_source_package_has_all_sources_and_what_debian_wants(self):
        packed = output("tar", "--quoting-style=literal", "-tf", self.folder / f"dmacc_{VERSION}.tar.xz").splitlines()
        found = {name.removeprefix(f"dmacc-{VERSION}/") for name in packed if not name.endswith("/")}
        listed = {name for name in output("git", "-C", TOP, "ls-files", "-z").split("\0") if (TOP / name).is_file()}
        debian = {f"debian/{path.relative_to(TOP / 'packaging/debian')}"
                  for path in (TOP / "packaging/debian").rglob("*") if path.is_file()}
        # some dot files are left out of every Debian source package; debs.build() does not ask for all of tests/
        wanted = {name for name in listed | debian if not name.startswith((".", "tests/"))}
        self.assertEqual(wanted - found, set())
        self.assertIn("tests/unit/meson.build", found)
        self.assertIn(f"\nVersion: {VERSION}\n", (self.folder / f"dmacc_{VERSION}.dsc").read_text())

    def test_lintian_finds_no_error_and_no_warning_nor_is_pedantic_about_it(self):
        done = run("lintian", "--pedantic", "--allow-root", "--fail-on", "error,warning,pedantic",
                   *self.folder.glob("*.changes"))
        self.assertEqual((done.stdout.strip(), done.returncode), ("", 0), done.stdout + done.stderr)

    def test_each_override_says_why(self):
        for path in (TOP / "packaging/debian").glob("*.lintian-overrides"):
            before = ""
            for line in path.read_text().splitlines()[1:]:
                self.assertTrue(line.startswith("#") or before, f"{path.name}: {line}")
                before = line

    def test_everything_was_compiled_hardened(self):
        # meson links with -pie and without the -fPIE that it compiled with
        done = run("blhc", "--ignore-line", r".*\] cc\s+-o .* -pie .*", self.folder / "log")
        self.assertEqual((done.stdout.strip(), done.returncode), ("", 0))

    def test_every_program_is_hardened(self):
        seen = 0
        for package in NAMES:
            for name in self.files(package):
                path = self.unpacked(package) / name[1:]
                if path.is_symlink() or path.read_bytes()[:4] != b"\x7fELF":
                    continue
                said = output("readelf", "-W", "-h", "-l", "-d", path)
                self.assertRegex(said, r"Type:\s+DYN", name)
                self.assertIn("GNU_RELRO", said, name)
                self.assertRegex(said, "BIND_NOW|FLAGS_1.*NOW", name)
                self.assertNotRegex(said, r"GNU_STACK.* RWE", name)
                seen += 1
        self.assertGreaterEqual(seen, 11)

    def test_all_have_the_version_of_the_sources(self):
        for package in NAMES:
            self.assertEqual(self.field(package, "Version"), VERSION, package)
        source = self.unpacked("dmacc-dkms") / f"usr/src/dmacc-{VERSION}"
        self.assertIn(f'PACKAGE_VERSION="{VERSION}"', (source / "dkms.conf").read_text())
        self.assertEqual((source / "VERSION").read_text().strip(), VERSION)
        library = next(self.unpacked("libdmacc0").glob("usr/lib/*/libdmacc.so.0"))
        said = output(self.unpacked("dmacc-fleet") / "usr/bin/dmacc-fleet", "--version",
                      env={"LD_LIBRARY_PATH": str(library.parent)})
        self.assertIn(VERSION, said)

    def test_packages_of_two_architectures_can_be_installed_at_once(self):
        self.assertEqual({package: self.field(package, "Multi-Arch") for package in NAMES}, MULTI_ARCH)
        for package in (name for name, kind in MULTI_ARCH.items() if kind == "same"):
            for name in self.files(package):
                self.assertTrue(name.startswith(("/usr/lib/x86_64-linux-gnu/", "/usr/include/", "/usr/share/")), name)

    def test_no_file_is_in_two_packages(self):
        owner = {}
        for package in NAMES:
            for name in self.files(package):
                self.assertNotIn(name, owner, f"{package} and {owner.get(name)}")
                owner[name] = package
        self.assertGreater(len(owner), 100)

    def test_what_make_install_installs_is_in_the_packages(self):
        packaged = set().union(*map(self.files, NAMES))
        # where Debian puts the same
        places = ((r"^/lib/", "/usr/lib/"), (r"/x86_64-linux-gnu/", "/"), ("/vendor-completions/", "/site-functions/"),
                  (r"\.gz$", ""))
        for pattern, place in places:
            packaged = {re.sub(pattern, place, name) for name in packaged}
        with tempfile.TemporaryDirectory() as folder:
            build = debs.product.build_userspace()
            debs.product.make("install", f"B={build}", "MESONFLAGS=-Dtests=disabled", f"DESTDIR={folder}")
            installed = {"/" + str(path.relative_to(folder)) for path in Path(folder).rglob("*")
                         if path.is_symlink() or not path.is_dir()}
        installed = {name.replace("/x86_64-linux-gnu/", "/") for name in installed}
        self.assertEqual(installed - packaged, set())
        self.assertGreater(len(installed), 100)

    def test_the_plugin_and_the_agent_are_apart(self):
        for name in self.files("dmacc"):
            self.assertNotIn("libdmclient", name)
        self.assertNotIn("libsystemd", self.field("libdmacc0", "Depends"))
        self.assertNotIn("systemd", self.field("dmacc-fleet", "Depends"))

    def test_dmacc_dkms_has_what_the_module_is_made_of_and_no_tests(self):
        source = f"/usr/src/dmacc-{VERSION}/"
        found = {name.removeprefix(source) for name in self.files("dmacc-dkms") if name.startswith(source)}
        wanted = {str(path.relative_to(TOP)) for pattern in ("kmod/*.[ch]", "uapi/core/*.[ch]", "uapi/linux/*.h")
                  for path in TOP.glob(pattern)} - {"kmod/dmacc.mod.c"}
        self.assertEqual(found, wanted | {"Kbuild", "VERSION", "dkms.conf", "kmod/Kbuild"})

    def test_the_packaged_module_source_builds_for_a_stock_kernel(self):
        kernel = kernels.Kernel(kernels.SERIES[-1])
        with tempfile.TemporaryDirectory() as folder:
            source = Path(shutil.copytree(self.unpacked("dmacc-dkms") / f"usr/src/dmacc-{VERSION}", f"{folder}/source"))
            make = self.dkms_conf("MAKE[0]")
            self.assertEqual(make.split()[-1], "modules")
            output("make", "-C", kernel.kdir, f"M={source}", "modules")
            built = source / self.dkms_conf("BUILT_MODULE_LOCATION[0]") / "dmacc.ko"
            self.assertEqual(output("/sbin/modinfo", "-F", "vermagic", built).split()[0], kernel.release)

    def test_dkms_is_told_of_kernels_that_the_module_is_for(self):
        exclusive = self.dkms_conf("BUILD_EXCLUSIVE_KERNEL")
        for release in (*(kernels.Kernel(series).release for series in kernels.SERIES), "6.10.2-amd64", "10.2.0-amd64"):
            self.assertRegex(release, exclusive)
        for release in ("6.0.12-amd64", "5.10.0-33-amd64", "4.19.0-9-amd64"):
            self.assertNotRegex(release, exclusive)

    def postrm(self, argument):
        """Runs dmacc's postrm with / elsewhere; returns what is left of all that there was."""
        with tempfile.TemporaryDirectory() as folder:
            for name in (*MADE, *OWNERS, *FACTORY):
                path = Path(folder + name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
            # debhelper's part is for units, which are not here
            script = re.sub(r"(?<![\w.])/(?=(usr|run|var|etc|lib)/)", f"{folder}/", self.script("dmacc", "postrm"))
            self.assertIn(f"{folder}/var/lib/dmacc", script)
            output("sh", "-s", argument, input=script)
            return {str(path).removeprefix(folder) for path in Path(folder).rglob("*") if path.is_file()}

    def test_purging_removes_accounts_and_what_was_disabled_and_never_the_factory_store(self):
        self.assertEqual(self.postrm("purge"), set(FACTORY))

    def test_removing_and_upgrading_remove_nothing_that_was_made(self):
        for argument in ("remove", "upgrade", "failed-upgrade", "abort-install", "disappear"):
            self.assertEqual(self.postrm(argument), {*MADE, *OWNERS, *FACTORY}, argument)

    def test_no_script_touches_the_factory_store_or_loads_a_module(self):
        for package in NAMES:
            for name in ("preinst", "postinst", "prerm", "postrm", "config"):
                lines = [line for line in self.script(package, name).splitlines() if not line.lstrip().startswith("#")]
                self.assertNotRegex("\n".join(lines), "dmacc-factory|credstore|modprobe|insmod|rmmod", f"{package} {name}")

    def test_installing_starts_only_what_waits_for_a_template(self):
        started = re.search(r"deb-systemd-invoke \$_dh_action (.*) >", self.script("dmacc", "postinst"))[1]
        self.assertEqual(re.findall(r"'(.*?)'", started), ["dmacc-templates.path", "dmaccd.service"])
        service = (self.unpacked("dmacc") / "lib/systemd/system/dmaccd.service").read_text()
        self.assertIn("ConditionPathExistsGlob=|/etc/dmacc/accounts.d/*.conf", service)

    def test_symbols_are_the_maps(self):
        for package, symbol_map in (("libdmacc0", "libdmacc/libdmacc.map"),
                                    ("libdmacc-client0", "libdmacc-client/libdmacc-client.map")):
            symbols = (TOP / f"packaging/debian/{package}.symbols").read_text()
            listed = set(re.findall(r"^ (dmacc_\w+)@", symbols, re.MULTILINE))
            self.assertEqual(listed, set(re.findall(r"^\t(dmacc_\w+);", (TOP / "agent" / symbol_map).read_text(), re.MULTILINE)))

    def test_autopkgtest_scripts_that_need_no_machine_pass_with_what_is_in_the_packages(self):
        folder = TOP / "packaging/debian/tests"
        names = [name for name, fields in debs.tests().items() if "Restrictions" not in fields]
        self.assertTrue(names)
        with tempfile.TemporaryDirectory() as place:
            tree, work = Path(place) / "tree", Path(place) / "work"
            for package in NAMES:
                shutil.copytree(self.unpacked(package), tree, symlinks=True, dirs_exist_ok=True)
            usr = tree / "usr"
            libraries = usr / "lib/x86_64-linux-gnu"
            found = {"PATH": f"{usr}/bin:{os.environ['PATH']}", "LD_LIBRARY_PATH": libraries, "LIBRARY_PATH": libraries,
                     "CPATH": usr / "include", "PKG_CONFIG_PATH": libraries / "pkgconfig", "AUTOPKGTEST_TMP": work}
            for name in names:
                work.mkdir()
                script = (folder / name).read_text().replace("/usr/share/doc/", f"{usr}/share/doc/")
                done = run("sh", "-s", input=script, env=os.environ | found)
                self.assertEqual((done.returncode, done.stderr), (0, ""), f"{name}: {done.stdout}")
                shutil.rmtree(work)

    def test_autopkgtest_definitions_name_scripts_and_packages_that_are_there(self):
        folder = TOP / "packaging/debian/tests"
        self.assertEqual(set(debs.tests()), {path.name for path in folder.iterdir()} - {"control"})
        for name, fields in debs.tests().items():
            for package in re.findall(r"\b(?:lib)?dmacc[-a-z0-9]*", fields["Depends"]):
                self.assertIn(package, NAMES)
            output("sh", "-n", folder / name)


if __name__ == "__main__":
    unittest.main()
