# SPDX-License-Identifier: LGPL-2.1-or-later
# The identifier is in a cell of memory that the boot loader reserved; Debian's own driver reads it.
. /guest/guest.sh

modprobe dmacc
check "while the driver is not there nobody is latched" 0 "identity-source=0" $probe get-status
check "which is said to be pending" 0 "identity-pending=1" $probe get-status
modprobe nvmem-rmem
check "once it is there its cell is latched" 0 "identity-source=3" \
	sh -c "for i in \$(seq 100); do $probe get-status | grep -q identity-source=3 && break; sleep 0.2; done; $probe get-status"
check "with the identifier that it holds" 0 "devid=IMEI:490154203237518" $probe get-identity
finish
