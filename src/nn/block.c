/* Blocks of parameters: to and from the order of the interface, and without batch normalisation. */
#include <math.h>
#include <string.h>

#include <weft/net.h>

#include "base/fail.h"
#include "base/mem.h"
#include "nn/layers.h"

size_t weft_net_n_params(const weft_net *net)
{
    size_t n = 0;
    for (size_t l = 0; l < net->n_layers; l++) {
        const struct weft_layer *layer = &net->layers[l];
        size_t n_rows = layer->linear.n_in + 1 + (layer->norm != WEFT_NORM_NONE ? 2 : 0);
        n += n_rows * layer->linear.n_out;
    }
    return n;
}

size_t weft_net_n_statistics(const weft_net *net)
{
    size_t n = 0;
    for (size_t l = 0; l < net->n_layers; l++) {
        n += net->layers[l].norm == WEFT_NORM_BATCH ? 2 * net->layers[l].linear.n_out : 0;
    }
    return n;
}

bool weft_net_has_statistics(const weft_net *net)
{
    return net->block_len > net->statistics_at;
}

/* Copies between a block and a row of numbers, in the direction that is asked for. */
struct walk {
    float *block, *row;
    bool from_row;
};

static void copy(struct walk *walk, size_t at)
{
    float *element = walk->block + at;
    if (walk->from_row) {
        *element = *walk->row;
    } else {
        *walk->row = *element;
    }
    walk->row++;
}

/* Two arrays of n numbers, a stride apart. */
static void copy_pair(struct walk *walk, size_t at, size_t n)
{
    for (size_t k = 0; k < 2; k++) {
        for (size_t o = 0; o < n; o++) {
            copy(walk, at + k * weft_norm_stride(n) + o);
        }
    }
}

static void copy_params(const weft_net *net, struct walk walk)
{
    for (size_t l = 0; l < net->n_layers; l++) {
        const struct weft_layer *layer = &net->layers[l];
        const struct weft_linear *linear = &layer->linear;
        for (size_t o = 0; o < linear->n_out; o++) {
            for (size_t i = 0; i < linear->n_in; i++) {
                copy(&walk, layer->at + weft_linear_at(linear, i, o));
            }
        }
        for (size_t o = 0; o < linear->n_out; o++) {
            copy(&walk, layer->at + weft_linear_at(linear, linear->n_in, o));
        }
        if (layer->norm != WEFT_NORM_NONE) {
            copy_pair(&walk, layer->norm_at, linear->n_out);
        }
    }
}

static void copy_statistics(const weft_net *net, struct walk walk)
{
    for (size_t l = 0; l < net->n_layers; l++) {
        const struct weft_layer *layer = &net->layers[l];
        if (layer->norm == WEFT_NORM_BATCH) {
            copy_pair(&walk, layer->statistics_at, layer->linear.n_out);
        }
    }
}

/* What is only read in a walk is not written to. */
void weft_block_export(const weft_net *net, const float *block, float *params)
{
    copy_params(net, (struct walk){.block = (float *)block, .row = params});
}

void weft_block_import(const weft_net *net, const float *params, float *block)
{
    copy_params(net, (struct walk){.block = block, .row = (float *)params, .from_row = true});
}

/* Where element k of such a part is. */
static size_t place_of(const struct weft_layer *layer, enum weft_block_kind kind, size_t k)
{
    const struct weft_linear *linear = &layer->linear;
    size_t stride = weft_norm_stride(linear->n_out);
    switch (kind) {
    case WEFT_BLOCK_BIAS:
        return layer->at + weft_linear_at(linear, linear->n_in, k);
    case WEFT_BLOCK_GAMMA:
        return layer->norm_at + k;
    case WEFT_BLOCK_BETA:
        return layer->norm_at + stride + k;
    case WEFT_BLOCK_MEAN:
        return layer->statistics_at + k;
    case WEFT_BLOCK_VAR:
        return layer->statistics_at + stride + k;
    case WEFT_BLOCK_WEIGHT:
    case WEFT_N_BLOCK_KINDS:
        break;
    }
    return layer->at + weft_linear_at(linear, k % linear->n_in, k / linear->n_in);
}

void weft_block_part(const weft_net *net, const float *block, size_t layer,
                     enum weft_block_kind kind, size_t from, size_t n, float *out)
{
    for (size_t k = 0; k < n; k++) {
        out[k] = block[place_of(&net->layers[layer], kind, from + k)];
    }
}

void weft_block_set_part(const weft_net *net, const float *values, size_t layer,
                         enum weft_block_kind kind, float *block)
{
    const struct weft_linear *linear = &net->layers[layer].linear;
    size_t n = kind == WEFT_BLOCK_WEIGHT ? linear->n_in * linear->n_out : linear->n_out;
    for (size_t k = 0; k < n; k++) {
        block[place_of(&net->layers[layer], kind, k)] = values[k];
    }
}

void weft_net_get_params(const weft_net *net, float *params)
{
    weft_block_export(net, net->params, params);
}

void weft_net_set_params(weft_net *net, const float *params)
{
    weft_block_import(net, params, net->params);
}

void weft_net_get_statistics(const weft_net *net, float *statistics)
{
    copy_statistics(net, (struct walk){.block = net->params, .row = statistics});
}

void weft_net_set_statistics(weft_net *net, const float *statistics)
{
    copy_statistics(
        net, (struct walk){.block = net->params, .row = (float *)statistics, .from_row = true});
}

void weft_net_reset_norms(weft_net *net)
{
    for (size_t l = 0; l < net->n_layers; l++) {
        const struct weft_layer *layer = &net->layers[l];
        size_t n = layer->linear.n_out, stride = weft_norm_stride(n);
        for (size_t o = 0; layer->norm != WEFT_NORM_NONE && o < n; o++) {
            net->params[layer->norm_at + o] = 1;
            net->params[layer->norm_at + stride + o] = 0;
        }
        for (size_t o = 0; layer->norm == WEFT_NORM_BATCH && o < n; o++) {
            net->params[layer->statistics_at + o] = 0;
            net->params[layer->statistics_at + stride + o] = 1;
        }
    }
}

/* W' = s W, b' = s (b - mean) + beta, s = gamma / sqrt(var + epsilon) (Ioffe & Szegedy 2015,
 * algorithm 2, step 11) */
static void fold_layer(const struct weft_layer *layer, const float *params, float *block)
{
    const struct weft_linear *linear = &layer->linear;
    size_t stride = weft_norm_stride(linear->n_out);
    const float *gamma = params + layer->norm_at, *beta = gamma + stride;
    const float *mean = params + layer->statistics_at, *var = mean + stride;
    float *w = block + layer->at;
    for (size_t o = 0; o < linear->n_out; o++) {
        double s = (double)gamma[o] / sqrt((double)var[o] + (double)WEFT_NORM_EPSILON);
        for (size_t i = 0; i < linear->n_in; i++) {
            float *weight = w + weft_linear_at(linear, i, o);
            *weight = (float)(s * (double)*weight);
        }
        float *bias = w + weft_linear_at(linear, linear->n_in, o);
        *bias = (float)(s * ((double)*bias - (double)mean[o]) + (double)beta[o]);
    }
}

void weft_block_fold(const weft_net *net, float *block)
{
    memcpy(block, net->params, net->block_len * sizeof *block);
    for (size_t l = 0; l < net->n_layers; l++) {
        if (net->layers[l].norm == WEFT_NORM_BATCH) {
            fold_layer(&net->layers[l], net->params, block);
        }
    }
}

/* What options of a network say of the hidden layers of another one. */
struct shape {
    size_t *hidden;
    weft_activation *activations;
    weft_norm *norms;
};

static weft_status new_folded(const weft_net *net, const struct shape *shape, weft_net **out,
                              weft_error *err)
{
    for (size_t l = 0; l + 1 < net->n_layers; l++) {
        weft_norm norm = net->layers[l].norm;
        shape->hidden[l] = net->layers[l].linear.n_out;
        shape->activations[l] = net->layers[l].f;
        shape->norms[l] = norm == WEFT_NORM_BATCH ? WEFT_NORM_NONE : norm;
    }
    const weft_net_options options = {
        .n_inputs = weft_net_n_inputs(net),
        .n_outputs = weft_net_n_outputs(net),
        .n_hidden = net->n_layers - 1,
        .hidden = shape->hidden,
        .activations = shape->activations,
        .output = net->output,
        .norms = shape->norms,
    };
    return weft_net_new(&options, out, err);
}

/* The parameters that both networks have. */
static void copy_layers(const weft_net *net, const float *block, weft_net *to)
{
    for (size_t l = 0; l < net->n_layers; l++) {
        const struct weft_layer *from = &net->layers[l], *layer = &to->layers[l];
        memcpy(to->params + layer->at, block + from->at, layer->linear.len * sizeof *block);
        if (layer->norm != WEFT_NORM_NONE) {
            memcpy(to->params + layer->norm_at, block + from->norm_at,
                   2 * weft_norm_stride(layer->linear.n_out) * sizeof *block);
        }
    }
}

weft_status weft_net_fold(const weft_net *net, weft_net **out, weft_error *err)
{
    size_t n_hidden = net->n_layers - 1;
    struct shape shape = {weft_mem_alloc(n_hidden, sizeof *shape.hidden),
                          weft_mem_alloc(n_hidden, sizeof *shape.activations),
                          weft_mem_alloc(n_hidden, sizeof *shape.norms)};
    float *block = weft_mem_alloc(net->block_len, sizeof *block);
    weft_net *folded = NULL;
    weft_status status =
        shape.hidden == NULL || shape.activations == NULL || shape.norms == NULL || block == NULL
            ? weft_fail_nomem(err, "a network")
            : new_folded(net, &shape, &folded, err);
    if (status == WEFT_OK) {
        weft_block_fold(net, block);
        copy_layers(net, block, folded);
        status = weft_net_set_scaling(folded, &net->scaling, err);
    }
    if (status == WEFT_OK) {
        status = weft_net_set_class_names(folded, (const char *const *)net->class_names,
                                          net->n_class_names, err);
    }
    if (status == WEFT_OK && net->columns.n > 0) {
        status = weft_net_set_columns(folded, &net->columns, err);
    }
    weft_mem_free(shape.hidden);
    weft_mem_free(shape.activations);
    weft_mem_free(shape.norms);
    weft_mem_free(block);
    if (status != WEFT_OK) {
        weft_net_free(folded);
        return status;
    }
    *out = folded;
    return WEFT_OK;
}
