/* Tables of numbers with labels, in separated text. */
#ifndef WEFT_DATA_CSV_H
#define WEFT_DATA_CSV_H

#include "data/dataset_impl.h"
#include "data/gzstream.h"

WEFT_CHECKED weft_status weft_csv_load(struct weft_gzstream *stream,
                                       const weft_dataset_options *options, weft_dataset **out,
                                       weft_error *err);

#endif
