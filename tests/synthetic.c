/* See synthetic.h. */
#include "synthetic.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/rng.h"
#include "ops/team.h"
#include "reference.h"

#define MAX_HIDDEN 8

enum { STREAM_CORNER = 11, STREAM_NOISE, STREAM_FEATURES, STREAM_MIX };

static void must(weft_status status, const weft_error *err)
{
    if (status != WEFT_OK) {
        fprintf(stderr, "synthetic: %s\n", err->message);
        exit(1);
    }
}

static weft_dataset *dataset(const weft_tensor *x, const weft_targets *targets, size_t n_classes)
{
    weft_dataset *data = NULL;
    weft_error err;
    must(weft_dataset_from_memory(x, targets, NULL, n_classes, &data, &err), &err);
    return data;
}

weft_dataset *synthetic_classes(weft_dtype dtype, size_t n, size_t n_features, size_t n_classes,
                                double noise, uint64_t seed)
{
    weft_tensor x = {0};
    int32_t *classes = reference_alloc(n, sizeof *classes);
    must(weft_tensor_init(&x, dtype, n, n_features), &(weft_error){.message = "no memory"});
    for (size_t i = 0; i < n; i++) {
        size_t class = i % n_classes;
        classes[i] = (int32_t) class;
        for (size_t j = 0; j < n_features; j++) {
            uint64_t bit = weft_rng_u64(seed, STREAM_CORNER, class * n_features + j) & 1;
            double corner = bit != 0 ? 1 : -1;
            double u = 2 * weft_rng_uniform(seed, STREAM_NOISE, i * n_features + j) - 1;
            double value = corner + 2 * noise * u;
            if (dtype == WEFT_U8) {
                ((uint8_t *)x.data)[i * x.ld + j] = (uint8_t)fmin(fmax(128 + 64 * value, 0), 255);
            } else {
                ((float *)x.data)[i * x.ld + j] = (float)value;
            }
        }
    }
    weft_targets targets = {.kind = WEFT_LABELS_CLASSES, .classes = classes};
    weft_dataset *data = dataset(&x, &targets, n_classes);
    weft_tensor_release(&x);
    free(classes);
    return data;
}

weft_dataset *synthetic_values(size_t n, size_t n_features, size_t n_values, uint64_t seed)
{
    float *x = reference_alloc(n * n_features, sizeof *x);
    float *values = reference_alloc(n * n_values, sizeof *values);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n_features; j++) {
            x[i * n_features + j] =
                (float)weft_rng_normal(seed, STREAM_FEATURES, i * n_features + j);
        }
        for (size_t k = 0; k < n_values; k++) {
            double sum = 0;
            for (size_t j = 0; j < n_features; j++) {
                sum += (double)x[i * n_features + j] *
                       weft_rng_normal(seed, STREAM_MIX, k * n_features + j);
            }
            values[i * n_values + k] = (float)(0.5 + 0.5 * sin(sum));
        }
    }
    weft_dataset *data = synthetic_from(x, n, n_features, NULL, 0, values, n_values);
    free(x);
    free(values);
    return data;
}

weft_dataset *synthetic_from(const float *x, size_t n, size_t n_features, const int32_t *classes,
                             size_t n_classes, const float *values, size_t n_values)
{
    /* A tensor of the caller's memory holds no const; it is only read. */
    weft_tensor view =
        weft_tensor_borrow(WEFT_F32, (void *)(uintptr_t)x, n, n_features, n_features);
    weft_targets targets = {.kind = classes != NULL ? WEFT_LABELS_CLASSES : WEFT_LABELS_VALUES,
                            .classes = classes,
                            .values = values,
                            .n_values = n_values};
    return dataset(&view, &targets, n_classes);
}

weft_net *synthetic_net(size_t n_inputs, const size_t *hidden, weft_activation activation,
                        size_t n_outputs, weft_output output, uint64_t seed)
{
    weft_activation activations[MAX_HIDDEN];
    size_t n_hidden = 0;
    while (n_hidden < MAX_HIDDEN && hidden[n_hidden] != 0) {
        activations[n_hidden++] = activation;
    }
    weft_net_options options = {.n_inputs = n_inputs,
                                .n_outputs = n_outputs,
                                .n_hidden = n_hidden,
                                .hidden = hidden,
                                .activations = activations,
                                .output = output};
    weft_net *net = NULL;
    weft_error err;
    must(weft_net_new(&options, &net, &err), &err);
    must(weft_net_init(net, WEFT_INIT_AUTO, 0, seed, &err), &err);
    return net;
}

void synthetic_scale(weft_net *net, const weft_dataset *data, weft_scale_kind kind)
{
    weft_scaling scaling = {0};
    weft_error err;
    must(weft_scaling_fit(data, kind, &scaling, &err), &err);
    must(weft_net_set_scaling(net, &scaling, &err), &err);
    weft_scaling_release(&scaling);
}

weft_context *synthetic_context(size_t n_threads)
{
    weft_context_options options = weft_context_options_default();
    weft_context *context = NULL;
    weft_error err;
    options.n_threads = n_threads;
    must(weft_context_new(&options, &context, &err), &err);
    context->flop_per_thread = 0; /* all threads, however small the work */
    return context;
}

float *synthetic_params(const weft_net *net)
{
    float *params = reference_alloc(weft_net_n_params(net), sizeof *params);
    weft_net_get_params(net, params);
    return params;
}
