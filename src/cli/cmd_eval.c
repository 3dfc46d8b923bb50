/* weft eval: how good a model is on labelled data. */
#include <math.h>
#include <string.h>

#include <weft/evaluate.h>

#include "cli/command.h"
#include "cli/inputs.h"
#include "cli/json_line.h"

struct eval_args {
    struct cli_common common;
    char *model;
    struct cli_source source;
    struct cli_hints hints;
};

/* More classes than this make a confusion matrix that no terminal shows. */
enum { MOST_COLUMNS = 20 };

static const struct cli_option data_options[] = {
    {.name = "model",
     .type = CLI_TEXT,
     .flags = CLI_POSITIONAL,
     .offset = offsetof(struct eval_args, model),
     .metavar = "MODEL",
     .missing = "wanted MODEL and DATA; such as: weft eval runs/001 data/mnist",
     .help = "a model file or a run directory"},
    {.name = "data",
     .type = CLI_TEXT,
     .flags = CLI_POSITIONAL,
     .offset = offsetof(struct eval_args, source.path),
     .metavar = "DATA",
     .missing = "wanted DATA behind MODEL; such as: weft eval runs/001 data/mnist",
     .help = "labelled data, as 'weft train' takes it"},
    CLI_OPTION_SPLIT(offsetof(struct eval_args, source.split)),
    CLI_OPTION_LABEL(offsetof(struct eval_args, source.label)),
    CLI_OPTION_IGNORE(offsetof(struct eval_args, source.ignore)),
    CLI_OPTIONS_IMAGE(offsetof(struct eval_args, source.image)),
    CLI_OPTION_X(offsetof(struct eval_args, source.x)),
    CLI_OPTION_Y(offsetof(struct eval_args, source.y)),
};

static const struct cli_option model_options[] = {
    CLI_OPTION_HINT_ACTIVATION(offsetof(struct eval_args, hints.activation)),
    CLI_OPTION_HINT_OUTPUT(offsetof(struct eval_args, hints.output)),
    CLI_OPTION_HINT_SCALE(offsetof(struct eval_args, hints.scale)),
};

static const struct cli_option other_options[] = {
    CLI_OPTION_THREADS(struct eval_args),
    CLI_OPTION_ISA(struct eval_args),
    CLI_OPTION_PRECISION(struct eval_args),
    CLI_OPTION_JSON(struct eval_args),
    {.name = "quiet",
     .short_name = 'q',
     .type = CLI_FLAG,
     .offset = offsetof(struct eval_args, common.quiet),
     .help = "only the overall numbers, no table"},
    {.name = "verbose",
     .short_name = 'v',
     .type = CLI_FLAG,
     .offset = offsetof(struct eval_args, common.verbose),
     .help = "the confusion matrix of any number of classes"},
    CLI_OPTION_HELP(struct eval_args),
};

static const struct cli_group groups[] = {
    {"Input", "data", data_options, sizeof data_options / sizeof *data_options},
    {"What a model file from other software does not say itself", "network", model_options,
     sizeof model_options / sizeof *model_options},
    {"Other", "run", other_options, sizeof other_options / sizeof *other_options},
};

static void print_number(const char *name, double value)
{
    if (!isnan(value)) {
        char text[40];
        printf("%-10s%s\n", name, cli_loss_text(value, text, sizeof text));
    }
}

static int widest_name(const weft_net *net, size_t n)
{
    int widest = 5;
    for (size_t i = 0; i < n; i++) {
        int width = cli_name_width(weft_net_class_name(net, i));
        widest = width > widest ? width : widest;
    }
    return widest;
}

static void print_classes(const weft_net *net, const weft_evaluation *found)
{
    int width = widest_name(net, found->n_classes);
    weft_class_score mean = {0};
    printf("\n%-*s  precision  recall      f1  samples\n", width, "class");
    for (size_t i = 0; i < found->n_classes; i++) {
        const weft_class_score *score = &found->by_class[i];
        cli_print_name(stdout, weft_net_class_name(net, i), width);
        printf("  %9.4f  %6.4f  %6.4f  %7zu\n", score->precision, score->recall, score->f1,
               score->support);
        mean.precision += score->precision / (double)found->n_classes;
        mean.recall += score->recall / (double)found->n_classes;
        mean.f1 += score->f1 / (double)found->n_classes;
    }
    printf("%-*s  %9.4f  %6.4f  %6.4f  %7zu\n", width, "mean", mean.precision, mean.recall, mean.f1,
           found->samples);
}

static int count_width(const weft_evaluation *found)
{
    size_t largest = 0;
    for (size_t i = 0; i < found->n_classes * found->n_classes; i++) {
        largest = found->confusion[i] > largest ? found->confusion[i] : largest;
    }
    return snprintf(NULL, 0, "%zu", largest);
}

static void print_confusion(const weft_net *net, const weft_evaluation *found)
{
    size_t n = found->n_classes;
    int name_width = widest_name(net, n), width = count_width(found);
    for (size_t i = 0; i < n; i++) {
        int name = cli_name_width(weft_net_class_name(net, i));
        width = name > width ? name : width;
    }
    printf("\nconfusion (rows: true class, columns: predicted)\n%-*s", name_width, "");
    for (size_t i = 0; i < n; i++) {
        fputs("  ", stdout);
        cli_print_name(stdout, weft_net_class_name(net, i), -width);
    }
    putchar('\n');
    for (size_t i = 0; i < n; i++) {
        cli_print_name(stdout, weft_net_class_name(net, i), name_width);
        for (size_t j = 0; j < n; j++) {
            printf("  %*zu", width, found->confusion[i * n + j]);
        }
        putchar('\n');
    }
}

static int print_text(const struct eval_args *args, const weft_net *net,
                      const weft_evaluation *found)
{
    printf("%-10s%zu\n", "samples", found->samples);
    print_number("loss", found->loss);
    if (!isnan(found->accuracy)) {
        printf("%-10s%.2f %%\n", "accuracy", 100 * found->accuracy);
    }
    print_number("auc", found->auc);
    print_number("rmse", found->rmse);
    print_number("mae", found->mae);
    print_number("r2", found->r2);
    if (args->common.quiet) {
        return CLI_DONE;
    }
    if (found->by_class != NULL) {
        print_classes(net, found);
    }
    if (found->confusion != NULL) {
        if (found->n_classes <= MOST_COLUMNS || args->common.verbose) {
            print_confusion(net, found);
        } else {
            printf("\nconfusion: %zu classes, shown with --verbose or --json\n", found->n_classes);
        }
    }
    return CLI_DONE;
}

static json_t *json_confusion(const weft_evaluation *found)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < found->n_classes; i++) {
        json_t *row = json_array();
        int failed = 0;
        for (size_t j = 0; j < found->n_classes; j++) {
            failed |= json_array_append_new(
                row, cli_json_count(found->confusion[i * found->n_classes + j]));
        }
        if (json_array_append_new(rows, row) != 0 || failed != 0) {
            json_decref(rows);
            return NULL;
        }
    }
    return rows;
}

static json_t *json_classes(const weft_net *net, const weft_evaluation *found)
{
    json_t *classes = json_array();
    for (size_t i = 0; i < found->n_classes; i++) {
        const weft_class_score *score = &found->by_class[i];
        json_t *one = json_object();
        int failed = json_object_set_new(one, "name", cli_json_text(weft_net_class_name(net, i)));
        failed |= json_object_set_new(one, "samples", cli_json_count(score->support));
        failed |= json_object_set_new(one, "precision", cli_json_real(score->precision));
        failed |= json_object_set_new(one, "recall", cli_json_real(score->recall));
        failed |= json_object_set_new(one, "f1", cli_json_real(score->f1));
        if (json_array_append_new(classes, one) != 0 || failed != 0) {
            json_decref(classes);
            return NULL;
        }
    }
    return classes;
}

/* Loss, accuracy and samples are always there; what does not apply to the network is left out. */
static int print_json(const char *command, const struct eval_args *args, const weft_net *net,
                      const weft_evaluation *found)
{
    const struct {
        const char *name;
        double value;
    } others[] = {
        {"auc", found->auc}, {"rmse", found->rmse}, {"mae", found->mae}, {"r2", found->r2}};
    json_t *object = json_object();
    int failed = json_object_set_new(object, "model", cli_json_text(args->model));
    failed |= json_object_set_new(object, "data", cli_json_text(args->source.path));
    failed |= json_object_set_new(object, "samples", cli_json_count(found->samples));
    failed |= json_object_set_new(object, "loss", cli_json_real(found->loss));
    failed |= json_object_set_new(object, "accuracy", cli_json_real(found->accuracy));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (!isnan(others[i].value)) {
            failed |= json_object_set_new(object, others[i].name, cli_json_real(others[i].value));
        }
    }
    if (found->by_class != NULL) {
        failed |= json_object_set_new(object, "classes", json_classes(net, found));
    }
    if (found->confusion != NULL) {
        failed |= json_object_set_new(object, "confusion", json_confusion(found));
    }
    return cli_json_print(command, object, failed);
}

static int run(struct cli_call *call)
{
    struct eval_args *args = call->options.args;
    const char *command = call->command->name;
    weft_context *context = NULL;
    weft_net *net = NULL;
    weft_dataset *data = NULL;
    weft_evaluation found = {0};
    weft_error err;
    int code = cli_make_context(command, &args->common, &context);
    if (code != CLI_DONE) {
        return code;
    }
    if (cli_load_model(args->model, args->source.path, &args->hints, &net, &err) != WEFT_OK ||
        cli_load_for(net, args->model, &args->source, true, &data, &err) != WEFT_OK ||
        weft_evaluate(context, net, data, &found, &err) != WEFT_OK) {
        code = cli_fail(command, CLI_INPUT, &err);
    } else {
        code = args->common.json ? print_json(command, args, net, &found)
                                 : print_text(args, net, &found);
    }
    weft_evaluation_release(&found);
    weft_dataset_free(data);
    weft_net_free(net);
    weft_context_free(context);
    return code;
}

const struct cli_command cli_eval = {
    .name = "eval",
    .operands = "MODEL DATA",
    .summary = "measure a model on labelled data",
    .about = "Prints loss, accuracy, precision, recall and F1 of each class and the confusion\n"
             "matrix; for two classes also the area under the ROC curve, for regression the\n"
             "usual errors. Inputs are scaled as in training.",
    .examples = "  weft eval runs/001 data/mnist\n"
                "  weft eval runs/001/model.safetensors iris.csv --label species --json\n",
    .groups = groups,
    .n_groups = sizeof groups / sizeof *groups,
    .args_size = sizeof(struct eval_args),
    .run = run,
};
