# SPDX-License-Identifier: LGPL-2.1-or-later
# Sourced by the scripts that run in the guest. Prints TAP.

n=0
bad=0

# check NAME STATUS PATTERN COMMAND...: runs it, wants this exit status and a line that matches
check() {
	name=$1 status=$2 pattern=$3
	shift 3
	n=$((n + 1))
	out=$("$@" 2>&1)
	got=$?
	if [ $got = $status ] && echo "$out" | grep -q -- "$pattern"; then
		echo "ok $n - $name"
	else
		bad=$((bad + 1))
		echo "not ok $n - $name"
		echo "# status $got, not $status; wanted '$pattern' in:"
		echo "$out" | sed 's/^/# /'
	fi
}

# value NAME COMMAND...: the value of an attribute of the reply
value() {
	wanted=$1
	shift
	"$@" | sed -n "s/^$wanted=//p"
}

# logged SENTENCE: how often the kernel's log has it
logged() {
	dmesg | sed -n "/$1/p" | grep -c .
}

probe=/guest/nlprobe

# Who names the identifier: SMBIOS, or the device tree where there is the node
source=1 where=SMBIOS
if [ -e /sys/firmware/devicetree/base/firmware/identity ]; then
	source=2 where='the device tree'
fi

finish() {
	echo "1..$n"
	[ $bad = 0 ] && [ $n -gt 0 ]
	exit
}
