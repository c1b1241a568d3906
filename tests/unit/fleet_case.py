# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of dmacc-fleet share: a folder, a key, a way to run it. DMACC_BUILD= names the build folder."""
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ.get("DMACC_BUILD", TOP / "build"))
FLEET = BUILD / "agent/dmacc-fleet/dmacc-fleet"
KV = bytes(range(32))
DEVICE = "IMEI:490154203237518"
ROW = "IMEI:490154203237518,HQU3K2QFHADCEVTNJZ4OUFUI,LX37WNX7VWGHGEZJ377UIPJCX4RCYCPK," \
      "VVWHHJPJY3VV7GRTDCYZB5W7PR4AZLSO"
HEADER = "DevId,UserName,ClientPW,ServerPW"


class Fleet(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.key = self.file("key", KV.hex() + "\n", 0o600)

    def file(self, name, text, mode=0o644):
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(mode)
        return path

    def fleet(self, *arguments, text="", **options):
        data = text if isinstance(text, bytes) else text.encode()
        return subprocess.run([FLEET, *arguments], input=data, capture_output=True, check=False, **options)

    def derive(self, *arguments, text=""):
        return self.fleet("derive", "--key", self.key, "--server-id", "com.example.dm", *arguments, text=text)

    def assert_nothing_done(self, done, sentence):
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertEqual(done.stdout, b"")
        self.assertIn(sentence, done.stderr.decode())
        self.assertEqual(done.stderr.count(b"\n"), 1, done.stderr)
