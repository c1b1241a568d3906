// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Puts devices together whose DevIds have the same length, prepares what they have in common, and
 * hands them to an engine of lanes.h as many at a time as it takes.
 */
#include <stdlib.h>

#include "batch.h"
#include "message.h"

/* DevIds have one of three lengths: IMEI, MEID, ESN */
#define LENGTHS 3

/* Bytes of stack that an engine may have spilled to */
#define STACK_SIZE 8192

/**
 * struct batch - an engine and what it needs
 * @scratch: its buffer, wiped after each batch
 * @vendor: the vendor key's state; secret
 * @server: what @plans were made for, a copy in @server_bytes; ->element is 0 if nothing was
 * @flags, @generation: likewise
 */
struct batch {
	const struct lanes_engine *engine;
	void *scratch;
	bool has_vendor_key;
	struct lanes_key vendor;
	struct dmacc_server server;
	__u8 server_bytes[DMACC_SERVER_MAX];
	unsigned int flags;
	__u32 generation;
	struct lanes_plan plans[LENGTHS];
};

struct batch *dmacc_batch_new(const struct lanes_engine *engine)
{
	struct batch *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->engine = engine;
	b->server.bytes = b->server_bytes;
	b->scratch = aligned_alloc(64, engine->scratch_size);
	if (!b->scratch) {
		free(b);
		return NULL;
	}
	return b;
}

struct batch *dmacc_batch_free(struct batch *b)
{
	if (b) {
		free(b->scratch);
		dmacc_wipe(&b->vendor, sizeof(b->vendor));
		free(b);
	}
	return NULL;
}

static __attribute__((noinline)) void wipe_stack(void)
{
	char room[STACK_SIZE];

	dmacc_wipe(room, sizeof(room));
}

static void wipe_traces(struct batch *b)
{
	dmacc_wipe(b->scratch, b->engine->scratch_size);
	wipe_stack();
}

void dmacc_batch_set_vendor_key(struct batch *b, const __u8 key[DMACC_KEY_SIZE])
{
	b->engine->set_key(b->scratch, key, &b->vendor);
	b->has_vendor_key = true;
	wipe_traces(b);
}

static __u32 rotate(__u32 x, unsigned int n)
{
	return x >> n | x << (32 - n);
}

/* The 64 schedule words of a block with the round constants, FIPS 180-4 section 6.2.2 */
static void make_schedule(__u32 ret[64], const __u32 block[LANES_BLOCK_WORDS])
{
	__u32 w[64], x, y;
	unsigned int i;

	for (i = 0; i < 64; i++) {
		if (i < LANES_BLOCK_WORDS) {
			w[i] = block[i];
		} else {
			x = w[i - 15];
			y = w[i - 2];
			w[i] = w[i - 16] + (rotate(x, 7) ^ rotate(x, 18) ^ x >> 3) + w[i - 7] +
			       (rotate(y, 17) ^ rotate(y, 19) ^ y >> 10);
		}
		ret[i] = w[i] + dmacc_lanes_constants[i];
	}
}

/* FIPS 180-4 section 5.1.1; the hash has seen a block before, which is the key's */
static unsigned int pad(__u32 words[LANES_BLOCKS * LANES_BLOCK_WORDS], const __u8 *bytes, size_t len)
{
	size_t blocks = (len + 9 + 63) / 64, i;

	memset(words, 0, LANES_BLOCKS * LANES_BLOCK_WORDS * sizeof(*words));
	for (i = 0; i < len; i++)
		words[i / 4] |= (__u32)bytes[i] << (24 - i % 4 * 8);
	words[len / 4] |= (__u32)0x80 << (24 - len % 4 * 8);
	words[blocks * LANES_BLOCK_WORDS - 1] = (__u32)(64 + len) * 8;
	return (unsigned int)blocks;
}

static void make_schedules(struct lanes_message *m,
			   const __u32 words[LANES_BLOCKS * LANES_BLOCK_WORDS])
{
	unsigned int n;

	for (n = 1; n < m->blocks; n++)
		make_schedule(m->schedule[n - 1], words + n * LANES_BLOCK_WORDS);
}

void dmacc_lanes_message_set(struct lanes_message *m, const __u8 *bytes, size_t len)
{
	m->blocks = pad(m->words, bytes, len);
	m->devid_at = MESSAGE_NOWHERE;
	m->number_at = MESSAGE_NOWHERE;
	make_schedules(m, m->words);
}

/* The words are those of number 0, to which an engine adds; the schedules those of @generation */
static void make_message(struct lanes_message *m, enum dmacc_output output, size_t devid_len,
			 const struct dmacc_server *server, __u32 generation)
{
	__u32 words[LANES_BLOCKS * LANES_BLOCK_WORDS];
	struct message message;

	dmacc_message_prepare(&message, output, devid_len, server, 0);
	m->blocks = pad(m->words, message.bytes, message.len);
	m->devid_at = message.devid_at;
	m->number_at = message.number_at;
	dmacc_message_prepare(&message, output, devid_len, server, generation);
	pad(words, message.bytes, message.len);
	make_schedules(m, words);
}

static void make_plan(struct lanes_plan *plan, unsigned int devid_len,
		      const struct dmacc_server *server, __u32 generation, unsigned int flags)
{
	unsigned int i;

	plan->devid_len = devid_len;
	plan->generation = generation;
	plan->count = !server->element ? 0 : flags & DMACC_NONCES ? MESSAGE_OUTPUTS :
		      MESSAGE_PASSWORDS;
	make_message(&plan->key, DMACC_OUTPUT_DEVICE_KEY, devid_len, NULL, 0);
	for (i = 0; i < plan->count; i++) {
		const struct message_output *from = &dmacc_message_outputs[i];
		struct lanes_output *output = &plan->outputs[i];

		make_message(&output->message, from->output, devid_len, server, generation);
		output->base32 = from->base32;
		output->bytes = dmacc_kdf_spec(from->output)->bits / 8;
		output->offset = from->offset;
	}
}

/* Plans that were made for something else are forgotten */
static void set_server(struct batch *b, const struct dmacc_server *server, unsigned int flags,
		       __u32 generation)
{
	unsigned int i;

	if (b->server.element == server->element && b->server.len == server->len &&
	    b->flags == flags && b->generation == generation &&
	    !memcmp(b->server_bytes, server->bytes, server->len))
		return;
	b->server.element = server->element;
	b->server.len = server->len;
	memcpy(b->server_bytes, server->bytes, server->len);
	b->flags = flags;
	b->generation = generation;
	for (i = 0; i < LENGTHS; i++)
		b->plans[i].devid_len = 0;
}

static void flush(struct batch *b, struct lanes_plan *plan, struct lanes_chunk *chunk)
{
	if (chunk->count)
		b->engine->derive(b->scratch, plan, b->has_vendor_key ? &b->vendor : NULL, chunk);
	chunk->count = 0;
}

/* Which of the three lengths; DevId's first character tells its kind */
static unsigned int length_of(const struct dmacc_request *q, unsigned int *ret_len)
{
	unsigned int i = q->devid[0] == 'I' ? 0 : q->devid[0] == 'M' ? 1 : 2;
	static const unsigned int lengths[LENGTHS] = { 20, 19, 12 };

	*ret_len = lengths[i];
	return i;
}

static void add(struct batch *b, struct lanes_chunk chunks[LENGTHS], const struct dmacc_request *q,
		__u8 *device_key, struct dmacc_credentials *credentials)
{
	unsigned int len, i = length_of(q, &len);
	struct lanes_chunk *chunk = &chunks[i];

	if (!b->plans[i].devid_len)
		make_plan(&b->plans[i], len, &b->server, b->generation, b->flags);
	chunk->requests[chunk->count] = q;
	chunk->device_keys[chunk->count] = device_key;
	chunk->credentials[chunk->count] = credentials;
	if (++chunk->count == b->engine->width)
		flush(b, &b->plans[i], chunk);
}

/* Device keys if @device_keys is given, else credentials */
static void run(struct batch *b, const struct dmacc_request *requests, size_t count,
		__u8 (*device_keys)[DMACC_KEY_SIZE], struct dmacc_credentials *credentials)
{
	struct lanes_chunk chunks[LENGTHS];
	size_t i;

	for (i = 0; i < LENGTHS; i++)
		chunks[i].count = 0;
	for (i = 0; i < count; i++)
		add(b, chunks, &requests[i], device_keys ? device_keys[i] : NULL,
		    credentials ? &credentials[i] : NULL);
	for (i = 0; i < LENGTHS; i++)
		flush(b, &b->plans[i], &chunks[i]);
	wipe_traces(b);
}

void dmacc_batch_credentials(struct batch *b, const struct dmacc_server *server,
			     unsigned int flags, const struct dmacc_request *requests,
			     size_t count, struct dmacc_credentials *ret)
{
	/* generations are seldom mixed: the first one's is prepared */
	set_server(b, server, flags, count ? requests[0].generation : 0);
	memset(ret, 0, count * sizeof(*ret));
	run(b, requests, count, NULL, ret);
}

void dmacc_batch_device_keys(struct batch *b, const struct dmacc_request *requests, size_t count,
			     __u8 (*ret)[DMACC_KEY_SIZE])
{
	static const struct dmacc_server none = { 0, "", 0 };

	set_server(b, &none, 0, 0);
	run(b, requests, count, ret, NULL);
}
