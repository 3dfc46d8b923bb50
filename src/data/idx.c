/* Reads IDX files. Headers are checked against the size of the file and against each other before
 * memory is taken; memory is filled as data arrives.
 *
 * Two sets have habits of their own. EMNIST's images are stored with rows and columns exchanged;
 * they are turned the right way, and recognised by their names ("emnist-..."), as nothing else
 * tells. QMNIST's labels are 8 numbers of 4 bytes for each digit, of which the first is its class
 * (Yadav & Bottou 2019, "Cold case: the lost MNIST digits"). */
#include "data/idx.h"

#include <string.h>
#include <strings.h>

#include "base/fail.h"
#include "base/mem.h"
#include "data/array_pair.h"

static const struct {
    unsigned char code;
    struct weft_element element;
} types[] = {
    {0x08, {WEFT_UNSIGNED, 1, true}}, {0x09, {WEFT_SIGNED, 1, true}},
    {0x0B, {WEFT_SIGNED, 2, true}},   {0x0C, {WEFT_SIGNED, 4, true}},
    {0x0D, {WEFT_FLOATING, 4, true}}, {0x0E, {WEFT_FLOATING, 8, true}},
};

/* The type of that code; of size 0 where there is none. */
static struct weft_element type_of(unsigned char code)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (types[i].code == code) {
            return types[i].element;
        }
    }
    return (struct weft_element){.size = 0};
}

static uint64_t big_endian(const unsigned char *bytes)
{
    return (uint64_t)bytes[0] << 24 | (uint64_t)bytes[1] << 16 | (uint64_t)bytes[2] << 8 | bytes[3];
}

static bool looks_so(const unsigned char *bytes, size_t n)
{
    return n >= 2 && bytes[0] == 0 && bytes[1] == 0;
}

static weft_status fail_magic(const struct weft_gzstream *stream, const unsigned char *bytes,
                              size_t n, weft_error *err)
{
    char starts[16] = "";
    for (size_t i = 0; i < n && i < 4; i++) {
        static const char digits[] = "0123456789abcdef";
        starts[3 * i] = ' ';
        starts[3 * i + 1] = digits[bytes[i] >> 4];
        starts[3 * i + 2] = digits[bytes[i] & 15];
    }
    return weft_fail(err, WEFT_ERR_FORMAT,
                     "%s: not an IDX file: starts with%s, wanted 00 00, a type (08, 09, 0b to 0e) "
                     "and a number of dimensions%s",
                     weft_gzstream_path(stream), starts,
                     weft_gzstream_is_misnamed(stream) ? " (it is named .gz, but is not compressed)"
                                                       : "");
}

static weft_status read_header(struct weft_binary_array *array, weft_error *err)
{
    enum { MOST_DIMS = WEFT_SAMPLE_DIMS + 1 };
    struct weft_gzstream *stream = array->stream;
    const char *path = weft_gzstream_path(stream);
    unsigned char magic[4], sizes[4 * MOST_DIMS];
    size_t got = 0;
    weft_status status = weft_gzstream_read(stream, magic, sizeof magic, &got, err);
    if (status != WEFT_OK) {
        return status;
    }
    if (got == sizeof magic) {
        array->element = type_of(magic[2]);
    }
    if (array->element.size == 0 || !looks_so(magic, got) || magic[3] == 0) {
        return fail_magic(stream, magic, got, err);
    }
    size_t n_dims = magic[3];
    if (n_dims > MOST_DIMS) {
        return weft_fail(err, WEFT_ERR_FORMAT, "%s: %zu dimensions, at most %d are supported", path,
                         n_dims, MOST_DIMS);
    }
    array->header_bytes = sizeof magic + 4 * n_dims;
    status = weft_gzstream_read(stream, sizes, 4 * n_dims, &got, err);
    if (status != WEFT_OK) {
        return status;
    }
    if (got < 4 * n_dims) {
        return weft_fail(err, WEFT_ERR_FORMAT, "%s: ends after %zu bytes, amid its header of %zu",
                         path, sizeof magic + got, array->header_bytes);
    }
    uint64_t dims[MOST_DIMS];
    for (size_t i = 0; i < n_dims; i++) {
        dims[i] = big_endian(sizes + 4 * i);
    }
    status = weft_extent_init(&array->extent, dims, n_dims, array->element.size, path, err);
    if (status != WEFT_OK) {
        return status;
    }
    if (n_dims == 1) {
        array->extent.n_dims = 0;
    }
    return weft_binary_array_start(array, err);
}

struct idx_source {
    struct weft_source common;
    struct weft_array_pair pair;
    bool is_turned;       /* rows and columns of images are exchanged */
    unsigned char *image; /* one before it is turned */
};

/* Exchanges rows and columns of n images. */
static void turn(const struct idx_source *source, unsigned char *images, size_t n)
{
    const struct weft_extent *extent = &source->pair.x.extent;
    size_t rows = extent->dims[1], cols = extent->dims[0]; /* of what they become */
    for (size_t i = 0; i < n; i++) {
        unsigned char *image = images + i * rows * cols;
        memcpy(source->image, image, rows * cols);
        for (size_t r = 0; r < rows; r++) {
            for (size_t c = 0; c < cols; c++) {
                image[r * cols + c] = source->image[c * rows + r];
            }
        }
    }
}

static weft_status read_block(struct weft_source *common, struct weft_block *block, weft_error *err)
{
    struct idx_source *source = (struct idx_source *)common;
    weft_status status = weft_array_pair_read(&source->pair, common, block, err);
    if (status == WEFT_OK && source->is_turned) {
        turn(source, block->x, block->n);
    }
    return status;
}

static weft_status seek_sample(struct weft_source *common, uint64_t sample, weft_error *err)
{
    return weft_array_pair_seek(&((struct idx_source *)common)->pair, sample, err);
}

static weft_status read_labels(struct weft_source *common, double *y, weft_error *err)
{
    return weft_array_pair_labels(&((struct idx_source *)common)->pair, common, y, err);
}

static void close_source(struct weft_source *common)
{
    struct idx_source *source = (struct idx_source *)common;
    weft_array_pair_release(&source->pair);
    weft_mem_free(source->image);
    weft_mem_free(source);
}

static const struct weft_source_methods methods = {
    .read = read_block, .seek = seek_sample, .labels = read_labels, .close = close_source};

static bool is_emnist(const char *path)
{
    static const char start[] = "emnist-";
    const char *slash = strrchr(path, '/');
    return strncasecmp(slash == NULL ? path : slash + 1, start, sizeof start - 1) == 0;
}

static bool is_qmnist(const struct weft_binary_array *labels)
{
    return labels->extent.features == 8 && labels->element.kind == WEFT_SIGNED &&
           labels->element.size == 4;
}

static weft_status describe(struct idx_source *source, const weft_dataset_options *options,
                            weft_error *err)
{
    struct weft_source *common = &source->common;
    const struct weft_extent *stored = &source->pair.x.extent;
    weft_status status = weft_array_pair_describe(&source->pair, common, err);
    if (status != WEFT_OK) {
        return status;
    }
    common->format = common->can_seek ? "IDX" : "IDX, gzip";
    if (common->n_labels > 1 && is_qmnist(&source->pair.y) &&
        options->labels != WEFT_LABELS_VALUES) {
        common->n_labels = 1;
    }
    source->is_turned =
        is_emnist(common->x_path) && common->dtype == WEFT_U8 && stored->n_dims == 2;
    if (source->is_turned) {
        common->extent.dims[0] = stored->dims[1];
        common->extent.dims[1] = stored->dims[0];
    }
    source->image = weft_mem_alloc(source->is_turned ? stored->features : 0, 1);
    return source->image == NULL ? weft_fail_nomem(err, "an image") : WEFT_OK;
}

static weft_status open_source(const struct weft_source_files *files,
                               const weft_dataset_options *options, struct weft_source **out,
                               weft_error *err)
{
    struct idx_source *source = weft_mem_zalloc(1, sizeof *source);
    if (source == NULL) {
        weft_source_files_close(files);
        return weft_fail_nomem(err, "a file reader");
    }
    source->common.methods = &methods;
    source->pair.x.stream = files->samples;
    source->pair.y.stream = files->labels;
    weft_status status = read_header(&source->pair.x, err);
    if (status == WEFT_OK && files->labels == NULL && options->labels != WEFT_LABELS_NONE) {
        status = weft_fail(err, WEFT_ERR_FORMAT,
                           "%s: an IDX file has samples without labels, wanted both: "
                           "IMAGES,LABELS or a directory",
                           weft_gzstream_path(files->samples));
    }
    if (status == WEFT_OK && files->labels != NULL) {
        status = read_header(&source->pair.y, err);
    }
    if (status == WEFT_OK) {
        status = describe(source, options, err);
    }
    if (status != WEFT_OK) {
        close_source(&source->common);
        return status;
    }
    *out = &source->common;
    return WEFT_OK;
}

const struct weft_format weft_idx_format = {
    .knows = looks_so, .is_pair = true, .open = open_source};
