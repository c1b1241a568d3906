# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# Stands where Alpine's abuild does, which Debian has not: the words that our recipes use of it, and the order of
# things. Sourced by sh; ABUILD_WORK is a folder, which gets src/, pkg/NAME/ for each package, and nothing else.
#
#   . abuild.sh; . FOLDER/APKBUILD; abuild_prepare FOLDER; abuild_build; abuild_package

set -eu

srcdir=$ABUILD_WORK/src
pkgbasedir=$ABUILD_WORK/pkg

# amove PATH...: from the package into the subpackage whose function runs; folders that are empty then go
amove() {
	for path; do
		[ -e "$pkgdir/$path" ] || [ -L "$pkgdir/$path" ] || { echo "abuild: there is no $path" >&2; return 1; }
		mkdir -p "$subpkgdir/$(dirname "$path")"
		mv "$pkgdir/$path" "$subpkgdir/$path"
		(cd "$pkgdir" && rmdir -p --ignore-fail-on-non-empty "$(dirname "$path")")
	done
}

doc() {
	amove usr/share/man
	amove usr/share/doc
}

default_dev() {
	amove usr/include usr/lib/pkgconfig
	for link in usr/lib/*.so; do
		amove "$link"
	done
}

systemd() {
	amove usr/lib/systemd
}

udev() {
	amove usr/lib/udev
}

bashcomp() {
	amove usr/share/bash-completion/completions
}

fishcomp() {
	amove usr/share/fish/vendor_completions.d
}

zshcomp() {
	amove usr/share/zsh/site-functions
}

abuild_prepare() {
	startdir=$1
	mkdir -p "$srcdir" "$pkgbasedir"
	# shellcheck disable=SC2154  # the recipe's
	for file in $source; do
		(cd "$startdir" && printf '%s\n' "$sha512sums" | sed '/^$/d' | grep -F "  $file" | sha512sum -c - >/dev/null)
		tar -x -z -f "$startdir/$file" -C "$srcdir"
	done
	builddir=${builddir:-$srcdir/$pkgname-$pkgver}
}

abuild_build() {
	pkgdir=$pkgbasedir/$pkgname
	cd "$builddir"
	if command -v build >/dev/null; then (build); fi
	case " ${options-} " in
	*' !check '*) ;;
	*) (check) ;;
	esac
}

abuild_package() {
	pkgdir=$pkgbasedir/$pkgname
	cd "$builddir"
	mkdir -p "$pkgdir"
	(package)
	for sub in ${subpackages-}; do
		name=${sub%%:*}
		function=${sub#"$name"}
		function=${function#:}
		case $function:$name in
		:*-bash-completion) function=bashcomp ;;
		:*-fish-completion) function=fishcomp ;;
		:*-zsh-completion) function=zshcomp ;;
		:*) function=${name##*-} ;;
		esac
		subpkgdir=$pkgbasedir/$name
		mkdir -p "$subpkgdir"
		(cd "$pkgdir" && "$function")
	done
}
