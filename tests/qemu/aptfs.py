# SPDX-License-Identifier: LGPL-2.1-or-later
"""A Debian with apt and a compiler, for packages to be installed in: all of its archive that they need is in a folder
of its disk, for there is no network."""
import shutil
import subprocess
from pathlib import Path

import cache
import handset
import initramfs
import rootfs

# What is there before: systemd, and a compiler, which takes an emulated processor very long to install
BASE = ("systemd-sysv", "dbus", "kmod", "iproute2", "gcc", "make", "libc6-dev", "dpkg-dev", "dctrl-tools", "bzip2",
        "patch", "pkgconf", "sudo", "autopkgtest")
# What apt is to find, beside what it depends on: that of our packages, and what their tests use
ARCHIVE = ("dkms", "libcurl4", "libinih1", "libjson-c5", "libnl-genl-3-200", "libp11-kit0", "libseccomp2",
           "libssl3", "libssl-dev", "libsystemd-dev", "libwbxml2-1", "libxml2", "linux-headers-amd64")
HEADERS = "linux-headers-{}"
# What a handset has for its packages beside rootfs.PACKAGES
SMALL = ("apt", "libp11-kit0")
SIZE = "2500M"
SOURCES = """deb [trusted=yes] file:/srv/debian ./
deb [trusted=yes] file:/srv/dmacc ./
"""
APT_CONF = """APT::Install-Recommends "false";
APT::Sandbox::User "root";
Acquire::Languages "none";
Dpkg::Use-Pty "false";
"""
KERNEL_CONTROL = """Package: {name}
Version: {version}
Architecture: {architecture}
Maintainer: dmacc developers <dmacc@example.org>
Description: stands for the kernel that QEMU boots, whose modules are on the disk
"""
KERNEL_POSTINST = """#!/bin/sh
exec run-parts --report --exit-on-error --arg={release} /etc/kernel/postinst.d
"""


def empty_kernel(folder, kernel, version):
    """A package of this kernel's name without the 100 MB of it, of which QEMU boots nothing, and without an initramfs to
    be made. It does what that does for others: it runs what is in /etc/kernel/postinst.d. Returns its file."""
    architecture, control = kernel.machine.architecture, folder / "control/DEBIAN"
    name = f"linux-image-{kernel.release}"
    package = folder / f"{name}_{architecture}.deb"
    handset.add_file(control / "control", KERNEL_CONTROL.format(name=name, version=version, architecture=architecture))
    handset.add_file(control / "postinst", KERNEL_POSTINST.format(release=kernel.release), 0o755)
    rootfs.run(["dpkg-deb", "--root-owner-group", "-b", control.parent, package])
    shutil.rmtree(control.parent)
    return package


def stand_in(folder, kernel):
    """Newer headers depend on their kernel's package: an empty one takes its place."""
    for package in folder.glob(f"linux-image-{kernel.release}_*.deb"):
        version = rootfs.run(["dpkg-deb", "-f", package, "Version"]).strip()
        package.unlink()
        empty_kernel(folder, kernel, version)


def index(folder):
    """Makes a folder of packages one that apt can use."""
    with open(folder / "Packages", "w", encoding="utf-8") as out:
        subprocess.run(["dpkg-scanpackages", "--multiversion", "."], cwd=folder, stdout=out, stderr=subprocess.PIPE,
                       check=True)


def make_debian(folder):
    rootfs.bootstrap(folder / "root.tar", "amd64", "--variant=apt", f"--include={','.join(BASE)}",
                     *(f"--dpkgopt=path-exclude={path}" for path in rootfs.UNREAD))


def debian():
    return cache.entry(f"debian-apt-{cache.digest(rootfs.suite(), *BASE, *rootfs.UNREAD)}", make_debian) / "root.tar"


def download(folder, tree, names):
    """What apt would fetch in the Debian `tree` for these packages, into `folder`."""
    (folder / "partial").mkdir(parents=True)
    options = (f"Dir::State::status={tree}/var/lib/dpkg/status", f"Dir::Cache::archives={folder}", "Debug::NoLocking=1",
               "APT::Sandbox::User=", "Dir::State::extended_states=/dev/null")
    rootfs.run(["apt-get", "-q", "-y", "-d", "--no-install-recommends",
                *(word for option in options for word in ("-o", option)), "install", *names])
    shutil.rmtree(folder / "partial")
    (folder / "lock").unlink(missing_ok=True)


def make_image(folder, kernels):
    tree, overlay = folder / "root", folder / "overlay"
    tree.mkdir()
    for kernel in kernels:
        initramfs.copy_modules(kernel, overlay, [], rootfs.MODULES)
    handset.add_channel(overlay)
    handset.add_file(overlay / "etc/apt/sources.list", SOURCES)
    # the disk is gone after the test
    handset.add_file(overlay / "etc/dpkg/dpkg.cfg.d/quick", "force-unsafe-io\n")
    handset.add_file(overlay / "etc/apt/apt.conf.d/quick", APT_CONF)
    for unit in (*rootfs.MASKED, "apt-daily.timer", "apt-daily-upgrade.timer"):
        (overlay / "etc/systemd/system" / unit).symlink_to("/dev/null")
    rootfs.run(["tar", "-xf", debian(), "-C", folder, "./var/lib/dpkg/status"])
    download(overlay / "srv/debian", folder, [*ARCHIVE, *(HEADERS.format(kernel.release) for kernel in kernels)])
    for kernel in kernels:
        stand_in(overlay / "srv/debian", kernel)
    index(overlay / "srv/debian")
    script = f"""set -e
        tar -xf {debian()} -C {tree} --exclude='./dev/*'
        cp -r --no-preserve=ownership {overlay}/etc {overlay}/srv {overlay}/usr {tree}/
        cp -r --no-preserve=ownership {overlay}/lib/modules {tree}/usr/lib/
        mkdir -p {tree}/var/log/journal {tree}/srv/dmacc
        rm -f {tree}/etc/machine-id
        : > {tree}/etc/machine-id
        echo handset > {tree}/etc/hostname
        touch {tree}/etc/.updated {tree}/var/.updated
        mke2fs -q -t ext4 -O ^metadata_csum -E lazy_itable_init=0 -L handset -d {tree} {folder}/disk {SIZE}"""
    rootfs.run(["fakeroot", "sh", "-c", script])
    for made in (tree, overlay, folder / "var"):
        rootfs.run(["chmod", "-R", "u+rwX", made])
        shutil.rmtree(made)


def image(kernels):
    """A disk of a handset that has apt, the modules of these kernels and none of their headers."""
    releases = [kernel.release for kernel in kernels]
    made_of = cache.digest(debian().parent.name, *releases, *ARCHIVE, SIZE, SOURCES, APT_CONF, KERNEL_CONTROL,
                           KERNEL_POSTINST, *rootfs.MODULES, *rootfs.MASKED, handset.CHANNEL)
    return cache.entry(f"apt-{releases[0]}-{made_of}", lambda folder: make_image(folder, kernels)) / "disk"


def small_disk(disk, folder, kernel):
    """A handset as small as the others, with apt and without a compiler, for what needs none; all that our packages
    depend on is installed, and its archive is empty."""
    tree = Path(folder) / "small"
    handset.add_channel(tree)
    handset.add_file(tree / "etc/apt/sources.list", SOURCES.splitlines()[1] + "\n")
    handset.add_file(tree / "etc/apt/apt.conf.d/quick", APT_CONF)
    (tree / "srv/dmacc").mkdir(parents=True)
    rootfs.install(kernel, tree, disk, SMALL)


def put(disk, folder, packages):
    """Writes packages into the disk's own archive."""
    target = Path(folder) / "tree/srv/dmacc"
    target.mkdir(parents=True)
    for package in packages:
        shutil.copy(package, target)
    index(target)
    rootfs.write_into(disk, target.parent.parent, {"/srv", "/srv/dmacc"})
