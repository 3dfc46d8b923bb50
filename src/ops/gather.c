/* Picking and scaling the rows of a batch. */
#include "ops/gather.h"

#include <assert.h>
#include <stdbool.h>

#include "base/mem.h"
#include "kernels/kernels.h"
#include "ops/team.h"

/* Asks for a row while the one before it is scaled: rows in random order come from memory. */
static void prefetch(const weft_tensor *x, size_t row, size_t row_bytes)
{
    enum { MAX_BYTES = 4096 }; /* what comes later is found by the processor itself */
    const char *data = (const char *)x->data + row * x->ld * weft_dtype_size(x->dtype);
    for (size_t at = 0; at < row_bytes && at < MAX_BYTES; at += WEFT_CACHE_LINE) {
        __builtin_prefetch(data + at);
    }
}

void weft_gather_team(weft_context *context, const weft_tensor *x, const uint32_t *rows,
                      size_t first, size_t n_scale, const float *shift, const float *scale,
                      const weft_tensor *out)
{
    const struct weft_kernel_set *kernels = context->kernels;
    assert(x->cols == out->cols && out->dtype == WEFT_F32);
    assert(n_scale <= 1 || n_scale == x->cols);
    static const float zero = 0, one = 1;
    if (n_scale == 0) {
        shift = &zero;
        scale = &one;
    }
    bool each = n_scale > 1;
    size_t row_bytes = x->cols * weft_dtype_size(x->dtype);
#pragma omp for schedule(static) nowait
    for (size_t i = 0; i < out->rows; i++) {
        size_t row = rows != NULL ? rows[i] : first + i;
        float *to = (float *)out->data + i * out->ld;
        if (rows != NULL && i + 1 < out->rows) {
            prefetch(x, rows[i + 1], row_bytes);
        }
        if (x->dtype == WEFT_U8) {
            kernels->scale_u8(x->cols, (const uint8_t *)x->data + row * x->ld, shift, scale, each,
                              to);
        } else {
            kernels->scale_f32(x->cols, (const float *)x->data + row * x->ld, shift, scale, each,
                               to);
        }
    }
    weft_team_barrier(context);
}
