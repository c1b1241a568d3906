#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What it costs to commit the nonces of a session: nonce.py BUILD-FOLDER

As a ratio to a bare write, fsync, rename and fsync of the folder, of as many bytes, in turn in the same file
system, which is the build folder's: not one in memory, where an fsync costs nothing. The agent's own code commits,
without a bus between; the module is a double. Several runs, of which each has its own ratio of medians; the median of
these and the extremes are printed.
"""
import statistics
import subprocess
import sys
import tempfile

RUNS = 7
COUNT = 200


def measure(build):
    with tempfile.TemporaryDirectory(dir=build) as folder:
        done = subprocess.run([f"{build}/tests/bench/bench-nonce", folder, str(COUNT)], text=True, check=False,
                              capture_output=True)
    if done.returncode:
        sys.exit(done.stderr)
    return [float(number) for number in done.stdout.split()]


def main():
    runs = [measure(sys.argv[1]) for _ in range(RUNS)]
    ratios = [commit / bare for commit, bare, _ in runs]
    commit, bare, size = (statistics.median(values) for values in zip(*runs))
    print(f"commit of a session's nonces: {statistics.median(ratios):.2f} times write, fsync, rename, fsync of the same "
          f"{size:.0f} bytes (aim 1.2 or less), runs from {min(ratios):.2f} to {max(ratios):.2f}; "
          f"{commit / 1000:.0f} and {bare / 1000:.0f} microseconds here")


if __name__ == "__main__":
    main()
