/* Checks of a bfloat16 product, whatever function does it. */
#ifndef WEFT_TESTS_BGEMM_CHECK_H
#define WEFT_TESTS_BGEMM_CHECK_H

#include <stddef.h>

#include "kernels/kernels.h"

typedef void bgemm_function(const struct weft_bgemm *job);

/* Against the product in double precision for sizes around a tile of mr x 32 and steps of 32 terms,
 * A in one block or in blocks of 32, set or accumulated, at odd strides. All memory that is not
 * an operand is NaN, so that reading beyond an edge shows in the result, and is compared
 * afterwards. */
void check_bgemm_at_every_edge(bgemm_function *bgemm, size_t mr);

/* An element's bits do not depend on the tile it falls into. */
void check_bgemm_same_bits_in_any_tile(bgemm_function *bgemm);

/* Pairs of terms that are zeros may be listed or not. */
void check_bgemm_over_listed_pairs(bgemm_function *bgemm);

/* Infinities and NaN arrive, and numbers at both ends of the range are right to the bound. */
void check_bgemm_at_the_ends_of_the_range(bgemm_function *bgemm);

#endif
