// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A strict reader of the plain form's lines: [Section], Key=Value, and comments that begin with
 * '#' or ';'.
 *
 * Why not inih: as Debian builds it, a line over 199 bytes is cut and its rest read as another
 * line, " ;" and what follows is taken out of a value, an indented line continues the one before
 * it, and the handler is not told the line's number. A ServerID has up to 255 bytes, and one that
 * was cut silently would derive credentials that no server has.
 */
#include <errno.h>
#include <string.h>

#include "node.h"
#include "plain.h"

#define NAME_MAX_LEN 32		/* a section's or key's name that is worth quoting */

struct span {
	const char *s;
	size_t len;
};

void dmacc_plain_begin(struct dmacc_plain *p, const char *text, size_t len)
{
	*p = (struct dmacc_plain){ .at = text, .left = len };
	/* what some editors write in front of UTF-8 */
	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
		p->at += 3;
		p->left -= 3;
	}
}

static struct span trim(struct span line)
{
	while (line.len && (line.s[0] == ' ' || line.s[0] == '\t')) {
		line.s++;
		line.len--;
	}
	while (line.len && (line.s[line.len - 1] == ' ' || line.s[line.len - 1] == '\t'))
		line.len--;
	return line;
}

static bool next_line(struct dmacc_plain *p, struct span *ret)
{
	const char *end;

	if (!p->left)
		return false;
	end = memchr(p->at, '\n', p->left);
	*ret = (struct span){ p->at, end ? (size_t)(end - p->at) : p->left };
	p->left -= ret->len + (end ? 1 : 0);
	p->at += ret->len + (end ? 1 : 0);
	p->line++;
	if (ret->len && ret->s[ret->len - 1] == '\r')
		ret->len--;
	return true;
}

/* Tabs are blanks here; any other control character is no text */
static const char *judge_line(struct span line)
{
	const char *sentence, *tab;

	while ((tab = memchr(line.s, '\t', line.len))) {
		sentence = dmacc_text_judge(line.s, (size_t)(tab - line.s));
		if (sentence)
			return sentence;
		line.len -= (size_t)(tab + 1 - line.s);
		line.s = tab + 1;
	}
	return dmacc_text_judge(line.s, line.len);
}

static bool is_name(struct span name)
{
	size_t i;

	if (!name.len || name.len > NAME_MAX_LEN)
		return false;
	for (i = 0; i < name.len; i++)
		if (!memchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
			    name.s[i], 62))
			return false;
	return true;
}

static int open_section(struct dmacc_plain *p, struct span line, struct dmacc_plain_entry *ret,
			struct dmacc_complaint *reterr)
{
	struct span name = trim((struct span){ line.s + 1, line.len - 1 });

	if (!name.len || name.s[name.len - 1] != ']')
		return dmacc_complain(reterr, p->line, "a section has no closing ]");
	name.len--;
	name = trim(name);
	if (!is_name(name))
		return dmacc_complain(reterr, p->line, "a section has letters and digits only");
	p->section = name.s;
	p->section_len = name.len;
	*ret = (struct dmacc_plain_entry){ .section = name.s, .section_len = name.len };
	return 1;
}

/* The line is not quoted if it is not understood: it may hold a secret */
static int key_and_value(struct dmacc_plain *p, struct span line, struct dmacc_plain_entry *ret,
			 struct dmacc_complaint *reterr)
{
	const char *equals = memchr(line.s, '=', line.len);
	struct span key, value;

	if (!equals)
		return dmacc_complain(reterr, p->line, "it is neither [Section] nor Key=Value");
	key = trim((struct span){ line.s, (size_t)(equals - line.s) });
	value = trim((struct span){ equals + 1, line.len - (size_t)(equals + 1 - line.s) });
	if (!is_name(key))
		return dmacc_complain(reterr, p->line, "a key has letters and digits only");
	if (!p->section)
		return dmacc_complain(reterr, p->line, "%.*s stands before the first [Section]",
				      (int)key.len, key.s);
	*ret = (struct dmacc_plain_entry){ p->section, p->section_len, key.s, key.len, value.s,
					   value.len };
	return 1;
}

int dmacc_plain_next(struct dmacc_plain *p, struct dmacc_plain_entry *ret,
		     struct dmacc_complaint *reterr)
{
	const char *sentence;
	struct span line;

	while (next_line(p, &line)) {
		sentence = judge_line(line);
		if (sentence)
			return dmacc_complain(reterr, p->line, "%s", sentence);
		line = trim(line);
		if (!line.len || line.s[0] == '#' || line.s[0] == ';')
			continue;
		return line.s[0] == '[' ? open_section(p, line, ret, reterr) :
					  key_and_value(p, line, ret, reterr);
	}
	return 0;
}
