// SPDX-License-Identifier: LGPL-2.1-or-later
#include <json-c/json.h>

#include "fleet.h"
#include "object.h"
#include "rows.h"

int worker_init(struct worker *w, const struct rows_settings *s, struct keyring *keyring)
{
	*w = (struct worker){ 0 };
	if (s->objects) {
		w->tokener = object_tokener();
		if (!w->tokener)
			return complain("out of memory");
	}
	return keyring ? keyring_use(keyring, &w->keys) : 0;
}

void worker_done(struct worker *w)
{
	if (w->tokener)
		json_tokener_free(w->tokener);
	keyring_user_free(w->keys);
	*w = (struct worker){ 0 };
}

struct reader rows_reader(const struct worker *w, const struct rows *rows)
{
	return (struct reader){ rows->text, rows->len, rows->first_line, w->tokener };
}
