/* IDX files, the format of MNIST (described at the end of LeCun's page of it): two zero bytes, an
 * element type, the number of dimensions n, n sizes of 4 bytes, the elements row-major; all
 * big-endian. Samples and labels are two files. */
#ifndef WEFT_DATA_IDX_H
#define WEFT_DATA_IDX_H

#include "data/source.h"

extern const struct weft_format weft_idx_format;

#endif
