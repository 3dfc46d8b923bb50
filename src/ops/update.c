/* Updates: of a range while it is in cache, or of all parameters once the whole gradient is known.
 * Each element belongs to one thread. */
#include "ops/update.h"

#include "ops/team.h"

void weft_update_range(const struct weft_kernel_set *kernels, const struct weft_update *update,
                       size_t at, size_t n, const float *g)
{
    if (update->velocity == NULL) {
        kernels->sgd(n, update->params + at, g, update->lr);
    } else {
        kernels->sgd_momentum(n, update->params + at, g, update->velocity + at, update->lr,
                              update->momentum);
    }
}

void weft_update_team(weft_context *context, const struct weft_update *update, size_t n,
                      const float *g)
{
    enum { TILE = 4096 };
    size_t n_tiles = (n + TILE - 1) / TILE;
#pragma omp for schedule(static) nowait
    for (size_t t = 0; t < n_tiles; t++) {
        size_t from = t * TILE;
        weft_update_range(context->kernels, update, from, n - from < TILE ? n - from : TILE,
                          g + from);
    }
    weft_team_barrier(context);
}
