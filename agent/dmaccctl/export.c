// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * factory export: all that is sealed, out of the store and into one file, by what the headers say. It
 * needs no module.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "credential.h"
#include "durable.h"
#include "export.h"
#include "factory.h"

static int read_root(struct factory *f, struct package *package)
{
	uint8_t *blob;
	size_t len;
	int r;

	r = factory_store_read_root(f->store, &blob, &len);
	if (r == -ENOENT)
		return complain("%s has no root: there is nothing to export", f->path);
	if (r)
		return complain("%s/root: %s", f->path, factory_store_error(r));
	r = package_set(&package->root, blob, len);
	free(blob);
	return r ? complain("%s/root: %s", f->path, factory_store_error(r)) : 0;
}

static int read_slot(struct factory *f, const char *name, struct package *package)
{
	struct package_slot *slot = package_add(package, name);
	uint8_t *blob;
	size_t len;
	int r;

	r = slot ? factory_store_read_slot(f->store, name, &blob, &len) : -ENOMEM;
	if (r)
		return complain("%s/slots/%s: %s", f->path, name, factory_store_error(r));
	r = package_set(&slot->blob, blob, len);
	free(blob);
	return r ? complain("%s/slots/%s: %s", f->path, name, factory_store_error(r)) : 0;
}

static int read_slots(struct factory *f, struct package *package)
{
	char **names;
	size_t i;
	int r;

	r = factory_store_list_slots(f->store, &names);
	if (r)
		return complain("%s/slots: %s", f->path, factory_store_error(r));
	for (i = 0; !r && names[i]; i++)
		r = read_slot(f, names[i], package);
	if (!r && !names[0])
		r = complain("%s has no slot: there is nothing to export", f->path);
	factory_store_free_slots(names);
	return r;
}

int credential_read(const char *path, char **ret)
{
	uint8_t *data;
	char *name;
	size_t len;
	int fd, r;

	fd = durable_open_parent(path, false, &name);
	if (fd < 0)
		return fd == -ENOTDIR ? -ENOENT : fd;
	r = durable_read(fd, name, PACKAGE_CREDENTIAL_MAX, &data, &len);
	free(name);
	close(fd);
	if (r)
		return r;
	*ret = memchr(data, '\0', len) ? NULL : strndup((const char *)data, len);
	free(data);
	return *ret ? 0 : -EINVAL;
}

/* EXIT_SOME if the master cannot go along */
static int read_master(const char *path, struct package *package)
{
	int r;

	if (package_root(package)->rung != DMACC_RUNG_WRAPPED)
		return 0;
	r = credential_read(path, &package->credential);
	if (r == -ENOENT) {
		complain("the master is not exported: there is no %s, and a plain file 'master' is a "
			 "secret; without it the root opens nowhere", path);
		return EXIT_SOME;
	}
	if (r)
		return complain("%s: %s", path, factory_store_error(r));
	if (credential_kind_of(package->credential, strlen(package->credential)) != CREDENTIAL_TPM2)
		complain("the master is encrypted with this system's host key "
			 "(/var/lib/systemd/credential.secret), and what is exported opens with that key "
			 "only");
	return 0;
}

static int collect(struct factory *f, const char *credential, struct package *package)
{
	char sentence[256];
	int r;

	r = read_root(f, package);
	if (!r)
		r = read_slots(f, package);
	if (r)
		return r;
	if (package_check(package, sentence))
		return complain("%s: %s; what is damaged is not exported", f->path, sentence);
	package->has_tpm = !factory_store_read_tpm(f->store, package->tpm);
	return read_master(credential, package);
}

/* Over nothing but the same: it may be another device's only export */
static int write_file(const char *path, const char *text)
{
	uint8_t *old = NULL;
	size_t len = 0;
	char *name;
	int fd, r;

	fd = durable_open_parent(path, false, &name);
	if (fd < 0)
		return complain("%s: %s", path, strerror(-fd));
	r = durable_read(fd, name, PACKAGE_TEXT_MAX, &old, &len);
	if (!r)
		r = len == strlen(text) && !memcmp(old, text, len) ? 0 : -EEXIST;
	else if (r == -ENOENT)
		r = durable_write(fd, name, 0600, text, strlen(text));
	free(old);
	free(name);
	close(fd);
	return r ? complain("%s: %s", path, strerror(-r)) : 0;
}

static int write_text(const char *path, const struct package *package)
{
	char *text = package_print(package), *line = NULL;
	int r = 0;

	if (!text || asprintf(&line, "%s\n", text) < 0)
		r = complain("%s", strerror(ENOMEM));
	else if (strcmp(path, "-"))
		r = write_file(path, line);
	else
		fputs(line, stdout);
	free(text);
	free(line);
	return r;
}

static int export(struct factory *f, const char *credential, const char *path)
{
	struct package package = { 0 };
	int r, some;

	r = factory_store_open(f->path, false, &f->store);
	if (r)
		return complain("%s: %s", f->path, factory_store_error(r));
	some = collect(f, credential, &package);
	r = some == EXIT_NOTHING ? some : write_text(path, &package);
	package_done(&package);
	return r ? r : some;
}

int exchange_parse(struct factory *f, int argc, char **argv, const char **ret_credential,
		   const char **ret_path)
{
	static const struct option options[] = {
		{ "factory-store", required_argument, NULL, 's' },
		{ "credential", required_argument, NULL, 'c' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (c == 'c')
			*ret_credential = optarg;
		else if (!factory_option(f, c, optarg))
			return EXIT_NOTHING;
	if (argc - optind > 1)
		return complain("%s takes one FILE, not also '%s'", argv[0], argv[optind + 1]);
	*ret_path = argv[optind] ? argv[optind] : "-";
	return 0;
}

int export_main(int argc, char **argv)
{
	struct factory f = { .path = FACTORY_STORE_PATH };
	const char *credential, *path;
	int r;

	(void)credential_find(&credential);
	r = exchange_parse(&f, argc, argv, &credential, &path);
	if (!r)
		r = export(&f, credential, path);
	factory_end(&f);
	return finish_output(r);
}
