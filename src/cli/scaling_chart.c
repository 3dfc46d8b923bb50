/* A chart of speed-up over threads, both on logarithmic axes: there the ideal is a straight line,
 * and equal shares lost look equal. Colours are classes, so that a viewer may prefer dark ones. */
#include "cli/scaling_chart.h"

#include <math.h>
#include <stdbool.h>

#include "base/safefile.h"
#include "report/report_html.h"

/* Pixels of the whole, and of the area between the axes. */
enum { WIDTH = 760, HEIGHT = 500, LEFT = 72, RIGHT = 722, TOP = 134, BOTTOM = 412 };

/* Labels of thread counts nearer than this are left out. */
static const double least_gap = 26;

/* Logarithms to base 2 of what the axes show. */
struct axes {
    double x_low, x_high, y_low, y_high;
};

static const char style[] =
    "<style>\n"
    "  text { font-family: system-ui, 'Segoe UI', 'DejaVu Sans', Arial, sans-serif;\n"
    "    font-size: 13px; fill: #4d5965 }\n"
    "  .title { font-size: 19px; font-weight: 600; fill: #1b242d }\n"
    "  .small { font-size: 12px }\n"
    "  .paper { fill: #ffffff }\n"
    "  .grid { stroke: #e2e6ea; stroke-width: 1 }\n"
    "  .axis { stroke: #9aa4ae; stroke-width: 1 }\n"
    "  .line { fill: none; stroke-width: 2.5; stroke-linejoin: round }\n"
    "  .ideal { stroke: #8a949e; stroke-width: 1.5; stroke-dasharray: 6 5 }\n"
    "  .strong { stroke: #0b62c4 } .strong-fill { fill: #0b62c4 }\n"
    "  .weak { stroke: #c2500a } .weak-fill { fill: #c2500a }\n"
    "  .spread { stroke-width: 8; stroke-opacity: 0.3 }\n"
    "  @media (prefers-color-scheme: dark) {\n"
    "    text { fill: #aab4be } .title { fill: #e8ecf0 }\n"
    "    .paper { fill: #14181d } .grid { stroke: #2a3138 } .axis { stroke: #66717c }\n"
    "    .strong { stroke: #63a9ff } .strong-fill { fill: #63a9ff }\n"
    "    .weak { stroke: #ff9d57 } .weak-fill { fill: #ff9d57 }\n"
    "  }\n"
    "</style>\n";

static double x_of(const struct axes *axes, size_t threads)
{
    double share = (log2((double)threads) - axes->x_low) / (axes->x_high - axes->x_low);
    return LEFT + share * (RIGHT - LEFT);
}

static double y_of(const struct axes *axes, double speedup)
{
    double share = (log2(speedup) - axes->y_low) / (axes->y_high - axes->y_low);
    return BOTTOM - share * (BOTTOM - TOP);
}

static void widen(struct axes *axes, const struct scaling_line *line)
{
    for (size_t i = 0; i < line->n; i++) {
        const struct scaling_point *point = &line->points[i];
        axes->x_low = fmin(axes->x_low, log2((double)point->threads));
        axes->x_high = fmax(axes->x_high, log2((double)point->threads));
        axes->y_low = fmin(axes->y_low, log2(point->low));
        axes->y_high = fmax(axes->y_high, log2(point->high));
    }
}

/* What holds all points and the ideal, with a margin. */
static struct axes fit_axes(const struct scaling_chart *chart)
{
    double base = log2((double)chart->base);
    struct axes axes = {.x_low = base, .x_high = base};
    widen(&axes, &chart->strong);
    widen(&axes, &chart->weak);
    axes.y_low = fmin(axes.y_low, axes.x_low - base);
    axes.y_high = fmax(axes.y_high, axes.x_high - base);
    double x_margin = fmax(0.15, 0.05 * (axes.x_high - axes.x_low));
    double y_margin = fmax(0.1, 0.06 * (axes.y_high - axes.y_low));
    return (struct axes){axes.x_low - x_margin, axes.x_high + x_margin, axes.y_low - y_margin,
                         axes.y_high + y_margin};
}

static void print_y_tick(const struct axes *axes, double speedup, FILE *stream)
{
    double y = y_of(axes, speedup);
    if (y < TOP || y > BOTTOM) {
        return;
    }
    fprintf(stream, "<line class=\"grid\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>\n", LEFT, y,
            RIGHT, y);
    fprintf(stream, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%g</text>\n", LEFT - 10, y + 4.5,
            speedup);
}

/* Powers of 2; on a short axis also their quarters. */
static void print_y_axis(const struct axes *axes, FILE *stream)
{
    double span = axes->y_high - axes->y_low;
    int step = 1 + (int)(span / 10), parts = span < 2.6 ? 4 : 1;
    for (int power = (int)floor(axes->y_low); power <= (int)ceil(axes->y_high); power += step) {
        for (int part = 0; part < parts; part++) {
            print_y_tick(axes, ldexp(1 + (double)part / parts, power), stream);
        }
    }
    fprintf(stream, "<text x=\"%d\" y=\"%d\">Speed-up</text>\n", LEFT - 48, TOP - 20);
}

static void print_x_axis(const struct scaling_chart *chart, const struct axes *axes, FILE *stream)
{
    double last = -least_gap;
    fprintf(stream, "<line class=\"axis\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>\n", LEFT,
            BOTTOM, RIGHT, BOTTOM);
    for (size_t i = 0; i < chart->strong.n; i++) {
        size_t threads = chart->strong.points[i].threads;
        double x = x_of(axes, threads);
        fprintf(stream, "<line class=\"axis\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>\n", x,
                BOTTOM, x, BOTTOM + 6);
        if (x - last >= least_gap) {
            fprintf(stream, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%zu</text>\n", x,
                    BOTTOM + 22, threads);
            last = x;
        }
    }
    fprintf(stream, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">Threads</text>\n", RIGHT,
            BOTTOM + 44);
}

static void print_ideal(const struct scaling_chart *chart, const struct axes *axes, FILE *stream)
{
    size_t n = chart->strong.n;
    if (n == 0) {
        return;
    }
    size_t first = chart->strong.points[0].threads, last = chart->strong.points[n - 1].threads;
    fprintf(stream, "<path class=\"line ideal\" d=\"M%.1f %.1fL%.1f %.1f\"/>\n", x_of(axes, first),
            y_of(axes, (double)first / (double)chart->base), x_of(axes, last),
            y_of(axes, (double)last / (double)chart->base));
}

/* Bars from slow to fast, the line, the points with their numbers as tooltips. */
static void print_line(const struct scaling_chart *chart, const struct scaling_line *line,
                       const char *class, const struct axes *axes, FILE *stream)
{
    for (size_t i = 0; i < line->n; i++) {
        const struct scaling_point *point = &line->points[i];
        double x = x_of(axes, point->threads);
        fprintf(stream,
                "<line class=\"spread %s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
                class, x, y_of(axes, point->low), x, y_of(axes, point->high));
    }
    fprintf(stream, "<path class=\"line %s\" d=\"", class);
    for (size_t i = 0; i < line->n; i++) {
        fprintf(stream, "%c%.1f %.1f", i == 0 ? 'M' : 'L', x_of(axes, line->points[i].threads),
                y_of(axes, line->points[i].speedup));
    }
    fputs("\"/>\n", stream);
    for (size_t i = 0; i < line->n; i++) {
        const struct scaling_point *point = &line->points[i];
        double ideal = (double)point->threads / (double)chart->base;
        fprintf(stream, "<circle class=\"%s-fill\" cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\"><title>",
                class, x_of(axes, point->threads), y_of(axes, point->speedup));
        report_print_text(stream, line->name);
        fprintf(stream, ", %zu threads: %.2f times, %.0f %%</title></circle>\n", point->threads,
                point->speedup, 100 * point->speedup / ideal);
    }
}

/* An entry of the legend at x; the last point's numbers say what it all comes to. */
static void print_entry(const struct scaling_chart *chart, const struct scaling_line *line,
                        const char *class, double x, FILE *stream)
{
    double y = 80;
    fprintf(stream, "<line class=\"line %s\" x1=\"%.0f\" y1=\"%.0f\" x2=\"%.0f\" y2=\"%.0f\"/>\n",
            class, x, y, x + 26, y);
    fprintf(stream, "<text x=\"%.0f\" y=\"%.1f\">", x + 34, y + 4.5);
    report_print_text(stream, line->name);
    if (line->n > 1) {
        const struct scaling_point *last = &line->points[line->n - 1];
        fprintf(stream, ": %.2f on %zu (%.0f %%)", last->speedup, last->threads,
                100 * last->speedup * (double)chart->base / (double)last->threads);
    }
    fputs("</text>\n", stream);
}

static void print_text(const char *class, double y, const char *text, FILE *stream)
{
    fprintf(stream, "<text class=\"%s\" x=\"%d\" y=\"%.0f\">", class, LEFT - 48, y);
    report_print_text(stream, text);
    fputs("</text>\n", stream);
}

void scaling_chart_print(const struct scaling_chart *chart, FILE *stream)
{
    struct axes axes = fit_axes(chart);
    const struct scaling_line ideal = {.name = "ideal"};
    fprintf(stream,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" "
            "height=\"%d\" role=\"img\">\n<title>",
            WIDTH, HEIGHT, WIDTH, HEIGHT);
    report_print_text(stream, chart->title);
    fprintf(stream, "</title>\n%s<rect class=\"paper\" width=\"%d\" height=\"%d\"/>\n", style,
            WIDTH, HEIGHT);
    print_text("title", 34, chart->title, stream);
    print_text("small", 56, chart->subtitle, stream);
    print_text("small", BOTTOM + 44, "Shaded: from 10 % to 90 % of the steps", stream);
    print_text("small", HEIGHT - 16, chart->footer, stream);
    print_y_axis(&axes, stream);
    print_x_axis(chart, &axes, stream);
    print_ideal(chart, &axes, stream);
    print_entry(chart, &chart->strong, "strong", LEFT - 48, stream);
    if (chart->weak.n > 0) {
        print_line(chart, &chart->weak, "weak", &axes, stream);
        print_entry(chart, &chart->weak, "weak", LEFT + 240, stream);
    }
    print_line(chart, &chart->strong, "strong", &axes, stream);
    print_entry(chart, &ideal, "ideal", RIGHT - 70, stream);
    fputs("</svg>\n", stream);
}

weft_status scaling_chart_write(const struct scaling_chart *chart, const char *path,
                                weft_error *err)
{
    struct weft_safefile file = {0};
    weft_status status = weft_safefile_open(&file, path, err);
    if (status != WEFT_OK) {
        return status;
    }
    scaling_chart_print(chart, file.stream);
    return weft_safefile_commit(&file, err);
}
