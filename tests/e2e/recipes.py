#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Packages of RPM, Alpine and Yocto, built here as far as their tools or the functions of their recipes run on Debian.

    tests/e2e/recipes.py [Rpm|Alpine|Yocto...]

make check-recipes runs it. What it is that runs here, and what is not, is in the README.md of each folder.
"""
import concurrent.futures
import json
import os
import re
import shlex
import sys
import tempfile
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
DATA = TOP / "tests/e2e/data"
sys.path[:0] = [str(TOP / "tests/qemu"), str(TOP / "tests/unit")]

import bitbake  # noqa: E402
import kernel as kernels  # noqa: E402
import packaging_case as case  # noqa: E402
from packaging_case import VERSION, output, run  # noqa: E402

# Fedora's name of each Debian package
RPMS = {"dmacc": "dmacc", "dmacc-fleet": "dmacc-fleet", "dmacc-libdmclient": "dmacc-libdmclient",
        "dmacc-doc": "dmacc-doc", "libdmacc0": "libdmacc", "libdmacc-dev": "libdmacc-devel",
        "libdmacc-client0": "libdmacc-client", "libdmacc-client-dev": "libdmacc-client-devel"}


class Packaging(unittest.TestCase):
    """A folder for all that a distribution's packages are made in; `build()` makes them, once for its tests."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        cls.recipes = case.recipes(cls.folder / "recipes")
        cls.kernel = kernels.Kernel(kernels.SERIES[-1])
        cls.build()


class Rpm(Packaging):
    @classmethod
    def rpmbuild(cls, spec, *options):
        sources = cls.recipes / "rpm"
        environment = os.environ | {"PATH": f"{DATA}:{os.environ['PATH']}", "KMODTOOL_KERNELS": str(cls.folder / "kernels")}
        # %_specdir and %_sourcedir are one, as in Fedora's own repositories of packages
        return output("rpmbuild", "--nodeps", "--load", DATA / "fedora.macros", "--define", f"_topdir {cls.folder}/top",
                      "--define", f"_sourcedir {sources}", "--define", f"_specdir {sources}", *options,
                      sources / f"{spec}.spec", env=environment)

    @classmethod
    def build(cls):
        (cls.folder / "kernels").mkdir()
        (cls.folder / "kernels" / cls.kernel.release).symlink_to(cls.kernel.kdir)
        cls.rpmbuild("dmacc", "-ba")
        cls.rpmbuild("dmacc-kmod", "-ba", "--define", f"kernels {cls.kernel.release}")
        cls.rpms = {}
        for path in (cls.folder / "top/RPMS").rglob("*.rpm"):
            cls.rpms[output("rpm", "-qp", "--qf", "%{NAME}", path)] = path
        # as a device has them, without a database, for which one has to be root
        cls.root = cls.folder / "root"
        cls.root.mkdir()
        for path in cls.rpms.values():
            output("sh", "-c", 'rpm2cpio "$0" | cpio -idu --quiet --no-absolute-filenames', path, cwd=cls.root)

    def query(self, package, *options):
        return output("rpm", "-qp", *options, self.rpms[package]).splitlines()

    def files(self, package):
        """As Debian's, without what each RPM has of its own: licences, a README, links to debug information."""
        listed = self.query(package, "--qf", r"[%{FILENAMES}\t%{FILEMODES:perms}\n]")
        paths = {line.split("\t")[0] for line in listed if not line.split("\t")[1].startswith("d")}
        own = re.compile(r"/usr/share/licenses/|/usr/lib/\.build-id/|/usr/share/doc/dmacc/README\.md$")
        return {re.sub(r"\.gz$", "", path.replace("/usr/lib64/", "/usr/lib/")) for path in paths if not own.match(path)}

    def test_each_package_is_there_and_no_other(self):
        modules = {"dmacc-kmod-common", "akmod-dmacc", f"kmod-dmacc-{self.kernel.release}"}
        self.assertEqual(set(self.rpms), {*RPMS.values(), *modules})

    def test_each_package_has_the_files_of_debians(self):
        tree = Path(tempfile.mkdtemp(dir=self.folder))
        # what was installed is what meson installed: no file of it is outside the packages, or rpmbuild fails
        for package in RPMS.values():
            for name in self.query(package, "-l"):
                source, target = self.root / name[1:], tree / re.sub(r"\.gz$", "", name[1:].replace("usr/lib64/", "usr/lib/"))
                target.parent.mkdir(parents=True, exist_ok=True)
                if source.is_symlink():
                    target.symlink_to(re.sub(r"\.gz$", "", os.readlink(source)))
                elif source.is_dir():
                    target.mkdir(exist_ok=True)
                else:
                    target.touch()
        split = case.debian_split(tree)
        for debian, package in RPMS.items():
            self.assertEqual(self.files(package), split[debian], package)
        self.assertGreater(sum(map(len, split.values())), 100)

    def test_what_meson_installs_here_is_in_the_packages(self):
        build = self.folder / "meson"
        output("meson", "setup", "--prefix=/usr", "--libdir=lib", "-Dtests=disabled", build, TOP)
        installed = set(re.findall(r'": "(/.*?)"', output("meson", "introspect", "--installed", build)))
        self.assertEqual({path.replace("\\\\", "\\") for path in installed}, set().union(*map(self.files, RPMS.values())))

    def test_rpmlint_finds_no_error_and_no_warning(self):
        # two source packages at once are taken for one
        for packages in (self.rpms.values(), *([path] for path in (self.folder / "top/SRPMS").iterdir())):
            done = run("rpmlint", "--config", DATA / "rpmlint.toml", "--rpmlintrc", TOP / "packaging/rpm/dmacc.rpmlintrc",
                       "--ignore-unused-rpmlintrc", *packages)
            self.assertRegex(done.stdout, r" 0 errors, 0 warnings", done.stdout + done.stderr)

    def test_the_packaged_tool_computes_the_published_vectors(self):
        library = self.root / "usr/lib64"
        said = output(self.root / "usr/bin/dmacc-fleet", "selftest", env={"LD_LIBRARY_PATH": str(library)})
        self.assertIn(" 0 not met", said)
        said = output(self.root / "usr/bin/dmacc-fleet", "--version", env={"LD_LIBRARY_PATH": str(library)})
        self.assertIn(VERSION, said)

    def test_the_kmod_is_for_its_kernel_and_the_akmod_has_the_sources(self):
        module = self.root / f"lib/modules/{self.kernel.release}/extra/dmacc/dmacc.ko"
        self.assertEqual(output("/sbin/modinfo", "-F", "vermagic", module).split()[0], self.kernel.release)
        self.assertEqual(output("/sbin/modinfo", "-F", "version", module).strip(), VERSION)
        source = self.root / "usr/src/akmods/dmacc-kmod.latest"
        self.assertEqual(set(output("rpm", "-qlp", source).split()), {"dmacc-kmod.spec", f"dmacc-{VERSION}.tar.gz"})

    def test_an_akmod_builds_again_what_it_has_inside(self):
        again = self.folder / "again"
        environment = os.environ | {"PATH": f"{DATA}:{os.environ['PATH']}", "KMODTOOL_KERNELS": str(self.folder / "kernels")}
        output("rpmbuild", "--rebuild", "--nodeps", "--load", DATA / "fedora.macros", "--define", f"_topdir {again}",
               "--define", f"kernels {self.kernel.release}", self.root / "usr/src/akmods/dmacc-kmod.latest", env=environment)
        self.assertEqual(len([*again.glob(f"RPMS/*/kmod-dmacc-{self.kernel.release}-*.rpm")]), 1)

    def test_modules_want_what_is_shared_and_it_is_in_the_other_source(self):
        for package in ("akmod-dmacc", f"kmod-dmacc-{self.kernel.release}"):
            self.assertIn(f"dmacc-kmod-common >= {VERSION}", self.query(package, "--requires"))
        self.assertTrue(any(line.startswith(f"dmacc-kmod-common = {VERSION}-") for line in
                            self.query("dmacc-kmod-common", "--provides")))
        self.assertIn(f"dmacc-kmod >= {VERSION}", self.query("dmacc", "--recommends"))

    def test_libraries_need_nothing_of_systemd_where_debians_do_not(self):
        for package in ("libdmacc", "dmacc-fleet"):
            self.assertNotIn("libsystemd", "\n".join(self.query(package, "--requires")))

    def test_each_installed_unit_has_a_description_and_its_program(self):
        units = sorted((self.root / "usr/lib/systemd/system").iterdir())
        self.assertGreater(len(units), 8)
        for unit in units:
            self.assertTrue(re.search(r"^Description=", unit.read_text(), re.MULTILINE), unit)
            for program in re.findall(r"^ExecStart=-?(/usr/libexec/\S+)", unit.read_text(), re.MULTILINE):
                self.assertTrue(os.access(self.root / program[1:], os.X_OK), program)


class Alpine(Packaging):
    """The recipes' own functions, run by sh and by busybox's sh, which Alpine has, with data/abuild.sh around them."""

    @classmethod
    def build(cls):
        cls.agent = case.Aport(cls.recipes / "alpine/dmacc", cls.folder / "dmacc")
        cls.agent.run("abuild_build", "abuild_package")
        cls.source = case.Aport(cls.recipes / "alpine/dmacc-src", cls.folder / "dmacc-src")
        cls.source.run("abuild_build", "abuild_package")

    def test_each_package_has_the_files_of_debians(self):
        tree = case.install(self.folder / "tree", self.agent.work / f"src/dmacc-{VERSION}/output")
        found, wanted = self.agent.packages(), case.alpine_split(tree)
        self.assertEqual(set(found), set(wanted))
        for package in wanted:
            self.assertEqual(found[package], wanted[package], package)

    def test_check_fails_where_a_published_vector_does(self):
        fleet = self.agent.work / f"src/dmacc-{VERSION}/output/agent/dmacc-fleet/dmacc-fleet"
        whole = fleet.read_bytes()
        self.addCleanup(fleet.write_bytes, whole)
        # the first vector's user name
        self.assertIn(b"HQU3K2QFHADCEVTNJZ4OUFUI", whole)
        fleet.write_bytes(whole.replace(b"HQU3K2QFHADCEVTNJZ4OUFUI", b"HQU3K2QFHADCEVTNJZ4OUFUJ"))
        with self.assertRaises(AssertionError):
            self.agent.run('cd "$builddir"', "check")

    def test_akms_own_commands_build_the_module(self):
        for series in kernels.SERIES:
            kernel = kernels.Kernel(series)
            # as akms does: a copy of /usr/src/dmacc, in which its default build() runs, and then what was promised is there
            copy = self.folder / f"akms-{series}"
            output("cp", "-a", self.source.work / "pkg/dmacc-src/usr/src/dmacc", copy)
            built = output("sh", "-euc", """. ./AKMBUILD
                touch "$builddir"/Makefile
                make -s -C "$kernel_srcdir" M="$builddir" modules >&2
                for module in $built_modules; do echo "$builddir/$module"; done""",
                           cwd=copy, env=os.environ | {"builddir": str(copy), "kernel_srcdir": str(kernel.kdir)})
            for module in built.split():
                self.assertEqual(output("/sbin/modinfo", "-F", "vermagic", module).split()[0], kernel.release)

    def test_busybox_understands_the_recipes(self):
        for path in [*self.recipes.glob("alpine/*/APKBUILD"), *self.recipes.glob("alpine/*/dmacc.*-*"),
                     self.source.work / "pkg/dmacc-src/usr/src/dmacc/AKMBUILD"]:
            output("busybox", "sh", "-n", path)
        work = self.folder / "busybox"
        data = {"DATA": str(DATA), "APORT": str(self.source.folder), "ABUILD_WORK": str(work)}
        output("busybox", "sh", "-c", '. "$DATA/abuild.sh"; . "$APORT/APKBUILD"; abuild_prepare "$APORT"; abuild_package',
               env=os.environ | data)
        self.assertEqual({path.name: case.files(path) for path in (work / "pkg").iterdir()}, self.source.packages())

    def test_after_an_upgrade_only_an_agent_that_runs_is_marked(self):
        script = (self.recipes / "alpine/dmacc/dmacc.post-upgrade").read_text()
        for booted, active, wanted in ((True, 0, "set-property dmaccd.service Markers=+needs-restart"), (True, 3, ""),
                                       (False, 0, "")):
            with tempfile.TemporaryDirectory() as folder:
                systemctl = Path(folder) / "systemctl"
                systemctl.write_text(f'#!/bin/sh\ncase "$*" in *is-active*) exit {active} ;; esac\necho "$@"\n')
                systemctl.chmod(0o755)
                if booted:
                    Path(folder, "run").mkdir()
                said = output("sh", "-c", script.replace("/run/systemd/system", f"{folder}/run"),
                              env=os.environ | {"PATH": f"{folder}:{os.environ['PATH']}"})
                self.assertEqual(said.strip(), wanted)


class Musl(Packaging):
    """Every C file of the product against musl's headers, and every function that it calls."""
    # Headers of the libraries that are used, and of the kernel; those of glibc stay outside
    HEADERS = ("asm", "asm-generic", "curl", "ini.h", "json-c", "libnl3", "libwbxml-1.0", "libxml2", "linux", "openssl",
               "p11-kit-1", "seccomp*.h", "systemd", "tss2", "unicode")

    @classmethod
    def build(cls):
        output("tar", "-x", "-f", cls.recipes / f"dmacc-{VERSION}.tar.gz", "-C", cls.folder)
        cls.tree = cls.folder / "build"
        output("meson", "setup", "--prefix=/usr", "-Dtests=disabled", cls.tree, cls.folder / f"dmacc-{VERSION}")
        output("ninja", "-C", cls.tree, "uapi/vectors.h")
        cls.link_headers()
        commands = json.loads((cls.tree / "compile_commands.json").read_text())
        cls.commands = [command for command in commands if not command["output"].startswith("tests/")]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            cls.done = dict(zip((command["output"] for command in cls.commands), pool.map(cls.compile, cls.commands)))

    @classmethod
    def link_headers(cls):
        """A folder with the headers of libraries and of the kernel, and none of glibc's, which are beside them."""
        cls.headers = cls.folder / "headers"
        for place in ("/usr/include", "/usr/include/x86_64-linux-gnu"):
            for path in (path for pattern in cls.HEADERS for path in Path(place).glob(pattern)):
                # OpenSSL's configuration is in the second of them
                for header in path.rglob("*.h") if path.name == "openssl" else [path]:
                    link = cls.headers / header.relative_to(place)
                    link.parent.mkdir(parents=True, exist_ok=True)
                    link.symlink_to(header)

    @classmethod
    def compile(cls, command):
        """The very command of the build, by musl-gcc."""
        words = [re.sub(r"^-I/usr/include(?:/x86_64-linux-gnu)?(?=/|$)", f"-I{cls.headers}", word)
                 for word in shlex.split(command["command"])]
        return run("musl-gcc", *words[1:], "-O0", "-Werror", "-isystem", cls.headers, cwd=command["directory"])

    def symbols(self, *options):
        """{symbol: the first file that has it} by nm."""
        found = {}
        for line in output("nm", "-A", "-P", *options).splitlines():
            name, symbol = line.split(": ", 1)
            found.setdefault(re.sub("@.*", "", symbol.split()[0]), name)
        return found

    def test_every_file_compiles(self):
        self.assertGreater(len(self.done), 150)
        for name, done in self.done.items():
            with self.subTest(name):
                self.assertEqual(done.returncode, 0, done.stderr)

    def test_every_function_is_in_musl_or_in_a_library_that_is_used(self):
        objects = [self.tree / name for name, done in self.done.items() if not done.returncode]
        libraries = set(re.findall(r"/usr/lib/x86_64-linux-gnu/lib[\w.+-]+\.so", (self.tree / "build.ninja").read_text()))
        self.assertGreater(len(libraries), 8)
        libraries = {library for library in libraries if not re.search(r"/lib(c|dl|m|pthread)\.so$", library)}
        known = self.symbols("--defined-only", *objects) | self.symbols("-D", "--defined-only", *sorted(libraries))
        known |= self.symbols("-D", "--defined-only", "/usr/lib/x86_64-linux-musl/libc.so")
        # what the compiler and the linker bring
        known |= self.symbols("--defined-only", output("gcc", "-print-libgcc-file-name").strip())
        known["_GLOBAL_OFFSET_TABLE_"] = "ld"
        missing = {symbol: name for symbol, name in self.symbols("-u", *objects).items() if symbol not in known}
        self.assertEqual(missing, {})
        self.assertIn("strndup", self.symbols("-u", *objects))


class Yocto(Packaging):
    """What the classes module and meson do for the recipes, as far as that is make's and meson's."""

    @classmethod
    def build(cls):
        cls.agent = bitbake.Recipe(cls.recipes / f"yocto/recipes-dmacc/dmacc/dmacc_{VERSION}.bb")
        cls.module = bitbake.Recipe(
            cls.recipes / f"yocto/recipes-kernel/kernel-module-dmacc/kernel-module-dmacc_{VERSION}.bb")

    def unpacked(self, recipe, name):
        work = self.folder / name
        work.mkdir()
        output("tar", "-x", "-f", recipe.path.parent / f"files/dmacc-{VERSION}.tar.gz", "-C", work)
        return work / recipe.get("BP")

    def test_the_module_is_compiled_and_installed_as_the_class_module_does(self):
        for series in kernels.SERIES:
            kernel = kernels.Kernel(series)
            source = self.unpacked(self.module, f"module-{series}")
            # Debian keeps sources and what was built apart, as STAGING_KERNEL_DIR and STAGING_KERNEL_BUILDDIR are
            built = Path(os.path.realpath(kernel.kdir))
            sources = Path(re.sub(r"-(amd64|arm64)$", "-common", str(built)))
            self.assertTrue(sources.is_dir(), sources)
            image = self.folder / f"image-{series}"
            bare = {name: value for name, value in os.environ.items() if name not in ("CFLAGS", "CPPFLAGS", "LDFLAGS", "MAKEFLAGS")}
            tools = ("CC=gcc", "LD=ld", "OBJCOPY=objcopy", "STRIP=strip", f"O={built}", "KBUILD_EXTRA_SYMBOLS=",
                     f"KERNEL_SRC={sources}")
            output("make", *tools, f"KERNEL_PATH={sources}", f"KERNEL_VERSION={kernel.release}", "AR=ar",
                   cwd=source, env=bare)
            modules = image / f"usr/lib/modules/{kernel.release}"
            output("make", *tools, "DEPMOD=echo", f"MODLIB={modules}",
                   f"INSTALL_FW_PATH={image}/usr/lib/firmware", "modules_install", cwd=source, env=bare)
            # where MODULES_MODULE_SYMVERS_LOCATION, which the recipe does not set, lets the class look for it
            self.assertTrue((source / "Module.symvers").exists())
            # Debian's 6.12 has them compressed
            found = {path for path in case.files(image) if re.search(r"\.ko(\.xz)?$", path)}
            self.assertEqual({Path(path).name.removesuffix(".xz") for path in found}, {"dmacc.ko"})
            self.assertEqual(output("/sbin/modinfo", "-F", "vermagic", image / found.pop()[1:]).split()[0], kernel.release)

    def test_the_agent_is_configured_by_the_recipes_options(self):
        flags = self.agent.flags("PACKAGECONFIG")
        for index, (chosen, wanted) in enumerate((("p11-kit polkit", True), ("", False))):
            source = self.unpacked(self.agent, f"agent-{index}")
            options = [value.split(",")[0 if name[len("PACKAGECONFIG["):-1] in chosen.split() else 1]
                       for name, value in flags.items()]
            build = source / "build"
            output("meson", "setup", "--prefix=/usr", "--libdir=lib", "--libexecdir=libexec", "--sysconfdir=/etc",
                   "--buildtype=plain", *options, *self.agent.get("EXTRA_OEMESON").split(), build, source)
            installed = set(re.findall(r'": "(/.*?)"', output("meson", "introspect", "--installed", build)))
            self.assertEqual("/usr/share/polkit-1/actions/org.dmacc1.policy" in installed, wanted)
            self.assertEqual("token.c.o" in (build / "build.ninja").read_text(), wanted)
            self.assertEqual(self.agent.split({path.replace("\\\\", "\\") for path in installed})[None], set())


if __name__ == "__main__":
    unittest.main()
