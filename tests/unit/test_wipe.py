#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""dmaccctl wipe: what goes and what stays, and that a device is enrolled anew after each state it is the way out of."""
import unittest

from ctl_case import KEY_2, OTHER_IMEI, DeviceCase, flip


class Wipe(DeviceCase):
    def setUp(self):
        super().setUp()
        self.accounts = self.folder / "state/accounts"
        self.credentials = self.folder / "credentials"
        self.accounts.mkdir(parents=True)
        self.credentials.mkdir()
        for name in ("op", "op.prev", "other", "other.damaged", "lost.prev"):
            (self.accounts / name).write_text(f"content of {name}")
        (self.credentials / "dmacc.master").write_text("encrypted")
        (self.credentials / "another").write_text("not ours")
        self.ok(self.device.inject())
        self.ok(self.device.inject("beta"))

    def wipe(self, *arguments):
        return self.device.run("wipe", "--factory-store", self.device.store, "--state", self.folder / "state",
                               "--credential-store", self.credentials, *arguments)

    def names(self, folder):
        return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())

    def test_nothing_is_done_without_yes(self):
        before = (self.device.files(), self.names(self.accounts), self.names(self.credentials))
        for arguments in ((), ("--destroy",), ("--accounts",), ("--account", "op")):
            self.refused(self.wipe(*arguments), "say --yes if that is meant")
        self.assertEqual((self.device.files(), self.names(self.accounts), self.names(self.credentials)), before)

    def test_it_puts_all_of_it_aside_and_loses_nothing(self):
        before = self.device.files()
        self.assertIn("keys and accounts put aside", self.ok(self.wipe("--yes")))
        after = self.device.files()
        self.assertEqual(sorted(after.values()), sorted(before.values()))
        self.assertTrue(all(name.startswith("retired-") for name in after), list(after))
        kept = {name.split("/", 1)[1] for name in after}
        self.assertEqual(kept, {"root", "master", "slots/alpha", "slots/beta"})
        self.assertEqual(self.names(self.accounts), ["op.damaged", "other.damaged", "other.damaged-2"])
        self.assertEqual((self.accounts / "op.damaged").read_text(), "content of op")
        another, retired = self.names(self.credentials)
        self.assertEqual(another, "another")
        self.assertRegex(retired, r"^dmacc\.master\.retired-\d{8}T\d{6}Z$")

    def test_with_destroy_it_is_removed_with_what_was_put_aside_before(self):
        self.ok(self.wipe("--yes"))
        self.device.reboot()
        self.ok(self.device.inject(key=KEY_2, version=2))
        done = self.wipe("--destroy", "--yes")
        self.assertIn("removed does not mean overwritten", self.ok(done))
        self.assertEqual((self.device.files(), self.names(self.accounts), self.names(self.credentials)), ({}, [], ["another"]))
        self.assertEqual([path.name for path in self.device.store.iterdir()], ["slots"])

    def test_it_can_be_repeated_and_leaves_no_empty_folders(self):
        self.ok(self.wipe("--yes"))
        before = sorted(self.device.store.rglob("*"))
        self.ok(self.wipe("--yes"))
        self.assertEqual(sorted(self.device.store.rglob("*")), before)

    def test_half_of_it_can_be_gone_on_with(self):
        (self.device.store / "slots/alpha").unlink()
        (self.device.store / "root").unlink()
        self.ok(self.wipe("--yes"))
        self.assertEqual({name.split("/", 1)[1] for name in self.device.files()}, {"master", "slots/beta"})

    def test_the_module_forgets_the_keys_at_once(self):
        self.ok(self.wipe("--yes"))
        self.assertIn("slots      0\n", self.device.run("status").stdout)

    def test_accounts_alone_leave_the_keys(self):
        before = self.device.files()
        self.assertIn("accounts put aside", self.ok(self.wipe("--accounts", "--yes")))
        self.assertEqual(self.names(self.accounts), ["op.damaged", "other.damaged", "other.damaged-2"])
        self.assertEqual((self.device.files(), self.names(self.credentials)), (before, ["another", "dmacc.master"]))

    def test_one_account_leaves_the_others(self):
        self.ok(self.wipe("--account", "op", "--yes"))
        self.assertEqual(self.names(self.accounts), ["lost.prev", "op.damaged", "other", "other.damaged"])
        self.refused(self.wipe("--account", "nobody", "--yes"), "there is nothing stored of an account 'nobody'")
        for name in ("../accounts/other", ".", "x" * 65):
            self.refused(self.wipe("--account", name, "--yes"), "an account cannot have that name")
        self.assertTrue((self.accounts / "other").exists())

    def test_one_account_destroyed_leaves_nothing_of_it_and_all_of_the_others(self):
        for name in (".op.new", ".op.old", "op.damaged-2", "open", "op.prevent"):
            (self.accounts / name).write_text("of one account or the other")
        self.ok(self.wipe("--account", "op", "--destroy", "--yes"))
        self.assertEqual(self.names(self.accounts), ["lost.prev", "op.prevent", "open", "other", "other.damaged"])

    def test_ten_times_is_refused_before_anything_is_lost(self):
        for number in range(2, 10):
            (self.accounts / f"other.damaged-{number}").write_text("kept")
        self.refused(self.wipe("--account", "other", "--yes"), "nine files of it have been put aside already")
        self.assertEqual((self.accounts / "other").read_text(), "content of other")

    def test_both_kinds_at_once_are_refused(self):
        self.refused(self.wipe("--accounts", "--account", "op", "--yes"), "--accounts is all of them")

    def test_a_device_that_has_nothing_is_fine(self):
        done = self.device.run("wipe", "--yes", "--factory-store", self.folder / "a", "--state", self.folder / "b",
                               "--credential-store", self.folder / "c")
        self.assertIn("put aside: 0 files", self.ok(done))

    def enrol_anew(self):
        """The way out: wipe, reboot, a key of a higher version."""
        self.ok(self.wipe("--yes"))
        self.device.reboot()
        self.assertEqual(self.troubles(), {"root": "nothing-injected"})
        self.ok(self.device.inject(key=KEY_2, version=2))
        self.ok(self.device.factory("lock"))
        self.device.reboot()
        self.ok(self.device.factory("verify"))
        self.assertEqual(self.troubles(), {})

    def test_it_is_the_way_out_of_another_board(self):
        self.ok(self.device.factory("lock"))
        self.device.reboot()
        self.device.imei = OTHER_IMEI
        self.assertEqual(self.device.factory("verify").returncode, 1)
        self.assertEqual(set(self.troubles().values()), {"other-device"})
        self.enrol_anew()

    def test_it_is_the_way_out_of_a_root_that_is_refused(self):
        self.device.reboot()
        flip(self.device.store / "root", 50)
        self.device.factory("verify")
        self.assertEqual(self.troubles(), {"root": "root-refused"})
        self.enrol_anew()

    def test_it_is_the_way_out_of_another_tpm(self):
        self.device.reboot()
        (self.device.store / "master").write_text("11" * 32)
        self.device.reported("root tpm-replaced the TPM has another endorsement")
        self.assertEqual(self.troubles(), {"root": "tpm-replaced"})
        self.ok(self.wipe("--yes"))
        self.device.reported("root nothing-injected ")
        self.enrol_anew()


if __name__ == "__main__":
    unittest.main()
