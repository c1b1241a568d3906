#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is sealed, in virtual handsets on Debian's stock kernels: it is found nowhere that it should not be, and no
kill, sleep, damage or other chip makes a device another one. uapi/threat-model.md names the methods here.

    test_sealing.py [6.1|6.12]...
"""
import json
import os
import random
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import owners
import reference
import scenario
import sealed
from scenario import FACTORY, MAKER, OPERATOR, READY, STORE

import handset as handsets
import tpm

MEMGREP = "/usr/local/libexec/memgrep"
KEEP_CORE = "/usr/local/libexec/keep-core"
CORES = "/var/tmp/cores"
CREDENTIAL = "/etc/credstore.encrypted/dmacc.master"
MARKER = b"what-was-in-memory-" + os.urandom(8).hex().encode()
KILLS = 8
# Seconds after which the TPM forgets one of the failures that it counted
FORGIVES = 60
# Content of all that is kept, master included
STATE = f"find {FACTORY} {STORE} {Path(CREDENTIAL).parent} -type f -exec sha256sum {{}} + | sort"
BEGIN_AGAIN = ("systemctl stop dmaccd dmacc-unseal; systemctl reset-failed 'dmacc*'; "
               "! grep -q ^dmacc /proc/modules || rmmod dmacc")


def forms(name, secret):
    """A secret as somebody might find it: name -> bytes. Its second half, because a freed piece of memory begins
    with what the allocator wrote there."""
    if isinstance(secret, str):
        return {f"{name}, password": secret.encode(), f"{name}, half of it": secret[16:].encode()}
    return {name: secret, f"{name}, half of it": secret[16:], f"{name}, hexadecimal": secret.hex().encode(),
            f"{name}, HEXADECIMAL": secret.hex().upper().encode()}


def found_in(content, secrets):
    """The names of those that are there."""
    return [name for name, secret in secrets.items() if content.find(secret) >= 0]


def parts(path, size=64 << 20, overlap=4096):
    """The content of a large file with holes, in parts that overlap."""
    with open(path, "rb") as file:
        end = os.fstat(file.fileno()).st_size
        at = 0
        while at < end:
            try:
                at = os.lseek(file.fileno(), at, os.SEEK_DATA)
            except OSError:
                return
            hole = min(os.lseek(file.fileno(), at, os.SEEK_HOLE), at + size)
            yield os.pread(file.fileno(), hole - at + overlap, at)
            at = hole


def found_in_file(path, secrets):
    return sorted({name for part in parts(path) for name in found_in(part, secrets)})


def surroundings(path, secrets, names, size=192):
    """What is beside those that were found, without them: it tells whose memory that is."""
    lines = []
    for part in parts(path) if names else ():
        for name in names:
            at = part.find(secrets[name])
            if at < 0:
                continue
            around = part[max(at - size, 0):at + len(secrets[name]) + size]
            for secret in secrets.values():
                around = around.replace(secret, b"<secret>")
            lines.append(f"{name}: {around!r}")
    return lines


class Phone(scenario.Scenario):
    """One device, the keys that the test knows of it, and what it says of itself."""

    programs = ("nlprobe", "memgrep")

    def add(self, tree):
        handsets.add_file(tree / KEEP_CORE[1:], f"#!/bin/sh\ncat > {CORES}/piped.$1\n", 0o755)

    def learn(self, h):
        """The keys of a device, by name: what the factory gave it, and what root can compute of the rest."""
        self.master = h.run(f"systemd-creds decrypt --name=dmacc.master {CREDENTIAL} -").out
        self.root = sealed.open_root(h.run(f"cat {FACTORY}/root").out, self.master)
        keys = {"R": self.root, "the master": self.master, "the store key": sealed.store_key(self.root),
                "the key of blobs": sealed.blob_key(self.root)}
        for owner in owners.OWNERS:
            keys[f"Kv of {owner.name}"] = self.keys[owner]
            keys[f"Kd of {owner.name}"] = owners.device_key(self.keys, owner, h.imei)
        passwords = {f"{name} of {account}": value for account, values in self.expected(h.imei).items()
                     for name, value in values.items() if name != "UserName"}
        self.key_forms = {f: s for name, key in keys.items() for f, s in forms(name, key).items()}
        self.password_forms = {f: s for name, text in passwords.items() for f, s in forms(name, text).items()}
        self.secrets = self.key_forms | self.password_forms
        blob = h.run(f"cat {FACTORY}/slots/{OPERATOR.name}").out
        self.test(sealed.Slot.open(blob, self.root).key == keys[f"Kd of {OPERATOR.name}"],
                  "the test knows R: it opens a sealed key by it")

    def state(self, h):
        return h.check(STATE)

    def agent(self, h):
        return h.check("systemctl show -p MainPID --value dmaccd").strip()

    def begin_again(self, h):
        """As after boot: no module, no key."""
        h.check(BEGIN_AGAIN)

    def refused(self, h, name, subject, word, sentence, prepare="true", stdin=b""):
        """Unseals, and is told what is wrong; nothing that is stored changes by it. Returns the slots that are loaded."""
        script = f"""{prepare}
            before=$({STATE})
            systemctl start dmacc-unseal
            for n in 1 2 3 4 5 6 7 8 9; do
                dmaccctl doctor --json >/run/doctor
                ! grep -q not-unsealed /run/doctor || {{ sleep 1; continue; }}
                break
            done
            [ "$before" = "$({STATE})" ]; echo $?
            dmaccctl status --json | tr -d '\\n'; echo
            cat /run/doctor"""
        kept, status, found = h.run(script, stdin).out.split(b"\n", 2)
        troubles = {trouble["subject"]: trouble for trouble in json.loads(found)["troubles"]}
        trouble = troubles.get(subject, {"state": "", "detail": ""})
        self.test(trouble["state"] == word, f"{name}: {word}", troubles)
        self.test(re.search(sentence, trouble["detail"]), f"{name}: it is said what was refused", sentence, troubles)
        self.test(kept == b"0", f"{name}: nothing that is stored has changed")
        return [slot["name"] for slot in json.loads(status)["module"].get("slots", ())]

    def put_back(self, h, before, name):
        self.begin_again(h)
        h.check("systemctl start dmaccd")
        self.agree(h, f"{name}: the right one put back: the same credentials")
        self.test(self.state(h) == before, f"{name}: the right one put back: nothing was written")


class HostKeyPhone(Phone):
    """Its master is encrypted with a key on its disk; it is searched, killed and put to sleep."""

    def in_memory(self, h, secrets):
        """What memgrep finds in every process but the test's own; the names of the secrets, with the processes'."""
        names = list(secrets)
        # without a fork for each; a thread of the kernel has no command line
        result = h.run("cd /proc; for p in [0-9]*; do read -r line <$p/cmdline; read -r comm <$p/comm; "
                       "[ -z \"$line\" ] || case $comm in handset-channel|sh|timeout) ;; *) pids=\"$pids $p\";; esac; "
                       f"done 2>/dev/null; echo searched:$pids; {MEMGREP} $pids",
                       "".join(f"{secrets[name].hex()}\n" for name in names))
        found = [f"{pid}: {names[int(number) - 1]}" for pid, number in
                 re.findall(r"^(\d+): secret number (\d+) at", result.text, re.MULTILINE)]
        return result, found

    def memory(self, h, when):
        """No process of the device has any of them, whoever it is."""
        pid = self.agent(h)
        result, found = self.in_memory(h, self.secrets)
        if result.status == 2:  # a process has ended before it was its turn
            result, found = self.in_memory(h, self.secrets)
        self.test(result.status == 0 and re.search(rf"searched:.* {pid}\b", result.text) and not found,
                  f"no process has a secret in its memory {when}", result.errors, *found)

    def memory_search_works(self, h):
        users = {"UserName": self.expected(h.imei)[OPERATOR.name]["UserName"].encode()}
        _, found = self.in_memory(h, users)
        self.test(found, "the search of memories finds a UserName, which is no secret")

    def capture(self, h, inside, command, stdin=b""):
        """What a root user with nlmon sees while a command runs. `inside`: what enters the network namespace."""
        script = f"""set -e
            trap '{inside} ip link del watch' EXIT
            {inside} ip link add watch type nlmon
            {inside} ip link set watch up
            {inside} tcpdump -Z root -i watch -s 0 -U -w /run/capture 2>/run/tcpdump &
            until grep -q listening /run/tcpdump; do sleep 0.2; done
            {{ {command}; }} >/dev/null
            sleep 1
            kill $!; wait $! || :
            cat /run/capture; rm /run/capture /run/tcpdump"""
        result = h.run(script, stdin)
        self.test(result.status == 0 and len(result.out) > 100, f"netlink is watched while this runs: {command}",
                  len(result.out), result.errors)
        return result.out

    def network(self, h):
        inside = f"nsenter -t {self.agent(h)} -n"
        quiet = self.capture(h, inside, f"dmaccctl status; dmaccctl tree; {inside} {scenario.PROBE} get-status")
        found = found_in(quiet, self.secrets)
        self.test(not found, "no secret is in the agent's network namespace while clients ask for status and a tree", *found)
        found = found_in(self.capture(h, inside, "dmaccctl tree --show-secrets"), self.secrets)
        self.test(found == ["the store key", "the store key, half of it"],
                  "the store key, and nothing else, is in it while root is shown passwords", *found)

    def other_network(self, h):
        """The host's, which every daemon with CAP_NET_ADMIN may watch."""
        kd = owners.device_key(self.keys, OPERATOR, h.imei)
        again = f"--slot {OPERATOR.name} --key-id {reference.key_id(self.keys[OPERATOR], 1)} -"
        for command in ("systemctl restart dmacc-unseal dmaccd; dmaccctl tree --show-secrets",
                        f"dmaccctl factory inject {again}; dmaccctl factory verify"):
            # and a question that is there to be seen
            asked = f"{command}; {scenario.PROBE} get-status"
            found = found_in(self.capture(h, "", asked, f"{kd.hex()}\n"), self.secrets)
            self.test(not found, f"no secret is in the host's network namespace while this runs: {command}", *found)

    def strangers(self, h):
        """Who may not, and, to see that it is not the question that is wrong, who may."""
        derive = f"derive slot-name={OPERATOR.name} server-kind=1 server={OPERATOR.server_id}"
        agent = h.check("id -u dmacc").strip()
        daemon = "setpriv --reuid=daemon --regid=daemon --clear-groups --inh-caps=+net_admin --ambient-caps=+net_admin"
        self.command(h, f"{scenario.PROBE} --uid {agent} {derive}", 0, "server-pw=", "the agent is answered")
        for what in (derive, "store-key", "get-identity"):
            self.command(h, f"{daemon} {scenario.PROBE} {what}", 1, "error 1: this is for the agent",
                         f"a daemon with CAP_NET_ADMIN is refused: {what.split()[0]}")
        for what in ("load-key slot-blob=@/run/blob", f"forget-key slot-name={OPERATOR.name}", "lock",
                     f"open-root root-blob=@/run/root agent-uid={agent}"):
            self.command(h, f"cp {FACTORY}/root {FACTORY}/slots/{OPERATOR.name} /run; "
                         f"mv /run/{OPERATOR.name} /run/blob; chmod 644 /run/blob /run/root; "
                         f"{scenario.PROBE} --uid {agent} {what}", 1, "error 1: this needs CAP_SYS_ADMIN",
                         f"the agent is refused: {what.split()[0]}")
        inside = f"nsenter -t {self.agent(h)} -m setpriv --reuid=dmacc --regid=dmacc --clear-groups"
        for path in (FACTORY, "/etc/credstore.encrypted"):
            self.command(h, f"{inside} ls {path}", 2, "ermission denied", f"the agent cannot look into {path}")

    def shown(self, h):
        """What root or a bug report sees."""
        found = {"/proc/keys": h.run("cat /proc/keys /proc/key-users").out,
                 "the journal": h.run("journalctl -a -o export --no-pager").out,
                 "the kernel's log": h.run("dmesg").out,
                 "what was audited": h.run("journalctl -a -o export --no-pager _TRANSPORT=audit").out}
        for where, content in found.items():
            self.test(len(content) > 50 and not found_in(content, self.secrets), f"no secret is in {where}",
                      f"{len(content)} bytes", *found_in(content, self.secrets))
        self.test(b"dmacc op=store-key" in found["what was audited"], "what the module does is audited")

    def core_of(self, h, command):
        """The cores that are there after a command, which have not been before."""
        h.check(f"rm -rf {CORES}; mkdir -m 1777 {CORES}")
        h.run(f"ulimit -c unlimited; {command}; sleep 1")
        return h.check(f"ls {CORES}").split()

    def cores(self, h):
        """Whatever the pattern says, and whatever the limit."""
        for what, pattern in (("a file", f"{CORES}/core.%p"), ("a program", f"|{KEEP_CORE} %p")):
            h.check("cat > /proc/sys/kernel/core_pattern", pattern)
            self.test(self.core_of(h, "sleep 60 & kill -ABRT $!; wait"), f"with {what} for cores others leave one")
            pid = self.agent(h)
            h.check(f"grep -q dmaccd /proc/{pid}/comm; prlimit --core=unlimited --pid {pid}")
            cores = self.core_of(h, f"kill -ABRT {pid}")
            self.test(not cores, f"with {what} for cores a killed dmaccd leaves none", *cores)
            owners.wait_until(lambda: h.run("systemctl is-active -q dmaccd").status == 0)

    def disk(self, h):
        """From outside, of a device that is off."""
        found = found_in_file(h.disk, self.secrets)
        control = found_in_file(h.disk, {"the agent": b"org.dmacc1"})
        self.test(control and not found, "no secret is on the disk", *found)

    def killed(self, h):
        """Agent and dmacc-unseal, with SIGKILL or SIGABRT at random moments of their start."""
        before = self.state(h)
        h.check(f"echo '{CORES}/core.%p' > /proc/sys/kernel/core_pattern; rm -rf {CORES}; mkdir -m 1777 {CORES}")
        waits = [round(random.uniform(0, 0.5) + 0.5 * n, 2) for n in range(KILLS)]
        signals = [random.choice(("KILL", "ABRT")) for _ in range(KILLS)]
        script = "for run in " + " ".join(f"{wait}:{signal}" for wait, signal in zip(waits, signals)) + """; do
            systemctl stop dmaccd dmacc-unseal; systemctl reset-failed dmaccd dmacc-unseal; rmmod dmacc
            systemctl start --no-block dmaccd
            sleep ${run%:*}
            for unit in dmacc-unseal dmaccd; do
                systemctl kill --signal=${run#*:} $unit 2>/dev/null && echo killed $unit
            done
        done"""
        out = h.check(script)
        for unit in ("dmacc-unseal", "dmaccd"):
            self.test(f"killed {unit}" in out, f"{unit} was killed while it started", waits, out)
        h.check("systemctl stop dmaccd; systemctl reset-failed dmaccd dmacc-unseal; systemctl start dmaccd")
        self.agree(h, "agent and dmacc-unseal killed at random moments: the same credentials")
        self.test(self.state(h) == before, "agent and dmacc-unseal killed at random moments: nothing was written")
        cores = h.check(f"ls {CORES}")
        self.test(not cores, "agent and dmacc-unseal killed at random moments: no core", cores)

    def reloaded(self, h):
        before = self.state(h)
        h.check("systemctl stop dmaccd && rmmod dmacc && systemctl start dmaccd")
        self.agree(h, "the module unloaded and loaded: the same credentials")
        self.test(self.state(h) == before, "the module unloaded and loaded: nothing was written")

    def handed_over(self, h):
        """By systemd, as an administrator may want it, from where nobody else would look."""
        before, drop_in = self.state(h), "/run/systemd/system/dmacc-unseal.service.d/master.conf"
        self.begin_again(h)
        h.check(f"mv {CREDENTIAL} /run/elsewhere; mkdir {Path(drop_in).parent}; cat > {drop_in}; systemctl daemon-reload; "
                "systemctl start dmaccd", "[Service]\nLoadCredentialEncrypted=dmacc.master:/run/elsewhere\n")
        self.agree(h, "systemd hands the master over: the same credentials")
        h.check(f"mv /run/elsewhere {CREDENTIAL}; rm -r {Path(drop_in).parent}; systemctl daemon-reload")
        self.put_back(h, before, "what systemd handed over")

    def suspended(self, h):
        # an alarm that comes before the device sleeps wakes nobody
        h.check("echo +20 > /sys/class/rtc/rtc0/wakealarm; systemctl start suspend.target")
        self.test("suspend entry (deep)" in h.run("dmesg").text and "PM: suspend exit" in h.run("dmesg").text,
                  "the device was suspended to RAM", h.run("dmesg").text[-2000:])
        self.test(owners.status(h)["module"]["root_state"] == "open", "the root is open after suspend to RAM",
                  owners.status(h)["module"])
        self.agree(h, "suspend to RAM: the same credentials")

    def whole_memory(self, h):
        """From outside, that of the kernel and what is free in it, too. The master alone may be there: systemd-creds
        ends without wiping what it wrote it from."""
        ours = {name: secret for name, secret in self.key_forms.items() if not name.startswith("the master")}
        user = {"UserName": self.expected(h.imei)[OPERATOR.name]["UserName"].encode()}
        self.test(found_in_file(h.memory, user), "the device's whole memory can be searched")
        for _ in range(5):
            h.check("systemctl restart dmacc-unseal dmaccd; dmaccctl tree --show-secrets >/dev/null; sleep 1")
            found = found_in_file(h.memory, ours)
            if found:
                break
        self.test(not found, "no key is anywhere in the device's memory", *found, *surroundings(h.memory, ours, found))

    def hibernated(self, h):
        """Memory goes to the second disk, unpressed; then it is searched from outside.

        It was started anew: the channel's driver keeps what it carried, and by it came the keys that the test put in and
        had searched for.
        """
        h.power_off()
        h.boot()
        self.agree(h, "started anew: the same credentials")
        h.check("for n in 1 2 3; do systemctl restart dmacc-unseal dmaccd; dmaccctl tree --show-secrets >/dev/null; done")
        self.agree(h, "unsealed again and again: the same credentials")
        self.whole_memory(h)
        before = self.state(h)
        h.check("cat > /run/marker", MARKER)
        since = self.cursor(h)
        h.hibernate()
        user = self.expected(h.imei)[OPERATOR.name]["UserName"].encode()
        control = found_in_file(h.swap, {"marker": MARKER, "UserName": user})
        found = found_in_file(h.swap, self.key_forms)
        self.test(control == ["UserName", "marker"], "the image of memory holds what was in memory", control)
        self.test(not found, "no key is in the image of memory", *found, *surroundings(h.swap, self.key_forms, found))
        h.resume()
        self.test(h.run("cat /run/marker").out == MARKER, "the device goes on where it was")
        self.agree(h, "hibernation: dmacc-unseal runs again by itself, and the credentials are the same")
        self.says(h, since, "the root is open", "hibernation: the keys had to be handed over again")
        self.test(self.state(h) == before, "hibernation: nothing was written")
        h.check("swapoff /dev/vdb")

    def other_host_key(self, h):
        """The credential of another host: it is there, and does not decrypt."""
        before, key = self.state(h), "/var/lib/systemd/credential.secret"
        self.refused(h, "the master of another host key", "root", "master-unreadable", "decrypt",
                     f"{BEGIN_AGAIN}; mv {key} {key}.mine && systemd-creds setup")
        h.check(f"mv -f {key}.mine {key}")
        self.put_back(h, before, "the host key")

    def go(self):
        with self.handset("a", owners.IMEI, swap=self.folder / "swap", memory=self.folder / "memory",
                          command_line="hibernate=nocompress") as h:
            h.boot()
            for owner in owners.OWNERS:
                owners.inject(h, self.keys, owner)
            owners.put_templates(h)
            self.test(owners.wait_accounts(h, READY), "accounts are made of templates and sealed keys")
            self.learn(h)
            self.memory(h, "before a client asked")
            self.memory_search_works(h)
            self.agree(h, "the accounts have the values that the servers compute")
            self.memory(h, "after root was shown them")
            self.network(h)
            self.other_network(h)
            self.strangers(h)
            self.cores(h)
            self.killed(h)
            self.reloaded(h)
            self.other_host_key(h)
            self.handed_over(h)
            self.suspended(h)
            self.hibernated(h)
            self.memory(h, "after all that")
            self.shown(h)
            self.kernel_quiet(h)
            h.power_off()
            self.disk(h)


class TpmPhone(Phone):
    """Its master is encrypted with its TPM; what is stored is damaged, exchanged, and meets other chips."""

    def damaged(self, h, cases, place, subject):
        """`cases`: what was done -> the content, the word for it and what the sentence says."""
        good = h.run(f"cat {FACTORY}/{place}").out
        for what, (content, word, sentence) in cases(good).items():
            slots = self.refused(h, f"{place}: {what}", subject, word, sentence,
                                 f"{BEGIN_AGAIN}; cat > {FACTORY}/{place}", content)
            self.test(slots == ([MAKER.name] if place != "root" else []),
                      f"{place}: {what}: the other keys are loaded", slots)
        h.check(f"cat > {FACTORY}/{place}", good)

    def bad_roots(self, root):
        refused = ("root-refused", "another one, or the sealed root was changed")
        special = {"magic": ("factory-store-damaged", "not a sealed root"), "format": ("format-unknown", "format"),
                   "rung": ("format-unknown", "rung"), "sealed length": ("factory-store-damaged", "cut or lengthened")}
        cases = {f"a bit of its {field} changed": (sealed.flip(root, at), *special.get(field, refused))
                 for field, at in sealed.ROOT_FIELDS.items()}
        cases["cut"] = (root[:-1], "factory-store-damaged", "cut or lengthened")
        return cases

    def bad_slots(self, blob):
        changed = ("slot-damaged", "the sealed key was changed")
        special = {"magic": ("slot-damaged", "not the sealed key"), "format": ("format-unknown", "format"),
                   "name length": ("slot-misplaced", "not the sealed key of slot"),
                   "name": ("slot-misplaced", "not the sealed key of slot"),
                   "root id": ("slot-other-root", "another root")}
        cases = {f"a bit of its {field} changed": (sealed.flip(blob, at), *special.get(field, changed))
                 for field, at in sealed.SLOT_FIELDS.items()}
        slot = sealed.Slot.open(blob, self.root)
        cases["another slot's"] = (slot.but(name=MAKER.name).seal(self.root), "slot-misplaced", "of slot")
        cases["another device's"] = (slot.but(devid=owners.devid(owners.OTHER_IMEI)).seal(self.root), "other-device",
                                     "another device")
        cases["another root's"] = (slot.seal(os.urandom(32)), "slot-other-root", "another root")
        return cases

    def older(self, h):
        """While a key of a higher version is loaded."""
        place = f"{FACTORY}/slots/{OPERATOR.name}"
        good = h.run(f"cat {place}").out
        slot = sealed.Slot.open(good, self.root)
        self.begin_again(h)
        h.check(f"cat > {place}", slot.but(key_version=2).seal(self.root))
        h.check("systemctl start dmacc-unseal")
        h.check(f"cat > {place}", good)
        self.refused(h, "a key of a lower version", f"slot {OPERATOR.name}", "slot-older", "higher version")

    def missing(self, h, before):
        for what, path, word, sentence in (("root", f"{FACTORY}/root", "factory-store-damaged", "root"),
                                           ("master", CREDENTIAL, "master-missing", "master is missing")):
            self.refused(h, f"no {what}", "root", word, sentence, f"{BEGIN_AGAIN}; mv {path} /run/aside")
            h.check(f"cp -p /run/aside {path}")
        self.put_back(h, before, "root or master missing")

    def other_chip(self, h, chip, before, word, sentence, name):
        """The same disk with another TPM, or with none."""
        h.power_off()
        h.tpm = chip
        h.boot()
        state = owners.wait_until(lambda: owners.status(h)["agent"].get("state"))
        self.test(state in ("no-root", "no-store-key"), f"{name}: the agent runs, without keys", state)
        self.refused(h, name, "root", word, sentence)
        shown = h.run("dmaccctl tree --show-secrets").out
        self.test(not found_in(shown, self.password_forms), f"{name}: no password is served")
        self.test(self.state(h) == before, f"{name}: what is stored is what was stored")

    def locked_out(self, h):
        """By somebody who guesses wrongly. It forgives in a while, and then the keys are unsealed by themselves."""
        before, retry = self.state(h), "/run/systemd/system/dmacc-unseal-retry.timer.d"
        index = "0x1500010"
        h.check(f"tpm2_nvdefine -Q -s 8 -a 'authread|authwrite' -p right {index}; "
                f"head -c 8 /dev/zero | tpm2_nvwrite -Q -P right -i - {index}; "
                f"tpm2_dictionarylockout -Q -s -n 2 -t {FORGIVES} -l {FORGIVES}; mkdir {retry}; cat > {retry}/soon.conf; "
                "systemctl daemon-reload", "[Timer]\nOnActiveSec=\nOnActiveSec=10s\n")
        self.refused(h, "a TPM that is locked out", "root", "tpm-locked-out", "does not decrypt",
                     f"{BEGIN_AGAIN}; for n in 1 2 3; do tpm2_nvread -P wrong -s 8 {index} >/dev/null 2>&1; done")
        self.test(h.run("test -e /run/dmacc-unseal/retry && systemctl is-active dmacc-unseal-retry.timer").status == 0,
                  "a TPM that is locked out: it is tried again later")
        opened = owners.wait_until(lambda: owners.status(h)["module"]["root_state"] == "open", 10 * FORGIVES)
        self.test(opened, "the TPM has forgiven: the root is opened by itself", h.run("journalctl -b -n 30").text)
        h.check("systemctl start dmaccd")
        self.agree(h, "the TPM has forgiven: the same credentials")
        self.test(self.state(h) == before, "the TPM has forgiven: nothing was written")
        self.test(h.run("test -e /run/dmacc-unseal/retry").status, "the TPM has forgiven: it is not tried again")

    def failures_counted(self, h):
        """By the TPM, of all that tried to guess."""
        return h.check("tpm2_getcap properties-variable | grep LOCKOUT_COUNTER").strip()

    def go(self):
        chip = tpm.Tpm(self.folder / "chip")
        with self.handset("b", owners.IMEI, tpm=chip) as h:
            h.boot()
            for owner in owners.OWNERS:
                result = owners.inject(h, self.keys, owner, "--master tpm2")
                self.test(result.status == 0, f"a key for {owner.name} is sealed with the TPM's help", result.errors)
            owners.put_templates(h)
            self.agree(h, "with the TPM the accounts have the values that the servers compute")
            self.learn(h)
            before, counted = self.state(h), self.failures_counted(h)
            self.damaged(h, self.bad_roots, "root", "root")
            self.damaged(h, self.bad_slots, f"slots/{OPERATOR.name}", f"slot {OPERATOR.name}")
            self.older(h)
            self.put_back(h, before, "damaged files")
            self.missing(h, before)
            self.other_chip(h, tpm.Tpm(self.folder / "other-chip"), before, "tpm-replaced", "does not decrypt", "another TPM")
            self.other_chip(h, None, before, "no-tpm", "TPM", "a copied disk without the TPM")
            h.power_off()
            h.tpm = chip
            h.boot()
            self.agree(h, "the TPM put back: the same credentials")
            self.test(self.state(h) == before, "the TPM put back: nothing was written")
            self.test(self.failures_counted(h) == counted, "the TPM has counted no failure", counted,
                      self.failures_counted(h))
            self.locked_out(h)
            self.kernel_quiet(h)


class SteadyPhone(Phone):
    """Its master is encrypted with its TPM, on the older kernel; it is only shut down, started and cut off."""

    def go(self):
        with self.handset("c", owners.IMEI, tpm=tpm.Tpm(self.folder / "steady-chip")) as h:
            h.boot()
            for owner in owners.OWNERS:
                result = owners.inject(h, self.keys, owner, "--master tpm2")
                self.test(result.status == 0, f"a key for {owner.name} is sealed with the TPM's help", result.errors)
            owners.put_templates(h)
            self.agree(h, "with the TPM the accounts have the values that the servers compute")
            before = self.state(h)
            for how, end in (("shut down", h.power_off), ("cut off", h.power_cut)):
                end()
                h.boot()
                self.agree(h, f"{how} and started: the same credentials")
                self.test(self.state(h) == before, f"{how} and started: nothing was written")
                found = owners.status(h)["module"]["master_source"]
                self.test(found == "credential-tpm2", f"{how} and started: the master comes from the TPM", found)
            self.kernel_quiet(h)


# What each kernel is looked at with
PHONES = {"6.12": (HostKeyPhone, TpmPhone), "6.1": (SteadyPhone,)}


class Sealing(Phone):
    """All of one build."""

    def run(self):
        self.build()
        phones = [phone(self.kernel, self.folder, self.tap) for phone in PHONES[self.kernel.series]]
        with ThreadPoolExecutor() as pool:
            for done in [pool.submit(phone.go) for phone in phones]:
                done.result()


if __name__ == "__main__":
    sys.exit(scenario.main(Sealing, sys.argv[1:] or list(PHONES)))
