# SPDX-License-Identifier: LGPL-2.1-or-later

set -l verbs status doctor tree account reset probe disable enable wipe factory
set -l factory inject verify lock report parent export restore identity
set -l verb "not __fish_seen_subcommand_from $verbs"
set -l step "__fish_seen_subcommand_from factory; and not __fish_seen_subcommand_from $factory"

complete -c dmaccctl -f
complete -c dmaccctl -n $verb -l help -d 'How it is called'
complete -c dmaccctl -n $verb -l version -d 'Version'
complete -c dmaccctl -n $verb -a status -d 'What module and agent say'
complete -c dmaccctl -n $verb -a doctor -d 'What is wrong, and the way out'
complete -c dmaccctl -n $verb -a tree -d 'The nodes of the accounts'
complete -c dmaccctl -n $verb -a account -d 'Who made which value of an account'
complete -c dmaccctl -n $verb -a reset -d 'An account as the factory made it'
complete -c dmaccctl -n $verb -a probe -d 'One session with the server of an account'
complete -c dmaccctl -n $verb -a disable -d 'Have an account, or all, not served'
complete -c dmaccctl -n $verb -a enable -d 'Undo disable'
complete -c dmaccctl -n $verb -a wipe -d 'End keys and accounts'
complete -c dmaccctl -n $verb -a factory -d 'Give the device its keys'
complete -c dmaccctl -n $step -a inject -d 'Give the device a key'
complete -c dmaccctl -n $step -a verify -d 'Is what is stored what is loaded'
complete -c dmaccctl -n $step -a lock -d 'End the factory phase'
complete -c dmaccctl -n $step -a report -d 'A record of each slot'
complete -c dmaccctl -n $step -a parent -d "Make the TPM's parent key again"
complete -c dmaccctl -n $step -a export -d 'Write all that is sealed into a file'
complete -c dmaccctl -n $step -a restore -d 'Bring back what was exported'
complete -c dmaccctl -n $step -a identity -d 'Say who the device is'

set -l json '__fish_seen_subcommand_from status doctor account probe inject verify lock report parent restore identity'
set -l store '__fish_seen_subcommand_from doctor wipe inject verify lock report parent export restore'
set -l files '__fish_seen_subcommand_from inject export restore identity'
complete -c dmaccctl -n $json -l json -d JSON
complete -c dmaccctl -n $store -l factory-store -r -F -d 'The factory store'
complete -c dmaccctl -n $files -F

complete -c dmaccctl -n '__fish_seen_subcommand_from doctor' -l states -d 'All states that there are'
complete -c dmaccctl -n '__fish_seen_subcommand_from doctor' -l unseal-report -r -F -d 'Where dmacc-unseal left its report'
complete -c dmaccctl -n '__fish_seen_subcommand_from account' -a 'set revert'
complete -c dmaccctl -n '__fish_seen_subcommand_from tree' -l layout -x -a '1.1 1.2' -d 'Of which version'
complete -c dmaccctl -n '__fish_seen_subcommand_from tree' -l format -x -a 'text json tnds w7 wbxml w7-wbxml' -d 'Of the output'
complete -c dmaccctl -n '__fish_seen_subcommand_from tree' -l show-secrets -d 'All values'
complete -c dmaccctl -n '__fish_seen_subcommand_from probe' -l ca-file -r -F -d 'Authorities to trust'
complete -c dmaccctl -n '__fish_seen_subcommand_from wipe' -l yes -d Really
complete -c dmaccctl -n '__fish_seen_subcommand_from wipe' -l destroy -d 'Remove instead of putting aside'
complete -c dmaccctl -n '__fish_seen_subcommand_from wipe' -l accounts -d 'All accounts, and no key'
complete -c dmaccctl -n '__fish_seen_subcommand_from wipe' -l account -x -d 'One account'
complete -c dmaccctl -n '__fish_seen_subcommand_from wipe' -l state -r -F -d "The agent's folder"
complete -c dmaccctl -n '__fish_seen_subcommand_from wipe' -l credential-store -r -F -d 'Where the master is'
complete -c dmaccctl -n '__fish_seen_subcommand_from inject' -l slot -x -d 'Name of the slot'
complete -c dmaccctl -n '__fish_seen_subcommand_from inject' -l key-id -x -d 'Name of the vendor key'
complete -c dmaccctl -n '__fish_seen_subcommand_from inject' -l key-version -x -d 'Version of the device key'
complete -c dmaccctl -n '__fish_seen_subcommand_from inject' -l rung -x -a 'trusted wrapped' -d 'What seals the root'
complete -c dmaccctl -n '__fish_seen_subcommand_from inject' -l master -x -a 'tpm2 host file' -d 'Where a new master is kept'
complete -c dmaccctl -n '__fish_seen_subcommand_from identity' -l modem -d 'Ask the modem'
complete -c dmaccctl -n '__fish_seen_subcommand_from identity' -l device -r -F -d 'Which modem'
complete -c dmaccctl -n '__fish_seen_subcommand_from identity' -l wait -x -d 'For how many seconds'
complete -c dmaccctl -n '__fish_seen_subcommand_from export restore' -l credential -r -F -d 'The encrypted master'
