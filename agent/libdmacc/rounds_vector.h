/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SHA-256's rounds, FIPS 180-4 section 6.2.2, by operations on vectors alone. A part of lanes.c.
 */
#define ROTATE(x, n) ((x) >> (n) | (x) << (32 - (n)))
#define BIG_SIGMA0(x) (ROTATE(x, 2) ^ ROTATE(x, 13) ^ ROTATE(x, 22))
#define BIG_SIGMA1(x) (ROTATE(x, 6) ^ ROTATE(x, 11) ^ ROTATE(x, 25))
#define SMALL_SIGMA0(x) (ROTATE(x, 7) ^ ROTATE(x, 18) ^ (x) >> 3)
#define SMALL_SIGMA1(x) (ROTATE(x, 17) ^ ROTATE(x, 19) ^ (x) >> 10)
#define CHOOSE(x, y, z) ((z) ^ ((x) & ((y) ^ (z))))

/*
 * A round; @wk is message word and round constant of stream s. The majority of a, b and c is b, but for
 * the bits in which b differs from both; where b differs from c the round before has found out already,
 * for its a and b.
 */
#define ROUND(a, b, c, d, e, f, g, h, wk) \
	EACH_STREAM(h[s] += BIG_SIGMA1(e[s]) + CHOOSE(e[s], f[s], g[s]) + (wk); d[s] += h[s]; \
		    word a_b = a[s] ^ b[s]; \
		    h[s] += BIG_SIGMA0(a[s]) + (b[s] ^ (b_c[s] & a_b)); b_c[s] = a_b)

/* Eight rounds bring each variable back to its place */
#define EIGHT_ROUNDS(wk) \
	do { \
		ROUND(a, b, c, d, e, f, g, h, wk(0)); ROUND(h, a, b, c, d, e, f, g, wk(1)); \
		ROUND(g, h, a, b, c, d, e, f, wk(2)); ROUND(f, g, h, a, b, c, d, e, wk(3)); \
		ROUND(e, f, g, h, a, b, c, d, wk(4)); ROUND(d, e, f, g, h, a, b, c, wk(5)); \
		ROUND(c, d, e, f, g, h, a, b, wk(6)); ROUND(b, c, d, e, f, g, h, a, wk(7)); \
	} while (0)

#define LOAD(variable, i) EACH_STREAM(variable[s] = state[i].of[s])
#define LOAD_STATE() \
	word a[STREAMS], b[STREAMS], c[STREAMS], d[STREAMS]; \
	word e[STREAMS], f[STREAMS], g[STREAMS], h[STREAMS], b_c[STREAMS]; \
	LOAD(a, 0); LOAD(b, 1); LOAD(c, 2); LOAD(d, 3); LOAD(e, 4); LOAD(f, 5); LOAD(g, 6); LOAD(h, 7); \
	EACH_STREAM(b_c[s] = b[s] ^ c[s])

#define ADD(variable, i) EACH_STREAM(state[i].of[s] += variable[s])
#define ADD_STATE() \
	ADD(a, 0); ADD(b, 1); ADD(c, 2); ADD(d, 3); ADD(e, 4); ADD(f, 5); ADD(g, 6); ADD(h, 7)

/* The schedule's word t + i goes where the one of 16 words before was */
#define EXPAND(i) \
	EACH_STREAM(w[i].of[s] += SMALL_SIGMA0(w[((i) + 1) % 16].of[s]) + w[((i) + 9) % 16].of[s] + \
		SMALL_SIGMA1(w[((i) + 14) % 16].of[s]))

/* The hash sees a block; what is in @w is lost */
static __attribute__((noinline)) void compress(struct words state[8], struct words w[16])
{
	const __u32 *k = dmacc_lanes_constants;
	LOAD_STATE();

#define FIRST(i) (w[i].of[s] + k[i])
#define SECOND(i) (w[8 + (i)].of[s] + k[8 + (i)])
	EIGHT_ROUNDS(FIRST);
	EIGHT_ROUNDS(SECOND);
	for (k += 16; k < dmacc_lanes_constants + 64; k += 16) {
		EXPAND(0); EXPAND(1); EXPAND(2); EXPAND(3);
		EXPAND(4); EXPAND(5); EXPAND(6); EXPAND(7);
		EIGHT_ROUNDS(FIRST);
		EXPAND(8); EXPAND(9); EXPAND(10); EXPAND(11);
		EXPAND(12); EXPAND(13); EXPAND(14); EXPAND(15);
		EIGHT_ROUNDS(SECOND);
	}
	ADD_STATE();
}

/* The same for a block that is the same for all devices */
static __attribute__((noinline)) void compress_common(struct words state[8],
						      const __u32 schedule[64])
{
	const __u32 *wk;
	LOAD_STATE();

#define COMMON(i) (wk[i])
	for (wk = schedule; wk < schedule + 64; wk += 8)
		EIGHT_ROUNDS(COMMON);
	ADD_STATE();
}
