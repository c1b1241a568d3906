#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""dmacc-fleet against the reference, over random identifiers, servers, keys and spellings.

    differential.py --fleet PATH [--count 5000] [--seed N]

Every kind of identifier and server, every profile. Compares every value and the reason of every
refusal; a disagreement is printed in full with the seed that makes it again.
"""
import argparse
import base64
import collections
import csv
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import reference as ref

LARGEST_BATCH = 2000
KEYED = "dmacc-1"
KINDS = {ref.SERVER_ID: "ServerID", ref.ADDR: "Addr"}


MUST_BE_SEEN = {(KEYED, server, devid) for server in KINDS.values() for devid in ("IMEI", "MEID", "ESN")} | \
    {(profile, "ServerID", "IMEI") for profile in ref.UNKEYED}


class Disagreement(AssertionError):
    pass


def random_identifier(rng):
    """A valid one of any kind in canonical digits, with its prefix."""
    kind = rng.choice(("IMEI", "MEID", "ESN", "DUAL"))
    if kind == "IMEI":
        digits = "".join(rng.choices("0123456789", k=14))
        return "IMEI:", digits + ref.luhn_digit(digits, 10)
    if kind == "MEID":
        return "MEID:", rng.choice("ABCDEF") + "".join(rng.choices("0123456789ABCDEF", k=13))
    if kind == "ESN":
        return "ESN:", "".join(rng.choices("0123456789ABCDEF", k=8))
    return "MEID:", "99" + "".join(rng.choices("0123456789", k=12))


def respell(rng, prefix, digits):
    """One of the ways in which people write it."""
    if prefix == "IMEI:":
        digits = rng.choice((digits, digits[:14], digits[:14] + f"{rng.randrange(100):02d}",
                             digits[:14] + "0"))
        prefix = rng.choice((prefix, "", "", "urn:gsma:imei:"))
    elif prefix == "MEID:":
        base = 10 if digits.isdecimal() else 16
        digits = rng.choice((digits, digits + ref.luhn_digit(digits, base),
                             f"{int(digits[:8], 16):010d}{int(digits[8:], 16):08d}"))
        prefix = rng.choice((prefix, prefix, ""))
    elif rng.random() < 0.5:
        digits = f"{int(digits[:2], 16):03d}{int(digits[2:], 16):08d}"
    text = rng.choice((prefix, prefix.lower())) + rng.choice((digits, digits.lower()))
    if rng.random() < 0.3:
        place = rng.randrange(len(prefix), len(text) + 1)
        text = text[:place] + rng.choice(" -\t") + text[place:]
    if prefix.startswith("urn") and rng.random() < 0.5:
        text += ";vers=0"
    return text.encode()


def mutate(rng, data):
    """Mostly spoils it."""
    data = bytearray(data or b"0")
    for _ in range(rng.choice((1, 1, 2))):
        place = rng.randrange(len(data))
        how = rng.randrange(4)
        if how == 0:
            data[place] = rng.choice(b"0123456789ABCDEFabcdef:;- gGxX\xb2\xff\x01")
        elif how == 1:
            data.insert(place, rng.choice(b"0123456789ABCDEF:- "))
        elif how == 2 and len(data) > 1:
            del data[place]
        else:
            data = bytearray(bytes([data[place]]) * len(data))
    # what CSV would take as its own is another test's
    return bytes(data).translate(None, b',"\r\n')


def random_line(rng):
    data = respell(rng, *random_identifier(rng))
    return mutate(rng, data) if rng.random() < 0.3 else data


def random_server(rng):
    """(kind, bytes), mostly valid; no NUL, which an argument cannot hold."""
    length = rng.choice((1, 4, 14, 67, 68, 254, 255, 256))
    alphabet = rng.choice(("abcdefghijklmnopqrstuvwxyz.-:/", "abc\u00e4\u6e2c\U0001F4F1", "a=&*+", "a\u00a0 \u3000"))
    data = "".join(rng.choices(alphabet, k=length)).encode()[:rng.choice((255, 255, 256))]
    return rng.choice((ref.SERVER_ID, ref.ADDR)), data


class Round:
    """One run of the tool over a batch of lines."""

    def __init__(self, rng, fleet, folder):
        self.rng, self.fleet, self.folder = rng, fleet, Path(folder)
        self.kv = rng.randbytes(32)
        self.profile = rng.choice((KEYED, KEYED, KEYED, *ref.UNKEYED))
        self.kind, self.server = random_server(rng)
        self.stored = self.kind == ref.SERVER_ID and rng.random() < 0.2
        self.nonces = not self.stored and self.profile != "fcs14345"
        self.generation = rng.choice((0, 1, rng.randrange(2 ** 32), 2 ** 32 - 1))
        self.version = rng.choice((1, 2, rng.randrange(1, 2 ** 32), 2 ** 32 - 1))
        self.spare = rng.random() < 0.5
        self.lines = [random_line(rng) for _ in range(rng.randrange(1, LARGEST_BATCH))]
        self.columns = [(rng.randrange(2 ** 32), rng.randrange(1, 2 ** 32)) for _ in self.lines] \
            if rng.random() < 0.5 else None

    def keyed_options(self):
        key = self.folder / "key"
        key.write_text(self.kv.hex() + self.rng.choice(("", "\n")))
        key.chmod(0o600)
        return ["--key", key, "--generation", str(self.generation), "--key-version", str(self.version)]

    def command(self):
        option = b"--server-id" if self.kind == ref.SERVER_ID else b"--addr"
        return [self.fleet, "derive", "--profile", self.profile, option + b"=" + self.server,
                "--rejects", self.folder / "rejects", "--threads", str(self.rng.choice((1, 2, 3))),
                *(self.keyed_options() if self.profile == KEYED else []),
                *(["--spare-digit"] if self.spare else []), *(["--nonces"] if self.nonces else []),
                *(["--as", "stored"] if self.stored else [])]

    def input(self):
        if not self.columns:
            return b"".join(line + b"\n" for line in self.lines)
        rows = [b"%s,%d,%d\n" % (line, *columns) for line, columns in zip(self.lines, self.columns)]
        return b"DevId,generation,key_version\n" + b"".join(rows)

    def expected(self):
        """(rows of output, {line number: reason})."""
        rows, refused = [], {}
        first = 2 if self.columns else 1
        for i, line in enumerate(self.lines):
            generation, version = self.columns[i] if self.columns else (self.generation, self.version)
            try:
                devid = ref.parse_devid(line, self.spare)
                rows.append(self.row(devid, self.credentials(devid, generation, version)))
            except ref.Refused as refusal:
                refused[i + first] = (line, refusal.reason)
        return rows, refused

    def credentials(self, devid, generation, version):
        if self.profile != KEYED:
            return ref.unkeyed_credentials(self.profile, devid, self.kind, self.server)
        return ref.credentials(ref.device_key(self.kv, devid, version), devid, self.kind, self.server, generation)

    def row(self, devid, c):
        if self.stored:
            return [devid, c.user_name, ref.stored(c.user_name.encode(), c.client_pw.encode()),
                    ref.stored(self.server, c.server_pw.encode())]
        nonces = [base64.b64encode(nonce).decode() for nonce in (c.server_nonce, c.client_nonce)] if self.nonces else []
        return [devid, c.user_name, c.client_pw, c.server_pw, *nonces]

    def judge_server(self):
        """What the tool has to say of the server, None if it has to take it."""
        try:
            ref.check_server(self.kind, self.server)
            if self.profile != KEYED:
                ref.unkeyed_credentials(self.profile, "IMEI:490154203237518", self.kind, self.server)
        except ref.Refused as refusal:
            return b"unkeyed" if refusal.reason == "profile" else f": {refusal.reason}: ".encode()
        return None

    def run(self):
        """Returns how many derivations of each (profile, kind of server, kind of identifier) were compared."""
        done = subprocess.run(self.command(), input=self.input(), capture_output=True, check=False)
        reason = self.judge_server()
        if reason:
            if done.returncode != 2 or reason not in done.stderr or done.stdout:
                raise Disagreement(f"server {self.server!r}: {reason} expected, got {done.returncode} {done.stderr!r}")
            return collections.Counter()
        rows, refused = self.expected()
        if done.returncode != (1 if refused else 0):
            raise Disagreement(f"exit status {done.returncode}: {done.stderr!r}")
        self.compare("row", [line.split(",") for line in done.stdout.decode().splitlines()[1:]], rows)
        with open(self.folder / "rejects", newline="", encoding="latin-1") as file:
            got = list(csv.reader(file))[1:]
        self.compare("refusal", [[n, text.encode("latin-1"), reason.split(":")[0]] for n, text, reason in got],
                     [[str(n), line, reason] for n, (line, reason) in refused.items()])
        return collections.Counter((self.profile, KINDS[self.kind], row[0].split(":")[0]) for row in rows)

    def compare(self, what, got, wanted):
        for a, b in zip(got, wanted):
            if a != b:
                raise Disagreement(f"{what}: the tool says {a}, the reference {b}; {self.profile}, "
                                   f"server {self.server!r}")
        if len(got) != len(wanted):
            raise Disagreement(f"{len(got)} {what}s, not {len(wanted)}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fleet", required=True)
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2 ** 32))
    args = parser.parse_args()
    rng = random.Random(args.seed)
    compared = collections.Counter()
    try:
        while compared.total() < args.count or MUST_BE_SEEN - compared.keys():
            with tempfile.TemporaryDirectory() as folder:
                compared += Round(rng, args.fleet, folder).run()
    except Disagreement as disagreement:
        sys.exit(f"not ok 1 - seed {args.seed}: {disagreement}")
    for combination, number in sorted(compared.items()):
        print(f"# {number:6} {', '.join(combination)}")
    print(f"ok 1 - {compared.total()} derivations agree (seed {args.seed})")


if __name__ == "__main__":
    main()
