/* The columns of a table in a model: kept, carried by exports, refused where they are broken. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weft/export.h>
#include <weft/model.h>

#include "base/mem.h"
#include "harness.h"
#include "test_model.h"

static const char *in_temp(const char *name)
{
    static char path[300];
    snprintf(path, sizeof path, "%s/%s", harness_temp_dir(), name);
    return path;
}

/* A number, two categories, a number; hostile names among the categories. */
static weft_columns some_columns(weft_missing missing)
{
    static size_t n_categories[] = {0, 2, 0};
    static char plain[] = "a\"],\"b", comment[] = "*/ \xC3\xA4\n\\";
    static char *categories[] = {plain, comment};
    static float fill[] = {0.1f, 0.25f, 0.75f, -3e-20f};
    return (weft_columns){.missing = missing,
                          .n = 3,
                          .n_categories = n_categories,
                          .categories = categories,
                          .n_features = 4,
                          .fill = missing == WEFT_MISSING_MEAN ? fill : NULL};
}

static weft_net *make_net(const weft_columns *columns)
{
    const weft_net_options options = {.n_inputs = 4, .n_outputs = 2, .output = WEFT_OUTPUT_SOFTMAX};
    weft_error err;
    weft_net *net = NULL;
    CHECK_OK(weft_net_new(&options, &net, &err), &err);
    CHECK(weft_net_columns(net) == NULL);
    CHECK_OK(weft_net_set_columns(net, columns, &err), &err);
    return net;
}

static void kept(void)
{
    for (int missing = 0; missing < WEFT_N_MISSING; missing++) {
        weft_error err;
        weft_columns columns = some_columns((weft_missing)missing);
        weft_net *net = make_net(&columns), *back = NULL;
        CHECK_OK(weft_model_save(net, in_temp("net"), &err), &err);
        if (CHECK_OK(weft_model_load(in_temp("net"), NULL, &back, &err), &err)) {
            const weft_columns *found = weft_net_columns(back);
            CHECK_INT(found->missing, missing);
            CHECK_UINT(found->n, 3);
            CHECK_UINT(found->n_features, 4);
            CHECK_UINT(found->n_categories[1], 2);
            CHECK_STR(found->categories[0], columns.categories[0]);
            CHECK_STR(found->categories[1], columns.categories[1]);
            CHECK((found->fill != NULL) == (columns.fill != NULL));
            if (found->fill != NULL) {
                CHECK_BYTES(found->fill, columns.fill, 4 * sizeof(float));
            }
        }
        weft_net_free(back);
        weft_net_free(net);
    }
}

static void must_fit(void)
{
    const weft_net_options options = {.n_inputs = 3, .n_outputs = 2, .output = WEFT_OUTPUT_SOFTMAX};
    weft_error err;
    weft_net *net = NULL;
    CHECK_OK(weft_net_new(&options, &net, &err), &err);
    weft_columns columns = some_columns(WEFT_MISSING_ZERO);
    CHECK_STATUS(weft_net_set_columns(net, &columns, &err), WEFT_ERR_MISMATCH, &err);
    CHECK_HAS(err.message, "columns of 4 features, the network has 3");
    CHECK(weft_net_columns(net) == NULL);
    weft_net_free(net);
}

/* Metadata that nobody can have meant, for one input. */
static void broken(void)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "weft.columns: no sound JSON"},
        {"[]", "missing is none of error, mean, zero, drop"},
        {"{}", "missing is none of"},
        {"{'missing':'often','categories':[[]]}", "missing is none of"},
        {"{'missing':'zero'}", "categories is no list of lists"},
        {"{'missing':'zero','categories':[]}", "categories is no list of lists"},
        {"{'missing':'zero','categories':[1]}", "categories is no list of lists"},
        {"{'missing':'zero','categories':[[1]]}", "a category is no string"},
        {"{'missing':'zero','categories':[[],[]]}", "as many features as the network has inputs"},
        {"{'missing':'zero','categories':[['a','b']]}", "as many features as"},
        {"{'missing':'mean','categories':[[]]}", "fill is no list with a number for each feature"},
        {"{'missing':'zero','categories':[[]],'fill':[1]}", "fill is no list"},
        {"{'missing':'mean','categories':[[]],'fill':[1,2]}", "fill is no list"},
        {"{'missing':'mean','categories':[[]],'fill':['a']}", "no finite number"},
        {"{'missing':'mean','categories':[[]],'fill':[1e60]}", "no finite number"},
        {"{'missing':'zero','missing':'zero','categories':[[]]}", "no sound JSON"},
        {"{'missing':'zero','categories':[[[[]]]]}", "nested deeper"},
        {"{'missing':'zero','categories':[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],"
         "[],[],[],[]]}",
         "more entries"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char header[900], text[400];
        size_t len = 0;
        for (const char *p = cases[i].text; *p != '\0'; p++) {
            len += (size_t)snprintf(text + len, sizeof text - len, *p == '\'' ? "\\\"" : "%c", *p);
        }
        text[len] = '\0';
        snprintf(header, sizeof header,
                 "{\"__metadata__\":{\"weft.format\":\"1\",\"weft.activations\":\"\","
                 "\"weft.output\":\"softmax\",\"weft.scale\":\"none\",\"weft.columns\":\"%s\"},"
                 "\"0.weight\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[0,8]}}",
                 text);
        weft_error err;
        weft_net *net = NULL;
        weft_status status = weft_model_load(put_safetensors(header, NULL, 8), NULL, &net, &err);
        CHECK_STATUS(status, WEFT_ERR_FORMAT, &err);
        CHECK_HAS(err.message, cases[i].message);
        weft_net_free(net);
    }
}

/* Whether a file has a text somewhere. */
static bool contains(const char *path, const char *text, size_t len)
{
    size_t size;
    unsigned char *bytes = get_file(path, &size);
    bool found = false;
    for (size_t i = 0; i + len <= size && !found; i++) {
        found = memcmp(bytes + i, text, len) == 0;
    }
    free(bytes);
    return found;
}

static void carried_by_exports(void)
{
    weft_error err;
    weft_columns columns = some_columns(WEFT_MISSING_MEAN);
    weft_net *net = make_net(&columns);
    CHECK_OK(weft_model_export(net, WEFT_EXPORT_ONNX, in_temp("net.onnx"), &err), &err);
    static const char onnx[] = "weft.columns";
    CHECK(contains(in_temp("net.onnx"), onnx, sizeof onnx - 1));
    static const char filled[] = "\"fill\":[0.100000001,0.25,0.75,";
    CHECK(contains(in_temp("net.onnx"), filled, sizeof filled - 1));
    CHECK_OK(weft_model_export(net, WEFT_EXPORT_C, in_temp("net.h"), &err), &err);
    static const char c[] = "static inline const char *net_columns(void)";
    CHECK(contains(in_temp("net.h"), c, sizeof c - 1));
    static const char end[] = "*/ \xC3";
    CHECK(!contains(in_temp("net.h"), end, sizeof end - 1)); /* escaped */
    CHECK_OK(weft_model_export(net, WEFT_EXPORT_NPZ, in_temp("net.npz"), &err), &err);
    CHECK(contains(in_temp("net.npz"), "columns.npy", 11));
    weft_net_free(net);
}

static void no_memory(void)
{
    weft_columns columns = some_columns(WEFT_MISSING_MEAN);
    weft_net *net = make_net(&columns);
    weft_error err;
    weft_status status;
    size_t n = 0;
    do {
        weft_mem_fail_at(++n);
        status = weft_model_save(net, in_temp("small"), &err);
        weft_mem_fail_at(0);
        CHECK(status == WEFT_OK || status == WEFT_ERR_NOMEM);
    } while (status != WEFT_OK && n < 200);
    CHECK_OK(status, &err);
    n = 0;
    weft_net *back = NULL;
    do {
        weft_mem_fail_at(++n);
        status = weft_model_load(in_temp("small"), NULL, &back, &err);
        weft_mem_fail_at(0);
        CHECK(status == WEFT_OK || status == WEFT_ERR_NOMEM);
    } while (status != WEFT_OK && n < 200);
    CHECK_OK(status, &err);
    for (int f = 0; f < WEFT_N_EXPORT_FORMATS; f++) {
        n = 0;
        do {
            weft_mem_fail_at(++n);
            status = weft_model_export(back, (weft_export_format)f, in_temp("export"), &err);
            weft_mem_fail_at(0);
            CHECK(status == WEFT_OK || status == WEFT_ERR_NOMEM);
        } while (status != WEFT_OK && n < 200);
        CHECK_OK(status, &err);
    }
    weft_net_free(back);
    weft_net_free(net);
}

CU_TestInfo model_columns_tests[] = {
    {"kept", kept},           {"must fit", must_fit},
    {"broken", broken},       {"carried by exports", carried_by_exports},
    {"no memory", no_memory}, CU_TEST_INFO_NULL,
};
