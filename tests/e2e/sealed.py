# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the module seals, read and made from outside: uapi/linux/dmacc_blob.h, with the keys that a test knows."""
import os
import struct
from dataclasses import dataclass, replace

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import owners  # noqa: F401  which finds the reference
import reference

ROOT_MAGIC, SLOT_MAGIC = b"DMACCROO", b"DMACCSLO"
# Name of a field -> where it begins; the last of a root is the rung's own: for wrapped a nonce, R and a tag
ROOT_FIELDS = {"magic": 0, "format": 8, "rung": 9, "flags": 10, "reserved": 11, "root id": 12, "sealed length": 20,
               "tag": 22, "nonce of the master": 38, "sealed R": 50, "tag of the sealed R": 82}
SLOT_FIELDS = {"magic": 0, "format": 8, "rung": 9, "name length": 10, "DevId length": 11, "root id": 12, "name": 20,
               "KeyId": 52, "key version": 60, "DevId": 64, "nonce": 84, "sealed key": 96, "tag": 128}
SLOT_HEADER = struct.Struct(">8sBBBB8s32s8sI20s")


def flip(blob, at):
    """A bit of the byte at `at` is another one."""
    return blob[:at] + bytes([blob[at] ^ 1]) + blob[at + 1:]


def open_root(blob, master):
    """R, of a root of rung wrapped."""
    sealed = blob[38:]
    return AESGCM(master).decrypt(sealed[:12], sealed[12:], None)


def root_id(root):
    return reference.kdf(root, "DMAcc-1:RootId", b"", 256)[:8]


def blob_key(root):
    return reference.kdf(root, "DMAcc-1:Blob", root_id(root), 256)


def store_key(root):
    return reference.kdf(root, "DMAcc-1:Store", root_id(root), 256)


@dataclass(frozen=True)
class Slot:
    """A device key as it is sealed into a slot's blob."""
    name: str
    key_id: bytes
    key_version: int
    devid: str
    key: bytes
    rung: int = 2

    @classmethod
    def open(cls, blob, root):
        _, _, rung, name_len, devid_len, _, name, key_id, version, devid = SLOT_HEADER.unpack(blob[:84])
        key = AESGCM(blob_key(root)).decrypt(blob[84:96], blob[96:], blob[:84])
        return cls(name[:name_len].decode(), key_id, version, devid[:devid_len].decode(), key, rung)

    def seal(self, root):
        header = SLOT_HEADER.pack(SLOT_MAGIC, 1, self.rung, len(self.name), len(self.devid), root_id(root),
                                  self.name.encode(), self.key_id, self.key_version, self.devid.encode())
        nonce = os.urandom(12)
        return header + nonce + AESGCM(blob_key(root)).encrypt(nonce, self.key, header)

    def but(self, **changes):
        return replace(self, **changes)
