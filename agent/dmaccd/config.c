// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"

struct reading {
	FILE *file;
	int line;
	struct config config;
	bool has_modem, has_wait;
	int wrong_line;				/* the first that take() did not understand, and why */
	char sentence[200];
};

struct word {
	const char *word;
	int value;
};

static const struct word rungs[] = {
	{ "trusted", DMACC_RUNG_TRUSTED },
	{ "wrapped", DMACC_RUNG_WRAPPED },
	{ NULL, 0 },
};

static const struct word masters[] = {
	{ "tpm2", DMACC_MASTER_CREDENTIAL_TPM2 },
	{ "host", DMACC_MASTER_CREDENTIAL_HOST },
	{ "file", DMACC_MASTER_FILE },
	{ NULL, 0 },
};

/* 0 if it is none */
static int value_of(const struct word *words, const char *word)
{
	while (words->word && strcmp(words->word, word))
		words++;
	return words->value;
}

/* Returns 0, which tells inih that the line is wrong */
__attribute__((format(printf, 2, 3)))
static int wrong(struct reading *r, const char *format, ...)
{
	va_list args;

	if (r->wrong_line)
		return 0;
	r->wrong_line = r->line;
	va_start(args, format);
	vsnprintf(r->sentence, sizeof(r->sentence), format, args);
	va_end(args);
	return 0;
}

/* Twice is also what inih makes of an indented line: the rest of the value before it */
static int take_rung(struct reading *r, const char *value)
{
	enum dmacc_rung *rung = &r->config.minimum.rung;

	if (*rung)
		return wrong(r, "MinimumRung: it is there twice");
	*rung = (enum dmacc_rung)value_of(rungs, value);
	return *rung ? 1 : wrong(r, "MinimumRung: it is not trusted or wrapped");
}

static int take_master(struct reading *r, const char *value)
{
	enum dmacc_master_source *master = &r->config.minimum.master;

	if (*master)
		return wrong(r, "MinimumMaster: it is there twice");
	*master = (enum dmacc_master_source)value_of(masters, value);
	return *master ? 1 : wrong(r, "MinimumMaster: it is not tpm2, host or file");
}

static int take_modem(struct reading *r, const char *value)
{
	struct config_modem *modem = &r->config.modem;

	if (r->has_modem)
		return wrong(r, "Modem: it is there twice");
	r->has_modem = true;
	/* a line of inih is not longer than that */
	if (!value[0] || strlen(value) >= sizeof(modem->device))
		return wrong(r, "Modem: it is not none, nor a modem's Device");
	modem->off = !strcmp(value, "none");
	if (!modem->off)
		strcpy(modem->device, value);
	return 1;
}

static int take_wait(struct reading *r, const char *value)
{
	size_t digits = strspn(value, "0123456789");

	if (r->has_wait)
		return wrong(r, "ModemWait: it is there twice");
	r->has_wait = true;
	if (!digits || digits > 4 || value[digits])
		return wrong(r, "ModemWait: it is not a number of seconds, 0 to 9999");
	r->config.modem.wait = (unsigned int)atoi(value);
	return 1;
}

/* Called for each line with a key */
static int take(void *data, const char *section, const char *key, const char *value)
{
	struct reading *r = data;

	if (!strcmp(section, "Agent") && !strcmp(key, "Modem"))
		return take_modem(r, value);
	if (!strcmp(section, "Agent") && !strcmp(key, "ModemWait"))
		return take_wait(r, value);
	if (!strcmp(section, "Agent") && !strcmp(key, "MinimumRung"))
		return take_rung(r, value);
	if (!strcmp(section, "Agent") && !strcmp(key, "MinimumMaster"))
		return take_master(r, value);
	return wrong(r, "there is no key %.40s in a section [%.40s]", key, section);
}

/* One call, one line: inih would go on in the middle of a long one */
static char *next_line(char *line, int size, void *data)
{
	struct reading *r = data;
	int c;

	if (!fgets(line, size, r->file))
		return NULL;
	r->line++;
	if (strchr(line, '\n'))
		return line;
	c = getc(r->file);
	/* what is cut would be another value */
	if (c != EOF && c != '\n' && !strchr("#;", line[strspn(line, " \t")]))
		(void)wrong(r, "it is longer than %d bytes", size - 2);
	while (c != EOF && c != '\n')
		c = getc(r->file);
	return line;
}

static FILE *open_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	FILE *file = NULL;
	struct stat st;

	if (fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode))
		file = fdopen(fd, "r");
	else if (fd >= 0)
		errno = EINVAL;
	if (!file && fd >= 0)
		close(fd);
	return file;
}

static int parse(struct reading *r, char *reterr_sentence)
{
	int line = ini_parse_stream(next_line, r, take, r);
	int error = line < 0 ? ENOMEM : ferror(r->file) ? EIO : 0;

	if (error) {
		snprintf(reterr_sentence, CONFIG_SENTENCE_SIZE, "%s", strerror(error));
		return -error;
	}
	if (!line)
		line = r->wrong_line;
	if (!line)
		return 0;
	snprintf(reterr_sentence, CONFIG_SENTENCE_SIZE, "line %d: %s", line, line == r->wrong_line ?
		 r->sentence : "it is neither [Section] nor Key=Value");
	return -EINVAL;
}

int config_read(const char *path, struct config *ret, char reterr_sentence[CONFIG_SENTENCE_SIZE])
{
	struct reading r = { .file = open_file(path), .config.modem.wait = CONFIG_MODEM_WAIT };
	int error = r.file ? 0 : errno;

	if (error && error != ENOENT) {
		snprintf(reterr_sentence, CONFIG_SENTENCE_SIZE, "%s", strerror(error));
		return -error;
	}
	if (r.file) {
		error = parse(&r, reterr_sentence);
		fclose(r.file);
		if (error)
			return error;
	}
	*ret = r.config;
	return 0;
}
