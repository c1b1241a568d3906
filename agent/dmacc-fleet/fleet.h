/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * dmacc-fleet: what its verbs share. Exit status: 0 done, 1 some lines were
 * refused, 2 nothing done (usage, set-up, or the output cannot be written).
 */
#ifndef DMACC_FLEET_H
#define DMACC_FLEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	EXIT_DONE = 0,
	EXIT_SOME = 1,
	EXIT_NOTHING = 2,
};

/* The verbs; argv[0] is the verb's name. Each returns an exit status. */
int keygen_main(int argc, char **argv);
int key_id_main(int argc, char **argv);
int device_key_main(int argc, char **argv);
int derive_main(int argc, char **argv);
int verify_main(int argc, char **argv);
int check_ids_main(int argc, char **argv);
int selftest_main(int argc, char **argv);

/**
 * complain() - one line on stderr, "dmacc-fleet: " before it
 * @format: as printf's, without a line feed
 *
 * Return: EXIT_NOTHING, so that a verb can return what it complained of.
 */
int complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/**
 * parse_u32() - a decimal number, the whole text
 * @text: digits only
 * @len: how many
 * @min: the smallest that is accepted
 * @ret: written on success only
 *
 * Return: true if it is a number of @min to 4294967295.
 */
bool parse_u32(const char *text, size_t len, uint32_t min, uint32_t *ret);

/**
 * option_u32() - the same for the argument of an option, complaining if it is none
 *
 * Return: 0 or EXIT_NOTHING.
 */
int option_u32(const char *option, const char *text, uint32_t min, uint32_t *ret);

#endif
