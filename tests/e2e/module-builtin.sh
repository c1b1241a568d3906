# SPDX-License-Identifier: LGPL-2.1-or-later
# A kernel that the module was grafted into, as a part of it (=y) or as its module (=m): /guest/form says which.
. /guest/guest.sh

form=$(cat /guest/form)
derive="$probe derive slot-name=alpha server-kind=1 server=com.example.dm"

check "nothing is loaded before it is asked for" 1 "" grep -q dmacc /proc/modules
[ $form = m ] || check "the kernel's own dmacc has its parameter" 0 "N" cat /sys/module/dmacc/parameters/locked
check "an ordinary user's question for the family is answered" 0 "root-state=0" $probe --uid 1000 get-status
check "the version is that of the sources" 0 "module-version=$(cat /guest/version)" $probe get-status
check "it is a module with =m, and with =y is not" $([ $form = m ]; echo $?) "" grep -q '^dmacc ' /proc/modules
check "the known-answer test failed in nothing" 1 "" sh -c "dmesg | grep -q 'known-answer'"
check "the identity comes from SMBIOS" 0 "devid=IMEI:490154203237518" $probe get-identity
check "a wrapped root is made" 0 "root-blob=" \
	$probe open-root rung=2 agent-uid=1001 master=@/guest/master master-source=1
check "a key is sealed" 0 "slot-blob=" $probe seal-key slot-name=alpha key-id=b694ff823ea00e66 key-version=1 \
	device-key=@/guest/device-key
check "DERIVE gives the published UserName" 0 "user-name=HQU3K2QFHADCEVTNJZ4OUFUI" $derive
check "DERIVE gives the published ServerPW" 0 "server-pw=VVWHHJPJY3VV7GRTDCYZB5W7PR4AZLSO" $derive
check "DERIVE gives the published ClientPW" 0 "client-pw=LX37WNX7VWGHGEZJ377UIPJCX4RCYCPK" $derive
check "LOCK ends the factory phase" 0 "locked=1" $probe lock
check "the kernel's log names no secret" 1 "" sh -c "dmesg | grep -qf /guest/secrets"
finish
