# SPDX-License-Identifier: LGPL-2.1-or-later
"""dmaccd mock template

This creates org.dmacc1 as org.dmacc1.xml has it, with one account, "example", that is ready and has the
values published in derivation.md: vendor key 00 01 ... 1f, IMEI:490154203237518, server com.example.dm.
Sessions compute and verify for real, so that a DM client can be tested against its own DM server without a
phone; what the server replaces and commits lasts as long as the mock. A session is its owner's and ends when
that leaves the bus; otherwise anybody may do anything.

    python3 -m dbusmock --system --template .../dmacc1.py

Parameters: "auth_pref" (default "syncml:auth-md5"), "devid" (default as above; "": not known). Here anybody reads it.

On org.freedesktop.DBus.Mock, object /org/dmacc1:
  AddAccount(name, state, reason)        another one, with the same values
  SetState(name, state, reason)          "ready", "no-slot", "no-secrets", ...; a session of it ends
  SetRefusal(method, error, message)     calls of this method of sessions fail with org.dmacc1.Error.ERROR from now
                                         on; an empty error: no longer
"""
import base64
import hashlib
import hmac
import json
import os
import re
import time

import dbus
from dbusmock import MOCK_IFACE, mockobject

BUS_NAME = "org.dmacc1"
MAIN_OBJ = "/org/dmacc1"
MAIN_IFACE = "org.dmacc1.Manager"
SYSTEM_BUS = True
IS_OBJECT_MANAGER = True

ACCOUNT = "org.dmacc1.Account"
SESSION = "org.dmacc1.Session"
ACCOUNTS = "/org/dmacc1/account/"
SESSIONS = "/org/dmacc1/session/"
STRENGTH = {"syncml:auth-basic": 0, "syncml:auth-md5": 1, "syncml:auth-MAC": 2}
WORD_IN_1_2 = {"syncml:auth-basic": "BASIC", "syncml:auth-md5": "DIGEST", "syncml:auth-MAC": "HMAC"}
RESYNC = b"\0\0\0\0"
SECRETS = ("ServerPW", "ClientPW", "ServerNonce", "ClientNonce")

# uapi/derivation.md has them
DEVID = "IMEI:490154203237518"
FACTORY = {
    "Addr": b"https://dm.example.com/dm",
    "ServerID": b"com.example.dm",
    "UserName": b"HQU3K2QFHADCEVTNJZ4OUFUI",
    "ServerPW": b"VVWHHJPJY3VV7GRTDCYZB5W7PR4AZLSO",
    "ClientPW": b"LX37WNX7VWGHGEZJ377UIPJCX4RCYCPK",
    "ServerNonce": bytes.fromhex("8b022d9671df0373c71c9d5acbd57575"),
    "ClientNonce": bytes.fromhex("a670dd9b4067126d1addb0bca209f28a"),
}
FROM_TEMPLATE = ("Addr", "ServerID", "AuthPref")

# Below the account's node: path, format, whose value; a constant begins with "="
ROWS = {
    "1.1": [("Addr", "chr", "Addr"), ("AddrType", "chr", "=1"), ("PortNbr", "int", "=443"), ("ConRef", "chr", "="),
            ("ServerId", "chr", "ServerID"), ("ServerPW", "chr", "ServerPW"), ("ServerNonce", "bin", "ServerNonce"),
            ("UserName", "chr", "UserName"), ("ClientPW", "chr", "ClientPW"), ("ClientNonce", "bin", "ClientNonce"),
            ("AuthPref", "chr", "AuthPref")],
    "1.2": [("AppID", "chr", "=w7"), ("ServerID", "chr", "ServerID"), ("AppAddr", "node", None),
            ("AppAddr/1", "node", None), ("AppAddr/1/Addr", "chr", "Addr"), ("AppAddr/1/AddrType", "chr", "=URI"),
            ("AAuthPref", "chr", "AuthPref"), ("AppAuth", "node", None)],
}
for level, name, password, nonce in (("CLCRED", "UserName", "ClientPW", "ClientNonce"),
                                     ("SRVCRED", "ServerID", "ServerPW", "ServerNonce")):
    ROWS["1.2"] += [(f"AppAuth/{level}", "node", None), (f"AppAuth/{level}/AAuthLevel", "chr", f"={level}"),
                    (f"AppAuth/{level}/AAuthType", "chr", "AuthPref"), (f"AppAuth/{level}/AAuthName", "chr", name),
                    (f"AppAuth/{level}/AAuthSecret", "chr", password), (f"AppAuth/{level}/AAuthData", "bin", nonce)]
BASES = {"1.1": "./SyncML/DMAcc", "1.2": "./DMAcc"}

accounts = {}       # path -> values, origins
sessions = {}       # path -> struct
refusals = {}       # method of sessions -> (error, message)


def fail(error, message):
    return dbus.DBusException(message, name=f"org.dmacc1.Error.{error}")


def b64(data):
    return base64.b64encode(data)


def md5(data):
    return hashlib.md5(data).digest()


def credential(kind, user, password, nonce, body):
    """What goes into Cred/Data, or into the header x-syncml-hmac."""
    if kind == "syncml:auth-basic":
        return b64(user + b":" + password).decode()
    login = b64(md5(user + b":" + password)) + b":" + nonce
    if kind == "syncml:auth-md5":
        return b64(md5(login)).decode()
    mac = b64(md5(login + b":" + b64(md5(body)))).decode()
    return f'algorithm=MD5, username="{user.decode()}", mac={mac}'


def encode(name):
    """As sd_bus_path_encode() does."""
    return re.sub(r"^[0-9]|[^A-Za-z0-9]", lambda m: f"_{ord(m[0]):02x}", name) or "_"


class Account:
    """Its values, by the words of templates, and who made them."""

    def __init__(self, account_name, auth_pref):
        self.name = account_name
        self.values = FACTORY | {"AuthPref": auth_pref.encode()}
        self.factory = dict(self.values)
        self.origins = {key: "template" if key in FROM_TEMPLATE else "derived" for key in self.values}

    def value(self, source, layout):
        if source.startswith("="):
            return source[1:].encode()
        if source == "AuthPref" and layout == "1.2":
            return WORD_IN_1_2[self.values[source].decode()].encode()
        return self.values[source]

    def nodes(self, layout):
        """(URI, format, raw value, key) of each."""
        if layout not in ROWS:
            raise dbus.DBusException("there are layouts 1.1 and 1.2", name="org.freedesktop.DBus.Error.InvalidArgs")
        base = f"{BASES[layout]}/{self.name}"
        yield base, "node", b"", None
        for path, kind, source in ROWS[layout]:
            yield f"{base}/{path}", kind, self.value(source, layout) if source else b"", source

    def find(self, uri):
        for layout in BASES:
            for node in self.nodes(layout):
                if node[0] == uri:
                    return node
        raise fail("NoSuchNode", f"there is no node {uri}")

    def replace(self, uri, value, origin):
        _, kind, _, key = self.find(uri)
        if kind == "node" or key.startswith("=") or key == "ServerID":
            raise fail("NotPermitted", f"{uri} cannot be replaced")
        if key == "AuthPref":
            known = {word.encode(): name.encode() for name, word in WORD_IN_1_2.items()}
            value = known.get(value, value)
            if value.decode(errors="replace") not in STRENGTH:
                raise fail("BadValue", "AuthPref is none of the three")
        self.values[key] = value
        self.origins[key] = origin

    def back(self, keys):
        for key in keys or self.values:
            if key not in self.values:
                raise fail("BadValue", f"no account has a value {key}")
        for key in keys or list(self.values):
            self.values[key] = self.factory[key]
            self.origins[key] = "template" if key in FROM_TEMPLATE else "derived"
        self.values |= {"ServerNonce": os.urandom(16), "ClientNonce": os.urandom(16)}

    def memfd(self, layout):
        tree = [{"uri": uri, "format": kind, "protected": key in SECRETS,
                 "value": (b64(value) if kind == "bin" else value).decode()} for uri, kind, value, key in self.nodes(layout)]
        fd = os.memfd_create("tree", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.write(fd, json.dumps(tree).encode())
        os.lseek(fd, 0, os.SEEK_SET)
        return dbus.types.UnixFd(fd)


class Session:
    def __init__(self, account, owner, tls):
        self.account, self.owner, self.tls = account, owner, tls
        # what the server replaces is for the sessions to come
        self.values = dict(account.values)
        self.client_nonce = account.values["ClientNonce"]
        self.server_nonce = account.values["ServerNonce"]
        self.type = account.values["AuthPref"].decode()
        self.challenges = 0
        self.verified = self.accepted = False


def update(mock, interface, changes):
    """As UpdateProperties(), which cannot take an object path."""
    mock.props[interface] |= changes
    mock.EmitSignal(dbus.PROPERTIES_IFACE, "PropertiesChanged", "sa{sv}as",
                    [interface, dbus.Dictionary(changes, signature="sv"), dbus.Array([], signature="s")])


def path_of(mock):
    return ACCOUNTS + mock.path.rsplit("/", 1)[1]


def account_of(mock):
    return accounts[path_of(mock)]


def session_of(mock, sender, method):
    session = sessions[mock.path]
    if sender != session.owner:
        raise dbus.DBusException("only who opened the session may use it", name="org.freedesktop.DBus.Error.AccessDenied")
    if method in refusals:
        raise fail(*refusals[method])
    return session


def add_methods(mock, interface, methods):
    """As AddMethods(), for functions that take the caller after @mock, which that one cannot give."""
    def service(name, function):
        def method(self, *args, sender):
            self.call_log.append((int(time.time()), name, args))
            return function(self, sender, *args)
        return method

    for name, in_signature, out_signature, function in methods:
        method = dbus.service.method(interface, out_signature=out_signature)(service(name, function))
        method.__name__ = name
        # dbus-python would look for the arguments in the function's own list
        method._dbus_in_signature = in_signature
        method._dbus_args = [f"arg{i}" for i, _ in enumerate(dbus.Signature(in_signature))]
        method._dbus_sender_keyword = "sender"
        mock.methods[interface][name] = (in_signature, out_signature, "", method)


def without_sender(function):
    return lambda self, _sender, *args: function(self, *args)


def check_type(session, kind):
    if kind not in STRENGTH:
        raise fail("BadValue", f"there is no credential type {kind}")
    preferred = session.account.values["AuthPref"].decode()
    if STRENGTH[kind] < STRENGTH[preferred]:
        raise fail("Downgrade", f"{kind} is weaker than {preferred}")
    if kind == "syncml:auth-basic" and not session.tls:
        raise fail("Downgrade", "syncml:auth-basic is for an encrypted transport only")


# Methods of accounts

def get_tree(self, layout):
    return [(uri, kind, "" if key in SECRETS else (b64(value) if kind == "bin" else value).decode(), key in SECRETS)
            for uri, kind, value, key in account_of(self).nodes(layout)]


def get_tree_with_secrets(self, layout):
    return account_of(self).memfd(layout)


def list_nodes(self, uri):
    uri = uri.rstrip("/")
    account = account_of(self)
    if uri in BASES.values():
        return [account.name]
    if account.find(uri)[1] != "node":
        raise fail("NotPermitted", f"{uri} is a leaf")
    return [node[0][len(uri) + 1:] for layout in BASES for node in account.nodes(layout)
            if node[0].startswith(uri + "/") and "/" not in node[0][len(uri) + 1:]] or dbus.Array([], signature="s")


def get(self, uri):
    _, kind, value, key = account_of(self).find(uri)
    if kind == "node":
        raise fail("NotPermitted", f"{uri} is an interior node")
    if key in SECRETS:
        raise fail("NotPermitted", f"the standard gives no Get of {uri}")
    return kind, dbus.ByteArray(value)


def replace(self, uri, _format, value):
    account_of(self).replace(uri, bytes(value), "local")


def get_origins(self):
    return [(key, origin, "") for key, origin in account_of(self).origins.items()]


def revert(self, keys):
    account_of(self).back([str(key) for key in keys])


def reset(self):
    account_of(self).back([])
    update(self, ACCOUNT, {"Nonces": "burnt", "EverConnected": False, "LastConnected": dbus.UInt64(0)})


def open_session(self, sender, options):
    account = account_of(self)
    if self.props[ACCOUNT]["State"] != "ready":
        raise fail("NotReady", f"account {account.name} is {self.props[ACCOUNT]['State']}: {self.props[ACCOUNT]['Reason']}")
    path = SESSIONS + encode(account.name)
    if path in sessions:
        raise fail("Busy", f"another client has a session of account {account.name}")
    sessions[path] = session = Session(account, sender, bool(options.get("tls", False)))
    self.AddObject(path, SESSION, {"Account": dbus.ObjectPath(self.path), "Owner": sender, "ServerAuthenticated": False,
                                   "ClientAccepted": False}, [])
    add_methods(mockobject.objects[path], SESSION, SESSION_METHODS)
    session.watch = self.connection.watch_name_owner(sender, lambda owner: owner or end_session(self, path))
    self.object_manager_emit_added(path)
    update(self, ACCOUNT, {"Session": dbus.ObjectPath(path)})
    return dbus.ObjectPath(path)


ACCOUNT_METHODS = [
    ("GetTree", "s", "a(sssb)", get_tree), ("GetTreeWithSecrets", "s", "h", get_tree_with_secrets),
    ("List", "s", "as", list_nodes), ("Get", "s", "say", get), ("Replace", "ssay", "", replace),
    ("GetOrigins", "", "a(sss)", get_origins), ("Revert", "as", "", revert), ("Reset", "", "", reset)]


# Methods of sessions

def get_client_credential(self, sender, kind, body):
    session = session_of(self, sender, "GetClientCredential")
    kind = str(kind) or session.type
    check_type(session, kind)
    values = session.values
    return kind, credential(kind, values["UserName"], values["ClientPW"], session.client_nonce, bytes(body))


def challenged(self, sender, kind, client_nonce):
    session = session_of(self, sender, "Challenged")
    check_type(session, str(kind))
    session.challenges += 1
    if session.challenges > 2:
        raise fail("Refused", "the server refuses what there is to try")
    session.type = str(kind)
    session.client_nonce = bytes(client_nonce)


def accepted(self, sender, next_nonce):
    session = session_of(self, sender, "Accepted")
    session.accepted, session.challenges = True, 0
    if next_nonce:
        session.client_nonce = bytes(next_nonce)
    update(self, SESSION, {"ClientAccepted": True})


def fits(session, kind, data, body):
    values = session.values
    wanted = credential(kind, values["ServerID"], values["ServerPW"], session.server_nonce, body)
    if kind == "syncml:auth-MAC":
        # parameters in any order
        wanted, data = ("".join(re.findall(r"mac=([A-Za-z0-9+/=]+)", text)) for text in (wanted, data))
    return hmac.compare_digest(wanted.encode(), data.encode())


def verify_server(self, sender, kind, data, body):
    session = session_of(self, sender, "VerifyServer")
    check_type(session, str(kind))
    if not fits(session, str(kind), str(data), bytes(body)):
        raise fail("WrongCredential", "the server's credential does not fit")
    session.verified = True
    update(self, SESSION, {"ServerAuthenticated": True})


def get_server_nonce(self, sender):
    session = session_of(self, sender, "GetServerNonce")
    session.server_nonce = os.urandom(16)
    return dbus.ByteArray(session.server_nonce)


def verify_notification(self, sender, message):
    session = session_of(self, sender, "VerifyNotification")
    message, values = bytes(message), session.account.values
    digest, trigger = message[:16], message[16:]
    if len(trigger) < 8 or len(trigger) < 8 + trigger[7]:
        raise fail("BadValue", "this is no notification")
    login = b64(md5(values["ServerID"] + b":" + values["ServerPW"]))
    for candidate in (session.server_nonce, RESYNC):
        if hmac.compare_digest(md5(login + b":" + candidate + b":" + b64(md5(trigger))), digest):
            break
    else:
        raise fail("WrongCredential", "the notification's digest does not fit")
    head = int.from_bytes(trigger[:5], "big")
    return (dbus.UInt32(head >> 30), dbus.UInt32(head >> 28 & 3), bool(head >> 27 & 1),
            dbus.UInt32(int.from_bytes(trigger[5:7], "big")), trigger[8:8 + trigger[7]].decode())


def session_replace(self, sender, uri, _format, value):
    session = session_of(self, sender, "Replace")
    if not session.verified:
        raise fail("NotAuthenticated", "the server has not proved who it is")
    session.account.replace(uri, bytes(value), "server")


def get_secrets(self, sender, layout):
    return session_of(self, sender, "GetSecrets").account.memfd(layout)


def set_nonces(self, sender, client, server):
    session = session_of(self, sender, "SetNonces")
    session.client_nonce = bytes(client) or session.client_nonce
    session.server_nonce = bytes(server) or session.server_nonce


def commit(self, sender, authenticated):
    session = session_of(self, sender, "Commit")
    account = mockobject.objects[path_of(self)]
    if not session.verified and not authenticated:
        return
    session.verified = True
    session.account.values |= {"ClientNonce": session.client_nonce, "ServerNonce": session.server_nonce}
    changed = {"Nonces": "session"}
    if session.accepted or authenticated:
        changed |= {"EverConnected": True, "LastConnected": dbus.UInt64(time.time_ns() // 1000)}
    update(account, ACCOUNT, changed)


def end_session(mock, path):
    """@mock: its account."""
    if path in sessions:
        sessions.pop(path).watch.cancel()
        mock.object_manager_emit_removed(path)
        mock.RemoveObject(path)
        update(mock, ACCOUNT, {"Session": dbus.ObjectPath("/")})


def close(self, sender):
    session_of(self, sender, "Close")
    end_session(mockobject.objects[path_of(self)], self.path)


SESSION_METHODS = [
    ("GetClientCredential", "say", "ss", get_client_credential), ("Challenged", "say", "", challenged),
    ("Accepted", "ay", "", accepted), ("VerifyServer", "ssay", "", verify_server),
    ("GetServerNonce", "", "ay", get_server_nonce), ("VerifyNotification", "ay", "uubus", verify_notification),
    ("Replace", "ssay", "", session_replace), ("GetSecrets", "s", "h", get_secrets),
    ("SetNonces", "ayay", "", set_nonces), ("Commit", "b", "", commit), ("Close", "", "", close)]


def load(mock, parameters):
    accounts.clear()
    sessions.clear()
    refusals.clear()
    mock.auth_pref = str(parameters.get("auth_pref", "syncml:auth-md5"))
    mock.AddProperties(MAIN_IFACE, dbus.Dictionary({
        "Version": "0", "State": "ready", "Reason": "", "RefusedTemplates": dbus.Array([], signature="(ss)"),
        "DevId": str(parameters.get("devid", DEVID))}, signature="sv"))
    mock.AddAccount("example", "ready", "")


@dbus.service.method(MOCK_IFACE, in_signature="sss", out_signature="")
def AddAccount(self, account_name, state, reason):
    path = ACCOUNTS + encode(account_name)
    accounts[path] = Account(str(account_name), self.auth_pref)
    self.AddObject(path, ACCOUNT, {
        "Name": account_name, "State": state, "Reason": reason, "ServerID": FACTORY["ServerID"].decode(), "Slot": "example",
        "Profile": "dmacc-1", "Generation": dbus.UInt32(0), "Template": f"/etc/dmacc/accounts.d/{account_name}.conf",
        "Guessable": False, "EverConnected": False, "LastConnected": dbus.UInt64(0), "Nonces": "initial",
        "Session": dbus.ObjectPath("/")}, [])
    # AddObject would put its method Get in the place of that of properties, for all objects
    add_methods(mockobject.objects[path], ACCOUNT,
                [(*method, without_sender(function)) for *method, function in ACCOUNT_METHODS] +
                [("OpenSession", "a{sv}", "o", open_session)])
    self.object_manager_emit_added(path)


@dbus.service.method(MOCK_IFACE, in_signature="sss", out_signature="")
def SetState(_self, account_name, state, reason):
    account = mockobject.objects[ACCOUNTS + encode(account_name)]
    if state != "ready":
        end_session(account, SESSIONS + encode(account_name))
    update(account, ACCOUNT, {"State": state, "Reason": reason})


@dbus.service.method(MOCK_IFACE, in_signature="sss", out_signature="")
def SetRefusal(_self, method, error, message):
    refusals.pop(str(method), None)
    if error:
        refusals[str(method)] = (str(error), str(message))
