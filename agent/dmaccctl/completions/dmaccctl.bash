# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2207

_dmaccctl() {
	local cur prev words cword options='' verb
	local store='--factory-store'

	_init_completion || return
	verb=${words[1]}
	if ((cword == 1)); then
		COMPREPLY=($(compgen -W 'status doctor tree account reset probe disable enable wipe factory --help --version' -- "$cur"))
		return
	fi
	if [[ $verb == factory ]]; then
		if ((cword == 2)); then
			COMPREPLY=($(compgen -W 'inject verify lock report parent export restore identity
				--help' -- "$cur"))
			return
		fi
		verb="factory ${words[2]}"
	fi
	case $prev in
	--factory-store | --unseal-report | --state | --credential-store)
		_filedir -d
		return
		;;
	--credential | --ca-file | --device)
		_filedir
		return
		;;
	--layout)
		COMPREPLY=($(compgen -W '1.1 1.2' -- "$cur"))
		return
		;;
	--format)
		COMPREPLY=($(compgen -W 'text json tnds w7 wbxml w7-wbxml' -- "$cur"))
		return
		;;
	--rung)
		COMPREPLY=($(compgen -W 'trusted wrapped' -- "$cur"))
		return
		;;
	--master)
		COMPREPLY=($(compgen -W 'tpm2 host file' -- "$cur"))
		return
		;;
	--slot | --key-id | --key-version | --account | --wait)
		return
		;;
	esac
	case $verb in
	status) options='--json' ;;
	doctor) options="--json --states $store --unseal-report" ;;
	account) options='--json' ;;
	tree) options='--layout --format --show-secrets' ;;
	probe) options='--ca-file --json' ;;
	wipe) options="--yes --destroy --accounts --account $store --state --credential-store" ;;
	'factory inject') options="--slot --key-id --key-version --rung --master $store --json" ;;
	'factory verify' | 'factory lock' | 'factory report' | 'factory parent') options="$store --json" ;;
	'factory export') options="$store --credential" ;;
	'factory restore') options="$store --credential --json" ;;
	'factory identity') options='--modem --device --wait --json' ;;
	esac
	if [[ $verb == account && $cword -gt 2 && $cur != -* ]]; then
		COMPREPLY=($(compgen -W 'set revert' -- "$cur"))
	elif [[ $cur == -* ]]; then
		COMPREPLY=($(compgen -W "$options" -- "$cur"))
	elif [[ $verb == @(factory inject|factory export|factory restore|factory identity) ]]; then
		_filedir
	fi
} && complete -F _dmaccctl dmaccctl
