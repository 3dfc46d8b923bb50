/* Charts. Title and legend are HTML, so that they wrap on narrow screens; colours are classes,
 * which the page's style knows for light and dark. */
#include "report/report_chart.h"

#include <math.h>

#include "report/report_html.h"

/* Units of the drawing: the whole, and the area between the axes. */
enum { WIDTH = 440, HEIGHT = 284, LEFT = 54, RIGHT = 424, TOP = 30, BOTTOM = 236 };

/* More points than this cannot be told apart in that width; few points get a mark each. */
enum { MOST_POINTS = 400, MOST_MARKS = 40 };

struct scale {
    struct report_axis x, y; /* with low < high */
    bool is_log;
};

static double x_of(const struct scale *scale, double x)
{
    return LEFT + (x - scale->x.low) / (scale->x.high - scale->x.low) * (RIGHT - LEFT);
}

static double y_of(const struct scale *scale, double y)
{
    double low = scale->y.low, high = scale->y.high;
    double share = scale->is_log ? log(y / low) / log(high / low) : (y - low) / (high - low);
    return BOTTOM - share * (BOTTOM - TOP);
}

static bool is_point(const struct report_line *line, size_t i)
{
    return isfinite(line->x[i]) && isfinite(line->y[i]);
}

static void widen(double *low, double *high, double value)
{
    *low = *low <= value ? *low : value; /* NaN gives way */
    *high = *high >= value ? *high : value;
}

/* Puts numbers for the missing ends of an axis, with room between them. */
static void settle(struct report_axis *axis, double low, double high)
{
    bool free_low = isnan(axis->low), free_high = isnan(axis->high);
    if (axis->from_zero) {
        widen(&low, &high, 0);
    }
    axis->low = free_low ? low : axis->low;
    axis->high = free_high ? high : axis->high;
    double span = axis->high - axis->low;
    if (!(span > 1e-9 * fabs(axis->high))) {
        double room = fabs(axis->high) > 0 ? 0.5 * fabs(axis->high) : 0.5;
        axis->low -= room;
        axis->high += room;
        return;
    }
    if (free_high) {
        axis->high += axis->whole ? 0 : 0.04 * span;
    }
    if (free_low && !axis->whole && !(axis->from_zero && low >= 0)) {
        axis->low -= 0.04 * span;
    }
}

static struct scale scale_of(const struct report_chart *chart)
{
    double low[2] = {(double)NAN, (double)NAN}, high[2] = {(double)NAN, (double)NAN};
    for (size_t l = 0; l < chart->n_lines; l++) {
        const struct report_line *line = &chart->lines[l];
        for (size_t i = 0; i < line->n; i++) {
            if (is_point(line, i)) {
                widen(&low[0], &high[0], line->x[i]);
                widen(&low[1], &high[1], line->y[i]);
            }
        }
    }
    struct scale scale = {.x = chart->x, .y = chart->y};
    settle(&scale.x, low[0], high[0]);
    scale.is_log = chart->is_log && low[1] > 0 && high[1] > 30 * low[1];
    if (scale.is_log) {
        scale.y.low = low[1] / 1.2;
        scale.y.high = high[1] * 1.2;
    } else {
        settle(&scale.y, low[1], high[1]);
    }
    return scale;
}

static void print_value(FILE *out, enum report_unit unit, double value)
{
    /* What is almost 0 beside the step of an axis comes from rounding. */
    value = fabs(value) < 1e-12 ? 0 : value;
    switch (unit) {
    case REPORT_NUMBER:
        fprintf(out, "%.4g", value);
        break;
    case REPORT_PERCENT:
        fprintf(out, "%.4g%%", 100 * value);
        break;
    case REPORT_SECONDS:
        fprintf(out,
                value == 0  ? "%.4g"
                : value < 1 ? "%.4g ms"
                            : "%.4g s",
                value < 1 ? 1000 * value : value);
        break;
    }
}

static void print_y_tick(FILE *out, const struct scale *scale, double value)
{
    double y = y_of(scale, value);
    fprintf(out, "<path class=\"grid-line\" d=\"M%d %.1fH%d\"/>", LEFT, y, RIGHT);
    fprintf(out, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">", LEFT - 7, y + 4.5);
    print_value(out, scale->y.unit, value);
    fputs("</text>\n", out);
}

static void print_x_tick(FILE *out, const struct scale *scale, double value)
{
    double x = x_of(scale, value);
    fprintf(out,
            "<path class=\"axis\" d=\"M%.1f %dv5\"/><text x=\"%.1f\" y=\"%d\" "
            "text-anchor=\"middle\">",
            x, BOTTOM, x, BOTTOM + 20);
    print_value(out, scale->x.unit, value);
    fputs("</text>\n", out);
}

/* 1, 2 or 5 times a power of 10, so that at most about `most` steps make the span. */
static double nice_step(double span, int most)
{
    double least = span / most, power = pow(10, floor(log10(least)));
    double times = least / power;
    return power * (times <= 1 ? 1 : times <= 2 ? 2 : times <= 5 ? 5 : 10);
}

static void print_ticks(FILE *out, const struct scale *scale, const struct report_axis *axis,
                        int most, void print(FILE *, const struct scale *, double))
{
    double step = nice_step(axis->high - axis->low, most);
    if (axis->whole && step < 1) {
        step = 1;
    }
    /* An end of the axis is a tick, also where it is one but for rounding. */
    double first = ceil(axis->low / step - 1e-9);
    int n = (int)(floor(axis->high / step + 1e-9) - first) + 1;
    for (int i = 0; i < n; i++) {
        print(out, scale, (first + i) * step);
    }
}

/* 1, 2, 5 in each power of ten; on a long axis the powers alone. */
static void print_log_ticks(FILE *out, const struct scale *scale)
{
    static const double parts[] = {1, 2, 5};
    int low = (int)floor(log10(scale->y.low)), high = (int)floor(log10(scale->y.high));
    int step = 1 + (high - low) / 6;
    for (int power = low; power <= high; power += step) {
        for (size_t i = 0; i < (high - low > 2 ? 1U : 3U); i++) {
            double value = parts[i] * pow(10, power);
            if (value >= scale->y.low && value <= scale->y.high) {
                print_y_tick(out, scale, value);
            }
        }
    }
}

static void print_axes(FILE *out, const struct scale *scale)
{
    if (scale->is_log) {
        print_log_ticks(out, scale);
    } else {
        print_ticks(out, scale, &scale->y, 5, print_y_tick);
    }
    fprintf(out, "<path class=\"axis\" d=\"M%d %dH%d\"/>\n", LEFT, BOTTOM, RIGHT);
    print_ticks(out, scale, &scale->x, 6, print_x_tick);
    fprintf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">", RIGHT, HEIGHT - 8);
    report_print_text(out, scale->x.name);
    fputs("</text>\n<text x=\"0\" y=\"13\">", out);
    report_print_text(out, scale->y.name);
    fputs("</text>\n", out);
}

static void print_class(FILE *out, const struct report_line *line)
{
    fprintf(out, "c%zu%s", line->color % REPORT_N_COLORS,
            line->color >= REPORT_N_COLORS ? " dashed" : "");
}

static size_t n_points(const struct report_line *line)
{
    size_t n = 0;
    for (size_t i = 0; i < line->n; i++) {
        n += is_point(line, i);
    }
    return n;
}

/* Walks through the points that are shown: of those that are there, evenly many and the last. */
struct walk {
    const struct report_line *line;
    size_t n, stride; /* points that are there; from one shown to the next */
    size_t next;      /* index in the line */
    size_t rank;      /* points before it */
};

static struct walk walk_along(const struct report_line *line)
{
    size_t n = n_points(line);
    return (struct walk){.line = line, .n = n, .stride = n > 0 ? (n - 1) / MOST_POINTS + 1 : 1};
}

static bool walk_on(struct walk *walk, size_t *at)
{
    while (walk->next < walk->line->n) {
        size_t i = walk->next++;
        if (!is_point(walk->line, i)) {
            continue;
        }
        size_t rank = walk->rank++;
        if (rank % walk->stride == 0 || rank == walk->n - 1) {
            *at = i;
            return true;
        }
    }
    return false;
}

/* The path through all points, be there others unknown between them, or dots at them. */
static void print_path(FILE *out, const struct scale *scale, const struct report_line *line,
                       bool dots)
{
    fputs("<path class=\"", out);
    print_class(out, line);
    fputs(dots ? " dots\" d=\"" : " line\" d=\"", out);
    struct walk walk = walk_along(line);
    char step = 'M';
    for (size_t i; walk_on(&walk, &i); step = dots ? 'M' : 'L') {
        fprintf(out, "%c%.1f %.1f%s", step, x_of(scale, line->x[i]), y_of(scale, line->y[i]),
                dots ? "h0" : "");
    }
    putc('"', out);
}

/* What the page's script shows where the pointer is. */
static void print_values(FILE *out, const struct report_line *line)
{
    const char *blank = "";
    fputs(" data-name=\"", out);
    report_print_text(out, line->name);
    fputs("\" data-p=\"", out);
    struct walk walk = walk_along(line);
    for (size_t i; walk_on(&walk, &i); blank = " ") {
        fprintf(out, "%s%.6g,%.5g", blank, line->x[i], line->y[i]);
    }
    putc('"', out);
}

static void print_line(FILE *out, const struct scale *scale, const struct report_line *line,
                       bool hover)
{
    size_t n = n_points(line);
    if (n == 0) {
        return;
    }
    if (hover && !line->is_dots && n <= MOST_MARKS) {
        print_path(out, scale, line, true);
        fputs("/>\n", out);
    }
    print_path(out, scale, line, line->is_dots);
    if (hover) {
        print_values(out, line);
    }
    fputs("><title>", out);
    report_print_text(out, line->name);
    fputs("</title></path>\n", out);
}

static void print_legend(FILE *out, const struct report_chart *chart)
{
    fputs("<ul class=\"legend\">", out);
    for (size_t l = 0; l < chart->n_lines; l++) {
        const struct report_line *line = &chart->lines[l];
        if (n_points(line) == 0) {
            continue;
        }
        fputs("<li class=\"", out);
        print_class(out, line);
        fputs("\">", out);
        report_print_text(out, line->name);
        if (isfinite(line->remark)) {
            fputs(" <b>", out);
            if (chart->remark_unit == REPORT_PERCENT) {
                report_print_percent(out, line->remark);
            } else {
                report_print_real(out, line->remark);
            }
            fputs("</b>", out);
        }
        fputs("</li>", out);
    }
    fputs("</ul>\n", out);
}

static void begin_figure(FILE *out, const char *title, const char *note)
{
    fputs("<figure class=\"card chart\">\n<figcaption><h3>", out);
    report_print_text(out, title);
    fputs("</h3>", out);
    if (note != NULL) {
        fputs("<p class=\"note\">", out);
        report_print_text(out, note);
        fputs("</p>", out);
    }
}

static void begin_svg(FILE *out, const char *title, const struct scale *scale, bool hover)
{
    fprintf(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH, HEIGHT);
    report_print_text(out, title);
    fputs(": ", out);
    report_print_text(out, scale->y.name);
    fputs(" over ", out);
    report_print_text(out, scale->x.name);
    fputs("\"", out);
    if (hover) {
        fprintf(out,
                " tabindex=\"0\" data-left=\"%d\" data-right=\"%d\" data-low=\"%.9g\" "
                "data-high=\"%.9g\" data-unit=\"%d\" data-x=\"",
                LEFT, RIGHT, scale->x.low, scale->x.high, (int)scale->y.unit);
        report_print_text(out, scale->x.name);
        fputs("\"", out);
    }
    fputs(">\n", out);
}

void report_chart_print(FILE *out, const struct report_chart *chart)
{
    bool empty = true;
    for (size_t l = 0; l < chart->n_lines; l++) {
        empty = empty && n_points(&chart->lines[l]) == 0;
    }
    if (empty) {
        return;
    }
    struct scale scale = scale_of(chart);
    begin_figure(out, chart->title, chart->note);
    if (chart->n_lines > 1 || isfinite(chart->lines[0].remark)) {
        print_legend(out, chart);
    }
    fputs("</figcaption>\n", out);
    begin_svg(out, chart->title, &scale, chart->hover);
    print_axes(out, &scale);
    if (chart->diagonal) {
        double low = fmax(scale.x.low, scale.y.low), high = fmin(scale.x.high, scale.y.high);
        if (low < high) {
            fprintf(out, "<path class=\"ideal\" d=\"M%.1f %.1fL%.1f %.1f\"/>\n", x_of(&scale, low),
                    y_of(&scale, low), x_of(&scale, high), y_of(&scale, high));
        }
    }
    /* The area between the axes ends what a chosen range leaves outside. */
    fprintf(out, "<svg x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" viewBox=\"%d %d %d %d\">\n",
            LEFT - 3, TOP - 3, RIGHT - LEFT + 6, BOTTOM - TOP + 6, LEFT - 3, TOP - 3,
            RIGHT - LEFT + 6, BOTTOM - TOP + 6);
    for (size_t l = 0; l < chart->n_lines; l++) {
        print_line(out, &scale, &chart->lines[l], chart->hover);
    }
    fputs("</svg>\n", out);
    if (chart->hover) {
        fprintf(out, "<path class=\"rule\" d=\"M0 %dV%d\"/>\n", TOP, BOTTOM);
    }
    fputs("</svg>\n</figure>\n", out);
}

void report_bars_print(FILE *out, const struct report_bars *bars)
{
    struct scale scale = {.x = bars->x, .y = bars->y};
    double highest = 0;
    for (size_t i = 0; i < bars->n; i++) {
        highest = fmax(highest, bars->heights[i]);
    }
    settle(&scale.y, 0, highest);
    settle(&scale.x, 0, 1);
    begin_figure(out, bars->title, bars->note);
    fputs("</figcaption>\n", out);
    begin_svg(out, bars->title, &scale, false);
    print_axes(out, &scale);
    double part = (scale.x.high - scale.x.low) / (double)bars->n;
    for (size_t i = 0; i < bars->n; i++) {
        if (bars->heights[i] <= 0) {
            continue;
        }
        double left = x_of(&scale, scale.x.low + part * (double)i);
        double right = x_of(&scale, scale.x.low + part * (double)(i + 1));
        double top = y_of(&scale, bars->heights[i]);
        fprintf(out,
                "<rect class=\"bar\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"><title>",
                left + 0.5, top, right - left - 1, BOTTOM - top);
        print_value(out, REPORT_NUMBER, bars->heights[i]);
        fputs("</title></rect>\n", out);
    }
    fputs("</svg>\n</figure>\n", out);
}
