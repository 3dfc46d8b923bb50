/* Reads the rows of tables. What their columns are is found in csv_columns.c and csv_survey.c. */
#include "data/csv.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/fail.h"
#include "base/mem.h"
#include "data/csv_table.h"
#include "data/number.h"
#include "data/summary_parts.h"

static void close_table(struct weft_source *common)
{
    struct weft_table *table = (struct weft_table *)common;
    weft_labels_release(&table->labels);
    for (size_t i = 0; table->dictionaries != NULL && i < table->n_categorical; i++) {
        weft_labels_release(&table->dictionaries[i]);
    }
    weft_mem_free(table->dictionaries);
    weft_columns_release(&table->columns);
    weft_mem_free(table->role);
    weft_mem_free(table->run);
    weft_mem_free((char *)table->header.text);
    weft_gzstream_close(table->reader.stream);
    weft_csv_reader_release(&table->reader);
    weft_mem_free(table);
}

static weft_status fail_cell(struct weft_table *table, const struct weft_csv_record *record,
                             size_t column, const struct weft_csv_cell *cell, enum weft_number why,
                             weft_error *err)
{
    const char *what = why == WEFT_NUMBER_RANGE     ? "is too large for float32"
                       : weft_csv_is_infinite(cell) ? "is not finite"
                       : cell->len == 0 ? "is an empty cell, wanted a value (or see --missing)"
                       : weft_csv_is_missing(cell)
                           ? "is a missing value, wanted a value (or see --missing)"
                           : "is not a number";
    return weft_fail(err, WEFT_ERR_FORMAT, "%s: line %llu, %s: %s %s", table->path,
                     (unsigned long long)record->line, weft_table_describe(table, column).text,
                     weft_quote(cell->text, cell->len).text, what);
}

weft_status weft_table_take_cell(struct weft_table *table, const struct weft_csv_record *record,
                                 struct weft_csv_walk *walk, size_t column,
                                 struct weft_csv_cell *cell, bool *is_missing, weft_error *err)
{
    weft_status status = weft_csv_take(&table->reader, walk, cell, err);
    *is_missing = status == WEFT_OK && weft_csv_is_missing(cell);
    if (*is_missing && table->columns.missing == WEFT_MISSING_ERROR) {
        return fail_cell(table, record, column, cell, WEFT_NUMBER_NOT, err);
    }
    return status;
}

weft_status weft_table_take_number(struct weft_table *table, const struct weft_csv_record *record,
                                   struct weft_csv_walk *walk, size_t column, float *out,
                                   bool *is_missing, weft_error *err)
{
    *is_missing = false;
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
    weft_status status = weft_table_take_cell(table, record, walk, column, &cell, is_missing, err);
    if (status != WEFT_OK || *is_missing) {
        return status;
    }
    enum weft_number result = weft_number_float(cell.text, cell.len, out);
    return result == WEFT_NUMBER_OK ? WEFT_OK
                                    : fail_cell(table, record, column, &cell, result, err);
}

static weft_status fail_no_label(struct weft_table *table, const struct weft_csv_record *record,
                                 size_t column, const struct weft_csv_cell *cell, weft_error *err)
{
    return weft_fail(err, WEFT_ERR_FORMAT, "%s: line %llu, %s: no label: %s", table->path,
                     (unsigned long long)record->line, weft_table_describe(table, column).text,
                     weft_quote(cell->text, cell->len).text);
}

/* `labels` are those of the row. */
static weft_status take_label(struct weft_table *table, const struct weft_csv_record *record,
                              struct weft_csv_walk *walk, size_t column, double *labels,
                              weft_error *err)
{
    struct weft_csv_cell cell;
    weft_status status;
    if (table->wanted == WEFT_LABELS_VALUES) {
        float value = 0;
        bool is_missing = false;
        struct weft_csv_walk again = *walk;
        status = weft_table_take_number(table, record, walk, column, &value, &is_missing, err);
        if (status == WEFT_OK && is_missing) { /* which no option allows for labels */
            status = weft_csv_take(&table->reader, &again, &cell, err);
            return status == WEFT_OK ? fail_no_label(table, record, column, &cell, err) : status;
        }
        /* Not where it is in the line but in the order asked for. */
        labels[table->role[column]] = (double)value;
        return status;
    }
    status = weft_csv_take(&table->reader, walk, &cell, err);
    if (status != WEFT_OK || table->wanted == WEFT_LABELS_NONE) {
        return status;
    }
    if (weft_csv_is_missing(&cell) || weft_csv_is_infinite(&cell)) {
        return fail_no_label(table, record, column, &cell, err);
    }
    return weft_labels_add_text(&table->labels, cell.text, cell.len, record->line, labels, err);
}

weft_status weft_table_fail_ragged(const struct weft_table *table,
                                   const struct weft_csv_record *record, weft_error *err)
{
    const char *separator = table->reader.separator == '\t'  ? "tab"
                            : table->reader.separator == ';' ? "';'"
                                                             : "','";
    return weft_fail(err, WEFT_ERR_FORMAT,
                     "%s: line %llu has %zu cells (separated by %s), the first line has %zu",
                     table->path, (unsigned long long)record->line,
                     weft_csv_count(&table->reader, record), separator, table->n_cols);
}

static weft_status skip_cell(struct weft_table *table, struct weft_csv_walk *walk, weft_error *err)
{
    struct weft_csv_cell cell;
    return weft_csv_take(&table->reader, walk, &cell, err);
}

/* What stands for n features that are missing, from `feature` of the sample on. */
static void fill_in(struct weft_table *table, float *feature, size_t at, size_t n)
{
    float nothing = table->columns.missing == WEFT_MISSING_MARK ? (float)NAN : 0;
    for (size_t i = 0; i < n; i++) {
        feature[at + i] = table->columns.fill == NULL ? nothing : table->columns.fill[at + i];
    }
    table->common.n_missing++;
}

static weft_status fail_unseen(struct weft_table *table, const struct weft_csv_record *record,
                               size_t column, const struct weft_csv_cell *cell, weft_error *err)
{
    const struct weft_labels *known = &table->dictionaries[WEFT_CSV_CATEGORY - table->role[column]];
    struct weft_listing listing = {0};
    for (size_t i = 0; i < known->n_distinct && !listing.is_full; i++) {
        weft_listing_add(&listing, weft_labels_quote(known, i).text);
    }
    return weft_fail(err, WEFT_ERR_MISMATCH,
                     "%s: line %llu, %s: %s is not among the model's categories (%s)", table->path,
                     (unsigned long long)record->line, weft_table_describe(table, column).text,
                     weft_quote(cell->text, cell->len).text, listing.text);
}

/* A cell as features from number *at on: 1 where its category is, else 0. */
static weft_status take_category(struct weft_table *table, const struct weft_csv_record *record,
                                 struct weft_csv_walk *walk, size_t column, float *features,
                                 size_t *at, weft_error *err)
{
    const struct weft_labels *known = &table->dictionaries[WEFT_CSV_CATEGORY - table->role[column]];
    struct weft_csv_cell cell;
    bool is_missing = false;
    size_t n = known->n_distinct, index = 0;
    weft_status status = weft_table_take_cell(table, record, walk, column, &cell, &is_missing, err);
    if (status != WEFT_OK) {
        return status;
    }
    if (is_missing) {
        fill_in(table, features, *at, n);
    } else if (weft_labels_find(known, cell.text, cell.len, &index)) {
        for (size_t i = 0; i < n; i++) {
            features[*at + i] = i == index;
        }
    } else {
        return fail_unseen(table, record, column, &cell, err);
    }
    *at += n;
    return WEFT_OK;
}

static weft_status take_feature(struct weft_table *table, const struct weft_csv_record *record,
                                struct weft_csv_walk *walk, size_t column, float *features,
                                size_t *at, weft_error *err)
{
    bool is_missing = false;
    weft_status status =
        weft_table_take_number(table, record, walk, column, &features[*at], &is_missing, err);
    if (is_missing) {
        fill_in(table, features, *at, 1);
    }
    *at += 1;
    return status;
}

/* The weight of a row, which may not be missing. */
static weft_status take_weight(struct weft_table *table, const struct weft_csv_record *record,
                               struct weft_csv_walk *walk, float *weight, weft_error *err)
{
    struct weft_csv_cell cell;
    weft_status status = weft_csv_take(&table->reader, walk, &cell, err);
    if (status != WEFT_OK) {
        return status;
    }
    enum weft_number result = weft_number_float(cell.text, cell.len, weight);
    return result == WEFT_NUMBER_OK ? WEFT_OK
                                    : fail_cell(table, record, table->weight, &cell, result, err);
}

/* The short way for cells that are whole numbers of up to 3 digits, as pixels are: takes as many of
 * n as are such and have a cell behind them, four zeros at once; returns how many. Everything else
 * is left to take_feature(), which gives the same values. */
static size_t take_small(const struct weft_table *table, struct weft_csv_walk *walk, float *out,
                         size_t n)
{
    const char separator = table->reader.separator, *p = walk->at;
    const char pattern[8] = {'0', separator, '0', separator, '0', separator, '0', separator};
    size_t i = 0;
    while (i < n) {
        if (n - i >= 4 && walk->end - p > 8 && memcmp(p, pattern, sizeof pattern) == 0) {
            out[i] = out[i + 1] = out[i + 2] = out[i + 3] = 0;
            i += 4;
            p += 8;
            continue;
        }
        /* Each byte is read where the one before is a digit, so within the record or behind it. */
        unsigned value = (unsigned char)p[0] - (unsigned)'0';
        size_t len = 1;
        if (value > 9) {
            break;
        }
        for (; len < 3 && p[len] >= '0' && p[len] <= '9'; len++) {
            value = 10 * value + (unsigned)(p[len] - '0');
        }
        if (p[len] != separator || p + len >= walk->end) {
            break;
        }
        out[i++] = (float)value;
        p += len + 1;
    }
    walk->at = p;
    return i;
}

static weft_status take_row(struct weft_table *table, const struct weft_csv_record *record,
                            float *features, double *labels, float *weight, weft_error *err)
{
    struct weft_csv_walk walk = weft_csv_walk(record);
    size_t at = 0; /* the next feature */
    for (size_t column = 0; column < table->n_cols; column++) {
        if (walk.at == NULL) {
            return weft_table_fail_ragged(table, record, err);
        }
        int32_t role = table->role[column];
        size_t n_small = take_small(table, &walk, features + at, table->run[column]);
        if (n_small > 0) {
            at += n_small;
            column += n_small - 1;
            continue;
        }
        weft_status status = role == WEFT_CSV_FEATURE
                                 ? take_feature(table, record, &walk, column, features, &at, err)
                             : column == table->weight && weight != NULL
                                 ? take_weight(table, record, &walk, weight, err)
                             : role == WEFT_CSV_IGNORED ? skip_cell(table, &walk, err)
                             : role >= 0
                                 ? take_label(table, record, &walk, column, labels, err)
                                 : take_category(table, record, &walk, column, features, &at, err);
        if (status != WEFT_OK) {
            return status;
        }
    }
    return walk.at == NULL ? WEFT_OK : weft_table_fail_ragged(table, record, err);
}

/* Whether a row that is sound otherwise lacks a value that matters, and is to be left out. */
static weft_status find_lack(struct weft_table *table, const struct weft_csv_record *record,
                             bool *lacks, weft_error *err)
{
    struct weft_csv_walk walk = weft_csv_walk(record);
    *lacks = false;
    size_t column = 0;
    bool found = false;
    for (; walk.at != NULL; column++) {
        struct weft_csv_cell cell;
        weft_status status = weft_csv_take(&table->reader, &walk, &cell, err);
        if (status != WEFT_OK) {
            return status;
        }
        bool matters = column < table->n_cols && table->role[column] != WEFT_CSV_IGNORED &&
                       (table->role[column] < 0 || table->wanted != WEFT_LABELS_NONE);
        found = found || (matters && weft_csv_is_missing(&cell));
    }
    *lacks = found && column == table->n_cols;
    return WEFT_OK;
}

weft_status weft_table_next_record(struct weft_table *table, struct weft_csv_record *record,
                                   bool *found, weft_error *err)
{
    if (table->has_record) {
        *record = table->record;
        *found = true;
        table->has_record = false;
        return WEFT_OK;
    }
    return weft_csv_next(&table->reader, record, found, err);
}

/* The next row that is to be read. */
static weft_status next_row(struct weft_table *table, struct weft_csv_record *record, bool *found,
                            weft_error *err)
{
    bool lacks = false;
    do {
        table->common.n_dropped += lacks;
        weft_status status = weft_table_next_record(table, record, found, err);
        if (status != WEFT_OK || !*found || table->columns.missing != WEFT_MISSING_DROP) {
            return status;
        }
        status = find_lack(table, record, &lacks, err);
        if (status != WEFT_OK) {
            return status;
        }
    } while (lacks);
    return WEFT_OK;
}

static weft_status read_block(struct weft_source *common, struct weft_block *block, weft_error *err)
{
    struct weft_table *table = (struct weft_table *)common;
    while (block->n < block->capacity) {
        struct weft_csv_record record;
        bool found = false;
        weft_status status = next_row(table, &record, &found, err);
        if (status == WEFT_OK && !found) {
            break;
        }
        if (status == WEFT_OK) {
            float *features = (float *)block->x + block->n * common->extent.features;
            double *labels = common->n_labels == 0 ? NULL : block->y + block->n * common->n_labels;
            float *weight = block->weights == NULL ? NULL : block->weights + block->n;
            status = take_row(table, &record, features, labels, weight, err);
        }
        if (status != WEFT_OK) {
            return status;
        }
        block->n++;
        table->n_rows++;
    }
    if (table->n_rows == 0) {
        return weft_fail(err, WEFT_ERR_FORMAT,
                         table->common.n_dropped > 0
                             ? "%s: no samples: every row lacks a value, and --missing is drop"
                             : "%s: a header, but no samples",
                         table->path);
    }
    return WEFT_OK;
}

/* Reads the first record, which is there. */
static weft_status read_first(struct weft_table *table, weft_error *err)
{
    weft_status status = weft_csv_next(&table->reader, &table->record, &table->has_record, err);
    if (status == WEFT_OK && !table->has_record) {
        return weft_fail(err, WEFT_ERR_FORMAT, "%s: no data, only blank lines", table->path);
    }
    return status;
}

static weft_status rewind_table(struct weft_source *common, uint64_t sample, weft_error *err)
{
    struct weft_table *table = (struct weft_table *)common;
    assert(sample == 0);
    (void)sample;
    weft_csv_reader_restart(&table->reader);
    table->n_rows = 0;
    table->common.n_missing = table->common.n_dropped = 0;
    weft_status status = weft_gzstream_seek(table->reader.stream, 0, err);
    if (status == WEFT_OK) {
        status = read_first(table, err);
    }
    table->has_record = table->has_record && table->header.text == NULL;
    return status;
}

static const struct weft_source_methods methods = {
    .read = read_block, .seek = rewind_table, .close = close_table};

/* What has to be known of the columns, with the file then at its first row. */
static weft_status prepare(struct weft_table *table, weft_error *err)
{
    const weft_dataset_options *options = table->options;
    table->columns.missing = options->columns == NULL ? options->missing : WEFT_MISSING_ERROR;
    if (options->columns == NULL && options->missing == WEFT_MISSING_ERROR &&
        table->n_categorical == 0) {
        return WEFT_OK;
    }
    bool was_read = false;
    weft_status status = weft_table_survey(table, &was_read, err);
    table->common.extent.features = table->common.extent.dims[0] = table->columns.n_features;
    table->common.columns = &table->columns;
    return status == WEFT_OK && was_read ? rewind_table(&table->common, 0, err) : status;
}

static weft_status open_table(const struct weft_source_files *files,
                              const weft_dataset_options *options, struct weft_source **out,
                              weft_error *err)
{
    struct weft_table *table = weft_mem_zalloc(1, sizeof *table);
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
    table->weight = SIZE_MAX;
    table->common.has_weights = options->weight != NULL;
    table->path = table->common.x_path;
    table->wanted = weft_labels_wanted(options);
    weft_status status = weft_csv_reader_init(&table->reader, files->samples, err);
    if (status == WEFT_OK) {
        status = read_first(table, err);
    }
    if (status == WEFT_OK) {
        status = weft_table_read_columns(table, &table->record, err);
        /* A row has a byte for each cell; deflate gives 1032 for one at most. */
        uint64_t bytes = weft_gzstream_file_bytes(files->samples);
        bytes *= weft_gzstream_is_packed(files->samples) && bytes < UINT64_MAX / 1032 ? 1032 : 1;
        table->common.most_samples = 1 + (table->n_cols == 0 ? bytes : bytes / table->n_cols);
        table->has_record = table->header.text == NULL;
    }
    if (status == WEFT_OK) {
        status = prepare(table, err);
    }
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
