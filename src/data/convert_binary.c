/* Writes samples as IDX, NPY and NPZ. */
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/mem.h"
#include "data/convert_write.h"

/* An array of the conversion: features, or labels. */
struct array {
    struct weft_conversion *conversion;
    bool is_labels;
    bool is_byte, is_whole; /* elements: bytes, int32; else float32 */
    size_t n_dims;
    uint64_t dims[1 + WEFT_SAMPLE_DIMS];
};

static size_t row_of(const struct array *array)
{
    return array->is_labels ? weft_conversion_labels(array->conversion)
                            : array->conversion->summary->features;
}

static struct array features_of(struct weft_conversion *conversion)
{
    const weft_summary *summary = conversion->summary;
    struct array array = {.conversion = conversion, .is_byte = summary->dtype == WEFT_U8};
    array.dims[0] = summary->samples;
    array.n_dims = 1 + summary->n_dims;
    for (size_t i = 0; i < summary->n_dims; i++) {
        array.dims[1 + i] = summary->dims[i];
    }
    return array;
}

static struct array labels_of(struct weft_conversion *conversion)
{
    const weft_summary *summary = conversion->summary;
    struct array array = {.conversion = conversion, .is_labels = true, .n_dims = 1};
    array.dims[0] = summary->samples;
    if (summary->labels == WEFT_LABELS_VALUES && summary->n_values > 1) {
        array.dims[array.n_dims++] = summary->n_values;
    }
    array.is_whole = summary->labels == WEFT_LABELS_CLASSES;
    array.is_byte = array.is_whole;
    for (size_t i = 0; i < summary->n_classes; i++) {
        array.is_byte = array.is_byte && conversion->numbers[i] <= 255;
    }
    return array;
}

/* An element as its bytes in the file; returns how many. */
static size_t encode(const struct array *array, double value, bool big_endian,
                     unsigned char bytes[4])
{
    if (array->is_byte) {
        bytes[0] = (unsigned char)value;
        return 1;
    }
    uint32_t bits;
    float narrow = (float)value;
    int32_t whole = array->is_whole ? (int32_t)value : 0;
    memcpy(&bits, array->is_whole ? (const void *)&whole : (const void *)&narrow, 4);
    for (size_t i = 0; i < 4; i++) {
        bytes[big_endian ? 3 - i : i] = (unsigned char)(bits >> 8 * i);
    }
    return 4;
}

static void put_block(const struct array *array, const struct weft_block *block, bool big_endian,
                      struct weft_sink *sink)
{
    size_t n = block->n * row_of(array);
    if (!array->is_labels && array->is_byte) {
        weft_sink_write(sink, block->x, n);
        return;
    }
    enum { GROUP = 1024 };
    unsigned char bytes[4 * GROUP];
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        double value = array->is_labels ? block->y[i] : (double)((const float *)block->x)[i];
        len += encode(array, value, big_endian, bytes + len);
        if (len + 4 > sizeof bytes || i + 1 == n) {
            weft_sink_write(sink, bytes, len);
            len = 0;
        }
    }
}

/* Reads all samples and writes one array of them, or both. */
static weft_status put_arrays(const struct array *x, struct weft_sink *x_sink,
                              const struct array *y, struct weft_sink *y_sink, bool big_endian,
                              weft_error *err)
{
    struct weft_conversion *conversion = x != NULL ? x->conversion : y->conversion;
    struct weft_block block = weft_conversion_block(conversion);
    weft_status status = block.x == NULL ? weft_fail_nomem(err, "samples") : WEFT_OK;
    while (status == WEFT_OK) {
        status = weft_conversion_read(conversion, &block, err);
        if (status != WEFT_OK || block.n == 0) {
            break;
        }
        if (x != NULL) {
            put_block(x, &block, big_endian, x_sink);
        }
        if (y != NULL) {
            put_block(y, &block, big_endian, y_sink);
        }
    }
    weft_block_free(&block);
    return status;
}

static void put_idx_header(const struct array *array, struct weft_sink *sink)
{
    const unsigned char magic[] = {0, 0,
                                   array->is_byte    ? 0x08
                                   : array->is_whole ? 0x0C
                                                     : 0x0D,
                                   (unsigned char)array->n_dims};
    weft_sink_write(sink, magic, sizeof magic);
    for (size_t i = 0; i < array->n_dims; i++) {
        unsigned char size[4];
        for (size_t j = 0; j < 4; j++) {
            size[j] = (unsigned char)(array->dims[i] >> (24 - 8 * j));
        }
        weft_sink_write(sink, size, sizeof size);
    }
}

static void put_npy_header(const struct array *array, struct weft_sink *sink)
{
    char text[256], shape[160];
    size_t len = 0;
    for (size_t i = 0; i < array->n_dims; i++) {
        len += (size_t)snprintf(shape + len, sizeof shape - len, i == 0 ? "%llu," : " %llu,",
                                (unsigned long long)array->dims[i]);
    }
    shape[array->n_dims > 1 ? len - 1 : len] = '\0';
    int n = snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }",
                     array->is_byte    ? "|u1"
                     : array->is_whole ? "<i4"
                                       : "<f4",
                     shape);
    size_t total = (10 + (size_t)n + 1 + 63) / 64 * 64; /* data starts at a multiple of 64 */
    size_t field = total - 10;
    const unsigned char start[] = {
        0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (unsigned char)field, (unsigned char)(field >> 8)};
    weft_sink_write(sink, start, sizeof start);
    weft_sink_write(sink, text, (size_t)n);
    for (size_t i = (size_t)n; i + 1 < field; i++) {
        weft_sink_write(sink, " ", 1);
    }
    weft_sink_write(sink, "\n", 1);
}

/* One file, or two. */
static weft_status write_pair(struct weft_conversion *conversion, bool is_idx, weft_error *err)
{
    struct weft_sink x_sink = {0}, y_sink = {0};
    bool two = conversion->y_path != NULL;
    struct array x = features_of(conversion), y = labels_of(conversion);
    void (*put_header)(const struct array *, struct weft_sink *) =
        is_idx ? put_idx_header : put_npy_header;
    weft_status status = weft_sink_open(&x_sink, conversion->x_path, err);
    if (status == WEFT_OK && two) {
        status = weft_sink_open(&y_sink, conversion->y_path, err);
    }
    if (status == WEFT_OK) {
        put_header(&x, &x_sink);
        if (two) {
            put_header(&y, &y_sink);
        }
        status = put_arrays(&x, &x_sink, two ? &y : NULL, &y_sink, is_idx, err);
    }
    if (status == WEFT_OK) {
        status = weft_sink_commit(&x_sink, err);
    }
    if (status == WEFT_OK && two) {
        status = weft_sink_commit(&y_sink, err);
    }
    weft_sink_abort(&x_sink);
    weft_sink_abort(&y_sink);
    return status;
}

weft_status weft_write_idx(struct weft_conversion *conversion, weft_error *err)
{
    const weft_summary *summary = conversion->summary;
    for (size_t i = 0; i < summary->n_dims; i++) {
        if (summary->dims[i] > UINT32_MAX || summary->samples > UINT32_MAX) {
            return weft_fail(err, WEFT_ERR_ARG, "%s: too large for IDX", conversion->x_path);
        }
    }
    return write_pair(conversion, true, err);
}

weft_status weft_write_npy(struct weft_conversion *conversion, weft_error *err)
{
    return write_pair(conversion, false, err);
}

static void put_le(struct weft_sink *sink, uint64_t value, size_t n)
{
    unsigned char bytes[8];
    for (size_t i = 0; i < n; i++) {
        bytes[i] = (unsigned char)(value >> 8 * i);
    }
    weft_sink_write(sink, bytes, n);
}

/* A member of an archive. */
struct member {
    const char *name;
    uint64_t at, n_bytes;
    uint32_t crc;
};

/* What the entry in front of a member and that of the directory share: version 2.0, stored, on
 * 1 January 1980. */
static void put_zip_fields(struct weft_sink *sink, const struct member *member)
{
    const unsigned char fields[] = {20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0};
    weft_sink_write(sink, fields, sizeof fields);
    put_le(sink, member->crc, 4);
    put_le(sink, member->n_bytes, 4);
    put_le(sink, member->n_bytes, 4);
    put_le(sink, strlen(member->name), 2);
    put_le(sink, 0, 2);
}

static uint64_t bytes_of(const struct array *array)
{
    uint64_t n = array->is_byte ? 1 : 4;
    for (size_t i = 0; i < array->n_dims; i++) {
        n *= array->dims[i];
    }
    return n;
}

/* The check sum is known once the member is written; it is put in front of it then. */
static weft_status put_member(const struct array *array, struct member *member,
                              struct weft_sink *sink, weft_error *err)
{
    member->at = sink->n;
    put_le(sink, 0x04034b50, 4);
    put_zip_fields(sink, member);
    weft_sink_write(sink, member->name, strlen(member->name));
    uint64_t start = sink->n;
    sink->crc = 0;
    sink->counts_crc = true;
    put_npy_header(array, sink);
    weft_status status = array->is_labels ? put_arrays(NULL, NULL, array, sink, false, err)
                                          : put_arrays(array, sink, NULL, NULL, false, err);
    sink->counts_crc = false;
    member->crc = sink->crc;
    member->n_bytes = sink->n - start;
    uint64_t end = sink->n;
    if (status == WEFT_OK) {
        bool went = fseek(sink->file.stream, (long)(member->at + 4), SEEK_SET) == 0;
        put_zip_fields(sink, member);
        went = went && fseek(sink->file.stream, (long)end, SEEK_SET) == 0;
        sink->n = end;
        sink->failed = sink->failed || !went;
    }
    return status;
}

static void put_directory(struct weft_sink *sink, const struct member *members, size_t n)
{
    uint64_t start = sink->n;
    for (size_t i = 0; i < n; i++) {
        put_le(sink, 0x02014b50, 4);
        put_le(sink, 20, 2);
        put_zip_fields(sink, &members[i]);
        put_le(sink, 0, 4); /* comment, disk */
        put_le(sink, 0, 6); /* attributes */
        put_le(sink, members[i].at, 4);
        weft_sink_write(sink, members[i].name, strlen(members[i].name));
    }
    uint64_t end = sink->n;
    put_le(sink, 0x06054b50, 4);
    put_le(sink, 0, 4);
    put_le(sink, n, 2);
    put_le(sink, n, 2);
    put_le(sink, end - start, 4);
    put_le(sink, start, 4);
    put_le(sink, 0, 2);
}

static weft_status put_archive(struct weft_conversion *conversion, struct weft_sink *sink,
                               weft_error *err)
{
    struct member members[2] = {{.name = "x.npy"}, {.name = "y.npy"}};
    struct array x = features_of(conversion), y = labels_of(conversion);
    bool has_labels = weft_conversion_labels(conversion) > 0;
    weft_status status = put_member(&x, &members[0], sink, err);
    if (status == WEFT_OK && has_labels) {
        status = weft_source_rewind(conversion->source, err);
        conversion->n_done = 0;
    }
    if (status == WEFT_OK && has_labels) {
        status = put_member(&y, &members[1], sink, err);
    }
    if (status == WEFT_OK) {
        put_directory(sink, members, has_labels ? 2 : 1);
    }
    return status;
}

weft_status weft_write_npz(struct weft_conversion *conversion, weft_error *err)
{
    struct array x = features_of(conversion), y = labels_of(conversion);
    if (bytes_of(&x) >= INT32_MAX || bytes_of(&y) >= INT32_MAX) {
        return weft_fail(err, WEFT_ERR_ARG, "%s: more than 2 GB; X.npy,Y.npy have no such limit",
                         conversion->x_path);
    }
    struct weft_sink sink;
    weft_status status = weft_sink_open(&sink, conversion->x_path, err);
    if (status != WEFT_OK) {
        return status;
    }
    status = put_archive(conversion, &sink, err);
    if (status != WEFT_OK) {
        weft_sink_abort(&sink);
        return status;
    }
    return weft_sink_commit(&sink, err);
}
