# SPDX-License-Identifier: LGPL-2.1-or-later
# A kernel with module.sig_enforce=1: the module is unsigned first, then signed with a key that nobody enrolled.
. /guest/guest.sh

updates=/lib/modules/$(busybox uname -r)/updates
enrol="'mokutil --import /var/lib/dkms/mok.pub', then reboot"

check "the kernel takes signed modules only" 0 "Y" cat /sys/module/module/parameters/sig_enforce
# busybox exits with the errno, which is EKEYREJECTED
check "and refuses one that is not" 129 "Key was rejected by service" insmod $updates/dmacc.ko
check "which the status says, and what to do" 1 \
	"the module dmacc is not signed, and this kernel takes signed ones only (EKEYREJECTED).*$enrol" /guest/dmaccctl status
check "doctor has it as no-module, with the cause" 1 "the module dmacc is not signed.*$enrol" /guest/dmaccctl doctor
check "factory verify says the same" 2 "the module dmacc is not signed.*$enrol" /guest/dmaccctl factory verify
cp /guest/signed.ko $updates/dmacc.ko
check "one with a key that nobody enrolled is refused, too" 129 "Key was rejected by service" insmod $updates/dmacc.ko
check "which is told from one without" 1 \
	"the module dmacc is signed, but not loaded.*does not trust the key (EKEYREJECTED).*$enrol" /guest/dmaccctl status
check "the kernel's log says so" 0 "" sh -c "dmesg | grep -q 'Loading of module with unavailable key is rejected'"
# what the archive's key signed still loads
check "a module of the kernel's own is taken" 0 "" modprobe gcm
finish
