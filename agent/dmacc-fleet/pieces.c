// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdlib.h>

#include "dmacc.h"
#include "pieces.h"

/* Of one thread: what it works on, and what waits for its turn meanwhile */
#define EACH 2

static void put_free(struct pieces *p, struct piece *piece)
{
	/* the last one is the first again: it is in a processor's cache */
	piece->next = p->free;
	p->free = piece;
}

int pieces_init(struct pieces *p, unsigned int threads)
{
	unsigned int i;

	*p = (struct pieces){
		.count = threads > 1 ? EACH * threads : 1,
		.lock = PTHREAD_MUTEX_INITIALIZER, .freed = PTHREAD_COND_INITIALIZER,
	};
	p->all = calloc(p->count, sizeof(*p->all));
	p->worked = calloc(p->count, sizeof(struct piece *));
	if (!p->all || !p->worked)
		return -ENOMEM;
	for (i = p->count; i--; ) {
		p->all[i].text = malloc(PIECE_SIZE + 1);
		if (!p->all[i].text)
			return -ENOMEM;
		put_free(p, &p->all[i]);
	}
	return 0;
}

void pieces_done(struct pieces *p)
{
	unsigned int i;

	for (i = 0; p->all && i < p->count; i++) {
		if (p->all[i].text)
			dmacc_wipe(p->all[i].text, PIECE_SIZE);
		free(p->all[i].text);
		buffer_done(&p->all[i].rows.out);
		buffer_done(&p->all[i].rows.rejects);
	}
	free(p->all);
	free(p->worked);
	*p = (struct pieces){ 0 };
}

struct piece *pieces_take(struct pieces *p)
{
	struct piece *piece = NULL;

	pthread_mutex_lock(&p->lock);
	while (!p->free && !p->error)
		pthread_cond_wait(&p->freed, &p->lock);
	if (!p->error) {
		piece = p->free;
		p->free = piece->next;
	}
	pthread_mutex_unlock(&p->lock);
	return piece;
}

void pieces_worked(struct pieces *p, struct piece *piece)
{
	pthread_mutex_lock(&p->lock);
	p->worked[piece->number % p->count] = piece;
	pthread_mutex_unlock(&p->lock);
}

struct piece *pieces_turn(struct pieces *p)
{
	struct piece *piece = NULL;

	pthread_mutex_lock(&p->lock);
	if (!p->writing && !p->error)
		piece = p->worked[p->written % p->count];
	p->writing |= !!piece;
	pthread_mutex_unlock(&p->lock);
	return piece;
}

void pieces_written(struct pieces *p, struct piece *piece)
{
	pthread_mutex_lock(&p->lock);
	p->writing = false;
	p->worked[p->written++ % p->count] = NULL;
	put_free(p, piece);
	pthread_cond_signal(&p->freed);
	pthread_mutex_unlock(&p->lock);
}

void pieces_fail(struct pieces *p, int error)
{
	pthread_mutex_lock(&p->lock);
	if (!p->error)
		p->error = error;
	pthread_cond_broadcast(&p->freed);
	pthread_mutex_unlock(&p->lock);
}

int pieces_error(struct pieces *p)
{
	int error;

	pthread_mutex_lock(&p->lock);
	error = p->error;
	pthread_mutex_unlock(&p->lock);
	return error;
}
