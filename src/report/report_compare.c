/* Several runs on one page: final numbers, curves over each other, settings that differ. */
#include "report/report_compare.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/fail.h"
#include "base/mem.h"
#include "report/report_chart.h"
#include "report/report_html.h"
#include "report/report_sections.h"

/* Runs by names that tell them apart: the last component of the path, or all of it where several
 * have the same. */
static const char *name_of(const struct report_run *runs, size_t n, size_t index)
{
    for (size_t i = 0; i < n; i++) {
        if (i != index && strcmp(runs[i].name, runs[index].name) == 0) {
            return runs[index].path;
        }
    }
    return runs[index].name;
}

/* Results. */

enum cell { CELL_REAL, CELL_PERCENT, CELL_COUNT, CELL_SECONDS };

static const struct {
    const char *title, *object, *key; /* object NULL: the evaluation itself */
    enum cell kind;
    int better; /* 1: more is, -1: less is, 0: neither */
} columns[] = {
    {"Accuracy", NULL, "accuracy", CELL_PERCENT, 1},
    {"Loss", NULL, "loss", CELL_REAL, -1},
    {"ROC AUC", NULL, "auc", CELL_REAL, 1},
    {"RMSE", NULL, "rmse", CELL_REAL, -1},
    {"R&#178;", NULL, "r2", CELL_REAL, 1},
    {"Calibration error", "calibration", "ece", CELL_REAL, -1},
    {"Epochs", "run", "epochs", CELL_COUNT, 0},
    {"Training time", "run", "train_seconds", CELL_SECONDS, 0},
};
enum { N_COLUMNS = sizeof columns / sizeof *columns };

static double value_of(const struct report_run *run, size_t column)
{
    const json_t *object = columns[column].object == NULL
                               ? run->evaluation
                               : json_object_get(run->evaluation, columns[column].object);
    return report_real_in(object, columns[column].key);
}

/* The best of all runs, NaN where there is no such thing. Losses are only compared where all runs
 * have the same. */
static double best_of(const struct report_run *runs, size_t n, size_t column)
{
    double best = (double)NAN;
    size_t first = n; /* that has such a number */
    for (size_t i = 0; i < n; i++) {
        double value = value_of(&runs[i], column);
        if (!isfinite(value)) {
            continue;
        }
        first = first < n ? first : i;
        bool same_loss = weft_net_output(runs[i].net) == weft_net_output(runs[first].net);
        if (columns[column].better == 0 || (columns[column].object == NULL && !same_loss)) {
            return (double)NAN;
        }
        best = columns[column].better > 0 ? fmax(best, value) : fmin(best, value);
    }
    return best;
}

static void print_value(FILE *out, enum cell kind, double value)
{
    switch (kind) {
    case CELL_REAL:
        report_print_real(out, value);
        break;
    case CELL_PERCENT:
        report_print_percent(out, value);
        break;
    case CELL_COUNT:
        if (isfinite(value)) {
            report_print_count(out, (size_t)value);
        } else {
            report_print_real(out, value);
        }
        break;
    case CELL_SECONDS:
        report_print_seconds(out, value);
        break;
    }
}

static void print_result_row(FILE *out, const struct report_run *runs, size_t n, size_t index,
                             const bool *known)
{
    const struct report_run *run = &runs[index];
    fputs("<tr><th scope=\"row\">", out);
    report_print_text(out, name_of(runs, n, index));
    fprintf(out, "</th><td class=\"word\">%s</td><td class=\"word\">",
            run->evaluation != NULL ? report_set_name(run) : "&#8211;");
    report_print_widths(out, run->net);
    fputs("</td>", out);
    for (size_t c = 0; c < N_COLUMNS; c++) {
        double value = value_of(run, c);
        bool is_best = n > 1 && value == best_of(runs, n, c);
        if (known[c]) {
            fputs("<td", out);
            if (isfinite(value)) {
                fprintf(out, " data-v=\"%.9g\"%s", value, is_best ? " class=\"best\"" : "");
            }
            putc('>', out);
            print_value(out, columns[c].kind, value);
            fputs("</td>", out);
        }
    }
    fputs("</tr>\n", out);
}

static void print_results(FILE *out, const struct report_run *runs, size_t n)
{
    bool known[N_COLUMNS] = {false};
    report_section_begin(out, "results", "Results", "The best of each column is in bold.");
    fputs("<div class=\"card scroll\"><table class=\"sortable\">\n<thead><tr><th scope=\"col\">Run"
          "</th><th scope=\"col\" class=\"word\">Scored on</th><th scope=\"col\" class=\"word\">"
          "Network</th>",
          out);
    for (size_t c = 0; c < N_COLUMNS; c++) {
        for (size_t i = 0; i < n; i++) {
            known[c] = known[c] || isfinite(value_of(&runs[i], c));
        }
        if (known[c]) {
            fprintf(out, "<th scope=\"col\">%s</th>", columns[c].title);
        }
    }
    fputs("</tr></thead>\n<tbody>\n", out);
    for (size_t i = 0; i < n; i++) {
        print_result_row(out, runs, n, i, known);
    }
    fputs("</tbody></table></div>\n</section>\n", out);
}

/* Curves. */

static void print_chart(FILE *out, const struct report_run *runs, size_t n, const char *title,
                        enum report_metric metric, struct report_line *lines)
{
    bool is_accuracy = metric == REPORT_TRAIN_ACCURACY || metric == REPORT_VAL_ACCURACY ||
                       metric == REPORT_TEST_ACCURACY;
    size_t n_lines = 0;
    for (size_t i = 0; i < n; i++) {
        if (runs[i].n_epochs > 0) {
            lines[n_lines++] = (struct report_line){
                .name = name_of(runs, n, i),
                .color = i,
                .x = runs[i].metrics[REPORT_EPOCH],
                .y = runs[i].metrics[metric],
                .n = runs[i].n_epochs,
                .remark = metric == REPORT_LR ? (double)NAN
                                              : runs[i].metrics[metric][runs[i].n_epochs - 1],
            };
        }
    }
    const struct report_chart chart = {
        .title = title,
        .x = {.name = "epoch", .low = (double)NAN, .high = (double)NAN, .whole = true},
        .y = {.name = is_accuracy           ? "accuracy"
                      : metric == REPORT_LR ? "rate"
                                            : "loss",
              .unit = is_accuracy ? REPORT_PERCENT : REPORT_NUMBER,
              .low = (double)NAN,
              .high = (double)NAN,
              .from_zero = !is_accuracy},
        .is_log = !is_accuracy && metric != REPORT_LR,
        .hover = true,
        .remark_unit = is_accuracy ? REPORT_PERCENT : REPORT_NUMBER,
        .lines = lines,
        .n_lines = n_lines,
    };
    report_chart_print(out, &chart);
}

static weft_status print_curves(FILE *out, const struct report_run *runs, size_t n, weft_error *err)
{
    static const struct {
        const char *title;
        enum report_metric metric;
    } charts[] = {
        {"Training loss", REPORT_TRAIN_LOSS}, {"Training accuracy", REPORT_TRAIN_ACCURACY},
        {"Validation loss", REPORT_VAL_LOSS}, {"Validation accuracy", REPORT_VAL_ACCURACY},
        {"Test loss", REPORT_TEST_LOSS},      {"Test accuracy", REPORT_TEST_ACCURACY},
        {"Learning rate", REPORT_LR}};
    struct report_line *lines = weft_mem_alloc(n, sizeof *lines);
    if (lines == NULL) {
        return weft_fail_nomem(err, "curves");
    }
    report_section_begin(out, "learning", "Learning", NULL);
    fputs("<div class=\"grid charts\">\n", out);
    for (size_t i = 0; i < sizeof charts / sizeof *charts; i++) {
        print_chart(out, runs, n, charts[i].title, charts[i].metric, lines);
    }
    fputs("</div>\n</section>\n", out);
    weft_mem_free(lines);
    return WEFT_OK;
}

/* Settings. */

static bool differs(const struct report_run *runs, size_t n, const struct report_setting *setting)
{
    for (size_t i = 0; i < n; i++) {
        const char *value = report_run_setting(&runs[i], setting->section, setting->key);
        if (value == NULL || strcmp(value, setting->value) != 0) {
            return true;
        }
    }
    return false;
}

/* Whether an earlier run has the setting too, whose row it then is in. */
static bool is_known(const struct report_run *runs, size_t n, const struct report_setting *setting)
{
    for (size_t i = 0; i < n; i++) {
        if (report_run_setting(&runs[i], setting->section, setting->key) != NULL) {
            return true;
        }
    }
    return false;
}

static void print_setting_row(FILE *out, const struct report_run *runs, size_t n,
                              const struct report_setting *setting)
{
    fputs("<tr><th scope=\"row\">", out);
    report_print_text(out, setting->key);
    fputs("</th>", out);
    for (size_t i = 0; i < n; i++) {
        const char *value = report_run_setting(&runs[i], setting->section, setting->key);
        fputs("<td class=\"word\">", out);
        report_print_text(out, value != NULL ? value : "-");
        fputs("</td>", out);
    }
    fputs("</tr>\n", out);
}

static void print_settings(FILE *out, const struct report_run *runs, size_t n)
{
    size_t n_rows = 0;
    report_section_begin(out, "settings", "Settings that differ", NULL);
    fputs("<div class=\"card scroll\"><table>\n<thead><tr><th scope=\"col\">Setting</th>", out);
    for (size_t i = 0; i < n; i++) {
        fputs("<th scope=\"col\" class=\"word\">", out);
        report_print_text(out, name_of(runs, n, i));
        fputs("</th>", out);
    }
    fputs("</tr></thead>\n<tbody>\n", out);
    for (size_t i = 0; i < n; i++) {
        for (size_t s = 0; s < runs[i].n_settings; s++) {
            const struct report_setting *setting = &runs[i].settings[s];
            if (differs(runs, n, setting) && !is_known(runs, i, setting)) {
                print_setting_row(out, runs, n, setting);
                n_rows++;
            }
        }
    }
    if (n_rows == 0) {
        fprintf(out, "<tr><td class=\"word\" colspan=\"%zu\">none</td></tr>\n", n + 1);
    }
    fputs("</tbody></table></div>\n</section>\n", out);
}

weft_status report_compare_print(FILE *out, const struct report_run *runs, size_t n,
                                 weft_error *err)
{
    char title[40];
    snprintf(title, sizeof title, "%zu runs", n);
    report_page_begin(out, title);
    fprintf(out, "<header>\n<p class=\"brand\">weft report</p>\n<h1>%s</h1>\n</header>\n", title);
    print_results(out, runs, n);
    weft_status status = print_curves(out, runs, n, err);
    print_settings(out, runs, n);
    report_page_end(out);
    return status;
}
