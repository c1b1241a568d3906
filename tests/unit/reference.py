#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The derivation once more, from the text of uapi/derivation.md alone.

What the C code is compared with. It takes nothing from that code, and follows the
page rather than speed; section numbers are those of the page.
"""
import base64
import functools
import hashlib
import hmac
from typing import NamedTuple

SERVER_ID = 1
ADDR = 2

LONGEST_INPUT = 128
LARGEST_U32 = 0xFFFFFFFF
LARGEST_U24 = 0xFFFFFF
DECIMAL = frozenset(b"0123456789")
HEXADECIMAL = DECIMAL | frozenset(b"abcdefABCDEF")
DIGITS = "0123456789ABCDEF"
URN = b"urn:gsma:imei:"
PREFIXES = {b"imei:": "IMEI", b"meid:": "MEID", b"esn:": "ESN", URN: "URN"}


class Refused(Exception):
    """Something that gets no credentials. `reason` is the word of the page in brackets."""

    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason


def refuse_if(condition, reason):
    if condition:
        raise Refused(reason)


# 1. Device identifier

def is_decimal(digits):
    """str.isdecimal would take the digits of other scripts too; these are ASCII by now."""
    return all(digit in "0123456789" for digit in digits)


def all_the_same(digits):
    return digits == digits[0] * len(digits)


def luhn_digit(digits, base):
    """What the sum lacks to the next multiple of the base; every second digit counts double."""
    total = 0
    for index, digit in enumerate(digits):
        value = int(digit, base)
        total += sum(divmod(2 * value, base)) if index % 2 else value
    return DIGITS[-total % base]


def two_numbers(digits, first_length, first_largest, first_width):
    """The decimal form of a MEID or ESN: two decimal numbers, written on as hexadecimal ones."""
    first, last = int(digits[:first_length]), int(digits[first_length:])
    refuse_if(first > first_largest or last > LARGEST_U24, "range")
    return f"{first:0{first_width}X}{last:06X}"


def imei_of(significant, check, spare_digit):
    """The IMEI of 14 digits; `check` is the 15th as it was written, empty where there is none."""
    refuse_if(all_the_same(significant), "all-same")
    right = luhn_digit(significant, 10)
    refuse_if(check not in ("", right) and not (spare_digit and check == "0"), "check-digit")
    return f"IMEI:{significant}{right}"


def read_imei(digits, spare_digit):
    refuse_if(len(digits) not in (14, 15, 16), "length")
    if len(digits) == 16:
        digits = digits[:14]
    return imei_of(digits[:14], digits[14:], spare_digit)


def read_urn(digits, spare_digit):
    refuse_if(len(digits) != 15, "length")
    return imei_of(digits[:14], "", spare_digit)


def read_meid(digits, spare_digit):
    refuse_if(len(digits) not in (14, 15, 18), "length")
    if len(digits) == 18:
        refuse_if(not is_decimal(digits), "character")
        digits = two_numbers(digits, 10, LARGEST_U32, 8)
    significant, check = digits[:14], digits[14:]
    if is_decimal(significant):
        return imei_of(significant, check, spare_digit)
    refuse_if(significant[0] not in "ABCDEF", "first-digit")
    refuse_if(all_the_same(significant), "all-same")
    refuse_if(check not in ("", luhn_digit(significant, 16)), "check-digit")
    return f"MEID:{significant}"


def read_esn(digits, _spare_digit):
    refuse_if(len(digits) not in (8, 11), "length")
    if len(digits) == 11:
        refuse_if(not is_decimal(digits), "character")
        digits = two_numbers(digits, 3, 255, 2)
    refuse_if(all_the_same(digits), "all-same")
    refuse_if(digits[:2] == "80", "pesn")
    return f"ESN:{digits}"


READERS = {"IMEI": read_imei, "URN": read_urn, "MEID": read_meid, "ESN": read_esn}


def split_prefix(data):
    """Step 2: what the prefix says (None: there is none) and what follows it."""
    if b":" not in data:
        return None, data
    for prefix, kind in PREFIXES.items():
        # bytes.lower knows ASCII only, so no letter of another script passes for one of these
        if data[:len(prefix)].lower() == prefix:
            rest = data[len(prefix):]
            return kind, rest.split(b";")[0] if kind == "URN" else rest
    raise Refused("prefix")


def guess_kind(digits):
    """Step 5: what digits without a prefix are."""
    length = len(digits)
    if is_decimal(digits):
        refuse_if(length in (8, 11), "prefix")
        if length in (14, 15, 16):
            return "IMEI"
        refuse_if(length != 18, "length")
        return "MEID"
    refuse_if(length == 8, "prefix")
    refuse_if(length not in (14, 15), "length")
    return "MEID"


def parse_devid(data: bytes, spare_digit=False) -> str:
    """Section 1.1: the canonical form of what people write, or Refused."""
    refuse_if(len(data) > LONGEST_INPUT, "length")
    data = data.strip(b" \t")
    refuse_if(not data, "missing")
    kind, rest = split_prefix(data)
    rest = rest.translate(None, delete=b" \t-")
    refuse_if(not rest, "missing")
    alphabet = DECIMAL if kind in ("IMEI", "URN") else HEXADECIMAL
    refuse_if(not alphabet.issuperset(rest), "character")
    digits = rest.decode("ascii").upper()
    return READERS[kind or guess_kind(digits)](digits, spare_digit)


def has_shape(digits, length, alphabet):
    return len(digits) == length and set(digits) <= set(alphabet)


def check_canonical_imei(digits):
    refuse_if(not has_shape(digits, 15, b"0123456789"), "not-canonical")
    text = digits.decode("ascii")
    refuse_if(all_the_same(text[:14]), "all-same")
    refuse_if(text[14] != luhn_digit(text[:14], 10), "check-digit")


def check_canonical_meid(digits):
    refuse_if(not has_shape(digits, 14, b"0123456789ABCDEF"), "not-canonical")
    text = digits.decode("ascii")
    refuse_if(is_decimal(text), "not-canonical")
    refuse_if(text[0] not in "ABCDEF", "first-digit")
    refuse_if(all_the_same(text), "all-same")


def check_canonical_esn(digits):
    refuse_if(not has_shape(digits, 8, b"0123456789ABCDEF"), "not-canonical")
    text = digits.decode("ascii")
    refuse_if(all_the_same(text), "all-same")
    refuse_if(text.startswith("80"), "pesn")


STRICT = {b"IMEI:": check_canonical_imei, b"MEID:": check_canonical_meid, b"ESN:": check_canonical_esn}


def check_canonical(data: bytes):
    """Section 1.2: returns for a canonical form, else raises Refused."""
    for prefix, check in STRICT.items():
        if data.startswith(prefix):
            return check(data[len(prefix):])
    raise Refused("not-canonical")


def choose_devid(inputs) -> str:
    """Section 1.3: the DevId of a device that has these, lowest slot first, or Refused."""
    found = []
    for data in inputs:
        try:
            found.append(parse_devid(data))
        except Refused:
            continue
    refuse_if(not found, "missing")
    # min takes the first of those that are alike
    return min(found, key=lambda devid: ("IMEI", "MEID", "ESN").index(devid.split(":")[0]))


# 2. Server

BLANK_RANGES = ((0x0000, 0x0020), (0x007F, 0x00A0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2028),
                (0x2029, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF))


@functools.lru_cache(maxsize=256)
def check_server(kind, data: bytes):
    """Section 2: returns for a server that may be used, else raises Refused."""
    if kind not in (SERVER_ID, ADDR):
        raise ValueError("kind is neither ServerID nor Addr")
    refuse_if(not data, "missing")
    refuse_if(len(data) > 255, "length")
    try:
        text = data.decode("utf-8", "strict")
    except UnicodeDecodeError as error:
        raise Refused("utf-8") from error
    for character in text:
        refuse_if(any(first <= ord(character) <= last for first, last in BLANK_RANGES), "blank")
        refuse_if(kind == SERVER_ID and character in "=&*+", "acl-character")


# 3. Key derivation function

def be32(number):
    if not 0 <= number <= LARGEST_U32:
        raise ValueError("not a number of 32 bits")
    return number.to_bytes(4, "big")


def lp(data):
    if not 1 <= len(data) <= 255:
        raise ValueError("the length does not go into one byte, or is 0")
    return bytes((len(data),)) + data


def counter_kdf(key, fixed_input, bits):
    """SP 800-108 in counter mode, r = 32, one block, over a fixed input of any layout."""
    if bits % 8 or not 0 < bits <= 256:
        raise ValueError("bits is a multiple of 8 up to 256")
    return hmac.new(key, be32(1) + fixed_input, hashlib.sha256).digest()[:bits // 8]


def fixed_input_of(label, context, bits):
    return label.encode("ascii") + b"\0" + context + be32(bits)


def kdf_input(label, context, bits):
    """The whole input of the HMAC."""
    return be32(1) + fixed_input_of(label, context, bits)


def kdf(key, label, context, bits):
    return counter_kdf(key, fixed_input_of(label, context, bits), bits)


def base32(data):
    if len(data) % 5:
        raise ValueError("this length would need padding")
    return base64.b32encode(data).decode("ascii")


# 4. Values

class Credentials(NamedTuple):
    user_name: str
    server_pw: str
    client_pw: str
    server_nonce: bytes
    client_nonce: bytes


def check_key(key):
    """A Kv, or a Kd that comes from elsewhere."""
    refuse_if(len(key) != 32, "length")
    refuse_if(key == bytes(32), "all-zero")


SMALLEST = {"key_version": 1, "generation": 0}


def check_number(name, number):
    refuse_if(not SMALLEST[name] <= number <= LARGEST_U32, "range")


def check_vendor_key(kv, key_version):
    check_key(kv)
    check_number("key_version", key_version)


def key_id(kv, key_version) -> str:
    check_vendor_key(kv, key_version)
    return kdf(kv, "DMAcc-1:KeyId", be32(key_version), 64).hex()


def device_key(kv, devid, key_version) -> bytes:
    check_vendor_key(kv, key_version)
    check_canonical(devid.encode())
    return kdf(kv, "DMAcc-1:DeviceKey", lp(devid.encode()) + be32(key_version), 256)


def credentials(kd, devid, kind, server: bytes, generation) -> Credentials:
    """The values of one account, from the device key of this DevId."""
    check_key(kd)
    check_canonical(devid.encode())
    check_server(kind, server)
    check_number("generation", generation)
    device = lp(devid.encode())
    context = device + bytes((kind,)) + lp(server) + be32(generation)
    return Credentials(
        user_name=base32(kdf(kd, "DMAcc-1:UserName", device, 120)),
        server_pw=base32(kdf(kd, "DMAcc-1:ServerPW", context, 160)),
        client_pw=base32(kdf(kd, "DMAcc-1:ClientPW", context, 160)),
        server_nonce=kdf(kd, "DMAcc-1:ServerNonce", context, 128),
        client_nonce=kdf(kd, "DMAcc-1:ClientNonce", context, 128))


# 8. Unkeyed profiles

FCS11384_NAMES = {"fcs11384": "UserName", "fcs11384-device": "Name"}
UNKEYED = (*FCS11384_NAMES, "fcs14345")
LONGEST_UNKEYED_SERVER = 135
FCS11384_SERVER_NONCE, FCS11384_CLIENT_NONCE = b"14YJ55NI65RS25WA", b"53LI62MI23HE33ST"
FCS14345_CLIENT_WEIGHTS = bytes.fromhex("0e06100c0a0e050c120a0b060d0e05")
FCS14345_SERVER_WEIGHTS = bytes.fromhex("0a060e0e0a0b060e0b040407110c0c")


def hash_text(text: bytes) -> str:
    """B64(H(text)), H being MD5."""
    return base64.b64encode(hashlib.md5(text, usedforsecurity=False).digest()).decode("ascii")


def fcs11384(imei, server: bytes, name) -> Credentials:
    device = imei.encode("ascii")
    return Credentials(
        user_name=hash_text(device + b":" + server + b":" + name.encode("ascii")),
        server_pw=hash_text(server + b":" + device),
        client_pw=hash_text(device + b":" + server),
        server_nonce=FCS11384_SERVER_NONCE,
        client_nonce=FCS11384_CLIENT_NONCE)


def fcs14345_key(imei, weights):
    """Two sums over ASCII codes; an identifier with more characters than weights has no key."""
    codes = imei.encode("ascii")
    plain = sum(codes[i + 3] * weights[i] for i in range(len(codes) - 3))
    mixed = sum(codes[i + 3] * codes[i + 2] * weights[i] for i in range(len(codes) - 3))
    return f"{plain}-{mixed}"


def base36(number):
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + text
    return text.rjust(10, "0")


def digits_as_atol_reads_them(identifier):
    """The number in base 10 that published code makes: a letter counts as 0."""
    return int("".join(c if c in "0123456789" else "0" for c in identifier))


def shuffle(text):
    characters = list(text)
    for _ in range(3):
        for i in range(len(text) // 2, len(text)):
            characters.insert(len(text) - 1 - i, characters.pop(i))
    return "".join(characters)


def unshuffle(text):
    """What takes shuffle() back: anybody can read the IMEI out of the password."""
    characters = list(text)
    for _ in range(3):
        for i in reversed(range(len(text) // 2, len(text))):
            characters.insert(i, characters.pop(len(text) - 1 - i))
    return "".join(characters)


def fcs14345_password(imei, server: bytes, weights):
    seed = imei.encode("ascii") + fcs14345_key(imei, weights).encode("ascii") + server
    nibbles = "".join(f"{byte & 15:x}{byte >> 4:x}" for byte in hashlib.md5(seed, usedforsecurity=False).digest())
    picked = "".join(nibbles[i] for i in (2, 7, 8, 12, 25, 30))
    return shuffle(picked + base36(digits_as_atol_reads_them(imei)))


def fcs14345(imei, server: bytes) -> Credentials:
    return Credentials(user_name=imei, server_pw=fcs14345_password(imei, server, FCS14345_SERVER_WEIGHTS),
                       client_pw=fcs14345_password(imei, server, FCS14345_CLIENT_WEIGHTS),
                       server_nonce=None, client_nonce=None)


def unkeyed_credentials(profile, devid, kind, server: bytes) -> Credentials:
    refuse_if(profile not in UNKEYED, "profile")
    check_canonical(devid.encode())
    check_server(kind, server)
    refuse_if(not devid.startswith("IMEI:") or kind != SERVER_ID, "profile")
    refuse_if(b":" in server or len(server) > LONGEST_UNKEYED_SERVER, "profile")
    imei = devid[len("IMEI:"):]
    if profile == "fcs14345":
        return fcs14345(imei, server)
    return fcs11384(imei, server, FCS11384_NAMES[profile])


# 6. What a server stores, and a login

def stored(name: bytes, password: bytes) -> str:
    """B64(H(name ":" password)): all that a DM server has to keep of a password."""
    return hash_text(name + b":" + password)


def login_digest(kept: str, nonce: bytes) -> str:
    """The auth-md5 digest of OMA DM: B64(H(kept ":" nonce)), the nonce raw."""
    return hash_text(kept.encode("ascii") + b":" + nonce)


# OMA DM Security, not this page: the two other digests of a login

def mac_digest(kept: str, nonce: bytes, body: bytes) -> str:
    """syncml:auth-MAC of a message, as in the header x-syncml-hmac."""
    return hash_text(kept.encode("ascii") + b":" + nonce + b":" + hash_text(body).encode("ascii"))


def notification_digest(kept: str, nonce: bytes, trigger: bytes) -> bytes:
    """The 16 raw bytes that begin a notification (Pkg#0)."""
    return base64.b64decode(mac_digest(kept, nonce, trigger))
