/* Splits separated text. A record is first brought into one buffer whole, so that cells are plain
 * ranges of it; only cells with doubled quotes are copied. */
#include "data/csv_records.h"

#include <string.h>

#include "base/fail.h"
#include "base/mem.h"

#define FIRST_BYTES ((size_t)1 << 18)

weft_status weft_csv_reader_init(struct weft_csv_reader *reader, struct weft_gzstream *stream,
                                 weft_error *err)
{
    *reader = (struct weft_csv_reader){.stream = stream, .line = 1, .capacity = FIRST_BYTES};
    reader->buffer =
        weft_mem_alloc(reader->capacity + 1, 1); /* + 1: a byte after the last record */
    return reader->buffer == NULL ? weft_fail_nomem(err, "a read buffer") : WEFT_OK;
}

void weft_csv_reader_restart(struct weft_csv_reader *reader)
{
    reader->ended = false;
    reader->at = reader->len = 0;
    reader->line = 1;
}

void weft_csv_reader_release(struct weft_csv_reader *reader)
{
    weft_mem_free(reader->buffer);
    weft_mem_free(reader->cell);
    *reader = (struct weft_csv_reader){0};
}

/* Moves the started record to the front and reads more behind it. */
static weft_status read_more(struct weft_csv_reader *reader, weft_error *err)
{
    size_t kept = reader->len - reader->at;
    if (kept > WEFT_CSV_RECORD_MAX) {
        return weft_fail(err, WEFT_ERR_FORMAT,
                         "%s: line %llu: longer than %zu bytes, or a quote is not closed",
                         weft_gzstream_path(reader->stream), (unsigned long long)reader->line,
                         WEFT_CSV_RECORD_MAX);
    }
    memmove(reader->buffer, reader->buffer + reader->at, kept);
    reader->at = 0;
    reader->len = kept;
    if (kept > reader->capacity / 2) {
        size_t larger = 2 * reader->capacity;
        char *grown = weft_mem_grow(reader->buffer, kept, larger + 1, 1);
        if (grown == NULL) {
            return weft_fail_nomem(err, "a line");
        }
        reader->buffer = grown;
        reader->capacity = larger;
    }
    size_t got = 0;
    weft_status status = weft_gzstream_read(reader->stream, reader->buffer + kept,
                                            reader->capacity - kept, &got, err);
    if (status != WEFT_OK) {
        return status;
    }
    reader->ended = got < reader->capacity - kept;
    if (memchr(reader->buffer + kept, '\0', got) != NULL) {
        return weft_fail(err, WEFT_ERR_FORMAT, "%s: not text: a zero byte comes after line %llu",
                         weft_gzstream_path(reader->stream), (unsigned long long)reader->line);
    }
    reader->len = kept + got;
    return WEFT_OK;
}

/* Where the line end of the record is that starts at `at`, or len where it is not in the buffer.
 * Line ends between quotes belong to a cell; *n_lines counts all of them. Every quote toggles, and
 * so do the two of a doubled one. */
static size_t find_end(const struct weft_csv_reader *reader, uint64_t *n_lines, bool *open)
{
    const char *start = reader->buffer + reader->at, *stop = reader->buffer + reader->len;
    *n_lines = 0;
    *open = false;
    while (start < stop) {
        const char *newline = memchr(start, '\n', (size_t)(stop - start));
        const char *line_end = newline == NULL ? stop : newline;
        const char *quote = start;
        while (!reader->is_verbatim &&
               (quote = memchr(quote, '"', (size_t)(line_end - quote))) != NULL) {
            *open = !*open;
            quote++;
        }
        *n_lines += newline != NULL;
        if (newline != NULL && !*open) {
            return (size_t)(newline - reader->buffer);
        }
        start = line_end + 1;
    }
    return reader->len;
}

/* One line as it comes, blank ones too. */
static weft_status next_line(struct weft_csv_reader *reader, struct weft_csv_record *record,
                             bool *found, weft_error *err)
{
    uint64_t n_lines = 0;
    bool open = false;
    size_t end = find_end(reader, &n_lines, &open);
    while (end == reader->len && !reader->ended) {
        weft_status status = read_more(reader, err);
        if (status != WEFT_OK) {
            return status;
        }
        end = find_end(reader, &n_lines, &open);
    }
    *found = reader->at < reader->len;
    if (!*found) {
        return WEFT_OK;
    }
    if (open) {
        return weft_fail(err, WEFT_ERR_FORMAT, "%s: line %llu: a quote is not closed",
                         weft_gzstream_path(reader->stream), (unsigned long long)reader->line);
    }
    if (end == reader->len) {
        reader->buffer[end] = '\0';
    }
    *record = (struct weft_csv_record){
        .text = reader->buffer + reader->at, .len = end - reader->at, .line = reader->line};
    if (record->len > 0 && record->text[record->len - 1] == '\r') {
        record->len--;
    }
    reader->at = end < reader->len ? end + 1 : end;
    reader->line += n_lines;
    return WEFT_OK;
}

static bool is_blank(const struct weft_csv_record *record)
{
    /* Not tabs: a line of them is a record of empty cells. */
    size_t i = 0;
    while (i < record->len && record->text[i] == ' ') {
        i++;
    }
    return i == record->len;
}

/* A tab or semicolon outside quotes says that it is the separator: commas may then be in the
 * numbers. */
static char find_separator(const struct weft_csv_record *record)
{
    bool open = false, semicolon = false;
    for (size_t i = 0; i < record->len; i++) {
        char c = record->text[i];
        open = open != (c == '"');
        if (!open && c == '\t') {
            return '\t';
        }
        semicolon = semicolon || (!open && c == ';');
    }
    return semicolon ? ';' : ',';
}

weft_status weft_csv_next(struct weft_csv_reader *reader, struct weft_csv_record *record,
                          bool *found, weft_error *err)
{
    weft_status status = next_line(reader, record, found, err);
    uint64_t blank = 0;
    while (status == WEFT_OK && *found && is_blank(record)) {
        blank = record->line;
        status = next_line(reader, record, found, err);
    }
    if (status != WEFT_OK || !*found) {
        return status;
    }
    if (blank != 0 && !reader->is_verbatim) {
        return weft_fail(err, WEFT_ERR_FORMAT, "%s: line %llu is blank",
                         weft_gzstream_path(reader->stream), (unsigned long long)blank);
    }
    static const char mark[] = "\xEF\xBB\xBF"; /* byte order mark */
    if (record->line == 1 && record->len >= 3 && memcmp(record->text, mark, 3) == 0) {
        record->text += 3;
        record->len -= 3;
    }
    if (reader->separator == '\0') {
        reader->separator = find_separator(record);
    }
    return WEFT_OK;
}

struct weft_csv_walk weft_csv_walk(const struct weft_csv_record *record)
{
    return (struct weft_csv_walk){
        .at = record->text, .end = record->text + record->len, .line = record->line};
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

static const char *skip_space(const struct weft_csv_reader *reader, const char *p, const char *end)
{
    while (p < end && is_space(*p) && *p != reader->separator) {
        p++;
    }
    return p;
}

/* Where the quoted text ends that starts at p: its closing quote, or `end`. */
static const char *closing_quote(const char *p, const char *end, bool *has_doubled)
{
    for (; p < end; p++) {
        if (*p == '"') {
            if (p + 1 == end || p[1] != '"') {
                return p;
            }
            *has_doubled = true;
            p++;
        }
    }
    return end;
}

static weft_status undouble(struct weft_csv_reader *reader, struct weft_csv_cell *cell,
                            weft_error *err)
{
    if (cell->len > reader->cell_capacity) {
        char *larger = weft_mem_alloc(cell->len, 1);
        if (larger == NULL) {
            return weft_fail_nomem(err, "a cell");
        }
        weft_mem_free(reader->cell);
        reader->cell = larger;
        reader->cell_capacity = cell->len;
    }
    size_t len = 0;
    for (size_t i = 0; i < cell->len; i++) {
        reader->cell[len++] = cell->text[i];
        i += cell->text[i] == '"';
    }
    *cell = (struct weft_csv_cell){.text = reader->cell, .len = len};
    return WEFT_OK;
}

static weft_status fail_quote(const struct weft_csv_reader *reader,
                              const struct weft_csv_walk *walk, weft_error *err)
{
    return weft_fail(err, WEFT_ERR_FORMAT,
                     "%s: line %llu: a quote inside a cell; the whole cell must be quoted and its "
                     "quotes doubled",
                     weft_gzstream_path(reader->stream), (unsigned long long)walk->line);
}

/* A cell whose opening quote is at p; *stop is where the cell ends. */
static weft_status take_quoted(struct weft_csv_reader *reader, const struct weft_csv_walk *walk,
                               const char *p, struct weft_csv_cell *cell, const char **stop,
                               weft_error *err)
{
    const char *end = walk->end;
    bool has_doubled = false;
    const char *quote = closing_quote(p + 1, end, &has_doubled);
    *cell = (struct weft_csv_cell){.text = p + 1, .len = (size_t)(quote - p - 1)};
    *stop = quote == end ? end : skip_space(reader, quote + 1, end);
    if (quote == end || (*stop < end && **stop != reader->separator)) {
        return fail_quote(reader, walk, err);
    }
    return has_doubled ? undouble(reader, cell, err) : WEFT_OK;
}

weft_status weft_csv_take(struct weft_csv_reader *reader, struct weft_csv_walk *walk,
                          struct weft_csv_cell *cell, weft_error *err)
{
    const char *end = walk->end, *stop;
    const char *p = skip_space(reader, walk->at, end);
    if (p < end && *p == '"') {
        weft_status status = take_quoted(reader, walk, p, cell, &stop, err);
        if (status != WEFT_OK) {
            return status;
        }
    } else {
        stop = memchr(p, reader->separator, (size_t)(end - p));
        stop = stop == NULL ? end : stop;
        *cell = (struct weft_csv_cell){.text = p, .len = (size_t)(stop - p)};
        while (cell->len > 0 && is_space(p[cell->len - 1])) {
            cell->len--;
        }
        if (memchr(p, '"', cell->len) != NULL) {
            return fail_quote(reader, walk, err);
        }
    }
    walk->at = stop < end ? stop + 1 : NULL;
    return WEFT_OK;
}

size_t weft_csv_count(const struct weft_csv_reader *reader, const struct weft_csv_record *record)
{
    size_t n = 1;
    bool open = false;
    for (size_t i = 0; i < record->len; i++) {
        open = open != (record->text[i] == '"');
        n += !open && record->text[i] == reader->separator;
    }
    return n;
}
