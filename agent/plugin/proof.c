// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <systemd/sd-journal.h>

#include "proof.h"

static struct proof *proofs;

void mo_complain(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)sd_journal_printv(LOG_WARNING, format, args);
	va_end(args);
}

int proof_begin(struct proof *p)
{
	int r;

	*p = (struct proof){ 0 };
	r = dmacc_client_new(&p->client);
	if (r) {
		mo_complain("dmacc: no connection to the system bus: %s", strerror(-r));
		return r;
	}
	p->next = proofs;
	proofs = p;
	return 0;
}

void proof_end(struct proof *p)
{
	struct proof **at;

	for (at = &proofs; *at && *at != p; at = &(*at)->next)
		;
	if (*at)
		*at = p->next;
	dmacc_client_free(p->client);
	free(p->account);
}

int proof_session(struct proof *p, const char *account)
{
	char *copy;
	int r;

	if (p->session)
		return strcmp(p->account, account) ? -EPERM : 0;
	copy = strdup(account);
	if (!copy)
		return -ENOMEM;
	/* whether the client verifies host names is not known here */
	r = dmacc_session_open(p->client, account, false, &p->session);
	if (r) {
		mo_complain("dmacc: account %s: %s", account, dmacc_client_error(p->client));
		free(copy);
		return r;
	}
	p->account = copy;
	return 0;
}

int proof_found(struct proof *p)
{
	int r;

	if (!p->session || !p->heard)
		return 0;
	/* a server gives no command to a client that it has not accepted */
	r = dmacc_session_accepted(p->session, NULL, 0);
	if (!r)
		r = dmacc_session_commit(p->session, true);
	if (r)
		mo_complain("dmacc: account %s: %s", p->account, dmacc_client_error(p->client));
	else
		p->heard = false;
	return r;
}

int proof_found_elsewhere(void)
{
	return proofs && !proofs->next ? proof_found(proofs) : 0;
}
