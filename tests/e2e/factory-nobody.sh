# SPDX-License-Identifier: LGPL-2.1-or-later
# A device without an identifier: it gets no key, and says why.
. /guest/guest.sh

busybox chmod 600 /guest/alpha.key
busybox mkdir -p /var/lib
check "no key is injected" 2 "this device has no identity, and gets no key" \
	/guest/dmaccctl factory inject --master file --slot alpha --key-id b694ff823ea00e66 /guest/alpha.key
check "no master and no root is made" 1 "" test -e /var/lib/dmacc-factory/master
check "status says so" 0 "no-identity: this device has no valid identifier" /guest/dmaccctl status
check "a wrong check digit is refused" 2 "the identifier is refused" \
	sh -c "echo 490154203237519 | /guest/dmaccctl factory identity"
check "its way out tells the device who it is" 0 "identity set until reboot" \
	sh -c "echo 490154203237518 | /guest/dmaccctl factory identity -"
check "it then is given a key" 0 "UserName HQU3K2QFHADCEVTNJZ4OUFUI" \
	/guest/dmaccctl factory inject --master file --slot alpha --key-id b694ff823ea00e66 /guest/alpha.key
rmmod dmacc
check "which brings the identity back" 0 "slot alpha: ok" /guest/dmaccctl factory verify
check "as that of a sealed key" 0 "identity *blob" /guest/dmaccctl status
busybox rm -r /lib/modules/$(busybox uname -r)/updates
rmmod dmacc
check "a module that is not built for this kernel is named, and the headers that it takes" 1 \
	"the module dmacc is not built for the running kernel.*headers to build it with, linux-headers-$(busybox uname -r)" \
	/guest/dmaccctl status
busybox mkdir /lib/modules/$(busybox uname -r)/updates
echo none > /lib/modules/$(busybox uname -r)/updates/dmacc.ko
check "one that is there and does not load is another matter" 2 "the module dmacc is there, .* but not loaded" \
	/guest/dmaccctl factory verify
busybox sed -i /dmacc/d /lib/modules/$(busybox uname -r)/modules.dep
check "one that depmod has not listed is told from it" 2 "the module dmacc is there, .* depmod did not run since it came" \
	/guest/dmaccctl factory verify
finish
