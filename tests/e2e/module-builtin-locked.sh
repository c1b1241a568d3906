# SPDX-License-Identifier: LGPL-2.1-or-later
# A kernel with dmacc built in and dmacc.locked=1 on its command line: a production image.
. /guest/guest.sh

check "the family is locked from the start" 0 "locked=1" $probe get-status
check "no root is made" 1 "error 1: locked" \
	$probe open-root rung=2 agent-uid=1001 master=@/guest/master master-source=1
finish
