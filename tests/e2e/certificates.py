# SPDX-License-Identifier: LGPL-2.1-or-later
"""An authority for tests, and certificates of servers under it."""
import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

# A handset's clock may be another than this machine's
SPAN = datetime.timedelta(days=3650)


def write(path, *objects):
    with open(path, "wb") as file:
        for thing in objects:
            if isinstance(thing, x509.Certificate):
                file.write(thing.public_bytes(serialization.Encoding.PEM))
            else:
                file.write(thing.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                               serialization.NoEncryption()))
    return path


class Authority:
    """`file`: its certificate, for who trusts it."""

    def __init__(self, folder, name="Test authority"):
        self.folder, self.key = folder, ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        own = x509.BasicConstraints(ca=True, path_length=0)
        self.certificate = self._sign(self.name, self.key.public_key(), own)
        self.file = write(folder / f"{name.replace(' ', '-')}.pem", self.certificate)

    def _sign(self, subject, public_key, *extensions):
        now = datetime.datetime.utcnow()
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(self.name).public_key(public_key)
                   .serial_number(x509.random_serial_number()).not_valid_before(now - SPAN).not_valid_after(now + SPAN))
        for extension in extensions:
            builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        return builder.sign(self.key, hashes.SHA256())

    def server(self, host):
        """(certificate, key) files of a server of that name."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        names = x509.SubjectAlternativeName([x509.DNSName(host)])
        certificate = self._sign(subject, key.public_key(), names, x509.BasicConstraints(ca=False, path_length=None))
        return (write(self.folder / f"{host}.pem", certificate), write(self.folder / f"{host}.key", key))
