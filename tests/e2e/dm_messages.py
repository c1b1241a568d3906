# SPDX-License-Identifier: LGPL-2.1-or-later
"""SyncML 1.2 messages of OMA DM, as XML: written, and read into plain objects. And the digests over them."""
import base64
import hashlib
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

CONTENT_TYPE = "application/vnd.syncml.dm+xml"
BASIC, MD5, MAC = "syncml:auth-basic", "syncml:auth-md5", "syncml:auth-MAC"
HEADER = "x-syncml-hmac"


def b64(data):
    return base64.b64encode(data).decode("ascii")


def md5(data):
    return hashlib.md5(data, usedforsecurity=False).digest()


def stored_hash(name, password):
    """All that a digest needs of a password."""
    return b64(md5(f"{name}:{password}".encode()))


def md5_digest(stored, nonce):
    return b64(md5(stored.encode() + b":" + nonce))


def mac_digest(stored, nonce, body):
    return b64(md5(stored.encode() + b":" + nonce + b":" + b64(md5(body)).encode()))


def mac_header(name, digest):
    return f'algorithm=MD5, username="{name}", mac={digest}'


def read_mac_header(value):
    """(user name, digest) of x-syncml-hmac, or None for what is none."""
    pairs = dict(re.findall(r'\s*(\w+)\s*=\s*("[^"]*"|[^,\s]*)\s*(?:,|$)', value))
    if pairs.get("algorithm", "MD5") != "MD5" or "username" not in pairs or "mac" not in pairs:
        return None
    return pairs["username"].strip('"'), pairs["mac"].strip('"')


# Writing: element(name, children) where a child is text that was made so, or None

def element(name, *children, namespace=None):
    inside = "".join(child for child in children if child is not None)
    return f"<{name}" + (f' xmlns="{namespace}"' if namespace else "") + f">{inside}</{name}>"


def text(name, value, namespace=None):
    return element(name, escape(str(value)), namespace=namespace)


def meta(**values):
    """Of the syncml:metinf elements Type, Format, NextNonce, MaxMsgSize."""
    return element("Meta", *(text(name, value, "syncml:metinf") for name, value in values.items() if value is not None))


def credential(kind, data):
    return element("Cred", meta(Format="b64", Type=kind), text("Data", data))


def challenge(kind, nonce):
    """`nonce`: bytes; None for a kind that has none."""
    return element("Chal", meta(Type=kind, Format="b64", NextNonce=b64(nonce) if nonce is not None else None))


def location(name, uri, local_name=None):
    return element(name, text("LocURI", uri), text("LocName", local_name) if local_name else None)


def item(target=None, source=None, data=None, form=None):
    return element("Item", location("Target", target) if target else None,
                   location("Source", source) if source else None,
                   meta(Format=form) if form else None, text("Data", data) if data is not None else None)


def message(session_id, message_id, target, source, body, local_name=None, cred=None):
    """A whole message; `body`: the content of SyncBody."""
    header = element("SyncHdr", text("VerDTD", "1.2"), text("VerProto", "DM/1.2"), text("SessionID", session_id),
                     text("MsgID", message_id), location("Target", target), location("Source", source, local_name),
                     cred, meta(MaxMsgSize=65536))
    whole = element("SyncML", header, element("SyncBody", body), namespace="SYNCML:SYNCML1.2")
    return ('<?xml version="1.0" encoding="UTF-8"?>' + whole).encode()


# Reading

@dataclass
class Cred:
    kind: str
    data: str


@dataclass
class Chal:
    kind: str
    nonce: bytes


@dataclass
class Item:
    target: str
    source: str
    data: str
    form: str


@dataclass
class Command:
    """Of a Status `ref`, `code` and `chal` are filled in, too; of an Alert `code`; of Results `ref`."""
    name: str
    id: str
    items: list
    ref: str = ""
    message_ref: str = ""
    of: str = ""
    code: int = 0
    chal: Chal = None


@dataclass
class Message:
    session_id: str
    id: int
    target: str
    source: str
    local_name: str
    cred: Cred
    commands: list = field(default_factory=list)
    final: bool = False

    def of(self, name):
        return [command for command in self.commands if command.name == name]

    def status_of_header(self):
        """The Status that answers our SyncHdr, or None."""
        return next((status for status in self.of("Status") if status.ref == "0"), None)


class Malformed(Exception):
    """It is no message of OMA DM 1.2."""


def find(node, path):
    """The text of an element by its path, whatever the namespaces; "" if it is not there."""
    for name in path.split("/"):
        node = next((child for child in node if child.tag.rpartition("}")[2] == name), None) if node is not None else None
    return (node.text or "").strip() if node is not None else ""


def child(node, name):
    return next((found for found in node if found.tag.rpartition("}")[2] == name), None)


def read_cred(node):
    cred = child(node, "Cred")
    return Cred(find(cred, "Meta/Type"), find(cred, "Data")) if cred is not None else None


def read_chal(node):
    chal = child(node, "Chal")
    if chal is None:
        return None
    nonce = find(chal, "Meta/NextNonce")
    return Chal(find(chal, "Meta/Type"), base64.b64decode(nonce) if nonce else None)


def read_item(node):
    return Item(find(node, "Target/LocURI"), find(node, "Source/LocURI"), find(node, "Data"), find(node, "Meta/Format"))


def read_command(node):
    name = node.tag.rpartition("}")[2]
    number = find(node, "Data") if name in ("Status", "Alert") else ""
    return Command(name, find(node, "CmdID"), [read_item(n) for n in node if n.tag.rpartition("}")[2] == "Item"],
                   find(node, "CmdRef"), find(node, "MsgRef"), find(node, "Cmd"),
                   int(number) if number.isdigit() else 0, read_chal(node))


def read(data):
    try:
        root = ElementTree.fromstring(data)
    except ElementTree.ParseError as error:
        raise Malformed(str(error)) from error
    header, body = child(root, "SyncHdr"), child(root, "SyncBody")
    if header is None or body is None or find(header, "VerProto") != "DM/1.2" or find(header, "VerDTD") != "1.2":
        raise Malformed("it is no message of DM/1.2")
    if not find(header, "MsgID").isdigit():
        raise Malformed("MsgID is no number")
    found = Message(find(header, "SessionID"), int(find(header, "MsgID")), find(header, "Target/LocURI"),
                    find(header, "Source/LocURI"), find(header, "Source/LocName"), read_cred(header))
    for node in body:
        if node.tag.rpartition("}")[2] == "Final":
            found.final = True
        else:
            found.commands.append(read_command(node))
    return found
