#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The tests' own DM server, by a small client that is nothing but the protocol: that it accepts and refuses rightly,
keeps what it promised, and misbehaves as it is told."""
import base64
import hashlib
import http.client
import json
import os
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

import dm_messages as dm  # noqa: E402
import reference  # noqa: E402
from dm_server import DmServer  # noqa: E402

IMEI = "490154203237518"
DEVID = f"IMEI:{IMEI}"
SERVER_ID = "com.example.dm"
VENDOR_KEY = bytes(range(32))


def H(data):
    return hashlib.md5(data).digest()


def B64(data):
    return base64.b64encode(data).decode()


class Client:
    """A DM client: what it knows is in `nodes`, by the names of OMA DM 1.1.2."""

    def __init__(self, kind=dm.MD5):
        kd = reference.device_key(VENDOR_KEY, DEVID, 1)
        found = reference.credentials(kd, DEVID, reference.SERVER_ID, SERVER_ID.encode(), 0)
        self.kind = kind
        self.nodes = {"UserName": found.user_name, "ClientPW": found.client_pw, "ServerPW": found.server_pw}
        self.client_nonce, self.server_nonce = found.client_nonce, found.server_nonce
        self.tree = {"./DMAcc": "x", "./DMAcc/x/ServerID": SERVER_ID}
        self.changes = {}
        self.session = 0
        self.challenged = self.refused = 0

    def hash(self, name, password):
        return B64(H(f"{name}:{password}".encode()))

    def credential(self, body=None):
        text = f"{self.hash(self.nodes['UserName'], self.nodes['ClientPW'])}:".encode() + self.client_nonce
        return B64(H(text if body is None else text + b":" + B64(H(body)).encode()))

    def server_fits(self, message, header, body):
        text = f"{self.hash(SERVER_ID, self.nodes['ServerPW'])}:".encode() + self.server_nonce
        if self.kind == dm.MAC:
            given = dm.read_mac_header(header or "")
            return bool(given) and given == (SERVER_ID, B64(H(text + b":" + B64(H(body)).encode())))
        return bool(message.cred) and message.cred.kind == dm.MD5 and message.cred.data == B64(H(text))

    def post(self, server, parts, cred):
        self.id += 1
        body = dm.message(self.session, self.id, server.uri, DEVID, "".join(parts) + "<Final/>",
                          self.nodes["UserName"], cred)
        headers = {"Content-Type": dm.CONTENT_TYPE}
        if self.kind == dm.MAC:
            headers[dm.HEADER] = f'algorithm=MD5, username="{self.nodes["UserName"]}", mac={self.credential(body)}'
        self.connection.request("POST", "/dm", body, headers)
        answer = self.connection.getresponse()
        data = answer.read()
        return answer.status, dm.read(data) if answer.status == 200 else None, answer.headers.get(dm.HEADER), data

    def first(self):
        alert = dm.element("Alert", dm.text("CmdID", 1), dm.text("Data", 1201))
        info = dm.element("Replace", dm.text("CmdID", 2), dm.item(source="./DevInfo/DevId", data=DEVID))
        return [alert, info]

    def status(self, message, command, code, number, chal=None):
        return dm.element("Status", dm.text("CmdID", number), dm.text("MsgRef", message.id),
                          dm.text("CmdRef", command.id if command else 0),
                          dm.text("Cmd", command.name if command else "SyncHdr"), chal, dm.text("Data", code))

    def carry_out(self, message, command, number):
        item = command.items[0]
        if command.name == "Replace":
            self.changes[item.target] = item.data
            return [self.status(message, command, 200, number)]
        if item.target not in self.tree:
            return [self.status(message, command, 404, number)]
        results = dm.element("Results", dm.text("CmdID", number + 1), dm.text("MsgRef", message.id),
                             dm.text("CmdRef", command.id), dm.item(source=item.target, data=self.tree[item.target]))
        return [self.status(message, command, 200, number), results]

    def run(self, server, patience=4):
        """One session; true if each accepted the other."""
        self.session, self.id = self.session + 1, 0
        self.connection = http.client.HTTPConnection(*server.http.server_address, timeout=10)
        try:
            return self.talk(server, patience)
        finally:
            self.connection.close()

    def talk(self, server, patience):
        parts, accepted, told = self.first(), False, False
        for _ in range(12):
            cred = None
            if self.kind == dm.MD5 and not accepted:
                cred = dm.element("Cred", dm.meta(Type=dm.MD5, Format="b64"), dm.text("Data", self.credential()))
            status, message, header, body = self.post(server, parts, cred)
            if status != 200:
                return status
            answer = message.status_of_header()
            if answer.code in (401, 407):
                self.challenged += 1
                if not answer.chal or answer.chal.kind != self.kind or self.challenged > patience:
                    return False
                again = True
            else:
                accepted, again = True, False
            fits = told and self.kind == dm.MD5 or self.server_fits(message, header, body)
            if answer.chal and answer.chal.nonce:
                self.client_nonce = answer.chal.nonce
            commands = [c for c in message.commands if c.name in ("Get", "Replace")]
            if told and accepted and fits and not commands:
                return True
            chal = None
            if not told or self.kind == dm.MAC:
                self.server_nonce = os.urandom(16)
                chal = dm.challenge(self.kind, self.server_nonce)
            if not fits:
                self.refused += 1
                if self.refused > patience:
                    return False
            parts = [self.status(message, None, (200 if self.kind == dm.MAC else 212) if fits else 401, 1, chal)]
            for n, command in enumerate(commands, 1):
                parts += (self.carry_out(message, command, 2 * n) if fits
                          else [self.status(message, command, 401, 2 * n)])
            parts += self.first() if again else []
            told = fits
        return False


class WithServer(unittest.TestCase):
    kind = dm.MD5

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.server = self.start()
        self.client = Client(self.kind)

    def start(self):
        server = DmServer(VENDOR_KEY, SERVER_ID, [IMEI], Path(self.folder.name) / "state", self.kind)
        self.addCleanup(server.__exit__)
        return server.__enter__()

    def restart(self):
        self.server.__exit__()
        self.server = self.start()

    @property
    def record(self):
        return self.server.records[-1]

    def take_over(self):
        """The client uses what it was sent, from its next session on."""
        for uri, value in self.client.changes.items():
            level, _, leaf = uri.removeprefix("./DMAcc/x/AppAuth/").partition("/")
            name = {"CLCREDAAuthSecret": "ClientPW", "SRVCREDAAuthSecret": "ServerPW", "CLCREDAAuthName": "UserName"}
            self.client.nodes[name[level + leaf]] = value


class Sessions(WithServer):
    def test_derived_nonces_need_no_challenge(self):
        self.assertIs(self.client.run(self.server), True)
        self.assertTrue(self.record.agreed)
        self.assertEqual((self.record.challenged, self.record.refused), (0, 0))
        self.assertEqual(self.record.info, {"./DevInfo/DevId": DEVID})
        self.assertEqual(self.record.alerts, [1201])

    def test_each_session_has_new_nonces(self):
        for _ in range(5):
            self.assertIs(self.client.run(self.server), True)
            self.assertEqual((self.record.challenged, self.record.refused), (0, 0))
        for name in ("client_nonces", "server_nonces"):
            used = [nonce for record in self.server.records for nonce in getattr(record, name)]
            self.assertEqual(len(set(used)), len(used))
            self.assertGreaterEqual(len(used), 5)

    def test_a_client_with_other_nonces_is_challenged_once(self):
        self.client.client_nonce = self.client.server_nonce = bytes(16)
        self.assertIs(self.client.run(self.server), True)
        self.assertEqual((self.record.challenged, self.record.refused), (1, 1))

    def test_a_wrong_password_is_refused_and_the_nonce_of_the_stranger_forgotten(self):
        stranger = Client(self.kind)
        stranger.nodes["ClientPW"] = "wrong"
        self.assertIs(stranger.run(self.server), False)
        self.assertFalse(self.record.client_accepted)
        self.assertIs(self.client.run(self.server), True)
        self.assertEqual((self.record.challenged, self.record.refused), (0, 0))

    def test_an_imei_that_is_not_on_the_list_is_not_found(self):
        self.server.imeis = set()
        self.assertEqual(self.client.run(self.server), 404)
        self.assertEqual(self.server.records, [])

    def test_a_replayed_credential_is_challenged(self):
        nonces = self.client.client_nonce
        self.assertIs(self.client.run(self.server), True)
        self.client.client_nonce = nonces
        self.assertIs(self.client.run(self.server), True)
        self.assertEqual(self.record.challenged, 1)

    def test_what_was_promised_outlives_a_restart(self):
        self.assertIs(self.client.run(self.server), True)
        self.restart()
        self.assertIs(self.client.run(self.server), True)
        self.assertEqual((self.record.challenged, self.record.refused), (0, 0))

    def test_get_and_replace_are_carried_out_once(self):
        self.server.order(DEVID, "get", "./DMAcc/*/ServerID")
        self.server.order(DEVID, "replace", "./DMAcc/*/Name", "chr", "Other & name")
        self.assertIs(self.client.run(self.server), True)
        self.assertEqual(self.record.results["./DMAcc/x/ServerID"], SERVER_ID)
        self.assertEqual(self.client.changes, {"./DMAcc/x/Name": "Other & name"})
        self.client.changes.clear()
        self.assertIs(self.client.run(self.server), True)
        self.assertEqual(self.client.changes, {})

    def test_a_device_that_refuses_the_credential_is_sent_the_commands_again(self):
        self.server.order(DEVID, "replace", "./DMAcc/*/Name", "chr", "Other")
        self.client.server_nonce = bytes(16)
        self.assertIs(self.client.run(self.server), True)
        self.assertEqual(self.record.refused, 1)
        self.assertEqual(self.client.changes, {"./DMAcc/x/Name": "Other"})

    def test_replaced_passwords_and_name_are_asked_for_from_then_on(self):
        self.server.order(DEVID, "name", "somebody-else")
        self.assertIs(self.client.run(self.server), True)
        self.assertEqual(len(self.client.changes), 3)
        old = dict(self.client.nodes)
        self.take_over()
        self.assertIs(self.client.run(self.server), True)
        self.assertEqual((self.record.challenged, self.record.refused), (0, 0))
        self.assertEqual(self.record.client_tag, self.record.server_tag)
        self.client.nodes = old
        self.assertIs(self.client.run(self.server), False)

    def test_a_device_that_lost_what_it_was_sent_is_answered_with_the_old_and_sent_it_again(self):
        self.server.order(DEVID, "passwords")
        self.assertIs(self.client.run(self.server), True)
        first = dict(self.client.changes)
        self.client.changes.clear()
        self.assertIs(self.client.run(self.server), True)
        self.assertEqual((self.record.challenged, self.record.refused), (0, 0))
        self.assertEqual(self.client.changes, first)
        self.take_over()
        self.client.changes.clear()
        self.assertIs(self.client.run(self.server), True)
        self.assertEqual(self.client.changes, {})

    def test_a_device_whose_answer_was_lost_may_use_the_new(self):
        self.server.order(DEVID, "passwords")
        # 1 credentials, 2 and 3 looking for the account, 4 what it says of the replacing
        self.server.faults.drop_request = 4
        with self.assertRaises(OSError):
            self.client.run(self.server)
        self.server.faults.drop_request = 0
        self.restart()
        self.take_over()
        self.client.changes.clear()
        self.assertIs(self.client.run(self.server), True)
        # with auth-MAC the lost message had the server's next nonce, too
        self.assertEqual(self.record.refused, 1 if self.kind == dm.MAC else 0)
        self.assertEqual(self.client.changes, {})
        self.assertEqual(self.server.state.devices[DEVID]["orders"], [])

    def test_a_generation_is_derived_for_and_never_named_twice(self):
        for generation in (1, 2):
            self.server.order(DEVID, "generation")
            self.assertIs(self.client.run(self.server), True)
            self.assertEqual(self.client.changes, {"./DMAcc/x/Ext/dmacc/Generation": str(generation)})
            self.client.changes.clear()
            kd = reference.device_key(VENDOR_KEY, DEVID, 1)
            found = reference.credentials(kd, DEVID, reference.SERVER_ID, SERVER_ID.encode(), generation)
            self.client.nodes |= {"ClientPW": found.client_pw, "ServerPW": found.server_pw}
            self.assertIs(self.client.run(self.server), True)
            self.assertEqual(self.client.changes, {})
            self.assertEqual((self.record.challenged, self.record.refused), (0, 0))
            self.assertEqual(self.record.client_tag, f"generation {generation}")


class SessionsWithMac(Sessions):
    kind = dm.MAC


class Faults(WithServer):
    def test_a_server_with_another_password_is_refused(self):
        self.server.faults.wrong_server_pw = True
        self.server.order(DEVID, "replace", "./DMAcc/*/Name", "chr", "Other")
        self.assertIs(self.client.run(self.server, patience=1), False)
        self.assertFalse(self.record.server_accepted)
        self.assertEqual(self.client.changes, {})

    def test_a_server_that_believes_in_another_client_password_refuses(self):
        self.server.faults.wrong_client_pw = True
        self.assertIs(self.client.run(self.server), False)
        self.assertFalse(self.record.client_accepted)

    def test_a_stale_nonce_never_fits(self):
        self.server.faults.stale_nonce = True
        self.assertIs(self.client.run(self.server), False)
        self.assertFalse(self.record.server_accepted)

    def test_basic_is_asked_for(self):
        self.server.faults.ask_basic = True
        self.assertIs(self.client.run(self.server), False)
        self.assertEqual(self.record.challenged, 1)

    def test_without_a_credential_it_is_not_accepted(self):
        self.server.faults.no_credential = True
        self.assertIs(self.client.run(self.server), False)
        self.assertFalse(self.record.server_accepted)

    def test_an_answer_that_is_dropped_was_decided(self):
        self.server.faults.drop_answer = 1
        with self.assertRaises(OSError):
            self.client.run(self.server)
        self.assertTrue(self.record.client_accepted)
        state = json.loads((Path(self.folder.name) / "state").read_text())
        self.assertIsNotNone(state[DEVID]["client_nonce"])
        self.server.faults.drop_answer = 0
        self.assertIs(self.client.run(self.server), True)
        self.assertEqual(self.record.challenged, 1)

    def test_its_stages_are_seen(self):
        stages = []
        self.server.faults.sees = lambda stage, record, messages: stages.append((stage, messages))
        self.assertIs(self.client.run(self.server), True)
        self.assertEqual(stages[:4], [("received", 0), ("decided", 1), ("answered", 1), ("received", 1)])


class Vectors(unittest.TestCase):
    def test_the_digests_that_the_specification_prints(self):
        self.assertEqual(dm.md5_digest(dm.stored_hash("Bruce2", "OhBehave"), b"Nonce"), "Zz6EivR3yeaaENcRN6lpAQ==")
        self.assertEqual(dm.b64(b"Bruce2:OhBehave"), "QnJ1Y2UyOk9oQmVoYXZl")

    def test_a_hmac_header_is_read_in_every_form(self):
        self.assertEqual(dm.read_mac_header('algorithm=MD5, username="a b", mac=QQ=='), ("a b", "QQ=="))
        self.assertEqual(dm.read_mac_header('username="a",mac="QQ=="'), ("a", "QQ=="))
        self.assertIsNone(dm.read_mac_header('algorithm=SHA1, username="a", mac=QQ=='))


if __name__ == "__main__":
    unittest.main()
