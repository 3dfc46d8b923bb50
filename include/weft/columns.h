/** How the columns of a table (CSV) become features: numbers, categories, what stands for a value
 *  that is missing. Found with the training data and stored in the model, so that every later table
 *  is read in the same way. */
#ifndef WEFT_COLUMNS_H
#define WEFT_COLUMNS_H

#include <stddef.h>

#include <weft/api.h>
#include <weft/status.h>

/** What becomes of a cell without a value: an empty one or, in upper or lower case, ?, NA, N/A,
 *  #N/A, <NA>, NaN, -NaN, null. */
typedef enum weft_missing {
    WEFT_MISSING_ERROR, /**< the file is refused */
    WEFT_MISSING_MEAN,  /**< the mean of that feature over all rows of the training file that have
                           it; of a category, how often each one occurs */
    WEFT_MISSING_ZERO,  /**< 0; of a category, 0 for each one */
    WEFT_MISSING_DROP,  /**< the row is left out, also where its label is missing */
    WEFT_N_MISSING
} weft_missing;

/** "error", "mean", "zero", "drop". */
WEFT_API const char *weft_missing_name(weft_missing missing);
/** WEFT_ERR_ARG: none has that name. */
WEFT_API WEFT_CHECKED weft_status weft_missing_from_name(const char *name, weft_missing *out);

/** The columns that are neither labels nor ignored, in their order. A column of numbers is one
 *  feature; one of categories is a feature for each category, 1 where it is the cell's and else
 *  0. */
typedef struct weft_columns {
    weft_missing missing;
    size_t n;             /**< columns */
    size_t *n_categories; /**< [n]; 0: a column of numbers */
    char **categories; /**< [sum of n_categories] those of the first such column, of the next ... */
    size_t n_features; /**< which these columns make */
    float *fill;       /**< [n_features] where missing is MEAN, else NULL */
} weft_columns;

/** Copies into *out, which is written only on success. WEFT_ERR_NOMEM. */
WEFT_API WEFT_CHECKED weft_status weft_columns_copy(const weft_columns *columns, weft_columns *out,
                                                    weft_error *err);

/** Frees the arrays and makes the columns empty; harmless on zeroed ones. */
WEFT_API void weft_columns_release(weft_columns *columns);

#endif
