/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DMACC_PROBE_COMMANDS_H
#define DMACC_PROBE_COMMANDS_H

#include "probe.h"
#include "reader.h"

/* What of a message has to be answered */
size_t commands_count(const struct package *in);

/**
 * commands_answer() - carry out a server's commands
 * @allowed: the server is who it says; else each is answered with 401
 * @out: the answers are added to it
 */
void commands_answer(struct probe *p, const struct package *in, bool allowed, struct message *out);

#endif
