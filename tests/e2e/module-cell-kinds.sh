# SPDX-License-Identifier: LGPL-2.1-or-later
# There are cells for an IMEI, a MEID and an ESN; which of them were written differs from start to start.
. /guest/guest.sh

# start KINDS: the device as it is started with those in its cells, and the others blank
start() {
	[ ! -e /sys/module/dmacc ] || rmmod dmacc dmacc_test_cells
	modprobe dmacc_test_cells content=$(cat /guest/$1)
	modprobe dmacc
}

start imei-meid-esn
check "of all kinds the IMEI counts" 0 "devid=IMEI:490154203237518" $probe get-identity
check "it is from the cell" 0 "identity-source=3" $probe get-status
check "a MEID and an ESN beside it are no conflict" 0 "identity-conflict=0" $probe get-status

start meid-esn
check "without an IMEI the MEID counts" 0 "devid=MEID:A0000000002329" $probe get-identity
check "it is from the cell, too" 0 "identity-source=3" $probe get-status
check "the log says that the IMEI's is blank" 0 "^1$" logged "the identifier in the nvmem cell is not used: it is blank"

start esn
check "without either the ESN counts" 0 "devid=ESN:E69FFFFF" $probe get-identity
check "it is from the cell as well" 0 "identity-source=3" $probe get-status
finish
