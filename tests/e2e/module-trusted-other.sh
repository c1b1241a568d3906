# SPDX-License-Identifier: LGPL-2.1-or-later
# The disk of one device in another: its TPM has no parent of ours at first, then one of its own.
. /guest/guest.sh

export TPM2TOOLS_TCTI=device:/dev/tpmrm0
refused="error 129: the TPM or what else seals trusted keys refused it"
open="$probe open-root root-blob=@/guest/root agent-uid=1001"

check "another TPM, without a parent, does not open the root" 1 "$refused" $open
check "its state is sealed-unavailable" 0 "root-state=3" $probe get-status
check "a parent of its own is made" 0 "" /guest/tpm2 createprimary -Q -C o -G ecc256 -c /tmp/parent \
	-a 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|decrypt'
check "and kept in that TPM" 0 "" /guest/tpm2 evictcontrol -Q -C o -c /tmp/parent 0x8100dacc
check "another TPM, with a parent, does not open the root" 1 "$refused" $open
check "the reason is refused" 0 "root-reason=4" $probe get-status
check "no sealed key can be loaded" 1 "error 126: no root is open" $probe load-key slot-blob=@/guest/slot
check "nothing is locked by it" 0 "locked=0" $probe get-status
check "neither key nor ring is in /proc/keys" 1 "" grep -q -e trusted -e dmacc /proc/keys
finish
