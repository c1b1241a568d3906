#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""NIST's CAVP file for KBKDF in counter mode against the KDF's layout.

    test_nist_kdf.py            runs the cases of HMAC_SHA256, counter before, 32 bits
    test_nist_kdf.py --emit     prints them: KI, fixed input, L, output; for a C program

The file is in Debian's package python3-cryptography-vectors.
"""
import re
import sys
import unittest
from pathlib import Path

import reference as ref

NAME = "KDF/nist-800-108-KBKDF-CTR.txt"
SECTION = {"PRF": "HMAC_SHA256", "CTRLOCATION": "BEFORE_FIXED", "RLEN": "32_BITS"}


def path():
    try:
        import cryptography_vectors
    except ImportError:
        sys.exit(f"{NAME} is missing: install the Debian package python3-cryptography-vectors")
    return Path(cryptography_vectors.__file__).parent / NAME


def cases():
    """The cases of our section whose output is one block: (KI, fixed input, L, output)."""
    section, case = {}, {}
    for line in path().read_text().splitlines():
        if found := re.fullmatch(r"\[(\w+)=(\w+)\]", line.strip()):
            if found[1] == "PRF":
                section = {}
            section[found[1]] = found[2]
        elif found := re.match(r"\s*(L|KI|FixedInputData|KO)\s*=\s*(\w+)", line):
            case[found[1]] = found[2]
            if found[1] == "KO":
                if section == SECTION and int(case["L"]) <= 256:
                    yield (bytes.fromhex(case["KI"]), bytes.fromhex(case["FixedInputData"]), int(case["L"]),
                           bytes.fromhex(case["KO"]))
                case = {}


class Cavp(unittest.TestCase):
    def test_every_case_of_one_block_is_met(self):
        count = 0
        for key, fixed, bits, output in cases():
            self.assertEqual(ref.counter_kdf(key, fixed, bits), output)
            count += 1
        # 40 cases a section; L is 128 or 256 in the first 20
        self.assertGreaterEqual(count, 20)

    def test_a_case_that_the_design_quotes_is_among_them(self):
        key = "dd1d91b7d90b2bd3138533ce92b272fbf8a369316aefe242e659cc0ae238afe0"
        output = "10621342bfb0fd40046c0e29f2cfdbf0"
        self.assertIn((key, output), [(c[0].hex(), c[3].hex()) for c in cases()])


if __name__ == "__main__":
    if sys.argv[1:] == ["--emit"]:
        for ki, fixed_input, length, ko in cases():
            print(ki.hex(), fixed_input.hex(), length, ko.hex())
    else:
        unittest.main()
