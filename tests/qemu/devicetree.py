# SPDX-License-Identifier: LGPL-2.1-or-later
"""The device tree of a guest: what QEMU gives its machine, with nodes of ours in it."""
import tempfile
from pathlib import Path

from rootfs import run

OVERLAY = """/dts-v1/;
/plugin/;
/ {
	fragment {
		target-path = "/";
		__overlay__ {
%s
		};
	};
};
"""
IDENTITY = """
firmware {
	identity {
		compatible = "dmacc,identity";
%s
	};
};
"""


def node(properties):
    """The node with the identifier, where the binding has it."""
    return IDENTITY % properties


def identity(identifiers):
    """The node that names these, as a boot loader writes it; none if there are none."""
    named = [text.split(":") for text in identifiers if ":" in text]
    return node("".join(f'{kind.lower()} = "{digits}";' for kind, digits in named)) if named else ""


def make(path, qemu, nodes):
    """Writes to `path` the device tree of the machine that these options of QEMU make, and `nodes` at its root."""
    with tempfile.TemporaryDirectory() as folder:
        base, source, overlay = (Path(folder) / name for name in ("base", "source", "overlay"))
        run([*qemu, "-nodefaults", "-display", "none", "-machine", f"dumpdtb={base}"])
        source.write_text(OVERLAY % nodes)
        run(["dtc", "-q", "-@", "-I", "dts", "-O", "dtb", "-o", overlay, source])
        run(["fdtoverlay", "-i", base, "-o", path, overlay])
