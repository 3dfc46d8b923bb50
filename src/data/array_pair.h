/* Samples and their labels as two binary arrays: what sources of such files share. */
#ifndef WEFT_DATA_ARRAY_PAIR_H
#define WEFT_DATA_ARRAY_PAIR_H

#include "data/binary_array.h"
#include "data/source.h"

/* A zeroed struct may be released. */
struct weft_array_pair {
    struct weft_binary_array x, y; /* y.stream is NULL where labels are not wanted */
};

/* Fills in all of the source but its methods and format, once both headers are read.
 * WEFT_ERR_FORMAT: samples of 1 dimension, labels of more than 2. WEFT_ERR_MISMATCH: as many labels
 * as samples are wanted. */
WEFT_CHECKED weft_status weft_array_pair_describe(const struct weft_array_pair *pair,
                                                  struct weft_source *source, weft_error *err);

/* As weft_source_read(), _seek(), _labels(). */
WEFT_CHECKED weft_status weft_array_pair_read(struct weft_array_pair *pair,
                                              const struct weft_source *source,
                                              struct weft_block *block, weft_error *err);
WEFT_CHECKED weft_status weft_array_pair_seek(struct weft_array_pair *pair, uint64_t sample,
                                              weft_error *err);

WEFT_CHECKED weft_status weft_array_pair_labels(struct weft_array_pair *pair,
                                                const struct weft_source *source, double *y,
                                                weft_error *err);

void weft_array_pair_release(struct weft_array_pair *pair);

#endif
