/* Fully connected layers: how their parameters lie in memory, and their three products.
 *
 * The parameters of a layer are one matrix W [n_in + 1, n_out] whose last row is the bias, and
 * inputs carry a column of ones behind their last one: bias and bias gradient are terms of the
 * products like any other. W is kept in the order in which the kernels read it, so that no step
 * has to pack or transpose weights:
 *   - more than WEFT_NARROW outputs: panels of WEFT_PANEL columns, [n_out / 32][n_in + 1][32], the
 *     last one filled up with zeros;
 *   - else [n_out][n_in + 1], rows padded to whole cache lines.
 * Either is one flat array to an optimiser. Only this floor knows which; others go through
 * weft_linear_at(). Functions named ..._team are team functions (team.h). */
#ifndef WEFT_OPS_LINEAR_H
#define WEFT_OPS_LINEAR_H

#include <stdbool.h>
#include <stddef.h>

#include <weft/activation.h>
#include <weft/context.h>
#include <weft/status.h>
#include <weft/tensor.h>

#include "ops/nonzeros.h"
#include "ops/update.h"

enum {
    WEFT_PANEL = 32,
    WEFT_NARROW = 16,
    /* Rows that the input's gradient of a layer of more than WEFT_NARROW outputs takes at a time:
     * bounds the scratch of a thread. */
    WEFT_LINEAR_MAX_ROWS = 256,
};

struct weft_linear {
    size_t n_in, n_out;
    size_t ld;  /* floats from one row of a panel, or one output, to the next */
    size_t len; /* floats in all */
};

/* See linear_bf16.h. */
struct weft_linear_bf16;

/* The layout of a layer; len is 0 where it does not fit size_t. */
struct weft_linear weft_linear_of(size_t n_in, size_t n_out);

/* Where the weight from input i (n_in: the bias) to output o is. */
size_t weft_linear_at(const struct weft_linear *linear, size_t i, size_t o);

/* An f32 tensor of rows x cols zeros with a column of ones behind it, to be read as the input of a
 * layer. Release as any tensor. */
WEFT_CHECKED weft_status weft_linear_input_init(weft_tensor *x, size_t rows, size_t cols);

/* Whether the derivative of f is computed from f's input rather than from its output. */
bool weft_linear_saves_input(weft_activation f);

/* Whether the products of the layer make use of lists of what is not zero in its input. */
bool weft_linear_uses_nonzeros(const struct weft_linear *linear);

/* What dropout does to the outputs of a layer, or, in the gradient, to those of the layer below: of
 * the B rows of keep (u8, 1: stays) what stays is multiplied by scale, the rest is 0. Empty:
 * nothing is dropped. */
struct weft_drop {
    weft_tensor keep;
    float scale;
};

/* Y [B, n_out] = f([X 1] W). pre gets the argument of f where weft_linear_saves_input(f), unless
 * its data is NULL. nonzeros: of X, or NULL; it saves work and changes no bit; where X is packed
 * there, only the shape of x counts. bf16: NULL for products of float32 numbers; else they are of
 * bfloat16 numbers summed in float32, and these are the copies of W and X. y_copies: those of the
 * layer that Y is the input of, which get Y; or NULL. With drop, `dropped` gets what it leaves of
 * Y, and is what the layer above reads; Y stays whole, for the derivative. */
struct weft_forward_job {
    const struct weft_linear *linear;
    const float *params;
    weft_tensor x, y, pre, dropped;
    struct weft_drop drop;
    weft_activation f;
    const struct weft_nonzeros *nonzeros;
    const struct weft_linear_bf16 *bf16, *y_copies;
};
void weft_linear_forward_team(weft_context *context, const struct weft_forward_job *job);

/* What is done behind the sums for rows row .. row + rows and columns col .. col + cols of Y: f,
 * drop and the copies. */
void weft_linear_finish(const struct weft_kernel_set *kernels, const struct weft_forward_job *job,
                        size_t row, size_t rows, size_t col, size_t cols);

/* The same, but for the barrier behind it. */
void weft_linear_forward_nowait(weft_context *context, const struct weft_forward_job *job);

/* Floats that backward wants to keep dZ^T for up to `rows` rows; 0: nothing. */
size_t weft_linear_turned_len(const struct weft_linear *linear, size_t rows);

/* dX [B, n_in] = (dZ W^T) * f'(.), where X = f(.) came out of the layer below, by way of drop.
 * saved is that layer's pre where weft_linear_saves_input(f), else its output before drop. turned:
 * scratch, see above. bf16: as in forward, the copies of W and dZ, and turned is not touched.
 * dx_copies: those of the layer below, which get dX; or NULL. */
struct weft_input_gradient_job {
    const struct weft_linear *linear;
    const float *params;
    weft_tensor dz, dx, saved;
    weft_activation f;
    struct weft_drop drop;
    float *turned;
    const struct weft_linear_bf16 *bf16, *dx_copies;
};
void weft_linear_input_gradient_team(weft_context *context,
                                     const struct weft_input_gradient_job *job);

/* G [n_in + 1, n_out] = [X 1]^T dZ, or G += that where accumulate, in the layout of the
 * parameters. Then, with `update`, the optimiser's step for these parameters, tile by tile while
 * they are in cache; G may then be NULL unless accumulate. Does not end behind a barrier: so that
 * a thread may go on with what needs neither G nor the parameters. bf16: as in forward, the copies
 * of X and dZ; an update leaves those of the parameters right. */
struct weft_weight_gradient_job {
    const struct weft_linear *linear;
    weft_tensor x, dz;
    float *gradient;
    bool accumulate;
    const struct weft_update *update;
    size_t update_at; /* where the layer begins in the arrays of the update */
    const struct weft_nonzeros *nonzeros;
    const struct weft_linear_bf16 *bf16;
};
void weft_linear_weight_gradient_nowait(weft_context *context,
                                        const struct weft_weight_gradient_job *job);

/* The same step once the layer's whole gradient is known, which is not changed: the same bits. The
 * layer begins at `at` in the arrays of the update. A team function. Copies of the parameters in
 * bfloat16 are the caller's to renew. */
void weft_linear_update_team(weft_context *context, const struct weft_linear *linear,
                             const struct weft_update *update, size_t at, const float *gradient);

/* Scales the weights into each output whose Euclidean norm is above `most` down to that; biases are
 * left alone. A team function. Copies in bfloat16: as above. */
void weft_linear_limit_team(weft_context *context, const struct weft_linear *linear, float *params,
                            double most);

#endif
