/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the agent keeps of one account: values, each with who it comes from. uapi/store.md has the
 * keys and the bytes. Entries of a source or key that this version does not know stay as they are.
 */
#ifndef DMACC_DMACCD_RECORD_H
#define DMACC_DMACCD_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORD_ENTRIES_MAX 1024
#define RECORD_VALUE_MAX (128 * 1024)
#define RECORD_PAYLOAD_MAX (256 * 1024)

/* Numbers of the file format */
enum record_source {
	RECORD_TEMPLATE = 1,	/* as the server's owner furnished it */
	RECORD_DERIVED,		/* computed for this device */
	RECORD_SERVER,		/* changed by the server in a session */
	RECORD_LOCAL,		/* changed on the device */
	RECORD_STATE,		/* what the agent needs to know about the rest */
	RECORD_PREVIOUS,	/* what the server replaced, until what is new has worked */
};

struct record;

int record_new(struct record **ret);
/* Wipes it. Returns NULL; may be given NULL. */
struct record *record_free(struct record *record);

/* The record's own bytes, zero-terminated besides; NULL if there is no such entry */
const void *record_get(const struct record *record, enum record_source source, const char *key,
		       size_t *ret_len);

/* Copies @bytes, wipes what was there. Returns 0; -ENOMEM; -E2BIG beyond what a record can hold. */
int record_set(struct record *record, enum record_source source, const char *key,
	       const void *bytes, size_t len);
void record_remove(struct record *record, enum record_source source, const char *key);

/* All of a source */
void record_remove_source(struct record *record, enum record_source source);

/**
 * record_next() - the entries of a source, one after the other
 * @at: 0 at first; moved on
 * @ret_key: the record's own, zero-terminated besides
 *
 * Return: the value, as of record_get(); NULL when there are no more.
 */
const void *record_next(const struct record *record, enum record_source source, size_t *at,
			const char **ret_key, size_t *ret_len);

/* Four bytes, big-endian, as the numbers of a record are */
int record_set_u32(struct record *record, enum record_source source, const char *key,
		   uint32_t value);
/* False if it is not there or no such number */
bool record_get_u32(const struct record *record, enum record_source source, const char *key,
		    uint32_t *ret);

int record_copy(const struct record *record, struct record **ret);
bool record_equal(const struct record *a, const struct record *b);

/**
 * record_encode() - the payload of a store file; secret
 * @ret_data: malloc'ed; the caller wipes and frees it
 *
 * Return: 0; -ENOMEM; -E2BIG.
 */
int record_encode(const struct record *record, uint8_t **ret_data, size_t *ret_len);

/* Returns 0; -EBADMSG for what is no payload; -ENOMEM */
int record_decode(const uint8_t *data, size_t len, struct record **ret);

#endif
