/* Counts, ranges and moments of data as it streams by. The sum of each row is formed by itself:
 * less rounding, and whole numbers stay exact. Deviations are merged row by row (Chan, Golub &
 * LeVeque 1983, "Algorithms for computing the sample variance", eq. 1.5). Which labels are classes
 * is decided by labels.c: it is given each distinct label once, as if they were the samples. */
#include <weft/summary.h>

#include <math.h>
#include <string.h>

#include "base/fail.h"
#include "base/mem.h"
#include "data/summary_parts.h"

#define BLOCK_BYTES ((size_t)1 << 20)

/* Numbers that have gone by; square is the sum of (x - mean)^2. */
struct moments {
    double n, sum, square, min, max;
};

static const struct moments none = {.min = HUGE_VAL, .max = -HUGE_VAL};

static double mean_of(const struct moments *moments)
{
    return moments->n == 0 ? 0 : moments->sum / moments->n;
}

static void merge(struct moments *all, const struct moments *more)
{
    if (more->n == 0) {
        return;
    }
    double delta = mean_of(more) - mean_of(all);
    double weight = all->n * more->n / (all->n + more->n);
    all->square += more->square + (all->n == 0 ? 0 : delta * delta * weight);
    all->n += more->n;
    all->sum += more->sum;
    all->min = fmin(all->min, more->min);
    all->max = fmax(all->max, more->max);
}

struct survey {
    struct weft_source *source;
    struct moments x, y;
    uint64_t n_samples, n_missing;
    bool whole, bytes;            /* so far: whole numbers; whole numbers from 0 to 255 */
    struct weft_labels numbers;   /* distinct labels where they are single numbers */
    bool has_fractions, too_many; /* among those */
    uint64_t *counts;             /* [labels] of each id */
    size_t room;
};

static void add_row(struct survey *survey, const float *x, size_t n)
{
    struct moments row = none;
    for (size_t i = 0; i < n; i++) {
        double value = (double)x[i];
        if (isnan(value)) {
            survey->n_missing++;
            continue;
        }
        row.n += 1;
        row.sum += value;
        row.min = value < row.min ? value : row.min;
        row.max = value > row.max ? value : row.max;
        survey->whole = survey->whole && value == trunc(value);
    }
    double mean = mean_of(&row);
    for (size_t i = 0; i < n; i++) {
        double off = (double)x[i] - mean;
        row.square += isnan(off) ? 0 : off * off;
    }
    merge(&survey->x, &row);
}

static void add_bytes(struct survey *survey, const uint8_t *x, size_t n)
{
    struct moments row = {.n = (double)n, .min = 255};
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += x[i];
        row.min = x[i] < row.min ? x[i] : row.min;
        row.max = x[i] > row.max ? x[i] : row.max;
    }
    row.sum = (double)sum;
    double mean = mean_of(&row);
    for (size_t i = 0; i < n; i++) {
        row.square += (x[i] - mean) * (x[i] - mean);
    }
    merge(&survey->x, &row);
}

static weft_status count_id(struct survey *survey, size_t id, weft_error *err)
{
    size_t before = survey->room;
    void *counts = survey->counts;
    size_t more = id < before ? 0 : id + 1 - before;
    bool made = weft_array_reserve(&counts, before, more, &survey->room, sizeof *survey->counts);
    survey->counts = counts;
    if (!made) {
        return weft_fail_nomem(err, "labels");
    }
    if (survey->room > before) {
        memset(survey->counts + before, 0, (survey->room - before) * sizeof *survey->counts);
    }
    survey->counts[id]++;
    return WEFT_OK;
}

static weft_status add_number_label(struct survey *survey, double value, weft_error *err)
{
    if (value != trunc(value) || fabs(value) >= 0x1p53) {
        survey->has_fractions = true;
    }
    survey->too_many = survey->too_many || survey->numbers.n_distinct > WEFT_LABELS_AUTO_MAX;
    if (survey->has_fractions || survey->too_many) {
        return WEFT_OK;
    }
    double id = 0;
    weft_status status =
        weft_labels_add_number(&survey->numbers, value, survey->n_samples, &id, err);
    return status == WEFT_OK ? count_id(survey, (size_t)id, err) : status;
}

static weft_status add_labels(struct survey *survey, const double *y, weft_error *err)
{
    const struct weft_source *source = survey->source;
    if (source->words != NULL) {
        return count_id(survey, (size_t)y[0], err);
    }
    struct moments row = none;
    for (size_t i = 0; i < source->n_labels; i++) {
        struct moments one = {.n = 1, .sum = y[i], .min = y[i], .max = y[i]};
        merge(&row, &one);
    }
    merge(&survey->y, &row);
    return source->n_labels == 1 ? add_number_label(survey, y[0], err) : WEFT_OK;
}

static weft_status add_block(struct survey *survey, const struct weft_block *block, weft_error *err)
{
    size_t n = survey->source->extent.features;
    weft_status status = WEFT_OK;
    for (size_t i = 0; i < block->n && status == WEFT_OK; i++) {
        if (survey->source->dtype == WEFT_U8) {
            add_bytes(survey, (const uint8_t *)block->x + i * n, n);
        } else {
            add_row(survey, (const float *)block->x + i * n, n);
        }
        if (survey->source->n_labels > 0) {
            status = add_labels(survey, block->y + i * survey->source->n_labels, err);
        }
        survey->n_samples++;
    }
    return status;
}

size_t weft_source_block_rows(const struct weft_source *source)
{
    size_t row = source->extent.features * weft_dtype_size(source->dtype);
    return row < BLOCK_BYTES ? BLOCK_BYTES / row : 1;
}

static weft_status read_through(struct survey *survey, weft_error *err)
{
    struct weft_source *source = survey->source;
    struct weft_block block = {.capacity = weft_source_block_rows(source)};
    block.x =
        weft_mem_alloc(block.capacity, source->extent.features * weft_dtype_size(source->dtype));
    block.y = weft_mem_alloc(block.capacity, (source->n_labels + 1) * sizeof *block.y);
    weft_status status =
        block.x == NULL || block.y == NULL ? weft_fail_nomem(err, "samples") : WEFT_OK;
    while (status == WEFT_OK) {
        status = weft_source_read(source, &block, err);
        if (status != WEFT_OK || block.n == 0) {
            break;
        }
        status = add_block(survey, &block, err);
    }
    weft_mem_free(block.x);
    weft_mem_free(block.y);
    return status;
}

static weft_status fail_many(const struct survey *survey, weft_error *err)
{
    return weft_fail(err, WEFT_ERR_FORMAT,
                     "%s: more than %d distinct labels, too many to be taken for classes",
                     survey->source->y_path, WEFT_LABELS_AUTO_MAX);
}

/* The distinct labels as a data set with a sample for each, in the order of their ids. */
static weft_status decide(struct survey *survey, const weft_dataset_options *options,
                          weft_dataset **out, weft_error *err)
{
    struct weft_source *source = survey->source;
    bool words = source->words != NULL;
    struct weft_labels *labels = words ? source->words : &survey->numbers;
    size_t n = labels->n_distinct;
    struct weft_extent extent = {.samples = n, .features = 1, .n_dims = 1, .dims = {1}};
    double *ids = weft_mem_alloc(n, sizeof *ids);
    weft_dataset *data = NULL;
    weft_status status = ids == NULL ? weft_fail_nomem(err, "labels")
                                     : weft_dataset_new(&extent, WEFT_U8, "", &data, err);
    for (size_t i = 0; i < n && status == WEFT_OK; i++) {
        ids[labels->distinct[i].id] =
            words ? (double)labels->distinct[i].id : labels->distinct[i].value;
    }
    if (status == WEFT_OK && words) {
        status = weft_labels_finish(labels, ids, data, err);
    } else if (status == WEFT_OK) {
        const struct weft_number_labels numbers = {.path = source->y_path,
                                                   .numbers = ids,
                                                   .n_each = 1,
                                                   .listed = source->listed,
                                                   .n_listed = source->n_listed};
        status = weft_labels_from_numbers(&numbers, options, data, err);
    }
    weft_mem_free(ids);
    if (status != WEFT_OK) {
        weft_dataset_free(data);
        return status;
    }
    *out = data;
    return WEFT_OK;
}

static weft_status take_classes(const struct survey *survey, const weft_dataset *data,
                                weft_summary *out, weft_error *err)
{
    size_t n = data->n_classes;
    out->labels = WEFT_LABELS_CLASSES;
    out->class_counts = weft_mem_zalloc(n, sizeof *out->class_counts);
    out->class_names = weft_mem_zalloc(n, sizeof *out->class_names);
    if (out->class_counts == NULL || out->class_names == NULL) {
        return weft_fail_nomem(err, "class names");
    }
    out->n_classes = n;
    for (size_t i = 0; i < data->extent.samples; i++) {
        uint64_t count = i < survey->room ? survey->counts[i] : 0;
        out->class_counts[data->classes[i]] += count;
    }
    for (size_t i = 0; i < n; i++) {
        out->class_names[i] = weft_mem_strdup(data->class_names[i]);
        if (out->class_names[i] == NULL) {
            return weft_fail_nomem(err, "class names");
        }
    }
    return WEFT_OK;
}

static void take_values(const struct moments *y, size_t n_values, weft_summary *out)
{
    out->labels = WEFT_LABELS_VALUES;
    out->n_values = n_values;
    out->label_min = y->min;
    out->label_max = y->max;
    out->label_mean = mean_of(y);
}

static struct moments moments_of_values(const struct survey *survey, const weft_dataset *data)
{
    struct moments y = none;
    for (size_t i = 0; i < data->extent.samples; i++) {
        double value = (double)data->values[i], n = (double)survey->counts[i];
        struct moments same = {.n = n, .sum = n * value, .min = value, .max = value};
        merge(&y, &same);
    }
    return y;
}

static weft_status take_labels(struct survey *survey, const weft_dataset_options *options,
                               weft_summary *out, int32_t **rank, size_t *n_rank, weft_error *err)
{
    const struct weft_source *source = survey->source;
    if (source->n_labels == 0) {
        return WEFT_OK;
    }
    bool asked = source->are_values || options->labels == WEFT_LABELS_VALUES;
    if (source->words == NULL && (asked || source->n_labels > 1 || survey->has_fractions)) {
        take_values(&survey->y, source->n_labels, out);
        return WEFT_OK;
    }
    if (source->words == NULL && survey->too_many) {
        return fail_many(survey, err);
    }
    weft_dataset *data = NULL;
    weft_status status = decide(survey, options, &data, err);
    if (status != WEFT_OK) {
        return status;
    }
    if (data->kind == WEFT_LABELS_CLASSES) {
        status = take_classes(survey, data, out, err);
    } else {
        struct moments y = moments_of_values(survey, data);
        take_values(&y, 1, out);
    }
    if (status == WEFT_OK && rank != NULL && data->kind == WEFT_LABELS_CLASSES) {
        *rank = data->classes; /* handed over */
        *n_rank = data->extent.samples;
        data->classes = NULL;
    }
    weft_dataset_free(data);
    return status;
}

static void take_features(const struct survey *survey, weft_summary *out)
{
    const struct weft_source *source = survey->source;
    bool bytes =
        source->dtype == WEFT_U8 || (source->is_text && survey->whole && survey->n_missing == 0 &&
                                     survey->x.min >= 0 && survey->x.max == 255);
    out->format = source->format;
    out->samples = (size_t)survey->n_samples;
    out->features = source->extent.features;
    out->n_dims = source->extent.n_dims;
    memcpy(out->dims, source->extent.dims, sizeof out->dims);
    out->dtype = bytes ? WEFT_U8 : WEFT_F32;
    out->is_integer = survey->whole;
    out->missing = survey->n_missing;
    out->min = survey->x.n == 0 ? 0 : survey->x.min;
    out->max = survey->x.n == 0 ? 0 : survey->x.max;
    out->mean = mean_of(&survey->x);
    out->std = survey->x.n == 0 ? 0 : sqrt(survey->x.square / survey->x.n);
}

weft_status weft_source_summarize(struct weft_source *source, const weft_dataset_options *options,
                                  weft_summary *out, int32_t **rank, size_t *n_rank,
                                  weft_error *err)
{
    struct survey survey = {.source = source, .x = none, .y = none, .whole = true};
    weft_summary made = {.labels = WEFT_LABELS_NONE};
    weft_status status = weft_labels_init(&survey.numbers, source->y_path, "sample",
                                          WEFT_LABELS_CLASSES, NULL, 0, err);
    if (status == WEFT_OK) {
        status = read_through(&survey, err);
    }
    if (status == WEFT_OK) {
        take_features(&survey, &made);
        status = take_labels(&survey, options, &made, rank, n_rank, err);
    }
    weft_labels_release(&survey.numbers);
    weft_mem_free(survey.counts);
    if (status != WEFT_OK) {
        weft_summary_release(&made);
        return status;
    }
    *out = made;
    return WEFT_OK;
}

weft_status weft_dataset_summarize(const char *path, const weft_dataset_options *options,
                                   weft_summary *out, weft_error *err)
{
    weft_dataset_options marking = options == NULL ? weft_dataset_options_default() : *options;
    marking.missing = WEFT_MISSING_MARK;
    struct weft_source *source = NULL;
    weft_status status = weft_source_open(path, &marking, &source, err);
    if (status == WEFT_OK) {
        status = weft_source_summarize(source, &marking, out, NULL, NULL, err);
    }
    weft_source_close(source);
    return status;
}

void weft_summary_release(weft_summary *summary)
{
    for (size_t i = 0; i < summary->n_classes; i++) {
        weft_mem_free(summary->class_names[i]);
    }
    weft_mem_free(summary->class_names);
    weft_mem_free(summary->class_counts);
    *summary = (weft_summary){0};
}
