#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# flip HEX N: the same bytes with the lowest bit of byte N changed
at=$((2 * $2))
byte=$(echo "$1" | cut -c $((at + 1))-$((at + 2)))
echo "$(echo "$1" | cut -c 1-$at)$(printf %02x $((0x$byte ^ 1)))$(echo "$1" | cut -c $((at + 3))-)"
