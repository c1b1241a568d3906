/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DMACC_IMPORT_SYNCML_H
#define DMACC_IMPORT_SYNCML_H

#include "document.h"

/* A bootstrap message, which adds a MgmtTree to ./Inbox. Returns 0; -1 if it was refused. */
int syncml_read(struct document *d, xmlNode *root);

#endif
