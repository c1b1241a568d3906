# SPDX-License-Identifier: LGPL-2.1-or-later
"""Boots a kernel with an initramfs under QEMU and collects what the guest's script said."""
import re
import subprocess
import tempfile
from pathlib import Path

import initramfs
from machine import MEMORY_SIZE
from tpm import die_with_parent

PROCESSORS = 2
QEMU = ["-m", MEMORY_SIZE, "-smp", str(PROCESSORS), "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
        "-serial", "stdio"]
# tsc=reliable and no mitigations: an emulated processor is slow enough
COMMAND_LINE = "quiet panic=-1 mitigations=off no_timer_check"
# of a guest whose kernel dies without our doing: died_without_us()
STARTS = 3
WARNING = re.compile(r"WARNING:|BUG:|UBSAN|KASAN|INFO: (possible|task|rcu)|Oops|Call Trace|unreferenced object|"
                     r"suspected memory leaks|refcount_t|DEBUG_LOCKS|ODEBUG|Poison overwritten|Redzone")


class GuestFailed(AssertionError):
    """The guest hung, died, or its script failed; the message has the end of the console."""


class Guest:
    """What came of a run: `status` of the script, `lines` it printed, `dmesg`."""

    def __init__(self, console):
        text = console.replace("\r", "")
        found = re.search(r"^GUEST (\d+)$", text, re.MULTILINE)
        if not found:
            raise GuestFailed("the guest's script did not end:\n" + text[-3000:])
        self.status = int(found[1])
        self.lines = text[:found.start()].splitlines()
        self.dmesg = [line.removeprefix("DMESG ") for line in text[found.end():].splitlines()
                      if line.startswith("DMESG ")]

    def values(self, name):
        """What the script printed in lines `DATA name=value`."""
        return [line.split("=", 1)[1] for line in self.lines if line.startswith(f"DATA {name}=")]

    def kernel_warnings(self):
        return [line for line in self.dmesg if WARNING.search(line)]


def run(kernel, modules, files, identifiers=(), command_line="", timeout=300, tpm=None, nodes="", options=(),
        parts=()):
    """Boots, runs /guest/main of `files`, powers off. Raises GuestFailed after `timeout` seconds.

    On a kernel that finds faults it takes longer, and is given longer. `identifiers`: what hardware names, "IMEI:" and
    digits. `tpm`: a Tpm that the guest has. `nodes` of its device tree, if it has one. `options`: more for QEMU.
    `parts`: more of the kernel's own modules.
    """
    with tempfile.TemporaryDirectory() as folder:
        archive = initramfs.build(folder, kernel, modules, files, parts)
        machine = kernel.machine
        command = [*machine.qemu, *QEMU, "-kernel", kernel.image, "-initrd", archive, "-append",
                   f"console={machine.console} {COMMAND_LINE} {kernel.command_line} {command_line}",
                   *machine.hardware(Path(folder) / "tree", PROCESSORS, identifiers, nodes), *options]
        log = Path(folder) / "console"
        for _ in range(STARTS):
            with open(log, "wb") as console:
                boot(command, console, timeout * kernel.slowness, tpm)
            said = log.read_text(errors="replace")
            if not died_without_us(said, "GUEST BEGINS"):
                break
        return Guest(said)


def died_before(console, begin):
    """Did the kernel die before anything of ours ran? While it changes its own code, at the start and when modules and
    the first file system come, an emulated processor on a busy host now and then runs what is half changed. Such a
    start is repeated.
    """
    return "Kernel panic" in console and begin not in console


def died_of_its_emulator(console):
    """Did it die of what is half changed later, while systemd starts? It puts a breakpoint in the place of what it
    changes (text_poke_bp()), and takes it for nobody's when it comes to it afterwards. Where the module is loaded, or
    built in and in the trace, this is not believed.
    """
    oops = re.search(r"\bint3: 0000 \[#1\].*?Kernel panic", console, re.DOTALL)
    return bool(oops) and "dmacc" not in oops[0]


def died_without_us(console, begin):
    """Either; one that has an image to go on from may be started again after the first only."""
    return died_before(console, begin) or died_of_its_emulator(console)


def boot(command, console, timeout, tpm):
    """Runs QEMU until the guest is off, or for `timeout` seconds."""
    fds = []
    if tpm:
        tpm.power_on()
        command, fds = [*command, *tpm.qemu_options], tpm.pass_fds
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT, pass_fds=fds,
                          preexec_fn=die_with_parent) as process:
        if tpm:
            tpm.started()
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
    if tpm:
        tpm.power_cut()
