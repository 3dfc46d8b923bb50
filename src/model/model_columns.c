/* The columns of the table that a network was trained on, as an entry of a model's metadata. */
#include <math.h>
#include <string.h>

#include "base/fail.h"
#include "base/mem.h"
#include "model/json_text.h"
#include "model/model_parts.h"
#include "model/number_text.h"

static char *dump(json_t *object)
{
    size_t len = json_dumpb(object, NULL, 0, JSON_COMPACT);
    char *text = len == 0 ? NULL : weft_mem_alloc(len + 1, 1);
    if (text != NULL) {
        text[json_dumpb(object, text, len, JSON_COMPACT)] = '\0';
    }
    return text;
}

static json_t *categories_list(const weft_columns *columns)
{
    json_t *all = json_array();
    int failed = all == NULL;
    char **category = columns->categories;
    for (size_t i = 0; i < columns->n && !failed; i++) {
        json_t *list = json_array();
        for (size_t j = 0; j < columns->n_categories[i] && !failed; j++) {
            failed |= json_array_append_new(list, json_string(*category++));
        }
        failed |= json_array_append_new(all, list);
    }
    if (failed) {
        json_decref(all);
        return NULL;
    }
    return all;
}

/* `text` without its last brace, and then ,"fill":[...]}; takes text. The numbers are written by
 * weft's own function: that of jansson gives more digits than a float has. */
static char *append_fill(char *text, const weft_columns *columns)
{
    static const char key[] = ",\"fill\":[";
    size_t len = strlen(text) - 1;
    char *longer =
        weft_mem_alloc(len + sizeof key + columns->n_features * (WEFT_MAX_NUMBER + 1) + 2, 1);
    if (longer != NULL) {
        memcpy(longer, text, len);
        memcpy(longer + len, key, sizeof key - 1);
        len += sizeof key - 1;
        for (size_t i = 0; i < columns->n_features; i++) {
            if (i > 0) {
                longer[len++] = ',';
            }
            len += weft_number_text(longer + len, columns->fill[i]);
        }
        memcpy(longer + len, "]}", 3);
    }
    weft_mem_free(text);
    return longer;
}

char *weft_model_columns_text(const weft_net *net)
{
    const weft_columns *columns = weft_net_columns(net);
    json_t *object = json_object();
    int failed =
        json_object_set_new(object, "missing", json_string(weft_missing_name(columns->missing)));
    failed |= json_object_set_new(object, "categories", categories_list(columns));
    char *text = failed ? NULL : dump(object);
    json_decref(object);
    return text != NULL && columns->fill != NULL ? append_fill(text, columns) : text;
}

static weft_status fail_entry(const struct weft_st_file *file, const char *what, weft_error *err)
{
    return weft_fail(err, WEFT_ERR_FORMAT, "%s: " WEFT_KEY_COLUMNS ": %s", file->path, what);
}

static weft_status read_categories(weft_columns *columns, const struct weft_st_file *file,
                                   const json_t *all, weft_error *err)
{
    size_t n = json_array_size(all), n_texts = 0;
    for (size_t i = 0; i < n; i++) {
        n_texts += json_array_size(json_array_get(all, i));
    }
    columns->n_categories = weft_mem_zalloc(n, sizeof *columns->n_categories);
    columns->categories = weft_mem_zalloc(n_texts, sizeof *columns->categories);
    if (columns->n_categories == NULL || columns->categories == NULL) {
        return weft_fail_nomem(err, "the columns of a model");
    }
    columns->n = n;
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        const json_t *list = json_array_get(all, i);
        if (!json_is_array(list)) {
            return fail_entry(file, "categories is no list of lists", err);
        }
        size_t n_here = json_array_size(list);
        columns->n_features += n_here > 0 ? n_here : 1;
        for (size_t j = 0; j < n_here; j++) {
            const char *text = json_string_value(json_array_get(list, j));
            columns->categories[at] = text == NULL ? NULL : weft_mem_strdup(text);
            if (columns->categories[at] == NULL) {
                return text == NULL ? fail_entry(file, "a category is no string", err)
                                    : weft_fail_nomem(err, "the columns of a model");
            }
            at++;
            columns->n_categories[i]++;
        }
    }
    return WEFT_OK;
}

static weft_status read_fill(weft_columns *columns, const struct weft_st_file *file,
                             const json_t *list, weft_error *err)
{
    bool wanted = columns->missing == WEFT_MISSING_MEAN;
    if (!wanted && list == NULL) {
        return WEFT_OK;
    }
    if (!wanted || json_array_size(list) != columns->n_features) {
        return fail_entry(file, "fill is no list with a number for each feature of 'mean'", err);
    }
    columns->fill = weft_mem_alloc(columns->n_features, sizeof *columns->fill);
    if (columns->fill == NULL) {
        return weft_fail_nomem(err, "the columns of a model");
    }
    for (size_t i = 0; i < columns->n_features; i++) {
        const json_t *number = json_array_get(list, i);
        columns->fill[i] = (float)json_number_value(number);
        if (!json_is_number(number) || !isfinite(columns->fill[i])) {
            return fail_entry(file, "an entry of fill is no finite number of float32", err);
        }
    }
    return WEFT_OK;
}

static weft_status read_object(weft_columns *columns, const struct weft_st_file *file,
                               const json_t *object, weft_error *err)
{
    const char *missing = json_string_value(json_object_get(object, "missing"));
    const json_t *categories = json_object_get(object, "categories");
    if (missing == NULL || weft_missing_from_name(missing, &columns->missing) != WEFT_OK) {
        return fail_entry(file, "missing is none of error, mean, zero, drop", err);
    }
    if (json_array_size(categories) == 0) {
        return fail_entry(file, "categories is no list of lists", err);
    }
    weft_status status = read_categories(columns, file, categories, err);
    return status == WEFT_OK ? read_fill(columns, file, json_object_get(object, "fill"), err)
                             : status;
}

weft_status weft_model_read_columns(weft_net *net, const struct weft_st_file *file, weft_error *err)
{
    const char *text = weft_st_metadata(file, WEFT_KEY_COLUMNS);
    if (text == NULL) {
        return WEFT_OK;
    }
    size_t len = strlen(text), most = 3 * weft_net_n_inputs(net) + 16;
    json_t *object = NULL;
    weft_error why;
    const char *excess = weft_json_excess(text, len, 3, most);
    weft_status status =
        excess != NULL ? fail_entry(file, excess, err) : weft_json_parse(text, len, &object, &why);
    if (status != WEFT_OK) {
        return excess != NULL || status == WEFT_ERR_NOMEM ? status
                                                          : fail_entry(file, why.message, err);
    }
    weft_columns columns = {0};
    status = read_object(&columns, file, object, err);
    if (status == WEFT_OK && columns.n_features != weft_net_n_inputs(net)) {
        status = fail_entry(file, "as many features as the network has inputs wanted", err);
    }
    if (status == WEFT_OK) {
        status = weft_net_set_columns(net, &columns, err);
    }
    weft_columns_release(&columns);
    json_decref(object);
    return status;
}
