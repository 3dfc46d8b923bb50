/* How long rows are in memory. */
#ifndef WEFT_OPS_PADDING_H
#define WEFT_OPS_PADDING_H

#include <stddef.h>

#include <weft/tensor.h>

/* Elements from one row to the next for rows of `cols`, as weft_tensor_init() pads them; 0
 * where that does not fit size_t. */
size_t weft_padded_ld(weft_dtype dtype, size_t cols);

#endif
