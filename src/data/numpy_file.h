/* NumPy's files: .npy with one array, .npz with several by name. */
#ifndef WEFT_DATA_NUMPY_FILE_H
#define WEFT_DATA_NUMPY_FILE_H

#include "data/source.h"

extern const struct weft_format weft_numpy_format;

#endif
