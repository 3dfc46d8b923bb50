/* What has to be known of the columns of a table before its first row can be read: the categories
 * of those that have any, and the means that stand for missing values. A model knows both; else the
 * table is read through once. Sums are in double, in the order of the rows. */
#include <string.h>

#include "base/fail.h"
#include "base/mem.h"
#include "data/csv_table.h"

/* What the rows come to; of each column that is neither label nor ignored. */
struct survey {
    double *sum;       /* of the numbers */
    uint64_t *present; /* cells with a value */
    uint64_t **counts; /* [n_categorical] of each category, in the order in which they came */
    size_t *room;      /* [n_categorical] of counts */
    uint64_t n_rows;
};

static void release(struct survey *survey, size_t n_categorical)
{
    for (size_t i = 0; survey->counts != NULL && i < n_categorical; i++) {
        weft_mem_free(survey->counts[i]);
    }
    weft_mem_free(survey->counts);
    weft_mem_free(survey->room);
    weft_mem_free(survey->sum);
    weft_mem_free(survey->present);
}

static bool allocate(struct survey *survey, size_t n, size_t n_categorical)
{
    survey->sum = weft_mem_zalloc(n, sizeof *survey->sum);
    survey->present = weft_mem_zalloc(n, sizeof *survey->present);
    survey->counts = weft_mem_zalloc(n_categorical, sizeof *survey->counts);
    survey->room = weft_mem_zalloc(n_categorical, sizeof *survey->room);
    return survey->sum != NULL && survey->present != NULL && survey->counts != NULL &&
           survey->room != NULL;
}

static weft_status count_category(struct weft_table *table, struct survey *survey, size_t which,
                                  const struct weft_csv_cell *cell, uint64_t line, weft_error *err)
{
    struct weft_labels *labels = &table->dictionaries[which];
    size_t before = labels->n_distinct;
    double id = 0;
    weft_status status = weft_labels_add_text(labels, cell->text, cell->len, line, &id, err);
    if (status != WEFT_OK) {
        return status;
    }
    if (labels->n_distinct > before) {
        void *counts = survey->counts[which];
        bool made = weft_array_reserve(&counts, before, 1, &survey->room[which], sizeof(uint64_t));
        survey->counts[which] = counts;
        if (!made) {
            return weft_fail_nomem(err, "categories");
        }
        survey->counts[which][before] = 0;
    }
    survey->counts[which][(size_t)id]++;
    return WEFT_OK;
}

/* Takes a cell of column number `at` of those that make features. */
static weft_status survey_cell(struct weft_table *table, struct survey *survey,
                               const struct weft_csv_record *record, struct weft_csv_walk *walk,
                               size_t column, size_t at, weft_error *err)
{
    bool is_missing = false;
    weft_status status;
    if (table->role[column] == WEFT_CSV_FEATURE) {
        float value = 0;
        status = weft_table_take_number(table, record, walk, column, &value, &is_missing, err);
        survey->sum[at] += status == WEFT_OK && !is_missing ? (double)value : 0;
    } else {
        struct weft_csv_cell cell;
        size_t which = (size_t)(WEFT_CSV_CATEGORY - table->role[column]);
        status = weft_table_take_cell(table, record, walk, column, &cell, &is_missing, err);
        if (status == WEFT_OK && !is_missing) {
            status = count_category(table, survey, which, &cell, record->line, err);
        }
        if (status == WEFT_OK && table->dictionaries[which].n_distinct > WEFT_LABELS_AUTO_MAX) {
            status = weft_fail(err, WEFT_ERR_FORMAT,
                               "%s: %s has more than %d distinct cells, too many for categories",
                               table->path, weft_table_describe(table, column).text,
                               WEFT_LABELS_AUTO_MAX);
        }
    }
    survey->present[at] += !is_missing;
    return status;
}

static weft_status survey_row(struct weft_table *table, struct survey *survey,
                              const struct weft_csv_record *record, weft_error *err)
{
    struct weft_csv_walk walk = weft_csv_walk(record);
    size_t at = 0;
    for (size_t column = 0; column < table->n_cols; column++) {
        if (walk.at == NULL) {
            return weft_table_fail_ragged(table, record, err);
        }
        struct weft_csv_cell cell;
        bool counts = table->role[column] < 0 && table->role[column] != WEFT_CSV_IGNORED;
        weft_status status = counts ? survey_cell(table, survey, record, &walk, column, at++, err)
                                    : weft_csv_take(&table->reader, &walk, &cell, err);
        if (status != WEFT_OK) {
            return status;
        }
    }
    survey->n_rows++;
    return walk.at == NULL ? WEFT_OK : weft_table_fail_ragged(table, record, err);
}

/* Sorts the categories of a column and puts them among those of the table, with their share among
 * the cells that have a value. `at` is the column's place, `feature` that of its first feature. */
static weft_status keep_categories(struct weft_table *table, const struct survey *survey,
                                   size_t which, size_t at, size_t feature, size_t *n_texts,
                                   weft_error *err)
{
    struct weft_labels *labels = &table->dictionaries[which];
    weft_columns *columns = &table->columns;
    weft_status status = weft_labels_sort(labels, err);
    for (size_t i = 0; i < labels->n_distinct && status == WEFT_OK; i++) {
        struct weft_label *label = &labels->distinct[i];
        columns->categories[(*n_texts)++] = label->text;
        label->text = NULL; /* it has a new owner */
        if (columns->fill != NULL) {
            columns->fill[feature + i] =
                (float)((double)survey->counts[which][label->id] / (double)survey->present[at]);
        }
    }
    return status;
}

/* Fills in the columns from the survey; the dictionaries are empty afterwards. */
static weft_status conclude(struct weft_table *table, const struct survey *survey, weft_error *err)
{
    weft_columns *columns = &table->columns;
    size_t feature = 0, n_texts = 0, at = 0;
    for (size_t column = 0; column < table->n_cols; column++) {
        int32_t role = table->role[column];
        if (role >= 0 || role == WEFT_CSV_IGNORED) {
            continue;
        }
        if (survey->present[at] == 0 && (columns->fill != NULL || role != WEFT_CSV_FEATURE)) {
            return weft_fail(err, WEFT_ERR_FORMAT, "%s: %s has no value in any row", table->path,
                             weft_table_describe(table, column).text);
        }
        weft_status status = WEFT_OK;
        if (role != WEFT_CSV_FEATURE) {
            status = keep_categories(table, survey, (size_t)(WEFT_CSV_CATEGORY - role), at, feature,
                                     &n_texts, err);
        } else if (columns->fill != NULL) {
            columns->fill[feature] = (float)(survey->sum[at] / (double)survey->present[at]);
        }
        if (status != WEFT_OK) {
            return status;
        }
        feature += columns->n_categories[at] > 0 ? columns->n_categories[at] : 1;
        at++;
    }
    return WEFT_OK;
}

/* Makes room for what conclude() finds. */
static weft_status count_features(struct weft_table *table, weft_error *err)
{
    weft_columns *columns = &table->columns;
    size_t n_texts = 0, at = 0;
    columns->n_features = 0;
    for (size_t column = 0; column < table->n_cols; column++) {
        int32_t role = table->role[column];
        if (role >= 0 || role == WEFT_CSV_IGNORED) {
            continue;
        }
        size_t n =
            role == WEFT_CSV_FEATURE ? 0 : table->dictionaries[WEFT_CSV_CATEGORY - role].n_distinct;
        columns->n_categories[at++] = n;
        n_texts += n;
        columns->n_features += n > 0 ? n : 1;
    }
    columns->categories = weft_mem_zalloc(n_texts, sizeof *columns->categories);
    if (columns->missing == WEFT_MISSING_MEAN) {
        columns->fill = weft_mem_zalloc(columns->n_features, sizeof *columns->fill);
    }
    return columns->categories == NULL ||
                   (columns->missing == WEFT_MISSING_MEAN && columns->fill == NULL)
               ? weft_fail_nomem(err, "the columns of a table")
               : WEFT_OK;
}

static weft_status read_through(struct weft_table *table, struct survey *survey, weft_error *err)
{
    bool found = true;
    weft_status status = WEFT_OK;
    for (size_t i = 0; i < table->n_categorical && status == WEFT_OK; i++) {
        status = weft_labels_init(&table->dictionaries[i], table->path, "line", WEFT_LABELS_CLASSES,
                                  NULL, 0, err);
    }
    while (status == WEFT_OK) {
        struct weft_csv_record record;
        status = weft_table_next_record(table, &record, &found, err);
        if (status != WEFT_OK || !found) {
            break;
        }
        status = survey_row(table, survey, &record, err);
    }
    if (status == WEFT_OK && survey->n_rows == 0) {
        return weft_fail(err, WEFT_ERR_FORMAT, "%s: a header, but no samples", table->path);
    }
    if (status == WEFT_OK) {
        status = count_features(table, err);
    }
    return status == WEFT_OK ? conclude(table, survey, err) : status;
}

static weft_status survey_file(struct weft_table *table, size_t n, weft_error *err)
{
    struct survey survey = {0};
    weft_status status = allocate(&survey, n, table->n_categorical)
                             ? read_through(table, &survey, err)
                             : weft_fail_nomem(err, "the columns of a table");
    release(&survey, table->n_categorical);
    for (size_t i = 0; i < table->n_categorical; i++) {
        weft_labels_release(&table->dictionaries[i]);
    }
    return status;
}

/* Columns that are all numbers. */
static weft_status make_plain(weft_columns *columns, size_t n, weft_error *err)
{
    columns->n = columns->n_features = n;
    columns->n_categories = weft_mem_zalloc(n, sizeof *columns->n_categories);
    return columns->n_categories == NULL ? weft_fail_nomem(err, "the columns of a table") : WEFT_OK;
}

static weft_status take_from_model(struct weft_table *table, size_t n, weft_error *err)
{
    const weft_columns *known = table->options->columns;
    if (known->n == n) {
        return weft_columns_copy(known, &table->columns, err);
    }
    if (known->n_features != n) {
        return weft_fail(err, WEFT_ERR_MISMATCH,
                         "%s: %zu columns beside labels and ignored ones, wanted %zu, as the "
                         "model's table had",
                         table->path, n, known->n);
    }
    weft_columns plain = {.missing = known->missing, .n = n, .n_features = n, .fill = known->fill};
    size_t *zeros = weft_mem_zalloc(n, sizeof *zeros);
    plain.n_categories = zeros;
    weft_status status = zeros == NULL ? weft_fail_nomem(err, "the columns of a table")
                                       : weft_columns_copy(&plain, &table->columns, err);
    weft_mem_free(zeros);
    return status;
}

/* Dictionaries in which cells are looked up. */
static weft_status fix_dictionaries(struct weft_table *table, weft_error *err)
{
    const weft_columns *columns = &table->columns;
    const char *const *names = (const char *const *)columns->categories;
    size_t which = 0;
    weft_status status = WEFT_OK;
    for (size_t i = 0; i < columns->n && status == WEFT_OK; i++) {
        if (columns->n_categories[i] > 0) {
            status = weft_labels_init(&table->dictionaries[which++], table->path, "line",
                                      WEFT_LABELS_CLASSES, names, columns->n_categories[i], err);
            names += columns->n_categories[i];
        }
    }
    return status;
}

weft_status weft_table_survey(struct weft_table *table, bool *was_read, weft_error *err)
{
    const weft_dataset_options *options = table->options;
    size_t n = table->common.extent.features;
    table->dictionaries = weft_mem_zalloc(table->n_categorical, sizeof *table->dictionaries);
    if (table->dictionaries == NULL) {
        return weft_fail_nomem(err, "the columns of a table");
    }
    weft_status status;
    if (options->columns != NULL) {
        status = take_from_model(table, n, err);
    } else {
        status = make_plain(&table->columns, n, err);
        *was_read = table->n_categorical > 0 || options->missing == WEFT_MISSING_MEAN;
        if (status == WEFT_OK && *was_read) {
            status = survey_file(table, n, err);
        }
    }
    return status == WEFT_OK ? fix_dictionaries(table, err) : status;
}
