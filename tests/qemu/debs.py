# SPDX-License-Identifier: LGPL-2.1-or-later
"""Our Debian packages, built once for all that tests them."""
import email
import fcntl
import hashlib
import os
import shutil
import subprocess

import archive
import product
import rootfs

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


def kept(name, make):
    """The folder of packages that make(a folder of this name) leaves in its deb/, made again if the sources have changed."""
    folder = TOP / name
    folder.mkdir(exist_ok=True)
    with open(folder / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp, digest = folder / "stamp", sources_digest()
        if not stamp.exists() or stamp.read_text() != digest:
            shutil.rmtree(folder / "deb", ignore_errors=True)
            make(folder)
            stamp.write_text(digest)
    return folder / "deb"


def build(version=""):
    """The folder of our packages, of the version in VERSION or of another."""
    os.environ["DEB_BUILD_OPTIONS"] = "noautodbgsym"
    return kept(f"build-deb{version and '-'}{version}",
                lambda folder: product.make("deb", f"B={folder}", f"DEB_VERSION={version}"))


def needed(architecture):
    """What a Debian of this machine's has to build packages of another one: tools of its own, libraries of the other's,
    and the pkg-config that finds these."""
    return ["build-essential", f"crossbuild-essential-{architecture}", f"pkgconf:{architecture}",
            *(f"{name}:{architecture}" if name.endswith("-dev") and "lib" in name else name
              for name in archive.host_packages("deb"))]


def cross_build(architecture):
    """The folder of our packages for another architecture, made as packaging/debian/README.md says, in a Debian that is
    there for that and gone afterwards."""
    def make(folder):
        sources = folder / "dmacc"
        shutil.rmtree(sources, ignore_errors=True)
        rootfs.run([TOP / "packaging/copy-sources.sh", sources])
        command = f"DEB_BUILD_OPTIONS=noautodbgsym make -C /dmacc deb ARCH={architecture} NO_APT=1"
        rootfs.bootstrap("/dev/null", f"amd64,{architecture}", "--variant=essential",
                         f"--include={','.join(needed(architecture))}", f"--customize-hook=copy-in {sources} /",
                         f'--customize-hook=chroot "$1" sh -c "{command}"',
                         f"--customize-hook=copy-out /dmacc/build/deb {folder}")
        shutil.rmtree(sources)
    return kept(f"build-deb-{architecture}", make)


def made(version="", architecture="amd64"):
    """All files that a version's archive has, the source package as well."""
    folder = build(version) if architecture == "amd64" else cross_build(architecture)
    return [path for kind in ("deb", "dsc", "tar.*") for path in folder.glob(f"*.{kind}")]


def tests():
    """What the source package brings for autopkgtest: name of each script -> the fields of its paragraph."""
    lines = (TOP / "packaging/debian/tests/control").read_text(encoding="ascii").splitlines()
    text = "\n".join(line for line in lines if not line.startswith("#"))
    paragraphs = [email.message_from_string(part) for part in text.split("\n\n")]
    return {name: fields for fields in paragraphs for name in fields["Tests"].replace(",", " ").split()}
