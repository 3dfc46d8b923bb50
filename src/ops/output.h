/* The end of the network: from logits to predictions, losses and their gradients. */
#ifndef WEFT_OPS_OUTPUT_H
#define WEFT_OPS_OUTPUT_H

#include <stddef.h>
#include <stdint.h>

#include <weft/context.h>
#include <weft/output.h>
#include <weft/targets.h>
#include <weft/tensor.h>

/* Rows that are summed by one thread: losses are added within such blocks, then block by block. */
enum { WEFT_LOSS_BLOCK = 64 };

/* What one block of rows adds up to. */
struct weft_loss_sum {
    double loss;    /* sum over samples, not yet divided by B */
    size_t n_right; /* samples whose class, or sample-label pairs whose label, is predicted right */
};

/* The blocks of `rows` rows. */
size_t weft_loss_n_blocks(size_t rows);

/* Losses of all rows of z [B, C] against their targets, computed from the logits so that no
 * logit overflows: softmax: log sum_j exp(z_j - max z) + max z - z_y; sigmoid: max(z, 0) - z y
 * + log(1 + exp(-|z|)); identity: (z - y)^2 / 2. Row i has the targets of sample rows[i], or
 * first + i where rows is NULL. dz (may be z itself) gets (p - y) * weight; loss and dz of a sample
 * are multiplied by its own weight in targets, where there are such. sums has one entry
 * for each block. smoothing in [0, 1) mixes the targets with the uniform distribution, of sigmoids
 * with 1/2 (Szegedy et al. 2016, section 7); an identity output has none. A team function. */
void weft_loss_team(weft_context *context, weft_output output, const weft_tensor *z,
                    const weft_targets *targets, const uint32_t *rows, size_t first,
                    float smoothing, float weight, const weft_tensor *dz,
                    struct weft_loss_sum *sums);

/* The blocks added up in order. */
struct weft_loss_sum weft_loss_total(const struct weft_loss_sum *sums, size_t n_blocks);

/* The class that a row of logits or of predictions chooses: the first of the largest, or for
 * one sigmoid whether it is at least `threshold` (0 for logits, 0.5 for probabilities). */
int32_t weft_choose_class(const float *row, size_t n, float threshold);

#endif
