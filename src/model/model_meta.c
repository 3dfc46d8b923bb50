/* What a model file's metadata, or the caller's hints, say beside its tensors. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/mem.h"
#include "model/json_text.h"
#include "model/model_parts.h"

static weft_status contradiction(const struct weft_st_file *file, const char *option,
                                 const char *key, weft_error *err)
{
    return weft_fail(err, WEFT_ERR_MISMATCH, "%s: %s contradicts the file, whose %s is '%.80s'",
                     file->path, option, key, weft_st_metadata(file, key));
}

static bool hints_activations(const weft_model_hints *hints)
{
    return hints->activations != NULL && hints->n_activations > 0;
}

static bool hints_scaling(const weft_model_hints *hints)
{
    return hints->scaling != NULL && hints->scaling->kind != WEFT_SCALE_AUTO;
}

/* One message for all that is missing. */
static weft_status check_known(const struct weft_st_file *file, size_t n_hidden,
                               const weft_model_hints *hints, weft_error *err)
{
    bool activation = n_hidden > 0 && weft_st_metadata(file, WEFT_KEY_ACTIVATIONS) == NULL &&
                      !hints_activations(hints);
    bool output = weft_st_metadata(file, WEFT_KEY_OUTPUT) == NULL && hints->output == NULL;
    bool scale = weft_st_metadata(file, WEFT_KEY_SCALE) == NULL && !hints_scaling(hints);
    if (!activation && !output && !scale) {
        return WEFT_OK;
    }
    return weft_fail(
        err, WEFT_ERR_MISMATCH,
        "%s: the file does not say its%s%s%s, as weft did not write it: give%s%s%s", file->path,
        activation ? " activations" : "", output ? activation ? ", output" : " output" : "",
        scale ? activation || output ? ", input scaling" : " input scaling" : "",
        activation ? " --activation" : "", output ? " --output" : "", scale ? " --scale" : "");
}

static weft_status check_format(const struct weft_st_file *file, weft_error *err)
{
    const char *format = weft_st_metadata(file, WEFT_KEY_FORMAT);
    if (format != NULL && strcmp(format, WEFT_MODEL_FORMAT) != 0) {
        return weft_fail(err, WEFT_ERR_FORMAT,
                         "%s: a newer weft wrote it: " WEFT_KEY_FORMAT
                         " is '%.20s', wanted '" WEFT_MODEL_FORMAT "'",
                         file->path, format);
    }
    return WEFT_OK;
}

/* The names of a list such as "relu,tanh", one for each hidden layer. */
static weft_status parse_activations(const struct weft_st_file *file, const char *text,
                                     size_t n_hidden, weft_activation *activations, weft_error *err)
{
    size_t n = 0;
    const char *at = *text == '\0' ? NULL : text;
    while (at != NULL) {
        size_t len = strcspn(at, ",");
        char name[32];
        snprintf(name, sizeof name, "%.*s", (int)(len < sizeof name ? len : sizeof name), at);
        weft_activation activation;
        if (weft_activation_from_name(name, &activation) != WEFT_OK) {
            return weft_fail(err, WEFT_ERR_FORMAT,
                             "%s: " WEFT_KEY_ACTIVATIONS ": unknown activation '%s'", file->path,
                             name);
        }
        if (n < n_hidden) {
            activations[n] = activation;
        }
        n++;
        at = at[len] == ',' ? at + len + 1 : NULL;
    }
    if (n != n_hidden) {
        return weft_fail(err, WEFT_ERR_FORMAT,
                         "%s: " WEFT_KEY_ACTIVATIONS " has %zu names, the tensors have %zu hidden "
                         "layers",
                         file->path, n, n_hidden);
    }
    return WEFT_OK;
}

static weft_status find_activations(struct weft_model_meta *meta, const struct weft_st_file *file,
                                    size_t n_hidden, const weft_model_hints *hints, weft_error *err)
{
    const char *text = weft_st_metadata(file, WEFT_KEY_ACTIVATIONS);
    if (text != NULL) {
        weft_status status = parse_activations(file, text, n_hidden, meta->activations, err);
        if (status != WEFT_OK) {
            return status;
        }
    }
    if (!hints_activations(hints)) {
        return WEFT_OK;
    }
    if (hints->n_activations != 1 && hints->n_activations != n_hidden) {
        return weft_fail(err, WEFT_ERR_MISMATCH,
                         "%s: --activation has %zu names, the file has %zu hidden layers",
                         file->path, hints->n_activations, n_hidden);
    }
    for (size_t i = 0; i < n_hidden; i++) {
        weft_activation hint = hints->activations[hints->n_activations == 1 ? 0 : i];
        if (text != NULL && hint != meta->activations[i]) {
            return contradiction(file, "--activation", WEFT_KEY_ACTIVATIONS, err);
        }
        meta->activations[i] = hint;
    }
    return WEFT_OK;
}

static weft_status find_output(struct weft_model_meta *meta, const struct weft_st_file *file,
                               const weft_model_hints *hints, weft_error *err)
{
    const char *name = weft_st_metadata(file, WEFT_KEY_OUTPUT);
    if (name == NULL) {
        meta->output = *hints->output;
        return WEFT_OK;
    }
    if (weft_output_from_name(name, &meta->output) != WEFT_OK) {
        return weft_fail(err, WEFT_ERR_FORMAT, "%s: " WEFT_KEY_OUTPUT ": unknown output '%.80s'",
                         file->path, name);
    }
    if (hints->output != NULL && *hints->output != meta->output) {
        return contradiction(file, "--output", WEFT_KEY_OUTPUT, err);
    }
    return WEFT_OK;
}

/* The list of JSON that an entry of the metadata holds; no longer than max_len, no lists in it. */
static weft_status parse_list(const struct weft_st_file *file, const char *key, size_t max_len,
                              json_t **out, weft_error *err)
{
    const char *text = weft_st_metadata(file, key);
    size_t len = strlen(text);
    json_t *list = NULL;
    weft_status status = weft_json_excess(text, len, 1, max_len) != NULL
                             ? WEFT_ERR_FORMAT
                             : weft_json_parse(text, len, &list, err);
    if (status == WEFT_ERR_NOMEM) {
        return status;
    }
    if (!json_is_array(list) || json_array_size(list) > max_len) {
        json_decref(list);
        return weft_fail(err, WEFT_ERR_FORMAT, "%s: %s is no list of at most %zu: '%.80s'",
                         file->path, key, max_len, text);
    }
    *out = list;
    return WEFT_OK;
}

static weft_status to_floats(const struct weft_st_file *file, const char *key, const json_t *list,
                             float *values, weft_error *err)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *number = json_array_get(list, i);
        values[i] = (float)json_number_value(number);
        if (!json_is_number(number) || !isfinite(values[i])) {
            return weft_fail(err, WEFT_ERR_FORMAT,
                             "%s: %s: entry %zu is no finite number of float32", file->path, key,
                             i);
        }
    }
    return WEFT_OK;
}

/* The numbers of such a list; *n is their count. *out is the caller's to free, on failure too. */
static weft_status parse_floats(const struct weft_st_file *file, const char *key, size_t max_len,
                                float **out, size_t *n, weft_error *err)
{
    json_t *list = NULL;
    weft_status status = parse_list(file, key, max_len, &list, err);
    if (status != WEFT_OK) {
        return status;
    }
    *n = json_array_size(list);
    *out = weft_mem_alloc(*n, sizeof **out);
    status = *out == NULL ? weft_fail_nomem(err, "the scaling of a model")
                          : to_floats(file, key, list, *out, err);
    json_decref(list);
    return status;
}

/* Fills scaling, whose kind is known, with the numbers of the file. */
static weft_status read_scaling(weft_scaling *scaling, const struct weft_st_file *file,
                                size_t n_inputs, weft_error *err)
{
    bool has_shift = weft_st_metadata(file, WEFT_KEY_SHIFT) != NULL;
    bool has_factor = weft_st_metadata(file, WEFT_KEY_FACTOR) != NULL;
    if (!has_shift && !has_factor && scaling->kind == WEFT_SCALE_NONE) {
        return WEFT_OK;
    }
    if (!has_shift || !has_factor) {
        return weft_fail(err, WEFT_ERR_FORMAT, "%s: " WEFT_KEY_SCALE " is '%s', but %s is missing",
                         file->path, weft_st_metadata(file, WEFT_KEY_SCALE),
                         has_shift ? WEFT_KEY_FACTOR : WEFT_KEY_SHIFT);
    }
    size_t n_shift, n_factor;
    weft_status status =
        parse_floats(file, WEFT_KEY_SHIFT, n_inputs, &scaling->shift, &n_shift, err);
    if (status == WEFT_OK) {
        status = parse_floats(file, WEFT_KEY_FACTOR, n_inputs, &scaling->scale, &n_factor, err);
    }
    if (status != WEFT_OK) {
        return status;
    }
    if (n_shift != n_factor || (n_shift != 1 && n_shift != n_inputs)) {
        return weft_fail(err, WEFT_ERR_FORMAT,
                         "%s: " WEFT_KEY_SHIFT " has %zu entries and " WEFT_KEY_FACTOR
                         " %zu, wanted 1 or %zu of both",
                         file->path, n_shift, n_factor, n_inputs);
    }
    scaling->n = n_shift;
    return WEFT_OK;
}

/* A scaling from the hint alone. Of "unit" the kind says enough: bytes by 1/255. */
static weft_status take_scaling(weft_scaling *scaling, const struct weft_st_file *file,
                                const weft_scaling *hint, weft_error *err)
{
    static const float zero = 0, by_255 = 1.0f / 255;
    bool unit = hint->kind == WEFT_SCALE_UNIT && hint->n == 0;
    if (hint->kind > WEFT_SCALE_UNIT && hint->n == 0) {
        return weft_fail(err, WEFT_ERR_MISMATCH,
                         "%s: --scale %s needs what was measured of the training data, "
                         "which the file does not have; give none or unit (1/255)",
                         file->path, weft_scale_kind_name(hint->kind));
    }
    size_t n = unit ? 1 : hint->n;
    *scaling = (weft_scaling){.kind = hint->kind,
                              .n = n,
                              .shift = weft_mem_alloc(n, sizeof(float)),
                              .scale = weft_mem_alloc(n, sizeof(float))};
    if (scaling->shift == NULL || scaling->scale == NULL) {
        return weft_fail_nomem(err, "the scaling of a model");
    }
    for (size_t i = 0; i < n; i++) {
        scaling->shift[i] = unit ? zero : hint->shift[i];
        scaling->scale[i] = unit ? by_255 : hint->scale[i];
    }
    return WEFT_OK;
}

static weft_status find_scaling(struct weft_model_meta *meta, const struct weft_st_file *file,
                                size_t n_inputs, const weft_model_hints *hints, weft_error *err)
{
    const char *name = weft_st_metadata(file, WEFT_KEY_SCALE);
    if (name == NULL) {
        return take_scaling(&meta->scaling, file, hints->scaling, err);
    }
    if (weft_scale_kind_from_name(name, &meta->scaling.kind) != WEFT_OK ||
        meta->scaling.kind == WEFT_SCALE_AUTO) {
        return weft_fail(err, WEFT_ERR_FORMAT, "%s: " WEFT_KEY_SCALE ": unknown scaling '%.80s'",
                         file->path, name);
    }
    if (hints_scaling(hints) && hints->scaling->kind != meta->scaling.kind) {
        return contradiction(file, "--scale", WEFT_KEY_SCALE, err);
    }
    return read_scaling(&meta->scaling, file, n_inputs, err);
}

weft_status weft_model_meta_init(struct weft_model_meta *meta, const struct weft_st_file *file,
                                 size_t n_hidden, size_t n_inputs, const weft_model_hints *hints,
                                 weft_error *err)
{
    static const weft_model_hints no_hints;
    hints = hints != NULL ? hints : &no_hints;
    *meta = (struct weft_model_meta){
        .activations = weft_mem_zalloc(n_hidden, sizeof *meta->activations),
    };
    weft_status status = meta->activations == NULL
                             ? weft_fail_nomem(err, "the activations of a model")
                             : check_format(file, err);
    if (status == WEFT_OK) {
        status = check_known(file, n_hidden, hints, err);
    }
    if (status == WEFT_OK) {
        status = find_activations(meta, file, n_hidden, hints, err);
    }
    if (status == WEFT_OK) {
        status = find_output(meta, file, hints, err);
    }
    if (status == WEFT_OK) {
        status = find_scaling(meta, file, n_inputs, hints, err);
    }
    if (status != WEFT_OK) {
        weft_model_meta_release(meta);
    }
    return status;
}

void weft_model_meta_release(struct weft_model_meta *meta)
{
    weft_mem_free(meta->activations);
    weft_mem_free(meta->scaling.shift);
    weft_mem_free(meta->scaling.scale);
    *meta = (struct weft_model_meta){0};
}

/* Gives the network the n names of the list; names has room for them. */
static weft_status set_names(weft_net *net, const struct weft_st_file *file, const json_t *list,
                             const char **names, size_t n, weft_error *err)
{
    if (json_array_size(list) != n) {
        return weft_fail(err, WEFT_ERR_FORMAT,
                         "%s: " WEFT_KEY_CLASS_NAMES " has %zu names, wanted %zu", file->path,
                         json_array_size(list), n);
    }
    for (size_t i = 0; i < n; i++) {
        names[i] = json_string_value(json_array_get(list, i));
        if (names[i] == NULL) {
            return weft_fail(err, WEFT_ERR_FORMAT,
                             "%s: " WEFT_KEY_CLASS_NAMES ": entry %zu is no string", file->path, i);
        }
    }
    return weft_net_set_class_names(net, names, n, err);
}

weft_status weft_model_name_classes(weft_net *net, const struct weft_st_file *file, weft_error *err)
{
    if (weft_st_metadata(file, WEFT_KEY_CLASS_NAMES) == NULL) {
        return WEFT_OK;
    }
    json_t *list = NULL;
    size_t n = weft_net_n_class_names(net);
    weft_status status = parse_list(file, WEFT_KEY_CLASS_NAMES, n, &list, err);
    if (status != WEFT_OK) {
        return status;
    }
    const char **names = weft_mem_alloc(n, sizeof *names);
    status = names == NULL ? weft_fail_nomem(err, "class names")
                           : set_names(net, file, list, names, n, err);
    weft_mem_free(names);
    json_decref(list);
    return status;
}
