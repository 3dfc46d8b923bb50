/* weft convert: data from one format to another. */
#include <stdio.h>

#include <weft/convert.h>

#include "base/fail.h"
#include "cli/command.h"
#include "cli/inputs.h"
#include "cli/json_line.h"
#include "cli/stop_signal.h"

struct convert_args {
    struct cli_common common;
    struct cli_source source;
    char *out, *categorical;
    size_t missing;
};

static const struct cli_option file_options[] = {
    {.name = "data",
     .type = CLI_TEXT,
     .flags = CLI_POSITIONAL,
     .offset = offsetof(struct convert_args, source.path),
     .metavar = "IN",
     .missing = "wanted IN and OUT; such as: weft convert table.csv table.npz",
     .help = "data as 'weft train' takes it"},
    {.name = "out",
     .type = CLI_TEXT,
     .flags = CLI_POSITIONAL,
     .offset = offsetof(struct convert_args, out),
     .metavar = "OUT",
     .missing = "wanted OUT behind IN; such as: weft convert table.csv table.npz",
     .help = "X.npz, X.npy,Y.npy, X.csv, X.libsvm, or IDX files IMAGES,LABELS; .gz behind text and "
             "IDX compresses"},
    CLI_OPTION_SPLIT(offsetof(struct convert_args, source.split)),
    CLI_OPTION_LABEL(offsetof(struct convert_args, source.label)),
    CLI_OPTION_IGNORE(offsetof(struct convert_args, source.ignore)),
    CLI_OPTION_MISSING(offsetof(struct convert_args, missing)),
    CLI_OPTION_CATEGORICAL(offsetof(struct convert_args, categorical)),
    CLI_OPTIONS_IMAGE(offsetof(struct convert_args, source.image)),
    CLI_OPTION_X(offsetof(struct convert_args, source.x)),
    CLI_OPTION_Y(offsetof(struct convert_args, source.y)),
};

static const struct cli_option other_options[] = {
    CLI_OPTION_JSON(struct convert_args),
    CLI_OPTION_HELP(struct convert_args),
};

static const struct cli_group groups[] = {
    {"Files", "files", file_options, sizeof file_options / sizeof *file_options},
    {"Other", "run", other_options, sizeof other_options / sizeof *other_options},
};

static weft_status convert(const struct convert_args *args, weft_summary *found, weft_error *err)
{
    weft_dataset_options options = weft_dataset_options_default();
    options.split = cli_split_of(args->source.split, args->source.path);
    options.label = args->source.label;
    options.ignore = args->source.ignore;
    options.x_name = args->source.x;
    options.y_name = args->source.y;
    options.missing = (weft_missing)args->missing;
    options.categorical = args->categorical;
    weft_status status = cli_image_options(&args->source.image, &options, err);
    return status == WEFT_OK
               ? weft_dataset_convert(args->source.path, &options, args->out, found, err)
               : status;
}

static int print_found(const char *command, const struct convert_args *args,
                       const weft_summary *found)
{
    if (!args->common.json) {
        printf("%s: %zu samples of %zu features", args->out, found->samples, found->features);
        if (found->labels == WEFT_LABELS_CLASSES) {
            printf(", %zu classes", found->n_classes);
        }
        printf(" (from %s)\n", found->format);
        return CLI_DONE;
    }
    json_t *object = json_object();
    int failed = json_object_set_new(object, "file", cli_json_text(args->out));
    failed |= json_object_set_new(object, "samples", cli_json_count(found->samples));
    failed |= json_object_set_new(object, "features", cli_json_count(found->features));
    failed |= json_object_set_new(object, "classes", cli_json_count(found->n_classes));
    return cli_json_print(command, object, failed);
}

/* Signals wait for the end of the file, so that no temporary file stays behind. */
static int run(struct cli_call *call)
{
    const struct convert_args *args = call->options.args;
    const char *command = call->command->name;
    weft_summary found = {0};
    weft_error err;
    cli_stop_install();
    cli_stop_hold();
    weft_status status = convert(args, &found, &err);
    cli_stop_release();
    int code = status == WEFT_OK        ? print_found(command, args, &found)
               : status == WEFT_ERR_ARG ? cli_fail(command, CLI_USAGE, &err)
                                        : cli_fail(command, CLI_INPUT, &err);
    weft_summary_release(&found);
    return code;
}

const struct cli_command cli_convert = {
    .name = "convert",
    .operands = "IN OUT",
    .summary = "write data in another format",
    .about = "Reads data of any size and format and writes it in the format that the ending\n"
             "of OUT says. Names of classes stay names in CSV; elsewhere they become the\n"
             "numbers that they are, or their places in sorted order.",
    .examples = "  weft convert table.csv table.npz --label kind\n"
                "  weft convert data/mnist digits.csv.gz --split test\n"
                "  weft convert cats.h5 images.idx.gz,labels.idx.gz\n",
    .groups = groups,
    .n_groups = sizeof groups / sizeof *groups,
    .args_size = sizeof(struct convert_args),
    .run = run,
};
