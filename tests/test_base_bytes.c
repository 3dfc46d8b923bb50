/* Rows of bytes, and protocol buffers in them. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "harness.h"
#include "test_base.h"

static void numbers_are_little_endian(void)
{
    struct weft_bytes bytes = {0};
    weft_bytes_add_number(&bytes, 0x04030201, 4);
    weft_bytes_add_number(&bytes, 0x1FF, 1);
    weft_bytes_add_floats(&bytes, (const float[]){1, -0.0f}, 2);
    weft_bytes_add_text(&bytes, "ab");
    weft_bytes_add(&bytes, NULL, 0);
    CHECK_UINT(bytes.n, 15);
    CHECK_BYTES(bytes.data,
                "\1\2\3\4\xFF\0\0\x80\x3F\0\0\0\x80"
                "ab",
                15);
    weft_bytes_release(&bytes);
    CHECK(bytes.data == NULL && bytes.n == 0);
}

/* The example of the encoding guide, and an attribute of ONNX: transB = 1. */
static void messages_as_protobuf_says(void)
{
    struct weft_bytes bytes = {0};
    weft_proto_varint(&bytes, 1, 150);
    size_t at = weft_proto_begin(&bytes, 3);
    weft_proto_text(&bytes, 1, "transB");
    weft_proto_varint(&bytes, 3, 1);
    weft_proto_varint(&bytes, 20, 2);
    weft_proto_end(&bytes, at);
    weft_proto_f32(&bytes, 2, 1);
    static const unsigned char wanted[] = {
        0x08, 0x96, 0x01, 0x1a, 0x0d, 0x0a, 0x06, 0x74, 0x72, 0x61, 0x6e, 0x73,
        0x42, 0x18, 0x01, 0xa0, 0x01, 0x02, 0x15, 0x00, 0x00, 0x80, 0x3f,
    };
    CHECK_UINT(bytes.n, sizeof wanted);
    CHECK_BYTES(bytes.data, wanted, sizeof wanted);
    weft_bytes_release(&bytes);
}

/* Sizes at both sides of where they take a byte more. */
static void sizes_of_messages(void)
{
    static const size_t sizes[] = {0, 1, 127, 128, 16383, 16384, 2097151, 2097152};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct weft_bytes bytes = {0};
        size_t at = weft_proto_begin(&bytes, 1);
        for (size_t k = 0; k < sizes[i]; k++) {
            weft_bytes_add_number(&bytes, k * 7, 1);
        }
        weft_proto_end(&bytes, at);
        size_t n = 0, digit = 1;
        for (; bytes.data[digit] >= 0x80; digit++) {
            n |= (size_t)(bytes.data[digit] & 0x7F) << 7 * (digit - 1);
        }
        n |= (size_t)bytes.data[digit] << 7 * (digit - 1);
        CHECK_UINT(n, sizes[i]);
        CHECK_UINT(bytes.n, digit + 1 + n);
        for (size_t k = 0; k < n; k++) {
            if (bytes.data[digit + 1 + k] != (unsigned char)(k * 7)) {
                CHECK_UINT(bytes.data[digit + 1 + k], (unsigned char)(k * 7));
                break;
            }
        }
        weft_bytes_release(&bytes);
    }
}

static void no_memory_is_remembered(void)
{
    struct weft_bytes bytes = {0};
    weft_bytes_add_text(&bytes, "a");
    weft_mem_fail_at(1);
    size_t at = weft_proto_begin(&bytes, 1);
    weft_mem_fail_at(0);
    weft_proto_text(&bytes, 1, "more");
    weft_proto_end(&bytes, at);
    CHECK(bytes.failed);
    CHECK_UINT(bytes.n, 1);
    weft_bytes_release(&bytes);
    weft_bytes_add_floats(&bytes, NULL, SIZE_MAX / 2);
    CHECK(bytes.failed);
    weft_bytes_release(&bytes);
}

CU_TestInfo bytes_tests[] = {
    {"numbers are little-endian", numbers_are_little_endian},
    {"messages as protobuf says", messages_as_protobuf_says},
    {"sizes of messages", sizes_of_messages},
    {"no memory is remembered", no_memory_is_remembered},
    CU_TEST_INFO_NULL,
};
