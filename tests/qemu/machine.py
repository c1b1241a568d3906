# SPDX-License-Identifier: LGPL-2.1-or-later
"""What differs between the architectures that guests have."""
from dataclasses import dataclass
from pathlib import Path

import archive
import devicetree

MEMORY_SIZE = "512M"


class Machine:
    """`architecture` is Debian's name of it, `linux` the kernel's.

    `qemu` emulates it, `compiler` and, for the module, the arguments `kbuild` of make build for it. A
    handset boots in less than `boot_timeout` seconds, where several do so at once, too.
    """

    kbuild = ()
    device_tree = False
    compiler = "gcc"
    busybox = Path("/usr/bin/busybox")

    def hardware(self, work, processors, identifiers, nodes=""):
        """Options of QEMU by which the hardware names these identifiers; `work`: a file that they may need."""
        raise NotImplementedError


class Amd64(Machine):
    """In strings of SMBIOS, which may be anything."""

    architecture, linux = "amd64", "x86"
    # Never KVM: where it is offered and does not work, a guest hangs before its first byte
    qemu = ("qemu-system-x86_64", "-M", "pc", "-accel", "tcg", "-cpu", "max")
    console = "ttyS0"
    boot_timeout = 300

    def hardware(self, work, processors, identifiers, nodes=""):
        assert not nodes, "a PC has no device tree"
        return [word for text in identifiers for word in ("-smbios", f"type=11,value={text}")]


class Arm64(Machine):
    """In a node of the device tree; what has no prefix has no property."""

    architecture, linux = "arm64", "arm64"
    qemu = ("qemu-system-aarch64", "-M", "virt", "-accel", "tcg", "-cpu", "cortex-a57")
    console = "ttyAMA0"
    boot_timeout = 900
    device_tree = True
    triplet = "aarch64-linux-gnu"
    compiler = f"{triplet}-gcc"
    kbuild = ("ARCH=arm64", f"CROSS_COMPILE={triplet}-")

    @property
    def busybox(self):
        return archive.sysroot(self.architecture) / "bin/busybox"

    def hardware(self, work, processors, identifiers, nodes=""):
        options = [*self.qemu, "-m", MEMORY_SIZE, "-smp", str(processors)]
        devicetree.make(work, options, devicetree.identity(identifiers) + nodes)
        return ["-dtb", work]


MACHINES = {machine.architecture: machine for machine in (Amd64(), Arm64())}
