/* Tables of numbers with labels, in separated text. */
#ifndef WEFT_DATA_CSV_H
#define WEFT_DATA_CSV_H

#include "data/source.h"

extern const struct weft_format weft_csv_format;

#endif
