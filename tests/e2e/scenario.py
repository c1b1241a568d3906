# SPDX-License-Identifier: LGPL-2.1-or-later
"""What tests in virtual handsets share: a kernel, two server owners, and what is asked again and again."""
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "qemu"))

import handset as handsets  # noqa: E402
import kernel as kernels  # noqa: E402
import owners  # noqa: E402
import product  # noqa: E402
import rootfs  # noqa: E402
from tap import Tap  # noqa: E402
from test_module import build_program  # noqa: E402

OPERATOR, MAKER = owners.OWNERS
PROBE = "/usr/local/libexec/nlprobe"
STORE = "/var/lib/dmacc"
FACTORY = "/var/lib/dmacc-factory"
# Hashes of all that is sealed; in which life of the accounts a key came is noted anew when it is restored
SEALED = f"find {FACTORY} -type f -not -path '{FACTORY}/lives/*' -exec sha256sum {{}} + | sort"
READY = {owner.name: "ready" for owner in owners.OWNERS}
WARNING = re.compile(r"WARNING:|BUG:|UBSAN|KASAN|INFO: (possible|task|rcu)|Oops|Call Trace")


class Scenario:
    """What is tested on one kernel."""

    programs = ("nlprobe",)

    def __init__(self, kernel, folder, tap):
        self.kernel, self.folder, self.tap = kernel, folder, tap
        self.tree = None
        self.keys = owners.vendor_keys()

    def test(self, ok, name, *details):
        self.tap.test(bool(ok), f"{self.kernel.series}: {name}", *details)

    def build(self):
        self.tree = tree = product.install(self.kernel, self.folder)
        for program in self.programs:
            build_program((tree / PROBE[1:]).parent, program, compiler=self.kernel.machine.compiler)
        # else Debian's journald turns it off
        handsets.add_file(tree / "etc/systemd/journald.conf.d/audit.conf", "[Journal]\nAudit=yes\n")
        self.add(tree)
        rootfs.install(self.kernel, tree, self.folder / "disk")

    def add(self, tree):
        """What else is to be on the disk."""

    def handset(self, name, imei, base="disk", **more):
        """`base`: the disk that it has a copy of."""
        disk = self.folder / f"{name}.disk"
        rootfs.run(["cp", "--reflink=auto", "--sparse=always", self.folder / base, disk])
        return handsets.Handset(name, self.kernel, disk, imei, **more)

    # What is asked of a handset again and again

    def values(self, h):
        return {owner.name: owners.phone_values(h, owner.name) for owner in owners.OWNERS}

    def expected(self, imei=owners.IMEI, generations=(0, 0)):
        return {owner.name: owners.expected(self.keys, owner, imei, generation)
                for owner, generation in zip(owners.OWNERS, generations)}

    def agree(self, h, name, imei=owners.IMEI, generations=(0, 0)):
        """Both accounts are ready and have the values that their servers compute."""
        fine = owners.wait_accounts(h, READY)
        found = self.values(h) if fine else {}
        self.test(found == self.expected(imei, generations), name, "not the values expected" if fine else "not ready",
                  h.run("dmaccctl status; journalctl -u dmaccd -u dmacc-unseal --no-pager -n 30").text)

    def says(self, h, since, pattern, name):
        """The agent's or dmacc-unseal's journal says so."""
        text = h.run(f"journalctl -u dmaccd -u dmacc-unseal -o cat --no-pager --after-cursor='{since}'").text
        self.test(re.search(pattern, text), name, f"no {pattern!r} in:", text)

    def cursor(self, h):
        return h.check("journalctl -n 0 --show-cursor -q").split("cursor: ", 1)[1].strip()

    def command(self, h, command, status, pattern, name, **more):
        result = h.run(command, **more)
        text = result.text + result.errors
        self.test(result.status == status and re.search(pattern, text), name, f"status {result.status}:", text)

    def store_state(self, h):
        """Names, times and content of what the agent keeps."""
        return h.check(f"cd {STORE} && find . -type f -exec stat -c '%n %i %Y %Z %s' {{}} + | sort; "
                       "find . -type f -exec sha256sum {} + | sort")

    def passwords(self):
        return [value for account in self.expected().values() for name, value in account.items() if name != "UserName"]

    def kernel_quiet(self, h):
        log = h.check("journalctl -k --no-pager -o cat")
        self.test(not WARNING.search(log), "the kernel warned of nothing", *WARNING.findall(log))

    def run(self):
        raise NotImplementedError


def main(scenario, series):
    """Runs a scenario on each of these kernels; returns the exit status."""
    tap = Tap()
    for one in series:
        with product.workplace() as folder:
            try:
                scenario(kernels.Kernel(one), folder, tap).run()
            except handsets.HandsetFailed as failure:
                tap.test(False, f"{one}: every handset boots and answers", failure)
    return tap.end()
