/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DMACC_FLEET_COLUMNS_H
#define DMACC_FLEET_COLUMNS_H

#include "record.h"

/* What a field can be. The identifiers come first, in the order in which one is preferred. */
enum column {
	COLUMN_DEVID,
	COLUMN_IDENTIFIER,
	COLUMN_IMEI,
	COLUMN_IMEISV,
	COLUMN_MEID,
	COLUMN_ESN,
	COLUMN_IDENTIFIERS,	/* how many these are */
	COLUMN_GENERATION = COLUMN_IDENTIFIERS,
	COLUMN_KEY_VERSION,
	COLUMN_SLOT,
	COLUMN_KEY_ID,
	COLUMN_DEVICE_KEY,
	COLUMN_USER_NAME,
	COLUMN_CLIENT_PW,
	COLUMN_SERVER_PW,
	COLUMN_SERVER_NONCE,
	COLUMN_CLIENT_NONCE,
	COLUMN_CLIENT_HASH,
	COLUMN_SERVER_HASH,
	COLUMNS
};

/**
 * struct columns - which field of a record holds what
 * @field: index, -1 for none
 */
struct columns {
	int field[COLUMNS];
};

/* What a column is called in what we print */
const char *column_word(enum column column);

/**
 * column_named() - the column of a name as people write it
 * @name: in any case, with or without _, - and blanks between words
 * @len: bytes
 *
 * Return: COLUMNS if there is none.
 */
enum column column_named(const char *name, size_t len);

/**
 * columns_from_header() - read a header line
 * @columns: set from it if it is one, else to the identifier in the first field alone
 * @record: the first record of the input
 *
 * It is one if its first field is called as an identifier, such as DevId or IMEI, or if a later
 * one is and the first can be none.
 *
 * Return: true if it is a header.
 */
bool columns_from_header(struct columns *columns, const struct record *record);

/* The columns of a JSON object's record: field n is column n */
void columns_of_objects(struct columns *columns);

/* The field of a column; NULL if there is none or it is empty */
const struct field *columns_get(const struct columns *columns, const struct record *record,
				enum column column);

/**
 * columns_identifier() - the identifier of a record
 * @flags: 0 or DMACC_SPARE_DIGIT
 * @ret_devid: in canonical form; written on success only
 * @reterr_reason: written on -EINVAL only
 *
 * The first of the identifier columns that is not empty. An ESN's column need not say "ESN:".
 *
 * Return: 0 or -EINVAL.
 */
int columns_identifier(const struct columns *columns, const struct record *record,
		       unsigned int flags, char ret_devid[DMACC_DEVID_SIZE],
		       struct dmacc_reason *reterr_reason);

/* The text that columns_identifier() reads; an empty one if there is none */
const struct field *columns_identifier_field(const struct columns *columns,
					     const struct record *record);

#endif
