// SPDX-License-Identifier: GPL-2.0-only
/* Slots: sealed, loaded, replaced, emptied; and what DERIVE answers, over the vector file. */
#include "../../kmod/slot.c"

#include "fixture.h"
#include "vectors.h"

static const u8 key_of_slot[DMACC_KEY_LEN] = { 0x4b, [31] = 0x64 };

static struct dmacc_slot_info named(const char *name, u32 version)
{
	struct dmacc_slot_info info = { .key_id = { 0xb6, 0x94 }, .key_version = version };

	strscpy(info.name, name, sizeof(info.name));
	return info;
}

static int seal(const char *name, u32 version, const u8 *key, struct dmacc_slot_blob *ret,
		struct netlink_ext_ack *extack)
{
	const struct dmacc_slot_info info = named(name, version);

	memset(extack, 0, sizeof(*extack));
	return dmacc_slot_seal(&info, key, ret, extack);
}

static int load(const struct dmacc_slot_blob *blob, struct netlink_ext_ack *extack)
{
	struct dmacc_slot_info info;

	memset(extack, 0, sizeof(*extack));
	return dmacc_slot_load(blob, &info, extack);
}

/* A device with an identity and an open root */
static void prepare(struct kunit *test, struct dmacc_root_buf *ret_root)
{
	KUNIT_ASSERT_EQ(test, 0, dmacc_identity_latch(DMACC_IDENTITY_SET, KUNIT_DEVID,
						      strlen(KUNIT_DEVID), NULL));
	kunit_open_fake_root(test, ret_root);
}

static int derive(const char *name, struct dmacc_derived *ret)
{
	const struct dmacc_derive_request request = {
		.slot = name, .kind = DMACC_KIND_SERVER_ID, .server = "com.example.dm",
		.server_len = 14,
	};

	return dmacc_slot_derive(&request, ret, NULL);
}

static void every_credential_of_the_vector_file_is_derived(struct kunit *test)
{
	struct dmacc_derived d;
	size_t i;

	for (i = 0; i < DMACC_VECTORS_CREDENTIALS_COUNT; i++) {
		const struct dmacc_vector_credentials *v = &dmacc_vectors_credentials[i];
		const struct dmacc_derive_request request = {
			.kind = v->kind, .server = v->server, .server_len = v->server_len,
			.generation = v->generation,
		};
		struct crypto_shash *mac = dmacc_mac_new(v->kd);

		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mac);
		KUNIT_EXPECT_EQ(test, 0, dmacc_derive_with(mac, v->devid, strlen(v->devid),
							   &request, &d));
		KUNIT_EXPECT_STREQ_MSG(test, d.user_name, v->user_name, "row %zu", i);
		KUNIT_EXPECT_STREQ_MSG(test, d.server_pw, v->server_pw, "row %zu", i);
		KUNIT_EXPECT_STREQ_MSG(test, d.client_pw, v->client_pw, "row %zu", i);
		KUNIT_EXPECT_BYTES(test, d.server_nonce, v->server_nonce, DMACC_NONCE_LEN);
		KUNIT_EXPECT_BYTES(test, d.client_nonce, v->client_nonce, DMACC_NONCE_LEN);
		dmacc_mac_free(mac);
	}
}

static void sealed_key_loads_again_and_derives_the_same(struct kunit *test)
{
	struct dmacc_derived before, after;
	struct netlink_ext_ack extack;
	struct dmacc_root_buf *root = kunit_new_root(test);
	struct dmacc_slot_blob blob;

	prepare(test, root);
	KUNIT_ASSERT_EQ(test, 0, seal("alpha", 1, key_of_slot, &blob, &extack));
	KUNIT_EXPECT_EQ(test, 0, derive("alpha", &before));
	KUNIT_EXPECT_EQ(test, 0, dmacc_slot_forget("alpha", &extack));
	KUNIT_EXPECT_EQ(test, -ENOENT, derive("alpha", &after));
	KUNIT_EXPECT_EQ(test, 0, load(&blob, &extack));
	KUNIT_EXPECT_EQ(test, 0, derive("alpha", &after));
	KUNIT_EXPECT_BYTES(test, &before, &after, sizeof(before));
}

static void each_changed_byte_of_a_sealed_key_is_refused_with_a_sentence(struct kunit *test)
{
	struct netlink_ext_ack extack;
	struct dmacc_root_buf *root = kunit_new_root(test);
	struct dmacc_slot_blob blob;
	size_t i;

	prepare(test, root);
	KUNIT_ASSERT_EQ(test, 0, seal("alpha", 1, key_of_slot, &blob, &extack));
	KUNIT_EXPECT_EQ(test, 0, dmacc_slot_forget("alpha", &extack));
	for (i = 0; i < sizeof(blob); i++) {
		((u8 *)&blob)[i] ^= 1;
		KUNIT_EXPECT_NE_MSG(test, 0, load(&blob, &extack), "byte %zu", i);
		KUNIT_EXPECT_TRUE_MSG(test, extack._msg, "byte %zu", i);
		((u8 *)&blob)[i] ^= 1;
	}
	KUNIT_EXPECT_EQ(test, 0, load(&blob, &extack));
}

static void what_is_wrong_with_a_sealed_key_is_said(struct kunit *test)
{
	struct dmacc_slot_blob blob, bad;
	struct netlink_ext_ack extack;
	struct dmacc_root_buf *root = kunit_new_root(test);

	prepare(test, root);
	KUNIT_ASSERT_EQ(test, 0, seal("alpha", 1, key_of_slot, &blob, &extack));
	bad = blob;
	bad.magic[0]++;
	KUNIT_EXPECT_EQ(test, -EINVAL, load(&bad, &extack));
	KUNIT_EXPECT_STREQ(test, kunit_sentence(&extack), "this is not a sealed key");
	bad = blob;
	bad.format++;
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, load(&bad, &extack));
	KUNIT_EXPECT_STREQ(test, kunit_sentence(&extack),
			   "the sealed key has a format that this module does not know");
	bad = blob;
	bad.root_id[0]++;
	KUNIT_EXPECT_EQ(test, -EKEYREJECTED, load(&bad, &extack));
	KUNIT_EXPECT_STREQ(test, kunit_sentence(&extack),
			   "the key was sealed under another root");
	bad = blob;
	bad.tag[0]++;
	KUNIT_EXPECT_EQ(test, -EBADMSG, load(&bad, &extack));
	KUNIT_EXPECT_STREQ(test, kunit_sentence(&extack), "the sealed key was changed");
}

static void seal_refuses_bad_names_zero_keys_and_nobody(struct kunit *test)
{
	static const char * const bad[] = {
		"", "Alpha", "a b", "a/b", "a=b", "\xc3\xa4", "a\nres=1",
	};
	static const u8 zero[DMACC_KEY_LEN];
	struct netlink_ext_ack extack;
	struct dmacc_root_buf *root = kunit_new_root(test);
	struct dmacc_slot_blob blob;
	size_t i;

	kunit_open_fake_root(test, root);
	KUNIT_EXPECT_EQ(test, -ENODATA, seal("alpha", 1, key_of_slot, &blob, &extack));
	KUNIT_EXPECT_STREQ(test, kunit_sentence(&extack), "this device has no identity");
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		KUNIT_EXPECT_EQ_MSG(test, -EINVAL, seal(bad[i], 1, key_of_slot, &blob, &extack),
				    "name %zu", i);
		KUNIT_EXPECT_STREQ(test, kunit_sentence(&extack),
				   "a slot name is 1 to 32 of a-z 0-9 . _ -");
	}
	KUNIT_EXPECT_EQ(test, -EINVAL, seal("alpha", 1, zero, &blob, &extack));
	KUNIT_EXPECT_STREQ(test, kunit_sentence(&extack), "the device key is all zero");
}

static void nothing_is_sealed_or_loaded_without_a_root(struct kunit *test)
{
	struct netlink_ext_ack extack;
	struct dmacc_root_buf *root = kunit_new_root(test);
	struct dmacc_slot_blob blob;

	prepare(test, root);
	KUNIT_ASSERT_EQ(test, 0, seal("alpha", 1, key_of_slot, &blob, &extack));
	kunit_reset_root();
	KUNIT_EXPECT_EQ(test, -ENOKEY, seal("alpha", 1, key_of_slot, &blob, &extack));
	KUNIT_EXPECT_EQ(test, -ENOKEY, load(&blob, &extack));
	KUNIT_EXPECT_STREQ(test, kunit_sentence(&extack), "no root is open");
}

static void nothing_is_sealed_once_locked_but_keys_still_load(struct kunit *test)
{
	struct dmacc_root_buf *root = kunit_new_root(test);
	struct dmacc_root_buf *locked = kunit_new_root(test);
	struct netlink_ext_ack extack;
	struct dmacc_slot_blob blob;

	prepare(test, root);
	KUNIT_ASSERT_EQ(test, 0, seal("alpha", 1, key_of_slot, &blob, &extack));
	KUNIT_ASSERT_EQ(test, 0, dmacc_root_lock(locked, &extack));
	KUNIT_EXPECT_EQ(test, -EPERM, seal("alpha", 2, key_of_slot, &blob, &extack));
	KUNIT_EXPECT_STREQ(test, kunit_sentence(&extack), "locked: no key is sealed any more");
	KUNIT_EXPECT_EQ(test, 0, load(&blob, &extack));
}

static void lower_key_version_is_refused_and_higher_replaces(struct kunit *test)
{
	static const u8 newer_key[DMACC_KEY_LEN] = { 0x4c };
	struct dmacc_slot_blob first, second;
	struct dmacc_derived one, two, now;
	struct netlink_ext_ack extack;
	struct dmacc_root_buf *root = kunit_new_root(test);

	prepare(test, root);
	KUNIT_ASSERT_EQ(test, 0, seal("alpha", 1, key_of_slot, &first, &extack));
	KUNIT_EXPECT_EQ(test, 0, derive("alpha", &one));
	KUNIT_ASSERT_EQ(test, 0, seal("alpha", 2, newer_key, &second, &extack));
	KUNIT_EXPECT_EQ(test, 0, derive("alpha", &two));
	KUNIT_EXPECT_NE(test, memcmp(&one, &two, sizeof(one)), 0);
	KUNIT_EXPECT_EQ(test, -ESTALE, load(&first, &extack));
	KUNIT_EXPECT_STREQ(test, kunit_sentence(&extack), "a key of a higher version is loaded");
	KUNIT_EXPECT_EQ(test, -ESTALE, seal("alpha", 1, key_of_slot, &first, &extack));
	KUNIT_EXPECT_EQ(test, 0, load(&second, &extack));
	KUNIT_EXPECT_EQ(test, 0, derive("alpha", &now));
	KUNIT_EXPECT_BYTES(test, &two, &now, sizeof(now));
}

/* "s0", "s1"... into every slot */
static void fill(struct kunit *test, struct dmacc_slot_blob *ret_last)
{
	struct netlink_ext_ack extack;
	char name[8];
	int i;

	for (i = 0; i < DMACC_SLOTS_MAX; i++) {
		snprintf(name, sizeof(name), "s%d", i);
		KUNIT_ASSERT_EQ(test, 0, seal(name, 1, key_of_slot, ret_last, &extack));
	}
}

static void one_slot_more_than_there_are_is_refused(struct kunit *test)
{
	struct dmacc_slot_info *list = kunit_kcalloc(test, DMACC_SLOTS_MAX, sizeof(*list),
						     GFP_KERNEL);
	struct netlink_ext_ack extack;
	struct dmacc_root_buf *root = kunit_new_root(test);
	struct dmacc_slot_blob blob;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, list);
	prepare(test, root);
	fill(test, &blob);
	KUNIT_EXPECT_EQ(test, (unsigned int)DMACC_SLOTS_MAX, dmacc_slot_list(list));
	KUNIT_EXPECT_EQ(test, -ENOSPC, seal("more", 1, key_of_slot, &blob, &extack));
	KUNIT_EXPECT_STREQ(test, kunit_sentence(&extack), "there is no free slot");
	KUNIT_EXPECT_EQ(test, 0, seal("s7", 2, key_of_slot, &blob, &extack));
	KUNIT_EXPECT_EQ(test, 0, dmacc_slot_forget("s3", &extack));
	KUNIT_EXPECT_EQ(test, 0, seal("more", 1, key_of_slot, &blob, &extack));
}

static void blob_gives_a_device_without_one_its_identity(struct kunit *test)
{
	struct netlink_ext_ack extack;
	struct dmacc_identity now;
	struct dmacc_root_buf *root = kunit_new_root(test);
	struct dmacc_slot_blob blob;

	prepare(test, root);
	KUNIT_ASSERT_EQ(test, 0, seal("alpha", 1, key_of_slot, &blob, &extack));
	kunit_reset_identity();
	KUNIT_EXPECT_EQ(test, 0, load(&blob, &extack));
	dmacc_identity_get(&now);
	KUNIT_EXPECT_STREQ(test, now.devid, KUNIT_DEVID);
	KUNIT_EXPECT_EQ(test, (int)now.source, (int)DMACC_IDENTITY_BLOB);
}

static void key_of_another_device_is_refused(struct kunit *test)
{
	struct netlink_ext_ack extack;
	struct dmacc_root_buf *root = kunit_new_root(test);
	struct dmacc_slot_blob blob;
	struct dmacc_derived d;

	prepare(test, root);
	KUNIT_ASSERT_EQ(test, 0, seal("alpha", 1, key_of_slot, &blob, &extack));
	dmacc_slot_forget_all();
	kunit_reset_identity();
	KUNIT_ASSERT_EQ(test, 0, dmacc_identity_latch(DMACC_IDENTITY_SET, KUNIT_OTHER_DEVID,
						      strlen(KUNIT_OTHER_DEVID), NULL));
	KUNIT_EXPECT_EQ(test, -EKEYREJECTED, load(&blob, &extack));
	KUNIT_EXPECT_STREQ(test, kunit_sentence(&extack), "the key was sealed for another device");
	KUNIT_EXPECT_EQ(test, -ENOENT, derive("alpha", &d));
}

static void blob_that_is_refused_latches_no_identity(struct kunit *test)
{
	struct netlink_ext_ack extack;
	struct dmacc_identity now;
	struct dmacc_root_buf *root = kunit_new_root(test);
	struct dmacc_slot_blob blob, other;

	prepare(test, root);
	KUNIT_ASSERT_EQ(test, 0, seal("extra", 1, key_of_slot, &blob, &extack));
	KUNIT_EXPECT_EQ(test, 0, dmacc_slot_forget("extra", &extack));
	fill(test, &other);
	kunit_reset_identity();
	KUNIT_EXPECT_EQ(test, -ENOSPC, load(&blob, &extack));
	dmacc_identity_get(&now);
	KUNIT_EXPECT_EQ(test, (int)now.source, (int)DMACC_IDENTITY_NONE);
}

static void derive_refuses_servers_with_their_reason(struct kunit *test)
{
	const struct dmacc_derive_request request = {
		.slot = "alpha", .kind = DMACC_KIND_SERVER_ID, .server = "com example",
		.server_len = 11,
	};
	struct netlink_ext_ack extack = {};
	struct dmacc_derived d;

	KUNIT_EXPECT_EQ(test, -EINVAL, dmacc_slot_derive(&request, &d, &extack));
	KUNIT_EXPECT_STREQ(test, kunit_sentence(&extack),
			   dmacc_server_refusal_text(DMACC_REFUSED_BLANK));
}

static void emptied_slot_holds_nothing(struct kunit *test)
{
	struct netlink_ext_ack extack;
	struct dmacc_root_buf *root = kunit_new_root(test);
	struct dmacc_slot_blob blob;

	prepare(test, root);
	KUNIT_ASSERT_EQ(test, 0, seal("alpha", 1, key_of_slot, &blob, &extack));
	KUNIT_EXPECT_EQ(test, 0, dmacc_slot_forget("alpha", &extack));
	KUNIT_EXPECT_TRUE(test, !memchr_inv(slots, 0, sizeof(slots)));
	KUNIT_EXPECT_EQ(test, -ENOENT, dmacc_slot_forget("alpha", &extack));
	KUNIT_EXPECT_STREQ(test, kunit_sentence(&extack), "there is no such slot");
}

static struct kunit_case cases[] = {
	KUNIT_CASE(every_credential_of_the_vector_file_is_derived),
	KUNIT_CASE(sealed_key_loads_again_and_derives_the_same),
	KUNIT_CASE(each_changed_byte_of_a_sealed_key_is_refused_with_a_sentence),
	KUNIT_CASE(what_is_wrong_with_a_sealed_key_is_said),
	KUNIT_CASE(seal_refuses_bad_names_zero_keys_and_nobody),
	KUNIT_CASE(nothing_is_sealed_or_loaded_without_a_root),
	KUNIT_CASE(nothing_is_sealed_once_locked_but_keys_still_load),
	KUNIT_CASE(lower_key_version_is_refused_and_higher_replaces),
	KUNIT_CASE(one_slot_more_than_there_are_is_refused),
	KUNIT_CASE(blob_gives_a_device_without_one_its_identity),
	KUNIT_CASE(key_of_another_device_is_refused),
	KUNIT_CASE(blob_that_is_refused_latches_no_identity),
	KUNIT_CASE(derive_refuses_servers_with_their_reason),
	KUNIT_CASE(emptied_slot_holds_nothing),
	{}
};

static struct kunit_suite suite = {
	.name = "dmacc-slot",
	.init = kunit_reset,
	.exit = kunit_leave,
	.test_cases = cases,
};

kunit_test_suite(suite);
