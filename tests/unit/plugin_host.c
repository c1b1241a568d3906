// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Loads management objects as libdmclient's command does, and calls them as commands on standard input
 * say. The interface is written down here a second time, so that a change on one side only is seen.
 *
 *     load FILE                 an object; the others name it by its number, from 0
 *     urn N URN | node N URI | get N URI | acl N URI | end N
 *     set N URI FORMAT HEX      "-" for no format, no bytes
 *
 * Answers are a line each: a status, and what there is besides; bytes in hexadecimal.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
	char *uri, *format, *type;
	unsigned int data_size;
	char *data_buffer;
} dmtree_node_t;

typedef struct {
	char *base_uri;
	int (*initFunc)(void **data);
	void (*closeFunc)(void *data);
	int (*isNodeFunc)(const char *uri, int *type, void *data);
	int (*findURNFunc)(const char *urn, char ***urls, void *data);
	int (*getFunc)(dmtree_node_t *node, void *data);
	int (*setFunc)(const dmtree_node_t *node, void *data);
	int (*getACLFunc)(const char *uri, char **acl, void *data);
	int (*setACLFunc)(const char *uri, const char *acl, void *data);
	int (*renameFunc)(const char *from, const char *to, void *data);
	int (*deleteFunc)(const char *uri, void *data);
	int (*execFunc)(const char *uri, const char *cmd, const char *correlator, void *data);
} omadm_mo_interface_t;

#define OBJECTS 4

static struct object {
	void *handle, *data;
	omadm_mo_interface_t *mo;
} objects[OBJECTS];

static size_t count;

static void put_hex(const char *bytes, size_t len)
{
	size_t i;

	putchar(' ');
	for (i = 0; i < len; i++)
		printf("%02x", (unsigned char)bytes[i]);
}

static void drop(struct object *o)
{
	free(o->mo->base_uri);
	free(o->mo);
	dlclose(o->handle);
	*o = (struct object){ 0 };
}

static void load(const char *file)
{
	omadm_mo_interface_t *(*get)(void);
	struct object *o;
	int status;

	if (count == OBJECTS)
		exit(1);
	o = &objects[count];
	o->handle = dlopen(file, RTLD_LAZY);
	if (!o->handle) {
		printf("%s\n", dlerror());
		exit(1);
	}
	*(void **)&get = dlsym(o->handle, "omadm_get_mo_interface");
	o->mo = get ? get() : NULL;
	if (!o->mo || !o->mo->base_uri || !o->mo->initFunc)
		exit(1);
	status = o->mo->initFunc(&o->data);
	printf("%d %s\n", status, o->mo->base_uri);
	if (status)
		drop(o);
	else
		count++;
}

static void find_urn(struct object *o, const char *urn)
{
	char **urls = NULL, **url;

	printf("%d", o->mo->findURNFunc(urn, &urls, o->data));
	for (url = urls; url && *url; url++) {
		printf(" %s", *url);
		free(*url);
	}
	free(urls);
	putchar('\n');
}

static void get(struct object *o, char *uri)
{
	dmtree_node_t node = { .uri = uri };
	int status = o->mo->getFunc(&node, o->data);

	printf("%d", status);
	if (!status) {
		printf(" %s %s", node.format, node.type ? node.type : "-");
		put_hex(node.data_buffer, node.data_size);
	}
	putchar('\n');
	free(node.format);
	free(node.type);
	free(node.data_buffer);
}

static void set(struct object *o, char *uri, char *format, const char *hex)
{
	dmtree_node_t node = { .uri = uri, .format = strcmp(format, "-") ? format : NULL };
	size_t i;

	if (strcmp(hex, "-")) {
		node.data_size = (unsigned int)strlen(hex) / 2;
		/* of its own size, so that a sanitizer sees the byte after it */
		node.data_buffer = malloc(node.data_size);
		for (i = 0; i < node.data_size; i++)
			sscanf(hex + 2 * i, "%2hhx", (unsigned char *)&node.data_buffer[i]);
	}
	printf("%d\n", o->mo->setFunc ? o->mo->setFunc(&node, o->data) : 405);
	free(node.data_buffer);
}

static void get_acl(struct object *o, const char *uri)
{
	char *acl = NULL;

	printf("%d", o->mo->getACLFunc(uri, &acl, o->data));
	printf(acl ? " '%s'\n" : "\n", acl);
	free(acl);
}

static void run(const char *verb, char **arguments)
{
	unsigned long n = strtoul(arguments[0], NULL, 10);
	struct object *o = &objects[n < count ? n : 0];
	int kind = -1, status;

	if (!strcmp(verb, "load")) {
		load(arguments[0]);
	} else if (!o->mo) {
		exit(1);
	} else if (!strcmp(verb, "urn")) {
		find_urn(o, arguments[1]);
	} else if (!strcmp(verb, "node")) {
		status = o->mo->isNodeFunc(arguments[1], &kind, o->data);
		printf("%d %d\n", status, kind);
	} else if (!strcmp(verb, "get")) {
		get(o, arguments[1]);
	} else if (!strcmp(verb, "acl")) {
		get_acl(o, arguments[1]);
	} else if (!strcmp(verb, "set")) {
		set(o, arguments[1], arguments[2], arguments[3]);
	} else if (!strcmp(verb, "end")) {
		o->mo->closeFunc(o->data);
		drop(o);
		puts("0");
	}
	fflush(stdout);
}

int main(void)
{
	char line[8192], *words[6], *rest;
	size_t i;

	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		rest = line;
		for (i = 0; i < 6; i++)
			words[i] = strsep(&rest, " ");
		run(words[0], words + 1);
	}
	for (i = 0; i < count; i++) {
		if (!objects[i].mo)
			continue;
		objects[i].mo->closeFunc(objects[i].data);
		drop(&objects[i]);
	}
	return 0;
}
