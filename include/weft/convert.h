/** From one data format to another. */
#ifndef WEFT_CONVERT_H
#define WEFT_CONVERT_H

#include <weft/api.h>
#include <weft/dataset.h>
#include <weft/status.h>
#include <weft/summary.h>

/** Writes the data that weft_dataset_load() would read from `in` to `out`, whose ending is the
 *  format: X.npz (arrays x and y, stored), X.npy or X.npy,Y.npy, X.csv, X.libsvm or X.svm, else
 *  IDX: IMAGES or IMAGES,LABELS. Text and IDX are compressed where a name ends in .gz. The file is
 *  read twice, and a third time for .npz; memory does not grow with the number of samples.
 *  Bytes stay bytes, other numbers become float32. Labels: names in CSV; elsewhere the numbers
 *  that the names are or, where one of them is no whole number from 0 on, the class's place among
 *  the names. The files appear whole or not at all, as with weft_model_save(); of two, each.
 *  *found, which may be NULL, is what was read; release it.
 *  WEFT_ERR_ARG: `out` is a file that `in` is read from; two files for one, or values that a format
 *  cannot hold. WEFT_ERR_FORMAT: a number is not finite. Others as weft_dataset_load() and
 *  weft_model_save(). */
WEFT_API WEFT_CHECKED weft_status weft_dataset_convert(const char *in,
                                                       const weft_dataset_options *options,
                                                       const char *out, weft_summary *found,
                                                       weft_error *err);

#endif
