# SPDX-License-Identifier: LGPL-2.1-or-later
# A device without an identifier: it gets no key, and says why.
. /guest/guest.sh

busybox chmod 600 /guest/alpha.key
busybox mkdir -p /var/lib
check "no key is injected" 2 "this device has no identity, and gets no key" \
	/guest/dmaccctl factory inject --master file --slot alpha --key-id b694ff823ea00e66 /guest/alpha.key
check "no master and no root is made" 1 "" test -e /var/lib/dmacc-factory/master
check "status says so" 0 "no-identity: this device has no valid identifier" /guest/dmaccctl status
busybox rm -r /lib/modules/$(busybox uname -r)/updates
rmmod dmacc
check "a module that is not built for this kernel is named" 1 "the module dmacc is not built for the running kernel" \
	/guest/dmaccctl status
busybox mkdir /lib/modules/$(busybox uname -r)/updates
echo none > /lib/modules/$(busybox uname -r)/updates/dmacc.ko
check "one that is there and does not load is another matter" 2 "the module dmacc is there, .* but not loaded" \
	/guest/dmaccctl factory verify
finish
