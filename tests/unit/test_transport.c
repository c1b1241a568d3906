// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The netlink client against answers that a kernel gives, and against those that it should not. It
 * is linked with --wrap for sending and receiving, and nothing else is changed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <netlink/netlink.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "transport.h"

#define FAMILY 33
#define RECEIVED_MAX 8
#define OWN_PORT nl_socket_get_local_port(rig.transport.sock)

int __wrap_nl_send_auto(struct nl_sock *sock, struct nl_msg *msg);
ssize_t __wrap_recvmsg(int fd, struct msghdr *m, int flags);

/* A datagram that will be received */
struct datagram {
	_Alignas(struct nlmsghdr) uint8_t bytes[1024];
	size_t len;
	uint32_t from;
	int error;
	int flags;
};

static struct {
	struct transport transport;
	struct datagram received[RECEIVED_MAX];
	size_t queued, taken;
	uint32_t seq;
} rig;

/* The sequence number that the next request will have is known before: libnl counts */
int __wrap_nl_send_auto(struct nl_sock *sock, struct nl_msg *msg)
{
	nl_complete_msg(sock, msg);
	nlmsg_hdr(msg)->nlmsg_seq = rig.seq;
	return (int)nlmsg_hdr(msg)->nlmsg_len;
}

ssize_t __wrap_recvmsg(int fd, struct msghdr *m, int flags)
{
	const struct datagram *d = &rig.received[rig.taken];
	struct sockaddr_nl *from = m->msg_name;

	(void)fd;
	(void)flags;
	assert_true(rig.taken < rig.queued);
	rig.taken++;
	if (d->error) {
		errno = d->error;
		return -1;
	}
	assert_true(d->len <= m->msg_iov[0].iov_len);
	memcpy(m->msg_iov[0].iov_base, d->bytes, d->len);
	from->nl_pid = d->from;
	m->msg_flags = d->flags;
	return (ssize_t)d->len;
}

static int setup(void **state)
{
	(void)state;
	memset(&rig, 0, sizeof(rig));
	rig.transport.sock = nl_socket_alloc();
	rig.transport.family = FAMILY;
	rig.seq = 1000;
	return rig.transport.sock ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	transport_close(&rig.transport);
	return 0;
}

static struct datagram *queue(void)
{
	assert_true(rig.queued < RECEIVED_MAX);
	return &rig.received[rig.queued++];
}

/* Appends a message to a datagram and returns its header; its length can be made a lie later */
static struct nlmsghdr *message(struct datagram *d, uint16_t type, const void *data, size_t len)
{
	struct nlmsghdr *header = (struct nlmsghdr *)(d->bytes + d->len);

	*header = (struct nlmsghdr){
		.nlmsg_len = (uint32_t)(NLMSG_HDRLEN + len),
		.nlmsg_type = type,
		.nlmsg_seq = rig.seq,
		.nlmsg_pid = OWN_PORT,
	};
	memcpy(header + 1, data, len);
	d->len += NLMSG_ALIGN(header->nlmsg_len);
	return header;
}

static struct nlmsghdr *ack(int error)
{
	const struct nlmsgerr e = { .error = error };
	struct nlmsghdr *header = message(queue(), NLMSG_ERROR, &e, sizeof(e));

	header->nlmsg_flags = NLM_F_CAPPED;
	return header;
}

/* Puts an attribute behind a message that is the last of its datagram */
static struct nlattr *attribute(struct datagram *d, struct nlmsghdr *header, uint16_t type,
				const void *data, size_t len)
{
	struct nlattr *attr = (struct nlattr *)(d->bytes + d->len);

	*attr = (struct nlattr){ .nla_type = type, .nla_len = (uint16_t)(NLA_HDRLEN + len) };
	memcpy(attr + 1, data, len);
	d->len += NLA_ALIGN(attr->nla_len);
	header->nlmsg_len = (uint32_t)(d->len - (size_t)((uint8_t *)header - d->bytes));
	return attr;
}

static struct nlmsghdr *reply(uint8_t cmd)
{
	const struct genlmsghdr genl = { .cmd = cmd, .version = 1 };

	return message(queue(), FAMILY, &genl, sizeof(genl));
}

static void reply_text(uint16_t attr, const void *text, size_t len)
{
	struct nlmsghdr *header = reply(DMACC_CMD_GET_STATUS);

	attribute(&rig.received[rig.queued - 1], header, attr, text, len);
}

static int call(struct nlattr **attrs)
{
	return transport_call(&rig.transport, transport_message(&rig.transport, DMACC_CMD_GET_STATUS),
			      attrs);
}

static void fails(int error, const char *sentence)
{
	struct nlattr *attrs[DMACC_A_MAX + 1];

	assert_int_equal(call(attrs), error);
	assert_string_equal(rig.transport.sentence, sentence);
	assert_int_equal(rig.transport.reply_len, 0);
}

static bool all_zero(const uint8_t *bytes, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (bytes[i])
			return false;
	return true;
}

static void an_answer_is_there_until_it_is_forgotten_and_then_wiped(void **state)
{
	struct nlattr *attrs[DMACC_A_MAX + 1];

	(void)state;
	reply_text(DMACC_A_MODULE_VERSION, "1.2.3", 6);
	ack(0);
	assert_int_equal(call(attrs), 0);
	assert_string_equal(nla_get_string(attrs[DMACC_A_MODULE_VERSION]), "1.2.3");
	assert_true(all_zero(rig.transport.in, TRANSPORT_BUFFER_SIZE));
	transport_forget(&rig.transport);
	assert_true(all_zero(rig.transport.reply, TRANSPORT_BUFFER_SIZE));
}

static void a_refusal_has_the_kernels_sentence(void **state)
{
	struct nlmsghdr *header;

	(void)state;
	header = ack(-ENOKEY);
	header->nlmsg_flags |= NLM_F_ACK_TLVS;
	attribute(&rig.received[0], header, NLMSGERR_ATTR_MSG, "no root is open", 16);
	fails(-ENOKEY, "no root is open");
}

static void a_refusal_without_a_sentence_has_that_of_its_errno(void **state)
{
	(void)state;
	ack(-EPERM);
	fails(-EPERM, strerror(EPERM));
}

/* As a kernel does it that was not asked to leave the request out */
static void a_sentence_behind_the_whole_request_is_found(void **state)
{
	uint8_t data[sizeof(struct nlmsgerr) + 40] = { 0 };
	struct nlmsgerr *e = (struct nlmsgerr *)data;
	struct nlmsghdr *header;

	(void)state;
	e->error = -EINVAL;
	e->msg.nlmsg_len = NLMSG_HDRLEN + 40;
	header = message(queue(), NLMSG_ERROR, data, sizeof(data));
	header->nlmsg_flags = NLM_F_ACK_TLVS;
	attribute(&rig.received[0], header, NLMSGERR_ATTR_MSG, "behind", 7);
	fails(-EINVAL, "behind");
}

static void a_request_longer_than_its_refusal_is_not_read_behind(void **state)
{
	const struct nlmsgerr e = { .error = -EINVAL, .msg.nlmsg_len = 0xfffffff0 };
	struct nlmsghdr *header = message(queue(), NLMSG_ERROR, &e, sizeof(e));

	(void)state;
	header->nlmsg_flags = NLM_F_ACK_TLVS;
	fails(-EINVAL, strerror(EINVAL));
}

static void a_sentence_that_does_not_end_is_not_taken(void **state)
{
	struct nlmsghdr *header = ack(-EINVAL);

	(void)state;
	header->nlmsg_flags |= NLM_F_ACK_TLVS;
	attribute(&rig.received[0], header, NLMSGERR_ATTR_MSG, "endless", 7);
	fails(-EINVAL, strerror(EINVAL));
}

static void a_sentence_longer_than_there_is_room_for_is_cut(void **state)
{
	struct nlmsghdr *header = ack(-EINVAL);
	char text[400];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	header->nlmsg_flags |= NLM_F_ACK_TLVS;
	attribute(&rig.received[0], header, NLMSGERR_ATTR_MSG, text, sizeof(text));
	text[sizeof(rig.transport.sentence) - 1] = '\0';
	fails(-EINVAL, text);
}

/* Two messages of one datagram, and late ones of a request that timed out, and somebody else's */
static void only_what_the_kernel_answers_to_this_request_counts(void **state)
{
	struct nlattr *attrs[DMACC_A_MAX + 1];
	const struct nlmsgerr done = { 0 };
	struct datagram *d;

	(void)state;
	ack(-EPERM)->nlmsg_seq = rig.seq - 1;
	ack(-EPERM)->nlmsg_pid = OWN_PORT + 1;
	ack(-EPERM);
	rig.received[2].from = 4711;
	reply_text(DMACC_A_MODULE_VERSION, "1", 2);
	d = &rig.received[3];
	message(d, NLMSG_ERROR, &done, sizeof(done));
	assert_int_equal(call(attrs), 0);
	assert_string_equal(nla_get_string(attrs[DMACC_A_MODULE_VERSION]), "1");
	assert_int_equal(rig.taken, 4);
}

static void interrupted_waits_go_on_and_long_ones_end(void **state)
{
	(void)state;
	queue()->error = EINTR;
	queue()->error = EAGAIN;
	fails(-ETIMEDOUT, "the kernel did not answer in time");
}

static void lost_answers_are_an_error(void **state)
{
	(void)state;
	queue()->error = ENOBUFS;
	fails(-ENOBUFS, strerror(ENOBUFS));
}

static void an_answer_that_was_cut_is_refused(void **state)
{
	(void)state;
	reply_text(DMACC_A_MODULE_VERSION, "1", 2);
	rig.received[0].flags = MSG_TRUNC;
	fails(-EPROTO, "the module's answer is too long");
}

static void an_ack_without_an_answer_is_refused(void **state)
{
	(void)state;
	ack(0);
	fails(-EPROTO, "the module's answer is not understood");
}

static void an_answer_of_another_family_or_command_is_refused(void **state)
{
	const uint8_t nothing[8] = { 0 };

	(void)state;
	message(queue(), FAMILY + 1, nothing, sizeof(nothing));
	fails(-EPROTO, "the module's answer is not understood");
	reply(DMACC_CMD_DERIVE);
	ack(0);
	fails(-EPROTO, "the module's answer is not understood");
	message(queue(), FAMILY, nothing, 2);
	fails(-EPROTO, "the module's answer is not understood");
}

static void acks_that_are_none_are_refused(void **state)
{
	const int nothing = 0;

	(void)state;
	message(queue(), NLMSG_ERROR, &nothing, sizeof(nothing));
	fails(-EPROTO, "the kernel's ACK is not understood");
	ack(EPERM);
	fails(-EPROTO, "the kernel's ACK is not understood");
}

/* What the policy forbids: a string without an end, one too long, a key id too short */
static void attributes_of_a_wrong_shape_are_refused(void **state)
{
	char text[64] = "";

	(void)state;
	reply_text(DMACC_A_MODULE_VERSION, "1.2", 3);
	ack(0);
	fails(-EPROTO, "the module's answer is not understood");
	memset(text, 'x', sizeof(text) - 1);
	reply_text(DMACC_A_DEVID, text, sizeof(text));
	ack(0);
	fails(-EPROTO, "the module's answer is not understood");
	reply_text(DMACC_A_KEY_ID, text, DMACC_KEYID_LEN - 1);
	ack(0);
	fails(-EPROTO, "the module's answer is not understood");
	reply_text(DMACC_A_LOCKED, text, 0);
	ack(0);
	fails(-EPROTO, "the module's answer is not understood");
}

static void attributes_of_a_newer_module_are_passed_over(void **state)
{
	struct nlattr *attrs[DMACC_A_MAX + 1];

	(void)state;
	reply_text(DMACC_A_MAX + 7, "new", 4);
	ack(0);
	assert_int_equal(call(attrs), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_answer_is_there_until_it_is_forgotten_and_then_wiped),
		TEST(a_refusal_has_the_kernels_sentence),
		TEST(a_refusal_without_a_sentence_has_that_of_its_errno),
		TEST(a_sentence_behind_the_whole_request_is_found),
		TEST(a_request_longer_than_its_refusal_is_not_read_behind),
		TEST(a_sentence_that_does_not_end_is_not_taken),
		TEST(a_sentence_longer_than_there_is_room_for_is_cut),
		TEST(only_what_the_kernel_answers_to_this_request_counts),
		TEST(interrupted_waits_go_on_and_long_ones_end),
		TEST(lost_answers_are_an_error),
		TEST(an_answer_that_was_cut_is_refused),
		TEST(an_ack_without_an_answer_is_refused),
		TEST(an_answer_of_another_family_or_command_is_refused),
		TEST(acks_that_are_none_are_refused),
		TEST(attributes_of_a_wrong_shape_are_refused),
		TEST(attributes_of_a_newer_module_are_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
