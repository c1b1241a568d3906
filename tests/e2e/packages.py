#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Our Debian packages in a virtual handset: apt installs them on Debian's stock kernel, DKMS builds the module there;
missing headers, a reboot, an upgrade, removal, purge, another kernel."""
import json
import re
import sys

import owners
import scenario
from scenario import FACTORY, READY, STORE

import aptfs
import debs
import handset as handsets
import kernel as kernels
import product
import rootfs

# A compiler in an emulated processor, and other guests beside it
INSTALL_TIMEOUT = 2400
BOOT_TIMEOUT = 1200
# apt and two compilers at once
MEMORY_SIZE = "1G"
APT = "DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get -q -y "
DKMS = "dkms status dmacc"
CREDENTIAL = "/etc/credstore.encrypted/dmacc.master"
PACKAGES = ("dmacc", "dmacc-dkms", "dmacc-fleet", "dmacc-libdmclient", "libdmacc0", "libdmacc-client0")


class Packages(scenario.Scenario):
    """On the first kernel, and in the end on the second."""

    def __init__(self, kernel, folder, tap):
        super().__init__(kernel, folder, tap)
        self.other = kernels.Kernel(kernels.SERIES[1])
        self.version, self.next = product.VERSION, debs.NEXT

    def build(self):
        disk = self.folder / "disk"
        image = aptfs.image([kernels.Kernel(series) for series in kernels.SERIES])
        rootfs.run(["cp", "--reflink=auto", "--sparse=always", image, disk])
        aptfs.put(disk, self.folder, self.archive())

    def archive(self):
        """The files of ours that apt finds."""
        return [*debs.made(), *debs.made(self.next)]

    def device(self):
        return handsets.Handset("packages", self.kernel, self.folder / "disk", owners.IMEI, memory_size=MEMORY_SIZE,
                                disk_cache="unsafe")

    # What is asked again and again

    def apt(self, h, arguments):
        return h.check(f"{APT}{arguments} 2>&1", timeout=INSTALL_TIMEOUT)

    def installed(self, h):
        """Our packages that are there -> their versions."""
        shown = h.run("dpkg-query -W -f '${Package} ${Version} ${db:Status-Status}\\n' '*dmacc*'").text
        return dict(re.findall(r"^(\S+) (\S+) installed$", shown, re.MULTILINE))

    def built(self, h, kernel):
        """The versions of the module that DKMS has installed for a kernel."""
        return re.findall(rf"^dmacc/([^,]+), {re.escape(kernel.release)}, \S+: installed",
                          h.run(DKMS, timeout=INSTALL_TIMEOUT).text, re.MULTILINE)

    def build_log(self, h):
        return h.run(f"{DKMS}; cat /var/lib/dkms/dmacc/*/build/make.log; df /; cat /proc/meminfo").text

    def running(self, h):
        """The versions of the module and of the agent that run."""
        shown = owners.status(h)
        return [shown[part].get("version") for part in ("module", "agent")]

    def processes(self, h):
        """What runs of ours, by name."""
        return [name for name in h.check("cat /proc/[0-9]*/comm 2>/dev/null || :").split() if name.startswith("dmacc")]

    def kept(self, h):
        """All that the accounts have, nonces as well."""
        shown = {name: h.run(f"dmaccctl tree --format json --show-secrets {name}").text for name in READY}
        return {name: json.loads(text or "[]") for name, text in shown.items()}

    def nonces(self, h):
        return [node.get("value") for node in owners.nodes(self.kept(h)) if node["uri"].endswith("AAuthData")]

    def sealed(self, h):
        return h.check(f"{scenario.SEALED}; sha256sum {CREDENTIAL}")

    def reboot(self, h):
        h.power_off(BOOT_TIMEOUT)
        h.boot(BOOT_TIMEOUT)

    def nothing_runs(self, h, when):
        self.test(h.run("grep -q ^dmacc /proc/modules").status == 1, f"{when} no module is loaded")
        states = h.run("systemctl is-active dmaccd dmacc-unseal").text.split()
        self.test(states == ["inactive"] * 2, f"{when} no agent runs", states)
        self.test(not self.processes(h), f"{when} there is no process of ours", self.processes(h))
        self.test(h.run(f"ls -A {STORE} {FACTORY} 2>/dev/null | grep -q '^[^/]'").status == 1,
                  f"{when} there is no account and no key")

    # Step by step

    def without_headers(self, h):
        h.check(APT + "update")
        said = self.apt(h, "install " + " ".join(f"{package}={self.version}" for package in PACKAGES))
        wanted = f"apt install linux-headers-{self.kernel.release}"
        self.test(wanted in said, "missing headers do not fail the installation, and it says what to install",
                  said[-3000:])
        self.test(self.installed(h) == dict.fromkeys(PACKAGES, self.version), "the packages are installed",
                  self.installed(h))
        self.test(not self.built(h, self.kernel), "no module is built without headers", self.build_log(h))
        failed = h.run("systemctl --failed --no-legend").text
        self.test(failed == "", "no unit fails", failed)
        self.test(h.run("id dmacc && getent group dmclient && test -d /etc/dmacc/accounts.d").status == 0,
                  "the user, the group and the folder of templates are there")
        enabled = h.run("systemctl is-enabled dmaccd dmacc-templates.path").text.split()
        self.test(enabled == ["enabled"] * 2, "the units are enabled", enabled)
        self.command(h, "dmaccctl status", 1, re.escape(wanted.removeprefix("apt install ")),
                     "status names the missing headers")
        self.nothing_runs(h, "after the installation")

    def headers(self, h):
        self.apt(h, f"install linux-headers-{self.kernel.release}")
        self.test(self.built(h, self.kernel) == [self.version],
                  "DKMS builds the module for the running kernel when its headers come", self.build_log(h))
        self.nothing_runs(h, "with a module that is built, and without a template,")

    def service(self, h):
        for owner in owners.OWNERS:
            done = owners.inject(h, self.keys, owner)
            self.test(done.status == 0, f"the factory injects a key for {owner.name}", done.errors)
        owners.put_templates(h)
        self.agree(h, "with keys and templates the accounts are there")
        before = self.kept(h)
        self.reboot(h)
        self.agree(h, "after a reboot the accounts are there")
        self.command(h, "systemctl is-active dmaccd", 0, "^active", "after a reboot the service is up")
        self.test(self.kept(h) == before, "a reboot changes no account and no nonce")

    def upgrade(self, h):
        self.test(self.running(h) == [self.version] * 2, "module and agent are of the first version", self.running(h))
        before, sealed = self.kept(h), self.sealed(h)
        self.test(all(self.nonces(h)) and self.nonces(h), "the accounts have nonces", before)
        said = self.apt(h, "upgrade")
        self.test(self.installed(h) == dict.fromkeys(PACKAGES, self.next), "the packages are upgraded", said[-3000:])
        self.test(self.built(h, self.kernel) == [self.next],
                  "an upgrade builds the module anew, and the old one is gone", self.build_log(h))
        self.agree(h, "after an upgrade the accounts are served")
        self.test(self.running(h)[1] == self.next, "after an upgrade the agent that runs is the new one",
                  self.running(h))
        self.test(self.kept(h) == before, "an upgrade keeps accounts and nonces")
        self.test(self.sealed(h) == sealed, "an upgrade leaves the factory store and its credential")

    def removal(self, h):
        before, sealed, stored = self.kept(h), self.sealed(h), self.store_state(h)
        self.apt(h, "remove dmacc")
        self.test("dmacc" not in self.installed(h) and not self.processes(h), "removing stops the agent",
                  self.processes(h))
        self.test(self.store_state(h) == stored, "removing keeps accounts and nonces")
        self.test(self.sealed(h) == sealed, "removing leaves the factory store and its credential")
        self.apt(h, "install dmacc")
        self.agree(h, "installed again it serves the same accounts")
        self.test(self.kept(h) == before, "installed again it has the same nonces")

    def purge(self, h):
        before, sealed = self.nonces(h), self.sealed(h)
        self.apt(h, "purge dmacc")
        self.test(h.run(f"test -e {STORE}").status == 1, "purging removes accounts and nonces",
                  h.run(f"find {STORE}").text)
        self.test(self.sealed(h) == sealed, "purging leaves the factory store and its credential")
        self.apt(h, "install dmacc")
        self.agree(h, "installed after a purge it has the same credentials")
        after = self.nonces(h)
        self.test(len(after) == len(before) and not set(after) & set(before),
                  "installed after a purge it has other nonces", before, after)

    def other_kernel(self, h):
        self.apt(h, f"install linux-headers-{self.other.release}")
        self.test(self.built(h, self.other) == [self.next],
                  f"DKMS builds the module for {self.other.series} as that kernel comes", self.build_log(h))
        self.test(self.built(h, self.kernel) == [self.next], "the module for the running kernel stays")
        self.kernel_quiet(h)
        h.kernel = self.other
        self.reboot(h)
        self.test(h.check("uname -r").strip() == self.other.release, f"{self.other.series} runs")
        self.agree(h, f"with {self.other.series} the accounts are there")
        self.test(self.running(h) == [self.next] * 2, "module and agent are of the version that was upgraded to",
                  self.running(h))
        self.kernel_quiet(h)

    def module_removal(self, h):
        self.apt(h, "purge dmacc-dkms")
        left = h.check("find /lib/modules/ -name 'dmacc.ko*'")
        self.test(left == "", "removing dmacc-dkms leaves no module for any kernel", left)
        left = h.run("ls -d /usr/src/dmacc-* /var/lib/dkms/dmacc").text
        self.test(left == "", "removing dmacc-dkms leaves no sources", left)

    def run(self):
        self.build()
        with self.device() as h:
            h.boot(BOOT_TIMEOUT)
            for step in (self.without_headers, self.headers, self.service, self.upgrade, self.removal, self.purge,
                         self.other_kernel, self.module_removal):
                step(h)


if __name__ == "__main__":
    sys.exit(scenario.main(Packages, [kernels.SERIES[0]]))
