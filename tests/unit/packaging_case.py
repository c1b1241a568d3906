# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the packages of each distribution are compared with: Debian's lists, applied to what meson installs."""
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tests/qemu"))

from product import MODULE_SOURCES, VERSION  # noqa: E402

BUILD = Path(os.environ.get("DMACC_BUILD", TOP / "build"))
DEBIAN = TOP / "packaging/debian"
PACKAGES = ("dmacc", "dmacc-fleet", "dmacc-libdmclient", "dmacc-doc", "libdmacc0", "libdmacc-dev", "libdmacc-client0",
            "libdmacc-client-dev")


def run(*command, **options):
    return subprocess.run(command, text=True, capture_output=True, check=False, **options)


def output(*command, **options):
    done = run(*command, **options)
    assert not done.returncode, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def recipes(folder):
    """What packaging/recipes.sh makes of this checkout, in `folder`."""
    output(TOP / "packaging/recipes.sh", folder)
    return Path(folder)


def files(tree, *below):
    """The files of a tree, or of parts of it, as paths of an installed system."""
    found = set()
    for part in below or (".",):
        found |= {path for path in [Path(tree, part), *Path(tree, part).rglob("*")]
                  if path.is_symlink() or path.is_file()}
    return {"/" + str(path.relative_to(tree)) for path in found}


def module_sources():
    return {str(path.relative_to(TOP)) for pattern in MODULE_SOURCES for path in TOP.glob(pattern)
            if path.name != "dmacc.mod.c"}


def move(source, target):
    """Into a folder that may be there already; folders with nothing in them, too."""
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.rglob("*")):
        place = target / path.relative_to(source)
        if path.is_dir() and not path.is_symlink():
            place.mkdir(exist_ok=True)
        else:
            path.rename(place)
    shutil.rmtree(source)


def install(folder, build=BUILD):
    """What meson installs, in `folder` as with the prefix /usr and the libraries in /usr/lib."""
    folder = Path(folder)
    output("meson", "install", "-C", build, "--no-rebuild", "--quiet", env=os.environ | {"DESTDIR": str(folder)})
    # a build for developers has meson's own prefix
    if (folder / "usr/local").exists():
        move(folder / "usr/local/etc", folder / "etc")
        move(folder / "usr/local", folder / "usr")
    for libraries in [*folder.glob("usr/lib/*-linux-gnu*"), *folder.glob("usr/lib64")]:
        move(libraries, folder / "usr/lib")
    return folder


def debian_split(tree):
    """{package: files} of an installed tree, by the lists in packaging/debian."""
    places = {"DEB_HOST_MULTIARCH": ".", "UNITS": "usr/lib/systemd/system", "UDEV": "usr/lib/udev"}
    work = Path(f"{tree}-debian")
    (work / "debian").mkdir(parents=True)
    (work / "debian/tmp").symlink_to(Path(tree).resolve())
    split = {}
    for package in PACKAGES:
        path = DEBIAN / f"{package}.install"
        text = path.read_text()
        if os.access(path, os.X_OK):
            text = output("sh", path, cwd=work, env=os.environ | places)
        text = re.sub(r"\$\{(?:env:)?(\w+)\}", lambda found: places[found[1]], text)
        patterns = [line.split()[0] for line in text.splitlines() if line and not line.startswith("#")]
        split[package] = set()
        for pattern in patterns:
            matches = [str(path.relative_to(tree)) for path in Path(tree).glob(pattern)]
            assert matches, f"{package}: nothing is {pattern}"
            split[package] |= files(tree, *matches)
    shutil.rmtree(work)
    return split


def alpine_split(tree, systemd=True):
    """What of an installed tree goes into which package of Alpine's, by Debian's lists and Alpine's custom. Yocto's is
    the same but for units and rules, which have no packages of their own there."""
    debian = debian_split(tree)
    everything = set().union(*debian.values())
    split = {"dmacc-doc": {name for name in everything if name.startswith(("/usr/share/man/", "/usr/share/doc/"))}}
    for shell, folder in (("bash", "bash-completion"), ("fish", "fish"), ("zsh", "zsh")):
        split[f"dmacc-{shell}-completion"] = {name for name in everything if name.startswith(f"/usr/share/{folder}/")}
    if systemd:
        for name in ("systemd", "udev"):
            split[f"dmacc-{name}"] = {path for path in everything if path.startswith(f"/usr/lib/{name}/")}
    taken = set().union(*split.values())
    split["dmacc-dev"] = (debian["libdmacc-dev"] | debian["libdmacc-client-dev"]) - taken
    for package, name in (("dmacc", "dmacc"), ("dmacc-fleet", "dmacc-fleet"), ("dmacc-libdmclient", "dmacc-libdmclient"),
                          ("libdmacc0", "libdmacc"), ("libdmacc-client0", "libdmacc-client")):
        split[name] = debian[package] - taken
    return split


class Aport:
    """A folder with an APKBUILD, of which functions are run by sh with what abuild has for them."""

    def __init__(self, folder, work):
        self.folder, self.work = Path(folder), Path(work)

    def run(self, *lines, path=()):
        lines = ['. "$DATA/abuild.sh"', '. "$APORT/APKBUILD"', 'abuild_prepare "$APORT"', *lines]
        data = TOP / "tests/e2e/data"
        return output("sh", "-c", "\n".join(lines), env=os.environ | {
            "DATA": str(data), "APORT": str(self.folder), "ABUILD_WORK": str(self.work),
            "PATH": ":".join([*map(str, path), str(data), os.environ["PATH"]])})

    def packages(self):
        """{package: files} after abuild_package."""
        return {path.name: files(path) for path in (self.work / "pkg").iterdir()}
