#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Power cuts in a row: QEMU and the TPM are killed in each boot, at a random moment around or after an unsealing.

    power_cuts.py [--boots N] [--seed N] [trusted|wrapped]...

trusted: the root is a kernel trusted key of the TPM, on a kernel of our own. wrapped: the root's master is a systemd
credential that the TPM sealed, on Debian's stock kernel. Both series run side by side. In each boot that is let
come so far the accounts have the values that their server computes; after the last one they still have them, and the
TPM's protection against guessing is as it was. At the end the store is lost and restored.

A boot starts what unseals, the agent and the channel, and no more: there are many.
"""
import argparse
import random
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import scenario
from scenario import OPERATOR, handsets, kernels, owners, product, rootfs

import testkernel
import tpm as tpms
from tap import Tap

SERIES = "6.12"
TARGET_UNIT = """# SPDX-License-Identifier: LGPL-2.1-or-later
[Unit]
Description=What a power cut is to meet
Requires=basic.target
Wants=dmaccd.service handset-channel.service
After=basic.target
AllowIsolate=yes
"""
# Neither waits for devices, which are there, nor writes a journal, which each cut would spoil
MASKED = ("systemd-udevd.service", "systemd-udev-trigger.service", "systemd-journal-flush.service",
          "systemd-update-done.service", "systemd-journal-catalog-update.service", "timers.target", "paths.target")
COMMAND_LINE = " ".join(["systemd.unit=power-cuts.target audit=0",
                         "systemd.show_status=1 systemd.status_unit_format=name",
                         *(f"systemd.mask={unit}" for unit in MASKED)])
STARTS = re.compile(r"Starting .*dmacc-unseal\.service")
ENDS = re.compile(r"(Finished|Failed to start) .*dmacc-unseal\.service")
# One cut of so many is to come in the middle of the unsealing, where a TPM may count it, and the next one if that one
# came too late; none does any more when another one could lock it
MIDDLE = 8
# So long after it the others come, at most
LATER = 2.0
LIMITS = ("TPM2_PT_MAX_AUTH_FAIL", "TPM2_PT_LOCKOUT_INTERVAL", "TPM2_PT_LOCKOUT_RECOVERY")
CREDENTIAL = "/etc/credstore.encrypted/dmacc.master"
COUNTER = "TPM2_PT_LOCKOUT_COUNTER"


def properties(h):
    """What the TPM says of its protection against guessing."""
    text = h.check("tpm2_getcap properties-variable")
    return {name: int(value, 0) for name, value in re.findall(r"(TPM2_PT_\w+): (\w+)", text)}


class Cuts(scenario.Scenario):
    """One series on one device."""

    def __init__(self, name, kernel, folder, tap, inject, draw):
        super().__init__(kernel, folder, tap)
        self.name, self.inject, self.draw = name, inject, draw
        self.wrong, self.counted, self.middle, self.whole = [], [], 0, 0
        self.unsealing = 1.0
        self.counter, self.middle_since, self.missed = 0, 0, False

    def test(self, ok, name, *details):
        self.tap.test(bool(ok), f"power cuts, {self.name}: {name}", *details)

    def say(self, text):
        print(f"# {time.strftime('%H:%M:%S')} {self.name}: {text}", flush=True)

    def build(self):
        tree = product.install(self.kernel, self.folder)
        units = tree / "etc/systemd/system"
        handsets.add_file(units / "power-cuts.target", TARGET_UNIT)
        handsets.add_file(tree / "etc/systemd/journald.conf.d/volatile.conf", "[Journal]\nStorage=volatile\n")
        rootfs.install(self.kernel, tree, self.folder / "disk")

    def expected(self, *_):
        return owners.expected(self.keys, OPERATOR, owners.IMEI)

    def shown(self, h):
        return owners.phone_values(h, OPERATOR.name)

    def explain(self, h):
        return h.run("dmaccctl status; cat /run/dmacc-unseal/report; journalctl -b --no-pager -n 40").text

    def factory(self, h):
        """All that is ever written to disk and TPM on purpose."""
        h.boot()
        before = properties(h)
        result = owners.inject(h, self.keys, OPERATOR, self.inject)
        self.test(result.status == 0, "the factory injects a key", result.text, result.errors)
        self.test(h.run("dmaccctl factory lock").status == 0, "and locks the device")
        owners.put_template(h, OPERATOR.template.name, OPERATOR.template.read_bytes())
        owners.wait_accounts(h, {OPERATOR.name: "ready"})
        self.test(self.shown(h) == self.expected(), "the account has the values that its server computes",
                  self.explain(h))
        h.power_off()
        return before

    def cut_later(self, h, number):
        """Lets a boot come so far that the account is there; then the power goes at some moment."""
        h.boot()
        h.run("systemctl start dmaccd.service", timeout=300)
        owners.wait_accounts(h, {OPERATOR.name: "ready"})
        found, now = self.shown(h), properties(h)
        if found != self.expected():
            self.wrong += [f"boot {number}: {found.get('UserName')}", self.explain(h)]
        self.note_counter(now[COUNTER], number)
        self.measure(h)
        self.whole += 1
        wait = self.draw.uniform(0, LATER)
        time.sleep(wait)
        h.power_cut()
        return (f"{'the same' if found == self.expected() else 'OTHER'} credentials, cut {wait:.2f} s later, "
                f"lockout counter {now[COUNTER]}")

    def note_counter(self, counter, number):
        """A cut after an unsealing may not be counted; one in the middle of it may."""
        if counter > self.counter + self.middle_since:
            self.counted.append(f"boot {number}: {counter}, after {self.counter}")
        self.counter, self.middle_since = counter, 0

    def measure(self, h):
        """How long an unsealing takes here, now."""
        shown = h.run("systemctl show -P ExecMainStartTimestampMonotonic -P InactiveExitTimestampMonotonic "
                      "-P ExecMainExitTimestampMonotonic dmacc-unseal.service").text.split()
        times = [int(part) for part in shown if part.isdigit()]
        if len(times) > 1 and max(times) > min(times) > 0:
            self.unsealing = (max(times) - min(times)) / 1e6

    def cut_middle(self, h):
        """The power goes while it is unsealed, unless that is over by then: the next one shall come in half the time."""
        h.power_on()
        if not owners.wait_until(lambda: STARTS.search(h.said()), h.kernel.machine.boot_timeout, 0.02):
            raise handsets.HandsetFailed(f"{self.name}: nothing was unsealed:\n{h.said()[-3000:]}")
        wait = self.draw.uniform(0, self.unsealing)
        time.sleep(wait)
        ended = ENDS.search(h.said())
        h.power_cut()
        self.missed = bool(ended)
        self.middle += not ended
        self.middle_since += not ended
        if ended:
            self.unsealing = wait / 2
        return f"cut {wait:.2f} s after the unsealing began, {'after its end' if ended else 'in the middle of it'}"

    def may_count(self, limit):
        """Whether the TPM bears another cut that it counts: at its limit it is closed for a quarter of an hour."""
        return self.counter + self.middle_since < limit - 1

    def series(self, h, boots, limit):
        for number in range(1, boots + 1):
            began = time.monotonic()
            # the first ones tell how long it takes, the last one how it stands
            middle = 2 < number < boots and (number % MIDDLE == 3 or self.missed) and self.may_count(limit)
            what = self.cut_middle(h) if middle else self.cut_later(h, number)
            self.say(f"boot {number} of {boots}, {time.monotonic() - began:.0f} s: {what}")

    def verdict(self, h, before, boots):
        h.boot()
        h.run("systemctl start dmaccd.service", timeout=300)
        owners.wait_accounts(h, {OPERATOR.name: "ready"})
        after = properties(h)
        self.say(f"{self.whole} cuts after the unsealing, {self.middle} in the middle of it; "
                 f"lockout counter {before[COUNTER]} before, {after[COUNTER]} after")
        self.test(self.shown(h) == self.expected(), f"boot {boots + 1} has the same credentials",
                  self.explain(h))
        self.test(not self.wrong, "every boot that was let come so far had them", *self.wrong)
        self.test(self.middle, "some power cuts came in the middle of an unsealing")
        self.test(not self.counted, "the TPM counted no power cut that came after an unsealing", *self.counted)
        self.test(after[COUNTER] <= before[COUNTER] + self.middle, "it counted at most those in the middle of one",
                  f"{before[COUNTER]} before, {after[COUNTER]} after")
        self.test(all(after[limit] == before[limit] for limit in LIMITS), "the TPM's limits are what they were",
                  before, after)
        self.test(boots > before["TPM2_PT_MAX_AUTH_FAIL"], "there were more power cuts than failures it puts up with")
        log = h.run("journalctl -k -b --no-pager -o cat").text
        self.test(log and not scenario.WARNING.search(log), "the kernel warned of nothing", log[-3000:])

    def restored(self, h):
        """The store is lost, and the parent key in the TPM with it; what was exported before brings both back."""
        files = f"{scenario.SEALED}; ! [ -e {CREDENTIAL} ] || sha256sum {CREDENTIAL}"
        exported, before = h.run("dmaccctl factory export").out, h.run(files).text
        h.run(f"tpm2_evictcontrol -Q -C o -c 0x8100dacc; rm -r {scenario.FACTORY} {CREDENTIAL}; sync")
        h.power_off()
        h.boot()
        result = h.run("dmaccctl factory restore", exported)
        self.test(result.status == 0 and before and h.run(files).text == before, "what was exported is restored, file by file",
                  result.text, result.errors, before)
        h.run("systemctl start dmaccd.service", timeout=300)
        owners.wait_accounts(h, {OPERATOR.name: "ready"})
        self.test(self.shown(h) == self.expected(), "and has the same credentials", self.explain(h))

    def run(self, boots):
        self.build()
        disk = self.folder / "device.disk"
        rootfs.run(["cp", "--reflink=auto", "--sparse=always", self.folder / "disk", disk])
        tpm = tpms.Tpm(self.folder / "tpm")
        with handsets.Handset(self.name, self.kernel, disk, owners.IMEI, processors=1, tpm=tpm) as h:
            before = self.factory(h)
            h.command_line = COMMAND_LINE
            self.series(h, boots, before["TPM2_PT_MAX_AUTH_FAIL"])
            self.verdict(h, before, boots)
            self.restored(h)


# How a key is injected, and the kernel that can do it
KINDS = {"trusted": ("--rung trusted", testkernel.HandsetKernel), "wrapped": ("--master tpm2", kernels.Kernel)}


def run_kind(name, folder, tap, boots, seed):
    inject, kernel = KINDS[name]
    try:
        Cuts(name, kernel(SERIES), folder, tap, inject, random.Random(f"{seed} {name}")).run(boots)
    except handsets.HandsetFailed as failure:
        tap.test(False, f"power cuts, {name}: every boot comes up and answers", failure)


def main():
    parser = argparse.ArgumentParser(description="power cuts in a row, with an unsealing in each boot")
    parser.add_argument("--boots", type=int, default=6, help="how many (%(default)s)")
    parser.add_argument("--seed", type=int, default=random.randrange(10 ** 6), help="of the random moments")
    parser.add_argument("kind", nargs="*", metavar="trusted|wrapped", help="which series (both)")
    args = parser.parse_args()
    if not set(args.kind) <= set(KINDS) or args.boots < 4:
        parser.error("kinds are trusted and wrapped, and boots are 4 or more")
    tap = Tap()
    print(f"# seed {args.seed}", flush=True)
    with product.workplace() as folder:
        runs = []
        with ThreadPoolExecutor(len(KINDS)) as pool:
            for name in args.kind or KINDS:
                (folder / name).mkdir()
                runs.append(pool.submit(run_kind, name, folder / name, tap, args.boots, args.seed))
        for run in runs:
            run.result()
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
