# SPDX-License-Identifier: LGPL-2.1-or-later
"""Our Debian packages, built once for all that tests them."""
import email
import fcntl
import hashlib
import os
import shutil
import subprocess

import product

TOP = product.TOP
# A later version for tests of upgrades: the same sources under a higher number
NEXT = f"{product.VERSION}.1"


def sources_digest():
    """Of all that a package is made of."""
    names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=TOP, text=True, check=True,
                           capture_output=True).stdout.split("\n")
    found = hashlib.sha256()
    for name in sorted(filter(None, names)):
        # what is only run here makes no other package
        if (TOP / name).is_file() and (not name.startswith("tests/") or name.endswith(("meson.build", ".c", ".h"))):
            found.update(name.encode() + b"\0" + (TOP / name).read_bytes())
    return found.hexdigest()


def build(version=""):
    """The folder of our packages, of the version in VERSION or of another; built if the sources have changed."""
    folder = TOP / f"build-deb{version and '-'}{version}"
    folder.mkdir(exist_ok=True)
    with open(folder / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp, digest = folder / "stamp", sources_digest()
        if not stamp.exists() or stamp.read_text() != digest:
            shutil.rmtree(folder / "deb", ignore_errors=True)
            os.environ["DEB_BUILD_OPTIONS"] = "noautodbgsym"
            product.make("deb", f"B={folder}", f"DEB_VERSION={version}")
            stamp.write_text(digest)
    return folder / "deb"


def made(version=""):
    """All files that a version's archive has, the source package as well."""
    folder = build(version)
    return [path for kind in ("deb", "dsc", "tar.*") for path in folder.glob(f"*.{kind}")]


def tests():
    """What the source package brings for autopkgtest: name of each script -> the fields of its paragraph."""
    lines = (TOP / "packaging/debian/tests/control").read_text(encoding="ascii").splitlines()
    text = "\n".join(line for line in lines if not line.startswith("#"))
    paragraphs = [email.message_from_string(part) for part in text.split("\n\n")]
    return {name: fields for fields in paragraphs for name in fields["Tests"].replace(",", " ").split()}
