/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who the device is according to its modem: what ModemManager answers to GetManagedObjects, read,
 * checked and judged. The caller sends the question. No sentence has an identifier in it.
 *
 * One modem has several numbers at times: its IMEI counts before its MEID, that before its ESN.
 * Several modems that name different devices are for a person to choose from, by the property
 * Device, which is the place where the modem is plugged in and stays the same.
 */
#ifndef DMACC_COMMON_EQUIPMENT_H
#define DMACC_COMMON_EQUIPMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-bus.h>

#include "dmacc.h"

#define EQUIPMENT_SERVICE "org.freedesktop.ModemManager1"
#define EQUIPMENT_PATH "/org/freedesktop/ModemManager1"
#define EQUIPMENT_MODEM EQUIPMENT_SERVICE ".Modem"

#define EQUIPMENT_MAX 16
#define EQUIPMENT_SENTENCE_SIZE 384
#define EQUIPMENT_DEVICE_SIZE 256

enum equipment_state {
	EQUIPMENT_NOT_ASKED,
	EQUIPMENT_NO_MANAGER,	/* ModemManager does not run, or does not answer */
	EQUIPMENT_NO_MODEM,	/* it has none, or not the one that is asked for */
	EQUIPMENT_SILENT,	/* there is one, which has not said its identifier yet */
	EQUIPMENT_REFUSED,	/* what it says cannot be one */
	EQUIPMENT_AMBIGUOUS,	/* more than one modem */
	EQUIPMENT_KNOWN,
};

/**
 * struct equipment - what modems say
 * @devids: canonical, each once; the first is the device's if the state is EQUIPMENT_KNOWN
 * @waits: another modem has not said its identifier yet
 * @sentence: why it is not known; no capital, no full stop; "" if it is
 */
struct equipment {
	enum equipment_state state;
	char devids[EQUIPMENT_MAX][DMACC_DEVID_SIZE];
	size_t devids_len;
	bool waits;
	char sentence[EQUIPMENT_SENTENCE_SIZE];
};

/* The question to ModemManager, which is not started for it; the caller unrefs @ret, after a failure, too */
int equipment_question(sd_bus *bus, sd_bus_message **ret);

/**
 * equipment_judge() - judge an answer to the question
 * @answer: to GetManagedObjects; not looked at if there is an @error
 * @error: that came in its place; NULL or unset if there is none
 * @device: property Device of the modem that counts; "": any
 * @ret: what it comes to; that there was no answer, or none that is understood, is EQUIPMENT_NO_MANAGER
 */
void equipment_judge(sd_bus_message *answer, const sd_bus_error *error, const char *device,
		     struct equipment *ret);

/**
 * equipment_contradicts() - is a modem of another device in this one?
 * @devid: of the device
 *
 * An IMEI is compared with IMEIs only, and so on: a device may have one of each.
 */
bool equipment_contradicts(const struct equipment *equipment, const char *devid);

#endif
