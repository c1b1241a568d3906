// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "view.h"

static int connect_module(struct view *view, struct dmacc_kernel **ret)
{
	int r = dmacc_kernel_open(ret);

	if (r == -ENOENT)
		dmacc_kernel_missing_sentence(view->module_error, sizeof(view->module_error));
	else if (r)
		snprintf(view->module_error, sizeof(view->module_error), "the kernel cannot be asked: %s",
			 strerror(-r));
	return r;
}

static void read_module(struct view *view)
{
	struct dmacc_kernel *kernel;

	if (connect_module(view, &kernel))
		return;
	view->module = !dmacc_kernel_get_status(kernel, &view->status);
	if (!view->module)
		snprintf(view->module_error, sizeof(view->module_error), "%s",
			 dmacc_kernel_sentence(kernel));
	/* only for agent and root; others see no digit */
	else if (dmacc_kernel_get_identity(kernel, NULL, view->devid))
		view->devid[0] = '\0';
	dmacc_kernel_close(kernel);
}

void view_read(struct view *view, const char *report_folder)
{
	read_module(view);
	view->reported = !unseal_report_read(report_folder, &view->report);
	view->agent = !agent_read(&view->bus, view->agent_error);
}

void view_done(struct view *view)
{
	agent_done(&view->bus);
	unseal_report_done(&view->report);
	dmacc_wipe(view->devid, sizeof(view->devid));
}

const char *view_tail(const struct view *view)
{
	size_t len = strlen(view->devid);

	return len > 8 ? view->devid + len - 4 : "";
}

enum trouble view_root(const struct view *view, const char **ret_detail)
{
	return unseal_report_judge(view->reported ? &view->report : NULL, &view->status, ret_detail);
}

enum trouble view_trouble_in(const char *reason, const char **ret_detail)
{
	size_t len = strcspn(reason, ":");
	enum trouble trouble;
	char word[32];

	*ret_detail = reason;
	if (!reason[len] || len >= sizeof(word))
		return TROUBLE_NONE;
	memcpy(word, reason, len);
	word[len] = '\0';
	return trouble_from_word(word, &trouble) ? trouble : TROUBLE_NONE;
}

enum trouble view_identity(const struct view *view, const char **ret_detail)
{
	enum trouble trouble;

	*ret_detail = NULL;
	if (view->status.identity_conflict != DMACC_IDENTITY_NONE)
		return TROUBLE_IDENTITY_CONFLICT;
	if (view->status.identity_source != DMACC_IDENTITY_NONE)
		return TROUBLE_NONE;
	if (view->status.identity_pending)
		return TROUBLE_IDENTITY_AWAITED;
	trouble = view_trouble_in(view->agent && view->bus.reason ? view->bus.reason : "", ret_detail);
	if (trouble == TROUBLE_MODEM_AWAITED || trouble == TROUBLE_MODEM_REFUSED ||
	    trouble == TROUBLE_MODEM_AMBIGUOUS)
		return trouble;
	*ret_detail = NULL;
	return TROUBLE_NO_IDENTITY;
}
