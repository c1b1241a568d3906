// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * HMAC-SHA-256 over compiler vectors: a lane is a device. The build compiles this file once for each
 * kind of processor and says what is wanted of it:
 *
 *   SHA_EXTENSIONS	rounds by x86's instructions for them, not by operations on vectors
 *   LANES	32-bit lanes of a vector register
 *   STREAMS	vectors that are worked on in turn. A round waits for the one before it, so that one
 *		vector alone leaves the processor half idle.
 *   ENGINE	what it is called: dmacc_lanes_ENGINE
 *
 * No branch and no address depends on what is secret: keys, hash states, outputs. All of these lie
 * in the caller's struct scratch, or are spilled to this file's stack.
 */
#include "lanes.h"

#define WIDTH (LANES * STREAMS)

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "text is put together for little-endian processors"
#endif
_Static_assert(WIDTH <= LANES_WIDTH_MAX, "struct lanes_chunk has no room for that many");

typedef __u32 word __attribute__((vector_size(4 * LANES)));

/* One value for each device */
struct words {
	word of[STREAMS];
};

struct scratch {
	struct words devid[LANES_DEVID_WORDS];	/* big-endian, zeros behind it */
	struct words number;			/* key version or generation */
	struct words key[8];
	struct words inner[8], outer[8];
	struct words state[8];
	struct words block[LANES_BLOCK_WORDS];
	struct words text[8];
} __attribute__((aligned(64)));	/* so is its size, which aligned_alloc() wants */

static const __u32 initial_state[8] = {
	0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

/* A statement for each stream, side by side; s is its number */
#if STREAMS == 1
#define EACH_STREAM(statement) do { { enum { s = 0 }; statement; } } while (0)
#else
#define EACH_STREAM(statement) \
	do { { enum { s = 0 }; statement; } { enum { s = 1 }; statement; } } while (0)
_Static_assert(STREAMS == 2, "EACH_STREAM() knows two");
#endif

#ifdef SHA_EXTENSIONS
#include "rounds_sha.h"
#else
#include "rounds_vector.h"
#endif

static void set_state(struct words state[8], const __u32 from[8])
{
	unsigned int i;

	for (i = 0; i < 8; i++)
		EACH_STREAM(state[i].of[s] = (word){ 0 } + from[i]);
}

/* HMAC: a hash state that has seen the key with a pad */
static void see_key(struct scratch *x, struct words ret[8], __u32 pad)
{
	unsigned int i;

	for (i = 0; i < 8; i++)
		EACH_STREAM(x->block[i].of[s] = x->key[i].of[s] ^ pad);
	for (; i < LANES_BLOCK_WORDS; i++)
		EACH_STREAM(x->block[i].of[s] = (word){ 0 } + pad);
	set_state(ret, initial_state);
	compress(ret, x->block);
}

static void see_keys(struct scratch *x)
{
	see_key(x, x->inner, 0x36363636);
	see_key(x, x->outer, 0x5c5c5c5c);
}

/*
 * Puts words that start at byte @at of the message into the block that starts at word @block_at,
 * where it has zeros for them. What is before the block gets an index that is huge.
 */
static void merge(struct words block[LANES_BLOCK_WORDS], unsigned int block_at,
		  const struct words *words, unsigned int count, unsigned int at)
{
	unsigned int shift = at % 4 * 8, i, to;

	for (i = 0; i < count; i++) {
		to = at / 4 + i - block_at;
		if (to < LANES_BLOCK_WORDS)
			EACH_STREAM(block[to].of[s] |= words[i].of[s] >> shift);
		if (shift && to + 1 < LANES_BLOCK_WORDS)
			EACH_STREAM(block[to + 1].of[s] |= words[i].of[s] << (32 - shift));
	}
}

/* A block of the message, with what differs from device to device */
static void make_block(struct scratch *x, const struct lanes_message *m, unsigned int n)
{
	const __u32 *words = m->words + n * LANES_BLOCK_WORDS;
	unsigned int i;

	for (i = 0; i < LANES_BLOCK_WORDS; i++)
		EACH_STREAM(x->block[i].of[s] = (word){ 0 } + words[i]);
	merge(x->block, n * LANES_BLOCK_WORDS, x->devid, LANES_DEVID_WORDS, m->devid_at);
	merge(x->block, n * LANES_BLOCK_WORDS, &x->number, 1, m->number_at);
}

/*
 * HMAC's inner hash, from a state that has seen the key. @same_number: all devices have the number
 * that the schedules were made with.
 */
static void hash_message(struct scratch *x, const struct lanes_message *m, bool same_number)
{
	unsigned int n;

	for (n = 0; n < m->blocks; n++) {
		if (n && (same_number || m->number_at + 4 <= n * 64)) {
			compress_common(x->state, m->schedule[n - 1]);
		} else {
			make_block(x, m, n);
			compress(x->state, x->block);
		}
	}
}

/* The block of HMAC's outer hash: a digest and the padding of 96 bytes */
static void make_outer_block(struct scratch *x)
{
	unsigned int i;

	for (i = 0; i < 8; i++)
		x->block[i] = x->state[i];
	for (; i < LANES_BLOCK_WORDS; i++)
		EACH_STREAM(x->block[i].of[s] = (word){ 0 });
	EACH_STREAM(x->block[8].of[s] += 0x80000000);
	EACH_STREAM(x->block[15].of[s] += 96 * 8);
}

static void derive_key(struct scratch *x, const struct lanes_message *m,
		       const struct lanes_key *vendor)
{
	set_state(x->state, vendor->inner);
	hash_message(x, m, false);
	make_outer_block(x);
	set_state(x->key, vendor->outer);
	compress(x->key, x->block);
}

static void derive_output(struct scratch *x, const struct lanes_message *m, bool same_number)
{
	memcpy(x->state, x->inner, sizeof(x->state));
	hash_message(x, m, same_number);
	make_outer_block(x);
	memcpy(x->state, x->outer, sizeof(x->state));
	compress(x->state, x->block);
}

/* Four characters of base32 of 20 bits, side by side, in the way of dmacc_base32() */
static inline word base32_characters(word bits)
{
	word values, digits;

	values = bits >> 15 | (bits >> 10 & 31) << 8 | (bits >> 5 & 31) << 16 | (bits & 31) << 24;
	digits = (values + 0x66666666) >> 7 & 0x01010101;
	return values + 0x41414141 - digits * 41;
}

static void make_text(struct scratch *x, unsigned int quads)
{
	unsigned int i, at, shift;

	for (i = 0; i < quads; i++) {
		const struct words *from = &x->state[i * 20 / 32];

		at = i * 20 % 32;
		shift = at > 12 ? 44 - at : 12 - at;
		EACH_STREAM(word bits = from[0].of[s] >> shift;
			    if (at > 12)
				    bits = from[0].of[s] << (at - 12) | from[1].of[s] >> shift;
			    x->text[i].of[s] = base32_characters(bits & 0xfffff));
	}
}

static __u32 *lane_of(struct words *words, unsigned int lane)
{
	return (__u32 *)words + lane;
}

static void store_text(struct scratch *x, const struct lanes_chunk *chunk,
		       const struct lanes_output *output)
{
	unsigned int quads = output->bytes / 5 * 2, lane, i;
	char *to;

	make_text(x, quads);
	for (lane = 0; lane < chunk->count; lane++) {
		to = (char *)chunk->credentials[lane] + output->offset;
		for (i = 0; i < quads; i++)
			memcpy(to + 4 * i, lane_of(&x->text[i], lane), 4);
		to[4 * quads] = '\0';
	}
}

/* Big-endian bytes of a value's first words */
static void store_bytes(struct words *value, unsigned int lane, __u8 *to, unsigned int len)
{
	unsigned int i;
	__u32 bytes;

	for (i = 0; i < len / 4; i++) {
		bytes = __builtin_bswap32(*lane_of(&value[i], lane));
		memcpy(to + 4 * i, &bytes, 4);
	}
}

static void load_bytes(struct words *value, unsigned int lane, const void *from, unsigned int len)
{
	unsigned int i;
	__u32 bytes;

	for (i = 0; i < len / 4; i++) {
		memcpy(&bytes, (const char *)from + 4 * i, 4);
		*lane_of(&value[i], lane) = __builtin_bswap32(bytes);
	}
}

/* A lane without a device works for the first one once more */
static const struct dmacc_request *request_of(const struct lanes_chunk *chunk, unsigned int lane)
{
	return chunk->requests[lane < chunk->count ? lane : 0];
}

static void load_devids(struct scratch *x, const struct lanes_chunk *chunk, unsigned int len)
{
	char devid[4 * LANES_DEVID_WORDS] = { 0 };
	unsigned int lane;

	for (lane = 0; lane < WIDTH; lane++) {
		/* an IMEI fills it */
		if (len == sizeof(devid))
			memcpy(devid, request_of(chunk, lane)->devid, sizeof(devid));
		else
			memcpy(devid, request_of(chunk, lane)->devid, len);
		load_bytes(x->devid, lane, devid, sizeof(devid));
	}
}

static void load_key_versions(struct scratch *x, const struct lanes_chunk *chunk)
{
	unsigned int lane;

	for (lane = 0; lane < WIDTH; lane++)
		*lane_of(&x->number, lane) = request_of(chunk, lane)->key_version;
}

/* Returns whether all of them are @generation */
static bool load_generations(struct scratch *x, const struct lanes_chunk *chunk, __u32 generation)
{
	unsigned int lane;
	bool same = true;

	for (lane = 0; lane < WIDTH; lane++) {
		*lane_of(&x->number, lane) = request_of(chunk, lane)->generation;
		same &= request_of(chunk, lane)->generation == generation;
	}
	return same;
}

/* Device keys that the caller has already stand in for derived ones */
static void load_keys(struct scratch *x, const struct lanes_chunk *chunk)
{
	const __u8 *key;
	unsigned int lane;

	for (lane = 0; lane < WIDTH; lane++) {
		key = request_of(chunk, lane)->device_key;
		if (key)
			load_bytes(x->key, lane, key, DMACC_KEY_SIZE);
	}
}

static void derive_credentials(struct scratch *x, const struct lanes_plan *plan,
			       const struct lanes_chunk *chunk)
{
	bool same = load_generations(x, chunk, plan->generation);
	const struct lanes_output *output;
	unsigned int lane;

	see_keys(x);
	for (output = plan->outputs; output < plan->outputs + plan->count; output++) {
		derive_output(x, &output->message, same);
		if (output->base32) {
			store_text(x, chunk, output);
			continue;
		}
		for (lane = 0; lane < chunk->count; lane++)
			store_bytes(x->state, lane,
				    (__u8 *)chunk->credentials[lane] + output->offset,
				    output->bytes);
	}
}

static void derive(void *scratch, const struct lanes_plan *plan, const struct lanes_key *vendor,
		   const struct lanes_chunk *chunk)
{
	struct scratch *x = scratch;
	unsigned int lane;

	load_devids(x, chunk, plan->devid_len);
	if (vendor) {
		load_key_versions(x, chunk);
		derive_key(x, &plan->key, vendor);
	}
	load_keys(x, chunk);
	if (!chunk->device_keys[0]) {
		derive_credentials(x, plan, chunk);
		return;
	}
	for (lane = 0; lane < chunk->count; lane++)
		store_bytes(x->key, lane, chunk->device_keys[lane], DMACC_KEY_SIZE);
}

static void set_key(void *scratch, const __u8 key[DMACC_KEY_SIZE], struct lanes_key *ret)
{
	struct scratch *x = scratch;
	unsigned int i;

	memset(x->key, 0, sizeof(x->key));
	load_bytes(x->key, 0, key, DMACC_KEY_SIZE);
	see_keys(x);
	for (i = 0; i < 8; i++) {
		ret->inner[i] = *lane_of(&x->inner[i], 0);
		ret->outer[i] = *lane_of(&x->outer[i], 0);
	}
}

#define TEXT_(name) #name
#define TEXT(name) TEXT_(name)
#define SYMBOL_(name) dmacc_lanes_ ## name
#define SYMBOL(name) SYMBOL_(name)

const struct lanes_engine SYMBOL(ENGINE) = {
	.name = TEXT(ENGINE),
	.width = WIDTH,
	.scratch_size = sizeof(struct scratch),
	.set_key = set_key,
	.derive = derive,
};
