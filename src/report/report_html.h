/* Pieces of a page: text made safe, numbers made readable, the frame around it all. Everything is
 * printed to a stream, whose errors are seen when the file is committed. */
#ifndef WEFT_REPORT_HTML_H
#define WEFT_REPORT_HTML_H

#include <stddef.h>
#include <stdio.h>

/* Text for HTML and XML, between tags and in quoted attributes: <, >, &, " and ' as references;
 * control characters and bytes that are no UTF-8, for which XML 1.0 has no place, as '?'. */
void report_print_text(FILE *out, const char *text);

/* "60,000" */
void report_print_count(FILE *out, size_t value);

/* Four significant digits, without an exponent where people do without; a dash for NaN. */
void report_print_real(FILE *out, double value);

/* A fraction as "98.13 %" */
void report_print_percent(FILE *out, double fraction);

/* "12 ms", "3.2 s", "4 min 5 s", "1 h 2 min" */
void report_print_seconds(FILE *out, double seconds);

/* Everything up to the first section, and behind the last. The page needs no other file, and a
 * policy in its head forbids browsers to ask for one. */
void report_page_begin(FILE *out, const char *title);
void report_page_end(FILE *out);

/* report.css and report.js, put into the program by CMake. Without the script a page says the same,
 * but for values under the pointer and the sorting of tables. */
extern const char report_style[], report_script[];

#endif
