# SPDX-License-Identifier: LGPL-2.1-or-later
# The identifier is in a cell, of a driver that comes late; what it holds is told to that driver.
. /guest/guest.sh

node=/sys/bus/platform/devices/firmware:identity
good=$(cat /guest/good) wrong=$(cat /guest/wrong)

# again CONTENT: the device as it is started next time, with that in its cell
again() {
	rmmod dmacc
	rmmod dmacc_test_cells
	modprobe dmacc_test_cells content=$1
	modprobe dmacc
}

check "the module is not loaded" 1 "" grep -q dmacc /proc/modules
check "the node's own alias loads it" 0 "" modprobe "$(cat $node/modalias)"
check "while the cell's driver is not there nobody is latched" 0 "identity-source=0" $probe get-status
check "which is said to be pending" 0 "identity-pending=1" $probe get-status
check "and no identifier is given" 1 "" sh -c "$probe get-identity | grep devid"

modprobe dmacc_test_cells content=$good
check "once it is there its cell is latched" 0 "identity-source=3" \
	sh -c "for i in \$(seq 100); do $probe get-status | grep -q identity-source=3 && break; sleep 0.2; done; $probe get-status"
check "with the identifier that it holds" 0 "devid=IMEI:490154203237518" $probe get-identity
check "nothing is pending then" 0 "identity-pending=0" $probe get-status
check "the node has its driver" 0 "" test -e $node/driver

again $wrong
check "a wrong check digit in the cell is not used" 0 "identity-source=0" $probe get-status
check "and is not pending, either" 0 "identity-pending=0" $probe get-status
check "the log says so" 0 "^1$" logged "the identifier in the nvmem cell is not used: its check digit is wrong"
again 0
check "a fuse that was never written is not used" 0 "identity-source=0" $probe get-status
check "the log says that it is blank" 0 "^1$" logged "the identifier in the nvmem cell is not used: it is blank"
check "no digit of one is in the log" 1 "" sh -c "dmesg | grep dmacc | grep -q 4901542"
again $good
check "the right one is latched at once where its driver is there" 0 "devid=IMEI:490154203237518" $probe get-identity
finish
