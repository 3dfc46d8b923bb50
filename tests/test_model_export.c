/* Exports: what the library itself can tell of them. That others read them and compute the same is
 * shown by tests/cli/export.sh (C) and tests/interop/check_export.py (ONNX, NPZ). */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <weft/export.h>

#include "base/mem.h"
#include "harness.h"
#include "model/export_parts.h"
#include "test_model.h"

static const char *in_temp(const char *name)
{
    static char paths[4][300];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", harness_temp_dir(), name);
    return path;
}

/* 3-2-2 with names nobody would choose. */
static weft_net *small_net(void)
{
    static const size_t hidden[] = {2};
    static const weft_activation activations[] = {WEFT_GELU};
    static const char *const names[] = {"\"*/\n\\?\?/</script>", "Z\xC3\xBCrich \xF0\x9F\x90\x88"};
    const weft_net_options options = {.n_inputs = 3,
                                      .n_outputs = 2,
                                      .n_hidden = 1,
                                      .hidden = hidden,
                                      .activations = activations,
                                      .output = WEFT_OUTPUT_SOFTMAX};
    weft_error err;
    weft_net *net = NULL;
    if (!CHECK_OK(weft_net_new(&options, &net, &err), &err)) {
        exit(1);
    }
    const float params[] = {0.5f, -0.0f, 1, 1e-45f, 3.4e38f, -7, 0.1f, 2, 1, 2, 3, 4, -1, 0};
    CHECK_UINT(weft_net_n_params(net), sizeof params / sizeof *params);
    weft_net_set_params(net, params);
    float shift[] = {1, 2, 3}, scale[] = {0.5f, 0.25f, 1e-3f};
    const weft_scaling scaling = {WEFT_SCALE_STANDARD, 3, shift, scale};
    CHECK_OK(weft_net_set_scaling(net, &scaling, &err), &err);
    CHECK_OK(weft_net_set_class_names(net, names, 2, &err), &err);
    return net;
}

/* The file as a text; free() it. */
static char *exported(const weft_net *net, weft_export_format format, const char *name, size_t *n)
{
    weft_error err;
    CHECK_OK(weft_model_export(net, format, in_temp(name), &err), &err);
    char *bytes = (char *)get_file(in_temp(name), n);
    bytes[*n] = '\0';
    return bytes;
}

static void equal_networks_equal_bytes(void)
{
    for (int f = 0; f < WEFT_N_EXPORT_FORMATS; f++) {
        size_t n, n_again;
        weft_net *net = small_net(), *twin = small_net();
        char *bytes = exported(net, (weft_export_format)f, "model.x", &n);
        char *again = exported(twin, (weft_export_format)f, "model.x", &n_again);
        if (CHECK_UINT(n, n_again)) {
            CHECK_BYTES(again, bytes, n);
        }
        free(bytes);
        free(again);
        weft_net_free(net);
        weft_net_free(twin);
    }
}

static void c_of_hostile_names(void)
{
    size_t n;
    weft_net *net = small_net();
    char *text = exported(net, WEFT_EXPORT_C, "my-2nd model.v1.h", &n);
    CHECK_HAS(text, "int my_2nd_model_v1_predict(const float *x, float *y)");
    CHECK_HAS(text, "\"\\042*/\\012\\134\\077\\077/</script>\"");
    CHECK_HAS(text, "\"Z\\303\\274rich \\360\\237\\220\\210\"");
    CHECK_HAS(text, "    0.5f, 1.40129846e-45f,\n");
    CHECK_HAS(text, "-0.0f, 3.39999995e+38f,\n    1.0f, -7.0f,\n");
    free(text);
    text = exported(net, WEFT_EXPORT_C, "2.h", &n);
    CHECK_HAS(text, "model_2_predict");
    free(text);
    text = exported(net, WEFT_EXPORT_C, "_", &n);
    CHECK_HAS(text, "model___predict");
    free(text);
    weft_net_free(net);
}

static void what_cannot_be_exported(void)
{
    weft_error err;
    weft_net *net = small_net();
    for (int f = 0; f < WEFT_N_EXPORT_FORMATS; f++) {
        weft_export_format format = (weft_export_format)f;
        CHECK_STATUS(weft_model_export(net, format, in_temp("none/m"), &err), WEFT_ERR_IO, &err);
        CHECK_HAS(err.message, "none/m: cannot create a file in its directory");
        CHECK_STATUS(weft_model_export(net, format, harness_temp_dir(), &err), WEFT_ERR_IO, &err);
        CHECK_INT(err.saved_errno, EISDIR);
        const char *full = harness_device("full");
        if (full != NULL) {
            CHECK_STATUS(weft_model_export(net, format, full, &err), WEFT_ERR_IO, &err);
            CHECK_INT(err.saved_errno, ENOSPC);
        }
    }
    CHECK_STATUS(weft_model_export(net, WEFT_N_EXPORT_FORMATS, in_temp("m"), &err), WEFT_ERR_ARG,
                 &err);

    float *params = calloc(weft_net_n_params(net), sizeof *params);
    params[3] = NAN;
    weft_net_set_params(net, params);
    CHECK_STATUS(weft_model_export(net, WEFT_EXPORT_C, in_temp("m"), &err), WEFT_ERR_ARG, &err);
    CHECK_HAS(err.message, "parameter 3 of 14 is nan");
    params[3] = 0;
    weft_net_set_params(net, params);
    free(params);
    static const char *const names[] = {"a", "\xFF"};
    CHECK_OK(weft_net_set_class_names(net, names, 2, &err), &err);
    CHECK_STATUS(weft_model_export(net, WEFT_EXPORT_ONNX, in_temp("m"), &err), WEFT_ERR_ARG, &err);
    CHECK_HAS(err.message, "the name of class 1 is not UTF-8");
    CHECK(access(in_temp("m"), F_OK) != 0);
    weft_net_free(net);
}

/* The limits of formats, without networks of that size. */
static void too_large(void)
{
    weft_error err;
    weft_net *net = small_net();
    const struct weft_export export = {.net = net, .path = "big"};
    const uint64_t size = (14 + 6) * 4;
    CHECK_OK(weft_export_check_size(&export, "X", size + 4, &err), &err);
    CHECK_STATUS(weft_export_check_size(&export, "X", size, &err), WEFT_ERR_UNSUPPORTED, &err);
    CHECK_HAS(err.message, "big: the network has 20 numbers of 4 bytes, X allows files of 80");
    weft_net_free(net);
}

static void no_memory(void)
{
    weft_net *net = small_net();
    for (int f = 0; f < WEFT_N_EXPORT_FORMATS; f++) {
        weft_error err;
        weft_status status;
        size_t n = 0;
        const char *path = in_temp(weft_export_format_name((weft_export_format)f));
        do {
            weft_mem_fail_at(++n);
            status = weft_model_export(net, (weft_export_format)f, path, &err);
            weft_mem_fail_at(0);
            CHECK(status == WEFT_OK || status == WEFT_ERR_NOMEM);
            CHECK((status == WEFT_OK) == (access(path, F_OK) == 0));
        } while (status != WEFT_OK && n < 200);
        CHECK(n > 4 && status == WEFT_OK);
    }
    weft_net_free(net);
}

CU_TestInfo export_tests[] = {
    {"equal networks, equal bytes", equal_networks_equal_bytes},
    {"C of hostile names", c_of_hostile_names},
    {"what cannot be exported", what_cannot_be_exported},
    {"too large", too_large},
    {"no memory", no_memory},
    CU_TEST_INFO_NULL,
};
