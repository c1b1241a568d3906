# SPDX-License-Identifier: LGPL-2.1-or-later
"""A guest in memory: busybox, the kernel's crypto modules, our module, files, and a script to run."""
import lzma
import shutil
import subprocess
from pathlib import Path

APPLETS = ("sh", "cat", "cp", "cut", "dd", "dmesg", "echo", "grep", "id", "insmod", "kill", "ls", "lsmod", "mkdir",
           "modprobe", "mount", "printf", "rmmod", "sed", "seq", "sleep", "test", "tr", "wait", "wc", "reboot")

# The kernel calls modprobe by this path, which is how asking for a family loads a module
INIT = """#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t debugfs debug /sys/kernel/debug
echo /bin/modprobe > /proc/sys/kernel/modprobe
# Without a daemon audit records go to the kernel's log, where some would be left out
echo 0 > /proc/sys/kernel/printk_ratelimit
dmesg -n 1
echo "GUEST BEGINS"
sh /guest/main
echo "GUEST $?"
leaks=/sys/kernel/debug/kmemleak
if [ -e $leaks ]; then
	# what is younger than five seconds is not looked at, and what is seen once may be on its way
	sleep 6
	echo scan > $leaks
	echo scan > $leaks
	sed 's/^/DMESG /' $leaks
fi
dmesg | sed 's/^/DMESG /'
reboot -f
"""


CRYPTO = ("kernel/crypto", "kernel/arch/x86/crypto", "kernel/lib/crypto")


def find_modules(path):
    return path.rglob("*.ko*") if path.is_dir() else path.parent.glob(f"{path.name}.ko*")


def copy_modules(kernel, root, ours, parts=CRYPTO):
    """The stock modules in these folders or of these names, unpacked if compressed, and ours in updates/."""
    target = root / "lib/modules" / kernel.release
    target.mkdir(parents=True)
    for part in parts:
        part = part.replace("arch/x86", f"arch/{kernel.machine.linux}")
        for source in find_modules(kernel.modules / part):
            place = target / source.relative_to(kernel.modules)
            place.parent.mkdir(parents=True, exist_ok=True)
            if source.suffix == ".xz":
                place.with_suffix("").write_bytes(lzma.decompress(source.read_bytes()))
            else:
                shutil.copy(source, place)
    for name in ("modules.builtin", "modules.order", "modules.builtin.modinfo"):
        shutil.copy(kernel.modules / name, target)
    (target / "updates").mkdir()
    for module in ours:
        shutil.copy(module, target / "updates")
    subprocess.run(["/sbin/depmod", "-b", root, kernel.release], check=True)


def copy_programs(root, busybox, files):
    (root / "bin").mkdir()
    shutil.copy(busybox, root / "bin/busybox")
    for applet in APPLETS:
        (root / "bin" / applet).symlink_to("busybox")
    for name, source in files.items():
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(source, bytes):
            place.write_bytes(source)
        else:
            shutil.copy(source, place)
    (root / "init").write_text(INIT)
    (root / "init").chmod(0o755)


def build(folder, kernel, modules, files, parts=()):
    """Writes the initramfs into `folder` and returns its path. `files`: name -> path or bytes; `parts`: of the stock
    modules, beside crypto.
    """
    root = Path(folder) / "root"
    for name in ("proc", "sys", "dev", "tmp"):
        (root / name).mkdir(parents=True)
    copy_programs(root, kernel.machine.busybox, files)
    copy_modules(kernel, root, modules, (*CRYPTO, *parts))
    return pack(root, Path(folder) / "initramfs")


def pack(root, archive):
    names = "\n".join(str(path.relative_to(root)) for path in sorted(root.rglob("*")))
    with open(archive, "wb") as out:
        subprocess.run(["cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0"], input=names.encode(), stdout=out,
                       cwd=root, check=True)
    return archive
