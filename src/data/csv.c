/* Reads tables of numbers. The first record tells the columns: which of them are labels, and
 * whether it is a header itself. Features are kept in blocks of rows, as their number is known only
 * at the end. */
#include "data/csv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/fail.h"
#include "base/mem.h"
#include "data/csv_records.h"
#include "data/labels.h"
#include "data/number.h"

#define BLOCK_BYTES ((size_t)1 << 22)

struct table {
    const weft_dataset_options *options;
    const char *path;
    struct weft_csv_reader reader;
    struct weft_csv_record header; /* its text is the table's own; NULL where there is none */
    size_t n_cols, n_labels;
    int32_t *label_of; /* [n_cols] which label a column is, or -1 for a feature */
    weft_label_kind wanted;
    struct weft_labels labels; /* one column of them, not asked for as values */
    float *values;             /* [n_rows, n_labels], where values are wanted */
    size_t values_capacity;
    size_t n_rows, n_features, block_rows;
    float **blocks; /* of [block_rows, n_features] */
    size_t n_blocks, blocks_capacity;
};

static void release(struct table *table)
{
    for (size_t i = 0; i < table->n_blocks; i++) {
        weft_mem_free(table->blocks[i]);
    }
    weft_mem_free(table->blocks);
    weft_mem_free(table->values);
    weft_labels_release(&table->labels);
    weft_mem_free(table->label_of);
    weft_mem_free((char *)table->header.text);
    weft_csv_reader_release(&table->reader);
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

/* One of the label options; *by_name tells that the record is a header. */
static weft_status add_label(struct table *table, const struct weft_csv_record *record,
                             const struct weft_csv_cell *token, bool *by_name, weft_error *err)
{
    size_t column = 0;
    long index;
    if (parse_index(token, &index)) {
        long n_cols = (long)table->n_cols;
        if (index >= n_cols || index < -n_cols) {
            return weft_fail(err, WEFT_ERR_FORMAT, "%s: no column %ld: it has %ld columns, from 0",
                             table->path, index, n_cols);
        }
        column = (size_t)(index < 0 ? index + n_cols : index);
    } else {
        weft_status status = find_column(table, record, token, &column, err);
        if (status != WEFT_OK) {
            return status;
        }
        *by_name = true;
    }
    if (table->label_of[column] >= 0) {
        return weft_fail(err, WEFT_ERR_ARG, "label column %s is named twice",
                         weft_quote(token->text, token->len).text);
    }
    table->label_of[column] = (int32_t)table->n_labels++;
    return WEFT_OK;
}

static weft_status find_labels(struct table *table, const struct weft_csv_record *record,
                               bool *by_name, weft_error *err)
{
    const weft_dataset_options *options = table->options;
    if (table->wanted == WEFT_LABELS_NONE && options->n_inputs == table->n_cols) {
        return WEFT_OK;
    }
    const char *token = options->label == NULL ? "0" : options->label;
    for (;;) {
        struct weft_csv_cell name = {.text = token, .len = strcspn(token, ",")};
        weft_status status = add_label(table, record, &name, by_name, err);
        if (status != WEFT_OK || token[name.len] == '\0') {
            return status;
        }
        token += name.len + 1;
    }
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
    if (table->wanted == WEFT_LABELS_NONE || table->wanted == WEFT_LABELS_VALUES) {
        return WEFT_OK;
    }
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
        table->label_of[i] = -1;
    }
    bool by_name = false;
    struct impression seen;
    weft_status status = find_labels(table, record, &by_name, err);
    if (status == WEFT_OK) {
        status = look_at(table, record, &seen, err);
    }
    if (status != WEFT_OK) {
        return status;
    }
    table->n_features = table->n_cols - table->n_labels;
    if (table->n_features == 0) {
        return weft_fail(err, WEFT_ERR_FORMAT,
                         "%s: no features: the first line has %zu cells, and all are labels",
                         table->path, table->n_cols);
    }
    table->block_rows = BLOCK_BYTES / sizeof(float) / table->n_features;
    table->block_rows += table->block_rows == 0;
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

static weft_status take_value(struct table *table, const struct weft_csv_record *record,
                              struct weft_csv_walk *walk, size_t column, weft_error *err)
{
    float value;
    weft_status status = take_number(table, record, walk, column, &value, err);
    if (status == WEFT_OK) {
        /* Not where it is in the line but in the order asked for. */
        size_t row_start = table->n_rows * table->n_labels;
        table->values[row_start + (size_t)table->label_of[column]] = value;
    }
    return status;
}

static weft_status take_label(struct table *table, const struct weft_csv_record *record,
                              struct weft_csv_walk *walk, size_t column, weft_error *err)
{
    if (table->wanted == WEFT_LABELS_VALUES) {
        return take_value(table, record, walk, column, err);
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
    return weft_labels_add_text(&table->labels, cell.text, cell.len, record->line, err);
}

/* Makes room for the labels of the next row; false without memory. */
static bool next_values(struct table *table)
{
    if (table->wanted != WEFT_LABELS_VALUES) {
        return true;
    }
    void *values = table->values;
    bool made = weft_array_reserve(&values, table->n_rows * table->n_labels, table->n_labels,
                                   &table->values_capacity, sizeof *table->values);
    table->values = values;
    return made;
}

/* Where the next row's features go; NULL without memory. */
static float *next_row(struct table *table)
{
    size_t at = table->n_rows % table->block_rows;
    if (at == 0) {
        void *blocks = table->blocks;
        if (!weft_array_reserve(&blocks, table->n_blocks, 1, &table->blocks_capacity,
                                sizeof *table->blocks)) {
            return NULL;
        }
        table->blocks = blocks;
        float *block = weft_mem_alloc(table->block_rows, table->n_features * sizeof *block);
        if (block == NULL) {
            return NULL;
        }
        table->blocks[table->n_blocks++] = block;
    }
    return table->blocks[table->n_blocks - 1] + at * table->n_features;
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

static weft_status add_row(struct table *table, const struct weft_csv_record *record,
                           weft_error *err)
{
    float *feature = next_row(table);
    if (feature == NULL || !next_values(table)) {
        return weft_fail(err, WEFT_ERR_NOMEM, "%s: no memory for more than %zu samples",
                         table->path, table->n_rows);
    }
    struct weft_csv_walk walk = weft_csv_walk(record);
    for (size_t column = 0; column < table->n_cols; column++) {
        if (walk.at == NULL) {
            return fail_ragged(table, record, err);
        }
        weft_status status = table->label_of[column] >= 0
                                 ? take_label(table, record, &walk, column, err)
                                 : take_number(table, record, &walk, column, feature++, err);
        if (status != WEFT_OK) {
            return status;
        }
    }
    if (walk.at != NULL) {
        return fail_ragged(table, record, err);
    }
    table->n_rows++;
    return WEFT_OK;
}

static weft_status read_rows(struct table *table, weft_error *err)
{
    struct weft_csv_record record;
    bool found;
    weft_status status = weft_csv_next(&table->reader, &record, &found, err);
    if (status == WEFT_OK && !found) {
        return weft_fail(err, WEFT_ERR_FORMAT, "%s: no data, only blank lines", table->path);
    }
    if (status == WEFT_OK) {
        status = read_columns(table, &record, err);
    }
    if (status == WEFT_OK && table->header.text == NULL) {
        status = add_row(table, &record, err);
    }
    while (status == WEFT_OK) {
        status = weft_csv_next(&table->reader, &record, &found, err);
        if (status != WEFT_OK || !found) {
            break;
        }
        status = add_row(table, &record, err);
    }
    if (status == WEFT_OK && table->n_rows == 0) {
        return weft_fail(err, WEFT_ERR_FORMAT, "%s: a header, but no samples", table->path);
    }
    return status;
}

static size_t rows_of_block(const struct table *table, size_t index)
{
    size_t before = index * table->block_rows;
    size_t left = table->n_rows - before;
    return left < table->block_rows ? left : table->block_rows;
}

/* Whether the features are pixels: whole numbers in 0..255, the largest of them 255. */
static bool are_pixels(const struct table *table)
{
    float largest = 0;
    for (size_t b = 0; b < table->n_blocks; b++) {
        const float *x = table->blocks[b];
        size_t n = rows_of_block(table, b) * table->n_features;
        int broken = 0;
        for (size_t i = 0; i < n; i++) {
            float inside = x[i] >= 0 && x[i] <= 255 ? x[i] : 0.5f;
            broken |= (float)(int32_t)inside != inside;
            largest = inside > largest ? inside : largest;
        }
        if (broken) {
            return false;
        }
    }
    return largest == 255;
}

/* Moves the blocks into one matrix, each freed once it is copied. */
static void gather(struct table *table, weft_tensor *x)
{
    for (size_t b = 0; b < table->n_blocks; b++) {
        size_t first = b * table->block_rows * table->n_features;
        size_t n = rows_of_block(table, b) * table->n_features;
        const float *from = table->blocks[b];
        if (x->dtype == WEFT_U8) {
            uint8_t *to = (uint8_t *)x->data + first;
            for (size_t i = 0; i < n; i++) {
                to[i] = (uint8_t)from[i];
            }
        } else {
            memcpy((float *)x->data + first, from, n * sizeof *from);
        }
        weft_mem_free(table->blocks[b]);
        table->blocks[b] = NULL;
    }
}

static weft_status finish_labels(struct table *table, weft_dataset *data, weft_error *err)
{
    switch (table->wanted) {
    case WEFT_LABELS_NONE:
        return WEFT_OK;
    case WEFT_LABELS_VALUES:
        data->kind = WEFT_LABELS_VALUES;
        data->values = table->values;
        data->n_values = table->n_labels;
        table->values = NULL;
        return WEFT_OK;
    default:
        return weft_labels_finish(&table->labels, data, err);
    }
}

static weft_status make_dataset(struct table *table, weft_dataset **out, weft_error *err)
{
    const uint64_t dims[2] = {table->n_rows, table->n_features};
    struct weft_extent extent;
    weft_status status = weft_extent_init(&extent, dims, 2, sizeof(float), table->path, err);
    if (status != WEFT_OK) {
        return status;
    }
    bool gzip = weft_gzstream_is_gzip(table->reader.stream);
    weft_dataset *data = NULL;
    status = weft_dataset_new(&extent, are_pixels(table) ? WEFT_U8 : WEFT_F32,
                              gzip ? "CSV, gzip" : "CSV", &data, err);
    if (status != WEFT_OK) {
        return status;
    }
    gather(table, &data->x);
    status = finish_labels(table, data, err);
    if (status == WEFT_OK) {
        status = weft_dataset_scan(data, WEFT_ERR_FORMAT, table->path, table->path, err);
    }
    if (status != WEFT_OK) {
        weft_dataset_free(data);
        return status;
    }
    *out = data;
    return WEFT_OK;
}

weft_status weft_csv_load(struct weft_gzstream *stream, const weft_dataset_options *options,
                          weft_dataset **out, weft_error *err)
{
    struct table table = {.options = options,
                          .path = weft_gzstream_path(stream),
                          .wanted = weft_labels_wanted(options)};
    weft_status status = weft_csv_reader_init(&table.reader, stream, err);
    if (status == WEFT_OK) {
        status = read_rows(&table, err);
    }
    if (status == WEFT_OK) {
        status = make_dataset(&table, out, err);
    }
    release(&table);
    return status;
}
