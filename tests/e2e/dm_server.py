#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A DM server of OMA DM 1.2 over HTTP and HTTPS, for tests: it knows its vendor key and a list of IMEIs, no more.

    dm_server.py --vendor-key FILE --server-id ID --state FILE [--listen HOST:PORT] [--auth md5|MAC]
                 [--certificate FILE --private-key FILE] [--order JSON]... IMEI...

Credentials come from tests/unit/reference.py, the protocol from the standard; nothing of the phone's code is used.
What a device has to find again, whenever either of the two loses power, is in the state file before it is named to
the device: nonces, replaced passwords, the generation. An order is what is to be done to a device in its next
sessions until it has answered: ["get", URI], ["replace", URI, FORMAT, VALUE], ["passwords"], ["name", NAME],
["generation"]. In a URI "*" stands for the account's node.
"""
import argparse
import base64
import hmac
import json
import os
import ssl
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "unit"))
sys.path.insert(0, str(HERE))

import dm_messages as dm  # noqa: E402
import reference  # noqa: E402

LARGEST_MESSAGE = 1 << 18
KINDS = {"md5": dm.MD5, "MAC": dm.MAC}
# Orders that change what a device logs in with, and how the tags of their candidates begin
ORDERS = {"passwords": "passwords", "name": "passwords", "generation": "generation"}
# How often either side is challenged in a session before it is given up
PATIENCE = 3


def same(a, b):
    return hmac.compare_digest(a.encode(), b.encode())


class State:
    """What the server knows of its devices, in a file that is whole whenever the power goes."""

    def __init__(self, path):
        self.path = Path(path)
        self.devices = json.loads(self.path.read_text()) if self.path.exists() else {}

    @staticmethod
    def first():
        return {"tag": "generation 0", "generation": 0, "password": None, "name": None}

    def device(self, devid):
        """New ones begin at generation 0, with the derived nonces of both sides unused."""
        return self.devices.setdefault(devid, {"client": [self.first()], "server": [self.first()], "highest": 0,
                                               "client_nonce": None, "server_nonce": None, "orders": [], "unanswered": None})

    def save(self):
        with tempfile.NamedTemporaryFile("w", dir=self.path.parent, delete=False) as file:
            json.dump(self.devices, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.rename(file.name, self.path)
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        os.fsync(folder)
        os.close(folder)


@dataclass
class Faults:
    """How this server misbehaves. `sees`: called with stage, record and message id; it may cut somebody's power."""
    wrong_server_pw: bool = False
    wrong_client_pw: bool = False
    no_credential: bool = False
    ask_basic: bool = False
    send_basic: bool = False
    stale_nonce: bool = False
    drop_request: int = 0
    drop_answer: int = 0
    http_status: int = 0
    garbage: bytes = b""
    sees: object = None


@dataclass
class Record:
    """A session as the server saw it, for tests. Nonces are what was sent or used, in order."""
    devid: str
    challenged: int = 0
    refused: int = 0
    client_accepted: bool = False
    server_accepted: bool = False
    ended: bool = False
    messages: int = 0
    client_tag: str = ""
    server_tag: str = ""
    client_nonces: list = field(default_factory=list)
    server_nonces: list = field(default_factory=list)
    alerts: list = field(default_factory=list)
    answers: list = field(default_factory=list)
    results: dict = field(default_factory=dict)
    info: dict = field(default_factory=dict)

    @property
    def agreed(self):
        return self.client_accepted and self.server_accepted and self.ended


class Session:
    """One session of one device. answer() takes a message and makes the next."""

    def __init__(self, server, devid, session_id):
        self.server, self.devid, self.id = server, devid, session_id
        self.state = server.state.device(devid)
        self.record = Record(devid)
        self.client_nonce = self.server_nonce = None   # of this session only
        self.sent = []                                  # the commands that the device has not answered
        self.sent_id = 0
        self.plan = None
        self.candidate, self.nonce = None, b""          # what our last credential was made with
        self.tried = set()                              # tags of those that the device refused with its own nonce
        self.told = False                               # the device knows that it was accepted

    # Credentials

    def derived(self, generation):
        return self.server.derive(self.devid, generation)

    def client_hash(self, candidate):
        found = self.derived(candidate["generation"])
        password = "another" if self.server.faults.wrong_client_pw else candidate["password"] or found.client_pw
        return dm.stored_hash(candidate["name"] or found.user_name, password)

    def server_hash(self, candidate):
        password = candidate["password"] or self.derived(candidate["generation"]).server_pw
        return dm.stored_hash(self.server.server_id, "another" if self.server.faults.wrong_server_pw else password)

    def stored_nonce(self, name):
        """That of the last session; of a device that had none, the derived one."""
        kept = self.state[name]
        return base64.b64decode(kept) if kept else getattr(self.derived(self.state["client"][0]["generation"]), name)

    def keep_nonce(self, name, nonce):
        self.state[name] = dm.b64(nonce)
        self.server.state.save()

    def check_client(self, message, header, body):
        """Whether the device's credential fits; what it proves is noted."""
        if self.told and self.server.kind == dm.MD5:
            return True
        nonce = self.client_nonce or self.stored_nonce("client_nonce")
        given = dm.read_mac_header(header or "") if self.server.kind == dm.MAC else None
        if self.server.kind == dm.MD5 and message.cred and message.cred.kind == dm.MD5:
            given = message.local_name, message.cred.data
        for candidate in self.state["client"] if given else ():
            stored = self.client_hash(candidate)
            wanted = (dm.mac_digest(stored, nonce, body) if self.server.kind == dm.MAC
                      else dm.md5_digest(stored, nonce))
            if same(wanted, given[1]):
                self.accept_client(candidate, nonce)
                return True
        return False

    def accept_client(self, candidate, nonce):
        """Older passwords than the one that fits are not taken any more."""
        self.record.client_accepted, self.record.client_tag = True, candidate["tag"]
        self.record.client_nonces.append(nonce.hex())
        self.drop_older("client", candidate)
        self.client_nonce = None

    def drop_older(self, side, candidate):
        """An order whose answer was lost is done if the device uses what it named."""
        self.state[side] = self.state[side][self.state[side].index(candidate):]
        if side == "client" and candidate["tag"] == self.state["unanswered"]:
            self.order_done(candidate["tag"].split()[0])

    def order_done(self, kind):
        orders = self.state["orders"]
        found = next((order for order in orders if ORDERS.get(order[0]) == kind), None)
        if found:
            orders.remove(found)
        self.state["unanswered"] = None
        self.server.state.save()

    def own_candidate(self):
        """The password that goes with the one that the device used, and then, if that is refused, the others."""
        known = self.state["server"]
        order = [c for c in known if c["tag"] == self.record.client_tag] + known
        return next((c for c in order if c["tag"] not in self.tried), order[0])

    def nonce_for_us(self):
        if self.server.faults.stale_nonce:
            return self.derived(0).server_nonce[::-1]
        return self.server_nonce or self.stored_nonce("server_nonce")

    def own_cred(self):
        """Our Cred, until the device has accepted it."""
        faults = self.server.faults
        if faults.no_credential or self.server.kind == dm.MAC or self.record.server_accepted:
            return None
        self.candidate, self.nonce = self.own_candidate(), self.nonce_for_us()
        if faults.send_basic:
            return dm.credential(dm.BASIC, dm.b64(f"{self.server.server_id}:password".encode()))
        return dm.credential(dm.MD5, dm.md5_digest(self.server_hash(self.candidate), self.nonce))

    def own_header(self, body):
        """The x-syncml-hmac of an answer."""
        if self.server.kind != dm.MAC or self.server.faults.no_credential:
            return None
        self.candidate, self.nonce = self.own_candidate(), self.nonce_for_us()
        return dm.mac_header(self.server.server_id,
                             dm.mac_digest(self.server_hash(self.candidate), self.nonce, body))

    # What the device says of our last message

    def take_status_of_header(self, status, fits):
        """`fits`: it comes from a device that has proved who it is; what others send is for this session only."""
        nonce = status.chal.nonce if status.chal else None
        if status.code in (200, 212) and self.candidate:
            if not self.record.server_accepted or self.server.kind == dm.MAC:
                self.record.server_nonces.append(self.nonce.hex())
            self.record.server_accepted, self.record.server_tag = True, self.candidate["tag"]
            self.drop_older("server", self.candidate)
            self.server_nonce = None if fits else nonce
            if nonce and fits:
                self.keep_nonce("server_nonce", nonce)
        elif status.code in (401, 407):
            self.record.refused += 1
            self.record.server_accepted = False
            if self.server_nonce and self.candidate:
                self.tried.add(self.candidate["tag"])
            self.server_nonce = nonce or self.server_nonce

    def take_answers(self, message):
        """Whether the device carried out what it was sent, or has to be sent it again."""
        for results in message.of("Results"):
            self.record.results |= {item.source or item.target: item.data for item in results.items}
        header = message.status_of_header()
        if not header or not self.sent_id:
            return
        self.take_status_of_header(header, True)
        codes = {status.ref: status.code for status in message.of("Status") if status.message_ref == str(self.sent_id)}
        if header.code in (200, 212):
            answers = [(command, codes.get(str(number), 0)) for number, command in enumerate(self.sent, FIRST_COMMAND)]
            self.record.answers += [(*command[:2], code) for command, code in answers]
            self.advance([code for _, code in answers])

    def advance(self, codes):
        """The plan's next commands; none when it has come to its end."""
        if not self.plan:
            self.plan = self.make_plan()
            self.sent = next(self.plan, [])
        elif self.sent:
            try:
                self.sent = self.plan.send(codes)
            except StopIteration:
                self.sent = []

    # Orders

    def make_plan(self):
        """Of a device that logged in with the old of two, the new is named again."""
        orders = list(self.state["orders"])
        node = (yield from self.find_account()) if orders else None
        for order in orders:
            codes = yield self.commands_of(order, node)
            if codes and all(code == 200 for code in codes) and order in self.state["orders"]:
                self.state["orders"].remove(order)
                self.state["unanswered"] = None
                self.server.state.save()
        for kind in self.open_changes() - {ORDERS.get(order[0]) for order in orders}:
            node = node or (yield from self.find_account())
            yield self.commands_of([kind], node)

    def find_account(self):
        """The name of the account's node, which the device chose."""
        yield [("Get", "./DMAcc")]
        for name in filter(None, self.record.results.get("./DMAcc", "").split("/")):
            yield [("Get", f"./DMAcc/{name}/ServerID")]
            if self.record.results.get(f"./DMAcc/{name}/ServerID") == self.server.server_id:
                return name
        return "none"

    def open_changes(self):
        newest = {self.state[side][-1]["tag"] for side in ("client", "server") if len(self.state[side]) > 1}
        return {tag.split()[0] for tag in newest}

    def commands_of(self, order, node):
        kind, *rest = order
        if kind == "get":
            return [("Get", rest[0].replace("*", node))]
        if kind == "replace":
            return [("Replace", rest[0].replace("*", node), rest[1], rest[2])]
        account = f"./DMAcc/{node}"
        if kind == "generation":
            return [("Replace", f"{account}/Ext/dmacc/Generation", "int", str(self.next_generation()))]
        client, server = self.next_passwords(rest[0] if kind == "name" else None)
        return [("Replace", f"{account}/AppAuth/CLCRED/AAuthName", "chr", client["name"])] * (kind == "name") + [
            ("Replace", f"{account}/AppAuth/CLCRED/AAuthSecret", "chr", client["password"]),
            ("Replace", f"{account}/AppAuth/SRVCRED/AAuthSecret", "chr", server["password"])]

    def add_candidates(self, client, server):
        """Beside the one that is in use; what came of an earlier attempt is asked of the device again."""
        for side, candidate in (("client", client), ("server", server)):
            self.state[side] = [self.state[side][0], candidate]
        self.state["unanswered"] = client["tag"]
        self.server.state.save()

    def pending(self, word):
        for side in ("client", "server"):
            if len(self.state[side]) > 1 and self.state[side][-1]["tag"].startswith(word):
                return self.state[side][-1]
        return None

    def next_generation(self):
        waiting = self.pending("generation")
        if waiting:
            return waiting["generation"]
        self.state["highest"] += 1
        number = self.state["highest"]
        tag = {"tag": f"generation {number}", "generation": number, "password": None}
        self.add_candidates(tag | {"name": self.state["client"][0]["name"]}, tag | {"name": None})
        return number

    def next_passwords(self, name):
        if not self.pending("passwords"):
            current = self.state["client"][0]
            made = {"tag": f"passwords {os.urandom(4).hex()}", "generation": current["generation"]}
            self.add_candidates(made | {"password": dm.b64(os.urandom(24)), "name": name or current["name"]},
                                made | {"password": dm.b64(os.urandom(24)), "name": None})
        return self.state["client"][-1], self.state["server"][-1]

    # Answers

    def answer(self, message, header, body):
        """(the answer, its x-syncml-hmac or None)"""
        fits = self.check_client(message, header, body) and not self.server.faults.ask_basic
        self.record.messages += 1
        if fits:
            self.take_answers(message)
            if not self.plan and (self.state["orders"] or self.record.server_accepted):
                self.advance([])
        elif message.status_of_header() and self.sent_id:
            self.take_status_of_header(message.status_of_header(), False)
        self.note(message)
        parts = self.header_status(message, fits) + self.statuses(message, fits)
        self.sent_id = self.record.messages
        parts += self.commands(fits)
        self.record.ended = fits and self.record.server_accepted and not self.sent
        cred = self.own_cred()
        made = dm.message(self.id, self.sent_id, self.devid, self.server.uri, "".join(parts), cred=cred)
        return made, self.own_header(made)

    def note(self, message):
        self.record.alerts += [alert.code for alert in message.of("Alert")]
        for replace in message.of("Replace"):
            self.record.info |= {item.source or item.target: item.data for item in replace.items}

    def header_status(self, message, fits):
        """The Status of the device's SyncHdr, with the nonce for its next credential."""
        chal = None
        if not fits:
            self.record.challenged += 1
            code = 401 if message.cred or self.server.kind == dm.MAC else 407
            if self.server.faults.ask_basic:
                chal = dm.challenge(dm.BASIC, None)
            elif self.record.challenged < PATIENCE:
                self.client_nonce = os.urandom(16)
                chal = dm.challenge(self.server.kind, self.client_nonce)
        else:
            code = 200 if self.server.kind == dm.MAC else 212
            if not self.told or self.server.kind == dm.MAC:
                nonce = os.urandom(16)
                self.keep_nonce("client_nonce", nonce)
                chal = dm.challenge(self.server.kind, nonce)
            self.told = True
        return [dm.element("Status", dm.text("CmdID", 1), dm.text("MsgRef", message.id), dm.text("CmdRef", 0),
                           dm.text("Cmd", "SyncHdr"), dm.text("TargetRef", self.server.uri),
                           dm.text("SourceRef", self.devid), chal, dm.text("Data", code))]

    def statuses(self, message, fits):
        asked = [command for command in message.commands if command.name not in ("Status", "Results")]
        return [dm.element("Status", dm.text("CmdID", 2 + number), dm.text("MsgRef", message.id),
                           dm.text("CmdRef", command.id), dm.text("Cmd", command.name),
                           dm.text("Data", 200 if fits else 401)) for number, command in enumerate(asked)]

    def commands(self, fits):
        made = []
        for number, (name, uri, *value) in enumerate(self.sent if fits else (), FIRST_COMMAND):
            content = dm.item(target=uri) if not value else dm.item(target=uri, form=value[0], data=value[1])
            made.append(dm.element(name, dm.text("CmdID", number), content))
        return [*made, dm.element("Final")]


# CmdID of the first command of a message; statuses have the ones below
FIRST_COMMAND = 101


class Handler(BaseHTTPRequestHandler):
    """A message of a device, and the answer."""
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(min(length, LARGEST_MESSAGE))
        try:
            status, answer, header = self.server.dm.take(body, self.headers)
        except Dropped:
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("Content-Type", dm.CONTENT_TYPE)
        self.send_header("Content-Length", str(len(answer)))
        if header:
            self.send_header(dm.HEADER, header)
        self.end_headers()
        self.wfile.write(answer)
        self.server.dm.seen("answered")

    def log_message(self, *_):
        pass


class Http(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A device that hangs up, or loses its power, is what is tested."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class Dropped(Exception):
    """The device gets no answer."""


class DmServer:
    """With `certificate` and `key` files over HTTPS. Use as a context manager; `records` are its sessions."""

    def __init__(self, vendor_key, server_id, imeis, state, kind=dm.MD5, listen=("127.0.0.1", 0), tls=None,
                 host=None):
        self.vendor_key, self.server_id, self.kind = vendor_key, server_id, kind
        self.imeis = {reference.parse_devid(imei.encode()) for imei in imeis}
        self.state = State(state)
        self.faults = Faults()
        self.records = []
        self.sessions = {}
        self._lock = threading.Lock()
        self.http = Http(listen, Handler)
        self.http.dm = self
        self.port = self.http.server_address[1]
        self.context = None
        if tls:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.certify(*tls)
            self.http.socket = self.context.wrap_socket(self.http.socket, server_side=True,
                                                        do_handshake_on_connect=False)
        self.uri = f"{'https' if tls else 'http'}://{host or listen[0]}:{self.port}/dm"
        self._current = None

    def __enter__(self):
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.http.server_close()

    def derive(self, devid, generation):
        kd = reference.device_key(self.vendor_key, devid, 1)
        return reference.credentials(kd, devid, reference.SERVER_ID, self.server_id.encode(), generation)

    def order(self, devid, *order):
        """What is to be done to a device in its next session."""
        with self._lock:
            self.state.device(devid)["orders"].append(list(order))
            self.state.save()

    def certify(self, certificate, key):
        """Its certificate from the next connection on."""
        self.context.load_cert_chain(certificate, key)

    def was_reset(self, devid):
        """The device is back at what the factory made: taken as such once, and given a generation of its own."""
        with self._lock:
            device = self.state.device(devid)
            device |= {"client": [State.first()], "server": [State.first()], "orders": [["generation"]], "unanswered": None}
            self.state.save()

    def seen(self, stage):
        if self.faults.sees and self._current:
            self.faults.sees(stage, self._current.record, self._current.record.messages)

    def identify(self, message):
        """The device by the UserName that it sends, else by its DevId; None for one that is not ours."""
        for devid in self.imeis:
            names = {c["name"] or self.derive(devid, c["generation"]).user_name
                     for c in self.state.device(devid)["client"]}
            if message.local_name in names:
                return devid
        try:
            devid = reference.parse_devid(message.source.encode(), spare_digit=True)
        except reference.Refused:
            return None
        return devid if devid in self.imeis else None

    def session(self, devid, message):
        """A message with the id 1 begins one."""
        if message.id == 1 or (devid, message.session_id) not in self.sessions:
            self.sessions[devid, message.session_id] = Session(self, devid, message.session_id)
            self.records.append(self.sessions[devid, message.session_id].record)
        return self.sessions[devid, message.session_id]

    def take(self, body, headers):
        """(HTTP status, body, x-syncml-hmac or None)"""
        with self._lock:
            if self.faults.http_status:
                return self.faults.http_status, b"", None
            if self.faults.garbage:
                return 200, self.faults.garbage, None
            if headers.get_content_type() != dm.CONTENT_TYPE:
                return 415, b"", None
            try:
                message = dm.read(body)
            except dm.Malformed as error:
                return 400, str(error).encode(), None
            devid = self.identify(message)
            if not devid:
                return 404, b"", None
            self._current = self.session(devid, message)
            return self.answer(message, headers, body)

    def answer(self, message, headers, body):
        number = self._current.record.messages + 1
        self.seen("received")
        if self.faults.drop_request == number:
            raise Dropped
        answer, header = self._current.answer(message, headers.get(dm.HEADER), body)
        self.seen("decided")
        if self.faults.drop_answer == number:
            raise Dropped
        return 200, answer, header


def main():
    parser = argparse.ArgumentParser(description="A DM server for tests; ends with its standard input.")
    parser.add_argument("--vendor-key", required=True, type=Path)
    parser.add_argument("--server-id", required=True)
    parser.add_argument("--state", required=True, type=Path)
    parser.add_argument("--listen", default="127.0.0.1:0")
    parser.add_argument("--auth", choices=KINDS, default="md5")
    parser.add_argument("--certificate", type=Path)
    parser.add_argument("--private-key", type=Path)
    parser.add_argument("--order", action="append", default=[], type=json.loads)
    parser.add_argument("imei", nargs="+")
    args = parser.parse_args()
    host, _, port = args.listen.rpartition(":")
    tls = (args.certificate, args.private_key) if args.certificate else None
    with DmServer(bytes.fromhex(args.vendor_key.read_text()), args.server_id, args.imei, args.state,
                  KINDS[args.auth], (host, int(port)), tls) as server:
        for devid in sorted(server.imeis):
            for order in args.order:
                server.order(devid, *order)
        print(server.uri, flush=True)
        sys.stdin.read()
        for record in server.records:
            print(record)


if __name__ == "__main__":
    main()
