#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# packaging/copy-sources.sh FOLDER: a copy of the sources in FOLDER, without what was built.

set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$1"
tree=$(cd "$1" && pwd)
list=$(mktemp)
trap 'rm -f "$list" "$list.left-out"' EXIT

cd "$top"
# A released archive has no .git, and its sources are all that is there
if [ -e .git ]; then
	git ls-files -z -c -o --exclude-standard
else
	find . -path './build*' -prune -o -type f -print0
fi >"$list"
tar -c --ignore-failed-read --null -T "$list" 2>"$list.left-out" | tar -x -C "$tree"
[ -f "$tree/VERSION" ] || { cat "$list.left-out" >&2; exit 2; }
