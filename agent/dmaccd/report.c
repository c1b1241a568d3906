// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>

#include "report.h"
#include "unseal_report.h"

struct report {
	sd_event *event;
	const char *folder;
	void (*written)(void *data);
	void *data;
	sd_event_source *source;	/* NULL: the folder is not there, or not any more */
};

static int on_change(sd_event_source *source, const struct inotify_event *change, void *data)
{
	struct report *report = data;

	(void)source;
	if (change->mask & IN_IGNORED)
		report->source = sd_event_source_disable_unref(report->source);
	/* its own name comes last; where the queue was too short it may have been among them */
	else if (change->mask & IN_Q_OVERFLOW || (change->len && !strcmp(change->name, UNSEAL_REPORT_NAME)))
		report->written(report->data);
	return 0;
}

void report_look(struct report *report)
{
	if (!report->source)
		(void)sd_event_add_inotify(report->event, &report->source, report->folder,
					   IN_MOVED_TO | IN_ONLYDIR, on_change, report);
}

int report_watch(sd_event *event, const char *folder, void (*written)(void *data), void *data,
		 struct report **ret)
{
	struct report *report = calloc(1, sizeof(*report));

	if (!report)
		return -ENOMEM;
	report->event = event;
	report->folder = folder ? folder : UNSEAL_REPORT_FOLDER;
	report->written = written;
	report->data = data;
	report_look(report);
	*ret = report;
	return 0;
}

struct report *report_free(struct report *report)
{
	if (report)
		sd_event_source_disable_unref(report->source);
	free(report);
	return NULL;
}
