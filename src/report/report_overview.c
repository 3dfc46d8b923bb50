/* What the run was: the summary at the top; time, settings and environment at the end. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "report/report_evaluation.h"
#include "report/report_html.h"
#include "report/report_sections.h"

double report_real_in(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

size_t report_count_in(const json_t *object, const char *key)
{
    return (size_t)json_integer_value(json_object_get(object, key));
}

const char *report_text_in(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

const json_t *report_class_at(const struct report_run *run, size_t index)
{
    return json_array_get(json_object_get(run->evaluation, "classes"), index);
}

/* Areas are not measured of more classes: their mean would be one of some. */
double report_class_mean(const struct report_run *run, const char *key)
{
    const json_t *classes = json_object_get(run->evaluation, "classes");
    size_t n_classes = json_array_size(classes);
    bool is_area = strcmp(key, "auc") == 0 || strcmp(key, "average_precision") == 0;
    double sum = 0, n = 0;
    for (size_t i = 0; i < n_classes && !(is_area && n_classes > REPORT_MOST_RANKED); i++) {
        double value = report_real_in(json_array_get(classes, i), key);
        sum += isfinite(value) ? value : 0;
        n += isfinite(value);
    }
    return n > 0 ? sum / n : (double)NAN;
}

const char *report_set_name(const struct report_run *run)
{
    const char *set = report_text_in(run->evaluation, "set");
    return strcmp(set, "test") == 0  ? "test set"
           : strcmp(set, "val") == 0 ? "validation set"
                                     : "training set";
}

void report_section_begin(FILE *out, const char *id, const char *title, const char *note)
{
    fprintf(out, "<section id=\"%s\">\n<h2>%s</h2>\n", id, title);
    if (note != NULL) {
        fprintf(out, "<p class=\"note\">%s</p>\n", note);
    }
}

void report_term(FILE *out, const char *term)
{
    fprintf(out, "<dt>%s</dt><dd>", term);
}

/* Tiles: one number each. */

static void begin_tile(FILE *out, const char *name)
{
    fprintf(out, "<div class=\"card tile\"><span>%s</span><b>", name);
}

static void end_tile(FILE *out)
{
    fputs("</b></div>\n", out);
}

static void print_real_tile(FILE *out, const char *name, double value)
{
    if (isfinite(value)) {
        begin_tile(out, name);
        report_print_real(out, value);
        end_tile(out);
    }
}

static void print_percent_tile(FILE *out, const char *name, double value)
{
    if (isfinite(value)) {
        begin_tile(out, name);
        report_print_percent(out, value);
        end_tile(out);
    }
}

static void print_tiles(FILE *out, const struct report_run *run)
{
    const json_t *found = run->evaluation, *about = json_object_get(found, "run");
    double auc = report_real_in(found, "auc"), mean = report_class_mean(run, "auc");
    fputs("<div class=\"grid tiles\">\n", out);
    print_percent_tile(out, "Accuracy", report_real_in(found, "accuracy"));
    print_real_tile(out, "Loss", report_real_in(found, "loss"));
    print_real_tile(out, "R&#178;", report_real_in(found, "r2"));
    print_real_tile(out, "RMSE", report_real_in(found, "rmse"));
    print_real_tile(out, "Mean abs. error", report_real_in(found, "mae"));
    print_real_tile(out, isfinite(auc) ? "ROC AUC" : "Mean ROC AUC", isfinite(auc) ? auc : mean);
    print_real_tile(out, "Calibration error",
                    report_real_in(json_object_get(found, "calibration"), "ece"));
    begin_tile(out, "Epochs");
    report_print_count(out, report_count_in(about, "epochs"));
    end_tile(out);
    begin_tile(out, "Training time");
    report_print_seconds(out, report_real_in(about, "train_seconds"));
    end_tile(out);
    fputs("</div>\n", out);
}

void report_print_widths(FILE *out, const weft_net *net)
{
    if (net == NULL) {
        fputs("&#8211;", out);
        return;
    }
    fprintf(out, "%zu", weft_net_n_inputs(net));
    for (size_t i = 0; i < weft_net_n_layers(net); i++) {
        fprintf(out, "-%zu", weft_net_width(net, i));
    }
}

static void print_network(FILE *out, const weft_net *net)
{
    if (net == NULL) {
        return;
    }
    report_term(out, "Network");
    report_print_widths(out, net);
    for (size_t i = 0; i + 1 < weft_net_n_layers(net); i++) {
        fprintf(out, "%s%s", i == 0 ? ", " : "/",
                weft_activation_name(weft_net_activation(net, i)));
        if (weft_net_norm(net, i) != WEFT_NORM_NONE) {
            fprintf(out, " (%s normalisation)", weft_norm_name(weft_net_norm(net, i)));
        }
    }
    fprintf(out, ", %s; ", weft_output_name(weft_net_output(net)));
    report_print_count(out, weft_net_n_params(net));
    fprintf(out, " parameters; inputs scaled: %s</dd>\n",
            weft_scale_kind_name(weft_net_scaling(net)->kind));
}

static void print_set(FILE *out, const struct report_run *run, const char *key, const char *name)
{
    const json_t *set = json_object_get(json_object_get(run->evaluation, "data"), key);
    if (set == NULL) {
        return;
    }
    report_term(out, name);
    report_print_count(out, report_count_in(set, "samples"));
    fputs(strcmp(key, "val") == 0 ? " samples held out of " : " samples of ", out);
    report_print_text(out, report_text_in(set, "path"));
    fputs(" (", out);
    report_print_text(out, report_text_in(set, "format"));
    fputs(")</dd>\n", out);
}

static void print_shape(FILE *out, const struct report_run *run)
{
    const json_t *shape = json_object_get(json_object_get(run->evaluation, "data"), "shape");
    size_t n_classes = weft_net_n_classes(run->net);
    report_term(out, "Samples");
    for (size_t i = 0; i < json_array_size(shape); i++) {
        fprintf(out, "%s%lld", i > 0 ? " &#215; " : "",
                (long long)json_integer_value(json_array_get(shape, i)));
    }
    fputs(" numbers each; ", out);
    if (n_classes > 0) {
        fprintf(out, "%zu classes</dd>\n", n_classes);
    } else {
        size_t n = weft_net_n_outputs(run->net);
        bool labels = weft_net_output(run->net) == WEFT_OUTPUT_SIGMOID;
        fprintf(out, "%zu %s%s to predict</dd>\n", n, labels ? "label" : "value",
                n == 1 ? "" : "s");
    }
}

static void print_training(FILE *out, const struct report_run *run)
{
    static const char *const keys[] = {"batch_size", "lr", "schedule", "momentum", "seed"};
    static const char *const names[] = {"batches of ", "learning rate ", "", "momentum ", "seed "};
    const char *comma = "";
    report_term(out, "Training");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *value = report_run_setting(run, "training", keys[i]);
        if (value != NULL && !(strcmp(keys[i], "momentum") == 0 && strcmp(value, "0") == 0)) {
            fprintf(out, "%s%s", strcmp(keys[i], "schedule") == 0 ? " " : comma, names[i]);
            report_print_text(out, value);
            comma = ", ";
        }
    }
    fputs("</dd>\n", out);
}

void report_print_summary(FILE *out, const struct report_run *run)
{
    const json_t *about = json_object_get(run->evaluation, "run");
    fputs("<header>\n<p class=\"brand\">weft report</p>\n<h1>", out);
    report_print_text(out, run->name);
    if (run->evaluation == NULL) {
        fputs("</h1>\n<p class=\"note\">There is no evaluation of this run: it diverged, was cut "
              "off, goes on still or was trained with <code>--no-report</code>.</p>\n"
              "<dl class=\"card facts\">\n",
              out);
        print_network(out, run->net);
        print_training(out, run);
        fputs("</dl>\n</header>\n", out);
        return;
    }
    fputs("</h1>\n<p class=\"note\">Run ", out);
    report_print_text(out, report_text_in(about, "outcome"));
    fputs(", ", out);
    report_print_text(out, report_text_in(about, "ended"));
    fputs(". All scores are of the <b>", out);
    fputs(report_set_name(run), out);
    fputs("</b> (", out);
    report_print_count(out, report_count_in(run->evaluation, "samples"));
    fputs(strcmp(report_text_in(run->evaluation, "set"), "train") == 0
              ? " samples, the very ones it learned from: there was no other data).</p>\n"
              : " samples).</p>\n",
          out);
    print_tiles(out, run);
    fputs("<dl class=\"card facts\">\n", out);
    print_set(out, run, "train", "Training set");
    print_set(out, run, "val", "Validation set");
    print_set(out, run, "test", "Test set");
    print_shape(out, run);
    print_network(out, run->net);
    print_training(out, run);
    fputs("</dl>\n</header>\n", out);
}

/* Time. */

void report_print_time(FILE *out, const struct report_run *run)
{
    static const struct {
        const char *key, *name;
    } parts[] = {{"load_seconds", "Reading data"},
                 {"train_seconds", "Training steps"},
                 {"watch_seconds", "Scores after epochs"},
                 {"test_seconds", "Test set at the end"}};
    enum { N_PARTS = sizeof parts / sizeof *parts };
    const json_t *about = json_object_get(run->evaluation, "run");
    double total = 0, seconds[N_PARTS];
    if (about == NULL) {
        return;
    }
    for (size_t i = 0; i < N_PARTS; i++) {
        seconds[i] = fmax(report_real_in(about, parts[i].key), 0);
        total += seconds[i];
    }
    report_section_begin(out, "time", "Where the time went", NULL);
    fputs("<div class=\"card\">\n<div class=\"stack\" aria-hidden=\"true\">", out);
    for (size_t i = 0; i < N_PARTS; i++) {
        seconds[i] = seconds[i] > total / 2000 ? seconds[i] : 0; /* what nobody would see */
        if (seconds[i] > 0) {
            fprintf(out, "<i class=\"c%zu\" style=\"flex-grow:%.4f\"></i>", i, seconds[i] / total);
        }
    }
    fputs("</div>\n<ul class=\"legend\">", out);
    for (size_t i = 0; i < N_PARTS; i++) {
        if (seconds[i] > 0) {
            fprintf(out, "<li class=\"c%zu\">%s <b>", i, parts[i].name);
            report_print_seconds(out, seconds[i]);
            fputs("</b></li>", out);
        }
    }
    fputs("</ul>\n<dl class=\"facts\">\n", out);
    double epochs = (double)report_count_in(about, "epochs");
    double steps = (double)report_count_in(about, "steps");
    const json_t *data = json_object_get(run->evaluation, "data");
    double samples = (double)report_count_in(json_object_get(data, "train"), "samples");
    if (seconds[1] > 0 && epochs > 0) {
        report_term(out, "Throughput");
        report_print_count(out, (size_t)(samples * epochs / seconds[1]));
        fputs(" samples a second, ", out);
        report_print_count(out, (size_t)(steps / seconds[1]));
        fputs(" steps a second</dd>\n", out);
        report_term(out, "An epoch");
        report_print_seconds(out, seconds[1] / epochs);
        fputs(" for ", out);
        report_print_count(out, (size_t)(steps / epochs));
        fputs(steps > epochs ? " steps</dd>\n" : " step</dd>\n", out);
    }
    fputs("</dl>\n</div>\n</section>\n", out);
}

/* Settings and environment. */

static void print_section_of_settings(FILE *out, const struct report_run *run, size_t first)
{
    const char *section = run->settings[first].section;
    fputs("<div class=\"card\"><h3>", out);
    report_print_text(out, section);
    fputs("</h3>\n<dl class=\"facts\">\n", out);
    for (size_t i = first; i < run->n_settings; i++) {
        bool is_set = run->settings[i].value[0] != '\0';
        if (is_set && strcmp(run->settings[i].section, section) == 0) {
            fputs("<dt>", out);
            report_print_text(out, run->settings[i].key);
            fputs("</dt><dd>", out);
            report_print_text(out, run->settings[i].value);
            fputs("</dd>\n", out);
        }
    }
    fputs("</dl></div>\n", out);
}

static void print_environment(FILE *out, const struct report_run *run)
{
    static const struct {
        const char *key, *name;
    } facts[] = {{"version", "weft"},       {"cpu", "CPU"},
                 {"system", "system"},      {"kernels", "kernels"},
                 {"precision", "products"}, {"compiler", "compiler"}};
    const json_t *environment = json_object_get(run->evaluation, "environment");
    fputs("<div class=\"card\"><h3>environment</h3>\n<dl class=\"facts\">\n", out);
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        report_term(out, facts[i].name);
        report_print_text(out, report_text_in(environment, facts[i].key));
        fputs("</dd>\n", out);
    }
    report_term(out, "threads");
    fprintf(out, "%zu, on %zu core%s</dd>\n</dl></div>\n", report_count_in(environment, "threads"),
            report_count_in(environment, "cores"),
            report_count_in(environment, "cores") == 1 ? "" : "s");
}

void report_print_settings(FILE *out, const struct report_run *run)
{
    report_section_begin(out, "settings", "Settings and environment",
                         "Every setting as it was used. <code>weft train -c config.ini</code> "
                         "repeats the run.");
    fputs("<div class=\"grid\">\n", out);
    for (size_t i = 0; i < run->n_settings; i++) {
        bool is_new = true;
        for (size_t j = 0; j < i; j++) {
            is_new = is_new && strcmp(run->settings[j].section, run->settings[i].section) != 0;
        }
        if (is_new) {
            print_section_of_settings(out, run, i);
        }
    }
    if (run->evaluation != NULL) {
        print_environment(out, run);
    }
    fputs("</div>\n</section>\n", out);
}
