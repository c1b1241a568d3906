# SPDX-License-Identifier: LGPL-2.1-or-later
"""dmaccctl over module_double.c: a device with a factory store, which boots, is injected, and damaged."""
import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILD = Path(os.environ.get("DMACC_BUILD", HERE.parent.parent / "build"))
DOUBLE = BUILD / "tests/unit/dmaccctl-double"
IMEI = "IMEI:490154203237518"
OTHER_IMEI = "IMEI:356938035643809"
KEY_1 = "ba946193ab736b31b712e4f52e4f43965b554e0557ea26c8e28a4997badaf499"
KEY_2 = "35ce72f146cd78a39075eaa534dc408517b24cc9767ce2b0ffdde64d18c2df9f"
KEY_ID = "b694ff823ea00e66"


class Device:
    """A folder: the module's memory, the factory store, the report of the unsealing."""

    def __init__(self, folder, imei=IMEI):
        self.folder = Path(folder)
        self.folder.mkdir(exist_ok=True)
        self.imei = imei
        self.locked = False
        self.store = self.folder / "store"
        self.module = self.folder / "module"
        self.report_folder = self.folder / "report"

    def environment(self):
        bare = {name: value for name, value in os.environ.items() if not name.startswith("DMACC_")}
        bare |= {"DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nonexistent", "DMACC_MODULE": str(self.module)}
        if self.imei:
            bare["DMACC_HARDWARE"] = self.imei
        if self.locked:
            bare["DMACC_MODULE_LOCKED"] = "1"
        return bare

    def run(self, *arguments, text="", **environment):
        return subprocess.run([DOUBLE, *map(str, arguments)], input=text, capture_output=True, text=True,
                              env=self.environment() | environment, timeout=120, check=False)

    def factory(self, verb, *arguments, text="", **environment):
        return self.run("factory", verb, "--factory-store", self.store, *arguments, text=text, **environment)

    def reboot(self):
        self.module.unlink(missing_ok=True)

    def inject(self, slot="alpha", key=KEY_1, version=1, key_id=KEY_ID, *arguments):
        return self.factory("inject", "--master", "file", "--slot", slot, "--key-id", key_id, "--key-version", version,
                            *arguments, text=key)

    def doctor(self, *arguments):
        """(exit status, what it says as JSON)"""
        done = self.run("doctor", "--json", "--factory-store", self.store, "--unseal-report", self.report_folder, *arguments)
        return done.returncode, json.loads(done.stdout)

    def reported(self, *lines):
        """As dmacc-unseal writes it."""
        self.report_folder.mkdir(exist_ok=True)
        (self.report_folder / "report").write_text("\n".join(["dmacc-unseal-report 1", *lines, ""]))

    def files(self):
        """All that is stored: name -> content."""
        return {str(path.relative_to(self.store)): path.read_bytes()
                for path in sorted(self.store.rglob("*")) if path.is_file()}


def flip(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


class DeviceCase(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.device = Device(self.folder / "device")

    def ok(self, done):
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        return done.stdout

    def refused(self, done, sentence, status=2):
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        self.assertIn(sentence, done.stderr)
        return done

    def troubles(self):
        """{subject: state} of what doctor finds; its exit status agrees."""
        status, said = self.device.doctor()
        found = {trouble["subject"]: trouble["state"] for trouble in said["troubles"]}
        self.assertEqual((status, said["well"]), (1, False) if found else (0, True))
        return found
