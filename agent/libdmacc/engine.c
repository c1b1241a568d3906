// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which engines of lanes.h this processor can run, and which one is worth it.
 */
#include <stddef.h>

#include "batch.h"

const __u32 dmacc_lanes_constants[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

#ifdef __x86_64__

#include <cpuid.h>

/* Instructions for SHA-256: compilers of Debian 12 have no name for them here */
static bool has_sha(void)
{
	unsigned int a, b, c, d;

	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & (1U << 29));
}

const struct lanes_engine *dmacc_lanes_engine(unsigned int i)
{
	const struct lanes_engine *engines[4];
	unsigned int n = 0;

	__builtin_cpu_init();
	/* both ask the system, too, whether it keeps the registers */
	if (__builtin_cpu_supports("avx512f"))
		engines[n++] = &dmacc_lanes_avx512;
	if (has_sha() && __builtin_cpu_supports("sse4.1"))
		engines[n++] = &dmacc_lanes_sha;
	if (__builtin_cpu_supports("avx2"))
		engines[n++] = &dmacc_lanes_avx2;
	engines[n++] = &dmacc_lanes_x4;
	return i < n ? engines[i] : NULL;
}

const struct lanes_engine *dmacc_lanes_pick(void)
{
	return dmacc_lanes_engine(0);
}

#else

/* Processors of other kinds have instructions for SHA-256 and four lanes at most */
const struct lanes_engine *dmacc_lanes_engine(unsigned int i)
{
	(void)i;
	return NULL;
}

const struct lanes_engine *dmacc_lanes_pick(void)
{
	return NULL;
}

#endif
