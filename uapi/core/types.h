/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * The few names that uapi/core takes from its surroundings. The code beside
 * this file is compiled into dmacc.ko and into libdmacc: fixed-size types and
 * mem*() are all it may use, no libc, no locale, no allocation.
 */
#ifndef DMACC_CORE_TYPES_H
#define DMACC_CORE_TYPES_H

#include <linux/types.h>
#ifdef __KERNEL__
#include <linux/string.h>
#else
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#endif

#endif
