#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The identifier of a phone that has a device tree: the node loads the module, and a cell of an nvmem provider is
read, late or not, in each encoding, right or wrong. On Debian's stock arm64 kernels.

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
PROVIDER = "tests/kunit/cells"
# Above what QEMU loads, in the memory of a guest
RESERVED = 0x50000000
RESERVED_SIZE = 0x1000
# Debian's 6.1 has no driver for such memory
STOCK_DRIVER = {"6.12-arm64": "kernel/drivers/nvmem/nvmem-rmem"}


def ascii(digits):
    return digits.encode()


def bcd(digits):
    return bytes.fromhex(digits + "F")


def bcd_swapped(digits):
    return bytes((byte & 15) << 4 | byte >> 4 for byte in bcd(digits))


def parameter(content):
    return ",".join(map(str, content)).encode()


def cell(series, size):
    """Where a provider's first bytes are a cell; older kernels want it without the node around it."""
    inner = f"#address-cells = <1>; #size-cells = <1>; device_imei: imei@0 {{ reg = <0 {size}>; }};"
    if series == "6.1-arm64":
        return inner
    return f'nvmem-layout {{ compatible = "fixed-layout"; {inner} }};'


def provider(series, size):
    return f'\ncells {{ compatible = "dmacc,test-cells"; {cell(series, size)} }};'


def reserved(series, size):
    return f"""
reserved-memory {{
	#address-cells = <2>; #size-cells = <2>; ranges;
	cells@{RESERVED:x} {{
		compatible = "nvmem-rmem"; reg = <0 {RESERVED} 0 {RESERVED_SIZE}>; no-map;
		{cell(series, size)}
	}};
}};"""


def identity(encoding, more=""):
    return devicetree.node(f"""
		nvmem-cells = <&device_imei>; nvmem-cell-names = "imei"; dmacc,imei-encoding = "{encoding}";
		{more}""")


class Phone(test_module.Handset):
    """One whose identifier is in a cell."""

    def boot_cell(self, script, encode, more="", also=""):
        name = encode.__name__.replace("_", "-")
        nodes = identity(name, more) + provider(self.kernel.series, len(encode(IMEI)))
        self.boot(script, (), also=f"{also}, {name}", nodes=nodes,
                  **{"guest/good": parameter(encode(IMEI)), "guest/wrong": parameter(encode(WRONG))})

    def boot_reserved(self, folder):
        content = Path(folder) / "reserved"
        content.write_bytes(bcd_swapped(IMEI))
        options = ["-device", f"loader,file={content},addr={RESERVED},force-raw=on"]
        self.boot("module-cell-stock.sh", (), nodes=identity("bcd-swapped") + reserved(self.kernel.series, 8),
                  options=options, parts=(STOCK_DRIVER[self.kernel.series],))

    def boot_all(self, folder):
        for encode in (ascii, bcd, bcd_swapped):
            self.boot_cell("module-cell.sh", encode)
        self.boot_cell("module-cell-property.sh", bcd, f'imei = "{OTHER_IMEI}";')
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
