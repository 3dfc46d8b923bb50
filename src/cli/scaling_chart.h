/* The chart of weft bench scaling: one SVG file that needs nothing else, readable on light and dark
 * backgrounds. */
#ifndef WEFT_CLI_SCALING_CHART_H
#define WEFT_CLI_SCALING_CHART_H

#include <stdio.h>

#include <weft/status.h>

/* Speed-ups; `low` and `high` are those of slow and fast rounds. */
struct scaling_point {
    size_t threads;
    double speedup, low, high;
};

struct scaling_line {
    const char *name;
    const struct scaling_point *points; /* ascending in threads, all numbers above 0 */
    size_t n;                           /* 0: nothing to draw */
};

struct scaling_chart {
    const char *title, *subtitle, *footer;
    struct scaling_line strong, weak;
    size_t base; /* thread count of speed-up 1 */
};

/* Writes the chart; equal charts give equal bytes. Texts are escaped. Errors are the stream's. */
void scaling_chart_print(const struct scaling_chart *chart, FILE *stream);

/* The same as a file, whole or not at all. */
WEFT_CHECKED weft_status scaling_chart_write(const struct scaling_chart *chart, const char *path,
                                             weft_error *err);

#endif
