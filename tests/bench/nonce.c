// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * nonce FOLDER COUNT: what it costs to commit the nonces of a session, and the yardstick: a bare
 * write, fsync, rename and fsync of the folder, of as many bytes. Each COUNT times, in turn, in the
 * same file system. Prints a line: two medians in nanoseconds, and how many bytes.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../unit/kernel_double.h"
#include "session.h"

#define TEMPLATE \
	"[Account]\nSlot=vendor\n[DMAcc]\nAddr=https://dm.example.com/dm\nServerID=com.example.dm\n"
#define FILE_MAX 65536

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "bench-nonce: %s failed\n", what);
	exit(2);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static char *path_of(const char *folder, const char *name)
{
	char *path;

	must(asprintf(&path, "%s/%s", folder, name) > 0, "malloc");
	return path;
}

static void make_agent(struct agent *agent, const char *folder)
{
	char *templates = path_of(folder, "templates"), *file = path_of(templates, "bench.conf");
	FILE *f;

	must(!mkdir(templates, 0700), "mkdir");
	f = fopen(file, "we");
	must(f && fputs(TEMPLATE, f) >= 0 && !fclose(f), "the template");
	free(file);
	kernel_double_reset();
	*agent = (struct agent){
		.template_folders = { templates, templates }, .importer = "/nonexistent",
		.store_path = path_of(folder, "accounts"), .config_path = NULL,
	};
	agent->device.report_folder = folder;
	agent->device.sysfs = folder;
	must(!agent_refresh(agent, true), "agent_refresh");
}

/* A session of a client that computes itself, up to where its nonces are to be committed */
static struct session *make_session(struct agent *agent)
{
	uint8_t client[DMACC_NONCE_SIZE], server[DMACC_NONCE_SIZE];
	struct complaint why = { 0 };
	struct dmacc_tree *tree;
	struct session *s;

	must(!session_open(agent, "bench", ":1.1", true, &s, &why), "session_open");
	must(!session_secret_tree(s, DMACC_LAYOUT_1_2, &tree, &why), "session_secret_tree");
	dmacc_tree_free(tree);
	must(getrandom(client, sizeof(client), 0) == sizeof(client) &&
	     getrandom(server, sizeof(server), 0) == sizeof(server), "getrandom");
	must(!session_set_nonces(s, client, sizeof(client), server, sizeof(server), &why),
	     "session_set_nonces");
	return s;
}

static double commit(struct agent *agent)
{
	struct session *s = make_session(agent);
	struct complaint why = { 0 };
	double before = now(), after;

	must(!session_commit(s, true, &why), "session_commit");
	after = now();
	session_close(s);
	return after - before;
}

static double bare(int folder, const char *bytes, size_t len)
{
	double before = now();
	int fd = openat(folder, "new", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	must(fd >= 0 && write(fd, bytes, len) == (ssize_t)len && !fsync(fd) && !close(fd) &&
	     !renameat(folder, "new", folder, "bare") && !fsync(folder), "the yardstick");
	return now() - before;
}

static int compare(const void *a, const void *b)
{
	double d = *(const double *)a - *(const double *)b;

	return d < 0 ? -1 : d > 0;
}

static double median(double *times, size_t count)
{
	qsort(times, count, sizeof(*times), compare);
	return times[count / 2];
}

static size_t read_account(int folder, char bytes[FILE_MAX])
{
	int fd = openat(folder, "bench", O_RDONLY | O_CLOEXEC);
	ssize_t len = read(fd, bytes, FILE_MAX);

	must(fd >= 0 && len > 0 && len < FILE_MAX, "the account's file");
	close(fd);
	return (size_t)len;
}

int main(int argc, char **argv)
{
	static char bytes[FILE_MAX];
	size_t count = argc == 3 ? (size_t)atoi(argv[2]) : 0, len, i;
	double *commits = calloc(count + 1, sizeof(double));
	double *bares = calloc(count + 1, sizeof(double));
	struct agent agent;
	int accounts, folder;

	must(count && commits && bares, "usage: bench-nonce FOLDER COUNT, which");
	make_agent(&agent, argv[1]);
	/* a folder each: else either would write what the other has left to be written */
	accounts = open(agent.store_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(!mkdir(path_of(argv[1], "yardstick"), 0700), "mkdir");
	folder = open(path_of(argv[1], "yardstick"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(accounts >= 0 && folder >= 0, "open");
	commit(&agent);
	len = read_account(accounts, bytes);
	bare(folder, bytes, len);
	for (i = 0; i < count; i++) {
		commits[i] = commit(&agent);
		bares[i] = bare(folder, bytes, len);
	}
	printf("%.0f %.0f %zu\n", median(commits, count), median(bares, count), len);
	agent_done(&agent);
	return 0;
}
