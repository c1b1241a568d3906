// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * `dmaccctl probe`, which runs this: a program of its own, so that dmaccctl of a factory's image
 * needs neither libcurl nor libxml2, and so that what parses a server's answers can give up root
 * before it does.
 */
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "ctl.h"
#include "durable.h"
#include "harden.h"
#include "probe.h"
#include "reader.h"

#define AUTHORITIES_MAX (4 << 20)

static int read_authorities(const char *path, uint8_t **ret, size_t *ret_len)
{
	int folder, r;
	char *name;

	folder = durable_open_parent(path, false, &name);
	if (folder < 0)
		return complain("%s: %s", path, strerror(-folder));
	/* of the system's own the name is a link */
	r = durable_read(folder, name, AUTHORITIES_MAX, ret, ret_len);
	free(name);
	close(folder);
	return r ? complain("%s: %s", path, strerror(-r)) : 0;
}

/* From here on it is a client of the bus and of the server: it needs nothing that root may */
static int give_up_root(void)
{
	const struct passwd *nobody;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return complain("privileges cannot be given up: %s", strerror(errno));
	if (geteuid())
		return 0;
	nobody = getpwnam("nobody");
	if (!nobody || setgroups(0, NULL) ||
	    setresgid(nobody->pw_gid, nobody->pw_gid, nobody->pw_gid) ||
	    setresuid(nobody->pw_uid, nobody->pw_uid, nobody->pw_uid))
		return complain("root cannot be given up: %s", strerror(errno));
	/* it was set by the change of the user */
	(void)prctl(PR_SET_DUMPABLE, 0);
	return 0;
}

static int connect_agent(struct probe *p)
{
	int r = dmacc_client_new(&p->client);

	if (r)
		return complain("the system bus cannot be reached: %s", strerror(-r));
	return 0;
}

static int make_http(struct probe *p, const char *ca_file)
{
	uint8_t *authorities = NULL;
	size_t len = 0;
	int r;

	if (ca_file && read_authorities(ca_file, &authorities, &len))
		return EXIT_NOTHING;
	r = http_new((const char *)authorities, len, &p->http);
	free(authorities);
	return r ? complain("libcurl cannot be used: %s", strerror(-r)) : 0;
}

static int run(struct probe *p, const char *ca_file)
{
	enum verdict v;

	if (make_http(p, ca_file) || connect_agent(p))
		return EXIT_NOTHING;
	v = describe(p);
	if (give_up_root())
		return EXIT_NOTHING;
	if (!v) {
		describe_print(p);
		v = session_run(p);
	}
	return finish_output(verdict_print(p, v));
}

static void probe_done(struct probe *p)
{
	dmacc_session_close(p->session);
	dmacc_client_free(p->client);
	http_free(p->http);
	free(p->url);
	free(p->x);
	free(p->user_name);
	free(p->server_id);
	json_object_put(p->json);
	json_object_put(p->steps);
	dmacc_wipe(p, sizeof(*p));
}

static int make_json(struct probe *p)
{
	p->json = json_object_new_object();
	p->steps = json_object_new_array();
	return p->json && p->steps ? 0 : complain("out of memory");
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "ca-file", required_argument, NULL, 'c' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	const char *ca_file = NULL;
	struct probe p = { 0 };
	int c, r = 0;

	harden_process();
	(void)signal(SIGPIPE, SIG_IGN);
	reader_init();
	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		return complain("libcurl cannot be used");
	while (!r && (c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'c')
			ca_file = optarg;
		else if (c != 'j')
			r = EXIT_NOTHING;
		else if (!p.json)
			r = make_json(&p);
	}
	if (!r && argc - optind != 1)
		r = complain("probe takes one account");
	p.account = argv[optind];
	if (!r)
		r = run(&p, ca_file);
	probe_done(&p);
	curl_global_cleanup();
	return r;
}
