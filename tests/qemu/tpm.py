# SPDX-License-Identifier: LGPL-2.1-or-later
"""A software TPM 2.0 for a guest, whose power goes with the guest's."""
import ctypes
import shutil
import signal
import socket
import subprocess
from pathlib import Path


def die_with_parent():
    """In the TPM's process before it starts: whoever is killed leaves no TPM behind."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Tpm:
    """The chip's memory is the folder `state`; it outlives power cuts, and another folder is another chip.

    power_on() it for each QEMU that is started, with QEMU's `qemu_options` and `pass_fds`; power_cut() with it.
    """

    def __init__(self, state):
        self.state = Path(state)
        self.log = self.state.with_name(f"{self.state.name}.log")
        self.process = self._guest = None

    @property
    def pass_fds(self):
        return [self._guest.fileno()]

    @property
    def qemu_options(self):
        return ["-chardev", f"socket,id=tpm-power,fd={self._guest.fileno()}",
                "-tpmdev", "emulator,id=tpm,chardev=tpm-power", "-device", "tpm-tis,tpmdev=tpm"]

    def power_on(self):
        assert not self.process, f"{self.state} is on"
        self.state.mkdir(parents=True, exist_ok=True)
        self._guest, ours = socket.socketpair()
        with ours:
            self.process = subprocess.Popen(
                ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.state}", "--log", f"file={self.log}",
                 "--ctrl", f"type=unixio,clientfd={ours.fileno()}"], stdin=subprocess.DEVNULL,
                pass_fds=[ours.fileno()], preexec_fn=die_with_parent)

    def started(self):
        """To be called when QEMU has the other end, so that its end is the only one."""
        self._guest.close()

    def power_cut(self):
        """Nobody tells the TPM beforehand."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self._guest.close()
            self.process = self._guest = None

    def replace(self):
        """Another chip in the place of this one, as it comes from its maker."""
        assert not self.process, f"{self.state} is on"
        shutil.rmtree(self.state, ignore_errors=True)
