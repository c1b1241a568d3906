# SPDX-License-Identifier: LGPL-2.1-or-later
# A later boot in the field, with the blobs of the first and the same IMEI.
. /guest/guest.sh

open="$probe open-root root-blob=@/guest/root agent-uid=1001"
check "before anything is handed over nothing is open" 0 "root-state=0" $probe get-status
check "a wrong master is refused" 1 "error 129: the master is another one" \
	$open master=@/guest/other-master master-source=1
check "which is a state with a reason" 0 "root-reason=4" $probe get-status
check "a sealed key cannot be loaded then" 1 "error 126: no root is open" \
	$probe load-key slot-blob=@/guest/slot
check "the right master opens the root" 0 "locked=1" $open master=@/guest/master master-source=1
check "which locks again" 1 "error 1: locked" \
	$probe seal-key slot-name=b key-id=b694ff823ea00e66 key-version=1 device-key=@/guest/device-key
check "the sealed key is loaded" 0 "key-version=2" $probe load-key slot-blob=@/guest/slot
check "and derives what it did at the factory" 0 "client-pw=LX37WNX7VWGHGEZJ377UIPJCX4RCYCPK" \
	$probe --uid 1001 derive slot-name=alpha server-kind=1 server=com.example.dm
check "the module cannot be unloaded" 1 "" rmmod dmacc
finish
