# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2207

_dmacc_fleet() {
	local cur prev words cword options='' verb
	local keys='--key --keyring --pin-file --key-version'
	local server='--profile --server-id --addr --generation'
	local stream='--spare-digit --duplicates --format --output --threads'

	_init_completion -n : || return
	verb=${words[1]}
	if ((cword == 1)); then
		COMPREPLY=($(compgen -W 'keygen key-id device-key derive verify check-ids selftest
			--help --version' -- "$cur"))
		return
	fi
	case $prev in
	--key | --pin-file)
		_filedir
		COMPREPLY+=($(compgen -W 'pkcs11: credential: fd:' -- "$cur"))
		__ltrim_colon_completions "$cur"
		return
		;;
	--keyring | --output | --rejects)
		_filedir
		return
		;;
	--profile)
		COMPREPLY=($(compgen -W 'dmacc-1 fcs11384 fcs11384-device fcs14345' -- "$cur"))
		return
		;;
	--as)
		COMPREPLY=($(compgen -W 'plain stored' -- "$cur"))
		return
		;;
	--format)
		COMPREPLY=($(compgen -W 'csv jsonl' -- "$cur"))
		return
		;;
	--duplicates)
		COMPREPLY=($(compgen -W 'ignore report refuse' -- "$cur"))
		return
		;;
	--key-version | --server-id | --addr | --generation | --threads | --slot | --id | \
		--user-name | --key-id)
		return
		;;
	esac
	case $verb in
	keygen) options='--output' ;;
	key-id) options=$keys ;;
	device-key) options="$keys $stream --rejects" ;;
	derive) options="$keys $server $stream --nonces --as --rejects" ;;
	verify) options="$keys $server $stream --slot --id --user-name --key-id" ;;
	check-ids) options=$stream ;;
	esac
	if [[ $cur == -* ]]; then
		COMPREPLY=($(compgen -W "$options" -- "$cur"))
	elif [[ $verb == @(derive|verify|check-ids) ]]; then
		_filedir
	fi
} && complete -F _dmacc_fleet dmacc-fleet
