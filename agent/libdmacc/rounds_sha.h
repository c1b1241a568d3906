/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SHA-256's rounds by the instructions that x86 has for them. A part of lanes.c, for LANES 4.
 *
 * They work on one hash at a time, and each waits for the one before it. Two hashes side by side fill
 * the gaps. The lanes are turned into hashes and back, at each block, for a small part of what its
 * rounds take; all else is done in lanes.
 *
 * Instructions: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, SHA256RNDS2,
 * SHA256MSG1, SHA256MSG2.
 */
#include <immintrin.h>

_Static_assert(LANES == 4, "a register of these instructions has four words");

#define SIDE_BY_SIDE 2
#define EACH_HASH(statement) \
	do { { enum { n = 0 }; statement; } { enum { n = 1 }; statement; } } while (0)

/* Rows become columns: word i of four lanes <-> four words of lane i */
static inline __attribute__((always_inline)) void transpose(__m128i x[4])
{
	__m128i low01 = _mm_unpacklo_epi32(x[0], x[1]), high01 = _mm_unpackhi_epi32(x[0], x[1]);
	__m128i low23 = _mm_unpacklo_epi32(x[2], x[3]), high23 = _mm_unpackhi_epi32(x[2], x[3]);

	x[0] = _mm_unpacklo_epi64(low01, low23);
	x[1] = _mm_unpackhi_epi64(low01, low23);
	x[2] = _mm_unpacklo_epi64(high01, high23);
	x[3] = _mm_unpackhi_epi64(high01, high23);
}

/* Four words of all lanes of stream @s: registers of which each has those words of one lane */
static inline __attribute__((always_inline)) void load_four(__m128i ret[4], const struct words *from,
							    unsigned int s, unsigned int i,
							    unsigned int j, unsigned int k,
							    unsigned int l)
{
	ret[0] = (__m128i)from[i].of[s];
	ret[1] = (__m128i)from[j].of[s];
	ret[2] = (__m128i)from[k].of[s];
	ret[3] = (__m128i)from[l].of[s];
	transpose(ret);
}

/* The other way round, added to what is there */
static inline __attribute__((always_inline)) void add_four(struct words *to, unsigned int s,
							   __m128i x[4], unsigned int i,
							   unsigned int j, unsigned int k,
							   unsigned int l)
{
	transpose(x);
	to[i].of[s] += (word)x[0];
	to[j].of[s] += (word)x[1];
	to[k].of[s] += (word)x[2];
	to[l].of[s] += (word)x[3];
}

/* A hash is in two registers: words F, E, B, A of the state, and H, G, D, C, the lowest first */
#define FEBA 5, 4, 1, 0
#define HGDC 7, 6, 3, 2

/* Four rounds; @wk are their message words and round constants */
static inline __attribute__((always_inline)) void four_rounds(__m128i *feba, __m128i *hgdc,
							      __m128i wk)
{
	*hgdc = _mm_sha256rnds2_epu32(*hgdc, *feba, wk);
	*feba = _mm_sha256rnds2_epu32(*feba, *hgdc, _mm_shuffle_epi32(wk, 0x0e));
}

/* The schedule's words t to t + 3 go where those of 16 words before were; @m has 16 from t - 16 on, @i is t / 4 */
static inline __attribute__((always_inline)) void expand(__m128i m[4], unsigned int i)
{
	__m128i before = m[(i + 3) % 4];
	__m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(m[i % 4], m[(i + 1) % 4]),
				    _mm_alignr_epi8(before, m[(i + 2) % 4], 4));

	m[i % 4] = _mm_sha256msg2_epu32(sum, before);
}

static inline __attribute__((always_inline)) __m128i constants(const __u32 *k, unsigned int i)
{
	return _mm_loadu_si128((const __m128i *)(k + 4 * i));
}

/* The blocks of a stream's four lanes: m[i] are message words 4 * i to 4 * i + 3, a lane each */
static inline void load_blocks(__m128i m[4][LANES], const struct words w[16], unsigned int s)
{
	unsigned int i;

#pragma GCC unroll 4
	for (i = 0; i < 4; i++)
		load_four(m[i], w, s, 4 * i, 4 * i + 1, 4 * i + 2, 4 * i + 3);
}

/* Two hashes see a block each, those of @lane and the next one */
static inline void two_blocks(__m128i feba[SIDE_BY_SIDE], __m128i hgdc[SIDE_BY_SIDE],
			      __m128i blocks[4][LANES], unsigned int lane)
{
	__m128i m[SIDE_BY_SIDE][4], k;
	unsigned int i;

	for (i = 0; i < 4; i++)
		EACH_HASH(m[n][i] = blocks[i][lane + n]);
#pragma GCC unroll 16
	for (i = 0; i < 16; i++) {
		k = constants(dmacc_lanes_constants, i);
		EACH_HASH(if (i >= 4)
				  expand(m[n], i);
			  four_rounds(&feba[n], &hgdc[n], _mm_add_epi32(m[n][i % 4], k)));
	}
}

static inline void two_common_blocks(__m128i feba[SIDE_BY_SIDE], __m128i hgdc[SIDE_BY_SIDE],
				     const __u32 schedule[64])
{
	unsigned int i;

#pragma GCC unroll 16
	for (i = 0; i < 16; i++)
		EACH_HASH(four_rounds(&feba[n], &hgdc[n], constants(schedule, i)));
}

/* The hashes of the four lanes of a stream, and back */
struct four_hashes {
	__m128i feba[4], hgdc[4];
};

static inline struct four_hashes load_hashes(const struct words state[8], unsigned int s)
{
	struct four_hashes ret;

	load_four(ret.feba, state, s, FEBA);
	load_four(ret.hgdc, state, s, HGDC);
	return ret;
}

static inline void add_hashes(struct words state[8], unsigned int s, struct four_hashes *x)
{
	add_four(state, s, x->feba, FEBA);
	add_four(state, s, x->hgdc, HGDC);
}

/* The hash sees a block */
static __attribute__((noinline)) void compress(struct words state[8], const struct words w[16])
{
	struct four_hashes x;
	unsigned int s, lane;
	__m128i m[4][4];

	for (s = 0; s < STREAMS; s++) {
		x = load_hashes(state, s);
		load_blocks(m, w, s);
		for (lane = 0; lane < LANES; lane += SIDE_BY_SIDE)
			two_blocks(x.feba + lane, x.hgdc + lane, m, lane);
		add_hashes(state, s, &x);
	}
}

/* The same for a block that is the same for all devices */
static __attribute__((noinline)) void compress_common(struct words state[8],
						      const __u32 schedule[64])
{
	struct four_hashes x;
	unsigned int s, lane;

	for (s = 0; s < STREAMS; s++) {
		x = load_hashes(state, s);
		for (lane = 0; lane < LANES; lane += SIDE_BY_SIDE)
			two_common_blocks(x.feba + lane, x.hgdc + lane, schedule);
		add_hashes(state, s, &x);
	}
}
