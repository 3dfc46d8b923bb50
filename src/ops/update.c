/* See update.h. */
#include "ops/update.h"

#include <math.h>

#include "ops/team.h"
#include "ops/tiles.h"

/* NULL stays NULL. */
static float *at_of(float *block, size_t at)
{
    return block == NULL ? NULL : block + at;
}

void weft_update_range(const struct weft_kernel_set *kernels, const struct weft_update *update,
                       size_t at, size_t n_weights, size_t n_biases, const float *g)
{
    kernels->update(&update->weights, n_weights, update->params + at, g, at_of(update->m, at),
                    at_of(update->v, at));
    if (n_biases > 0) {
        at += n_weights;
        kernels->update(&update->biases, n_biases, update->params + at, g + n_weights,
                        at_of(update->m, at), at_of(update->v, at));
    }
}

void weft_average_team(weft_context *context, size_t n, float *average, const float *x, float share)
{
    enum { TILE = 4096 };
    size_t n_tiles = weft_tiles_of(n, TILE);
#pragma omp for schedule(static) nowait
    for (size_t t = 0; t < n_tiles; t++) {
        size_t end = weft_smaller(n, (t + 1) * TILE);
        for (size_t i = t * TILE; i < end; i++) {
            average[i] += share * (x[i] - average[i]);
        }
    }
    weft_team_barrier(context);
}

enum { NORM_TILE = 4096 };

size_t weft_norm_n_sums(size_t n)
{
    return weft_tiles_of(n, NORM_TILE);
}

double weft_norm_team(weft_context *context, size_t n, const float *x, double *sums)
{
    size_t n_sums = weft_norm_n_sums(n);
#pragma omp for schedule(static) nowait
    for (size_t t = 0; t < n_sums; t++) {
        size_t from = t * NORM_TILE;
        sums[t] = context->kernels->sum_of_squares(weft_smaller(NORM_TILE, n - from), x + from);
    }
    weft_team_barrier(context);
    double sum = 0;
    for (size_t t = 0; t < n_sums; t++) {
        sum += sums[t];
    }
    weft_team_barrier(context); /* before the sums are written again */
    return sqrt(sum);
}
