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

# amove PATH...: from the package into the subpackage whose function runs
amove() {
	for pattern; do
		found=
		for path in "$pkgdir"/$pattern; do
			[ -e "$path" ] || [ -L "$path" ] || continue
			found=yes
			place=$subpkgdir/${path#"$pkgdir"/}
			mkdir -p "${place%/*}"
			mv "$path" "$place"
		done
		[ -n "$found" ] || { echo "abuild: nothing is $pattern" >&2; exit 1; }
	done
	find "$pkgdir"/usr -depth -mindepth 1 -type d -empty ! -path '*/dmacc/*' -exec rmdir {} +
}

default_doc() {
	amove usr/share/man usr/share/doc
}

default_dev() {
	amove usr/include usr/lib/pkgconfig 'usr/lib/lib*.so'
}

default_bash_completion() {
	amove usr/share/bash-completion
}

default_fish_completion() {
	amove usr/share/fish
}

default_zsh_completion() {
	amove usr/share/zsh
}

abuild_prepare() {
	startdir=$1
	mkdir -p "$srcdir" "$pkgbasedir"
	# shellcheck disable=SC2154  # the recipe's
	for file in $source; do
		(cd "$startdir" && printf '%s\n' "$sha512sums" | sed '/^$/d' | grep -F "  $file" | sha512sum --check --quiet -)
		tar -x -f "$startdir/$file" -C "$srcdir"
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
		# NAME-dev is of dev(), and without one of abuild's own
		[ -n "$function" ] || function=$(printf '%s' "${name#"$pkgname"-}" | tr - _)
		command -v "$function" >/dev/null || function=default_$function
		subpkgdir=$pkgbasedir/$name
		mkdir -p "$subpkgdir"
		(cd "$builddir" && "$function")
	done
}
