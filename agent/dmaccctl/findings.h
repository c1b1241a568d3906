/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What doctor found: troubles, weaknesses, and what it could not look at */
#ifndef DMACC_CTL_FINDINGS_H
#define DMACC_CTL_FINDINGS_H

#include <stdbool.h>

#include "trouble.h"

struct findings;

struct findings *findings_new(void);
void findings_free(struct findings *findings);

/* @subject: "root", "slot NAME", ...; one trouble a subject, and the first stays. @detail: or NULL. */
void findings_trouble(struct findings *findings, const char *subject, enum trouble trouble,
		      const char *detail);

/* What works, and is weaker than it could be */
void findings_weakness(struct findings *findings, const char *subject, const char *sentence);

/* What is neither, and what was not looked at */
void findings_note(struct findings *findings, const char *subject, const char *sentence);

bool findings_have_trouble(const struct findings *findings);
bool findings_have(const struct findings *findings, enum trouble trouble);

void findings_print(const struct findings *findings, bool json);

#endif
