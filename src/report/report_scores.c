/* How well the network does: confusion, classes, curves over thresholds, calibration; of values,
 * true against predicted and residuals. */
#include <math.h>
#include <string.h>

#include "base/fail.h"
#include "base/mem.h"
#include "report/report_chart.h"
#include "report/report_evaluation.h"
#include "report/report_html.h"
#include "report/report_sections.h"

/* More classes than this make a matrix that nobody can read. */
enum { MOST_SHOWN = 30, MOST_CHARTED_OUTPUTS = 8 };

static const char *class_name(const struct report_run *run, size_t index)
{
    return report_text_in(report_class_at(run, index), "name");
}

/* Confusion. */

static double row_sum(const json_t *row)
{
    double sum = 0;
    for (size_t j = 0; j < json_array_size(row); j++) {
        sum += json_number_value(json_array_get(row, j));
    }
    return sum;
}

/* The shade goes with the root of the share of the row, so that single mistakes can be seen. */
static void print_matrix_row(FILE *out, const struct report_run *run, const json_t *row, size_t i)
{
    double sum = row_sum(row);
    fputs("<tr><th scope=\"row\">", out);
    report_print_text(out, class_name(run, i));
    fputs("</th>", out);
    for (size_t j = 0; j < json_array_size(row); j++) {
        double n = json_number_value(json_array_get(row, j));
        if (n > 0) {
            fprintf(out, "<td class=\"%s\" style=\"--a:%.2f\">%.0f", i == j ? "hit" : "miss",
                    sqrt(n / sum), n);
        } else {
            fputs("<td class=\"none\">0", out);
        }
        fputs("</td>", out);
    }
    fputs("</tr>\n", out);
}

static void print_matrix(FILE *out, const struct report_run *run, const json_t *confusion)
{
    size_t n = json_array_size(confusion);
    fprintf(
        out,
        "<div class=\"card\"><p class=\"lead\">Rows are true classes, columns what was "
        "predicted.</p>\n<div class=\"scroll\"><table class=\"matrix%s\">\n<thead><tr><td></td>",
        n > 4 ? " wide" : "");
    for (size_t j = 0; j < n; j++) {
        fputs("<th scope=\"col\">", out);
        report_print_text(out, class_name(run, j));
        fputs("</th>", out);
    }
    fputs("</tr></thead>\n<tbody>\n", out);
    for (size_t i = 0; i < n; i++) {
        print_matrix_row(out, run, json_array_get(confusion, i), i);
    }
    fputs("</tbody></table></div></div>\n", out);
}

static size_t count_at(const json_t *row, size_t index)
{
    return (size_t)json_integer_value(json_array_get(row, index));
}

static void print_confused(FILE *out, const struct report_run *run, const json_t *pairs)
{
    fputs(
        "<div class=\"card\"><p class=\"lead\">What is mistaken for what, most often first.</p>\n"
        "<div class=\"scroll\"><table>\n<thead><tr><th scope=\"col\">True</th>"
        "<th scope=\"col\" class=\"word\">Predicted</th>"
        "<th scope=\"col\">Samples</th><th scope=\"col\">Of the class</th></tr></thead>\n<tbody>\n",
        out);
    for (size_t i = 0; i < json_array_size(pairs) && i < 10; i++) {
        const json_t *pair = json_array_get(pairs, i);
        const json_t *truth = report_class_at(run, count_at(pair, 0));
        fputs("<tr><th scope=\"row\">", out);
        report_print_text(out, report_text_in(truth, "name"));
        fputs("</th><td class=\"word\">", out);
        report_print_text(out, class_name(run, count_at(pair, 1)));
        fputs("</td><td>", out);
        report_print_count(out, count_at(pair, 2));
        fputs("</td><td>", out);
        report_print_percent(out,
                             (double)count_at(pair, 2) / (double)report_count_in(truth, "samples"));
        fputs("</td></tr>\n", out);
    }
    fputs("</tbody></table></div></div>\n", out);
}

void report_print_confusion(FILE *out, const struct report_run *run)
{
    const json_t *confusion = json_object_get(run->evaluation, "confusion");
    const json_t *pairs = json_object_get(run->evaluation, "confused");
    bool has_matrix = confusion != NULL && json_array_size(confusion) <= MOST_SHOWN;
    bool has_pairs = json_array_size(pairs) > 0;
    if (!has_matrix && !has_pairs) {
        return;
    }
    report_section_begin(out, "confusion", "Confusion", NULL);
    fputs("<div class=\"grid wide-first\">\n", out);
    if (has_matrix) {
        print_matrix(out, run, confusion);
    }
    if (has_pairs) {
        print_confused(out, run, pairs);
    }
    fputs("</div>\n</section>\n", out);
}

/* Classes. */

static const struct {
    const char *key, *name, *title;
} class_columns[] = {
    {"precision", "Precision", "of the samples given this class, those that have it"},
    {"recall", "Recall", "of the samples of this class, those that were found"},
    {"f1", "F1", "harmonic mean of precision and recall"},
    {"auc", "ROC AUC", "area under the ROC curve, this class against the rest"},
    {"average_precision", "Avg. precision", "area under the precision-recall curve"}};
enum { N_CLASS_COLUMNS = sizeof class_columns / sizeof *class_columns };

static void print_class_row(FILE *out, const json_t *class)
{
    fputs("<tr><th scope=\"row\">", out);
    report_print_text(out, report_text_in(class, "name"));
    fprintf(out, "</th><td data-v=\"%zu\">", report_count_in(class, "samples"));
    report_print_count(out, report_count_in(class, "samples"));
    fputs("</td>", out);
    for (size_t c = 0; c < N_CLASS_COLUMNS; c++) {
        fputs("<td>", out);
        report_print_real(out, report_real_in(class, class_columns[c].key));
        fputs("</td>", out);
    }
    fputs("</tr>\n", out);
}

void report_print_classes(FILE *out, const struct report_run *run)
{
    const json_t *classes = json_object_get(run->evaluation, "classes");
    size_t n = json_array_size(classes);
    if (n == 0) {
        return;
    }
    bool is_class = weft_net_n_classes(run->net) > 0;
    report_section_begin(out, "classes", is_class ? "Classes" : "Labels", NULL);
    fprintf(out,
            "<div class=\"card scroll\"><table class=\"sortable\">\n<thead><tr><th scope=\"col\">"
            "%s</th><th scope=\"col\">Samples</th>",
            is_class ? "Class" : "Label");
    for (size_t c = 0; c < N_CLASS_COLUMNS; c++) {
        fprintf(out, "<th scope=\"col\" title=\"%s\">%s</th>", class_columns[c].title,
                class_columns[c].name);
    }
    fputs("</tr></thead>\n<tbody>\n", out);
    for (size_t i = 0; i < n; i++) {
        print_class_row(out, json_array_get(classes, i));
    }
    fputs("</tbody>\n<tfoot><tr><th scope=\"row\">mean</th><td></td>", out);
    for (size_t c = 0; c < N_CLASS_COLUMNS; c++) {
        fputs("<td>", out);
        report_print_real(out, report_class_mean(run, class_columns[c].key));
        fputs("</td>", out);
    }
    fputs("</tr></tfoot></table></div>\n</section>\n", out);
}

/* Pairs of numbers from the evaluation as lines of a chart. */

struct curves {
    struct report_line lines[REPORT_MOST_CURVES];
    size_t n;
    double *numbers; /* of all lines: x, then y */
};

static size_t n_points_of(const json_t *objects, const char *key)
{
    size_t n = 0;
    for (size_t i = 0; i < json_array_size(objects); i++) {
        n += json_array_size(json_object_get(json_array_get(objects, i), key));
    }
    return n;
}

/* NaN, which no chart draws, where it is null. */
static double number_at(const json_t *pair, size_t index)
{
    const json_t *value = json_array_get(pair, index);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

/* The first lists named `key` in an array of objects; `remark` is the key of the number for the
 * legend. */
static weft_status curves_init(struct curves *curves, const json_t *objects, const char *key,
                               const char *remark, weft_error *err)
{
    *curves = (struct curves){0};
    curves->numbers = weft_mem_alloc(n_points_of(objects, key), 2 * sizeof *curves->numbers);
    if (curves->numbers == NULL) {
        return weft_fail_nomem(err, "curves");
    }
    double *next = curves->numbers;
    for (size_t i = 0; i < json_array_size(objects) && curves->n < REPORT_MOST_CURVES; i++) {
        const json_t *object = json_array_get(objects, i);
        const json_t *points = json_object_get(object, key);
        size_t n = json_array_size(points);
        if (n == 0) {
            continue;
        }
        for (size_t j = 0; j < n; j++) {
            next[j] = number_at(json_array_get(points, j), 0);
            next[n + j] = number_at(json_array_get(points, j), 1);
        }
        curves->lines[curves->n] = (struct report_line){
            .name = report_text_in(object, "name"),
            .color = curves->n,
            .x = next,
            .y = next + n,
            .n = n,
            .remark = report_real_in(object, remark),
        };
        curves->n++;
        next += 2 * n;
    }
    return WEFT_OK;
}

static struct report_axis share_axis(const char *name, double low, double high)
{
    return (struct report_axis){.name = name, .low = low, .high = high};
}

/* Curves of good classifiers all lie in one corner, which is then shown alone. */
static bool all_above(const struct curves *curves, double area)
{
    for (size_t i = 0; i < curves->n; i++) {
        if (!(curves->lines[i].remark > area)) {
            return false;
        }
    }
    return true;
}

static void print_roc(FILE *out, const struct curves *curves)
{
    bool corner = all_above(curves, 0.98);
    double widest = all_above(curves, 0.998) ? 0.02 : 0.1;
    const struct report_chart chart = {
        .title = "ROC",
        .note = corner ? "The upper left corner; areas in the legend."
                       : "Areas in the legend; the diagonal is a guess.",
        .x = share_axis("false positive rate", 0, corner ? widest : 1),
        .y = share_axis("true positive rate", corner ? 0.9 : 0, 1),
        .diagonal = !corner,
        .lines = curves->lines,
        .n_lines = curves->n,
    };
    report_chart_print(out, &chart);
}

static void print_pr(FILE *out, const struct curves *curves)
{
    bool corner = all_above(curves, 0.98);
    const struct report_chart chart = {
        .title = "Precision and recall",
        .note = corner ? "The upper right corner; average precision in the legend."
                       : "Average precision in the legend.",
        .x = share_axis("recall", corner ? 0.9 : 0, 1),
        .y = share_axis("precision", corner ? 0.9 : 0, 1),
        .lines = curves->lines,
        .n_lines = curves->n,
    };
    report_chart_print(out, &chart);
}

static void print_calibration(FILE *out, const struct report_run *run)
{
    const json_t *calibration = json_object_get(run->evaluation, "calibration");
    const json_t *bins = json_object_get(calibration, "bins");
    double x[100], y[100], heights[100];
    size_t n = json_array_size(bins);
    n = n < 100 ? n : 100;
    for (size_t i = 0; i < n; i++) {
        const json_t *bin = json_array_get(bins, i);
        heights[i] = (double)report_count_in(bin, "n");
        x[i] = heights[i] > 0 ? report_real_in(bin, "confidence") : (double)NAN;
        y[i] = report_real_in(bin, "accuracy");
    }
    const struct report_line line = {.name = "calibration error",
                                     .x = x,
                                     .y = y,
                                     .n = n,
                                     .remark = report_real_in(calibration, "ece")};
    const struct report_chart chart = {
        .title = "Calibration",
        .note =
            "How often predictions of a confidence are right; on the diagonal, as often as they "
            "say.",
        .x = share_axis("confidence", 0, 1),
        .y = share_axis("accuracy", 0, 1),
        .diagonal = true,
        .lines = &line,
        .n_lines = 1,
        .hover = true,
    };
    report_chart_print(out, &chart);
    const struct report_bars bars = {
        .title = "Confidence",
        .note = "How many predictions have which probability.",
        .x = share_axis("confidence", 0, 1),
        .y = {.name = "predictions", .low = 0, .high = (double)NAN},
        .heights = heights,
        .n = n,
    };
    if (n > 0) {
        report_bars_print(out, &bars);
    }
}

weft_status report_print_rankings(FILE *out, const struct report_run *run, weft_error *err)
{
    const json_t *classes = json_object_get(run->evaluation, "classes");
    if (classes == NULL) {
        return WEFT_OK;
    }
    struct curves roc, pr = {0};
    weft_status status = curves_init(&roc, classes, "roc", "auc", err);
    if (status == WEFT_OK) {
        status = curves_init(&pr, classes, "pr", "average_precision", err);
    }
    if (status == WEFT_OK) {
        size_t n = json_array_size(classes);
        report_section_begin(out, "ranking", "Thresholds and calibration",
                             n > REPORT_MOST_RANKED
                                 ? "Each class against the rest; of the first 100 classes the ten "
                                   "with the smallest areas."
                             : n > REPORT_MOST_CURVES
                                 ? "Each class against the rest; the ten classes with the "
                                   "smallest areas."
                                 : NULL);
        fputs("<div class=\"grid charts\">\n", out);
        print_roc(out, &roc);
        print_pr(out, &pr);
        print_calibration(out, run);
        fputs("</div>\n</section>\n", out);
    }
    weft_mem_free(roc.numbers);
    weft_mem_free(pr.numbers);
    return status;
}

/* Values. */

static void print_output_row(FILE *out, const json_t *output)
{
    static const char *const keys[] = {"rmse", "mae", "r2"};
    fputs("<tr><th scope=\"row\">", out);
    report_print_text(out, report_text_in(output, "name"));
    fputs("</th>", out);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        fputs("<td>", out);
        report_print_real(out, report_real_in(output, keys[i]));
        fputs("</td>", out);
    }
    fputs("</tr>\n", out);
}

static void print_scatter(FILE *out, const char *name, const struct report_line *line)
{
    char title[120];
    double low = line->x[0], high = line->x[0];
    for (size_t i = 0; i < line->n; i++) { /* fmin() and fmax() pass by what is no number */
        low = fmin(low, fmin(line->x[i], line->y[i]));
        high = fmax(high, fmax(line->x[i], line->y[i]));
    }
    double room = 0.03 * (high - low);
    snprintf(title, sizeof title, "%.80s: predicted over true", name);
    const struct report_chart chart = {
        .title = title,
        .note = "On the diagonal, they are equal.",
        .x = share_axis("true value", low - room, high + room),
        .y = share_axis("predicted", low - room, high + room),
        .diagonal = true,
        .lines = line,
        .n_lines = 1,
    };
    report_chart_print(out, &chart);
}

static void print_residuals(FILE *out, const json_t *output)
{
    char title[120];
    double heights[100], limit = report_real_in(output, "residual_limit");
    const json_t *residuals = json_object_get(output, "residuals");
    size_t n = json_array_size(residuals);
    n = n < 100 ? n : 100;
    for (size_t i = 0; i < n; i++) {
        heights[i] = json_number_value(json_array_get(residuals, i));
    }
    snprintf(title, sizeof title, "%.80s: residuals", report_text_in(output, "name"));
    const struct report_bars bars = {
        .title = title,
        .note = "Predicted less true.",
        .x = share_axis("residual", -limit, limit),
        .y = {.name = "samples", .low = 0, .high = (double)NAN},
        .heights = heights,
        .n = n,
    };
    if (n > 0 && limit > 0) {
        report_bars_print(out, &bars);
    }
}

weft_status report_print_outputs(FILE *out, const struct report_run *run, weft_error *err)
{
    const json_t *outputs = json_object_get(run->evaluation, "outputs");
    if (outputs == NULL) {
        return WEFT_OK;
    }
    struct curves curves;
    weft_status status = curves_init(&curves, outputs, "points", "", err);
    if (status != WEFT_OK) {
        return status;
    }
    report_section_begin(out, "outputs", "Predicted values", NULL);
    fputs(
        "<div class=\"card scroll\"><table class=\"sortable\">\n<thead><tr><th scope=\"col\">Output"
        "</th><th scope=\"col\">RMSE</th><th scope=\"col\">Mean abs. error</th><th scope=\"col\">"
        "R&#178;</th></tr></thead>\n<tbody>\n",
        out);
    for (size_t i = 0; i < json_array_size(outputs); i++) {
        print_output_row(out, json_array_get(outputs, i));
    }
    fputs("</tbody></table></div>\n<div class=\"grid charts\">\n", out);
    for (size_t i = 0; i < curves.n && i < MOST_CHARTED_OUTPUTS; i++) {
        curves.lines[i].is_dots = true;
        curves.lines[i].color = 0;
        print_scatter(out, curves.lines[i].name, &curves.lines[i]);
        print_residuals(out, json_array_get(outputs, i));
    }
    fputs("</div>\n</section>\n", out);
    weft_mem_free(curves.numbers);
    return status;
}
