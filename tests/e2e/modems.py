# SPDX-License-Identifier: LGPL-2.1-or-later
"""The real ModemManager in a virtual handset, whose modem is modem.c: its own test interface takes that for a port."""
from scenario import build_program, handsets

PACKAGE = "modemmanager"
SERVICE = "org.freedesktop.ModemManager1"
PROGRAM = "/usr/local/libexec/modem"
# As the package's unit, which is masked; started by a test, and not by udev's devices
UNIT = f"""# SPDX-License-Identifier: LGPL-2.1-or-later
[Unit]
Description=ModemManager without the hardware's modems

[Service]
Type=dbus
BusName={SERVICE}
ExecStart=/usr/sbin/ModemManager --test-no-udev --test-no-suspend-resume --test-enable
CapabilityBoundingSet=CAP_SYS_ADMIN CAP_NET_ADMIN
NoNewPrivileges=true
"""


def add(tree, kernel):
    """What the disk of such a handset has besides the package."""
    units = tree / "etc/systemd/system"
    units.mkdir(parents=True, exist_ok=True)
    (units / "ModemManager.service").symlink_to("/dev/null")
    handsets.add_file(units / "modems.service", UNIT)
    folder = (tree / PROGRAM[1:]).parent
    folder.mkdir(parents=True, exist_ok=True)
    build_program(folder, "modem", compiler=kernel.machine.compiler)


def start(handset):
    """ModemManager, which knows no modem yet."""
    handset.check("systemctl start modems")


def plug(handset, number, imei):
    """A modem comes. ModemManager shows it when it has asked it everything."""
    port = f"port-{number}"
    handset.check(f"systemd-run -q --unit=modem-{number} {PROGRAM} {port} {imei}; "
                  f"until grep -q 'abstract:{port}' /proc/net/unix; do sleep 0.2; done; "
                  f"busctl call {SERVICE} /org/freedesktop/ModemManager1 {SERVICE}.Test SetProfile ssas test-{number} generic "
                  f"1 abstract:{port}")


def stop(handset):
    """ModemManager goes, and every modem with it."""
    handset.check("systemctl stop modems 'modem-*'")
