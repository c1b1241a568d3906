#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The oracle itself: published values, properties, and that the vector file is its."""
import base64
import json
import random
import subprocess
import tempfile
import unittest
from pathlib import Path

import make_vectors
import reference as ref

HERE = Path(__file__).resolve().parent
KV = bytes(range(32))
DEVICE = "IMEI:490154203237518"


class Published(unittest.TestCase):
    """Literals from elsewhere: the design's table, standards, other implementations."""

    def credentials(self, kind, server, generation, version):
        return ref.credentials(ref.device_key(KV, DEVICE, version), DEVICE, kind, server, generation)

    def test_key_id_and_device_keys_of_the_published_table(self):
        self.assertEqual(ref.key_id(KV, 1), "b694ff823ea00e66")
        self.assertEqual(ref.device_key(KV, DEVICE, 1).hex(),
                         "ba946193ab736b31b712e4f52e4f43965b554e0557ea26c8e28a4997badaf499")
        self.assertEqual(ref.device_key(KV, DEVICE, 2).hex(),
                         "35ce72f146cd78a39075eaa534dc408517b24cc9767ce2b0ffdde64d18c2df9f")

    def test_credentials_of_the_published_table(self):
        rows = [
            (ref.SERVER_ID, b"com.example.dm", 0, 1, "VVWHHJPJY3VV7GRTDCYZB5W7PR4AZLSO",
             "LX37WNX7VWGHGEZJ377UIPJCX4RCYCPK", "HQU3K2QFHADCEVTNJZ4OUFUI"),
            (ref.SERVER_ID, b"com.example.dm", 1, 1, "BEPKVOS264KC7UDKZQNSV5DHVEEBN5VR",
             "423OZKS4K2DFHQBQV2RAN3FDA6R6WWBE", "HQU3K2QFHADCEVTNJZ4OUFUI"),
            (ref.SERVER_ID, b"com.example.dm", 0, 2, "G6UW3J4EMHKFXHAKHXJSUAEW6PNNAHMK",
             "ODFMP4LNOK32WREALFK4NV6C3YJHMTTK", "BA6QJEM2SGYZ7YCDVF5CNKTI"),
            (ref.ADDR, b"https://dm.example.com:443/dm", 0, 1, "Y2UXHQGFDGILZA2QZFS5FY7BSRCAZJB7",
             "OEJ54LAWU2ILE54NPK5RIOTV7QKXM26L", "HQU3K2QFHADCEVTNJZ4OUFUI"),
        ]
        for kind, server, generation, version, server_pw, client_pw, user_name in rows:
            c = self.credentials(kind, server, generation, version)
            self.assertEqual((c.server_pw, c.client_pw, c.user_name), (server_pw, client_pw, user_name))

    def test_nonces_of_the_published_table(self):
        c = self.credentials(ref.SERVER_ID, b"com.example.dm", 0, 1)
        self.assertEqual(base64.b64encode(c.server_nonce), b"iwItlnHfA3PHHJ1ay9V1dQ==")
        self.assertEqual(base64.b64encode(c.client_nonce), b"pnDdm0BnEm0a3bC8ognyig==")

    def test_check_digits_of_the_standards(self):
        for imei in ("26053179311383" "7", "49015420323751" "8", "354178036859789", "493005100592800",
                     "354358001352586", "000000011234564"):
            self.assertEqual(ref.parse_devid(imei[:14].encode()), f"IMEI:{imei}")
        for wrong in (b"354178036859781", b"123456789012345"):
            with self.assertRaises(ref.Refused):
                ref.parse_devid(wrong)

    def test_meid_and_esn_forms_of_other_implementations(self):
        for text, devid in (("AF0123450ABCDEC", "MEID:AF0123450ABCDE"),
                            ("293608736500703710", "MEID:AF0123450ABCDE"),
                            ("268435456000009001", "MEID:A0000000002329"),
                            ("A00000000023299", "MEID:A0000000002329"),
                            ("270113177609606898", "MEID:A10000009296F2"),
                            ("ESN:23010485759", "ESN:E69FFFFF")):
            self.assertEqual(ref.parse_devid(text.encode()), devid)
        for pesn in (b"ESN:8016B128", b"ESN:8051F1AB"):
            with self.assertRaisesRegex(ref.Refused, "pesn"):
                ref.parse_devid(pesn)


class Unkeyed(unittest.TestCase):
    """The published examples of the factory tools, and each defect of what they compute."""
    IBM = ("IMEI:354358001352586", ref.SERVER_ID, b"ibm")

    def test_the_published_example_of_fcs11384(self):
        c = ref.unkeyed_credentials("fcs11384", *self.IBM)
        self.assertEqual((c.server_pw, c.client_pw, c.user_name),
                         ("EtYTmcmXUPjteHV8i+4f1g==", "6DEU6GduEznJfqD08puMyA==", "LXgpyGcdtADjNX9EsgBwpg=="))
        self.assertEqual(base64.b64encode(c.server_nonce), b"MTRZSjU1Tkk2NVJTMjVXQQ==")
        self.assertEqual(base64.b64encode(c.client_nonce), b"NTNMSTYyTUkyM0hFMzNTVA==")

    def test_tool_and_device_code_of_fcs11384_disagree_on_the_user_name_only(self):
        tool, device = (ref.unkeyed_credentials(name, *self.IBM) for name in ("fcs11384", "fcs11384-device"))
        self.assertEqual(device.user_name, "LxhR0dDtnrw+UIwoWk9Emw==")
        self.assertEqual(device, tool._replace(user_name=device.user_name))

    def test_the_published_example_of_fcs14345(self):
        imei = "000000011234564"
        self.assertEqual(ref.fcs14345_key(imei, ref.FCS14345_CLIENT_WEIGHTS), "6714-334202")
        self.assertEqual(ref.fcs14345_key(imei, ref.FCS14345_SERVER_WEIGHTS), "5519-273007")
        c = ref.unkeyed_credentials("fcs14345", f"IMEI:{imei}", ref.SERVER_ID, b"motorola")
        self.assertEqual((c.client_pw, c.server_pw, c.user_name), ("e068o0d4000ns003", "4068o0f7100ns02f", imei))

    def test_a_colon_in_the_server_would_give_two_devices_one_password(self):
        self.assertEqual(ref.hash_text(b"1:2" + b":" + b"3"), ref.hash_text(b"1" + b":" + b"2:3"))
        with self.assertRaisesRegex(ref.Refused, "profile"):
            ref.unkeyed_credentials("fcs11384", DEVICE, ref.SERVER_ID, b"1:2")

    def test_unshuffling_an_fcs14345_password_gives_the_imei_back(self):
        rng = random.Random(2)
        for _ in range(200):
            imei = ref.parse_devid("".join(rng.choices("0123456789", k=14)).encode())[5:]
            server = bytes(rng.choices(b"abcdefgh.", k=rng.randrange(1, 20)))
            for password in ref.fcs14345(imei, server)[1:3]:
                self.assertEqual(f"{int(ref.unshuffle(password)[6:], 36):015d}", imei)

    def test_only_24_bits_of_an_fcs14345_password_depend_on_the_server(self):
        """So few that two servers with one password are found in a moment."""
        seen = {}
        for number in range(20000):
            password = ref.fcs14345(DEVICE[5:], b"s%d" % number).client_pw
            self.assertRegex(ref.unshuffle(password), r"^[0-9a-f]{6}" + ref.base36(490154203237518) + "$")
            if password in seen:
                break
            seen[password] = number
        else:
            self.fail("no two servers share a password")

    def test_published_code_counts_hexadecimal_digits_of_an_meid_as_0(self):
        self.assertEqual({ref.unshuffle(ref.fcs14345(meid, b"s").client_pw)[6:]
                          for meid in ("A0000000002329", "B0000000002329", "AF0000000C2329")},
                         {ref.base36(2329)})
        with self.assertRaisesRegex(ref.Refused, "profile"):
            ref.unkeyed_credentials("fcs14345", "MEID:A0000000002329", ref.SERVER_ID, b"s")

    def test_published_code_runs_past_its_weights_for_a_long_identifier(self):
        ref.fcs14345_key("1" * 18, ref.FCS14345_CLIENT_WEIGHTS)
        with self.assertRaises(IndexError):
            ref.fcs14345_key("1" * 19, ref.FCS14345_CLIENT_WEIGHTS)
        with self.assertRaisesRegex(ref.Refused, "not-canonical"):
            ref.unkeyed_credentials("fcs14345", "IMEI:" + "1" * 19, ref.SERVER_ID, b"s")


class Login(unittest.TestCase):
    def test_the_printed_example_of_oma_dm(self):
        self.assertEqual(ref.login_digest(ref.stored(b"Bruce2", b"OhBehave"), b"Nonce"), "Zz6EivR3yeaaENcRN6lpAQ==")


class VectorFile(unittest.TestCase):
    def test_the_vector_file_is_what_the_reference_writes(self):
        self.assertEqual(make_vectors.FILE.read_text(), make_vectors.text())

    def test_every_reason_of_the_page_is_in_it(self):
        vectors = json.loads(make_vectors.FILE.read_text())
        reasons = {e["reason"] for e in vectors["identifiers"]["refused"]}
        self.assertEqual(reasons, {"missing", "prefix", "character", "length", "all-same", "check-digit",
                                   "range", "first-digit", "pesn"})
        self.assertEqual({e["reason"] for e in vectors["servers"]["refused"]},
                         {"missing", "length", "utf-8", "blank", "acl-character"})

    def test_the_c_header_compiles_without_a_warning_and_holds_the_same_bytes(self):
        vectors = json.loads(make_vectors.FILE.read_text())
        program = """#include <stdio.h>
        #include "vectors.h"
        int main(void) {
            for (unsigned i = 0; i < DMACC_VECTORS_REFUSED_COUNT; i++) {
                for (unsigned n = 0; n < dmacc_vectors_refused[i].input_len; n++)
                    printf("%02x", dmacc_vectors_refused[i].input[n]);
                printf(" %s\\n", dmacc_vectors_refused[i].reason);
            }
            return 0;
        }"""
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([HERE / "vectors_header.py", make_vectors.FILE, "-o", f"{folder}/vectors.h"], check=True)
            subprocess.run(["gcc", "-std=gnu11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-x", "c", "-",
                            "-I", folder, "-o", f"{folder}/print"], input=program, text=True, check=True)
            printed = subprocess.run([f"{folder}/print"], capture_output=True, text=True, check=True).stdout
        self.assertEqual(printed.splitlines(),
                         [f'{e["input_hex"]} {e["reason"]}' for e in vectors["identifiers"]["refused"]])


class Properties(unittest.TestCase):
    def test_what_is_read_is_canonical_and_reads_as_itself(self):
        rng = random.Random(1)
        read = 0
        for _ in range(20000):
            length = rng.choice((8, 11, 14, 15, 16, 18))
            text = "".join(rng.choice("0123456789ABCDEFabcdef"[:rng.choice((10, 22))]) for _ in range(length))
            text = rng.choice(("", "ESN:", "IMEI:", "MEID:")) + text
            try:
                devid = ref.parse_devid(text.encode(), spare_digit=True)
            except ref.Refused:
                continue
            ref.check_canonical(devid.encode())
            self.assertEqual(ref.parse_devid(devid.encode()), devid)
            read += 1
        self.assertGreater(read, 1000)


if __name__ == "__main__":
    unittest.main()
