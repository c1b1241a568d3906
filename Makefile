# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The verbs a person types. `make help` lists them.
#
#   KDIR=DIR          kernel build tree for the module (KERNEL_SRC= means the same)
#   M=DIR             sources of the module, if not here
#   DESTDIR=DIR       staging folder for install and modules_install
#   prefix= bindir= libdir= libexecdir= includedir= datadir= mandir= sysconfdir= localstatedir=
#   B=DIR             build folder of userspace
#   V=1               show commands

ifeq ($(V),1)
Q :=
else
Q := @
MAKEFLAGS += --no-print-directory
endif

KVER ?= $(shell uname -r)
KDIR ?= $(or $(KERNEL_SRC),/lib/modules/$(KVER)/build)
M ?= $(CURDIR)
B ?= build
DESTDIR ?=
prefix ?= /usr

PYTHON := /usr/bin/python3
MESON_DIRS := $(foreach d,bindir libdir libexecdir includedir datadir mandir sysconfdir localstatedir,\
	$(if $($d),-D$d=$($d)))

kbuild = $(MAKE) -C $(KDIR) M=$(abspath $(M))

# Yocto's module class and akms run the first target with KERNEL_SRC set: the module is theirs
all: $(if $(KERNEL_SRC),modules,userspace)

help:
	@echo 'make demo             phones and servers that share no list of passwords, and agree (ARCH=arm64: arm64 phones)'
	@echo 'make check            everything is tested; the last line is N passed, N failed'
	@echo 'make check-arm64      module, whole system, identifiers in the device tree, make demo and packages on arm64; an hour'
	@echo 'make check-power-cuts 200 power cuts in a row on a TPM, twice; an hour or more'
	@echo 'make check-packages   Debian packages in virtual handsets, installed, upgraded, purged; an hour or more'
	@echo 'make check-recipes    what RPM, Alpine and Yocto build, as far as that can be built here; ten minutes'
	@echo 'make bench            every performance figure, as a ratio to its yardstick'
	@echo 'make                  the same as make userspace'
	@echo 'make userspace        build, in $(B)/'
	@echo 'make install          install userspace (DESTDIR=, prefix= and its relations)'
	@echo 'make modules          build dmacc.ko for KDIR=$(KDIR)'
	@echo 'make modules_install  install dmacc.ko (INSTALL_MOD_PATH= or DESTDIR=, INSTALL_MOD_STRIP=)'
	@echo 'make deb              Debian packages in $(B)/deb/ (ARCH=arm64: of the other architecture)'
	@echo 'make deb-modules      the module as a package for the kernel KVER=$(KVER), SIGN_KEY= SIGN_CERT= signed'
	@echo 'make kernel-patch     put the module into a kernel tree: KERNEL_TREE=DIR, or only PATCH=FILE for it'
	@echo 'make recipes          source archive, and recipes for RPM, Alpine and Yocto, in $(B)/recipes/'
	@echo 'make check-kernels    module and whole system on each stock kernel, and the newest, as a table'
	@echo 'make check-kernel-patch  a tree of 6.12 grafted, built with =y and =m, and booted; half an hour'
	@echo 'make clean            remove what was built here'

# A packager brings build dependencies himself: NO_APT=1
packages:
	$(Q)$(if $(NO_APT),,tests/host-packages build)

$(B)/build.ninja: | packages
	$(Q)meson setup --prefix=$(prefix) $(MESON_DIRS) $(MESONFLAGS) $(B) >/dev/null || \
		{ cat $(B)/meson-logs/meson-log.txt >&2; rm -rf $(B); exit 1; }

userspace: packages $(B)/build.ninja
	$(Q)ninja -C $(B) $(if $(Q),--quiet)

modules:
	$(Q)$(kbuild) modules

# Without its debug information, which is 19 of 20 bytes of a module: modprobe would uncompress all of it at each boot
INSTALL_MOD_STRIP ?= 1

modules_install:
	$(Q)$(kbuild) INSTALL_MOD_PATH=$(or $(INSTALL_MOD_PATH),$(DESTDIR)) INSTALL_MOD_STRIP=$(INSTALL_MOD_STRIP) \
		modules_install

install: userspace
	$(Q)DESTDIR=$(abspath $(DESTDIR)) meson install -C $(B) --no-rebuild $(if $(Q),--quiet)

# DEB_VERSION= is for tests of upgrades
deb:
	$(Q)$(if $(NO_APT),,tests/host-packages deb)
	$(Q)packaging/debian/build.sh $(B)/deb '$(ARCH)' '$(DEB_VERSION)'

deb-modules:
	$(Q)$(if $(NO_APT),,tests/host-packages deb)
	$(Q)SIGN_KEY='$(SIGN_KEY)' SIGN_CERT='$(SIGN_CERT)' packaging/debian-modules/build.sh $(B)/deb '$(KVER)' '$(KDIR)' '$(ARCH)'

kernel-patch:
	$(Q)$(PYTHON) packaging/kernel/graft.py '$(KERNEL_TREE)' '$(PATCH)'

recipes:
	$(Q)packaging/recipes.sh $(B)/recipes

clean:
	$(Q)rm -rf $(B) build-check build-handset build-deb build-deb-*
	$(Q)if [ -d $(KDIR) ] && [ -f kmod/dmacc.mod ]; then $(kbuild) clean; fi

demo:
	$(Q)$(if $(NO_APT),,tests/host-packages demo$(addprefix -,$(filter arm64,$(ARCH))))
	$(Q)$(PYTHON) tests/e2e/demo.py $(patsubst x86_64,amd64,$(ARCH))

check:
	$(Q)tests/host-packages check
	$(Q)$(PYTHON) tests/check.py

check-arm64:
	$(Q)tests/host-packages demo-arm64
	$(Q)$(PYTHON) tests/e2e/check_kernels.py 6.1-arm64 6.12-arm64
	$(Q)$(PYTHON) tests/e2e/identity_nodes.py
	$(Q)$(PYTHON) tests/e2e/demo.py arm64
	$(Q)tests/host-packages deb
	$(Q)$(PYTHON) tests/e2e/prebuilt_module.py 6.12-arm64

check-power-cuts:
	$(Q)tests/host-packages check
	$(Q)$(PYTHON) tests/e2e/power_cuts.py --boots 200

check-packages:
	$(Q)tests/host-packages check
	$(Q)$(PYTHON) tests/e2e/fresh_install.py
	$(Q)$(PYTHON) tests/e2e/prebuilt_module.py
	$(Q)$(PYTHON) tests/e2e/packages.py

check-recipes:
	$(Q)tests/host-packages recipes
	$(Q)$(PYTHON) tests/e2e/recipes.py

check-kernels:
	$(Q)tests/host-packages check
	$(Q)$(PYTHON) tests/e2e/check_kernels.py

check-kernel-patch:
	$(Q)tests/host-packages check
	$(Q)$(PYTHON) tests/e2e/kernel_patch.py

bench: userspace
	$(Q)$(PYTHON) tests/bench/fleet.py $(B)
	$(Q)$(PYTHON) tests/bench/nonce.py $(B)
	$(Q)tests/host-packages check
	$(Q)$(PYTHON) tests/bench/derive.py
	$(Q)$(PYTHON) tests/bench/agent_start.py
	$(Q)tests/host-packages deb
	$(Q)$(PYTHON) tests/bench/footprint.py

.PHONY: all help packages userspace modules modules_install install deb deb-modules kernel-patch recipes clean demo \
	check check-arm64 check-power-cuts check-kernels check-kernel-patch check-packages check-recipes bench
