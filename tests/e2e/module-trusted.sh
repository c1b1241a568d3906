# SPDX-License-Identifier: LGPL-2.1-or-later
# First boot of a device whose TPM seals: a parent for the root is made, then all as at the factory.
. /guest/guest.sh

export TPM2TOOLS_TCTI=device:/dev/tpmrm0
tpm2="/guest/tpm2"
parent=0x8100dacc
kd=@/guest/device-key
open="$probe open-root agent-uid=1001"
derive="$probe derive slot-name=alpha server-kind=1 server=com.example.dm"
refused="error 129: the TPM or what else seals trusted keys refused it"

check "the kernel has found the TPM" 0 "" test -c /dev/tpmrm0
check "without the parent in the TPM a trusted root is refused" 1 "$refused" $open rung=1 tpm-parent=$parent
check "the state is sealed-unavailable" 0 "root-state=3" $probe get-status
check "and its reason refused" 0 "root-reason=4" $probe get-status
check "a trusted root that names no parent is refused by a TPM" 1 "$refused" $open rung=1
check "a parent is made" 0 "" $tpm2 createprimary -Q -C o -G ecc256 -c /tmp/parent \
	-a 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|decrypt'
check "and kept in the TPM" 0 "" $tpm2 evictcontrol -Q -C o -c /tmp/parent $parent

check "one with a master is refused" 1 "a trusted root has no master" \
	$open rung=1 tpm-parent=$parent master=@/guest/master master-source=1
root=$(value root-blob $open rung=1 tpm-parent=$parent)
check "OPEN_ROOT makes a root of rung trusted" 0 "rung=1" $probe get-status
check "for which there is no master" 0 "master-source=0" $probe get-status
check "neither key nor ring is in /proc/keys" 1 "" grep -q -e trusted -e dmacc /proc/keys
slot=$(value slot-blob $probe seal-key slot-name=alpha key-id=b694ff823ea00e66 key-version=2 device-key=$kd)
check "DERIVE gives the published UserName" 0 "user-name=HQU3K2QFHADCEVTNJZ4OUFUI" $derive
check "the same root again is fine" 0 "rung=1" $open root-blob=$root
store=$(value store-key $probe --uid 1001 store-key)

check "the module can go" 0 "" rmmod dmacc
# magic, format, rung, reserved, root id, length, tag; then what the kernel sealed
for at in 0 8 9 11 12 20 21 22 37 38 45 $(seq 62 12 $((${#root} / 2 - 1))) $((${#root} / 2 - 1)); do
	check "a root blob with byte $at changed is refused" 1 "error" $open root-blob=$(/guest/flip $root $at)
done
check "a root blob that was cut is refused" 1 "error 22: the sealed root has been cut" \
	$open root-blob=$(echo $root | cut -c 1-200)
check "nothing is open after that" 0 "root-state=3" $probe get-status
check "a fresh module opens the sealed root" 0 "rung=1" $open root-blob=$root
check "and loads the sealed key" 0 "key-version=2" $probe load-key slot-blob=$slot
check "and derives the same" 0 "user-name=HQU3K2QFHADCEVTNJZ4OUFUI" $derive
check "and has the same store key" 0 "store-key=$store" $probe --uid 1001 store-key
locked=$(value root-blob $probe lock)
check "LOCK needs no TPM and shows in the status" 0 "locked=1" $probe get-status
check "neither key nor ring is in /proc/keys at the end" 1 "" grep -q -e trusted -e dmacc /proc/keys
check "the kernel's log names no secret" 1 "" sh -c "dmesg | grep -qf /guest/secrets"
echo "DATA root=$locked"
echo "DATA slot=$slot"
finish
