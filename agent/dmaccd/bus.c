// SPDX-License-Identifier: LGPL-2.1-or-later
/* The connection, and what its interfaces share */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "authorize.h"
#include "bus_inside.h"
#include "harden.h"
#include "tree_text.h"

char *bus_path(const char *prefix, const char *name)
{
	char *path;

	return sd_bus_path_encode(prefix, name, &path) < 0 ? NULL : path;
}

int bus_not_ready(const struct account *account, sd_bus_error *reterr)
{
	char sentence[ACCOUNT_REASON_SIZE + 32];

	account_sentence(account, sentence, sizeof(sentence));
	return sd_bus_error_setf(reterr, BUS_ERROR("NotReady"), "account %s is %s", account->name,
				 sentence);
}

int bus_complain(int r, const struct complaint *complaint, sd_bus_error *reterr)
{
	static const char *const names[] = {
		[REFUSAL_NONE] = SD_BUS_ERROR_FAILED,
		[REFUSAL_NOT_READY] = BUS_ERROR("NotReady"),
		[REFUSAL_BUSY] = BUS_ERROR("Busy"),
		[REFUSAL_NO_SUCH_NODE] = BUS_ERROR("NoSuchNode"),
		[REFUSAL_NOT_PERMITTED] = BUS_ERROR("NotPermitted"),
		[REFUSAL_BAD_VALUE] = BUS_ERROR("BadValue"),
		[REFUSAL_DOWNGRADE] = BUS_ERROR("Downgrade"),
		[REFUSAL_WRONG_CREDENTIAL] = BUS_ERROR("WrongCredential"),
		[REFUSAL_NOT_AUTHENTICATED] = BUS_ERROR("NotAuthenticated"),
		[REFUSAL_REFUSED] = BUS_ERROR("Refused"),
		[REFUSAL_UNWRITTEN] = BUS_ERROR("Unwritten"),
	};

	return r == -EPERM ? sd_bus_error_set(reterr, names[complaint->kind], complaint->sentence) : r;
}

int bus_read_layout(sd_bus_message *m, enum dmacc_layout *ret, sd_bus_error *reterr)
{
	const char *word;
	int r;

	r = sd_bus_message_read(m, "s", &word);
	if (r < 0)
		return r;
	if (!strcmp(word, "1.1"))
		*ret = DMACC_LAYOUT_1_1;
	else if (!strcmp(word, "1.2"))
		*ret = DMACC_LAYOUT_1_2;
	else
		return sd_bus_error_set(reterr, SD_BUS_ERROR_INVALID_ARGS,
					"there are layouts 1.1 and 1.2");
	return 0;
}

int bus_read_bytes(sd_bus_message *m, const void **ret, size_t *ret_len)
{
	return sd_bus_message_read_array(m, 'y', ret, ret_len);
}

int bus_reply_secret_tree(sd_bus_message *m, struct dmacc_tree *tree)
{
	int fd = tree_text_memfd(tree), r;

	dmacc_tree_free(tree);
	harden_wipe_stack();
	if (fd < 0)
		return fd;
	r = sd_bus_reply_method_return(m, "h", fd);
	close(fd);
	return r;
}

static int add_objects(struct bus *b)
{
	int r;

	r = sd_bus_add_object_manager(b->bus, NULL, BUS_PATH);
	if (r >= 0)
		r = bus_add_manager(b);
	if (r >= 0)
		r = bus_add_accounts(b);
	return r < 0 ? r : bus_add_sessions(b);
}

int bus_new(struct agent *agent, sd_event *event, struct bus **ret)
{
	struct bus *b = calloc(1, sizeof(*b));
	int r;

	if (!b)
		return -ENOMEM;
	b->agent = agent;
	r = sd_bus_open_system(&b->bus);
	if (r >= 0)
		r = add_objects(b);
	/* without the bus the agent is worth nothing: systemd starts it anew */
	if (r >= 0)
		r = sd_bus_set_exit_on_disconnect(b->bus, 1);
	if (r >= 0)
		r = sd_bus_attach_event(b->bus, event, SD_EVENT_PRIORITY_NORMAL);
	if (r < 0) {
		bus_free(b);
		return r;
	}
	*ret = b;
	return 0;
}

int bus_take_name(struct bus *bus)
{
	int r = sd_bus_request_name(bus->bus, BUS_NAME, 0);

	return r < 0 ? r : 0;
}

sd_bus *bus_connection(struct bus *bus)
{
	return bus->bus;
}

struct bus *bus_free(struct bus *bus)
{
	if (!bus)
		return NULL;
	authorize_done(bus);
	bus_forget_guests(bus);
	sd_bus_flush_close_unref(bus->bus);
	free(bus);
	return NULL;
}
