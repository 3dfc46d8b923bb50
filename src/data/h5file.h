/* HDF5 files, through libhdf5; only in builds that have it. */
#ifndef WEFT_DATA_H5FILE_H
#define WEFT_DATA_H5FILE_H

#include "data/dataset_impl.h"

/* file_bytes: the size of the file, to judge what its data sets promise. */
WEFT_CHECKED weft_status weft_h5_load(const char *path, uint64_t file_bytes,
                                      const weft_dataset_options *options, weft_dataset **out,
                                      weft_error *err);

#endif
