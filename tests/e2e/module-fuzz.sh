# SPDX-License-Identifier: LGPL-2.1-or-later
# Random and mutated requests from everybody; then all must be as before.
. /guest/guest.sh

seed=20240229
derive="$probe derive slot-name=alpha server-kind=1 server=com.example.dm"
echo "# seed $seed"

check "the sealed root opens" 0 "rung=2" \
	$probe open-root root-blob=@/guest/unlocked agent-uid=1001 master=@/guest/master master-source=1
cp /guest/unlocked /guest/root
check "the sealed key loads" 0 "slot-name=alpha" $probe load-key slot-blob=@/guest/slot
for uid in 1000 1001 0; do
	check "each of 2000 requests of uid $uid is answered" 0 "accepted" \
		/guest/nlfuzz --uid $uid --seed $seed$uid --count 2000
done
check "after them the published UserName is derived" 0 "user-name=HQU3K2QFHADCEVTNJZ4OUFUI" $derive
finish
