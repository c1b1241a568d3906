// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * derive SLOT COUNT: how long DERIVE over netlink takes, and CTRL_CMD_GETFAMILY
 *
 * Both on the same socket, in turn; prints the medians of COUNT round trips in nanoseconds, DERIVE
 * first. A round trip is one send() and one recv() of the reply; no ACK is asked for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "linux/dmacc.h"
#include "nl.h"

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* One round trip of @message; an error in place of the reply ends the program */
static double round_trip(int fd, const union nl_message *message)
{
	double began = now(), ended;

	if (send(fd, message, message->header.nlmsg_len, 0) < 0)
		nl_die("send");
	if (recv(fd, &nl_reply, sizeof(nl_reply), 0) <= 0)
		nl_die("recv");
	ended = now();
	if (nl_reply.header.nlmsg_type == NLMSG_ERROR) {
		fprintf(stderr, "derive: refused\n");
		exit(2);
	}
	return ended - began;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *times, size_t count)
{
	qsort(times, count, sizeof(*times), compare);
	return times[count / 2];
}

static void keep(union nl_message *ret)
{
	nl_request.header.nlmsg_flags = NLM_F_REQUEST;
	*ret = nl_request;
}

int main(int argc, char **argv)
{
	static union nl_message derive, get_family;
	static const unsigned char kind = DMACC_SERVER_ID;
	static const char server[] = "com.example.dm";
	size_t count = argc == 3 ? strtoul(argv[2], NULL, 10) : 0, i;
	double *derives = calloc(count + 1, sizeof(*derives));
	double *lookups = calloc(count + 1, sizeof(*lookups));
	int fd = nl_open(), family = nl_family(fd);

	if (!count || !derives || !lookups) {
		fprintf(stderr, "usage: derive SLOT COUNT\n");
		return 2;
	}
	keep(&get_family);
	nl_begin(family, DMACC_CMD_DERIVE, DMACC_FAMILY_VERSION);
	nl_put(DMACC_A_SLOT_NAME, argv[1], strlen(argv[1]) + 1);
	nl_put(DMACC_A_SERVER_KIND, &kind, sizeof(kind));
	nl_put(DMACC_A_SERVER, server, strlen(server));
	keep(&derive);
	/* the first tenth warms up */
	for (i = 0; i < count + count / 10; i++) {
		lookups[i % count] = round_trip(fd, &get_family);
		derives[i % count] = round_trip(fd, &derive);
	}
	printf("%.0f %.0f\n", median(derives, count), median(lookups, count));
	return 0;
}
