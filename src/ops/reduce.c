/* Passes over parameters and gradients. Each element belongs to one thread, and sums run in a fixed
 * order, so the result is the same for any number of threads. */
#include "ops/reduce.h"

#include "kernels/kernels.h"
#include "ops/team.h"

void weft_column_sums_team(weft_context *context, const weft_tensor *x, float *sums,
                           bool accumulate)
{
    const struct weft_kernel_set *kernels = context->kernels;
    enum { TILE_COLS = 64 };
    weft_tiling tiling = weft_tiling_of(x->rows, x->cols, 0, TILE_COLS);
    size_t n_tiles = weft_tiling_count(&tiling);
#pragma omp for schedule(static) nowait
    for (size_t t = 0; t < n_tiles; t++) {
        weft_tensor tile = weft_tensor_tile(x, &tiling, t);
        kernels->column_sums(tile.rows, tile.cols, tile.data, tile.ld, sums + t * TILE_COLS,
                             accumulate);
    }
    weft_team_barrier(context);
}

void weft_sgd_team(weft_context *context, size_t n, float *w, const float *g, float *v, float lr,
                   float momentum)
{
    const struct weft_kernel_set *kernels = context->kernels;
    enum { TILE = 4096 };
    weft_tiling tiling = weft_tiling_of(1, n, 1, TILE);
    size_t n_tiles = weft_tiling_count(&tiling);
#pragma omp for schedule(static) nowait
    for (size_t t = 0; t < n_tiles; t++) {
        size_t from = t * TILE;
        size_t count = n - from < TILE ? n - from : TILE;
        if (v == NULL) {
            kernels->sgd(count, w + from, g + from, lr);
        } else {
            kernels->sgd_momentum(count, w + from, g + from, v + from, lr, momentum);
        }
    }
    weft_team_barrier(context);
}
