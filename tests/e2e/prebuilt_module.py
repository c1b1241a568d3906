#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A Debian that has no headers of its kernel, and no DKMS: the module comes as the package of make deb-modules.

    prebuilt_module.py [KERNEL]                  6.12; 6.12-arm64 with packages that were cross-built
"""
import sys

import scenario
from packages import APT, BOOT_TIMEOUT, INSTALL_TIMEOUT, Packages

import aptfs
import debs
import kernel as kernels
import product


class PrebuiltModule(Packages):
    """On a kernel for which Debian's archive on the disk has a package of the image, or ours an empty one."""

    @property
    def package(self):
        return f"dmacc-modules-{self.kernel.release}"

    @property
    def architecture(self):
        return self.kernel.machine.architecture

    def build(self):
        if self.architecture == "amd64":
            super().build()
            return
        disk = self.folder / "disk"
        aptfs.small_disk(disk, self.folder, self.kernel)
        aptfs.put(disk, self.folder, [*self.archive(), aptfs.empty_kernel(self.folder, self.kernel, "1")])

    def archive(self):
        product.make("deb-modules", f"B={self.folder}", f"ARCH={self.architecture}", f"KVER={self.kernel.release}",
                     f"KDIR={self.kernel.kdir}")
        return [*debs.made(architecture=self.architecture), *self.folder.glob("deb/*.deb")]

    def installation(self, h):
        h.check(APT + "update")
        said = self.apt(h, f"install dmacc dmacc-fleet {self.package}")
        packages = ("dmacc", "dmacc-fleet", "libdmacc0", "libdmacc-client0", self.package)
        self.test(self.installed(h) == dict.fromkeys(packages, self.version),
                  "the agent, the fleet tool and the module's package for this kernel are installed", said[-3000:])
        self.test(h.check("dpkg --print-architecture").strip() == self.architecture, f"it is {self.architecture}")
        found = h.run("command -v dkms; ls -d /usr/src/linux-headers-* /lib/modules/*/build").text
        self.test(found == "", "there are no headers and no DKMS", found)
        self.nothing_runs(h, "with the module's package, and without a template,")

    def fleet(self, h):
        said = h.run("dmacc-fleet selftest", timeout=INSTALL_TIMEOUT)
        self.test(said.status == 0, "dmacc-fleet computes the published values here", said.text[-3000:], said.errors)

    def module_removal(self, h):
        self.test(self.running(h) == [self.version] * 2, "module and agent are of the packages", self.running(h))
        self.kernel_quiet(h)
        self.apt(h, f"purge {self.package}")
        left = h.check("find /lib/modules/ -name 'dmacc.ko*'; grep dmacc /lib/modules/*/modules.dep || :")
        self.test(left == "", "removing the package leaves no module, nor a word of it", left)

    def run(self):
        self.build()
        with self.device() as h:
            h.boot(BOOT_TIMEOUT)
            for step in (self.installation, self.fleet, self.service, self.module_removal):
                step(h)


if __name__ == "__main__":
    sys.exit(scenario.main(PrebuiltModule, sys.argv[1:] or [kernels.SERIES[-1]]))
