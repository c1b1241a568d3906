/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DMACC_FLEET_PIECES_H
#define DMACC_FLEET_PIECES_H

#include <pthread.h>

#include "rows.h"

#define PIECE_SIZE (128 * 1024)

/**
 * struct piece - whole records of the input, and what becomes of them
 * @number: of the piece in the input, from 0, given by who reads it
 * @text: PIECE_SIZE and a zero
 * @rows: ->text is @text
 * @error: of who worked on it, 0 or as struct rows_work's ->process
 */
struct piece {
	uint64_t number;
	char *text;
	struct rows rows;
	int error;
	struct piece *next;	/* that is free, too */
};

/**
 * struct pieces - those of one run, and the order in which they leave
 *
 * There are more than threads: whoever has worked on one whose turn has not come leaves it here and goes on with
 * another. Any thread may call any function but the first and the last.
 */
struct pieces {
	struct piece *all;
	unsigned int count;

	pthread_mutex_t lock;	/* of all that follows */
	pthread_cond_t freed;	/* or failed */
	struct piece *free;
	struct piece **worked;	/* @count: piece N at N modulo @count; those on their way follow each other */
	uint64_t written;	/* how many */
	bool writing;		/* somebody writes piece @written */
	int error;		/* of the first that failed: all stop */
};

/* Enough for so many threads. Returns 0 or -ENOMEM; pieces_done() is due in any case. */
int pieces_init(struct pieces *p, unsigned int threads);
/* Wipes them: verify reads passwords, and all others write them */
void pieces_done(struct pieces *p);

/* One to read into, as soon as there is one that is free. NULL after a failure. */
struct piece *pieces_take(struct pieces *p);
/* It is ready to be written, by whoever writes the one before */
void pieces_worked(struct pieces *p, struct piece *piece);
/* The one whose turn it is. NULL if it is not ready, if somebody writes already, or after a failure. */
struct piece *pieces_turn(struct pieces *p);
/* pieces_turn()'s is written: it is free, and the turn is the next one's */
void pieces_written(struct pieces *p, struct piece *piece);

/* All stop; the first error remains */
void pieces_fail(struct pieces *p, int error);
int pieces_error(struct pieces *p);

#endif
