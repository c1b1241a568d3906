#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# nist.sh test_nist_kdf.py PROGRAM: the program over NIST's cases
/usr/bin/python3 "$1" --emit | "$2"
