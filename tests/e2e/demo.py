#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""make demo: phones that nobody provisioned by hand, and servers that know only their IMEI, agree on credentials.

    demo.py [amd64|arm64]      the handsets' architecture

Everything shown is run, in virtual handsets or here; what is compared is computed, and a
difference where there may be none ends with exit status 1.
"""
import csv
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "qemu"))

import kernel as kernels  # noqa: E402
import owners  # noqa: E402
import product  # noqa: E402
import rootfs  # noqa: E402
from handset import Handset, HandsetFailed  # noqa: E402

KERNELS = {"amd64": "6.1", "arm64": "6.1-arm64"}
# Where the firmware has the identifier, and what shows it
FIRMWARE = {"amd64": "grep -ao 'IMEI:[0-9]*' /sys/firmware/dmi/tables/DMI",
            "arm64": "tr '\\0' '\\n' < /sys/firmware/devicetree/base/firmware/identity/imei"}
BEGUN = time.monotonic()


class Screen:
    """Prints at once, or, for what happens meanwhile, when flush() is called."""

    def __init__(self, folder, live=True):
        self.folder, self.live, self.kept = folder, live, []

    def say(self, text=""):
        self.kept.append(text)
        if self.live:
            self.flush()

    def flush(self):
        for text in self.kept:
            print(text, flush=True)
        self.kept = []

    def heading(self, text):
        self.say(f"\n== {text}   [{time.monotonic() - BEGUN:.0f} s]\n")

    def output(self, text):
        for line in text.rstrip("\n").splitlines():
            self.say(f"    {line}")

    def here(self, command):
        """A command on this machine, in the demo's own folder."""
        self.say(f"$ {command}")
        done = subprocess.run(["sh", "-c", command], cwd=self.folder, text=True, stdin=subprocess.DEVNULL, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.output(done.stdout)
        if done.returncode:
            sys.exit(f"{command}: exit status {done.returncode}")
        return done.stdout

    def there(self, handset, command, given=None, expect=0):
        """A command in a handset, as root; `given`: the file here that is its standard input."""
        self.say(f"{handset.name}# {command}" + (f" < {given}" if given else ""))
        result = handset.run(command, (self.folder / given).read_bytes() if given else b"")
        self.output(result.text + result.errors)
        if result.status != expect:
            sys.exit(f"{handset.name}: {command}: exit status {result.status}")
        return result.text


class Demo:
    """`folder` is the demo's own, and is gone afterwards."""

    def __init__(self, folder, architecture):
        self.folder, self.architecture = folder, architecture
        self.screen = Screen(folder)
        self.kernel = kernels.Kernel(KERNELS[architecture])
        self.disagreements = 0
        self.third_has_none = None

    def build(self, pool):
        """Debian is made, or taken from the cache, meanwhile."""
        image = pool.submit(rootfs.image, self.kernel)
        for folder in dict.fromkeys((product.BUILD, product.build_folder(self.kernel.machine))):
            self.screen.say(f"$ make userspace B={folder.relative_to(product.TOP)}")
        self.screen.say(f"$ make modules KDIR={self.kernel.kdir} M={product.module_folder(self.kernel)}")
        # what servers run here is of this machine's architecture
        product.build_userspace()
        tree = product.install(self.kernel, self.folder)
        os.environ["PATH"] = f"{product.BUILD}/agent/dmacc-fleet:{os.environ['PATH']}"
        image.result()
        rootfs.install(self.kernel, tree, self.folder / "handset.disk")

    def handset(self, name, imei):
        disk = self.folder / f"{name}.disk"
        rootfs.run(["cp", "--sparse=always", self.folder / "handset.disk", disk])
        # one processor each: two handsets at a time are on for most of the demo
        return Handset(name, self.kernel, disk, imei, processors=1)

    def make_vendor_keys(self):
        for owner in owners.OWNERS:
            self.screen.here(f"dmacc-fleet keygen --output {owner.name}.key")
        for owner in owners.OWNERS:
            self.screen.here(f"dmacc-fleet key-id --key {owner.name}.key")

    def key_id(self, owner):
        return subprocess.run(["dmacc-fleet", "key-id", "--key", f"{owner.name}.key"], cwd=self.folder, text=True,
                              capture_output=True, check=True).stdout.strip()

    def factory(self, screen, handset):
        """What a factory does to a device: keys in, lock."""
        for owner in owners.OWNERS:
            given = f"{owner.name}-{handset.imei}.device-key"
            screen.here(f"dmacc-fleet device-key --key {owner.name}.key --output {given} {handset.imei}")
            screen.there(handset, f"dmaccctl factory inject --slot {owner.name} --key-id {self.key_id(owner)} -", given)
        screen.there(handset, "dmaccctl factory verify")
        screen.there(handset, "dmaccctl factory lock")

    def drop_templates(self, screen, handset):
        for owner in owners.OWNERS:
            given = self.folder / owner.template.name
            given.write_bytes(owner.template.read_bytes())
            screen.there(handset, f"cat > {owners.TEMPLATES}/{owner.template.name}", owner.template.name)

    def provision(self, screen, handset):
        self.factory(screen, handset)
        self.drop_templates(screen, handset)
        self.wait(handset, lambda: owners.wait_accounts(handset))

    @staticmethod
    def wait(handset, condition):
        if not condition():
            raise HandsetFailed(f"handset {handset.name} has not the accounts that it should have:\n" +
                                handset.run("dmaccctl status; journalctl -b --no-pager -n 40").text)

    def meanwhile(self, screen):
        """The other two handsets; returns the values of the second, and shows what the third says."""
        with self.handset("phone2", owners.OTHER_IMEI) as second:
            second.boot()
            self.provision(Screen(self.folder, live=False), second)
            values = {owner: owners.phone_values(second, owner.name) for owner in owners.OWNERS}
        with self.handset("phone3", None) as third:
            third.boot()
            self.drop_templates(Screen(self.folder, live=False), third)
            self.wait(third, lambda: owners.wait_until(
                lambda: owners.status(third)["agent"].get("state") == "no-identity"))
            screen.there(third, "dmaccctl status")
            self.third_has_none = not any(owners.accounts(third)[owner.name] == "ready" or
                                          any(owners.phone_values(third, owner.name).values())
                                          for owner in owners.OWNERS if owner.name in owners.accounts(third))
        return values

    def first_boot(self, handset):
        s = self.screen
        s.heading("2  A handset: Debian's stock kernel, systemd, an IMEI in its firmware; nobody has provisioned it")
        handset.boot()
        # by udev, which may not be through yet
        handset.run("udevadm settle")
        s.there(handset, "uname -rm; cat /proc/1/comm; grep -c ^dmacc /proc/modules || true")
        s.there(handset, FIRMWARE[self.architecture])
        s.heading("3  At the factory: one device key for each server owner, sealed; two templates")
        self.provision(s, handset)
        why = "for the node of the device tree" if self.kernel.machine.device_tree else "by being asked for"
        s.heading(f"4  The units run, the module was loaded {why}")
        s.there(handset, "systemctl is-active dmacc-unseal dmaccd; grep ^dmacc /proc/modules | cut -d' ' -f1")
        s.there(handset, "dmaccctl status")
        s.there(handset, "dmaccctl tree")

    def second_boot(self, handset):
        s = self.screen
        before = {owner: owners.phone_values(handset, owner.name) for owner in owners.OWNERS}
        s.heading("5  The battery is pulled; the handset boots again")
        handset.power_cut()
        handset.boot()
        self.wait(handset, lambda: owners.wait_accounts(handset))
        s.there(handset, "dmaccctl status")
        after = {owner: owners.phone_values(handset, owner.name) for owner in owners.OWNERS}
        self.judge(before == after, "the accounts of before the power cut", "UNCHANGED", "CHANGED")
        s.there(handset, "dmaccctl factory inject --slot other --key-id 0123456789abcdef -",
                f"operator-{handset.imei}.device-key", expect=2)
        return after

    def judge(self, fine, what, good, bad):
        self.disagreements += not fine
        self.screen.say(f"    {what}: {good if fine else bad}")

    def servers(self, imei, values):
        """What each owner's server computes, knowing the IMEI only, and what the phone has."""
        for owner in owners.OWNERS:
            text = self.screen.here(f"echo {imei} | dmacc-fleet derive --key {owner.name}.key "
                                    f"--server-id {owner.server_id}")
            server = next(csv.DictReader(text.splitlines()))
            for name in owners.COMPUTED:
                value = values[owner][name]
                self.judge(server[name] == value, f"phone {name:8} {value}", "AGREE", "DIFFER")

    def compare(self, handset, first, second, third):
        s = self.screen
        s.heading("6  Outside, the servers know the IMEI and their own key")
        self.servers(handset.imei, first)
        s.say(f"\nA second handset, with the IMEI {owners.OTHER_IMEI}, made by the same steps:\n")
        self.servers(owners.OTHER_IMEI, second)
        same = [name for owner in owners.OWNERS for name in owners.COMPUTED
                if first[owner][name] == second[owner][name]]
        self.judge(not same, "the two handsets' values", "ALL DIFFERENT", f"SAME: {' '.join(same)}")
        s.say("\nA third handset, whose hardware gives no identifier:\n")
        third.live = True
        third.flush()
        self.judge(self.third_has_none, "the third handset's credentials", "NONE", "SOME")

    def run(self):
        s = self.screen
        with ThreadPoolExecutor() as pool:
            s.heading("1  Build; a vendor key for each of two server owners")
            self.build(pool)
            self.make_vendor_keys()
            third = Screen(self.folder, live=False)
            meanwhile = pool.submit(self.meanwhile, third)
            with self.handset("phone", owners.IMEI) as handset:
                self.first_boot(handset)
                first = self.second_boot(handset)
                self.compare(handset, first, meanwhile.result(), third)
        s.heading("Done: phones and servers agree" if not self.disagreements else f"{self.disagreements} DISAGREEMENTS")
        return 1 if self.disagreements else 0


def main():
    architecture = sys.argv[1] if len(sys.argv) > 1 else "amd64"
    if architecture not in KERNELS:
        sys.exit(f"there is no virtual handset for {architecture}, but for {' and '.join(KERNELS)}")
    with product.workplace() as folder:
        try:
            return Demo(folder, architecture).run()
        except HandsetFailed as failure:
            print(failure, file=sys.stderr)
            return 1


if __name__ == "__main__":
    sys.exit(main())
