# SPDX-License-Identifier: LGPL-2.1-or-later
# A store that fills up half way through, and a device that nobody can name.
. /guest/guest.sh

ctl="sh /guest/logged /guest/dmaccctl"
inject="$ctl factory inject --master file --factory-store /full/store --slot alpha --key-id b694ff823ea00e66"
busybox chmod 600 /guest/alpha.key
busybox mkdir /full

# room for the store and the master, but not for the root
mount -t tmpfs -o nr_inodes=3 full /full
check "a root that cannot be stored is named" 2 "/full/store/root: No space left on device; nothing hangs on the new root" \
	$inject /guest/alpha.key
master=$(busybox sha256sum /full/store/master)
check "it is not made again over the one that is open" 2 "a root is open that /full/store does not have" \
	$inject /guest/alpha.key
check "no temporary file takes up room" 0 "^master $" sh -c "busybox ls -A /full/store | tr '\n' ' '"

# a reboot, as far as the module goes; then room for the root, but not for slots/alpha
rmmod dmacc
mount -o remount,nr_inodes=5 full /full
check "a store that is full is named" 2 "/full/store/slots/alpha: No space left on device; repeat this" \
	$inject /guest/alpha.key
check "a key that is not stored is not kept loaded" 0 "slots *0" $ctl status
check "and cannot be locked away" 2 "nothing has been injected" $ctl factory lock --factory-store /full/store
mount -o remount,nr_inodes=20 full /full
check "with room again, repeating it does it" 0 "UserName HQU3K2QFHADCEVTNJZ4OUFUI" $inject /guest/alpha.key
check "all with the master of the first time" 0 "" test "$master" = "$(busybox sha256sum /full/store/master)"
check "and all is well" 0 "slot alpha: ok" $ctl factory verify --factory-store /full/store
check "another store's root is refused while one is open" 2 "a root is open that /full/other does not have" \
	$ctl factory inject --master file --factory-store /full/other --slot alpha --key-id b694ff823ea00e66 \
	/guest/alpha.key
finish
