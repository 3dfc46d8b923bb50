/* Reads inputs of one format, FUZZ_FORMAT, as data sets and as streams: no crash, an error with a
 * message of one line or data, and the same data in blocks as in one piece, after a rewind too. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weft/dataset.h>

#include "data/csv.h"
#include "data/idx.h"
#include "data/libsvm.h"
#include "data/numpy_file.h"
#include "data/png_source.h"
#include "data/source.h"
#include "fuzz_file.h"

#define NAME_OF(format) weft_##format##_format
#define FORMAT_OF(format) NAME_OF(format)

/* Samples to go with labels: 4 of 2 bytes. */
static const unsigned char idx_samples[] = {0, 0, 8, 2, 0, 0, 0, 4, 0, 0,
                                            0, 2, 1, 2, 3, 4, 5, 6, 7, 8};

static const char *npy_samples(size_t *n)
{
    static char file[128 + 8];
    static const char start[] = {'\x93', 'N', 'U', 'M', 'P', 'Y', 1, 0, 118, 0};
    static const char text[] = "{'descr': '|u1', 'fortran_order': False, 'shape': (4, 2), }";
    memset(file, ' ', sizeof file);
    memcpy(file, start, sizeof start);
    memcpy(file + sizeof start, text, sizeof text - 1);
    file[127] = '\n';
    *n = sizeof file;
    return file;
}

/* Reads at most `capacity` samples; 0 of them where the source says that something is wrong. */
static struct weft_block read_some(struct weft_source *source, size_t capacity, weft_status *status)
{
    weft_error err = {0};
    struct weft_block block = {.capacity = capacity};
    block.x = calloc(capacity * source->extent.features, weft_dtype_size(source->dtype));
    block.y = calloc(capacity * source->n_labels + 1, sizeof *block.y);
    FUZZ_MUST(block.x != NULL && block.y != NULL);
    *status = weft_source_read(source, &block, &err);
    FUZZ_MUST(block.n <= capacity);
    FUZZ_MUST(*status == WEFT_OK || strchr(err.message, '\n') == NULL);
    return block;
}

static void release(struct weft_block *block)
{
    free(block->x);
    free(block->y);
}

/* The first samples in one piece, then again in pieces of 3, from the start and from the middle. */
static void check_blocks(struct weft_source *source)
{
    size_t most = ((size_t)1 << 22) / sizeof(float) / source->extent.features;
    most = most < 1 ? 1 : most > 100 ? 100 : most;
    size_t row = source->extent.features * weft_dtype_size(source->dtype);
    weft_error err = {0};
    weft_status status;
    struct weft_block all = read_some(source, most, &status);
    if (status == WEFT_OK && weft_source_rewind(source, &err) == WEFT_OK) {
        size_t at = 0;
        if (source->can_seek && all.n > 1) {
            at = all.n / 2;
            FUZZ_MUST(weft_source_seek(source, at, &err) == WEFT_OK);
        }
        while (at + 3 <= all.n) {
            struct weft_block some = read_some(source, 3, &status);
            if (status == WEFT_OK) {
                FUZZ_MUST(some.n == 3);
                FUZZ_MUST(memcmp(some.x, (char *)all.x + at * row, 3 * row) == 0);
                FUZZ_MUST(memcmp(some.y, all.y + at * source->n_labels,
                                 3 * source->n_labels * sizeof *some.y) == 0);
            }
            FUZZ_MUST(status == WEFT_OK);
            release(&some);
            at += 3;
        }
    }
    release(&all);
}

static void read_path(const char *path, const weft_dataset_options *options)
{
    weft_error err = {0};
    weft_dataset *data = NULL;
    weft_status status = weft_dataset_load(path, options, &data, &err);
    FUZZ_MUST(status == WEFT_OK || (data == NULL && strchr(err.message, '\n') == NULL));
    if (status == WEFT_OK) {
        weft_tensor x = weft_dataset_x(data);
        FUZZ_MUST(weft_dataset_samples(data) > 0 && weft_dataset_features(data) > 0);
        for (size_t i = 0; i < x.cols && x.dtype == WEFT_F32; i++) {
            FUZZ_MUST(isfinite(((const float *)x.data)[i]));
        }
    }
    weft_dataset_free(data);
    struct weft_source *source = NULL;
    if (weft_source_open(path, options, &source, &err) == WEFT_OK) {
        check_blocks(source);
    }
    weft_source_close(source);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const struct weft_format *format = &FORMAT_OF(FUZZ_FORMAT);
    if (n == 0 || !format->knows(bytes, n)) {
        return 0;
    }
    static const char *const labels[] = {NULL, "-1", "y", "1,0"};
    static const char *const names[] = {NULL, "a"};
    weft_dataset_options options = weft_dataset_options_default();
    options.label = labels[n % 4];
    options.x_name = names[n / 4 % 2];
    options.labels = n / 8 % 2 == 0 ? WEFT_LABELS_AUTO : WEFT_LABELS_VALUES;
    const char *path = fuzz_file(0, bytes, n);
    read_path(path, &options);
    if (format->is_pair) {
        size_t size = sizeof idx_samples;
        const void *samples = idx_samples;
        if (format == &weft_numpy_format) {
            samples = npy_samples(&size);
        }
        char pair[80];
        snprintf(pair, sizeof pair, "%s,%s", fuzz_file(1, samples, size), path);
        read_path(pair, &options);
    }
    if (format == &weft_csv_format) {
        static const char *const categorical[] = {NULL, "1", "1,-1", "x"};
        options.missing = (weft_missing)(n / 4 % WEFT_N_MISSING);
        options.categorical = categorical[n / 2 % 4];
        read_path(path, &options);
        options.missing = WEFT_MISSING_ERROR;
        options.categorical = NULL;
    }
    options.labels = WEFT_LABELS_NONE;
    read_path(path, &options);
    return 0;
}
