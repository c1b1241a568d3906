/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DMACC_IMPORT_TNDS_H
#define DMACC_IMPORT_TNDS_H

#include "document.h"

/* The DM account of a MgmtTree, in either layout; returns 0, or -1 if it was refused */
int tnds_read(struct document *d, xmlNode *root);

#endif
