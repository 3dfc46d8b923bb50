/* HDF5 files: a data set of samples and one of labels, by name. */
#ifndef WEFT_DATA_H5FILE_H
#define WEFT_DATA_H5FILE_H

#include "data/source.h"

/* Refuses its files in a build without HDF5. */
extern const struct weft_format weft_h5_format;

#endif
