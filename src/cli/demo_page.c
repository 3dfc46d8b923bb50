/* The page to draw on: demo_page.html with a model in it. */
#include "cli/demo_page.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include <jansson.h>

#include "base/bytes.h"
#include "base/fail.h"
#include "base/mem.h"
#include "base/safefile.h"
#include "cli/strict_number.h"
#include "report/report_base64.h"

/* demo_page.html, put into the program by CMake. */
extern const char cli_demo_page[];
static const char marker[] = "%MODEL%"; /* where the model goes in it */

struct image {
    uint64_t width, height;
};

/* "28x28" */
static bool read_size(const char *text, struct image *image)
{
    char width[24];
    size_t len = strcspn(text, "xX");
    if (text[len] == '\0' || len >= sizeof width) {
        return false;
    }
    memcpy(width, text, len);
    width[len] = '\0';
    return cli_parse_whole(width, &image->width) && cli_parse_whole(text + len + 1, &image->height);
}

static weft_status find_image(const weft_net *net, const struct cli_demo_options *options,
                              struct image *image, weft_error *err)
{
    uint64_t n = weft_net_n_inputs(net), side = 1;
    if (weft_net_columns(net) != NULL) {
        return weft_fail(
            err, WEFT_ERR_MISMATCH,
            "%s: takes columns of a table, some of them categories or with values that "
            "may be missing, and no image",
            options->model);
    }
    if (options->image != NULL) {
        if (!read_size(options->image, image) || image->width == 0 || image->width > n ||
            n / image->width != image->height || n % image->width != 0) {
            return weft_fail(err, WEFT_ERR_ARG,
                             "--image: wanted WIDTHxHEIGHT of %llu pixels in all, as %s takes; "
                             "got '%s'",
                             (unsigned long long)n, options->model, options->image);
        }
        return WEFT_OK;
    }
    while (side * side < n) {
        side++;
    }
    if (side * side != n || side < 8) {
        return weft_fail(
            err, WEFT_ERR_MISMATCH,
            "%s: takes %llu numbers, which are no square image of one channel; --image "
            "WxH says their shape if they are an image",
            options->model, (unsigned long long)n);
    }
    *image = (struct image){side, side};
    return WEFT_OK;
}

static double ink_of(const weft_scaling *scaling)
{
    double most = 0;
    for (size_t i = 0; i < scaling->n; i++) {
        double value = (double)scaling->shift[i];
        double spread = scaling->scale[i] > 0 ? 1 / (double)scaling->scale[i] : 0;
        value = scaling->kind == WEFT_SCALE_UNIT ? value + spread : fmax(value, spread);
        most = fmax(most, value);
    }
    if (scaling->kind == WEFT_SCALE_UNIT) {
        return most > 0 ? most : 1;
    }
    return most > 1 ? 255 : 1;
}

/* float32, little-endian, in Base64 */
static json_t *json_floats(const float *values, size_t n)
{
    struct weft_bytes bytes = {0};
    weft_bytes_add_floats(&bytes, values, n);
    size_t size = report_base64_size(bytes.n);
    char *text = bytes.failed ? NULL : weft_mem_alloc(size, 1);
    json_t *json = NULL;
    if (text != NULL) {
        report_base64_encode(bytes.data, bytes.n, text);
        json = json_stringn_nocheck(text, size - 1);
    }
    weft_mem_free(text);
    weft_bytes_release(&bytes);
    return json;
}

static json_t *json_params(const weft_net *net)
{
    size_t n = weft_net_n_params(net);
    float *params = weft_mem_alloc(n, sizeof *params);
    if (params == NULL) {
        return NULL;
    }
    weft_net_get_params(net, params);
    json_t *json = json_floats(params, n);
    weft_mem_free(params);
    return json;
}

static json_t *json_layers(const weft_net *net)
{
    json_t *layers = json_array();
    int failed = 0;
    for (size_t l = 0; l < weft_net_n_layers(net); l++) {
        bool last = l + 1 == weft_net_n_layers(net);
        const char *function = last ? weft_output_name(weft_net_output(net))
                                    : weft_activation_name(weft_net_activation(net, l));
        failed |= json_array_append_new(layers, json_pack("{s:I,s:s}", "outputs",
                                                          (json_int_t)weft_net_width(net, l),
                                                          "function", function));
    }
    if (failed != 0) {
        json_decref(layers);
        return NULL;
    }
    return layers;
}

/* NULL: no memory */
static json_t *json_model(const weft_net *net, const struct cli_demo_options *options,
                          const struct image *image)
{
    const weft_scaling *scaling = weft_net_scaling(net);
    json_t *model = json_object(), *names = json_array();
    int failed = 0;
    for (size_t i = 0; i < weft_net_n_class_names(net); i++) {
        failed |= json_array_append_new(names, json_string(weft_net_class_name(net, i)));
    }
    double ink = options->ink > 0 ? options->ink : ink_of(scaling);
    failed |= json_object_set_new(model, "width", json_integer((json_int_t)image->width));
    failed |= json_object_set_new(model, "height", json_integer((json_int_t)image->height));
    failed |= json_object_set_new(model, "ink", json_real(ink));
    failed |= json_object_set_new(model, "names", names);
    failed |= json_object_set_new(model, "layers", json_layers(net));
    failed |= json_object_set_new(model, "shift", json_floats(scaling->shift, scaling->n));
    failed |= json_object_set_new(model, "scale", json_floats(scaling->scale, scaling->n));
    failed |= json_object_set_new(model, "params", json_params(net));
    if (failed != 0) {
        json_decref(model);
        return NULL;
    }
    return model;
}

/* No '<' stands in it as it is, so that no text can end the element or begin another; a '<' can
 * only be in a string. */
static void print_json_in_html(const char *text, FILE *stream)
{
    while (*text != '\0') {
        size_t len = strcspn(text, "<");
        fwrite(text, 1, len, stream);
        text += len;
        if (*text == '<') {
            fputs("\\u003c", stream);
            text++;
        }
    }
}

static weft_status write_page(const char *json, const char *path, weft_error *err)
{
    struct weft_safefile file;
    weft_status status = weft_safefile_open(&file, path, err);
    if (status != WEFT_OK) {
        return status;
    }
    const char *at = strstr(cli_demo_page, marker);
    fwrite(cli_demo_page, 1, (size_t)(at - cli_demo_page), file.stream);
    print_json_in_html(json, file.stream);
    fputs(at + strlen(marker), file.stream);
    return weft_safefile_commit(&file, err);
}

static weft_status write_folded(const weft_net *net, const struct cli_demo_options *options,
                                const char *path, weft_error *err)
{
    struct image image = {0};
    weft_status status = find_image(net, options, &image, err);
    if (status != WEFT_OK) {
        return status;
    }
    if (weft_net_output(net) == WEFT_OUTPUT_IDENTITY) {
        return weft_fail(err, WEFT_ERR_MISMATCH,
                         "%s: gives values, wanted a model of classes for a page to draw on",
                         options->model);
    }
    json_t *model = json_model(net, options, &image);
    char *text = model == NULL ? NULL : json_dumps(model, JSON_COMPACT | JSON_REAL_PRECISION(15));
    json_decref(model);
    if (text == NULL) {
        return weft_fail_nomem(err, "a page with a model");
    }
    status = write_page(text, path, err);
    json_free_t release;
    json_get_alloc_funcs(NULL, &release);
    release(text);
    return status;
}

weft_status cli_demo_write(const weft_net *net, const struct cli_demo_options *options,
                           const char *path, weft_error *err)
{
    for (size_t l = 0; l + 1 < weft_net_n_layers(net); l++) {
        if (weft_net_norm(net, l) == WEFT_NORM_LAYER) {
            return weft_fail(err, WEFT_ERR_UNSUPPORTED,
                             "%s: layer normalisation is nothing that a page can compute",
                             options->model);
        }
    }
    weft_net *folded = NULL;
    weft_status status = weft_net_fold(net, &folded, err);
    if (status == WEFT_OK) {
        status = write_folded(folded, options, path, err);
        weft_net_free(folded);
    }
    return status;
}
