#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# packaging/debian-modules/build.sh FOLDER KVER KDIR [ARCH]: dmacc-modules-KVER, a Debian package with the module built for
# one kernel, into FOLDER/. For devices whose kernel has no headers there, or that take signed modules only:
# SIGN_KEY=FILE SIGN_CERT=FILE sign it, as the kernel's own sign-file does.

set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
here=$top/packaging/debian-modules
kver=$2
arch=${4:-$(dpkg --print-architecture)}
version=$(cat "$top/VERSION")
package=dmacc-modules-$kver

die() {
	echo "deb-modules: $1" >&2
	exit 2
}

# The kernel's name of an architecture
kernel_arch() {
	case $1 in
	amd64) echo x86 ;;
	arm64) echo arm64 ;;
	*) die "$1: this is for amd64 and arm64" ;;
	esac
}

# readable VARIABLE FILE
readable() {
	[ -z "$2" ] || [ -r "$2" ] || die "$1: $2 cannot be read"
}

echo "$kver" | grep -qx '[0-9][a-z0-9.+~-]*' ||
	die "$kver: a kernel's release with such characters cannot be a package's name"
release=$3/include/generated/utsrelease.h
[ -f "$release" ] || die "there are no headers of $kver in $3: install linux-headers-$kver, or say KDIR="
kdir=$(cd "$3" && pwd -P)
found=$(sed -n 's/^#define UTS_RELEASE "\(.*\)"$/\1/p' "$release")
[ "$found" = "$kver" ] || die "$kdir is of $found, not of $kver"
[ "${SIGN_KEY:+key}" = "${SIGN_CERT:+key}" ] || die "SIGN_KEY= and SIGN_CERT= belong together"
readable SIGN_KEY "${SIGN_KEY:-}"
readable SIGN_CERT "${SIGN_CERT:-}"
karch=$(kernel_arch "$arch")
export KDIR="$kdir" KVER="$kver" KARCH="$karch" PACKAGE="$package"
# the build is in another folder
[ -z "${SIGN_KEY:-}" ] || export SIGN_KEY="$(readlink -f "$SIGN_KEY")" SIGN_CERT="$(readlink -f "$SIGN_CERT")"

mkdir -p "$1"
out=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/dmacc-modules
mkdir -p "$tree/kmod" "$tree/uapi/core" "$tree/uapi/linux" "$tree/debian/source"
cd "$top"
cp Kbuild VERSION "$tree"
cp kmod/Kbuild kmod/*.[ch] "$tree/kmod"
cp uapi/core/*.[ch] "$tree/uapi/core"
cp uapi/linux/*.h "$tree/uapi/linux"
rm -f "$tree"/kmod/*.mod.c
cp packaging/debian/copyright "$here/rules" "$tree/debian"
sed -e "s/@KVER@/$kver/g" -e "s/@ARCH@/$arch/" "$here/control.in" >"$tree/debian/control"
for script in postinst postrm; do
	sed "s/@KVER@/$kver/g" "$here/$script.in" >"$tree/debian/$package.$script"
done
echo '3.0 (native)' >"$tree/debian/source/format"
cat >"$tree/debian/changelog" <<END
dmacc-modules ($version) unstable; urgency=medium

  * Version $version, built for $kver.

 -- dmacc developers <dmacc@example.org>  $(git log -1 --format=%cD 2>/dev/null || date -R -r VERSION)
END

# make's own variables are not for the make in there
unset MAKEFLAGS MFLAGS MAKELEVEL
cd "$tree"
if ! DEB_BUILD_OPTIONS=noautodbgsym dpkg-buildpackage -b -us -uc -d -a "$arch" >"$out/log-modules" 2>&1; then
	tail -40 "$out/log-modules" >&2
	die "the whole log: $out/log-modules"
fi
mv "$work/${package}_${version}_$arch.deb" "$out"
echo "$out/${package}_${version}_$arch.deb"
