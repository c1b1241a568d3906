/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DMACC_FUZZ_H
#define DMACC_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/*
 * What a fuzzer tries: it ends the process if something that must hold does not. The name is
 * libFuzzer's, so that clang -fsanitize=fuzzer can drive it as well as fuzz.c does.
 *
 * Return: 0.
 */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* Inputs that were accepted so far: a fuzzer that gets nothing in tests the first line only */
extern unsigned long fuzz_accepted;

/* As assert(), whatever NDEBUG says */
#define fuzz_require(condition) ((condition) ? (void)0 : fuzz_fail(#condition, __FILE__, __LINE__))
void fuzz_fail(const char *condition, const char *file, int line);

#endif
