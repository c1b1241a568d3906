#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# packaging/recipes.sh FOLDER: what the build systems of RPM, Alpine and Yocto take, in FOLDER: dmacc-VERSION.tar.gz,
# rpm/, alpine/ and yocto/, with the version that is in VERSION and the archive where each of them looks for it.

set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)
version=$(cat "$top/VERSION")
name=dmacc-$version
archive=$out/$name.tar.gz

# The same sources make the same archive
date_of_sources() {
	if [ -e "$top/.git" ]; then
		git -C "$top" log -1 --format=%ct
	else
		date +%s -r "$top/VERSION"
	fi
}

# fill TEMPLATE FILE
fill() {
	sed -e "s/@VERSION@/$version/g" -e "s/@SHA512@/$sha512/g" -e "s/@DATE@/$date/g" "$1" >"$2"
}

rm -rf "$out/work" "$out/rpm" "$out/alpine" "$out/yocto"
"$top/packaging/copy-sources.sh" "$out/work/$name"
seconds=$(date_of_sources)
tar -c -C "$out/work" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$seconds" \
	--mode='u+w,go-w,a+rX' "$name" | gzip -n >"$archive"
rm -rf "$out/work"
sha512=$(sha512sum "$archive" | cut -d ' ' -f 1)
date=$(LC_ALL=C date -u -d "@$seconds" '+%a %b %d %Y')

cd "$top/packaging"
mkdir "$out/rpm"
for spec in rpm/*.spec.in; do
	fill "$spec" "$out/${spec%.in}"
done
cp rpm/dmacc.rpmlintrc "$archive" "$out/rpm"

cp -r alpine "$out"
for template in alpine/*/*.in; do
	fill "$template" "$out/${template%.in}"
	rm "$out/$template"
	cp "$archive" "$out/$(dirname "$template")"
done

# A recipe has its version in its name
cp -r yocto "$out"
for recipe in yocto/recipes-*/*/*.bb; do
	mv "$out/$recipe" "$out/${recipe%.bb}_$version.bb"
	mkdir -p "$out/$(dirname "$recipe")/files"
	cp "$archive" "$out/$(dirname "$recipe")/files"
done
