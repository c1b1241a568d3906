// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * check-login: what a DM server does with the credential of a login, with libdmacc.
 *
 *     check-login TABLE               what to compare with was derived beforehand, by
 *                                     dmacc-fleet derive --as stored
 *     check-login --key FILE ID       it is derived for each login, from the vendor key in
 *                                     FILE, for the server ID
 *
 * Logins are read from stdin, one a line:
 *
 *     NAME DIGEST CLIENT-NONCE SERVER-NONCE
 *
 * NAME is the device's DevId, which it gives as Source/LocURI, or its user name, which it gives
 * as Source/LocName; DIGEST is the data of its Cred, for syncml:auth-md5; then, in base64, the nonce
 * that it was given last and the one that it gave last. For each the answer is a line: the DevId,
 * "yes" and the digest for the server's own Cred; or NAME and "no".
 *
 *     cc check-login.c $(pkg-config --cflags --libs libdmacc libcrypto)
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <dmacc/dmacc.h>

#define HASH_SIZE 25		/* base64 of an MD5, and a zero */
#define NAME_SIZE 65
#define NONCE_MAX 96
#define LINE_SIZE 512

/* What a server keeps of a device: no password, but who has a hash can log in with it */
struct account {
	char devid[DMACC_DEVID_SIZE];
	char user_name[NAME_SIZE];
	char client_hash[HASH_SIZE];
	char server_hash[HASH_SIZE];
};

/* Where accounts come from: a table with two indexes, or the vendor key */
struct source {
	struct account *accounts;
	size_t count;
	size_t room;
	const struct account **by_devid;
	const struct account **by_user_name;

	uint8_t vendor_key[DMACC_KEY_SIZE];
	struct dmacc_server server;	/* without bytes: it is a table */
};

struct login {
	char name[NAME_SIZE];
	char digest[NAME_SIZE];
	unsigned char client_nonce[NONCE_MAX];
	unsigned char server_nonce[NONCE_MAX];
	int client_nonce_len;
	int server_nonce_len;
};

/* B64(MD5(a ":" b)): of name and password what is kept, of that and a nonce what is sent */
static int hash(const void *a, size_t a_len, const void *b, size_t b_len, char ret[HASH_SIZE])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *md5 = EVP_MD_CTX_new();
	int ok;

	ok = md5 && EVP_DigestInit_ex(md5, EVP_md5(), NULL) && EVP_DigestUpdate(md5, a, a_len) &&
	     EVP_DigestUpdate(md5, ":", 1) && EVP_DigestUpdate(md5, b, b_len) &&
	     EVP_DigestFinal_ex(md5, digest, NULL);
	if (ok)
		EVP_EncodeBlock((unsigned char *)ret, digest, 16);
	EVP_MD_CTX_free(md5);
	dmacc_wipe(digest, sizeof(digest));
	return ok ? 0 : -ENOMEM;
}

/* The nonce goes into the digest as raw bytes, never as its base64 */
static int decode_nonce(const char *text, unsigned char *ret)
{
	size_t len = strlen(text), padding = strspn(text + strcspn(text, "="), "=");
	int n;

	if (!len || padding > 2 || len > NONCE_MAX / 3 * 4)
		return -EINVAL;
	n = EVP_DecodeBlock(ret, (const unsigned char *)text, (int)len);
	return n < 0 ? -EINVAL : n - (int)padding;
}

static int parse_login(const char *line, struct login *ret)
{
	char client[LINE_SIZE], server[LINE_SIZE];

	if (sscanf(line, "%64s %64s %511s %511s", ret->name, ret->digest, client, server) != 4)
		return -EINVAL;
	ret->client_nonce_len = decode_nonce(client, ret->client_nonce);
	ret->server_nonce_len = decode_nonce(server, ret->server_nonce);
	return ret->client_nonce_len < 0 || ret->server_nonce_len < 0 ? -EINVAL : 0;
}

static int compare_devids(const void *a, const void *b)
{
	return strcmp((*(const struct account *const *)a)->devid,
		      (*(const struct account *const *)b)->devid);
}

static int compare_user_names(const void *a, const void *b)
{
	return strcmp((*(const struct account *const *)a)->user_name,
		      (*(const struct account *const *)b)->user_name);
}

/* realloc() would leave hashes behind where they were */
static int make_room(struct source *s)
{
	size_t room = s->room ? 2 * s->room : 1024;
	struct account *accounts = calloc(room, sizeof(*accounts));

	if (!accounts)
		return -ENOMEM;
	if (s->count)
		memcpy(accounts, s->accounts, s->count * sizeof(*accounts));
	dmacc_wipe(s->accounts, s->count * sizeof(*accounts));
	free(s->accounts);
	s->accounts = accounts;
	s->room = room;
	return 0;
}

static int add_account(struct source *s, const char *line)
{
	struct account *a;

	if (s->count == s->room && make_room(s))
		return -ENOMEM;
	a = &s->accounts[s->count];
	if (sscanf(line, "%20[^,],%64[^,],%24[^,\r\n],%24[^,\r\n]", a->devid, a->user_name,
		   a->client_hash, a->server_hash) != 4)
		return -EINVAL;
	s->count++;
	return 0;
}

static int index_accounts(struct source *s)
{
	size_t i;

	s->by_devid = calloc(s->count + 1, sizeof(*s->by_devid));
	s->by_user_name = calloc(s->count + 1, sizeof(*s->by_user_name));
	if (!s->by_devid || !s->by_user_name)
		return -ENOMEM;
	for (i = 0; i < s->count; i++)
		s->by_devid[i] = s->by_user_name[i] = &s->accounts[i];
	qsort(s->by_devid, s->count, sizeof(*s->by_devid), compare_devids);
	qsort(s->by_user_name, s->count, sizeof(*s->by_user_name), compare_user_names);
	return 0;
}

static int load_table(const char *path, struct source *ret)
{
	char line[LINE_SIZE];
	FILE *f = fopen(path, "re");
	int r = 0;

	if (!f)
		return -errno;
	if (!fgets(line, sizeof(line), f) ||
	    strncmp(line, "DevId,UserName,ClientHash,ServerHash", 36))
		r = -EINVAL;
	while (!r && fgets(line, sizeof(line), f))
		r = add_account(ret, line);
	if (!r && ferror(f))
		r = -EIO;
	fclose(f);
	dmacc_wipe(line, sizeof(line));
	return r ? r : index_accounts(ret);
}

/* A name that is an identifier in any spelling is looked for as that, else as a user name */
static bool find_in_table(const struct source *s, const char *name, struct account *ret)
{
	const struct account *wanted = ret, *const *found;

	/* what a client sends may have a spare digit; the digest decides */
	if (!dmacc_identifier_read(name, strlen(name), DMACC_SPARE_DIGIT, ret->devid, NULL)) {
		found = bsearch(&wanted, s->by_devid, s->count, sizeof(*s->by_devid), compare_devids);
	} else {
		snprintf(ret->user_name, sizeof(ret->user_name), "%s", name);
		found = bsearch(&wanted, s->by_user_name, s->count, sizeof(*s->by_user_name),
				compare_user_names);
	}
	if (found)
		*ret = **found;
	return found;
}

/* One call for one device. A user name cannot be turned back into a DevId: that takes a table. */
static bool derive_account(const struct source *s, const char *name, struct account *ret)
{
	const struct dmacc_device device = { .identifier = name, .key_version = 1 };
	struct dmacc_credentials c;
	bool ok;

	if (dmacc_credentials_for(s->vendor_key, &device, &s->server, DMACC_SPARE_DIGIT,
				  ret->devid, &c, NULL))
		return false;
	memcpy(ret->user_name, c.user_name, sizeof(c.user_name));
	ok = !hash(c.user_name, strlen(c.user_name), c.client_pw, strlen(c.client_pw),
		   ret->client_hash) &&
	     !hash(s->server.bytes, s->server.len, c.server_pw, strlen(c.server_pw),
		   ret->server_hash);
	dmacc_wipe(&c, sizeof(c));
	return ok;
}

/* The same work is done for a device that nobody knows, so that time does not tell which are known */
static bool authenticates(const struct account *a, const struct login *login)
{
	char expected[HASH_SIZE], given[HASH_SIZE] = "";

	if (hash(a->client_hash, strlen(a->client_hash), login->client_nonce,
		 (size_t)login->client_nonce_len, expected))
		return false;
	strncpy(given, login->digest, sizeof(given) - 1);
	return !CRYPTO_memcmp(given, expected, sizeof(given)) &&
	       strlen(login->digest) == HASH_SIZE - 1;
}

static bool answer(const struct source *s, const struct login *login)
{
	struct account a = { .client_hash = "AAAAAAAAAAAAAAAAAAAAAA==" };
	char own[HASH_SIZE];
	bool known, yes;

	known = s->server.bytes ? derive_account(s, login->name, &a) :
				  find_in_table(s, login->name, &a);
	yes = authenticates(&a, login) && known &&
	      !hash(a.server_hash, strlen(a.server_hash), login->server_nonce,
		    (size_t)login->server_nonce_len, own);
	if (yes)
		printf("%s yes %s\n", a.devid, own);
	else
		printf("%s no\n", login->name);
	dmacc_wipe(&a, sizeof(a));
	return yes;
}

static int load_key(const char *path, const char *server_id, struct source *ret)
{
	const char *sentence = NULL;
	struct dmacc_reason reason;
	int fd = open(path, O_RDONLY | O_CLOEXEC), r;

	ret->server = (struct dmacc_server){ DMACC_ELEMENT_SERVER_ID, server_id,
					     strlen(server_id) };
	if (fd < 0)
		return -errno;
	r = dmacc_key_read(fd, ret->vendor_key, &sentence);
	close(fd);
	if (r && sentence)
		fprintf(stderr, "check-login: %s: %s\n", path, sentence);
	if (!r && dmacc_server_valid(&ret->server, &reason)) {
		fprintf(stderr, "check-login: %s\n", reason.sentence);
		r = -EINVAL;
	}
	return r;
}

static void forget(struct source *s)
{
	dmacc_wipe(s->accounts, s->count * sizeof(*s->accounts));
	dmacc_wipe(s->vendor_key, sizeof(s->vendor_key));
	free(s->accounts);
	free(s->by_devid);
	free(s->by_user_name);
}

/* Returns how many logins did not authenticate */
static unsigned int check_all(const struct source *s)
{
	char line[LINE_SIZE];
	unsigned int refused = 0, number = 0;
	struct login login;

	while (fgets(line, sizeof(line), stdin)) {
		number++;
		if (parse_login(line, &login)) {
			fprintf(stderr, "check-login: line %u: NAME DIGEST CLIENT-NONCE SERVER-NONCE\n",
				number);
			refused++;
		} else if (!answer(s, &login)) {
			refused++;
		}
	}
	return refused;
}

int main(int argc, char **argv)
{
	struct source source = { 0 };
	int r = -EINVAL, status = 2;

	if (argc == 4 && !strcmp(argv[1], "--key"))
		r = load_key(argv[2], argv[3], &source);
	else if (argc == 2)
		r = load_table(argv[1], &source);
	else
		fprintf(stderr, "Usage: check-login TABLE | --key FILE SERVER-ID\n");
	if (r)
		fprintf(stderr, "check-login: nothing to compare with: %s\n", strerror(-r));
	else
		status = check_all(&source) ? 1 : 0;
	forget(&source);
	return status;
}
