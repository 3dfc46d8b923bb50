/* Models and data from the command line. */
#include "cli/inputs.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <weft/train.h>

#include "base/fail.h"
#include "base/mem.h"
#include "cli/strict_number.h"

bool cli_is_directory(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

bool cli_looks_like_model(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode)) {
        return false;
    }
    FILE *stream = fopen(path, "rb");
    if (stream == NULL) {
        return false;
    }
    unsigned char start[9];
    size_t n = fread(start, 1, sizeof start, stream);
    fclose(stream);
    uint64_t header = 0;
    for (size_t i = 8; i-- > 0;) {
        header = header << 8 | (n == sizeof start ? start[i] : 0);
    }
    return n == sizeof start && start[8] == '{' && header <= (uint64_t)info.st_size - 8;
}

char *cli_join_path(const char *directory, const char *name)
{
    size_t size = strlen(directory) + strlen(name) + 2;
    char *path = weft_mem_alloc(size, 1);
    if (path != NULL) {
        size_t len = strlen(directory);
        bool slash = len > 0 && directory[len - 1] == '/';
        snprintf(path, size, "%s%s%s", directory, slash ? "" : "/", name);
    }
    return path;
}

weft_status cli_model_path(const char *model, char **out, weft_error *err)
{
    if (!cli_is_directory(model)) {
        *out = weft_mem_strdup(model);
        return *out != NULL ? WEFT_OK : weft_fail_nomem(err, "a file name");
    }
    char *path = cli_join_path(model, CLI_MODEL_FILE);
    if (path == NULL) {
        return weft_fail_nomem(err, "a file name");
    }
    struct stat info;
    if (stat(path, &info) != 0) {
        weft_mem_free(path);
        return weft_fail(err, WEFT_ERR_IO,
                         "%s: wanted a model file or a run directory; got a directory without %s",
                         model, CLI_MODEL_FILE);
    }
    *out = path;
    return WEFT_OK;
}

/* The scaling a hint means. Of "standard" only the name can be given here: its numbers are in
 * files that weft wrote, and the library then checks that the kinds agree. */
static weft_scaling hinted_scaling(size_t scale, float *shift, float *factor)
{
    weft_scaling scaling = {.kind = (weft_scale_kind)scale};
    if (scaling.kind == WEFT_SCALE_UNIT) {
        *shift = 0;
        *factor = 1.0F / 255;
        scaling.n = 1;
        scaling.shift = shift;
        scaling.scale = factor;
    }
    return scaling;
}

static weft_status load_with_hints(const char *path, const struct cli_hints *hints, weft_net **out,
                                   weft_error *err)
{
    size_t n = hints->activation.n;
    weft_activation *activations = weft_mem_alloc(n, sizeof *activations);
    if (activations == NULL) {
        return weft_fail_nomem(err, "activations");
    }
    for (size_t i = 0; i < n; i++) {
        activations[i] = (weft_activation)hints->activation.items[i];
    }
    weft_output output = hints->output > 0 ? (weft_output)(hints->output - 1) : WEFT_OUTPUT_SOFTMAX;
    float shift, factor;
    weft_scaling scaling = hinted_scaling(hints->scale, &shift, &factor);
    weft_model_hints known = {
        .activations = n > 0 ? activations : NULL,
        .n_activations = n,
        .output = hints->output > 0 ? &output : NULL,
        .scaling = hints->scale > 0 ? &scaling : NULL,
    };
    weft_status status = weft_model_load(path, &known, out, err);
    weft_mem_free(activations);
    return status;
}

weft_status cli_load_model(const char *model, const char *data, const struct cli_hints *hints,
                           weft_net **out, weft_error *err)
{
    char *path = NULL;
    weft_status status = cli_model_path(model, &path, err);
    if (status == WEFT_OK) {
        status = load_with_hints(path, hints, out, err);
    }
    weft_mem_free(path);
    bool swapped = data != NULL && !cli_looks_like_model(model) && cli_looks_like_model(data);
    if (status != WEFT_OK && status != WEFT_ERR_NOMEM && swapped) {
        return weft_fail(err, status, "%s: is no model, but %s is: MODEL comes first, then DATA",
                         model, data);
    }
    return status;
}

weft_status cli_load_data(const char *path, const weft_dataset_options *options, weft_dataset **out,
                          weft_error *err)
{
    if (cli_looks_like_model(path)) {
        return weft_fail(err, WEFT_ERR_FORMAT, "%s: wanted data; got a model", path);
    }
    return weft_dataset_load(path, options, out, err);
}

void cli_expect_labels_of(const weft_net *net, weft_dataset_options *options)
{
    if (weft_net_n_classes(net) == 0) {
        options->labels = WEFT_LABELS_VALUES;
        return;
    }
    options->labels = WEFT_LABELS_CLASSES;
    options->class_names = weft_net_class_names(net);
    options->n_class_names = weft_net_n_class_names(net);
}

weft_status cli_check_fit(const weft_net *net, const char *model, const weft_dataset *data,
                          const char *path, bool has_labels, weft_error *err)
{
    size_t wanted = weft_net_n_inputs(net), got = weft_dataset_features(data);
    if (wanted != got) {
        return weft_fail(err, WEFT_ERR_MISMATCH,
                         "%s: wanted samples of %zu numbers, as %s takes; got %zu", path, wanted,
                         model, got);
    }
    if (!has_labels) {
        return WEFT_OK;
    }
    weft_targets targets = weft_dataset_targets(data);
    weft_error why;
    weft_status status = weft_net_check_targets(net, &targets, weft_dataset_samples(data), &why);
    return status == WEFT_OK ? WEFT_OK : weft_fail(err, status, "%s: %s", path, why.message);
}

weft_status cli_image_options(const struct cli_image *image, weft_dataset_options *options,
                              weft_error *err)
{
    static const size_t channels[] = {0, 1, 3};
    options->image_channels = channels[image->mode];
    options->invert = image->invert;
    if (image->size == NULL) {
        return WEFT_OK;
    }
    char width[8];
    uint64_t w = 0, h = 0;
    size_t len = strcspn(image->size, "xX");
    bool cut = image->size[len] != '\0' && len < sizeof width;
    snprintf(width, sizeof width, "%.*s", (int)(cut ? len : 0), image->size);
    if (!cut || !cli_parse_whole(width, &w) || !cli_parse_whole(image->size + len + 1, &h) ||
        w == 0 || h == 0 || w > 4096 || h > 4096) {
        return weft_fail(err, WEFT_ERR_ARG,
                         "--image-size: wanted WIDTHxHEIGHT, each 1 to 4096; got '%s'",
                         image->size);
    }
    options->image_width = (size_t)w;
    options->image_height = (size_t)h;
    return WEFT_OK;
}

/* Where labels do not fit it may be that nothing does: then the features say more. */
static weft_status explain_labels(const weft_net *net, const char *model, const char *path,
                                  weft_dataset_options options, weft_error *err)
{
    weft_dataset *data = NULL;
    weft_error why;
    options.labels = WEFT_LABELS_NONE;
    weft_status status = weft_dataset_load(path, &options, &data, NULL);
    if (status == WEFT_OK && cli_check_fit(net, model, data, path, false, &why) != WEFT_OK) {
        *err = why;
    }
    weft_dataset_free(data);
    return WEFT_ERR_MISMATCH;
}

weft_status cli_load_for(const weft_net *net, const char *model, const struct cli_source *source,
                         bool with_labels, weft_dataset **out, weft_error *err)
{
    weft_dataset_options options = weft_dataset_options_default();
    options.labels = WEFT_LABELS_NONE;
    options.split = cli_split_of(source->split, source->path);
    options.label = source->label;
    options.ignore = source->ignore;
    options.x_name = source->x;
    options.y_name = source->y;
    options.n_inputs = weft_net_n_inputs(net);
    options.columns = weft_net_columns(net);
    weft_columns strict;
    if (options.columns != NULL && options.columns->missing == WEFT_MISSING_DROP && !with_labels) {
        /* Each sample gets a prediction, so none may be left out. */
        strict = *options.columns;
        strict.missing = WEFT_MISSING_ERROR;
        options.columns = &strict;
    }
    if (with_labels) {
        cli_expect_labels_of(net, &options);
    }
    weft_dataset *data = NULL;
    weft_status status = cli_image_options(&source->image, &options, err);
    if (status == WEFT_OK) {
        status = cli_load_data(source->path, &options, &data, err);
    }
    if (status == WEFT_ERR_MISMATCH && with_labels) {
        return explain_labels(net, model, source->path, options, err);
    }
    if (status == WEFT_OK) {
        status = cli_check_fit(net, model, data, source->path, with_labels, err);
    }
    if (status != WEFT_OK) {
        weft_dataset_free(data);
        return status;
    }
    *out = data;
    return WEFT_OK;
}

const char *cli_activation_choice(size_t index)
{
    return weft_activation_name((weft_activation)index);
}

const char *cli_output_choice(size_t index)
{
    return index == 0 ? "auto" : weft_output_name((weft_output)(index - 1));
}

const char *cli_scale_choice(size_t index)
{
    return weft_scale_kind_name((weft_scale_kind)index);
}

const char *cli_norm_choice(size_t index)
{
    return weft_norm_name((weft_norm)index);
}

const char *cli_init_choice(size_t index)
{
    return weft_init_name((weft_init)index);
}

const char *cli_schedule_choice(size_t index)
{
    return weft_schedule_name((weft_schedule)index);
}

const char *cli_optimizer_choice(size_t index)
{
    return weft_optimizer_name((weft_optimizer)index);
}

const char *cli_watched_choice(size_t index)
{
    return weft_watched_name((weft_watched)index);
}

const char *cli_mode_choice(size_t index)
{
    static const char *const names[] = {"auto", "grey", "rgb"};
    return names[index];
}

const char *cli_missing_choice(size_t index)
{
    return weft_missing_name((weft_missing)index);
}

const char *cli_split_choice(size_t index)
{
    static const char *const names[] = {"auto", "train", "test"};
    return names[index];
}

weft_split cli_split_of(size_t choice, const char *path)
{
    if (choice != 0) {
        return choice == 1 ? WEFT_SPLIT_TRAIN : WEFT_SPLIT_TEST;
    }
    bool only_train = cli_is_directory(path) && !weft_dataset_has_split(path, WEFT_SPLIT_TEST);
    return only_train ? WEFT_SPLIT_TRAIN : WEFT_SPLIT_TEST;
}
