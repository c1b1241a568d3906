/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What libdmclient wants of a management object: a shared object that exports one function, which
 * returns the object's place in the tree and its functions. Declared here anew: libdmclient's own
 * headers are not needed.
 *
 * Everything that a function returns is allocated with malloc() and freed by the client.
 */
#ifndef DMACC_PLUGIN_MO_H
#define DMACC_PLUGIN_MO_H

/* What the functions return: 0, or a status of the protocol */
enum mo_status {
	MO_DONE = 0,
	MO_NOT_FOUND = 404,
	MO_NOT_ALLOWED = 405,
	MO_DEVICE_FULL = 420,
	MO_NO_PERMISSION = 425,
	MO_FAILED = 500,
};

enum mo_kind {
	MO_NOTHING,
	MO_INTERIOR,
	MO_LEAF,
};

/**
 * struct mo_node - a node that is read or written
 * @uri: such as "./DMAcc/x/Name"
 * @format: "node", "chr", ...; may be NULL where the client writes
 * @type: a MIME type or NULL
 * @size: bytes of @data
 * @data: of an interior node the names of its children with '/' between them
 */
struct mo_node {
	char *uri;
	char *format;
	char *type;
	unsigned int size;
	char *data;
};

/**
 * struct mo_interface - a management object
 * @base_uri: freed by the client, and so is the structure
 * @init: makes what the others get as their last argument
 * @close: before it is unloaded; the session is over
 * @find_urn: URIs of that URN, NULL at the end
 * @get_acl: NULL if the node inherits its parent's
 *
 * A function that is NULL is not allowed.
 */
struct mo_interface {
	char *base_uri;
	int (*init)(void **data);
	void (*close)(void *data);
	int (*is_node)(const char *uri, enum mo_kind *kind, void *data);
	int (*find_urn)(const char *urn, char ***uris, void *data);
	int (*get)(struct mo_node *node, void *data);
	int (*set)(const struct mo_node *node, void *data);
	int (*get_acl)(const char *uri, char **acl, void *data);
	int (*set_acl)(const char *uri, const char *acl, void *data);
	int (*rename)(const char *from, const char *to, void *data);
	int (*remove)(const char *uri, void *data);
	int (*exec)(const char *uri, const char *argument, const char *correlator, void *data);
};

/* ./DMAcc and ./DevInfo; NULL without memory. For entry.c, which exports one of them. */
struct mo_interface *dmacc_mo_accounts(void);
struct mo_interface *dmacc_mo_device(void);

/* The one URI, for find_urn. Status. */
int mo_give_uri(const char *uri, char ***uris);
/* Copies for the client. Status; with another than MO_DONE the node holds nothing. */
int mo_give(struct mo_node *node, const char *format, const void *data, unsigned long size);

#endif
