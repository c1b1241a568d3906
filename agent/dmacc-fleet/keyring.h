/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The vendor keys of a run, and which of them is a device's: the one of --key
 * for all, or by the longest prefix of the DevId that a --keyring names.
 */
#ifndef DMACC_FLEET_KEYRING_H
#define DMACC_FLEET_KEYRING_H

#include <getopt.h>
#include <stdio.h>

#include "dmacc.h"

/* What the options of a verb say of keys */
struct key_options {
	const char *key;
	const char *keyring;
	const char *pin_file;
	uint32_t key_version;
	bool key_version_given;
};

/* For a verb's struct option array */
#define KEY_OPTIONS \
	{ "key", required_argument, NULL, 'k' }, \
	{ "keyring", required_argument, NULL, 'K' }, \
	{ "pin-file", required_argument, NULL, 'P' }, \
	{ "key-version", required_argument, NULL, 'v' }

/**
 * key_option() - take one of KEY_OPTIONS
 * @o: what it is written into
 * @option: what getopt_long() returned; its argument is in optarg
 *
 * Return: 0; EXIT_NOTHING after a complaint, or if it is none of them.
 */
int key_option(struct key_options *o, int option);

/* Does a key or a PIN come from stdin? */
bool key_options_use_stdin(const struct key_options *o);

struct keyring;

/**
 * keyring_open() - read the keys that the options name
 * @o: options, judged here as a whole
 * @ret: the caller's, to be given to keyring_free(); threads may share it
 *
 * Return: 0, or EXIT_NOTHING after a complaint that names the file and what is wrong, and for a
 * keyring the line.
 */
int keyring_open(const struct key_options *o, struct keyring **ret);
struct keyring *keyring_free(struct keyring *keyring);

/**
 * struct keyring_user - what one thread derives with; one deriver for each key
 */
struct keyring_user;

int keyring_use(struct keyring *keyring, struct keyring_user **ret);
struct keyring_user *keyring_user_free(struct keyring_user *user);

/**
 * keyring_find() - the vendor key of a device
 * @user: this thread's
 * @devid: in canonical form
 * @key_version: that of the device if it is known, else 0, and then the keyring's is written
 *
 * Return: its deriver; NULL if no entry fits.
 */
struct dmacc_deriver *keyring_find(struct keyring_user *user, const char *devid,
				   uint32_t *key_version);

/**
 * keyring_print_ids() - prefix, key version and KeyId of each entry, as CSV with a header
 *
 * Of the one of --key the KeyId alone.
 *
 * Return: 0, or EXIT_NOTHING after a complaint.
 */
int keyring_print_ids(struct keyring *keyring, FILE *out);

/* The reason of a device of which keyring_find() knows nothing */
extern const struct dmacc_reason keyring_no_entry;

#endif
