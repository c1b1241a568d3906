// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * An open hash table of device numbers.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "dmacc.h"
#include "duplicates.h"
#include "fleet.h"

#define FIRST_SIZE 1024

/* @number is 0 for an empty one */
struct place {
	uint64_t number;
	uint64_t line;
};

struct duplicates {
	struct place *places;
	size_t size;		/* a power of two */
	size_t count;		/* at most 3/4 of it */
	uint64_t salt;		/* nobody can make a list that this table is slow with */
};

struct duplicates *duplicates_new(void)
{
	struct duplicates *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->size = FIRST_SIZE;
	d->places = calloc(d->size, sizeof(*d->places));
	if (!d->places || getrandom(&d->salt, sizeof(d->salt), 0) != (ssize_t)sizeof(d->salt))
		return duplicates_free(d);
	return d;
}

struct duplicates *duplicates_free(struct duplicates *d)
{
	if (d)
		free(d->places);
	free(d);
	return NULL;
}

/* Digits of any kind are hexadecimal ones, 14 or 8, and the kind goes before them: never 0 */
static uint64_t number_of(const char *devid)
{
	const char *digit = strchr(devid, ':') + 1;
	size_t significant = *devid == 'E' ? 8 : 14, i;
	uint64_t number = *devid == 'I' ? 1 : *devid == 'M' ? 2 : 3;

	for (i = 0; i < significant; i++)
		number = number << 4 | (uint64_t)(digit[i] <= '9' ? digit[i] - '0' :
								    digit[i] - 'A' + 10);
	return number;
}

static size_t hash(const struct duplicates *d, uint64_t number)
{
	number ^= d->salt;
	number = (number ^ number >> 32) * 0xd6e8feb86659fd93ULL;
	number = (number ^ number >> 32) * 0xd6e8feb86659fd93ULL;
	return (size_t)(number ^ number >> 32) & (d->size - 1);
}

/* Where a number is, or would go */
static struct place *place_of(const struct duplicates *d, uint64_t number)
{
	size_t i = hash(d, number);

	while (d->places[i].number && d->places[i].number != number)
		i = (i + 1) & (d->size - 1);
	return &d->places[i];
}

static int grow(struct duplicates *d)
{
	struct duplicates larger = *d;
	size_t i;

	larger.size *= 2;
	larger.places = calloc(larger.size, sizeof(*larger.places));
	if (!larger.places)
		return -ENOMEM;
	for (i = 0; i < d->size; i++)
		if (d->places[i].number)
			*place_of(&larger, d->places[i].number) = d->places[i];
	free(d->places);
	*d = larger;
	return 0;
}

int duplicates_add(struct duplicates *d, const char *devid, uint64_t line, uint64_t *ret_first)
{
	uint64_t number = number_of(devid);
	struct place *place = place_of(d, number);

	if (place->number) {
		*ret_first = place->line;
		return -EEXIST;
	}
	if (d->count == DUPLICATES_MAX) {
		complain("line %llu: more devices than duplicates are looked for in (%u)",
			 (unsigned long long)line, DUPLICATES_MAX);
		return -EIO;
	}
	*place = (struct place){ number, line };
	if (++d->count > d->size / 4 * 3)
		return grow(d);
	return 0;
}
