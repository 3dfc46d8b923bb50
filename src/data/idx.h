/* IDX files, the format of MNIST (described at the end of LeCun's page of it): two zero bytes, an
 * element type, the number of dimensions n, n sizes of 4 bytes, the elements row-major; all
 * big-endian. */
#ifndef WEFT_DATA_IDX_H
#define WEFT_DATA_IDX_H

#include "data/dataset_impl.h"
#include "data/gzstream.h"

/* Whether a file that starts so wants to be one. */
bool weft_idx_looks_so(const unsigned char *bytes, size_t n);

/* Reads samples from one file and their labels from another; `labels` may be NULL. */
WEFT_CHECKED weft_status weft_idx_load(struct weft_gzstream *samples, struct weft_gzstream *labels,
                                       const weft_dataset_options *options, weft_dataset **out,
                                       weft_error *err);

#endif
