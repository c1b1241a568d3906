#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""dmaccctl factory and dmacc-unseal with the real module, over netlink alone, on Debian's stock kernels.

    test_factory.py [6.1|6.12 ...]

The guest's scripts are factory-*.sh beside this file. What the first boot stored is taken to the next.
"""
import base64
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import test_module
from test_module import HERE, IMEI, TOP

import kernel as kernels
import signing

KEY_1 = "ba946193ab736b31b712e4f52e4f43965b554e0557ea26c8e28a4997badaf499"
KEY_2 = "35ce72f146cd78a39075eaa534dc408517b24cc9767ce2b0ffdde64d18c2df9f"
SECRETS = [KEY_1, KEY_2, "VVWHHJPJY3VV7GRTDCYZB5W7PR4AZLSO", "LX37WNX7VWGHGEZJ377UIPJCX4RCYCPK"]
PROGRAMS = ("agent/dmaccctl/dmaccctl", "agent/dmacc-unseal/dmacc-unseal")
FLEET = "agent/dmacc-fleet/dmacc-fleet"


def build_programs(folder):
    """As a package has them, without sanitizers: a guest is slow enough."""
    build = Path(folder) / "build"
    for command in (["meson", "setup", "-Dtests=disabled", build, TOP], ["ninja", "-C", build, *PROGRAMS, FLEET]):
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return [build / name for name in PROGRAMS]


def libraries(program):
    """Shared libraries of a program, and its loader: name in the guest -> path here."""
    out = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
    found = {f"lib/{Path(path).name}": Path(path) for path in re.findall(r"=> (/\S+)", out)}
    loader = re.search(r"^\s*(/\S*ld-linux\S*)", out, re.MULTILINE)[1]
    return found | {loader.lstrip("/"): Path(loader)}


def flip(blob, at):
    return blob[:at] + bytes([blob[at] ^ 1]) + blob[at + 1:]


class Handset(test_module.Handset):
    """The same, with the phone's programs in it and the keys that the factory injects."""

    def __init__(self, kernel, module, folder, tap, programs):
        super().__init__(kernel, module, folder, tap)
        for program in programs:
            self.files |= {f"guest/{program.name}": program} | libraries(program)
        self.files |= {
            "etc/passwd": b"root:x:0:0::/:/bin/sh\ndmacc:x:1001:1001::/:/bin/false\n",
            "guest/logged": HERE / "logged.sh", "guest/secrets": "\n".join(SECRETS + [""]).encode(),
            "guest/alpha.key": KEY_1.encode(), "guest/beta.key": KEY_2.encode() + b"\n",
            "guest/zero.key": b"0" * 64, "guest/short.key": KEY_1[:62].encode(), "guest/public.key": KEY_1.encode()}


def stored(factory):
    """What the first boot left in its store, and damaged forms of it, for the next."""
    blobs = {name: base64.b64decode(factory.values(f"{place}{name}")[0])
             for name, place in (("root", ""), ("master", ""), ("alpha", "slots/"), ("beta", "slots/"))}
    blobs["root-flipped"] = flip(blobs["root"], len(blobs["root"]) - 1)
    blobs["beta-flipped"] = flip(blobs["beta"], len(blobs["beta"]) - 1)
    files = {f"guest/store/{name}": blob for name, blob in blobs.items()}
    secrets = "\n".join([*SECRETS, blobs["master"].decode().strip(), ""])
    return files | {"guest/secrets": secrets.encode()}


def report_verifies(factory, fleet, tap, series):
    """A real device's report, a thousand times, is what dmacc-fleet verify takes."""
    report = base64.b64decode(factory.values("report")[0])
    with tempfile.NamedTemporaryFile("w") as key:
        key.write("".join(f"{i:02x}" for i in range(32)))
        key.flush()
        done = subprocess.run([fleet, "verify", "--key", key.name, "--slot", "alpha"], input=report * 1000,
                              capture_output=True, check=False)
    tap.test(done.returncode == 0 and done.stdout.count(b",match,KeyId UserName\n") == 1000,
             f"{series}: the report of the factory verifies with dmacc-fleet", done.stdout[-300:], done.stderr[-300:])


def test_signing(handset, folder):
    """A kernel that takes signed modules only, on its command line, as Secure Boot would have it."""
    key, certificate = signing.make_key(Path(folder), "Nobody's key")
    signed = Path(shutil.copy(handset.modules[0], Path(folder) / "signed.ko"))
    signing.sign(handset.kernel, signed, key, certificate)
    handset.command_line = "module.sig_enforce=1"
    handset.boot("factory-unsigned.sh", IMEI, **{"guest/signed.ko": signed})


def test_kernel(series, programs, tap):
    with tempfile.TemporaryDirectory() as folder:
        kernel = kernels.Kernel(series)
        module = test_module.build_module(kernel, folder, tap)
        handset = Handset(kernel, module, folder, tap, programs)
        factory = handset.boot("factory-inject.sh", IMEI)
        report_verifies(factory, programs[0].parents[2] / FLEET, tap, series)
        handset.boot("factory-field.sh", IMEI, **stored(factory))
        handset.boot("factory-full.sh", IMEI)
        handset.boot("factory-nobody.sh", [])
        if series == kernels.SERIES[-1]:
            test_signing(handset, folder)


def main():
    tap = test_module.Tap()
    with tempfile.TemporaryDirectory() as folder:
        programs = build_programs(folder)
        for series in sys.argv[1:] or kernels.SERIES:
            test_kernel(series, programs, tap)
    print(f"1..{tap.count}")
    return 1 if tap.failed or not tap.count else 0


if __name__ == "__main__":
    sys.exit(main())
