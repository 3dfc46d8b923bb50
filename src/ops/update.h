/* Steps of optimisers: elementwise, so that any range of parameters may be done by itself, with its
 * gradient while it is in cache or with that of the whole network once it is known. */
#ifndef WEFT_OPS_UPDATE_H
#define WEFT_OPS_UPDATE_H

#include <stddef.h>

#include <weft/context.h>

#include "kernels/kernels.h"

/* One step of all parameters. The rule of both kinds is the same; m and v are blocks of the layout
 * of the parameters, NULL where the rule has none. */
struct weft_update {
    struct weft_rule_step weights, biases;
    float *params, *m, *v;
};

/* For parameters at .. at + n_weights + n_biases, the weights first; g is their gradient. The same
 * bits however the parameters are cut into ranges. */
void weft_update_range(const struct weft_kernel_set *kernels, const struct weft_update *update,
                       size_t at, size_t n_weights, size_t n_biases, const float *g);

/* average += share (x - average), elementwise. A team function. */
void weft_average_team(weft_context *context, size_t n, float *average, const float *x,
                       float share);

/* The partial sums of weft_norm_team() for n floats. */
size_t weft_norm_n_sums(size_t n);

/* The Euclidean norm of x[0..n), in an order given by n; all threads get it. sums: room for
 * weft_norm_n_sums(n). A team function. */
double weft_norm_team(weft_context *context, size_t n, const float *x, double *sums);

#endif
