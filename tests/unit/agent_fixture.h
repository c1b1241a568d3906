/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The agent without a bus: templates in, accounts and files out, over a double of the kernel's
 * client. "A start" is an agent of its own over the same folders.
 */
#ifndef DMACC_TESTS_AGENT_FIXTURE_H
#define DMACC_TESTS_AGENT_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "agent.h"
#include "kernel_double.h"

/* Kv = 00 01 02 ... 1f, IMEI:490154203237518, com.example.dm, generation 0: uapi/derivation.md */
#define SERVER_PW "VVWHHJPJY3VV7GRTDCYZB5W7PR4AZLSO"
#define SERVER_PW_GENERATION_1 "BEPKVOS264KC7UDKZQNSV5DHVEEBN5VR"
#define SERVER_PW_VERSION_2 "G6UW3J4EMHKFXHAKHXJSUAEW6PNNAHMK"
#define USER_NAME "HQU3K2QFHADCEVTNJZ4OUFUI"

#define ACCOUNT "[Account]\nSlot=vendor\n[DMAcc]\nAddr=https://dm.example.com/dm\n"
#define CONF ACCOUNT "ServerID=com.example.dm\n"

extern const uint8_t initial_server_nonce[16];

struct fixture {
	char path[64], usr[80], etc[80], sys[80], importer[80], config[80];
	struct agent agent;
};

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int setup(void **state);
int teardown(void **state);

void start(struct fixture *f);
void stop(struct fixture *f);

void write_file(const char *folder, const char *name, const char *text);
void remove_file(const char *folder, const char *name);

/* A dmacc-import that says this; it notes each run in the file "runs" */
void set_importer(struct fixture *f, const char *script);
int importer_runs(struct fixture *f);

struct account *account(struct fixture *f, const char *name);
void assert_state(struct fixture *f, const char *name, const char *state, const char *reason);

/* Why a template is refused, which it has to be */
const char *refused(struct fixture *f, const char *name);

/* The value that the 1.1 layout shows below the account's node; NULL if it has none */
const char *value(struct fixture *f, const char *name, const char *leaf);
void assert_value(struct fixture *f, const char *name, const char *leaf, const char *wanted);

/* What the store has of an account; the caller frees it */
struct record *stored_record(struct fixture *f, const char *name);
void assert_nonces(struct fixture *f, const char *name, const char *word);

/* Files of the store */
void store_path(struct fixture *f, const char *file, char ret[256]);
bool stored(struct fixture *f, const char *file);

/* Changes with every write */
struct timespec stamp(struct fixture *f, const char *file);
void assert_unwritten(struct fixture *f, const char *file, struct timespec before);

/* Damages a byte */
void flip(struct fixture *f, const char *file, off_t at);

#endif
