/* A batch that is the same in every step, kept as its products read it: of each tile of rows, and
 * of each tile of columns, the terms that are not zero and their values, one after the other. That
 * is a block compressed sparse matrix and its transpose (Saad 2003, "Iterative methods for sparse
 * linear systems", 3.4), in parts of WEFT_LINEAR_MAX_ROWS rows at most. Nothing is then
 * gathered, scaled or searched again, and products read it from one end to the other. They are
 * sums of the same terms in the same order: where weights are finite, not a bit changes. */
#ifndef WEFT_OPS_PACKED_H
#define WEFT_OPS_PACKED_H

#include <stddef.h>
#include <stdint.h>

#include <weft/context.h>
#include <weft/status.h>
#include <weft/tensor.h>

#include "ops/nonzeros.h"

/* The lists of all parts, one part after the other. */
struct weft_packed_lists {
    size_t n_lists;   /* of one part */
    size_t max_runs;  /* lists of a tile */
    uint32_t *counts; /* [n_parts][n_lists]: terms */
    size_t *begins;   /* [n_parts][n_lists]: where in the following */
    uint32_t *terms;  /* counted from the beginning of the run */
    float *values;    /* [term][mr] */
};

struct weft_packed {
    size_t n_parts;
    size_t mr, n_cols; /* as of weft_nonzeros */
    struct weft_packed_lists by_rows, by_cols;
    struct weft_nonzeros *parts; /* [n_parts]: as products want them */
};

/* For n_parts parts of up to the rows and of the columns that `found` is for; tiles of columns only
 * where it has them. Then each part is found and counted, room is made for all, and each part is
 * found again and filled in. WEFT_ERR_NOMEM: and then it is empty. */
WEFT_CHECKED weft_status weft_packed_init(struct weft_packed *packed,
                                          const struct weft_nonzeros *found, size_t n_parts);
void weft_packed_release(struct weft_packed *packed);

/* found: of part number `part`, which is x; n_rows are its rows. Team functions. */
void weft_packed_count_team(weft_context *context, struct weft_packed *packed, size_t part,
                            const struct weft_nonzeros *found, size_t n_rows);
void weft_packed_fill_team(weft_context *context, struct weft_packed *packed, size_t part,
                           const struct weft_nonzeros *found, const weft_tensor *x);

/* WEFT_ERR_NOMEM: also where terms and values would take more than max_bytes. It is then good for
 * nothing but weft_packed_release(). */
WEFT_CHECKED weft_status weft_packed_make_room(struct weft_packed *packed, size_t max_bytes);

#endif
