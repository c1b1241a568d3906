# SPDX-License-Identifier: LGPL-2.1-or-later
# At the factory, over netlink alone: no systemd, no D-Bus. Two keys are injected, then it is locked.
. /guest/guest.sh

store=/var/lib/dmacc-factory
ctl="sh /guest/logged /guest/dmaccctl"
unseal="sh /guest/logged /guest/dmacc-unseal"
inject="$ctl factory inject --master file --slot"
alpha="alpha --key-id b694ff823ea00e66"
busybox mkdir -p /var/lib
busybox chmod 600 /guest/alpha.key /guest/beta.key /guest/zero.key /guest/short.key
busybox chmod 644 /guest/public.key

# sum FILE: to see that it has not changed
sum() {
	busybox sha256sum "$1" | cut -d ' ' -f 1
}

check "with nothing sealed there is nothing to unseal" 0 "nothing to unseal: there is no $store" $unseal
check "which loads no module" 1 "" grep -q dmacc /proc/modules
check "status says what to do" 0 "not-unsealed: \|nothing-injected: " $ctl status
check "status shows four digits of the identifier" 0 "identity *smbios, ends in 7518" $ctl status
check "status knows that there is no agent" 0 "agent *the system bus cannot be reached" $ctl status
check "the tree needs an agent" 2 "the system bus cannot be reached" $ctl tree
check "nothing can be verified" 2 "No such file" $ctl factory verify
check "nothing can be locked" 2 "No such file" $ctl factory lock

check "an all-zero key is refused" 2 "the key is all zero" $inject $alpha /guest/zero.key
check "a key of 31 bytes is refused" 2 "it does not hold 64 hexadecimal digits" $inject $alpha /guest/short.key
check "a key that others can read is refused" 2 "group or others have access" $inject $alpha /guest/public.key
check "a KeyId of 15 digits is refused" 2 "takes 16 hexadecimal digits" \
	$inject alpha --key-id b694ff823ea00e6 /guest/alpha.key
check "nothing was made by that" 1 "" test -e $store

check "a key is injected, and derives the published UserName" 0 \
	"slot alpha: KeyId b694ff823ea00e66, key version 1, rung wrapped, UserName HQU3K2QFHADCEVTNJZ4OUFUI, DevId IMEI:490154203237518, sha256 [0-9a-f]" \
	$inject $alpha /guest/alpha.key
master=$(sum $store/master)
root=$(sum $store/root)
check "it can be injected again" 0 "UserName HQU3K2QFHADCEVTNJZ4OUFUI" $inject $alpha /guest/alpha.key
check "the master is still the same" 0 "" test $master = $(sum $store/master)
check "the root is still the same" 0 "" test $root = $(sum $store/root)
check "a second key comes from standard input" 0 '"slot":"beta".*"user_name":"BA6QJEM2SGYZ7YCDVF5CNKTI"' \
	sh -c "$inject beta --key-id b694ff823ea00e66 --key-version 2 --json < /guest/beta.key"
check "a key of a lower version is refused" 2 "a key of a higher version is loaded" \
	$inject beta --key-id b694ff823ea00e66 /guest/beta.key
check "a root is never sealed anew with another rung" 2 "its rung is wrapped, not trusted, and a root is never sealed anew" \
	$ctl factory inject --rung trusted --slot $alpha /guest/alpha.key
check "a master cannot be had in two places" 2 "use --master file" \
	$ctl factory inject --master host --slot $alpha /guest/alpha.key
check "store and files are root's alone" 0 "700 600 600 700 600" \
	echo $(busybox stat -c %a $store $store/master $store/root $store/slots $store/slots/alpha)
check "status shows both slots" 0 "beta: KeyId b694ff823ea00e66, key version 2" $ctl status
check "status shows root and master" 0 "root *open, rung wrapped, master file" $ctl status
check "status as JSON has the slots" 0 '"name":"alpha"' $ctl status --json

check "verify finds all as it should be" 0 "slot beta: ok, UserName BA6QJEM2SGYZ7YCDVF5CNKTI" $ctl factory verify
check "verify --json, too" 0 '{"what":"root","ok":true}' $ctl factory verify --json
check "report has a record of each slot" 0 "slot alpha: .*sha256 $(sum $store/slots/alpha)" $ctl factory report
check "report --json, too" 0 '"slot":"beta","key_id":"b694ff823ea00e66","key_version":2,"rung":"wrapped"' \
	$ctl factory report --json
busybox mv $store/slots/beta /tmp/beta
check "a slot that is loaded but not stored fails verify" 1 "slot beta: not ok: it is loaded, but not in the store" \
	$ctl factory verify
busybox mv /tmp/beta $store/slots/beta
check "slots that are not there cannot be locked away" 2 "nothing has been injected" sh -c \
	"busybox mv $store/slots /tmp/slots; $ctl factory lock; r=\$?; busybox mv /tmp/slots $store/slots; exit \$r"
check "and it is not locked" 0 "locked *no" $ctl status

check "a KeyId may have capitals" 0 "slot gamma: KeyId 00112233445566ff" $inject gamma --key-id 00112233445566FF /guest/alpha.key
check "a slot whose file is another's is refused" 1 "slot gamma: not ok: it is not the sealed key of this slot" \
	sh -c "busybox cp $store/slots/alpha $store/slots/gamma; $ctl factory verify"
$probe forget-key slot-name=gamma > /tmp/probe
busybox rm $store/slots/gamma

check "lock" 0 "locked" $ctl factory lock
check "lock again is fine" 0 "locked" $ctl factory lock
check "the locked root is in the store" 1 "" test $root = $(sum $store/root)
check "no key is injected once locked" 2 "this device is locked" $inject $alpha /guest/alpha.key
check "verify is fine when locked" 0 "slot alpha: ok" $ctl factory verify
check "unseal is fine in the same boot" 0 "locked), sealed keys loaded: 2" $unseal
check "an ordinary user sees no slot by name" 1 "" sh -c "$probe --uid 1000 get-status | grep alpha"

busybox cat $store/master >> /guest/secrets
check "no secret was printed" 1 "" grep -qiFf /guest/secrets /tmp/printed
check "what was printed is there to be searched" 0 "HQU3K2QFHADCEVTNJZ4OUFUI" cat /tmp/printed
check "no secret is in the kernel's log" 1 "" sh -c "dmesg | grep -qiFf /guest/secrets"
check "nothing temporary is left" 0 "^0$" sh -c "busybox find $store -name '.*' | wc -l"
echo "DATA report=$(/guest/dmaccctl factory report --json | busybox base64 | tr -d '\n')"
for name in root master slots/alpha slots/beta; do
	echo "DATA $name=$(busybox base64 $store/$name | tr -d '\n')"
done
finish
