/* The optimiser's step of a layer whose whole gradient is known. */
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
