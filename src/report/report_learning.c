/* How the run learned: curves over its epochs. */
#include <math.h>

#include "base/fail.h"
#include "base/mem.h"
#include "report/report_chart.h"
#include "report/report_html.h"
#include "report/report_sections.h"

/* Rows of the table of numbers. */
enum { MOST_ROWS = 50 };

static struct report_line line_of(const struct report_run *run, const char *name, size_t color,
                                  enum report_metric metric)
{
    return (struct report_line){.name = name,
                                .color = color,
                                .x = run->metrics[REPORT_EPOCH],
                                .y = run->metrics[metric],
                                .n = run->n_epochs,
                                .remark = run->metrics[metric][run->n_epochs - 1]};
}

static struct report_axis epochs_axis(void)
{
    return (struct report_axis){
        .name = "epoch", .low = (double)NAN, .high = (double)NAN, .whole = true};
}

static struct report_axis value_axis(const char *name, enum report_unit unit)
{
    return (struct report_axis){
        .name = name, .unit = unit, .low = (double)NAN, .high = (double)NAN};
}

static void print_charts(FILE *out, const struct report_run *run, const double *epoch_seconds)
{
    const struct report_line losses[] = {line_of(run, "train", 0, REPORT_TRAIN_LOSS),
                                         line_of(run, "validation", 1, REPORT_VAL_LOSS),
                                         line_of(run, "test", 2, REPORT_TEST_LOSS)};
    const struct report_line accuracies[] = {line_of(run, "train", 0, REPORT_TRAIN_ACCURACY),
                                             line_of(run, "validation", 1, REPORT_VAL_ACCURACY),
                                             line_of(run, "test", 2, REPORT_TEST_ACCURACY)};
    struct report_line rate = line_of(run, "learning rate", 0, REPORT_LR);
    struct report_line pace = {.name = "seconds",
                               .x = run->metrics[REPORT_EPOCH],
                               .y = epoch_seconds,
                               .n = run->n_epochs,
                               .remark = (double)NAN};
    rate.remark = (double)NAN;
    struct report_chart charts[] = {
        {.title = "Loss",
         .x = epochs_axis(),
         .y = value_axis("loss", REPORT_NUMBER),
         .lines = losses,
         .n_lines = 3,
         .is_log = true,
         .hover = true},
        {.title = "Accuracy",
         .x = epochs_axis(),
         .y = value_axis("accuracy", REPORT_PERCENT),
         .lines = accuracies,
         .n_lines = 3,
         .hover = true,
         .remark_unit = REPORT_PERCENT},
        {.title = "Learning rate",
         .x = epochs_axis(),
         .y = value_axis("rate", REPORT_NUMBER),
         .lines = &rate,
         .n_lines = 1,
         .hover = true},
        {.title = "Time of an epoch",
         .x = epochs_axis(),
         .y = value_axis("time", REPORT_SECONDS),
         .lines = &pace,
         .n_lines = 1,
         .hover = true},
    };
    for (size_t i = 0; i < sizeof charts / sizeof *charts; i++) {
        charts[i].y.from_zero = i != 1;
        report_chart_print(out, &charts[i]);
    }
}

static void print_cell(FILE *out, double value)
{
    fputs("<td>", out);
    report_print_real(out, value);
    fputs("</td>", out);
}

/* The numbers behind the curves, for those who cannot see these. */
static void print_table(FILE *out, const struct report_run *run)
{
    static const struct {
        const char *name;
        enum report_metric metric;
    } columns[] = {{"train loss", REPORT_TRAIN_LOSS}, {"accuracy", REPORT_TRAIN_ACCURACY},
                   {"val loss", REPORT_VAL_LOSS},     {"accuracy", REPORT_VAL_ACCURACY},
                   {"test loss", REPORT_TEST_LOSS},   {"accuracy", REPORT_TEST_ACCURACY},
                   {"learning rate", REPORT_LR},      {"seconds", REPORT_TIME}};
    enum { N_COLUMNS = sizeof columns / sizeof *columns };
    bool known[N_COLUMNS] = {false};
    size_t n = run->n_epochs, stride = (n - 1) / MOST_ROWS + 1;
    fputs("<details class=\"card\"><summary>The numbers</summary>\n<div class=\"scroll\"><table>\n"
          "<thead><tr><th scope=\"col\">epoch</th>",
          out);
    for (size_t c = 0; c < N_COLUMNS; c++) {
        for (size_t i = 0; i < n && !known[c]; i++) {
            known[c] = isfinite(run->metrics[columns[c].metric][i]);
        }
        if (known[c]) {
            fprintf(out, "<th scope=\"col\">%s</th>", columns[c].name);
        }
    }
    fputs("</tr></thead>\n<tbody>\n", out);
    for (size_t i = 0; i < n; i = i + stride < n || i == n - 1 ? i + stride : n - 1) {
        fprintf(out, "<tr><th scope=\"row\">%.0f</th>", run->metrics[REPORT_EPOCH][i]);
        for (size_t c = 0; c < N_COLUMNS; c++) {
            if (known[c]) {
                print_cell(out, run->metrics[columns[c].metric][i]);
            }
        }
        fputs("</tr>\n", out);
    }
    fputs("</tbody></table></div></details>\n", out);
}

weft_status report_print_learning(FILE *out, const struct report_run *run, weft_error *err)
{
    if (run->n_epochs == 0) {
        return WEFT_OK;
    }
    double *epoch_seconds = weft_mem_alloc(run->n_epochs, sizeof *epoch_seconds);
    if (epoch_seconds == NULL) {
        return weft_fail_nomem(err, "curves");
    }
    for (size_t i = 0; i < run->n_epochs; i++) {
        const double *seconds = run->metrics[REPORT_TIME];
        epoch_seconds[i] = seconds[i] - (i > 0 ? seconds[i - 1] : 0);
    }
    report_section_begin(out, "learning", "Learning",
                         "Training scores are means over the epoch, each sample as it was when its "
                         "batch was computed; the others are taken after the epoch.");
    fputs("<div class=\"grid charts\">\n", out);
    print_charts(out, run, epoch_seconds);
    fputs("</div>\n", out);
    print_table(out, run);
    fputs("</section>\n", out);
    weft_mem_free(epoch_seconds);
    return WEFT_OK;
}
