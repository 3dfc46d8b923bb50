/* Which parts of a batch are not zero. Pixels, one-hot columns and counts are mostly zeros, and a
 * term that is zero for all rows of a register tile can be left out of its sums without changing
 * a bit: fma(0, w, s) = s, for finite w and any s but one that has underflowed to -0. What is left
 * out depends on the data alone, never on threads. */
#ifndef WEFT_OPS_NONZEROS_H
#define WEFT_OPS_NONZEROS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/context.h>
#include <weft/status.h>
#include <weft/tensor.h>

#include "kernels/kernels.h"

/* The terms of a sum are done in runs, whose length depends on their number alone. */
size_t weft_run_length(size_t n_terms, size_t max_run);

/* Terms in use, for tiles of so many lines and each run of terms. */
struct weft_term_lists {
    size_t n_lists; /* of all tiles and runs */
    size_t max_runs;
    size_t room;      /* of a list: a run, and some more as kernels write whole vectors */
    uint32_t *terms;  /* [tile][max_runs][room]: counted from the beginning of the run */
    uint32_t *counts; /* [tile][max_runs] */
    /* Of a packed batch (packed.h), else NULL: where each list begins, [tile][max_runs], as lists
     * have no more room than they need; and the values of its terms, [term][mr]. */
    const size_t *begins;
    const float *values;
};

/* Lists for n_tiles tiles of n_terms terms each, in runs of at most about max_run. False where
 * there is no memory; release what is there then too. */
WEFT_CHECKED bool weft_term_lists_init(struct weft_term_lists *lists, size_t n_tiles,
                                       size_t n_terms, size_t max_run);
void weft_term_lists_release(struct weft_term_lists *lists);

/* For X [rows, cols] with its column of ones. */
struct weft_nonzeros {
    struct weft_term_lists by_rows; /* for tiles of rows: columns, as forward sums them */
    struct weft_term_lists by_cols; /* for tiles of columns: rows, as the weight gradient does */
    size_t n_cols;                  /* with the ones */
    size_t mr;                      /* lines of a tile */
};

/* For up to max_rows rows of n_cols columns; lists for tiles of columns only where asked for, and
 * in the lower tiles of packed.h where they are made to_pack. WEFT_ERR_NOMEM: and then it is empty.
 */
WEFT_CHECKED weft_status weft_nonzeros_init(struct weft_nonzeros *nonzeros,
                                            const weft_context *context, size_t max_rows,
                                            size_t n_cols, bool by_cols, bool to_pack);
void weft_nonzeros_release(struct weft_nonzeros *nonzeros);

/* Looks through x, of n_cols columns and the column of ones. A team function. */
void weft_nonzeros_find_team(weft_context *context, struct weft_nonzeros *nonzeros,
                             const weft_tensor *x);

/* The terms in use of tile `tile` in run number `run`: returns how many, *terms NULL where that is
 * so nearly all of them that it is faster to take them all. */
size_t weft_nonzeros_terms(const struct weft_term_lists *lists, size_t tile, size_t run,
                           size_t run_length, const uint32_t **terms);

/* Leaves out of the product over run number `run` of tile `tile` what is known to be zero; its A
 * becomes the packed one where there is one. */
void weft_nonzeros_leave_out(const struct weft_nonzeros *nonzeros,
                             const struct weft_term_lists *lists, size_t tile, size_t run,
                             struct weft_sgemm *product);

#endif
