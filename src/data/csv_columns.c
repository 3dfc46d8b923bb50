/* Which column of a table is what: by the options, and by what its first record looks like. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/fail.h"
#include "base/mem.h"
#include "data/csv_table.h"
#include "data/number.h"

bool weft_csv_is_missing(const struct weft_csv_cell *cell)
{
    static const char *const spellings[] = {"?",    "na",  "n/a",  "#n/a",
                                            "<na>", "nan", "-nan", "null"};
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        if (strlen(spellings[i]) == cell->len &&
            strncasecmp(cell->text, spellings[i], cell->len) == 0) {
            return true;
        }
    }
    return cell->len == 0;
}

bool weft_csv_is_infinite(const struct weft_csv_cell *cell)
{
    size_t sign = cell->len > 0 && (*cell->text == '-' || *cell->text == '+');
    size_t len = cell->len - sign;
    return (len == 3 && strncasecmp(cell->text + sign, "inf", 3) == 0) ||
           (len == 8 && strncasecmp(cell->text + sign, "infinity", 8) == 0);
}

struct weft_column_text weft_table_describe(struct weft_table *table, size_t column)
{
    struct weft_column_text out;
    snprintf(out.text, sizeof out.text, "column %zu", column);
    if (table->header.text == NULL) {
        return out;
    }
    struct weft_csv_walk walk = weft_csv_walk(&table->header);
    struct weft_csv_cell cell;
    for (size_t i = 0; walk.at != NULL; i++) {
        if (weft_csv_take(&table->reader, &walk, &cell, NULL) != WEFT_OK) {
            break;
        }
        if (i == column) {
            snprintf(out.text, sizeof out.text, "column %zu (%s)", column,
                     weft_quote(cell.text, cell.len).text);
        }
    }
    return out;
}

static weft_status fail_no_column(struct weft_table *table, const struct weft_csv_record *record,
                                  const struct weft_csv_cell *name, weft_error *err)
{
    struct weft_listing known = {0};
    struct weft_csv_walk walk = weft_csv_walk(record);
    struct weft_csv_cell cell;
    while (walk.at != NULL && weft_csv_take(&table->reader, &walk, &cell, NULL) == WEFT_OK) {
        weft_listing_add(&known, weft_quote(cell.text, cell.len).text);
    }
    return weft_fail(err, WEFT_ERR_FORMAT, "%s: no column is named %s; its first line has %s",
                     table->path, weft_quote(name->text, name->len).text, known.text);
}

static weft_status find_column(struct weft_table *table, const struct weft_csv_record *record,
                               const struct weft_csv_cell *name, size_t *column, weft_error *err)
{
    struct weft_csv_walk walk = weft_csv_walk(record);
    struct weft_csv_cell cell;
    for (size_t i = 0; walk.at != NULL; i++) {
        weft_status status = weft_csv_take(&table->reader, &walk, &cell, err);
        if (status != WEFT_OK) {
            return status;
        }
        if (cell.len == name->len && memcmp(cell.text, name->text, cell.len) == 0) {
            *column = i;
            return WEFT_OK;
        }
    }
    return fail_no_column(table, record, name, err);
}

/* Whether a label option is an index: [-] digits. */
static bool parse_index(const struct weft_csv_cell *token, long *index)
{
    char copy[12];
    size_t sign = token->len > 0 && *token->text == '-';
    if (token->len == sign || token->len >= sizeof copy ||
        strspn(token->text + sign, "0123456789") < token->len - sign) {
        return false;
    }
    memcpy(copy, token->text, token->len);
    copy[token->len] = '\0';
    *index = strtol(copy, NULL, 10);
    return true;
}

/* The column that an option means; *by_name tells that the record is a header. */
static weft_status choose_column(struct weft_table *table, const struct weft_csv_record *record,
                                 const struct weft_csv_cell *token, size_t *column, bool *by_name,
                                 weft_error *err)
{
    long index;
    if (!parse_index(token, &index)) {
        *by_name = true;
        return find_column(table, record, token, column, err);
    }
    long n_cols = (long)table->n_cols;
    if (index >= n_cols || index < -n_cols) {
        return weft_fail(err, WEFT_ERR_FORMAT, "%s: no column %ld: it has %ld columns, from 0",
                         table->path, index, n_cols);
    }
    *column = (size_t)(index < 0 ? index + n_cols : index);
    return WEFT_OK;
}

/* A column as an option names it, for messages. */
static const char *const role_names[] = {[-WEFT_CSV_IGNORED] = "ignored",
                                         [-WEFT_CSV_CATEGORY] = "categorical"};

/* Gives one of the columns named in an option its role: WEFT_CSV_IGNORED, WEFT_CSV_CATEGORY, or
 * that of the next label. */
static weft_status mark_column(struct weft_table *table, const struct weft_csv_record *record,
                               const struct weft_csv_cell *token, int32_t role, bool *by_name,
                               weft_error *err)
{
    size_t column = 0;
    weft_status status = choose_column(table, record, token, &column, by_name, err);
    if (status != WEFT_OK) {
        return status;
    }
    int32_t before = table->role[column];
    if (before != WEFT_CSV_FEATURE) {
        const char *name = role >= 0 ? "label" : role_names[-role];
        const char *other = before >= 0 ? "label" : role_names[-before];
        bool twice = strcmp(name, other) == 0;
        return weft_fail(err, WEFT_ERR_ARG, "%s%s%s column %s is named twice", name,
                         twice ? "" : " and ", twice ? "" : other,
                         weft_quote(token->text, token->len).text);
    }
    table->role[column] = role;
    table->n_ignored += role == WEFT_CSV_IGNORED;
    table->n_categorical += role == WEFT_CSV_CATEGORY;
    table->n_labels += role >= 0;
    return WEFT_OK;
}

/* The same for a list with commas, which may be NULL. */
static weft_status mark_columns(struct weft_table *table, const struct weft_csv_record *record,
                                const char *list, int32_t role, bool *by_name, weft_error *err)
{
    for (const char *token = list; token != NULL; token++) {
        struct weft_csv_cell name = {.text = token, .len = strcspn(token, ",")};
        int32_t next = role >= 0 ? (int32_t)table->n_labels : role;
        weft_status status = mark_column(table, record, &name, next, by_name, err);
        token += name.len;
        if (status != WEFT_OK || *token == '\0') {
            return status;
        }
    }
    return WEFT_OK;
}

/* The first column that has no other role is the label. */
static void mark_first_label(struct weft_table *table)
{
    size_t first = 0;
    while (first < table->n_cols && table->role[first] != WEFT_CSV_FEATURE) {
        first++;
    }
    if (first < table->n_cols) {
        table->role[first] = 0;
        table->n_labels = 1;
    }
}

static size_t feature_columns(const struct weft_table *table)
{
    return table->n_cols - table->n_labels - table->n_ignored;
}

static weft_status find_roles(struct weft_table *table, const struct weft_csv_record *record,
                              bool *by_name, weft_error *err)
{
    const weft_dataset_options *options = table->options;
    const weft_columns *known = options->columns;
    const char *categorical = known == NULL ? options->categorical : NULL;
    weft_status status =
        mark_columns(table, record, options->ignore, WEFT_CSV_IGNORED, by_name, err);
    if (status == WEFT_OK && options->weight != NULL) {
        struct weft_csv_cell name = {.text = options->weight, .len = strlen(options->weight)};
        status = mark_column(table, record, &name, WEFT_CSV_IGNORED, by_name, err);
        if (status == WEFT_OK) {
            status = choose_column(table, record, &name, &table->weight, by_name, err);
        }
    }
    if (status == WEFT_OK) {
        status = mark_columns(table, record, categorical, WEFT_CSV_CATEGORY, by_name, err);
    }
    size_t n = table->n_cols - table->n_ignored;
    bool without = table->wanted == WEFT_LABELS_NONE &&
                   (options->n_inputs == n || (known != NULL && known->n == n));
    if (status != WEFT_OK || without) {
        return status;
    }
    if (options->label != NULL) {
        return mark_columns(table, record, options->label, 0, by_name, err);
    }
    mark_first_label(table);
    return WEFT_OK;
}

/* Numbers the columns of categories, which the model tells where there is one. */
static void number_categories(struct weft_table *table)
{
    const weft_columns *known = table->options->columns;
    bool told = known != NULL && known->n == feature_columns(table);
    size_t at = 0;
    table->n_categorical = 0;
    for (size_t i = 0; i < table->n_cols; i++) {
        if (table->role[i] >= 0 || table->role[i] == WEFT_CSV_IGNORED) {
            continue;
        }
        if ((told && known->n_categories[at] > 0) || table->role[i] == WEFT_CSV_CATEGORY) {
            table->role[i] = WEFT_CSV_CATEGORY - (int32_t)table->n_categorical++;
        }
        at++;
    }
}

/* What the first record looks like. */
struct impression {
    bool wordy;     /* a feature cell is neither a number nor a way to write none */
    bool numbered;  /* feature cells count 0, 1, 2, ... or 1, 2, 3, ... */
    bool odd_label; /* a label cell is no number */
};

static weft_status look_at(struct weft_table *table, const struct weft_csv_record *record,
                           struct impression *out, weft_error *err)
{
    struct weft_csv_walk walk = weft_csv_walk(record);
    *out = (struct impression){.numbered = true};
    double first = 0, feature = 0;
    for (size_t i = 0; i < table->n_cols; i++) {
        struct weft_csv_cell cell;
        weft_status status = weft_csv_take(&table->reader, &walk, &cell, err);
        if (status != WEFT_OK) {
            return status;
        }
        double value = -1;
        bool number = weft_number_double(cell.text, cell.len, &value) != WEFT_NUMBER_NOT;
        if (table->role[i] <= WEFT_CSV_IGNORED) {
            continue; /* or a category, which may be a word */
        }
        if (table->role[i] >= 0) {
            out->odd_label = out->odd_label || !number;
            continue;
        }
        first = feature == 0 ? value : first;
        out->wordy =
            out->wordy || (!number && !weft_csv_is_missing(&cell) && !weft_csv_is_infinite(&cell));
        out->numbered = out->numbered && value == first + feature && (first == 0 || first == 1);
        feature += 1;
    }
    out->numbered = out->numbered && feature >= 3;
    return WEFT_OK;
}

static weft_status keep_header(struct weft_table *table, const struct weft_csv_record *record,
                               weft_error *err)
{
    char *text = weft_mem_alloc(record->len + 1, 1);
    if (text == NULL) {
        return weft_fail_nomem(err, "a header");
    }
    memcpy(text, record->text, record->len);
    text[record->len] = '\0';
    table->header = *record;
    table->header.text = text;
    return WEFT_OK;
}

static weft_status prepare_labels(struct weft_table *table, weft_error *err)
{
    const weft_dataset_options *options = table->options;
    if (table->n_labels > 1 && table->wanted == WEFT_LABELS_CLASSES) {
        return weft_fail(err, WEFT_ERR_ARG, "%s: %zu label columns, but classes need one",
                         table->path, table->n_labels);
    }
    if (table->n_labels > 1 && table->wanted == WEFT_LABELS_AUTO) {
        table->wanted = WEFT_LABELS_VALUES;
    }
    table->common.n_labels = table->wanted == WEFT_LABELS_NONE ? 0 : table->n_labels;
    table->common.are_values = table->wanted == WEFT_LABELS_VALUES;
    if (table->wanted == WEFT_LABELS_NONE || table->wanted == WEFT_LABELS_VALUES) {
        return WEFT_OK;
    }
    table->common.words = &table->labels;
    return weft_labels_init(&table->labels, table->path, "line", table->wanted,
                            options->class_names, options->n_class_names, err);
}

/* How many columns of numbers follow one another. */
static void count_runs(struct weft_table *table)
{
    uint32_t run = 0;
    for (size_t i = table->n_cols; i-- > 0;) {
        run = table->role[i] == WEFT_CSV_FEATURE ? run + 1 : 0;
        table->run[i] = run;
    }
}

/* Learns the columns from the first record. */
weft_status weft_table_read_columns(struct weft_table *table, const struct weft_csv_record *record,
                                    weft_error *err)
{
    table->n_cols = weft_csv_count(&table->reader, record);
    table->role = weft_mem_alloc(table->n_cols, sizeof *table->role);
    table->run = weft_mem_alloc(table->n_cols, sizeof *table->run);
    if (table->role == NULL || table->run == NULL) {
        return weft_fail_nomem(err, "columns");
    }
    for (size_t i = 0; i < table->n_cols; i++) {
        table->role[i] = WEFT_CSV_FEATURE;
    }
    bool by_name = false;
    struct impression seen;
    weft_status status = find_roles(table, record, &by_name, err);
    if (status == WEFT_OK) {
        number_categories(table);
        status = look_at(table, record, &seen, err);
    }
    if (status != WEFT_OK) {
        return status;
    }
    size_t n_features = feature_columns(table);
    count_runs(table);
    table->common.extent =
        (struct weft_extent){.features = n_features, .n_dims = 1, .dims = {n_features}};
    if (n_features == 0) {
        return weft_fail(err, WEFT_ERR_FORMAT,
                         "%s: no features: the first line has %zu cells, and all are labels%s",
                         table->path, table->n_cols, table->n_ignored > 0 ? " or ignored" : "");
    }
    if (by_name || seen.wordy || (seen.numbered && seen.odd_label)) {
        status = keep_header(table, record, err);
    }
    return status == WEFT_OK ? prepare_labels(table, err) : status;
}
