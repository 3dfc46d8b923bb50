/* weft export: a model for other software, or as a page to draw on. */
#include <string.h>
#include <sys/stat.h>

#include <weft/export.h>

#include "base/fail.h"
#include "base/mem.h"
#include "cli/command.h"
#include "cli/demo_page.h"
#include "cli/inputs.h"
#include "cli/json_line.h"
#include "cli/stop_signal.h"

struct export_args {
    struct cli_common common;
    char *model, *out;
    size_t format; /* index of format_choice() */
    struct cli_hints hints;
    char *image;
    double ink;
};

/* The choices of --format: auto, those of the library, the page. */
enum {
    FORMAT_AUTO,
    FORMAT_LIBRARY,
    FORMAT_PAGE = FORMAT_LIBRARY + WEFT_N_EXPORT_FORMATS,
    N_FORMATS
};

static const char *format_choice(size_t index)
{
    return index == FORMAT_AUTO   ? "auto"
           : index == FORMAT_PAGE ? "html"
                                  : weft_export_format_name((weft_export_format)(index - 1));
}

static const struct cli_option file_options[] = {
    {.name = "model",
     .type = CLI_TEXT,
     .flags = CLI_POSITIONAL,
     .offset = offsetof(struct export_args, model),
     .metavar = "MODEL",
     .missing = "wanted MODEL and OUT; such as: weft export runs/001 digits.onnx",
     .help = "a model file or a run directory"},
    {.name = "out",
     .type = CLI_TEXT,
     .flags = CLI_POSITIONAL,
     .offset = offsetof(struct export_args, out),
     .metavar = "OUT",
     .missing = "wanted OUT behind MODEL; such as: weft export runs/001 digits.onnx",
     .help = "the file to write, whole or not at all"},
    {.name = "format",
     .type = CLI_CHOICE,
     .offset = offsetof(struct export_args, format),
     .metavar = "NAME",
     .n_choices = N_FORMATS,
     .choice = format_choice,
     .help = "what to write, where the ending of OUT does not say it"},
};

static const struct cli_option page_options[] = {
    {.name = "image",
     .type = CLI_TEXT,
     .offset = offsetof(struct export_args, image),
     .metavar = "WxH",
     .help = "width and height in pixels of the images that the model takes",
     .default_text = "square"},
    {.name = "ink",
     .type = CLI_REAL,
     .offset = offsetof(struct export_args, ink),
     .metavar = "F",
     .hi = 1e308,
     .help = "the number that stands for full ink, paper being 0",
     .default_text = "as the scaling says"},
};

static const struct cli_option model_options[] = {
    CLI_OPTION_HINT_ACTIVATION(offsetof(struct export_args, hints.activation)),
    CLI_OPTION_HINT_OUTPUT(offsetof(struct export_args, hints.output)),
    CLI_OPTION_HINT_SCALE(offsetof(struct export_args, hints.scale)),
};

static const struct cli_option other_options[] = {
    CLI_OPTION_JSON(struct export_args),
    CLI_OPTION_HELP(struct export_args),
};

static const struct cli_group groups[] = {
    {"Files", "files", file_options, sizeof file_options / sizeof *file_options},
    {"Of a page to draw on", "page", page_options, sizeof page_options / sizeof *page_options},
    {"What a model file from other software does not say itself", "network", model_options,
     sizeof model_options / sizeof *model_options},
    {"Other", "run", other_options, sizeof other_options / sizeof *other_options},
};

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);
    return len > end_len && strcmp(text + len - end_len, end) == 0;
}

/* N_FORMATS where the ending is none of them. */
static size_t format_of(const char *path)
{
    static const struct {
        const char *ending;
        size_t format;
    } endings[] = {
        {".onnx", FORMAT_LIBRARY + WEFT_EXPORT_ONNX},
        {".h", FORMAT_LIBRARY + WEFT_EXPORT_C},
        {".npz", FORMAT_LIBRARY + WEFT_EXPORT_NPZ},
        {".html", FORMAT_PAGE},
        {".htm", FORMAT_PAGE},
    };
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        if (ends_with(path, endings[i].ending)) {
            return endings[i].format;
        }
    }
    return N_FORMATS;
}

/* Whether both names lead to one file. */
static bool same_file(const char *a, const char *b)
{
    struct stat a_info, b_info;
    return stat(a, &a_info) == 0 && stat(b, &b_info) == 0 && a_info.st_dev == b_info.st_dev &&
           a_info.st_ino == b_info.st_ino;
}

/* What can be said before the model is read; 0 or an exit code. */
static int check_call(const char *command, struct export_args *args)
{
    if (args->format == FORMAT_AUTO) {
        args->format = format_of(args->out);
    }
    if (args->format == N_FORMATS) {
        cli_error(command,
                  "%s: wanted a name that ends in .onnx, .h, .npz or .html, or --format NAME",
                  args->out);
        return CLI_USAGE;
    }
    weft_error err;
    char *path = NULL;
    if (cli_model_path(args->model, &path, &err) != WEFT_OK) {
        return cli_fail(command, CLI_INPUT, &err);
    }
    bool same = same_file(path, args->out);
    weft_mem_free(path);
    if (same) {
        cli_error(command, "%s: is the model that is to be exported; wanted another OUT",
                  args->out);
        return CLI_USAGE;
    }
    return CLI_DONE;
}

static weft_status write_out(const struct export_args *args, const weft_net *net, weft_error *err)
{
    if (args->format != FORMAT_PAGE) {
        return weft_model_export(net, (weft_export_format)(args->format - FORMAT_LIBRARY),
                                 args->out, err);
    }
    const struct cli_demo_options options = {
        .model = args->model, .image = args->image, .ink = args->ink};
    return cli_demo_write(net, &options, args->out, err);
}

/* A device tells no size. */
static int print_done(const char *command, const struct export_args *args, const weft_net *net)
{
    struct stat info;
    size_t bytes = stat(args->out, &info) == 0 && S_ISREG(info.st_mode) ? (size_t)info.st_size : 0;
    const char *format = format_choice(args->format);
    if (!args->common.json) {
        cli_print_name(stdout, args->out, 0);
        printf(": %s, %zu parameters, %zu bytes\n", format, weft_net_n_params(net), bytes);
        return CLI_DONE;
    }
    json_t *object = json_object();
    int failed = json_object_set_new(object, "model", cli_json_text(args->model));
    failed |= json_object_set_new(object, "output", cli_json_text(args->out));
    failed |= json_object_set_new(object, "format", json_string(format));
    failed |= json_object_set_new(object, "parameters", cli_json_count(weft_net_n_params(net)));
    failed |= json_object_set_new(object, "bytes", cli_json_count(bytes));
    return cli_json_print(command, object, failed);
}

/* What the model or the call is to blame for, and what the disk. */
static int code_of(weft_status status)
{
    return status == WEFT_ERR_IO || status == WEFT_ERR_NOMEM ? CLI_FAILED
           : status == WEFT_ERR_ARG                          ? CLI_USAGE
                                                             : CLI_INPUT;
}

static int run(struct cli_call *call)
{
    struct export_args *args = call->options.args;
    const char *command = call->command->name;
    weft_error err;
    int code = check_call(command, args);
    if (code != CLI_DONE) {
        return code;
    }
    weft_net *net = NULL;
    if (cli_load_model(args->model, args->out, &args->hints, &net, &err) != WEFT_OK) {
        return cli_fail(command, CLI_INPUT, &err);
    }
    /* Signals wait for the end of the file, so that no temporary file stays behind. */
    cli_stop_install();
    cli_stop_hold();
    weft_status status = write_out(args, net, &err);
    cli_stop_release();
    code = status == WEFT_OK ? print_done(command, args, net)
                             : cli_fail(command, code_of(status), &err);
    weft_net_free(net);
    return code == CLI_DONE && cli_stop_signal() != 0 ? CLI_SIGNAL + cli_stop_signal() : code;
}

const struct cli_command cli_export = {
    .name = "export",
    .operands = "MODEL OUT",
    .summary = "write a model for other software",
    .about = "The ending of OUT says what is written:\n"
             "  .onnx  a model for onnxruntime and others, with labels and probabilities\n"
             "  .h     a header in C99 with NAME_predict(), for programs and firmware\n"
             "  .npz   the weights as arrays for NumPy: W1 [out, in], b1, W2, ...\n"
             "  .html  a page to draw on, which shows what the model makes of it\n"
             "Each takes raw data: the scaling of the inputs goes with the model.",
    .examples = "  weft export runs/001 digits.onnx\n"
                "  weft export runs/001 digits.html && xdg-open digits.html\n",
    .groups = groups,
    .n_groups = sizeof groups / sizeof *groups,
    .args_size = sizeof(struct export_args),
    .run = run,
};
