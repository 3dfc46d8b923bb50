/* What is done to the parameters of a layer behind the gradient: the optimiser's step where that
 * has to wait for the whole of it, and the limit of norms. */
#include <math.h>

#include "ops/linear.h"
#include "ops/team.h"
#include "ops/tiles.h"

void weft_linear_update_team(weft_context *context, const struct weft_linear *linear,
                             const struct weft_update *update, size_t at, const float *gradient)
{
    enum { TILE = 4096 };
    bool narrow = linear->n_out <= WEFT_NARROW;
    /* Lines of weights with their biases behind them: the rows of outputs, or panels. */
    size_t width = narrow ? 1 : WEFT_PANEL;
    size_t n_weights = linear->n_in * width, len = n_weights + width;
    size_t n_lines = narrow ? linear->n_out : weft_tiles_of(linear->n_out, WEFT_PANEL);
    size_t tiles_per_line = weft_tiles_of(len, TILE);
#pragma omp for schedule(static) nowait
    for (size_t t = 0; t < n_lines * tiles_per_line; t++) {
        size_t line = weft_linear_at(linear, 0, t / tiles_per_line * width);
        size_t from = t % tiles_per_line * TILE, n = weft_smaller(TILE, len - from);
        size_t here = from < n_weights ? weft_smaller(n, n_weights - from) : 0;
        weft_update_range(context->kernels, update, at + line + from, here, n - here,
                          gradient + line + from);
    }
    weft_team_barrier(context);
}

static void limit_row(const struct weft_kernel_set *kernels, size_t n, float *w, double most)
{
    double norm = sqrt(kernels->sum_of_squares(n, w));
    float scale = (float)(most / norm);
    for (size_t i = 0; norm > most && i < n; i++) {
        w[i] *= scale;
    }
}

/* The columns of a panel side by side. */
static void limit_panel(size_t n_in, float *w, double most)
{
    double sums[WEFT_PANEL] = {0};
    float scales[WEFT_PANEL];
    for (size_t i = 0; i < n_in; i++) {
        for (size_t o = 0; o < WEFT_PANEL; o++) {
            sums[o] += (double)w[i * WEFT_PANEL + o] * (double)w[i * WEFT_PANEL + o];
        }
    }
    for (size_t o = 0; o < WEFT_PANEL; o++) {
        double norm = sqrt(sums[o]);
        scales[o] = norm > most ? (float)(most / norm) : 1;
    }
    for (size_t i = 0; i < n_in; i++) {
        for (size_t o = 0; o < WEFT_PANEL; o++) {
            w[i * WEFT_PANEL + o] *= scales[o];
        }
    }
}

void weft_linear_limit_team(weft_context *context, const struct weft_linear *linear, float *params,
                            double most)
{
    bool narrow = linear->n_out <= WEFT_NARROW;
    size_t n_lines = narrow ? linear->n_out : weft_tiles_of(linear->n_out, WEFT_PANEL);
#pragma omp for schedule(static) nowait
    for (size_t t = 0; t < n_lines; t++) {
        float *line = params + weft_linear_at(linear, 0, narrow ? t : t * WEFT_PANEL);
        if (narrow) {
            limit_row(context->kernels, linear->n_in, line, most);
        } else {
            limit_panel(linear->n_in, line, most);
        }
    }
    weft_team_barrier(context);
}
