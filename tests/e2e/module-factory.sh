# SPDX-License-Identifier: LGPL-2.1-or-later
# First boot, at the factory: hardware gives the IMEI; every command and every refusal, up to LOCK.
. /guest/guest.sh

kd=@/guest/device-key
derive="$probe derive server-kind=1 server=com.example.dm"

check "the module is not loaded before it is asked for" 1 "" grep -q dmacc /proc/modules
check "an ordinary user's question for the family loads it" 0 "root-state=0" \
	$probe --uid 1000 get-status
check "the identity comes from $where" 0 "identity-source=$source" $probe get-status
check "status tells an ordinary user no identifier" 1 "" \
	sh -c "$probe --uid 1000 get-status | grep -q 490154"
check "GET_IDENTITY gives the identifier to root" 0 "devid=IMEI:490154203237518" $probe get-identity
check "GET_IDENTITY is refused to an ordinary user" 1 "error 1: this is for the agent" \
	$probe --uid 1000 get-identity
check "SET_IDENTITY of the same value is fine" 0 "identity-source=$source" \
	$probe set-identity devid=IMEI:490154203237518
check "SET_IDENTITY of another value is refused" 1 "error 17: this device has another identity" \
	$probe set-identity devid=IMEI:354358001352586
check "SET_IDENTITY of what is not canonical is refused" 1 "error 22: it is not in canonical form" \
	$probe set-identity devid=490154203237518

check "DERIVE before OPEN_ROOT is refused" 1 "error 126: no root is open" $derive slot-name=alpha
check "STORE_KEY before OPEN_ROOT is refused" 1 "error 126: no root is open" $probe store-key
check "SEAL_KEY before OPEN_ROOT is refused" 1 "error 126: no root is open" \
	$probe seal-key slot-name=alpha key-id=b694ff823ea00e66 key-version=1 device-key=$kd
check "LOCK before OPEN_ROOT is refused" 1 "error 126: no root is open" $probe lock

check "OPEN_ROOT is refused to an ordinary user" 1 "error 1: this needs CAP_SYS_ADMIN" \
	$probe --uid 1000 open-root rung=2 agent-uid=1001 master=@/guest/master master-source=1
check "OPEN_ROOT is refused to root of a container" 1 "error 1: this needs CAP_SYS_ADMIN" \
	$probe --userns open-root rung=2 agent-uid=1001 master=@/guest/master master-source=1
check "OPEN_ROOT without the uid of the agent is refused" 1 "the uid of the agent is missing" \
	$probe open-root rung=2 master=@/guest/master master-source=1
check "OPEN_ROOT without a master is refused" 1 "a wrapped root needs the master" \
	$probe open-root rung=2 agent-uid=1001
check "OPEN_ROOT with an all-zero master is refused" 1 "the master is all zero" \
	$probe open-root rung=2 agent-uid=1001 master=@/guest/zero master-source=1
check "OPEN_ROOT with a master of 31 bytes is refused" 1 "error" \
	$probe open-root rung=2 agent-uid=1001 master=@/guest/short master-source=1
check "OPEN_ROOT with a rung that is not here is refused and named in the state" 1 \
	"error 19: this kernel has no trusted keys, or nothing here that seals them" $probe open-root rung=1 agent-uid=1001
check "the state is sealed-unavailable and its reason no-key-type" 0 "root-reason=1" $probe get-status

root=$(value root-blob $probe open-root rung=2 agent-uid=1001 master=@/guest/master master-source=1)
check "OPEN_ROOT makes a root of rung wrapped" 0 "rung=2" $probe get-status
check "it is open, and the master is said to be a file" 0 "master-source=1" $probe get-status
check "a second new root is refused" 1 "error 17: a root is open already" \
	$probe open-root rung=2 agent-uid=1001 master=@/guest/master master-source=1
check "the same root again is fine" 0 "rung=2" \
	$probe open-root root-blob=$root agent-uid=1001 master=@/guest/master master-source=1
check "the same root with another master is refused" 1 "error 129: the master is another one" \
	$probe open-root root-blob=$root agent-uid=1001 master=@/guest/other-master master-source=1
check "and the root that was open stays open" 0 "root-state=1" $probe get-status

check "SEAL_KEY is refused to the agent" 1 "error 1: this needs CAP_SYS_ADMIN" \
	$probe --uid 1001 seal-key slot-name=alpha key-id=b694ff823ea00e66 key-version=1 device-key=$kd
check "a slot name with a capital is refused" 1 "a slot name is 1 to 32 of" \
	$probe seal-key slot-name=Alpha key-id=b694ff823ea00e66 key-version=1 device-key=$kd
check "an all-zero device key is refused" 1 "the device key is all zero" \
	$probe seal-key slot-name=alpha key-id=b694ff823ea00e66 key-version=1 device-key=@/guest/zero
check "key version 0 is refused" 1 "error" \
	$probe seal-key slot-name=alpha key-id=b694ff823ea00e66 key-version=0 device-key=$kd
old=$(value slot-blob $probe seal-key slot-name=alpha key-id=b694ff823ea00e66 key-version=1 device-key=$kd)
slot=$(value slot-blob $probe seal-key slot-name=alpha key-id=b694ff823ea00e66 key-version=2 device-key=$kd)
check "SEAL_KEY loads the slot" 0 "slot-count=1" $probe get-status
check "a lower key version than the one loaded is refused" 1 "error 116: a key of a higher version" \
	$probe load-key slot-blob=$old
check "the same blob again is fine" 0 "key-version=2" $probe load-key slot-blob=$slot

check "DERIVE gives root the published UserName" 0 "user-name=HQU3K2QFHADCEVTNJZ4OUFUI" \
	$derive slot-name=alpha
check "DERIVE gives the agent the published ServerPW" 0 "server-pw=VVWHHJPJY3VV7GRTDCYZB5W7PR4AZLSO" \
	$probe --uid 1001 derive slot-name=alpha server-kind=1 server=com.example.dm
check "DERIVE gives the published ClientPW" 0 "client-pw=LX37WNX7VWGHGEZJ377UIPJCX4RCYCPK" \
	$derive slot-name=alpha
check "DERIVE gives the published ServerNonce" 0 "server-nonce=8b022d9671df0373c71c9d5acbd57575" \
	$derive slot-name=alpha
check "DERIVE of generation 1 gives the published ServerPW" 0 \
	"server-pw=BEPKVOS264KC7UDKZQNSV5DHVEEBN5VR" $derive slot-name=alpha generation=1
check "DERIVE by Addr gives the published ServerPW" 0 "server-pw=Y2UXHQGFDGILZA2QZFS5FY7BSRCAZJB7" \
	$probe derive slot-name=alpha server-kind=2 server=https://dm.example.com:443/dm
check "DERIVE is refused to an ordinary user" 1 "error 1: this is for the agent" \
	$probe --uid 1000 derive slot-name=alpha server-kind=1 server=com.example.dm
check "DERIVE is refused to root of a container, whatever its capabilities" 1 \
	"error 1: this is for the agent" $probe --userns derive slot-name=alpha server-kind=1 server=x
check "DERIVE for an unknown slot is refused" 1 "error 2: there is no such slot" $derive slot-name=beta
check "DERIVE for a ServerID with a blank is refused" 1 "error 22: it has a blank" \
	$probe derive slot-name=alpha server-kind=1 "server=com example"
check "DERIVE for a ServerID with = is refused" 1 "which have a meaning in an ACL" \
	$probe derive slot-name=alpha server-kind=1 server=a=b
check "STORE_KEY gives the agent 32 bytes" 0 "store-key=................................" \
	$probe --uid 1001 store-key
check "privileged status names the slots" 0 "slot=" $probe --uid 1001 get-status
check "unprivileged status names none" 1 "" sh -c "$probe --uid 1000 get-status | grep -q slot="

check "FORGET_KEY of an unknown slot is refused" 1 "error 2: there is no such slot" \
	$probe forget-key slot-name=beta
check "FORGET_KEY empties the slot" 0 "slot-name=alpha" $probe forget-key slot-name=alpha
check "DERIVE from it is refused then" 1 "error 2: there is no such slot" $derive slot-name=alpha
check "LOAD_KEY brings it back" 0 "key-id=b694ff823ea00e66" $probe load-key slot-blob=$slot

# one byte of each field: magic, format, root id, name, KeyId, version, DevId, nonce, key, tag
for at in 0 8 12 20 52 60 64 84 96 128 143; do
	check "a slot blob with byte $at changed is refused" 1 "error" \
		$probe load-key slot-blob=$(/guest/flip $slot $at)
done
# magic, format, rung, flags, reserved, root id, length, tag; nonce, root and tag of the rung
for at in 0 8 9 10 11 12 20 21 22 37 38 50 82 97; do
	check "a root blob with byte $at changed is refused" 1 "error" $probe open-root \
		root-blob=$(/guest/flip $root $at) agent-uid=1001 master=@/guest/master master-source=1
done
check "nothing was lost by that" 0 "user-name=HQU3K2QFHADCEVTNJZ4OUFUI" $derive slot-name=alpha

check "a root blob that was cut is refused" 1 "error 22: the sealed root has been cut" $probe open-root \
	root-blob=$(echo $root | cut -c 1-194) agent-uid=1001 master=@/guest/master master-source=1
check "LOCK takes no attribute" 1 "error" $probe lock master=@/guest/master
check "the module can still go" 0 "" rmmod dmacc
check "a fresh module opens the sealed root" 0 "rung=2" \
	$probe open-root root-blob=$root agent-uid=1001 master=@/guest/master master-source=1
check "and loads the sealed key" 0 "key-version=2" $probe load-key slot-blob=$slot
check "and derives the same" 0 "user-name=HQU3K2QFHADCEVTNJZ4OUFUI" $derive slot-name=alpha
locked=$(value root-blob $probe lock)
check "LOCK shows in the status" 0 "locked=1" $probe get-status
check "LOCK again is fine" 0 "locked=1" $probe lock
check "SEAL_KEY is refused once locked" 1 "error 1: locked" \
	$probe seal-key slot-name=beta key-id=b694ff823ea00e66 key-version=1 device-key=$kd
check "LOCK pins the module" 1 "" rmmod dmacc
check "the kernel's log names no secret" 1 "" sh -c "dmesg | grep -qf /guest/secrets"
echo "DATA root=$locked"
echo "DATA unlocked=$root"
echo "DATA slot=$slot"
finish
