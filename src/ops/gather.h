/* Batches of network inputs, picked from a data set and scaled. */
#ifndef WEFT_OPS_GATHER_H
#define WEFT_OPS_GATHER_H

#include <stddef.h>
#include <stdint.h>

#include <weft/context.h>
#include <weft/tensor.h>

/* out[i, j] = (x[row_i, j] - shift_j) * scale_j for the rows of out, f32. x is f32 or u8; row_i
 * is rows[i], or first + i where rows is NULL. n_scale is 0 (x' = x), 1 (shift_0 and scale_0
 * for all j) or x.cols. */
void weft_gather_team(weft_context *context, const weft_tensor *x, const uint32_t *rows,
                      size_t first, size_t n_scale, const float *shift, const float *scale,
                      const weft_tensor *out);

#endif
