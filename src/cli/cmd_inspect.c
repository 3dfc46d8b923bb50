/* weft inspect: what is in a model or a data set; which of the two it is, the content says. */
#include <string.h>

#include <weft/summary.h>

#include "base/fail.h"
#include "base/mem.h"
#include "cli/command.h"
#include "cli/inputs.h"
#include "cli/json_line.h"

struct inspect_args {
    struct cli_common common;
    struct cli_source source;
    char *categorical;
    struct cli_hints hints;
};

/* Class names beyond this many are only counted, but for --verbose. */
enum { MOST_CLASSES = 30 };

static const struct cli_option data_options[] = {
    {.name = "file",
     .type = CLI_TEXT,
     .flags = CLI_POSITIONAL,
     .offset = offsetof(struct inspect_args, source.path),
     .metavar = "FILE",
     .missing = "wanted FILE, a model or data; such as: weft inspect data/mnist",
     .help = "a model file, a run directory, or data as 'weft train' takes it"},
    CLI_OPTION_SPLIT(offsetof(struct inspect_args, source.split)),
    CLI_OPTION_LABEL(offsetof(struct inspect_args, source.label)),
    CLI_OPTION_IGNORE(offsetof(struct inspect_args, source.ignore)),
    CLI_OPTION_CATEGORICAL(offsetof(struct inspect_args, categorical)),
    CLI_OPTIONS_IMAGE(offsetof(struct inspect_args, source.image)),
    CLI_OPTION_X(offsetof(struct inspect_args, source.x)),
    CLI_OPTION_Y(offsetof(struct inspect_args, source.y)),
};

static const struct cli_option model_options[] = {
    CLI_OPTION_HINT_ACTIVATION(offsetof(struct inspect_args, hints.activation)),
    CLI_OPTION_HINT_OUTPUT(offsetof(struct inspect_args, hints.output)),
    CLI_OPTION_HINT_SCALE(offsetof(struct inspect_args, hints.scale)),
};

static const struct cli_option other_options[] = {
    CLI_OPTION_JSON(struct inspect_args),
    {.name = "verbose",
     .short_name = 'v',
     .type = CLI_FLAG,
     .offset = offsetof(struct inspect_args, common.verbose),
     .help = "every class, however many there are"},
    CLI_OPTION_HELP(struct inspect_args),
};

static const struct cli_group groups[] = {
    {"Input", "data", data_options, sizeof data_options / sizeof *data_options},
    {"What a model file from other software does not say itself", "network", model_options,
     sizeof model_options / sizeof *model_options},
    {"Other", "run", other_options, sizeof other_options / sizeof *other_options},
};

/* Models. */

static size_t layer_inputs(const weft_net *net, size_t layer)
{
    return layer == 0 ? weft_net_n_inputs(net) : weft_net_width(net, layer - 1);
}

static const char *layer_function(const weft_net *net, size_t layer)
{
    return layer + 1 == weft_net_n_layers(net)
               ? weft_output_name(weft_net_output(net))
               : weft_activation_name(weft_net_activation(net, layer));
}

static weft_norm layer_norm(const weft_net *net, size_t layer)
{
    return layer + 1 == weft_net_n_layers(net) ? WEFT_NORM_NONE : weft_net_norm(net, layer);
}

/* "4 (2 of categories: 3, 5); missing values: mean" */
static void print_columns(const weft_columns *columns)
{
    size_t n_categorical = 0;
    for (size_t i = 0; i < columns->n; i++) {
        n_categorical += columns->n_categories[i] > 0;
    }
    printf("%-12s%zu", "columns", columns->n);
    if (n_categorical > 0) {
        printf(", %zu of categories (", n_categorical);
        const char *comma = "";
        for (size_t i = 0; i < columns->n; i++) {
            if (columns->n_categories[i] > 0) {
                printf("%s%zu", comma, columns->n_categories[i]);
                comma = ", ";
            }
        }
        putchar(')');
    }
    printf("\n%-12s%s\n", "missing", weft_missing_name(columns->missing));
}

static void print_model(const struct inspect_args *args, const weft_net *net)
{
    printf("%-12smodel (safetensors)\n%-12s%zu\n%-12s%zu\n%-12s%zu\n", "kind", "inputs",
           weft_net_n_inputs(net), "outputs", weft_net_n_outputs(net), "parameters",
           weft_net_n_params(net));
    const weft_scaling *scaling = weft_net_scaling(net);
    printf("%-12s%s\n", "scaling", weft_scale_kind_name(scaling->kind));
    if (weft_net_columns(net) != NULL) {
        print_columns(weft_net_columns(net));
    }
    size_t n = weft_net_n_class_names(net);
    size_t shown = n > MOST_CLASSES && !args->common.verbose ? MOST_CLASSES : n;
    printf("%-12s", weft_net_n_classes(net) > 0 ? "classes" : "names");
    for (size_t i = 0; i < shown; i++) {
        fputs(i > 0 ? ", " : "", stdout);
        cli_print_name(stdout, weft_net_class_name(net, i), 0);
    }
    printf("%s\n\nlayer    inputs  outputs  parameters  function\n", shown < n ? ", ..." : "");
    for (size_t i = 0; i < weft_net_n_layers(net); i++) {
        size_t n_in = layer_inputs(net, i), n_out = weft_net_width(net, i);
        weft_norm norm = layer_norm(net, i);
        size_t n_rows = n_in + 1 + (norm != WEFT_NORM_NONE ? 2 : 0);
        printf("%5zu  %8zu %8zu %11zu  %s%s%s\n", i + 1, n_in, n_out, n_rows * n_out,
               layer_function(net, i), norm != WEFT_NORM_NONE ? ", normalised by " : "",
               norm != WEFT_NORM_NONE ? weft_norm_name(norm) : "");
    }
}

static json_t *json_layers(const weft_net *net)
{
    json_t *layers = json_array();
    int failed = 0;
    for (size_t i = 0; i < weft_net_n_layers(net); i++) {
        json_t *layer = json_object();
        failed |= json_object_set_new(layer, "inputs", cli_json_count(layer_inputs(net, i)));
        failed |= json_object_set_new(layer, "outputs", cli_json_count(weft_net_width(net, i)));
        failed |= json_object_set_new(layer, "function", cli_json_text(layer_function(net, i)));
        if (layer_norm(net, i) != WEFT_NORM_NONE) {
            failed |= json_object_set_new(layer, "norm",
                                          cli_json_text(weft_norm_name(layer_norm(net, i))));
        }
        failed |= json_array_append_new(layers, layer);
    }
    if (failed != 0) {
        json_decref(layers);
        return NULL;
    }
    return layers;
}

static int print_model_json(const char *command, const struct inspect_args *args,
                            const weft_net *net)
{
    json_t *object = json_object(), *names = json_array();
    int failed = 0;
    for (size_t i = 0; i < weft_net_n_class_names(net); i++) {
        failed |= json_array_append_new(names, cli_json_text(weft_net_class_name(net, i)));
    }
    failed |= json_object_set_new(object, "kind", json_string("model"));
    failed |= json_object_set_new(object, "file", cli_json_text(args->source.path));
    failed |= json_object_set_new(object, "inputs", cli_json_count(weft_net_n_inputs(net)));
    failed |= json_object_set_new(object, "outputs", cli_json_count(weft_net_n_outputs(net)));
    failed |= json_object_set_new(object, "parameters", cli_json_count(weft_net_n_params(net)));
    failed |= json_object_set_new(object, "scaling",
                                  cli_json_text(weft_scale_kind_name(weft_net_scaling(net)->kind)));
    failed |= json_object_set_new(object, "output",
                                  cli_json_text(weft_output_name(weft_net_output(net))));
    failed |= json_object_set_new(object, "layers", json_layers(net));
    failed |= json_object_set_new(object, weft_net_n_classes(net) > 0 ? "classes" : "names", names);
    return cli_json_print(command, object, failed);
}

static int inspect_model(const char *command, const struct inspect_args *args)
{
    weft_net *net = NULL;
    weft_error err;
    if (cli_load_model(args->source.path, NULL, &args->hints, &net, &err) != WEFT_OK) {
        return cli_fail(command, CLI_INPUT, &err);
    }
    int code = CLI_DONE;
    if (args->common.json) {
        code = print_model_json(command, args, net);
    } else {
        print_model(args, net);
    }
    weft_net_free(net);
    return code;
}

/* Data. */

/* A data set, or one split of it. */
struct found {
    weft_summary summary;
    const char *split; /* "" where there is but one */
};

static void print_shape(const weft_summary *data)
{
    printf("%-12s", "shape");
    for (size_t i = 0; i < data->n_dims; i++) {
        printf("%s%zu", i > 0 ? " x " : "", data->dims[i]);
    }
    printf("%s (%zu features)\n", data->n_dims == 0 ? "1" : "", data->features);
}

static const char *type_of(const weft_summary *data)
{
    return data->dtype == WEFT_U8 ? "u8" : "f32";
}

static void print_classes(const struct inspect_args *args, const weft_summary *data)
{
    size_t n = data->n_classes;
    size_t shown = n > MOST_CLASSES && !args->common.verbose ? MOST_CLASSES : n;
    int width = 5;
    for (size_t i = 0; i < n; i++) {
        int name = cli_name_width(data->class_names[i]);
        width = name > width ? name : width;
    }
    printf("%-12s%zu class%s\n\n%-*s  samples\n", "labels", n, n == 1 ? "" : "es", width, "class");
    for (size_t i = 0; i < shown; i++) {
        cli_print_name(stdout, data->class_names[i], width);
        printf("  %7llu  %5.2f %%\n", (unsigned long long)data->class_counts[i],
               100 * (double)data->class_counts[i] / (double)data->samples);
    }
    if (shown < n) {
        printf("... and %zu more, shown with --verbose\n", n - shown);
    }
}

static void print_data(const struct inspect_args *args, const struct found *found)
{
    const weft_summary *data = &found->summary;
    printf("%-12sdata (%s%s%s)\n%-12s%zu\n", "kind", data->format,
           found->split[0] != '\0' ? ", split " : "", found->split, "samples", data->samples);
    print_shape(data);
    printf("%-12s%s%s\n%-12s%g to %g, mean %.6g, standard deviation %.6g\n", "type", type_of(data),
           data->is_integer ? ", whole numbers" : "", "values", data->min, data->max, data->mean,
           data->std);
    if (data->missing > 0) {
        printf("%-12s%llu values (%.3g %%)\n", "missing", (unsigned long long)data->missing,
               100 * (double)data->missing / ((double)data->samples * (double)data->features));
    }
    if (data->labels == WEFT_LABELS_CLASSES) {
        print_classes(args, data);
    } else if (data->labels == WEFT_LABELS_VALUES) {
        printf("%-12s%zu value%s for each sample, %g to %g, mean %.6g\n", "labels", data->n_values,
               data->n_values == 1 ? "" : "s", data->label_min, data->label_max, data->label_mean);
    } else {
        printf("%-12snone\n", "labels");
    }
}

static json_t *json_counts(const weft_summary *data)
{
    json_t *classes = json_array();
    int failed = 0;
    for (size_t i = 0; i < data->n_classes; i++) {
        json_t *one = json_object();
        failed |= json_object_set_new(one, "name", cli_json_text(data->class_names[i]));
        failed |= json_object_set_new(one, "samples", cli_json_count(data->class_counts[i]));
        failed |= json_array_append_new(classes, one);
    }
    if (failed != 0) {
        json_decref(classes);
        return NULL;
    }
    return classes;
}

static json_t *json_shape(const weft_summary *data)
{
    json_t *shape = json_array();
    int failed = 0;
    for (size_t i = 0; i < data->n_dims; i++) {
        failed |= json_array_append_new(shape, cli_json_count(data->dims[i]));
    }
    if (failed != 0) {
        json_decref(shape);
        return NULL;
    }
    return shape;
}

/* Puts what is known of a data set into `object`. */
static int put_data(json_t *object, const weft_summary *data)
{
    int failed = json_object_set_new(object, "format", cli_json_text(data->format));
    failed |= json_object_set_new(object, "samples", cli_json_count(data->samples));
    failed |= json_object_set_new(object, "shape", json_shape(data));
    failed |= json_object_set_new(object, "features", cli_json_count(data->features));
    failed |= json_object_set_new(object, "type", json_string(type_of(data)));
    failed |= json_object_set_new(object, "min", cli_json_real(data->min));
    failed |= json_object_set_new(object, "max", cli_json_real(data->max));
    failed |= json_object_set_new(object, "mean", cli_json_real(data->mean));
    failed |= json_object_set_new(object, "std", cli_json_real(data->std));
    failed |= json_object_set_new(object, "missing", cli_json_count(data->missing));
    if (data->labels == WEFT_LABELS_CLASSES) {
        failed |= json_object_set_new(object, "classes", json_counts(data));
    } else if (data->labels == WEFT_LABELS_VALUES) {
        failed |= json_object_set_new(object, "values", cli_json_count(data->n_values));
    }
    return failed;
}

/* Data may come without labels; then it is looked at without. */
static weft_status look(const struct inspect_args *args, weft_split split, weft_summary *out,
                        weft_error *err)
{
    weft_dataset_options options = weft_dataset_options_default();
    options.split = split;
    options.label = args->source.label;
    options.ignore = args->source.ignore;
    options.x_name = args->source.x;
    options.y_name = args->source.y;
    weft_status status = cli_image_options(&args->source.image, &options, err);
    if (status != WEFT_OK) {
        return status;
    }
    options.categorical = args->categorical;
    status = weft_dataset_summarize(args->source.path, &options, out, err);
    if (status == WEFT_OK || status == WEFT_ERR_NOMEM || args->source.label != NULL) {
        return status;
    }
    options.labels = WEFT_LABELS_NONE;
    return weft_dataset_summarize(args->source.path, &options, out, NULL) == WEFT_OK ? WEFT_OK
                                                                                     : status;
}

/* Looks at one split and prints it, or puts it into `object`, which is then not NULL. */
static int inspect_split(const char *command, const struct inspect_args *args, weft_split split,
                         const char *name, json_t *object)
{
    struct found found = {.split = name};
    weft_error err;
    int code = CLI_DONE;
    if (look(args, split, &found.summary, &err) != WEFT_OK) {
        code = cli_fail(command, CLI_INPUT, &err);
    } else if (object == NULL) {
        print_data(args, &found);
    } else if (put_data(object, &found.summary) != 0) {
        cli_error(command, "no memory for the JSON object");
        code = CLI_FAILED;
    }
    weft_summary_release(&found.summary);
    return code;
}

/* A directory with both splits: one after the other, in JSON as "train" and "test". */
static int inspect_both(const char *command, const struct inspect_args *args, json_t *object)
{
    json_t *train = NULL, *test = NULL;
    if (object != NULL) {
        train = json_object();
        test = json_object();
        if (json_object_set_new(object, "train", train) != 0 ||
            json_object_set_new(object, "test", test) != 0) {
            cli_error(command, "no memory for the JSON object");
            return CLI_FAILED;
        }
    }
    int code = inspect_split(command, args, WEFT_SPLIT_TRAIN, "train", train);
    if (code == CLI_DONE && object == NULL) {
        putchar('\n');
    }
    return code != CLI_DONE ? code : inspect_split(command, args, WEFT_SPLIT_TEST, "test", test);
}

static int inspect_into(const char *command, const struct inspect_args *args, json_t *object)
{
    const char *path = args->source.path;
    bool has_train = weft_dataset_has_split(path, WEFT_SPLIT_TRAIN);
    bool has_test = weft_dataset_has_split(path, WEFT_SPLIT_TEST);
    if (args->source.split != 0) {
        return inspect_split(command, args, cli_split_of(args->source.split, path),
                             cli_split_choice(args->source.split), object);
    }
    if (has_train && has_test) {
        return inspect_both(command, args, object);
    }
    return inspect_split(command, args, has_test ? WEFT_SPLIT_TEST : WEFT_SPLIT_TRAIN,
                         has_test    ? "test"
                         : has_train ? "train"
                                     : "",
                         object);
}

static int inspect_data(const char *command, const struct inspect_args *args)
{
    if (!args->common.json) {
        return inspect_into(command, args, NULL);
    }
    json_t *object = json_object();
    int failed = json_object_set_new(object, "kind", json_string("data"));
    failed |= json_object_set_new(object, "file", cli_json_text(args->source.path));
    int code = failed == 0 ? inspect_into(command, args, object) : CLI_DONE;
    if (code != CLI_DONE) {
        json_decref(object);
        return code;
    }
    return cli_json_print(command, object, failed);
}

/* A run directory has a model file; any other directory should be data. */
static bool is_model(const char *path)
{
    char *inside = cli_is_directory(path) ? cli_join_path(path, CLI_MODEL_FILE) : NULL;
    bool found = cli_looks_like_model(inside != NULL ? inside : path);
    weft_mem_free(inside);
    return found;
}

static int run(struct cli_call *call)
{
    const struct inspect_args *args = call->options.args;
    const char *command = call->command->name;
    return is_model(args->source.path) ? inspect_model(command, args) : inspect_data(command, args);
}

const struct cli_command cli_inspect = {
    .name = "inspect",
    .operands = "FILE",
    .summary = "show what is in a model or a data set",
    .about = "Shows layers, shapes, scaling and classes of a model; shape, type, range,\n"
             "mean and deviation of values, how many are missing, and the samples of each\n"
             "class of data, which may be larger than memory.",
    .examples = "  weft inspect data/mnist\n  weft inspect runs/001\n",
    .groups = groups,
    .n_groups = sizeof groups / sizeof *groups,
    .args_size = sizeof(struct inspect_args),
    .run = run,
};
