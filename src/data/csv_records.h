/* Records and cells of separated text (RFC 4180): quotes, separators, line ends. What cells mean is
 * not known here. */
#ifndef WEFT_DATA_CSV_RECORDS_H
#define WEFT_DATA_CSV_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/status.h>

#include "data/gzstream.h"

/* No line of numbers is this long; a file without line ends must not fill the memory. */
#define WEFT_CSV_RECORD_MAX ((size_t)1 << 24)

/* One record, without its line end; valid until the next one is read. text[len] may be read and is
 * no part of a number. */
struct weft_csv_record {
    const char *text;
    size_t len;
    uint64_t line; /* its first line, from 1 */
};

/* A zeroed struct may be released. */
struct weft_csv_reader {
    struct weft_gzstream *stream; /* borrowed */
    char separator;               /* ',', ';' or tab, found in the first record */
    bool is_verbatim;             /* quotes are nothing special, and blank lines no error */
    bool ended;                   /* all of the file is in the buffer */
    char *buffer;
    size_t capacity, at, len; /* the next record starts at `at` */
    uint64_t line;            /* and is on this line */
    char *cell;               /* a cell whose doubled quotes were made single */
    size_t cell_capacity;
};

WEFT_CHECKED weft_status weft_csv_reader_init(struct weft_csv_reader *reader,
                                              struct weft_gzstream *stream, weft_error *err);
/* Begins anew with a stream that was sent back to its start; the separator stays. */
void weft_csv_reader_restart(struct weft_csv_reader *reader);
void weft_csv_reader_release(struct weft_csv_reader *reader);

/* Reads the next record; *found is false after the last one. Blank lines at the end of the file are
 * no records, elsewhere they are an error. */
WEFT_CHECKED weft_status weft_csv_next(struct weft_csv_reader *reader,
                                       struct weft_csv_record *record, bool *found,
                                       weft_error *err);

/* A walk over the cells of a record. */
struct weft_csv_walk {
    const char *at, *end; /* at is NULL after the last cell */
    uint64_t line;        /* of the record, for messages */
};

struct weft_csv_walk weft_csv_walk(const struct weft_csv_record *record);

/* A cell without the blanks and quotes around it. */
struct weft_csv_cell {
    const char *text;
    size_t len;
};

/* Takes the next cell, of which there must be one. The text is valid until the next call. */
WEFT_CHECKED weft_status weft_csv_take(struct weft_csv_reader *reader, struct weft_csv_walk *walk,
                                       struct weft_csv_cell *cell, weft_error *err);

/* How many cells a sound record has. */
size_t weft_csv_count(const struct weft_csv_reader *reader, const struct weft_csv_record *record);

#endif
