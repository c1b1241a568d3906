#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How fast dmacc-fleet derives: fleet.py BUILDFOLDER

Devices a second, end to end (read, parse, derive, encode, write to a pipe), as a ratio to the
SHA-256 compressions that a device needs, 12 for a ServerID of 4 to 67 bytes, at the speed of
libcrypto's bulk SHA-256 on the same core. What is compared is measured in turn, round by round;
the median of the rounds' ratios is printed and how far they spread. On one core it is processor
time that counts, the tool's and the pipe's reader's, so that others who want the core do not
spoil it; the gain of a second thread can be seen on the clock alone, and wants two idle cores.
Nothing here can fail for being slow.
"""
import base64
import hashlib
import hmac
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

COMPRESSIONS = 12
DEVICES = 1_000_000
ROUNDS = 5
SECONDS = 0.4
# of which a processor has what it has; where none is named, it is there for those without the others
AIMS = {"avx512": "aim 1.5", "sha": "aim 0.7", "avx2": "aim 0.7", "libcrypto": "aim 0.45"}
MILLIONS_FOR_MEMORY = 10
# so many that what it takes to start does not count
MILLIONS_FOR_THREADS = 4


def cpu_time():
    """Of this process and of those that it has waited for."""
    usages = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


class Bench:
    """The programs, their input, and the cores on which they are measured."""

    def __init__(self, build, folder):
        self.fleet, self.programs = build / "tests/bench/bench-fleet", build / "tests/bench"
        self.cores = sorted(os.sched_getaffinity(0))
        self.buffer = bytearray(1 << 16)
        self.key, self.identifiers = Path(folder) / "key", Path(folder) / "identifiers"
        self.key.write_text(random.randbytes(32).hex())
        self.key.chmod(0o600)
        rng = random.Random(1)
        self.identifiers.write_text("".join(f"{rng.randrange(10 ** 13, 10 ** 14)}\n" for _ in range(DEVICES)))

    def program(self, name, *arguments):
        return subprocess.run([self.programs / name, *arguments], capture_output=True, check=True, text=True).stdout

    def rate(self, name, *arguments):
        return float(self.program(name, *arguments, str(SECONDS)))

    def start(self, engine, *arguments, **options):
        env = os.environ | ({"DMACC_BENCH_ENGINE": engine} if engine else {})
        return subprocess.Popen([self.fleet, "derive", "--key", self.key, "--server-id", "com.example.dm",
                                 *arguments], stdout=subprocess.PIPE, env=env, **options)

    def check_engines(self):
        """Link-time optimisation, for one, leaves the linker nothing to put engine.c in the place of."""
        with self.start("none", os.devnull, stderr=subprocess.DEVNULL) as process:
            self.drain(process)
        if process.returncode == 0:
            sys.exit(f"{self.fleet} does not derive as it is told: build without -Db_lto")

    def drain(self, process, watch=lambda: None):
        """The reader takes the pipe's content and throws it away."""
        size = 0
        while n := os.readv(process.stdout.fileno(), [self.buffer]):
            size += n
            watch()
        return size

    def derive(self, engine, *arguments, millions=None):
        """Seconds for all identifiers, or for so many millions: by the clock, and of processor time."""
        identifiers, devices = (self.many(millions), millions * 1_000_000) if millions else (self.identifiers, DEVICES)
        started, used = time.monotonic(), cpu_time()
        with self.start(engine, *arguments, identifiers) as process:
            size = self.drain(process)
        took, used = time.monotonic() - started, cpu_time() - used
        assert process.returncode == 0 and size > 100 * devices, "not every device was derived"
        return took, used

    def many(self, millions):
        """A file of so many million identifiers."""
        path = self.identifiers.with_name(f"identifiers-{millions}")
        if not path.exists():
            path.write_bytes(self.identifiers.read_bytes() * (millions * 1_000_000 // DEVICES))
        return path

    def rate_of(self, engine):
        """Devices a second of processor time."""
        return DEVICES / self.derive(engine)[1]

    def on_cores(self, count):
        os.sched_setaffinity(0, self.cores[:count])

    def peak_memory(self, *arguments):
        """In MiB, over ten million identifiers from a pipe."""
        peak = 0

        def look():
            nonlocal peak
            try:
                status = Path(f"/proc/{process.pid}/status").read_text()
            except OSError:
                return
            if "VmHWM:" in status:
                peak = max(peak, int(status.split("VmHWM:")[1].split()[0]))

        def watch(counter=iter(range(1 << 30))):
            if next(counter) % 256 == 0:
                look()

        def feed():
            text = self.identifiers.read_bytes()
            for _ in range(MILLIONS_FOR_MEMORY):
                process.stdin.write(text)
            process.stdin.flush()
            look()
            process.stdin.close()

        with self.start(None, *arguments, stdin=subprocess.PIPE) as process:
            feeder = threading.Thread(target=feed)
            feeder.start()
            size = self.drain(process, watch)
            feeder.join()
        assert process.returncode == 0 and size > 100 * DEVICES * MILLIONS_FOR_MEMORY, "not every device was derived"
        return peak / 1024


def python_hmac():
    """Devices a second of the derivation alone, as somebody writes it in Python."""
    def kdf(key, label, context, bits):
        data = b"\0\0\0\1" + label + b"\0" + context + bits.to_bytes(4, "big")
        return hmac.digest(key, data, hashlib.sha256)[:bits // 8]

    devid, server, devices, started = b"\x14IMEI:490154203237518", b"\1\x0ecom.example.dm", 0, cpu_time()
    while (took := cpu_time() - started) < SECONDS:
        key = kdf(bytes(range(32)), b"DMAcc-1:DeviceKey", devid + b"\0\0\0\1", 256)
        for label, context, bits in ((b"DMAcc-1:UserName", devid, 120),
                                     (b"DMAcc-1:ServerPW", devid + server + b"\0\0\0\0", 160),
                                     (b"DMAcc-1:ClientPW", devid + server + b"\0\0\0\0", 160)):
            base64.b32encode(kdf(key, label, context, bits))
        devices += 1
    return devices / took


def spread(values):
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def one_core(bench):
    """Every engine of this machine, and what others would use, in turn with the yardstick."""
    ways = {f"dmacc-fleet derive, {engine}": (lambda engine=engine: bench.rate_of(engine), AIMS.get(engine, "no aim"))
            for engine in bench.program("bench-others", "engines").split()}
    ways["EVP_MAC reused, derivation alone"] = lambda: bench.rate("bench-others", "evp-mac"), "to compare"
    ways["HMAC(), derivation alone"] = lambda: bench.rate("bench-others", "hmac"), "to compare"
    ways["Python's hmac, derivation alone"] = python_hmac, "to compare"
    rates, ratios = {way: [] for way in ways}, {way: [] for way in ways}
    bench.on_cores(1)
    for _ in range(ROUNDS):
        for way, (measure, _) in ways.items():
            yardstick = bench.rate("bench-sha256") / COMPRESSIONS
            rates[way].append(measure())
            ratios[way].append(rates[way][-1] / yardstick)
    for way, (_, aim) in ways.items():
        print(f"{way}: {spread(ratios[way])} of the yardstick, {aim}; "
              f"{statistics.median(rates[way]):,.0f} devices a second on one core")


def both(bench):
    """Seconds by the clock for two processes at once, which have nothing to do with each other."""
    started = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(bench.derive, None, millions=MILLIONS_FOR_THREADS) for _ in range(2)]
    for run in runs:
        run.result()
    return time.monotonic() - started


def two_threads(bench):
    if len(bench.cores) < 2:
        print("dmacc-fleet derive, two threads: not measured, this is one core")
        return
    speed, cost, apart = [], [], []
    for _ in range(ROUNDS):
        bench.on_cores(1)
        one = bench.derive(None, millions=MILLIONS_FOR_THREADS)
        bench.on_cores(2)
        two = bench.derive(None, "--threads", "2", millions=MILLIONS_FOR_THREADS)
        speed.append(one[0] / two[0])
        cost.append(two[1] / one[1])
        apart.append(2 * one[0] / both(bench))
    print(f"dmacc-fleet derive, two threads on two cores: {spread(speed)} times one, aim 1.9; "
          f"for {spread(cost)} of its processor time; two processes, which is what this machine gives: {spread(apart)}")


def memory(bench):
    bench.on_cores(2)
    for threads in ("1", "2"):
        print(f"dmacc-fleet derive, {MILLIONS_FOR_MEMORY} million identifiers, --threads {threads}: at most "
              f"{bench.peak_memory('--threads', threads):.1f} MiB, aim 64")


def main():
    build = Path(sys.argv[1] if len(sys.argv) > 1 else "build").resolve()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(build, folder)
        bench.check_engines()
        one_core(bench)
        two_threads(bench)
        memory(bench)


if __name__ == "__main__":
    main()
