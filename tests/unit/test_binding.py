#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The devicetree binding: dt-schema accepts it and its examples, it refuses what the module would not take, and it has the
encodings that the module knows."""
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

import yaml

TOP = Path(__file__).resolve().parent.parent.parent
FOLDER = TOP / "uapi/devicetree"
BINDING = FOLDER / "dmacc,identity.yaml"
TREE = """/dts-v1/;
/ {
	compatible = "foo";
	model = "foo";
	#address-cells = <1>;
	#size-cells = <1>;
	fuse: fuse { };
	firmware {
		identity {
			compatible = "dmacc,identity";
			%s
		};
	};
};
"""
CELL = 'nvmem-cells = <&fuse>; nvmem-cell-names = "%s";'


def run(*command, **more):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, **more)
    return done.stdout + done.stderr


class Binding(unittest.TestCase):
    def complaints(self, source):
        """What dt-validate says of a tree."""
        with tempfile.NamedTemporaryFile(suffix=".dtb") as blob:
            done = subprocess.run(["dtc", "-@", "-q", "-I", "dts", "-O", "dtb", "-o", blob.name], input=source, text=True,
                                  capture_output=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            # -m: a node that no schema knows has not been checked
            return run("dt-validate", "-m", "-s", FOLDER, blob.name)

    def refused(self, node, word):
        said = self.complaints(TREE % node)
        self.assertIn("identity", said, node)
        self.assertIn(word, said, node)

    def test_dt_schema_accepts_it(self):
        self.assertEqual(run("dt-doc-validate", "-u", FOLDER, BINDING), "")

    def test_its_examples_are_right(self):
        examples = run("dt-extract-example", BINDING)
        self.assertEqual(examples.count('compatible = "dmacc,identity"'), 2)
        self.assertEqual(self.complaints(examples), "")

    def test_every_source_alone_or_with_others_is_right(self):
        for node in ('imei = "490154203237518";', 'meid = "A0000000002329";', 'esn = "80B9D4E7";', CELL % "meid",
                     f'{CELL % "imei"} dmacc,imei-encoding = "mobile-identity"; esn = "80B9D4E7";'):
            with self.subTest(node):
                self.assertEqual(self.complaints(TREE % node), "")

    def test_what_the_module_would_not_take_is_refused(self):
        for node, word in (('imei = "49015420323751";', "does not match"), ('imei = "IMEI:490154203237518";', "does not match"),
                           ('meid = "a0000000002329";', "does not match"), ('esn = "80B9D4E";', "does not match"),
                           ("", "one must be fixed"), (CELL % "serial", "is not one of"),
                           (f'{CELL % "imei"} dmacc,imei-encoding = "packed";', "is not one of"),
                           (f'{CELL % "meid"} dmacc,meid-encoding = "bcd";', "is not one of"),
                           ('imei = "490154203237518"; dmacc,imei-encoding = "bcd";', "is a dependency"),
                           ('imei = "490154203237518"; serial = "1";', "does not match any")):
            with self.subTest(node):
                self.refused(node, word)

    def test_it_has_the_encodings_that_the_module_knows(self):
        names = re.findall(r'\[DMACC_CELL_\w+\] = "([a-z-]+)"', (TOP / "kmod/cell.c").read_text())
        properties = yaml.safe_load(BINDING.read_text())["properties"]
        self.assertEqual(names, properties["dmacc,imei-encoding"]["enum"])
        self.assertEqual(names[0], properties["dmacc,imei-encoding"]["default"])
        for name in ("dmacc,meid-encoding", "dmacc,esn-encoding"):
            self.assertLess(set(properties[name]["enum"]), set(names))

    def test_the_module_reads_the_names_that_it_has(self):
        source = (TOP / "kmod/hardware.c").read_text() + (TOP / "kmod/hardware.h").read_text()
        for name in yaml.safe_load(BINDING.read_text())["properties"]:
            if name not in ("compatible", "nvmem-cells"):
                self.assertIn(f'"{name}"', source)
        self.assertIn('"dmacc,identity"', source)


if __name__ == "__main__":
    unittest.main()
