/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * dmaccctl: what its verbs share. Exit status: 0 done, 1 some of it was refused or did not match,
 * 2 nothing done (usage, set-up).
 */
#ifndef DMACC_CTL_H
#define DMACC_CTL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum {
	EXIT_DONE = 0,
	EXIT_SOME = 1,
	EXIT_NOTHING = 2,
};

/* A verb, and how it is called; argv[0] of @run is the verb's name */
struct verb {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *usage;
};

int status_main(int argc, char **argv);
int doctor_main(int argc, char **argv);
int tree_main(int argc, char **argv);
int account_main(int argc, char **argv);
int reset_main(int argc, char **argv);
int probe_main(int argc, char **argv);
int disable_main(int argc, char **argv);
int enable_main(int argc, char **argv);
int wipe_main(int argc, char **argv);
int factory_main(int argc, char **argv);

/* Finds argv[1] in a table that ends with a NULL name, and runs it. @of: "dmaccctl", ... */
int run_verb(const struct verb *verbs, const char *of, int argc, char **argv);

/**
 * complain() - one line on stderr, "dmaccctl: " before it
 * @format: as printf's, without a line feed
 *
 * Return: EXIT_NOTHING, so that a verb can return what it complained of.
 */
int complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The folder of our files in /etc */
const char *ctl_configuration(void);

/* Text that others wrote: what would steer a terminal is shown as '?' */
void print_clean(FILE *out, const char *text);

/* Writes out stdout; @status if that works, else a complaint */
int finish_output(int status);

/* Lower-case hexadecimal digits and a zero */
void hex(const uint8_t *bytes, size_t len, char *ret);

#endif
