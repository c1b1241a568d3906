/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Faults in the calls that a file is replaced by. The tests that use it are linked with --wrap for
 * each of the calls named in faults.c.
 */
#ifndef DMACC_TESTS_FAULTS_H
#define DMACC_TESTS_FAULTS_H

enum fault {
	FAULT_NONE,
	FAULT_FAIL,	/* the call returns EIO; of a write the first half is done */
	FAULT_DIE,	/* the process ends before it; of a write after the first half */
};

/* The @at-th call from now on, from 1, goes wrong. Forgets what was called so far. */
void faults_arm(enum fault fault, int at);

/* Names of the calls since, a blank behind each; fsync of a folder is "fsync-folder" */
const char *faults_calls(void);

/* How many there were */
int faults_count(void);

#endif
