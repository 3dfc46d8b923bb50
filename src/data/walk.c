/* Going through the features of a data set, in memory or in a file. */
#include "data/walk.h"

#include "base/fail.h"
#include "base/mem.h"
#include "data/dataset_impl.h"

/* Blocks are whole multiples of what a pass takes at once, so that sums over them can be formed in
 * the same order as over all samples in memory. */
enum { MULTIPLE = 256 };

#define BLOCK_BYTES ((size_t)1 << 20)

weft_status weft_walk_init(struct weft_walk *walk, const weft_dataset *data, weft_error *err)
{
    *walk = (struct weft_walk){.data = data};
    if (data->stream == NULL) {
        return WEFT_OK;
    }
    size_t bytes = MULTIPLE * data->extent.features * weft_dtype_size(data->x.dtype);
    walk->capacity = MULTIPLE * (bytes < BLOCK_BYTES ? BLOCK_BYTES / bytes : 1);
    walk->x = weft_mem_alloc(walk->capacity, bytes / MULTIPLE);
    weft_status status = walk->x == NULL ? weft_fail_nomem(err, "a block of samples")
                                         : weft_stream_reader_init(&walk->reader, data, err);
    if (status != WEFT_OK) {
        weft_walk_release(walk);
    }
    return status;
}

void weft_walk_release(struct weft_walk *walk)
{
    weft_stream_reader_release(&walk->reader);
    weft_mem_free(walk->x);
    *walk = (struct weft_walk){0};
}

weft_status weft_walk_new(const weft_dataset *data, weft_walk **out, weft_error *err)
{
    weft_walk *walk = weft_mem_alloc(1, sizeof *walk);
    if (walk == NULL) {
        return weft_fail_nomem(err, "a walk through data");
    }
    weft_status status = weft_walk_init(walk, data, err);
    if (status != WEFT_OK) {
        weft_mem_free(walk);
        return status;
    }
    *out = walk;
    return WEFT_OK;
}

weft_status weft_walk_next(weft_walk *walk, weft_tensor *x, weft_error *err)
{
    const weft_dataset *data = walk->data;
    size_t left = data->extent.samples - walk->at;
    size_t n = data->stream == NULL || left < walk->capacity ? left : walk->capacity;
    *x = weft_dataset_x(data);
    x->rows = n;
    if (data->stream != NULL) {
        weft_status status = weft_stream_reader_read(&walk->reader, walk->x, n, err);
        if (status != WEFT_OK) {
            return status;
        }
        x->data = walk->x;
    }
    walk->at += n;
    return WEFT_OK;
}

void weft_walk_free(weft_walk *walk)
{
    if (walk != NULL) {
        weft_walk_release(walk);
        weft_mem_free(walk);
    }
}
