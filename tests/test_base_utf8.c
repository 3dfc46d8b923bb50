/* UTF-8 checking, against a decoder and over every code point. */
#include <string.h>

#include "base/utf8.h"
#include "harness.h"
#include "test_base.h"

static size_t encode(unsigned long code, char out[5])
{
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (code & 0x3F));
        code >>= 6;
    }
    out[0] = (char)(lead[n] | code);
    out[n] = '\0';
    return n;
}

static void every_code_point(void)
{
    size_t n_bad = 0;
    for (unsigned long code = 1; code < 0x120000; code++) {
        char text[5];
        size_t n = encode(code, text);
        bool sound = code < 0x110000 && (code < 0xD800 || code > 0xDFFF);
        n_bad += weft_utf8_len(text) != (sound ? n : 0) || weft_utf8_valid(text) != sound;
        text[n - 1] = '\0'; /* cut short */
        n_bad += n > 1 && weft_utf8_len(text) != 0;
    }
    CHECK_UINT(n_bad, 0);
}

static void broken_texts(void)
{
    static const char *const texts[] = {
        "\x80",
        "a\xBF",
        "\xC0\x80",
        "\xC1\xBF",
        "\xE0\x9F\xBF",
        "\xED\xA0\x80",
        "\xF0\x8F\xBF\xBF",
        "\xF4\x90\x80\x80",
        "\xF5\x80\x80\x80",
        "\xFF",
        "\xE2\x28\xA1",
        "\xE2\x82\x28",
        "\xF0\x9F\x98\x28",
        "\xF0\x9F\x28\x80",
        "abc\xC3",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        CHECK(!weft_utf8_valid(texts[i]));
    }
    CHECK(weft_utf8_valid(""));
    CHECK(weft_utf8_valid("weft \xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80 end"));
}

CU_TestInfo utf8_tests[] = {
    {"every code point", every_code_point},
    {"broken texts", broken_texts},
    CU_TEST_INFO_NULL,
};
