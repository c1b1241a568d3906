// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * disable and enable: what the phone's owner wants served. A file says so, which agent and units look
 * at, so that it holds over reboots and updates; nothing that is stored is touched.
 *
 * disable is done when the agent has let go, and not when it was told to.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"
#include "ctl.h"
#include "durable.h"
#include "units.h"

#define PATIENCE 200		/* times 50 ms that the agent may take */

static const char content[] = "# of 'dmaccctl disable'; 'dmaccctl enable' removes it\n";

/* What is to be written or removed */
struct mark {
	const char *account;	/* NULL: the agent as a whole */
	char folder[4096];
	char name[320];
	char what[320];		/* for sentences */
};

static void mark_agent(struct mark *m)
{
	m->account = NULL;
	snprintf(m->folder, sizeof(m->folder), "%s", ctl_configuration());
	snprintf(m->name, sizeof(m->name), AGENT_DISABLED);
	snprintf(m->what, sizeof(m->what), "the agent");
}

static int mark_account(struct mark *m, const char *account)
{
	if (!account[0] || account[0] == '.' || strchr(account, '/') || strlen(account) > 64)
		return complain("an account cannot have that name");
	m->account = account;
	snprintf(m->folder, sizeof(m->folder), "%s/accounts.d", ctl_configuration());
	snprintf(m->name, sizeof(m->name), "%s.disabled", account);
	snprintf(m->what, sizeof(m->what), "account %s", account);
	return 0;
}

static bool is_marked(const struct mark *m)
{
	char path[sizeof(m->folder) + sizeof(m->name)];

	snprintf(path, sizeof(path), "%s/%s", m->folder, m->name);
	return !access(path, F_OK);
}

static int write_mark(const struct mark *m)
{
	int folder, r;

	folder = durable_open_folder(ctl_configuration(), 0755);
	if (folder >= 0)
		close(folder);
	folder = durable_open_folder(m->folder, 0755);
	r = folder < 0 ? folder :
			 durable_write(folder, m->name, 0644, content, sizeof(content) - 1);
	if (folder >= 0)
		close(folder);
	return r ? complain("%s/%s: %s", m->folder, m->name, strerror(-r)) : 0;
}

static int remove_mark(const struct mark *m)
{
	int folder = open(m->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;

	if (folder < 0 || (unlinkat(folder, m->name, 0) < 0 && errno != ENOENT) || fsync(folder) < 0)
		r = complain("%s/%s: %s", m->folder, m->name, strerror(errno));
	if (folder >= 0)
		close(folder);
	return r;
}

/* What the agent makes of the account now. @ret_disabled: written if it has one. */
static bool ask_agent(const char *name, bool *ret_present, bool *ret_disabled)
{
	struct agent agent;
	char why[512];
	bool there;
	size_t i;

	there = !agent_read(&agent, why);
	*ret_present = false;
	for (i = 0; there && name && i < agent.accounts_len; i++) {
		const struct agent_account *a = &agent.accounts[i];

		if (!a->name || !a->state || strcmp(a->name, name))
			continue;
		*ret_present = true;
		*ret_disabled = !strcmp(a->state, "disabled");
	}
	agent_done(&agent);
	return there;
}

/* Has the agent taken it up? One that does not run serves nothing, and reads it when it starts. */
static bool has_taken_up(const struct mark *m, bool disable)
{
	bool present, disabled;

	if (!m->account)
		return !disable || !ask_agent(NULL, &present, &disabled);
	return !ask_agent(m->account, &present, &disabled) || !present || disabled == disable;
}

static bool wait_for_agent(const struct mark *m, bool disable)
{
	const struct timespec pause = { 0, 50000000 };
	int i;

	for (i = 0; i < PATIENCE; i++) {
		if (has_taken_up(m, disable))
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

static int apply(const struct mark *m, bool disable)
{
	if (m->account)
		units_call("try-reload-or-restart", "dmaccd.service");
	else
		units_call(disable ? "stop" : "start", "dmaccd.service");
	if (wait_for_agent(m, disable))
		return 0;
	complain("%s: it is written down, but the agent that runs goes on as before; restart it, or reboot",
		 m->what);
	return EXIT_SOME;
}

/* A name that is mistyped would leave the account served that was meant */
static int check_account(const struct mark *m)
{
	bool present, disabled;

	if (agent_has_template_of(m->account) || is_marked(m))
		return 0;
	(void)ask_agent(m->account, &present, &disabled);
	return present ? 0 : complain("there is no account '%s'", m->account);
}

static int parse(struct mark *ret, int argc, char **argv)
{
	int r;

	if (argc > 1 && argv[1][0] == '-')
		return complain("%s has no option '%s'", argv[0], argv[1]);
	if (argc > 2)
		return complain("%s takes one ACCOUNT, or none", argv[0]);
	if (argc < 2) {
		mark_agent(ret);
		return 0;
	}
	r = mark_account(ret, argv[1]);
	return r ? r : check_account(ret);
}

int disable_main(int argc, char **argv)
{
	struct mark m;
	int r;

	r = parse(&m, argc, argv);
	if (!r)
		r = write_mark(&m);
	if (r)
		return r;
	r = apply(&m, true);
	if (!r)
		printf("%s is disabled, and nothing that is stored was touched; 'dmaccctl enable%s%s' is the "
		       "way back\n", m.what, m.account ? " " : "", m.account ? m.account : "");
	return finish_output(r);
}

int enable_main(int argc, char **argv)
{
	struct mark m;
	int r;

	r = parse(&m, argc, argv);
	if (!r && !is_marked(&m)) {
		printf("%s is not disabled\n", m.what);
		return finish_output(EXIT_DONE);
	}
	if (!r)
		r = remove_mark(&m);
	if (r)
		return r;
	r = apply(&m, false);
	if (!r)
		printf("%s is enabled\n", m.what);
	if (!r && m.account && agent_is_disabled())
		printf("the agent is disabled, still: 'dmaccctl enable'\n");
	return finish_output(r);
}
