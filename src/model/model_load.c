/* Reading a network from a safetensors file, by whomever it was written. */
#include <weft/model.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/mem.h"
#include "model/model_parts.h"
#include "nn/layers.h"

static weft_status check_finite(const char *path, const struct weft_st_tensor *tensor,
                                const float *values, weft_error *err)
{
    for (size_t i = 0; i < tensor->count; i++) {
        if (!isfinite(values[i])) {
            return weft_fail(err, WEFT_ERR_FORMAT,
                             "%s: '%.80s': element %zu of %zu is %g, wanted a finite float32", path,
                             tensor->name, i, tensor->count, (double)values[i]);
        }
    }
    return WEFT_OK;
}

static weft_status read_finite(struct weft_st_file *file, const struct weft_st_tensor *tensor,
                               float *values, weft_error *err)
{
    weft_status status = weft_st_read(file, tensor, values, err);
    return status == WEFT_OK ? check_finite(file->path, tensor, values, err) : status;
}

/* n numbers from the tensor, or the default where there is none; *values goes on behind them. */
static weft_status read_vector(struct weft_st_file *file, const struct weft_st_tensor *tensor,
                               float otherwise, size_t n, float **values, weft_error *err)
{
    float *to = *values;
    *values += n;
    for (size_t i = 0; tensor == NULL && i < n; i++) {
        to[i] = otherwise;
    }
    return tensor == NULL ? WEFT_OK : read_finite(file, tensor, to, err);
}

/* The parameters of a layer in the order of weft_net_set_params(). */
static weft_status read_layer(struct weft_st_file *file, const struct weft_model_layer *layer,
                              float **params, weft_error *err)
{
    size_t n_out = layer->weight->dims[0];
    weft_status status = read_vector(file, layer->weight, 0, layer->weight->count, params, err);
    if (status == WEFT_OK) {
        status = read_vector(file, layer->bias, 0, n_out, params, err);
    }
    if (status == WEFT_OK && layer->gamma != NULL) {
        status = read_vector(file, layer->gamma, 1, n_out, params, err);
    }
    if (status == WEFT_OK && layer->gamma != NULL) {
        status = read_vector(file, layer->beta, 0, n_out, params, err);
    }
    return status;
}

/* What batch normalisation predicts with, in the order of weft_net_set_statistics(). */
static weft_status read_statistics(struct weft_st_file *file, const struct weft_model_layer *layer,
                                   float **statistics, weft_error *err)
{
    size_t n_out = layer->weight->dims[0];
    const float *var = *statistics + n_out;
    weft_status status = read_vector(file, layer->mean, 0, n_out, statistics, err);
    if (status == WEFT_OK) {
        status = read_vector(file, layer->var, 1, n_out, statistics, err);
    }
    for (size_t i = 0; status == WEFT_OK && i < n_out; i++) {
        if (var[i] < 0) {
            status = weft_fail(err, WEFT_ERR_FORMAT,
                               "%s: '%.80s': element %zu is %g, wanted a variance of 0 or more",
                               file->path, layer->var->name, i, (double)var[i]);
        }
    }
    return status;
}

static weft_status set_params(weft_net *net, struct weft_st_file *file,
                              const struct weft_model_layer *layers, size_t n_layers,
                              weft_error *err)
{
    size_t n_params = weft_net_n_params(net);
    float *params = weft_mem_alloc(n_params + weft_net_n_statistics(net), sizeof *params);
    if (params == NULL) {
        return weft_fail_nomem(err, "the parameters of a model");
    }
    float *param = params, *statistic = params + n_params;
    weft_status status = WEFT_OK;
    for (size_t l = 0; status == WEFT_OK && l < n_layers; l++) {
        status = read_layer(file, &layers[l], &param, err);
        if (status == WEFT_OK && layers[l].mean != NULL) {
            status = read_statistics(file, &layers[l], &statistic, err);
        }
    }
    if (status == WEFT_OK) {
        weft_net_set_params(net, params);
        weft_net_set_statistics(net, params + n_params);
    }
    weft_mem_free(params);
    return status;
}

/* What the network says against the file is about the file. */
static weft_status blame_file(const char *path, weft_status status, const weft_error *why,
                              weft_error *err)
{
    status = status == WEFT_ERR_ARG ? WEFT_ERR_MISMATCH : status;
    return weft_fail(err, status, "%s: %s", path, why->message);
}

static weft_status new_net(const char *path, const struct weft_model_layer *layers, size_t n_layers,
                           const struct weft_model_meta *meta, weft_net **out, weft_error *err)
{
    size_t *hidden = weft_mem_alloc(n_layers - 1, sizeof *hidden);
    weft_norm *norms = weft_mem_alloc(n_layers - 1, sizeof *norms);
    if (hidden == NULL || norms == NULL) {
        weft_mem_free(hidden);
        weft_mem_free(norms);
        return weft_fail_nomem(err, "the layers of a model");
    }
    for (size_t l = 0; l + 1 < n_layers; l++) {
        hidden[l] = layers[l].weight->dims[0];
        norms[l] = layers[l].gamma == NULL  ? WEFT_NORM_NONE
                   : layers[l].mean != NULL ? WEFT_NORM_BATCH
                                            : WEFT_NORM_LAYER;
    }
    const weft_net_options options = {
        .n_inputs = layers[0].weight->dims[1],
        .n_outputs = layers[n_layers - 1].weight->dims[0],
        .n_hidden = n_layers - 1,
        .hidden = hidden,
        .activations = meta->activations,
        .output = meta->output,
        .norms = norms,
    };
    weft_error why;
    weft_status status = weft_net_new(&options, out, &why);
    weft_mem_free(hidden);
    weft_mem_free(norms);
    if (status != WEFT_OK) {
        return blame_file(path, status, &why, err);
    }
    status = weft_net_set_scaling(*out, &meta->scaling, &why);
    return status == WEFT_OK ? WEFT_OK : blame_file(path, status, &why, err);
}

/* Builds the network of an open file whose layers are known. */
static weft_status build(struct weft_st_file *file, const struct weft_model_layer *layers,
                         size_t n_layers, const weft_model_hints *hints, weft_net **out,
                         weft_error *err)
{
    struct weft_model_meta meta;
    weft_status status =
        weft_model_meta_init(&meta, file, n_layers - 1, layers[0].weight->dims[1], hints, err);
    if (status != WEFT_OK) {
        return status;
    }
    weft_net *net = NULL;
    status = new_net(file->path, layers, n_layers, &meta, &net, err);
    weft_model_meta_release(&meta);
    if (status == WEFT_OK) {
        status = weft_model_name_classes(net, file, err);
    }
    if (status == WEFT_OK) {
        status = weft_model_read_columns(net, file, err);
    }
    if (status == WEFT_OK) {
        status = set_params(net, file, layers, n_layers, err);
    }
    if (status != WEFT_OK) {
        weft_net_free(net);
        return status;
    }
    *out = net;
    return WEFT_OK;
}

static weft_status read_net(struct weft_st_file *file, const weft_model_hints *hints,
                            weft_net **out, weft_error *err)
{
    struct weft_model_layer *layers = NULL;
    size_t n_layers = 0;
    weft_status status = weft_model_find_layers(file, &layers, &n_layers, err);
    if (status == WEFT_OK) {
        status = build(file, layers, n_layers, hints, out, err);
    }
    weft_mem_free(layers);
    return status;
}

weft_status weft_model_read(struct weft_st_file *file, weft_net **out, weft_error *err)
{
    return read_net(file, NULL, out, err);
}

weft_status weft_model_load(const char *path, const weft_model_hints *hints, weft_net **out,
                            weft_error *err)
{
    struct weft_st_file file;
    weft_status status = weft_st_open(&file, path, err);
    if (status != WEFT_OK) {
        return status;
    }
    status = read_net(&file, hints, out, err);
    weft_st_close(&file);
    return status;
}

/* The tensor of that name, with that shape. */
static weft_status find_part(const struct weft_st_file *file, const char *name, size_t n_dims,
                             const size_t *dims, const struct weft_st_tensor **out, weft_error *err)
{
    for (size_t i = 0; i < file->n_tensors; i++) {
        const struct weft_st_tensor *tensor = &file->tensors[i];
        if (strcmp(tensor->name, name) != 0) {
            continue;
        }
        if (tensor->n_dims != n_dims || memcmp(tensor->dims, dims, n_dims * sizeof *dims) != 0) {
            return weft_fail(err, WEFT_ERR_FORMAT,
                             "%s: '%s' has another shape than the network's layer", file->path,
                             name);
        }
        *out = tensor;
        return WEFT_OK;
    }
    return weft_fail(err, WEFT_ERR_FORMAT, "%s: lacks the tensor '%s'", file->path, name);
}

static weft_status read_parts(struct weft_st_file *file, const weft_net *net, const char *prefix,
                              const struct weft_model_tensor *parts, size_t n_parts, float *values,
                              float *block, weft_error *err)
{
    for (size_t i = 0; i < n_parts; i++) {
        const struct weft_st_tensor *tensor = NULL;
        char name[64];
        snprintf(name, sizeof name, "%s%s", prefix, parts[i].name);
        weft_status status = find_part(file, name, parts[i].n_dims, parts[i].dims, &tensor, err);
        if (status == WEFT_OK) {
            status = read_finite(file, tensor, values, err);
        }
        if (status != WEFT_OK) {
            return status;
        }
        weft_block_set_part(net, values, parts[i].layer, (enum weft_block_kind)parts[i].kind,
                            block);
    }
    return WEFT_OK;
}

weft_status weft_model_read_block(struct weft_st_file *file, const weft_net *net,
                                  const char *prefix, float *block, weft_error *err)
{
    size_t n_parts = weft_model_list_tensors(net, NULL);
    struct weft_model_tensor *parts = weft_mem_alloc(n_parts, sizeof *parts);
    float *values = weft_mem_alloc(weft_net_n_params(net), sizeof *values);
    weft_status status = WEFT_OK;
    if (parts == NULL || values == NULL) {
        status = weft_fail_nomem(err, "the state of training");
    } else {
        weft_model_list_tensors(net, parts);
        status = read_parts(file, net, prefix, parts, n_parts, values, block, err);
    }
    weft_mem_free(values);
    weft_mem_free(parts);
    return status;
}
