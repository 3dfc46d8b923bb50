/* Networks from options: the output that the labels ask for, hidden layers, scaling. */
#include "cli/net_setup.h"

#include "base/fail.h"
#include "base/mem.h"

weft_status cli_check_activations(const struct cli_net_args *args, weft_error *err)
{
    size_t n_hidden = args->hidden.n, n_names = args->activation.n;
    if (n_names != 1 && n_names != n_hidden) {
        return weft_fail(err, WEFT_ERR_ARG,
                         "--activation: wanted one name, or one for each of the %zu hidden layers; "
                         "got %zu",
                         n_hidden, n_names);
    }
    if (args->norm.n > 1 && args->norm.n != n_hidden) {
        return weft_fail(err, WEFT_ERR_ARG,
                         "--norm: wanted one name, or one for each of the %zu hidden layers; got "
                         "%zu",
                         n_hidden, args->norm.n);
    }
    return WEFT_OK;
}

weft_label_kind cli_labels_for_output(size_t output)
{
    return output == 1 + WEFT_OUTPUT_SOFTMAX    ? WEFT_LABELS_CLASSES
           : output == 1 + WEFT_OUTPUT_IDENTITY ? WEFT_LABELS_VALUES
                                                : WEFT_LABELS_AUTO;
}

static bool all_zero_or_one(const weft_targets *targets, size_t n_samples)
{
    for (size_t i = 0; i < n_samples * targets->n_values; i++) {
        if (targets->values[i] != 0 && targets->values[i] != 1) {
            return false;
        }
    }
    return true;
}

/* Output layer for classes: one sigmoid for two, else softmax. */
static weft_status choose_for_classes(const weft_dataset *data, const char *path, size_t wanted,
                                      weft_net_options *options, weft_error *err)
{
    size_t n = weft_dataset_n_classes(data);
    if (n < 2) {
        return weft_fail(err, WEFT_ERR_MISMATCH, "%s: wanted at least two classes; got %zu%s%s%s",
                         path, n, n == 1 ? " ('" : "",
                         n == 1 ? weft_dataset_class_name(data, 0) : "", n == 1 ? "')" : "");
    }
    if (wanted == 1 + WEFT_OUTPUT_SIGMOID && n != 2) {
        return weft_fail(err, WEFT_ERR_MISMATCH,
                         "%s: --output sigmoid wanted two classes, or columns of 0 and 1; got %zu "
                         "classes",
                         path, n);
    }
    options->output = wanted == 0 ? (n == 2 ? WEFT_OUTPUT_SIGMOID : WEFT_OUTPUT_SOFTMAX)
                                  : (weft_output)(wanted - 1);
    options->n_outputs = options->output == WEFT_OUTPUT_SIGMOID ? 1 : n;
    return WEFT_OK;
}

weft_status cli_choose_output(const struct cli_net_args *args, const weft_dataset *data,
                              const char *path, weft_net_options *options, weft_error *err)
{
    weft_targets targets = weft_dataset_targets(data);
    if (targets.kind == WEFT_LABELS_CLASSES) {
        return choose_for_classes(data, path, args->output, options, err);
    }
    if (targets.kind != WEFT_LABELS_VALUES) {
        return weft_fail(err, WEFT_ERR_MISMATCH, "%s: wanted labels to train towards; got none",
                         path);
    }
    bool labels = targets.n_values > 1 && args->output == 0 &&
                  all_zero_or_one(&targets, weft_dataset_samples(data));
    options->n_outputs = targets.n_values;
    options->output = args->output > 0 ? (weft_output)(args->output - 1)
                      : labels         ? WEFT_OUTPUT_SIGMOID
                                       : WEFT_OUTPUT_IDENTITY;
    return WEFT_OK;
}

weft_status cli_make_net(const struct cli_net_args *args, weft_net_options *options, weft_net **out,
                         weft_error *err)
{
    weft_activation *activations = weft_mem_alloc(args->hidden.n, sizeof *activations);
    weft_norm *norms = weft_mem_zalloc(args->hidden.n, sizeof *norms);
    if (activations == NULL || norms == NULL) {
        weft_mem_free(activations);
        weft_mem_free(norms);
        return weft_fail_nomem(err, "activations");
    }
    for (size_t i = 0; i < args->hidden.n; i++) {
        size_t from = args->activation.n == 1 ? 0 : i;
        activations[i] = (weft_activation)args->activation.items[from];
        if (args->norm.n > 0) {
            norms[i] = (weft_norm)args->norm.items[args->norm.n == 1 ? 0 : i];
        }
    }
    options->n_hidden = args->hidden.n;
    options->hidden = args->hidden.items;
    options->activations = activations;
    options->norms = norms;
    weft_status status = weft_net_new(options, out, err);
    options->activations = NULL;
    options->norms = NULL;
    weft_mem_free(activations);
    weft_mem_free(norms);
    return status;
}

weft_status cli_fit_scaling(weft_net *net, const weft_dataset *data, size_t scale, weft_error *err)
{
    weft_scaling scaling = {0};
    weft_status status = weft_scaling_fit(data, (weft_scale_kind)scale, &scaling, err);
    if (status == WEFT_OK) {
        status = weft_net_set_scaling(net, &scaling, err);
    }
    weft_scaling_release(&scaling);
    return status;
}

void cli_print_data(FILE *stream, const char *path, const weft_dataset *data)
{
    size_t dims[4], n = weft_dataset_shape(data, dims);
    fprintf(stream, "%s: %zu samples of ", path, weft_dataset_samples(data));
    for (size_t i = 0; i < n; i++) {
        fprintf(stream, "%s%zu", i > 0 ? " x " : "", dims[i]);
    }
    fprintf(stream, "%s", n == 1 ? " numbers" : "");
    if (weft_dataset_targets(data).kind == WEFT_LABELS_CLASSES) {
        fprintf(stream, ", %zu classes", weft_dataset_n_classes(data));
    } else {
        fprintf(stream, ", %zu value%s", weft_dataset_targets(data).n_values,
                weft_dataset_targets(data).n_values == 1 ? "" : "s");
    }
    fprintf(stream, " (%s)", weft_dataset_format(data));
}

void cli_print_shape(FILE *stream, const weft_net *net)
{
    fprintf(stream, "%zu", weft_net_n_inputs(net));
    for (size_t i = 0; i < weft_net_n_layers(net); i++) {
        fprintf(stream, "-%zu", weft_net_width(net, i));
    }
}

void cli_print_network(FILE *stream, const weft_net *net)
{
    cli_print_shape(stream, net);
    for (size_t i = 0; i + 1 < weft_net_n_layers(net); i++) {
        weft_activation activation = weft_net_activation(net, i);
        if (i == 0 || activation != weft_net_activation(net, i - 1)) {
            fprintf(stream, ", %s", weft_activation_name(activation));
        }
        weft_norm norm = weft_net_norm(net, i);
        if (norm != WEFT_NORM_NONE && (i == 0 || norm != weft_net_norm(net, i - 1))) {
            fprintf(stream, ", %s normalisation", weft_norm_name(norm));
        }
    }
    fprintf(stream, ", %s; %zu parameters; inputs scaled: %s",
            weft_output_name(weft_net_output(net)), weft_net_n_params(net),
            weft_scale_kind_name(weft_net_scaling(net)->kind));
}
