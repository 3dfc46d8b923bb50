/* Statuses and messages. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/utf8.h"
#include "harness.h"
#include "test_base.h"

static void status_names(void)
{
    for (int a = WEFT_OK; a <= WEFT_ERR_STOPPED; a++) {
        const char *name = weft_status_name((weft_status)a);
        CHECK(strcmp(name, "unknown status") != 0);
        for (int b = WEFT_OK; b < a; b++) {
            CHECK(strcmp(name, weft_status_name((weft_status)b)) != 0);
        }
    }
    CHECK_STR(weft_status_name((weft_status)(WEFT_ERR_STOPPED + 1)), "unknown status");
    CHECK_STR(weft_status_name((weft_status)-1), "unknown status");
}

static void message_and_status(void)
{
    weft_error err = {.saved_errno = 7};
    CHECK_STATUS(weft_fail(&err, WEFT_ERR_FORMAT, "%s: %d bytes, wanted %d", "a.gz", 3, 4),
                 WEFT_ERR_FORMAT, &err);
    CHECK_INT(err.status, WEFT_ERR_FORMAT);
    CHECK_INT(err.saved_errno, 0);
    CHECK_STR(err.message, "a.gz: 3 bytes, wanted 4");
    CHECK_STATUS(weft_fail_nomem(&err, "a row"), WEFT_ERR_NOMEM, &err);
    CHECK_STR(err.message, "no memory for a row");
}

static void nobody_wants_the_message(void)
{
    CHECK_STATUS(weft_fail(NULL, WEFT_ERR_ARG, "%s", "x"), WEFT_ERR_ARG, NULL);
    CHECK_STATUS(weft_fail_errno(NULL, ENOENT, "%s", "x"), WEFT_ERR_IO, NULL);
    CHECK_STATUS(weft_fail_nomem(NULL, "x"), WEFT_ERR_NOMEM, NULL);
}

static void errno_text(void)
{
    weft_error err;
    CHECK_STATUS(weft_fail_errno(&err, ENOENT, "%s: cannot open", "x.csv"), WEFT_ERR_IO, &err);
    CHECK_INT(err.saved_errno, ENOENT);
    CHECK_STR(err.message, "x.csv: cannot open: No such file or directory");
    CHECK_STATUS(weft_fail_errno(&err, ENOMEM, "open"), WEFT_ERR_NOMEM, &err);
    CHECK_INT(err.saved_errno, ENOMEM);
    CHECK_STATUS(weft_fail_errno(&err, 99999, "open"), WEFT_ERR_IO, &err);
    CHECK_HAS(err.message, "99999");
}

/* A message may be put before or behind another without a buffer in between. */
static void message_among_its_arguments(void)
{
    weft_error err;
    weft_status status = weft_fail(&err, WEFT_ERR_FORMAT, "bad header");
    status = weft_fail(&err, status, "%s: %s!", "m.safetensors", err.message);
    CHECK_STATUS(status, WEFT_ERR_FORMAT, &err);
    CHECK_STR(err.message, "m.safetensors: bad header!");
}

/* Whatever the length, the start and the end stay, and no character is cut in two. */
static void long_messages_lose_their_middle(void)
{
    enum { MAX = 6000 };
    static const char *const fills[] = {"a", "\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"};
    char *path = malloc(MAX + 8);
    for (size_t f = 0; f < sizeof fills / sizeof *fills; f++) {
        size_t unit = strlen(fills[f]);
        for (size_t n = 400; n < MAX; n += n < 600 ? 1 : 997) {
            size_t len = 0;
            while (len < n) {
                memcpy(path + len, fills[f], unit + 1);
                len += unit;
            }
            weft_error err;
            memset(&err, 0x55, sizeof err);
            (void)weft_fail_errno(&err, ENOENT, "at %s: cannot open", path);
            size_t got = strnlen(err.message, sizeof err.message);
            CHECK(got < sizeof err.message);
            CHECK(got + 12 > sizeof err.message || strstr(err.message, " ... ") == NULL);
            CHECK(weft_utf8_valid(err.message));
            CHECK(strncmp(err.message, "at ", 3) == 0);
            if (n < 4000) {
                CHECK_HAS(err.message, ": cannot open: No such file or directory");
            } else {
                CHECK_HAS(err.message, ": No such file or directory");
            }
        }
    }
    free(path);
}

static void messages_are_one_line_of_utf8(void)
{
    weft_error err;
    (void)weft_fail(&err, WEFT_ERR_IO, "%s", "a\nb\tc\x1b[31m\x7f\xff\xc3,\xc3\xa4\xe2\x82");
    CHECK_STR(err.message, "a?b?c?[31m???,\xc3\xa4??");
}

CU_TestInfo fail_tests[] = {
    {"status names", status_names},
    {"message and status", message_and_status},
    {"nobody wants the message", nobody_wants_the_message},
    {"errno text", errno_text},
    {"message among its arguments", message_among_its_arguments},
    {"long messages lose their middle", long_messages_lose_their_middle},
    {"messages are one line of UTF-8", messages_are_one_line_of_utf8},
    CU_TEST_INFO_NULL,
};
