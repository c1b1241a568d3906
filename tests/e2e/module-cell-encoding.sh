# SPDX-License-Identifier: LGPL-2.1-or-later
# The node names an encoding that a MEID has not, and one that is none; the boot loader wrote the MEID into a property.
. /guest/guest.sh

modprobe dmacc_test_cells content=$(cat /guest/fuse)
modprobe dmacc
check "a cell in an encoding that its kind has not is not used" 0 "^1$" \
	logged "the identifier in the nvmem cell is not used: only an IMEI has this encoding"
check "nor is one in an encoding that is none" 0 "^1$" \
	logged "the identifier in the nvmem cell is not used: its encoding is not known"
check "the property is used" 0 "identity-source=2" $probe get-status
check "with the MEID that it has" 0 "devid=MEID:A0000000002329" $probe get-identity
finish
