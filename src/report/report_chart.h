/* Charts of lines as SVG inside a page, with a legend, and values where the pointer is. */
#ifndef WEFT_REPORT_CHART_H
#define WEFT_REPORT_CHART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { REPORT_N_COLORS = 10 };

/* How numbers of an axis are shown. */
enum report_unit { REPORT_NUMBER, REPORT_PERCENT, REPORT_SECONDS };

struct report_line {
    const char *name;
    size_t color;        /* any number: they come around again, dashed */
    const double *x, *y; /* [n]; points that are not finite are left out; borrowed */
    size_t n;
    bool is_dots;  /* points without a line between them */
    double remark; /* a number for the legend; NaN: none */
};

struct report_axis {
    const char *name;
    enum report_unit unit;
    double low, high; /* NaN: from the data */
    bool from_zero;   /* the data, and 0 */
    bool whole;       /* ticks at whole numbers only */
};

struct report_chart {
    const char *title;
    const char *note; /* below the title; or NULL */
    struct report_axis x, y;
    bool is_log;   /* the y axis, where all numbers are above 0 and far apart */
    bool diagonal; /* the line y = x */
    bool hover;    /* whether values follow the pointer */
    enum report_unit remark_unit;
    const struct report_line *lines;
    size_t n_lines;
};

/* Prints a <figure>; nothing where no line has a point. */
void report_chart_print(FILE *out, const struct report_chart *chart);

/* Bars from 0 up over equal parts of [x.low, x.high]; heights in counts. */
struct report_bars {
    const char *title, *note;
    struct report_axis x, y;
    const double *heights; /* [n] */
    size_t n;
};

void report_bars_print(FILE *out, const struct report_bars *bars);

#endif
