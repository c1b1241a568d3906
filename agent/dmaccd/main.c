// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * dmaccd: the accounts of this device, made, kept and served.
 *
 * One process, one thread, one loop (sd-event). Everything the agent knows hangs on one struct
 * agent and changes in one place, agent_refresh(): the module is asked what this device has, the
 * templates are read (at start and after SIGHUP), and for each account template, store and
 * derivation are reconciled. A refresh makes a new list of accounts beside the one that is served
 * and then swaps them, telling the bus what is different; a request is always answered from a
 * whole list, and since both run in the same thread, nothing is locked.
 *
 * A refresh blocks the loop. What it waits for is bounded: netlink requests of a millisecond,
 * fsync for an account that has changed, and ten seconds for each document that has changed, after
 * each of which the watchdog is told. A start with nothing changed writes nothing and runs no
 * importer.
 *
 * No secret stays in memory. The store asks the module for its key at each file, and wipes it. A
 * refresh reads what is stored, compares it with what is derived now, and wipes both; the accounts
 * that are served hold what is no secret. When root asks for a tree with secrets, or a session for a
 * digest, the account's file is read for it; a session keeps its nonces only. Every buffer that a
 * secret passes through is wiped: ours by us, OpenSSL's contexts by OpenSSL, and the bus's messages
 * that bring a replaced password or a nonce, or take a credential along, by sd-bus, which is told that
 * they are sensitive. A tree with secrets leaves in a memfd, and libnl only sends.
 *
 * What is missing is a state and not a failure: READY=1 comes in any case. A timer, 1 s and then
 * twice as long each time up to a minute, runs a refresh while something is missing that may come
 * by itself; it begins anew when SIGHUP, or a report of dmacc-unseal, brings a refresh at once. In the
 * state "ready" with every account served there is no timer and nothing wakes the phone.
 *
 * The files, from below: record (the values of an account), store (records on the disk), device
 * (what the module tells, and the store that it opens), modem (who ModemManager says that the device
 * is), report (that dmacc-unseal has run), importer (runs dmacc-import), templates (the folders),
 * account (one as the bus shows it), reconcile (the rules) and compose (what they make), rung (what a
 * root has to be sealed with), accounts (all of them), agent (the refresh), holding (an account's file
 * in hand, for one request), session (a client's, with proof, diagnosis and commit), change (what
 * server and owner replace, and the way back), tree_text, authorize (who may) and bus (what leaves),
 * config (dmaccd.conf), log.
 */
#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <time.h>

#include "agent.h"
#include "bus.h"
#include "log.h"
#include "modem.h"
#include "report.h"

#define RETRY_FIRST 1
#define RETRY_LAST 60
#define EXIT_CONFIG 78		/* that of sysexits.h; the unit is not started again for it */

struct program {
	struct agent agent;
	struct bus *bus;
	struct modem *modem;
	struct report *report;
	sd_event *event;
	sd_event_source *retry;
	unsigned int retry_after;	/* seconds */
};

/*
 * Not common/harden: to lock every page would take longer than all the rest of a start. The store
 * key, while it is used, is in a locked page of its own.
 */
static void harden(void)
{
	const struct rlimit none = { 0, 0 };

	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)signal(SIGPIPE, SIG_IGN);
	/* of OpenSSL three algorithms are used: no configuration, no texts */
	(void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG |
				  OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS |
				  OPENSSL_INIT_NO_ADD_ALL_CIPHERS |
				  OPENSSL_INIT_NO_ADD_ALL_DIGESTS, NULL);
}

static void alive(void)
{
	(void)sd_notify(0, "WATCHDOG=1\nEXTEND_TIMEOUT_USEC=30000000");
}

/*
 * Files are read into buffers as large as they may be. Among what is there to stay they would leave gaps: they
 * have mappings of their own, which are gone when they are freed.
 */
static void keep_memory_small(void)
{
#ifdef __GLIBC__
	(void)mallopt(M_MMAP_THRESHOLD, 16 * 1024);
#endif
}

/*
 * The C library keeps what a refresh has freed for the next one, which may never come. What was secret
 * in it is wiped already.
 */
static void give_memory_back(void)
{
#ifdef __GLIBC__
	(void)malloc_trim(0);
#endif
}

static void notify_ready(struct program *p)
{
	char status[128];

	give_memory_back();
	agent_status(&p->agent, status, sizeof(status));
	(void)sd_notifyf(0, "READY=1\nSTATUS=%s", status);
}

static int arm_retry(struct program *p);

static int refresh(struct program *p, bool reread)
{
	int r = agent_refresh(&p->agent, reread);

	if (r)
		log_line(LOG_ERR, "the accounts stay as they are: %s", strerror(-r));
	notify_ready(p);
	report_look(p->report);
	r = arm_retry(p);
	if (r < 0)
		log_line(LOG_ERR, "what is missing is not tried again: %s", strerror(-r));
	return 0;
}

static int on_retry(sd_event_source *source, uint64_t usec, void *data)
{
	struct program *p = data;

	(void)source, (void)usec;
	p->retry_after = p->retry_after * 2 > RETRY_LAST ? RETRY_LAST : p->retry_after * 2;
	return refresh(p, false);
}

static int set_retry(struct program *p, uint64_t after)
{
	int r;

	if (!p->retry)
		return sd_event_add_time_relative(p->event, &p->retry, CLOCK_BOOTTIME, after, 0,
						  on_retry, p);
	r = sd_event_source_set_time_relative(p->retry, after);
	return r < 0 ? r : sd_event_source_set_enabled(p->retry, SD_EVENT_ONESHOT);
}

static int arm_retry(struct program *p)
{
	if (agent_wants_retry(&p->agent))
		return set_retry(p, p->retry_after * 1000000ULL);
	p->retry_after = RETRY_FIRST;
	return p->retry ? sd_event_source_set_enabled(p->retry, SD_EVENT_OFF) : 0;
}

/* Not at once: whoever asked is answered first */
static void look_again(struct agent *agent)
{
	struct program *p = (struct program *)((char *)agent - offsetof(struct program, agent));

	p->retry_after = RETRY_FIRST;
	(void)set_retry(p, 0);
}

static int on_hangup(sd_event_source *source, const struct signalfd_siginfo *info, void *data)
{
	struct program *p = data;
	struct timespec now;

	(void)source, (void)info;
	clock_gettime(CLOCK_MONOTONIC, &now);
	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu",
			 now.tv_sec * 1000000ULL + (unsigned long long)now.tv_nsec / 1000);
	p->retry_after = RETRY_FIRST;
	/* one that is not understood leaves in force what was asked before */
	(void)agent_configure(&p->agent);
	modem_reconfigure(p->modem);
	return refresh(p, true);
}

static void on_report(void *data)
{
	struct program *p = data;

	p->retry_after = RETRY_FIRST;
	(void)refresh(p, false);
}

/* NULL as handler: the loop ends */
static int add_signals(struct program *p)
{
	sigset_t mask;
	int r;

	sigemptyset(&mask);
	sigaddset(&mask, SIGHUP);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
		return -errno;
	r = sd_event_add_signal(p->event, NULL, SIGHUP, on_hangup, p);
	if (r >= 0)
		r = sd_event_add_signal(p->event, NULL, SIGTERM, NULL, NULL);
	return r < 0 ? r : sd_event_add_signal(p->event, NULL, SIGINT, NULL, NULL);
}

static int complain(int error, const char *what)
{
	log_line(LOG_ERR, "%s: %s", what, strerror(-error));
	return error;
}

static int start(struct program *p)
{
	int r;

	r = sd_event_new(&p->event);
	if (r >= 0)
		r = add_signals(p);
	if (r >= 0)
		r = sd_event_set_watchdog(p->event, 1);
	if (r < 0)
		return complain(r, "the event loop");
	r = bus_new(&p->agent, p->event, &p->bus);
	if (r < 0)
		return complain(r, "the system bus");
	r = modem_watch(&p->agent, bus_connection(p->bus), &p->modem);
	if (r < 0)
		return complain(r, "ModemManager on the system bus");
	/* before anything is learnt: what is written meanwhile is heard of then */
	r = report_watch(p->event, p->agent.device.report_folder, on_report, p, &p->report);
	if (r < 0)
		return complain(r, "what dmacc-unseal reports");
	r = agent_refresh(&p->agent, true);
	if (r < 0)
		return complain(r, "the accounts");
	r = bus_take_name(p->bus);
	if (r < 0)
		return complain(r, "the name org.dmacc1 on the system bus");
	/* before there is the name nobody listens, and nothing is signalled */
	p->agent.bus = p->bus;
	notify_ready(p);
	return arm_retry(p);
}

static int run(struct program *p)
{
	int r = start(p);

	if (r >= 0)
		r = sd_event_loop(p->event);
	(void)sd_notify(0, "STOPPING=1");
	p->report = report_free(p->report);
	p->modem = modem_free(p->modem);
	p->bus = p->agent.bus = bus_free(p->bus);
	agent_done(&p->agent);
	sd_event_source_unref(p->retry);
	sd_event_unref(p->event);
	return r ? EXIT_FAILURE : EXIT_SUCCESS;
}

static void print_usage(FILE *out)
{
	fprintf(out, "Usage: dmaccd [--config FILE] [--templates DIR [--templates DIR]] [--state DIR] "
		"[--importer FILE] [--report DIR]\n"
		"       dmaccd --help | --version\n");
}

struct options {
	const char *config;
	const char *templates[2];
	size_t templates_count;
	const char *state;
	const char *importer;
	const char *report;
};

/* Returns 0 to go on, else the exit status plus one */
static int parse(int argc, char **argv, struct options *o)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "templates", required_argument, NULL, 't' },
		{ "state", required_argument, NULL, 's' },
		{ "importer", required_argument, NULL, 'i' },
		{ "report", required_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == 't' && o->templates_count < 2) {
			o->templates[o->templates_count++] = optarg;
		} else if (c == 'c') {
			o->config = optarg;
		} else if (c == 's') {
			o->state = optarg;
		} else if (c == 'i') {
			o->importer = optarg;
		} else if (c == 'r') {
			o->report = optarg;
		} else if (c == 'h') {
			print_usage(stdout);
			return 1;
		} else if (c == 'v') {
			printf("dmaccd %s\n", DMACC_VERSION);
			return 1;
		} else {
			if (c == 't')
				fprintf(stderr, "dmaccd: there are two template folders at most\n");
			return 3;
		}
	}
	if (optind == argc)
		return 0;
	fprintf(stderr, "dmaccd: it takes no argument '%s'\n", argv[optind]);
	return 3;
}

/* The first of the folders that systemd made for the unit */
static const char *default_state(void)
{
	static char state[4096];
	const char *folders = getenv("STATE_DIRECTORY");

	if (!folders || !folders[0])
		return DMACC_STATE_PATH;
	snprintf(state, sizeof(state), "%.*s", (int)strcspn(folders, ":"), folders);
	return state;
}

int main(int argc, char **argv)
{
	struct program p = { .retry_after = RETRY_FIRST, .agent.alive = alive,
			     .agent.look_again = look_again };
	struct options o = { .config = DMACC_CONFIG, .importer = DMACC_IMPORTER,
			     .state = default_state() };
	int r;

	harden();
	keep_memory_small();
	r = parse(argc, argv, &o);
	if (r)
		return r - 1;
	p.agent.importer = o.importer;
	p.agent.config_path = o.config;
	p.agent.device.report_folder = o.report;
	/* it may ask for more than this device has: without it nothing is served */
	if (agent_configure(&p.agent))
		return EXIT_CONFIG;
	p.agent.template_folders[0] = o.templates_count ? o.templates[0] : DMACC_TEMPLATES_ETC;
	/* one folder alone: the second is the same, and the first hides all of it */
	p.agent.template_folders[1] = o.templates_count ? o.templates[o.templates_count - 1] :
							  DMACC_TEMPLATES_USR;
	if (asprintf(&p.agent.store_path, "%s/accounts", o.state) < 0)
		return EXIT_FAILURE;
	return run(&p);
}
