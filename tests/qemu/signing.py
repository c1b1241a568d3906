# SPDX-License-Identifier: LGPL-2.1-or-later
"""Keys that sign modules, and signatures, as the kernel's scripts/sign-file makes them."""
import struct
import subprocess

MAGIC = b"~Module signature appended~\n"


def make_key(folder, name):
    """(private key as PEM, certificate as DER); the certificate as PEM is beside it."""
    key, pem, der = (folder / f"module.{ending}" for ending in ("key", "pem", "der"))
    subprocess.run(["openssl", "req", "-new", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "36500", "-sha256",
                    "-subj", f"/CN={name}/", "-keyout", key, "-out", pem], capture_output=True, check=True)
    subprocess.run(["openssl", "x509", "-in", pem, "-outform", "DER", "-out", der], check=True)
    return key, der


def sign(kernel, module, key, certificate):
    subprocess.run([kernel.kdir / "scripts/sign-file", "sha256", key, certificate, module], check=True)


def split(signed):
    """(the module, its PKCS#7 signature); the kernel's struct module_signature is between that and the magic."""
    assert signed.endswith(MAGIC)
    descriptor = signed[-len(MAGIC) - 12:-len(MAGIC)]
    length, = struct.unpack(">I", descriptor[8:])
    end = len(signed) - len(MAGIC) - 12
    return signed[:end - length], signed[end - length:end]
