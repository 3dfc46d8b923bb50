/* Sorting and interpolation. */
#include "base/quantile.h"

#include <math.h>
#include <stdlib.h>

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void weft_sort_numbers(double *numbers, size_t n)
{
    qsort(numbers, n, sizeof *numbers, ascending);
}

double weft_quantile(const double *sorted, size_t n, double q)
{
    double at = q * (double)(n - 1);
    size_t below = (size_t)floor(at);
    double share = at - (double)below;
    return below + 1 < n ? (1 - share) * sorted[below] + share * sorted[below + 1] : sorted[n - 1];
}
