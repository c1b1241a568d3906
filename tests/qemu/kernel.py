#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Debian's stock kernels, as its users have them: image and modules, and headers to build against.

    kernel.py kdir 6.1|6.12     prints the build tree, for make KDIR=

The headers are those that are installed here; the image that belongs to them is downloaded as a
package and unpacked, not installed.
"""
import re
import subprocess
import sys
from pathlib import Path

import cache

SERIES = ("6.1", "6.12")
HEADERS = {"6.1": "linux-headers-amd64", "6.12": "linux-headers-6.12-amd64"}


class Kernel:
    """A stock kernel of a series: `release`, `kdir`, `image`, `modules`.

    `command_line` is what it is booted with beside the usual, `slowness` how much longer all takes on it.
    """

    command_line = ""
    slowness = 1

    def __init__(self, series):
        trees = [tree for tree in Path("/usr/src").glob(f"linux-headers-{series}.*-amd64")
                 if "rt-" not in tree.name and "cloud-" not in tree.name]
        if not trees:
            sys.exit(f"no headers of Debian's kernel {series} are installed: install {HEADERS[series]}")
        newest = max(trees, key=lambda tree: [int(n) for n in re.findall(r"\d+", tree.name)])
        self.series = series
        self.kdir = newest
        self.release = newest.name.removeprefix("linux-headers-")
        self._unpacked = None

    @property
    def unpacked(self):
        if not self._unpacked:
            self._unpacked = cache.entry(f"linux-image-{self.release}", self._download)
        return self._unpacked

    @property
    def image(self):
        return self.unpacked / f"boot/vmlinuz-{self.release}"

    @property
    def modules(self):
        return self.unpacked / f"lib/modules/{self.release}"

    def _download(self, folder):
        # apt's own user cannot write into a folder of ours, and says so; that is no error
        done = subprocess.run(["apt-get", "download", "-q", f"linux-image-{self.release}"], cwd=folder,
                              capture_output=True, text=True, check=False)
        packages = list(folder.glob("*.deb"))
        if not packages:
            sys.exit(f"linux-image-{self.release} cannot be downloaded; if the archive has a newer one, "
                     f"run apt-get update and install {HEADERS[self.series]} anew:\n{done.stderr}")
        subprocess.run(["dpkg-deb", "-x", packages[0], folder], check=True)
        packages[0].unlink()


def main():
    if len(sys.argv) != 3 or sys.argv[1] != "kdir" or sys.argv[2] not in SERIES:
        sys.exit("usage: kernel.py kdir 6.1|6.12")
    print(Kernel(sys.argv[2]).kdir)


if __name__ == "__main__":
    main()
