#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The identifier of a phone that has a device tree: the node loads the module, and a cell of an nvmem provider is
read, late or not, of each kind, in each encoding, right or wrong. On Debian's stock arm64 kernels.

    identity_nodes.py [6.1-arm64|6.12-arm64]...
"""
import sys
import tempfile
from pathlib import Path

import test_module
from owners import IMEI, OTHER_IMEI
from tap import Tap

import devicetree
import kernel as kernels

WRONG = IMEI[:-1] + "0"
# Those of uapi/derivation.md, which module-cell-*.sh have, too
MEID, ESN = "A0000000002329", "E69FFFFF"
DIGITS = {"imei": IMEI, "meid": MEID, "esn": ESN}
PROVIDER = "tests/kunit/cells"
# Above what QEMU loads, in the memory of a guest
RESERVED = 0x50000000
RESERVED_SIZE = 0x1000
# Debian's 6.1 has no driver for such memory
STOCK_DRIVER = {"6.12-arm64": "kernel/drivers/nvmem/nvmem-rmem"}


def ascii(digits):
    return digits.encode()


def swap_nibbles(content):
    return bytes((byte & 15) << 4 | byte >> 4 for byte in content)


def bcd(digits):
    return bytes.fromhex(digits + "F")


def bcd_swapped(digits):
    return swap_nibbles(bcd(digits))


def mobile_identity(digits):
    return swap_nibbles(bytes.fromhex("A" + digits))


def big_endian(digits):
    """The digits of an IMEI are decimal, those of the others hexadecimal."""
    return int(digits).to_bytes(8, "big") if len(digits) == len(IMEI) else bytes.fromhex(digits)


def little_endian(digits):
    return big_endian(digits)[::-1]


def name(encode):
    return encode.__name__.replace("_", "-")


def parameter(content):
    return ",".join(map(str, content)).encode()


def cells(series, sizes):
    """One cell of each kind, one behind the other; older kernels want them without the node around them."""
    inner, start = "#address-cells = <1>; #size-cells = <1>;", 0
    for kind, size in sizes.items():
        inner += f" device_{kind}: {kind}@{start:x} {{ reg = <{start} {size}>; }};"
        start += size
    if series == "6.1-arm64":
        return inner
    return f'nvmem-layout {{ compatible = "fixed-layout"; {inner} }};'


def provider(series, sizes):
    return f'\ncells {{ compatible = "dmacc,test-cells"; {cells(series, sizes)} }};'


def reserved(series, sizes):
    return f"""
reserved-memory {{
	#address-cells = <2>; #size-cells = <2>; ranges;
	cells@{RESERVED:x} {{
		compatible = "nvmem-rmem"; reg = <0 {RESERVED} 0 {RESERVED_SIZE}>; no-map;
		{cells(series, sizes)}
	}};
}};"""


def identity(encodings, more=""):
    """The node, with a cell for each kind; where it names no encoding that is ascii."""
    handles = ", ".join(f"<&device_{kind}>" for kind in encodings)
    kinds = ", ".join(f'"{kind}"' for kind in encodings)
    named = " ".join(f'dmacc,{kind}-encoding = "{encoding}";' for kind, encoding in encodings.items() if encoding)
    return devicetree.node(f"nvmem-cells = {handles}; nvmem-cell-names = {kinds}; {named} {more}")


class Phone(test_module.Handset):
    """One whose identifier is in a cell."""

    def boot_cell(self, script, encode, more="", also=""):
        nodes = identity({"imei": name(encode)}, more) + provider(self.kernel.series, {"imei": len(encode(IMEI))})
        self.boot(script, (), also=f"{also}, {name(encode)}", nodes=nodes,
                  **{"guest/good": parameter(encode(IMEI)), "guest/wrong": parameter(encode(WRONG))})

    def boot_kinds(self, **encodes):
        """All kinds in cells; the files have what the fuse holds if all of it was written, or only these."""
        contents = {kind: encode(DIGITS[kind]) for kind, encode in encodes.items()}
        fuse = {f"guest/{'-'.join(written)}": parameter(b"".join(
            content if kind in written else bytes(len(content)) for kind, content in contents.items()))
            for written in (("imei", "meid", "esn"), ("meid", "esn"), ("esn",))}
        nodes = identity({kind: name(encode) if encode != ascii else None for kind, encode in encodes.items()})
        nodes += provider(self.kernel.series, {kind: len(content) for kind, content in contents.items()})
        also = "".join(f", {kind} {name(encode)}" for kind, encode in encodes.items())
        self.boot("module-cell-kinds.sh", (), also=also, nodes=nodes, **fuse)

    def boot_unknown(self):
        """Cells whose content would do, in encodings that their kinds have not."""
        contents = {"meid": big_endian(MEID), "esn": big_endian(ESN)}
        nodes = identity({"meid": "bcd", "esn": "hexadecimal"}, f'meid = "{MEID}";')
        nodes += provider(self.kernel.series, {kind: len(content) for kind, content in contents.items()})
        self.boot("module-cell-encoding.sh", (), nodes=nodes, **{"guest/fuse": parameter(b"".join(contents.values()))})

    def boot_reserved(self, folder):
        content = Path(folder) / "reserved"
        content.write_bytes(bcd_swapped(IMEI))
        options = ["-device", f"loader,file={content},addr={RESERVED},force-raw=on"]
        nodes = identity({"imei": "bcd-swapped"}) + reserved(self.kernel.series, {"imei": 8})
        self.boot("module-cell-stock.sh", (), nodes=nodes, options=options, parts=(STOCK_DRIVER[self.kernel.series],))

    def boot_all(self, folder):
        for encode in (ascii, bcd, bcd_swapped):
            self.boot_cell("module-cell.sh", encode)
        self.boot_cell("module-cell-property.sh", bcd, f'imei = "{OTHER_IMEI}";')
        self.boot_kinds(imei=mobile_identity, meid=ascii, esn=big_endian)
        self.boot_kinds(imei=big_endian, meid=little_endian, esn=ascii)
        self.boot_kinds(imei=little_endian, meid=big_endian, esn=little_endian)
        self.boot_unknown()
        if self.kernel.series in STOCK_DRIVER:
            self.boot_reserved(folder)


def test_kernel(series, tap):
    kernel = kernels.Kernel(series)
    with tempfile.TemporaryDirectory() as folder:
        module = test_module.build_module(kernel, folder, tap)
        source = Path(folder) / "source" / PROVIDER
        test_module.make_module(kernel, source, "the provider for tests", tap)
        phone = Phone(kernel, module, folder, tap)
        phone.modules.append(source / "dmacc_test_cells.ko")
        phone.boot_all(folder)


def main():
    tap = Tap()
    for series in sys.argv[1:] or kernels.ARM64:
        test_kernel(series, tap)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
