#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""uapi/derivation.md against itself: every value it shows, recomputed from the text around it.

Knows the page's notation and no formula: what goes into a hash, under which key, and how much of
the result counts is taken from the page.
"""
import base64
import hashlib
import hmac
import json
import re
import unittest
from pathlib import Path

UAPI = Path(__file__).resolve().parent.parent.parent / "uapi"
PAGE = (UAPI / "derivation.md").read_text()
ANNEX = PAGE[PAGE.index("## Annex A."):PAGE.index("## Annex B.")]

GIVEN = re.compile(r"^    ([\w ]+?) +(?:= )(\S+)", re.MULTILINE)
STEP = re.compile(r"^\*\*(\w+)\*\*(?: \(([\w, -]+)\))?\. (.*?)(?=^\*\*|^#|\Z)", re.MULTILINE | re.DOTALL)
INPUT_LINE = re.compile(r"^    ([0-9a-f]+) {2,}(\S.*)$", re.MULTILINE)
HEX = re.compile(r"(?<![\w+/:.-])[0-9a-f]{8,}(?![\w+/=:.-])")
BASE32 = re.compile(r"\b(?:[A-Z2-7]{32}|[A-Z2-7]{24})\b")
BASE64 = re.compile(r"(?<![\w+/])[A-Za-z0-9+/]{22}==")


def be32(number):
    return int(number).to_bytes(4, "big")


def md5(data):
    return hashlib.md5(data, usedforsecurity=False).digest()


def b64(data):
    return base64.b64encode(data).decode()


def section(title):
    start = ANNEX.index(f"### {title}")
    end = ANNEX.find("\n### ", start + 1)
    return ANNEX[start:end if end > 0 else len(ANNEX)]


def given(text):
    return dict(GIVEN.findall(text.split("**")[0]))


VECTORS = json.loads((UAPI / "vectors.json").read_text())


class Worked(unittest.TestCase):
    """One keyed device, from what A.1 gives to the first login."""

    def setUp(self):
        self.values = {name: text.encode() for name, text in given(section("A.1")).items()}
        for name in ("Kv", "kind"):
            self.values[name] = bytes.fromhex(self.values[name].decode())
        self.seen = {self.values["Kv"].hex()}

    def bytes_of(self, meaning):
        """What the right side of an input line stands for."""
        if counted := re.fullmatch(r"\[(.+)\]_32(?:, L = (\d+))?", meaning):
            name = counted[2] or counted[1]
            return be32(name if name.isdecimal() else self.values[name].decode())
        if prefixed := re.fullmatch(r"lp\((\w+)\)", meaning):
            data = self.values[prefixed[1]]
            return bytes((len(data),)) + data
        if meaning.startswith('"'):
            return meaning.strip('"').encode()
        return bytes(1) if meaning == "00" else self.values[meaning]

    def input_of(self, body):
        lines = INPUT_LINE.findall(body.split("\nis\n")[0])
        self.assertTrue(lines)
        for shown, meaning in lines:
            self.assertEqual(bytes.fromhex(shown), self.bytes_of(meaning), meaning)
            self.seen.add(shown)
        return b"".join(bytes.fromhex(shown) for shown, _ in lines)

    def shown_after(self, body, words):
        """What stands in the block behind these words."""
        self.assertIn(words, body)
        return body[body.index(words):].split("\n\n")[1].strip().split(" = ")

    def work(self, name, body):
        data = self.input_of(body)
        if body.startswith("MD5"):
            result, bits = md5(data), 128
        else:
            key = self.values[re.match(r"HMAC-SHA-256 with the key (\w+) over", body)[1]]
            result = hmac.new(key, data, hashlib.sha256).digest()
            bits = int(re.search(r"L = (\d+)", body)[1])
        self.assertEqual(self.shown_after(body, "\nis\n"), [result.hex()], name)
        cut = result[:bits // 8]
        self.seen |= {result.hex(), cut.hex()}
        if "of which the first" in body:
            self.assertIn(f"the first {bits} bits", body)
            self.assertEqual(self.shown_after(body, "of which the first")[-1], cut.hex())
        for words, text in (("in base32", base64.b32encode(cut).decode()), ("in base64", b64(cut))):
            if words in body:
                self.assertEqual(self.shown_after(body, words)[-1], text)
                self.seen.add(text)
        raw = name in ("Kd", "KeyId") or name.endswith("Nonce")
        self.values[name] = cut if raw else self.shown_after(body, "and in base")[-1].encode()

    def test_every_value_of_the_device_follows_from_the_page(self):
        steps = [step for title in ("A.2", "A.3", "A.4") for step in STEP.findall(section(title))]
        self.assertEqual([name for name, _, _ in steps],
                         ["Kd", "KeyId", "UserName", "ServerPW", "ClientPW", "ServerNonce", "ClientNonce",
                          "ClientHash", "ServerHash", "ClientDigest", "ServerDigest"])
        for name, _, body in steps:
            self.work(name, body)
        self.check_nothing_else_is_shown("".join(section(f"A.{n}") for n in (1, 2, 3, 4)))

    def check_nothing_else_is_shown(self, text):
        for pattern in (HEX, BASE32, BASE64):
            found = {token for token in pattern.findall(text) if not re.fullmatch(r"[1-9]\d{13,15}", token)}
            self.assertEqual(found - self.seen, set())
            self.assertTrue(found)


class Formulas(unittest.TestCase):
    """Section 4 and Annex A say the same of each value: label, length."""

    def test_labels_and_lengths_are_those_of_section_4(self):
        formulas = re.findall(r'^    (\w+) += .*?KDF\((\w+), "(DMAcc-1:\w+)", .*?, (\d+)\)', PAGE, re.MULTILINE)
        self.assertEqual(len(formulas), 7)
        for name, key, label, bits in formulas:
            body = next(body for step, _, body in STEP.findall(ANNEX) if step == name)
            self.assertIn(f'"{label}"', body)
            self.assertIn(f"L = {bits}", body)
            self.assertIn(f"with the key {key} over", body)


class Unkeyed(unittest.TestCase):
    def steps(self, profile):
        return {name: body for name, profiles, body in STEP.findall(section("A.5")) if profile in profiles.split(", ")}

    def given(self, number):
        """The inputs of one of the two examples."""
        pairs = re.findall(r"^    IMEI +=  *(\d+)\n    ServerID +=  *(\w+)$", section("A.5"), re.MULTILINE)
        self.assertEqual(len(pairs), 2)
        return pairs[number]

    def formula_text(self, name, profile, imei, server):
        """The text that a formula of section 8.1 hashes."""
        for line in re.findall(rf"^    {name} +=  *B64\(H\((.*?)\)\) *(\S*)$", PAGE, re.MULTILINE):
            if line[1] in ("", profile):
                parts = line[0].split(" || ")
                return "".join({"IMEI": imei, "ServerID": server}.get(part, part.strip('"')) for part in parts)
        self.fail(f"no formula for {name}")

    def test_fcs11384_and_its_device_variant(self):
        imei, server = self.given(0)
        for profile in ("fcs11384", "fcs11384-device"):
            steps = self.steps(profile)
            self.assertEqual(set(steps), {"ServerPW", "ClientPW", "UserName"})
            for name, body in steps.items():
                text, digest, value = (block.strip() for block in body.split("\n\n")[1:7:2])
                self.assertEqual(text, self.formula_text(name, profile, imei, server))
                self.assertEqual(digest, md5(text.encode()).hex())
                self.assertEqual(value, f"{name} = {b64(md5(text.encode()))}")

    def test_nonces_of_fcs11384(self):
        raw = re.search(r'ServerNonce = "(\w{16})" +ClientNonce = "(\w{16})"', PAGE).groups()
        self.assertIn("`{}` and `{}`".format(*(b64(text.encode()) for text in raw)), PAGE)

    def weights(self, name):
        return bytes.fromhex(re.search(rf"^    {name} +=  *P\(([0-9a-f ]+)\)$", PAGE, re.MULTILINE)[1])

    def test_fcs14345(self):
        imei, server = self.given(1)
        steps = self.steps("fcs14345")
        self.assertEqual(set(steps), {"ClientPW", "ServerPW"})
        codes = imei.encode()
        for name, body in steps.items():
            w = self.weights(name)
            self.assertEqual(len(w), 15)
            key = (f"{sum(codes[i + 3] * w[i] for i in range(12))}-"
                   f"{sum(codes[i + 3] * codes[i + 2] * w[i] for i in range(12))}")
            self.assertEqual(re.search(r"KEY is `(.*?)`", body)[1], key)
            text, digits, before, after = (block.strip() for block in body.split("\n\n")[1:9:2])
            self.assertEqual(text, imei + key + server)
            self.assertEqual(digits, "".join(f"{byte:02x}"[::-1] for byte in md5(text.encode())))
            self.assertEqual(before[:6], "".join(digits[i] for i in (2, 7, 8, 12, 25, 30)))
            self.assertEqual((int(before[6:], 36), len(before)), (int(imei), 16))
            self.assertEqual(after, f"{name} = {self.shuffled(before)}")

    def shuffled(self, text):
        for _ in range(3):
            for i in range(8, 16):
                rest = text[:i] + text[i + 1:]
                text = rest[:15 - i] + text[i] + rest[15 - i:]
        return text

    def test_every_other_value_of_the_annex_is_one_of_these(self):
        seen = set()
        for profile in ("fcs11384", "fcs11384-device", "fcs14345"):
            for body in self.steps(profile).values():
                seen |= {token.strip() for token in re.findall(r"(?:^    |= )(\S+)$", body, re.MULTILINE)}
        for pattern in (HEX, BASE32, BASE64):
            found = {t for t in pattern.findall(section("A.5")) if len(t) != 15}
            self.assertEqual(found - seen, set())


class TheRestOfThePage(unittest.TestCase):
    REST = PAGE.replace(ANNEX, "")

    def test_it_shows_no_long_value_that_is_not_checked(self):
        self.assertEqual({t for t in HEX.findall(self.REST) if not t.isdecimal()}, set())
        self.assertEqual(set(BASE32.findall(self.REST)), set())
        oma = b64(md5(b64(md5(b"Bruce2:OhBehave")).encode() + b":Nonce"))
        self.assertRegex(self.REST, r"user `Bruce2`, password `OhBehave`, nonce `Nonce`")
        self.assertEqual(set(BASE64.findall(self.REST)), {oma, "MTRZSjU1Tkk2NVJTMjVXQQ==", "NTNMSTYyTUkyM0hFMzNTVA=="})

    def test_every_section_that_it_or_the_code_names_is_there(self):
        headings = set(re.findall(r"^#{2,3} (?:Annex )?([0-9A-C](?:\.\d+)?)", PAGE, re.MULTILINE))
        code = UAPI.parent.glob("agent/libdmacc/*.[ch]")
        mention = re.compile(r"(?:Derivation, section|derivation\.md, section|Annex|in section|of section) ([0-9A-C](?:\.\d+)?)")
        named = {number for text in [PAGE, *(path.read_text() for path in code)] for number in mention.findall(text)}
        self.assertGreater(len(named), 6)
        self.assertEqual(named - headings, set())

    def test_every_reason_is_in_the_vector_file_and_the_other_way_round(self):
        used = set(re.findall(r'"reason": "([\w-]+)"', (UAPI / "vectors.json").read_text()))
        self.assertEqual(set(re.findall(r"\[([a-z]+(?:-[a-z\d]+)?)\](?!_)", PAGE)), used)

    def test_every_member_of_the_vector_file_is_described(self):
        annex = PAGE[PAGE.index("## Annex B."):PAGE.index("## Annex C.")]
        described = {name: set(re.findall(r"`(\w+)`", fields))
                     for name, fields in re.findall(r"^\| `([\w.]+)` \| (.*?) \|", annex, re.MULTILINE)}
        there = {}
        for name, value in VECTORS.items():
            for path, entries in ([(f"{name}.{k}", v) for k, v in value.items()] if isinstance(value, dict)
                                  else [(name, value)]):
                if isinstance(entries, list):
                    there[path] = {key for entry in entries for key in entry}
        self.assertEqual(described, there)


class KeyCeremony(unittest.TestCase):
    """Its commands are ones that exist."""
    GUIDE = (UAPI / "key-ceremony.md").read_text()

    def test_every_command_of_the_guide_is_one_that_the_tool_has(self):
        main = (UAPI.parent / "agent/dmacc-fleet/main.c").read_text()
        usage = dict(re.findall(r'\{ "([\w-]+)", \w+_main,\s+("(?:[^}]*)") \}', main))
        commands = re.findall(r"^ {4,}dmacc-fleet (\S+)(.*)$", self.GUIDE, re.MULTILINE)
        self.assertGreater(len(commands), 6)
        for verb, rest in commands:
            self.assertIn(verb, usage)
            for option in re.findall(r" (--[\w-]+)", rest):
                self.assertRegex(usage[verb], rf"{option}\b")

    def test_what_it_says_of_the_page_is_there(self):
        for number in re.findall(r"derivation\.md, section ([\d.]+\d)", self.GUIDE):
            self.assertRegex(PAGE, rf"(?m)^#+ {re.escape(number)}\.? ")


if __name__ == "__main__":
    unittest.main()
