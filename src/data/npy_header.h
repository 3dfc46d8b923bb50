/* The header of a NumPy .npy file (numpy/lib/format.py): a magic string, a version, a length, and a
 * Python dictionary of descr, fortran_order and shape in text. */
#ifndef WEFT_DATA_NPY_HEADER_H
#define WEFT_DATA_NPY_HEADER_H

#include "data/binary_array.h"

/* Whether a file that starts so is one. */
bool weft_npy_looks_so(const unsigned char *bytes, size_t n);

/* Reads it from the start of array->stream, sets the fields of the array, and starts it. */
WEFT_CHECKED weft_status weft_npy_read_header(struct weft_binary_array *array, weft_error *err);

#endif
