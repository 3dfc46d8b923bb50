/* Methods of learning: optimisers against PyTorch (golden/learning.py says how the numbers were
 * made), and what each of them promises: the same bits on any number of threads, and whether the
 * gradient is kept or not. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/explog.h"
#include "harness.h"
#include "reference.h"
#include "synthetic.h"
#include "train/schedule.h"
#include "train/watch.h"

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
    double weight_decay, l1, clip_norm, clip_value, label_smoothing;
} ways[] = {
    {"plain", 0, 0, 0, 0, 0},     {"decay", 0.1, 0, 0, 0, 0},  {"l1", 0, 0.01, 0, 0, 0},
    {"norm", 0, 0, 0.1, 0, 0},    {"value", 0, 0, 0, 0.02, 0}, {"smoothing", 0, 0, 0, 0, 0.2},
    {"all", 0.1, 0, 0.2, 0.1, 0},
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
        options.label_smoothing = ways[w].label_smoothing;
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

/* ---- schedules ---- */

enum { N_UNITS = 60 };

static weft_train_options options_of_schedule(weft_schedule schedule)
{
    weft_train_options options = weft_train_options_default();
    options.schedule = schedule;
    options.lr = 0.5;
    return options;
}

/* Steps, or epochs of seven steps. */
static void check_schedule(weft_train_options options, const char *title)
{
    double wanted[N_UNITS + 1] = {0};
    CHECK_UINT(read_golden(title, wanted, N_UNITS + 1), N_UNITS);
    struct weft_plateau plateau = weft_plateau_start(&options);
    struct weft_run_length steps = {.epochs = 12, .steps_per_epoch = 5};
    struct weft_run_length epochs = {.epochs = N_UNITS, .steps_per_epoch = 7};
    for (size_t t = 0; t < N_UNITS; t++) {
        options.lr_by_epoch = false;
        bool right = CHECK_NEAR(weft_schedule_lr(&options, steps, &plateau, t), wanted[t], 1e-11);
        options.lr_by_epoch = true;
        for (size_t k = 0; k < 7; k++) {
            double lr = weft_schedule_lr(&options, epochs, &plateau, 7 * t + k);
            right = CHECK_NEAR(lr, wanted[t], 1e-11) && right;
        }
        if (!right) {
            printf(" (%s, %zu)", title, t);
        }
    }
}

static void schedules_as_pytorch(void)
{
    weft_train_options options = options_of_schedule(WEFT_LR_LINEAR);
    options.lr_min = 0.05;
    check_schedule(options, "lr linear");
    options = options_of_schedule(WEFT_LR_STEP);
    options.lr_period = 7;
    options.lr_factor = 0.5;
    check_schedule(options, "lr step");
    options = options_of_schedule(WEFT_LR_EXPONENTIAL);
    options.lr_factor = 0.9;
    check_schedule(options, "lr exponential");
    options = options_of_schedule(WEFT_LR_COSINE);
    options.lr_min = 0.01;
    check_schedule(options, "lr cosine");
    options.lr_period = 5;
    options.lr_period_factor = 2;
    check_schedule(options, "lr restarts");
    check_schedule(options_of_schedule(WEFT_LR_ONE_CYCLE), "lr one_cycle");
}

static void warm_up_as_pytorch(void)
{
    weft_train_options options = options_of_schedule(WEFT_LR_CONSTANT);
    options.warmup = 10;
    check_schedule(options, "lr warmup constant");
    options.schedule = WEFT_LR_LINEAR;
    options.lr_min = 0.05;
    check_schedule(options, "lr warmup linear");
    options.schedule = WEFT_LR_COSINE;
    options.lr_min = 0.01;
    check_schedule(options, "lr warmup cosine");
}

static void plateau_as_pytorch(void)
{
    weft_train_options options = options_of_schedule(WEFT_LR_PLATEAU);
    options.lr_factor = 0.5;
    options.lr_patience = 3;
    options.lr_min = 0.05;
    struct weft_plateau plateau = weft_plateau_start(&options);
    struct weft_run_length length = {.epochs = N_UNITS, .steps_per_epoch = 1};
    double wanted[N_UNITS + 1] = {0};
    CHECK_UINT(read_golden("lr plateau", wanted, N_UNITS + 1), N_UNITS);
    for (int t = 0; t < N_UNITS; t++) {
        double loss = t < 10 ? 1 / (1 + (double)t) : 0.1 + (7 * t % 5) / 1e3 - t / 5e3;
        CHECK_NEAR(weft_schedule_lr(&options, length, &plateau, (size_t)t), wanted[t], 1e-11);
        weft_plateau_take(&plateau, &options, loss);
    }
    weft_plateau_take(&plateau, &options, (double)NAN); /* no better than any */
    CHECK(plateau.best < 0.11);
}

/* Runs of no length or of one step have rates, too. */
static void schedules_of_short_runs(void)
{
    for (int s = 0; s < WEFT_N_SCHEDULES; s++) {
        weft_train_options options = options_of_schedule((weft_schedule)s);
        options.lr_period = s == WEFT_LR_STEP ? 1 : 0;
        struct weft_plateau plateau = weft_plateau_start(&options);
        for (size_t epochs = 0; epochs < 5; epochs++) {
            struct weft_run_length length = {.epochs = epochs, .steps_per_epoch = 1};
            for (size_t t = 0; t < (epochs > 0 ? epochs : 1); t++) {
                double lr = weft_schedule_lr(&options, length, &plateau, t);
                CHECK(lr > 0 && lr <= 0.5);
            }
        }
    }
}

/* Cycles that double until their length would not fit stay the last. */
static void endless_cycles(void)
{
    weft_train_options options = options_of_schedule(WEFT_LR_COSINE);
    options.lr_period = (size_t)1 << 62;
    options.lr_period_factor = 8;
    struct weft_plateau plateau = weft_plateau_start(&options);
    struct weft_run_length length = {.epochs = (size_t)-1, .steps_per_epoch = 1};
    CHECK(weft_schedule_lr(&options, length, &plateau, (size_t)1 << 62) == 0.5);
    CHECK(weft_schedule_lr(&options, length, &plateau, (size_t)-1 - 1) < 0.5);
}

static void cosines_and_powers(void)
{
    const double pi = 3.14159265358979323846;
    for (int k = 0; k <= 1000; k++) {
        CHECK_NEAR(weft_cos_pi(k / 1000.0), cos(pi * k / 1000.0), 1e-15);
    }
    CHECK(weft_cos_pi(0) == 1 && weft_cos_pi(1) == -1);
    for (size_t n = 0; n < 200; n++) {
        double wanted = pow(0.97, (double)n);
        CHECK_NEAR(weft_power(0.97, n), wanted, 1e-14 * wanted);
    }
}

/* ---- stopping ---- */

struct log {
    weft_score val[64];
    double lr[64];
    size_t n_epochs;
    bool was_last;
    weft_event finish;
};

static bool listen(const weft_event *event, void *user)
{
    struct log *log = user;
    if (event->kind == WEFT_EVENT_EPOCH && log->n_epochs < 64) {
        CHECK(!log->was_last);
        log->lr[log->n_epochs] = event->lr;
        log->val[log->n_epochs++] = event->val;
        log->was_last = event->last;
    } else if (event->kind == WEFT_EVENT_RUN_FINISHED) {
        log->finish = *event;
    }
    return true;
}

/* Few samples and much noise: the validation loss has its lowest value before the end. */
struct overfit {
    weft_dataset *data, *val;
    weft_context *context;
    weft_train_options options;
    struct log log;
};

static void overfit_init(struct overfit *run)
{
    *run = (struct overfit){
        .data = synthetic_classes(WEFT_F32, 90, 21, 4, 1.6, 31),
        .val = synthetic_classes(WEFT_F32, 200, 21, 4, 1.6, 32),
        .context = synthetic_context(2),
        .options = options_for(WEFT_SGD, 0.02, 0),
    };
    run->options.epochs = 40;
    run->options.batch_size = 16;
    run->options.val = run->val;
    run->options.listener = listen;
    run->options.listener_user = &run->log;
}

static void overfit_release(struct overfit *run)
{
    weft_dataset_free(run->data);
    weft_dataset_free(run->val);
    weft_context_free(run->context);
}

/* The parameters that the options come to; free() them. */
static float *overfit_run(struct overfit *run)
{
    static const size_t hidden[] = {40, 0};
    weft_net *net = synthetic_net(21, hidden, WEFT_RELU, 4, WEFT_OUTPUT_SOFTMAX, 3);
    weft_error err;
    run->log = (struct log){0};
    CHECK_OK(weft_train(run->context, net, run->data, &run->options, &err), &err);
    CHECK(run->log.was_last);
    float *params = synthetic_params(net);
    weft_net_free(net);
    return params;
}

enum { OVERFIT_PARAMS = 22 * 40 + 41 * 4 };

/* The first epoch, from 1, that is better than all before it by more than min_delta, of those that
 * have none such in the `patience` epochs behind it. */
static size_t best_epoch_of(const struct log *log, weft_watched watch, double min_delta,
                            size_t patience)
{
    size_t best = 1;
    for (size_t e = 2; e <= log->n_epochs && e - best <= patience; e++) {
        const weft_score *a = &log->val[e - 1], *b = &log->val[best - 1];
        bool better = watch == WEFT_WATCH_LOSS ? a->loss < b->loss - min_delta
                                               : a->accuracy > b->accuracy + min_delta;
        best = better ? e : best;
    }
    return best;
}

/* A loss that is not a number is worse than any, also as the first. */
static void losses_that_are_no_numbers(void)
{
    const double losses[] = {(double)NAN, 3, (double)NAN, 2, (double)NAN, (double)NAN};
    const size_t best[] = {1, 2, 2, 4, 4, 4};
    weft_train_options options = weft_train_options_default();
    options.patience = 2;
    struct weft_watch watch = {0};
    for (size_t e = 0; e < 6; e++) {
        weft_score val = {.known = true, .loss = losses[e]};
        weft_end end = weft_watch_take(&watch, &options, NULL, e + 1, &val);
        CHECK_UINT(watch.best_epoch, best[e]);
        CHECK_INT(end, e == 5 ? WEFT_END_PATIENCE : WEFT_END_EPOCHS);
    }
}

static void early_stopping(void)
{
    static const double deltas[] = {0, 0.005};
    struct overfit run;
    overfit_init(&run);
    free(overfit_run(&run));
    struct log whole = run.log;
    CHECK_UINT(whole.n_epochs, 40);
    CHECK_INT(whole.finish.end, WEFT_END_EPOCHS);
    for (int k = 0; k < 4; k++) {
        weft_watched watch = (weft_watched)(k % 2);
        size_t best = best_epoch_of(&whole, watch, deltas[k / 2], 4);
        CHECK(best > 1 && best < 30); /* or nothing below says much */
        run.options.watch = watch;
        run.options.min_delta = deltas[k / 2];
        run.options.patience = 4;
        run.options.epochs = 40;
        run.options.keep_best = true;
        float *kept = overfit_run(&run);
        CHECK_UINT(run.log.n_epochs, best + 4);
        CHECK_INT(run.log.finish.end, WEFT_END_PATIENCE);
        CHECK_UINT(run.log.finish.best_epoch, best);
        CHECK(run.log.finish.best.loss == whole.val[best - 1].loss);
        run.options.keep_best = false;
        float *last = overfit_run(&run);
        run.options.patience = 0;
        run.options.epochs = best;
        float *wanted = overfit_run(&run);
        CHECK_BYTES(kept, wanted, OVERFIT_PARAMS * sizeof *kept);
        run.options.epochs = best + 4;
        float *wanted_last = overfit_run(&run);
        CHECK_BYTES(last, wanted_last, OVERFIT_PARAMS * sizeof *last);
        free(kept);
        free(last);
        free(wanted);
        free(wanted_last);
    }
    overfit_release(&run);
}

static void target_accuracy(void)
{
    struct overfit run;
    overfit_init(&run);
    free(overfit_run(&run));
    struct log whole = run.log;
    size_t first = 3;
    run.options.target_accuracy = whole.val[first].accuracy;
    for (size_t e = 0; e <= first; e++) {
        if (whole.val[e].accuracy >= run.options.target_accuracy) {
            first = e;
        }
    }
    free(overfit_run(&run));
    CHECK_UINT(run.log.n_epochs, first + 1);
    CHECK_INT(run.log.finish.end, WEFT_END_TARGET);
    CHECK(run.log.finish.status == WEFT_OK);
    overfit_release(&run);
}

/* Cut short after the first step: the epoch is told of, with what it saw. */
static void time_is_over(void)
{
    struct overfit run;
    overfit_init(&run);
    run.options.max_seconds = 1e-9;
    free(overfit_run(&run));
    CHECK_UINT(run.log.n_epochs, 1);
    CHECK_UINT(run.log.finish.step, 1);
    CHECK_INT(run.log.finish.end, WEFT_END_TIME);
    CHECK(run.log.val[0].known);
    overfit_release(&run);
}

/* The rate falls by what the validation loss was after each epoch. */
static void plateau_in_training(void)
{
    struct overfit run;
    overfit_init(&run);
    run.options.schedule = WEFT_LR_PLATEAU;
    run.options.lr_patience = 1;
    run.options.lr_factor = 0.5;
    free(overfit_run(&run));
    struct weft_plateau plateau = weft_plateau_start(&run.options);
    for (size_t e = 0; e < run.log.n_epochs; e++) {
        CHECK(run.log.lr[e] == plateau.lr);
        weft_plateau_take(&plateau, &run.options, run.log.val[e].loss);
    }
    CHECK(plateau.lr < 0.05);
    overfit_release(&run);
}

static void bad_stopping_is_refused(void)
{
    const double nan = (double)NAN;
    struct overfit run;
    overfit_init(&run);
    const weft_train_options good = run.options;
    weft_train_options bad[24];
    const char *texts[24];
    size_t n = 0;
#define BAD(field, value, text)                                                                    \
    bad[n] = good;                                                                                 \
    bad[n].field = value;                                                                          \
    texts[n++] = text
    BAD(patience, 3, "patience: wanted validation data");
    bad[n - 1].val = NULL;
    BAD(keep_best, true, "wanted validation data");
    bad[n - 1].val = NULL;
    BAD(target_accuracy, 0.5, "a target accuracy: wanted validation data");
    bad[n - 1].val = NULL;
    BAD(target_accuracy, 1.5, "target accuracy 1.5");
    BAD(target_accuracy, nan, "target accuracy");
    BAD(min_delta, -1, "least improvement -1");
    BAD(max_seconds, nan, "seconds");
    BAD(watch, WEFT_N_WATCHED, "nothing to watch");
    BAD(max_norm, -1, "norm of weights -1");
    BAD(label_smoothing, 1, "label smoothing 1");
    BAD(label_smoothing, nan, "label smoothing");
    BAD(ema, 1, "ema < 1");
    BAD(ema, -0.5, "ema < 1");
    BAD(schedule, WEFT_N_SCHEDULES, "no schedule");
    BAD(warmup, 40 * 6, "warm-up of 240 steps, wanted fewer than the run's 240");
    BAD(warmup, 40, "warm-up of 40 epochs, wanted fewer than the run's 40");
    bad[n - 1].lr_by_epoch = true;
    BAD(schedule, WEFT_LR_STEP, "period 0");
    BAD(lr_min, 0.2, "least 0.2");
    bad[n - 1].schedule = WEFT_LR_COSINE;
    BAD(lr_factor, 0, "factor 0");
    bad[n - 1].schedule = WEFT_LR_EXPONENTIAL;
    BAD(lr_factor, nan, "factor");
    bad[n - 1].schedule = WEFT_LR_PLATEAU;
    BAD(lr_period_factor, 0, "period factor 0");
    bad[n - 1].schedule = WEFT_LR_COSINE;
#undef BAD
    weft_net *net = golden_net();
    static const size_t hidden[] = {4, 0};
    weft_net *fits = synthetic_net(21, hidden, WEFT_RELU, 4, WEFT_OUTPUT_SOFTMAX, 3);
    for (size_t k = 0; k < n; k++) {
        weft_error err;
        CHECK_STATUS(weft_train_check(fits, run.data, &bad[k], &err), WEFT_ERR_ARG, &err);
        CHECK_HAS(err.message, texts[k]);
        CHECK_STATUS(weft_train(run.context, fits, run.data, &bad[k], &err), WEFT_ERR_ARG, &err);
    }
    weft_error err;
    CHECK_OK(weft_train_check(fits, run.data, &good, &err), &err);
    CHECK_STATUS(weft_train_check(net, run.data, &good, &err), WEFT_ERR_MISMATCH, &err);
    weft_net_free(net);
    weft_net_free(fits);
    overfit_release(&run);
}

/* ---- regularisation ---- */

/* The average as its definition has it, from what every step leaves. */
struct average {
    double of[OVERFIT_PARAMS];
    float last[OVERFIT_PARAMS];
    double keep, val_loss;
};

static bool take_average(const weft_event *event, void *user)
{
    struct average *average = user;
    if (event->kind == WEFT_EVENT_STEP) {
        weft_net_get_params(event->net, average->last);
        double share = event->step == 1 ? 1 : 1 - average->keep;
        for (size_t p = 0; p < OVERFIT_PARAMS; p++) {
            average->of[p] += share * ((double)average->last[p] - average->of[p]);
        }
    }
    average->val_loss = event->kind == WEFT_EVENT_EPOCH ? event->val.loss : average->val_loss;
    return true;
}

static void averages_of_parameters(void)
{
    static const size_t hidden[] = {40, 0};
    static struct average average;
    struct overfit run;
    overfit_init(&run);
    average = (struct average){.keep = 0.9};
    run.options.epochs = 5;
    run.options.ema = average.keep;
    run.options.listener = take_average;
    run.options.listener_user = &average;
    weft_net *net = synthetic_net(21, hidden, WEFT_RELU, 4, WEFT_OUTPUT_SOFTMAX, 3);
    weft_error err;
    CHECK_OK(weft_train(run.context, net, run.data, &run.options, &err), &err);
    float got[OVERFIT_PARAMS];
    double apart = 0;
    weft_net_get_params(net, got);
    for (size_t p = 0; p < OVERFIT_PARAMS; p++) {
        CHECK_NEAR((double)got[p], average.of[p], 1e-6);
        apart = fmax(apart, fabs((double)average.last[p] - average.of[p]));
    }
    CHECK(apart > 1e-3); /* or the average could be what is trained */
    weft_evaluation found;
    CHECK_OK(weft_evaluate(run.context, net, run.val, &found, &err), &err);
    CHECK(found.loss == average.val_loss);
    weft_evaluation_release(&found);
    /* Training itself goes on with its own parameters. */
    weft_net *plain = synthetic_net(21, hidden, WEFT_RELU, 4, WEFT_OUTPUT_SOFTMAX, 3);
    run.options.ema = 0;
    run.options.listener = NULL;
    CHECK_OK(weft_train(run.context, plain, run.data, &run.options, &err), &err);
    weft_net_get_params(plain, got);
    CHECK_BYTES(got, average.last, sizeof got);
    weft_net_free(net);
    weft_net_free(plain);
    overfit_release(&run);
}

/* One step with a limit against the same step without, limited here; wide and narrow layers. */
static void norms_of_weights(void)
{
    enum { N_IN = 21, WIDE = 40, NARROW = 9, N_ALL = 22 * 40 + 41 * 9 + 10 * 4 };
    static const size_t hidden[] = {WIDE, NARROW, 0}, n_in[] = {N_IN, WIDE},
                        n_out[] = {WIDE, NARROW};
    struct overfit run;
    overfit_init(&run);
    run.options.epochs = 1;
    run.options.batch_size = 0;
    run.options.listener = NULL;
    float params[2][N_ALL];
    for (int limited = 0; limited < 2; limited++) {
        weft_net *net = synthetic_net(N_IN, hidden, WEFT_RELU, 4, WEFT_OUTPUT_SOFTMAX, 3);
        weft_error err;
        run.options.max_norm = limited ? 1.4 : 0;
        CHECK_OK(weft_train(run.context, net, run.data, &run.options, &err), &err);
        weft_net_get_params(net, params[limited]);
        weft_net_free(net);
    }
    float *wanted = params[0];
    size_t n_scaled = 0, n_left = 0;
    for (size_t l = 0, at = 0; l < 2; at += n_out[l] * (n_in[l] + 1), l++) {
        for (size_t o = 0; o < n_out[l]; o++) {
            float *w = wanted + at + o * n_in[l];
            double sum = 0;
            for (size_t i = 0; i < n_in[l]; i++) {
                sum += (double)w[i] * (double)w[i];
            }
            double scale = sqrt(sum) > 1.4 ? 1.4 / sqrt(sum) : 1;
            *(scale < 1 ? &n_scaled : &n_left) += 1;
            for (size_t i = 0; i < n_in[l]; i++) {
                w[i] = (float)((double)w[i] * scale);
            }
        }
    }
    CHECK(n_scaled > 5 && n_left > 5);
    CHECK_FLOATS_NEAR(params[1], wanted, N_ALL, 1e-7, 1e-6);
    overfit_release(&run);
}

/* Sigmoids: as if the targets were s / 2 nearer to 1/2. */
static void smoothed_labels_of_sigmoids(void)
{
    enum { N = 20, N_IN = 3, N_OUT = 2, N_ALL = 4 * 4 + 5 * 2 };
    static const size_t hidden[] = {4, 0};
    float x[N * N_IN], y[2][N * N_OUT], params[2][N_ALL];
    for (int i = 0; i < N * N_IN; i++) {
        x[i] = (float)(i * i % 7 - 3) / 2;
    }
    for (int i = 0; i < N * N_OUT; i++) {
        y[0][i] = (float)(i % 3 == 0);
        y[1][i] = 0.8f * y[0][i] + 0.1f;
    }
    weft_context *context = synthetic_context(1);
    for (int by_hand = 0; by_hand < 2; by_hand++) {
        weft_dataset *data = synthetic_from(x, N, N_IN, NULL, 0, y[by_hand], N_OUT);
        weft_net *net = synthetic_net(N_IN, hidden, WEFT_TANH, N_OUT, WEFT_OUTPUT_SIGMOID, 3);
        weft_train_options options = options_for(WEFT_SGD, 0.5, 0);
        weft_error err;
        options.epochs = 30;
        options.label_smoothing = by_hand ? 0 : 0.2;
        CHECK_OK(weft_train(context, net, data, &options, &err), &err);
        weft_net_get_params(net, params[by_hand]);
        weft_net_free(net);
        weft_dataset_free(data);
    }
    CHECK_FLOATS_NEAR(params[0], params[1], N_ALL, 1e-5, 0);
    weft_context_free(context);
}

static void same_bits_regularised(void)
{
    weft_dataset *data = synthetic_classes(WEFT_F32, 600, 21, 4, 0.6, 11);
    for (int k = 0; k < 2; k++) {
        weft_train_options options = options_of_rule(4);
        options.epochs = 2;
        options.batch_size = k == 0 ? 32 : 300;
        options.max_norm = 1;
        options.label_smoothing = 0.1;
        options.ema = 0.95;
        float *wanted = trained(data, &options, 1);
        for (size_t t = 2; t <= 8; t += 3) {
            float *got = trained(data, &options, t);
            CHECK_BYTES(got, wanted, TRAINED_PARAMS * sizeof *got);
            free(got);
        }
        free(wanted);
    }
    weft_dataset_free(data);
}

/* What fits so many samples: at least 64,000 of them seen, within 10 and 500 epochs. */
static void options_for_data(void)
{
    static const struct {
        size_t n_samples, epochs, batch_size;
    } cases[] = {{0, 10, 32},    {1, 500, 32},   {128, 500, 32},   {129, 497, 32},  {1600, 40, 32},
                 {6401, 10, 32}, {9999, 10, 32}, {10000, 10, 128}, {60000, 10, 128}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        weft_train_options options =
            weft_train_options_for(cases[i].n_samples, WEFT_OUTPUT_SOFTMAX);
        CHECK_UINT(options.epochs, cases[i].epochs);
        CHECK_UINT(options.batch_size, cases[i].batch_size);
        CHECK_INT(options.optimizer, WEFT_ADAMW);
        CHECK(options.label_smoothing > 0);
    }
    CHECK(weft_train_options_for(100, WEFT_OUTPUT_SIGMOID).label_smoothing > 0);
    CHECK(weft_train_options_for(100, WEFT_OUTPUT_IDENTITY).label_smoothing == 0);
}

static CU_TestInfo regularisation_tests[] = {
    {"averages of parameters", averages_of_parameters},
    {"norms of weights", norms_of_weights},
    {"smoothed labels of sigmoids", smoothed_labels_of_sigmoids},
    {"same bits on any threads", same_bits_regularised},
    CU_TEST_INFO_NULL,
};

static CU_TestInfo schedule_tests[] = {
    {"as PyTorch", schedules_as_pytorch},         {"warm-up as PyTorch", warm_up_as_pytorch},
    {"plateau as PyTorch", plateau_as_pytorch},   {"short runs", schedules_of_short_runs},
    {"endless cycles", endless_cycles},           {"cosines and powers", cosines_and_powers},
    {"plateau in training", plateau_in_training}, CU_TEST_INFO_NULL,
};

static CU_TestInfo stopping_tests[] = {
    {"losses that are no numbers", losses_that_are_no_numbers},
    {"early stopping", early_stopping},
    {"target accuracy", target_accuracy},
    {"time is over", time_is_over},
    {"bad options are refused", bad_stopping_is_refused},
    CU_TEST_INFO_NULL,
};

static CU_TestInfo optimizer_tests[] = {
    {"as PyTorch", optimisers_as_pytorch},
    {"same bits any way", same_bits_any_way},
    {"same bits in bf16", same_bits_in_bf16},
    {"names", names},
    {"options for data", options_for_data},
    {"bad options are refused", bad_options_are_refused},
    CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
    {.pName = "optimizers", .pTests = optimizer_tests},
    {.pName = "schedules", .pTests = schedule_tests},
    {.pName = "stopping", .pTests = stopping_tests},
    {.pName = "regularisation", .pTests = regularisation_tests},
    CU_SUITE_INFO_NULL,
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, suites);
}
