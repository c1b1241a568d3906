#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How much room dmacc takes, beside bolt and ModemManager in the same virtual handset: footprint.py [6.1|6.12]

The module's text and data; what memory the agent has for itself once it is ready and has two accounts; how large the
packages are when installed; how long the units take at a boot. bolt and ModemManager come from Debian's packages, run
with their own units, and have no hardware to look after, as the agent has no client here. Nothing can fail for being
large.
"""
import statistics
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "qemu"), str(TESTS / "e2e")]

import debs  # noqa: E402
import handset as handsets  # noqa: E402
import kernel as kernels  # noqa: E402
import owners  # noqa: E402
import product  # noqa: E402
import rootfs  # noqa: E402

OTHERS = {"bolt": "bolt", "ModemManager": "modemmanager"}
UNITS = ("dmacc-unseal", "dmaccd", *OTHERS)
BOOTS = 3
# Of a module's file, by how they begin; the first that fits. What is left is the configuration's.
SECTIONS = {"code": (".text", ".init.text", ".exit.text"), "data": (".rodata", ".data", ".init.data", "__param", ".modinfo"),
            "zeroed": (".bss",), "tables": ("",)}
NOT_LOADED = (".debug", ".comment", ".note", ".symtab", ".strtab", ".shstrtab")
OF_THE_PHONE = ("dmacc", "libdmacc0", "libdmacc-client0")


def add_wants(tree):
    """Both are started by their hardware, as a rule; here by the boot."""
    wants = tree / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True, exist_ok=True)
    for unit in OTHERS:
        (wants / f"{unit}.service").symlink_to(f"/lib/systemd/system/{unit}.service")


def module_size(kernel):
    """KiB of code, of constants and data, of zeroed data, of what this kernel's configuration adds to each module: tables
    to walk the stack and to change code by, versions of symbols, types."""
    shown = rootfs.run(["size", "-A", "-d", product.TOP / product.module_folder(kernel) / "kmod/dmacc.ko"])
    rows = [line.split() for line in shown.splitlines() if line.startswith((".", "__"))]
    found = dict.fromkeys(SECTIONS, 0)
    for name, size in ((row[0], int(row[1])) for row in rows if not row[0].startswith(NOT_LOADED)):
        kind = next((kind for kind, prefixes in SECTIONS.items() if name.startswith(prefixes)))
        found[kind] += size / 1024
    return found


def start_milliseconds(handset, unit):
    """From when systemd began with it to when it was up."""
    shown = handset.check(f"systemctl show {unit} -p InactiveExitTimestampMonotonic -p ActiveEnterTimestampMonotonic "
                          "-p InactiveEnterTimestampMonotonic -p Type")
    times = dict(line.split("=") for line in shown.splitlines())
    # a oneshot that does not remain is never up, but over
    end = max(int(times["ActiveEnterTimestampMonotonic"]), int(times["InactiveEnterTimestampMonotonic"]))
    return (end - int(times["InactiveExitTimestampMonotonic"])) / 1000


def boot(handset):
    handset.boot()
    assert owners.wait_accounts(handset), "the handset has no accounts"
    for unit in OTHERS:
        handset.check(f"systemctl is-active {unit}")
    return {unit: start_milliseconds(handset, unit) for unit in UNITS}


def measure(handset):
    """(unit -> [PSS, private dirty], unit -> ms at each boot, package -> KiB as Debian counts them)"""
    owners.provision(handset.boot())
    starts = []
    for _ in range(BOOTS):
        handset.power_off()
        starts.append(boot(handset))
    used = {unit: owners.memory(handset, unit) for unit in ("dmaccd", *OTHERS)}
    sizes = handset.check(f"dpkg-query -W -f '${{Package}} ${{Installed-Size}}\\n' {' '.join(OTHERS.values())}")
    return used, starts, dict(line.split() for line in sizes.splitlines())


def our_sizes():
    """Installed size of each of our packages, in KiB, as Debian counts it."""
    found = {}
    for package in sorted(debs.build().glob("*.deb")):
        fields = rootfs.run(["dpkg-deb", "-f", package, "Package", "Installed-Size"])
        fields = dict(line.split(": ") for line in fields.splitlines())
        found[fields["Package"]] = int(fields["Installed-Size"])
    return found


def tell(series, module, used, starts, theirs, ours):
    print(f"module on {series}: code and data {module['code'] + module['data']:.1f} KiB (aim under 40), and zeroed data "
          f"{module['zeroed']:.1f}; tables of the kernel's configuration {module['tables']:.1f}")
    pss, dirty = used["dmaccd"]
    print(f"agent with two accounts: PSS {pss / 1024:.2f} MiB (aim under 5), private dirty {dirty / 1024:.2f} MiB (aim "
          "under 1)")
    for name in OTHERS:
        print(f"    {name}: PSS {used[name][0] / 1024:.2f} MiB, {pss / used[name][0]:.2f} times that; private dirty "
              f"{used[name][1] / 1024:.2f} MiB, {dirty / used[name][1]:.2f} times that")
    phone = sum(ours[name] for name in OF_THE_PHONE)
    print(f"installed on a phone ({', '.join(OF_THE_PHONE)}): {phone} KiB; "
          + ", ".join(f"{name} {size} KiB, {phone / int(size):.2f} times that" for name, size in theirs.items()))
    print("    each package: " + ", ".join(f"{name} {size}" for name, size in ours.items()) + " KiB")
    took = {unit: statistics.median(start[unit] for start in starts) for unit in UNITS}
    both = took["dmacc-unseal"] + took["dmaccd"]
    print(f"time at a boot, emulated: dmacc-unseal {took['dmacc-unseal']:.0f} ms, dmaccd {took['dmaccd']:.0f} ms; "
          + ", ".join(f"{name} {took[name]:.0f} ms, {both / took[name]:.2f} times that" for name in OTHERS))


def main():
    series = (sys.argv[1:] or kernels.SERIES)[0]
    kernel = kernels.Kernel(series)
    with product.workplace() as folder:
        tree = product.install(kernel, folder)
        module = module_size(kernel)
        add_wants(tree)
        rootfs.install(kernel, tree, folder / "disk", tuple(OTHERS.values()))
        with handsets.Handset("footprint", kernel, folder / "disk", owners.IMEI) as handset:
            used, starts, theirs = measure(handset)
        tell(series, module, used, starts, theirs, our_sizes())


if __name__ == "__main__":
    main()
