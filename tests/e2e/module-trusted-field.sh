# SPDX-License-Identifier: LGPL-2.1-or-later
# A later boot in the field, with the same TPM.
. /guest/guest.sh

check "before anything is handed over nothing is open" 0 "root-state=0" $probe get-status
check "the TPM opens the root, which locks again" 0 "locked=1" $probe open-root root-blob=@/guest/root agent-uid=1001
check "its rung is trusted" 0 "rung=1" $probe get-status
check "the sealed key is loaded" 0 "key-version=2" $probe load-key slot-blob=@/guest/slot
check "and derives what it did at the factory" 0 "client-pw=LX37WNX7VWGHGEZJ377UIPJCX4RCYCPK" \
	$probe --uid 1001 derive slot-name=alpha server-kind=1 server=com.example.dm
check "a new root is refused" 1 "error 1: locked" $probe open-root rung=1 tpm-parent=0x8100dacc agent-uid=1001
check "neither key nor ring is in /proc/keys" 1 "" grep -q -e trusted -e dmacc /proc/keys
finish
