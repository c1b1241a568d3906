#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The derivation a second time, from uapi/derivation.md alone: the oracle of the C code.

It is written from that page, section by section, and shares no line, table or idea with
uapi/core. Where the two disagree, the page decides who is wrong.
"""
import base64
import hashlib
import hmac
import re
from typing import NamedTuple

SERVER_ID, ADDR = 1, 2


class Refused(ValueError):
    """An identifier or server that is refused; `reason` is the page's word for why."""

    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason


# Section 1: identifiers

def luhn(digits, base):
    """The digit that takes the sum to a multiple of the base."""
    total = 0
    for place, digit in enumerate(digits, start=1):
        value = int(digit, 16)
        if place % 2 == 0:
            value *= 2
            value = value // base + value % base
        total += value
    return format(-total % base, "X")


def refuse_unlike_a_device(digits):
    if len(set(digits)) == 1:
        raise Refused("all-same")


def imei(digits, spare_digit, urn=False):
    if len(digits) not in ((15,) if urn else (14, 15, 16)):
        raise Refused("length")
    refuse_unlike_a_device(digits[:14])
    check = luhn(digits[:14], 10)
    if len(digits) == 15 and not urn:
        tolerated = {check, "0"} if spare_digit else {check}
        if digits[14] not in tolerated:
            raise Refused("check-digit")
    return f"IMEI:{digits[:14]}{check}"


def two_numbers(digits, head_digits, head_most, head_hex):
    """The decimal forms: a number, then one of 24 bits in eight digits."""
    if not re.fullmatch("[0-9]+", digits):
        raise Refused("character")
    head, tail = int(digits[:head_digits]), int(digits[head_digits:])
    if head > head_most or tail > 16777215:
        raise Refused("range")
    return f"{head:0{head_hex}X}{tail:06X}"


def meid(digits, spare_digit):
    if len(digits) not in (14, 15, 18):
        raise Refused("length")
    if len(digits) == 18:
        digits = two_numbers(digits, 10, 4294967295, 8)
    significant, check = digits[:14], digits[14:]
    if significant.isdecimal():
        return imei(digits, spare_digit)
    if significant[0] not in "ABCDEF":
        raise Refused("first-digit")
    refuse_unlike_a_device(significant)
    if check and check != luhn(significant, 16):
        raise Refused("check-digit")
    return f"MEID:{significant}"


def esn(digits):
    if len(digits) not in (8, 11):
        raise Refused("length")
    if len(digits) == 11:
        digits = two_numbers(digits, 3, 255, 2)
    refuse_unlike_a_device(digits)
    if digits.startswith("80"):
        raise Refused("pesn")
    return f"ESN:{digits}"


def kind_without_prefix(digits):
    """Step 5."""
    decimal = digits.isdecimal()
    if decimal and len(digits) in (14, 15, 16):
        return "imei"
    if decimal and len(digits) == 18 or not decimal and len(digits) in (14, 15):
        return "meid"
    if len(digits) == 8 or decimal and len(digits) == 11:
        raise Refused("prefix")
    raise Refused("length")


def parse_devid(data, spare_digit=False):
    """Section 1.1: the canonical form of what people write."""
    if len(data) > 128:
        raise Refused("length")
    text = data.decode("latin-1").strip(" \t")
    if not text:
        raise Refused("missing")
    prefix = re.match(r"(imei|meid|esn|urn:gsma:imei):", text, re.IGNORECASE | re.ASCII)
    if not prefix and ":" in text:
        raise Refused("prefix")
    kind = prefix[1].lower() if prefix else None
    rest = text[prefix.end():] if prefix else text
    if kind == "urn:gsma:imei":
        rest = rest.partition(";")[0]
    digits = re.sub("[ \t-]", "", rest)
    if not digits:
        raise Refused("missing")
    alphabet = "[0-9]+" if kind in ("imei", "urn:gsma:imei") else "[0-9A-Fa-f]+"
    if not re.fullmatch(alphabet, digits):
        raise Refused("character")
    digits = digits.upper()
    kind = kind or kind_without_prefix(digits)
    if kind == "meid":
        return meid(digits, spare_digit)
    if kind == "esn":
        return esn(digits)
    return imei(digits, spare_digit, urn=kind == "urn:gsma:imei")


def check_canonical(data):
    """Section 6, identifiers.canonical: the strict reader. Raises Refused."""
    text = data.decode("latin-1")
    shape = re.fullmatch(r"IMEI:([0-9]{15})|MEID:([0-9A-F]{14})|ESN:([0-9A-F]{8})", text)
    if not shape or shape[2] and shape[2].isdecimal():
        raise Refused("not-canonical")
    if shape[2] and shape[2][0].isdecimal():
        raise Refused("first-digit")
    refuse_unlike_a_device(shape[1][:14] if shape[1] else shape[2] or shape[3])
    if shape[1] and shape[1][14] != luhn(shape[1][:14], 10):
        raise Refused("check-digit")
    if shape[3] and shape[3].startswith("80"):
        raise Refused("pesn")


# Section 2: servers

BLANKS = (set(range(0x21)) | set(range(0x7F, 0xA1)) | set(range(0x2000, 0x200B))
          | {0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000, 0xFEFF})


def check_server(kind, data):
    if not data:
        raise Refused("missing")
    if len(data) > 255:
        raise Refused("length")
    try:
        text = data.decode("utf-8", errors="strict")
    except UnicodeDecodeError:
        raise Refused("utf-8") from None
    for character in text:
        if ord(character) in BLANKS:
            raise Refused("blank")
        if kind == SERVER_ID and character in "=&*+":
            raise Refused("acl-character")


# Section 3: key derivation function

def u32(number):
    return number.to_bytes(4, "big")


def lp(data):
    return bytes([len(data)]) + data


def kdf_input(label, context, bits):
    return u32(1) + label.encode("ascii") + b"\0" + context + u32(bits)


def kdf(key, label, context, bits):
    return hmac.new(key, kdf_input(label, context, bits), hashlib.sha256).digest()[:bits // 8]


def base32(data):
    return base64.b32encode(data).decode("ascii").rstrip("=")


# Section 4: values

class Credentials(NamedTuple):
    user_name: str
    server_pw: str
    client_pw: str
    server_nonce: bytes
    client_nonce: bytes


def judge_vendor_key(kv):
    if len(kv) != 32:
        raise ValueError("a vendor key has 32 bytes")
    if not any(kv):
        raise Refused("all-zero")


def key_id(kv, key_version):
    judge_vendor_key(kv)
    return kdf(kv, "DMAcc-1:KeyId", u32(key_version), 64).hex()


def device_key(kv, devid, key_version):
    judge_vendor_key(kv)
    return kdf(kv, "DMAcc-1:DeviceKey", lp(devid.encode("ascii")) + u32(key_version), 256)


def credentials(kd, devid, kind, server, generation):
    device = lp(devid.encode("ascii"))
    context = device + bytes([kind]) + lp(server) + u32(generation)
    return Credentials(
        user_name=base32(kdf(kd, "DMAcc-1:UserName", device, 120)),
        server_pw=base32(kdf(kd, "DMAcc-1:ServerPW", context, 160)),
        client_pw=base32(kdf(kd, "DMAcc-1:ClientPW", context, 160)),
        server_nonce=kdf(kd, "DMAcc-1:ServerNonce", context, 128),
        client_nonce=kdf(kd, "DMAcc-1:ClientNonce", context, 128))
