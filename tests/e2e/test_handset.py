#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The whole system in virtual handsets, on Debian's stock kernels: from an identifier in the firmware to accounts
that outlive power cuts and bad input, and that have the values which the independent implementation computes.

    test_handset.py [6.1|6.12|6.1-arm64|6.12-arm64]...
"""
import random
import re
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import modems
import owners
import reference
import scenario
from scenario import FACTORY, MAKER, OPERATOR, PROBE, READY, STORE, rootfs

import kernel as kernels

PASSWORD = "correct-horse-battery"
ORDINARY = "setpriv --reuid=nobody --regid=nogroup --clear-groups"
# The passwords need no key, so that an identifier is all that a device lacks
UNKEYED = """[Account]
Profile=fcs11384
[DMAcc]
Addr=https://dm.example.net/dm
ServerID=net.example.dm
"""
EXPOSURE = {"dmaccd.service": 1.5, "dmacc-unseal.service": 2.0}
CUTS = 2
BOMB = """<?xml version="1.0"?>
<!DOCTYPE wap-provisioningdoc [<!ENTITY a "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa">
""" + "".join(f'<!ENTITY {b} "{f"&{a};" * 20}">\n' for a, b in zip("abcdefgh", "bcdefghi")) + """]>
<wap-provisioningdoc version="1.1"><characteristic type="APPLICATION"><parm name="APPID" value="w7"/>
<parm name="NAME" value="&i;"/></characteristic></wap-provisioningdoc>
"""


def bad_templates():
    """Name of the template -> its file's name and content, and what the reason has to say."""
    conf, document = MAKER.template.read_text(), OPERATOR.template.read_text()
    server = f"ServerID={MAKER.server_id}"
    files = {
        "no-server-id.conf": (conf.replace(f"{server}\n", ""), "ServerID"),
        "no-addr.conf": (re.sub(r"Addr=.*\n", "", conf), "Addr"),
        "password.conf": (conf + f"ServerPW={PASSWORD}\n", "ServerPW"),
        "blank.conf": (conf.replace(server, f"{server} x"), "blank"),
        "no-break-space.conf": (conf.replace(server, f"{server}\u00a0x"), "blank"),
        "long.conf": (conf.replace(server, "ServerID=" + "x" * 256), "255"),
        "password-document.w7": (re.sub(r'(AAUTHSECRET" value=")', rf"\g<1>{PASSWORD}", document), "password"),
        "truncated.w7": (document[:len(document) // 2], "line [0-9]+"),
        "bomb.w7": (BOMB, "entity"),
    }
    return {Path(name).stem: (name, content, reason) for name, (content, reason) in files.items()}


def two_applications():
    """The operator's document, with another application before it."""
    other = '<characteristic type="APPLICATION"><parm name="APPID" value="w2"/></characteristic>'
    return OPERATOR.template.read_text().replace('<characteristic type="APPLICATION">',
                                                 other + '\n  <characteristic type="APPLICATION">', 1)


class WholeSystem(scenario.Scenario):
    """What is tested on one kernel."""

    # Boot by boot

    def loaded(self, h):
        # by udev, which may not be through yet
        h.run("udevadm settle")
        return h.run("grep -q ^dmacc /proc/modules").status == 0

    def untouched(self, h):
        if self.kernel.machine.device_tree:
            self.test(self.loaded(h), "the node in the device tree loads the module")
        else:
            self.test(not self.loaded(h), "without a template the module is not loaded")
        for unit in ("dmaccd.service", "dmacc-unseal.service"):
            state = h.run(f"systemctl is-active {unit}").text.strip()
            self.test(state == "inactive", f"without a template {unit} does not run", state)
        self.test(h.run(f"ls -A {STORE} {FACTORY} 2>/dev/null | grep -q '^[^/]'").status == 1,
                  "installing creates no account and no key")

    def factory(self, h):
        self.command(h, "dmaccctl factory inject --slot operator --key-id 0011223344556677 -", 2, "64|hex|digits",
                     "inject of a key of 31 bytes is refused", stdin="11" * 31)
        self.command(h, "dmaccctl factory inject --slot operator --key-id 0011223344556677 -", 2, "zero",
                     "inject of an all-zero key is refused", stdin="00" * 32)
        for owner in owners.OWNERS:
            result = owners.inject(h, self.keys, owner)
            self.test(result.status == 0, f"the factory injects a key for {owner.name}", result.errors)
        if not self.kernel.machine.device_tree:
            self.test(self.loaded(h), "the module was loaded by being asked for")
        for owner in owners.OWNERS:
            user_name = self.expected()[owner.name]["UserName"]
            self.command(h, "dmaccctl factory verify", 0, user_name, f"verify shows the UserName for {owner.name}")

    def provision(self, h):
        owners.put_templates(h)
        self.agree(h, "two templates become two accounts with the values that the servers compute", h.imei)
        self.command(h, "systemctl is-active dmaccd", 0, "^active", "dmaccd runs as its unit")
        self.command(h, "systemctl show dmacc-unseal -p Result -p ExecMainStatus -p ExecMainStartTimestampMonotonic", 0,
                     r"(?s)ExecMainStartTimestampMonotonic=[1-9]", "dmacc-unseal ran as its unit")
        self.command(h, "dmaccctl factory lock", 0, "locked", "the factory locks the device")
        self.command(h, "dmaccctl factory verify", 0, "ok", "what is stored verifies after the lock")

    def secrets_shown(self, h):
        secrets = self.passwords()
        shown = h.check("dmaccctl tree; dmaccctl tree --format json; dmaccctl tree --layout 1.1; "
                        "dmaccctl status --json")
        self.test(owners.hidden(shown, secrets) and "./SyncML/DMAcc/" in shown and "./DMAcc/" in shown,
                  "tree and status show no password unless asked for", shown)
        ordinary = h.run(f"{ORDINARY} dmaccctl tree --show-secrets")
        self.test(ordinary.status and owners.hidden(ordinary.text + ordinary.errors, secrets),
                  "an ordinary user is shown no password", ordinary.text, ordinary.errors)
        ordinary = h.run(f"{ORDINARY} dmaccctl status")
        self.test(ordinary.status == 0 and owners.IMEI[-4:] not in ordinary.text,
                  "an ordinary user sees the status, and no digit of the identifier", ordinary.text, ordinary.errors)

    def confined(self, h):
        pid = h.check("systemctl show -p MainPID --value dmaccd").strip()
        process = h.check(f"grep -E '^(Cap|NoNewPrivs|Seccomp:|Uid)' /proc/{pid}/status")
        capabilities = re.findall(r"^Cap\w+:\s*(\w+)$", process, re.MULTILINE)
        self.test(capabilities == ["0" * 16] * 5, "dmaccd has no capability", process)
        self.test(re.search(r"NoNewPrivs:\s*1", process) and re.search(r"Seccomp:\s*2", process),
                  "dmaccd cannot gain privileges and is under seccomp", process)
        self.test(f"\t{h.check('id -u dmacc').strip()}\t" in process, "dmaccd runs as the user dmacc", process)
        self.test(h.check(f"readlink /proc/{pid}/ns/net") != h.check("readlink /proc/1/ns/net"),
                  "dmaccd has a network of its own")
        for unit, bound in EXPOSURE.items():
            shown = h.run(f"systemd-analyze security --no-pager {unit}").text
            found = re.search(r"exposure level for \S+: ([0-9.]+)", shown)
            print(f"# exposure of {unit}: {found and found[1]}")
            self.test(found and float(found[1]) <= bound, f"the exposure of {unit} is at most {bound}")

    def small(self, h):
        """tests/bench/footprint.py has the same beside other services."""
        pss, dirty = owners.memory(h, "dmaccd")
        print(f"# dmaccd: PSS {pss} KiB, private dirty {dirty} KiB")
        self.test(dirty < 1024 and pss < 5 * 1024, "dmaccd has less than 1 MiB for itself, and shares of less than 5",
                  pss, dirty)

    def derive_refused(self, h):
        derive = f"derive slot-name=operator server-kind=1 server={OPERATOR.server_id}"
        self.command(h, f"{PROBE} --uid 12345 {derive}", 1, "error 1: this is for the agent",
                     "DERIVE is refused to an ordinary user")
        self.command(h, f"{PROBE} --userns {derive}", 1, "error 1: this is for the agent",
                     "DERIVE is refused to a container with CAP_NET_ADMIN")
        self.command(h, f"{PROBE} {derive}", 0, f"user-name={self.expected()[OPERATOR.name]['UserName']}",
                     "the same DERIVE is answered to root")

    def restart(self, h):
        before = self.store_state(h)
        h.check("systemctl restart dmaccd")
        self.agree(h, "a restart changes no account")
        after = self.store_state(h)
        self.test(before == after, "a restart writes nothing", before, after)

    def bad_input(self, h):
        since = self.cursor(h)
        for name, content, _ in bad_templates().values():
            owners.put_template(h, name, content)
        wanted = set(bad_templates())
        owners.wait_until(lambda: wanted <= set(owners.refused(h)))
        found = owners.refused(h)
        for name, (file, _, pattern) in bad_templates().items():
            self.test(re.search(pattern, found.get(name, "")), f"{file} is refused, and the status says why",
                      found.get(name))
        shown = h.check("dmaccctl status; dmaccctl status --json; journalctl -o cat --no-pager")
        self.test(PASSWORD not in shown, "a password in a template is not quoted")
        self.says(h, since, "truncated", "the journal names the refused template")
        self.agree(h, "other accounts are untouched by bad templates")
        h.check(f"cd {owners.TEMPLATES} && rm " + " ".join(name for name, _, _ in bad_templates().values()))
        self.test(owners.wait_until(lambda: not owners.refused(h)), "a refused template that was removed is forgotten")

    def other_application(self, h):
        since = self.cursor(h)
        owners.put_template(h, OPERATOR.template.name, two_applications())
        owners.wait_until(lambda: "not w7" in h.run(f"journalctl -u dmaccd --after-cursor='{since}'").text)
        self.says(h, since, "not w7", "an APPLICATION that is not w7 is ignored, and the journal says so")
        self.agree(h, "the w7 APPLICATION beside it makes the account")

    def damage(self, h):
        a, b = (f"{STORE}/accounts/{owner.name}" for owner in owners.OWNERS)
        flip = "s=$(dd if={0} bs=1 skip={1} count=1 2>/dev/null | od -An -tu1); " \
               "printf \"\\\\$(printf %o $((s ^ 1)))\" | dd of={0} bs=1 seek={1} conv=notrunc 2>/dev/null"
        cases = {
            "cut": (f"truncate -s 150 {a}", "truncated"),
            "empty": (f"truncate -s 0 {a}", "truncated"),
            "changed in one bit": (flip.format(a, 130), "tampered with"),
            "changed in one bit of its header": (flip.format(a, 40), "operator"),
            "another account's": (f"mv {a} {STORE}/x; mv {b} {a}; mv {STORE}/x {b}", "another account's"),
            "removed": (f"rm {a}", "missing"),
        }
        for what, (command, word) in cases.items():
            since = self.cursor(h)
            h.check(f"systemctl stop dmaccd; {command}; systemctl reset-failed dmaccd; systemctl start dmaccd")
            self.agree(h, f"a store file that is {what} loses nothing")
            self.says(h, since, f"operator: .*{word}" if word != "operator" else "operator: ",
                      f"a store file that is {what} is named")

    def other_device(self, h, blob):
        since = self.cursor(h)
        h.check(f"cat > {FACTORY}/slots/alien", blob)
        h.run("systemctl restart dmacc-unseal")
        self.says(h, since, "alien", "the sealed key of another device is refused and named")
        slots = [slot["name"] for slot in owners.status(h)["module"]["slots"]]
        self.test(sorted(slots) == sorted(READY), "the slots of this device are loaded", slots)
        self.agree(h, "accounts are untouched by the sealed key of another device")
        h.check(f"rm {FACTORY}/slots/alien && sync")

    def first_boot(self, h, blob):
        self.untouched(h)
        self.factory(h)
        self.provision(h)
        self.secrets_shown(h)
        self.confined(h)
        self.small(h)
        self.derive_refused(h)
        self.restart(h)
        self.bad_input(h)
        self.other_application(h)
        self.damage(h)
        self.other_device(h, blob.result())

    def power_cut(self, h):
        """Without a flush: what was acknowledged has to be there."""
        before = self.values(h)
        h.power_cut()
        h.boot()
        self.agree(h, "the accounts are there, unchanged, after a power cut")
        self.test(self.values(h) == before, "they are the ones of before")
        self.test(owners.status(h)["module"]["locked"] is True, "the device is still locked")
        result = owners.inject(h, self.keys, OPERATOR)
        self.test(result.status and "locked" in result.errors, "a locked device takes no key", result.errors)
        self.test(h.run("rmmod dmacc").status, "a locked module cannot be unloaded")

    def no_store_key(self, h):
        before = self.store_state(h)
        h.check("systemctl mask dmacc-unseal && sync")
        h.power_cut()
        h.boot()
        state = owners.wait_until(lambda: owners.status(h)["agent"].get("state"))
        self.test(state in ("no-root", "no-store-key"), "without an open root the agent says what is missing", state)
        self.test(owners.status(h)["agent"].get("reason"), "and says it in a sentence")
        shown = h.run("dmaccctl tree --show-secrets")
        self.test(not any(value in shown.text for account in self.expected().values() for value in account.values()),
                  "without the store key no secret is served", shown.text)
        self.test(self.store_state(h) == before, "without the store key nothing is overwritten")
        h.check("systemctl unmask dmacc-unseal && systemctl start dmacc-unseal")
        self.agree(h, "the agent recovers by itself once dmacc-unseal ran")

    def cut_while_writing(self, h):
        """The template changes as fast as the agent follows; then the power goes."""
        template = f"{owners.TEMPLATES}/{MAKER.template.name}"
        churn = (f"n=$(sed -n 's/^Generation=//p' {template}); while :; do n=$((n + 1)); "
                 f"(sed /^Generation=/d {template} | sed \"s/^.Account.$/&\\\\nGeneration=$n/\")"
                 f" > {owners.TEMPLATES}/.new; "
                 f"mv {owners.TEMPLATES}/.new {template}; systemctl reload dmaccd; sleep 0.0$((n % 7)); done")
        account = f"stat -c %i.%Y {STORE}/accounts/{MAKER.name}"
        for _ in range(CUTS):
            h.check("cat > /run/churn", churn)
            before = h.check(account)
            h.check("systemctl stop dmacc-templates.path; systemd-run -q sh /run/churn")
            self.test(owners.wait_until(lambda: h.check(account) != before), "the agent follows the template")
            time.sleep(random.uniform(2, 6))
            h.power_cut()
            h.boot()
            found = h.check(f"sed -n 's/^Generation=//p' {template}").strip()
            self.test(found, "the template was changed before the power cut")
            self.agree(h, "after a power cut in the middle of writing every account is whole",
                       generations=(0, int(found or 0)))

    def no_secret_leaks(self, h):
        """In what a curious user of the device, or a bug report, would have."""
        found = {
            "the journal": h.run("journalctl -a -o export --no-pager").out,
            "dmesg": h.run("dmesg").out,
            "environments and command lines": h.run("cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline").out,
            "files that everybody can read": h.run("find / /run /tmp /dev/shm -xdev -type f -perm -004 "
                                                   "-newer /etc/machine-id -exec cat {} + 2>/dev/null").out,
        }
        master = h.run("systemd-creds decrypt --name=dmacc.master /etc/credstore.encrypted/dmacc.master -").out
        store_key = bytes.fromhex(re.search(r"store-key=(\w+)", h.run(f"{PROBE} store-key").text)[1])
        self.test(len(master) == 32 and len(store_key) == 32, "the test knows the master and the store key")
        raw = [master, store_key, *self.keys.values(),
               *(owners.device_key(self.keys, owner, owners.IMEI) for owner in owners.OWNERS)]
        secrets = {secret for key in raw for secret in (key, key.hex().encode(), key.hex().upper().encode())}
        secrets |= {value.encode() for value in self.passwords()}
        for where, content in found.items():
            self.test(len(content) > 1000 and not any(secret in content for secret in secrets),
                      f"no secret is in {where}", f"{len(content)} bytes", *(s[:6] for s in secrets if s in content))
        self.test(b"_AUDIT_TYPE=1316" in found["the journal"], "what the module audits is in what was searched")

    def main_handset(self, blob):
        with self.handset("a", owners.IMEI) as h:
            h.boot()
            self.first_boot(h, blob)
            self.power_cut(h)
            self.no_store_key(h)
            self.cut_while_writing(h)
            self.kernel_quiet(h)
            self.no_secret_leaks(h)
            h.power_off()

    def second_handset(self, blob):
        """Another device with the same server owners; gives away its sealed key."""
        with self.handset("b", owners.OTHER_IMEI) as h:
            h.boot()
            for owner in owners.OWNERS:
                owners.inject(h, self.keys, owner)
            blob.set_result(h.run(f"cat {FACTORY}/slots/{OPERATOR.name}").out)
            owners.put_templates(h)
            self.agree(h, "a second device agrees with its servers, too", owners.OTHER_IMEI)
            mine, theirs = self.expected(), self.values(h)
            self.test(all(mine[a][name] != theirs[a][name] for a in mine for name in mine[a]),
                      "two devices differ in every computed value")

    def third_handset(self):
        """One whose hardware gives no identifier; its modem does."""
        modems.add(self.tree, self.kernel)
        rootfs.install(self.kernel, self.tree, self.folder / "disk-with-modem", (modems.PACKAGE,))
        with self.handset("c", None, "disk-with-modem") as h:
            h.boot()
            self.test(not self.loaded(h), "where nothing names the device the module is not loaded")
            owners.put_templates(h)
            state = owners.wait_until(lambda: owners.status(h)["agent"].get("state") == "no-identity")
            self.test(state, "a device without an identifier says so", h.run("dmaccctl status").text)
            self.test(self.loaded(h), "the module was loaded by being asked for, for no node does it")
            self.command(h, "dmaccctl status", 0, "no valid identifier", "and why it has no account")
            self.test("ready" not in owners.accounts(h).values(), "it has no account", owners.accounts(h))
            h.imei = owners.IMEI
            result = owners.inject(h, self.keys, OPERATOR)
            self.test(result.status and "identity" in result.errors, "and takes no key", result.errors)
            self.modem_at_the_factory(h)
            self.unsealed_again(h)
            self.modem_alone(h)
            self.modem_changed(h)
            self.disabled(h)
            self.kernel_quiet(h)

    def unsealed_again(self, h):
        """Nothing is missing, so that no timer has the agent look: it sees what dmacc-unseal has left."""
        def reason():
            return {account["name"]: account["reason"] for account in owners.status(h)["agent"]["accounts"]}[MAKER.name]

        slot = f"{FACTORY}/slots/{MAKER.name}"
        h.check(f"{PROBE} forget-key slot-name={MAKER.name} && mv {slot} {FACTORY}/aside && systemctl start dmacc-unseal")
        self.test(owners.wait_until(reason, 60), "an agent that runs sees that dmacc-unseal found a key less")
        h.check(f"mv {FACTORY}/aside {slot} && systemctl start dmacc-unseal")
        self.test(owners.wait_until(lambda: not reason(), 60), "and that it is back", reason())

    # Whose identifier only the modem knows

    def status_says(self, h, pattern, name):
        """dmaccctl status comes to say so, which may take a modem its time."""
        owners.wait_until(lambda: re.search(pattern, h.run("dmaccctl status").text))
        shown = h.run("dmaccctl status; journalctl -u modems -u 'modem-*' -n 10 --no-pager").text
        self.test(re.search(pattern, shown), name, shown)

    def modem_at_the_factory(self, h):
        modems.start(h)
        self.command(h, "dmaccctl factory identity --modem --wait 0", 2, "ModemManager has no modem",
                     "without a modem the factory is told that there is none")
        modems.plug(h, 0, owners.IMEI)
        self.command(h, "dmaccctl factory identity --modem --wait 200", 0, "identity set until reboot",
                     "the factory takes the identifier that ModemManager reports")
        for owner in owners.OWNERS:
            result = owners.inject(h, self.keys, owner)
            self.test(result.status == 0, f"then a key for {owner.name} is injected", result.errors)
        h.check("systemctl reload-or-restart dmaccd")
        self.agree(h, "accounts of a device that its modem names have the values that the servers compute")

    def modem_alone(self, h):
        """As after a boot of a device that has a root and no sealed key, which would name it."""
        modems.stop(h)
        h.check(f"systemctl stop dmaccd dmacc-unseal; rmmod dmacc; rm -r {FACTORY}/slots/* {STORE}/accounts/*; "
                f"rm {owners.TEMPLATES}/*")
        owners.put_template(h, "unkeyed.conf", UNKEYED)
        h.check("systemctl start dmaccd")
        self.status_says(h, r"agent +no-identity\n +modem-awaited: .*ModemManager does not run",
                         "the agent waits for the modem, and says so")
        modems.start(h)
        self.status_says(h, r"ModemManager has no modem; way out: .*'mmcli -L'", "it says that ModemManager has none yet")
        self.test(owners.accounts(h) == {"unkeyed": "no-secrets"}, "meanwhile there is no secret", owners.accounts(h))
        modems.plug(h, 1, owners.IMEI)
        self.status_says(h, rf"identity +set, ends in {owners.IMEI[-4:]}\n(.*\n)*agent +ready\naccount +unkeyed: ready",
                         "a modem that comes late is the device's identifier, and the account is made")
        wanted = reference.fcs11384(owners.IMEI, b"net.example.dm", "fcs11384")
        found = owners.phone_values(h, "unkeyed")
        self.test(found["ClientPW"] == wanted.client_pw and found["ServerPW"] == wanted.server_pw,
                  "with the passwords that its server computes", found)

    def modem_changed(self, h):
        before = self.store_state(h), owners.phone_values(h, "unkeyed")
        modems.stop(h)
        h.check("systemctl reload dmaccd")
        self.status_says(h, r"agent +ready\naccount +unkeyed: ready", "a modem that vanishes changes nothing")
        modems.start(h)
        modems.plug(h, 2, owners.OTHER_IMEI)
        self.status_says(h, r"agent +ready\n +other-modem: ", "another modem afterwards is told")
        self.test((self.store_state(h), owners.phone_values(h, "unkeyed")) == before, "and the account stays as it was")
        modems.stop(h)

    def disabled(self, h):
        before = self.store_state(h)
        self.command(h, "dmaccctl disable unkeyed", 0, "'dmaccctl enable unkeyed' is the way back", "an account can be disabled")
        shown = h.run("dmaccctl tree --show-secrets unkeyed")
        self.test(owners.accounts(h) == {"unkeyed": "disabled"} and shown.status, "it is not served then", shown.text)
        self.command(h, "dmaccctl enable unkeyed", 0, "is enabled", "and enabled")
        self.test(owners.wait_accounts(h, {"unkeyed": "ready"}), "it is served again", owners.accounts(h))
        self.command(h, "dmaccctl disable", 0, "the agent is disabled", "the agent can be disabled")
        h.run("systemctl start dmaccd dmacc-unseal")
        state = h.run("systemctl is-active dmaccd; busctl call org.dmacc1 /org/dmacc1 org.freedesktop.DBus.Peer Ping").text
        self.test(state.startswith("inactive"), "neither systemd nor the bus starts it then", state)
        self.command(h, "dmaccctl status", 0, "the agent is disabled on this device", "the status says so")
        self.command(h, "dmaccctl enable", 0, "the agent is enabled", "the agent can be enabled")
        self.test(owners.wait_accounts(h, {"unkeyed": "ready"}), "and serves the account", h.run("dmaccctl status").text)
        self.test(self.store_state(h) == before, "nothing that is stored was touched by it")

    def run(self):
        self.build()
        blob = Promise()
        with ThreadPoolExecutor(1) as pool:
            others = pool.submit(lambda: (self.second_handset(blob), self.third_handset()))
            others.add_done_callback(lambda _: blob.set_result(b""))
            self.main_handset(blob)
            others.result()


class Promise:
    """What another thread will know."""

    def __init__(self):
        self._event, self._value = threading.Event(), None

    def set_result(self, value):
        if not self._event.is_set():
            self._value = value
            self._event.set()

    def result(self):
        self._event.wait()
        return self._value


if __name__ == "__main__":
    sys.exit(scenario.main(WholeSystem, sys.argv[1:] or kernels.SERIES))
