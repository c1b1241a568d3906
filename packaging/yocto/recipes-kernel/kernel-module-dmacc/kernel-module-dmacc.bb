# SPDX-License-Identifier: LGPL-2.1-or-later
# The version is in this file's name, which packaging/recipes.sh gives it
SUMMARY = "OMA DM accounts that phone and server compute, kernel module"
DESCRIPTION = "dmacc.ko, which holds the phone's identifier and sealed keys and derives in the kernel."
SECTION = "kernel/modules"
LICENSE = "GPL-2.0-only"
LIC_FILES_CHKSUM = "file://LICENSES/GPL-2.0-only.txt;md5=b234ee4d69f5fce4486a80fdaf4a4263"

# The archive and its folder have the name of the whole
BPN = "dmacc"
SRC_URI = "file://dmacc-${PV}.tar.gz"

inherit module

# No KERNEL_MODULE_AUTOLOAD: dmacc-unseal has it loaded, by the name of its netlink family, once there is a template
