// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "log.h"

static const char *const message_ids[] = {
	[LOG_DEVICE_STATE] = "463b4a96ad9e47778761dbccdce4c439",
	[LOG_IDENTITY_SET] = "d6807ac1723843f0838d8d52e22a7661",
	[LOG_TEMPLATE_REFUSED] = "5a903b3e663b46388ee786c039bbd817",
	[LOG_TEMPLATE_NOTE] = "cec186234ed24e6fbb1fcc4fba482e73",
	[LOG_ACCOUNT_NEW] = "8777d347fc1b4877ba4451897cd3e1a3",
	[LOG_ACCOUNT_CHANGED] = "9b0b3c9a41844288b59d847092ab5a17",
	[LOG_ACCOUNT_DERIVED_ANEW] = "63b05b7aff394222b0573480f32cb3f6",
	[LOG_ACCOUNT_DAMAGED] = "d37ce3314d4c4266abc734d243a959f6",
	[LOG_ACCOUNT_KEPT] = "dcf9605f851342b5a158c629560982c8",
	[LOG_ACCOUNT_WITHDRAWN] = "09dfd98e40474cb08577b6f37c367cc4",
	[LOG_ACCOUNT_DISABLED] = "e5dec4c3582341e2a5aae5f2332f71af",
	[LOG_ACCOUNT_NO_SECRETS] = "3abb2d3257fa4dd9926b6e2716cd8120",
	[LOG_ACCOUNT_UNKEYED] = "2e254cbc2f194ebe89c4d914d44ef470",
	[LOG_ACCOUNT_RESYNC] = "e115362dd5da45cd8ea905dbdd6ff8d7",
	[LOG_SERVER_CHANGE] = "62505e5882ef493a82414b0a5fd803d4",
	[LOG_LOCAL_CHANGE] = "62e7dd5aeb2440e49787c3af629b5a9c",
	[LOG_STORE_FAILED] = "58c7cf3e4c1241d0aef99c433547288a",
};

static const char *field_of(enum log_event event)
{
	if (event == LOG_DEVICE_STATE || event == LOG_IDENTITY_SET)
		return "DMACC_DEVICE";
	return event == LOG_TEMPLATE_REFUSED || event == LOG_TEMPLATE_NOTE ? "DMACC_TEMPLATE" :
									     "DMACC_ACCOUNT";
}

void log_event(enum log_event event, const char *subject, int priority, const char *format, ...)
{
	char text[2048], field[512] = "";
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (!getenv("JOURNAL_STREAM")) {
		fprintf(stderr, "dmaccd: %s%s%s\n", subject ? subject : "", subject ? ": " : "",
			text);
		return;
	}
	snprintf(field, sizeof(field), "%s=%s", field_of(event), subject ? subject : "");
	(void)sd_journal_send("MESSAGE=%s%s%s", subject ? subject : "", subject ? ": " : "", text,
			      "PRIORITY=%d", priority, "MESSAGE_ID=%s", message_ids[event],
			      "%s", field, NULL);
}

void log_line(int priority, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (getenv("JOURNAL_STREAM"))
		fprintf(stderr, "<%d>%s\n", priority, text);
	else
		fprintf(stderr, "dmaccd: %s\n", text);
}
