/* The bfloat16 copies that the products of a wide layer read: of its parameters, of its input, of
 * its gradient, each in the layouts of A and B in kernels.h. They are made by whoever makes the
 * originals, while these are in cache: the optimiser's step, the layers below and above; what comes
 * from elsewhere, a batch and the gradient of a loss, takes a function of its own. Layers of up to
 * WEFT_NARROW outputs have none and compute in float32 always: they are few sums of much weight.
 * The float32 originals stay what is updated, differentiated and saved. */
#ifndef WEFT_OPS_LINEAR_BF16_H
#define WEFT_OPS_LINEAR_BF16_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/context.h>
#include <weft/status.h>
#include <weft/tensor.h>

#include "kernels/kernels.h"
#include "ops/linear.h"

/* P is n_out / 32 rounded up, B the rows of a batch; pairs are rounded up. All empty: float32. */
struct weft_linear_bf16 {
    uint16_t *w_pairs;   /* [P][(n_in + 1) / 2][32][2]: B of forward */
    uint16_t *w_rows;    /* [P][n_in + 1][32]: A of the input's gradient */
    uint16_t *x_rows;    /* [B][x_ld] of n_in + 1: A of forward */
    uint16_t *x_turned;  /* [n_in + 1][turned_ld] of B: A of the weights' gradient */
    uint16_t *dz_pairs;  /* [B / 2][dz_ld], n_out pairs: B of the weights' gradient */
    uint16_t *dz_turned; /* [B / 32][n_out / 2][32][2]: B of the input's gradient */
    size_t x_ld, turned_ld, dz_ld;
    /* Of X where it is mostly zeros: the pairs of x_rows and of x_turned in use. */
    struct weft_term_lists by_rows, by_cols;
};

/* What a layer's copies are for. */
struct weft_bf16_uses {
    bool weight_gradient, input_gradient; /* beside forward */
    bool zeros;                           /* X is mostly zeros, which are to be left out */
};

/* Copies for up to `rows` rows, with zeros in the places that fill up pairs and panels; none for a
 * narrow layer. WEFT_ERR_NOMEM: and then it is empty. */
WEFT_CHECKED weft_status weft_linear_bf16_init(struct weft_linear_bf16 *copies,
                                               const weft_context *context,
                                               const struct weft_linear *linear, size_t rows,
                                               struct weft_bf16_uses uses);
void weft_linear_bf16_release(struct weft_linear_bf16 *copies);

/* Rows i .. i + n of panel number `panel` of the parameters, as the optimiser leaves them; i is
 * even, and n too unless these are the last rows. */
void weft_linear_bf16_store(const struct weft_kernel_set *kernels, const struct weft_linear *linear,
                            const float *params, const struct weft_linear_bf16 *copies,
                            size_t panel, size_t i, size_t n);

/* Rows row .. row + rows and columns col .. col + cols of the input x, with its column of ones
 * behind the last one, and of the gradient dz; row and col are even, and so are rows and cols
 * unless these are the last ones. */
void weft_linear_bf16_store_input(const struct weft_kernel_set *kernels, const weft_tensor *x,
                                  const struct weft_linear_bf16 *copies, size_t row, size_t rows,
                                  size_t col, size_t cols);
void weft_linear_bf16_store_gradient(const struct weft_kernel_set *kernels, const weft_tensor *dz,
                                     const struct weft_linear_bf16 *copies, size_t row, size_t rows,
                                     size_t col, size_t cols);

/* Team functions: all parameters; the input x, whose zeros are looked for where that was a use; the
 * gradient dz. */
void weft_linear_bf16_weights_team(weft_context *context, const struct weft_linear *linear,
                                   const float *params, const struct weft_linear_bf16 *copies);
void weft_linear_bf16_input_team(weft_context *context, const weft_tensor *x,
                                 const struct weft_linear_bf16 *copies);
void weft_linear_bf16_gradient_team(weft_context *context, const weft_tensor *dz,
                                    const struct weft_linear_bf16 *copies);

#endif
