// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "equipment.h"

/* Longer than any identifier with blanks in it; what does not fit is none */
#define NUMBER_SIZE 64

/* Kinds in the order in which they count */
static const char *const prefixes[] = { "IMEI:", "MEID:", "ESN:" };

#define PREFIXES (sizeof(prefixes) / sizeof(prefixes[0]))

enum number { NUMBER_EQUIPMENT, NUMBER_IMEI, NUMBER_MEID, NUMBER_ESN, NUMBERS };

static const struct {
	const char *interface, *property, *prefix;
} numbers[NUMBERS] = {
	[NUMBER_EQUIPMENT] = { EQUIPMENT_MODEM, "EquipmentIdentifier", "" },
	[NUMBER_IMEI] = { EQUIPMENT_MODEM ".Modem3gpp", "Imei", "IMEI:" },
	[NUMBER_MEID] = { EQUIPMENT_MODEM ".ModemCdma", "Meid", "MEID:" },
	[NUMBER_ESN] = { EQUIPMENT_MODEM ".ModemCdma", "Esn", "ESN:" },
};

/* One object of the answer */
struct modem {
	bool is_modem;
	char device[EQUIPMENT_DEVICE_SIZE];
	char numbers[NUMBERS][NUMBER_SIZE];
};

/* What the modems so far come to */
struct judging {
	struct equipment *equipment;
	size_t modems, silent, refused;
	char best[DMACC_DEVID_SIZE];
	bool ambiguous;
	char why[160];
};

static size_t rank(const char *devid)
{
	size_t i = 0;

	while (i < PREFIXES && strncmp(devid, prefixes[i], strlen(prefixes[i])))
		i++;
	return i;
}

static void copy(char *to, size_t size, const char *from)
{
	/* one that is cut would be another */
	snprintf(to, size, "%s", strlen(from) < size ? from : "?");
}

static int read_property(sd_bus_message *m, const char *interface, struct modem *modem)
{
	const char *property, *text;
	size_t i;
	int r;

	r = sd_bus_message_read(m, "s", &property);
	if (r < 0)
		return r;
	for (i = 0; i < NUMBERS; i++)
		if (!strcmp(interface, numbers[i].interface) &&
		    !strcmp(property, numbers[i].property))
			break;
	if (i == NUMBERS && (strcmp(interface, EQUIPMENT_MODEM) || strcmp(property, "Device")))
		return sd_bus_message_skip(m, "v");
	r = sd_bus_message_read(m, "v", "s", &text);
	if (r < 0)
		return r;
	if (i == NUMBERS)
		copy(modem->device, sizeof(modem->device), text);
	else
		copy(modem->numbers[i], sizeof(modem->numbers[i]), text);
	return 0;
}

static int read_interface(sd_bus_message *m, struct modem *modem)
{
	const char *interface;
	int r;

	r = sd_bus_message_read(m, "s", &interface);
	if (r >= 0)
		r = sd_bus_message_enter_container(m, 'a', "{sv}");
	if (r < 0)
		return r;
	modem->is_modem |= !strcmp(interface, EQUIPMENT_MODEM);
	while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
		r = read_property(m, interface, modem);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_object(sd_bus_message *m, struct modem *modem)
{
	const char *path;
	int r;

	r = sd_bus_message_read(m, "o", &path);
	if (r >= 0)
		r = sd_bus_message_enter_container(m, 'a', "{sa{sv}}");
	if (r < 0)
		return r;
	while ((r = sd_bus_message_enter_container(m, 'e', "sa{sv}")) > 0) {
		r = read_interface(m, modem);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* EquipmentIdentifier has no prefix: eight hexadecimal digits are an ESN */
static const char *prefix_of(enum number number, const char *text)
{
	if (number == NUMBER_EQUIPMENT && strspn(text, "0123456789abcdefABCDEF") == 8 && !text[8])
		return "ESN:";
	return numbers[number].prefix;
}

static void add(struct equipment *e, const char *devid)
{
	size_t i;

	for (i = 0; i < e->devids_len; i++)
		if (!strcmp(e->devids[i], devid))
			return;
	if (e->devids_len < EQUIPMENT_MAX)
		strcpy(e->devids[e->devids_len++], devid);
}

/* Its best number goes to @ret, "" if it has none; returns whether it has said one at all */
static bool judge_numbers(struct judging *j, const struct modem *modem, char *ret)
{
	char text[NUMBER_SIZE + 8], devid[DMACC_DEVID_SIZE];
	struct dmacc_reason reason;
	bool spoke = false, contradicts = false;
	size_t i;

	ret[0] = '\0';
	for (i = 0; i < NUMBERS; i++) {
		const char *number = modem->numbers[i];

		if (!number[0])
			continue;
		spoke = true;
		snprintf(text, sizeof(text), "%s%s", prefix_of((enum number)i, number), number);
		if (dmacc_identifier_read(text, strlen(text), 0, devid, &reason)) {
			snprintf(j->why, sizeof(j->why), "%s: %s", numbers[i].property,
				 reason.sentence);
			continue;
		}
		add(j->equipment, devid);
		contradicts |= ret[0] && rank(devid) == rank(ret) && strcmp(devid, ret);
		if (!ret[0] || rank(devid) < rank(ret))
			strcpy(ret, devid);
	}
	if (contradicts) {
		ret[0] = '\0';
		snprintf(j->why, sizeof(j->why), "it reports two numbers of one kind");
	}
	return spoke;
}

static void judge_modem(struct judging *j, const struct modem *modem)
{
	char best[DMACC_DEVID_SIZE];

	j->modems++;
	if (!judge_numbers(j, modem, best))
		j->silent++;
	else if (!best[0])
		j->refused++;
	else if (!j->best[0])
		strcpy(j->best, best);
	else if (strcmp(j->best, best))
		j->ambiguous = true;
}

static void put_first(struct equipment *e, const char *devid)
{
	char first[DMACC_DEVID_SIZE];
	size_t i = 0;

	while (i < e->devids_len && strcmp(e->devids[i], devid))
		i++;
	if (!i || i == e->devids_len)
		return;
	strcpy(first, e->devids[0]);
	strcpy(e->devids[0], e->devids[i]);
	strcpy(e->devids[i], first);
}

static void tell(struct equipment *e, enum equipment_state state, const char *sentence,
		 const char *detail)
{
	e->state = state;
	snprintf(e->sentence, sizeof(e->sentence), "%s%s", sentence, detail);
}

static void settle(const struct judging *j, const char *device)
{
	struct equipment *e = j->equipment;

	e->waits = j->silent;
	if (j->ambiguous)
		tell(e, EQUIPMENT_AMBIGUOUS, "there are modems with different identifiers, and "
		     "dmaccd.conf does not say which of them counts", "");
	else if (j->best[0])
		tell(e, EQUIPMENT_KNOWN, "", "");
	else if (j->refused && !j->silent)
		tell(e, EQUIPMENT_REFUSED, "", j->why);
	else if (j->silent)
		tell(e, EQUIPMENT_SILENT, "the modem has not said its identifier yet", "");
	else if (device[0])
		tell(e, EQUIPMENT_NO_MODEM, "there is no modem at the place that dmaccd.conf names, ",
		     device);
	else
		tell(e, EQUIPMENT_NO_MODEM, "ModemManager has no modem", "");
	if (j->best[0])
		put_first(e, j->best);
}

static int read_objects(sd_bus_message *m, const char *device, struct judging *j)
{
	int r;

	r = sd_bus_message_enter_container(m, 'a', "{oa{sa{sv}}}");
	if (r < 0)
		return r;
	while ((r = sd_bus_message_enter_container(m, 'e', "oa{sa{sv}}")) > 0) {
		struct modem modem = { 0 };

		r = read_object(m, &modem);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
		if (r < 0)
			return r;
		if (modem.is_modem && (!device[0] || !strcmp(modem.device, device)))
			judge_modem(j, &modem);
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

int equipment_question(sd_bus *bus, sd_bus_message **ret)
{
	int r;

	r = sd_bus_message_new_method_call(bus, ret, EQUIPMENT_SERVICE, EQUIPMENT_PATH,
					   "org.freedesktop.DBus.ObjectManager",
					   "GetManagedObjects");
	return r < 0 ? r : sd_bus_message_set_auto_start(*ret, 0);
}

static bool nobody(const sd_bus_error *error)
{
	return sd_bus_error_has_name(error, SD_BUS_ERROR_SERVICE_UNKNOWN) ||
	       sd_bus_error_has_name(error, SD_BUS_ERROR_NAME_HAS_NO_OWNER);
}

void equipment_judge(sd_bus_message *answer, const sd_bus_error *error, const char *device,
		     struct equipment *ret)
{
	struct judging j = { .equipment = ret };

	*ret = (struct equipment){ 0 };
	if (nobody(error)) {
		tell(ret, EQUIPMENT_NO_MANAGER, "ModemManager does not run", "");
	} else if (sd_bus_error_is_set(error)) {
		tell(ret, EQUIPMENT_NO_MANAGER, "ModemManager does not answer: ", error->name);
	} else if (read_objects(answer, device, &j) < 0) {
		*ret = (struct equipment){ 0 };
		tell(ret, EQUIPMENT_NO_MANAGER, "what ModemManager answers is not understood", "");
	} else {
		settle(&j, device);
	}
}

bool equipment_contradicts(const struct equipment *equipment, const char *devid)
{
	bool comparable = false;
	size_t i;

	for (i = 0; i < equipment->devids_len; i++) {
		if (!strcmp(equipment->devids[i], devid))
			return false;
		comparable |= rank(equipment->devids[i]) == rank(devid);
	}
	return comparable;
}
