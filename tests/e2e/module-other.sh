# SPDX-License-Identifier: LGPL-2.1-or-later
# Another handset, with another IMEI, that somebody gave the first one's disk and master.
. /guest/guest.sh

check "its root opens, for it is bound to the master only" 0 "rung=2" $probe open-root \
	root-blob=@/guest/unlocked agent-uid=1001 master=@/guest/master master-source=1
check "a key sealed for another device is refused" 1 "error 129: the key was sealed for another device" \
	$probe load-key slot-blob=@/guest/slot
check "nothing can be derived" 1 "error 2: there is no such slot" \
	$probe derive slot-name=alpha server-kind=1 server=com.example.dm
finish
