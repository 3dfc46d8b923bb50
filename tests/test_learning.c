/* Methods of learning: optimisers against PyTorch (golden/learning.py says how the numbers were
 * made), and what each of them promises: the same bits on any number of threads, and whether the
 * gradient is kept or not. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "reference.h"
#include "synthetic.h"

#include <weft/weft.h>

/* ---- against PyTorch ---- */

enum { N_INPUTS = 5, N_HIDDEN = 4, N_OUTPUTS = 3, N_SAMPLES = 12, N_STEPS = 50 };
enum { N_PARAMS = (N_INPUTS + 1) * N_HIDDEN + (N_HIDDEN + 1) * N_OUTPUTS };

/* The numbers behind "title:" in the golden file; returns how many there are, at most max. */
static size_t read_golden(const char *title, double *values, size_t max)
{
    static char line[65536];
    FILE *file = fopen(WEFT_SOURCE_DIR "/tests/golden/learning.txt", "r");
    size_t n = 0, len = strlen(title);
    CU_ASSERT_FATAL(CHECK(file != NULL));
    while (n == 0 && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, title, len) != 0 || line[len] != ':') {
            continue;
        }
        char *at = line + len + 1, *end;
        double value = strtod(at, &end);
        while (end != at && n < max) {
            values[n++] = value;
            at = end;
            value = strtod(at, &end);
        }
    }
    fclose(file);
    return n;
}

static weft_net *golden_net(void)
{
    static const size_t hidden[] = {N_HIDDEN, 0};
    weft_net *net = synthetic_net(N_INPUTS, hidden, WEFT_TANH, N_OUTPUTS, WEFT_OUTPUT_SOFTMAX, 1);
    float params[N_PARAMS];
    for (int k = 0; k < N_PARAMS; k++) {
        params[k] = (float)((5 * k + 3) % 13 - 6) / 16;
    }
    CHECK_UINT(weft_net_n_params(net), N_PARAMS);
    weft_net_set_params(net, params);
    return net;
}

static weft_dataset *golden_data(void)
{
    float x[N_SAMPLES * N_INPUTS];
    int32_t y[N_SAMPLES];
    for (int i = 0; i < N_SAMPLES; i++) {
        for (int j = 0; j < N_INPUTS; j++) {
            x[i * N_INPUTS + j] = (float)((7 * i + 3 * j + i * j) % 11 - 5) / 4;
        }
        y[i] = (i * i + i / 2) % N_OUTPUTS;
    }
    return synthetic_from(x, N_SAMPLES, N_INPUTS, y, N_OUTPUTS, NULL, 0);
}

static weft_train_options options_for(weft_optimizer optimizer, double lr, double momentum)
{
    weft_train_options options = weft_train_options_default();
    weft_train_options_set_optimizer(&options, optimizer);
    options.schedule = WEFT_LR_CONSTANT;
    options.lr = lr;
    options.momentum = momentum;
    options.weight_decay = 0;
    return options;
}

/* The optimisers of golden/learning.py. */
static const struct {
    const char *name;
    weft_optimizer optimizer;
    double lr, momentum, beta1, beta2;
} rules[] = {
    {"sgd", WEFT_SGD, 0.1, 0, 0, 0},
    {"momentum", WEFT_SGD, 0.05, 0.9, 0, 0},
    {"nesterov", WEFT_NESTEROV, 0.05, 0.9, 0, 0},
    {"rmsprop", WEFT_RMSPROP, 0.01, 0, 0, 0.95},
    {"adam", WEFT_ADAM, 0.02, 0, 0.8, 0.98},
    {"adamw", WEFT_ADAMW, 0.02, 0, 0.8, 0.98},
};
enum { N_RULES = sizeof rules / sizeof *rules };

static weft_train_options options_of_rule(size_t r)
{
    weft_train_options options = options_for(rules[r].optimizer, rules[r].lr, rules[r].momentum);
    options.beta1 = rules[r].beta1;
    options.beta2 = rules[r].beta2;
    options.epsilon = 1e-6;
    return options;
}

static const struct {
    const char *name;
    double weight_decay, l1, clip_norm, clip_value;
} ways[] = {
    {"plain", 0, 0, 0, 0},  {"decay", 0.1, 0, 0, 0},  {"l1", 0, 0.01, 0, 0},
    {"norm", 0, 0, 0.1, 0}, {"value", 0, 0, 0, 0.02}, {"all", 0.1, 0, 0.2, 0.1},
};
enum { N_WAYS = sizeof ways / sizeof *ways };

static void optimisers_as_pytorch(void)
{
    weft_dataset *data = golden_data();
    weft_context *context = synthetic_context(1);
    for (size_t k = 0; k < N_RULES * N_WAYS; k++) {
        size_t r = k / N_WAYS, w = k % N_WAYS;
        char title[64];
        double wanted[N_PARAMS + 1] = {0};
        float got[N_PARAMS];
        weft_error err;
        weft_net *net = golden_net();
        weft_train_options options = options_of_rule(r);
        options.epochs = N_STEPS;
        options.batch_size = 0;
        options.weight_decay = ways[w].weight_decay;
        options.l1 = ways[w].l1;
        options.clip_norm = ways[w].clip_norm;
        options.clip_value = ways[w].clip_value;
        CHECK_OK(weft_train(context, net, data, &options, &err), &err);
        weft_net_get_params(net, got);
        snprintf(title, sizeof title, "%s %s", rules[r].name, ways[w].name);
        CHECK_UINT(read_golden(title, wanted, N_PARAMS + 1), N_PARAMS);
        for (size_t p = 0; p < N_PARAMS; p++) {
            if (!CHECK_NEAR((double)got[p], wanted[p], 2e-5)) {
                printf(" (%s, parameter %zu)", title, p);
            }
        }
        weft_net_free(net);
    }
    weft_context_free(context);
    weft_dataset_free(data);
}

/* ---- the same bits ---- */

/* What a few epochs come to on so many threads; free() it. */
static float *trained(const weft_dataset *data, const weft_train_options *options, size_t n_threads)
{
    static const size_t hidden[] = {40, 9, 0};
    weft_net *net = synthetic_net(21, hidden, WEFT_RELU, 4, WEFT_OUTPUT_SOFTMAX, 3);
    weft_context *context = synthetic_context(n_threads);
    weft_error err;
    CHECK_OK(weft_train(context, net, data, options, &err), &err);
    float *params = synthetic_params(net);
    weft_context_free(context);
    weft_net_free(net);
    return params;
}

enum { TRAINED_PARAMS = 22 * 40 + 41 * 9 + 10 * 4 };

/* A norm too large to be reached asks for the gradient first and for the step behind it. */
static void same_bits_any_way(void)
{
    static const size_t threads[] = {1, 8, 3, 2}, batches[] = {32, 300};
    size_t n_threads = HARNESS_EMULATED ? 2 : 4;
    weft_dataset *data = synthetic_classes(WEFT_F32, 600, 21, 4, 0.6, 11);
    for (size_t k = 0; k < N_RULES * 2 * 2; k++) {
        weft_train_options options = options_of_rule(k / 4);
        options.epochs = 2;
        options.batch_size = batches[k % 2];
        if (k / 2 % 2 == 1) {
            options.weight_decay = 0.05;
            options.l1 = 0.001;
            options.clip_value = 0.01;
        }
        float *wanted = trained(data, &options, 1);
        for (size_t t = 0; t < 2 * n_threads; t++) {
            options.clip_norm = t % 2 == 1 ? (double)FLT_MAX : 0;
            float *got = trained(data, &options, threads[t / 2]);
            if (!CHECK_BYTES(got, wanted, TRAINED_PARAMS * sizeof *got)) {
                printf(" (%s, batches of %zu, %zu threads, %s)", rules[k / 4].name,
                       options.batch_size, threads[t / 2], t % 2 == 1 ? "kept" : "fused");
            }
            free(got);
        }
        options.clip_norm = 0.05;
        float *clipped = trained(data, &options, 1);
        for (size_t t = 1; t < n_threads; t++) {
            float *got = trained(data, &options, threads[t]);
            CHECK_BYTES(got, clipped, TRAINED_PARAMS * sizeof *got);
            free(got);
        }
        free(clipped);
        free(wanted);
    }
    weft_dataset_free(data);
}

/* Copies of weights in bfloat16 follow a step behind the gradient, too. */
static void same_bits_in_bf16(void)
{
    weft_dataset *data = synthetic_classes(WEFT_F32, 100, 21, 4, 0.6, 11);
    static const size_t hidden[] = {40, 0};
    float *params[2];
    for (int kept = 0; kept < 2; kept++) {
        weft_context_options where = weft_context_options_default();
        weft_context *context = NULL;
        weft_error err;
        where.precision = WEFT_PRECISION_BF16;
        CU_ASSERT_FATAL(CHECK_OK(weft_context_new(&where, &context, &err), &err));
        weft_net *net = synthetic_net(21, hidden, WEFT_RELU, 4, WEFT_OUTPUT_SOFTMAX, 3);
        weft_train_options options = options_of_rule(4);
        options.epochs = 3;
        options.clip_norm = kept ? (double)FLT_MAX : 0;
        CHECK_OK(weft_train(context, net, data, &options, &err), &err);
        params[kept] = synthetic_params(net);
        weft_net_free(net);
        weft_context_free(context);
    }
    CHECK_BYTES(params[0], params[1], (22 * 40 + 41 * 4) * sizeof *params[0]);
    free(params[0]);
    free(params[1]);
    weft_dataset_free(data);
}

/* ---- options ---- */

static void names(void)
{
    for (int k = 0; k < WEFT_N_OPTIMIZERS; k++) {
        weft_optimizer found;
        CHECK_OK(weft_optimizer_from_name(weft_optimizer_name((weft_optimizer)k), &found), NULL);
        CHECK_INT(found, k);
    }
    weft_optimizer found;
    CHECK_STATUS(weft_optimizer_from_name("Adam", &found), WEFT_ERR_ARG, NULL);
}

static void bad_options_are_refused(void)
{
    const double nan = (double)NAN;
    struct {
        weft_optimizer optimizer;
        double momentum, beta1, beta2, epsilon, weight_decay, l1, clip_norm, clip_value;
        const char *text;
    } cases[] = {
        {WEFT_N_OPTIMIZERS, 0, 0.9, 0.9, 1e-8, 0, 0, 0, 0, "no optimizer"},
        {(weft_optimizer)-1, 0, 0.9, 0.9, 1e-8, 0, 0, 0, 0, "no optimizer"},
        {WEFT_NESTEROV, 0, 0.9, 0.9, 1e-8, 0, 0, 0, 0, "momentum 0"},
        {WEFT_SGD, 1, 0.9, 0.9, 1e-8, 0, 0, 0, 0, "momentum 1"},
        {WEFT_ADAM, 0, 1, 0.9, 1e-8, 0, 0, 0, 0, "beta1 1"},
        {WEFT_ADAM, 0, -0.1, 0.9, 1e-8, 0, 0, 0, 0, "beta1 -0.1"},
        {WEFT_ADAMW, 0, 0.9, nan, 1e-8, 0, 0, 0, 0, "beta2"},
        {WEFT_RMSPROP, 0, 0.9, 1, 1e-8, 0, 0, 0, 0, "beta2 1"},
        {WEFT_RMSPROP, 0, 0.9, 0.9, 0, 0, 0, 0, 0, "epsilon 0"},
        {WEFT_ADAM, 0, 0.9, 0.9, nan, 0, 0, 0, 0, "epsilon"},
        {WEFT_ADAM, 0, 0.9, 0.9, 1e300, 0, 0, 0, 0, "epsilon"},
        {WEFT_SGD, 0, 0.9, 0.9, 1e-8, -1, 0, 0, 0, "weight decay -1"},
        {WEFT_ADAMW, 0, 0.9, 0.9, 1e-8, 10, 0, 0, 0, "below 1"},
        {WEFT_SGD, 0, 0.9, 0.9, 1e-8, nan, 0, 0, 0, "weight decay"},
        {WEFT_SGD, 0, 0.9, 0.9, 1e-8, 0, -1, 0, 0, "l1 -1"},
        {WEFT_SGD, 0, 0.9, 0.9, 1e-8, 0, 0, -1, 0, "norm"},
        {WEFT_SGD, 0, 0.9, 0.9, 1e-8, 0, 0, 0, nan, "value"},
    };
    weft_dataset *data = golden_data();
    weft_context *context = synthetic_context(1);
    weft_net *net = golden_net();
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        weft_train_options options = weft_train_options_default();
        weft_error err;
        options.optimizer = cases[k].optimizer;
        options.lr = 0.1;
        options.momentum = cases[k].momentum;
        options.beta1 = cases[k].beta1;
        options.beta2 = cases[k].beta2;
        options.epsilon = cases[k].epsilon;
        options.weight_decay = cases[k].weight_decay;
        options.l1 = cases[k].l1;
        options.clip_norm = cases[k].clip_norm;
        options.clip_value = cases[k].clip_value;
        CHECK_STATUS(weft_train(context, net, data, &options, &err), WEFT_ERR_ARG, &err);
        CHECK_HAS(err.message, cases[k].text);
    }
    weft_net_free(net);
    weft_context_free(context);
    weft_dataset_free(data);
}

static CU_TestInfo optimizer_tests[] = {
    {"as PyTorch", optimisers_as_pytorch},
    {"same bits any way", same_bits_any_way},
    {"same bits in bf16", same_bits_in_bf16},
    {"names", names},
    {"bad options are refused", bad_options_are_refused},
    CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
    {.pName = "optimizers", .pTests = optimizer_tests},
    CU_SUITE_INFO_NULL,
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, suites);
}
