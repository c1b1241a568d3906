# SPDX-License-Identifier: LGPL-2.1-or-later
# The disk of a device with a TPM in one that has none.
. /guest/guest.sh

none="error 19: this kernel has no trusted keys, or nothing here that seals them"

check "without a TPM a trusted root is not opened" 1 "$none" \
	$probe open-root root-blob=@/guest/root agent-uid=1001
check "its state is sealed-unavailable" 0 "root-state=3" $probe get-status
check "and the reason no-key-type" 0 "root-reason=1" $probe get-status
check "without a TPM a trusted root is not made" 1 "$none" \
	$probe open-root rung=1 tpm-parent=0x8100dacc agent-uid=1001
check "and nothing lower is made in its place" 0 "rung=0" $probe get-status
check "no sealed key can be loaded" 1 "error 126: no root is open" $probe load-key slot-blob=@/guest/slot
check "a wrapped root can be made by who asks for one" 0 "rung=2" \
	$probe open-root rung=2 master=@/guest/master master-source=1 agent-uid=1001
finish
