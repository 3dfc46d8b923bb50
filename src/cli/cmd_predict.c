/* weft predict: the model's answer for each sample, as CSV or JSON. */
#include <string.h>

#include <weft/evaluate.h>

#include "base/fail.h"
#include "base/mem.h"
#include "base/safefile.h"
#include "cli/command.h"
#include "cli/inputs.h"
#include "cli/json_line.h"
#include "cli/stop_signal.h"
#include "report/picture_grid.h"
#include "report/picture_png.h"
#include "report/sample_predictions.h"

#define MAX_GRID 100

struct predict_args {
    struct cli_common common;
    char *model, *output_file, *grid;
    struct cli_source source;
    struct cli_hints hints;
    bool proba;
};

static const struct cli_option data_options[] = {
    {.name = "model",
     .type = CLI_TEXT,
     .flags = CLI_POSITIONAL,
     .offset = offsetof(struct predict_args, model),
     .metavar = "MODEL",
     .missing = "wanted MODEL and DATA; such as: weft predict runs/001 data/mnist",
     .help = "a model file or a run directory"},
    {.name = "data",
     .type = CLI_TEXT,
     .flags = CLI_POSITIONAL,
     .offset = offsetof(struct predict_args, source.path),
     .metavar = "DATA",
     .missing = "wanted DATA behind MODEL; such as: weft predict runs/001 data/mnist",
     .help = "data, with labels or without; of a pair, IMAGES alone will do"},
    CLI_OPTION_SPLIT(offsetof(struct predict_args, source.split)),
    CLI_OPTION_LABEL(offsetof(struct predict_args, source.label)),
    CLI_OPTION_IGNORE(offsetof(struct predict_args, source.ignore)),
    CLI_OPTIONS_IMAGE(offsetof(struct predict_args, source.image)),
    CLI_OPTION_X(offsetof(struct predict_args, source.x)),
};

static const struct cli_option output_options[] = {
    {.name = "out",
     .short_name = 'o',
     .type = CLI_TEXT,
     .offset = offsetof(struct predict_args, output_file),
     .metavar = "FILE",
     .help = "write to a file, whole or not at all",
     .default_text = "standard output"},
    {.name = "grid",
     .type = CLI_TEXT,
     .offset = offsetof(struct predict_args, grid),
     .metavar = "FILE.png",
     .help = "draw the first 100 samples as images with their predictions, instead of printing "
             "these"},
    {.name = "proba",
     .type = CLI_FLAG,
     .offset = offsetof(struct predict_args, proba),
     .help = "also the probability of each class"},
};

static const struct cli_option model_options[] = {
    CLI_OPTION_HINT_ACTIVATION(offsetof(struct predict_args, hints.activation)),
    CLI_OPTION_HINT_OUTPUT(offsetof(struct predict_args, hints.output)),
    CLI_OPTION_HINT_SCALE(offsetof(struct predict_args, hints.scale)),
};

static const struct cli_option other_options[] = {
    CLI_OPTION_THREADS(struct predict_args),   CLI_OPTION_ISA(struct predict_args),
    CLI_OPTION_PRECISION(struct predict_args), CLI_OPTION_JSON(struct predict_args),
    CLI_OPTION_HELP(struct predict_args),
};

static const struct cli_group groups[] = {
    {"Input", "data", data_options, sizeof data_options / sizeof *data_options},
    {"Output", "output", output_options, sizeof output_options / sizeof *output_options},
    {"What a model file from other software does not say itself", "network", model_options,
     sizeof model_options / sizeof *model_options},
    {"Other", "run", other_options, sizeof other_options / sizeof *other_options},
};

/* RFC 4180 */
static void print_cell(FILE *stream, const char *prefix, const char *text)
{
    bool quoted = strpbrk(text, ",\"\r\n") != NULL;
    fprintf(stream, "%s%s", quoted ? "\"" : "", prefix);
    for (; *text != '\0'; text++) {
        if (*text == '"') {
            putc('"', stream);
        }
        putc(*text, stream);
    }
    fputs(quoted ? "\"" : "", stream);
}

/* With classes: prediction[,p_CLASS...]. With a sigmoid for each label: LABEL...[,p_LABEL...].
 * With values: their names, or "prediction" where there is but one. */
static void print_header(const struct sample_predictions *found, bool proba, FILE *stream)
{
    bool labels = weft_net_output(found->net) == WEFT_OUTPUT_SIGMOID && found->n_classes == 0;
    size_t n_names = found->n_classes > 0 ? found->n_classes : found->n_outputs;
    bool one = found->n_classes > 0 || found->n_outputs == 1;
    if (one) {
        fputs("prediction", stream);
    }
    for (size_t i = 0; !one && i < n_names; i++) {
        fputs(i > 0 ? "," : "", stream);
        print_cell(stream, "", weft_net_class_name(found->net, i));
    }
    for (size_t i = 0; proba && (found->n_classes > 0 || labels) && i < n_names; i++) {
        putc(',', stream);
        print_cell(stream, "p_", weft_net_class_name(found->net, i));
    }
    putc('\n', stream);
}

static void print_row(const struct sample_predictions *found, size_t sample, bool proba,
                      FILE *stream)
{
    if (found->n_classes > 0) {
        print_cell(stream, "", weft_net_class_name(found->net, (size_t)found->classes[sample]));
        for (size_t i = 0; proba && i < found->n_classes; i++) {
            fprintf(stream, ",%.9g", (double)sample_probability(found, sample, i));
        }
        putc('\n', stream);
        return;
    }
    bool labels = weft_net_output(found->net) == WEFT_OUTPUT_SIGMOID;
    for (size_t i = 0; i < found->n_outputs; i++) {
        float p = sample_output(found, sample, i);
        fprintf(stream, "%s%.9g", i > 0 ? "," : "", labels ? (p >= 0.5F) : (double)p);
    }
    for (size_t i = 0; proba && labels && i < found->n_outputs; i++) {
        fprintf(stream, ",%.9g", (double)sample_output(found, sample, i));
    }
    putc('\n', stream);
}

/* Stops where nobody takes the rest. */
static void print_csv(const struct sample_predictions *found, bool proba, FILE *stream)
{
    print_header(found, proba, stream);
    for (size_t i = 0; i < found->samples && !ferror(stream) && cli_stop_signal() == 0; i++) {
        print_row(found, i, proba, stream);
    }
}

/* Signals wait for the end of the file, so that no temporary file stays behind. */
static int write_file(const char *command, const struct predict_args *args,
                      const struct sample_predictions *found)
{
    struct weft_safefile file = {0};
    weft_error err;
    cli_stop_install();
    cli_stop_hold();
    weft_status status = weft_safefile_open(&file, args->output_file, &err);
    if (status == WEFT_OK) {
        print_csv(found, args->proba, file.stream);
        if (cli_stop_signal() != 0) {
            weft_safefile_abort(&file);
            return CLI_SIGNAL + cli_stop_signal();
        }
        status = weft_safefile_commit(&file, &err);
    }
    cli_stop_release();
    return status == WEFT_OK ? CLI_DONE : cli_fail(command, CLI_FAILED, &err);
}

/* "first 100 of 10000 samples: 98 right, 2 wrong" */
static void write_heading(const struct sample_predictions *found, size_t n, char *text, size_t size)
{
    size_t counts[3] = {0};
    for (size_t i = 0; i < n; i++) {
        counts[sample_verdict(found, i)]++;
    }
    int len = n < found->samples
                  ? snprintf(text, size, "first %zu of %zu samples", n, found->samples)
                  : snprintf(text, size, "%zu sample%s", n, n == 1 ? "" : "s");
    if (counts[SAMPLE_UNKNOWN] == 0) {
        snprintf(text + len, size - (size_t)len, ": %zu right, %zu wrong", counts[SAMPLE_RIGHT],
                 counts[SAMPLE_WRONG]);
    }
}

static weft_status draw_grid(const struct predict_args *args,
                             const struct sample_predictions *found, struct picture_canvas *canvas,
                             weft_error *err)
{
    size_t samples[MAX_GRID];
    size_t n = found->samples < MAX_GRID ? found->samples : MAX_GRID;
    for (size_t i = 0; i < n; i++) {
        samples[i] = i;
    }
    char heading[120];
    write_heading(found, n, heading, sizeof heading);
    const struct picture_section section = {heading, samples, n};
    weft_error why;
    weft_status status = picture_grid_draw(found, args->source.path, &section, 1, canvas, &why);
    return status == WEFT_OK
               ? WEFT_OK
               : weft_fail(err, status, "--grid of %s: %s", args->source.path, why.message);
}

static int write_grid(const char *command, const struct predict_args *args,
                      const struct sample_predictions *found)
{
    struct picture_canvas canvas = {0};
    weft_error err;
    if (draw_grid(args, found, &canvas, &err) != WEFT_OK) {
        return cli_fail(command, CLI_INPUT, &err);
    }
    cli_stop_install();
    cli_stop_hold();
    weft_status status = picture_png_write(&canvas, args->grid, &err);
    cli_stop_release();
    picture_canvas_release(&canvas);
    return status == WEFT_OK ? CLI_DONE : cli_fail(command, CLI_FAILED, &err);
}

static json_t *json_outputs(const struct sample_predictions *found, size_t sample,
                            bool probabilities)
{
    json_t *row = json_array();
    size_t n = probabilities && found->n_classes > 0 ? found->n_classes : found->n_outputs;
    bool labels = weft_net_output(found->net) == WEFT_OUTPUT_SIGMOID;
    for (size_t i = 0; i < n; i++) {
        float p = probabilities && found->n_classes > 0 ? sample_probability(found, sample, i)
                                                        : sample_output(found, sample, i);
        json_t *value =
            !probabilities && labels ? cli_json_count(p >= 0.5F) : cli_json_real((double)p);
        if (json_array_append_new(row, value) != 0) {
            json_decref(row);
            return NULL;
        }
    }
    return row;
}

static json_t *json_prediction(const struct sample_predictions *found, size_t sample)
{
    if (found->n_classes > 0) {
        return cli_json_text(weft_net_class_name(found->net, (size_t)found->classes[sample]));
    }
    return json_outputs(found, sample, false);
}

/* Whether standard output is spared the predictions. */
static bool goes_to_files(const struct predict_args *args)
{
    return args->output_file != NULL || args->grid != NULL;
}

/* {"model","data","samples", "output": file, "grid": file} or, without a file, "predictions" and,
 * if asked for, "probabilities", one entry for each sample. */
static int print_json(const char *command, const struct predict_args *args,
                      const struct sample_predictions *found)
{
    bool sigmoid = weft_net_output(found->net) == WEFT_OUTPUT_SIGMOID;
    bool proba = args->proba && (found->n_classes > 0 || sigmoid);
    json_t *object = json_object(), *rows = json_array(), *odds = json_array();
    int failed = json_object_set_new(object, "model", cli_json_text(args->model));
    failed |= json_object_set_new(object, "data", cli_json_text(args->source.path));
    failed |= json_object_set_new(object, "samples", cli_json_count(found->samples));
    if (args->output_file != NULL) {
        failed |= json_object_set_new(object, "output", cli_json_text(args->output_file));
    }
    if (args->grid != NULL) {
        failed |= json_object_set_new(object, "grid", cli_json_text(args->grid));
    }
    for (size_t i = 0; !goes_to_files(args) && failed == 0 && i < found->samples; i++) {
        failed |= json_array_append_new(rows, json_prediction(found, i));
        if (proba) {
            failed |= json_array_append_new(odds, json_outputs(found, i, true));
        }
    }
    if (!goes_to_files(args)) {
        failed |= json_object_set(object, "predictions", rows);
    }
    if (!goes_to_files(args) && proba) {
        failed |= json_object_set(object, "probabilities", odds);
    }
    json_decref(rows);
    json_decref(odds);
    return cli_json_print(command, object, failed);
}

static int print_found(const char *command, const struct predict_args *args,
                       const struct sample_predictions *found)
{
    int code = args->output_file != NULL ? write_file(command, args, found) : CLI_DONE;
    if (code == CLI_DONE && args->grid != NULL) {
        code = write_grid(command, args, found);
    }
    if (code != CLI_DONE) {
        return code;
    }
    if (args->common.json) {
        return print_json(command, args, found);
    }
    if (!goes_to_files(args)) {
        print_csv(found, args->proba, stdout);
    }
    return CLI_DONE;
}

/* A picture also shows the true classes of data that has labels, and says so where these are other
 * classes than the network's. */
static weft_status load_data(const char *command, const struct predict_args *args,
                             const weft_net *net, weft_dataset **data, weft_error *err)
{
    if (args->grid != NULL) {
        weft_error why;
        weft_status status = cli_load_for(net, args->model, &args->source, true, data, &why);
        if (status == WEFT_OK) {
            return WEFT_OK;
        }
        status = cli_load_for(net, args->model, &args->source, false, data, err);
        if (status == WEFT_OK && why.status == WEFT_ERR_MISMATCH) {
            cli_error(command, "--grid without true classes: %s", why.message);
        }
        return status;
    }
    return cli_load_for(net, args->model, &args->source, false, data, err);
}

static int run(struct cli_call *call)
{
    struct predict_args *args = call->options.args;
    const char *command = call->command->name;
    weft_context *context = NULL;
    weft_net *net = NULL;
    weft_dataset *data = NULL;
    struct sample_predictions found = {0};
    weft_error err;
    if (args->grid != NULL && !picture_png_available()) {
        cli_error(command, "--grid: this build of weft cannot write PNG files: libpng was missing "
                           "when it was built");
        return CLI_USAGE;
    }
    int code = cli_make_context(command, &args->common, &context);
    if (code != CLI_DONE) {
        return code;
    }
    if (cli_load_model(args->model, args->source.path, &args->hints, &net, &err) != WEFT_OK ||
        load_data(command, args, net, &data, &err) != WEFT_OK ||
        sample_predictions_init(&found, context, net, data, &err) != WEFT_OK) {
        code = cli_fail(command, CLI_INPUT, &err);
    } else {
        code = print_found(command, args, &found);
    }
    sample_predictions_release(&found);
    weft_dataset_free(data);
    weft_net_free(net);
    weft_context_free(context);
    return code;
}

const struct cli_command cli_predict = {
    .name = "predict",
    .operands = "MODEL DATA",
    .summary = "predict the class or value of each sample",
    .about = "Writes CSV with a header and one row for each sample, in their order: the column\n"
             "'prediction' with the name of the class (or the value), and with --proba a\n"
             "column p_CLASS for each class.\n"
             "\n"
             "--grid draws samples that are images, at most 100 of them, each with the class\n"
             "predicted for it, its probability and, where DATA has labels, the true class.",
    .examples = "  weft predict runs/001 data/mnist -o digits.csv\n"
                "  weft predict runs/001 data/mnist --grid digits.png\n"
                "  weft predict runs/001 unlabelled.csv --proba | head\n",
    .groups = groups,
    .n_groups = sizeof groups / sizeof *groups,
    .args_size = sizeof(struct predict_args),
    .run = run,
};
