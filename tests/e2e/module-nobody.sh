# SPDX-License-Identifier: LGPL-2.1-or-later
# A handset whose hardware names no identifier: SMBIOS has a bare number, and as the device tree
# one with a wrong check digit.
. /guest/guest.sh

check "no identity is taken" 0 "identity-source=0" $probe get-status
check "a refused one is reported, but not what it was" 0 "" \
	sh -c "dmesg | grep -q 'the identifier in $where is not used: its check digit is wrong'"
check "its digits are in no log" 1 "" sh -c "dmesg | grep 'dmacc:' | grep -q 4901542"
check "a new root can be made" 0 "rung=2" \
	$probe open-root rung=2 agent-uid=1001 master=@/guest/master master-source=1
check "but no key is sealed for nobody" 1 "error 61: this device has no identity" \
	$probe seal-key slot-name=a key-id=b694ff823ea00e66 key-version=1 device-key=@/guest/device-key
check "the agent may latch one, once" 0 "identity-source=4" \
	$probe --uid 1001 set-identity devid=ESN:E69FFFFF
check "another is refused" 1 "error 17" $probe --uid 1001 set-identity devid=ESN:E69FFFFE
check "then a key is sealed" 0 "key-version=1" \
	$probe seal-key slot-name=a key-id=b694ff823ea00e66 key-version=1 device-key=@/guest/device-key
finish
