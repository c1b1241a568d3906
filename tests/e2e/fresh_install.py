#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A Debian that never had dmacc: README.md's commands for Debian, as printed there, and then autopkgtest of the source
package, with the packages that the commands installed."""
import re
import sys
import textwrap

import scenario
from packages import BOOT_TIMEOUT, INSTALL_TIMEOUT, Packages

import debs
import kernel as kernels
import product

README = product.TOP / "README.md"
# An ordinary user, who may use sudo and has a checkout; in it is what make deb leaves there. This Debian was made
# without documents (rootfs.UNREAD), and so installs none; a device has ours.
OWNER = """set -e
echo 'path-include=/usr/share/doc/*dmacc*' >/etc/dpkg/dpkg.cfg.d/documents
useradd -m owner
echo 'owner ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/owner
runuser -l owner -c 'mkdir -p dmacc/build && ln -s /srv/dmacc dmacc/build/deb'
apt-get -q update
"""
# The whole machine is gone after the test. The rest is for an emulated processor.
AUTOPKGTEST = ("autopkgtest --no-built-binaries --no-auto-control --ignore-restrictions=breaks-testbed --user owner "
               "--timeout-factor 10 {} -- null 2>&1")


def code_blocks(text):
    """What is indented by four in a page in Markdown."""
    return [textwrap.dedent(block) for block in re.findall(r"(?<=\n\n)(?:    .*\n)+", text)]


def printed():
    """README.md's commands that make and install the packages."""
    found = [block.splitlines() for block in code_blocks(README.read_text(encoding="utf-8"))
             if re.search(r"^make deb$", block, re.MULTILINE)]
    assert len(found) == 1, found
    return found[0]


class FreshInstall(Packages):
    """As of a device that meets the packages for the first time: there is one version of them."""

    def archive(self):
        return debs.made()

    def as_printed(self, h):
        make, *commands = printed()
        self.test(make == "make deb", "README.md has the packages made first, as was done here", make)
        h.check(OWNER)
        h.check("cat >/home/owner/commands", "\n".join(commands) + "\n")
        said = h.run("runuser -l owner -c 'cd dmacc && sh -eu ../commands' 2>&1", "y\n", timeout=INSTALL_TIMEOUT)
        self.test(said.status == 0, "README.md's commands for Debian end well as printed", said.text[-3000:])
        named = re.findall(r"\./([a-z0-9-]+)_\*\.deb", "\n".join(commands))
        self.test(self.installed(h) == dict.fromkeys(named, self.version) and "dmacc" in named,
                  "what README.md names is installed", self.installed(h))
        self.test(self.built(h, self.kernel) == [self.version], "README.md's commands have DKMS build the module",
                  self.build_log(h))
        self.nothing_runs(h, "after README.md's commands")
        self.test(h.check("modinfo -F version dmacc").strip() == self.version, "modprobe finds the module")

    def autopkgtest(self, h):
        said = h.run(AUTOPKGTEST.format(f"/srv/dmacc/dmacc_{self.version}.dsc"), timeout=INSTALL_TIMEOUT)
        summary = dict(re.findall(r"^(\S+)\s+(PASS|FAIL|SKIP|FLAKY|BROKEN)\b", said.text, re.MULTILINE))
        for name in debs.tests():
            self.test(summary.get(name) == "PASS", f"autopkgtest passes {name}", said.text[-6000:])
        self.test(said.status == 0, "autopkgtest ends well", f"status {said.status}", said.text[-1000:])
        self.kernel_quiet(h)

    def run(self):
        self.build()
        with self.device() as h:
            h.boot(BOOT_TIMEOUT)
            for step in (self.as_printed, self.autopkgtest):
                step(h)


if __name__ == "__main__":
    sys.exit(scenario.main(FreshInstall, [kernels.SERIES[0]]))
