/* Weights of samples and of classes: what is minimised is the weighted mean, whatever says so. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "harness.h"
#include "reference.h"
#include "synthetic.h"
#include "test_data.h"
#include "train/weights.h"

#include <weft/weft.h>

enum { N = 90, FEATURES = 7, CLASSES = 3 };

/* Sample i is of class class_of[i]; some samples twice, so that `twice` gives them weight 2. */
struct sets {
    weft_dataset *plain, *weighted, *repeated;
    float weights[N];
};

static struct sets make_sets(bool by_class)
{
    static float x[2 * N * FEATURES];
    static int32_t classes[2 * N];
    struct sets sets = {.plain = NULL};
    size_t n = N;
    for (size_t i = 0; i < N; i++) {
        classes[i] = (int32_t)(i % 5 == 0 ? 0 : i % 5 < 3 ? 1 : 2);
        for (size_t j = 0; j < FEATURES; j++) {
            x[i * FEATURES + j] =
                (float)sin((double)(i * 31 + j * 17)) + ((int)j == classes[i] ? 1.0F : 0);
        }
        bool twice = by_class ? classes[i] == 1 : i % 4 == 1;
        sets.weights[i] = twice ? 2 : 1;
        if (twice) {
            memcpy(x + n * FEATURES, x + i * FEATURES, FEATURES * sizeof *x);
            classes[n++] = classes[i];
        }
    }
    weft_targets targets = {.kind = WEFT_LABELS_CLASSES, .classes = classes};
    weft_tensor rows = weft_tensor_borrow(WEFT_F32, x, N, FEATURES, FEATURES);
    weft_error err;
    CHECK_OK(weft_dataset_from_memory(&rows, &targets, NULL, CLASSES, &sets.plain, &err), &err);
    targets.weights = sets.weights;
    CHECK_OK(weft_dataset_from_memory(&rows, &targets, NULL, CLASSES, &sets.weighted, &err), &err);
    targets.weights = NULL;
    rows.rows = n;
    CHECK_OK(weft_dataset_from_memory(&rows, &targets, NULL, CLASSES, &sets.repeated, &err), &err);
    return sets;
}

static void free_sets(struct sets *sets)
{
    weft_dataset_free(sets->plain);
    weft_dataset_free(sets->weighted);
    weft_dataset_free(sets->repeated);
}

struct result {
    float *params;
    double train_loss, val_loss;
};

static bool listen(const weft_event *event, void *user)
{
    struct result *result = user;
    if (event->kind == WEFT_EVENT_EPOCH) {
        result->train_loss = event->train.loss;
        result->val_loss = event->val.loss;
    }
    return true;
}

static struct result train(const weft_dataset *data, const weft_dataset *val, size_t batch_size,
                           const double *class_weights, size_t n_threads)
{
    static const size_t hidden[] = {6, 0};
    weft_net *net = synthetic_net(FEATURES, hidden, WEFT_TANH, CLASSES, WEFT_OUTPUT_SOFTMAX, 5);
    weft_context *context = synthetic_context(n_threads);
    weft_train_options options = weft_train_options_default();
    struct result result = {.params = NULL};
    weft_error err;
    options.epochs = 12;
    options.batch_size = batch_size;
    options.lr = 0.2;
    options.val = val;
    options.class_weights = class_weights;
    options.n_class_weights = class_weights == NULL ? 0 : CLASSES;
    options.listener = listen;
    options.listener_user = &result;
    CHECK_OK(weft_train(context, net, data, &options, &err), &err);
    result.params = synthetic_params(net);
    weft_context_free(context);
    weft_net_free(net);
    return result;
}

enum { N_PARAMS = FEATURES * 6 + 6 + 6 * CLASSES + CLASSES };

/* A sample of weight 2 is as good as two of them; the reported loss is that mean, too. */
static void weights_are_repetitions(void)
{
    for (int by_class = 0; by_class < 2; by_class++) {
        static const double twice[CLASSES] = {1, 2, 1}, scaled[CLASSES] = {10, 20, 10};
        struct sets sets = make_sets(by_class);
        struct result wanted = train(sets.repeated, sets.plain, 0, NULL, 1);
        struct result results[3] = {
            train(sets.weighted, sets.plain, 0, NULL, 1),
            train(by_class ? sets.plain : sets.weighted, sets.plain, 0, by_class ? twice : NULL, 2),
            train(by_class ? sets.plain : sets.weighted, sets.plain, 0, by_class ? scaled : NULL,
                  3),
        };
        for (size_t k = 0; k < 3; k++) {
            CHECK_FLOATS_NEAR(results[k].params, wanted.params, N_PARAMS, 1e-5, 1e-5);
            CHECK_NEAR(results[k].train_loss, wanted.train_loss, 1e-5);
            CHECK_NEAR(results[k].val_loss, wanted.val_loss, 1e-5);
            CHECK_BYTES(results[k].params, results[0].params, N_PARAMS * sizeof(float));
            free(results[k].params == results[0].params ? NULL : results[k].params);
        }
        free(results[0].params);
        struct result plain = train(sets.plain, sets.plain, 0, NULL, 1);
        CHECK(memcmp(plain.params, wanted.params, N_PARAMS * sizeof(float)) != 0);
        free(plain.params);
        free(wanted.params);
        free_sets(&sets);
    }
}

/* Weights that are all alike change no bit, and those of a validation set are not looked at. */
static void equal_weights_are_none(void)
{
    static const double alike[CLASSES] = {4, 4, 4};
    struct sets sets = make_sets(false);
    struct result a = train(sets.plain, sets.plain, 16, NULL, 1);
    struct result b = train(sets.plain, sets.weighted, 16, alike, 3);
    CHECK_BYTES(b.params, a.params, N_PARAMS * sizeof(float));
    CHECK_BYTES(&b.train_loss, &a.train_loss, sizeof a.train_loss);
    CHECK_BYTES(&b.val_loss, &a.val_loss, sizeof a.val_loss);
    free(a.params);
    free(b.params);
    free_sets(&sets);
}

/* In mini-batches: against weights of the samples themselves, on any number of threads; a class of
 * weight 0 is as if it were not there. */
static void class_weights_in_batches(void)
{
    static const double weights[CLASSES] = {0.5, 0, 3};
    static float own[N];
    struct sets sets = make_sets(true);
    weft_targets targets = weft_dataset_targets(sets.plain);
    for (size_t i = 0; i < N; i++) {
        own[i] = (float)weights[targets.classes[i]];
    }
    targets.weights = own;
    weft_tensor x = weft_dataset_x(sets.plain);
    weft_dataset *data = NULL;
    weft_error err;
    CHECK_OK(weft_dataset_from_memory(&x, &targets, NULL, CLASSES, &data, &err), &err);
    struct result a = train(sets.plain, NULL, 16, weights, 1), b = train(data, NULL, 16, NULL, 3);
    CHECK_BYTES(b.params, a.params, N_PARAMS * sizeof(float));
    free(a.params);
    free(b.params);
    weft_dataset_free(data);
    free_sets(&sets);
}

/* The numbers scikit-learn's documentation has for "balanced": n / (k bincount). */
static void balanced(void)
{
    static const int32_t classes[] = {0, 0, 0, 0, 2, 2, 2, 3};
    static const float x[8] = {0};
    static const double wanted[] = {8.0 / 12, 0, 8.0 / 9, 8.0 / 3};
    weft_dataset *data = synthetic_from(x, 8, 1, classes, 4, NULL, 0);
    double weights[4];
    weft_error err;
    CHECK_OK(weft_balanced_weights(data, weights, &err), &err);
    for (size_t c = 0; c < 4; c++) {
        CHECK_NEAR(weights[c], wanted[c], 1e-15);
    }
    weft_train_options options = weft_train_options_default();
    options.class_weights = weights;
    options.n_class_weights = 4;
    float *each = NULL;
    CHECK_OK(weft_sample_weights(data, &options, &each, &err), &err);
    CHECK_NEAR((double)each[0], 2.0 / 3, 1e-7);
    CHECK_NEAR((double)each[7], 8.0 / 3, 1e-6);
    weft_mem_free(each);
    weft_dataset_free(data);
    const float y[8] = {0};
    data = synthetic_from(x, 8, 1, NULL, 0, y, 1);
    CHECK_STATUS(weft_balanced_weights(data, weights, &err), WEFT_ERR_MISMATCH, &err);
    weft_dataset_free(data);
}

static void refused_class_weights(void)
{
    static const double negative[] = {1, -1, 1}, wild[] = {1, HUGE_VAL, 1}, zero[] = {0, 0, 0};
    static const struct {
        const double *weights;
        size_t n;
        const char *part;
    } cases[] = {{negative, 3, "-1"},
                 {wild, 3, "inf"},
                 {zero, 3, "all samples are 0"},
                 {negative, 2, "2 class weights, wanted 3"}};
    struct sets sets = make_sets(false);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        weft_train_options options = weft_train_options_default();
        weft_error err;
        options.class_weights = cases[i].weights;
        options.n_class_weights = cases[i].n;
        CHECK_STATUS(weft_check_weights(sets.plain, &options, &err), WEFT_ERR_ARG, &err);
        CHECK_HAS(err.message, cases[i].part);
    }
    free_sets(&sets);
}

static weft_dataset_options with_weight(const char *column)
{
    weft_dataset_options options = weft_dataset_options_default();
    options.weight = column;
    return options;
}

/* The column is neither feature nor label, read or streamed, and travels with the samples. */
static void weight_column(void)
{
    const char *path =
        write_text("w.csv", "kind,a,w,b\nx,1.5,0.25,2\ny,2,4,3\nx,3,0,4\ny,4,1e2,5\n");
    for (size_t streamed = 0; streamed < 2; streamed++) {
        weft_dataset_options options = with_weight("w");
        options.label = "kind";
        options.most_bytes = streamed;
        weft_dataset *data = load(path, &options), *parts[2];
        static const float wanted[] = {0.25F, 4, 0, 100};
        weft_error err;
        CHECK_UINT(weft_dataset_features(data), 2);
        CHECK_INT(weft_dataset_is_streamed(data), streamed == 1);
        CHECK_FLOATS_NEAR(weft_dataset_targets(data).weights, wanted, 4, 0, 0);
        CHECK_OK(weft_dataset_split(data, 0.5, 1, &parts[0], &parts[1], &err), &err);
        double sum = 0;
        for (size_t i = 0; i < 2; i++) {
            sum += (double)weft_dataset_targets(parts[0]).weights[i] +
                   (double)weft_dataset_targets(parts[1]).weights[i];
        }
        CHECK_NEAR(sum, 104.25, 0);
        weft_dataset_free(parts[0]);
        weft_dataset_free(parts[1]);
        weft_dataset_free(data);
    }
    weft_dataset_options options = with_weight("-1"); /* by index */
    options.label = "0";
    weft_dataset *data = load(path, &options);
    CHECK_NEAR((double)weft_dataset_targets(data).weights[3], 5, 0);
    weft_dataset_free(data);
}

static void refused_weight_columns(void)
{
    static const char *const rows[][2] = {{"1,2,-1\n", "-1"},     {"1,2,\n", "line 3"},
                                          {"1,2,much\n", "much"}, {"1,2,inf\n", "inf"},
                                          {"1,2,nan\n", "nan"},   {"1,2,1e99\n", "1e99"}};
    weft_dataset_options options = with_weight("w");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[100];
        snprintf(text, sizeof text, "y,a,w\n0,1,1\n%s", rows[i][0]);
        REFUSES(write_text("w.csv", text), &options, WEFT_ERR_FORMAT, rows[i][1]);
    }
    REFUSES(write_text("w.csv", "y,a,w\n0,1,0\n1,2,0\n"), &options, WEFT_ERR_FORMAT, "all samples");
    REFUSES(write_text("w.csv", "y,a,b\n0,1,0\n1,2,0\n"), &options, WEFT_ERR_FORMAT,
            "no column is named 'w'");
    options.label = "w";
    REFUSES(write_text("w.csv", "y,a,w\n0,1,1\n1,2,1\n"), &options, WEFT_ERR_ARG, "'w'");
    const char *path =
        pair_of(write_bytes("i", small_images(3)), write_bytes("l", small_labels(3)));
    REFUSES(path, &options, WEFT_ERR_ARG, "--sample-weight");
}

static CU_TestInfo weight_tests[] = {
    {"weights are repetitions", weights_are_repetitions},
    {"equal weights are none", equal_weights_are_none},
    {"class weights in batches", class_weights_in_batches},
    {"balanced", balanced},
    {"refused class weights", refused_class_weights},
    {"weight column", weight_column},
    {"refused weight columns", refused_weight_columns},
    CU_TEST_INFO_NULL,
};

static const CU_SuiteInfo suites[] = {
    {"weights", NULL, NULL, NULL, NULL, weight_tests},
    CU_SUITE_INFO_NULL,
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, suites);
}
