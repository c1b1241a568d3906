#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""uapi/dmacc.yaml is the specification of the netlink family; header and policies have to say the same."""
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

import yaml

UAPI = Path(__file__).resolve().parent.parent.parent / "uapi"


def constant(*parts):
    return "".join(parts).replace("-", "_").upper()


def specified(spec):
    """{C name: value} of everything that the specification numbers."""
    names = {"DMACC_FAMILY_VERSION": spec["version"]}
    for definition in spec["definitions"]:
        if definition["type"] == "const":
            names[constant("dmacc-", definition["name"])] = definition["value"]
        else:
            for value, entry in enumerate(definition["entries"], start=definition.get("value-start", 0)):
                names[constant(definition["name-prefix"], entry)] = value
    for attributes in spec["attribute-sets"]:
        for value, attribute in enumerate(attributes["attributes"], start=1):
            names[constant(attributes["name-prefix"], attribute["name"])] = value
    for value, operation in enumerate(spec["operations"]["list"], start=1):
        names[constant(spec["operations"]["name-prefix"], operation["name"])] = value
    return names


class Spec(unittest.TestCase):
    def setUp(self):
        self.spec = yaml.safe_load((UAPI / "dmacc.yaml").read_text())

    def values_in_header(self, names):
        program = "#include <linux/types.h>\n#include \"linux/dmacc.h\"\n#include <stdio.h>\nint main(void) {\n" + \
            "".join(f'printf("%s %ld\\n", "{name}", (long)({name}));\n' for name in names) + "return 0; }\n"
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["gcc", "-Wall", "-Wextra", "-Werror", f"-I{UAPI}", "-x", "c", "-", "-o", f"{folder}/print"],
                           input=program, text=True, check=True)
            printed = subprocess.run([f"{folder}/print"], capture_output=True, text=True, check=True).stdout
        return {name: int(value) for name, value in (line.split() for line in printed.splitlines())}

    def test_every_number_of_the_specification_is_the_headers(self):
        names = specified(self.spec)
        self.assertGreater(len(names), 70)
        self.assertEqual(self.values_in_header(names), names)

    def test_the_header_has_nothing_that_the_specification_lacks(self):
        operations, sets = self.spec["operations"]["list"], self.spec["attribute-sets"]
        self.assertEqual(self.values_in_header(["DMACC_CMD_MAX", "DMACC_A_MAX", "DMACC_SLOT_A_MAX"]),
                         {"DMACC_CMD_MAX": len(operations), "DMACC_A_MAX": len(sets[0]["attributes"]),
                          "DMACC_SLOT_A_MAX": len(sets[1]["attributes"])})

    def test_operations_use_attributes_that_exist(self):
        known = {attribute["name"] for attribute in self.spec["attribute-sets"][0]["attributes"]}
        used = set()
        for operation in self.spec["operations"]["list"]:
            do = operation.get("do", {})
            used |= set(do.get("request", {}).get("attributes", [])) | set(do.get("reply", {}).get("attributes", []))
            used |= set(operation.get("event", {}).get("attributes", []))
        self.assertEqual(used, known)

    def policies(self):
        """{command: {attribute: policy}} as kmod/netlink.c has them."""
        text = (UAPI.parent / "kmod/netlink.c").read_text()
        tables = {name: dict(re.findall(r"\[(DMACC_A_\w+)\] = (.*),\n", body)) for name, body in re.findall(
            r"static const struct nla_policy (\w+)\[.*?\] = \{(.*?)\};", text, re.DOTALL)}
        return {command: tables[policy] for command, policy in re.findall(r"OP\((DMACC_\w+), \w+, (\w+)\)", text)}

    def wanted_policy(self, attribute):
        """What the checks of the specification are in the kernel's words."""
        checks = {key: value if isinstance(value, int) else constant("dmacc-", value)
                  for key, value in attribute.get("checks", {}).items()}
        kind = {"string": "NLA_NUL_STRING", "binary": "NLA_BINARY"}.get(attribute["type"],
                                                                        "NLA_" + constant(attribute["type"]))
        if "exact-len" in checks:
            return f"NLA_POLICY_EXACT_LEN({checks['exact-len']})"
        if attribute["type"] == "binary":
            return f"NLA_POLICY_RANGE({kind}, {checks.get('min-len', 0)}, {checks['max-len']})"
        if "max-len" in checks:
            return f"{{ .type = {kind}, .len = {checks['max-len']} }}"
        if "max" in checks:
            return f"NLA_POLICY_RANGE({kind}, {checks['min']}, {checks['max']})"
        if "min" in checks:
            return f"NLA_POLICY_MIN({kind}, {checks['min']})"
        return f"{{ .type = {kind} }}"

    def test_every_policy_of_the_module_is_the_specifications(self):
        attributes = {attribute["name"]: attribute for attribute in self.spec["attribute-sets"][0]["attributes"]}
        wanted = {constant("dmacc-cmd-", operation["name"]):
                  {constant("dmacc-a-", name): self.wanted_policy(attributes[name])
                   for name in operation["do"]["request"]["attributes"]}
                  for operation in self.spec["operations"]["list"] if "do" in operation}
        self.assertEqual(len(wanted), 10)
        self.assertEqual(self.policies(), wanted)


if __name__ == "__main__":
    unittest.main()
