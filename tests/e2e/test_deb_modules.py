#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""make deb-modules: the module as a package for one kernel, unsigned for the first series, signed for the last."""
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(TOP / "tests/qemu"), str(TOP / "tests/unit")]

import kernel as kernels  # noqa: E402
import signing  # noqa: E402
from packaging_case import VERSION, output, run  # noqa: E402

PLAIN, SIGNED = (kernels.Kernel(series) for series in (kernels.SERIES[0], kernels.SERIES[-1]))


def make(folder, *variables):
    return run("make", "-s", "-C", TOP, "--no-print-directory", "NO_APT=1", f"B={folder}", "deb-modules", *variables)


class DebModules(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        place = tempfile.TemporaryDirectory()
        cls.addClassCleanup(place.cleanup)
        cls.folder = Path(place.name)
        cls.key, cls.certificate = signing.make_key(cls.folder, "Test key of packages")
        cls.debs = {kernel: cls.build(kernel) for kernel in (PLAIN, SIGNED)}
        for kernel, deb in cls.debs.items():
            output("dpkg-deb", "-R", deb, cls.unpacked(kernel))

    @classmethod
    def build(cls, kernel):
        signed = [f"SIGN_KEY={cls.key}", f"SIGN_CERT={cls.certificate}"] if kernel is SIGNED else []
        done = make(cls.folder, f"KVER={kernel.release}", f"KDIR={kernel.kdir}", *signed)
        assert not done.returncode, done.stdout + done.stderr
        return Path(done.stdout.splitlines()[-1])

    @classmethod
    def unpacked(cls, kernel):
        return cls.folder / kernel.release

    def module(self, kernel):
        return self.unpacked(kernel) / "lib/modules" / kernel.release / "updates/dmacc.ko"

    def modinfo(self, kernel, field):
        return output("/sbin/modinfo", "-F", field, self.module(kernel)).strip()

    def refused(self, pattern, *variables):
        done = make(self.folder / "refused", *variables)
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, f"^deb-modules: .*{pattern}")
        self.assertEqual(list((self.folder / "refused").rglob("*.deb")), [])

    def test_it_has_the_module_for_that_kernel_and_nothing_else_that_runs(self):
        for kernel in self.debs:
            tree = self.unpacked(kernel)
            found = {str(path.relative_to(tree)) for path in tree.rglob("*") if path.is_file()}
            self.assertEqual({name for name in found if not name.startswith(("usr/share/doc/", "DEBIAN/"))},
                             {str(self.module(kernel).relative_to(tree))})
            self.assertEqual(self.modinfo(kernel, "vermagic").split()[0], kernel.release)
            self.assertEqual(self.modinfo(kernel, "version"), VERSION)

    def test_it_wants_that_kernel_and_is_what_dmacc_recommends(self):
        for kernel, deb in self.debs.items():
            fields = output("dpkg-deb", "-f", deb)
            image = f"linux-image-{kernel.release}"
            for line in (f"Package: dmacc-modules-{kernel.release}", f"Version: {VERSION}", "Architecture: amd64",
                         f"Depends: {image} | {image}-unsigned", f"Provides: dmacc-modules (= {VERSION})",
                         "Conflicts: dmacc-dkms", "Section: kernel"):
                self.assertIn(f"{line}\n", fields)
        control = (TOP / "packaging/debian/control").read_text()
        self.assertIn("Recommends:\n dmacc-dkms | dmacc-modules\n", control)

    def test_installing_and_removing_tell_depmod_of_that_kernel(self):
        for kernel in self.debs:
            for script in ("postinst", "postrm"):
                text = (self.unpacked(kernel) / "DEBIAN" / script).read_text()
                self.assertRegex(text, rf"(?m)^\tdepmod {re.escape(kernel.release)}$")
                self.assertNotIn("System.map", text)
                self.assertNotRegex(text, "modprobe|insmod")

    def test_lintian_finds_no_error_and_no_warning_nor_is_pedantic_about_it(self):
        done = subprocess.run(["lintian", "--pedantic", "--allow-root", "--fail-on", "error,warning,pedantic",
                               *self.debs.values()], text=True, capture_output=True, check=False)
        self.assertEqual((done.stdout.strip(), done.returncode), ("", 0), done.stdout + done.stderr)

    def test_modinfo_names_the_signer_of_a_signed_module_only(self):
        self.assertEqual(self.modinfo(SIGNED, "signer"), "Test key of packages")
        self.assertEqual(self.modinfo(SIGNED, "sig_hashalgo"), "sha256")
        self.assertEqual(self.modinfo(PLAIN, "signer"), "")

    def test_the_signature_is_of_the_module_as_it_is_packed(self):
        signed = self.module(SIGNED).read_bytes()
        content, signature = signing.split(signed)
        (self.folder / "content").write_bytes(content)
        (self.folder / "signature").write_bytes(signature)
        verify = ["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", self.folder / "signature", "-content",
                  self.folder / "content", "-certfile", self.certificate.with_suffix(".pem"), "-nointern", "-noverify",
                  "-out", os.devnull]
        self.assertEqual(subprocess.run(verify, capture_output=True, check=False).returncode, 0)
        (self.folder / "content").write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        self.assertNotEqual(subprocess.run(verify, capture_output=True, check=False).returncode, 0)

    def test_the_key_is_not_in_the_package(self):
        secret = self.key.read_text().splitlines()[1]
        for path in self.unpacked(SIGNED).rglob("*"):
            self.assertFalse(path.is_file() and secret.encode() in path.read_bytes(), path)
        self.assertNotIn(secret, (self.folder / "deb/log-modules").read_text())

    def test_what_is_missing_is_named(self):
        self.refused("there are no headers of 6.99.0-1-amd64 in .*: install linux-headers-6.99.0-1-amd64, or say KDIR=",
                     "KVER=6.99.0-1-amd64")
        self.refused(f"is of {re.escape(PLAIN.release)}, not of 6.99.0-1-amd64", "KVER=6.99.0-1-amd64", f"KDIR={PLAIN.kdir}")
        of_plain = (f"KVER={PLAIN.release}", f"KDIR={PLAIN.kdir}")
        self.refused("SIGN_KEY= and SIGN_CERT= belong together", *of_plain, f"SIGN_KEY={self.key}")
        self.refused("SIGN_KEY: /nowhere cannot be read", *of_plain, "SIGN_KEY=/nowhere", f"SIGN_CERT={self.certificate}")
        self.refused("6.1_x: a kernel's release with such characters", "KVER=6.1_x")
        self.refused("riscv64: this is for amd64 and arm64", *of_plain, "ARCH=riscv64")


if __name__ == "__main__":
    unittest.main()
