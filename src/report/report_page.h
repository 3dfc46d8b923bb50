/* Reports as HTML: one file each that needs nothing else, for light and dark screens of any width.
 * They are functions of the run directories alone: equal files give equal bytes. */
#ifndef WEFT_REPORT_PAGE_H
#define WEFT_REPORT_PAGE_H

#include <stdbool.h>
#include <stddef.h>

#include <weft/status.h>

#define REPORT_PAGE_FILE "report.html"

/* Runs on one page; more could not be told apart. */
enum { REPORT_MOST_RUNS = 20 };

/* Writes the report of a run directory, or for several (at most REPORT_MOST_RUNS) a page that
 * compares them: whole or not at all. WEFT_ERR_IO, WEFT_ERR_FORMAT, WEFT_ERR_MISMATCH: a file of a
 * run is missing, broken or of another run, or `out` cannot be written, which *unwritten says;
 * messages name the file. */
WEFT_CHECKED weft_status report_page_write(const char *const *runs, size_t n, const char *out,
                                           bool *unwritten, weft_error *err);

#endif
