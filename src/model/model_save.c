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
    const float *bias = params + n_out * n_in;
    return (struct weft_layer_view){n_in, n_out, params, bias, bias + n_out};
}

/* Two items for each layer, numbered as in torch.nn.Sequential with the activation modules between
 * the layers. */
static void list_items(const weft_net *net, const float *params, struct weft_st_item *items)
{
    for (size_t l = 0; l < weft_net_n_layers(net); l++) {
        struct weft_layer_view layer = weft_model_view_layer(net, params, l);
        struct weft_st_item *weight = &items[2 * l], *bias = &items[2 * l + 1];
        *weight = (struct weft_st_item){
            .n_dims = 2, .dims = {layer.n_out, layer.n_in}, .values = layer.weight};
        snprintf(weight->name, sizeof weight->name, "%zu.weight", 2 * l);
        *bias = (struct weft_st_item){.n_dims = 1, .dims = {layer.n_out}, .values = layer.bias};
        snprintf(bias->name, sizeof bias->name, "%zu.bias", 2 * l);
        params = layer.end;
    }
}

weft_status weft_model_save(const weft_net *net, const char *path, weft_error *err)
{
    struct metadata metadata = {0};
    size_t n_items = 2 * weft_net_n_layers(net);
    float *params = weft_mem_alloc(weft_net_n_params(net), sizeof *params);
    struct weft_st_item *items = weft_mem_alloc(n_items, sizeof *items);
    weft_status status = WEFT_OK;
    if (params == NULL || items == NULL) {
        status = weft_fail_nomem(err, "the file of a model");
        goto out;
    }
    weft_net_get_params(net, params);
    status = weft_model_check_sound(net, path, params, err);
    if (status != WEFT_OK) {
        goto out;
    }
    if (!describe(net, &metadata)) {
        status = weft_fail_nomem(err, "the metadata of a model");
        goto out;
    }
    list_items(net, params, items);
    status = weft_st_write(path, metadata.pairs, metadata.n, items, n_items, err);
out:
    release(&metadata);
    weft_mem_free(items);
    weft_mem_free(params);
    return status;
}

/* Where the elements of an item are. */
struct block_source {
    const weft_net *net;
    const float *values;
};

/* The part is twice the layer, and one more for its bias. */
static void fill_from_block(const struct weft_st_item *item, size_t from, size_t n, float *out)
{
    const struct block_source *source = item->source;
    weft_block_part(source->net, source->values, item->part / 2, item->part % 2 == 1, from, n, out);
}

static void list_block(const weft_net *net, const char *prefix, const struct block_source *source,
                       struct weft_st_item *items)
{
    for (size_t part = 0; part < 2 * net->n_layers; part++) {
        const struct weft_linear *linear = &net->layers[part / 2].linear;
        bool is_bias = part % 2 == 1;
        items[part] = (struct weft_st_item){.n_dims = is_bias ? 1 : 2,
                                            .dims = {linear->n_out, linear->n_in},
                                            .fill = fill_from_block,
                                            .source = source,
                                            .part = part};
        snprintf(items[part].name, sizeof items[part].name, "%s%zu.%s", prefix, part / 2 * 2,
                 is_bias ? "bias" : "weight");
    }
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
    size_t n_parts = 2 * net->n_layers;
    struct block_source *sources = weft_mem_alloc(1 + n_blocks, sizeof *sources);
    struct weft_st_item *items = weft_mem_alloc((1 + n_blocks) * n_parts, sizeof *items);
    struct weft_st_pair *pairs = NULL;
    weft_status status = check_names(net, path, err);
    if (status == WEFT_OK && (sources == NULL || items == NULL || !describe(net, &metadata) ||
                              (pairs = join_pairs(&metadata, more, n_more)) == NULL)) {
        status = weft_fail_nomem(err, "the metadata of a model");
    }
    if (status == WEFT_OK) {
        for (size_t b = 0; b <= n_blocks; b++) {
            sources[b] = (struct block_source){net, b == 0 ? net->params : blocks[b - 1].values};
            list_block(net, b == 0 ? "" : blocks[b - 1].prefix, &sources[b], items + b * n_parts);
        }
        status = weft_st_write_sealed(path, pairs, metadata.n + n_more, items,
                                      (1 + n_blocks) * n_parts, err);
    }
    weft_mem_free(pairs);
    release(&metadata);
    weft_mem_free(items);
    weft_mem_free(sources);
    return status;
}
