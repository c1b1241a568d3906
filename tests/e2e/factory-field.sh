# SPDX-License-Identifier: LGPL-2.1-or-later
# A later boot with what the factory stored, first damaged in every way, then whole.
. /guest/guest.sh

store=/var/lib/dmacc-factory
ctl="sh /guest/logged /guest/dmaccctl"
unseal="sh /guest/logged /guest/dmacc-unseal"
busybox mkdir -p $store/slots
busybox chmod 700 $store $store/slots
put="busybox cp"
$put /guest/store/root $store/root
$put /guest/store/alpha $store/slots/alpha
$put /guest/store/beta-flipped $store/slots/beta

check "a missing master is named" 1 "neither the credential dmacc.master nor $store/master" $unseal
check "which loads no module" 1 "" grep -q dmacc /proc/modules
check "verify never makes a master anew" 1 "its master is missing, and the root is never made anew" \
	$ctl factory verify
check "inject neither" 2 "its master is missing" sh -c "busybox chmod 600 /guest/alpha.key; \
	$ctl factory inject --slot alpha --key-id b694ff823ea00e66 /guest/alpha.key"
$put /guest/store/master $store/master
busybox chmod 644 $store/master
check "a master that others can read is refused" 1 "$store/master: group or others have access" $unseal
busybox chmod 600 $store/master
busybox chmod 777 $store
check "a store that others can write to is refused" 1 "$store: it is somebody else's, or group or others" $unseal
check "also by dmaccctl" 2 "$store: it is somebody else's, or group or others" $ctl factory verify
busybox chmod 700 $store
busybox mkdir -p /credentials
$put /guest/short /credentials/dmacc.master
check "a credential of 31 bytes is refused, and the file not used for it" 1 "credential dmacc.master: it has 31 bytes" \
	busybox env CREDENTIALS_DIRECTORY=/credentials $unseal
$put /guest/other-master /credentials/dmacc.master
check "another master is refused, and what the kernel says is passed on" 1 \
	"$store/root: the kernel refused it: the master is another one" \
	busybox env CREDENTIALS_DIRECTORY=/credentials $unseal
check "status says what to do about it" 0 "root-refused: .*'dmaccctl wipe --yes'" $ctl status
$put /guest/store/root-flipped $store/root
check "a changed root is refused" 1 "$store/root: the kernel refused it" $unseal
check "verify says which" 1 "root: not ok" $ctl factory verify
check "with priorities where the journal listens" 1 "^<3>" busybox env JOURNAL_STREAM=1:1 $unseal
$put /guest/store/root $store/root
busybox mv /etc/passwd /etc/passwd.away
check "without its user the agent cannot be named" 1 "there is no user 'dmacc'" $unseal
busybox mv /etc/passwd.away /etc/passwd

check "a changed key is refused, and named" 1 "$store/slots/beta: the kernel refused it: the sealed key was changed" $unseal
check "the other key was loaded all the same" 0 "client-pw=LX37WNX7VWGHGEZJ377UIPJCX4RCYCPK" \
	$probe --uid 1001 derive slot-name=alpha server-kind=1 server=com.example.dm
check "the user dmacc is the agent, others are not" 1 "error 1" \
	$probe --uid 1000 derive slot-name=alpha server-kind=1 server=com.example.dm
check "verify names the changed key" 1 "slot beta: not ok: the kernel refused it: the sealed key was changed" \
	$ctl factory verify
check "and finds the other in order" 1 "slot alpha: ok, UserName HQU3K2QFHADCEVTNJZ4OUFUI" $ctl factory verify
check "report has a record of the one, too" 1 "slot alpha: KeyId" $ctl factory report
busybox head -c 100 /guest/store/beta > $store/slots/beta
check "a key that was cut is refused" 1 "$store/slots/beta: it is not the sealed key of slot 'beta'" $unseal
$put /guest/store/alpha $store/slots/beta
check "a key under another slot's name is refused" 1 "it is not the sealed key of slot 'beta'" $unseal
$put /guest/store/beta $store/slots/beta
busybox ln -s alpha $store/slots/link
check "whole, all of it is loaded, and it is locked" 0 \
	"the root is open (rung wrapped, master file, locked), sealed keys loaded: 2" $unseal
check "with the warning that a master in a file is" 0 "a master in a plain file is for development" $unseal
check "verify is content" 0 "slot beta: ok, UserName BA6QJEM2SGYZ7YCDVF5CNKTI" $ctl factory verify
check "the second key derives, too" 0 "client-pw=ODFMP4LNOK32WREALFK4NV6C3YJHMTTK" \
	$probe --uid 1001 derive slot-name=beta server-kind=1 server=com.example.dm
check "it is still locked" 2 "this device is locked" sh -c \
	"$ctl factory inject --slot alpha --key-id b694ff823ea00e66 /guest/alpha.key"
check "lock is fine when locked" 0 "locked" $ctl factory lock
busybox rm $store/slots/link
check "doctor finds all well, and a master in a file weak" 0 "weak: root: its master is a plain file" $ctl doctor
check "export leaves out the master, and says so" 1 "the master is not exported" $ctl factory export /tmp/export
check "what is exported can be read" 0 '"key_version":2' cat /tmp/export
busybox mkdir /tmp/before /tmp/before/slots
busybox cp $store/root /tmp/before/root
busybox cp $store/slots/* /tmp/before/slots/
busybox rm $store/root
check "a store that lost its root is a state" 1 "factory-store-damaged" $ctl doctor
check "the way out of it works" 0 "slot beta: KeyId b694ff823ea00e66, key version 2" $ctl factory restore /tmp/export
check "the root is the same" 0 "" cmp /tmp/before/root $store/root
$put /guest/store/beta-flipped $store/slots/beta
check "restore heals a key that was changed" 0 "slot beta: KeyId" $ctl factory restore /tmp/export
check "the key is the same" 0 "" cmp /tmp/before/slots/beta $store/slots/beta
check "all is well again" 0 "all is well" $ctl doctor
busybox sed 's/"key_version":2/"key_version":3/' /tmp/export > /tmp/changed
check "an export that was changed is refused" 2 "sha256: it does not match" $ctl factory restore /tmp/changed
check "wipe asks" 2 "say --yes if that is meant" $ctl wipe
check "wipe puts all of it aside" 0 "keys and accounts put aside: 4 files" $ctl wipe --yes
check "and loses nothing" 0 "" cmp /tmp/before/root $store/retired-*/root
check "the kernel has forgotten the keys" 0 "slots *0" $ctl status
check "what was locked stays locked until the reboot" 2 "this device is locked" \
	$ctl factory inject --slot alpha --key-id b694ff823ea00e66 /guest/alpha.key
check "no secret was printed" 1 "" grep -qiFf /guest/secrets /tmp/printed
finish
