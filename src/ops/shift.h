/* Batches of images that are moved about. */
#ifndef WEFT_OPS_SHIFT_H
#define WEFT_OPS_SHIFT_H

#include <stddef.h>
#include <stdint.h>

#include <weft/context.h>
#include <weft/tensor.h>

/* Each sample is an image [height, width, depth] and moves by (dx, dy) pixels, both uniform in
 * -most .. most: a function of (seed, epoch, sample). most is below height and width. */
struct weft_shift {
    size_t height, width, depth, most;
    uint64_t seed;
    size_t epoch;
};

/* As weft_gather_team(), of images so moved; what comes in at the edges is 0 before scaling. Image
 * i is sample samples[i], or the number of its row where that is NULL. A team function. */
void weft_gather_shifted_team(weft_context *context, const struct weft_shift *move,
                              const weft_tensor *x, const uint32_t *rows, size_t first,
                              const uint32_t *samples, size_t n_scale, const float *shift,
                              const float *scale, const weft_tensor *out);

#endif
