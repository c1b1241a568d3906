// SPDX-License-Identifier: LGPL-2.1-or-later
/* uapi/core over the vector file; the kernel's tests run the same file over the same code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/devid.h"
#include "core/kdf.h"
#include "core/server.h"
#include "vectors.h"

static void lenient_reader_accepts_and_normalises(void **state)
{
	char devid[DMACC_DEVID_MAX + 1];
	size_t i;

	(void)state;
	for (i = 0; i < DMACC_VECTORS_ACCEPTED_COUNT; i++) {
		const struct dmacc_vector_accepted *v = &dmacc_vectors_accepted[i];

		assert_int_equal(dmacc_devid_read((const char *)v->input, v->input_len,
						  v->spare_digit, devid), DMACC_ACCEPTED);
		assert_string_equal(devid, v->devid);
		assert_int_equal(dmacc_devid_check(devid, strlen(devid)), DMACC_ACCEPTED);
	}
}

static void lenient_reader_refuses_with_the_reason_and_writes_nothing(void **state)
{
	char devid[DMACC_DEVID_MAX + 1] = "untouched";
	enum dmacc_refusal r;
	size_t i;

	(void)state;
	for (i = 0; i < DMACC_VECTORS_REFUSED_COUNT; i++) {
		const struct dmacc_vector_refused *v = &dmacc_vectors_refused[i];

		r = dmacc_devid_read((const char *)v->input, v->input_len, v->spare_digit, devid);
		assert_string_equal(dmacc_refusal_word(r), v->reason);
		assert_string_equal(devid, "untouched");
	}
}

static void strict_reader_takes_canonical_forms_only(void **state)
{
	enum dmacc_refusal r;
	size_t i;

	(void)state;
	for (i = 0; i < DMACC_VECTORS_CANONICAL_COUNT; i++) {
		const struct dmacc_vector_canonical *v = &dmacc_vectors_canonical[i];

		r = dmacc_devid_check((const char *)v->devid, v->devid_len);
		assert_string_equal(dmacc_refusal_word(r), v->reason ? v->reason : "accepted");
	}
}

static void servers_are_judged_as_the_page_says(void **state)
{
	enum dmacc_refusal r;
	size_t i;

	(void)state;
	for (i = 0; i < DMACC_VECTORS_SERVER_COUNT; i++) {
		const struct dmacc_vector_server *v = &dmacc_vectors_server[i];

		r = dmacc_server_check(v->kind, v->server, v->server_len);
		assert_string_equal(dmacc_refusal_word(r), v->reason ? v->reason : "accepted");
	}
}

static void kdf_input_has_the_published_bytes(void **state)
{
	unsigned char input[1024];
	size_t i, len;

	(void)state;
	for (i = 0; i < DMACC_VECTORS_KDF_COUNT; i++) {
		const struct dmacc_vector_kdf *v = &dmacc_vectors_kdf[i];
		const struct dmacc_kdf_spec spec = { v->label, v->bits };

		len = dmacc_kdf_input(input, sizeof(input), &spec, v->context, v->context_len);
		assert_int_equal(len, v->input_len);
		assert_memory_equal(input, v->input, len);
		/* exactly enough room is enough, one byte less is not */
		assert_int_equal(dmacc_kdf_input(input, len, &spec, v->context, v->context_len),
				 len);
		assert_int_equal(dmacc_kdf_input(input, len - 1, &spec, v->context,
						 v->context_len), 0);
	}
}

static void base32_has_the_published_alphabet(void **state)
{
	char text[64];
	size_t i;

	(void)state;
	for (i = 0; i < DMACC_VECTORS_BASE32_COUNT; i++) {
		dmacc_base32(text, dmacc_vectors_base32[i].data, dmacc_vectors_base32[i].data_len);
		assert_string_equal(text, dmacc_vectors_base32[i].text);
	}
}

static void largest_context_and_input_fit_their_buffers(void **state)
{
	unsigned char server[DMACC_SERVER_MAX], context[DMACC_CONTEXT_MAX];
	unsigned char input[DMACC_KDF_INPUT_MAX];
	size_t len;

	(void)state;
	memset(server, 's', sizeof(server));
	len = dmacc_context_server(context, "IMEI:490154203237518", DMACC_DEVID_MAX,
				   DMACC_KIND_SERVER_ID, server, sizeof(server), 0xffffffff);
	assert_int_equal(len, sizeof(context));
	assert_int_equal(dmacc_kdf_input(input, sizeof(input),
					 dmacc_kdf_spec(DMACC_OUTPUT_SERVER_NONCE), context, len),
			 sizeof(input));
}

static void every_reason_has_a_word_and_a_sentence_of_its_own(void **state)
{
	enum dmacc_refusal r, other;

	(void)state;
	for (r = DMACC_REFUSED_MISSING; r <= DMACC_REFUSED_ACL_CHARACTER; r++) {
		assert_string_not_equal(dmacc_refusal_word(r), "unknown");
		for (other = r + 1; other <= DMACC_REFUSED_ACL_CHARACTER; other++)
			assert_string_not_equal(dmacc_refusal_word(r), dmacc_refusal_word(other));
		if (r < DMACC_REFUSED_UTF8)
			assert_string_not_equal(dmacc_devid_refusal_text(r),
						"it is not an identifier");
		else
			assert_string_not_equal(dmacc_server_refusal_text(r),
						"it is not a ServerID or Addr");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lenient_reader_accepts_and_normalises),
		cmocka_unit_test(lenient_reader_refuses_with_the_reason_and_writes_nothing),
		cmocka_unit_test(strict_reader_takes_canonical_forms_only),
		cmocka_unit_test(servers_are_judged_as_the_page_says),
		cmocka_unit_test(kdf_input_has_the_published_bytes),
		cmocka_unit_test(base32_has_the_published_alphabet),
		cmocka_unit_test(largest_context_and_input_fit_their_buffers),
		cmocka_unit_test(every_reason_has_a_word_and_a_sentence_of_its_own),
	};

	return cmocka_run_group_tests_name("core", tests, NULL, NULL);
}
