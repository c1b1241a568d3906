// SPDX-License-Identifier: LGPL-2.1-or-later
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "columns.h"

static const char *const words[] = {
	[COLUMN_DEVID] = "DevId",
	[COLUMN_IDENTIFIER] = "identifier",
	[COLUMN_IMEI] = "IMEI",
	[COLUMN_IMEISV] = "IMEISV",
	[COLUMN_MEID] = "MEID",
	[COLUMN_ESN] = "ESN",
	[COLUMN_GENERATION] = "generation",
	[COLUMN_KEY_VERSION] = "key_version",
	[COLUMN_SLOT] = "slot",
	[COLUMN_KEY_ID] = "KeyId",
	[COLUMN_DEVICE_KEY] = "DeviceKey",
	[COLUMN_USER_NAME] = "UserName",
	[COLUMN_CLIENT_PW] = "ClientPW",
	[COLUMN_SERVER_PW] = "ServerPW",
	[COLUMN_SERVER_NONCE] = "ServerNonce",
	[COLUMN_CLIENT_NONCE] = "ClientNonce",
	[COLUMN_CLIENT_HASH] = "ClientHash",
	[COLUMN_SERVER_HASH] = "ServerHash",
};

const char *column_word(enum column column)
{
	return words[column];
}

static char next_letter(const char **text, const char *end)
{
	while (*text < end && strchr("_- ", **text) && **text)
		(*text)++;
	return *text < end ? (char)tolower((unsigned char)*(*text)++) : '\0';
}

static bool same_name(const char *a, size_t len, const char *b)
{
	const char *a_end = a + len, *b_end = b + strlen(b);
	char letter;

	do {
		letter = next_letter(&a, a_end);
		if (letter != next_letter(&b, b_end))
			return false;
	} while (letter);
	return a == a_end;
}

enum column column_named(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < COLUMNS; i++)
		if (same_name(name, len, words[i]))
			break;
	return (enum column)i;
}

static void clear(struct columns *columns)
{
	size_t i;

	for (i = 0; i < COLUMNS; i++)
		columns->field[i] = -1;
}

static void read_names(struct columns *columns, const struct record *record)
{
	enum column column;
	size_t i;

	clear(columns);
	for (i = 0; i < record->count; i++) {
		column = column_named(record->fields[i].text, record->fields[i].len);
		/* of two that are called the same, the first one */
		if (column != COLUMNS && columns->field[column] < 0)
			columns->field[column] = (int)i;
	}
}

static bool is_header(const struct columns *columns, const struct record *record)
{
	const struct field *first = &record->fields[0];
	char devid[DMACC_DEVID_SIZE];
	bool named = false;
	size_t i;

	for (i = 0; i < COLUMN_IDENTIFIERS; i++) {
		if (!columns->field[i])
			return true;
		named |= columns->field[i] > 0;
	}
	/* a device is never taken for a header because a note on it says "IMEI" */
	return named && dmacc_identifier_read(first->text, first->len, DMACC_SPARE_DIGIT, devid, NULL);
}

bool columns_from_header(struct columns *columns, const struct record *record)
{
	read_names(columns, record);
	if (!record->refusal && is_header(columns, record))
		return true;
	clear(columns);
	columns->field[COLUMN_DEVID] = 0;
	return false;
}

void columns_of_objects(struct columns *columns)
{
	int i;

	for (i = 0; i < COLUMNS; i++)
		columns->field[i] = i;
}

const struct field *columns_get(const struct columns *columns, const struct record *record,
				enum column column)
{
	int i = columns->field[column];

	return i < 0 || (size_t)i >= record->count || !record->fields[i].len ? NULL :
									      &record->fields[i];
}

/* The first that is not empty; *ret_column is COLUMNS if there is none */
static const struct field *find_identifier(const struct columns *columns,
					   const struct record *record, enum column *ret_column)
{
	static const struct field none = { "", 0 };
	const struct field *field;
	int i;

	for (i = 0; i < COLUMN_IDENTIFIERS; i++) {
		field = columns_get(columns, record, (enum column)i);
		if (field) {
			*ret_column = (enum column)i;
			return field;
		}
	}
	*ret_column = COLUMNS;
	return &none;
}

const struct field *columns_identifier_field(const struct columns *columns,
					     const struct record *record)
{
	enum column column;

	return find_identifier(columns, record, &column);
}

int columns_identifier(const struct columns *columns, const struct record *record,
		       unsigned int flags, char ret_devid[DMACC_DEVID_SIZE],
		       struct dmacc_reason *reterr_reason)
{
	enum column column;
	const struct field *field = find_identifier(columns, record, &column);
	char esn[4 + RECORD_FIELD_MAX + 1];

	if (column != COLUMN_ESN || field->len > RECORD_FIELD_MAX ||
	    memchr(field->text, ':', field->len))
		return dmacc_identifier_read(field->text, field->len, flags, ret_devid,
					     reterr_reason);
	memcpy(esn, "ESN:", 4);
	memcpy(esn + 4, field->text, field->len);
	return dmacc_identifier_read(esn, 4 + field->len, flags, ret_devid, reterr_reason);
}
