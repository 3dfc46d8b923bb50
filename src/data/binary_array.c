/* Reads arrays of binary files. In C order a sample is one piece of the file. In Fortran order it
 * is spread over all of it: samples are then read in groups, feature by feature; a compressed file
 * has to be held in memory for that. */
#include "data/binary_array.h"

#include "base/fail.h"
#include "base/mem.h"

#include <assert.h>
#include <string.h>

#define CHUNK_BYTES ((size_t)1 << 16)
#define GROUP_BYTES ((size_t)1 << 20) /* of samples that are put together from their features */

static size_t features_of(const struct weft_binary_array *array)
{
    return array->extent.features;
}

weft_status weft_binary_array_start(struct weft_binary_array *array, weft_error *err)
{
    const char *path = weft_gzstream_path(array->stream);
    uint64_t file_bytes = weft_gzstream_file_bytes(array->stream);
    array->n_bytes = array->extent.samples * features_of(array) * array->element.size;
    if (weft_gzstream_is_packed(array->stream)) {
        weft_status status = weft_check_plausible(array->n_bytes, file_bytes, path, err);
        if (status != WEFT_OK) {
            return status;
        }
    } else if (file_bytes < array->header_bytes ||
               file_bytes - array->header_bytes != array->n_bytes) {
        return weft_fail(err, WEFT_ERR_FORMAT,
                         "%s: %llu bytes, its header promises %zu and %zu of header", path,
                         (unsigned long long)file_bytes, array->n_bytes, array->header_bytes);
    }
    array->chunk = weft_mem_alloc(CHUNK_BYTES, 1);
    return array->chunk == NULL ? weft_fail_nomem(err, "a read buffer") : WEFT_OK;
}

bool weft_binary_array_can_seek(const struct weft_binary_array *array)
{
    return !weft_gzstream_is_packed(array->stream);
}

weft_status weft_binary_array_seek(struct weft_binary_array *array, size_t sample, weft_error *err)
{
    size_t before = array->is_fortran ? 0 : sample * features_of(array) * array->element.size;
    array->at = sample;
    return weft_gzstream_seek(array->stream, array->header_bytes + before, err);
}

/* n bytes that follow n_before of the elements. */
static weft_status read_exactly(struct weft_binary_array *array, void *bytes, size_t n,
                                size_t n_before, weft_error *err)
{
    size_t got = 0;
    weft_status status = weft_gzstream_read(array->stream, bytes, n, &got, err);
    if (status == WEFT_OK && got < n) {
        return weft_fail(err, WEFT_ERR_FORMAT,
                         "%s: holds %zu bytes of data, its header promises %zu",
                         weft_gzstream_path(array->stream), n_before + got, array->n_bytes);
    }
    return status;
}

/* Looking for what follows also makes zlib compare the check sum. */
static weft_status expect_end(struct weft_binary_array *array, weft_error *err)
{
    unsigned char byte;
    size_t got = 0;
    weft_status status = weft_gzstream_read(array->stream, &byte, 1, &got, err);
    if (status == WEFT_OK && got != 0) {
        return weft_fail(err, WEFT_ERR_FORMAT,
                         "%s: goes on after the %zu bytes of data that its header promises",
                         weft_gzstream_path(array->stream), array->n_bytes);
    }
    return status;
}

/* Where decoded elements go: one of the two is not NULL. */
struct sink {
    void *features; /* of weft_element_dtype() */
    double *numbers;
    size_t n_each; /* of every sample, the first ones */
};

/* Puts n_rows whole samples from `bytes` behind those that were put before. */
static void put_rows(const struct weft_binary_array *array, const unsigned char *bytes,
                     size_t n_rows, size_t n_before, const struct sink *sink)
{
    const struct weft_element *element = &array->element;
    size_t row = features_of(array), each = sink->n_each;
    if (sink->numbers == NULL) {
        size_t size = weft_dtype_size(weft_element_dtype(element));
        weft_element_features(element, bytes, n_rows * row,
                              (unsigned char *)sink->features + n_before * row * size);
    } else if (each == row) {
        weft_element_doubles(element, bytes, n_rows * row, sink->numbers + n_before * row);
    } else {
        for (size_t i = 0; i < n_rows; i++) {
            weft_element_doubles(element, bytes + i * row * element->size, each,
                                 sink->numbers + (n_before + i) * each);
        }
    }
}

/* A sample larger than a chunk, piece by piece. */
static weft_status read_large_row(struct weft_binary_array *array, size_t index,
                                  const struct sink *sink, weft_error *err)
{
    const struct weft_element *element = &array->element;
    size_t row = features_of(array), before = (array->at + index) * row;
    size_t per_chunk = CHUNK_BYTES / element->size;
    size_t wanted_size = weft_dtype_size(weft_element_dtype(element));
    for (size_t done = 0; done < row; done += per_chunk) {
        size_t n = row - done < per_chunk ? row - done : per_chunk;
        weft_status status = read_exactly(array, array->chunk, n * element->size,
                                          (before + done) * element->size, err);
        if (status != WEFT_OK) {
            return status;
        }
        if (sink->numbers == NULL) {
            unsigned char *out = sink->features;
            weft_element_features(element, array->chunk, n,
                                  out + (index * row + done) * wanted_size);
        } else {
            size_t left = done < sink->n_each ? sink->n_each - done : 0;
            weft_element_doubles(element, array->chunk, n < left ? n : left,
                                 sink->numbers + index * sink->n_each + done);
        }
    }
    return WEFT_OK;
}

static weft_status read_rows(struct weft_binary_array *array, size_t n, const struct sink *sink,
                             weft_error *err)
{
    size_t row = features_of(array) * array->element.size;
    if (sink->numbers == NULL && weft_element_is_plain(&array->element)) {
        return read_exactly(array, sink->features, n * row, array->at * row, err);
    }
    weft_status status = WEFT_OK;
    size_t per_chunk = CHUNK_BYTES / row;
    for (size_t i = 0; i < n && per_chunk == 0 && status == WEFT_OK; i++) {
        status = read_large_row(array, i, sink, err);
    }
    for (size_t done = 0; done < n && per_chunk > 0 && status == WEFT_OK; done += per_chunk) {
        size_t group = n - done < per_chunk ? n - done : per_chunk;
        status = read_exactly(array, array->chunk, group * row, (array->at + done) * row, err);
        if (status == WEFT_OK) {
            put_rows(array, array->chunk, group, done, sink);
        }
    }
    return status;
}

/* Fortran order. */

static weft_status read_whole(struct weft_binary_array *array, weft_error *err)
{
    array->whole = weft_mem_alloc(array->n_bytes, 1);
    if (array->whole == NULL) {
        return weft_fail(err, WEFT_ERR_NOMEM,
                         "no memory for the %zu bytes of %s, compressed and in Fortran order",
                         array->n_bytes, weft_gzstream_path(array->stream));
    }
    weft_status status = read_exactly(array, array->whole, array->n_bytes, 0, err);
    if (status == WEFT_OK) {
        status = expect_end(array, err);
    }
    if (status != WEFT_OK) {
        weft_mem_free(array->whole);
        array->whole = NULL;
    }
    return status;
}

/* Elements of one feature: `column` counts with the second index the fastest, as the file does. */
static weft_status fetch(struct weft_binary_array *array, size_t column, size_t first, size_t n,
                         unsigned char *bytes, weft_error *err)
{
    size_t size = array->element.size;
    size_t offset = (column * array->extent.samples + first) * size;
    if (array->whole != NULL) {
        memcpy(bytes, array->whole + offset, n * size);
        return WEFT_OK;
    }
    weft_status status = weft_gzstream_seek(array->stream, array->header_bytes + offset, err);
    return status == WEFT_OK ? read_exactly(array, bytes, n * size, offset, err) : status;
}

/* Where a feature, counted with the last index the fastest, is in the file's order. */
static size_t column_of(const struct weft_extent *extent, size_t feature)
{
    size_t column = 0;
    for (size_t i = extent->n_dims; i-- > 0;) {
        column = column * extent->dims[i];
        size_t after = 1;
        for (size_t j = i + 1; j < extent->n_dims; j++) {
            after *= extent->dims[j];
        }
        column += feature / after % extent->dims[i];
    }
    return column;
}

/* Puts n elements of a feature into their samples. */
static void put_column(const struct weft_binary_array *array, size_t feature, size_t first,
                       size_t n, const struct sink *sink)
{
    enum { GROUP = 512 };
    size_t row = features_of(array), size = array->element.size;
    bool bytes = weft_element_dtype(&array->element) == WEFT_U8;
    for (size_t done = 0; done < n; done += GROUP) {
        size_t group = n - done < GROUP ? n - done : GROUP;
        double values[GROUP];
        weft_element_doubles(&array->element, array->chunk + done * size, group, values);
        for (size_t i = 0; i < group; i++) {
            size_t sample = first + done + i;
            if (sink->numbers != NULL) {
                sink->numbers[sample * sink->n_each + feature] = values[i];
            } else if (bytes) {
                ((unsigned char *)sink->features)[sample * row + feature] =
                    (unsigned char)values[i];
            } else {
                ((float *)sink->features)[sample * row + feature] = (float)values[i];
            }
        }
    }
}

static weft_status read_across(struct weft_binary_array *array, size_t n, const struct sink *sink,
                               weft_error *err)
{
    if (!weft_binary_array_can_seek(array) && array->whole == NULL) {
        weft_status status = read_whole(array, err);
        if (status != WEFT_OK) {
            return status;
        }
    }
    size_t row = sink->numbers == NULL ? features_of(array) : sink->n_each;
    size_t most = CHUNK_BYTES / array->element.size, wanted = GROUP_BYTES / sizeof(double) / row;
    size_t rows = wanted < 64 ? 64 : wanted < most ? wanted : most;
    for (size_t done = 0; done < n; done += rows) {
        size_t group = n - done < rows ? n - done : rows;
        for (size_t feature = 0; feature < row; feature++) {
            weft_status status = fetch(array, column_of(&array->extent, feature), array->at + done,
                                       group, array->chunk, err);
            if (status != WEFT_OK) {
                return status;
            }
            put_column(array, feature, done, group, sink);
        }
    }
    return WEFT_OK;
}

static weft_status read_samples(struct weft_binary_array *array, size_t n, const struct sink *sink,
                                weft_error *err)
{
    assert(n <= array->extent.samples - array->at);
    bool across = array->is_fortran && features_of(array) > 1;
    weft_status status = across ? read_across(array, n, sink, err) : read_rows(array, n, sink, err);
    if (status == WEFT_OK && !across && n > 0 && array->at + n == array->extent.samples) {
        status = expect_end(array, err);
    }
    if (status == WEFT_OK) {
        array->at += n;
    }
    return status;
}

weft_status weft_binary_array_features(struct weft_binary_array *array, size_t n, void *out,
                                       weft_error *err)
{
    const struct sink sink = {.features = out};
    return read_samples(array, n, &sink, err);
}

weft_status weft_binary_array_numbers(struct weft_binary_array *array, size_t n, size_t n_each,
                                      double *out, weft_error *err)
{
    struct sink sink = {.n_each = n_each};
    sink.numbers = out;
    return read_samples(array, n, &sink, err);
}

void weft_binary_array_release(struct weft_binary_array *array)
{
    weft_gzstream_close(array->stream);
    weft_mem_free(array->chunk);
    weft_mem_free(array->whole);
    *array = (struct weft_binary_array){0};
}
