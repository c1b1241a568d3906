/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DMACC_FLEET_ARGUMENTS_H
#define DMACC_FLEET_ARGUMENTS_H

#include "keyring.h"
#include "pipeline.h"

/**
 * struct arguments - what the command line of a verb that works on many devices said
 *
 * Not judged as a whole yet.
 */
struct arguments {
	struct key_options keys;
	const char *server_id;
	const char *addr;
	bool generation_given;
	struct pipeline pipeline;
};

/* For a verb's struct option array: where devices come from and results go */
#define STREAM_OPTIONS \
	{ "spare-digit", no_argument, NULL, 'd' }, \
	{ "duplicates", required_argument, NULL, 'D' }, \
	{ "format", required_argument, NULL, 'f' }, \
	{ "output", required_argument, NULL, 'o' }, \
	{ "threads", required_argument, NULL, 't' }

/* Of which server, and how */
#define SERVER_OPTIONS \
	{ "profile", required_argument, NULL, 'p' }, \
	{ "server-id", required_argument, NULL, 'i' }, \
	{ "addr", required_argument, NULL, 'a' }, \
	{ "generation", required_argument, NULL, 'g' }

/**
 * arguments_option() - take one of STREAM_OPTIONS, SERVER_OPTIONS or KEY_OPTIONS
 * @a: what it is written into
 * @option: what getopt_long() returned; its argument is in optarg
 *
 * Return: 0; EXIT_NOTHING after a complaint, or if it is none of them.
 */
int arguments_option(struct arguments *a, int option);

/**
 * arguments_input() - take the one operand, the input
 * @verb: for the complaint
 *
 * Return: 0, or EXIT_NOTHING after a complaint.
 */
int arguments_input(struct arguments *a, const char *verb, int argc, char **argv);

/**
 * arguments_server() - judge server and profile
 * @needed: false if it is fine that none was given
 *
 * Return: 0, or EXIT_NOTHING after a complaint.
 */
int arguments_server(struct arguments *a, bool needed);

/**
 * arguments_keys() - read the vendor keys; none for an unkeyed profile
 *
 * Return: 0, or EXIT_NOTHING after a complaint.
 */
int arguments_keys(struct arguments *a);

/* Frees what arguments_keys() made */
void arguments_done(struct arguments *a);

#endif
