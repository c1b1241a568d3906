// SPDX-License-Identifier: LGPL-2.1-or-later
#include <curl/curl.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "dmacc.h"
#include "http.h"

#define CONTENT_TYPE "application/vnd.syncml.dm+xml"
#define HMAC "x-syncml-hmac"
#define CONNECT_SECONDS 20L
#define ANSWER_SECONDS 60L

struct http {
	CURL *curl;
	char error[CURL_ERROR_SIZE];
	struct http_answer answer;
	bool too_long;
};

static enum http_trouble fail(enum http_trouble trouble, char reterr[HTTP_ERROR_SIZE],
			      const char *format, ...) __attribute__((format(printf, 3, 4)));

static enum http_trouble fail(enum http_trouble trouble, char reterr[HTTP_ERROR_SIZE],
			      const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(reterr, HTTP_ERROR_SIZE, format, args);
	va_end(args);
	return trouble;
}

static char *copy_url(CURLU *u)
{
	char *text = NULL, *copy;

	if (curl_url_get(u, CURLUPART_URL, &text, 0))
		return NULL;
	copy = strdup(text);
	curl_free(text);
	return copy;
}

/* Takes the port if the address names none */
static CURLUcode add_port(CURLU *u, const char *port)
{
	char *named = NULL;

	if (!curl_url_get(u, CURLUPART_PORT, &named, 0)) {
		curl_free(named);
		return CURLUE_OK;
	}
	return port[0] ? curl_url_set(u, CURLUPART_PORT, port, 0) : CURLUE_OK;
}

enum http_trouble http_url(const char *addr, const char *port, char **ret,
			   char reterr[HTTP_ERROR_SIZE])
{
	bool web = !strncasecmp(addr, "http://", 7) || !strncasecmp(addr, "https://", 8);
	CURLU *u = curl_url();
	CURLUcode code;
	char *text = NULL;

	if (!web && strstr(addr, "://")) {
		curl_url_cleanup(u);
		return fail(HTTP_ADDRESS, reterr, "its Addr is neither http nor https");
	}
	code = curl_url_set(u, CURLUPART_URL, addr, web ? 0 : CURLU_DEFAULT_SCHEME);
	if (!code && !web)
		code = curl_url_set(u, CURLUPART_SCHEME, "http", 0);
	if (!code)
		code = add_port(u, port);
	text = code ? NULL : copy_url(u);
	curl_url_cleanup(u);
	if (!text)
		return fail(HTTP_ADDRESS, reterr, "its Addr is no URL: %s",
			    curl_url_strerror(code));
	*ret = text;
	return HTTP_FINE;
}

bool http_is_tls(const char *url)
{
	return !strncasecmp(url, "https://", 8);
}

static size_t take_body(char *data, size_t size, size_t count, void *to)
{
	struct http *http = to;
	struct http_answer *a = &http->answer;

	(void)size;
	/* allocated whole, so that nothing moves and leaves a copy behind */
	if (!a->body)
		a->body = malloc(HTTP_BODY_MAX + 1);
	if (!a->body || count > HTTP_BODY_MAX - a->len) {
		http->too_long = a->body;
		return 0;
	}
	memcpy(a->body + a->len, data, count);
	a->len += count;
	a->body[a->len] = '\0';
	return count;
}

static size_t take_header(char *data, size_t size, size_t count, void *to)
{
	struct http *http = to;
	size_t name = strlen(HMAC), len = count;

	(void)size;
	if (len <= name || strncasecmp(data, HMAC, name) || data[name] != ':')
		return count;
	data += name + 1;
	len -= name + 1;
	while (len && (*data == ' ' || *data == '\t')) {
		data++;
		len--;
	}
	while (len && (data[len - 1] == '\r' || data[len - 1] == '\n' || data[len - 1] == ' '))
		len--;
	free(http->answer.hmac);
	http->answer.hmac = strndup(data, len);
	return http->answer.hmac ? count : 0;
}

static CURLcode set_authorities(CURL *curl, const char *authorities, size_t len)
{
	struct curl_blob blob = { (void *)authorities, len, CURL_BLOB_COPY };
	CURLcode r;

	if (!authorities)
		return CURLE_OK;
	r = curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &blob);
	/* else the system's count, too */
	return r ? r : curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
}

static CURLcode set_options(struct http *http)
{
	CURL *c = http->curl;
	CURLcode r = CURLE_OK;

#define SET(option, value) (r = r ? r : curl_easy_setopt(c, option, value))
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
	SET(CURLOPT_TIMEOUT, ANSWER_SECONDS);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_USERAGENT, "dmacc-probe/" DMACC_VERSION);
	SET(CURLOPT_ERRORBUFFER, http->error);
	SET(CURLOPT_WRITEFUNCTION, take_body);
	SET(CURLOPT_WRITEDATA, http);
	SET(CURLOPT_HEADERFUNCTION, take_header);
	SET(CURLOPT_HEADERDATA, http);
#undef SET
	return r;
}

int http_new(const char *authorities, size_t len, struct http **ret)
{
	struct http *http = calloc(1, sizeof(*http));

	if (!http)
		return -ENOMEM;
	http->curl = curl_easy_init();
	if (!http->curl) {
		free(http);
		return -ENOMEM;
	}
	if (set_options(http) || set_authorities(http->curl, authorities, len)) {
		http_free(http);
		return -EOPNOTSUPP;
	}
	*ret = http;
	return 0;
}

struct http *http_free(struct http *http)
{
	if (!http)
		return NULL;
	curl_easy_cleanup(http->curl);
	http_answer_done(&http->answer);
	free(http);
	return NULL;
}

/* A server's Replace has a password in it */
void http_answer_done(struct http_answer *answer)
{
	dmacc_wipe(answer->body, answer->len);
	free(answer->body);
	free(answer->hmac);
	*answer = (struct http_answer){ 0 };
}

static enum http_trouble explain(const struct http *http, CURLcode code,
				 char reterr[HTTP_ERROR_SIZE])
{
	const char *why = http->error[0] ? http->error : curl_easy_strerror(code);

	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return fail(HTTP_NAME, reterr, "the server's name is not known: %s", why);
	case CURLE_COULDNT_CONNECT:
		return fail(HTTP_CONNECTION, reterr, "the server cannot be reached: %s", why);
	case CURLE_OPERATION_TIMEDOUT:
		return fail(HTTP_CONNECTION, reterr, "the server does not answer in time: %s", why);
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CIPHER:
		return fail(HTTP_TLS, reterr, "there is no TLS with the server: %s", why);
	case CURLE_PEER_FAILED_VERIFICATION:
		return fail(HTTP_TLS, reterr, "the server's certificate is not good: %s", why);
	case CURLE_SSL_CACERT_BADFILE:
		return fail(HTTP_TLS, reterr, "the file of authorities is not understood: %s", why);
	default:
		if (http->too_long)
			return fail(HTTP_ANSWER, reterr,
				    "the server's answer is longer than %d bytes", HTTP_BODY_MAX);
		return fail(HTTP_ANSWER, reterr, "the server's answer did not arrive: %s", why);
	}
}

static bool is_type(const char *type, const char *wanted)
{
	size_t len = strlen(wanted);

	return type && !strncasecmp(type, wanted, len) && (!type[len] || strchr("; \t", type[len]));
}

static enum http_trouble judge(struct http *http, char reterr[HTTP_ERROR_SIZE])
{
	const char *type = NULL;
	long status = 0;

	curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(http->curl, CURLINFO_CONTENT_TYPE, &type);
	if (status >= 300 && status < 400)
		return fail(HTTP_ANSWER, reterr, "the server sends us elsewhere (HTTP status %ld), "
			    "where its account does not say that it is", status);
	if (status != 200)
		return fail(HTTP_ANSWER, reterr, "the server answers with HTTP status %ld", status);
	if (is_type(type, "application/vnd.syncml.dm+wbxml"))
		return fail(HTTP_ANSWER, reterr, "the server answers XML with WBXML");
	if (!is_type(type, CONTENT_TYPE))
		return fail(HTTP_ANSWER, reterr, "what answers is no DM server: its content is %s",
			    type ? type : "of no type");
	return HTTP_FINE;
}

static struct curl_slist *make_headers(const char *hmac)
{
	static const char * const constant[] = {
		"Content-Type: " CONTENT_TYPE "; charset=utf-8", "Accept: " CONTENT_TYPE,
		"Cache-Control: no-store, private", "Expect:",
	};
	struct curl_slist *headers = NULL, *more;
	char *line = NULL;
	size_t i;

	if (hmac && asprintf(&line, HMAC ": %s", hmac) < 0)
		return NULL;
	headers = curl_slist_append(NULL, line ? line : constant[0]);
	free(line);
	for (i = hmac ? 0 : 1; headers && i < sizeof(constant) / sizeof(constant[0]); i++) {
		more = curl_slist_append(headers, constant[i]);
		if (!more)
			curl_slist_free_all(headers);
		headers = more;
	}
	return headers;
}

enum http_trouble http_post(struct http *http, const char *url, const void *body, size_t len,
			    const char *hmac, struct http_answer *ret,
			    char reterr[HTTP_ERROR_SIZE])
{
	struct curl_slist *headers = make_headers(hmac);
	enum http_trouble trouble;
	CURLcode code;

	if (!headers)
		return fail(HTTP_ANSWER, reterr, "out of memory");
	http->error[0] = '\0';
	http->too_long = false;
	code = curl_easy_setopt(http->curl, CURLOPT_URL, url);
	if (!code)
		code = curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, headers);
	if (!code)
		code = curl_easy_setopt(http->curl, CURLOPT_POSTFIELDSIZE, (long)len);
	if (!code)
		code = curl_easy_setopt(http->curl, CURLOPT_POSTFIELDS, body);
	if (!code)
		code = curl_easy_perform(http->curl);
	trouble = code ? explain(http, code, reterr) : judge(http, reterr);
	curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, NULL);
	curl_slist_free_all(headers);
	if (trouble) {
		http_answer_done(&http->answer);
		return trouble;
	}
	*ret = http->answer;
	http->answer = (struct http_answer){ 0 };
	return HTTP_FINE;
}
