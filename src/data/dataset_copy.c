/* Data sets made from others and from memory: from the caller's arrays, by cutting one in two, and
 * by bringing samples into memory. */
#include <stdio.h>
#include <string.h>

#include <weft/dataset.h>

#include "base/fail.h"
#include "base/mem.h"
#include "base/rng.h"
#include "data/dataset_impl.h"
#include "data/walk.h"

static weft_status check_targets(const weft_targets *targets, size_t n, size_t n_classes,
                                 weft_error *err)
{
    if (targets->kind == WEFT_LABELS_CLASSES) {
        for (size_t i = 0; i < n; i++) {
            int32_t id = targets->classes[i];
            if (id < 0 || (size_t)id >= n_classes) {
                return weft_fail(err, WEFT_ERR_ARG,
                                 "class %ld of sample %zu (from 0) is outside 0 .. %zu", (long)id,
                                 i, n_classes - 1);
            }
        }
        return WEFT_OK;
    }
    if (targets->kind == WEFT_LABELS_VALUES && targets->n_values == 0) {
        return weft_fail(err, WEFT_ERR_ARG, "no values for each sample, wanted at least 1");
    }
    if (targets->kind != WEFT_LABELS_VALUES && targets->kind != WEFT_LABELS_NONE) {
        return weft_fail(err, WEFT_ERR_ARG, "targets are of no kind: %d", (int)targets->kind);
    }
    return WEFT_OK;
}

/* Which samples go to a copy, in order; NULL: all. */
struct selection {
    const uint32_t *indices;
    size_t n;
};

static void copy_rows(void *to, const void *from, size_t row_bytes, size_t stride_bytes,
                      const struct selection *selection)
{
    for (size_t i = 0; i < selection->n; i++) {
        size_t row = selection->indices == NULL ? i : selection->indices[i];
        memcpy((unsigned char *)to + i * row_bytes,
               (const unsigned char *)from + row * stride_bytes, row_bytes);
    }
}

static weft_status copy_targets(weft_dataset *data, const weft_targets *targets,
                                const struct selection *selection, weft_error *err)
{
    size_t n = selection->n;
    if (targets->kind == WEFT_LABELS_CLASSES) {
        data->classes = weft_mem_alloc(n, sizeof *data->classes);
        if (data->classes == NULL) {
            return weft_fail_nomem(err, "labels");
        }
        copy_rows(data->classes, targets->classes, sizeof(int32_t), sizeof(int32_t), selection);
    } else if (targets->kind == WEFT_LABELS_VALUES) {
        size_t row_bytes;
        if (weft_mul_fits(targets->n_values, sizeof(float), &row_bytes)) {
            data->values = weft_mem_alloc(n, row_bytes);
        }
        if (data->values == NULL) {
            return weft_fail_nomem(err, "labels");
        }
        data->n_values = targets->n_values;
        copy_rows(data->values, targets->values, row_bytes, row_bytes, selection);
    }
    data->kind = targets->kind;
    if (targets->weights != NULL) {
        data->weights = weft_mem_alloc(n, sizeof *data->weights);
        if (data->weights == NULL) {
            return weft_fail_nomem(err, "weights");
        }
        copy_rows(data->weights, targets->weights, sizeof(float), sizeof(float), selection);
    }
    return WEFT_OK;
}

/* "0", "1", ... */
static weft_status set_numbered_names(weft_dataset *data, size_t n, weft_error *err)
{
    enum { DIGITS = 24 };
    char *texts = weft_mem_alloc(n, DIGITS);
    const char **names = weft_mem_alloc(n, sizeof *names);
    weft_status status = WEFT_ERR_NOMEM;
    if (texts == NULL || names == NULL) {
        status = weft_fail_nomem(err, "class names");
    } else {
        for (size_t i = 0; i < n; i++) {
            names[i] = texts + i * DIGITS;
            snprintf(texts + i * DIGITS, DIGITS, "%zu", i);
        }
        status = weft_dataset_set_names(data, names, n, err);
    }
    weft_mem_free(texts);
    weft_mem_free(names);
    return status;
}

static weft_status set_names(weft_dataset *data, const char *const *names, size_t n,
                             weft_error *err)
{
    if (data->kind != WEFT_LABELS_CLASSES) {
        return WEFT_OK;
    }
    return names == NULL ? set_numbered_names(data, n, err)
                         : weft_dataset_set_names(data, names, n, err);
}

weft_status weft_dataset_from_memory(const weft_tensor *x, const weft_targets *targets,
                                     const char *const *class_names, size_t n_classes,
                                     weft_dataset **out, weft_error *err)
{
    const weft_targets no_targets = {.kind = WEFT_LABELS_NONE};
    targets = targets == NULL ? &no_targets : targets;
    if (x->rows == 0 || x->cols == 0 || x->rows > UINT32_MAX) {
        return weft_fail(err, WEFT_ERR_ARG,
                         "%zu samples of %zu features, wanted 1 to 2^32 - 1 of at least 1", x->rows,
                         x->cols);
    }
    weft_status status = check_targets(targets, x->rows, n_classes, err);
    if (status != WEFT_OK) {
        return status;
    }
    struct weft_extent extent = {
        .samples = x->rows, .features = x->cols, .n_dims = 1, .dims = {x->cols}};
    weft_dataset *data = NULL;
    status = weft_dataset_new(&extent, x->dtype, "memory", &data, err);
    if (status != WEFT_OK) {
        return status;
    }
    const struct selection all = {.n = x->rows};
    size_t element = weft_dtype_size(x->dtype);
    copy_rows(data->x.data, x->data, x->cols * element, x->ld * element, &all);
    status = copy_targets(data, targets, &all, err);
    if (status == WEFT_OK) {
        status = set_names(data, class_names, n_classes, err);
    }
    if (status == WEFT_OK) {
        status = weft_dataset_scan(data, WEFT_ERR_ARG, "memory", "memory", err);
    }
    if (status != WEFT_OK) {
        weft_dataset_free(data);
        return status;
    }
    *out = data;
    return WEFT_OK;
}

/* The selected samples of a stream stay in its file. */
static weft_status select_streamed(const weft_dataset *data, const struct selection *selection,
                                   const struct weft_extent *extent, weft_dataset **out,
                                   weft_error *err)
{
    uint32_t *numbers = weft_mem_alloc(selection->n, sizeof *numbers);
    if (numbers == NULL) {
        return weft_fail_nomem(err, "numbers of samples");
    }
    for (size_t i = 0; i < selection->n; i++) {
        size_t row = selection->indices == NULL ? i : selection->indices[i];
        numbers[i] = data->numbers != NULL ? data->numbers[row] : (uint32_t)row;
    }
    return weft_dataset_new_streamed(extent, data->format, weft_stream_share(data->stream), numbers,
                                     out, err);
}

/* Brings the selected samples, in ascending order, from where they are into memory. */
static weft_status read_selected(const weft_dataset *data, const struct selection *selection,
                                 weft_dataset *copy, weft_error *err)
{
    size_t row_bytes = data->extent.features * weft_dtype_size(data->x.dtype);
    struct weft_walk walk;
    weft_tensor x = {0};
    size_t first = 0; /* of the block */
    weft_status status = weft_walk_init(&walk, data, err);
    for (size_t i = 0; status == WEFT_OK && i < selection->n;) {
        size_t row = selection->indices == NULL ? i : selection->indices[i];
        if (row >= first + x.rows) {
            first += x.rows;
            status = weft_walk_next(&walk, &x, err);
            continue;
        }
        memcpy((unsigned char *)copy->x.data + i * row_bytes,
               (const unsigned char *)x.data + (row - first) * row_bytes, row_bytes);
        i++;
    }
    weft_walk_release(&walk);
    return status;
}

/* What the copy has beside its features. */
static weft_status copy_the_rest(const weft_dataset *data, const struct selection *selection,
                                 weft_dataset *copy, weft_error *err)
{
    copy->is_integer = data->is_integer;
    const weft_targets targets = weft_dataset_targets(data);
    weft_status status = copy_targets(copy, &targets, selection, err);
    if (status == WEFT_OK) {
        status = set_names(copy, (const char *const *)data->class_names, data->n_classes, err);
    }
    return status == WEFT_OK && data->columns.n > 0
               ? weft_columns_copy(&data->columns, &copy->columns, err)
               : status;
}

static weft_status copy_selected(const weft_dataset *data, const struct selection *selection,
                                 bool into_memory, weft_dataset **out, weft_error *err)
{
    struct weft_extent extent = data->extent;
    extent.samples = selection->n;
    weft_dataset *copy = NULL;
    weft_status status = WEFT_OK;
    if (data->stream != NULL && !into_memory) {
        status = select_streamed(data, selection, &extent, &copy, err);
    } else {
        status = weft_dataset_new(&extent, data->x.dtype, data->format, &copy, err);
        if (status == WEFT_OK) {
            status = read_selected(data, selection, copy, err);
        }
    }
    if (status == WEFT_OK) {
        status = copy_the_rest(data, selection, copy, err);
    }
    if (status != WEFT_OK) {
        weft_dataset_free(copy);
        return status;
    }
    *out = copy;
    return WEFT_OK;
}

weft_status weft_dataset_in_memory(const weft_dataset *data, size_t n, weft_dataset **out,
                                   weft_error *err)
{
    size_t n_all = data->extent.samples;
    if (n == 0) {
        return weft_fail(err, WEFT_ERR_ARG, "0 samples, wanted 1 or more");
    }
    if (n >= n_all) {
        return copy_selected(data, &(const struct selection){.n = n_all}, true, out, err);
    }
    uint32_t *indices = weft_mem_alloc(n, sizeof *indices);
    if (indices == NULL) {
        return weft_fail_nomem(err, "numbers of samples");
    }
    for (size_t i = 0; i < n; i++) {
        indices[i] = (uint32_t)((uint64_t)i * n_all / n); /* both below 2^32 */
    }
    weft_status status =
        copy_selected(data, &(const struct selection){.indices = indices, .n = n}, true, out, err);
    weft_mem_free(indices);
    return status;
}

/* One class (all samples, where there are no classes) on its way to being cut. */
struct stratum {
    size_t first, n;    /* its samples in the list by class */
    size_t n_second;    /* how many of them go to the second part */
    uint64_t remainder; /* of its exact share, in units of 1 / samples */
};

/* Shares out n_second samples: every stratum gets the whole part of n_second * its n / samples, and
 * those with the largest remainders one more (Hamilton's method); ties go to the lower class. */
static void share_out(struct stratum *strata, size_t n_strata, size_t samples, size_t n_second)
{
    size_t left = n_second;
    for (size_t c = 0; c < n_strata; c++) {
        uint64_t product = (uint64_t)n_second * strata[c].n; /* both below 2^32 */
        strata[c].n_second = (size_t)(product / samples);
        strata[c].remainder = product % samples;
        left -= strata[c].n_second;
    }
    for (; left > 0; left--) {
        struct stratum *most = &strata[0];
        for (size_t c = 1; c < n_strata; c++) {
            most = strata[c].remainder > most->remainder ? &strata[c] : most;
        }
        most->n_second++;
        most->remainder = 0;
    }
}

static size_t class_of(const weft_dataset *data, size_t sample)
{
    return data->kind == WEFT_LABELS_CLASSES ? (size_t)data->classes[sample] : 0;
}

/* Fills by_class with all samples, class by class, each in order. */
static void sort_by_class(const weft_dataset *data, struct stratum *strata, size_t n_strata,
                          uint32_t *by_class)
{
    size_t n = data->extent.samples;
    for (size_t i = 0; i < n; i++) {
        strata[class_of(data, i)].n++;
    }
    for (size_t c = 1; c < n_strata; c++) {
        strata[c].first = strata[c - 1].first + strata[c - 1].n;
    }
    for (size_t i = 0; i < n; i++) {
        struct stratum *stratum = &strata[class_of(data, i)];
        by_class[stratum->first++] = (uint32_t)i;
    }
    for (size_t c = 0; c < n_strata; c++) {
        strata[c].first -= strata[c].n;
    }
}

/* What a cut works with; all arrays but strata have an entry for each sample. */
struct cut {
    struct stratum *strata;
    uint32_t *by_class, *order, *indices;
    bool *in_second;
};

static bool allocate(struct cut *cut, size_t n, size_t n_strata)
{
    cut->strata = weft_mem_zalloc(n_strata, sizeof *cut->strata);
    cut->by_class = weft_mem_alloc(n, sizeof *cut->by_class);
    cut->order = weft_mem_alloc(n, sizeof *cut->order);
    cut->indices = weft_mem_alloc(n, sizeof *cut->indices);
    cut->in_second = weft_mem_zalloc(n, sizeof *cut->in_second);
    return cut->strata != NULL && cut->by_class != NULL && cut->order != NULL &&
           cut->indices != NULL && cut->in_second != NULL;
}

static void release(struct cut *cut)
{
    weft_mem_free(cut->strata);
    weft_mem_free(cut->by_class);
    weft_mem_free(cut->order);
    weft_mem_free(cut->indices);
    weft_mem_free(cut->in_second);
}

/* Marks the samples of the second part: of each class the first ones of a random order. */
static void mark(const weft_dataset *data, struct cut *cut, size_t n_strata, size_t n_second,
                 uint64_t seed)
{
    sort_by_class(data, cut->strata, n_strata, cut->by_class);
    share_out(cut->strata, n_strata, data->extent.samples, n_second);
    for (size_t c = 0; c < n_strata; c++) {
        const struct stratum *stratum = &cut->strata[c];
        weft_rng_permutation(seed, weft_rng_stream(WEFT_RNG_SPLIT, c), cut->order, stratum->n);
        for (size_t i = 0; i < stratum->n_second; i++) {
            cut->in_second[cut->by_class[stratum->first + cut->order[i]]] = true;
        }
    }
}

static weft_status copy_part(const weft_dataset *data, struct cut *cut, bool second,
                             weft_dataset **out, weft_error *err)
{
    struct selection selection = {.indices = cut->indices};
    for (size_t i = 0; i < data->extent.samples; i++) {
        if (cut->in_second[i] == second) {
            cut->indices[selection.n++] = (uint32_t)i;
        }
    }
    return copy_selected(data, &selection, false, out, err);
}

weft_status weft_dataset_split(const weft_dataset *data, double fraction, uint64_t seed,
                               weft_dataset **first, weft_dataset **second, weft_error *err)
{
    size_t n = data->extent.samples;
    if (!(fraction > 0 && fraction < 1)) {
        return weft_fail(err, WEFT_ERR_ARG, "cannot split off a fraction of %g, wanted 0 < f < 1",
                         fraction);
    }
    if (n < 2) {
        return weft_fail(err, WEFT_ERR_ARG, "cannot split %zu sample in two", n);
    }
    size_t n_second = (size_t)(fraction * (double)n + 0.5);
    n_second = n_second < 1 ? 1 : n_second > n - 1 ? n - 1 : n_second;
    size_t n_strata = data->kind == WEFT_LABELS_CLASSES ? data->n_classes : 1;
    struct cut cut = {0};
    weft_dataset *kept = NULL, *taken = NULL;
    weft_status status = WEFT_OK;
    if (allocate(&cut, n, n_strata)) {
        mark(data, &cut, n_strata, n_second, seed);
        status = copy_part(data, &cut, false, &kept, err);
    } else {
        status = weft_fail_nomem(err, "a split");
    }
    if (status == WEFT_OK) {
        status = copy_part(data, &cut, true, &taken, err);
    }
    release(&cut);
    if (status != WEFT_OK) {
        weft_dataset_free(kept);
        return status;
    }
    *first = kept;
    *second = taken;
    return WEFT_OK;
}
