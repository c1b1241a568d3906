#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""dmaccctl factory export and restore: what goes out comes back, of this device only, and never an older state.

The module is module_double.c's; the real one, and a master that is a credential, are in tests/e2e.
"""
import hashlib
import json
import shutil
import subprocess
import unittest

from ctl_case import BUILD, IMEI, KEY_1, KEY_2, KEY_ID, OTHER_IMEI, Device, DeviceCase, flip


class Exchange(DeviceCase):
    def setUp(self):
        super().setUp()
        self.ok(self.device.inject())
        self.ok(self.device.inject("beta", KEY_2, 2))
        self.file = self.folder / "export.json"

    def export(self, path=None):
        """With a master in a plain file, which does not go along, and that is said."""
        done = self.device.factory("export", "--credential", self.folder / "none", path or self.file)
        self.refused(done, "the master is not exported", 1)
        return done

    def restore(self, device=None, path=None):
        return (device or self.device).factory("restore", "--credential", self.folder / "none", path or self.file)

    def changed(self, change):
        """The export, changed, and its checksum made again as somebody would who means it."""
        package = json.loads(self.file.read_text())
        change(package)
        package.pop("sha256", None)
        text = json.dumps(package, separators=(",", ":"), ensure_ascii=False)
        package["sha256"] = hashlib.sha256(text.encode()).hexdigest()
        path = self.folder / "changed.json"
        path.write_text(json.dumps(package))
        return path

    def lose_store(self):
        """A reflash: all is gone but the master, which is not in an export here. Then it boots."""
        master = (self.device.store / "master").read_bytes()
        shutil.rmtree(self.device.store)
        self.device.store.mkdir(0o700)
        (self.device.store / "master").write_bytes(master)
        (self.device.store / "master").chmod(0o600)
        self.device.reboot()


class Export(Exchange):
    def test_it_has_all_that_is_sealed_and_no_secret(self):
        self.export()
        text = self.file.read_text()
        package = json.loads(text)
        self.assertEqual((package["format"], package["devid"]), ("dmacc-factory-export-1", IMEI))
        self.assertEqual([(s["slot"], s["key_id"], s["key_version"]) for s in package["slots"]],
                         [("alpha", KEY_ID, 1), ("beta", KEY_ID, 2)])
        self.assertEqual((package["root"]["rung"], package["root"]["locked"]), ("wrapped", False))
        master = (self.device.store / "master").read_text().strip()
        for secret in (KEY_1, KEY_2, master):
            self.assertNotIn(secret, text)
        self.assertEqual(self.file.stat().st_mode & 0o777, 0o600)

    def test_standard_output_is_the_default(self):
        self.export()
        done = self.device.factory("export", "--credential", self.folder / "none")
        self.assertEqual(done.stdout, self.file.read_text())

    def test_it_needs_no_module(self):
        done = self.device.factory("export", "--credential", self.folder / "none", self.file, DMACC_MODULE="/nonexistent/x")
        self.assertEqual(done.returncode, 1, done.stderr)

    def test_an_encrypted_master_goes_along_and_one_of_the_hosts_key_with_a_warning(self):
        credential = self.folder / "dmacc.master"
        credential.write_text("WhxqLC3OneZA0ro=\n")
        done = self.device.factory("export", "--credential", credential, self.file)
        self.assertEqual(done.returncode, 0)
        self.assertIn("opens with that key only", done.stderr)
        self.assertEqual(json.loads(self.file.read_text())["master"]["credential"], credential.read_text())

    def test_the_same_again_is_fine_and_another_file_is_never_overwritten(self):
        self.export()
        self.export()
        self.ok(self.device.inject("gamma"))
        before = self.file.read_text()
        self.refused(self.device.factory("export", "--credential", self.folder / "none", self.file), "File exists")
        self.assertEqual(self.file.read_text(), before)

    def test_what_is_damaged_is_not_exported(self):
        for name, at in (("root", 0), ("slots/alpha", 0), ("slots/alpha", 12), ("slots/beta", 20)):
            path = self.device.store / name
            flip(path, at)
            done = self.device.factory("export", "--credential", self.folder / "none", self.file)
            self.assertEqual(done.returncode, 2, (name, at))
            self.refused(done, "what is damaged is not exported")
            self.assertFalse(self.file.exists())
            flip(path, at)

    def test_an_empty_store_has_nothing_to_export(self):
        self.refused(self.device.factory("export", "--factory-store", self.folder), "there is nothing to export")


class Restore(Exchange):
    def test_after_a_reflash_it_brings_everything_back(self):
        self.export()
        before = self.device.files()
        self.lose_store()
        done = self.restore()
        self.assertIn("slot alpha: KeyId b694ff823ea00e66, key version 1", self.ok(done))
        self.assertEqual(self.device.files(), before)
        self.device.reboot()
        self.ok(self.device.factory("verify"))

    def test_it_can_be_repeated(self):
        self.export()
        before = self.device.files()
        for _ in range(2):
            self.ok(self.restore())
            self.assertEqual(self.device.files(), before)

    def test_another_device_is_refused_before_anything_is_written(self):
        self.export()
        other = Device(self.folder / "other", OTHER_IMEI)
        done = self.restore(other)
        self.refused(done, "other-device: the export is of a device with another identifier; nothing was written")
        self.assertEqual(other.files(), {})

    def test_another_root_that_opens_is_never_replaced(self):
        self.export()
        other = Device(self.folder / "other")
        self.ok(other.inject())
        before = other.files()
        self.refused(self.restore(other), "other-root")
        other.reboot()
        self.refused(self.restore(other), "of another root than the one in")
        self.assertEqual(other.files(), before)

    def test_a_root_that_was_damaged_is_kept_beside_the_restored_one(self):
        self.export()
        for at in (0, 12):
            whole = self.device.files()["root"]
            flip(self.device.store / "root", at)
            damaged = self.device.files()["root"]
            self.device.reboot()
            self.assertEqual(self.restore().returncode, 0)
            self.assertEqual((self.device.files()["root"], self.device.files()["root.prev"]), (whole, damaged))

    def test_damaged_lost_and_exchanged_keys_are_healed(self):
        self.export()
        before = self.device.files()
        alpha = self.device.store / "slots/alpha"
        for damage in (lambda: flip(alpha, -1), lambda: flip(alpha, 71), alpha.unlink, lambda: alpha.write_bytes(b"x"),
                       lambda: shutil.copy(self.device.store / "slots/beta", alpha)):
            damage()
            self.device.reboot()
            self.assertEqual(self.device.factory("verify").returncode, 1 if alpha.exists() else 0)
            self.ok(self.restore())
            self.assertEqual(self.device.files(), before)

    def test_a_store_that_lost_its_root_is_made_whole(self):
        self.export()
        before = self.device.files()
        (self.device.store / "root").unlink()
        self.device.reboot()
        self.assertEqual(self.troubles()["root"], "factory-store-damaged")
        self.ok(self.restore())
        self.assertEqual((self.device.files(), self.troubles()), (before, {}))

    def test_an_older_key_never_replaces_a_newer_one(self):
        self.export()
        self.ok(self.device.inject(key=KEY_2, version=2))
        before = self.device.files()
        self.refused(self.restore(), "slot alpha: slot-older: a key of a higher version is loaded; nothing was written")
        self.device.reboot()
        self.refused(self.restore(), "slot alpha: slot-older")
        self.assertEqual(self.device.files(), before)

    def test_an_export_from_before_the_lock_does_not_unlock(self):
        self.export()
        self.ok(self.device.factory("lock"))
        locked = self.device.files()
        self.ok(self.restore())
        self.assertEqual(self.device.files(), locked)
        self.device.reboot()
        self.ok(self.restore())
        self.assertEqual(self.device.files(), locked)
        self.refused(self.device.inject("gamma"), "this device is locked")
        # an image of production locks what it is given, too
        self.lose_store()
        self.device.locked = True
        self.ok(self.restore())
        self.assertEqual(self.device.files()["root"][10], 1)

    def interrupted(self, fault, number, before, credential):
        """One restore into a lost store, of which one call goes wrong. Returns the exit status."""
        master = (self.device.store / "master").read_bytes()
        self.lose_store()
        # of a credential the master comes, and goes along in the export
        (self.device.store / "master").unlink()
        credential.unlink(missing_ok=True)
        restore = "restore", "--credential", credential, self.file
        status = self.device.factory(*restore, DMACC_FAULT=f"{fault} {number}").returncode
        left = {name: content for name, content in self.device.files().items() if name in before}
        self.assertLessEqual(left.items(), before.items(), f"{fault} {number}: something is half restored")
        if "root" in left:
            self.assertEqual(left, before, f"{fault} {number}: there is a root, and not all that hangs on it")
        if status == 0:
            self.assertEqual((self.device.files(), credential.read_text()), (before, self.credential))
        self.device.reboot()
        self.assertEqual(self.device.factory(*restore).returncode, 0)
        self.assertEqual((self.device.files(), credential.read_text()), (before, self.credential), f"{fault} {number}")
        (self.device.store / "master").write_bytes(master)
        return status

    def test_whatever_call_ends_or_fails_nothing_is_half_restored_and_it_can_be_repeated(self):
        credential = self.folder / "credential"
        master = bytes.fromhex((self.device.store / "master").read_text())
        # the key of zeros, which neither a TPM nor the host has
        subprocess.run(["systemd-creds", "encrypt", "--name=dmacc.master", "--with-key=tpm2-absent", "-", credential],
                       input=master, capture_output=True, check=True)
        self.credential = credential.read_text()
        self.device.factory("export", "--credential", credential, self.file)
        before = {name: content for name, content in self.device.files().items() if name != "master"}
        number, died = 1, 77
        while self.interrupted("die", number, before, credential) == died:
            number += 1
        self.assertGreater(number, 20)
        statuses = [self.interrupted("fail", n, before, credential) for n in range(1, number)]
        self.assertEqual(set(statuses), {0, 2})

    def test_without_the_master_the_root_does_not_open_and_nothing_is_written(self):
        self.export()
        self.lose_store()
        (self.device.store / "master").unlink()
        self.refused(self.restore(), "the root of the export does not open here; nothing was written")
        self.assertEqual(self.device.files(), {})

    def test_a_key_that_the_module_refuses_leaves_everything_as_it_was(self):
        self.export()

        def change(package):
            blob = package["slots"][1]["blob"]
            package["slots"][1]["blob"] = blob[:180] + ("A" if blob[180] != "A" else "B") + blob[181:]
        path = self.changed(change)
        before = self.device.files()
        self.refused(self.restore(path=path), "slot beta: slot-damaged")
        self.assertEqual(self.device.files(), before)

    def test_an_export_that_was_changed_or_cut_is_refused_with_where(self):
        self.export()
        text = self.file.read_text()
        cases = [(text.replace(KEY_ID, "0" * 16), "sha256: it does not match"), (text[:-100], "format: "), ("", "format: "),
                 ("[]", "this is not what 'dmaccctl factory export' writes"), ('{"format":"x"}', "this is not what"),
                 (text.replace("export-1", "export-2"), "a newer dmaccctl wrote it"), ("\0" * 8, "it is no text"),
                 ("x" * (1 << 20) + "x", "too long for an export")]
        before = self.device.files()
        for changed, sentence in cases:
            path = self.folder / "bad.json"
            path.write_text(changed)
            self.refused(self.restore(path=path), sentence)
        for change, sentence in ((lambda p: p.pop("root"), "root: it has no blob"), (lambda p: p.pop("slots"), "slots: they are missing"),
                                 (lambda p: p["slots"][0].update(slot="../x"), "one has no name that a slot can have"),
                                 (lambda p: p["slots"].append(p["slots"][0]), "alpha: this slot is there twice"),
                                 (lambda p: p["slots"][0].update(slot="gamma"), "slot gamma: the file holds the sealed key of another slot"),
                                 (lambda p: p["slots"][0].update(blob="A" * 3000), "alpha: it has no blob"),
                                 (lambda p: p["slots"][0].update(blob="?"), "alpha: its blob is no base64"),
                                 (lambda p: p.update(tpm="00"), "tpm: it is no fingerprint"),
                                 (lambda p: p.update(master={}), "master: it has no credential"),
                                 (lambda p: p.update(devid=OTHER_IMEI), "devid: it is not that of the sealed keys")):
            self.refused(self.restore(path=self.changed(change)), sentence)
        self.assertEqual(self.device.files(), before)


class Identity(DeviceCase):
    def test_a_device_whose_hardware_names_none_is_told_once_and_can_then_be_given_a_key(self):
        self.device.imei = None
        self.refused(self.device.inject(), "this device has no identity")
        self.refused(self.device.run("factory", "identity", text="490154203237519\n"), "the identifier is refused: ")
        self.assertIn("identity set", self.ok(self.device.run("factory", "identity", "-", text="490154203237518\n")))
        self.refused(self.device.run("factory", "identity", text=OTHER_IMEI), "another identity already")
        self.ok(self.device.inject())
        self.device.reboot()
        self.ok(self.device.factory("verify"))
        self.assertEqual(self.troubles(), {})

    def test_hardware_is_not_overruled(self):
        self.refused(self.device.run("factory", "identity", text=OTHER_IMEI), "another identity already")


class Report(DeviceCase):
    """factory report --json of many devices goes into dmacc-fleet verify as it is."""

    def test_reports_of_thousands_of_slots_are_accepted_and_a_wrong_key_is_found(self):
        fleet = BUILD / "agent/dmacc-fleet/dmacc-fleet"
        vendor = self.folder / "vendor.key"
        vendor.write_text("".join(f"{i:02x}" for i in range(32)))
        vendor.chmod(0o600)

        def run(*arguments, text=""):
            return subprocess.run([fleet, *map(str, arguments)], input=text, capture_output=True, text=True, timeout=120, check=False)
        key_id = {version: run("key-id", "--key", vendor, "--key-version", version).stdout.strip() for version in (1, 2)}
        reports = ""
        for n in range(4):
            digits = f"4901542032375{n}"
            digits = run("check-ids", text=digits).stdout.splitlines()[1].split(",")[2]
            device = Device(self.folder / f"device{n}", digits)
            for slot in range(8):
                version = 1 + slot % 2
                key = run("device-key", "--key", vendor, "--key-version", version, digits).stdout
                self.ok(device.inject(f"slot{slot}", key, version, key_id[version]))
            if n == 3:
                self.ok(device.inject("slot7", KEY_1, 2, key_id[2]))
            self.ok(device.factory("lock"))
            device.reboot()
            reports += self.ok(device.factory("report", "--json"))
        many = reports * 100
        self.assertEqual(many.count("\n"), 3200)
        done = run("verify", "--key", vendor, text=many)
        results = [line.split(",")[2] for line in done.stdout.splitlines()[1:]]
        self.assertEqual((results.count("match"), results.count("differs"), len(results)), (3100, 100, 3200), done.stderr)
        self.assertEqual(done.returncode, 1)


if __name__ == "__main__":
    unittest.main()
