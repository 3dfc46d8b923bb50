/* Reads IDX files. Headers are checked against the size of the file and against each other before
 * memory is taken; memory is filled as data arrives. */
#include "data/idx.h"

#include <string.h>

#include "base/fail.h"
#include "base/mem.h"
#include "data/labels.h"

#define CHUNK_BYTES ((size_t)1 << 16)

struct header {
    unsigned type;
    size_t element; /* bytes of one */
    struct weft_extent extent;
    size_t n_elements;
};

/* Bytes of an element, or 0 for a type that does not exist. */
static size_t element_size(unsigned type)
{
    switch (type) {
    case 0x08: /* u8 */
    case 0x09: /* i8 */
        return 1;
    case 0x0B: /* i16 */
        return 2;
    case 0x0C: /* i32 */
    case 0x0D: /* f32 */
        return 4;
    case 0x0E: /* f64 */
        return 8;
    default:
        return 0;
    }
}

static uint64_t big_endian(const unsigned char *bytes, size_t n)
{
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++) {
        value = value << 8 | bytes[i];
    }
    return value;
}

static double decode(unsigned type, const unsigned char *bytes)
{
    switch (type) {
    case 0x09:
        return (int8_t)bytes[0];
    case 0x0B:
        return (int16_t)big_endian(bytes, 2);
    case 0x0C:
        return (int32_t)big_endian(bytes, 4);
    case 0x0D: {
        uint32_t bits = (uint32_t)big_endian(bytes, 4);
        float value;
        memcpy(&value, &bits, sizeof value);
        return (double)value;
    }
    case 0x0E: {
        uint64_t bits = big_endian(bytes, 8);
        double value;
        memcpy(&value, &bits, sizeof value);
        return value;
    }
    default:
        return bytes[0];
    }
}

bool weft_idx_looks_so(const unsigned char *bytes, size_t n)
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
    if (weft_gzstream_is_gzip(stream)) {
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
        header.type = magic[2];
        header.element = element_size(magic[2]);
    }
    if (header.element == 0 || !weft_idx_looks_so(magic, got) || magic[3] == 0) {
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
        dims[i] = big_endian(sizes + 4 * i, 4);
    }
    status = weft_extent_init(&header.extent, dims, n_dims, header.element, path, err);
    if (status != WEFT_OK) {
        return status;
    }
    header.n_elements = header.extent.samples * header.extent.features;
    header.extent.n_dims = n_dims == 1 ? 0 : header.extent.n_dims;
    *out = header;
    return check_size(stream, sizeof magic + 4 * n_dims, header.n_elements * header.element, err);
}

static weft_status read_exactly(struct weft_gzstream *stream, const struct header *header,
                                void *bytes, size_t n, size_t n_before, weft_error *err)
{
    size_t got = 0;
    weft_status status = weft_gzstream_read(stream, bytes, n, &got, err);
    if (status == WEFT_OK && got < n) {
        return weft_fail(
            err, WEFT_ERR_FORMAT, "%s: holds %zu bytes of data, its header promises %zu",
            weft_gzstream_path(stream), n_before + got, header->n_elements * header->element);
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
                         weft_gzstream_path(stream), header->n_elements * header->element);
    }
    return status;
}

/* Where decoded elements go: one of the two is not NULL. */
struct sink {
    float *floats;
    double *doubles;
};

static weft_status read_decoded(struct weft_gzstream *stream, const struct header *header,
                                struct sink sink, weft_error *err)
{
    unsigned char *chunk = weft_mem_alloc(CHUNK_BYTES, 1);
    if (chunk == NULL) {
        return weft_fail_nomem(err, "a read buffer");
    }
    weft_status status = WEFT_OK;
    size_t per_chunk = CHUNK_BYTES / header->element;
    for (size_t done = 0; done < header->n_elements && status == WEFT_OK;) {
        size_t n = header->n_elements - done < per_chunk ? header->n_elements - done : per_chunk;
        status =
            read_exactly(stream, header, chunk, n * header->element, done * header->element, err);
        for (size_t i = 0; i < n && status == WEFT_OK; i++) {
            double value = decode(header->type, chunk + i * header->element);
            if (sink.floats != NULL) {
                sink.floats[done + i] = (float)value;
            } else {
                sink.doubles[done + i] = value;
            }
        }
        done += n;
    }
    weft_mem_free(chunk);
    return status;
}

static weft_status read_labels(struct weft_gzstream *stream, const struct header *header,
                               const weft_dataset_options *options, weft_dataset *data,
                               weft_error *err)
{
    double *numbers = weft_mem_alloc(header->n_elements, sizeof *numbers);
    if (numbers == NULL) {
        return weft_fail_nomem(err, "labels");
    }
    weft_status status = read_decoded(stream, header, (struct sink){.doubles = numbers}, err);
    if (status == WEFT_OK) {
        status = expect_end(stream, header, err);
    }
    if (status == WEFT_OK) {
        const struct weft_number_labels source = {
            .path = weft_gzstream_path(stream),
            .numbers = numbers,
            .n_each = header->extent.features,
        };
        status = weft_labels_from_numbers(&source, options, data, err);
    }
    weft_mem_free(numbers);
    return status;
}

static weft_status read_samples(struct weft_gzstream *stream, const struct header *header,
                                weft_dataset *data, weft_error *err)
{
    weft_status status =
        data->x.dtype == WEFT_U8
            ? read_exactly(stream, header, data->x.data, header->n_elements, 0, err)
            : read_decoded(stream, header, (struct sink){.floats = data->x.data}, err);
    return status == WEFT_OK ? expect_end(stream, header, err) : status;
}

/* Sample files have at least two dimensions, label files one or two. */
static weft_status check_pair(const struct weft_gzstream *samples, const struct header *x,
                              const struct weft_gzstream *labels, const struct header *y,
                              weft_error *err)
{
    const char *x_path = weft_gzstream_path(samples);
    if (x->extent.n_dims == 0) {
        const char *advice =
            y != NULL && y->extent.n_dims > 1 ? "; are the two files swapped?" : "";
        return weft_fail(err, WEFT_ERR_FORMAT,
                         "%s: has 1 dimension, as labels have, wanted samples with 2 to 5%s",
                         x_path, advice);
    }
    if (y == NULL) {
        return WEFT_OK;
    }
    const char *y_path = weft_gzstream_path(labels);
    if (y->extent.n_dims > 1) {
        return weft_fail(err, WEFT_ERR_FORMAT, "%s: has %zu dimensions, wanted labels with 1",
                         y_path, y->extent.n_dims + 1);
    }
    if (x->extent.samples != y->extent.samples) {
        return weft_fail(err, WEFT_ERR_MISMATCH, "%s has %zu samples, %s has %zu labels", x_path,
                         x->extent.samples, y_path, y->extent.samples);
    }
    return WEFT_OK;
}

weft_status weft_idx_load(struct weft_gzstream *samples, struct weft_gzstream *labels,
                          const weft_dataset_options *options, weft_dataset **out, weft_error *err)
{
    struct header x, y;
    weft_status status = read_header(samples, &x, err);
    if (status == WEFT_OK && labels != NULL) {
        status = read_header(labels, &y, err);
    }
    if (status == WEFT_OK) {
        status = check_pair(samples, &x, labels, labels == NULL ? NULL : &y, err);
    }
    if (status != WEFT_OK) {
        return status;
    }
    bool gzip = weft_gzstream_is_gzip(samples) || (labels != NULL && weft_gzstream_is_gzip(labels));
    weft_dataset *data = NULL;
    status = weft_dataset_new(&x.extent, x.type == 0x08 ? WEFT_U8 : WEFT_F32,
                              gzip ? "IDX, gzip" : "IDX", &data, err);
    if (status != WEFT_OK) {
        return status;
    }
    status = labels == NULL ? WEFT_OK : read_labels(labels, &y, options, data, err);
    if (status == WEFT_OK) {
        status = read_samples(samples, &x, data, err);
    }
    if (status == WEFT_OK) {
        const char *x_path = weft_gzstream_path(samples);
        const char *y_path = labels == NULL ? x_path : weft_gzstream_path(labels);
        status = weft_dataset_scan(data, WEFT_ERR_FORMAT, x_path, y_path, err);
    }
    if (status != WEFT_OK) {
        weft_dataset_free(data);
        return status;
    }
    *out = data;
    return WEFT_OK;
}
