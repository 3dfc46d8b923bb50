/* PNG images as samples: directories of them, and single files. */
#ifndef WEFT_DATA_PNG_SOURCE_H
#define WEFT_DATA_PNG_SOURCE_H

#include "data/source.h"

extern const struct weft_format weft_png_format;

/* Opens a directory of images, of which options.split says which part. */
WEFT_CHECKED weft_status weft_png_open_folder(const char *path, const weft_dataset_options *options,
                                              struct weft_source **out, weft_error *err);

#endif
