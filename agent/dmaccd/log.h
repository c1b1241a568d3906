/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The journal: each kind of event has a MESSAGE_ID that packaging/systemd/dmacc.catalog explains.
 * No value of an account and no identifier goes here: callers have sentences, names and versions.
 */
#ifndef DMACC_DMACCD_LOG_H
#define DMACC_DMACCD_LOG_H

#include <syslog.h>

enum log_event {
	LOG_DEVICE_STATE,	/* what the kernel has or lacks */
	LOG_IDENTITY_SET,	/* to the modem's */
	LOG_TEMPLATE_REFUSED,
	LOG_TEMPLATE_NOTE,	/* what dmacc-import left out of a document */
	LOG_ACCOUNT_NEW,
	LOG_ACCOUNT_CHANGED,	/* the template changed what all devices have in common */
	LOG_ACCOUNT_DERIVED_ANEW,
	LOG_ACCOUNT_DAMAGED,	/* a file of the store was, and another took its place */
	LOG_ACCOUNT_KEPT,	/* what is derived now is not what is stored, which stands */
	LOG_ACCOUNT_WITHDRAWN,
	LOG_ACCOUNT_DISABLED,
	LOG_ACCOUNT_NO_SECRETS,
	LOG_ACCOUNT_UNKEYED,
	LOG_ACCOUNT_RESYNC,	/* a notification over the resync nonce was accepted */
	LOG_SERVER_CHANGE,	/* the server has replaced a value or the generation */
	LOG_LOCAL_CHANGE,	/* the device's owner has, or went back to the factory's */
	LOG_STORE_FAILED,
};

/**
 * log_event() - say that something has happened
 * @subject: an account or a template's file; NULL for the device
 * @priority: LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO
 */
void log_event(enum log_event event, const char *subject, int priority, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Of the program itself, without an event's number */
void log_line(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
