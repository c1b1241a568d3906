// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libnl has the socket, finds the family, builds and parses. Receiving is done here: libnl frees
 * what it has received without wiping it.
 */
#include <errno.h>
#include <netlink/errno.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

#include "dmacc.h"
#include "transport.h"

/* A TPM that tests itself first may take a minute; one that does not answer is not waited for */
#define TIMEOUT_SECONDS 120

#define BINARY(min, max) { .type = NLA_UNSPEC, .minlen = (min), .maxlen = (max) }
#define TEXT(max) { .type = NLA_STRING, .maxlen = (max) }
#define U8 { .type = NLA_U8 }
#define U32 { .type = NLA_U32 }

/* What the module may answer: the attributes of uapi/dmacc.yaml as replies have them */
static const struct nla_policy reply_policy[DMACC_A_MAX + 1] = {
	[DMACC_A_MODULE_VERSION] = { .type = NLA_STRING },
	[DMACC_A_IDENTITY_SOURCE] = U8,
	[DMACC_A_DEVID] = TEXT(DMACC_DEVID_SIZE),
	[DMACC_A_RUNG] = U8,
	[DMACC_A_ROOT_STATE] = U8,
	[DMACC_A_ROOT_REASON] = U8,
	[DMACC_A_ROOT_ID] = BINARY(DMACC_ROOT_ID_LEN, DMACC_ROOT_ID_LEN),
	[DMACC_A_ROOT_BLOB] = BINARY(1, DMACC_BLOB_MAX),
	[DMACC_A_MASTER_SOURCE] = U8,
	[DMACC_A_LOCKED] = U8,
	[DMACC_A_SLOT_COUNT] = U32,
	[DMACC_A_SLOT] = { .type = NLA_NESTED },
	[DMACC_A_SLOT_NAME] = TEXT(DMACC_SLOT_NAME_MAX + 1),
	[DMACC_A_SLOT_BLOB] = BINARY(1, DMACC_BLOB_MAX),
	[DMACC_A_KEY_ID] = BINARY(DMACC_KEYID_LEN, DMACC_KEYID_LEN),
	[DMACC_A_KEY_VERSION] = U32,
	[DMACC_A_USER_NAME] = TEXT(DMACC_CREDENTIAL_SIZE),
	[DMACC_A_SERVER_PW] = TEXT(DMACC_CREDENTIAL_SIZE),
	[DMACC_A_CLIENT_PW] = TEXT(DMACC_CREDENTIAL_SIZE),
	[DMACC_A_SERVER_NONCE] = BINARY(DMACC_NONCE_BYTES, DMACC_NONCE_BYTES),
	[DMACC_A_CLIENT_NONCE] = BINARY(DMACC_NONCE_BYTES, DMACC_NONCE_BYTES),
	[DMACC_A_STORE_KEY] = BINARY(DMACC_STORE_KEY_LEN, DMACC_STORE_KEY_LEN),
};

static const struct nla_policy ack_policy[NLMSGERR_ATTR_MAX + 1] = {
	[NLMSGERR_ATTR_MSG] = { .type = NLA_STRING },
};

int transport_fail(struct transport *t, int error, const char *sentence)
{
	snprintf(t->sentence, sizeof(t->sentence), "%s", sentence);
	return error;
}

static int fail_errno(struct transport *t, int error)
{
	return transport_fail(t, error, strerror(-error));
}

static int errno_of_libnl(int nlerr)
{
	switch (-nlerr) {
	case NLE_OBJ_NOTFOUND: return -ENOENT;
	case NLE_NOMEM: return -ENOMEM;
	case NLE_AGAIN: return -ETIMEDOUT;
	case NLE_PERM: return -EPERM;
	case NLE_NOACCESS: return -EACCES;
	case NLE_AF_NOSUPPORT: return -EAFNOSUPPORT;
	case NLE_PROTO_MISMATCH: return -EPROTONOSUPPORT;
	default: return -EIO;
	}
}

static int set_options(int fd)
{
	const struct timeval timeout = { .tv_sec = TIMEOUT_SECONDS };
	const int one = 1;

	/* a sentence with each refusal; and no request, which may hold a secret, sent back with it */
	if (setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one)) < 0 ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0)
		return -errno;
	return 0;
}

int transport_open(struct transport *t)
{
	int r;

	t->sock = nl_socket_alloc();
	if (!t->sock)
		return -ENOMEM;
	r = genl_connect(t->sock);
	if (r < 0)
		return errno_of_libnl(r);
	r = set_options(nl_socket_get_fd(t->sock));
	if (r < 0)
		return r;
	/* asking for the family is what makes the kernel load the module */
	r = genl_ctrl_resolve(t->sock, DMACC_FAMILY_NAME);
	if (r < 0)
		return errno_of_libnl(r);
	t->family = r;
	return 0;
}

void transport_close(struct transport *t)
{
	nl_socket_free(t->sock);
	dmacc_wipe(t, sizeof(*t));
}

struct nl_msg *transport_message(const struct transport *t, uint8_t cmd)
{
	struct nl_msg *msg = nlmsg_alloc();

	if (msg && !genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, t->family, 0, NLM_F_ACK, cmd,
				DMACC_FAMILY_VERSION)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

static int send_and_wipe(struct transport *t, struct nl_msg *msg, uint32_t *ret_seq)
{
	struct nlmsghdr *header = nlmsg_hdr(msg);
	int r;

	r = nl_send_auto(t->sock, msg);
	*ret_seq = header->nlmsg_seq;
	dmacc_wipe(nlmsg_data(header), (size_t)nlmsg_datalen(header));
	nlmsg_free(msg);
	return r < 0 ? fail_errno(t, errno_of_libnl(r)) : 0;
}

/* Receives one datagram that the kernel itself sent */
static int receive(struct transport *t, size_t *ret_len)
{
	struct iovec iov = { t->in, sizeof(t->in) };
	struct sockaddr_nl from = { 0 };
	struct msghdr m = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};
	ssize_t n;

	do {
		n = recvmsg(nl_socket_get_fd(t->sock), &m, 0);
	} while ((n < 0 && errno == EINTR) || (n >= 0 && from.nl_pid));
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return transport_fail(t, -ETIMEDOUT, "the kernel did not answer in time");
	if (n < 0)
		return fail_errno(t, -errno);
	if (m.msg_flags & MSG_TRUNC)
		return transport_fail(t, -EPROTO, "the module's answer is too long");
	*ret_len = (size_t)n;
	return 0;
}

/* The extended ACK's TLVs stand behind the request's header, or behind all of the request */
static void read_sentence(struct transport *t, struct nlmsghdr *header, int error)
{
	const struct nlmsgerr *e = nlmsg_data(header);
	struct nlattr *attrs[NLMSGERR_ATTR_MAX + 1];
	size_t at = sizeof(*e), len = (size_t)nlmsg_datalen(header);

	(void)fail_errno(t, error);
	if (!(header->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(header->nlmsg_flags & NLM_F_CAPPED) && e->msg.nlmsg_len > NLMSG_HDRLEN)
		at += NLMSG_ALIGN(e->msg.nlmsg_len - NLMSG_HDRLEN);
	if (at >= len)
		return;
	if (!nla_parse(attrs, NLMSGERR_ATTR_MAX, (struct nlattr *)((uint8_t *)e + at),
		       (int)(len - at), ack_policy) && attrs[NLMSGERR_ATTR_MSG])
		(void)transport_fail(t, error, nla_get_string(attrs[NLMSGERR_ATTR_MSG]));
}

/* Returns 1 for the ACK of a request that was done, 0 for a message that is not the end */
static int take_message(struct transport *t, struct nlmsghdr *header, uint32_t seq)
{
	const struct nlmsgerr *e = nlmsg_data(header);

	/* a late answer to a request that timed out */
	if (header->nlmsg_seq != seq ||
	    header->nlmsg_pid != nl_socket_get_local_port(t->sock))
		return 0;
	if (header->nlmsg_type == NLMSG_ERROR) {
		if (nlmsg_datalen(header) < (int)sizeof(*e) || e->error > 0)
			return transport_fail(t, -EPROTO, "the kernel's ACK is not understood");
		if (e->error)
			read_sentence(t, header, e->error);
		return e->error ? e->error : 1;
	}
	if (header->nlmsg_type != t->family || !genlmsg_valid_hdr(header, 0))
		return transport_fail(t, -EPROTO, "the module's answer is not understood");
	memcpy(t->reply, header, header->nlmsg_len);
	t->reply_len = header->nlmsg_len;
	return 0;
}

static int wait_for_ack(struct transport *t, uint32_t seq)
{
	struct nlmsghdr *header;
	size_t len = 0;
	int r, rest;

	for (;;) {
		r = receive(t, &len);
		if (r < 0)
			return r;
		header = (struct nlmsghdr *)t->in;
		for (rest = (int)len; !r && nlmsg_ok(header, rest);
		     header = nlmsg_next(header, &rest))
			r = take_message(t, header, seq);
		dmacc_wipe(t->in, len);
		if (r)
			return r < 0 ? r : 0;
	}
}

static int parse_reply(struct transport *t, uint8_t cmd, struct nlattr *attrs[DMACC_A_MAX + 1])
{
	struct nlmsghdr *header = (struct nlmsghdr *)t->reply;

	if (!t->reply_len || genlmsg_hdr(header)->cmd != cmd ||
	    genlmsg_parse(header, 0, attrs, DMACC_A_MAX, reply_policy) < 0)
		return transport_fail(t, -EPROTO, "the module's answer is not understood");
	return 0;
}

int transport_call(struct transport *t, struct nl_msg *msg,
		   struct nlattr *ret_attrs[DMACC_A_MAX + 1])
{
	uint32_t seq;
	uint8_t cmd;
	int r;

	if (!msg)
		return fail_errno(t, -ENOMEM);
	t->sentence[0] = '\0';
	cmd = genlmsg_hdr(nlmsg_hdr(msg))->cmd;
	r = send_and_wipe(t, msg, &seq);
	if (!r)
		r = wait_for_ack(t, seq);
	if (!r)
		r = parse_reply(t, cmd, ret_attrs);
	if (r < 0)
		transport_forget(t);
	return r;
}

void transport_forget(struct transport *t)
{
	dmacc_wipe(t->reply, t->reply_len);
	t->reply_len = 0;
}
