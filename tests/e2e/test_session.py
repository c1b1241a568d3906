#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A phone and its DM servers: sessions of OMA DM 1.2 over HTTPS, by `dmaccctl probe` in a virtual handset.

    test_session.py [6.1|6.12]...

The servers run here, know a vendor key and an IMEI each, and outlive the phone's power cuts; one authenticates with
auth-md5, the other with auth-MAC. Everything is done with both.
"""
import base64
import contextlib
import json
import random
import re
import subprocess
import sys
import threading
import time

import owners
import scenario
from scenario import STORE

import certificates
import dm_messages as dm
import handset as handsets
import kernel as kernels
import product
from dm_server import DmServer

HOST = "dm.example.com"
DEVID = owners.devid(owners.IMEI)
TRUST = "/etc/ssl/test-authority.pem"
MEMGREP = "/usr/local/libexec/memgrep"
# The example of libdmacc-client, by a user that is nothing but a DM client, and by one that is not
CLIENT = "/usr/local/libexec/dm-session"
AS_CLIENT = "setpriv --reuid=dmclient --regid=dmclient --clear-groups"
AS_NOBODY = "setpriv --reuid=nobody --regid=nogroup --clear-groups"
ROUNDS = 10
KINDS = (dm.MD5, dm.MAC)


class Side:
    """An owner, its server, and what the phone and it have been through."""

    def __init__(self, owner, kind, server):
        self.owner, self.name, self.kind, self.server = owner, owner.name, kind, server

    @property
    def record(self):
        return self.server.records[-1]

    @property
    def faults(self):
        return self.server.faults

    @property
    def used_up(self):
        """With auth-MAC the server's last message uses up its nonce, and none follows it that could bring another one:
        in the next session the device may challenge it."""
        return int(self.kind == dm.MAC and len(self.server.records) > 1)

    def template(self):
        return (f"[Account]\nSlot={self.name}\n[DMAcc]\nServerID={self.owner.server_id}\nAddr={self.server.uri}\n"
                f"AuthPref={self.kind}\n")

    def derived(self, generation=0):
        return self.server.derive(DEVID, generation)

    def credentials(self):
        """What dm-session may print for a message without a body, with any password the server knows."""
        device = self.server.state.device(DEVID)
        derived = self.derived(device["client"][-1]["generation"])
        nonce = base64.b64decode(device["client_nonce"]) if device["client_nonce"] else derived.client_nonce
        found = set()
        for password in self.made():
            stored = dm.stored_hash(derived.user_name, password)
            found.add(f"cred {self.kind} " + (dm.mac_header(derived.user_name, dm.mac_digest(stored, nonce, b""))
                                              if self.kind == dm.MAC else dm.md5_digest(stored, nonce)))
        return found

    def made(self):
        """Every password that the server has named, and the derived ones of all generations so far."""
        device = self.server.state.device(DEVID)
        found = {candidate["password"] for side in ("client", "server") for candidate in device[side]} - {None}
        for generation in range(device["highest"] + 1):
            derived = self.derived(generation)
            found |= {derived.client_pw, derived.server_pw}
        return found


def build_client(tree):
    """As its comment says, of what is installed in the handset."""
    library = next(tree.glob("usr/lib/**/libdmacc-client.so")).parent
    subprocess.run(["gcc", "-Wall", "-Wextra", "-Werror", product.TOP / "agent/libdmacc-client/examples/dm-session.c",
                    f"-I{tree}/usr/include", f"-L{library}", f"-Wl,-rpath-link={library}", "-ldmacc-client", "-lcrypto",
                    "-o", tree / CLIENT[1:]], check=True)


class Sessions(scenario.Scenario):
    """What is tested on one kernel."""

    programs = ("nlprobe", "memgrep")

    def __init__(self, *more):
        super().__init__(*more)
        self.h = self.shown = None
        self.sides, self.secrets, self.output = [], set(), ""
        self.authority = certificates.Authority(self.folder)

    def add(self, tree):
        handsets.add_file(tree / TRUST[1:], self.authority.file.read_text())
        build_client(tree)

    # What is done again and again

    def call(self, side):
        """A probe; the JSON that it printed."""
        result = self.h.run(f"dmaccctl probe --ca-file {TRUST} --json {side.name}")
        self.shown = result.text + result.errors
        self.output += self.shown
        self.secrets |= side.made()
        return json.loads(result.text or "{}")

    def check(self, side, name, ok, *details):
        self.test(ok, f"{side.kind.removeprefix('syncml:')}: {name}", *details)

    def session(self, side, name, challenged=False, verdict="agreed"):
        """One that has to come to this; `challenged`: whether a challenge may be in it."""
        found = self.call(side)
        fine = found.get("verdict") == verdict
        if fine and verdict == "agreed":
            fine = side.record.agreed and (challenged or
                                           not side.record.challenged and side.record.refused <= side.used_up)
        self.check(side, name, fine, self.shown, side.server.records[-1:],
                   "" if fine else self.h.run("journalctl -u dmaccd -o cat --no-pager -n 20").text)
        return found

    def property(self, side, name):
        shown = self.h.run(f"busctl get-property org.dmacc1 /org/dmacc1/account/{side.name} org.dmacc1.Account {name}")
        return shown.text.strip() + shown.errors.strip()

    def join(self):
        self.h.check(handsets.JOIN_NETWORK)

    def start(self):
        self.h.boot()
        self.join()

    # Steps

    def provision(self):
        self.start()
        self.h.check(f"echo '{handsets.HOST} {HOST}' >> /etc/hosts && sync")
        for side in self.sides:
            result = owners.inject(self.h, self.keys, side.owner)
            assert result.status == 0, result.errors
            owners.put_template(self.h, f"{side.name}.conf", side.template())
        self.test(owners.wait_accounts(self.h), "the accounts are ready", self.h.run("dmaccctl status").text)

    def first(self, side):
        self.check(side, "no session has been had", self.property(side, "EverConnected") == "b false",
                   self.property(side, "EverConnected"))
        found = self.session(side, "the first session after the factory succeeds without a challenge")
        derived = side.derived()
        self.check(side, "on the nonces that were derived", side.record.client_nonces[0] == derived.client_nonce.hex() and
                   side.record.server_nonces[0] == derived.server_nonce.hex(), side.record)
        self.check(side, "the server was told who the device is", side.record.info.get("./DevInfo/DevId") == DEVID)
        user = derived.user_name
        self.check(side, "the probe says with what it logged in", found.get("user_name") == user and
                   found.get("key_id") and found.get("key_version") == 1, found)
        self.check(side, "that there was a session is kept", self.property(side, "EverConnected") == "b true",
                   self.property(side, "EverConnected"))

    def ten_more(self, side):
        begun = len(side.server.records)
        for number in range(ROUNDS):
            self.session(side, f"session {number + 2} succeeds without a challenge")
        used = [nonce for record in side.server.records[begun - 1:] for nonce in record.client_nonces + record.server_nonces]
        self.check(side, "every session had new nonces", len(set(used)) == len(used) > 2 * ROUNDS, used)

    def wrong_passwords(self, side):
        side.faults.wrong_server_pw = True
        addr = self.h.check(f"dmaccctl tree {side.name}")
        side.server.order(DEVID, "replace", "./DMAcc/*/AppAddr/1/Addr", "chr", "https://elsewhere.example.com/")
        found = self.session(side, "a server with a wrong ServerPW is refused by the device", verdict="server-refused")
        self.check(side, "the device says so, and that the server accepted its own", found.get("client_accepted") is True and
                   found.get("server_authenticated") is False, found)
        self.check(side, "it changed nothing", self.h.check(f"dmaccctl tree {side.name}") == addr)
        side.server.state.device(DEVID)["orders"].clear()
        side.faults.wrong_server_pw = False
        self.session(side, "the right server is accepted after it", challenged=True)
        side.faults.wrong_client_pw = True
        found = self.session(side, "a device with a wrong ClientPW is refused by the server", verdict="client-refused")
        self.check(side, "the device says what it logged in with", side.derived().user_name in found.get("sentence", ""))
        side.faults.wrong_client_pw = False
        self.session(side, "and accepted when the server knows the right one", challenged=True)

    def basic(self, side):
        side.faults.ask_basic = True
        self.session(side, "a downgrade to basic is refused by the device", verdict="downgrade")
        self.check(side, "and no second message went out", side.record.messages == 1, side.record)
        side.faults.ask_basic = False
        if side.kind == dm.MD5:
            side.faults.send_basic = True
            self.session(side, "a server that authenticates with basic is refused", verdict="downgrade")
            side.faults.send_basic = False
        self.session(side, "after it the session is as before", challenged=True)

    def names(self, side):
        begun = len(side.server.records)
        side.server.certify(*self.authority.server("other.example.com"))
        found = self.session(side, "a host name that does not match is refused", verdict="tls")
        self.check(side, "and the name is said", HOST in found.get("sentence", ""), found)
        side.server.certify(*self.authority.server(HOST))
        result = self.h.run(f"dmaccctl probe --json {side.name}")
        self.check(side, "an authority that the phone does not know is refused", '"verdict":"tls"' in result.text, result.text)
        self.check(side, "to neither a message was sent", len(side.server.records) == begun)
        self.session(side, "the right host is accepted")

    def passwords(self, side):
        side.server.order(DEVID, "passwords")
        self.session(side, "the server replaces the passwords")
        self.check(side, "in a session with the old ones", side.record.client_tag == "generation 0", side.record)
        tag = side.server.state.device(DEVID)["client"][-1]["tag"]
        self.session(side, "the next session succeeds")
        self.check(side, "with the new ones on both sides", side.record.client_tag == side.record.server_tag == tag, side.record)

    def generation(self, side):
        side.server.order(DEVID, "generation")
        self.session(side, "the server raises the generation")
        self.session(side, "the next session succeeds")
        self.check(side, "with those of generation 1 on both sides",
                   side.record.client_tag == side.record.server_tag == "generation 1", side.record)
        self.check(side, "the account is at generation 1", self.property(side, "Generation") == "u 1",
                   self.property(side, "Generation"))

    def cut(self, stage, message, what, *orders):
        """The power goes when both servers are at this stage of this message; afterwards all still know each other."""
        together, process = threading.Barrier(len(self.sides)), self.h.process

        def pull(at, _record, messages):
            # a message is counted when it has been decided on
            if at == stage and messages == message - (stage == "received"):
                together.wait(handsets.COMMAND_TIMEOUT)
                # what was answered may be on its way, or on the phone's disk
                time.sleep(random.uniform(0, 0.5) if stage == "answered" else 0)
                process.kill()

        for side in self.sides:
            for order in orders:
                side.server.order(DEVID, *order)
            # what was on its way when the power went reaches nobody
            side.faults.sees, side.faults.drop_request = pull, message + (stage != "received")
        self.test(self.both_lose_power(), f"the power is cut {what}", self.shown)
        for side in self.sides:
            side.faults.sees, side.faults.drop_request = None, 0
        self.h.power_cut()
        self.start()
        self.test(owners.wait_accounts(self.h), f"the accounts are ready after it ({what})")
        for side in self.sides:
            self.session(side, f"after a power cut {what} the next session succeeds", challenged=True)
            self.session(side, f"and the one after it without a challenge ({what})")
            left = side.server.state.device(DEVID)["orders"]
            self.check(side, f"what was ordered is done ({what})", left == [], left)

    def both_lose_power(self):
        probes = " & ".join(f"dmaccctl probe --ca-file {TRUST} {side.name}" for side in self.sides)
        try:
            self.shown = self.h.run(f"{probes} & wait").text
        except handsets.HandsetFailed:
            return True
        return False

    def power_cuts(self):
        self.cut("received", 1, "when the device has sent its credential")
        self.cut("decided", 1, "before the server's answer comes")
        self.cut("received", 2, "when the device has accepted the server")
        self.cut("answered", 2, "at the end of a session")
        self.cut("answered", 3, "while the passwords are replaced", ["passwords"])
        self.cut("received", 4, "when the passwords were replaced and the server does not know", ["passwords"])
        self.cut("received", 4, "when the generation was raised and the server does not know", ["generation"])

    def resets(self, side):
        self.h.check(f"busctl call org.dmacc1 /org/dmacc1/account/{side.name} org.dmacc1.Account Reset")
        side.server.was_reset(DEVID)
        self.session(side, "after a reset of the account it authenticates again", challenged=True)
        self.session(side, "and then with a new generation")
        self.check(side, "on both sides", re.match("generation [1-9]", side.record.client_tag), side.record)

    def factory_reset(self):
        self.h.check(f"systemctl stop dmaccd && rm -rf {STORE}/* && sync")
        self.h.power_cut()
        self.start()
        self.test(owners.wait_accounts(self.h), "after a factory reset the accounts are made again")
        for side in self.sides:
            side.server.was_reset(DEVID)
            self.session(side, "after a factory reset it authenticates again", challenged=True)
            self.session(side, "and then with a new generation, without a challenge")

    def client_program(self, side):
        """A client that was written with the library alone, on the phone's own bus."""
        done = self.h.run(f"{AS_CLIENT} {CLIENT} --tls {side.name}", "send\n")
        self.check(side, "a client with the library, as user dmclient, has a credential that the server expects",
                   done.status == 0 and done.text.strip() in side.credentials(), done.text, done.errors)
        done = self.h.run(f"{AS_NOBODY} {CLIENT} --tls {side.name}", "send\n")
        self.check(side, "another user has none, and is told so", done.status and "cred" not in done.text and
                   "sessions are for root and the group dmclient" in done.text, done.status, done.text, done.errors)

    def memory(self):
        """Of the agent, when nobody asks for anything."""
        passwords = {secret for side in self.sides for secret in side.made()}
        result = self.h.run(f"{MEMGREP} $(systemctl show -p MainPID --value dmaccd)",
                            "".join(f"{secret.encode()[half:].hex()}\n" for secret in passwords for half in (0, 16)))
        self.test(passwords and result.status == 0, "after all these sessions no password is in the agent's memory",
                  result.status, result.text, result.errors)

    def no_secret_leaks(self):
        nonces = {nonce for side in self.sides for record in side.server.records
                  for nonce in record.client_nonces + record.server_nonces}
        secrets = {secret.encode() for secret in self.secrets}
        secrets |= {bytes.fromhex(nonce) for nonce in nonces} | {nonce.encode() for nonce in nonces}
        secrets |= {dm.b64(bytes.fromhex(nonce)).encode() for nonce in nonces}
        found = {
            "the journal": self.h.run("journalctl -a -o export --no-pager").out,
            "dmesg": self.h.run("dmesg").out,
            "environments and command lines": self.h.run("cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline").out,
            "what the probes printed": self.output.encode(),
        }
        self.test(len(secrets) > 100, "the test knows passwords and nonces", len(secrets))
        for where, content in found.items():
            leaked = [secret[:6] for secret in secrets if secret in content]
            self.test(len(content) > 1000 and not leaked, f"no password and no nonce is in {where}", len(content), *leaked)

    @contextlib.contextmanager
    def servers(self):
        with contextlib.ExitStack() as stack:
            for owner, kind in zip(owners.OWNERS, KINDS):
                server = DmServer(self.keys[owner], owner.server_id, [owners.IMEI], self.folder / f"{owner.name}.server", kind,
                                  tls=self.authority.server(HOST), host=HOST)
                self.sides.append(Side(owner, kind, stack.enter_context(server)))
            yield

    def a_phone(self):
        with self.handset("a", owners.IMEI, network=True) as self.h:
            self.provision()
            for side in self.sides:
                self.first(side)
                self.ten_more(side)
                self.wrong_passwords(side)
                self.basic(side)
                self.names(side)
                self.passwords(side)
                self.generation(side)
                self.resets(side)
            self.power_cuts()
            self.factory_reset()
            self.memory()
            for side in self.sides:
                self.client_program(side)
            self.kernel_quiet(self.h)
            self.no_secret_leaks()
            self.h.power_off()

    def another_phone(self):
        """One that loses its power in its first session; the servers have forgotten the phone before."""
        for side in self.sides:
            side.server.state.devices.clear()
        with self.handset("b", owners.IMEI, network=True) as self.h:
            self.provision()
            self.cut("received", 1, "in the first session of all")

    def run(self):
        self.build()
        with self.servers():
            self.a_phone()
            self.another_phone()


if __name__ == "__main__":
    sys.exit(scenario.main(Sessions, sys.argv[1:] or [kernels.SERIES[-1]]))
