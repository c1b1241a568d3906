# SPDX-License-Identifier: LGPL-2.1-or-later

set -l verbs keygen key-id device-key derive verify check-ids selftest
set -l keys '__fish_seen_subcommand_from key-id device-key derive verify'
set -l server '__fish_seen_subcommand_from derive verify'
set -l stream '__fish_seen_subcommand_from device-key derive verify check-ids'
set -l verb "not __fish_seen_subcommand_from $verbs"

complete -c dmacc-fleet -f
complete -c dmacc-fleet -n $verb -l help -d 'How it is called'
complete -c dmacc-fleet -n $verb -l version -d 'Version'
complete -c dmacc-fleet -n $verb -a keygen -d 'Make a vendor key'
complete -c dmacc-fleet -n $verb -a key-id -d 'Name a vendor key'
complete -c dmacc-fleet -n $verb -a device-key -d 'Device keys, for injection at the factory'
complete -c dmacc-fleet -n $verb -a derive -d 'Credentials of devices'
complete -c dmacc-fleet -n $verb -a verify -d 'Is what was reported what it should be'
complete -c dmacc-fleet -n $verb -a check-ids -d 'What a list of identifiers is worth'
complete -c dmacc-fleet -n $verb -a selftest -d 'Compute the published vectors'

complete -c dmacc-fleet -n $keys -l key -r -F -a 'pkcs11: credential: fd:' -d 'Vendor key'
complete -c dmacc-fleet -n $keys -l keyring -r -F -d 'Vendor keys by prefix'
complete -c dmacc-fleet -n $keys -l pin-file -r -F -a 'credential: fd:' -d 'PIN of the token'
complete -c dmacc-fleet -n $keys -l key-version -x -d 'Version of the device key'

complete -c dmacc-fleet -n $server -l profile -x -a 'dmacc-1 fcs11384 fcs11384-device fcs14345' -d 'Algorithm'
complete -c dmacc-fleet -n $server -l server-id -x -d 'ServerID of the account'
complete -c dmacc-fleet -n $server -l addr -x -d 'First Addr of the account'
complete -c dmacc-fleet -n $server -l generation -x -d 'Raised to rotate passwords'

complete -c dmacc-fleet -n $stream -l spare-digit -d 'An IMEI may end in a 0 in place of its check digit'
complete -c dmacc-fleet -n $stream -l duplicates -x -a 'ignore report refuse' -d 'Devices that are there twice'
complete -c dmacc-fleet -n $stream -l format -x -a 'csv jsonl' -d 'Format of the output'
complete -c dmacc-fleet -n $stream -l output -r -F -d 'Where results go'
complete -c dmacc-fleet -n $stream -l threads -x -d 'How many derive'
complete -c dmacc-fleet -n '__fish_seen_subcommand_from keygen' -l output -r -F -d 'Where the key goes'
complete -c dmacc-fleet -n '__fish_seen_subcommand_from device-key derive' -l rejects -r -F -d 'Refused lines'

complete -c dmacc-fleet -n '__fish_seen_subcommand_from derive' -l nonces -d 'Nonces, too'
complete -c dmacc-fleet -n '__fish_seen_subcommand_from derive' -l as -x -a 'plain stored' -d 'Passwords or hashes'

complete -c dmacc-fleet -n '__fish_seen_subcommand_from verify' -l slot -x -d 'Records of this slot only'
complete -c dmacc-fleet -n '__fish_seen_subcommand_from verify' -l id -x -d 'One device'
complete -c dmacc-fleet -n '__fish_seen_subcommand_from verify' -l user-name -x -d 'Its UserName'
complete -c dmacc-fleet -n '__fish_seen_subcommand_from verify' -l key-id -x -d 'Its KeyId'

complete -c dmacc-fleet -n '__fish_seen_subcommand_from derive verify check-ids' -F
