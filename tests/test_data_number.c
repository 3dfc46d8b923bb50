/* Numbers in text: the same double and float as strtod under the C locale, by every path. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "data/number.h"
#include "harness.h"
#include "test_data.h"

static bool same_float(float a, float b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

static bool same_double(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

/* text must be read as strtod reads it (the program runs under the C locale). */
static void check_number(const char *text)
{
    double wanted = strtod(text, NULL);
    double wide = -1;
    float narrow = -1, quick = -1;
    size_t len = strlen(text);
    bool passed =
        weft_number_double(text, len, &wide) == WEFT_NUMBER_OK && same_double(wide, wanted);
    if (isfinite((float)wanted)) {
        passed = passed && weft_number_float(text, len, &narrow) == WEFT_NUMBER_OK &&
                 same_float(narrow, (float)wanted);
        const char *end = weft_number_scan(text, &quick);
        passed = passed && (end == NULL || (end == text + len && same_float(quick, narrow)));
    }
    if (!passed) {
        printf("\n%s: wanted %.17g, double %.17g, float %.9g, quick %.9g", text, wanted, wide,
               (double)narrow, (double)quick);
    }
    CHECK(passed);
}

static void listed(void)
{
    static const char *const texts[] = {
        "0",
        "-0",
        "+0",
        "1",
        "-1",
        "+1",
        "255",
        "007",
        "1.",
        ".5",
        "-.5",
        "1.5",
        "0.1",
        "1e3",
        "1E3",
        "1e+3",
        "1e-3",
        "1.25e2",
        "3.4028235e38",
        "1e-45",
        "1e-46",
        "1e-400",
        "4.9e-324",
        "1.7976931348623157e308",
        "9007199254740992",
        "9007199254740993",
        "9007199254740991",
        "18446744073709551615",
        "18446744073709551616",
        "123456789012345678901234567890",
        "0.1000000000000000055511151231257827",
        "1e22",
        "1e23",
        "1e-22",
        "1e-23",
        "8388608.5",
        "8388609.5",
        "16777217",
        "16777219",
        "33554434.000000001",
        "0.000000000000000000000000000000000000011754943508222875",
        "1.00000005960464477539062500",
        "1.00000005960464477539062501",
        "2.2250738585072011e-308",
        "0.00000000000000000000000000000000000000000000000",
        "1e-99999999999",
        "0e99999999999",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        check_number(texts[i]);
    }
}

static void random_bits(void)
{
    for (uint64_t i = 0; i < 20000; i++) {
        uint64_t bits = weft_rng_u64(1, 2, i);
        double value;
        memcpy(&value, &bits, sizeof value);
        char text[64];
        if (isfinite(value)) {
            snprintf(text, sizeof text, "%.17g", value);
            check_number(text);
        }
        float narrow;
        uint32_t half = (uint32_t)bits;
        memcpy(&narrow, &half, sizeof narrow);
        if (isfinite(narrow)) {
            snprintf(text, sizeof text, "%.9g", (double)narrow);
            check_number(text);
        }
    }
}

/* What files hold: few and many digits around 1, plain notation. */
static void random_decimals(void)
{
    for (uint64_t i = 0; i < 20000; i++) {
        double value = (weft_rng_uniform(3, 4, i) - 0.5) * pow(10, (double)(i % 9) - 3);
        char text[64];
        snprintf(text, sizeof text, "%.*f", (int)(i % 20), value);
        check_number(text);
        snprintf(text, sizeof text, "%.17g", value);
        check_number(text);
    }
}

/* The middle between two floats and its nearest neighbours in decimals of 17 to 19 digits, where
 * the quick way must step aside. */
static void middles(void)
{
    for (uint64_t i = 0; i < 2000; i++) {
        float low = (float)(1 + 100 * weft_rng_uniform(5, 6, i));
        double middle = ((double)low + (double)nextafterf(low, 1000)) / 2;
        for (int step = -2; step <= 2; step++) {
            double value = middle;
            for (int k = 0; k < abs(step); k++) {
                value = nextafter(value, step < 0 ? 0 : 1000);
            }
            char text[64];
            for (int digits = 15; digits <= 25; digits++) {
                snprintf(text, sizeof text, "%.*g", digits, value);
                check_number(text);
            }
        }
    }
}

static void no_numbers(void)
{
    static const char *const texts[] = {
        "",      "-",   "+",   ".",     "-.",    "e5",       "1e",    "1e+",          "1e-", "0x10",
        "0x1p3", "nan", "NaN", "inf",   "-inf",  "infinity", "1.2.3", "1,5",          " 1",  "1 ",
        "1f",    "--1", "+-1", "1e5.5", "1e0x1", "1_000",    "abc",   "\xEF\xBC\x91", "1\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        double value = 7;
        size_t len = strlen(texts[i]);
        if (!CHECK_INT(weft_number_double(texts[i], len, &value), WEFT_NUMBER_NOT)) {
            printf(" for '%s'", texts[i]);
        }
        CHECK(same_double(value, 7));
    }
    CHECK_INT(weft_number_double("1\0002", 3, &(double){0}), WEFT_NUMBER_NOT);
    char digits[2000];
    memset(digits, '1', sizeof digits);
    CHECK_INT(weft_number_double(digits, sizeof digits, &(double){0}), WEFT_NUMBER_NOT);
}

static void too_large(void)
{
    static const char *const texts[] = {"1e999", "-1e999", "1.8e308", "1e99999999999999999999"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        double value;
        CHECK_INT(weft_number_double(texts[i], strlen(texts[i]), &value), WEFT_NUMBER_RANGE);
    }
    float value;
    CHECK_INT(weft_number_float("1e39", 4, &value), WEFT_NUMBER_RANGE);
    CHECK_INT(weft_number_float("-3.4028236e38", 13, &value), WEFT_NUMBER_RANGE);
    CHECK(weft_number_scan("1e39", &value) == NULL);
    CHECK_INT(weft_number_float("3.4028235e38", 12, &value), WEFT_NUMBER_OK);
    CHECK(same_float(value, FLT_MAX));
}

static void scan_stops_where_the_number_does(void)
{
    static const struct {
        const char *text;
        size_t len;
        float value;
    } cases[] = {
        {"12,3", 2, 12}, {"0.5;", 3, 0.5f}, {"-3\t4", 2, -3}, {"7\r", 1, 7}, {"1e2,", 3, 100}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        float value = 0;
        const char *end = weft_number_scan(cases[i].text, &value);
        CHECK(end == cases[i].text + cases[i].len);
        CHECK(same_float(value, cases[i].value));
    }
    CHECK(weft_number_scan("abc", &(float){0}) == NULL);
    CHECK(weft_number_scan("", &(float){0}) == NULL);
}

static void whole_numbers(void)
{
    CHECK(weft_number_is_whole(0));
    CHECK(weft_number_is_whole(-3));
    CHECK(weft_number_is_whole(0x1p53 - 1));
    CHECK(!weft_number_is_whole(0x1p53));
    CHECK(!weft_number_is_whole(0.5));
    CHECK(!weft_number_is_whole((double)NAN));
    CHECK(!weft_number_is_whole((double)INFINITY));
}

CU_TestInfo number_tests[] = {
    {"listed", listed},
    {"random bits", random_bits},
    {"random decimals", random_decimals},
    {"middles", middles},
    {"no numbers", no_numbers},
    {"too large", too_large},
    {"scan stops where the number does", scan_stops_where_the_number_does},
    {"whole numbers", whole_numbers},
    CU_TEST_INFO_NULL,
};
