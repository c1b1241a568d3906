#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the factory sealed outlives the system: on a partition of its own, by export and restore; and wipe, for new keys.

    test_factory_store.py [6.1|6.12 ...]
"""
import json
import os
import re
import sys

import owners
import reference
import scenario
from owners import put_templates
from scenario import FACTORY, OPERATOR, SEALED, STORE, kernels, rootfs

CREDENTIAL = "/etc/credstore.encrypted/dmacc.master"
PARTITION_SIZE = 16 << 20
PARTITION_START = 1 << 20


def make_disk(path):
    """A disk with one partition, whose label says what it is for."""
    path.touch(0o600)
    os.truncate(path, PARTITION_START + PARTITION_SIZE + (1 << 20))
    rootfs.run(["sh", "-c", f"""printf 'label: gpt\\nstart={PARTITION_START // 512}, size={PARTITION_SIZE // 512}, """
                f"""name="dmacc-factory"\\n' | sfdisk -q {path}"""])
    rootfs.run(["mke2fs", "-q", "-t", "ext4", "-E", f"offset={PARTITION_START},root_owner=0:0", path,
                f"{PARTITION_SIZE // 1024}k"])


class FactoryStore(scenario.Scenario):
    def inject(self, h, owner, version, *options):
        key = reference.device_key(self.keys[owner], owners.devid(h.imei), version)
        return h.run(f"dmaccctl factory inject --slot {owner.name} --key-id {reference.key_id(self.keys[owner], version)} "
                     f"--key-version {version} {' '.join(options)} -", key.hex() + "\n")

    def troubles(self, h):
        return {t["subject"]: t["state"] for t in json.loads(h.run("dmaccctl doctor --json").out)["troubles"]}

    # A partition of its own

    def fresh(self, h):
        mounted = owners.wait_until(lambda: h.run(f"mountpoint -q {FACTORY}").status == 0)
        self.test(mounted, "the partition dmacc-factory is mounted", h.run("udevadm info /dev/vdb1; journalctl -b -n 30").text)
        for owner in owners.OWNERS:
            done = self.inject(h, owner, 1, "--master file")
            self.test(done.status == 0, f"a key for {owner.name} is injected", done.errors)
        put_templates(h)
        self.agree(h, "accounts hang on keys of the partition")
        self.command(h, "dmaccctl factory lock", 0, "locked", "the device is locked")

    def reflashed(self, h):
        put_templates(h)
        self.agree(h, "after a reflash the accounts are made with the same keys")
        self.command(h, "dmaccctl factory inject --slot x --key-id 0011223344556677 -", 2, "locked",
                     "and it is still locked", stdin="11" * 32)

    def late(self, h):
        h.check(f"systemctl stop {FACTORY}")
        self.test(self.troubles(h).get("factory store") == "factory-store-away", "a partition that is not mounted is a state",
                  self.troubles(h))
        self.command(h, "dmaccctl factory verify", 2, "which is not mounted", "what lies in its place is not taken for it")
        since = self.cursor(h)
        h.check(f"systemctl start {FACTORY}")
        ran = owners.wait_until(lambda: "sealed keys loaded: 2" in h.run(
            f"journalctl -u dmacc-unseal -o cat --no-pager --after-cursor='{since}'").text)
        self.test(ran, "its way out mounts it, and dmacc-unseal runs again")
        self.test(self.troubles(h) == {}, "then all is well", self.troubles(h))

    def partition(self):
        disk = self.folder / "store"
        make_disk(disk)
        with self.handset("first", owners.IMEI, more_disk=disk) as h:
            self.fresh(h.boot())
            h.power_cut()
            h.boot()
            self.agree(h, "after a power cut, too")
        with self.handset("second", owners.IMEI, more_disk=disk) as h:
            self.reflashed(h.boot())
            self.late(h)
            self.kernel_quiet(h)

    # A folder on the disk of the system

    def export(self, h):
        for owner in owners.OWNERS:
            done = self.inject(h, owner, 1)
            self.test(done.status == 0, f"a key for {owner.name} is injected, the master under the host's key", done.errors)
        put_templates(h)
        self.agree(h, "accounts hang on keys of the folder")
        done = h.run("dmaccctl factory export")
        self.test(done.status == 0 and "opens with that key only" in done.errors, "export says what it is bound to", done.errors)
        secrets = [reference.device_key(self.keys[owner], owners.devid(h.imei), 1).hex() for owner in owners.OWNERS]
        self.test(owners.hidden(done.text, self.passwords() + secrets), "no secret is in the export")
        return done.out

    def restore(self, h, exported):
        before = h.check(SEALED)
        self.command(h, "dmaccctl factory restore", 0, "slot maker: ", "a whole store can be restored", stdin=exported)
        h.check(f"rm -rf {FACTORY} {CREDENTIAL}; sync")
        h.power_cut()
        h.boot()
        self.test(self.troubles(h).get("root") == "nothing-injected", "a store that was lost is a state", self.troubles(h))
        changed = re.sub(rb'"blob":"[^"]{20}', b'"blob":"AAAAAAAAAAAAAAAAAAAA', exported)
        self.command(h, "dmaccctl factory restore", 2, "sha256", "an export that was changed is refused", stdin=changed)
        self.command(h, "dmaccctl factory restore", 0, "slot operator: ", "restore brings it back", stdin=exported)
        after = h.check(SEALED)
        self.test(before == after, "the same files", before, after)
        h.check("systemctl start dmacc-unseal")
        self.agree(h, "and the accounts are served again")

    def wipe(self, h):
        self.command(h, "dmaccctl wipe", 2, "say --yes", "wipe asks")
        self.command(h, "dmaccctl wipe --yes", 0, "keys and accounts put aside", "wipe puts all aside")
        h.power_cut()
        h.boot()
        self.test(self.troubles(h).get("root") == "nothing-injected", "then nothing is injected", self.troubles(h))
        done = self.inject(h, OPERATOR, 2)
        self.test(done.status == 0, "a key of a higher version is taken", done.errors)
        h.check("systemctl reload-or-restart dmaccd")
        kd = reference.device_key(self.keys[OPERATOR], owners.devid(h.imei), 2)
        wanted = reference.credentials(kd, owners.devid(h.imei), reference.SERVER_ID, OPERATOR.server_id.encode(), 0)
        # an account that was put aside is not taken for one that never was
        fine = owners.wait_accounts(h, {"operator": "ready", "maker": "damaged"})
        found = owners.phone_values(h, "operator")
        self.test(fine and found["ClientPW"] == wanted.client_pw, "and the account is made anew with it",
                  h.run("dmaccctl status; dmaccctl doctor").text)
        self.test(self.troubles(h) == {"account maker": "slot-empty"}, "what was not injected again is named", self.troubles(h))

    def persist(self, h):
        """Where the system keeps what a reflash leaves alone, and there is no partition for it."""
        h.check(f"systemctl stop dmaccd dmacc-unseal; rmmod dmacc; rm -rf {FACTORY} {STORE}/* {CREDENTIAL}; "
                "mkdir /persist; mount -t tmpfs none /persist")
        for owner in owners.OWNERS:
            done = self.inject(h, owner, 1)
            self.test(done.status == 0, f"with /persist a key for {owner.name} is injected", done.errors)
        self.test(h.run("cd /persist/dmacc-factory && ls root slots/maker slots/operator").status == 0
                  and h.run(f"ls {FACTORY}").status, "the factory store is in /persist, and nowhere else")
        h.check("systemctl stop dmaccd dmacc-unseal; rmmod dmacc; systemctl start dmaccd")
        self.agree(h, "the keys in /persist are unsealed")

    def folder_on_disk(self):
        with self.handset("third", owners.IMEI) as h:
            exported = self.export(h.boot())
            self.restore(h, exported)
            self.wipe(h)
            self.persist(h)
            self.kernel_quiet(h)

    def run(self):
        self.build()
        self.partition()
        self.folder_on_disk()


if __name__ == "__main__":
    sys.exit(scenario.main(FactoryStore, sys.argv[1:] or kernels.SERIES))
