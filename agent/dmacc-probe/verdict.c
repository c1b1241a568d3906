// SPDX-License-Identifier: LGPL-2.1-or-later
/* What is said of a probe, as text and as JSON. Nothing secret is among it. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "probe.h"

const char *verdict_word(enum verdict verdict)
{
	static const char *const words[] = {
		[VERDICT_AGREED] = "agreed",
		[VERDICT_NOT_READY] = "not-ready",
		[VERDICT_ADDRESS] = "address",
		[VERDICT_NAME] = "name",
		[VERDICT_CONNECTION] = "connection",
		[VERDICT_TLS] = "tls",
		[VERDICT_HTTP] = "http",
		[VERDICT_PROTOCOL] = "protocol",
		[VERDICT_CLIENT_REFUSED] = "client-refused",
		[VERDICT_SERVER_REFUSED] = "server-refused",
		[VERDICT_DOWNGRADE] = "downgrade",
		[VERDICT_UNFINISHED] = "unfinished",
		[VERDICT_AGENT] = "agent",
	};

	return words[verdict];
}

enum verdict probe_fail(struct probe *p, enum verdict verdict, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(p->sentence, sizeof(p->sentence), format, args);
	va_end(args);
	return verdict;
}

void probe_say(struct probe *p, const char *format, ...)
{
	char line[SENTENCE_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (p->json) {
		json_object_array_add(p->steps, json_object_new_string(line));
		return;
	}
	print_clean(stdout, line);
	putchar('\n');
	fflush(stdout);
}

/* No session was possible, or one was and did not end well */
static int status_of(const struct probe *p, enum verdict verdict)
{
	if (verdict == VERDICT_AGREED)
		return EXIT_DONE;
	return p->messages ? EXIT_SOME : EXIT_NOTHING;
}

static void add_text(struct probe *p, const char *name, const char *text)
{
	json_object_object_add(p->json, name, text ? json_object_new_string(text) : NULL);
}

static void add_number(struct probe *p, const char *name, unsigned int number)
{
	json_object_object_add(p->json, name, json_object_new_int64(number));
}

static void add_boolean(struct probe *p, const char *name, bool value)
{
	json_object_object_add(p->json, name, json_object_new_boolean(value));
}

static void print_json(struct probe *p, enum verdict verdict)
{
	add_text(p, "verdict", verdict_word(verdict));
	add_text(p, "sentence", p->sentence);
	add_text(p, "account", p->account);
	add_text(p, "url", p->url);
	add_text(p, "server_id", p->server_id);
	add_text(p, "user_name", p->user_name);
	add_text(p, "slot", p->slot);
	add_text(p, "key_id", p->key_id);
	add_number(p, "key_version", p->key_version);
	add_number(p, "generation", p->generation);
	add_boolean(p, "client_accepted", p->client_ok);
	add_boolean(p, "server_authenticated", p->server_ok);
	add_number(p, "messages", p->messages);
	add_number(p, "challenges", p->challenges);
	add_number(p, "refusals", p->refusals);
	json_object_object_add(p->json, "steps", json_object_get(p->steps));
	printf("%s\n", json_object_to_json_string_ext(p->json, JSON_C_TO_STRING_PRETTY |
						      JSON_C_TO_STRING_NOSLASHESCAPE));
}

static void print_text(const struct probe *p, enum verdict verdict)
{
	print_clean(stdout, p->account);
	printf(": %s: ", verdict_word(verdict));
	print_clean(stdout, p->sentence);
	putchar('\n');
}

int verdict_print(struct probe *p, enum verdict verdict)
{
	if (verdict == VERDICT_AGREED)
		probe_fail(p, verdict, "server and device each accepted the other's credential "
			   "(%s, %u messages, challenges: %u by the server, %u by the device)",
			   p->mac ? "syncml:auth-MAC" : "syncml:auth-md5", p->messages,
			   p->challenges, p->refusals);
	if (p->json)
		print_json(p, verdict);
	else
		print_text(p, verdict);
	return status_of(p, verdict);
}
