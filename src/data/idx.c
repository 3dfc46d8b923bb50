/* Reads IDX files. Headers are checked against the size of the file and against each other before
 * memory is taken; memory is filled as data arrives.
 *
 * Two sets have habits of their own. EMNIST's images are stored with rows and columns exchanged;
 * they are turned the right way, and recognised by their names ("emnist-..."), as nothing else
 * tells. QMNIST's labels are 8 numbers of 4 bytes for each digit, of which the first is its class
 * (Yadav & Bottou 2019, "Cold case: the lost MNIST digits"). */
#include "data/idx.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "base/fail.h"
#include "base/mem.h"
#include "data/element.h"

#define CHUNK_BYTES ((size_t)1 << 16)

struct header {
    struct weft_element element;
    struct weft_extent extent;
    size_t n_elements, n_bytes; /* n_bytes: of the header */
};

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

/* The sizes must be those of the file: exactly for a plain one, by what could be in it for a
 * compressed one. */
static weft_status check_size(const struct weft_gzstream *stream, size_t header_bytes,
                              size_t payload, weft_error *err)
{
    const char *path = weft_gzstream_path(stream);
    uint64_t file_bytes = weft_gzstream_file_bytes(stream);
    if (weft_gzstream_is_packed(stream)) {
        return weft_check_plausible(payload, file_bytes, path, err);
    }
    if (file_bytes < header_bytes || file_bytes - header_bytes != payload) {
        return weft_fail(err, WEFT_ERR_FORMAT,
                         "%s: %llu bytes, its header promises %zu and %zu of header", path,
                         (unsigned long long)file_bytes, payload, header_bytes);
    }
    return WEFT_OK;
}

static weft_status read_header(struct weft_gzstream *stream, struct header *out, weft_error *err)
{
    enum { MOST_DIMS = WEFT_SAMPLE_DIMS + 1 };
    const char *path = weft_gzstream_path(stream);
    unsigned char magic[4], sizes[4 * MOST_DIMS];
    size_t got = 0;
    weft_status status = weft_gzstream_read(stream, magic, sizeof magic, &got, err);
    if (status != WEFT_OK) {
        return status;
    }
    struct header header = {0};
    if (got == sizeof magic) {
        header.element = type_of(magic[2]);
    }
    if (header.element.size == 0 || !looks_so(magic, got) || magic[3] == 0) {
        return fail_magic(stream, magic, got, err);
    }
    size_t n_dims = magic[3];
    if (n_dims > MOST_DIMS) {
        return weft_fail(err, WEFT_ERR_FORMAT, "%s: %zu dimensions, at most %d are supported", path,
                         n_dims, MOST_DIMS);
    }
    status = weft_gzstream_read(stream, sizes, 4 * n_dims, &got, err);
    if (status != WEFT_OK) {
        return status;
    }
    if (got < 4 * n_dims) {
        return weft_fail(err, WEFT_ERR_FORMAT, "%s: ends after %zu bytes, amid its header of %zu",
                         path, sizeof magic + got, sizeof magic + 4 * n_dims);
    }
    uint64_t dims[MOST_DIMS];
    for (size_t i = 0; i < n_dims; i++) {
        dims[i] = big_endian(sizes + 4 * i);
    }
    status = weft_extent_init(&header.extent, dims, n_dims, header.element.size, path, err);
    if (status != WEFT_OK) {
        return status;
    }
    header.n_elements = header.extent.samples * header.extent.features;
    header.n_bytes = sizeof magic + 4 * n_dims;
    header.extent.n_dims = n_dims == 1 ? 0 : header.extent.n_dims;
    *out = header;
    return check_size(stream, header.n_bytes, header.n_elements * header.element.size, err);
}

static weft_status read_exactly(struct weft_gzstream *stream, const struct header *header,
                                void *bytes, size_t n, size_t n_before, weft_error *err)
{
    size_t got = 0;
    weft_status status = weft_gzstream_read(stream, bytes, n, &got, err);
    if (status == WEFT_OK && got < n) {
        return weft_fail(
            err, WEFT_ERR_FORMAT, "%s: holds %zu bytes of data, its header promises %zu",
            weft_gzstream_path(stream), n_before + got, header->n_elements * header->element.size);
    }
    return status;
}

/* Nothing may follow; looking for it also makes zlib compare the check sum. */
static weft_status expect_end(struct weft_gzstream *stream, const struct header *header,
                              weft_error *err)
{
    unsigned char byte;
    size_t got = 0;
    weft_status status = weft_gzstream_read(stream, &byte, 1, &got, err);
    if (status == WEFT_OK && got != 0) {
        return weft_fail(err, WEFT_ERR_FORMAT,
                         "%s: goes on after the %zu bytes of data that its header promises",
                         weft_gzstream_path(stream), header->n_elements * header->element.size);
    }
    return status;
}

/* One of the two files. */
struct part {
    struct weft_gzstream *stream; /* NULL: there is none */
    struct header header;
    size_t at; /* sample to be read next */
};

struct idx_source {
    struct weft_source common;
    struct part x, y;
    bool is_turned;       /* rows and columns of images are exchanged */
    unsigned char *chunk; /* [CHUNK_BYTES] elements as they are in the file */
    unsigned char *image; /* one before it is turned */
};

static weft_status check_pair(const struct part *x, const struct part *y, weft_error *err)
{
    const char *x_path = weft_gzstream_path(x->stream);
    const struct weft_extent *samples = &x->header.extent, *labels = &y->header.extent;
    if (samples->n_dims == 0) {
        const char *advice =
            y->stream != NULL && labels->n_dims > 1 ? "; are the two files swapped?" : "";
        return weft_fail(err, WEFT_ERR_FORMAT,
                         "%s: has 1 dimension, as labels have, wanted samples with 2 to 5%s",
                         x_path, advice);
    }
    if (y->stream == NULL) {
        return WEFT_OK;
    }
    const char *y_path = weft_gzstream_path(y->stream);
    if (labels->n_dims > 1) {
        return weft_fail(err, WEFT_ERR_FORMAT, "%s: has %zu dimensions, wanted labels with 1",
                         y_path, labels->n_dims + 1);
    }
    if (samples->samples != labels->samples) {
        return weft_fail(err, WEFT_ERR_MISMATCH, "%s has %zu samples, %s has %zu labels", x_path,
                         samples->samples, y_path, labels->samples);
    }
    return WEFT_OK;
}

/* Reads n elements behind those of `at` samples into the chunk and hands them on in groups. */
static weft_status read_decoded(struct idx_source *source, struct part *part, size_t n, void *x,
                                double *y, weft_error *err)
{
    const struct header *header = &part->header;
    size_t size = header->element.size, per_chunk = CHUNK_BYTES / size;
    size_t before = part->at * header->extent.features * size;
    for (size_t done = 0; done < n; done += per_chunk) {
        size_t group = n - done < per_chunk ? n - done : per_chunk;
        weft_status status = read_exactly(part->stream, header, source->chunk, group * size,
                                          before + done * size, err);
        if (status != WEFT_OK) {
            return status;
        }
        if (y != NULL) {
            weft_element_doubles(&header->element, source->chunk, group, y + done);
        } else {
            weft_element_features(&header->element, source->chunk, group, (float *)x + done);
        }
    }
    return WEFT_OK;
}

/* Exchanges rows and columns of n images. */
static void turn(const struct idx_source *source, unsigned char *images, size_t n)
{
    const struct weft_extent *extent = &source->x.header.extent;
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

static weft_status read_samples(struct idx_source *source, struct weft_block *block, size_t n,
                                weft_error *err)
{
    struct part *x = &source->x;
    size_t features = x->header.extent.features;
    weft_status status;
    if (source->common.dtype == WEFT_U8) {
        status = read_exactly(x->stream, &x->header, block->x, n * features, x->at * features, err);
    } else {
        status = read_decoded(source, x, n * features, block->x, NULL, err);
    }
    if (status == WEFT_OK && source->is_turned) {
        turn(source, block->x, n);
    }
    return status;
}

/* Of several numbers for each sample only the first is wanted. */
static weft_status read_first_labels(struct idx_source *source, double *out, size_t n,
                                     weft_error *err)
{
    struct part *y = &source->y;
    const struct weft_element *element = &y->header.element;
    size_t row = y->header.extent.features * element->size, per_chunk = CHUNK_BYTES / row;
    for (size_t done = 0; done < n; done += per_chunk) {
        size_t group = n - done < per_chunk ? n - done : per_chunk;
        weft_status status = read_exactly(y->stream, &y->header, source->chunk, group * row,
                                          (y->at + done) * row, err);
        if (status != WEFT_OK) {
            return status;
        }
        for (size_t i = 0; i < group; i++) {
            weft_element_doubles(element, source->chunk + i * row, 1, out + done + i);
        }
    }
    return WEFT_OK;
}

static weft_status read_labels(struct idx_source *source, struct weft_block *block, size_t n,
                               weft_error *err)
{
    size_t each = source->y.header.extent.features;
    return source->common.n_labels == each
               ? read_decoded(source, &source->y, n * each, NULL, block->y, err)
               : read_first_labels(source, block->y, n, err);
}

static weft_status read_block(struct weft_source *common, struct weft_block *block, weft_error *err)
{
    struct idx_source *source = (struct idx_source *)common;
    size_t left = common->extent.samples - source->x.at;
    size_t n = block->capacity < left ? block->capacity : left;
    if (n == 0) {
        return WEFT_OK;
    }
    struct part *parts[2] = {&source->x, &source->y};
    for (int i = 0; i < 2; i++) {
        struct part *part = parts[i];
        if (part->stream == NULL) {
            continue;
        }
        weft_status status =
            i == 0 ? read_samples(source, block, n, err) : read_labels(source, block, n, err);
        if (status == WEFT_OK && n == left) {
            status = expect_end(part->stream, &part->header, err);
        }
        if (status != WEFT_OK) {
            return status;
        }
        part->at += n;
    }
    block->n = n;
    return WEFT_OK;
}

static weft_status seek_sample(struct weft_source *common, uint64_t sample, weft_error *err)
{
    struct idx_source *source = (struct idx_source *)common;
    struct part *parts[2] = {&source->x, &source->y};
    for (int i = 0; i < 2; i++) {
        const struct header *header = &parts[i]->header;
        if (parts[i]->stream == NULL) {
            continue;
        }
        size_t before = (size_t)sample * header->extent.features * header->element.size;
        weft_status status = weft_gzstream_seek(parts[i]->stream, header->n_bytes + before, err);
        if (status != WEFT_OK) {
            return status;
        }
        parts[i]->at = (size_t)sample;
    }
    return WEFT_OK;
}

static void close_source(struct weft_source *common)
{
    struct idx_source *source = (struct idx_source *)common;
    weft_gzstream_close(source->x.stream);
    weft_gzstream_close(source->y.stream);
    weft_mem_free(source->chunk);
    weft_mem_free(source->image);
    weft_mem_free(source);
}

static const struct weft_source_methods methods = {
    .read = read_block, .seek = seek_sample, .close = close_source};

static bool is_emnist(const char *path)
{
    static const char start[] = "emnist-";
    const char *slash = strrchr(path, '/');
    return strncasecmp(slash == NULL ? path : slash + 1, start, sizeof start - 1) == 0;
}

static bool is_qmnist(const struct header *labels)
{
    return labels->extent.features == 8 && labels->element.kind == WEFT_SIGNED &&
           labels->element.size == 4;
}

static weft_status describe(struct idx_source *source, const weft_dataset_options *options,
                            weft_error *err)
{
    struct weft_source *common = &source->common;
    const struct part *x = &source->x, *y = &source->y;
    bool x_packed = weft_gzstream_is_packed(x->stream);
    bool y_packed = y->stream != NULL && weft_gzstream_is_packed(y->stream);
    common->format = x_packed || y_packed ? "IDX, gzip" : "IDX";
    common->can_seek = !x_packed && !y_packed;
    common->x_path = weft_gzstream_path(x->stream);
    common->y_path = y->stream == NULL ? common->x_path : weft_gzstream_path(y->stream);
    common->extent = x->header.extent;
    common->dtype = weft_element_dtype(&x->header.element);
    if (y->stream != NULL) {
        bool first_alone = is_qmnist(&y->header) && options->labels != WEFT_LABELS_VALUES;
        common->n_labels = first_alone ? 1 : y->header.extent.features;
    }
    source->is_turned =
        is_emnist(common->x_path) && common->dtype == WEFT_U8 && common->extent.n_dims == 2;
    if (source->is_turned) {
        common->extent.dims[0] = x->header.extent.dims[1];
        common->extent.dims[1] = x->header.extent.dims[0];
    }
    source->image = weft_mem_alloc(source->is_turned ? common->extent.features : 0, 1);
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
    source->x.stream = files->samples;
    source->y.stream = files->labels;
    source->chunk = weft_mem_alloc(CHUNK_BYTES, 1);
    weft_status status = source->chunk == NULL
                             ? weft_fail_nomem(err, "a read buffer")
                             : read_header(files->samples, &source->x.header, err);
    if (status == WEFT_OK && files->labels == NULL && options->labels != WEFT_LABELS_NONE) {
        status = weft_fail(err, WEFT_ERR_FORMAT,
                           "%s: an IDX file has samples without labels, wanted both: "
                           "IMAGES,LABELS or a directory",
                           weft_gzstream_path(files->samples));
    }
    if (status == WEFT_OK && files->labels != NULL) {
        status = read_header(files->labels, &source->y.header, err);
    }
    if (status == WEFT_OK) {
        status = check_pair(&source->x, &source->y, err);
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
