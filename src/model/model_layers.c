/* From the tensors of a file to the layers of a network. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/mem.h"
#include "model/model_parts.h"

/* What tensors are called behind their number, in the order in which they are looked at. How many
 * batches running statistics are of is nothing that weft reads. */
enum kind { WEIGHT, BIAS, MEAN, VAR, N_BATCHES, N_KINDS };
static const char *const kind_names[N_KINDS] = {"weight", "bias", "running_mean", "running_var",
                                                "num_batches_tracked"};

/* A tensor and what its name says: PREFIX, a number (0 where there is none), and the kind. */
struct part {
    const struct weft_st_tensor *tensor;
    size_t prefix_len;
    unsigned long number;
    enum kind kind;
};

static bool ends_with(const char *text, size_t len, const char *end)
{
    size_t end_len = strlen(end);
    return len >= end_len && memcmp(text + len - end_len, end, end_len) == 0;
}

/* false where the name is of no kind. */
static bool read_name(const struct weft_st_tensor *tensor, struct part *part)
{
    const char *name = tensor->name;
    size_t len = strlen(name);
    enum kind kind = WEIGHT;
    while (kind < N_KINDS && !ends_with(name, len, kind_names[kind])) {
        kind++;
    }
    if (kind == N_KINDS) {
        return false;
    }
    *part = (struct part){.tensor = tensor, .kind = kind};
    len -= strlen(kind_names[kind]);
    if (len == 0) {
        return true; /* a single torch.nn.Linear */
    }
    if (name[--len] != '.') {
        return false;
    }
    part->prefix_len = len;
    while (part->prefix_len > 0 && name[part->prefix_len - 1] >= '0' &&
           name[part->prefix_len - 1] <= '9') {
        part->prefix_len--;
    }
    if (len - part->prefix_len > 9) {
        return false;
    }
    part->number = strtoul(name + part->prefix_len, NULL, 10);
    return true;
}

static int by_layer(const void *a, const void *b)
{
    const struct part *x = a, *y = b;
    if (x->number != y->number) {
        return x->number < y->number ? -1 : 1;
    }
    return (int)x->kind - (int)y->kind;
}

/* The parts in the order of their layers. */
static weft_status sort_parts(const struct weft_st_file *file, struct part *parts, size_t *n_parts,
                              weft_error *err)
{
    size_t n = 0;
    for (size_t i = 0; i < file->n_tensors; i++) {
        struct part *part = &parts[n];
        if (strncmp(file->tensors[i].name, WEFT_STATE_PREFIX, strlen(WEFT_STATE_PREFIX)) == 0) {
            continue; /* of a checkpoint */
        }
        if (!read_name(&file->tensors[i], part)) {
            return weft_fail(err, WEFT_ERR_MISMATCH,
                             "%s: tensor '%.80s' is no layer's weight or bias; weft reads fully "
                             "connected layers",
                             file->path, file->tensors[i].name);
        }
        if (part->prefix_len != parts[0].prefix_len ||
            memcmp(part->tensor->name, parts[0].tensor->name, parts[0].prefix_len) != 0) {
            return weft_fail(err, WEFT_ERR_MISMATCH,
                             "%s: tensors '%.80s' and '%.80s' are not of one sequence of layers",
                             file->path, parts[0].tensor->name, part->tensor->name);
        }
        n++;
    }
    qsort(parts, n, sizeof *parts, by_layer);
    *n_parts = n;
    return WEFT_OK;
}

/* Shapes of a layer that follows `before` (NULL: the first). */
static weft_status check_layer(const char *path, const struct weft_model_layer *layer,
                               const struct weft_st_tensor *before, weft_error *err)
{
    const struct weft_st_tensor *weight = layer->weight, *bias = layer->bias;
    if (weight->n_dims != 2) {
        return weft_fail(err, WEFT_ERR_MISMATCH,
                         "%s: '%.80s' has %zu dimensions, wanted 2: [outputs, inputs]", path,
                         weight->name, weight->n_dims);
    }
    if (weight->count == 0) {
        return weft_fail(err, WEFT_ERR_MISMATCH, "%s: '%.80s' is empty: %zu x %zu", path,
                         weight->name, weight->dims[0], weight->dims[1]);
    }
    if (bias != NULL && (bias->n_dims != 1 || bias->dims[0] != weight->dims[0])) {
        return weft_fail(err, WEFT_ERR_MISMATCH,
                         "%s: '%.80s' has %zu elements in %zu dimensions, wanted [%zu] as '%.80s' "
                         "has %zu outputs",
                         path, bias->name, bias->count, bias->n_dims, weight->dims[0], weight->name,
                         weight->dims[0]);
    }
    const struct weft_st_tensor *vectors[] = {layer->gamma, layer->beta, layer->mean, layer->var};
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        if (vectors[i] != NULL &&
            (vectors[i]->n_dims != 1 || vectors[i]->dims[0] != weight->dims[0])) {
            return weft_fail(err, WEFT_ERR_MISMATCH,
                             "%s: '%.80s' has %zu elements in %zu dimensions, wanted [%zu] as "
                             "'%.80s' has %zu outputs",
                             path, vectors[i]->name, vectors[i]->count, vectors[i]->n_dims,
                             weight->dims[0], weight->name, weight->dims[0]);
        }
    }
    if (before != NULL && before->dims[0] != weight->dims[1]) {
        return weft_fail(err, WEFT_ERR_MISMATCH,
                         "%s: '%.80s' takes %zu inputs, but '%.80s' before it has %zu outputs",
                         path, weight->name, weight->dims[1], before->name, before->dims[0]);
    }
    return WEFT_OK;
}

/* Tensors of one number: a layer, or the normalisation of the one before. */
static weft_status take_group(const char *path, const struct weft_st_tensor *const *group,
                              unsigned long number, unsigned long number_before,
                              struct weft_model_layer *layers, size_t *n_layers, weft_error *err)
{
    const struct weft_st_tensor *weight = group[WEIGHT];
    bool tracks = group[MEAN] != NULL || group[VAR] != NULL;
    if (weight == NULL) {
        const struct weft_st_tensor *lone = group[BIAS] != NULL   ? group[BIAS]
                                            : group[MEAN] != NULL ? group[MEAN]
                                            : group[VAR] != NULL  ? group[VAR]
                                                                  : group[N_BATCHES];
        return weft_fail(err, WEFT_ERR_MISMATCH, "%s: '%.80s' has no weight beside it", path,
                         lone->name);
    }
    bool is_norm = tracks || (weight->n_dims == 1 && *n_layers > 0);
    if (!is_norm) {
        layers[(*n_layers)++] = (struct weft_model_layer){.weight = weight, .bias = group[BIAS]};
        return WEFT_OK;
    }
    struct weft_model_layer *layer = *n_layers == 0 ? NULL : &layers[*n_layers - 1];
    if (layer == NULL || layer->gamma != NULL || number != number_before + 1) {
        return weft_fail(err, WEFT_ERR_MISMATCH,
                         "%s: '%.80s' is of a normalisation, which wanted a layer of the number "
                         "before it",
                         path, weight->name);
    }
    if ((group[MEAN] == NULL) != (group[VAR] == NULL)) {
        return weft_fail(err, WEFT_ERR_MISMATCH,
                         "%s: '%.80s': wanted running_mean and running_var or neither", path,
                         weight->name);
    }
    layer->gamma = weight;
    layer->beta = group[BIAS];
    layer->mean = group[MEAN];
    layer->var = group[VAR];
    return WEFT_OK;
}

/* Joins what belongs together. */
static weft_status join_parts(const struct weft_st_file *file, const struct part *parts,
                              size_t n_parts, struct weft_model_layer *layers, size_t *n_layers,
                              weft_error *err)
{
    *n_layers = 0;
    unsigned long number_before = 0;
    for (size_t i = 0; i < n_parts;) {
        const struct weft_st_tensor *group[N_KINDS] = {NULL};
        unsigned long number = parts[i].number;
        for (; i < n_parts && parts[i].number == number; i++) {
            if (group[parts[i].kind] != NULL) {
                return weft_fail(err, WEFT_ERR_MISMATCH,
                                 "%s: '%.80s' and '%.80s' are of the same layer", file->path,
                                 group[parts[i].kind]->name, parts[i].tensor->name);
            }
            group[parts[i].kind] = parts[i].tensor;
        }
        weft_status status =
            take_group(file->path, group, number, number_before, layers, n_layers, err);
        if (status != WEFT_OK) {
            return status;
        }
        number_before = number;
    }
    if (*n_layers == 0 || *n_layers > WEFT_MODEL_MAX_LAYERS) {
        return weft_fail(err, WEFT_ERR_MISMATCH, "%s: %zu layers, wanted 1 to %d", file->path,
                         *n_layers, WEFT_MODEL_MAX_LAYERS);
    }
    if (layers[*n_layers - 1].gamma != NULL) {
        return weft_fail(err, WEFT_ERR_MISMATCH, "%s: '%.80s' normalises the last layer",
                         file->path, layers[*n_layers - 1].gamma->name);
    }
    return WEFT_OK;
}

/* Fills layers, with parts as scratch memory; both have room for all tensors. */
static weft_status find_layers(const struct weft_st_file *file, struct part *parts,
                               struct weft_model_layer *layers, size_t *n_layers, weft_error *err)
{
    size_t n_parts = 0;
    weft_status status = sort_parts(file, parts, &n_parts, err);
    if (status == WEFT_OK) {
        status = join_parts(file, parts, n_parts, layers, n_layers, err);
    }
    for (size_t l = 0; status == WEFT_OK && l < *n_layers; l++) {
        status = check_layer(file->path, &layers[l], l == 0 ? NULL : layers[l - 1].weight, err);
    }
    return status;
}

weft_status weft_model_find_layers(const struct weft_st_file *file, struct weft_model_layer **out,
                                   size_t *n_layers, weft_error *err)
{
    struct part *parts = weft_mem_alloc(file->n_tensors, sizeof *parts);
    struct weft_model_layer *layers = weft_mem_alloc(file->n_tensors, sizeof *layers);
    weft_status status = parts == NULL || layers == NULL
                             ? weft_fail_nomem(err, "the layers of a model file")
                             : find_layers(file, parts, layers, n_layers, err);
    weft_mem_free(parts);
    if (status != WEFT_OK) {
        weft_mem_free(layers);
        return status;
    }
    *out = layers;
    return WEFT_OK;
}
