#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A Debian that has no headers of its kernel, and no DKMS: the module comes as the package of make deb-modules."""
import sys

import scenario
from packages import APT, BOOT_TIMEOUT, Packages

import debs
import kernel as kernels
import product


class PrebuiltModule(Packages):
    """On the last kernel, for which Debian's archive on the disk has a package of the image."""

    @property
    def package(self):
        return f"dmacc-modules-{self.kernel.release}"

    def archive(self):
        product.make("deb-modules", f"B={self.folder}", f"KVER={self.kernel.release}", f"KDIR={self.kernel.kdir}")
        return [*debs.made(), *self.folder.glob("deb/*.deb")]

    def installation(self, h):
        h.check(APT + "update")
        said = self.apt(h, f"install dmacc {self.package}")
        packages = ("dmacc", "libdmacc0", "libdmacc-client0", self.package)
        self.test(self.installed(h) == dict.fromkeys(packages, self.version),
                  "the agent and the module's package for this kernel are installed", said[-3000:])
        found = h.run("command -v dkms; ls -d /usr/src/linux-headers-* /lib/modules/*/build").text
        self.test(found == "", "there are no headers and no DKMS", found)
        self.nothing_runs(h, "with the module's package, and without a template,")

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
            for step in (self.installation, self.service, self.module_removal):
                step(h)


if __name__ == "__main__":
    sys.exit(scenario.main(PrebuiltModule, [kernels.SERIES[-1]]))
