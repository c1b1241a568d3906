/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Raw generic netlink for programs that run in an initramfs: no library, and no opinion on what is
 * right, so that wrong requests can be sent, too.
 */
#ifndef DMACC_TESTS_NL_H
#define DMACC_TESTS_NL_H

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stddef.h>
#include <sys/types.h>

union nl_message {
	struct nlmsghdr header;
	char bytes[16384];
};

extern union nl_message nl_request, nl_reply;

/* Prints what failed, with errno's text, and exits with 2 */
__attribute__((noreturn)) void nl_die(const char *what);

/* A socket that gives up after 20 seconds */
int nl_open(void);

/* Drops to a user for good */
void nl_become(uid_t uid);

/* Begins nl_request, which asks for an ACK; adds an attribute to it */
void nl_begin(int type, int cmd, int version);
void nl_put(int attr, const void *data, size_t len);

/*
 * Sends nl_request and reads up to its ACK. @on_attr, which may be NULL, gets every attribute of the
 * replies. Returns 0, or the errno of the ACK; then *ret_sentence is the one of the module.
 */
int nl_talk(int fd, void (*on_attr)(const struct nlattr *nla), const char **ret_sentence);

/* The id of the family dmacc */
int nl_family(int fd);

#endif
