/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One request to the family "dmacc", its answer and its ACK: what kernel.c is built on. */
#ifndef DMACC_COMMON_TRANSPORT_H
#define DMACC_COMMON_TRANSPORT_H

#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stddef.h>
#include <stdint.h>

#include "linux/dmacc.h"

/* The kernel makes no larger message than this for a reply or an ACK */
#define TRANSPORT_BUFFER_SIZE 16384

/**
 * struct transport - a connected socket
 * @sock: libnl's; it never receives through libnl once the family is known
 * @family: number of the family
 * @sentence: why the last request was refused; "" if it was not
 * @in: what is received; wiped after each message
 * @reply: the answer to the request, until transport_forget()
 * @reply_len: its bytes, 0 if there is none
 */
struct transport {
	struct nl_sock *sock;
	int family;
	char sentence[256];
	_Alignas(struct nlmsghdr) uint8_t in[TRANSPORT_BUFFER_SIZE];
	_Alignas(struct nlmsghdr) uint8_t reply[TRANSPORT_BUFFER_SIZE];
	size_t reply_len;
};

/* @t is zero. Returns 0 or a negative errno; -ENOENT if there is no such family. */
int transport_open(struct transport *t);
void transport_close(struct transport *t);

/* A message of command @cmd to put attributes into; NULL if there is no memory */
struct nl_msg *transport_message(const struct transport *t, uint8_t cmd);

/**
 * transport_call() - send a request and wait for its ACK
 * @t: an open transport
 * @msg: wiped and freed; NULL means that there was no memory for it
 * @ret_attrs: the answer's attributes, validated; they lie in @t until transport_forget()
 *
 * Return: 0; the kernel's negative errno; -ETIMEDOUT; -EPROTO for an answer that is none.
 */
int transport_call(struct transport *t, struct nl_msg *msg,
		   struct nlattr *ret_attrs[DMACC_A_MAX + 1]);

/* Wipes the answer */
void transport_forget(struct transport *t);

/* Notes a sentence of our own and returns @error */
int transport_fail(struct transport *t, int error, const char *sentence);

#endif
