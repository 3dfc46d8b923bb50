/* Networks on disk: what is saved comes back; what others wrote is read, or refused clearly. */
#define _XOPEN_SOURCE 700 /* setrlimit */
#include <errno.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <weft/model.h>
#include <weft/version.h>

#include "base/mem.h"
#include "base/rng.h"
#include "harness.h"
#include "test_model.h"

static uint64_t draw(uint64_t seed, uint64_t *counter, uint64_t below)
{
    return weft_rng_u64(seed, 77, (*counter)++) % below;
}

static const char *in_temp(const char *name)
{
    static char paths[4][300];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", harness_temp_dir(), name);
    return path;
}

/* Any bits that are a finite number. */
static float any_float(uint64_t seed, uint64_t *counter)
{
    static const float special[] = {0,       -0.0f,     FLT_MAX, -FLT_MAX,
                                    FLT_MIN, 0x1p-149f, 0.1f,    16777216};
    uint64_t which = draw(seed, counter, 12);
    if (which < sizeof special / sizeof *special) {
        return special[which];
    }
    uint32_t bits = (uint32_t)draw(seed, counter, UINT32_MAX);
    float value;
    memcpy(&value, &bits, sizeof value);
    return isfinite(value) ? value : 1;
}

static void give_params(weft_net *net, uint64_t seed)
{
    uint64_t counter = 1000;
    float *params = malloc(weft_net_n_params(net) * sizeof *params);
    for (size_t i = 0; i < weft_net_n_params(net); i++) {
        params[i] = any_float(seed, &counter);
    }
    weft_net_set_params(net, params);
    free(params);
}

static void give_scaling(weft_net *net, uint64_t seed, uint64_t *counter)
{
    enum { MAX_INPUTS = 20 };
    float shift[MAX_INPUTS], scale[MAX_INPUTS];
    weft_scaling scaling = {.shift = shift, .scale = scale};
    switch (draw(seed, counter, 4)) {
    case 0:
        return;
    case 1:
        scaling.kind = WEFT_SCALE_NONE;
        break;
    case 2:
        scaling.kind = WEFT_SCALE_UNIT;
        scaling.n = 1;
        break;
    default:
        scaling.kind = WEFT_SCALE_STANDARD;
        scaling.n = weft_net_n_inputs(net);
    }
    for (size_t i = 0; i < scaling.n; i++) {
        shift[i] = any_float(seed, counter);
        scale[i] = any_float(seed, counter);
    }
    weft_error err;
    CHECK_OK(weft_net_set_scaling(net, &scaling, &err), &err);
}

static void give_names(weft_net *net, uint64_t seed, uint64_t *counter)
{
    static const char *const names[] = {
        "cat",           "non-cat",          "",    "a,b",  "\"quoted\"",         "\\",
        "Z\xC3\xBCrich", "\xF0\x9F\x90\x88", "[1]", "null", "tab\tand\nline\x01", "</script>",
    };
    if (draw(seed, counter, 2) == 0) {
        return;
    }
    const char *chosen[20];
    for (size_t i = 0; i < weft_net_n_class_names(net); i++) {
        chosen[i] = names[draw(seed, counter, sizeof names / sizeof *names)];
    }
    weft_error err;
    CHECK_OK(weft_net_set_class_names(net, chosen, weft_net_n_class_names(net), &err), &err);
}

/* A network that is a function of the seed; widths up to 20. */
static weft_net *random_net(uint64_t seed)
{
    uint64_t counter = 0;
    size_t hidden[8];
    weft_activation activations[8];
    weft_net_options options = {
        .n_inputs = 1 + draw(seed, &counter, 20),
        .n_outputs = 2 + draw(seed, &counter, 18),
        .n_hidden = draw(seed, &counter, 8),
        .hidden = hidden,
        .activations = activations,
        .output = (weft_output)draw(seed, &counter, WEFT_N_OUTPUTS),
    };
    if (options.output != WEFT_OUTPUT_SOFTMAX && draw(seed, &counter, 2) == 0) {
        options.n_outputs = 1;
    }
    for (size_t i = 0; i < options.n_hidden; i++) {
        hidden[i] = 1 + draw(seed, &counter, 20);
        activations[i] = (weft_activation)draw(seed, &counter, WEFT_N_ACTIVATIONS);
    }
    weft_error err;
    weft_net *net = NULL;
    if (!CHECK_OK(weft_net_new(&options, &net, &err), &err)) {
        exit(1);
    }
    give_params(net, seed);
    give_scaling(net, seed, &counter);
    give_names(net, seed, &counter);
    return net;
}

static void check_same_shape(const weft_net *a, const weft_net *b)
{
    CHECK_UINT(weft_net_n_layers(a), weft_net_n_layers(b));
    CHECK_UINT(weft_net_n_inputs(a), weft_net_n_inputs(b));
    CHECK_INT(weft_net_output(a), weft_net_output(b));
    for (size_t l = 0; l < weft_net_n_layers(a); l++) {
        CHECK_UINT(weft_net_width(a, l), weft_net_width(b, l));
        if (l + 1 < weft_net_n_layers(a)) {
            CHECK_INT(weft_net_activation(a, l), weft_net_activation(b, l));
        }
    }
}

static void check_same_net(const weft_net *a, const weft_net *b)
{
    check_same_shape(a, b);
    const weft_scaling *s = weft_net_scaling(a), *t = weft_net_scaling(b);
    CHECK_INT(t->kind, s->kind == WEFT_SCALE_AUTO ? WEFT_SCALE_NONE : s->kind);
    if (CHECK_UINT(t->n, s->n) && s->n > 0) {
        CHECK_BYTES(t->shift, s->shift, s->n * sizeof *s->shift);
        CHECK_BYTES(t->scale, s->scale, s->n * sizeof *s->scale);
    }
    CHECK_UINT(weft_net_n_class_names(a), weft_net_n_class_names(b));
    for (size_t i = 0; i < weft_net_n_class_names(a); i++) {
        CHECK_STR(weft_net_class_name(b, i), weft_net_class_name(a, i));
    }
    size_t n = weft_net_n_params(a);
    if (CHECK_UINT(weft_net_n_params(b), n)) {
        float *p = malloc(n * sizeof *p), *q = malloc(n * sizeof *q);
        weft_net_get_params(a, p);
        weft_net_get_params(b, q);
        CHECK_BYTES(q, p, n * sizeof *p);
        free(p);
        free(q);
    }
}

static void check_same_file(const char *a, const char *b)
{
    size_t n, m;
    unsigned char *x = get_file(a, &n), *y = get_file(b, &m);
    if (CHECK_UINT(n, m)) {
        CHECK_BYTES(x, y, n);
    }
    CHECK_UINT((8 + x[0] + 256u * x[1]) % 64, 0); /* where the data starts */
    free(x);
    free(y);
}

static void round_trips(void)
{
    for (uint64_t seed = 0; seed < 60; seed++) {
        weft_error err;
        weft_net *net = random_net(seed), *loaded = NULL;
        CHECK_OK(weft_model_save(net, in_temp("a.safetensors"), &err), &err);
        if (CHECK_OK(weft_model_load(in_temp("a.safetensors"), NULL, &loaded, &err), &err)) {
            check_same_net(net, loaded);
            CHECK_OK(weft_model_save(loaded, in_temp("b.safetensors"), &err), &err);
            check_same_file(in_temp("a.safetensors"), in_temp("b.safetensors"));
        }
        weft_net_free(net);
        weft_net_free(loaded);
    }
}

static weft_status load_made(const char *header, const void *data, size_t n_data,
                             const weft_model_hints *hints, weft_net **out, weft_error *err)
{
    return weft_model_load(put_safetensors(header, data, n_data), hints, out, err);
}

/* Makes and sets a locale from the sources that Debian's package "locales" has; false without. */
static bool set_made_locale(const char *name)
{
    char command[600];
    setenv("LOCPATH", harness_temp_dir(), 1);
    snprintf(command, sizeof command, "localedef -i %s -f UTF-8 %s/%s.UTF-8 >/dev/null 2>&1", name,
             harness_temp_dir(), name);
    bool made = system(command) == 0;
    snprintf(command, sizeof command, "%s.UTF-8", name);
    return made && setlocale(LC_ALL, command) != NULL;
}

/* The decimal comma of a locale, one byte or two, must not get into the file, nor keep it from
 * being read. */
static void locales(void)
{
    static const char *const names[] = {"de_DE", "ps_AF"};
    weft_error err;
    weft_net *net = random_net(3);
    const weft_scaling scaling = {WEFT_SCALE_UNIT, 1, &(float){0.5f}, &(float){1.0f / 255}};
    CHECK_OK(weft_net_set_scaling(net, &scaling, &err), &err);
    CHECK_OK(weft_model_save(net, in_temp("c.safetensors"), &err), &err);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!set_made_locale(names[i])) {
            printf("\n  not checked with the locale %s, which is not to be had", names[i]);
            continue;
        }
        CHECK(strcmp(localeconv()->decimal_point, ".") != 0);
        weft_net *loaded = NULL;
        CHECK_OK(weft_model_save(net, in_temp("local.safetensors"), &err), &err);
        check_same_file(in_temp("c.safetensors"), in_temp("local.safetensors"));
        if (CHECK_OK(weft_model_load(in_temp("c.safetensors"), NULL, &loaded, &err), &err)) {
            check_same_net(net, loaded);
        }
        weft_net_free(loaded);
        CHECK_STATUS(load_made("{\"a\":[1.5]}", NULL, 0, NULL, &loaded, &err), WEFT_ERR_FORMAT,
                     &err);
        CHECK_HAS(err.message, "'a': its description is no JSON object");
    }
    setlocale(LC_ALL, "C");
    weft_net_free(net);
}

static weft_net *tiny_net(void)
{
    const weft_net_options options = {.n_inputs = 2,
                                      .n_outputs = 2,
                                      .n_hidden = 1,
                                      .hidden = (const size_t[]){1},
                                      .activations = (const weft_activation[]){WEFT_RELU},
                                      .output = WEFT_OUTPUT_SOFTMAX};
    weft_error err;
    weft_net *net = NULL;
    if (!CHECK_OK(weft_net_new(&options, &net, &err), &err)) {
        exit(1);
    }
    weft_net_set_params(net, (const float[]){1, 2, 0.5f, -1, -2, 0.25f, 3});
    const weft_scaling scaling = {WEFT_SCALE_UNIT, 1, &(float){0}, &(float){1.0f / 255}};
    CHECK_OK(weft_net_set_scaling(net, &scaling, &err), &err);
    CHECK_OK(weft_net_set_class_names(net, (const char *const[]){"no", "yes"}, 2, &err), &err);
    return net;
}

static void golden_bytes(void)
{
    static const char header[] =
        "{\"__metadata__\":{\"format\":\"pt\",\"weft.format\":\"1\","
        "\"weft.version\":\"" WEFT_VERSION_STRING "\",\"weft.activations\":\"relu\","
        "\"weft.output\":\"softmax\",\"weft.scale\":\"unit\",\"weft.input_shift\":\"[0]\","
        "\"weft.input_scale\":\"[0.00392156886]\","
        "\"weft.class_names\":\"[\\\"no\\\",\\\"yes\\\"]\"},"
        "\"0.bias\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
        "\"0.weight\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[4,12]},"
        "\"2.bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[12,20]},"
        "\"2.weight\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[20,28]}}";
    static const unsigned char data[28] = {
        0, 0, 0x00, 0x3f,                   /* 0.bias 0.5 */
        0, 0, 0x80, 0x3f, 0, 0, 0x00, 0x40, /* 0.weight 1 2 */
        0, 0, 0x80, 0x3e, 0, 0, 0x40, 0x40, /* 2.bias 0.25 3 */
        0, 0, 0x80, 0xbf, 0, 0, 0x00, 0xc0, /* 2.weight -1 -2 */
    };
    size_t start = (8 + sizeof header - 1 + 63) / 64 * 64;
    unsigned char wanted[2048] = {(unsigned char)(start - 8), (unsigned char)((start - 8) >> 8)};
    memset(wanted + 8, ' ', start - 8);
    memcpy(wanted + 8, header, sizeof header - 1);
    memcpy(wanted + start, data, sizeof data);

    weft_error err;
    weft_net *net = tiny_net();
    CHECK_OK(weft_model_save(net, in_temp("tiny.safetensors"), &err), &err);
    size_t size;
    unsigned char *got = get_file(in_temp("tiny.safetensors"), &size);
    if (CHECK_UINT(size, start + sizeof data)) {
        CHECK_BYTES(got, wanted, size);
    }
    free(got);
    weft_net_free(net);
}

static void truncation_at_every_byte(void)
{
    weft_error err;
    weft_net *net = tiny_net();
    CHECK_OK(weft_model_save(net, in_temp("tiny.safetensors"), &err), &err);
    weft_net_free(net);
    size_t size;
    unsigned char *bytes = get_file(in_temp("tiny.safetensors"), &size);
    const char *path = in_temp("cut.safetensors");
    for (size_t n = 0; n < size; n++) {
        weft_net *untouched = (weft_net *)&err;
        harness_write_file("cut.safetensors", bytes, n);
        CHECK_STATUS(weft_model_load(path, NULL, &untouched, &err), WEFT_ERR_FORMAT, &err);
        CHECK(untouched == (weft_net *)&err);
    }
    free(bytes);
}

/* Whatever is changed in a file, it is read or refused; the checkers of the build see the rest. */
static void changed_bytes(void)
{
    weft_error err;
    weft_net *net = random_net(8);
    CHECK_OK(weft_model_save(net, in_temp("whole.safetensors"), &err), &err);
    weft_net_free(net);
    size_t size, n_refused = 0, n_loaded = 0;
    unsigned char *bytes = get_file(in_temp("whole.safetensors"), &size);
    uint64_t counter = 0;
    for (int i = 0; i < 3000; i++) {
        unsigned char kept[3];
        size_t at[3];
        uint64_t header_size = 8 + bytes[0] + 256 * (uint64_t)bytes[1];
        for (int j = 0; j < 3; j++) {
            static const char likely[] = "{}[]\",:0129-.eE\\u \xff";
            at[j] = draw(9, &counter, header_size);
            kept[j] = bytes[at[j]];
            bytes[at[j]] = (unsigned char)likely[draw(9, &counter, sizeof likely)];
        }
        put_file(in_temp("changed.safetensors"), bytes, size);
        weft_net *loaded = NULL;
        weft_status status = weft_model_load(in_temp("changed.safetensors"), NULL, &loaded, &err);
        CHECK(status == WEFT_OK || status == WEFT_ERR_FORMAT || status == WEFT_ERR_MISMATCH);
        n_refused += status != WEFT_OK;
        n_loaded += status == WEFT_OK;
        weft_net_free(loaded);
        for (int j = 2; j >= 0; j--) {
            bytes[at[j]] = kept[j];
        }
    }
    CHECK(n_refused > 1000 && n_loaded > 0);
    free(bytes);
}

#define T(shape, offsets) "{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":" offsets "}"
#define META(entries) "\"__metadata__\":{" entries "}"

static const weft_activation relu = WEFT_RELU, a_tanh = WEFT_TANH;
static const weft_activation relu_tanh[] = {WEFT_RELU, WEFT_TANH};
static const weft_output softmax = WEFT_OUTPUT_SOFTMAX, identity = WEFT_OUTPUT_IDENTITY;
static const weft_scaling unscaled = {.kind = WEFT_SCALE_NONE};
static const weft_scaling by_255 = {.kind = WEFT_SCALE_UNIT};
static const weft_scaling automatic = {.kind = WEFT_SCALE_AUTO};
static const weft_scaling standard = {.kind = WEFT_SCALE_STANDARD};

static const weft_model_hints all_hints = {&relu, 1, &identity, &unscaled};

/* 3 inputs, 2 hidden, 1 output, by the names that others give. */
static void files_of_others(void)
{
    static const char *const names[][4] = {
        {"0.weight", "0.bias", "2.weight", "2.bias"},
        {"0.weight", "0.bias", "10.weight", "10.bias"},
        {"9.weight", "9.bias", "10.weight", "10.bias"},
        {"net.0.weight", "net.0.bias", "net.3.weight", "net.3.bias"},
        {"model.layers.1.weight", "model.layers.1.bias", "model.layers.2.weight",
         "model.layers.2.bias"},
        {"fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"},
        {"fc.weight", "fc.bias", "fc2.weight", "fc2.bias"},
    };
    static const float data[11] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char header[600];
        snprintf(header, sizeof header,
                 "{\"%s\":" T("[2,3]", "[0,24]") ",\"%s\":" T("[2]", "[24,32]") ",\"%s\":" T(
                     "[1,2]", "[32,40]") ",\"%s\":" T("[1]", "[40,44]") "}",
                 names[i][0], names[i][1], names[i][2], names[i][3]);
        weft_error err;
        weft_net *net = NULL;
        if (!CHECK_OK(load_made(header, data, sizeof data, &all_hints, &net, &err), &err)) {
            continue;
        }
        CHECK_UINT(weft_net_n_layers(net), 2);
        CHECK_UINT(weft_net_n_inputs(net), 3);
        CHECK_UINT(weft_net_width(net, 0), 2);
        CHECK_UINT(weft_net_n_outputs(net), 1);
        CHECK_INT(weft_net_activation(net, 0), WEFT_RELU);
        CHECK_INT(weft_net_output(net), WEFT_OUTPUT_IDENTITY);
        CHECK_INT(weft_net_scaling(net)->kind, WEFT_SCALE_NONE);
        float params[11];
        CHECK_UINT(weft_net_n_params(net), 11);
        weft_net_get_params(net, params);
        CHECK_BYTES(params, data, sizeof data);
        weft_net_free(net);
    }
}

static void a_single_linear_module(void)
{
    static const char *const headers[] = {
        "{\"weight\":" T("[1,2]", "[0,8]") ",\"bias\":" T("[1]", "[8,12]") "}",
        "{\"linear.weight\":" T("[1,2]", "[0,8]") ",\"linear.bias\":" T("[1]", "[8,12]") "}",
    };
    static const float data[3] = {1, 2, 3};
    for (size_t i = 0; i < 2; i++) {
        weft_error err;
        weft_net *net = NULL;
        const weft_model_hints hints = {.output = &identity, .scaling = &unscaled};
        if (CHECK_OK(load_made(headers[i], data, sizeof data, &hints, &net, &err), &err)) {
            float params[3];
            weft_net_get_params(net, params);
            CHECK_BYTES(params, data, sizeof data);
            CHECK_UINT(weft_net_n_layers(net), 1);
            weft_net_free(net);
        }
    }
}

static void missing_biases_are_zero(void)
{
    static const char header[] = "{\"2.weight\":" T("[1,2]", "[8,16]") ",\"0.weight\":" T(
        "[2,1]", "[0,8]") ",\"2.bias\":" T("[1]", "[16,20]") "}";
    static const float data[5] = {1, 2, 3, 4, 5}, wanted[7] = {1, 2, 0, 0, 3, 4, 5};
    weft_error err;
    weft_net *net = NULL;
    if (CHECK_OK(load_made(header, data, sizeof data, &all_hints, &net, &err), &err)) {
        float params[7];
        CHECK_UINT(weft_net_n_params(net), 7);
        weft_net_get_params(net, params);
        CHECK_BYTES(params, wanted, sizeof wanted);
        weft_net_free(net);
    }
}

static void other_float_types(void)
{
    static const char header[] =
        "{\"0.weight\":{\"dtype\":\"F64\",\"shape\":[1,1],\"data_offsets\":[0,8]},"
        "\"0.bias\":{\"dtype\":\"BF16\",\"shape\":[1],\"data_offsets\":[8,10]},"
        "\"1.weight\":{\"dtype\":\"F16\",\"shape\":[1,1],\"data_offsets\":[10,12]}}";
    unsigned char data[12] = {[8] = 0x80, [9] = 0xbf, [10] = 0x00, [11] = 0x40};
    const double third = 1.0 / 3;
    memcpy(data, &third, 8);
    weft_error err;
    weft_net *net = NULL;
    if (CHECK_OK(load_made(header, data, sizeof data, &all_hints, &net, &err), &err)) {
        float params[4];
        weft_net_get_params(net, params);
        CHECK(params[0] == 1.0f / 3 && params[1] == -1 && params[2] == 2 && params[3] == 0);
        weft_net_free(net);
    }
}

#define TWO_LAYERS "\"0.weight\":" T("[2,1]", "[0,8]") ",\"2.weight\":" T("[2,2]", "[8,24]")
#define ONE_LAYER "\"0.weight\":" T("[2,1]", "[0,8]")
#define ACTIVATIONS "\"weft.activations\":\"relu\""
#define OUTPUT "\"weft.output\":\"softmax\""
#define SCALE "\"weft.scale\":\"none\""

static void missing_hints(void)
{
    static const struct {
        const char *header;
        size_t n_data;
        weft_model_hints hints;
        const char *message; /* NULL: it loads */
    } cases[] = {
        {"{" TWO_LAYERS "}",
         24,
         {0},
         "the file does not say its activations, output, input scaling, as weft did not write it: "
         "give --activation --output --scale"},
        {"{" TWO_LAYERS "}",
         24,
         {.activations = &relu, .n_activations = 1},
         "does not say its output, input scaling, as weft did not write it: give --output --scale"},
        {"{" TWO_LAYERS "}",
         24,
         {.output = &softmax},
         "its activations, input scaling, as weft did not write it: give --activation --scale"},
        {"{" TWO_LAYERS "}",
         24,
         {.scaling = &unscaled},
         "its activations, output, as weft did not write it: give --activation --output"},
        {"{" TWO_LAYERS "}",
         24,
         {.output = &softmax, .scaling = &unscaled},
         "its activations, as weft did not write it: give --activation"},
        {"{" TWO_LAYERS "}",
         24,
         {&relu, 1, NULL, &unscaled},
         "its output, as weft did not write it: give --output"},
        {"{" TWO_LAYERS "}",
         24,
         {&relu, 1, &softmax, NULL},
         "its input scaling, as weft did not write it: give --scale"},
        {"{" TWO_LAYERS "}", 24, {&relu, 1, &softmax, &automatic}, "give --scale"},
        {"{" TWO_LAYERS "}", 24, {&relu, 0, &softmax, &unscaled}, "give --activation"},
        {"{" TWO_LAYERS "}", 24, {&relu, 1, &softmax, &unscaled}, NULL},
        {"{" TWO_LAYERS "}", 24, {&relu, 1, &softmax, &by_255}, NULL},
        {"{" TWO_LAYERS "}",
         24,
         {&relu, 1, &softmax, &standard},
         "--scale standard needs what was measured of the training data"},
        {"{" TWO_LAYERS "}",
         24,
         {relu_tanh, 2, &softmax, &unscaled},
         "--activation has 2 names, the file has 1 hidden layers"},
        {"{" ONE_LAYER "}", 8, {.output = &softmax, .scaling = &unscaled}, NULL},
        {"{" ONE_LAYER "}", 8, {&relu, 1, &softmax, &unscaled}, NULL},
        {"{" META(ACTIVATIONS "," OUTPUT) "," TWO_LAYERS "}", 24, {0}, "give --scale"},
        {"{" META(ACTIVATIONS "," SCALE) "," TWO_LAYERS "}", 24, {0}, "give --output"},
        {"{" META(OUTPUT "," SCALE) "," TWO_LAYERS "}", 24, {0}, "give --activation"},
        {"{" META(OUTPUT "," SCALE) "," ONE_LAYER "}", 8, {0}, NULL},
        {"{" META(ACTIVATIONS "," OUTPUT "," SCALE) "," TWO_LAYERS "}", 24, {0}, NULL},
        {"{" META(ACTIVATIONS "," OUTPUT "," SCALE) "," TWO_LAYERS "}",
         24,
         {&relu, 1, &softmax, &unscaled},
         NULL},
        {"{" META(ACTIVATIONS "," OUTPUT "," SCALE) "," TWO_LAYERS "}",
         24,
         {.activations = &a_tanh, .n_activations = 1},
         "--activation contradicts the file, whose weft.activations is 'relu'"},
        {"{" META(ACTIVATIONS "," OUTPUT "," SCALE) "," TWO_LAYERS "}",
         24,
         {.output = &identity},
         "--output contradicts the file, whose weft.output is 'softmax'"},
        {"{" META(ACTIVATIONS "," OUTPUT "," SCALE) "," TWO_LAYERS "}",
         24,
         {.scaling = &by_255},
         "--scale contradicts the file, whose weft.scale is 'none'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        weft_error err = {0};
        weft_net *net = NULL;
        weft_status status =
            load_made(cases[i].header, NULL, cases[i].n_data, &cases[i].hints, &net, &err);
        bool ok =
            CHECK_STATUS(status, cases[i].message == NULL ? WEFT_OK : WEFT_ERR_MISMATCH, &err);
        if (cases[i].message != NULL) {
            ok = CHECK_HAS(err.message, cases[i].message) && ok;
        }
        if (!ok) {
            printf("\n  case %zu: %s", i, cases[i].header);
        }
        weft_net_free(net);
    }
}

static void scaling_from_hints(void)
{
    weft_error err;
    weft_net *net = NULL;
    weft_model_hints hints = {.output = &softmax, .scaling = &by_255};
    if (CHECK_OK(load_made("{" ONE_LAYER "}", NULL, 8, &hints, &net, &err), &err)) {
        const weft_scaling *scaling = weft_net_scaling(net);
        CHECK_INT(scaling->kind, WEFT_SCALE_UNIT);
        CHECK_UINT(scaling->n, 1);
        CHECK(scaling->shift[0] == 0 && scaling->scale[0] == 1.0f / 255);
        weft_net_free(net);
    }
    const weft_scaling full = {WEFT_SCALE_STANDARD, 1, &(float){3}, &(float){0.5f}};
    hints.scaling = &full;
    if (CHECK_OK(load_made("{" ONE_LAYER "}", NULL, 8, &hints, &net, &err), &err)) {
        CHECK_INT(weft_net_scaling(net)->kind, WEFT_SCALE_STANDARD);
        CHECK(weft_net_scaling(net)->shift[0] == 3 && weft_net_scaling(net)->scale[0] == 0.5f);
        weft_net_free(net);
    }
    float three[3] = {1, 1, 1};
    const weft_scaling wrong = {WEFT_SCALE_STANDARD, 3, three, three};
    hints.scaling = &wrong;
    CHECK_STATUS(load_made("{" ONE_LAYER "}", NULL, 8, &hints, &net, &err), WEFT_ERR_MISMATCH,
                 &err);
    CHECK_HAS(err.message, "made.safetensors: scaling of 3 features");
}

#define ALL_META(more) META(OUTPUT "," SCALE "," more)

/* Sound files that are no network, and metadata that nobody can have meant. */
static void hostile_models(void)
{
    static const struct {
        const char *header;
        size_t n_data;
        weft_status status;
        const char *message;
    } cases[] = {
        {"{}", 0, WEFT_ERR_MISMATCH, "0 layers, wanted 1"},
        {"{" META(OUTPUT) "}", 0, WEFT_ERR_MISMATCH, "0 layers, wanted 1"},
        {"{\"embedding\":" T("[2,1]", "[0,8]") "}", 8, WEFT_ERR_MISMATCH,
         "tensor 'embedding' is no layer's weight or bias"},
        {"{\"0.running_mean\":" T("[2]", "[0,8]") ","
                                                  "\"0.weight\":" T("[2,1]", "[8,16]") "}",
         16, WEFT_ERR_MISMATCH, "'0.weight' is of a normalisation, which wanted a layer"},
        {"{\"0weight\":" T("[2,1]", "[0,8]") "}", 8, WEFT_ERR_MISMATCH, "'0weight' is no layer's"},
        {"{\"0.weights\":" T("[2,1]", "[0,8]") "}", 8, WEFT_ERR_MISMATCH, "is no layer's weight"},
        {"{\"1234567890.weight\":" T("[2,1]", "[0,8]") "}", 8, WEFT_ERR_MISMATCH,
         "is no layer's weight"},
        {"{\"a.0.weight\":" T("[2,1]", "[0,8]") ",\"b.0.weight\":" T("[2,1]", "[8,16]") "}", 16,
         WEFT_ERR_MISMATCH, "'a.0.weight' and 'b.0.weight' are not of one sequence"},
        {"{\"0.weight\":" T("[2,1]", "[0,8]") ",\"x.0.weight\":" T("[2,1]", "[8,16]") "}", 16,
         WEFT_ERR_MISMATCH, "are not of one sequence"},
        {"{\"0.weight\":" T("[2,1]", "[0,8]") ",\"00.weight\":" T("[1,2]", "[8,16]") "}", 16,
         WEFT_ERR_MISMATCH, "are of the same layer"},
        {"{\"0.bias\":" T("[1]", "[0,4]") "}", 4, WEFT_ERR_MISMATCH,
         "'0.bias' has no weight beside it"},
        {"{" ONE_LAYER ",\"2.bias\":" T("[2]", "[8,16]") "}", 16, WEFT_ERR_MISMATCH,
         "'2.bias' has no weight beside it"},
        {"{\"0.weight\":" T("[2]", "[0,8]") "}", 8, WEFT_ERR_MISMATCH,
         "'0.weight' has 1 dimensions, wanted 2"},
        {"{\"0.weight\":" T("[2,1,1]", "[0,8]") "}", 8, WEFT_ERR_MISMATCH, "has 3 dimensions"},
        {"{\"0.weight\":" T("[]", "[0,4]") "}", 4, WEFT_ERR_MISMATCH, "has 0 dimensions"},
        {"{\"0.weight\":" T("[0,5]", "[0,0]") "}", 0, WEFT_ERR_MISMATCH, "is empty: 0 x 5"},
        {"{\"0.weight\":" T("[5,0]", "[0,0]") "}", 0, WEFT_ERR_MISMATCH, "is empty: 5 x 0"},
        {"{\"0.weight\":" T("[0,1099511627776]", "[0,0]") "}", 0, WEFT_ERR_MISMATCH, "is empty"},
        {"{" ONE_LAYER ",\"0.bias\":" T("[1]", "[8,12]") "}", 12, WEFT_ERR_MISMATCH,
         "'0.bias' has 1 elements in 1 dimensions, wanted [2]"},
        {"{" ONE_LAYER ",\"0.bias\":" T("[2,1]", "[8,16]") "}", 16, WEFT_ERR_MISMATCH,
         "'0.bias' has 2 elements in 2 dimensions, wanted [2]"},
        {"{" ONE_LAYER ",\"1.weight\":" T("[1,3]", "[8,20]") "}", 20, WEFT_ERR_MISMATCH,
         "'1.weight' takes 3 inputs, but '0.weight' before it has 2 outputs"},
        {"{\"0.weight\":{\"dtype\":\"I32\",\"shape\":[2,1],\"data_offsets\":[0,8]}}", 8,
         WEFT_ERR_MISMATCH, "has the dtype I32; weights are"},
        {"{\"0.weight\":" T("[1,2]", "[0,8]") "}", 8, WEFT_ERR_MISMATCH, "softmax over 1 output"},
        /* metadata */
        {"{" META("\"weft.format\":\"2\"") "," ONE_LAYER "}", 8, WEFT_ERR_FORMAT,
         "a newer weft wrote it: weft.format is '2', wanted '1'"},
        {"{" META("\"weft.output\":\"argmax\"," SCALE) "," ONE_LAYER "}", 8, WEFT_ERR_FORMAT,
         "weft.output: unknown output 'argmax'"},
        {"{" META("\"weft.output\":\"\"," SCALE) "," ONE_LAYER "}", 8, WEFT_ERR_FORMAT,
         "weft.output: unknown output ''"},
        {"{" ALL_META("\"weft.activations\":\"swish\"") "," TWO_LAYERS "}", 24, WEFT_ERR_FORMAT,
         "weft.activations: unknown activation 'swish'"},
        {"{" ALL_META("\"weft.activations\":\"relu,\"") "," TWO_LAYERS "}", 24, WEFT_ERR_FORMAT,
         "unknown activation ''"},
        {"{" ALL_META("\"weft.activations\":\"relu tanh\"") "," TWO_LAYERS "}", 24, WEFT_ERR_FORMAT,
         "unknown activation 'relu tanh'"},
        {"{" ALL_META("\"weft.activations\":\"relu,relu\"") "," TWO_LAYERS "}", 24, WEFT_ERR_FORMAT,
         "weft.activations has 2 names, the tensors have 1 hidden layers"},
        {"{" ALL_META("\"weft.activations\":\"\"") "," TWO_LAYERS "}", 24, WEFT_ERR_FORMAT,
         "weft.activations has 0 names, the tensors have 1 hidden layers"},
        {"{" ALL_META("\"weft.activations\":\"relu\"") "," ONE_LAYER "}", 8, WEFT_ERR_FORMAT,
         "weft.activations has 1 names, the tensors have 0 hidden layers"},
        {"{" META(OUTPUT ",\"weft.scale\":\"auto\"") "," ONE_LAYER "}", 8, WEFT_ERR_FORMAT,
         "weft.scale: unknown scaling 'auto'"},
        {"{" META(OUTPUT ",\"weft.scale\":\"log\"") "," ONE_LAYER "}", 8, WEFT_ERR_FORMAT,
         "weft.scale: unknown scaling 'log'"},
        {"{" META(OUTPUT ",\"weft.scale\":\"unit\"") "," ONE_LAYER "}", 8, WEFT_ERR_FORMAT,
         "weft.scale is 'unit', but weft.input_shift is missing"},
        {"{" ALL_META("\"weft.input_shift\":\"[0]\"") "," ONE_LAYER "}", 8, WEFT_ERR_FORMAT,
         "but weft.input_scale is missing"},
        {"{" ALL_META("\"weft.input_scale\":\"[0]\"") "," ONE_LAYER "}", 8, WEFT_ERR_FORMAT,
         "but weft.input_shift is missing"},
        {"{" ALL_META("\"weft.input_shift\":\"0\",\"weft.input_scale\":\"[1]\"") "," ONE_LAYER "}",
         8, WEFT_ERR_FORMAT, "weft.input_shift is no list of at most 1: '0'"},
        {"{" ALL_META("\"weft.input_shift\":\"[0\",\"weft.input_scale\":\"[1]\"") "," ONE_LAYER "}",
         8, WEFT_ERR_FORMAT, "weft.input_shift is no list"},
        {"{" ALL_META("\"weft.input_shift\":\"[[0]]\",\"weft.input_scale\":\"[1]\"") "," ONE_LAYER
                                                                                     "}",
         8, WEFT_ERR_FORMAT, "weft.input_shift is no list"},
        {"{" ALL_META("\"weft.input_shift\":\"{}\",\"weft.input_scale\":\"[1]\"") "," ONE_LAYER "}",
         8, WEFT_ERR_FORMAT, "weft.input_shift is no list"},
        {"{" ALL_META("\"weft.input_shift\":\"\",\"weft.input_scale\":\"[1]\"") "," ONE_LAYER "}",
         8, WEFT_ERR_FORMAT, "weft.input_shift is no list"},
        {"{" ALL_META("\"weft.input_shift\":\"[0,0]\",\"weft.input_scale\":\"[1]\"") "," ONE_LAYER
                                                                                     "}",
         8, WEFT_ERR_FORMAT, "weft.input_shift is no list of at most 1"},
        {"{" ALL_META(
             "\"weft.input_shift\":\"[0,0]\",\"weft.input_scale\":\"[1]\"") ","
                                                                            "\"0.weight\":" T(
                                                                                "[2,2]",
                                                                                "[0,16]") "}",
         16, WEFT_ERR_FORMAT,
         "weft.input_shift has 2 entries and weft.input_scale 1, wanted 1 or 2 of both"},
        {"{" ALL_META("\"weft.input_shift\":\"[]\",\"weft.input_scale\":\"[1]\"") "," ONE_LAYER "}",
         8, WEFT_ERR_FORMAT,
         "weft.input_shift has 0 entries and weft.input_scale 1, wanted 1 or 1"},
        {"{" ALL_META("\"weft.input_shift\":\"[]\",\"weft.input_scale\":\"[]\"") "," ONE_LAYER "}",
         8, WEFT_ERR_FORMAT, "has 0 entries"},
        {"{" ALL_META("\"weft.input_shift\":\"[true]\",\"weft.input_scale\":\"[1]\"") "," ONE_LAYER
                                                                                      "}",
         8, WEFT_ERR_FORMAT, "weft.input_shift: entry 0 is no finite number"},
        {"{" ALL_META("\"weft.input_shift\":\"[0]\",\"weft.input_scale\":\"[1e39]\"") "," ONE_LAYER
                                                                                      "}",
         8, WEFT_ERR_FORMAT, "weft.input_scale: entry 0 is no finite number of float32"},
        {"{" ALL_META("\"weft.input_shift\":\"[0]\",\"weft.input_scale\":\"[nan]\"") "," ONE_LAYER
                                                                                     "}",
         8, WEFT_ERR_FORMAT, "weft.input_scale is no list"},
        {"{" ALL_META("\"weft.class_names\":\"a,b\"") "," ONE_LAYER "}", 8, WEFT_ERR_FORMAT,
         "weft.class_names is no list of at most 2: 'a,b'"},
        {"{" ALL_META("\"weft.class_names\":\"[\\\"a\\\"]\"") "," ONE_LAYER "}", 8, WEFT_ERR_FORMAT,
         "weft.class_names has 1 names, wanted 2"},
        {"{" ALL_META("\"weft.class_names\":\"[1,2]\"") "," ONE_LAYER "}", 8, WEFT_ERR_FORMAT,
         "weft.class_names: entry 0 is no string"},
        {"{" ALL_META("\"weft.class_names\":\"[\\\"a\\\",\\\"b\\\",\\\"c\\\"]\"") "," ONE_LAYER "}",
         8, WEFT_ERR_FORMAT, "weft.class_names is no list of at most 2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        /* Metadata that says something needs no hint for it, and the hint may contradict it. */
        bool foreign = strstr(cases[i].header, "weft.output") == NULL;
        const weft_model_hints hints = {&relu, 1, &softmax, &unscaled};
        weft_error err = {0};
        weft_net *net = NULL;
        weft_status status =
            load_made(cases[i].header, NULL, cases[i].n_data, foreign ? &hints : NULL, &net, &err);
        bool ok = CHECK_STATUS(status, cases[i].status, &err);
        ok = CHECK_HAS(err.message, cases[i].message) && ok;
        ok = CHECK_HAS(err.message, "made.safetensors: ") && ok;
        if (!ok) {
            printf("\n  case %zu: %s", i, cases[i].header);
        }
        weft_net_free(net);
    }
}

static void weights_that_are_not_finite(void)
{
    static const char header[] =
        "{\"0.weight\":" T("[2,1]", "[0,8]") ",\"0.bias\":" T("[2]", "[8,16]") "}";
    static const struct {
        float data[4];
        const char *message;
    } cases[] = {
        {{1, NAN, 0, 0}, "'0.weight': element 1 of 2 is nan, wanted a finite float32"},
        {{-INFINITY, 0, 0, 0}, "'0.weight': element 0 of 2 is -inf"},
        {{1, 2, 3, INFINITY}, "'0.bias': element 1 of 2 is inf"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        weft_error err = {0};
        weft_net *net = NULL;
        CHECK_STATUS(load_made(header, cases[i].data, 16, &all_hints, &net, &err), WEFT_ERR_FORMAT,
                     &err);
        CHECK_HAS(err.message, cases[i].message);
    }
    static const char wide[] =
        "{\"0.weight\":{\"dtype\":\"F64\",\"shape\":[1,1],\"data_offsets\":[0,8]}}";
    weft_error err = {0};
    weft_net *net = NULL;
    CHECK_STATUS(load_made(wide, &(double){1e300}, 8, &all_hints, &net, &err), WEFT_ERR_FORMAT,
                 &err);
    CHECK_HAS(err.message, "wanted a finite float32");
}

/* A file of n layers [1,1]. */
static weft_status load_deep(size_t n, weft_error *err)
{
    char *header = malloc(n * 100 + 100);
    float *data = malloc(n * sizeof *data);
    size_t len = 0;
    header[len++] = '{';
    for (size_t i = 0; i < n; i++) {
        data[i] = 1;
        len += (size_t)sprintf(header + len,
                               "%s\"%zu.weight\":{\"dtype\":\"F32\",\"shape\":[1,1],"
                               "\"data_offsets\":[%zu,%zu]}",
                               i == 0 ? "" : ",", i, 4 * i, 4 * i + 4);
    }
    strcpy(header + len, "}");
    weft_net *net = NULL;
    weft_status status = load_made(header, data, n * sizeof *data, &all_hints, &net, err);
    CHECK(status != WEFT_OK || weft_net_n_layers(net) == n);
    weft_net_free(net);
    free(header);
    free(data);
    return status;
}

static void deepest_network(void)
{
    weft_error err = {0};
    CHECK_OK(load_deep(1001, &err), &err);
    CHECK_STATUS(load_deep(1002, &err), WEFT_ERR_MISMATCH, &err);
    CHECK_HAS(err.message, "1002 layers, wanted 1 to 1001");
    CHECK_STATUS(load_deep(20000, &err), WEFT_ERR_MISMATCH, &err);
}

static void what_cannot_be_saved(void)
{
    weft_error err;
    weft_net *net = tiny_net();
    CHECK_OK(weft_model_save(net, in_temp("kept.safetensors"), &err), &err);
    size_t size;
    unsigned char *before = get_file(in_temp("kept.safetensors"), &size);

    weft_net_set_params(net, (const float[]){1, 2, NAN, 0, 0, 0, 0});
    CHECK_STATUS(weft_model_save(net, in_temp("kept.safetensors"), &err), WEFT_ERR_ARG, &err);
    CHECK_HAS(err.message, "cannot save: parameter 2 of 7 is nan");
    weft_net_set_params(net, (const float[7]){0});
    CHECK_OK(weft_net_set_class_names(net, (const char *const[]){"ok", "\xff"}, 2, &err), &err);
    CHECK_STATUS(weft_model_save(net, in_temp("kept.safetensors"), &err), WEFT_ERR_ARG, &err);
    CHECK_HAS(err.message, "the name of class 1 is not UTF-8");
    weft_net_free(net);

    size_t size_after;
    unsigned char *after = get_file(in_temp("kept.safetensors"), &size_after);
    if (CHECK_UINT(size_after, size)) {
        CHECK_BYTES(after, before, size);
    }
    free(before);
    free(after);
}

/* An old file stays as it was where a new one cannot be written. */
static void failing_saves(void)
{
    weft_error err;
    weft_net *net = tiny_net();
    const char *path = harness_write_file("old.safetensors", "old", 3);
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){100, limit.rlim_max});
    weft_status status = weft_model_save(net, path, &err);
    setrlimit(RLIMIT_FSIZE, &limit);
    signal(SIGXFSZ, SIG_DFL);
    CHECK_STATUS(status, WEFT_ERR_IO, &err);
    CHECK_INT(err.saved_errno, EFBIG);
    CHECK_HAS(err.message, "old.safetensors: cannot write: File too large");
    size_t size;
    unsigned char *bytes = get_file(path, &size);
    CHECK(size == 3 && memcmp(bytes, "old", 3) == 0);
    free(bytes);

    CHECK_STATUS(weft_model_save(net, in_temp("none/m.safetensors"), &err), WEFT_ERR_IO, &err);
    CHECK_HAS(err.message, "none/m.safetensors: cannot create a file in its directory");
    CHECK_STATUS(weft_model_save(net, harness_temp_dir(), &err), WEFT_ERR_IO, &err);
    CHECK_INT(err.saved_errno, EISDIR);
    const char *full = harness_device("full");
    if (full != NULL) {
        CHECK_STATUS(weft_model_save(net, full, &err), WEFT_ERR_IO, &err);
        CHECK_INT(err.saved_errno, ENOSPC);
    }
    weft_net_free(net);
}

static void read_only_directory(void)
{
    const char *dir = in_temp("locked");
    if (!CHECK_INT(mkdir(dir, 0755), 0)) {
        return;
    }
    chmod(harness_temp_dir(), 0755);
    chmod(dir, 0555);
    pid_t child = fork();
    if (child == 0) {
        if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) {
            _exit(255);
        }
        weft_error err = {0};
        weft_net *net = tiny_net();
        weft_status status = weft_model_save(net, in_temp("locked/m.safetensors"), &err);
        _exit(status == WEFT_ERR_IO ? err.saved_errno : 254);
    }
    int code = 0;
    waitpid(child, &code, 0);
    CHECK(WIFEXITED(code));
    CHECK_INT(WEXITSTATUS(code), EACCES);
}

static void no_memory(void)
{
    weft_error err;
    weft_net *net = random_net(8);
    CHECK_OK(weft_model_save(net, in_temp("whole.safetensors"), &err), &err);
    size_t n = 0;
    weft_status status;
    do {
        weft_mem_fail_at(++n);
        status = weft_model_save(net, in_temp("again.safetensors"), &err);
        weft_mem_fail_at(0);
        CHECK(status == WEFT_OK || status == WEFT_ERR_NOMEM);
        CHECK(status == WEFT_OK || access(in_temp("again.safetensors"), F_OK) != 0);
    } while (status != WEFT_OK && n < 100);
    CHECK(n > 8 && status == WEFT_OK);
    check_same_file(in_temp("whole.safetensors"), in_temp("again.safetensors"));
    weft_net_free(net);

    static const char *const scales[] = {"file", "hint"};
    for (size_t i = 0; i < sizeof scales / sizeof *scales; i++) {
        const char *path =
            i == 0 ? in_temp("whole.safetensors") : put_safetensors("{" TWO_LAYERS "}", NULL, 24);
        const weft_model_hints hints = {&relu, 1, &softmax, &by_255};
        n = 0;
        do {
            weft_net *loaded = NULL;
            weft_mem_fail_at(++n);
            status = weft_model_load(path, i == 0 ? NULL : &hints, &loaded, &err);
            weft_mem_fail_at(0);
            CHECK(status == WEFT_OK || status == WEFT_ERR_NOMEM);
            CHECK((status == WEFT_OK) == (loaded != NULL));
            weft_net_free(loaded);
        } while (status != WEFT_OK && n < 200);
        CHECK(n > 10 && status == WEFT_OK);
    }
}

CU_TestInfo model_tests[] = {
    {"round trips", round_trips},
    {"locales", locales},
    {"golden bytes", golden_bytes},
    {"truncation at every byte", truncation_at_every_byte},
    {"changed bytes", changed_bytes},
    {"files of others", files_of_others},
    {"a single linear module", a_single_linear_module},
    {"missing biases are zero", missing_biases_are_zero},
    {"other float types", other_float_types},
    {"missing hints", missing_hints},
    {"scaling from hints", scaling_from_hints},
    {"hostile models", hostile_models},
    {"weights that are not finite", weights_that_are_not_finite},
    {"deepest network", deepest_network},
    {"what cannot be saved", what_cannot_be_saved},
    {"failing saves", failing_saves},
    {"read-only directory", read_only_directory},
    {"no memory", no_memory},
    CU_TEST_INFO_NULL,
};
