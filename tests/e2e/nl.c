// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "linux/dmacc.h"
#include "nl.h"

union nl_message nl_request, nl_reply;

void nl_die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(2);
}

int nl_open(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC), one = 1;
	struct timeval patience = { 20, 0 };

	if (fd < 0 || setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one)) ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)))
		nl_die("socket");
	return fd;
}

void nl_become(uid_t uid)
{
	if (setresgid(uid, uid, uid) || setresuid(uid, uid, uid))
		nl_die("setresuid");
}

void nl_begin(int type, int cmd, int version)
{
	struct genlmsghdr *genl = NLMSG_DATA(&nl_request.header);

	memset(&nl_request, 0, sizeof(nl_request));
	nl_request.header.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN);
	nl_request.header.nlmsg_type = (unsigned short)type;
	nl_request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	genl->cmd = (unsigned char)cmd;
	genl->version = (unsigned char)version;
}

void nl_put(int attr, const void *data, size_t len)
{
	struct nlattr *nla = (void *)(nl_request.bytes + NLMSG_ALIGN(nl_request.header.nlmsg_len));

	nla->nla_type = (unsigned short)attr;
	nla->nla_len = (unsigned short)(NLA_HDRLEN + len);
	memcpy((char *)nla + NLA_HDRLEN, data, len);
	nl_request.header.nlmsg_len = NLMSG_ALIGN(nl_request.header.nlmsg_len) +
				      (unsigned int)NLA_ALIGN(nla->nla_len);
}

static const char *find_sentence(const struct nlmsghdr *reply, const struct nlmsgerr *error)
{
	size_t at = NLMSG_HDRLEN + sizeof(*error), end = reply->nlmsg_len;

	if (!(reply->nlmsg_flags & NLM_F_CAPPED))
		at += error->msg.nlmsg_len - NLMSG_HDRLEN;
	while (reply->nlmsg_flags & NLM_F_ACK_TLVS && at + NLA_HDRLEN <= end) {
		const struct nlattr *nla = (const void *)((const char *)reply + at);

		if (nla->nla_type == NLMSGERR_ATTR_MSG)
			return (const char *)nla + NLA_HDRLEN;
		at += NLA_ALIGN(nla->nla_len);
	}
	return "(no sentence)";
}

static void each_attr(ssize_t n, void (*on_attr)(const struct nlattr *nla))
{
	const struct nlattr *nla = (void *)(nl_reply.bytes + NLMSG_LENGTH(GENL_HDRLEN));

	while (on_attr && (const char *)nla < nl_reply.bytes + n) {
		on_attr(nla);
		nla = (const void *)((const char *)nla + NLA_ALIGN(nla->nla_len));
	}
}

int nl_talk(int fd, void (*on_attr)(const struct nlattr *nla), const char **ret_sentence)
{
	ssize_t n;

	if (send(fd, &nl_request, nl_request.header.nlmsg_len, 0) < 0)
		nl_die("send");
	while ((n = recv(fd, &nl_reply, sizeof(nl_reply), 0)) > 0) {
		const struct nlmsgerr *error = NLMSG_DATA(&nl_reply.header);

		if (nl_reply.header.nlmsg_type != NLMSG_ERROR) {
			each_attr(n, on_attr);
			continue;
		}
		if (error->error && ret_sentence)
			*ret_sentence = find_sentence(&nl_reply.header, error);
		return -error->error;
	}
	nl_die("recv");
}

static int family;

static void take_family(const struct nlattr *nla)
{
	if (nla->nla_type == CTRL_ATTR_FAMILY_ID)
		family = *(const unsigned short *)(nla + 1);
}

int nl_family(int fd)
{
	const char *sentence;
	int err;

	nl_begin(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1);
	nl_put(CTRL_ATTR_FAMILY_NAME, DMACC_FAMILY_NAME, sizeof(DMACC_FAMILY_NAME));
	err = nl_talk(fd, take_family, &sentence);
	if (err) {
		printf("error %d: %s\n", err, sentence);
		exit(1);
	}
	return family;
}
