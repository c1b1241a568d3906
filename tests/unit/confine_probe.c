// SPDX-License-Identifier: LGPL-2.1-or-later
/* Confines itself as dmacc-import does, then does one thing that a confined process must not do. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <unistd.h>

#include "confine.h"

static void say(const char *text)
{
	if (write(STDOUT_FILENO, text, strlen(text)) < 0)
		_exit(2);
}

static void probe_open(void)
{
	open("/dev/null", O_RDONLY);
}

static void probe_socket(void)
{
	socket(AF_INET, SOCK_STREAM, 0);
}

static void probe_fork(void)
{
	fork();
}

static void probe_exec(void)
{
	execl("/bin/true", "true", NULL);
}

static void probe_ptrace(void)
{
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static void probe_kill(void)
{
	kill(getppid(), 0);
}

static void probe_mmap_exec(void)
{
	mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void probe_mprotect_exec(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static void probe_memory(void)
{
	size_t i;

	for (i = 0; i < 128; i++) {
		if (!malloc(1024 * 1024)) {
			say("no more memory\n");
			_exit(0);
		}
	}
}

static void probe_nothing(void)
{
	_exit(0);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} probes[] = {
		{ "open", probe_open }, { "socket", probe_socket }, { "fork", probe_fork },
		{ "exec", probe_exec }, { "ptrace", probe_ptrace }, { "kill", probe_kill },
		{ "mmap-exec", probe_mmap_exec }, { "mprotect-exec", probe_mprotect_exec },
		{ "memory", probe_memory }, { "nothing", probe_nothing },
	};
	const char *sentence;
	size_t i;

	for (i = 0; argc == 2 && i < sizeof(probes) / sizeof(probes[0]); i++) {
		if (strcmp(argv[1], probes[i].name))
			continue;
		sentence = confine();
		if (sentence) {
			fprintf(stderr, "%s\n", sentence);
			return 2;
		}
		say("confined\n");
		probes[i].run();
		say("nothing happened\n");
		_exit(1);
	}
	return 2;
}
