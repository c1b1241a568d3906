/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DMACC_UNSEAL_H
#define DMACC_UNSEAL_H

/* Priorities as the journal knows them */
enum priority {
	ERROR = 3,
	WARNING = 4,
	INFO = 6,
};

/* One line on stderr; where that is the journal, with its priority */
void say(enum priority priority, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same for something that was refused. Returns -EINVAL, so that it can be returned. */
int refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
