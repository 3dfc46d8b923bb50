/* Quantiles of measured numbers. */
#ifndef WEFT_BASE_QUANTILE_H
#define WEFT_BASE_QUANTILE_H

#include <stddef.h>

/* Sorts n numbers, none of them NaN, ascending. */
void weft_sort_numbers(double *numbers, size_t n);

/* The value below which a share q, in [0, 1], of n > 0 sorted numbers lies, by linear interpolation
 * at h = q (n - 1) (type 7 of Hyndman & Fan 1996, as in NumPy). */
double weft_quantile(const double *sorted, size_t n, double q);

#endif
