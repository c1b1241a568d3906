# SPDX-License-Identifier: LGPL-2.1-or-later
# A handset whose hardware gives no identity: the first sealed key does. Begins with locked=1.
. /guest/guest.sh

modprobe dmacc locked=1
check "the parameter locks from the start" 0 "locked=1" $probe get-status
check "no new root is made" 1 "error 1: locked" \
	$probe open-root rung=2 agent-uid=1001 master=@/guest/master master-source=1
check "a sealed root opens" 0 "rung=2" $probe open-root root-blob=@/guest/unlocked agent-uid=1001 \
	master=@/guest/master master-source=1
check "the first sealed key is loaded" 0 "key-version=2" $probe load-key slot-blob=@/guest/slot
check "and names the device" 0 "identity-source=5" $probe get-status
check "which then derives as at the factory" 0 "user-name=HQU3K2QFHADCEVTNJZ4OUFUI" \
	$probe --uid 1001 derive slot-name=alpha server-kind=1 server=com.example.dm
check "the module is pinned" 1 "" rmmod dmacc
finish
