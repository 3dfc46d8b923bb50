/* Makes data sets of sources. Where the number of samples is known they are read into their place
 * at once; else in blocks that are joined at the end. What takes too much memory for that is read
 * in blocks that are looked at and forgotten: only labels stay, and what the features are like. */
#include <weft/dataset.h>

#include <string.h>

#include "base/fail.h"
#include "base/mem.h"
#include "data/source.h"
#include "data/streamed.h"

#define BLOCK_BYTES ((size_t)1 << 22)

/* What has been read so far. */
struct heap {
    struct weft_source *source;
    const weft_dataset_options *options;
    size_t n, n_features, block_rows;
    bool forgets; /* there is only one block, of which the others have been seen */
    struct weft_features_seen seen;
    void **blocks; /* of [block_rows, n_features] */
    size_t n_blocks, blocks_capacity;
    double *y; /* [n, n_labels] */
    size_t y_capacity;
    float *weights; /* [n], where the source has them */
    size_t weights_capacity;
};

static void release(struct heap *heap)
{
    for (size_t i = 0; i < heap->n_blocks; i++) {
        weft_mem_free(heap->blocks[i]);
    }
    weft_mem_free(heap->blocks);
    weft_mem_free(heap->y);
    weft_mem_free(heap->weights);
}

static size_t row_bytes_of(const struct heap *heap)
{
    return heap->n_features * weft_dtype_size(heap->source->dtype);
}

/* Whether n samples may not be kept. */
static bool is_too_much(const struct heap *heap, size_t n)
{
    size_t most = heap->options->most_bytes;
    return most > 0 && n > most / row_bytes_of(heap);
}

static bool add_block(struct heap *heap)
{
    void *blocks = heap->blocks;
    bool made = weft_array_reserve(&blocks, heap->n_blocks, 1, &heap->blocks_capacity,
                                   sizeof *heap->blocks);
    heap->blocks = blocks;
    void *x = made ? weft_mem_alloc(heap->block_rows, row_bytes_of(heap)) : NULL;
    if (x == NULL) {
        return false;
    }
    heap->blocks[heap->n_blocks++] = x;
    return true;
}

static bool reserve_weights(struct heap *heap)
{
    void *weights = heap->weights;
    bool made = !heap->source->has_weights ||
                weft_array_reserve(&weights, heap->n, heap->block_rows, &heap->weights_capacity,
                                   sizeof *heap->weights);
    heap->weights = weights;
    return made;
}

/* Makes room for one more block; false without memory. */
static bool next_block(struct heap *heap, struct weft_block *block)
{
    size_t n_labels = heap->source->n_labels;
    void *y = heap->y;
    bool made = weft_array_reserve(&y, heap->n * n_labels, heap->block_rows * n_labels,
                                   &heap->y_capacity, sizeof *heap->y);
    heap->y = y;
    made = made && reserve_weights(heap);
    bool reuses = heap->forgets && heap->n_blocks > 0;
    if (!made || (!reuses && !add_block(heap))) {
        return false;
    }
    *block =
        (struct weft_block){.x = heap->blocks[heap->n_blocks - 1], .capacity = heap->block_rows};
    block->y = n_labels == 0 ? NULL : heap->y + heap->n * n_labels;
    block->weights = heap->weights == NULL ? NULL : heap->weights + heap->n;
    return true;
}

static size_t rows_of_block(const struct heap *heap, size_t index)
{
    size_t left = heap->n - index * heap->block_rows;
    return left < heap->block_rows ? left : heap->block_rows;
}

static weft_status look_at(struct heap *heap, const void *x, size_t n, size_t first,
                           weft_error *err)
{
    return heap->source->dtype == WEFT_U8
               ? WEFT_OK
               : weft_features_look(&heap->seen, x, n, heap->n_features, first, WEFT_ERR_FORMAT,
                                    heap->source->x_path, err);
}

/* From now on blocks are forgotten: all but one of those that there are, once looked at. */
static weft_status start_forgetting(struct heap *heap, weft_error *err)
{
    weft_status status = WEFT_OK;
    heap->forgets = true;
    for (size_t b = 0; status == WEFT_OK && b < heap->n_blocks; b++) {
        status = look_at(heap, heap->blocks[b], rows_of_block(heap, b), b * heap->block_rows, err);
    }
    while (heap->n_blocks > 1) {
        weft_mem_free(heap->blocks[--heap->n_blocks]);
    }
    return status;
}

static weft_status read_block(struct heap *heap, struct weft_block *block, weft_error *err)
{
    weft_status status = WEFT_OK;
    if (!heap->forgets && is_too_much(heap, heap->n + heap->block_rows)) {
        status = start_forgetting(heap, err);
    }
    if (status == WEFT_OK && !next_block(heap, block)) {
        return weft_fail(err, WEFT_ERR_NOMEM, "%s: no memory for more than %zu samples",
                         heap->source->x_path, heap->n);
    }
    if (status == WEFT_OK) {
        status = weft_source_read(heap->source, block, err);
    }
    if (status == WEFT_OK && heap->forgets) {
        status = look_at(heap, block->x, block->n, heap->n, err);
    }
    heap->n += status == WEFT_OK ? block->n : 0;
    return status;
}

static weft_status read_blocks(struct heap *heap, weft_error *err)
{
    struct weft_block block = {0};
    weft_status status;
    do {
        status = read_block(heap, &block, err);
    } while (status == WEFT_OK && block.n == block.capacity);
    return status;
}

/* Labels that are apart from bytes, which need no looking at: then nothing else is read. */
static weft_status read_labels_alone(struct heap *heap, bool *done, weft_error *err)
{
    const struct weft_source *source = heap->source;
    *done = source->dtype == WEFT_U8 && source->extent.samples > 0 &&
            (source->n_labels == 0 || source->methods->labels != NULL);
    if (!*done) {
        return WEFT_OK;
    }
    heap->n = source->extent.samples;
    heap->y = weft_mem_alloc(heap->n, source->n_labels * sizeof *heap->y);
    if (heap->y == NULL) {
        return weft_fail_nomem(err, "labels");
    }
    return source->n_labels == 0 ? WEFT_OK : weft_source_labels(heap->source, heap->y, err);
}

/* Whether the features, read as float32, are pixels: whole numbers in 0..255, the largest of them
 * 255. */
static bool are_pixels(const struct heap *heap)
{
    float largest = 0;
    for (size_t b = 0; b < heap->n_blocks; b++) {
        const float *x = heap->blocks[b];
        size_t n = rows_of_block(heap, b) * heap->n_features;
        int broken = 0;
        for (size_t i = 0; i < n; i++) {
            float inside = x[i] >= 0 && x[i] <= 255 ? x[i] : 0.5f;
            broken |= (float)(int32_t)inside != inside;
            largest = inside > largest ? inside : largest;
        }
        if (broken) {
            return false;
        }
    }
    return largest == 255;
}

/* Moves the blocks into one matrix, each freed once it is copied. */
static void gather(struct heap *heap, weft_tensor *x)
{
    bool narrow = x->dtype != heap->source->dtype;
    size_t size = weft_dtype_size(x->dtype);
    for (size_t b = 0; b < heap->n_blocks; b++) {
        unsigned char *to =
            (unsigned char *)x->data + b * heap->block_rows * heap->n_features * size;
        size_t n = rows_of_block(heap, b) * heap->n_features;
        const float *from = heap->blocks[b];
        for (size_t i = 0; i < n && narrow; i++) {
            to[i] = (unsigned char)from[i];
        }
        if (!narrow) {
            memcpy(to, from, n * size);
        }
        weft_mem_free(heap->blocks[b]);
        heap->blocks[b] = NULL;
    }
}

/* The sizes of all that has been read. */
static weft_status measure(const struct heap *heap, struct weft_extent *extent, weft_error *err)
{
    const struct weft_source *source = heap->source;
    uint64_t dims[1 + WEFT_SAMPLE_DIMS] = {heap->n};
    for (size_t i = 0; i < source->extent.n_dims; i++) {
        dims[1 + i] = source->extent.dims[i];
    }
    return weft_extent_init(extent, dims, 1 + source->extent.n_dims, sizeof(float), source->x_path,
                            err);
}

static weft_status join_blocks(struct heap *heap, weft_dataset **out, weft_error *err)
{
    const struct weft_source *source = heap->source;
    struct weft_extent extent;
    weft_status status = measure(heap, &extent, err);
    if (status == WEFT_OK) {
        weft_dtype dtype = source->is_text && are_pixels(heap) ? WEFT_U8 : source->dtype;
        status = weft_dataset_new(&extent, dtype, source->format, out, err);
    }
    if (status == WEFT_OK) {
        gather(heap, &(*out)->x);
    }
    return status;
}

static weft_status make_streamed(const struct heap *heap, const char *path, weft_dataset **out,
                                 weft_error *err)
{
    const struct weft_source *source = heap->source;
    bool pixels = source->is_text && heap->seen.pixels && heap->seen.largest == 255;
    struct weft_extent extent;
    struct weft_stream *stream = NULL;
    weft_status status = measure(heap, &extent, err);
    if (status == WEFT_OK) {
        status = weft_stream_new(path, heap->options, source, heap->n,
                                 pixels ? WEFT_U8 : source->dtype, &stream, err);
    }
    if (status == WEFT_OK) {
        status = weft_dataset_new_streamed(&extent, source->format, stream, NULL, out, err);
    }
    if (status == WEFT_OK && source->dtype == WEFT_F32) {
        (*out)->is_integer = heap->seen.whole;
    }
    return status;
}

static weft_status read_in_blocks(struct heap *heap, const char *path, weft_dataset **out,
                                  weft_error *err)
{
    size_t row = row_bytes_of(heap);
    bool done = false;
    weft_status status = WEFT_OK;
    heap->block_rows = row < BLOCK_BYTES ? BLOCK_BYTES / row : 1;
    uint64_t most = heap->source->most_samples;
    if (most > 0 && most < heap->block_rows) {
        heap->block_rows = (size_t)most + 1; /* small files need no large block */
    }
    if (heap->forgets) {
        status = read_labels_alone(heap, &done, err);
    }
    if (status == WEFT_OK && !done) {
        status = read_blocks(heap, err);
    }
    if (status != WEFT_OK) {
        return status;
    }
    return heap->forgets ? make_streamed(heap, path, out, err) : join_blocks(heap, out, err);
}

static weft_status read_known_number(struct heap *heap, weft_dataset **out, weft_error *err)
{
    const struct weft_source *source = heap->source;
    weft_dataset *data = NULL;
    weft_status status =
        weft_dataset_new(&source->extent, source->dtype, source->format, &data, err);
    if (status != WEFT_OK) {
        return status;
    }
    heap->n = source->extent.samples;
    heap->y = weft_mem_alloc(heap->n, source->n_labels * sizeof *heap->y);
    struct weft_block block = {.x = data->x.data, .y = heap->y, .capacity = heap->n};
    status = heap->y == NULL ? weft_fail_nomem(err, "labels")
                             : weft_source_read(heap->source, &block, err);
    if (status != WEFT_OK) {
        weft_dataset_free(data);
        return status;
    }
    *out = data;
    return WEFT_OK;
}

static weft_status give_labels(const struct heap *heap, const weft_dataset_options *options,
                               weft_dataset *data, weft_error *err)
{
    const struct weft_source *source = heap->source;
    if (source->n_labels == 0) {
        return WEFT_OK;
    }
    if (source->words != NULL) {
        return weft_labels_finish(source->words, heap->y, data, err);
    }
    const struct weft_number_labels numbers = {
        .path = source->y_path,
        .numbers = heap->y,
        .n_each = source->n_labels,
        .listed = source->listed,
        .n_listed = source->n_listed,
    };
    weft_dataset_options how = *options;
    how.labels = source->are_values ? WEFT_LABELS_VALUES : options->labels;
    return weft_labels_from_numbers(&numbers, &how, data, err);
}

weft_status weft_source_drain(struct weft_source *source, const char *path,
                              const weft_dataset_options *options, weft_dataset **out,
                              weft_error *err)
{
    struct heap heap = {.source = source,
                        .options = options,
                        .n_features = source->extent.features,
                        .seen = {.whole = true, .pixels = true}};
    weft_dataset *data = NULL;
    size_t n_known = source->extent.samples;
    heap.forgets = n_known > 0 && is_too_much(&heap, n_known);
    weft_status status = n_known == 0 || heap.forgets ? read_in_blocks(&heap, path, &data, err)
                                                      : read_known_number(&heap, &data, err);
    if (status == WEFT_OK) {
        status = give_labels(&heap, options, data, err);
    }
    if (status == WEFT_OK) {
        data->weights = heap.weights;
        heap.weights = NULL;
    }
    if (status == WEFT_OK && source->columns != NULL) {
        status = weft_columns_copy(source->columns, &data->columns, err);
    }
    if (status == WEFT_OK) {
        status = weft_dataset_scan(data, WEFT_ERR_FORMAT, source->x_path, source->y_path, err);
    }
    release(&heap);
    if (status == WEFT_OK && data->stream != NULL) {
        status = weft_stream_sample(data, err);
    }
    if (status != WEFT_OK) {
        weft_dataset_free(data);
        return status;
    }
    *out = data;
    return WEFT_OK;
}

weft_status weft_dataset_load(const char *path, const weft_dataset_options *options,
                              weft_dataset **out, weft_error *err)
{
    weft_dataset_options defaults = weft_dataset_options_default();
    options = options == NULL ? &defaults : options;
    struct weft_source *source = NULL;
    if ((unsigned)options->missing >= WEFT_N_MISSING) {
        return weft_fail(err, WEFT_ERR_ARG, "no such way with missing values: %d",
                         (int)options->missing);
    }
    weft_status status = weft_source_open(path, options, &source, err);
    if (status == WEFT_OK) {
        status = weft_source_drain(source, path, options, out, err);
    }
    weft_source_close(source);
    return status;
}
