# SPDX-License-Identifier: LGPL-2.1-or-later
# The version is in this file's name, which packaging/recipes.sh gives it
SUMMARY = "OMA DM accounts that phone and server compute"
DESCRIPTION = "The agent that makes OMA DM accounts of a server owner's template and keys that the kernel holds, \
the libraries of servers and DM clients, and the tool of factory and server."
SECTION = "net"
LICENSE = "LGPL-2.1-or-later & (GPL-2.0-only | BSD-3-Clause)"
LIC_FILES_CHKSUM = "file://LICENSES/LGPL-2.1-or-later.txt;md5=4fbd65380cdd255951079008b364516c \
                    file://LICENSES/GPL-2.0-only.txt;md5=b234ee4d69f5fce4486a80fdaf4a4263 \
                    file://LICENSES/BSD-3-Clause.txt;md5=407426fcc1a243b7b2eff6e35c56aca9"

SRC_URI = "file://dmacc-${PV}.tar.gz"

DEPENDS = "curl json-c libinih libnl libseccomp libwbxml libxml2 openssl systemd tpm2-tss"

inherit meson pkgconfig python3native systemd useradd bash-completion features_check

# Units are in /usr/lib, users of sysusers.d and credentials are systemd's
REQUIRED_DISTRO_FEATURES = "systemd usrmerge"

PACKAGECONFIG ??= "p11-kit polkit"
PACKAGECONFIG[p11-kit] = "-Dp11-kit=enabled,-Dp11-kit=disabled,p11-kit"
PACKAGECONFIG[polkit] = "-Dpolkit=true,-Dpolkit=false"
EXTRA_OEMESON = "-Dtests=disabled"

# None of them runs anything while there is no account template
SYSTEMD_SERVICE:${PN} = "dmaccd.service dmacc-templates.path dmacc-unseal.service"

# As in sysusers.d, for images whose users are made when they are built
USERADD_PACKAGES = "${PN}"
USERADD_PARAM:${PN} = "--system --user-group --no-create-home --home-dir /var/lib/dmacc --shell /sbin/nologin dmacc; \
                       --system --user-group --no-create-home --home-dir / --shell /sbin/nologin dmclient"

# The first that takes a file has it
PACKAGES =+ "libdmacc libdmacc-client ${PN}-fleet ${PN}-libdmclient ${PN}-fish-completion ${PN}-zsh-completion"

FILES:libdmacc = "${libdir}/libdmacc${SOLIBS}"
FILES:libdmacc-client = "${libdir}/libdmacc-client${SOLIBS}"
FILES:${PN}-fleet = "${bindir}/dmacc-fleet"
FILES:${PN}-libdmclient = "${libdir}/dmacc"
FILES:${PN}-fish-completion = "${datadir}/fish"
FILES:${PN}-zsh-completion = "${datadir}/zsh"
FILES:${PN}-dev += "${datadir}/python-dbusmock"
FILES:${PN} += "${datadir}/dbus-1 \
                ${datadir}/polkit-1 \
                ${nonarch_libdir}/sysusers.d \
                ${nonarch_libdir}/systemd \
                ${nonarch_libdir}/tmpfiles.d \
                ${nonarch_libdir}/udev"

RDEPENDS:${PN} += "dbus"
# The module, and what is loaded where there is a TPM
RRECOMMENDS:${PN} += "kernel-module-dmacc libtss2 libtss2-tcti-device"
