/* Networks: architecture, parameters, and what is stored with them. */
#include <weft/net.h>

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/mem.h"
#include "nn/layers.h"

#define MAX_HIDDEN 1000
#define MAX_PARAMS ((size_t)1 << 40)

static weft_status check_options(const weft_net_options *options, weft_error *err)
{
    if (options->n_inputs == 0 || options->n_outputs == 0) {
        return weft_fail(err, WEFT_ERR_ARG, "network: %zu inputs and %zu outputs, wanted >= 1",
                         options->n_inputs, options->n_outputs);
    }
    if (options->n_hidden > MAX_HIDDEN) {
        return weft_fail(err, WEFT_ERR_ARG, "network: %zu hidden layers, wanted at most %d",
                         options->n_hidden, MAX_HIDDEN);
    }
    for (size_t l = 0; l < options->n_hidden; l++) {
        if (options->hidden[l] == 0) {
            return weft_fail(err, WEFT_ERR_ARG, "network: hidden layer %zu has no units", l + 1);
        }
        if ((unsigned)options->activations[l] >= WEFT_N_ACTIVATIONS) {
            return weft_fail(err, WEFT_ERR_ARG, "network: hidden layer %zu: no activation %d",
                             l + 1, (int)options->activations[l]);
        }
        if (options->norms != NULL && (unsigned)options->norms[l] >= WEFT_N_NORMS) {
            return weft_fail(err, WEFT_ERR_ARG, "network: hidden layer %zu: no normalisation %d",
                             l + 1, (int)options->norms[l]);
        }
    }
    if ((unsigned)options->output >= WEFT_N_OUTPUTS) {
        return weft_fail(err, WEFT_ERR_ARG, "network: no output %d", (int)options->output);
    }
    if (options->output == WEFT_OUTPUT_SOFTMAX && options->n_outputs == 1) {
        return weft_fail(err, WEFT_ERR_ARG,
                         "network: softmax over 1 output is always 1, wanted 2 or more");
    }
    return WEFT_OK;
}

/* Lays the layers out one after another; false where that is more than MAX_PARAMS. No sum below
 * can wrap: each term is checked before it is added. */
static bool lay_out(weft_net *net, const weft_net_options *options)
{
    size_t at = 0;
    for (size_t l = 0; l < net->n_layers; l++) {
        bool last = l == options->n_hidden;
        size_t n_in = l == 0 ? options->n_inputs : options->hidden[l - 1];
        size_t n_out = last ? options->n_outputs : options->hidden[l];
        struct weft_linear linear = weft_linear_of(n_in, n_out);
        weft_norm norm = last || options->norms == NULL ? WEFT_NORM_NONE : options->norms[l];
        if (linear.len == 0 || linear.len > MAX_PARAMS - at) {
            return false;
        }
        net->layers[l] = (struct weft_layer){
            .linear = linear,
            .f = last ? WEFT_IDENTITY : options->activations[l],
            .at = at,
            .norm = norm,
            .norm_at = at + linear.len,
        };
        at += linear.len;
        if (norm != WEFT_NORM_NONE) { /* n_out is less than linear.len, so nothing wraps */
            at += 2 * weft_norm_stride(n_out);
        }
    }
    net->statistics_at = at;
    for (size_t l = 0; l < net->n_layers; l++) {
        if (net->layers[l].norm == WEFT_NORM_BATCH) {
            net->layers[l].statistics_at = at;
            at += 2 * weft_norm_stride(net->layers[l].linear.n_out);
        }
    }
    net->block_len = at;
    return at <= MAX_PARAMS;
}

static void free_names(char **names, size_t n)
{
    for (size_t i = 0; names != NULL && i < n; i++) {
        weft_mem_free(names[i]);
    }
    weft_mem_free(names);
}

/* names NULL: "0", "1", ... */
static char **copy_names(const char *const *names, size_t n)
{
    char **copy = weft_mem_zalloc(n, sizeof *copy);
    for (size_t i = 0; copy != NULL && i < n; i++) {
        char number[24];
        snprintf(number, sizeof number, "%zu", i);
        copy[i] = weft_mem_strdup(names != NULL ? names[i] : number);
        if (copy[i] == NULL) {
            free_names(copy, n);
            return NULL;
        }
    }
    return copy;
}

weft_status weft_net_new(const weft_net_options *options, weft_net **out, weft_error *err)
{
    weft_status status = check_options(options, err);
    if (status != WEFT_OK) {
        return status;
    }
    weft_net *net = weft_mem_zalloc(1, sizeof *net);
    if (net == NULL) {
        return weft_fail_nomem(err, "a network");
    }
    net->n_layers = options->n_hidden + 1;
    net->output = options->output;
    net->scaling.kind = WEFT_SCALE_NONE;
    net->layers = weft_mem_zalloc(net->n_layers, sizeof *net->layers);
    if (net->layers == NULL) {
        status = weft_fail_nomem(err, "a network");
        goto out;
    }
    if (!lay_out(net, options)) {
        status = weft_fail(err, WEFT_ERR_ARG,
                           "network: more than 2^40 parameters (rows padded to cache lines)");
        goto out;
    }
    net->n_class_names =
        weft_net_n_classes(net) != 0 ? weft_net_n_classes(net) : options->n_outputs;
    net->class_names = copy_names(NULL, net->n_class_names);
    net->params = weft_mem_zalloc(net->block_len, sizeof *net->params);
    if (net->class_names == NULL || net->params == NULL) {
        status = weft_fail(err, WEFT_ERR_NOMEM, "no memory for %zu parameters", net->block_len);
        goto out;
    }
    weft_net_reset_norms(net);
    *out = net;
    return WEFT_OK;
out:
    weft_net_free(net);
    return status;
}

void weft_net_free(weft_net *net)
{
    if (net == NULL) {
        return;
    }
    free_names(net->class_names, net->n_class_names);
    weft_mem_free(net->scaling.shift);
    weft_mem_free(net->scaling.scale);
    weft_columns_release(&net->columns);
    weft_mem_free(net->params);
    weft_mem_free(net->layers);
    weft_mem_free(net);
}

size_t weft_net_n_layers(const weft_net *net)
{
    return net->n_layers;
}

size_t weft_net_n_inputs(const weft_net *net)
{
    return net->layers[0].linear.n_in;
}

size_t weft_net_n_outputs(const weft_net *net)
{
    return net->layers[net->n_layers - 1].linear.n_out;
}

size_t weft_net_width(const weft_net *net, size_t layer)
{
    return net->layers[layer].linear.n_out;
}

weft_activation weft_net_activation(const weft_net *net, size_t layer)
{
    return net->layers[layer].f;
}

weft_norm weft_net_norm(const weft_net *net, size_t layer)
{
    return net->layers[layer].norm;
}

weft_output weft_net_output(const weft_net *net)
{
    return net->output;
}

static weft_status check_scaling(const weft_net *net, const weft_scaling *scaling, weft_error *err)
{
    if (scaling->n > 1 && scaling->n != weft_net_n_inputs(net)) {
        return weft_fail(err, WEFT_ERR_MISMATCH, "scaling of %zu features, the network has %zu",
                         scaling->n, weft_net_n_inputs(net));
    }
    for (size_t i = 0; i < scaling->n; i++) {
        if (!isfinite(scaling->shift[i]) || !isfinite(scaling->scale[i])) {
            return weft_fail(err, WEFT_ERR_ARG, "scaling of feature %zu is not finite", i);
        }
    }
    return WEFT_OK;
}

static float *copy_floats(const float *from, size_t n)
{
    float *copy = weft_mem_alloc(n, sizeof *copy);
    if (copy != NULL && n > 0) {
        memcpy(copy, from, n * sizeof *copy);
    }
    return copy;
}

weft_status weft_net_set_scaling(weft_net *net, const weft_scaling *scaling, weft_error *err)
{
    weft_status status = check_scaling(net, scaling, err);
    if (status != WEFT_OK) {
        return status;
    }
    float *shift = copy_floats(scaling->shift, scaling->n);
    float *scale = copy_floats(scaling->scale, scaling->n);
    if (shift == NULL || scale == NULL) {
        weft_mem_free(shift);
        weft_mem_free(scale);
        return weft_fail_nomem(err, "a scaling");
    }
    weft_mem_free(net->scaling.shift);
    weft_mem_free(net->scaling.scale);
    net->scaling = (weft_scaling){scaling->kind, scaling->n, shift, scale};
    return WEFT_OK;
}

const weft_scaling *weft_net_scaling(const weft_net *net)
{
    return &net->scaling;
}

weft_status weft_net_set_columns(weft_net *net, const weft_columns *columns, weft_error *err)
{
    if (columns->n_features != weft_net_n_inputs(net)) {
        return weft_fail(err, WEFT_ERR_MISMATCH, "columns of %zu features, the network has %zu",
                         columns->n_features, weft_net_n_inputs(net));
    }
    weft_columns copy;
    weft_status status = weft_columns_copy(columns, &copy, err);
    if (status == WEFT_OK) {
        weft_columns_release(&net->columns);
        net->columns = copy;
    }
    return status;
}

const weft_columns *weft_net_columns(const weft_net *net)
{
    return net->columns.n == 0 ? NULL : &net->columns;
}

size_t weft_net_n_classes(const weft_net *net)
{
    size_t n_outputs = weft_net_n_outputs(net);
    if (net->output == WEFT_OUTPUT_SOFTMAX) {
        return n_outputs;
    }
    return net->output == WEFT_OUTPUT_SIGMOID && n_outputs == 1 ? 2 : 0;
}

weft_status weft_net_set_class_names(weft_net *net, const char *const *names, size_t n,
                                     weft_error *err)
{
    if (n != net->n_class_names) {
        return weft_fail(err, WEFT_ERR_MISMATCH, "%zu class names, the network has %zu", n,
                         net->n_class_names);
    }
    char **copy = copy_names(names, n);
    if (copy == NULL) {
        return weft_fail_nomem(err, "class names");
    }
    free_names(net->class_names, n);
    net->class_names = copy;
    return WEFT_OK;
}

size_t weft_net_n_class_names(const weft_net *net)
{
    return net->n_class_names;
}

const char *weft_net_class_name(const weft_net *net, size_t index)
{
    return net->class_names[index];
}

const char *const *weft_net_class_names(const weft_net *net)
{
    return (const char *const *)net->class_names;
}

static weft_status check_classes(const weft_net *net, const weft_targets *targets, size_t n_samples,
                                 weft_error *err)
{
    size_t n_classes = weft_net_n_classes(net);
    if (n_classes == 0) {
        return weft_fail(err, WEFT_ERR_MISMATCH,
                         "the labels are classes, the network's %s output wants %zu values",
                         weft_output_name(net->output), weft_net_n_outputs(net));
    }
    for (size_t i = 0; i < n_samples; i++) {
        if (targets->classes[i] < 0 || (size_t)targets->classes[i] >= n_classes) {
            return weft_fail(err, WEFT_ERR_MISMATCH,
                             "sample %zu is of class %ld, the network knows 0..%zu", i,
                             (long)targets->classes[i], n_classes - 1);
        }
    }
    return WEFT_OK;
}

static weft_status check_values(const weft_net *net, const weft_targets *targets, size_t n_samples,
                                weft_error *err)
{
    if (net->output == WEFT_OUTPUT_SOFTMAX) {
        return weft_fail(err, WEFT_ERR_MISMATCH,
                         "the labels are values, the network's softmax output wants classes");
    }
    if (targets->n_values != weft_net_n_outputs(net)) {
        return weft_fail(err, WEFT_ERR_MISMATCH, "%zu values for each sample, the network has %zu",
                         targets->n_values, weft_net_n_outputs(net));
    }
    for (size_t i = 0; i < n_samples * targets->n_values; i++) {
        float y = targets->values[i];
        if (!isfinite(y) || (net->output == WEFT_OUTPUT_SIGMOID && (y < 0 || y > 1))) {
            return weft_fail(err, WEFT_ERR_MISMATCH, "sample %zu has the target %g, wanted %s",
                             i / targets->n_values, (double)y,
                             net->output == WEFT_OUTPUT_SIGMOID ? "0..1" : "a finite value");
        }
    }
    return WEFT_OK;
}

weft_status weft_net_check_targets(const weft_net *net, const weft_targets *targets,
                                   size_t n_samples, weft_error *err)
{
    for (size_t i = 0; targets->weights != NULL && i < n_samples; i++) {
        if (!(targets->weights[i] >= 0 && isfinite(targets->weights[i]))) {
            return weft_fail(err, WEFT_ERR_MISMATCH, "sample %zu has weight %g, wanted 0 or more",
                             i, (double)targets->weights[i]);
        }
    }
    switch (targets->kind) {
    case WEFT_LABELS_CLASSES:
        return check_classes(net, targets, n_samples, err);
    case WEFT_LABELS_VALUES:
        return check_values(net, targets, n_samples, err);
    case WEFT_LABELS_AUTO:
    case WEFT_LABELS_NONE:
        break;
    }
    return weft_fail(err, WEFT_ERR_MISMATCH, "the data have no labels");
}
