# SPDX-License-Identifier: LGPL-2.1-or-later
"""A library as a stranger gets it: installed, found by pkg-config, described by the manual page of its header."""
import json
import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ.get("DMACC_BUILD", TOP / "build"))


def run(*command, **options):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **options)


def must(*command, **options):
    done = run(*command, **options)
    if done.returncode:
        raise AssertionError(f"{command[0]}: {done.stdout}{done.stderr}")
    return done.stdout


def sanitizers():
    """What the library was built with, a program that uses it has to have as well."""
    options = json.loads(must("meson", "introspect", "--buildoptions", BUILD))
    chosen = next(option["value"] for option in options if option["name"] == "b_sanitize")
    return [] if chosen == "none" else [f"-fsanitize={chosen}", "-fno-sanitize-recover=all"]


def declared(header):
    """Names of the functions in a header."""
    code = re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.DOTALL)
    return set(re.findall(r"^(?!typedef)[\w *]*?\b(dmacc_\w+)\(", code, re.MULTILINE))


class Installed(unittest.TestCase):
    """Of a subclass: NAME of the library, HEADER, and what its tests expect."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.stage = Path(cls.folder.name) / "stage"
        must("meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", cls.stage)
        cls.library = next(cls.stage.rglob(f"{cls.NAME}.so.0"))
        cls.pc = next(cls.stage.rglob(f"{cls.NAME}.pc"))

    def pkg_config(self, *arguments):
        env = os.environ | {"PKG_CONFIG_PATH": str(self.pc.parent), "PKG_CONFIG_SYSROOT_DIR": str(self.stage)}
        return must("pkg-config", *arguments, env=env).split()

    def compile(self, source, *options):
        program = Path(self.folder.name) / "program"
        must("gcc", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Werror", *sanitizers(), *options,
             source, "-o", program, *self.pkg_config("--cflags", "--libs", self.NAME), "-lcrypto")
        return program

    def run_program(self, program, *arguments, **options):
        return run(program, *arguments, env=os.environ | {"LD_LIBRARY_PATH": str(self.library.parent)}, **options)


class Package:
    """Tests of any of them, to be mixed in."""

    def test_pkg_config_says_the_version(self):
        self.assertEqual(self.pkg_config("--modversion", self.NAME), [(TOP / "VERSION").read_text().strip()])

    def test_the_header_compiles_alone_and_strictly(self):
        source = Path(self.folder.name) / "alone.c"
        source.write_text(f"#include <dmacc/{self.HEADER.name}>\n{self.MAIN}\n")
        for standard in ("c99", "c11", "gnu17"):
            self.assertEqual(self.run_program(self.compile(source, f"-std={standard}", "-Wpedantic")).returncode, 0)

    def symbols(self):
        return must("nm", "-D", "--defined-only", "--with-symbol-versions", self.library)

    def test_exported_symbols_are_those_of_the_map_with_their_version(self):
        listed = re.findall(r"^\t(dmacc_\w+);$", (self.HEADER.parent / f"{self.NAME}.map").read_text(), re.MULTILINE)
        self.assertEqual(listed, sorted(set(listed)))
        exported = re.findall(r" [TDBRW] (\S+)$", self.symbols(), re.MULTILINE)
        self.assertEqual(sorted(exported), [f"{name}@@{self.VERSION}" for name in listed])

    def test_exported_symbols_are_those_of_the_header(self):
        exported = set(re.findall(r" (dmacc_\w+)@@", self.symbols()))
        self.assertEqual(exported, declared(self.HEADER))

    def test_it_needs_what_it_says_and_libc_alone(self):
        needed = re.findall(r"\(NEEDED\).*\[(\w+)", must("readelf", "-d", self.library))
        self.assertLessEqual(set(needed), {self.NEEDED, "libc", "libasan", "libubsan", "ld"})
        self.assertIn(self.NEEDED, needed)


class Manual:
    """The same of its page."""

    def page(self):
        return next(self.stage.rglob(f"{self.NAME}.3"))

    def test_it_names_every_function_of_the_header_and_is_found_by_that_name(self):
        text = self.page().read_text()
        self.assertGreater(len(declared(self.HEADER)), self.FUNCTIONS)
        for name in declared(self.HEADER):
            self.assertRegex(text, rf"(?m)^\.Fo {name}$")
            self.assertEqual(os.readlink(self.page().parent / f"{name}.3"), f"{self.NAME}.3")

    def test_mandoc_finds_nothing_wrong(self):
        self.assertEqual(must("mandoc", "-T", "lint", "-W", "warning", self.page()), "")

    def test_a_reader_sees_what_the_header_says(self):
        shown = must("mandoc", "-T", "utf8", self.page())
        shown = re.sub(r"\s+", " ", re.sub(r".\x08", "", shown))
        for words in self.WORDS:
            self.assertTrue(words in shown, words)
