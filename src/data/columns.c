/* Copies of what is known of a table's columns. How it is found: csv_survey.c. */
#include <weft/columns.h>

#include <string.h>

#include "base/fail.h"
#include "base/mem.h"

static const char *const missing_names[WEFT_N_MISSING] = {
    [WEFT_MISSING_ERROR] = "error",
    [WEFT_MISSING_MEAN] = "mean",
    [WEFT_MISSING_ZERO] = "zero",
    [WEFT_MISSING_DROP] = "drop",
};

const char *weft_missing_name(weft_missing missing)
{
    return missing_names[missing];
}

weft_status weft_missing_from_name(const char *name, weft_missing *out)
{
    for (size_t i = 0; i < WEFT_N_MISSING; i++) {
        if (strcmp(name, missing_names[i]) == 0) {
            *out = (weft_missing)i;
            return WEFT_OK;
        }
    }
    return WEFT_ERR_ARG;
}

static size_t count_categories(const weft_columns *columns)
{
    size_t n = 0;
    for (size_t i = 0; i < columns->n; i++) {
        n += columns->n_categories[i];
    }
    return n;
}

static weft_status copy_arrays(const weft_columns *from, weft_columns *to)
{
    size_t n = count_categories(from);
    to->n_categories = weft_mem_alloc(from->n, sizeof *to->n_categories);
    to->categories = weft_mem_zalloc(n, sizeof *to->categories);
    to->fill = from->fill == NULL ? NULL : weft_mem_alloc(from->n_features, sizeof *to->fill);
    if (to->n_categories == NULL || to->categories == NULL ||
        (from->fill != NULL && to->fill == NULL)) {
        weft_mem_free(to->categories); /* not to be walked: n is for n_categories, not yet there */
        to->categories = NULL;
        return WEFT_ERR_NOMEM;
    }
    memcpy(to->n_categories, from->n_categories, from->n * sizeof *to->n_categories);
    if (from->fill != NULL) {
        memcpy(to->fill, from->fill, from->n_features * sizeof *to->fill);
    }
    for (size_t i = 0; i < n; i++) {
        to->categories[i] = weft_mem_strdup(from->categories[i]);
        if (to->categories[i] == NULL) {
            return WEFT_ERR_NOMEM;
        }
    }
    return WEFT_OK;
}

weft_status weft_columns_copy(const weft_columns *columns, weft_columns *out, weft_error *err)
{
    weft_columns copy = {
        .missing = columns->missing, .n = columns->n, .n_features = columns->n_features};
    if (copy_arrays(columns, &copy) != WEFT_OK) {
        weft_columns_release(&copy);
        return weft_fail_nomem(err, "the columns of a table");
    }
    *out = copy;
    return WEFT_OK;
}

void weft_columns_release(weft_columns *columns)
{
    size_t n = columns->categories == NULL ? 0 : count_categories(columns);
    for (size_t i = 0; i < n; i++) {
        weft_mem_free(columns->categories[i]);
    }
    weft_mem_free(columns->categories);
    weft_mem_free(columns->n_categories);
    weft_mem_free(columns->fill);
    *columns = (weft_columns){0};
}
