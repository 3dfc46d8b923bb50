/* NumPy's files: every type, order and packing, and headers and archives that lie. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "harness.h"
#include "test_data.h"

static void add_little_endian(struct bytes *bytes, uint64_t value, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char byte = i < 8 ? (unsigned char)(value >> 8 * i) : 0;
        bytes_add(bytes, &byte, 1);
    }
}

/* A file of version 1 with that dictionary and data behind it. */
static struct bytes npy_of(const char *dictionary, const void *data, size_t n)
{
    struct bytes file = {0};
    size_t len = strlen(dictionary) + 1;
    size_t padding = (64 - (10 + len) % 64) % 64;
    bytes_add(&file, "\x93NUMPY\1\0", 8);
    add_little_endian(&file, len + padding, 2);
    bytes_add(&file, dictionary, len - 1);
    for (size_t i = 0; i < padding; i++) {
        bytes_add(&file, " ", 1);
    }
    bytes_add(&file, "\n", 1);
    bytes_add(&file, data, n);
    return file;
}

static struct bytes array_of(const char *descr, bool fortran, const char *shape, const void *data,
                             size_t n)
{
    char text[200];
    snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }", descr,
             fortran ? "True" : "False", shape);
    return npy_of(text, data, n);
}

/* n samples of 2 x 3 bytes counting up from 0, and their labels 0, 1, 2, 0, ... */
static struct bytes small_x(size_t n)
{
    char shape[40];
    snprintf(shape, sizeof shape, "(%zu, 2, 3)", n);
    unsigned char *data = malloc(6 * n);
    for (size_t i = 0; i < 6 * n; i++) {
        data[i] = (unsigned char)i;
    }
    struct bytes file = array_of("|u1", false, shape, data, 6 * n);
    free(data);
    return file;
}

static struct bytes small_y(size_t n)
{
    char shape[40];
    snprintf(shape, sizeof shape, "(%zu,)", n);
    struct bytes data = {0};
    for (size_t i = 0; i < n; i++) {
        add_little_endian(&data, i % 3, 8);
    }
    struct bytes file = array_of("<i8", false, shape, data.at, data.n);
    bytes_free(&data);
    return file;
}

/* Archives. */

struct member {
    const char *name;
    struct bytes bytes;
    bool deflate;
};

static struct bytes deflated(const struct bytes *plain)
{
    struct bytes packed = gzip(plain->at, plain->n);
    /* Without the 10 bytes before and the 8 behind, which are gzip's. */
    memmove(packed.at, packed.at + 10, packed.n - 18);
    packed.n -= 18;
    return packed;
}

/* What local header and directory have in common: from the version needed to the sizes. */
static void add_facts(struct bytes *out, const struct member *member, size_t n_packed)
{
    uLong crc = crc32(0, member->bytes.at, (uInt)member->bytes.n);
    add_little_endian(out, 20, 2);
    add_little_endian(out, 0, 2);
    add_little_endian(out, member->deflate ? 8 : 0, 2);
    add_little_endian(out, 0, 4);
    add_little_endian(out, crc, 4);
    add_little_endian(out, n_packed, 4);
    add_little_endian(out, member->bytes.n, 4);
    add_little_endian(out, strlen(member->name), 2);
    add_little_endian(out, 0, 2);
}

/* Frees the members' bytes. */
static struct bytes zip_of(struct member *members, size_t n)
{
    struct bytes out = {0}, directory = {0};
    for (size_t i = 0; i < n; i++) {
        struct member *member = &members[i];
        struct bytes packed = member->deflate ? deflated(&member->bytes) : (struct bytes){0};
        const struct bytes *stored = member->deflate ? &packed : &member->bytes;
        bytes_add(&directory, "PK\1\2\0\0", 6);
        add_facts(&directory, member, stored->n);
        add_little_endian(&directory, 0, 10); /* comment, disk, attributes */
        add_little_endian(&directory, out.n, 4);
        bytes_add(&directory, member->name, strlen(member->name));
        bytes_add(&out, "PK\3\4", 4);
        add_facts(&out, member, stored->n);
        bytes_add(&out, member->name, strlen(member->name));
        bytes_add(&out, stored->at, stored->n);
        bytes_free(&packed);
        bytes_free(&member->bytes);
    }
    size_t start = out.n;
    bytes_add(&out, directory.at, directory.n);
    bytes_add(&out, "PK\5\6\0\0\0\0", 8);
    add_little_endian(&out, n, 2);
    add_little_endian(&out, n, 2);
    add_little_endian(&out, directory.n, 4);
    add_little_endian(&out, start, 4);
    add_little_endian(&out, 0, 2);
    bytes_free(&directory);
    return out;
}

static struct bytes zip_pair(const char *x, const char *y, bool deflate)
{
    struct member members[2] = {{x, small_x(4), deflate}, {y, small_y(4), deflate}};
    return zip_of(members, 2);
}

static void check_small(const char *path, const weft_dataset_options *options)
{
    weft_dataset *data = load(path, options);
    if (data == NULL) {
        return;
    }
    size_t dims[4];
    CHECK_UINT(weft_dataset_samples(data), 4);
    CHECK_UINT(weft_dataset_shape(data, dims), 2);
    CHECK_INT(weft_dataset_x(data).dtype, WEFT_U8);
    for (size_t i = 0; i < 24; i++) {
        CHECK_NEAR(feature(data, i / 6, i % 6), (double)i, 0);
    }
    CHECK_UINT(weft_dataset_n_classes(data), 3);
    for (size_t i = 0; i < 4 && weft_dataset_n_classes(data) == 3; i++) {
        CHECK_INT(weft_dataset_targets(data).classes[i], (int)i % 3);
    }
    weft_dataset_free(data);
}

/* Appends a number in a type of NumPy's. */
static void add_number(struct bytes *out, const char *descr, double value)
{
    size_t size = (size_t)(descr[2] - '0');
    uint64_t bits = (uint64_t)(int64_t)value;
    float narrow = (float)value;
    if (descr[1] == 'f' && size == 8) {
        memcpy(&bits, &value, 8);
    } else if (descr[1] == 'f' && size == 4) {
        uint32_t half;
        memcpy(&half, &narrow, 4);
        bits = half;
    } else if (descr[1] == 'f') {
        /* Of numbers that are +-2^e * (1 + m/4) with -14 <= e <= 15 */
        int exponent;
        double fraction = frexp(fabs(value), &exponent);
        bits = value == 0 ? 0
                          : (uint64_t)(value < 0) << 15 | (uint64_t)(exponent + 14) << 10 |
                                (uint64_t)((2 * fraction - 1) * 1024);
    }
    if (descr[0] == '>') {
        bytes_add_big_endian(out, bits, size);
    } else {
        add_little_endian(out, bits, size);
    }
}

static const char *const descrs[] = {"|b1", "|u1", "|i1", "<i2", ">i2", "<i4", ">i4", "<i8", ">i8",
                                     "<u2", ">u4", "<u8", "<f2", ">f2", "<f4", ">f4", "<f8", ">f8"};

/* Both orders, stored, as .npy, in archives; always the same samples, in blocks too. */
static void every_type(void)
{
    enum { N = 5, ROWS = 2, COLS = 3, EACH = ROWS * COLS };
    for (size_t t = 0; t < sizeof descrs / sizeof *descrs; t++) {
        const char *descr = descrs[t];
        char kind = descr[1];
        double values[N][ROWS][COLS];
        for (size_t i = 0; i < N * EACH; i++) {
            double value = kind == 'b' ? (double)(i % 2) : (double)i;
            value = kind == 'i' || kind == 'f' ? value - 7 : value;
            values[i / EACH][i / COLS % ROWS][i % COLS] = kind == 'f' ? value / 4 : value;
        }
        for (int fortran = 0; fortran < 2; fortran++) {
            struct bytes data = {0};
            for (size_t i = 0; i < N * EACH; i++) {
                size_t a = fortran ? i % N : i / EACH, b = fortran ? i / N % ROWS : i / COLS % ROWS;
                size_t c = fortran ? i / N / ROWS : i % COLS;
                add_number(&data, descr, values[a][b][c]);
            }
            struct bytes x = array_of(descr, fortran, "(5, 2, 3)", data.at, data.n);
            bytes_free(&data);
            const char *packed = write_bytes("x.npy.gz", gzip(x.at, x.n));
            const char *plain = write_bytes("x.npy", x);
            const char *y = write_bytes("y.npy", small_y(N));
            const weft_dataset_options options = weft_dataset_options_default();
            check_source(pair_of(plain, y), &options, N, true);
            check_source(pair_of(packed, y), &options, N, false);
            weft_dataset *data_set = load(pair_of(plain, y), NULL);
            weft_dataset *other = load(pair_of(packed, y), NULL);
            for (size_t i = 0; i < N * EACH && data_set != NULL && other != NULL; i++) {
                double wanted = values[i / EACH][i / COLS % ROWS][i % COLS];
                CHECK_NEAR(feature(data_set, i / EACH, i % EACH), wanted, 0);
                CHECK_NEAR(feature(other, i / EACH, i % EACH), wanted, 0);
            }
            if (data_set != NULL) {
                CHECK_INT(weft_dataset_x(data_set).dtype,
                          kind == 'u' && descr[2] == '1' ? WEFT_U8 : WEFT_F32);
            }
            weft_dataset_free(data_set);
            weft_dataset_free(other);
        }
    }
}

/* Numbers that only some of the types have: the ends of binary16, and what is rounded. */
static void remarkable_numbers(void)
{
    const unsigned char halves[] = {0, 0x3C, 1, 0, 0xFF, 0x7B, 0, 0x80, 0xFF, 3, 0, 4};
    const double wanted[] = {1, 0x1p-24, 65504, -0.0, 0x1.ff8p-15, 0x1p-14};
    const weft_dataset_options none = with_labels(WEFT_LABELS_NONE);
    weft_dataset *data = load(
        write_bytes("half.npy", array_of("<f2", false, "(1, 6)", halves, sizeof halves)), &none);
    for (size_t i = 0; i < 6 && data != NULL; i++) {
        CHECK_NEAR(feature(data, 0, i), wanted[i], 0);
    }
    weft_dataset_free(data);
    const unsigned char nan[] = {0, 0x3C, 1, 0x7C};
    REFUSES(write_bytes("nan.npy", array_of("<f2", false, "(1, 2)", nan, 4)), &none,
            WEFT_ERR_FORMAT, "feature 1 of sample 0", "is nan");
    const unsigned char infinite[] = {0, 0xFC, 0, 0};
    REFUSES(write_bytes("inf.npy", array_of("<f2", false, "(1, 2)", infinite, 4)), &none,
            WEFT_ERR_FORMAT, "is infinite");
}

static void archives(void)
{
    static const char *const names[][2] = {{"X", "y"},
                                           {"x", "y"},
                                           {"x_train", "y_train"},
                                           {"X_train", "y_train"},
                                           {"train_images", "train_labels"},
                                           {"images", "labels"},
                                           {"data", "target"},
                                           {"arr_0", "arr_1"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char x[32], y[32];
        snprintf(x, sizeof x, "%s.npy", names[i][0]);
        snprintf(y, sizeof y, "%s.npy", names[i][1]);
        check_small(write_bytes("stored.npz", zip_pair(x, y, false)), NULL);
        check_small(write_bytes("deflated.npz", zip_pair(x, y, true)), NULL);
    }
    weft_dataset_options options = weft_dataset_options_default();
    const char *odd = write_bytes("odd.npz", zip_pair("pixels.npy", "../kind.npy", true));
    REFUSES(odd, &options, WEFT_ERR_FORMAT, odd, "no array of a usual name (give it by --x)",
            "the file has: 'pixels', '../kind'");
    options.x_name = "pixels";
    REFUSES(odd, &options, WEFT_ERR_FORMAT, odd, "for the labels", "--y");
    options.y_name = "../kind"; /* a name like any other: nothing is written anywhere */
    check_small(odd, &options);
    check_source(odd, &options, 4, false);
    options.y_name = "nothing";
    REFUSES(odd, &options, WEFT_ERR_FORMAT, odd, "no array 'nothing' for the labels");
    const weft_dataset_options defaults = weft_dataset_options_default();
    check_source(write_bytes("seek.npz", zip_pair("X.npy", "y.npy", false)), &defaults, 4, true);
}

/* Samples and labels of both splits in one archive, as Keras has its data sets. */
static void both_splits(void)
{
    struct member members[4] = {{"x_test.npy", small_x(2), true},
                                {"x_train.npy", small_x(4), true},
                                {"y_train.npy", small_y(4), true},
                                {"y_test.npy", small_y(2), true}};
    const char *path = write_bytes("keras.npz", zip_of(members, 4));
    check_small(path, NULL);
    weft_dataset_options options = weft_dataset_options_default();
    options.split = WEFT_SPLIT_TEST;
    weft_dataset *data = load(path, &options);
    if (data != NULL) {
        CHECK_UINT(weft_dataset_samples(data), 2);
        weft_dataset_free(data);
    }
}

static void pairs_of_files(void)
{
    const char *x = write_bytes("X.npy", small_x(4)), *y = write_bytes("y.npy", small_y(4));
    struct member alone[1] = {{"arr_0.npy", small_y(4), true}};
    const char *archive = write_bytes("labels.npz", zip_of(alone, 1));
    check_small(pair_of(x, y), NULL);
    check_small(pair_of(x, archive), NULL);
    REFUSES(x, NULL, WEFT_ERR_FORMAT, x, "has one array", "X.npy,y.npy");
    REFUSES(y, &(weft_dataset_options){.labels = WEFT_LABELS_NONE}, WEFT_ERR_FORMAT, y,
            "has 1 dimension, as labels have");
    REFUSES(pair_of(y, x), NULL, WEFT_ERR_FORMAT, "swapped");
    REFUSES(pair_of(x, write_bytes("y3.npy", small_y(3))), NULL, WEFT_ERR_MISMATCH, "4 samples",
            "3 labels");
    REFUSES(pair_of(x, write_bytes("idx", small_labels(4))), NULL, WEFT_ERR_FORMAT,
            "not a NumPy file: starts with 00 00 08 01");
    const weft_dataset_options none = with_labels(WEFT_LABELS_NONE);
    weft_dataset *data = load(x, &none);
    weft_dataset_free(data);
    struct member single[1] = {{"anything.npy", small_x(4), false}};
    data = load(write_bytes("single.npz", zip_of(single, 1)), &none);
    weft_dataset_free(data);
    struct bytes npz = zip_pair("X.npy", "y.npy", false);
    REFUSES(write_bytes("npz.gz", gzip(npz.at, npz.n)), NULL, WEFT_ERR_UNSUPPORTED, "inside gzip");
    bytes_free(&npz);
}

static void headers_that_lie(void)
{
    static char long_number[70000], nested[70000];
    static const struct {
        const char *dictionary, *part;
    } cases[] = {
        {"", "wanted '{'; got its end"},
        {"[]", "wanted '{'; got '[]"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3)", "wanted ',' or '}'"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), } x", "nothing behind '}'"},
        {"{'descr': '|u1', 'fortran_order': False}", "'shape' is missing"},
        {"{'descr': '|u1', 'shape': (2, 3)}", "'fortran_order' is missing"},
        {"{'fortran_order': True, 'shape': (2, 3)}", "'descr' is missing"},
        {"{'descr': '|u1', 'descr': '|u1', 'fortran_order': False, 'shape': (2, 3)}",
         "'descr' comes twice"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), 'more': 1}", "has 'more'"},
        {"{'descr': '|O', 'fortran_order': False, 'shape': (2, 3)}", "pickled Python objects"},
        {"{'descr': 'O', 'fortran_order': False, 'shape': (2, 3)}", "pickled Python objects"},
        {"{'descr': '<c16', 'fortran_order': False, 'shape': (2, 3)}", "elements of type '<c16'"},
        {"{'descr': '<f16', 'fortran_order': False, 'shape': (2, 3)}", "elements of type '<f16'"},
        {"{'descr': '<U5', 'fortran_order': False, 'shape': (2, 3)}", "elements of type '<U5'"},
        {"{'descr': '', 'fortran_order': False, 'shape': (2, 3)}", "elements of type ''"},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2, 3)}",
         "one type for all elements"},
        {"{'descr': '|u1, 'fortran_order': False, 'shape': (2, 3)}", "wanted"},
        {"{'descr': '|u\\1', 'fortran_order': False, 'shape': (2, 3)}", "a string"},
        {"{'descr': '|u1', 'fortran_order': 0, 'shape': (2, 3)}", "True or False"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': [2, 3]}", "a tuple of sizes"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (6)}", "a tuple of sizes"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': ((2, 3), )}", "a size"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (-2, 3)}", "a size; got '-2, 3)"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (2.0, 3)}", "wanted ',' or ')'"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': ()}", "0 dimensions"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (0, 3)}", "no data"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,"
         "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,6)}",
         "40 dimensions"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (18446744073709551615, 3)}",
         "too large"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999999999999, 3)}",
         "too large"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (4294967295, 4294967295)}",
         "too large"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (4294967295, 1048576)}",
         "its header promises"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2)}", "promises 4 and"},
        {"{'descr': '|u1', 'fortran_order': True, 'shape': (2, 4)}", "promises 8 and"},
        {long_number, "too large"},
        {nested, "a size; got '((("},
    };
    snprintf(long_number, sizeof long_number,
             "{'descr': '|u1', 'fortran_order': False, 'shape': (%060000d, 3)}", 7);
    memset(strchr(long_number, '0'), '9', 60000);
    snprintf(nested, sizeof nested, "{'descr': '|u1', 'fortran_order': False, 'shape': %060000d",
             7);
    memset(strchr(nested, '0'), '(', 60000);
    const weft_dataset_options none = with_labels(WEFT_LABELS_NONE);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes file = npy_of(cases[i].dictionary, "abcdef", 6);
        const char *packed = write_bytes("lie.npy.gz", gzip(file.at, file.n));
        const char *plain = write_bytes("lie.npy", file);
        REFUSES(plain, &none, WEFT_ERR_FORMAT, plain, cases[i].part);
        weft_dataset *data = NULL;
        weft_error err;
        CHECK_STATUS(weft_dataset_load(packed, &none, &data, &err), WEFT_ERR_FORMAT, &err);
    }
    struct bytes file = {0};
    bytes_add(&file, "\x93NUMPY\2\0\xFF\xFF\xFF\xFF{", 13);
    REFUSES(write_bytes("length.npy", file), &none, WEFT_ERR_FORMAT, "4294967295 bytes");
    file = (struct bytes){0};
    bytes_add(&file, "\x93NUMPY\4\0\xFF\xFF\xFF\xFF{", 13);
    REFUSES(write_bytes("version.npy", file), &none, WEFT_ERR_FORMAT, "version 4");
}

static void truncated_at_every_byte(void)
{
    const char *y = write_bytes("y.npy", small_y(4));
    struct bytes whole = small_x(4);
    const char *x = write_bytes("X.npy", small_x(4));
    for (size_t n = 8; n < whole.n; n++) {
        REFUSES(pair_of(harness_write_file("cut.npy", whole.at, n), y), NULL, WEFT_ERR_FORMAT,
                "cut.npy");
    }
    bytes_free(&whole);
    whole = small_y(4);
    for (size_t n = 0; n < whole.n; n++) {
        REFUSES(pair_of(x, harness_write_file("cut.npy", whole.at, n)), NULL, WEFT_ERR_FORMAT,
                "cut.npy");
    }
    bytes_free(&whole);
    whole = zip_pair("X.npy", "y.npy", true);
    for (size_t n = 4; n < whole.n; n++) {
        REFUSES(harness_write_file("cut.npz", whole.at, n), NULL, WEFT_ERR_FORMAT, "cut.npz");
    }
    bytes_free(&whole);
}

/* Every byte of an archive changed in turn: an error, or the same data; never anything else. */
static void archives_with_wrong_bytes(void)
{
    for (int deflate = 0; deflate < 2; deflate++) {
        struct bytes whole = zip_pair("X.npy", "y.npy", deflate);
        for (size_t i = 4; i < whole.n; i++) {
            whole.at[i] ^= 0x41;
            weft_dataset *data = NULL;
            weft_error err = {0};
            const char *path = harness_write_file("wrong.npz", whole.at, whole.n);
            weft_status status = weft_dataset_load(path, NULL, &data, &err);
            if (status == WEFT_OK) {
                weft_dataset_free(data);
                check_small(path, NULL);
            } else {
                CHECK_STATUS(status, WEFT_ERR_FORMAT, &err);
                CHECK_HAS(err.message, "wrong.npz");
            }
            whole.at[i] ^= 0x41;
        }
        bytes_free(&whole);
    }
}

/* Finds the n-th entry of the directory. */
static unsigned char *entry_of(const struct bytes *zip, int n)
{
    for (size_t i = 0; i + 4 < zip->n; i++) {
        if (memcmp(zip->at + i, "PK\1\2", 4) == 0 && n-- == 0) {
            return zip->at + i;
        }
    }
    return NULL;
}

static void put_little_endian(unsigned char *at, uint64_t value, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        at[i] = (unsigned char)(value >> 8 * i);
    }
}

static void archives_that_lie(void)
{
    static const struct {
        size_t offset, size; /* in the first entry; from 1000 on in the end record */
        uint64_t value;
        const char *part;
    } cases[] = {
        {8, 2, 1, "neither stored nor deflated"}, /* encrypted */
        {10, 2, 12, "neither stored nor deflated"},
        {10, 2, 8, "its entry promises 152"},
        {16, 4, 0, "check sum"},
        {20, 4, 1, "more than the file has"},
        {24, 4, 1, "more than the file has"},
        {20, 4, 0x7FFFFFFF, "is longer than the archive"},
        {20, 4, 0xFFFFFFFF, "is longer than the archive"},
        {42, 4, 0x7FFFFFFF, "lies outside the archive"},
        {42, 4, 1, "has no header where the directory says"},
        {28, 2, 0xFFFF, "cut off"},
        {30, 2, 0xFFFF, "cut off"},
        {1010, 2, 3, "does not fit"},
        {1010, 2, 0xFFFE, "does not fit"},
        {1010, 2, 0xFFFF, "ZIP64"},
        {1012, 4, 0x7FFFFFFF, "does not fit"},
        {1016, 4, 0x7FFFFFFF, "does not fit"},
        {1016, 4, 0xFFFFFFFF, "ZIP64"},
        {1016, 4, 5, "is none"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes zip = zip_pair("X.npy", "y.npy", false);
        unsigned char *at = cases[i].offset < 1000 ? entry_of(&zip, 0) + cases[i].offset
                                                   : zip.at + zip.n - 22 + cases[i].offset - 1000;
        put_little_endian(at, cases[i].value, cases[i].size);
        REFUSES(write_bytes("lie.npz", zip), NULL, WEFT_ERR_FORMAT, "lie.npz", cases[i].part);
    }
    struct bytes zip = zip_pair("X.npy", "y.npy", false);
    unsigned char *x = entry_of(&zip, 0), *y = entry_of(&zip, 1);
    memcpy(y + 42, x + 42, 4);
    REFUSES(write_bytes("same.npz", zip), NULL, WEFT_ERR_FORMAT, "overlaps another");
    zip = zip_pair("X.npy", "X.npy", false);
    REFUSES(write_bytes("twice.npz", zip), NULL, WEFT_ERR_FORMAT, "two members are named 'X.npy'");
    struct member none[1] = {{"readme.txt", {0}, false}};
    bytes_add(&none[0].bytes, "text", 4);
    REFUSES(write_bytes("text.npz", zip_of(none, 1)), NULL, WEFT_ERR_FORMAT, "'readme.txt'");
    REFUSES(write_bytes("empty.npz", zip_of(none, 0)), NULL, WEFT_ERR_FORMAT, "nothing");
    struct member text[2] = {{"X.npy", {0}, false}, {"y.npy", small_y(4), false}};
    bytes_add(&text[0].bytes, "this is text, not an array", 26);
    REFUSES(write_bytes("text.npz", zip_of(text, 2)), NULL, WEFT_ERR_FORMAT,
            "text.npz: X.npy: not a NumPy file");
}

/* As NumPy writes them where sizes might not fit 4 bytes: they are in an extra field. */
static void large_archives(void)
{
    struct bytes zip = zip_pair("X.npy", "y.npy", false);
    size_t at = (size_t)(entry_of(&zip, 0) - zip.at), name = 5;
    struct bytes large = {0};
    bytes_add(&large, zip.at, at + 46 + name);
    uint64_t n = 0;
    memcpy(&n, zip.at + at + 24, 4);
    add_little_endian(&large, 1, 2);
    add_little_endian(&large, 24, 2);
    add_little_endian(&large, n, 8);
    add_little_endian(&large, n, 8);
    add_little_endian(&large, 0, 8);
    memset(large.at + at + 20, 0xFF, 8);
    memset(large.at + at + 42, 0xFF, 4);
    put_little_endian(large.at + at + 30, 28, 2);
    bytes_add(&large, zip.at + at + 46 + name, zip.n - at - 46 - name);
    put_little_endian(large.at + large.n - 10, 2 * (46 + name) + 28, 4);
    bytes_free(&zip);
    const char *path = harness_write_file("large.npz", large.at, large.n);
    check_small(path, NULL);

    /* The directory too by way of the 64-bit records. */
    size_t start = at, bytes = 2 * (46 + name) + 28, end = large.n - 22;
    struct bytes locator = {0};
    bytes_add(&locator, large.at, end);
    bytes_add(&locator, "PK\6\6", 4);
    add_little_endian(&locator, 44, 8);
    add_little_endian(&locator, 45, 2);
    add_little_endian(&locator, 45, 2);
    add_little_endian(&locator, 0, 8);
    add_little_endian(&locator, 2, 8);
    add_little_endian(&locator, 2, 8);
    add_little_endian(&locator, bytes, 8);
    add_little_endian(&locator, start, 8);
    bytes_add(&locator, "PK\6\7\0\0\0\0", 8);
    add_little_endian(&locator, end, 8);
    add_little_endian(&locator, 1, 4);
    bytes_add(&locator, large.at + end, 22);
    memset(locator.at + locator.n - 14, 0xFF, 12);
    check_small(harness_write_file("larger.npz", locator.at, locator.n), NULL);
    put_little_endian(locator.at + locator.n - 22 - 12, UINT64_MAX, 8);
    REFUSES(harness_write_file("larger.npz", locator.at, locator.n), NULL, WEFT_ERR_FORMAT,
            "ZIP64 locator leads nowhere");
    bytes_free(&locator);
    bytes_free(&large);
}

static void no_memory(void)
{
    survives_lack_of_memory(write_bytes("m.npz", zip_pair("X.npy", "y.npy", true)), NULL);
    const char *x = write_bytes("X.npy", small_x(4)), *y = write_bytes("y.npy", small_y(4));
    survives_lack_of_memory(pair_of(x, y), NULL);
    struct bytes across = array_of("|u1", true, "(4, 2)", "abcdefgh", 8);
    const char *packed = write_bytes("F.npy.gz", gzip(across.at, across.n));
    bytes_free(&across);
    survives_lack_of_memory(pair_of(packed, y), NULL);
}

CU_TestInfo numpy_tests[] = {
    {"every type", every_type},
    {"remarkable numbers", remarkable_numbers},
    {"archives", archives},
    {"both splits", both_splits},
    {"pairs of files", pairs_of_files},
    {"headers that lie", headers_that_lie},
    {"truncated at every byte", truncated_at_every_byte},
    {"archives with wrong bytes", archives_with_wrong_bytes},
    {"archives that lie", archives_that_lie},
    {"large archives", large_archives},
    {"no memory", no_memory},
    CU_TEST_INFO_NULL,
};
