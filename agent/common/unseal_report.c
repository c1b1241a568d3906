// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "durable.h"
#include "unseal_report.h"

#define HEAD "dmacc-unseal-report 1"
#define REPORT_MAX 65536

static void set_sentence(struct unseal_verdict *verdict, const char *sentence)
{
	size_t len = 0;

	for (; sentence && *sentence && len + 1 < sizeof(verdict->sentence); sentence++)
		if ((unsigned char)*sentence >= ' ' && *sentence != 0x7f)
			verdict->sentence[len++] = *sentence;
	verdict->sentence[len] = '\0';
}

void unseal_report_root(struct unseal_report *report, enum trouble trouble, const char *sentence)
{
	report->root.trouble = trouble;
	set_sentence(&report->root, sentence);
}

int unseal_report_slot(struct unseal_report *report, const char *name, enum trouble trouble,
		       const char *sentence)
{
	struct unseal_slot *slots, *slot;

	slots = reallocarray(report->slots, report->slots_len + 1, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	report->slots = slots;
	slot = &slots[report->slots_len++];
	*slot = (struct unseal_slot){ .verdict.trouble = trouble };
	snprintf(slot->name, sizeof(slot->name), "%s", name);
	set_sentence(&slot->verdict, sentence);
	return 0;
}

static void print(FILE *out, const struct unseal_report *report)
{
	const struct unseal_slot *slot = report->slots;
	size_t i;

	fprintf(out, HEAD "\nroot %s %s\n", trouble_word(report->root.trouble), report->root.sentence);
	for (i = 0; i < report->slots_len; i++, slot++)
		fprintf(out, "slot %s %s %s\n", slot->name, trouble_word(slot->verdict.trouble),
			slot->verdict.sentence);
}

static int write_text(const char *folder, const char *text, size_t len)
{
	int fd, r;

	if (len > REPORT_MAX)
		return -EFBIG;
	fd = durable_open_folder(folder ? folder : UNSEAL_REPORT_FOLDER, 0755);
	if (fd < 0)
		return fd;
	r = durable_write(fd, UNSEAL_REPORT_NAME, 0644, text, len);
	close(fd);
	return r;
}

int unseal_report_write(const struct unseal_report *report, const char *folder)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	int r = 0;

	if (!out)
		return -errno;
	print(out, report);
	if (ferror(out))
		r = -ENOMEM;
	if (fclose(out))
		r = -ENOMEM;
	if (!r)
		r = write_text(folder, text, len);
	free(text);
	return r;
}

/* The next word of @*line, zero-terminated in it; what follows its blank is the rest */
static char *next_word(char **line)
{
	char *word = *line, *end = word + strcspn(word, " ");

	*line = *end ? end + 1 : end;
	*end = '\0';
	return word;
}

static enum trouble trouble_named(const char *word)
{
	enum trouble trouble = TROUBLE_UNSEAL_FAILED;

	(void)trouble_from_word(word, &trouble);
	return trouble;
}

static int read_line(struct unseal_report *report, char *line, bool *had_root)
{
	const char *what = next_word(&line), *name = NULL, *word;

	if (!strcmp(what, "slot"))
		name = next_word(&line);
	else if (strcmp(what, "root") || *had_root)
		return -EBADMSG;
	word = next_word(&line);
	if (!word[0] || (name && (!name[0] || strlen(name) > DMACC_SLOT_NAME_MAX)))
		return -EBADMSG;
	if (name)
		return unseal_report_slot(report, name, trouble_named(word), line);
	*had_root = true;
	unseal_report_root(report, trouble_named(word), line);
	return 0;
}

/* @text: zero-terminated, and written into */
static int parse(struct unseal_report *report, char *text)
{
	char *line, *rest = text;
	bool had_root = false;
	int r = 0;

	line = strsep(&rest, "\n");
	if (strcmp(line, HEAD))
		return -EBADMSG;
	while (!r && rest && *rest) {
		line = strsep(&rest, "\n");
		/* a line that was cut */
		r = rest ? read_line(report, line, &had_root) : -EBADMSG;
	}
	return !r && !had_root ? -EBADMSG : r;
}

static int read_text(const char *folder, char **ret)
{
	int fd = open(folder ? folder : UNSEAL_REPORT_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint8_t *data;
	size_t len;
	int r;

	if (fd < 0)
		return -errno;
	r = durable_read(fd, UNSEAL_REPORT_NAME, REPORT_MAX, &data, &len);
	close(fd);
	if (r)
		return r;
	*ret = NULL;
	if (memchr(data, '\0', len))
		r = -EBADMSG;
	else
		*ret = strndup((const char *)data, len);
	free(data);
	return r || *ret ? r : -ENOMEM;
}

int unseal_report_read(const char *folder, struct unseal_report *ret)
{
	struct unseal_report report = { 0 };
	char *text = NULL;
	int r;

	r = read_text(folder, &text);
	if (r)
		return r;
	r = parse(&report, text);
	free(text);
	if (r) {
		unseal_report_done(&report);
		return r;
	}
	*ret = report;
	return 0;
}

void unseal_report_done(struct unseal_report *report)
{
	free(report->slots);
	*report = (struct unseal_report){ 0 };
}

enum trouble unseal_report_judge(const struct unseal_report *report,
				 const struct dmacc_kernel_status *status,
				 const char **ret_sentence)
{
	*ret_sentence = "";
	if (status->root_state == DMACC_ROOT_OPEN)
		return TROUBLE_NONE;
	if (!report || report->root.trouble == TROUBLE_NONE)
		return trouble_of_status(status);
	*ret_sentence = report->root.sentence;
	return report->root.trouble;
}
