/* Two arrays in step. */
#include "data/array_pair.h"

#include "base/fail.h"

static weft_status check(const struct weft_binary_array *x, const struct weft_binary_array *y,
                         weft_error *err)
{
    const char *x_path = weft_gzstream_path(x->stream);
    if (x->extent.n_dims == 0) {
        const char *advice =
            y->stream != NULL && y->extent.n_dims > 1 ? "; are the two files swapped?" : "";
        return weft_fail(err, WEFT_ERR_FORMAT,
                         "%s: has 1 dimension, as labels have, wanted samples with 2 to 5%s",
                         x_path, advice);
    }
    if (y->stream == NULL) {
        return WEFT_OK;
    }
    const char *y_path = weft_gzstream_path(y->stream);
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

weft_status weft_array_pair_describe(const struct weft_array_pair *pair, struct weft_source *source,
                                     weft_error *err)
{
    const struct weft_binary_array *x = &pair->x, *y = &pair->y;
    weft_status status = check(x, y, err);
    if (status != WEFT_OK) {
        return status;
    }
    bool has_y = y->stream != NULL;
    source->x_path = weft_gzstream_path(x->stream);
    source->y_path = has_y ? weft_gzstream_path(y->stream) : source->x_path;
    source->can_seek = weft_binary_array_can_seek(x) && (!has_y || weft_binary_array_can_seek(y));
    source->extent = x->extent;
    source->dtype = weft_element_dtype(&x->element);
    source->n_labels = has_y ? y->extent.features : 0;
    return WEFT_OK;
}

weft_status weft_array_pair_read(struct weft_array_pair *pair, const struct weft_source *source,
                                 struct weft_block *block, weft_error *err)
{
    size_t left = source->extent.samples - pair->x.at;
    size_t n = block->capacity < left ? block->capacity : left;
    weft_status status = weft_binary_array_features(&pair->x, n, block->x, err);
    if (status == WEFT_OK && source->n_labels > 0) {
        status = weft_binary_array_numbers(&pair->y, n, source->n_labels, block->y, err);
    }
    block->n = status == WEFT_OK ? n : 0;
    return status;
}

weft_status weft_array_pair_labels(struct weft_array_pair *pair, const struct weft_source *source,
                                   double *y, weft_error *err)
{
    return weft_binary_array_numbers(&pair->y, source->extent.samples, source->n_labels, y, err);
}

weft_status weft_array_pair_seek(struct weft_array_pair *pair, uint64_t sample, weft_error *err)
{
    weft_status status = weft_binary_array_seek(&pair->x, (size_t)sample, err);
    return status == WEFT_OK && pair->y.stream != NULL
               ? weft_binary_array_seek(&pair->y, (size_t)sample, err)
               : status;
}

void weft_array_pair_release(struct weft_array_pair *pair)
{
    weft_binary_array_release(&pair->x);
    weft_binary_array_release(&pair->y);
}
