/* LIBSVM's text: sparse samples, with indices that lie. */
#include <stdio.h>
#include <string.h>

#include "harness.h"
#include "test_data.h"

static void sparse_samples(void)
{
    static const struct {
        const char *text;
        size_t n, features;
        double wanted[8];
        const char *classes[2];
    } cases[] = {
        {"+1 1:0.5 3:-2\n-1 2:1e1\n", 2, 3, {0.5, 0, -2, 0, 10, 0}, {"-1", "1"}},
        {"1 0:4 2:5\n0 1:6\n", 2, 3, {4, 0, 5, 0, 6, 0}, {"0", "1"}}, /* from 0 */
        {"# a \"comment\n\n1 1:1 # it's 2:2\n\n  2\t2:2  \r\n", 2, 2, {1, 0, 0, 2}, {"1", "2"}},
        {"2 qid:1 2:3 4:1\n1 qid:2\n", 2, 4, {0, 3, 0, 1, 0, 0, 0, 0}, {"1", "2"}},
        {"1\n2 1:7\n1\n", 3, 1, {0, 7, 0}, {"1", "2"}},
        {"1 1:255 2:3\n2 1:8 2:9", 2, 2, {255, 3, 8, 9}, {"1", "2"}},
    };
    const weft_dataset_options options = weft_dataset_options_default();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *text = cases[i].text;
        const char *path = write_text("sparse", text);
        weft_dataset *data = load(path, NULL);
        if (data == NULL) {
            continue;
        }
        CHECK_STR(weft_dataset_format(data), "LIBSVM");
        CHECK_UINT(weft_dataset_samples(data), cases[i].n);
        if (CHECK_UINT(weft_dataset_features(data), cases[i].features)) {
            for (size_t j = 0; j < cases[i].n * cases[i].features; j++) {
                CHECK_NEAR(feature(data, j / cases[i].features, j % cases[i].features),
                           cases[i].wanted[j], 1e-7);
            }
        }
        if (CHECK_UINT(weft_dataset_n_classes(data), 2)) {
            CHECK_STR(weft_dataset_class_name(data, 0), cases[i].classes[0]);
            CHECK_STR(weft_dataset_class_name(data, 1), cases[i].classes[1]);
        }
        weft_dataset_free(data);
        check_source(path, &options, cases[i].n, false);
        check_source(write_bytes("sparse.gz", gzip(text, strlen(text))), &options, cases[i].n,
                     false);
    }
}

static void values_and_none(void)
{
    const char *path = write_text("sparse", "0.5 1:1\n2.25 2:1\n");
    weft_dataset *data = load(path, NULL);
    if (data != NULL) {
        CHECK_INT(weft_dataset_targets(data).kind, WEFT_LABELS_VALUES);
        CHECK_NEAR((double)weft_dataset_targets(data).values[1], 2.25, 0);
        weft_dataset_free(data);
    }
    weft_dataset_options options = with_labels(WEFT_LABELS_NONE);
    options.n_inputs = 5; /* of a model: the file lacks the last features */
    data = load(path, &options);
    if (data != NULL) {
        CHECK_UINT(weft_dataset_features(data), 5);
        CHECK_INT(weft_dataset_targets(data).kind, WEFT_LABELS_NONE);
        CHECK_NEAR(feature(data, 1, 1), 1, 0);
        CHECK_NEAR(feature(data, 1, 4), 0, 0);
        weft_dataset_free(data);
    }
}

static void broken(void)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"1 1:1\n1 2:1 1:1\n", "line 2: got '1:1', wanted indices that ascend"},
        {"1 1:1\n1 2:1 2:1\n", "line 2: got '2:1', wanted every index once"},
        {"1 0:1\n1 0:1 0:2\n", "every index once"},
        {"1 1:1 16777217:1\n", "an index of at most 16777216"},
        {"1 1:1 18446744073709551617:1\n", "an index of at most"},
        {"1 1:1\n1 9000000:1\n1 1:1\n", "3 samples of 9000000 features"},
        {"1 1:1\n1 -2:1\n", "line 2: got '-2:1', wanted INDEX:VALUE"},
        {"1 1:1\n1 2:\n", "INDEX:NUMBER"},
        {"1 1:1\n1 :2\n", "INDEX:VALUE"},
        {"1 1:1\n1 2\n", "INDEX:VALUE"},
        {"1 1:1\n1 2:x\n", "INDEX:NUMBER"},
        {"1 1:1\n1 2:nan\n", "INDEX:NUMBER"},
        {"1 1:1\n1 2:1:2\n", "INDEX:NUMBER"},
        {"1 1:1\n1 2:1e39\n", "a value within float32"},
        {"1 1:1\nx 2:1\n", "line 2: got 'x', wanted a number as label"},
        {"1 1:1\n1,2 2:1\n", "a number as label"},
        {"1 1:1\nnan 2:1\n", "a number as label"},
        {"1 qid:1\n2 qid:2\n", "no sample has any"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        REFUSES(write_text("broken", cases[i].text), NULL, WEFT_ERR_FORMAT, "broken",
                cases[i].part);
    }
    static const char zero[] = "1 1:1\n\0 2:1\n";
    REFUSES(harness_write_file("zero", zero, sizeof zero - 1), NULL, WEFT_ERR_FORMAT, "zero");
}

/* Text that only looks a little like it is a table. */
static void not_this_format(void)
{
    static const char *const texts[] = {"1,2 3:4\n2,5\n", "1 2,3\n4,5\n", "a 1:2,3\nb,4\n",
                                        "1;2:3;4\n5;6;7\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const weft_dataset_options none = with_labels(WEFT_LABELS_NONE);
        weft_dataset *data = NULL;
        weft_error err = {0};
        if (weft_dataset_load(write_text("table", texts[i]), &none, &data, &err) == WEFT_OK) {
            CHECK_STR(weft_dataset_format(data), "CSV");
        } else {
            CHECK_HAS(err.message, "cell");
        }
        weft_dataset_free(data);
    }
}

static void no_memory(void)
{
    const weft_dataset_options options = weft_dataset_options_default();
    survives_lack_of_memory(write_text("sparse", "1 1:1\n2 2:2\n"), &options);
}

CU_TestInfo libsvm_tests[] = {
    {"sparse samples", sparse_samples},
    {"values and none", values_and_none},
    {"broken", broken},
    {"not this format", not_this_format},
    {"no memory", no_memory},
    CU_TEST_INFO_NULL,
};
