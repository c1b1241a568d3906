# SPDX-License-Identifier: LGPL-2.1-or-later
# The identifier is in a cell as eight bytes, and the boot loader wrote another one into a property.
. /guest/guest.sh

modprobe dmacc_test_cells content=$(cat /guest/good)
modprobe dmacc
check "the cell counts before the property" 0 "identity-source=3" $probe get-status
check "its bytes are read as the node says" 0 "devid=IMEI:490154203237518" $probe get-identity
check "the other one is a conflict, and named" 0 "identity-conflict=2" $probe get-status
check "the log says that it stays" 0 "" sh -c "dmesg | grep -q 'hardware names another identifier than the one'"

rmmod dmacc
rmmod dmacc_test_cells
modprobe dmacc_test_cells content=$(cat /guest/wrong)
modprobe dmacc
check "where the cell cannot be used the property is" 0 "identity-source=2" $probe get-status
check "with its own identifier" 0 "devid=IMEI:354358001352586" $probe get-identity
check "which is no conflict" 0 "identity-conflict=0" $probe get-status
finish
