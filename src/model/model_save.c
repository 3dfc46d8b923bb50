/* Writing a network as a safetensors file. Nothing of time, host, path or threads goes into it. */
#include <weft/model.h>

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <weft/version.h>

#include "base/fail.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "model/model_parts.h"
#include "model/number_text.h"
#include "nn/layers.h"

enum { MAX_PAIRS = 10 };

/* The metadata: keys are literals, values the strings of `owned` or literals. */
struct metadata {
    struct weft_st_pair pairs[MAX_PAIRS];
    size_t n;
    char *owned[MAX_PAIRS];
    size_t n_owned;
};

static void add(struct metadata *metadata, const char *key, const char *value)
{
    assert(metadata->n < MAX_PAIRS);
    metadata->pairs[metadata->n++] = (struct weft_st_pair){key, value};
}

/* Takes value. */
static void add_owned(struct metadata *metadata, const char *key, char *value)
{
    add(metadata, key, value);
    metadata->owned[metadata->n_owned++] = value;
}

static void release(struct metadata *metadata)
{
    for (size_t i = 0; i < metadata->n_owned; i++) {
        weft_mem_free(metadata->owned[i]);
    }
}

/* "relu,tanh" */
static char *activations_text(const weft_net *net)
{
    size_t size = 1, n_hidden = weft_net_n_layers(net) - 1;
    for (size_t l = 0; l < n_hidden; l++) {
        size += strlen(weft_activation_name(weft_net_activation(net, l))) + 1;
    }
    char *text = weft_mem_alloc(size, 1);
    if (text == NULL) {
        return NULL;
    }
    text[0] = '\0';
    for (size_t l = 0, at = 0; l < n_hidden; l++) {
        at += (size_t)snprintf(text + at, size - at, "%s%s", l == 0 ? "" : ",",
                               weft_activation_name(weft_net_activation(net, l)));
    }
    return text;
}

/* "[0.5,1]" */
static char *floats_text(const float *values, size_t n)
{
    char *text = weft_mem_alloc(n + 1, WEFT_MAX_NUMBER);
    if (text == NULL) {
        return NULL;
    }
    size_t len = 0;
    text[len++] = '[';
    for (size_t i = 0; i < n; i++) {
        if (i > 0) {
            text[len++] = ',';
        }
        len += weft_number_text(text + len, values[i]);
    }
    text[len++] = ']';
    text[len] = '\0';
    return text;
}

char *weft_model_class_names_text(const weft_net *net)
{
    json_t *list = json_array();
    int failed = list == NULL;
    for (size_t i = 0; i < weft_net_n_class_names(net) && !failed; i++) {
        failed = json_array_append_new(list, json_string(weft_net_class_name(net, i)));
    }
    size_t len = failed ? 0 : json_dumpb(list, NULL, 0, JSON_COMPACT);
    char *text = len == 0 ? NULL : weft_mem_alloc(len + 1, 1);
    if (text != NULL) {
        text[json_dumpb(list, text, len, JSON_COMPACT)] = '\0';
    }
    json_decref(list);
    return text;
}

/* false: no memory */
static bool describe(const weft_net *net, struct metadata *metadata)
{
    const weft_scaling *scaling = weft_net_scaling(net);
    weft_scale_kind kind = scaling->kind == WEFT_SCALE_AUTO ? WEFT_SCALE_NONE : scaling->kind;
    add(metadata, "format", "pt");
    add(metadata, WEFT_KEY_FORMAT, WEFT_MODEL_FORMAT);
    add(metadata, WEFT_KEY_VERSION, WEFT_VERSION_STRING);
    add_owned(metadata, WEFT_KEY_ACTIVATIONS, activations_text(net));
    add(metadata, WEFT_KEY_OUTPUT, weft_output_name(weft_net_output(net)));
    add(metadata, WEFT_KEY_SCALE, weft_scale_kind_name(kind));
    if (scaling->n > 0) {
        add_owned(metadata, WEFT_KEY_SHIFT, floats_text(scaling->shift, scaling->n));
        add_owned(metadata, WEFT_KEY_FACTOR, floats_text(scaling->scale, scaling->n));
    }
    add_owned(metadata, WEFT_KEY_CLASS_NAMES, weft_model_class_names_text(net));
    if (weft_net_columns(net) != NULL) {
        add_owned(metadata, WEFT_KEY_COLUMNS, weft_model_columns_text(net));
    }
    for (size_t i = 0; i < metadata->n_owned; i++) {
        if (metadata->owned[i] == NULL) {
            return false;
        }
    }
    return true;
}

static weft_status check_names(const weft_net *net, const char *path, weft_error *err)
{
    for (size_t i = 0; i < weft_net_n_class_names(net); i++) {
        if (!weft_utf8_valid(weft_net_class_name(net, i))) {
            return weft_fail(err, WEFT_ERR_ARG,
                             "%s: cannot save: the name of class %zu is not UTF-8: '%.80s'", path,
                             i, weft_net_class_name(net, i));
        }
    }
    return WEFT_OK;
}

weft_status weft_model_check_sound(const weft_net *net, const char *path, const float *params,
                                   weft_error *err)
{
    for (size_t i = 0; i < weft_net_n_params(net); i++) {
        if (!isfinite(params[i])) {
            return weft_fail(err, WEFT_ERR_ARG, "%s: cannot save: parameter %zu of %zu is %g", path,
                             i, weft_net_n_params(net), (double)params[i]);
        }
    }
    return check_names(net, path, err);
}

struct weft_layer_view weft_model_view_layer(const weft_net *net, const float *params, size_t layer)
{
    size_t n_in = layer == 0 ? weft_net_n_inputs(net) : weft_net_width(net, layer - 1);
    size_t n_out = weft_net_width(net, layer);
    const float *bias = params + n_out * n_in, *end = bias + n_out;
    struct weft_layer_view view = {
        .n_in = n_in, .n_out = n_out, .weight = params, .bias = bias, .end = end};
    bool hidden = layer + 1 < weft_net_n_layers(net);
    if (hidden && weft_net_norm(net, layer) != WEFT_NORM_NONE) {
        view.gamma = end;
        view.beta = end + n_out;
        view.end = end + 2 * n_out;
    }
    return view;
}

size_t weft_model_list_tensors(const weft_net *net, struct weft_model_tensor *tensors)
{
    static const char *const names[WEFT_N_BLOCK_KINDS] = {
        [WEFT_BLOCK_WEIGHT] = "weight",     [WEFT_BLOCK_BIAS] = "bias",
        [WEFT_BLOCK_GAMMA] = "weight",      [WEFT_BLOCK_BETA] = "bias",
        [WEFT_BLOCK_MEAN] = "running_mean", [WEFT_BLOCK_VAR] = "running_var",
    };
    size_t n = 0, number = 0;
    for (size_t l = 0; l < net->n_layers; l++) {
        const struct weft_layer *layer = &net->layers[l];
        size_t n_in = layer->linear.n_in, n_out = layer->linear.n_out;
        unsigned n_kinds = layer->norm == WEFT_NORM_BATCH   ? WEFT_BLOCK_VAR + 1
                           : layer->norm == WEFT_NORM_LAYER ? WEFT_BLOCK_BETA + 1
                                                            : WEFT_BLOCK_BIAS + 1;
        for (unsigned kind = 0; kind < n_kinds; kind++, n++) {
            if (tensors != NULL) {
                bool is_weight = kind == WEFT_BLOCK_WEIGHT;
                tensors[n] = (struct weft_model_tensor){.layer = l,
                                                        .kind = kind,
                                                        .n_dims = is_weight ? 2 : 1,
                                                        .dims = {n_out, n_in},
                                                        .count = is_weight ? n_out * n_in : n_out};
                snprintf(tensors[n].name, sizeof tensors[n].name, "%zu.%s",
                         number + (kind >= WEFT_BLOCK_GAMMA), names[kind]);
            }
        }
        number += layer->norm != WEFT_NORM_NONE ? 3 : 2;
    }
    return n;
}

/* Where the elements of an item are. */
struct block_source {
    const weft_net *net;
    const float *values;
    const struct weft_model_tensor *tensors;
};

static void fill_from_block(const struct weft_st_item *item, size_t from, size_t n, float *out)
{
    const struct block_source *source = item->source;
    const struct weft_model_tensor *tensor = &source->tensors[item->part];
    weft_block_part(source->net, source->values, tensor->layer, (enum weft_block_kind)tensor->kind,
                    from, n, out);
}

static void list_block(const char *prefix, const struct block_source *source, size_t n_tensors,
                       struct weft_st_item *items)
{
    for (size_t part = 0; part < n_tensors; part++) {
        const struct weft_model_tensor *tensor = &source->tensors[part];
        items[part] = (struct weft_st_item){.n_dims = tensor->n_dims,
                                            .dims = {tensor->dims[0], tensor->dims[1]},
                                            .fill = fill_from_block,
                                            .source = source,
                                            .part = part};
        snprintf(items[part].name, sizeof items[part].name, "%s%s", prefix, tensor->name);
    }
}

/* Running statistics are as finite as parameters. */
static weft_status check_statistics(const weft_net *net, const char *path, weft_error *err)
{
    for (size_t i = net->statistics_at; i < net->block_len; i++) {
        if (!isfinite(net->params[i])) {
            return weft_fail(err, WEFT_ERR_ARG, "%s: cannot save: a running statistic is %g", path,
                             (double)net->params[i]);
        }
    }
    return WEFT_OK;
}

weft_status weft_model_save(const weft_net *net, const char *path, weft_error *err)
{
    struct metadata metadata = {0};
    size_t n_tensors = weft_model_list_tensors(net, NULL);
    struct weft_model_tensor *tensors = weft_mem_alloc(n_tensors, sizeof *tensors);
    float *params = weft_mem_alloc(weft_net_n_params(net), sizeof *params);
    struct weft_st_item *items = weft_mem_alloc(n_tensors, sizeof *items);
    weft_status status = WEFT_OK;
    if (params == NULL || items == NULL || tensors == NULL) {
        status = weft_fail_nomem(err, "the file of a model");
        goto out;
    }
    weft_net_get_params(net, params);
    status = weft_model_check_sound(net, path, params, err);
    if (status == WEFT_OK) {
        status = check_statistics(net, path, err);
    }
    if (status != WEFT_OK) {
        goto out;
    }
    if (!describe(net, &metadata)) {
        status = weft_fail_nomem(err, "the metadata of a model");
        goto out;
    }
    weft_model_list_tensors(net, tensors);
    const struct block_source source = {net, net->params, tensors};
    list_block("", &source, n_tensors, items);
    status = weft_st_write(path, metadata.pairs, metadata.n, items, n_tensors, err);
out:
    release(&metadata);
    weft_mem_free(items);
    weft_mem_free(params);
    weft_mem_free(tensors);
    return status;
}

/* All of metadata and `more`, and room for the checksum. NULL: no memory */
static struct weft_st_pair *join_pairs(const struct metadata *metadata,
                                       const struct weft_st_pair *more, size_t n_more)
{
    struct weft_st_pair *pairs = weft_mem_alloc(metadata->n + n_more + 1, sizeof *pairs);
    for (size_t i = 0; pairs != NULL && i < metadata->n + n_more; i++) {
        pairs[i] = i < metadata->n ? metadata->pairs[i] : more[i - metadata->n];
    }
    return pairs;
}

weft_status weft_model_write(const weft_net *net, const char *path, const struct weft_st_pair *more,
                             size_t n_more, const struct weft_model_block *blocks, size_t n_blocks,
                             weft_error *err)
{
    struct metadata metadata = {0};
    size_t n_parts = weft_model_list_tensors(net, NULL);
    struct weft_model_tensor *tensors = weft_mem_alloc(n_parts, sizeof *tensors);
    struct block_source *sources = weft_mem_alloc(1 + n_blocks, sizeof *sources);
    struct weft_st_item *items = weft_mem_alloc((1 + n_blocks) * n_parts, sizeof *items);
    struct weft_st_pair *pairs = NULL;
    weft_status status = check_names(net, path, err);
    if (status == WEFT_OK &&
        (sources == NULL || items == NULL || tensors == NULL || !describe(net, &metadata) ||
         (pairs = join_pairs(&metadata, more, n_more)) == NULL)) {
        status = weft_fail_nomem(err, "the metadata of a model");
    }
    if (status == WEFT_OK) {
        weft_model_list_tensors(net, tensors);
        for (size_t b = 0; b <= n_blocks; b++) {
            const float *values = b == 0 ? net->params : blocks[b - 1].values;
            sources[b] = (struct block_source){net, values, tensors};
            list_block(b == 0 ? "" : blocks[b - 1].prefix, &sources[b], n_parts,
                       items + b * n_parts);
        }
        status = weft_st_write_sealed(path, pairs, metadata.n + n_more, items,
                                      (1 + n_blocks) * n_parts, err);
    }
    weft_mem_free(pairs);
    release(&metadata);
    weft_mem_free(items);
    weft_mem_free(sources);
    weft_mem_free(tensors);
    return status;
}
