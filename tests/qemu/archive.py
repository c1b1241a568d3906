# SPDX-License-Identifier: LGPL-2.1-or-later
"""This machine's Debian archive, for another architecture than its own; dpkg and apt here are not told of it."""
import subprocess
import tempfile
from pathlib import Path

import cache
from rootfs import bootstrap, run, sources, suite

HOST_PACKAGES = Path(__file__).resolve().parent.parent / "host-packages"


def apt_options(architecture, state):
    """What makes apt use lists of its own, in the folder `state`."""
    (state / "sources.list").write_text("\n".join(sources()) + "\n")
    for folder in ("lists/partial", "cache/archives/partial"):
        (state / folder).mkdir(parents=True)
    values = {"Dir::Etc::SourceList": state / "sources.list", "Dir::Etc::SourceParts": "-",
              "Dir::State::Lists": state / "lists", "Dir::State::Status": "/dev/null", "Dir::Cache": state / "cache",
              "APT::Architecture": architecture, "APT::Architectures::": architecture,
              # apt's own user cannot write into a folder of ours
              "APT::Sandbox::User": "root"}
    return ["-q", *(word for name, value in values.items() for word in ("-o", f"{name}={value}"))]


def unpack(architecture, packages, folder):
    """Downloads packages and unpacks them, without what they depend on."""
    with tempfile.TemporaryDirectory() as state:
        options = apt_options(architecture, Path(state))
        run(["apt-get", *options, "update"])
        run(["apt-get", *options, "download", *packages], cwd=state)
        for package in Path(state).glob("*.deb"):
            run(["dpkg-deb", "-x", package, folder])


def host_packages(verb):
    """The packages that tests/host-packages names for this machine."""
    return subprocess.run([HOST_PACKAGES, verb, "--list"], text=True, capture_output=True, check=True).stdout.split()


def needed():
    """The libraries that userspace is built with, and a busybox."""
    return [*(name for name in host_packages("build") if name.endswith("-dev")), "busybox-static"]


def make_sysroot(folder, architecture):
    """Unpacked, not configured: nothing of it is run here."""
    archive = folder / "sysroot.tar"
    bootstrap(archive, architecture, "--variant=extract", f"--include={','.join(needed())}")
    run(["tar", "-xf", archive, "-C", folder, "--exclude=./dev/*"])
    archive.unlink()


def sysroot(architecture):
    """The folder of what programs for this architecture are built with."""
    return cache.entry(f"sysroot-{architecture}-{cache.digest(suite(), *needed())}",
                       lambda folder: make_sysroot(folder, architecture))
