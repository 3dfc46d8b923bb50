/* Sparse samples as text, as LIBSVM and SVMlight read them: a label, then INDEX:VALUE for every
 * feature that is not 0, a line each, with comments behind '#'. */
#ifndef WEFT_DATA_LIBSVM_H
#define WEFT_DATA_LIBSVM_H

#include "data/source.h"

extern const struct weft_format weft_libsvm_format;

#endif
