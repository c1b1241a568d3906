#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes uapi/vectors.json: make_vectors.py [--check]

Each entry is there for a reason, and the reference implementation says what its result is;
what is published elsewhere (design rows, standards, other implementations) is asserted from
literals in test_reference.py.
"""
import base64
import json
import sys
from pathlib import Path

import reference as ref

FILE = Path(__file__).resolve().parent.parent.parent / "uapi/vectors.json"
KV = bytes(range(32))
NAMES = {ref.SERVER_ID: "server-id", ref.ADDR: "addr"}
OTHER_KVS = [bytes([0xFF] * 32), bytes(31) + b"\1", bytes.fromhex("80" + "00" * 31)]

ACCEPTED = [
    # IMEI: bare, with check digit, IMEISV, prefixed, either case, blanks and dashes
    "49015420323751", "490154203237518", "4901542032375100", "4901542032375199",
    "IMEI:49015420323751", "IMEI:490154203237518", "imei:490154203237518", "Imei:4901542032375142",
    "49-015420-323751-8", "490154 203237 518", "\t490154203237518  ", "IMEI: 49 015420 323751 8",
    "IMEI:-490154203237518-", "4-9-0-1-5-4-2-0-3-2-3-7-5-1-8",
    # published check digits
    "26053179311383", "354178036859789", "493005100592800", "354358001352586", "000000011234564",
    # a check digit of 0 that is right
    "490154203237070", "00000000000018", "99999999999998",
    # URN: the 15th digit is a spare, parameters are dropped
    "urn:gsma:imei:49015420-323751-0", "urn:gsma:imei:49015420-323751-8",
    "urn:gsma:imei:49015420-323751-5;vers=0", "URN:GSMA:IMEI:490154203237510;svn=42;x=:",
    # MEID: published ones, either case, check digit, decimal form
    "A0000000002329", "a0000000002329", "A00000000023299", "MEID:A0000000002329",
    "meid:a0-000000-002329", "AF0123450ABCDE", "AF0123450ABCDEC", "af0123450abcdec",
    "MEID:AF0123450ABCDEC", "293608736500703710", "MEID:293608736500703710",
    "268435456000009001", "270113177609606898", "A10000009296F2", "FFFFFFFFFFFFFE",
    # decimal form at its limits: 4294967295 and 16777214 (16777215 would be all the same)
    "429496729516777214", "268435456016777215", "2684354560 00000000",
    # dual technology: all digits decimal, so an IMEI, by every way in
    "MEID:99000028004122", "99000028004122", "MEID:990000280041221", "256691408800016674",
    # ESN
    "ESN:E69FFFFF", "esn:e69fffff", "ESN:E6 9F-FF FF", "ESN:23010485759", "ESN:81000000",
    "ESN:7FFFFFFF", "ESN:00000001", "ESN:00000000001", "ESN:25516777214", "ESN:12345678",
    # input as long as it may be
    "4" + "-" * 114 + "90154203237518"[:13],
    # a tab inside; of a URN's parameters nothing is looked at, not even the end of a line
    "490154\t203237518", "urn:gsma:imei:490154203237510;a\nb",
]

SPARE_ACCEPTED = [
    "490154203237510", "IMEI:490154203237510", "490154203237518", "49015420323751",
    "MEID:990000280041220", "4901542032375100", "urn:gsma:imei:490154203237515", "A00000000023299",
]

REFUSED = [
    b"", b" ", b"\t \t", b"IMEI:", b"MEID: - ", b"ESN:", b"urn:gsma:imei:", b"urn:gsma:imei:;svn=1",
    b"---", b"- -",
    # prefix
    b"IMSI:490154203237518", b"urn:uuid:490154203237518", b"imei 490154203237518:", b":490154203237518",
    b"IM EI:490154203237518", b"IMEI;490154203237518:", b"urn:gsma:meid:A0000000002329",
    b"12345678", b"E69FFFFF", b"23010485759", b"urn:gsma:imei490154203237518:",
    # character
    b"49015420323751x", b"4901542032375\xb90", b"490154203237518\0", b"\0", b"IMEI:A0000000002329",
    b"IMEI:49015420323751A", b"urn:gsma:imei:49015420323751A", b"G0000000002329", b"MEID:G0000000002329",
    b"ESN:E69FFFFG", b"ESN:2301048575A", b"MEID:29360873650070371A", b"490154203237518\n",
    b"490154203237518\r", b"\xc2\xa0490154203237518", b"490154.203237518", b"490154203237518;",
    b"IMEI:490154203237518;svn=42",
    b"+490154203237518", b"IMEI:IMEI:490154203237518", b"4901542032375\xef\xbc\x988",
    # length
    b"0", b"4", b"4901542032375", b"49015420323751801", b"490154203237518012", b"4901542032375180123",
    b"IMEI:4901542032375", b"IMEI:49015420323751801", b"urn:gsma:imei:49015420323751",
    b"urn:gsma:imei:4901542032375101", b"MEID:A000000000232", b"MEID:A000000000232999",
    b"A000000000232", b"A000000000232999", b"MEID:2936087365007037105", b"ESN:E69FFFF", b"ESN:E69FFFFF0",
    b"ESN:230104857590", b"E69FFFFFAAA", b"4" * 129, b" " * 129, b"4" * 128,
    b"4" + b"-" * 115 + b"9015420323751",
    # all the same
    b"00000000000000", b"000000000000000", b"0000000000000000", b"0000000000000017", b"11111111111111",
    b"IMEI:000000000000000", b"111111111111119", b"99999999999999", b"FFFFFFFFFFFFFF",
    b"ffffffffffffff", b"MEID:AAAAAAAAAAAAAA", b"MEID:AAAAAAAAAAAAAAA", b"ESN:00000000", b"ESN:FFFFFFFF",
    b"ESN:00000000000", b"ESN:25516777215", b"429496729516777215", b"MEID:00000000000000",
    b"urn:gsma:imei:000000000000000",
    # check digit
    b"490154203237517", b"490154203237510", b"IMEI:490154203237510", b"354178036859781",
    b"123456789012345", b"A00000000023298", b"A0000000002329A", b"AF0123450ABCDE0",
    b"MEID:990000280041220", b"99000028004122A", b"MEID:99000028004122C",
    # range
    b"429496729600000000", b"268435456016777216", b"MEID:999999999900000001", b"ESN:25600000001",
    b"ESN:00016777216", b"ESN:99999999999", b"999999999999999999",
    # first digit
    b"1A345678901234", b"MEID:9A345678901234", b"9ABCDEF0123456", b"MEID:0000000000000A",
    b"000000001000000010", b"MEID:1A3456789012340",
    # pESN
    b"ESN:80000001", b"ESN:8016B128", b"ESN:8051F1AB", b"ESN:12800000001", b"ESN:80808080", b"ESN:80000000",
]

SPARE_REFUSED = [b"490154203237511", b"000000000000000", b"A00000000023290", b"990000280041222"]

CANONICAL = [
    b"IMEI:490154203237518", b"MEID:A0000000002329", b"ESN:E69FFFFF", b"MEID:FFFFFFFFFFFFFE",
    b"IMEI:000000011234564", b"ESN:00000001",
    b"", b"IMEI:", b"IMEI:49015420323751", b"imei:490154203237518", b"IMEI:4901542032375180",
    b"IMEI:49015420323751A", b"IMEI:49015420323751 ", b" IMEI:490154203237518", b"490154203237518",
    b"MEID:a0000000002329", b"MEID:99000028004122", b"MEID:A00000000023299", b"MEID:A000000000232",
    b"MEID:G0000000002329", b"ESN:e69fffff", b"ESN:E69FFFF", b"ESN:E69FFFFG", b"ESN:23010485759",
    b"IMEI:490154203237518\0", b"IMEI:49015420323751\0", b"ESN:E69FFFF\0", b"0", b"IMEI:0",
    b"IMEI:490154203237517", b"IMEI:000000000000000", b"IMEI:111111111111111", b"MEID:AAAAAAAAAAAAAA",
    b"MEID:1A345678901234", b"MEID:0000000000000A", b"ESN:FFFFFFFF", b"ESN:00000000", b"ESN:80000001",
    b"ESN:80808080", b"urn:gsma:imei:490154203237510",
    b"IMEI:490154203237518\n", b"MEID:A0000000002329\n", b"ESN:E69FFFFF\n", b"\nIMEI:490154203237518",
    b"IMEI:\xb9\xb9\xb9\xb9\xb9\xb9\xb9\xb9\xb9\xb9\xb9\xb9\xb9\xb9\xb9",
]

# what a device has, lowest slot first
SEVERAL = [
    ["IMEI:490154203237518"], ["490154203237518", "354178036859789"], ["354178036859789", "490154203237518"],
    ["ESN:E69FFFFF", "A0000000002329", "4901542032375199"], ["ESN:E69FFFFF", "A0000000002329"],
    ["A0000000002329", "MEID:AF0123450ABCDE"],
    # a MEID of decimal digits is an IMEI and stands among them, in its slot
    ["A0000000002329", "MEID:99000028004122"], ["MEID:99000028004122", "490154203237518"],
    ["490154203237518", "MEID:99000028004122"],
    # what is refused counts as not there
    ["000000000000000", "490154203237518"], ["490154203237517", "A0000000002329"], ["", "ESN:E69FFFFF"],
    ["490154203237510", "ESN:E69FFFFF"],
    ["ESN:80000001", "000000000000000"], ["0"], [""], [],
]

MALFORMED = [
    b"\x80", b"\xbf", b"a\x80b", b"\xc0\x80", b"\xc1\xbf", b"\xc2", b"\xc2a", b"\xe0\x80\x80", b"\xe0\x9f\xbf",
    b"\xe2\x82", b"\xe2\x82a", b"\xe2", b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xf0\x80\x80\x80", b"\xf0\x8f\xbf\xbf",
    b"\xf0\x9f\x98", b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xfe", b"\xff", b"dm \xff", b"x" * 254 + b"\xc3",
]

GOOD_SERVERS = [
    b"a", b"com.example.dm", b"dm.example.com", b"ibm", b"abcd", b"s" * 67, b"s" * 255, b"com.example/dm:8080",
    "d\u00e4nemark.example".encode(), "\u6e2c\u8a66".encode(), "\U0001F4F1".encode(), "\u00a1\u00bf".encode(),
    "\ue000\ufffd\U0010ffff".encode(), b"COM.Example.DM", b"\"'<>\\|", "e\u0301".encode(), "\u00e9".encode(),
    "\u200b\u200d".encode(), "\u180e".encode(), b"x" * 251 + "\U0001F4F1".encode(),
]

ADDRS = [b"https://dm.example.com:443/dm", b"https://dm.example.com/dm?a=b&c=d*+e", b"http://[2001:db8::1]:80/"]


def around_blanks():
    """Refused: both ends of each range. Accepted: the neighbours outside, where they are not blank."""
    refused, accepted = [], []
    blank = {c for first, last in ref.BLANK_RANGES for c in range(first, last + 1)}
    for first, last in ref.BLANK_RANGES:
        refused += [chr(c).encode() for c in sorted({first, last})]
        refused.append(("dm" + chr(last) + "x").encode())
        accepted += [chr(c).encode() for c in (first - 1, last + 1)
                     if c > 0 and c not in blank]
    return refused, accepted


def reason_of(function, *arguments):
    try:
        function(*arguments)
    except ref.Refused as refused:
        return refused.reason
    return None


def identifiers():
    accepted = [{"input": text, "spare_digit": False, "devid": ref.parse_devid(text.encode())}
                for text in ACCEPTED]
    accepted += [{"input": text, "spare_digit": True, "devid": ref.parse_devid(text.encode(), True)}
                 for text in SPARE_ACCEPTED]
    refused = [{"input_hex": data.hex(), "spare_digit": spare, "reason": reason_of(ref.parse_devid, data, spare)}
               for spare, inputs in ((False, REFUSED), (True, SPARE_REFUSED)) for data in inputs]
    assert all(entry["reason"] for entry in refused), [e for e in refused if not e["reason"]]
    canonical = [{"devid_hex": data.hex(), "reason": reason_of(ref.check_canonical, data)} for data in CANONICAL]
    return {"accepted": accepted, "refused": refused, "canonical": canonical, "several": list(several())}


def several():
    for inputs in SEVERAL:
        having = [text.encode() for text in inputs]
        reason = reason_of(ref.choose_devid, having)
        yield {"inputs": inputs, "devid": None if reason else ref.choose_devid(having), "reason": reason}


def servers():
    blank, beside = around_blanks()
    acl = [b"=", b"a&b", b"dm*", b"+dm"]
    refused = [(kind, data) for kind in (ref.SERVER_ID, ref.ADDR)
               for data in [b"", b"x" * 256, b"\xff" * 256, b"\xc3\xa4" * 128, b"a b", b"a\xff b", b"a b=",
                            *MALFORMED, *blank]]
    refused += [(ref.SERVER_ID, data) for data in [*acl, b"a= b"]]
    accepted = [(kind, data) for kind in (ref.SERVER_ID, ref.ADDR) for data in [*GOOD_SERVERS, *beside]
                if not (kind == ref.SERVER_ID and set(data.decode()) & set("=&*+"))]
    accepted += [(ref.ADDR, data) for data in [*acl, *ADDRS]]
    assert not any(reason_of(ref.check_server, *pair) for pair in accepted)
    assert all(reason_of(ref.check_server, *pair) for pair in refused)
    return {"accepted": [{"kind": NAMES[k], "server_hex": d.hex()} for k, d in accepted],
            "refused": [{"kind": NAMES[k], "server_hex": d.hex(), "reason": reason_of(ref.check_server, k, d)}
                        for k, d in refused]}


def kdf():
    cases = [(KV, "DMAcc-1:DeviceKey", b"", 256), (KV, "DMAcc-1:KeyId", ref.be32(1), 64),
             (OTHER_KVS[0], "DMAcc-1:ServerNonce", bytes(range(256)), 128),
             (OTHER_KVS[1], "DMAcc-1:UserName", ref.lp(b"ESN:E69FFFFF"), 120),
             (OTHER_KVS[2], "DMAcc-1:ServerPW", b"\xff" * 281, 160), (KV, "", b"", 8), (KV, "A", b"B", 256)]
    return [{"key_hex": key.hex(), "label": label, "context_hex": context.hex(), "bits": bits,
             "input_hex": ref.kdf_input(label, context, bits).hex(),
             "output_hex": ref.kdf(key, label, context, bits).hex()} for key, label, context, bits in cases]


def base32():
    data = [bytes(5), b"\xff" * 5, bytes(range(5)), bytes(range(250, 255)), b"fooba", b"fooba" * 4,
            bytes.fromhex("00443214c74254b635cf84653a56d7c675be77df")]  # each character once
    return [{"data_hex": d.hex(), "text": ref.base32(d)} for d in data]


def numbers():
    values = {"key_version": (0, 1, 2, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 64 + 1),
              "generation": (0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 64)}
    return [{"name": name, "value": str(value), "reason": reason_of(ref.check_number, name, value)}
            for name, candidates in values.items() for value in candidates]


def key_ids():
    return [{"kv_hex": kv.hex(), "key_version": version, "key_id": ref.key_id(kv, version)}
            for kv in [KV, *OTHER_KVS] for version in (1, 2, 0xFFFFFFFF)]


def credential_cases():
    device, meid, esn = "IMEI:490154203237518", "MEID:A0000000002329", "ESN:E69FFFFF"
    dm = b"com.example.dm"
    yield KV, 1, device, ref.SERVER_ID, dm, 0
    yield KV, 1, device, ref.SERVER_ID, dm, 1
    yield KV, 2, device, ref.SERVER_ID, dm, 0
    yield KV, 1, device, ref.ADDR, b"https://dm.example.com:443/dm", 0
    for generation in (0x7FFFFFFF, 0x80000000, 0xFFFFFFFF):
        yield KV, 1, device, ref.SERVER_ID, dm, generation
    yield KV, 0xFFFFFFFF, device, ref.SERVER_ID, dm, 0
    for devid in (meid, esn, "IMEI:000000011234564", "MEID:FFFFFFFFFFFFFE"):
        yield KV, 1, devid, ref.SERVER_ID, dm, 0
    for kv in OTHER_KVS:
        yield kv, 1, device, ref.SERVER_ID, dm, 0
        yield kv, 3, esn, ref.ADDR, b"http://x/", 7
    for server in GOOD_SERVERS:
        yield KV, 1, device, ref.SERVER_ID, server, 0
        yield KV, 1, device, ref.ADDR, server, 0
    for server in ADDRS:
        yield KV, 1, meid, ref.ADDR, server, 2


def credentials():
    for kv, version, devid, kind, server, generation in credential_cases():
        kd = ref.device_key(kv, devid, version)
        c = ref.credentials(kd, devid, kind, server, generation)
        yield {"kv_hex": kv.hex(), "key_version": version, "devid": devid,
               "kind": NAMES[kind], "server_hex": server.hex(),
               "generation": generation, "kd_hex": kd.hex(), "user_name": c.user_name, "server_pw": c.server_pw,
               "client_pw": c.client_pw, "server_nonce_hex": c.server_nonce.hex(),
               "client_nonce_hex": c.client_nonce.hex()}


REFUSED_CREDENTIALS = [
    # key version, DevId, kind, server: one of them is wrong
    (0, "IMEI:490154203237518", ref.SERVER_ID, b"com.example.dm"),
    (1, "490154203237518", ref.SERVER_ID, b"com.example.dm"),
    (1, "IMEI:490154203237517", ref.SERVER_ID, b"com.example.dm"),
    (1, "IMEI:000000000000000", ref.SERVER_ID, b"com.example.dm"),
    (1, "0", ref.SERVER_ID, b"com.example.dm"),
    (1, "", ref.SERVER_ID, b"com.example.dm"),
    (1, "MEID:a0000000002329", ref.SERVER_ID, b"com.example.dm"),
    (1, "ESN:8016B128", ref.SERVER_ID, b"com.example.dm"),
    (1, "IMEI:490154203237518", ref.SERVER_ID, b""),
    (1, "IMEI:490154203237518", ref.SERVER_ID, b"com example"),
    (1, "IMEI:490154203237518", ref.SERVER_ID, b"a=b"),
    (1, "IMEI:490154203237518", ref.ADDR, b"x" * 256),
    (1, "IMEI:490154203237518", ref.ADDR, b"http://x/\xff"),
]


def credentials_refused():
    for version, devid, kind, server in REFUSED_CREDENTIALS:
        reason = reason_of(lambda v=version, d=devid, k=kind, s=server: ref.credentials(
            ref.device_key(KV, d, v), d, k, s, 0))
        assert reason, (version, devid, server)
        yield {"kv_hex": KV.hex(), "key_version": version, "devid": devid, "kind": NAMES[kind],
               "server_hex": server.hex(), "generation": 0, "reason": reason}


def vendor_keys():
    keys = [KV, *OTHER_KVS, bytes(32), KV[:31], KV + b"\x20", b"", KV[:16]]
    return [{"kv_hex": kv.hex(), "reason": reason_of(ref.key_id, kv, 1)} for kv in keys]


UNKEYED_CASES = [
    # the published examples come first
    ("IMEI:354358001352586", b"ibm"), ("IMEI:000000011234564", b"motorola"),
    ("IMEI:490154203237518", b"com.example.dm"), ("IMEI:354358001352586", b"motorola"),
    ("IMEI:000000011234564", b"ibm"), ("IMEI:999999999999986", b"a"), ("IMEI:000000000000182", b"s" * 135),
    ("IMEI:490154203237518", "d\u00e4nemark.example".encode()), ("IMEI:493005100592800", b"COM.Example/DM;\"'%s"),
]

UNKEYED_REFUSED = [
    ("MEID:A0000000002329", ref.SERVER_ID, b"ibm"), ("ESN:E69FFFFF", ref.SERVER_ID, b"ibm"),
    ("IMEI:490154203237518", ref.SERVER_ID, b"a:b"), ("IMEI:490154203237518", ref.SERVER_ID, b":"),
    ("IMEI:490154203237518", ref.SERVER_ID, b"s" * 136), ("IMEI:490154203237518", ref.ADDR, b"http"),
    ("IMEI:490154203237518", ref.ADDR, b"https://dm.example.com/"),
    ("IMEI:4901542032375180000", ref.SERVER_ID, b"ibm"), ("IMEI:490154203237517", ref.SERVER_ID, b"ibm"),
    ("IMEI:000000000000000", ref.SERVER_ID, b"ibm"), ("IMEI:0", ref.SERVER_ID, b"ibm"),
    ("IMEI:490154203237518", ref.SERVER_ID, b"i bm"), ("IMEI:490154203237518", ref.SERVER_ID, b""),
    ("IMEI:490154203237518", ref.SERVER_ID, b"i*m"), ("IMEI:490154203237518", ref.SERVER_ID, b"s" * 256),
    # two things wrong: the order of section 8
    ("ESN:80000001", ref.SERVER_ID, b""), ("MEID:A0000000002329", ref.SERVER_ID, b"a b"),
    ("IMEI:490154203237518", ref.ADDR, b"a b"), ("IMEI:490154203237518", ref.ADDR, b"i*m:"),
    ("MEID:A0000000002329", ref.ADDR, b"a:\xff"),
]

UNKNOWN_PROFILES = ["", "dmacc-2", "fcs11384-tool", "FCS14345"]


def hex_or_none(data):
    return None if data is None else data.hex()


def unkeyed():
    for profile in ref.UNKEYED:
        for devid, server in UNKEYED_CASES:
            c = ref.unkeyed_credentials(profile, devid, ref.SERVER_ID, server)
            yield {"profile": profile, "devid": devid, "server_hex": server.hex(), "user_name": c.user_name,
                   "server_pw": c.server_pw, "client_pw": c.client_pw,
                   "server_nonce_hex": hex_or_none(c.server_nonce), "client_nonce_hex": hex_or_none(c.client_nonce)}


def unkeyed_refused():
    for profile in ref.UNKEYED:
        for devid, kind, server in UNKEYED_REFUSED:
            reason = reason_of(ref.unkeyed_credentials, profile, devid, kind, server)
            assert reason, (profile, devid, server)
            yield {"profile": profile, "devid": devid, "kind": NAMES[kind], "server_hex": server.hex(),
                   "reason": reason}
    for profile in UNKNOWN_PROFILES:
        for devid, server in (("IMEI:490154203237518", b"ibm"), ("IMEI:0", b"")):
            assert reason_of(ref.unkeyed_credentials, profile, devid, ref.SERVER_ID, server) == "profile"
            yield {"profile": profile, "devid": devid, "kind": NAMES[ref.SERVER_ID], "server_hex": server.hex(),
                   "reason": "profile"}


def hashes():
    """What a server keeps, of whichever kind the account is: its own login name is its ServerID."""
    server_id, addr = b"com.example.dm", b"https://dm.example.com:443/dm"
    for devid, kind, server, generation in (
            ("IMEI:490154203237518", ref.SERVER_ID, server_id, 0), ("IMEI:490154203237518", ref.ADDR, addr, 0),
            ("MEID:A0000000002329", ref.ADDR, addr, 3), ("IMEI:490154203237518", ref.ADDR, server_id, 0),
            ("ESN:E69FFFFF", ref.SERVER_ID, server_id, 1)):
        c = ref.credentials(ref.device_key(KV, devid, 1), devid, kind, server, generation)
        yield {"kv_hex": KV.hex(), "key_version": 1, "devid": devid, "kind": NAMES[kind], "server_hex": server.hex(),
               "generation": generation, "server_id": server_id.decode(),
               "client_hash": ref.stored(c.user_name.encode(), c.client_pw.encode()),
               "server_hash": ref.stored(server_id, c.server_pw.encode())}


def logins():
    """OMA's printed example, then both directions of the first device, at nonces that tempt to be taken as text."""
    c = ref.credentials(ref.device_key(KV, "IMEI:490154203237518", 1), "IMEI:490154203237518", ref.SERVER_ID,
                        b"com.example.dm", 0)
    cases = [(b"Bruce2", b"OhBehave", b"Nonce"), (c.user_name.encode(), c.client_pw.encode(), c.client_nonce),
             (b"com.example.dm", c.server_pw.encode(), c.server_nonce),
             (b"com.example.dm", c.server_pw.encode(), bytes(4)),
             (c.user_name.encode(), c.client_pw.encode(), base64.b64encode(c.client_nonce)),
             (c.user_name.encode(), c.client_pw.encode(), b":\0\xff")]
    for name, password, nonce in cases:
        kept = ref.stored(name, password)
        yield {"name": name.decode(), "password": password.decode(), "stored": kept, "nonce_hex": nonce.hex(),
               "digest": ref.login_digest(kept, nonce)}


def dump(value, indent=""):
    """JSON with one entry a line, so that a difference shows which entry changed."""
    if isinstance(value, dict) and not all(isinstance(v, (str, int, bool, type(None))) for v in value.values()):
        inner = ",\n".join(f'{indent} "{key}": {dump(v, indent + " ")}' for key, v in value.items())
        return "{\n" + inner + "\n" + indent + "}"
    if isinstance(value, list):
        return "[\n" + ",\n".join(f"{indent} {json.dumps(v)}" for v in value) + "\n" + indent + "]"
    return json.dumps(value)


def text():
    return dump({"format": 1, "algorithm": "dmacc-1", "identifiers": identifiers(), "servers": servers(),
                 "kdf": kdf(), "base32": base32(), "numbers": numbers(), "key_ids": key_ids(),
                 "credentials": list(credentials()), "credentials_refused": list(credentials_refused()), "vendor_keys": vendor_keys(),
                 "unkeyed": {"credentials": list(unkeyed()), "refused": list(unkeyed_refused())},
                 "hashes": list(hashes()), "logins": list(logins())}) + "\n"


def main():
    if sys.argv[1:] == ["--check"]:
        return 0 if FILE.read_text() == text() else "uapi/vectors.json is not what make_vectors.py writes"
    if sys.argv[1:]:
        return "usage: make_vectors.py [--check]"
    FILE.write_text(text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
