#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The virtual handset's disk: a small Debian with systemd, Debian's stock kernel modules, and what we built.

    rootfs.py ls DISK:PATH      lists a folder of a handset's disk

No step needs root. The Debian is made by mmdebstrap, which for an ordinary user works in a user
namespace; it becomes an ext4 image under fakeroot; what we built is written into a copy of that
image by debugfs. The first two are cached, for each kernel.
"""
import os
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import cache
import initramfs

# What a handset's Debian has, besides what is essential, and what our programs are linked with
PACKAGES = ("systemd-sysv", "dbus", "kmod", "libnl-genl-3-200", "libssl3", "libxml2", "libwbxml2-1", "libjson-c5",
            "libseccomp2", "libtss2-esys-3.0.2-0", "libtss2-mu0", "libtss2-rc0", "libtss2-tcti-device0", "tpm2-tools",
            "libinih1", "libcurl4", "iproute2", "tcpdump")
UNREAD = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")
# The modules of a stock kernel that a guest without real hardware can have a use for
MODULES = ("kernel/crypto", "kernel/arch/x86/crypto", "kernel/lib", "kernel/drivers/virtio", "kernel/fs/autofs",
           "kernel/fs/ext4", "kernel/fs/jbd2", "kernel/fs/mbcache", "kernel/drivers/block/virtio_blk",
           "kernel/drivers/char/virtio_console", "kernel/drivers/net/nlmon", "kernel/drivers/net/virtio_net",
           "kernel/drivers/net/net_failover", "kernel/net/core/failover")
# Neither of the phone nor of ours, and each costs an emulated processor its time
MASKED = ("getty.target", "serial-getty@.service", "systemd-logind.service", "systemd-pstore.service",
          "systemd-remount-fs.service", "kmod-static-nodes.service", "systemd-update-utmp.service",
          "systemd-update-utmp-runlevel.service", "systemd-user-sessions.service", "systemd-binfmt.service",
          "systemd-modules-load.service", "systemd-machine-id-commit.service", "systemd-random-seed.service",
          "systemd-sysctl.service", "systemd-tmpfiles-clean.timer", "systemd-ask-password-console.path",
          "systemd-ask-password-wall.path", "dpkg-db-backup.timer", "fstrim.timer", "e2scrub_all.timer",
          "e2scrub_reap.service", "remote-fs.target", "modprobe@.service", "dev-hugepages.mount", "dev-mqueue.mount",
          "sys-kernel-debug.mount", "sys-kernel-tracing.mount", "sys-kernel-config.mount",
          "sys-fs-fuse-connections.mount", "proc-sys-fs-binfmt_misc.automount")
# The folders of a merged /usr that are symbolic links in the image
MERGED = ("/bin", "/sbin", "/lib")
SIZE = "600M"
# What root's tools are found by, for an ordinary user
os.environ["PATH"] += ":/usr/sbin:/sbin"
ACCOUNTS = ("passwd", "group", "shadow", "gshadow")


def run(command, **options):
    """A tool that prints nothing unless it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                          check=False, **options)
    if done.returncode:
        sys.exit(f"{shlex.join(map(str, command))} failed:\n{done.stdout[-3000:]}")
    return done.stdout


def sources():
    """This machine's own Debian archive, as lines of a sources.list."""
    form = "$(ORIGIN) deb $(REPO_URI) $(CODENAME) $(COMPONENT)"
    targets = run(["apt-get", "indextargets", "--format", form, "Created-By: Packages"]).splitlines()
    lines = sorted({line.removeprefix("Debian ") for line in targets if line.startswith("Debian ")})
    if not lines:
        sys.exit("apt knows no Debian archive here: run apt-get update")
    return lines


def suite():
    """The release that this machine runs: what is built here runs there."""
    release = dict(line.rstrip().split("=", 1) for line in open("/etc/os-release", encoding="utf-8") if "=" in line)
    return release["VERSION_CODENAME"]


def bootstrap(archive, architecture, *options):
    """A tar file of packages of this machine's own archive."""
    command = ["mmdebstrap", "--quiet", f"--architectures={architecture}", *options,
               # what apt was told here about its archives holds for the guest's download, too
               *(f"--aptopt={line}" for line in run(["apt-config", "dump"]).splitlines()
                 if line.startswith(("Acquire::Check-", "Acquire::http"))),
               suite(), archive, "-"]
    run(command, input="\n".join(sources()) + "\n")


def make_debian(folder, architecture, packages):
    bootstrap(folder / "root.tar", architecture, "--variant=essential", f"--include={','.join(packages)}",
              *(f"--dpkgopt=path-exclude={path}" for path in UNREAD))


def debian(more=(), architecture="amd64"):
    """The tar file of the small Debian, with `more` packages.

    Their scripts are run here; those of another architecture emulated.
    """
    packages = (*PACKAGES, *more)
    name = "debian" if architecture == "amd64" else f"debian-{architecture}"
    return cache.entry(f"{name}-{cache.digest(suite(), *packages, *UNREAD)}",
                       lambda folder: make_debian(folder, architecture, packages)) / "root.tar"


def make_image(folder, kernel, more):
    """An ext4 image of Debian and a kernel's modules, and beside it the account database."""
    tree = folder / "root"
    tree.mkdir()
    overlay = folder / "overlay"
    initramfs.copy_modules(kernel, overlay, [], MODULES)
    units = overlay / "etc/systemd/system"
    units.mkdir(parents=True)
    for unit in MASKED:
        (units / unit).symlink_to("/dev/null")
    script = f"""set -e
        tar -xf {debian(more, kernel.machine.architecture)} -C {tree} --exclude='./dev/*'
        cp -r --no-preserve=ownership {overlay}/etc {tree}/
        cp -r --no-preserve=ownership {overlay}/lib/modules {tree}/usr/lib/
        mkdir -p {tree}/var/log/journal
        rm -f {tree}/etc/machine-id
        : > {tree}/etc/machine-id
        echo handset > {tree}/etc/hostname
        touch {tree}/etc/.updated {tree}/var/.updated
        mke2fs -q -t ext4 -O ^metadata_csum -E lazy_itable_init=0 -L handset -d {tree} {folder}/disk {SIZE}"""
    run(["fakeroot", "sh", "-c", script])
    run(["chmod", "-R", "u+rwX", tree])
    for name in ACCOUNTS:
        shutil.copy(tree / "etc" / name, folder)
    (folder / "paths").write_text("".join(f"/{path.relative_to(tree)}\n" for path in tree.rglob("*")))
    shutil.move(overlay / "lib", folder / "lib")
    shutil.rmtree(overlay)
    shutil.rmtree(tree)


def image(kernel, more=()):
    """The folder of an image: `disk`, the account database, the stock modules, `paths`: the names of all files."""
    made_of = debian(more, kernel.machine.architecture).parent.name
    name = f"handset-{kernel.release}-{cache.digest(made_of, *MODULES, *MASKED, SIZE)}"
    return cache.entry(name, lambda folder: make_image(folder, kernel, more))


def in_image(path):
    """Where a path lies in an image, whose /bin, /sbin and /lib are links into /usr."""
    return f"/usr{path}" if path.startswith(tuple(f"{link}/" for link in MERGED)) else path


def debugfs_commands(tree, existing):
    """What writes a folder's content into an image, owned by root."""
    for source in sorted(Path(tree).rglob("*")):
        target = in_image("/" + str(source.relative_to(tree)))
        mode = source.lstat().st_mode
        if target in MERGED:
            continue
        if not stat.S_ISDIR(mode) and target in existing:
            yield f"rm {target}"
        if stat.S_ISLNK(mode):
            yield f"symlink {target} {os.readlink(source)}"
        elif not stat.S_ISDIR(mode):
            yield f"cd {os.path.dirname(target)}"
            yield f"write {source} {os.path.basename(target)}"
        elif target not in existing:
            yield f"mkdir {target}"
            yield f"set_inode_field {target} mode 0{mode:o}"


def write_into(disk, tree, existing):
    commands = "\n".join(debugfs_commands(tree, existing)) + "\n"
    done = subprocess.run(["debugfs", "-w", "-f", "-", disk], input=commands, text=True, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, check=False)
    # debugfs says its version there, and has no exit status for a command that failed
    complaints = [line for line in done.stderr.splitlines() if not line.startswith("debugfs ")]
    if complaints or done.returncode:
        sys.exit(f"{disk} cannot be written:\n" + "\n".join(complaints))


def list_modules(kernel, tree, base):
    """depmod, over the stock modules and those of `tree`."""
    ours = tree / "lib/modules" / kernel.release
    with tempfile.TemporaryDirectory(dir=tree.parent) as folder:
        both = Path(folder) / "lib/modules" / kernel.release
        shutil.copytree(base / "lib/modules" / kernel.release, both)
        shutil.copytree(ours, both, dirs_exist_ok=True, ignore=shutil.ignore_patterns("modules.*"))
        run(["depmod", "-b", folder, kernel.release])
        for path in both.glob("modules.*"):
            shutil.copy(path, ours)


def settle(kernel, tree, base):
    """What a package's scripts would do: list the modules, make the users, enable the units."""
    if (tree / "lib/modules").exists():
        list_modules(kernel, tree, base)
    for name in ACCOUNTS:
        (tree / "etc").mkdir(exist_ok=True)
        shutil.copy(base / name, tree / "etc")
    run(["systemd-sysusers", f"--root={tree}"])
    units = [path.name for folder in ("lib", "usr/lib") for path in (tree / folder / "systemd/system").glob("*")
             if not path.is_symlink() and "[Install]" in path.read_text()]
    if units:
        run(["systemctl", f"--root={tree}", "enable", *units])


def install(kernel, tree, disk, more=()):
    """A disk of a handset: the image of this kernel with the folder `tree` (from make install DESTDIR=) in it.

    `more`: Debian packages that it has besides.
    """
    base = image(kernel, more)
    settle(kernel, tree, base)
    run(["cp", "--reflink=auto", "--sparse=always", base / "disk", disk])
    write_into(disk, tree, set((base / "paths").read_text().splitlines()))


def main():
    if len(sys.argv) != 3 or sys.argv[1] != "ls":
        sys.exit("usage: rootfs.py ls DISK:PATH")
    disk, path = sys.argv[2].split(":", 1)
    print(run(["debugfs", "-R", f"ls -l {path}", disk]))


if __name__ == "__main__":
    main()
