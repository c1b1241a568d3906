/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages go out and answers come in over HTTP or HTTPS; libcurl */
#ifndef DMACC_PROBE_HTTP_H
#define DMACC_PROBE_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#define HTTP_ERROR_SIZE 512
#define HTTP_BODY_MAX (256 * 1024)

/* Where it failed, the nearest to the device first */
enum http_trouble {
	HTTP_FINE,
	HTTP_ADDRESS,		/* the Addr is none */
	HTTP_NAME,		/* its host is not known */
	HTTP_CONNECTION,
	HTTP_TLS,
	HTTP_ANSWER,		/* no answer of HTTP, or not one that a DM server gives */
};

struct http;

/**
 * struct http_answer - what came back
 * @body: zero-terminated besides
 * @hmac: the header x-syncml-hmac, or NULL
 */
struct http_answer {
	char *body;
	size_t len;
	char *hmac;
};

/**
 * http_url() - the URL of an account
 * @addr: its Addr
 * @port: its PortNbr, which counts if @addr names none; "" if it has none
 * @ret: malloc'ed
 * @reterr: a sentence
 */
enum http_trouble http_url(const char *addr, const char *port, char **ret,
			   char reterr[HTTP_ERROR_SIZE]);

bool http_is_tls(const char *url);

/**
 * http_new() - what sends; names of hosts are verified, and no redirection is followed
 * @authorities: certificates in PEM that are trusted in the place of the system's; NULL: those
 */
int http_new(const char *authorities, size_t len, struct http **ret);
struct http *http_free(struct http *http);

/**
 * http_post() - send a message, and wait for the answer
 * @hmac: the header x-syncml-hmac, or NULL
 * @ret: to be given to http_answer_done(); written on HTTP_FINE only
 * @reterr: a sentence
 */
enum http_trouble http_post(struct http *http, const char *url, const void *body, size_t len,
			    const char *hmac, struct http_answer *ret,
			    char reterr[HTTP_ERROR_SIZE]);
void http_answer_done(struct http_answer *answer);

#endif
