#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# packaging/debian/build.sh FOLDER [ARCH [VERSION]]: Debian packages into FOLDER/, of a copy of the sources in
# FOLDER/work/, which is made anew. What Debian's tools want and the checkout has elsewhere is made there: debian/,
# its changelog with the version that is in VERSION, its format. Another VERSION is for tests of upgrades.

set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)
arch=${2:-$(dpkg --print-architecture)}
version=${3:-$(cat "$top/VERSION")}
tree=$out/work/dmacc-$version

date_of_sources() {
	if [ -e .git ]; then
		git log -1 --format=%cD
	else
		date -R -r VERSION
	fi
}

cd "$top"
rm -rf "$out/work"
packaging/copy-sources.sh "$tree"

cp -r packaging/debian "$tree/debian"
echo "$version" >"$tree/VERSION"
mkdir "$tree/debian/source"
echo '3.0 (native)' >"$tree/debian/source/format"
cat >"$tree/debian/changelog" <<END
dmacc ($version) unstable; urgency=medium

  * Version $version.

 -- dmacc developers <dmacc@example.org>  $(date_of_sources)
END

# make's own variables are not for the make in there
unset MAKEFLAGS MFLAGS MAKELEVEL
cd "$tree"
if ! dpkg-buildpackage -us -uc -a "$arch" >"$out/log" 2>&1; then
	tail -40 "$out/log" >&2
	echo "the whole log: $out/log" >&2
	exit 2
fi
cd ..
mv ./*.deb ./*.dsc ./*.tar.* ./*.changes ./*.buildinfo "$out"
rm -rf "$out/work"
ls "$out"/*.deb
