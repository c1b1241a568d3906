#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How fast dmacc-fleet derives: fleet.py BUILDFOLDER

Devices a second of one core, end to end (read, parse, derive, encode, write to a pipe), as a
ratio to the SHA-256 compressions that a device needs, 12 for a ServerID of 4 to 67 bytes, at
the speed of libcrypto's bulk SHA-256 on the same core. The two are measured in turn; the median
of the pairs is printed. Nothing here can fail for being slow.
"""
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COMPRESSIONS = 12
DEVICES = 1_000_000
PAIRS = 5


def yardstick(build):
    done = subprocess.run([build / "tests/bench/bench-sha256", "0.5"], capture_output=True, check=True)
    return float(done.stdout) / COMPRESSIONS


def fleet(build, key, identifiers, *options):
    """Devices a second; the reader takes the pipe's content and throws it away."""
    started = time.monotonic()
    with subprocess.Popen([build / "agent/dmacc-fleet/dmacc-fleet", "derive", "--key", key, "--server-id",
                           "com.example.dm", *options, identifiers], stdout=subprocess.PIPE) as process:
        size = 0
        while block := process.stdout.read1(1 << 16):
            size += len(block)
    took = time.monotonic() - started
    assert process.returncode == 0 and size > 100 * DEVICES, "not every device was derived"
    return DEVICES / took


def write_inputs(folder):
    key, identifiers = Path(folder) / "key", Path(folder) / "identifiers"
    key.write_text(random.randbytes(32).hex())
    key.chmod(0o600)
    rng = random.Random(1)
    identifiers.write_text("".join(f"{rng.randrange(10 ** 13, 10 ** 14)}\n" for _ in range(DEVICES)))
    return key, identifiers


def main():
    build = Path(sys.argv[1] if len(sys.argv) > 1 else "build").resolve()
    # one core for the yardstick, the tool and the reader of its pipe
    core = min(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        key, identifiers = write_inputs(folder)
        os.sched_setaffinity(0, {core})
        ratios, rates = [], []
        for _ in range(PAIRS):
            best = yardstick(build)
            rates.append(fleet(build, key, identifiers))
            ratios.append(rates[-1] / best)
    print(f"fleet derive: {statistics.median(ratios):.2f} of the yardstick (aim 0.3), from {min(ratios):.2f} to "
          f"{max(ratios):.2f}; {statistics.median(rates):.0f} devices a second on one core")


if __name__ == "__main__":
    main()
