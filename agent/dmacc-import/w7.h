/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DMACC_IMPORT_W7_H
#define DMACC_IMPORT_W7_H

#include "document.h"

/* The w7 APPLICATION of a wap-provisioningdoc; returns 0, or -1 if it was refused */
int w7_read(struct document *d, xmlNode *root);

#endif
