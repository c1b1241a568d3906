# SPDX-License-Identifier: LGPL-2.1-or-later
# Every command with each of its allocations failing in turn; with a trusted root where there is a parent.
. /guest/guest.sh

debugfs=/sys/kernel/debug
for what in failslab fail_page_alloc; do
	echo N > $debugfs/$what/ignore-gfp-wait
	# else each failure looks like a warning in the kernel's log
	echo 0 > $debugfs/$what/verbose
done
echo 0 > $debugfs/fail_page_alloc/min-order

# prints TAP itself
/guest/nlnomem $(echo /lib/modules/*/updates/dmacc.ko) $(cat /guest/parent)
check "nothing was wrong" 0 "" test $? = 0
check "after it the published UserName is derived" 0 "user-name=HQU3K2QFHADCEVTNJZ4OUFUI" \
	$probe derive slot-name=alpha server-kind=1 server=com.example.dm
check "and it is locked" 0 "locked=1" $probe get-status
check "kmemleak still looks" 0 "" sh -c "echo scan > $debugfs/kmemleak"
finish
