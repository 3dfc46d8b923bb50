/* Reads tables of numbers. The first record tells the columns: which of them are labels, and
 * whether it is a header itself. */
#include "data/csv.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/fail.h"
#include "base/mem.h"
#include "data/csv_records.h"
#include "data/labels.h"
#include "data/number.h"

enum { FEATURE = -1, IGNORED = -2 };

struct table {
    struct weft_source common;
    const weft_dataset_options *options;
    const char *path;
    struct weft_csv_reader reader;
    struct weft_csv_record header; /* its text is the table's own; NULL where there is none */
    size_t n_cols, n_labels;
    size_t n_ignored;
    int32_t *label_of; /* [n_cols] which label a column is, or FEATURE or IGNORED */
    weft_label_kind wanted;
    struct weft_labels labels;     /* one column of them, not asked for as values */
    struct weft_csv_record record; /* the first one, where it is the next to be read */
    bool has_record;
    uint64_t n_rows; /* read so far */
};

static void close_table(struct weft_source *common)
{
    struct table *table = (struct table *)common;
    weft_labels_release(&table->labels);
    weft_mem_free(table->label_of);
    weft_mem_free((char *)table->header.text);
    weft_gzstream_close(table->reader.stream);
    weft_csv_reader_release(&table->reader);
    weft_mem_free(table);
}

/* How files write that a number is not known. */
static bool is_missing(const struct weft_csv_cell *cell)
{
    static const char *const spellings[] = {"?", "na", "n/a", "nan", "null"};
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        if (strlen(spellings[i]) == cell->len &&
            strncasecmp(cell->text, spellings[i], cell->len) == 0) {
            return true;
        }
    }
    return cell->len == 0;
}

static bool is_infinite(const struct weft_csv_cell *cell)
{
    size_t sign = cell->len > 0 && (*cell->text == '-' || *cell->text == '+');
    size_t len = cell->len - sign;
    return (len == 3 && strncasecmp(cell->text + sign, "inf", 3) == 0) ||
           (len == 8 && strncasecmp(cell->text + sign, "infinity", 8) == 0);
}

/* "column 3 ('mean radius')" */
struct column_text {
    char text[100];
};

static struct column_text describe(struct table *table, size_t column)
{
    struct column_text out;
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

static weft_status fail_no_column(struct table *table, const struct weft_csv_record *record,
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

static weft_status find_column(struct table *table, const struct weft_csv_record *record,
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
static weft_status choose_column(struct table *table, const struct weft_csv_record *record,
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

/* Gives one of the columns named in an option its role. */
static weft_status mark_column(struct table *table, const struct weft_csv_record *record,
                               const struct weft_csv_cell *token, bool ignore, bool *by_name,
                               weft_error *err)
{
    size_t column = 0;
    weft_status status = choose_column(table, record, token, &column, by_name, err);
    if (status != WEFT_OK) {
        return status;
    }
    int32_t *role = &table->label_of[column];
    if (*role != FEATURE) {
        return weft_fail(err, WEFT_ERR_ARG, "%s column %s is named twice",
                         *role != IGNORED ? "label"
                         : ignore         ? "ignored"
                                          : "label and ignored",
                         weft_quote(token->text, token->len).text);
    }
    *role = ignore ? IGNORED : (int32_t)table->n_labels;
    table->n_ignored += ignore;
    table->n_labels += !ignore;
    return WEFT_OK;
}

/* The same for a list with commas. */
static weft_status mark_columns(struct table *table, const struct weft_csv_record *record,
                                const char *list, bool ignore, bool *by_name, weft_error *err)
{
    for (const char *token = list;; token++) {
        struct weft_csv_cell name = {.text = token, .len = strcspn(token, ",")};
        weft_status status = mark_column(table, record, &name, ignore, by_name, err);
        token += name.len;
        if (status != WEFT_OK || *token == '\0') {
            return status;
        }
    }
}

static weft_status find_roles(struct table *table, const struct weft_csv_record *record,
                              bool *by_name, weft_error *err)
{
    const weft_dataset_options *options = table->options;
    weft_status status = options->ignore == NULL
                             ? WEFT_OK
                             : mark_columns(table, record, options->ignore, true, by_name, err);
    bool without =
        table->wanted == WEFT_LABELS_NONE && options->n_inputs == table->n_cols - table->n_ignored;
    if (status != WEFT_OK || without) {
        return status;
    }
    if (options->label != NULL) {
        return mark_columns(table, record, options->label, false, by_name, err);
    }
    size_t first = 0;
    while (first + 1 < table->n_cols && table->label_of[first] == IGNORED) {
        first++;
    }
    table->n_labels = table->label_of[first] == FEATURE;
    table->label_of[first] = table->n_labels > 0 ? 0 : IGNORED;
    return WEFT_OK;
}

/* What the first record looks like. */
struct impression {
    bool wordy;     /* a feature cell is neither a number nor a way to write none */
    bool numbered;  /* feature cells count 0, 1, 2, ... or 1, 2, 3, ... */
    bool odd_label; /* a label cell is no number */
};

static weft_status look_at(struct table *table, const struct weft_csv_record *record,
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
        if (table->label_of[i] == IGNORED) {
            continue;
        }
        if (table->label_of[i] >= 0) {
            out->odd_label = out->odd_label || !number;
            continue;
        }
        first = feature == 0 ? value : first;
        out->wordy = out->wordy || (!number && !is_missing(&cell) && !is_infinite(&cell));
        out->numbered = out->numbered && value == first + feature && (first == 0 || first == 1);
        feature += 1;
    }
    out->numbered = out->numbered && feature >= 3;
    return WEFT_OK;
}

static weft_status keep_header(struct table *table, const struct weft_csv_record *record,
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

static weft_status prepare_labels(struct table *table, weft_error *err)
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

/* Learns the columns from the first record. */
static weft_status read_columns(struct table *table, const struct weft_csv_record *record,
                                weft_error *err)
{
    table->n_cols = weft_csv_count(&table->reader, record);
    table->label_of = weft_mem_alloc(table->n_cols, sizeof *table->label_of);
    if (table->label_of == NULL) {
        return weft_fail_nomem(err, "columns");
    }
    for (size_t i = 0; i < table->n_cols; i++) {
        table->label_of[i] = FEATURE;
    }
    bool by_name = false;
    struct impression seen;
    weft_status status = find_roles(table, record, &by_name, err);
    if (status == WEFT_OK) {
        status = look_at(table, record, &seen, err);
    }
    if (status != WEFT_OK) {
        return status;
    }
    size_t n_features = table->n_cols - table->n_labels - table->n_ignored;
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

static weft_status fail_cell(struct table *table, const struct weft_csv_record *record,
                             size_t column, const struct weft_csv_cell *cell, enum weft_number why,
                             weft_error *err)
{
    const char *what = why == WEFT_NUMBER_RANGE ? "is too large for float32"
                       : is_infinite(cell)      ? "is not finite"
                       : cell->len == 0         ? "is an empty cell, wanted a number"
                       : is_missing(cell)       ? "is a missing value, wanted a number"
                                                : "is not a number";
    return weft_fail(err, WEFT_ERR_FORMAT, "%s: line %llu, %s: %s %s", table->path,
                     (unsigned long long)record->line, describe(table, column).text,
                     weft_quote(cell->text, cell->len).text, what);
}

static weft_status take_number(struct table *table, const struct weft_csv_record *record,
                               struct weft_csv_walk *walk, size_t column, float *out,
                               weft_error *err)
{
    const char *stop = weft_number_scan(walk->at, out);
    if (stop == walk->end) {
        walk->at = NULL;
        return WEFT_OK;
    }
    if (stop != NULL && *stop == table->reader.separator) {
        walk->at = stop + 1;
        return WEFT_OK;
    }
    struct weft_csv_cell cell;
    weft_status status = weft_csv_take(&table->reader, walk, &cell, err);
    if (status != WEFT_OK) {
        return status;
    }
    enum weft_number result = weft_number_float(cell.text, cell.len, out);
    return result == WEFT_NUMBER_OK ? WEFT_OK
                                    : fail_cell(table, record, column, &cell, result, err);
}

/* `labels` are those of the row. */
static weft_status take_label(struct table *table, const struct weft_csv_record *record,
                              struct weft_csv_walk *walk, size_t column, double *labels,
                              weft_error *err)
{
    if (table->wanted == WEFT_LABELS_VALUES) {
        float value = 0;
        weft_status status = take_number(table, record, walk, column, &value, err);
        /* Not where it is in the line but in the order asked for. */
        labels[table->label_of[column]] = (double)value;
        return status;
    }
    struct weft_csv_cell cell;
    weft_status status = weft_csv_take(&table->reader, walk, &cell, err);
    if (status != WEFT_OK || table->wanted == WEFT_LABELS_NONE) {
        return status;
    }
    if (is_missing(&cell) || is_infinite(&cell)) {
        return weft_fail(err, WEFT_ERR_FORMAT, "%s: line %llu, %s: no label: %s", table->path,
                         (unsigned long long)record->line, describe(table, column).text,
                         weft_quote(cell.text, cell.len).text);
    }
    return weft_labels_add_text(&table->labels, cell.text, cell.len, record->line, labels, err);
}

static weft_status fail_ragged(const struct table *table, const struct weft_csv_record *record,
                               weft_error *err)
{
    const char *separator = table->reader.separator == '\t'  ? "tab"
                            : table->reader.separator == ';' ? "';'"
                                                             : "','";
    return weft_fail(err, WEFT_ERR_FORMAT,
                     "%s: line %llu has %zu cells (separated by %s), the first line has %zu",
                     table->path, (unsigned long long)record->line,
                     weft_csv_count(&table->reader, record), separator, table->n_cols);
}

static weft_status skip_cell(struct table *table, struct weft_csv_walk *walk, weft_error *err)
{
    struct weft_csv_cell cell;
    return weft_csv_take(&table->reader, walk, &cell, err);
}

static weft_status take_row(struct table *table, const struct weft_csv_record *record,
                            float *feature, double *labels, weft_error *err)
{
    struct weft_csv_walk walk = weft_csv_walk(record);
    for (size_t column = 0; column < table->n_cols; column++) {
        if (walk.at == NULL) {
            return fail_ragged(table, record, err);
        }
        weft_status status = table->label_of[column] == FEATURE
                                 ? take_number(table, record, &walk, column, feature++, err)
                             : table->label_of[column] == IGNORED
                                 ? skip_cell(table, &walk, err)
                                 : take_label(table, record, &walk, column, labels, err);
        if (status != WEFT_OK) {
            return status;
        }
    }
    return walk.at == NULL ? WEFT_OK : fail_ragged(table, record, err);
}

static weft_status next_record(struct table *table, struct weft_csv_record *record, bool *found,
                               weft_error *err)
{
    if (table->has_record) {
        *record = table->record;
        *found = true;
        table->has_record = false;
        return WEFT_OK;
    }
    return weft_csv_next(&table->reader, record, found, err);
}

static weft_status read_block(struct weft_source *common, struct weft_block *block, weft_error *err)
{
    struct table *table = (struct table *)common;
    while (block->n < block->capacity) {
        struct weft_csv_record record;
        bool found = false;
        weft_status status = next_record(table, &record, &found, err);
        if (status == WEFT_OK && !found) {
            break;
        }
        if (status == WEFT_OK) {
            float *features = (float *)block->x + block->n * common->extent.features;
            double *labels = common->n_labels == 0 ? NULL : block->y + block->n * common->n_labels;
            status = take_row(table, &record, features, labels, err);
        }
        if (status != WEFT_OK) {
            return status;
        }
        block->n++;
        table->n_rows++;
    }
    if (table->n_rows == 0) {
        return weft_fail(err, WEFT_ERR_FORMAT, "%s: a header, but no samples", table->path);
    }
    return WEFT_OK;
}

/* Reads the first record, which is there. */
static weft_status read_first(struct table *table, weft_error *err)
{
    weft_status status = weft_csv_next(&table->reader, &table->record, &table->has_record, err);
    if (status == WEFT_OK && !table->has_record) {
        return weft_fail(err, WEFT_ERR_FORMAT, "%s: no data, only blank lines", table->path);
    }
    return status;
}

static weft_status rewind_table(struct weft_source *common, uint64_t sample, weft_error *err)
{
    struct table *table = (struct table *)common;
    assert(sample == 0);
    (void)sample;
    weft_csv_reader_restart(&table->reader);
    table->n_rows = 0;
    weft_status status = weft_gzstream_seek(table->reader.stream, 0, err);
    if (status == WEFT_OK) {
        status = read_first(table, err);
    }
    table->has_record = table->has_record && table->header.text == NULL;
    return status;
}

static const struct weft_source_methods methods = {
    .read = read_block, .seek = rewind_table, .close = close_table};

static weft_status open_table(const struct weft_source_files *files,
                              const weft_dataset_options *options, struct weft_source **out,
                              weft_error *err)
{
    struct table *table = weft_mem_zalloc(1, sizeof *table);
    if (table == NULL) {
        weft_source_files_close(files);
        return weft_fail_nomem(err, "a file reader");
    }
    table->common = (struct weft_source){
        .methods = &methods,
        .format = weft_gzstream_is_packed(files->samples) ? "CSV, gzip" : "CSV",
        .x_path = weft_gzstream_path(files->samples),
        .y_path = weft_gzstream_path(files->samples),
        .dtype = WEFT_F32,
        .is_text = true,
    };
    table->options = options;
    table->path = table->common.x_path;
    table->wanted = weft_labels_wanted(options);
    weft_status status = weft_csv_reader_init(&table->reader, files->samples, err);
    if (status == WEFT_OK) {
        status = read_first(table, err);
    }
    if (status == WEFT_OK) {
        status = read_columns(table, &table->record, err);
    }
    table->has_record = table->header.text == NULL;
    if (status != WEFT_OK) {
        close_table(&table->common);
        return status;
    }
    *out = &table->common;
    return WEFT_OK;
}

static bool knows(const unsigned char *bytes, size_t n)
{
    (void)bytes;
    (void)n;
    return true;
}

const struct weft_format weft_csv_format = {.knows = knows, .is_text = true, .open = open_table};
