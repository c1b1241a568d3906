// SPDX-License-Identifier: LGPL-2.1-or-later
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "findings.h"

/* Three arrays of objects: what is printed as JSON is what text is made of */
struct findings {
	struct json_object *troubles;
	struct json_object *weaknesses;
	struct json_object *notes;
};

static void add_string(struct json_object *o, const char *key, const char *text)
{
	json_object_object_add(o, key, json_object_new_string(text));
}

static const char *string_of(struct json_object *o, const char *key)
{
	return json_object_get_string(json_object_object_get(o, key));
}

struct findings *findings_new(void)
{
	struct findings *f = calloc(1, sizeof(*f));

	if (!f)
		abort();
	f->troubles = json_object_new_array();
	f->weaknesses = json_object_new_array();
	f->notes = json_object_new_array();
	return f;
}

void findings_free(struct findings *findings)
{
	json_object_put(findings->troubles);
	json_object_put(findings->weaknesses);
	json_object_put(findings->notes);
	free(findings);
}

static bool has(struct json_object *array, const char *key, const char *value)
{
	size_t i;

	for (i = 0; i < json_object_array_length(array); i++)
		if (!strcmp(string_of(json_object_array_get_idx(array, i), key), value))
			return true;
	return false;
}

void findings_trouble(struct findings *findings, const char *subject, enum trouble trouble,
		      const char *detail)
{
	struct json_object *o;
	char way_out[TROUBLE_TEXT_SIZE];

	if (trouble == TROUBLE_NONE || has(findings->troubles, "subject", subject))
		return;
	trouble_way_out(trouble, way_out, sizeof(way_out));
	o = json_object_new_object();
	add_string(o, "subject", subject);
	add_string(o, "state", trouble_word(trouble));
	add_string(o, "means", trouble_means(trouble));
	add_string(o, "detail", detail ? detail : "");
	add_string(o, "kept", trouble_kept(trouble));
	add_string(o, "way_out", way_out);
	add_string(o, "command", trouble_command(trouble));
	json_object_array_add(findings->troubles, o);
}

static void add_sentence(struct json_object *array, const char *subject, const char *sentence)
{
	struct json_object *o = json_object_new_object();

	add_string(o, "subject", subject);
	add_string(o, "sentence", sentence);
	json_object_array_add(array, o);
}

void findings_weakness(struct findings *findings, const char *subject, const char *sentence)
{
	add_sentence(findings->weaknesses, subject, sentence);
}

void findings_note(struct findings *findings, const char *subject, const char *sentence)
{
	add_sentence(findings->notes, subject, sentence);
}

bool findings_have_trouble(const struct findings *findings)
{
	return json_object_array_length(findings->troubles);
}

bool findings_have(const struct findings *findings, enum trouble trouble)
{
	return has(findings->troubles, "state", trouble_word(trouble));
}

static void print_line(const char *label, const char *text)
{
	if (!text[0])
		return;
	printf("  %-8s ", label);
	print_clean(stdout, text);
	putchar('\n');
}

static void print_trouble(struct json_object *o)
{
	const char *subject = string_of(o, "subject"), *state = string_of(o, "state");

	/* in a list of all states they are the subjects */
	if (strcmp(subject, state)) {
		print_clean(stdout, subject);
		printf(": ");
	}
	printf("%s\n", state);
	print_line("means", string_of(o, "means"));
	print_line("here", string_of(o, "detail"));
	print_line("kept", string_of(o, "kept"));
	print_line("way out", string_of(o, "way_out"));
}

static void print_sentences(const char *label, struct json_object *array)
{
	struct json_object *o;
	size_t i;

	for (i = 0; i < json_object_array_length(array); i++) {
		o = json_object_array_get_idx(array, i);
		printf("%s: ", label);
		print_clean(stdout, string_of(o, "subject"));
		printf(": ");
		print_clean(stdout, string_of(o, "sentence"));
		putchar('\n');
	}
}

static void print_text(const struct findings *f)
{
	size_t troubles = json_object_array_length(f->troubles), i;

	for (i = 0; i < troubles; i++)
		print_trouble(json_object_array_get_idx(f->troubles, i));
	print_sentences("weak", f->weaknesses);
	print_sentences("note", f->notes);
	if (!troubles)
		printf("all is well\n");
}

void findings_print(const struct findings *findings, bool json)
{
	struct json_object *o;

	if (!json) {
		print_text(findings);
		return;
	}
	o = json_object_new_object();
	json_object_object_add(o, "well", json_object_new_boolean(!findings_have_trouble(findings)));
	json_object_object_add(o, "troubles", json_object_get(findings->troubles));
	json_object_object_add(o, "weaknesses", json_object_get(findings->weaknesses));
	json_object_object_add(o, "notes", json_object_get(findings->notes));
	printf("%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY |
						      JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}
