#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Debian's stock kernels, as its users have them: image and modules, and headers to build against.

    kernel.py kdir 6.1|6.12|6.1-arm64|6.12-arm64     prints the build tree, for make KDIR=

The headers are those that are installed here; the image that belongs to them is downloaded as a
package and unpacked, not installed. For another architecture so are its headers, of the same version; what they
use of this machine's is what is installed.
"""
import re
import subprocess
import sys
from pathlib import Path

import archive
import cache
from machine import MACHINES

SERIES = ("6.1", "6.12")
ARM64 = tuple(f"{series}-arm64" for series in SERIES)
HEADERS = {"6.1": "linux-headers-amd64", "6.12": "linux-headers-6.12-amd64"}


class Kernel:
    """A stock kernel of a series: `release`, `kdir`, `image`, `modules`, and the `machine` that it is for.

    `command_line` is what it is booted with beside the usual, `slowness` how much longer all takes on it.
    """

    command_line = ""
    slowness = 1

    def __init__(self, name):
        series, _, architecture = name.partition("-")
        self._headers = HEADERS.get(series, f"linux-headers-{series}-amd64")
        trees = [tree for tree in Path("/usr/src").glob(f"linux-headers-{series}.*-amd64")
                 if "rt-" not in tree.name and "cloud-" not in tree.name]
        if not trees:
            sys.exit(f"no headers of Debian's kernel {series} are installed: install {self._headers}")
        newest = max(trees, key=lambda tree: [int(n) for n in re.findall(r"\d+", tree.name)])
        self.series = name
        self.machine = MACHINES[architecture or "amd64"]
        self.release = newest.name.removeprefix("linux-headers-").replace("amd64", self.machine.architecture)
        self._here = newest
        self._unpacked = None

    @property
    def kdir(self):
        return self.unpacked / f"usr/src/linux-headers-{self.release}" if self._foreign else self._here

    @property
    def _foreign(self):
        return self.release not in self._here.name

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
        if self._foreign:
            return self._download_foreign(folder)
        # apt's own user cannot write into a folder of ours, and says so; that is no error
        done = subprocess.run(["apt-get", "download", "-q", f"linux-image-{self.release}"], cwd=folder,
                              capture_output=True, text=True, check=False)
        packages = list(folder.glob("*.deb"))
        if not packages:
            sys.exit(f"linux-image-{self.release} cannot be downloaded; if the archive has a newer one, "
                     f"run apt-get update and install {self._headers} anew:\n{done.stderr}")
        subprocess.run(["dpkg-deb", "-x", packages[0], folder], check=True)
        packages[0].unlink()

    def _download_foreign(self, folder):
        parts = [f"linux-{part}-{self.release}" for part in ("image", "headers")]
        archive.unpack(self.machine.architecture, parts, folder)
        for tool in ("scripts", "tools"):
            link = folder / "usr/src" / parts[1] / tool
            link.unlink()
            link.symlink_to((self._here / tool).resolve())


def main():
    if len(sys.argv) != 3 or sys.argv[1] != "kdir" or sys.argv[2] not in SERIES + ARM64:
        sys.exit("usage: kernel.py kdir " + "|".join(SERIES + ARM64))
    print(Kernel(sys.argv[2]).kdir)


if __name__ == "__main__":
    main()
