#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Credentials of OMA DM messages: libdmacc and the reference give the same for random input."""
import base64
import os
import random
import subprocess
import unittest
from pathlib import Path

import reference as ref

BUILD = Path(os.environ.get("DMACC_BUILD", Path(__file__).resolve().parents[2] / "build"))
SEED = 20261125


def text(rng, longest):
    """What a name or password can be: no zero byte."""
    return bytes(rng.randrange(1, 256) for _ in range(rng.randrange(1, longest)))


class Digests(unittest.TestCase):
    def test_a_thousand_logins(self):
        rng = random.Random(SEED)
        logins = [(text(rng, 60), text(rng, 60), rng.randbytes(rng.randrange(0, 40)), rng.randbytes(rng.randrange(0, 900)))
                  for _ in range(1000)]
        lines = "".join(" ".join(field.hex() or "-" for field in login) + "\n" for login in logins)
        run = subprocess.run([BUILD / "tests/unit/digests"], input=lines, text=True, capture_output=True, check=True)
        given = run.stdout.splitlines()
        self.assertEqual(len(given), len(logins))
        for (name, password, nonce, content), line in zip(logins, given):
            kept = ref.stored(name, password)
            self.assertEqual(line.split(), [base64.b64encode(name + b":" + password).decode(),
                                            ref.login_digest(kept, nonce), ref.mac_digest(kept, nonce, content),
                                            ref.notification_digest(kept, nonce, content).hex()])


if __name__ == "__main__":
    unittest.main()
