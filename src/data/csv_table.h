/* The parts of reading a table: which column is what, what is known of the columns, the rows. */
#ifndef WEFT_DATA_CSV_TABLE_H
#define WEFT_DATA_CSV_TABLE_H

#include "data/csv_records.h"
#include "data/labels.h"
#include "data/source.h"

/* The roles of columns that are no labels; CATEGORY - k is the k-th column of categories. */
enum { WEFT_CSV_FEATURE = -1, WEFT_CSV_IGNORED = -2, WEFT_CSV_CATEGORY = -3 };

struct weft_table {
    struct weft_source common;
    const weft_dataset_options *options;
    const char *path;
    struct weft_csv_reader reader;
    struct weft_csv_record header; /* its text is the table's own; NULL where there is none */
    size_t n_cols, n_labels, n_ignored, n_categorical;
    size_t weight; /* the column of weights, whose role is IGNORED; SIZE_MAX: there is none */
    int32_t *role; /* [n_cols] which label a column is, or one of the roles above */
    uint32_t *run; /* [n_cols] how many columns of numbers there are from each one on */
    weft_label_kind wanted;
    struct weft_labels labels;        /* one column of them, not asked for as values */
    struct weft_labels *dictionaries; /* [n_categorical] the categories, in the order of features */
    weft_columns columns;             /* what is known of the columns; own */
    struct weft_csv_record record;    /* the first one, where it is the next to be read */
    bool has_record;
    uint64_t n_rows; /* read so far */
};

/* Learns from the first record which column is what, and whether it is a header. */
WEFT_CHECKED weft_status weft_table_read_columns(struct weft_table *table,
                                                 const struct weft_csv_record *record,
                                                 weft_error *err);

/* Finds what else must be known before the first row can be read: categories and means, from the
 * model or, where there is none, by reading through the file, which is then at its end
 * (*was_read). */
WEFT_CHECKED weft_status weft_table_survey(struct weft_table *table, bool *was_read,
                                           weft_error *err);

/* The next row. */
WEFT_CHECKED weft_status weft_table_next_record(struct weft_table *table,
                                                struct weft_csv_record *record, bool *found,
                                                weft_error *err);

/* Takes a number, or finds that the cell says that there is none. */
WEFT_CHECKED weft_status weft_table_take_number(struct weft_table *table,
                                                const struct weft_csv_record *record,
                                                struct weft_csv_walk *walk, size_t column,
                                                float *out, bool *is_missing, weft_error *err);

/* Takes a cell and finds whether it says that there is no value. */
WEFT_CHECKED weft_status weft_table_take_cell(struct weft_table *table,
                                              const struct weft_csv_record *record,
                                              struct weft_csv_walk *walk, size_t column,
                                              struct weft_csv_cell *cell, bool *is_missing,
                                              weft_error *err);

WEFT_CHECKED weft_status weft_table_fail_ragged(const struct weft_table *table,
                                                const struct weft_csv_record *record,
                                                weft_error *err);

/* How files write that a number is not known, or beyond all bounds. */
bool weft_csv_is_missing(const struct weft_csv_cell *cell);
bool weft_csv_is_infinite(const struct weft_csv_cell *cell);

/* "column 3 ('mean radius')" */
struct weft_column_text {
    char text[100];
};
struct weft_column_text weft_table_describe(struct weft_table *table, size_t column);

#endif
