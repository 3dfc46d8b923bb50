/* Data sets whose features stay in their file. Labels are in memory, and so is which samples of the
 * file belong to a part, so that everything but the features is as in other data sets. Each reader
 * opens the file for itself, with the options of the first time. */
#include "data/streamed.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "base/fail.h"
#include "base/mem.h"

enum { SAMPLED = 256 };

#define BLOCK_BYTES ((size_t)1 << 18)
#define SAMPLE_BYTES ((size_t)1 << 22)

struct weft_stream {
    atomic_size_t n_owners;
    char *path;
    char *texts[5]; /* that the options point to */
    weft_dataset_options options;
    weft_columns columns; /* what the options know of a table */
    size_t n_samples;
    weft_dtype dtype;
    bool can_seek;
    weft_tensor sample;
};

/* Class names are not needed: labels are known. That they were given makes labels classes. What the
 * source found of a table's columns stands for how it was to find it. */
static bool copy_options(struct weft_stream *stream, const weft_dataset_options *options,
                         const weft_columns *columns)
{
    const char **texts[] = {&stream->options.label, &stream->options.ignore,
                            &stream->options.x_name, &stream->options.y_name,
                            &stream->options.weight};
    stream->options = *options;
    stream->options.labels = weft_labels_wanted(options);
    stream->options.class_names = NULL;
    stream->options.n_class_names = 0;
    stream->options.missing = WEFT_MISSING_ERROR;
    stream->options.categorical = NULL;
    stream->options.columns = columns == NULL ? NULL : &stream->columns;
    bool copied = columns == NULL || weft_columns_copy(columns, &stream->columns, NULL) == WEFT_OK;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (*texts[i] != NULL) {
            *texts[i] = stream->texts[i] = weft_mem_strdup(*texts[i]);
            copied = copied && stream->texts[i] != NULL;
        }
    }
    return copied;
}

weft_status weft_stream_new(const char *path, const weft_dataset_options *options,
                            const struct weft_source *source, size_t n_samples, weft_dtype dtype,
                            struct weft_stream **out, weft_error *err)
{
    struct weft_stream *stream = weft_mem_zalloc(1, sizeof *stream);
    if (stream == NULL) {
        return weft_fail_nomem(err, "a data set");
    }
    atomic_init(&stream->n_owners, 1);
    stream->n_samples = n_samples;
    stream->dtype = dtype;
    stream->can_seek = source->can_seek;
    stream->path = weft_mem_strdup(path);
    if (stream->path == NULL || !copy_options(stream, options, source->columns)) {
        weft_stream_release(stream);
        return weft_fail_nomem(err, "a data set");
    }
    *out = stream;
    return WEFT_OK;
}

struct weft_stream *weft_stream_share(struct weft_stream *stream)
{
    atomic_fetch_add_explicit(&stream->n_owners, 1, memory_order_relaxed);
    return stream;
}

void weft_stream_release(struct weft_stream *stream)
{
    if (stream == NULL ||
        atomic_fetch_sub_explicit(&stream->n_owners, 1, memory_order_acq_rel) > 1) {
        return;
    }
    for (size_t i = 0; i < sizeof stream->texts / sizeof *stream->texts; i++) {
        weft_mem_free(stream->texts[i]);
    }
    weft_tensor_release(&stream->sample);
    weft_columns_release(&stream->columns);
    weft_mem_free(stream->path);
    weft_mem_free(stream);
}

bool weft_stream_can_seek(const struct weft_stream *stream)
{
    return stream->can_seek;
}

weft_status weft_dataset_new_streamed(const struct weft_extent *extent, const char *format,
                                      struct weft_stream *stream, uint32_t *numbers,
                                      weft_dataset **out, weft_error *err)
{
    weft_dataset *data = weft_mem_zalloc(1, sizeof *data);
    if (data == NULL) {
        weft_stream_release(stream);
        weft_mem_free(numbers);
        return weft_fail_nomem(err, "a data set");
    }
    *data = (weft_dataset){
        .x = weft_tensor_borrow(stream->dtype, NULL, extent->samples, extent->features,
                                extent->features),
        .extent = *extent,
        .is_integer = stream->dtype == WEFT_U8,
        .kind = WEFT_LABELS_NONE,
        .format = format,
        .stream = stream,
        .numbers = numbers,
    };
    *out = data;
    return WEFT_OK;
}

weft_status weft_stream_sample(weft_dataset *data, weft_error *err)
{
    size_t row_bytes = data->extent.features * weft_dtype_size(data->x.dtype);
    size_t n = row_bytes < SAMPLE_BYTES / SAMPLED ? SAMPLED : SAMPLE_BYTES / row_bytes;
    n = n == 0 ? 1 : n < data->extent.samples ? n : data->extent.samples;
    void *x = weft_mem_alloc(n, row_bytes);
    if (x == NULL) {
        return weft_fail_nomem(err, "some samples");
    }
    struct weft_stream_reader reader;
    weft_status status = weft_stream_reader_init(&reader, data, err);
    if (status == WEFT_OK) {
        status = weft_stream_reader_read(&reader, x, n, err);
    }
    weft_stream_reader_release(&reader);
    if (status != WEFT_OK) {
        weft_mem_free(x);
        return status;
    }
    data->stream->sample =
        weft_tensor_borrow(data->x.dtype, x, n, data->extent.features, data->extent.features);
    data->stream->sample.owned = x;
    return WEFT_OK;
}

size_t weft_dataset_bytes(const weft_dataset *data)
{
    size_t n = data->extent.samples;
    size_t row = data->stream == NULL ? data->extent.features * weft_dtype_size(data->x.dtype) : 0;
    row += data->classes != NULL ? sizeof *data->classes : 0;
    row += data->n_values * sizeof *data->values;
    row += data->weights != NULL ? sizeof *data->weights : 0;
    row += data->numbers != NULL ? sizeof *data->numbers : 0;
    return n * row;
}

weft_tensor weft_dataset_sample(const weft_dataset *data)
{
    const weft_tensor *from = data->stream != NULL ? &data->stream->sample : &data->x;
    return weft_tensor_view(from, 0, 0, from->rows, from->cols);
}

weft_status weft_stream_reader_init(struct weft_stream_reader *reader, const weft_dataset *data,
                                    weft_error *err)
{
    const struct weft_stream *stream = data->stream;
    *reader = (struct weft_stream_reader){.data = data};
    weft_status status = weft_source_open(stream->path, &stream->options, &reader->source, err);
    if (status != WEFT_OK) {
        return status;
    }
    const struct weft_source *source = reader->source;
    reader->is_narrowed = source->dtype != stream->dtype;
    if (source->extent.features != data->extent.features ||
        (source->extent.samples > 0 && source->extent.samples != stream->n_samples) ||
        (reader->is_narrowed && !source->is_text)) {
        weft_stream_reader_release(reader);
        return weft_fail(err, WEFT_ERR_FORMAT, "%s: is not what it was when it was first read",
                         stream->path);
    }
    size_t row_bytes = source->extent.features * weft_dtype_size(source->dtype);
    size_t capacity = row_bytes < BLOCK_BYTES ? BLOCK_BYTES / row_bytes : 1;
    capacity = capacity < stream->n_samples ? capacity : stream->n_samples;
    reader->block = (struct weft_block){
        .x = weft_mem_alloc(capacity, row_bytes),
        .y = weft_mem_alloc(capacity, source->n_labels * sizeof *reader->block.y),
        .capacity = capacity,
    };
    if (reader->block.x == NULL || reader->block.y == NULL) {
        weft_stream_reader_release(reader);
        return weft_fail_nomem(err, "a block of samples");
    }
    return WEFT_OK;
}

void weft_stream_reader_release(struct weft_stream_reader *reader)
{
    weft_source_close(reader->source);
    weft_mem_free(reader->block.x);
    weft_mem_free(reader->block.y);
    *reader = (struct weft_stream_reader){0};
}

weft_status weft_stream_reader_rewind(struct weft_stream_reader *reader, weft_error *err)
{
    reader->block.n = reader->block_at = reader->at = 0;
    return weft_source_rewind(reader->source, err);
}

/* Reads what follows the block: into `x`, or into the block's own memory where that is NULL. */
static weft_status read_on(struct weft_stream_reader *reader, void *x, size_t n, weft_error *err)
{
    struct weft_block *block = &reader->block;
    size_t n_known = reader->data->stream->n_samples;
    struct weft_block into = *block;
    reader->block_at += block->n;
    block->n = 0;
    if (x != NULL) {
        into.x = x;
        into.capacity = n < block->capacity ? n : block->capacity;
    }
    weft_status status = weft_source_read(reader->source, &into, err);
    if (status == WEFT_OK && into.n == 0) {
        return weft_fail(err, WEFT_ERR_FORMAT,
                         "%s: ends after %zu samples, had %zu when it was first read",
                         reader->data->stream->path, reader->block_at, n_known);
    }
    block->n = status == WEFT_OK ? into.n : 0;
    return status;
}

/* Copies n samples of the block, from row `row` on. */
static void copy_out(const struct weft_stream_reader *reader, size_t row, size_t n, void *x)
{
    size_t features = reader->data->extent.features;
    if (!reader->is_narrowed) {
        size_t row_bytes = features * weft_dtype_size(reader->data->x.dtype);
        memcpy(x, (const unsigned char *)reader->block.x + row * row_bytes, n * row_bytes);
        return;
    }
    const float *from = (const float *)reader->block.x + row * features;
    unsigned char *to = x;
    for (size_t i = 0; i < n * features; i++) {
        /* Out of range only where the file has changed. */
        to[i] = from[i] >= 0 && from[i] <= 255 ? (unsigned char)from[i] : 0;
    }
}

static size_t number_of(const weft_dataset *data, size_t sample)
{
    return data->numbers != NULL ? data->numbers[sample] : sample;
}

weft_status weft_stream_reader_read(struct weft_stream_reader *reader, void *x, size_t n,
                                    weft_error *err)
{
    const weft_dataset *data = reader->data;
    const struct weft_block *block = &reader->block;
    size_t row_bytes = data->extent.features * weft_dtype_size(data->x.dtype);
    bool direct = data->numbers == NULL && !reader->is_narrowed;
    assert(n <= data->extent.samples - reader->at);
    for (size_t done = 0; done < n;) {
        unsigned char *to = (unsigned char *)x + done * row_bytes;
        size_t number = number_of(data, reader->at), left = n - done;
        if (number >= reader->block_at + block->n) {
            bool in_place = direct && left >= block->capacity;
            weft_status status = read_on(reader, in_place ? to : NULL, left, err);
            if (status != WEFT_OK) {
                return status;
            }
            if (in_place) {
                reader->at += block->n;
                done += block->n;
            }
            continue;
        }
        size_t row = number - reader->block_at;
        size_t run = data->numbers != NULL ? 1 : block->n - row;
        run = run < left ? run : left;
        copy_out(reader, row, run, to);
        reader->at += run;
        done += run;
    }
    return WEFT_OK;
}

weft_status weft_stream_reader_fetch(struct weft_stream_reader *reader, size_t sample, void *x,
                                     weft_error *err)
{
    size_t number = number_of(reader->data, sample);
    weft_status status = WEFT_OK;
    struct weft_block *block = &reader->block;
    assert(reader->data->stream->can_seek && !reader->is_narrowed);
    if (number != reader->block_at + block->n) {
        status = weft_source_seek(reader->source, number, err);
        reader->block_at = number;
        block->n = 0;
    }
    return status == WEFT_OK ? read_on(reader, x, 1, err) : status;
}
