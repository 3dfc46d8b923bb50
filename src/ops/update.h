/* Steps of optimisers: elementwise, so that any range of parameters may be done by itself. */
#ifndef WEFT_OPS_UPDATE_H
#define WEFT_OPS_UPDATE_H

#include <stddef.h>

#include <weft/context.h>

#include "kernels/kernels.h"

/* One step of gradient descent: w -= lr g; or, with velocity v not NULL, v = momentum v + g, w -=
 * lr v (Polyak 1964, in the form of Sutskever et al. 2013 with lr outside v, as PyTorch does). */
struct weft_update {
    float *params, *velocity;
    float lr, momentum;
};

/* For parameters at .. at + n, whose gradient is g[0..n). The same bits however the parameters are
 * cut into ranges. */
void weft_update_range(const struct weft_kernel_set *kernels, const struct weft_update *update,
                       size_t at, size_t n, const float *g);

/* For all n parameters; a team function. */
void weft_update_team(weft_context *context, const struct weft_update *update, size_t n,
                      const float *g);

#endif
