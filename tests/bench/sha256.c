// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The yardstick: SHA-256 compressions a second of libcrypto, in bulk, on the core it runs on; of its own time there,
 * which others who want the core do not shorten.
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define BLOCK 16384

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	static unsigned char data[BLOCK];
	double seconds = argc > 1 ? atof(argv[1]) : 1, start = now(), took;
	unsigned char digest[32];
	unsigned long blocks = 0;
	int i;

	do {
		for (i = 0; i < 64; i++)
			if (!EVP_Digest(data, BLOCK, digest, NULL, EVP_sha256(), NULL))
				return 1;
		blocks += 64;
		took = now() - start;
	} while (took < seconds);
	printf("%.0f\n", (double)blocks * (BLOCK / 64) / took);
	return 0;
}
