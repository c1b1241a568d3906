#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A virtual handset: Debian's stock kernel, systemd, a disk that outlives a power cut, and a channel for commands.

    handset.py [--kernel 6.1|6.12|6.1-arm64|6.12-arm64] [--imei IMEI] [--tpm]     a handset with a root shell on this terminal
"""
import argparse
import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import cache
import initramfs
import kernel as kernels
import rootfs
import vm
from machine import MEMORY_SIZE
from tpm import die_with_parent

COMMAND_TIMEOUT = 300
# More than all the memory that a handset has
SWAP_SIZE = 700 << 20
BOOT_MODULES = ("virtio_pci", "virtio_blk", "virtio_console", "ext4", "crc32c_generic")
# no_timer_check: on a host with much to do an emulated timer can look broken for a moment, and the kernel panics
COMMAND_LINE = ("root=/dev/vda rw quiet panic=-1 mitigations=off no_timer_check audit=1 systemd.show_status=0 "
                "systemd.default_timeout_start_sec=300")

# An Ethernet of its own, made by QEMU, whose other end is this machine
HOST = "10.0.2.2"
NETWORK = ("-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net,romfile=")
# What a network manager would do, which waits as well until udev has given the interface its name
JOIN_NETWORK = ("modprobe virtio_net && udevadm settle && interface=$(ls /sys/class/net | grep -v '^lo$') && "
                "ip address add 10.0.2.15/24 dev $interface && ip link set $interface up")

# Loads what the root file system needs, and no more, then makes room for systemd. Until it says so nothing but the
# distribution's own kernel and modules has run; before it says the other, what was hibernated is as it was.
BEGIN = "HANDSET BEGINS"
RESUME = "HANDSET LOOKS FOR AN IMAGE"
INIT = """#!/bin/sh
mount -t devtmpfs dev /dev
for module in $(cat /modules); do
	insmod $module
done
until [ -b /dev/vda ]; do sleep 0.1; done
# One that was hibernated goes on from here where it was; without an image of it this does nothing
if [ -b /dev/vdb ]; then
	mount -t sysfs sysfs /sys
	echo "HANDSET LOOKS FOR AN IMAGE" > /dev/console
	cat /sys/class/block/vdb/dev > /sys/power/resume
	umount /sys
fi
mount -t ext4 -o rw /dev/vda /root || exec sh
mount -o move /dev /root/dev
echo "HANDSET BEGINS" > /root/dev/console
exec switch_root /root /sbin/init
"""

# The other end of Handset.run(), in the test image only. A request is a line "TOKEN COMMAND-BYTES
# INPUT-BYTES SECONDS" and the bytes; a reply a line "TOKEN STATUS OUTPUT-BYTES ERROR-BYTES" and the
# bytes. The port carries bytes as they are.
CHANNEL = """#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
umask 077
cd /run/handset
exec 3<>/dev/vport0p1
printf 'ready 0 0 0\\n' >&3
while read -r token command input seconds <&3; do
	head -c "$command" <&3 >command
	head -c "$input" <&3 >input
	(cd /; umask 022; exec 3>&-; exec timeout -k 5 "$seconds" sh /run/handset/command) <input >output 2>error
	status=$?
	rm -f command input
	{ printf '%s %s %s %s\\n' "$token" $status "$(stat -c %s output)" "$(stat -c %s error)"; cat output error; } >&3
	rm -f output error
done
"""
CHANNEL_UNIT = """# SPDX-License-Identifier: LGPL-2.1-or-later
[Unit]
Description=Commands from outside of the virtual handset
DefaultDependencies=no
After=multi-user.target

[Service]
ExecStart=/usr/local/libexec/handset-channel
RuntimeDirectory=handset
RuntimeDirectoryMode=0700
KillMode=process

[Install]
WantedBy=multi-user.target
"""
# For a person: a shell on the serial line
SHELL_UNIT = """# SPDX-License-Identifier: LGPL-2.1-or-later
[Unit]
Description=Shell on the console of the virtual handset
After=multi-user.target

[Service]
ExecStart=/bin/bash -l
ExecStopPost=systemctl --no-block poweroff
StandardInput=tty-force
StandardOutput=tty
StandardError=tty
TTYPath=/dev/console
Environment=HOME=/root TERM=vt220
WorkingDirectory=/root
"""


class HandsetFailed(AssertionError):
    """The handset did not boot, died or did not answer; the message has the end of its console."""


@dataclass
class Result:
    """What a command in a handset came to."""
    status: int
    out: bytes
    err: bytes

    @property
    def text(self):
        return self.out.decode(errors="replace")

    @property
    def errors(self):
        return self.err.decode(errors="replace")


def make_initramfs(folder, kernel):
    """Into `folder`: the modules that the disk and the channel need, and busybox to load them."""
    root = folder / "root"
    for name in ("dev", "root", "bin", "sys"):
        (root / name).mkdir(parents=True)
    tree = folder / "tree"
    initramfs.copy_modules(kernel, tree, [], rootfs.MODULES)
    shutil.copy(kernel.machine.busybox, root / "bin/busybox")
    for applet in ("sh", "cat", "insmod", "mount", "sleep", "switch_root", "umount"):
        (root / "bin" / applet).symlink_to("busybox")
    order = []
    for module in BOOT_MODULES:
        shown = rootfs.run(["modprobe", "-d", tree, "-S", kernel.release, "--show-depends", module])
        order += [Path(line.split()[1]) for line in shown.splitlines() if line.startswith("insmod")]
    order = list(dict.fromkeys(order))
    for path in order:
        shutil.copy(path, root)
    (root / "modules").write_text("".join(f"/{path.name}\n" for path in order))
    (root / "init").write_text(INIT)
    (root / "init").chmod(0o755)
    initramfs.pack(root, folder / "initramfs")
    shutil.rmtree(root)
    shutil.rmtree(tree)


def boot_image(kernel):
    name = f"initramfs-{kernel.release}-{cache.digest(INIT, *BOOT_MODULES, *rootfs.MODULES)}"
    return cache.entry(name, lambda folder: make_initramfs(folder, kernel)) / "initramfs"


def add_channel(tree):
    """What a shipped system does not have: the other end of Handset.run()."""
    add_file(tree / "usr/local/libexec/handset-channel", CHANNEL, 0o755)
    add_unit(tree, "handset-channel.service", CHANNEL_UNIT)


def add_file(path, text, mode=0o644):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def add_unit(tree, name, text):
    """A unit that multi-user.target wants."""
    units = tree / "etc/systemd/system"
    add_file(units / name, text)
    wants = units / "multi-user.target.wants"
    wants.mkdir(exist_ok=True)
    (wants / name).symlink_to(f"/etc/systemd/system/{name}")


def memory_options(path, size):
    """Memory in a file; QEMU takes what is in one as it is, as if power had never gone."""
    Path(path).unlink(missing_ok=True)
    return ("-object", f"memory-backend-file,id=memory,size={size},mem-path={path},share=on",
            "-machine", "memory-backend=memory")


def make_swap(path):
    Path(path).touch(0o600)
    os.truncate(path, SWAP_SIZE)
    rootfs.run(["mkswap", path])


class Handset:
    """One device. `name` for messages; `disk` is its own and is written to; boot() it, then run() commands.

    `tpm`: its chip, a Tpm, which goes on and off with it; None for a device that has none. `swap`: a file that is its
    second disk, made here, for it to hibernate to. `more_disk`: one more disk, that is there already.
    `command_line`: more for the kernel. `network`: it has an interface, on which this machine is HOST. `memory`: a file
    that is its memory while it is on, to be looked at from outside. `disk_cache`: as QEMU names it, for one that
    writes much and never loses power.
    """

    def __init__(self, name, kernel, disk, imei=None, processors=2, tpm=None, swap=None,
                 command_line="", more_disk=None, network=False, memory=None, memory_size=MEMORY_SIZE,
                 disk_cache="writethrough"):
        self.name, self.kernel, self.disk, self.imei = name, kernel, Path(disk), imei
        self.processors, self.tpm, self.swap, self.command_line = processors, tpm, swap, command_line
        self._console_start = 0
        self.more_disk, self.network, self.memory, self.memory_size = more_disk, network, memory, memory_size
        self.disk_cache = disk_cache
        if swap:
            make_swap(swap)
        self.console = self.disk.with_suffix(".console")
        self.process = self.channel = None
        self._token = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.power_cut()

    def _command(self, channel_fd, serial):
        m = self.kernel.machine
        identifiers = [f"IMEI:{self.imei}"] if self.imei else []
        return [*m.qemu, "-m", self.memory_size, "-smp", str(self.processors), "-nodefaults", "-no-user-config",
                "-display", "none", "-no-reboot", "-serial", serial,
                "-kernel", self.kernel.image, "-initrd", boot_image(self.kernel),
                "-append", f"console={m.console} {COMMAND_LINE} {self.kernel.command_line} {self.command_line}",
                # writethrough: a write that the guest was told is done is in the file, whenever QEMU dies
                *(word for disk in (self.disk, self.swap, self.more_disk) if disk
                  for word in ("-drive", f"file={disk},format=raw,if=virtio,cache={self.disk_cache}")),
                "-device", "virtio-serial", "-chardev", f"socket,id=channel,fd={channel_fd}",
                "-device", "virtserialport,chardev=channel,name=handset",
                *m.hardware(self.disk.with_suffix(".tree"), self.processors, identifiers),
                *(self.tpm.qemu_options if self.tpm else ()), *(NETWORK if self.network else ()),
                *(memory_options(self.memory, self.memory_size) if self.memory else ())]

    def _start(self, serial, **streams):
        assert not self.process, f"{self.name} is on"
        self.channel, theirs = socket.socketpair()
        if self.tpm:
            self.tpm.power_on()
        with theirs:
            fds = [theirs.fileno(), *(self.tpm.pass_fds if self.tpm else ())]
            self.process = subprocess.Popen(self._command(theirs.fileno(), serial), pass_fds=fds,
                                            preexec_fn=die_with_parent, **streams)
        if self.tpm:
            self.tpm.started()

    def power_on(self):
        """Begins to boot."""
        with open(self.console, "ab") as console:
            self._console_start = console.tell()
            self._start("stdio", stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT)

    def boot(self, timeout=None):
        """Returns when the handset takes commands, which is when multi-user.target was reached."""
        timeout = timeout or self.kernel.machine.boot_timeout
        self._power_on(lambda: self._reply("ready", time.monotonic() + timeout, "did not boot"),
                       lambda said: vm.died_without_us(said, BEGIN))
        return self

    def resume(self, timeout=None):
        """After hibernate(): returns when it has gone on where it was."""
        timeout = timeout or self.kernel.machine.boot_timeout
        self._power_on(lambda: self.run("true", timeout=timeout), lambda said: vm.died_before(said, RESUME))

    def _power_on(self, answers, died):
        """power_on(), again where the kernel died so."""
        for left in reversed(range(vm.STARTS)):
            self.power_on()
            try:
                return answers()
            except HandsetFailed:
                if not left or not died(self.said()):
                    raise
                self.power_cut()

    def said(self):
        """What the console has shown since power_on()."""
        return self.console.read_bytes()[self._console_start:].decode(errors="replace")

    def interact(self):
        """Boots with this terminal as the console, and returns when it is off."""
        self._start("mon:stdio")
        self.process.wait()
        self.power_cut()

    def run(self, command, stdin=b"", timeout=COMMAND_TIMEOUT):
        """Runs a shell command as root. `stdin`: bytes it reads, for what may not stand on a command line."""
        self._send(command, stdin, timeout)
        return self._reply(str(self._token), time.monotonic() + timeout + 60, f"did not answer to: {command}")

    def _send(self, command, stdin=b"", timeout=COMMAND_TIMEOUT):
        self._token += 1
        text, data = command.encode(), stdin.encode() if isinstance(stdin, str) else stdin
        try:
            self.channel.settimeout(timeout + 60)
            self.channel.sendall(b"%d %d %d %d\n" % (self._token, len(text), len(data), timeout) + text + data)
        except OSError as error:
            self._fail(f"took no command: {error}")

    def check(self, command, stdin=b"", timeout=COMMAND_TIMEOUT):
        """run(), of a command that has to end with 0; returns what it printed."""
        result = self.run(command, stdin, timeout)
        if result.status:
            self._fail(f"{command}: status {result.status}\n{result.text}{result.errors}")
        return result.text

    def power_cut(self):
        """The battery is pulled."""
        if self.process:
            self.process.kill()
            if self.tpm:
                self.tpm.power_cut()
            self.process.wait()
            self.channel.close()
            self.process = self.channel = None

    def power_off(self, timeout=COMMAND_TIMEOUT):
        """Shut down as a person would do it."""
        self.run("systemctl --no-block poweroff")
        self._wait_off(timeout, "did not power off")

    def hibernate(self, timeout=COMMAND_TIMEOUT):
        """As systemd does it: its memory goes to its second disk, and its power off."""
        # it may be asleep before it has answered
        self._send("swapon /dev/vdb && systemctl --no-block start hibernate.target")
        self._wait_off(timeout, "did not hibernate")

    def _wait_off(self, timeout, sentence):
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._fail(sentence)
        self.power_cut()

    def _reply(self, token, deadline, sentence):
        """What comes before it is the answer to a command that nobody waited for."""
        while True:
            found, (status, out, err) = self._line(deadline, sentence)
            result = Result(status, self._bytes(out, deadline, sentence), self._bytes(err, deadline, sentence))
            if found == token:
                return result
            if not found.isdigit() or not token.isdigit() or int(found) > int(token):
                self._fail(f"answered {found!r}, not {token}")

    def _line(self, deadline, sentence):
        line = b""
        while not line.endswith(b"\n"):
            line += self._bytes(1, deadline, sentence)
        found, *numbers = line.decode(errors="replace").split()
        if len(numbers) != 3:
            self._fail(f"answered {line!r}")
        return found, [int(number) for number in numbers]

    def _bytes(self, size, deadline, sentence):
        data = b""
        while len(data) < size:
            try:
                self.channel.settimeout(max(deadline - time.monotonic(), 0.01))
                part = self.channel.recv(size - len(data))
            except OSError as error:
                self._fail(f"{sentence}: {error}")
            if not part:
                self._fail(sentence)
            data += part
        return data

    def _fail(self, sentence):
        raise HandsetFailed(f"handset {self.name} {sentence}\n" + "\n".join(self.console_lines()[-40:]))

    def console_lines(self):
        return self.console.read_text(errors="replace").replace("\r", "").splitlines()


def main():
    import product  # which imports this file
    import tpm
    parser = argparse.ArgumentParser(description="A virtual handset with a root shell on this terminal; its disk is "
                                     "gone afterwards. Leave with exit, or kill it with Ctrl-a x.")
    parser.add_argument("--kernel", choices=kernels.SERIES + kernels.ARM64, default=kernels.SERIES[0])
    parser.add_argument("--imei", help="what the hardware gives; none if not given")
    parser.add_argument("--tpm", action="store_true", help="it has a TPM, which is as new as the disk")
    args = parser.parse_args()
    kernel = kernels.Kernel(args.kernel)
    with product.workplace() as folder:
        tree = product.install(kernel, folder)
        add_unit(tree, "handset-shell.service", SHELL_UNIT)
        rootfs.install(kernel, tree, folder / "disk")
        chip = tpm.Tpm(folder / "tpm") if args.tpm else None
        Handset("handset", kernel, folder / "disk", args.imei, tpm=chip).interact()


if __name__ == "__main__":
    main()
