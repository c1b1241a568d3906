/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Initial nonces are used once, ever (uapi/derivation.md, section 5.4). The accounts know whether
 * theirs were, and are lost in a factory reset, while the sealed keys survive it. So, when a key is
 * injected, it is noted where the keys are in which life of the accounts that was: the file
 * LIVES_NAME beside the accounts goes with them, and has a random number; "lives/SLOT" of the
 * factory store has that number and the hash of the sealed key. A key that is found without the
 * life that it came into may have been used: it is spent, and its accounts are made with random
 * nonces. dmacc-unseal says which are, in the file "spent" beside its report, a name a line.
 */
#ifndef DMACC_COMMON_LIVES_H
#define DMACC_COMMON_LIVES_H

#include <stdbool.h>

#include "factory_store.h"

#define LIVES_STATE_PATH "/var/lib/dmacc"
#define LIVES_NAME "life"

/**
 * lives_injected() - note that a slot's sealed key is new
 * @state_path: folder of the accounts' folder; made if it is not there, and a life in it
 *
 * Return: 0; a negative errno, and then the key will be taken for spent.
 */
int lives_injected(struct factory_store *store, const char *slot, const char *state_path);

/* Notes that a slot's sealed key of before came back: it has been used, wherever. 0 or -errno. */
int lives_restored(struct factory_store *store, const char *slot);

/**
 * lives_tell() - say which keys are spent
 * @report_folder: NULL for UNSEAL_REPORT_FOLDER; made if it is not there
 *
 * Writes nothing else. What is not noted, or cannot be read, is spent.
 *
 * Return: 0; a negative errno if it could not be said.
 */
int lives_tell(struct factory_store *store, const char *state_path, const char *report_folder);

/* Of the slot, as lives_tell() said last; false if it has not */
bool lives_is_spent(const char *report_folder, const char *slot);

#endif
