/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DMACC_FLEET_PIN_H
#define DMACC_FLEET_PIN_H

#include "secret.h"

/**
 * pin_read() - the PIN of a token
 * @token: its name, for the prompt and for complaints
 * @pin_file: as --pin-file gave it, NULL if it was not given
 * @pin_source: as the pkcs11: URI gave it, NULL if it did not; --pin-file goes before
 * @ret: without its line end; written on success only
 *
 * Without either it is asked for on the terminal.
 *
 * Return: 0, or EXIT_NOTHING after a complaint.
 */
int pin_read(const char *token, const char *pin_file, const char *pin_source, struct secret *ret);

#endif
