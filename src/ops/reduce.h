/* Passes over parameters and gradients, shared by a team. */
#ifndef WEFT_OPS_REDUCE_H
#define WEFT_OPS_REDUCE_H

#include <stdbool.h>
#include <stddef.h>

#include <weft/context.h>
#include <weft/tensor.h>

/* sums[j] (+)= sum_i x[i, j], in order of i for each column. */
void weft_column_sums_team(weft_context *context, const weft_tensor *x, float *sums,
                           bool accumulate);

/* One step of gradient descent on n parameters: w -= lr g; or, with v not NULL, v = momentum v
 * + g, w -= lr v (Polyak 1964, in the form of Sutskever et al. 2013 with lr outside v, as
 * PyTorch does). */
void weft_sgd_team(weft_context *context, size_t n, float *w, const float *g, float *v, float lr,
                   float momentum);

#endif
