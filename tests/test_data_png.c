/* PNG images: what every kind becomes, resizing, folders of classes, and hostile files. The files
 * are made here, chunk by chunk, without libpng. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <zlib.h>

#include "data/image_resize.h"
#include "harness.h"
#include "test_data.h"

#define FORMAT WEFT_ERR_FORMAT

enum { GREY = 0, RGB = 2, PALETTE = 3, GREY_ALPHA = 4, RGBA = 6 };

static void add_chunk(struct bytes *file, const char *type, const void *data, size_t n)
{
    bytes_add_big_endian(file, n, 4);
    size_t start = file->n;
    bytes_add(file, type, 4);
    bytes_add(file, data, n);
    bytes_add_big_endian(file, crc32(0, file->at + start, (uInt)(n + 4)), 4);
}

static void add_start(struct bytes *file, uint32_t width, uint32_t height, unsigned depth,
                      unsigned colour, unsigned interlace)
{
    static const unsigned char signature[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    struct bytes header = {0};
    bytes_add(file, signature, sizeof signature);
    bytes_add_big_endian(&header, width, 4);
    bytes_add_big_endian(&header, height, 4);
    const unsigned char rest[] = {(unsigned char)depth, (unsigned char)colour, 0, 0,
                                  (unsigned char)interlace};
    bytes_add(&header, rest, sizeof rest);
    add_chunk(file, "IHDR", header.at, header.n);
    bytes_free(&header);
}

/* The rows, each behind the byte of its filter, and the end. */
static void add_rows(struct bytes *file, const void *rows, size_t n)
{
    uLongf size = compressBound((uLong)n);
    unsigned char *packed = malloc(size);
    if (packed == NULL || compress2(packed, &size, rows, (uLong)n, 9) != Z_OK) {
        abort();
    }
    add_chunk(file, "IDAT", packed, size);
    add_chunk(file, "IEND", "", 0);
    free(packed);
}

static struct bytes image(uint32_t width, uint32_t height, unsigned depth, unsigned colour,
                          const void *rows, size_t n)
{
    struct bytes file = {0};
    add_start(&file, width, height, depth, colour, 0);
    add_rows(&file, rows, n);
    return file;
}

/* Without labels. */
static weft_dataset_options plain(void)
{
    weft_dataset_options options = weft_dataset_options_default();
    options.labels = WEFT_LABELS_NONE;
    return options;
}

static bool without_png(void)
{
    if (weft_has_png()) {
        return false;
    }
    weft_dataset_options options = plain();
    REFUSES(write_bytes("a.png", image(1, 1, 8, GREY, "\0\1", 2)), &options, WEFT_ERR_UNSUPPORTED,
            "no PNG");
    return true;
}

static void check_pixels(const char *path, const weft_dataset_options *options,
                         const unsigned char *wanted, size_t n, const char *what)
{
    weft_dataset *data = load(path, options);
    if (data != NULL && CHECK_UINT(weft_dataset_features(data), n)) {
        CHECK(weft_dataset_x(data).dtype == WEFT_U8);
        if (!CHECK_BYTES(weft_dataset_x(data).data, wanted, n)) {
            printf(" for %s\n", what);
        }
        CHECK_STR(weft_dataset_format(data), "PNG");
    }
    weft_dataset_free(data);
}

static void kinds(void)
{
    static const struct {
        const char *name;
        unsigned depth, colour, interlace;
        const char *rows;
        size_t n;
        unsigned char wanted[6];
        size_t n_wanted;
    } cases[] = {
        {"grey of 8 bits", 8, GREY, 0, "\0\x10\x20", 3, {0x10, 0x20}, 2},
        {"grey of 1 bit", 1, GREY, 0, "\0\x40", 2, {0, 255}, 2},
        {"grey of 4 bits", 4, GREY, 0, "\0\x1F", 2, {17, 255}, 2},
        {"grey of 16 bits", 16, GREY, 0, "\0\x80\x80\xFF\xFF", 5, {128, 255}, 2},
        {"grey behind a filter", 8, GREY, 0, "\1\x10\x20", 3, {0x10, 0x30}, 2},
        {"grey and alpha", 8, GREY_ALPHA, 0, "\0\xFF\x80\x40\xFF", 5, {128, 64}, 2},
        {"RGB", 8, RGB, 0, "\0\1\2\3\4\5\6", 7, {1, 2, 3, 4, 5, 6}, 6},
        {"RGBA", 8, RGBA, 0, "\0\xFF\2\3\0\4\5\6\xFF", 9, {0, 0, 0, 4, 5, 6}, 6},
        {"interlaced", 8, GREY, 1, "\0\7\0\x9", 4, {7, 9}, 2},
    };
    weft_dataset_options options = plain();
    if (without_png()) {
        return;
    }
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes file = {0};
        add_start(&file, 2, 1, cases[i].depth, cases[i].colour, cases[i].interlace);
        add_rows(&file, cases[i].rows, cases[i].n);
        check_pixels(write_bytes("kind.png", file), &options, cases[i].wanted, cases[i].n_wanted,
                     cases[i].name);
    }
    struct bytes file = {0};
    add_start(&file, 2, 1, 8, PALETTE, 0);
    add_chunk(&file, "PLTE", "\1\2\3\xA\xB\xC", 6);
    add_chunk(&file, "tRNS", "\xFF\x80", 2);
    add_rows(&file, "\0\0\1", 3);
    check_pixels(write_bytes("kind.png", file), &options, (const unsigned char[]){1, 2, 3, 5, 6, 6},
                 6, "a palette with alpha");
    options.image_channels = 1;
    file = image(1, 1, 8, RGB, "\0\xFF\x80\0", 4);
    const char *path = write_bytes("kind.png", file);
    check_pixels(path, &options, (const unsigned char[]){151}, 1, "grey of RGB"); /* 151.4 */
    options.invert = true;
    check_pixels(path, &options, (const unsigned char[]){104}, 1, "inverted");
    options.image_channels = 0;
    check_pixels(write_bytes("kind.png", image(1, 1, 8, GREY_ALPHA, "\0\x33\0", 3)), &options,
                 (const unsigned char[]){0}, 1, "nothing, inverted");
    options.invert = false;
    options.image_channels = 3;
    check_pixels(write_bytes("kind.png", image(1, 1, 8, GREY, "\0\x33", 2)), &options,
                 (const unsigned char[]){0x33, 0x33, 0x33}, 3, "RGB of grey");
}

/* The mean over the rectangle of each pixel, by sampling it finely: all sizes here divide 840. */
static double sampled(const unsigned char *grey, size_t width, size_t height, size_t new_width,
                      size_t new_height, size_t x, size_t y)
{
    size_t across = 840 / new_width, down = 840 / new_height;
    double sum = 0;
    for (size_t j = y * down; j < (y + 1) * down; j++) {
        for (size_t i = x * across; i < (x + 1) * across; i++) {
            sum += grey[j * height / 840 * width + i * width / 840];
        }
    }
    return sum / (double)(across * down);
}

static void resizing(void)
{
    static const size_t sizes[] = {1, 2, 3, 5, 7, 8, 12};
    const size_t n_sizes = sizeof sizes / sizeof *sizes;
    for (size_t c = 0; c < n_sizes * n_sizes * 4; c++) {
        size_t width = sizes[c % n_sizes], height = sizes[c / n_sizes % n_sizes];
        struct weft_image_shape shape = {.width = sizes[(c * 5 + 1) % n_sizes],
                                         .height = sizes[(c * 3 + 2) % n_sizes]};
        shape.channels = 1;
        unsigned char rgba[12 * 12 * 4], grey[12 * 12], out[12 * 12];
        for (size_t i = 0; i < width * height; i++) {
            grey[i] = (unsigned char)(i * 89 + c * 31);
            memset(rgba + 4 * i, grey[i], 3);
            rgba[4 * i + 3] = 255;
        }
        weft_image_resize(rgba, width, height, &shape, out);
        for (size_t i = 0; i < shape.width * shape.height; i++) {
            double wanted = sampled(grey, width, height, shape.width, shape.height, i % shape.width,
                                    i / shape.width);
            if (!CHECK_NEAR(out[i], wanted, 0.5001)) {
                printf(" pixel %zu of %zu x %zu from %zu x %zu\n", i, shape.width, shape.height,
                       width, height);
                return;
            }
        }
        if (shape.width == width && shape.height == height) {
            CHECK_BYTES(out, grey, width * height);
        }
    }
}

static void make_directory(const char *name)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", harness_temp_dir(), name);
    (void)mkdir(path, 0777);
}

static const char *in_temp(const char *name)
{
    static char path[300];
    snprintf(path, sizeof path, "%s/%s", harness_temp_dir(), name);
    return path;
}

static void one_pixel(const char *name, unsigned char value)
{
    const unsigned char rows[] = {0, value};
    write_bytes(name, image(1, 1, 8, GREY, rows, sizeof rows));
}

static void folders(void)
{
    if (!weft_has_png()) {
        return;
    }
    make_directory("set");
    make_directory("set/10");
    make_directory("set/9");
    make_directory("set/empty");
    one_pixel("set/10/b.png", 3);
    one_pixel("set/10/a.PNG", 2);
    one_pixel("set/9/z.png", 1);
    write_text("set/9/notes.txt", "no image");
    write_text("set/9/.hidden.png", "no image");
    weft_dataset *data = load(in_temp("set"), NULL);
    if (data != NULL && CHECK_UINT(weft_dataset_samples(data), 3)) {
        CHECK_BYTES(weft_dataset_x(data).data, "\2\3\1", 3);
        CHECK_UINT(weft_dataset_n_classes(data), 2);
        CHECK_STR(weft_dataset_class_name(data, 0), "9"); /* numbers by value */
        CHECK_INT(weft_dataset_targets(data).classes[0], 1);
        CHECK_INT(weft_dataset_targets(data).classes[2], 0);
        size_t dims[4];
        CHECK_UINT(weft_dataset_shape(data, dims), 2);
    }
    weft_dataset_free(data);
    weft_dataset_options options = weft_dataset_options_default();
    check_source(in_temp("set"), &options, 3, true);
    survives_lack_of_memory(in_temp("set"), &options);
    static const char *const names[] = {"9", "8"};
    options.class_names = names;
    options.n_class_names = 2;
    REFUSES(in_temp("set"), &options, WEFT_ERR_MISMATCH, "'10' is not among the model's classes");
    options = weft_dataset_options_default();
    options.labels = WEFT_LABELS_VALUES;
    REFUSES(in_temp("set"), &options, FORMAT, "has classes, wanted values");
    options = plain();
    options.n_inputs = 4; /* what a model takes: 2 x 2 pixels */
    data = load(in_temp("set"), &options);
    if (data != NULL) {
        CHECK_UINT(weft_dataset_features(data), 4);
    }
    weft_dataset_free(data);
    options.n_inputs = 7;
    REFUSES(in_temp("set"), &options, WEFT_ERR_MISMATCH, "7 numbers", "--image-size");
    options.image_width = 7;
    options.image_height = 1;
    data = load(in_temp("set"), &options);
    if (data != NULL) {
        CHECK_UINT(weft_dataset_features(data), 7);
    }
    weft_dataset_free(data);
    one_pixel("set/stray.png", 9);
    REFUSES(in_temp("set"), NULL, FORMAT, "stray.png", "in no folder");
    options = plain();
    data = load(in_temp("set"), &options);
    if (data != NULL) {
        CHECK_UINT(weft_dataset_samples(data), 4);
    }
    weft_dataset_free(data);
    write_bytes("set/9/zz.png", image(2, 1, 8, GREY, "\0\1\2", 3));
    REFUSES(in_temp("set"), &options, FORMAT, "zz.png: 2 x 1 pixels", "has 1 x 1", "--image-size");
    options.image_width = 5000;
    options.image_height = 1;
    REFUSES(in_temp("set"), &options, WEFT_ERR_ARG, "5000 x 1");
}

static void splits(void)
{
    if (!weft_has_png()) {
        return;
    }
    make_directory("both");
    make_directory("both/train");
    make_directory("both/train/a");
    make_directory("both/test");
    make_directory("both/test/a");
    one_pixel("both/train/a/1.png", 1);
    one_pixel("both/test/a/1.png", 2);
    CHECK(weft_dataset_has_split(in_temp("both"), WEFT_SPLIT_TEST));
    CHECK(!weft_dataset_has_split(in_temp("both/train"), WEFT_SPLIT_TEST));
    weft_dataset_options options = weft_dataset_options_default();
    options.split = WEFT_SPLIT_TEST;
    weft_dataset *data = load(in_temp("both"), &options);
    if (data != NULL) {
        CHECK_NEAR(feature(data, 0, 0), 2, 0);
    }
    weft_dataset_free(data);
}

/* Wrong files; more of them in the fuzzer's corpus. */
static void hostile(void)
{
    if (!weft_has_png()) {
        return;
    }
    weft_dataset_options options = plain();
    struct bytes file = image(4, 2, 8, GREY, "\0\1\2\3\4\0\5\6\7\x8", 10);
    REFUSES(harness_write_file("one.png", file.at, file.n), NULL, FORMAT, "without a label");
    for (size_t n = 8; n < file.n; n++) { /* 1: cut off anywhere */
        REFUSES(harness_write_file("cut.png", file.at, n), &options, FORMAT, "cut.png");
    }
    file.at[file.n - 12 - 8] ^= 1; /* 2: in the rows */
    REFUSES(write_bytes("crc.png", file), &options, FORMAT, "crc.png", "4 x 2 pixels");
    file = (struct bytes){0};
    add_start(&file, 65536, 65536, 8, RGBA, 0); /* 3: 16 GB of pixels */
    add_rows(&file, "\0\1\2\3\4", 5);
    REFUSES(write_bytes("wide.png", file), &options, FORMAT, "wide.png");
    file = (struct bytes){0};
    add_start(&file, 4000, 3001, 1, GREY, 0); /* 4: beyond the limit on pixels */
    add_rows(&file, "\0\1", 2);
    REFUSES(write_bytes("large.png", file), &options, FORMAT, "more than 12 million pixels");
    file = (struct bytes){0};
    add_start(&file, 3000, 4000, 8, RGBA, 0); /* 5: within it, but not in so few bytes */
    add_rows(&file, "\0\1", 2);
    REFUSES(write_bytes("lie.png", file), &options, FORMAT, "too short for an image of that size");
    file = (struct bytes){0};
    add_start(&file, 0, 2, 8, GREY, 0); /* 6: nothing to see */
    add_rows(&file, "\0\1", 2);
    REFUSES(write_bytes("none.png", file), &options, FORMAT, "none.png");
    file = image(2, 1, 7, GREY, "\0\1\2", 3); /* 7: no such depth */
    REFUSES(write_bytes("depth.png", file), &options, FORMAT, "depth.png");
    file = (struct bytes){0};
    add_start(&file, 2, 1, 8, PALETTE, 0); /* 8: no palette */
    add_rows(&file, "\0\0\1", 3);
    REFUSES(write_bytes("palette.png", file), &options, FORMAT, "palette.png");
    file = (struct bytes){0};
    add_start(&file, 2, 1, 8, GREY, 0); /* 9: a chunk that claims 2 GB */
    bytes_add_big_endian(&file, 0x7fffffff, 4);
    bytes_add(&file, "IDAT", 4);
    REFUSES(write_bytes("chunk.png", file), &options, FORMAT, "chunk.png");
    file = image(2, 2, 8, GREY, "\0\1\2", 3); /* 10: rows that are missing */
    REFUSES(write_bytes("rows.png", file), &options, FORMAT, "rows.png");
    file = image(2, 1, 8, GREY, "\5\1\2", 3); /* 11: no such filter */
    REFUSES(write_bytes("filter.png", file), &options, FORMAT, "filter.png");
    REFUSES(write_text("text.png", "this is,no image\nat,all\n"), &options, FORMAT, "text.png");
}

/* A text chunk that inflates to 64 MB, and an image that is full of one colour. */
static void bombs(void)
{
    if (!weft_has_png()) {
        return;
    }
    weft_dataset_options options = plain();
    const size_t n = (size_t)64 << 20;
    unsigned char *zeros = calloc(n, 1), *packed = malloc(n / 100);
    uLongf size = (uLongf)(n / 100);
    if (zeros == NULL || packed == NULL || compress2(packed, &size, zeros, n, 9) != Z_OK) {
        abort();
    }
    struct bytes file = {0}, text = {0};
    bytes_add(&text, "a\0\0", 3);
    bytes_add(&text, packed, size);
    add_start(&file, 2, 1, 8, GREY, 0);
    add_chunk(&file, "zTXt", text.at, text.n);
    add_rows(&file, "\0\1\2", 3);
    bytes_free(&text);
    check_pixels(write_bytes("text.png", file), &options, (const unsigned char[]){1, 2}, 2, "zTXt");
    free(packed);
    free(zeros);
}

static void no_memory(void)
{
    if (weft_has_png()) {
        weft_dataset_options options = plain();
        survives_lack_of_memory(write_bytes("a.png", image(2, 1, 8, GREY, "\0\1\2", 3)), &options);
    }
}

CU_TestInfo png_tests[] = {
    {"kinds", kinds},     {"resizing", resizing}, {"folders", folders},     {"splits", splits},
    {"hostile", hostile}, {"bombs", bombs},       {"no memory", no_memory}, CU_TEST_INFO_NULL,
};
