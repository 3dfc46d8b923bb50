/* IDX files: every element type, and headers that lie. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "harness.h"
#include "test_data.h"

/* Appends a number as an element of an IDX type. */
static void add_element(struct bytes *file, unsigned type, double value)
{
    switch (type) {
    case 0x0B:
        bytes_add_big_endian(file, (uint64_t)(int64_t)value, 2);
        return;
    case 0x0C:
        bytes_add_big_endian(file, (uint64_t)(int64_t)value, 4);
        return;
    case 0x0D: {
        float narrow = (float)value;
        uint32_t bits;
        memcpy(&bits, &narrow, sizeof bits);
        bytes_add_big_endian(file, bits, 4);
        return;
    }
    case 0x0E: {
        uint64_t bits;
        memcpy(&bits, &value, sizeof bits);
        bytes_add_big_endian(file, bits, 8);
        return;
    }
    default:
        bytes_add_big_endian(file, (uint64_t)(int64_t)value, 1);
    }
}

static struct bytes idx_of(unsigned type, const uint32_t *dims, size_t n_dims, const double *values,
                           size_t n)
{
    struct bytes file = idx_header(type, dims, n_dims);
    for (size_t i = 0; i < n; i++) {
        add_element(&file, type, values[i]);
    }
    return file;
}

static const unsigned all_types[] = {0x08, 0x09, 0x0B, 0x0C, 0x0D, 0x0E};

static void features_of_every_type(void)
{
    const uint32_t dims[2] = {2, 3};
    const char *labels = write_bytes("labels", small_labels(2));
    for (size_t t = 0; t < sizeof all_types / sizeof *all_types; t++) {
        unsigned type = all_types[t];
        bool is_float = type >= 0x0D;
        const double values[6] = {0, 1, 100, type == 0x08 ? 200 : -100, is_float ? 0.5 : 5, 7};
        const char *images = write_bytes("images", idx_of(type, dims, 2, values, 6));
        weft_dataset *data = load(pair_of(images, labels), NULL);
        if (data == NULL) {
            continue;
        }
        CHECK_INT(weft_dataset_x(data).dtype, type == 0x08 ? WEFT_U8 : WEFT_F32);
        CHECK_INT(weft_dataset_is_integer(data), !is_float);
        for (size_t i = 0; i < 6; i++) {
            CHECK_NEAR(feature(data, i / 3, i % 3), values[i], 0);
        }
        weft_dataset_free(data);
    }
}

static void labels_of_every_type(void)
{
    const uint32_t dims[1] = {4};
    const char *images = write_bytes("images", small_images(4));
    for (size_t t = 0; t < sizeof all_types / sizeof *all_types; t++) {
        const double values[4] = {9, 2, 9, all_types[t] == 0x08 ? 4 : -4};
        const char *labels = write_bytes("labels", idx_of(all_types[t], dims, 1, values, 4));
        weft_dataset *data = load(pair_of(images, labels), NULL);
        if (data != NULL) {
            weft_targets targets = weft_dataset_targets(data);
            CHECK_INT(targets.kind, WEFT_LABELS_CLASSES);
            CHECK_UINT(weft_dataset_n_classes(data), 3);
            for (size_t i = 0; i < 4; i++) {
                char wanted[8];
                snprintf(wanted, sizeof wanted, "%.0f", values[i]);
                CHECK_STR(weft_dataset_class_name(data, (size_t)targets.classes[i]), wanted);
            }
            CHECK_INT(targets.classes[0], 2); /* ascending by value */
            weft_dataset_free(data);
        }
        weft_dataset_options options = with_labels(WEFT_LABELS_VALUES);
        data = load(pair_of(images, labels), &options);
        if (data != NULL) {
            const float wanted[4] = {9, 2, 9, (float)values[3]};
            CHECK_INT(weft_dataset_targets(data).kind, WEFT_LABELS_VALUES);
            CHECK_UINT(weft_dataset_targets(data).n_values, 1);
            CHECK_FLOATS_NEAR(weft_dataset_targets(data).values, wanted, 4, 0, 0);
            CHECK_UINT(weft_dataset_n_classes(data), 0);
            weft_dataset_free(data);
        }
    }
}

static void shapes(void)
{
    static const struct {
        uint32_t dims[5];
        size_t n_dims, features;
    } cases[] = {
        {{2, 3}, 2, 3}, {{2, 3, 4}, 3, 12}, {{2, 3, 4, 2}, 4, 24}, {{2, 1, 2, 3, 4}, 5, 24}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes file = idx_header(0x08, cases[i].dims, cases[i].n_dims);
        for (size_t j = 0; j < 2 * cases[i].features; j++) {
            bytes_add(&file, "x", 1);
        }
        weft_dataset_options options = with_labels(WEFT_LABELS_NONE);
        weft_dataset *data = load(write_bytes("images", file), &options);
        if (data == NULL) {
            continue;
        }
        size_t dims[4];
        size_t n = weft_dataset_shape(data, dims);
        CHECK_UINT(n, cases[i].n_dims - 1);
        for (size_t j = 0; j < n; j++) {
            CHECK_UINT(dims[j], cases[i].dims[j + 1]);
        }
        CHECK_UINT(weft_dataset_features(data), cases[i].features);
        CHECK_INT(weft_dataset_targets(data).kind, WEFT_LABELS_NONE);
        weft_dataset_free(data);
    }
}

static void wrong_magic(void)
{
    static const struct {
        unsigned char bytes[4];
        const char *part;
    } cases[] = {
        {{0, 0, 7, 3}, "starts with 00 00 07 03"}, {{0, 0, 0x0A, 3}, "not an IDX file"},
        {{0, 0, 8, 0}, "not an IDX file"},         {{8, 3, 0, 0}, "starts with 08 03 00 00"},
        {{'P', 'K', 1, 4}, "not an IDX file"},     {{0, 0, 8, 6}, "6 dimensions, at most 5"},
        {{0, 0, 8, 255}, "255 dimensions"},
    };
    const char *labels = write_bytes("labels", small_labels(4));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes images = small_images(4);
        memcpy(images.at, cases[i].bytes, 4);
        const char *path = write_bytes("images", images);
        REFUSES(pair_of(path, labels), NULL, WEFT_ERR_FORMAT, path, cases[i].part);
    }
}

/* Plain and compressed: neither may take the memory that the header promises. */
static void sizes_that_lie(void)
{
    static const struct {
        uint32_t dims[5];
        size_t n_dims;
        const char *plain, *packed;
    } cases[] = {
        {{UINT32_MAX, UINT32_MAX, UINT32_MAX}, 3, "too large", "too large"},
        {{UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX}, 5, "too large", "too large"},
        {{1u << 31, 1u << 31, 4}, 3, "too large", "too large"},
        {{65536, 65536}, 2, "header promises 4294967296", "more than a file of"},
        {{65536, 65536, 65536, 65536}, 4, "too large", "too large"},
        {{60000, 28, 28}, 3, "40 bytes, its header promises 47040000", "more than a file of"},
        {{4 << 24, 2 << 24, 3 << 24}, 3, "too large", "too large"}, /* little-endian */
        {{0, 2, 3}, 3, "no data: its size is 0 x 2 x 3", "no data"},
        {{4, 0, 3}, 3, "no data: its size is 4 x 0 x 3", "no data"},
        {{1u << 31, 1u << 31, 2}, 3, "header promises", "more than a file of"},
        {{UINT32_MAX, 28, 28}, 3, "header promises 3367254359280", "more than a file of"},
        {{4, 2, 4},
         3,
         "40 bytes, its header promises 32 and 16",
         "holds 24 bytes of data, its header promises 32"},
        {{3, 2, 3}, 3, "40 bytes, its header promises 18 and 16", "goes on after the 18 bytes"},
    };
    const char *labels = write_bytes("labels", small_labels(4));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes file = idx_header(0x08, cases[i].dims, cases[i].n_dims);
        bytes_add(&file, "0123456789abcdefghijklmn", 24);
        /* As many labels as promised, where that is possible. */
        uint32_t n = cases[i].dims[0];
        const char *fitting = n == 3 ? write_bytes("labels3", small_labels(3)) : labels;
        const char *packed = write_bytes("images.gz", gzip(file.at, file.n));
        const char *plain = write_bytes("images", file);
        REFUSES(pair_of(plain, fitting), NULL, WEFT_ERR_FORMAT, plain, cases[i].plain);
        REFUSES(pair_of(packed, fitting), NULL, WEFT_ERR_FORMAT, packed, cases[i].packed);
    }
}

static void truncated_at_every_byte(void)
{
    const char *labels = write_bytes("labels", small_labels(4));
    struct bytes whole = small_images(4);
    for (size_t n = 0; n < whole.n; n++) {
        const char *path = harness_write_file("images", whole.at, n);
        REFUSES(pair_of(path, labels), NULL, WEFT_ERR_FORMAT, path,
                n == 0   ? "empty"
                : n < 4  ? "not an IDX file"
                : n < 16 ? "amid its header of 16"
                         : "its header promises 24 and 16 of header");
    }
    bytes_free(&whole);
    const char *images = write_bytes("images", small_images(4));
    whole = small_labels(4);
    for (size_t n = 0; n < whole.n; n++) {
        const char *path = harness_write_file("labels", whole.at, n);
        REFUSES(pair_of(images, path), NULL, WEFT_ERR_FORMAT, path);
    }
    bytes_add(&whole, "x", 1);
    REFUSES(pair_of(images, write_bytes("labels", whole)), NULL, WEFT_ERR_FORMAT,
            "13 bytes, its header promises 4 and 8");
}

static void pairs_that_do_not_fit(void)
{
    const char *images = write_bytes("images", small_images(4));
    const char *labels = write_bytes("labels", small_labels(4));
    const char *fewer = write_bytes("fewer", small_labels(3));
    REFUSES(pair_of(images, fewer), NULL, WEFT_ERR_MISMATCH, "images has 4 samples",
            "fewer has 3 labels");
    REFUSES(pair_of(labels, images), NULL, WEFT_ERR_FORMAT, "labels: has 1 dimension", "swapped");
    REFUSES(pair_of(images, images), NULL, WEFT_ERR_FORMAT, "has 3 dimensions, wanted labels");
    REFUSES(pair_of(labels, labels), NULL, WEFT_ERR_FORMAT, "has 1 dimension");
}

static void several_labels(void)
{
    const uint32_t dims[2] = {4, 2};
    const double values[8] = {0, 1, 1, 0, 1, 1, 0, 0};
    const char *images = write_bytes("images", small_images(4));
    const char *labels = write_bytes("labels", idx_of(0x0C, dims, 2, values, 8));
    REFUSES(pair_of(images, labels), NULL, WEFT_ERR_FORMAT, "2 labels for each sample",
            "ask for values");
    weft_dataset_options options = with_labels(WEFT_LABELS_VALUES);
    weft_dataset *data = load(pair_of(images, labels), &options);
    if (data != NULL) {
        CHECK_UINT(weft_dataset_targets(data).n_values, 2);
        for (size_t i = 0; i < 8; i++) {
            CHECK_NEAR((double)weft_dataset_targets(data).values[i], values[i], 0);
        }
        weft_dataset_free(data);
    }
}

static void not_finite(void)
{
    static const struct {
        double value;
        const char *part;
    } cases[] = {{(double)NAN, "is nan"},
                 {(double)INFINITY, "is infinite"},
                 {-(double)INFINITY, "is infinite"},
                 {1e39, "infinite as float32"}};
    const uint32_t dims[2] = {2, 3};
    const uint32_t label_dims[1] = {2};
    const char *labels = write_bytes("labels", small_labels(2));
    const char *images = write_bytes("plain", small_images(2));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const double values[6] = {1, 2, 3, 4, cases[i].value, 6};
        const char *bad = write_bytes("bad", idx_of(0x0E, dims, 2, values, 6));
        REFUSES(pair_of(bad, labels), NULL, WEFT_ERR_FORMAT, bad, "feature 1 of sample 1",
                cases[i].part);
        bad = write_bytes("bad", idx_of(0x0E, label_dims, 1, values + 3, 2));
        REFUSES(pair_of(images, bad), NULL, WEFT_ERR_FORMAT, bad, "label 0 of sample 1",
                cases[i].part);
    }
}

static void label_out_of_range(void)
{
    static const char *const names[] = {"0", "1"};
    weft_dataset_options options = weft_dataset_options_default();
    options.class_names = names;
    options.n_class_names = 2;
    const char *images = write_bytes("images", small_images(4));
    const char *labels = write_bytes("labels", small_labels(4));
    REFUSES(pair_of(images, labels), &options, WEFT_ERR_MISMATCH, labels, "sample 2",
            "label 2 is not among the model's classes (0, 1)");
    const double fractions[4] = {1, 2, 2.5, 3};
    const uint32_t dims[1] = {4};
    labels = write_bytes("labels", idx_of(0x0D, dims, 1, fractions, 4));
    options = with_labels(WEFT_LABELS_CLASSES);
    REFUSES(pair_of(images, labels), &options, WEFT_ERR_FORMAT, "sample 2", "2.5",
            "not a whole number");
}

static void no_memory(void)
{
    const char *images = write_bytes("images", small_images(4));
    const char *labels = write_bytes("labels", small_labels(4));
    survives_lack_of_memory(pair_of(images, labels), NULL);
    struct bytes plain = small_images(4);
    const char *packed = write_bytes("images.gz", gzip(plain.at, plain.n));
    bytes_free(&plain);
    survives_lack_of_memory(pair_of(packed, labels), NULL);
    const uint32_t dims[2] = {2, 3};
    const double values[6] = {1, 2, 3, 4, 5, 6};
    images = write_bytes("floats", idx_of(0x0E, dims, 2, values, 6));
    weft_dataset_options options = with_labels(WEFT_LABELS_VALUES);
    labels = write_bytes("labels2", small_labels(2));
    survives_lack_of_memory(pair_of(images, labels), &options);
}

CU_TestInfo idx_tests[] = {
    {"features of every type", features_of_every_type},
    {"labels of every type", labels_of_every_type},
    {"shapes", shapes},
    {"wrong magic", wrong_magic},
    {"sizes that lie", sizes_that_lie},
    {"truncated at every byte", truncated_at_every_byte},
    {"pairs that do not fit", pairs_that_do_not_fit},
    {"several labels", several_labels},
    {"not finite", not_finite},
    {"label out of range", label_out_of_range},
    {"no memory", no_memory},
    CU_TEST_INFO_NULL,
};
