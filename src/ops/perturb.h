/* What training does at random to samples and to hidden units: gaussian noise (Bishop 1995) and
 * dropout (Srivastava et al. 2014), inverted: what stays is divided by the share that stays, so
 * that evaluation has nothing to do.
 *
 * Each draw is a function of (seed, epoch, sample, layer, unit): not of batches, parts or threads.
 */
#ifndef WEFT_OPS_PERTURB_H
#define WEFT_OPS_PERTURB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/context.h>
#include <weft/tensor.h>

struct weft_perturb {
    uint64_t seed;
    size_t epoch;
    double input_noise;            /* standard deviation, of scaled inputs; 0: none */
    double input_dropout, dropout; /* in [0, 1): shares dropped of inputs, of hidden units */
};

/* Which samples the rows of a part are: row i is number samples[i], or rows[i] where that is NULL,
 * or first + i where both are. */
struct weft_row_names {
    const uint32_t *rows, *samples;
    size_t first;
};

/* Whether inputs change. */
bool weft_perturb_inputs(const struct weft_perturb *perturb);

/* What kept elements are multiplied with. Shares are multiples of 2^-16, at least one of them. */
float weft_dropout_scale(double share);

/* Noise, then dropout, of all rows of x. A team function. */
void weft_perturb_team(weft_context *context, const struct weft_perturb *perturb,
                       const struct weft_row_names *names, const weft_tensor *x);

/* keep [B, n_out] u8 gets 1 for the units of hidden layer number `layer` that stay, 0 for those
 * that are dropped. For all threads of a team; a barrier has to follow. */
void weft_dropout_draw_nowait(weft_context *context, const struct weft_perturb *perturb,
                              size_t layer, const struct weft_row_names *names,
                              const weft_tensor *keep);

#endif
