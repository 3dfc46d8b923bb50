/* Every way in which compressed data can be broken, seen through small IDX files: each must be an
 * error, and none may pass for a normal end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/gzstream.h"
#include "harness.h"
#include "test_data.h"

#define N 5

/* Images as gzip data; what to do with them is up to the test. */
static struct bytes packed_images(void)
{
    struct bytes plain = small_images(N);
    struct bytes packed = gzip(plain.at, plain.n);
    bytes_free(&plain);
    return packed;
}

static const char *plain_labels(void)
{
    return write_bytes("gz-labels", small_labels(N));
}

/* The images must be those of small_images(). */
static void check_images(const weft_dataset *data)
{
    CHECK_UINT(weft_dataset_samples(data), N);
    struct bytes plain = small_images(N);
    CHECK_BYTES(weft_dataset_x(data).data, plain.at + 16, 6 * N);
    bytes_free(&plain);
}

static void loads(struct bytes images)
{
    const char *labels = plain_labels();
    weft_dataset *data = load(pair_of(write_bytes("gz-images", images), labels), NULL);
    if (data != NULL) {
        check_images(data);
        CHECK_STR(weft_dataset_format(data), "IDX, gzip");
        weft_dataset_free(data);
    }
}

static void whole(void)
{
    loads(packed_images());
}

static void two_members(void)
{
    struct bytes plain = small_images(N);
    struct bytes packed = gzip(plain.at, 20);
    struct bytes second = gzip(plain.at + 20, plain.n - 20);
    bytes_add(&packed, second.at, second.n);
    bytes_free(&plain);
    bytes_free(&second);
    loads(packed);
}

static void empty_members(void)
{
    struct bytes packed = gzip("", 0), middle = packed_images(), last = gzip("", 0);
    bytes_add(&packed, middle.at, middle.n);
    bytes_add(&packed, last.at, last.n);
    bytes_free(&middle);
    bytes_free(&last);
    loads(packed);
}

static void zero_padding(void)
{
    static const char zeros[300000]; /* more than one read */
    struct bytes packed = packed_images();
    bytes_add(&packed, zeros, 1);
    loads(packed);
    packed = packed_images();
    bytes_add(&packed, zeros, sizeof zeros);
    loads(packed);
}

static void truncated_at_every_byte(void)
{
    const char *labels = plain_labels();
    struct bytes packed = packed_images();
    for (size_t n = 0; n < packed.n; n++) {
        const char *images = harness_write_file("gz-images", packed.at, n);
        /* Below two bytes nothing tells that it was to be gzip. */
        REFUSES(pair_of(images, labels), NULL, WEFT_ERR_FORMAT, images,
                n == 0   ? "the file is empty"
                : n == 1 ? "not an IDX file"
                         : "truncated: the file ends after");
    }
    bytes_free(&packed);
}

static void truncated_in_second_member(void)
{
    const char *labels = plain_labels();
    struct bytes plain = small_images(N);
    struct bytes packed = gzip(plain.at, 20), second = gzip(plain.at + 20, plain.n - 20);
    for (size_t n = 0; n < second.n; n++) {
        struct bytes cut = {0};
        bytes_add(&cut, packed.at, packed.n);
        bytes_add(&cut, second.at, n);
        const char *wanted = n == 0   ? "holds 4 bytes of data, its header promises 30"
                             : n == 1 ? "trailing garbage"
                                      : "truncated";
        REFUSES(pair_of(write_bytes("gz-images", cut), labels), NULL, WEFT_ERR_FORMAT, wanted);
    }
    bytes_free(&plain);
    bytes_free(&packed);
    bytes_free(&second);
}

static void bad_check_sum_and_length(void)
{
    const char *labels = plain_labels();
    struct bytes packed = packed_images();
    packed.at[packed.n - 8] ^= 1;
    const char *images = write_bytes("gz-images", packed);
    REFUSES(pair_of(images, labels), NULL, WEFT_ERR_FORMAT, images, "check sum (CRC-32)");
    packed = packed_images();
    packed.at[packed.n - 1] ^= 1;
    images = write_bytes("gz-images", packed);
    REFUSES(pair_of(images, labels), NULL, WEFT_ERR_FORMAT, images, "length is not the one stated");
}

static void trailing_garbage(void)
{
    static const char *const garbage[] = {"x", "\x1f", "\x1f\x8c\x08", "hello, world"};
    const char *labels = plain_labels();
    for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
        struct bytes packed = packed_images();
        bytes_add(&packed, garbage[i], strlen(garbage[i]));
        const char *images = write_bytes("gz-images", packed);
        REFUSES(pair_of(images, labels), NULL, WEFT_ERR_FORMAT, images, "trailing garbage");
    }
    struct bytes packed = packed_images();
    bytes_add(&packed, "\0\0\0x", 4);
    REFUSES(pair_of(write_bytes("gz-images", packed), labels), NULL, WEFT_ERR_FORMAT,
            "trailing garbage");
    packed = packed_images();
    bytes_add(&packed, "\x1f\x8b garbage that starts like a member", 36);
    REFUSES(pair_of(write_bytes("gz-images", packed), labels), NULL, WEFT_ERR_FORMAT,
            "corrupt gzip data");
}

/* A flipped bit is either noticed or in a field that does not matter, such as the time. */
static void every_flipped_bit(void)
{
    const char *labels = plain_labels();
    struct bytes packed = packed_images();
    size_t n_passed = 0;
    for (size_t bit = 0; bit < 8 * packed.n; bit++) {
        packed.at[bit / 8] ^= (unsigned char)(1 << bit % 8);
        const char *images = harness_write_file("gz-images", packed.at, packed.n);
        packed.at[bit / 8] ^= (unsigned char)(1 << bit % 8);
        weft_error err = {0};
        weft_dataset *data = NULL;
        weft_status status = weft_dataset_load(pair_of(images, labels), NULL, &data, &err);
        if (status == WEFT_OK) {
            check_images(data);
            weft_dataset_free(data);
            n_passed++;
        } else {
            /* The number of samples may be what the bit changed. */
            CHECK(status == WEFT_ERR_FORMAT || status == WEFT_ERR_MISMATCH);
        }
    }
    CHECK(n_passed <= 8 * 7); /* time, extra flags, system, and the flag that says "text" */
    bytes_free(&packed);
}

static void not_compressed_but_named_so(void)
{
    const char *labels = plain_labels();
    const char *images = write_text("text-images.gz", "<html>404</html>\n");
    REFUSES(pair_of(images, labels), NULL, WEFT_ERR_FORMAT, images, "not an IDX file",
            "3c 68 74 6d", "named .gz, but is not compressed");
    const char *csv = write_text("table.csv.gz", "a,b\n1,2\n");
    REFUSES(csv, NULL, WEFT_ERR_FORMAT, csv, "named .gz, but it is plain text");
    /* Some programs decompress while they fetch and keep the name: harmless, as IDX is known by its
     * content. */
    weft_dataset *data =
        load(pair_of(write_bytes("plain-images.gz", small_images(N)), labels), NULL);
    if (data != NULL) {
        check_images(data);
        CHECK_STR(weft_dataset_format(data), "IDX");
        weft_dataset_free(data);
    }
}

static void compressed_but_not_named_so(void)
{
    static const char text[] = "y,a\n1,2.5\n0,3.5\n";
    weft_dataset *data = load(write_bytes("packed.csv", gzip(text, sizeof text - 1)), NULL);
    if (data != NULL) {
        CHECK_UINT(weft_dataset_samples(data), 2);
        CHECK_STR(weft_dataset_format(data), "CSV, gzip");
        weft_dataset_free(data);
    }
}

static void broken_csv(void)
{
    static const char text[] = "y,a\n1,2.5\n0,3.5\n";
    struct bytes packed = gzip(text, sizeof text - 1);
    for (size_t n = 2; n < packed.n; n++) {
        REFUSES(harness_write_file("cut.csv.gz", packed.at, n), NULL, WEFT_ERR_FORMAT, "cut.csv.gz",
                "truncated");
    }
    packed.at[packed.n - 5] ^= 0x40;
    REFUSES(write_bytes("bad.csv.gz", packed), NULL, WEFT_ERR_FORMAT, "check sum");
}

/* Headers of gzip (RFC 1952, section 2.3) that promise more than comes, or what nobody knows. */
static void headers_that_lie(void)
{
    static const struct {
        unsigned char flags;
        const char *part;
    } cases[] = {
        {0x04, "truncated"},         /* an extra field of 65535 bytes */
        {0x08, "truncated"},         /* a name without end */
        {0x10, "truncated"},         /* a comment without end */
        {0x02, "corrupt gzip data"}, /* a check sum of the header that is none */
        {0x20, "unknown header flags set"},
        {0xE0, "unknown header flags set"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes file = {0};
        bytes_add(&file, "\x1f\x8b\x08\0\0\0\0\0\0\3", 10);
        file.at[3] = cases[i].flags;
        for (size_t j = 0; j < 40000; j++) {
            bytes_add(&file, "\xff", 1);
        }
        REFUSES(write_bytes("header.gz", file), NULL, WEFT_ERR_FORMAT, "header.gz", cases[i].part);
    }
    static const unsigned char method[] = "\x1f\x8b\x07\0\0\0\0\0\0\3";
    REFUSES(harness_write_file("method.gz", method, 10), NULL, WEFT_ERR_FORMAT,
            "unknown compression method");
}

/* A few hundred kilobytes that unpack to 200 MB, behind a header that promises 24 bytes. */
static void bombs(void)
{
    const size_t n = (size_t)200 << 20;
    unsigned char *zeros = calloc(n, 1);
    if (zeros == NULL) {
        return;
    }
    struct bytes images = small_images(4);
    memcpy(zeros, images.at, images.n);
    bytes_free(&images);
    const char *labels = write_bytes("labels", small_labels(4));
    const char *bomb = write_bytes("bomb.gz", gzip(zeros, n));
    free(zeros);
    REFUSES(pair_of(bomb, labels), NULL, WEFT_ERR_FORMAT, "goes on after the 24 bytes");
}

/* Reads in pieces of every size up to 9 give the same bytes, after a look ahead too. */
static void pieces(void)
{
    struct bytes content = {0};
    for (unsigned i = 0; i < 1000; i++) {
        unsigned char byte = (unsigned char)(i * i / 7);
        bytes_add(&content, &byte, 1);
    }
    for (size_t step = 1; step < 10; step++) {
        const char *path = write_bytes("pieces", gzip(content.at, content.n));
        struct weft_gzstream *stream = NULL;
        weft_error err = {0};
        if (!CHECK_OK(weft_gzstream_open(path, &stream, &err), &err)) {
            break;
        }
        const unsigned char *head = NULL;
        size_t n_head = 0, total = 0, got = 0;
        CHECK_OK(weft_gzstream_peek(stream, &head, &n_head, &err), &err);
        CHECK_UINT(n_head, WEFT_GZSTREAM_PEEK);
        CHECK_BYTES(head, content.at, n_head);
        unsigned char read[1000 + 10];
        do {
            CHECK_OK(weft_gzstream_read(stream, read + total, step, &got, &err), &err);
            total += got;
        } while (got == step && total <= 1000);
        CHECK_UINT(total, 1000);
        CHECK_BYTES(read, content.at, 1000);
        weft_gzstream_close(stream);
    }
    bytes_free(&content);
}

CU_TestInfo gzstream_tests[] = {
    {"whole", whole},
    {"two members", two_members},
    {"empty members", empty_members},
    {"zero padding", zero_padding},
    {"truncated at every byte", truncated_at_every_byte},
    {"truncated in second member", truncated_in_second_member},
    {"bad check sum and length", bad_check_sum_and_length},
    {"trailing garbage", trailing_garbage},
    {"every flipped bit", every_flipped_bit},
    {"not compressed but named so", not_compressed_but_named_so},
    {"compressed but not named so", compressed_but_not_named_so},
    {"broken csv", broken_csv},
    {"headers that lie", headers_that_lie},
    {"bombs", bombs},
    {"pieces", pieces},
    CU_TEST_INFO_NULL,
};
