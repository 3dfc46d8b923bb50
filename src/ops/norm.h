/* Batch and layer normalisation between the product of a layer and its activation, see
 * include/weft/norm.h. Statistics of a batch are formed for each unit by one thread in the order of
 * the rows, those of a sample by one thread: the same bits for every thread count. */
#ifndef WEFT_OPS_NORM_H
#define WEFT_OPS_NORM_H

#include <stddef.h>

#include <weft/context.h>
#include <weft/norm.h>
#include <weft/tensor.h>

#include "ops/linear.h"

#define WEFT_NORM_EPSILON 1e-5f
#define WEFT_NORM_MOMENTUM 0.1f

/* Floats from gamma to beta, and from the mean to the variance, of n units. */
size_t weft_norm_stride(size_t n);

/* What forward leaves for backward. params: gamma, and beta a stride behind it. */
struct weft_norm_job {
    weft_norm norm;
    const float *params;
    weft_tensor z; /* [B, n_out] in: W x + b; out: normalised */
    /* BATCH: mean and variance of the batch, a stride apart; LAYER: [B] 1 / deviation */
    float *moments;
};

/* Y = f(gamma n(Z) + beta), and what else `layer` says of Y; its x, params and bf16 do not count. A
 * team function; the product has to be complete. */
void weft_norm_forward_team(weft_context *context, const struct weft_norm_job *job,
                            const struct weft_forward_job *layer);

/* dz: in dloss/d(gamma n + beta), out dloss/dZ; dz_copies (may be NULL) get it. gradient: of gamma
 * and of beta, a stride apart; or that is added to it. Then, with `update`, the step of both, which
 * lie at update_at. running: mean and variance, a stride apart, take those of the batch; or NULL. A
 * team function. */
struct weft_norm_gradient_job {
    struct weft_norm_job norm;
    weft_tensor dz;
    const struct weft_linear_bf16 *dz_copies;
    float *gradient;
    bool accumulate;
    const struct weft_update *update;
    size_t update_at;
    float *running;
};
void weft_norm_backward_team(weft_context *context, const struct weft_norm_gradient_job *job);

/* The step of gamma and beta of n units once their gradient is known; for one thread. */
void weft_norm_update(const weft_context *context, size_t n, const struct weft_update *update,
                      size_t at, const float *gradient);

#endif
