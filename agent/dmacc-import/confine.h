/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DMACC_IMPORT_CONFINE_H
#define DMACC_IMPORT_CONFINE_H

/**
 * confine() - give up for good whatever reading, computing and writing does not need
 *
 * No new privileges, no dump, limits on memory, time, files and processes, and a system call
 * filter: whatever else is called ends the process. A sanitizer needs more than that, so a
 * sanitizer build has neither the filter nor the limits that it would break.
 *
 * Return: NULL; a sentence that says what could not be given up, and then the process must not
 * read what it was to be confined for.
 */
const char *confine(void);

#endif
