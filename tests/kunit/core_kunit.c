// SPDX-License-Identifier: GPL-2.0-only
/* uapi/core in the kernel, over the vector file that userspace runs, too. */
#include "../../kmod/core.c"

#include "fixture.h"
#include "vectors.h"

static void expect_reason(struct kunit *test, enum dmacc_refusal got, const char *want, size_t row)
{
	KUNIT_EXPECT_STREQ_MSG(test, dmacc_refusal_word(got), want ? want : "accepted", "row %zu",
			       row);
}

static void strict_reader_takes_canonical_forms_only(struct kunit *test)
{
	const struct dmacc_vector_canonical *v = dmacc_vectors_canonical;
	size_t i;

	for (i = 0; i < DMACC_VECTORS_CANONICAL_COUNT; i++)
		expect_reason(test, dmacc_devid_check(v[i].devid, v[i].devid_len), v[i].reason, i);
}

static void what_the_lenient_reader_writes_is_canonical(struct kunit *test)
{
	const struct dmacc_vector_accepted *v = dmacc_vectors_accepted;
	size_t i;

	for (i = 0; i < DMACC_VECTORS_ACCEPTED_COUNT; i++)
		expect_reason(test, dmacc_devid_check(v[i].devid, strlen(v[i].devid)), NULL, i);
}

static void servers_are_judged_as_the_page_says(struct kunit *test)
{
	const struct dmacc_vector_server *v = dmacc_vectors_server;
	size_t i;

	for (i = 0; i < DMACC_VECTORS_SERVER_COUNT; i++)
		expect_reason(test, dmacc_server_check(v[i].kind, v[i].server, v[i].server_len),
			      v[i].reason, i);
}

static void kdf_input_has_the_published_bytes(struct kunit *test)
{
	u8 *input = kunit_kzalloc(test, 1024, GFP_KERNEL);
	size_t i, len;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, input);
	for (i = 0; i < DMACC_VECTORS_KDF_COUNT; i++) {
		const struct dmacc_vector_kdf *v = &dmacc_vectors_kdf[i];
		const struct dmacc_kdf_spec spec = { v->label, v->bits };

		len = dmacc_kdf_input(input, 1024, &spec, v->context, v->context_len);
		KUNIT_EXPECT_EQ(test, len, v->input_len);
		KUNIT_EXPECT_BYTES(test, input, v->input, v->input_len);
		KUNIT_EXPECT_EQ(test, 0, dmacc_kdf_input(input, v->input_len - 1, &spec, v->context,
							 v->context_len));
	}
}

static void base32_has_the_published_alphabet(struct kunit *test)
{
	char text[64];
	size_t i;

	for (i = 0; i < DMACC_VECTORS_BASE32_COUNT; i++) {
		dmacc_base32(text, dmacc_vectors_base32[i].data, dmacc_vectors_base32[i].data_len);
		KUNIT_EXPECT_STREQ(test, text, dmacc_vectors_base32[i].text);
	}
}

static struct kunit_case cases[] = {
	KUNIT_CASE(strict_reader_takes_canonical_forms_only),
	KUNIT_CASE(what_the_lenient_reader_writes_is_canonical),
	KUNIT_CASE(servers_are_judged_as_the_page_says),
	KUNIT_CASE(kdf_input_has_the_published_bytes),
	KUNIT_CASE(base32_has_the_published_alphabet),
	{}
};

static struct kunit_suite suite = { .name = "dmacc-core", .test_cases = cases };

kunit_test_suite(suite);

MODULE_DESCRIPTION("Tests of dmacc");
MODULE_LICENSE("GPL");
