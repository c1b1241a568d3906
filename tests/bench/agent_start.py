#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How soon the agent is ready when nothing has changed, in a virtual handset.

From the start of dmaccd's process to its READY=1, accounts stored and unchanged, as a ratio to the
same of tests/bench/notify_service.c, a service that does nothing but connect to the bus, in a unit
with the same options. Both are restarted in turn in one boot; the ratio of the medians is printed.
Nothing here can fail for being slow.
"""
import re
import statistics
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "qemu"), str(TESTS / "e2e")]

import handset as handsets  # noqa: E402
import kernel as kernels  # noqa: E402
import owners  # noqa: E402
import product  # noqa: E402
import rootfs  # noqa: E402

PAIRS = 15
NAME = "org.dmacc1.Yardstick"
PROGRAM = "/usr/libexec/notify-service"
POLICY = f"""<?xml version="1.0"?>
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <policy user="dmacc"><allow own="{NAME}"/></policy>
</busconfig>
"""


def add_yardstick(tree):
    """The agent's own unit, but for the program and the name on the bus."""
    unit = next(tree.glob("usr/lib/systemd/system/dmaccd.service")).read_text()
    unit = re.sub(r"^ExecStart=.*$", f"ExecStart={PROGRAM} {NAME}", unit, flags=re.MULTILINE)
    unit = re.sub(r"^BusName=.*$", f"BusName={NAME}", unit, flags=re.MULTILINE)
    # the yardstick feeds no watchdog, and is started by hand only
    unit = re.sub(r"^(WatchdogSec|WantedBy)=.*\n|^\[Install\]\n", "", unit, flags=re.MULTILINE)
    handsets.add_file(tree / "etc/systemd/system/yardstick.service", unit)
    handsets.add_file(tree / f"etc/dbus-1/system.d/{NAME}.conf", POLICY)
    place = tree / PROGRAM[1:]
    place.write_bytes((product.BUILD / "tests/bench/bench-notify-service").read_bytes())
    place.chmod(0o755)


def start_seconds(handset, unit):
    """Restarts a unit; how long its process took to say that it is ready."""
    shown = handset.check(f"systemctl stop {unit}; systemctl start {unit} && systemctl show {unit} "
                          "-p ExecMainStartTimestampMonotonic -p ActiveEnterTimestampMonotonic")
    times = dict(line.split("=") for line in shown.splitlines())
    return (int(times["ActiveEnterTimestampMonotonic"]) - int(times["ExecMainStartTimestampMonotonic"])) / 1e6


def measure(handset):
    owners.provision(handset.boot())
    # neither is interrupted by what notices templates
    handset.check("systemctl stop dmacc-templates.path; systemctl reset-failed; "
                  "mkdir -p /run/systemd/system/dmaccd.service.d; "
                  "printf '[Unit]\\nStartLimitIntervalSec=0\\n' > /run/systemd/system/dmaccd.service.d/bench.conf; "
                  "cp -r /run/systemd/system/dmaccd.service.d /run/systemd/system/yardstick.service.d; "
                  "systemctl daemon-reload")
    pairs = [(start_seconds(handset, "dmaccd"), start_seconds(handset, "yardstick")) for _ in range(PAIRS + 1)]
    assert owners.accounts(handset) == {owner.name: "ready" for owner in owners.OWNERS}
    # the first of each finds nothing in the page cache
    return pairs[1:]


def main():
    kernel = kernels.Kernel(kernels.SERIES[0])
    with product.workplace() as folder:
        tree = product.install(kernel, folder)
        add_yardstick(tree)
        rootfs.install(kernel, tree, folder / "disk")
        with handsets.Handset("bench", kernel, folder / "disk", owners.IMEI) as handset:
            pairs = measure(handset)
    agent, yardstick = (statistics.median(values) for values in zip(*pairs))
    ratios = [a / b for a, b in pairs]
    print(f"agent start: {agent / yardstick:.2f} times the yardstick (aim 1.5 or less), pairs from "
          f"{min(ratios):.2f} to {max(ratios):.2f}; {agent * 1000:.0f} ms against {yardstick * 1000:.0f} ms in the "
          "emulated handset")


if __name__ == "__main__":
    main()
