// SPDX-License-Identifier: GPL-2.0-only
/* Cells: each encoding of each kind, and what is none of them. */
#include "../../kmod/cell.c"

#include "fixture.h"

struct cell {
	enum dmacc_devid_kind kind;
	enum dmacc_cell_encoding encoding;
	size_t len;
	const char *bytes;
	const char *want;	/* the identifier, or why it is none */
};

#define CELL(_kind, _encoding, _bytes, _want)			\
	{							\
		.kind = DMACC_KIND_##_kind,			\
		.encoding = DMACC_CELL_##_encoding,		\
		.len = sizeof(_bytes) - 1,			\
		.bytes = (_bytes),				\
		.want = (_want),				\
	}

#define MEID "MEID:A0000000002329"
#define ESN "ESN:E69FFFFF"

static const struct cell good[] = {
	CELL(IMEI, ASCII, "490154203237518", KUNIT_DEVID),
	CELL(IMEI, ASCII, "490154203237518\0", KUNIT_DEVID),
	CELL(IMEI, ASCII, "490154203237518\0\0\0\0\0\0\0\0\0", KUNIT_DEVID),
	CELL(IMEI, BCD, "\x49\x01\x54\x20\x32\x37\x51\x8f", KUNIT_DEVID),
	CELL(IMEI, BCD_SWAPPED, "\x94\x10\x45\x02\x23\x73\x15\xf8", KUNIT_DEVID),
	CELL(IMEI, MOBILE_IDENTITY, "\x4a\x09\x51\x24\x30\x32\x57\x81", KUNIT_DEVID),
	CELL(IMEI, BE, "\x00\x01\xbd\xca\xeb\x2b\x4c\x8e", KUNIT_DEVID),
	CELL(IMEI, LE, "\x8e\x4c\x2b\xeb\xca\xbd\x01\x00", KUNIT_DEVID),
	/* zeros in front belong to it */
	CELL(IMEI, BE, "\x00\x00\x05\x49\x4a\xcc\xa9\xeb", "IMEI:005812345678315"),
	CELL(MEID, ASCII, "A0000000002329", MEID),
	CELL(MEID, BE, "\xa0\x00\x00\x00\x00\x23\x29", MEID),
	CELL(MEID, LE, "\x29\x23\x00\x00\x00\x00\xa0", MEID),
	CELL(ESN, ASCII, "E69FFFFF", ESN),
	CELL(ESN, BE, "\xe6\x9f\xff\xff", ESN),
	CELL(ESN, LE, "\xff\xff\x9f\xe6", ESN),
};

static const struct cell bad[] = {
	CELL(IMEI, ASCII, "", "it is blank"),
	CELL(IMEI, ASCII, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "it is blank"),
	CELL(IMEI, BCD, "\0\0\0\0\0\0\0\0", "it is blank"),
	CELL(IMEI, BCD_SWAPPED, "\xff\xff\xff\xff\xff\xff\xff\xff", "it is blank"),
	CELL(IMEI, BE, "\0\0\0\0\0\0\0\0", "it is blank"),
	CELL(ESN, LE, "\xff\xff\xff\xff", "it is blank"),
	CELL(IMEI, ASCII, "49015420323751", "it has another length than its encoding"),
	CELL(IMEI, ASCII, "4901542032375180", "it has another length than its encoding"),
	CELL(IMEI, ASCII, "490154203237518\xff", "it has another length than its encoding"),
	CELL(IMEI, ASCII, "IMEI:490154203237518", "it has another length than its encoding"),
	CELL(IMEI, BCD, "\x49\x01\x54\x20\x32\x37\x51", "it has another length than its encoding"),
	CELL(IMEI, BE, "\x01\xbd\xca\xeb\x2b\x4c\x8e", "it has another length than its encoding"),
	CELL(MEID, BE, "\x00\xa0\x00\x00\x00\x00\x23\x29",
	     "it has another length than its encoding"),
	CELL(ESN, BE, "\xe6\x9f\xff", "it has another length than its encoding"),
	/* an IMEISV, or one that is written in the other order */
	CELL(IMEI, BCD, "\x49\x01\x54\x20\x32\x37\x51\x80", "its 16th nibble is not the filler F"),
	CELL(IMEI, BCD, "\x94\x10\x45\x02\x23\x73\x15\xf8", "its 16th nibble is not the filler F"),
	CELL(IMEI, BCD_SWAPPED, "\x49\x01\x54\x20\x32\x37\x51\x8f",
	     "its 16th nibble is not the filler F"),
	CELL(IMEI, MOBILE_IDENTITY, "\x94\x10\x45\x02\x23\x73\x15\xf8",
	     "its type is not that of an IMEI"),
	CELL(MEID, BCD, "\x49\x01\x54\x20\x32\x37\x51\x8f", "only an IMEI has this encoding"),
	CELL(IMEI, LE, "\x00\x01\xbd\xca\xeb\x2b\x4c\x8e", "it is a larger number than an IMEI"),
	CELL(IMEI, BE, "\x00\x03\x8d\x7e\xa4\xc6\x80\x00", "it is a larger number than an IMEI"),
};

/* For these the strict reader of uapi/core has the word */
static const struct {
	struct cell cell;
	enum dmacc_refusal want;
} refused[] = {
	{ CELL(IMEI, ASCII, "490154203237517", NULL), DMACC_REFUSED_CHECK_DIGIT },
	{ CELL(IMEI, BCD, "\x49\x01\x54\x20\x32\x37\x51\x7f", NULL), DMACC_REFUSED_CHECK_DIGIT },
	{ CELL(IMEI, BE, "\x00\x01\xbd\xca\xeb\x2b\x4c\x8f", NULL), DMACC_REFUSED_CHECK_DIGIT },
	{ CELL(IMEI, ASCII, "000000000000000", NULL), DMACC_REFUSED_ALL_SAME },
	{ CELL(IMEI, BCD, "\0\0\0\0\0\0\0\x0f", NULL), DMACC_REFUSED_ALL_SAME },
	{ CELL(IMEI, ASCII, "49015420323751A", NULL), DMACC_REFUSED_NOT_CANONICAL },
	{ CELL(IMEI, ASCII, "\x80\xfe\x01 \xff%s%n\n\t-:;,", NULL), DMACC_REFUSED_NOT_CANONICAL },
	{ CELL(IMEI, BCD, "\xab\xcd\xef\x20\x32\x37\x51\x8f", NULL), DMACC_REFUSED_NOT_CANONICAL },
	{ CELL(MEID, ASCII, "a0000000002329", NULL), DMACC_REFUSED_NOT_CANONICAL },
	{ CELL(MEID, BE, "\x49\x01\x54\x20\x32\x37\x51", NULL), DMACC_REFUSED_NOT_CANONICAL },
	{ CELL(MEID, BE, "\x0a\x00\x00\x00\x00\x23\x29", NULL), DMACC_REFUSED_FIRST_DIGIT },
	{ CELL(ESN, BE, "\x80\x01\x02\x03", NULL), DMACC_REFUSED_PESN },
};

/* The content in memory of exactly its length: what reads further is found */
static const char *read_cell(struct kunit *test, const struct cell *cell, char *ret)
{
	u8 *bytes = kunit_kzalloc(test, max_t(size_t, cell->len, 1), GFP_KERNEL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bytes);
	memcpy(bytes, cell->bytes, cell->len);
	return dmacc_cell_read(cell->kind, cell->encoding, bytes, cell->len, ret);
}

static void each_encoding_gives_the_canonical_form(struct kunit *test)
{
	char devid[DMACC_DEVID_MAX + 1];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		memset(devid, 'x', sizeof(devid));
		KUNIT_EXPECT_TRUE_MSG(test, !read_cell(test, &good[i], devid), "row %zu", i);
		devid[DMACC_DEVID_MAX] = '\0';
		KUNIT_EXPECT_STREQ_MSG(test, devid, good[i].want, "row %zu", i);
	}
}

static void expect_refused(struct kunit *test, const struct cell *cell, const char *want,
			   size_t row)
{
	char devid[DMACC_DEVID_MAX + 1] = "untouched";
	const char *reason = read_cell(test, cell, devid);

	KUNIT_EXPECT_STREQ_MSG(test, reason ? reason : "(taken)", want, "row %zu", row);
	KUNIT_EXPECT_STREQ_MSG(test, devid, "untouched", "row %zu", row);
}

static void what_does_not_fit_its_encoding_is_refused(struct kunit *test)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		expect_refused(test, &bad[i], bad[i].want, i);
}

static void what_is_not_an_identifier_is_refused_by_the_strict_reader(struct kunit *test)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(refused); i++)
		expect_refused(test, &refused[i].cell,
			       dmacc_devid_refusal_text(refused[i].want), i);
}

static void encodings_are_known_by_their_names(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, dmacc_cell_encoding("ascii"), (int)DMACC_CELL_ASCII);
	KUNIT_EXPECT_EQ(test, dmacc_cell_encoding("bcd"), (int)DMACC_CELL_BCD);
	KUNIT_EXPECT_EQ(test, dmacc_cell_encoding("bcd-swapped"), (int)DMACC_CELL_BCD_SWAPPED);
	KUNIT_EXPECT_EQ(test, dmacc_cell_encoding("mobile-identity"),
			(int)DMACC_CELL_MOBILE_IDENTITY);
	KUNIT_EXPECT_EQ(test, dmacc_cell_encoding("big-endian"), (int)DMACC_CELL_BE);
	KUNIT_EXPECT_EQ(test, dmacc_cell_encoding("little-endian"), (int)DMACC_CELL_LE);
	KUNIT_EXPECT_EQ(test, dmacc_cell_encoding("BCD"), -EINVAL);
	KUNIT_EXPECT_EQ(test, dmacc_cell_encoding(""), -EINVAL);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(each_encoding_gives_the_canonical_form),
	KUNIT_CASE(what_does_not_fit_its_encoding_is_refused),
	KUNIT_CASE(what_is_not_an_identifier_is_refused_by_the_strict_reader),
	KUNIT_CASE(encodings_are_known_by_their_names),
	{}
};

static struct kunit_suite suite = {
	.name = "dmacc-cell",
	.test_cases = cases,
};

kunit_test_suite(suite);
