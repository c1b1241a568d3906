// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * In each folder a NAME.conf makes the template NAME; so does a document NAME.w7, .tnds, .xml or
 * .wbxml for which there is no NAME.conf and which no .conf in the same folder names in Document=.
 * What the first folder has of a NAME hides what the second has of it. A file NAME.disabled in the first
 * is the word of the phone's owner that no account of that NAME is to be served.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "importer.h"
#include "log.h"
#include "store.h"
#include "templates.h"

#define CONF ".conf"
#define DISABLED ".disabled"
#define CONF_MAX (64 * 1024)
#define DOCUMENT_MAX (256 * 1024)
#define FILES_MAX 256

/* A file of a folder that may make a template */
struct file {
	char *name;		/* with its ending */
	char *base;		/* without */
	bool conf;
	char *document;		/* of a .conf: the one that it names */
};

struct folder {
	const char *path;
	int fd;
	struct file files[FILES_MAX];
	size_t count;
};

/* One reading of all folders */
struct reading {
	const struct templates_source *source;
	struct templates *found;
	const struct folder *folder;
};

static bool is_document_ending(const char *ending)
{
	return !strcmp(ending, ".w7") || !strcmp(ending, ".tnds") || !strcmp(ending, ".xml") ||
	       !strcmp(ending, ".wbxml");
}

/* File names are anybody's bytes; bus and journal take text */
static char *clean(char *text)
{
	char *p;

	for (p = text; p && *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	return text;
}

static char *path_of(const struct folder *folder, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", folder->path, name) < 0 ? NULL : clean(path);
}

/* @name is the file's without its ending. Returns 0 or -ENOMEM. */
__attribute__((format(printf, 4, 5)))
static int refuse(struct reading *r, const char *name, const char *file, const char *format, ...)
{
	struct templates *found = r->found;
	struct refusal *longer, refusal = { 0 };
	va_list args;

	longer = reallocarray(found->refusals, found->refusals_count + 1, sizeof(*longer));
	if (!longer)
		return -ENOMEM;
	found->refusals = longer;
	refusal.name = strdup(name);
	refusal.path = path_of(r->folder, file);
	va_start(args, format);
	if (vasprintf(&refusal.reason, format, args) < 0)
		refusal.reason = NULL;
	va_end(args);
	longer[found->refusals_count++] = refusal;
	if (!refusal.name || !refusal.path || !refusal.reason)
		return -ENOMEM;
	log_event(LOG_TEMPLATE_REFUSED, refusal.path, LOG_WARNING, "refused: %s", refusal.reason);
	return 0;
}

/* Of what read_text() gave, and with the same @max: a file may hold what it is then refused for */
static void free_text(char *text, size_t max)
{
	if (text)
		dmacc_wipe(text, max + 1);
	free(text);
}

/* Whatever is wrong with the file itself is said here */
static int read_text(int folder, const char *name, size_t max, char **ret, size_t *ret_len,
		     const char **reterr)
{
	int fd = openat(folder, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	char *text = NULL;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0) {
		*reterr = strerror(errno);
		n = -errno;
	} else if (!S_ISREG(st.st_mode)) {
		*reterr = "it is no regular file";
		n = -EINVAL;
	} else {
		text = malloc(max + 1);
		n = text ? read(fd, text, max + 1) : -1;
		if (n < 0 || (size_t)n > max) {
			*reterr = n < 0 ? strerror(errno) : "it is larger than a template can be";
			free_text(text, max);
			n = -EINVAL;
		}
	}
	if (fd >= 0)
		close(fd);
	if (n < 0)
		return (int)n;
	*ret = text;
	*ret_len = (size_t)n;
	return 0;
}

static void sha256(const char *prefix, const void *bytes, size_t len, uint8_t *ret)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int good;

	good = ctx && EVP_DigestInit_ex2(ctx, EVP_sha256(), NULL) &&
	       (!prefix || EVP_DigestUpdate(ctx, prefix, strlen(prefix) + 1)) &&
	       EVP_DigestUpdate(ctx, bytes, len) && EVP_DigestFinal_ex(ctx, ret, NULL);
	/* no two are the same then: all is imported and written anew, nothing is missed */
	if (!good)
		memset(ret, 0, TEMPLATE_DIGEST_SIZE);
	EVP_MD_CTX_free(ctx);
}

/* One note a line */
static void log_notes(const char *path, char *notes)
{
	char *line, *rest = notes;

	while ((line = strsep(&rest, "\n")))
		if (line[0])
			log_event(LOG_TEMPLATE_NOTE, path, LOG_INFO, "%s", line);
}

/* Returns 0, or -EINVAL with a sentence in @notes */
static int import(struct reading *r, struct template *template, const char *text, size_t len,
		  char notes[IMPORTER_NOTES_SIZE])
{
	const struct templates_source *source = r->source;
	int e;

	sha256(DMACC_VERSION, text, len, template->document_digest);
	if (source->imported && source->imported(source->data, template->name,
						 template->document_digest, &template->plain,
						 &template->plain_len))
		return 0;
	e = importer_run(source->importer, text, len, &template->plain, &template->plain_len,
			 notes);
	if (source->alive)
		source->alive(source->data);
	if (!e)
		log_notes(template->path, notes);
	return e ? -EINVAL : 0;
}

static int complain(char *reason, const char *what, const struct dmacc_complaint *complaint)
{
	if (complaint->line)
		snprintf(reason, IMPORTER_NOTES_SIZE, "%sline %u: %s", what, complaint->line,
			 complaint->text);
	else
		snprintf(reason, IMPORTER_NOTES_SIZE, "%s%s", what, complaint->text);
	return -EINVAL;
}

static int read_document(struct reading *r, struct template *template, const char *file,
			 char *reason)
{
	struct dmacc_complaint complaint;
	const char *sentence;
	char *text, *said;
	size_t len;
	int e;

	if (read_text(r->folder->fd, file, DOCUMENT_MAX, &text, &len, &sentence)) {
		snprintf(reason, IMPORTER_NOTES_SIZE, "document %s: %s", file, sentence);
		return -EINVAL;
	}
	said = calloc(1, IMPORTER_NOTES_SIZE);
	e = said ? import(r, template, text, len, said) : -ENOMEM;
	if (e == -EINVAL)
		snprintf(reason, IMPORTER_NOTES_SIZE, "document %s: %.3000s", file, said);
	free(said);
	free_text(text, DOCUMENT_MAX);
	if (e)
		return e;
	e = dmacc_template_read(template->t, template->plain, template->plain_len,
				DMACC_TEMPLATE_FILL, &complaint);
	return e == -EINVAL ? complain(reason, "in what the document says: ", &complaint) : e;
}

/* A template of its own text, and of the document that it names */
static int read_conf(struct reading *r, struct template *template, const struct file *file,
		     char *reason)
{
	struct dmacc_complaint complaint;
	const char *sentence;
	char *text;
	size_t len;
	int e;

	if (read_text(r->folder->fd, file->name, CONF_MAX, &text, &len, &sentence)) {
		snprintf(reason, IMPORTER_NOTES_SIZE, "%s", sentence);
		return -EINVAL;
	}
	sha256(NULL, text, len, template->digest);
	e = dmacc_template_read(template->t, text, len, 0, &complaint);
	free_text(text, CONF_MAX);
	if (e)
		return e == -EINVAL ? complain(reason, "", &complaint) : e;
	if (!dmacc_template_document(template->t))
		return 0;
	return read_document(r, template, dmacc_template_document(template->t), reason);
}

static int read_template(struct reading *r, struct template *template, const struct file *file,
			 char *reason)
{
	struct dmacc_complaint complaint;
	int e;

	if (!store_name_valid(file->base) || dmacc_template_new(file->base, &template->t)) {
		snprintf(reason, IMPORTER_NOTES_SIZE, "an account cannot have that name: it is 1 "
			 "to 64 of A-Z a-z 0-9 . _ -, without a dot first or .prev or .damaged "
			 "last");
		return -EINVAL;
	}
	strcpy(template->name, file->base);
	template->path = path_of(r->folder, file->name);
	if (!template->path)
		return -ENOMEM;
	if (file->conf) {
		e = read_conf(r, template, file, reason);
	} else {
		e = read_document(r, template, file->name, reason);
		memcpy(template->digest, template->document_digest, sizeof(template->digest));
	}
	if (e)
		return e;
	e = dmacc_template_check(template->t, &complaint);
	return e == -EINVAL ? complain(reason, "", &complaint) : e;
}

static void template_done(struct template *template)
{
	dmacc_template_free(template->t);
	free(template->path);
	free(template->plain);
}

/* Two accounts cannot be the same node of the management tree */
static const struct template *same_node(const struct templates *found, const struct template *t)
{
	size_t len, other_len, i;
	const void *x = dmacc_template_get(t->t, DMACC_NODE_X, &len), *other;

	for (i = 0; i < found->count; i++) {
		other = dmacc_template_get(found->list[i].t, DMACC_NODE_X, &other_len);
		if (len == other_len && !memcmp(x, other, len))
			return &found->list[i];
	}
	return NULL;
}

static int add(struct reading *r, struct template *template, const struct file *file)
{
	struct templates *found = r->found;
	const struct template *other = same_node(found, template);
	struct template *longer;

	if (other)
		return refuse(r, file->base, file->name, "its node X is that of %s, too; say "
			      "another one in X=", other->path);
	if (found->count == TEMPLATES_MAX)
		return refuse(r, file->base, file->name, "there are %d templates already, which "
			      "is all that can be", TEMPLATES_MAX);
	longer = reallocarray(found->list, found->count + 1, sizeof(*longer));
	if (!longer)
		return -ENOMEM;
	found->list = longer;
	longer[found->count++] = *template;
	*template = (struct template){ 0 };
	return 0;
}

static int take_file(struct reading *r, const struct file *file)
{
	char *reason = calloc(1, IMPORTER_NOTES_SIZE);
	struct template template = { 0 };
	int e;

	e = reason ? read_template(r, &template, file, reason) : -ENOMEM;
	if (e == -EINVAL)
		e = refuse(r, file->base, file->name, "%s", reason);
	else if (!e)
		e = add(r, &template, file);
	template_done(&template);
	free(reason);
	return e;
}

/*
 * The document that a .conf names, found without judging the rest of it: it is no template of its
 * own even while its .conf is refused
 */
static char *document_in(int folder, const char *name)
{
	char *text, *line, *rest, *found = NULL;
	const char *sentence;
	size_t len;

	if (read_text(folder, name, CONF_MAX, &text, &len, &sentence))
		return NULL;
	text[len] = '\0';
	for (rest = text; !found && (line = strsep(&rest, "\r\n"));) {
		line += strspn(line, " \t");
		if (strncmp(line, "Document", 8))
			continue;
		line += 8 + strspn(line + 8, " \t");
		if (*line != '=')
			continue;
		line += 1 + strspn(line + 1, " \t");
		for (len = strlen(line); len && strchr(" \t", line[len - 1]); len--)
			;
		found = strndup(line, len);
	}
	free_text(text, CONF_MAX);
	return found;
}

static int note_file(struct folder *folder, const char *name)
{
	const char *ending = strrchr(name, '.');
	struct file *file = &folder->files[folder->count];
	bool conf;

	if (name[0] == '.' || !ending)
		return 0;
	conf = !strcmp(ending, CONF);
	if ((!conf && !is_document_ending(ending)) || folder->count == FILES_MAX)
		return 0;
	folder->count++;
	*file = (struct file){
		.name = strdup(name),
		.base = strndup(name, (size_t)(ending - name)),
		.conf = conf,
		.document = conf ? document_in(folder->fd, name) : NULL,
	};
	return file->name && file->base ? 0 : -ENOMEM;
}

static int note_disabled(struct templates *found, const char *name)
{
	const char *ending = strrchr(name, '.');
	char **longer;

	if (name[0] == '.' || !ending || strcmp(ending, DISABLED))
		return 0;
	longer = reallocarray(found->disabled, found->disabled_count + 1, sizeof(*longer));
	if (!longer)
		return -ENOMEM;
	found->disabled = longer;
	longer[found->disabled_count] = strndup(name, (size_t)(ending - name));
	return longer[found->disabled_count++] ? 0 : -ENOMEM;
}

static int compare_files(const void *a, const void *b)
{
	return strcmp(((const struct file *)a)->name, ((const struct file *)b)->name);
}

static void folder_done(struct folder *folder)
{
	size_t i;

	for (i = 0; i < folder->count; i++) {
		free(folder->files[i].name);
		free(folder->files[i].base);
		free(folder->files[i].document);
	}
	if (folder->fd >= 0)
		close(folder->fd);
}

/* A folder that is not there has no templates. @found: where its disabled names go, or NULL. */
static int folder_open(struct folder *folder, const char *path, struct templates *found)
{
	struct dirent *entry;
	DIR *dir;
	int r = 0;

	*folder = (struct folder){ .path = path };
	folder->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder->fd < 0) {
		if (errno != ENOENT)
			log_line(LOG_WARNING, "%s: %s", path, strerror(errno));
		return 0;
	}
	dir = opendir(path);
	while (dir && !r && (entry = readdir(dir))) {
		r = note_file(folder, entry->d_name);
		if (!r && found)
			r = note_disabled(found, entry->d_name);
	}
	if (dir)
		closedir(dir);
	qsort(folder->files, folder->count, sizeof(folder->files[0]), compare_files);
	return r;
}

/* Is it the document of a .conf? */
static bool is_part(const struct folder *folder, const struct file *file)
{
	size_t i;

	for (i = 0; i < folder->count; i++) {
		const struct file *other = &folder->files[i];

		if (other->conf && !strcmp(other->base, file->base))
			return true;
		if (other->document && !strcmp(other->document, file->name))
			return true;
	}
	return false;
}

/* Does the folder have a template of that name, be it a refused one? */
static bool has_template(const struct folder *folder, const char *base)
{
	size_t i;

	for (i = 0; i < folder->count; i++)
		if (!strcmp(folder->files[i].base, base) &&
		    (folder->files[i].conf || !is_part(folder, &folder->files[i])))
			return true;
	return false;
}

static const struct file *twin(const struct folder *folder, const struct file *file)
{
	size_t i;

	for (i = 0; i < folder->count; i++)
		if (&folder->files[i] != file && !strcmp(folder->files[i].base, file->base))
			return &folder->files[i];
	return NULL;
}

static int take_folder(struct reading *r, const struct folder *folder, const struct folder *hiding)
{
	size_t i;
	int e = 0;

	r->folder = folder;
	for (i = 0; i < folder->count && !e; i++) {
		const struct file *file = &folder->files[i];

		if (hiding && has_template(hiding, file->base))
			continue;
		if (file->conf)
			e = take_file(r, file);
		else if (is_part(folder, file))
			continue;
		else if (twin(folder, file))
			e = refuse(r, file->base, file->name, "there is %s, too; a template is one "
				   "document", twin(folder, file)->name);
		else
			e = take_file(r, file);
	}
	return e;
}

static int compare_templates(const void *a, const void *b)
{
	return strcmp(((const struct template *)a)->name, ((const struct template *)b)->name);
}

int templates_read(const struct templates_source *source, struct templates **ret)
{
	struct folder *folders = calloc(2, sizeof(*folders));
	struct reading r = { .source = source, .found = calloc(1, sizeof(*r.found)) };
	int e = folders && r.found ? 0 : -ENOMEM;

	if (!e) {
		folders[0].fd = folders[1].fd = -1;
		e = folder_open(&folders[0], source->folders[0], r.found);
	}
	if (!e)
		e = folder_open(&folders[1], source->folders[1], NULL);
	if (!e)
		e = take_folder(&r, &folders[0], NULL);
	if (!e)
		e = take_folder(&r, &folders[1], &folders[0]);
	if (folders) {
		folder_done(&folders[0]);
		folder_done(&folders[1]);
	}
	free(folders);
	if (e) {
		templates_free(r.found);
		return e;
	}
	if (r.found->count)
		qsort(r.found->list, r.found->count, sizeof(*r.found->list), compare_templates);
	*ret = r.found;
	return 0;
}

struct templates *templates_free(struct templates *templates)
{
	size_t i;

	if (!templates)
		return NULL;
	for (i = 0; i < templates->count; i++)
		template_done(&templates->list[i]);
	for (i = 0; i < templates->refusals_count; i++) {
		free(templates->refusals[i].name);
		free(templates->refusals[i].path);
		free(templates->refusals[i].reason);
	}
	for (i = 0; i < templates->disabled_count; i++)
		free(templates->disabled[i]);
	free(templates->list);
	free(templates->refusals);
	free(templates->disabled);
	free(templates);
	return NULL;
}

const struct template *templates_find(const struct templates *templates, const char *name)
{
	size_t i;

	for (i = 0; i < templates->count; i++)
		if (!strcmp(templates->list[i].name, name))
			return &templates->list[i];
	return NULL;
}

const struct refusal *templates_refusal(const struct templates *templates, const char *name)
{
	size_t i;

	for (i = 0; i < templates->refusals_count; i++)
		if (!strcmp(templates->refusals[i].name, name))
			return &templates->refusals[i];
	return NULL;
}

bool templates_disabled(const struct templates *templates, const char *name)
{
	size_t i;

	for (i = 0; i < templates->disabled_count; i++)
		if (!strcmp(templates->disabled[i], name))
			return true;
	return false;
}
