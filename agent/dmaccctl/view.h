/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What status and doctor look at: module, report of the unsealing, agent; each without the others */
#ifndef DMACC_CTL_VIEW_H
#define DMACC_CTL_VIEW_H

#include "agent.h"
#include "dmacc.h"
#include "unseal_report.h"

/**
 * struct view - what could be had
 * @module: @status is valid; else @module_error says why not
 * @devid: "" if there is none or it is not for the caller; not to be printed but for its end
 * @reported: @report is valid
 * @agent: @bus is valid; else @agent_error says why not
 */
struct view {
	bool module;
	char module_error[256];
	struct dmacc_kernel_status status;
	char devid[DMACC_DEVID_SIZE];
	bool reported;
	struct unseal_report report;
	bool agent;
	char agent_error[512];
	struct agent bus;
};

/* @report_folder: NULL for UNSEAL_REPORT_FOLDER */
void view_read(struct view *view, const char *report_folder);
void view_done(struct view *view);

/* The last four digits of the identifier; "" if there are none for the caller */
const char *view_tail(const struct view *view);

/*
 * What it is that a reason of the agent's begins with: the word of a trouble, or TROUBLE_NONE.
 * @ret_detail: the reason
 */
enum trouble view_trouble_in(const char *reason, const char **ret_detail);

/* Why there is no identifier, which the agent knows best. @ret_detail: its words, or NULL. */
enum trouble view_identity(const struct view *view, const char **ret_detail);

/* What is wrong with the root. @ret_detail: of this case; valid as long as @view. */
enum trouble view_root(const struct view *view, const char **ret_detail);

#endif
