/* From options to data in memory and a network that fits them. */
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/mem.h"
#include "cli/strict_number.h"
#include "cli/train_job.h"

static bool given(const struct train_job *job, const void *variable)
{
    return cli_options_origin(job->options, variable) != CLI_BY_DEFAULT;
}

/* What --init-from leaves no room for. Its widths are compared here, the rest goes to the loader as
 * hints, which must agree with the file. */
static weft_status check_against_model(const struct train_job *job, weft_error *err)
{
    const struct train_args *args = job->args;
    size_t n_hidden = weft_net_n_layers(job->net) - 1;
    bool same = args->net.hidden.n == n_hidden;
    for (size_t i = 0; same && i < n_hidden; i++) {
        same = args->net.hidden.items[i] == weft_net_width(job->net, i);
    }
    if (given(job, &args->net.hidden) && !same) {
        return weft_fail(err, WEFT_ERR_MISMATCH,
                         "--hidden: contradicts %s, which --init-from starts from: it has %zu "
                         "hidden layer%s%s",
                         args->init_from, n_hidden, n_hidden == 1 ? "" : "s",
                         args->net.hidden.n == n_hidden ? " of other widths" : "");
    }
    const struct cli_list *norms = &args->net.norm;
    bool same_norms = norms->n == 1 || norms->n == n_hidden;
    for (size_t i = 0; same_norms && i < n_hidden; i++) {
        size_t norm = norms->items[norms->n == 1 ? 0 : i];
        same_norms = norm == (size_t)weft_net_norm(job->net, i);
    }
    if (given(job, norms) && !same_norms) {
        return weft_fail(err, WEFT_ERR_MISMATCH,
                         "--norm: contradicts %s, which --init-from starts from", args->init_from);
    }
    return WEFT_OK;
}

/* The network of a run that goes on is that of its checkpoint; options that differ are found later,
 * by name. */
static weft_status load_resumed(struct train_job *job, weft_error *err)
{
    return weft_model_load(job->checkpoints.last, NULL, &job->net, err);
}

static weft_status load_start(struct train_job *job, weft_error *err)
{
    const struct train_args *args = job->args;
    struct cli_hints hints = {.output = args->net.output, .scale = args->scale};
    if (given(job, &args->net.activation)) {
        hints.activation = args->net.activation;
    }
    weft_status status = cli_load_model(args->init_from, NULL, &hints, &job->net, err);
    return status == WEFT_OK ? check_against_model(job, err) : status;
}

/* What a network to start from knows of the columns of its table holds here, too. */
static weft_status check_columns(const struct train_job *job, weft_error *err)
{
    const struct train_args *args = job->args;
    const weft_columns *known = job->net == NULL ? NULL : weft_net_columns(job->net);
    if (known == NULL || ((!given(job, &args->missing) || args->missing == known->missing) &&
                          args->categorical == NULL)) {
        return WEFT_OK;
    }
    return weft_fail(
        err, WEFT_ERR_MISMATCH,
        "%s: contradicts %s, which --init-from starts from and which knows the columns "
        "of its table",
        args->categorical != NULL ? "--categorical" : "--missing", args->init_from);
}

static weft_dataset_options train_options(const struct train_job *job)
{
    weft_dataset_options options = weft_dataset_options_default();
    options.label = job->args->label;
    options.ignore = job->args->ignore;
    options.weight = job->args->sample_weight;
    options.missing = (weft_missing)job->args->missing;
    options.categorical = job->args->categorical;
    options.columns = job->net == NULL ? NULL : weft_net_columns(job->net);
    options.x_name = job->args->x;
    options.y_name = job->args->y;
    options.split = WEFT_SPLIT_TRAIN;
    options.most_bytes = train_memory_left(job);
    if (job->net != NULL) {
        cli_expect_labels_of(job->net, &options);
        options.n_inputs = weft_net_n_inputs(job->net);
    } else {
        options.labels = cli_labels_for_output(job->args->net.output);
    }
    return options;
}

/* Cuts the validation samples off the training set. */
static weft_status hold_out(struct train_job *job, weft_error *err)
{
    weft_dataset *rest = NULL;
    weft_error why;
    weft_status status =
        weft_dataset_split(job->data, job->val_fraction, job->args->seed, &rest, &job->val, &why);
    if (status != WEFT_OK) {
        return weft_fail(err, status == WEFT_ERR_ARG ? WEFT_ERR_MISMATCH : status,
                         "--val %g of %s: %s", job->val_fraction, job->args->data, why.message);
    }
    weft_dataset_free(job->data);
    job->data = rest;
    return train_cache(job, &job->val, err);
}

/* The name in the test file that goes with one in the training file: "train" becomes "test". */
static weft_status test_name_of(const char *chosen, const char *name, char **out, weft_error *err)
{
    const char *at = chosen == NULL && name != NULL ? strstr(name, "train") : NULL;
    const char *source = chosen != NULL ? chosen : name;
    char *result = source != NULL ? weft_mem_strdup(source) : NULL;
    if (source != NULL && result == NULL) {
        return weft_fail_nomem(err, "a name");
    }
    if (at != NULL) {
        size_t start = (size_t)(at - name);
        snprintf(result + start, strlen(name) + 1 - start, "test%s", at + strlen("train"));
    }
    *out = result;
    return WEFT_OK;
}

/* Names of the training set's classes, in an array to be freed. */
static weft_status class_names_of(const weft_dataset *data, const char ***out, weft_error *err)
{
    size_t n = weft_dataset_n_classes(data);
    const char **names = weft_mem_alloc(n, sizeof *names);
    if (names == NULL) {
        return weft_fail_nomem(err, "class names");
    }
    for (size_t i = 0; i < n; i++) {
        names[i] = weft_dataset_class_name(data, i);
    }
    *out = names;
    return WEFT_OK;
}

/* Test images are brought to the shape of the training images. */
static void take_shape(const struct train_job *job, weft_dataset_options *options)
{
    size_t dims[4], n = weft_dataset_shape(job->data, dims);
    options->invert = job->args->image.invert;
    if (strcmp(weft_dataset_format(job->data), "PNG") == 0) {
        options->image_height = dims[0];
        options->image_width = dims[1];
        options->image_channels = n == 3 ? dims[2] : 1;
    }
}

/* Loads another set with labels as the training set has them. */
static weft_status load_beside(const struct train_job *job, const char *path, const char *x,
                               const char *y, const char *const *names, weft_dataset **out,
                               weft_error *err)
{
    weft_dataset_options options = weft_dataset_options_default();
    options.labels = weft_dataset_targets(job->data).kind;
    options.split = cli_split_of(0, path);
    options.label = job->args->label;
    options.ignore = job->args->ignore;
    options.weight = job->args->sample_weight;
    options.columns = weft_dataset_columns(job->data);
    options.x_name = x;
    options.y_name = y;
    options.n_inputs = weft_dataset_features(job->data);
    take_shape(job, &options);
    if (options.labels == WEFT_LABELS_CLASSES) {
        options.class_names = names;
        options.n_class_names = weft_dataset_n_classes(job->data);
    }
    options.most_bytes = train_memory_left(job);
    weft_status status = cli_load_data(path, &options, out, err);
    size_t wanted = weft_dataset_features(job->data);
    if (status == WEFT_OK && weft_dataset_features(*out) != wanted) {
        return weft_fail(err, WEFT_ERR_MISMATCH,
                         "%s: wanted samples of %zu numbers, as in %s; got %zu", path, wanted,
                         job->args->data, weft_dataset_features(*out));
    }
    return status;
}

static weft_status load_test(struct train_job *job, weft_error *err)
{
    char *x = NULL, *y = NULL;
    const char **names = NULL;
    weft_status status = test_name_of(job->args->test_x, job->args->x, &x, err);
    if (status == WEFT_OK) {
        status = test_name_of(job->args->test_y, job->args->y, &y, err);
    }
    if (status == WEFT_OK) {
        status = class_names_of(job->data, &names, err);
    }
    if (status == WEFT_OK) {
        status = load_beside(job, job->args->test, x, y, names, &job->test, err);
    }
    weft_mem_free(names);
    weft_mem_free(x);
    weft_mem_free(y);
    return status;
}

static weft_status load_val(struct train_job *job, weft_error *err)
{
    const char **names = NULL;
    weft_status status = class_names_of(job->data, &names, err);
    if (status == WEFT_OK) {
        status = load_beside(job, job->val_path, job->args->x, job->args->y, names, &job->val, err);
    }
    weft_mem_free(names);
    return status;
}

/* "none" says that there is no test set; a directory's own test files need no saying. */
static weft_status resolve_test(struct train_job *job, weft_error *err)
{
    struct train_args *args = job->args;
    if (args->test == NULL) {
        bool own = weft_dataset_has_split(args->data, WEFT_SPLIT_TEST);
        if (!cli_text_assign(&args->test, own ? args->data : "none")) {
            return weft_fail_nomem(err, "a file name");
        }
    }
    if (strcmp(args->test, "none") != 0) {
        return load_test(job, err);
    }
    return args->test_every == 0
               ? WEFT_OK
               : weft_fail(err, WEFT_ERR_ARG, "--test-every: wanted a test set; got none");
}

static weft_status make_net(struct train_job *job, weft_error *err)
{
    const struct train_args *args = job->args;
    weft_net_options options = {.n_inputs = weft_dataset_features(job->data)};
    weft_status status = cli_choose_output(&args->net, job->data, args->data, &options, err);
    if (status == WEFT_OK) {
        status = cli_make_net(&args->net, &options, &job->net, err);
    }
    if (status == WEFT_OK) {
        status =
            weft_net_init(job->net, (weft_init)args->init, (float)args->init_std, args->seed, err);
    }
    return status == WEFT_OK ? cli_fit_scaling(job->net, job->data, args->scale, err) : status;
}

/* Where labels are several columns given by name, the outputs get these names. */
static weft_status name_outputs(struct train_job *job, weft_error *err)
{
    size_t n = weft_net_n_outputs(job->net), found = 0;
    char *copy = job->args->label != NULL ? weft_mem_strdup(job->args->label) : NULL;
    const char **names = weft_mem_alloc(n, sizeof *names);
    if (names == NULL || (copy == NULL && job->args->label != NULL)) {
        weft_mem_free(copy);
        weft_mem_free(names);
        return weft_fail_nomem(err, "names of the outputs");
    }
    bool by_name = true;
    char *rest = NULL;
    for (char *name = copy != NULL ? strtok_r(copy, ",", &rest) : NULL; name != NULL;
         name = strtok_r(NULL, ",", &rest)) {
        uint64_t index;
        by_name = by_name && !cli_parse_whole(name[0] == '-' ? name + 1 : name, &index);
        if (found < n) {
            names[found] = name;
        }
        found++;
    }
    weft_status status =
        by_name && found == n ? weft_net_set_class_names(job->net, names, n, err) : WEFT_OK;
    weft_mem_free(names);
    weft_mem_free(copy);
    return status;
}

static weft_status name_classes(struct train_job *job, weft_error *err)
{
    if (weft_net_n_classes(job->net) == 0) {
        return name_outputs(job, err);
    }
    const char **names = NULL;
    weft_status status = class_names_of(job->data, &names, err);
    if (status == WEFT_OK) {
        status = weft_net_set_class_names(job->net, names, weft_dataset_n_classes(job->data), err);
    }
    weft_mem_free(names);
    return status;
}

/* What is best for so many samples, where nothing else was asked for. */
static void resolve_size(struct train_job *job)
{
    struct train_args *args = job->args;
    weft_train_options usual =
        weft_train_options_for(weft_dataset_samples(job->data), weft_net_output(job->net));
    if (!given(job, &args->epochs)) {
        args->epochs = usual.epochs;
    }
    if (!given(job, &args->batch_size)) {
        args->batch_size = usual.batch_size;
    }
    if (!given(job, &args->label_smoothing)) {
        args->label_smoothing = usual.label_smoothing;
    }
}

/* Puts what the network turned out to be back into the arguments, for the config file. */
static weft_status resolve_args(struct train_job *job, weft_error *err)
{
    struct train_args *args = job->args;
    const weft_net *net = job->net;
    size_t n_hidden = weft_net_n_layers(net) - 1;
    args->net.output = 1 + (size_t)weft_net_output(net);
    args->scale = (size_t)weft_net_scaling(net)->kind;
    resolve_size(job);
    if (args->init_from == NULL) {
        return WEFT_OK;
    }
    size_t *numbers = weft_mem_alloc(n_hidden, 3 * sizeof *numbers);
    if (numbers == NULL) {
        return weft_fail_nomem(err, "options");
    }
    size_t *activations = numbers + n_hidden, *norms = activations + n_hidden;
    for (size_t i = 0; i < n_hidden; i++) {
        numbers[i] = weft_net_width(net, i);
        activations[i] = (size_t)weft_net_activation(net, i);
        norms[i] = (size_t)weft_net_norm(net, i);
    }
    bool ok = cli_list_assign(&args->net.hidden, numbers, n_hidden) &&
              (n_hidden == 0 || (cli_list_assign(&args->net.activation, activations, n_hidden) &&
                                 cli_list_assign(&args->net.norm, norms, n_hidden)));
    weft_mem_free(numbers);
    return ok ? WEFT_OK : weft_fail_nomem(err, "options");
}

static weft_status load_all(struct train_job *job, weft_error *err)
{
    struct train_args *args = job->args;
    weft_status status = job->resume != NULL       ? load_resumed(job, err)
                         : args->init_from != NULL ? load_start(job, err)
                                                   : WEFT_OK;
    if (status == WEFT_OK) {
        status = check_columns(job, err);
    }
    if (status == WEFT_OK) {
        weft_dataset_options options = train_options(job);
        status = cli_image_options(&args->image, &options, err);
        if (status == WEFT_OK) {
            status = cli_load_data(args->data, &options, &job->data, err);
        }
    }
    if (status == WEFT_OK) {
        status = resolve_test(job, err);
    }
    if (status == WEFT_OK && job->val_path != NULL) {
        status = load_val(job, err);
    }
    if (status == WEFT_OK && job->val_fraction > 0) {
        status = hold_out(job, err);
    }
    if (status == WEFT_OK) {
        status = train_resolve_shuffle(job, err);
    }
    if (status == WEFT_OK) {
        status = train_resolve_weights(job, err);
    }
    if (status == WEFT_OK && job->net == NULL) {
        status = make_net(job, err);
        status = status == WEFT_OK ? name_classes(job, err) : status;
    }
    if (status == WEFT_OK && weft_dataset_columns(job->data) != NULL) {
        status = weft_net_set_columns(job->net, weft_dataset_columns(job->data), err);
    }
    const char *model = args->init_from != NULL ? args->init_from : "the network";
    if (status == WEFT_OK) {
        status = cli_check_fit(job->net, model, job->data, args->data, true, err);
    }
    if (status == WEFT_OK && job->test != NULL) {
        status = cli_check_fit(job->net, model, job->test, args->test, true, err);
    }
    if (status == WEFT_OK && job->val_path != NULL) {
        status = cli_check_fit(job->net, model, job->val, job->val_path, true, err);
    }
    return status == WEFT_OK ? resolve_args(job, err) : status;
}

int train_load(struct train_job *job)
{
    weft_error err;
    weft_status status = load_all(job, &err);
    if (status == WEFT_OK) {
        return CLI_DONE;
    }
    /* What is left of bad arguments here are options such as a --hidden beyond every limit. */
    return cli_fail(job->command, status == WEFT_ERR_ARG ? CLI_USAGE : CLI_INPUT, &err);
}
