/* Training: the same bits on any number of threads, each step against double-precision arithmetic,
 * the events and their numbers, stopping, divergence, memory. */
#include <float.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "harness.h"
#include "reference.h"
#include "synthetic.h"

#include <weft/weft.h>

#define MAX_EVENTS 4096

/* What a listener saw. */
struct log {
    weft_event events[MAX_EVENTS];
    size_t allocations[MAX_EVENTS]; /* weft_mem_count() at each */
    size_t n;
    size_t stop_at_step;        /* 0: never */
    size_t stop_at_event;       /* 1-based; 0: never */
    float *params_at_stop;      /* copied at the step to stop at, where not NULL */
    const weft_net *wanted_net; /* every event must show it */
};

static bool listen(const weft_event *event, void *user)
{
    struct log *log = user;
    if (log->n < MAX_EVENTS) {
        log->events[log->n] = *event;
        log->allocations[log->n] = weft_mem_count();
    }
    log->n++;
    if (log->wanted_net != NULL) {
        CHECK(event->net == log->wanted_net);
    }
    if (event->kind == WEFT_EVENT_STEP && event->step == log->stop_at_step) {
        if (log->params_at_stop != NULL) {
            weft_net_get_params(event->net, log->params_at_stop);
        }
        return false;
    }
    return log->n != log->stop_at_event;
}

static struct log *log_new(void)
{
    return reference_alloc(1, sizeof(struct log));
}

static weft_train_options options_of(size_t epochs, size_t batch_size, double lr, struct log *log)
{
    weft_train_options options = weft_train_options_default();
    options.epochs = epochs;
    options.batch_size = batch_size;
    options.lr = lr;
    options.schedule = WEFT_LR_CONSTANT;
    options.momentum = 0;
    options.shuffle = false;
    options.seed = 1;
    options.listener = log == NULL ? NULL : listen;
    options.listener_user = log;
    return options;
}

/* The last batch's size where n samples are cut in batches. */
static size_t batch_at(size_t n, size_t batch_size, size_t step)
{
    size_t from = step * batch_size;
    return n - from < batch_size ? n - from : batch_size;
}

/* ---- the same bits ---- */

struct job {
    const char *name;
    weft_dtype dtype;
    size_t n, n_features, hidden[4];
    weft_activation activation;
    size_t n_outputs;
    weft_output output;
    size_t epochs, batch_size;
    double lr, momentum;
    bool shuffle;
};

static const struct job jobs[] = {
    {"softmax, full batch",
     WEFT_U8,
     1037,
     50,
     {32, 16},
     WEFT_RELU,
     10,
     WEFT_OUTPUT_SOFTMAX,
     30,
     0,
     0.1,
     0,
     true},
    {"softmax, batches of 32, last one of 13, shuffled, momentum",
     WEFT_U8,
     333,
     47,
     {33, 17},
     WEFT_RELU,
     10,
     WEFT_OUTPUT_SOFTMAX,
     3,
     32,
     0.05,
     0.9,
     true},
    {"batches of 1", WEFT_F32, 40, 5, {3}, WEFT_TANH, 2, WEFT_OUTPUT_SOFTMAX, 2, 1, 0.1, 0, true},
    {"sigmoid, full batch",
     WEFT_U8,
     209,
     300,
     {20, 7, 5},
     WEFT_RELU,
     1,
     WEFT_OUTPUT_SIGMOID,
     30,
     0,
     0.0075,
     0,
     false},
    {"several sigmoids, batches of 100 of 257",
     WEFT_F32,
     257,
     20,
     {64},
     WEFT_GELU,
     5,
     WEFT_OUTPUT_SIGMOID,
     4,
     100,
     0.2,
     0.5,
     false},
    {"identity, linear model, batches of 7",
     WEFT_F32,
     100,
     13,
     {0},
     WEFT_RELU,
     3,
     WEFT_OUTPUT_IDENTITY,
     4,
     7,
     0.01,
     0,
     true},
    {"identity, wide, batches of 128",
     WEFT_F32,
     513,
     300,
     {260, 130},
     WEFT_SILU,
     2,
     WEFT_OUTPUT_IDENTITY,
     2,
     128,
     0.01,
     0.9,
     true},
    {"batches of 300, in parts, momentum",
     WEFT_U8,
     700,
     60,
     {70, 40},
     WEFT_TANH,
     10,
     WEFT_OUTPUT_SOFTMAX,
     3,
     300,
     0.05,
     0.9,
     true},
};

static bool wants_classes(const struct job *job)
{
    return job->output == WEFT_OUTPUT_SOFTMAX ||
           (job->output == WEFT_OUTPUT_SIGMOID && job->n_outputs == 1);
}

static weft_dataset *job_data(const struct job *job)
{
    return wants_classes(job) ? synthetic_classes(job->dtype, job->n, job->n_features,
                                                  job->n_outputs == 1 ? 2 : job->n_outputs, 0.7, 5)
                              : synthetic_values(job->n, job->n_features, job->n_outputs, 5);
}

static weft_net *job_net(const struct job *job, const weft_dataset *data)
{
    weft_net *net = synthetic_net(job->n_features, job->hidden, job->activation, job->n_outputs,
                                  job->output, 9);
    synthetic_scale(net, data, WEFT_SCALE_AUTO);
    return net;
}

static void train_job(const struct job *job, const weft_dataset *data, weft_net *net,
                      size_t n_threads, struct log *log)
{
    weft_context *context = synthetic_context(n_threads);
    weft_train_options options = options_of(job->epochs, job->batch_size, job->lr, log);
    options.momentum = job->momentum;
    options.shuffle = job->shuffle;
    options.val = data;
    weft_error err;
    CHECK_OK(weft_train(context, net, data, &options, &err), &err);
    weft_context_free(context);
}

/* All numbers of two logs but the seconds. */
static void check_same_logs(const struct log *a, const struct log *b)
{
    CHECK_UINT(a->n, b->n);
    for (size_t k = 0; k < a->n && k < b->n; k++) {
        CHECK_INT(a->events[k].kind, b->events[k].kind);
        CHECK_BYTES(&a->events[k].train.loss, &b->events[k].train.loss, sizeof(double));
        CHECK_BYTES(&a->events[k].train.accuracy, &b->events[k].train.accuracy, sizeof(double));
        CHECK_BYTES(&a->events[k].val.loss, &b->events[k].val.loss, sizeof(double));
        CHECK_BYTES(&a->events[k].val.accuracy, &b->events[k].val.accuracy, sizeof(double));
    }
}

static void same_bits_on_any_threads(void)
{
    static const size_t threads[] = {1, 3, 8, 2, 4, 7};
    size_t n_threads = HARNESS_EMULATED ? 3 : 6;
    for (size_t j = 0; j < sizeof jobs / sizeof *jobs; j++) {
        weft_dataset *data = job_data(&jobs[j]);
        struct log *first = log_new(), *log = log_new();
        float *wanted = NULL;
        for (size_t t = 0; t < n_threads; t++) {
            weft_net *net = job_net(&jobs[j], data);
            struct log *here = t == 0 ? first : log;
            log->n = 0;
            train_job(&jobs[j], data, net, threads[t], here);
            float *params = synthetic_params(net);
            if (t == 0) {
                wanted = params;
            } else {
                bool same = CHECK_BYTES(params, wanted, weft_net_n_params(net) * sizeof *params);
                if (!same) {
                    printf(" (%s, %zu threads)", jobs[j].name, threads[t]);
                }
                check_same_logs(log, first);
                free(params);
            }
            weft_net_free(net);
        }
        free(wanted);
        free(first);
        free(log);
        weft_dataset_free(data);
    }
}

/* One of several callers at the same time, each with a context, a network and a job of its own. No
 * checks in here: CUnit knows but one thread. */
struct caller {
    const struct job *job;
    weft_dataset *data;
    weft_net *net;
    weft_context *context;
    weft_status status;
};

static void *call(void *arg)
{
    struct caller *caller = arg;
    const struct job *job = caller->job;
    weft_train_options options = options_of(job->epochs, job->batch_size, job->lr, NULL);
    options.momentum = job->momentum;
    options.shuffle = job->shuffle;
    caller->status = weft_train(caller->context, caller->net, caller->data, &options, NULL);
    return NULL;
}

static void callers_init(struct caller callers[2])
{
    for (size_t k = 0; k < 2; k++) {
        const struct job *job = &jobs[k];
        weft_dataset *data = job_data(job);
        callers[k] = (struct caller){
            .job = job, .data = data, .net = job_net(job, data), .context = synthetic_context(2)};
    }
}

/* Each must have come to the parameters that it comes to alone. */
static void check_callers(struct caller callers[2])
{
    for (size_t k = 0; k < 2; k++) {
        float *together = synthetic_params(callers[k].net);
        CHECK_INT(callers[k].status, WEFT_OK);
        weft_net_free(callers[k].net);
        callers[k].net = job_net(callers[k].job, callers[k].data);
        call(&callers[k]);
        float *alone = synthetic_params(callers[k].net);
        CHECK_BYTES(together, alone, weft_net_n_params(callers[k].net) * sizeof *alone);
        free(together);
        free(alone);
        weft_net_free(callers[k].net);
        weft_context_free(callers[k].context);
        weft_dataset_free(callers[k].data);
    }
}

static void callers_in_threads(void)
{
    struct caller callers[2];
    pthread_t threads[2];
    callers_init(callers);
    for (size_t k = 0; k < 2; k++) {
        CU_ASSERT_FATAL(pthread_create(&threads[k], NULL, call, &callers[k]) == 0);
    }
    for (size_t k = 0; k < 2; k++) {
        pthread_join(threads[k], NULL);
    }
    check_callers(callers);
}

/* Inside the caller's own parallel region OpenMP gives each team one thread, not the two that its
 * context asked for. */
static void callers_in_a_parallel_region(void)
{
    struct caller callers[2];
    callers_init(callers);
#pragma omp parallel for num_threads(2) schedule(static)
    for (int k = 0; k < 2; k++) {
        call(&callers[k]);
    }
    check_callers(callers);
}

/* ---- the arithmetic of a step ---- */

/* Mini-batch descent with momentum in double precision: v = m v + g, w = w - lr v. */
static void reference_train(const struct reference *ref, double *params, const double *x,
                            const weft_targets *all, size_t n, const weft_train_options *options,
                            double *losses)
{
    size_t n_params = reference_n_params(ref), batch = options->batch_size;
    size_t n_steps = options->epochs * ((n + batch - 1) / batch), step = 0;
    double *g = reference_alloc(2 * n_params, sizeof *g), *v = g + n_params;
    for (size_t epoch = 0; epoch < options->epochs; epoch++) {
        for (size_t from = 0; from < n; from += batch, step++) {
            size_t size = batch_at(n, batch, from / batch);
            weft_targets targets = *all;
            targets.classes = all->classes == NULL ? NULL : all->classes + from;
            targets.values = all->values == NULL ? NULL : all->values + from * all->n_values;
            const double *batch_x = x + from * ref->width[0];
            losses[step] = reference_loss(ref, params, batch_x, &targets, size, NULL);
            reference_gradient(ref, params, batch_x, &targets, size, g);
            double lr = options->schedule == WEFT_LR_LINEAR
                            ? options->lr * (1 - (double)step / (double)n_steps)
                            : options->lr;
            for (size_t k = 0; k < n_params; k++) {
                v[k] = options->momentum * v[k] + g[k];
                params[k] -= lr * v[k];
            }
        }
    }
    free(g);
}

/* Five epochs of four steps, the last of each over fewer samples. */
static void check_against_reference(weft_output output, weft_activation activation, double momentum,
                                    weft_schedule schedule, size_t batch_size)
{
    size_t n = 3 * batch_size + 5, n_outputs = output == WEFT_OUTPUT_SOFTMAX ? 4 : 3;
    weft_dataset *data = output == WEFT_OUTPUT_SOFTMAX
                             ? synthetic_classes(WEFT_F32, n, 11, n_outputs, 0.8, 21)
                             : synthetic_values(n, 11, n_outputs, 21);
    static const size_t hidden[] = {9, 6, 0};
    weft_net *net = synthetic_net(11, hidden, activation, n_outputs, output, 4);
    synthetic_scale(net, data, WEFT_SCALE_STANDARD);
    struct reference ref = reference_of(net);
    struct log *log = log_new();
    weft_train_options options = options_of(5, batch_size, 0.1, log);
    options.momentum = momentum;
    options.schedule = schedule;

    size_t n_params = weft_net_n_params(net);
    weft_tensor view = weft_dataset_x(data);
    weft_targets targets = weft_dataset_targets(data);
    double *x = reference_inputs(weft_net_scaling(net), &view);
    double *wanted = reference_alloc(n_params, sizeof *wanted), losses[20];
    float *start = synthetic_params(net);
    for (size_t k = 0; k < n_params; k++) {
        wanted[k] = (double)start[k];
    }
    reference_train(&ref, wanted, x, &targets, n, &options, losses);

    weft_context *context = synthetic_context(2);
    weft_error err;
    CHECK_OK(weft_train(context, net, data, &options, &err), &err);
    float *got = synthetic_params(net);
    double moved = 0;
    for (size_t k = 0; k < n_params; k++) {
        CHECK_NEAR((double)got[k], wanted[k], 1e-5);
        moved = fmax(moved, fabs(wanted[k] - (double)start[k]));
    }
    CHECK(moved > 0.05); /* or the bound above would say little */
    size_t step = 0;
    for (size_t k = 0; k < log->n; k++) {
        if (log->events[k].kind == WEFT_EVENT_STEP && step < 20) {
            CHECK_NEAR(log->events[k].train.loss, losses[step], 1e-5 * fabs(losses[step]));
            step++;
        }
    }
    CHECK_UINT(step, 20);
    free(x);
    free(wanted);
    free(start);
    free(got);
    free(log);
    weft_net_free(net);
    weft_dataset_free(data);
    weft_context_free(context);
}

static void steps_match_double_precision(void)
{
    check_against_reference(WEFT_OUTPUT_SOFTMAX, WEFT_TANH, 0, WEFT_LR_CONSTANT, 16);
    check_against_reference(WEFT_OUTPUT_SOFTMAX, WEFT_RELU, 0.9, WEFT_LR_CONSTANT, 16);
    check_against_reference(WEFT_OUTPUT_SIGMOID, WEFT_GELU, 0.5, WEFT_LR_LINEAR, 16);
    check_against_reference(WEFT_OUTPUT_IDENTITY, WEFT_SELU, 0.9, WEFT_LR_LINEAR, 16);
    /* Batches in parts. */
    check_against_reference(WEFT_OUTPUT_SOFTMAX, WEFT_TANH, 0, WEFT_LR_CONSTANT, 600);
    check_against_reference(WEFT_OUTPUT_SIGMOID, WEFT_SILU, 0.9, WEFT_LR_CONSTANT, 300);
}

static void separable_set_is_learnt(void)
{
    weft_dataset *data = synthetic_classes(WEFT_F32, 120, 8, 3, 0.3, 2);
    static const size_t hidden[] = {16, 0};
    weft_net *net = synthetic_net(8, hidden, WEFT_RELU, 3, WEFT_OUTPUT_SOFTMAX, 1);
    weft_context *context = synthetic_context(2);
    weft_train_options options = options_of(30, 16, 0.1, NULL);
    weft_evaluation before = {0}, after = {0};
    weft_error err;
    options.shuffle = true;
    CHECK_OK(weft_evaluate(context, net, data, &before, &err), &err);
    CHECK_OK(weft_train(context, net, data, &options, &err), &err);
    CHECK_OK(weft_evaluate(context, net, data, &after, &err), &err);
    CHECK(before.accuracy < 0.9);
    CHECK_NEAR(after.accuracy, 1, 0);
    CHECK(after.loss < 0.1 && after.loss < before.loss / 5);
    weft_evaluation_release(&before);
    weft_evaluation_release(&after);
    weft_net_free(net);
    weft_dataset_free(data);
    weft_context_free(context);
}

/* ---- events ---- */

/* A small run with everything on: 3 epochs of 4 steps over 25 samples. */
struct run {
    weft_dataset *data;
    weft_net *net;
    weft_context *context;
    struct log *log;
    weft_train_options options;
};

static void run_init(struct run *run)
{
    static const size_t hidden[] = {5, 0};
    run->data = synthetic_classes(WEFT_F32, 25, 4, 3, 0.6, 8);
    run->net = synthetic_net(4, hidden, WEFT_TANH, 3, WEFT_OUTPUT_SOFTMAX, 3);
    run->context = synthetic_context(2);
    run->log = log_new();
    run->log->wanted_net = run->net;
    run->options = options_of(3, 7, 0.25, run->log);
}

static void run_release(struct run *run)
{
    weft_dataset_free(run->data);
    weft_net_free(run->net);
    weft_context_free(run->context);
    free(run->log);
}

static weft_status run_train(struct run *run, weft_error *err)
{
    return weft_train(run->context, run->net, run->data, &run->options, err);
}

static void check_event(const weft_event *event, weft_event_kind kind, size_t epoch, size_t step)
{
    CHECK_INT(event->kind, kind);
    CHECK_UINT(event->epoch, epoch);
    CHECK_UINT(event->step, step);
    CHECK_UINT(event->n_epochs, 3);
    CHECK_UINT(event->n_steps, 12);
    CHECK_UINT(event->steps_per_epoch, 4);
    CHECK_UINT(event->n_samples, 25);
}

static void events_come_in_order(void)
{
    struct run run;
    weft_error err;
    run_init(&run);
    run.options.val = run.data;
    run.options.test = run.data;
    run.options.test_every = 2;
    CHECK_OK(run_train(&run, &err), &err);
    CHECK_UINT(run.log->n, 1 + 3 * (4 + 1) + 1);
    const weft_event *event = run.log->events;
    double seconds = 0;
    check_event(event++, WEFT_EVENT_RUN_STARTED, 0, 0);
    for (size_t epoch = 0; epoch < 3; epoch++) {
        for (size_t step = 0; step < 4; step++, event++) {
            check_event(event, WEFT_EVENT_STEP, epoch, epoch * 4 + step + 1);
            CHECK(event->train.known && !event->val.known && !event->test.known);
            CHECK(event->seconds >= seconds);
            seconds = event->seconds;
        }
        check_event(event, WEFT_EVENT_EPOCH, epoch + 1, (epoch + 1) * 4);
        CHECK(event->train.known && event->val.known);
        CHECK(event->test.known == (epoch == 1));
        event++;
    }
    check_event(event, WEFT_EVENT_RUN_FINISHED, 3, 12);
    CHECK_INT(event->status, WEFT_OK);
    run_release(&run);
}

/* An epoch's loss and accuracy are the means over its samples, from before each update; val is what
 * weft_evaluate() says after it. */
static void epoch_scores_are_means(void)
{
    struct run run;
    weft_error err;
    run_init(&run);
    run.options.val = run.data;
    CHECK_OK(run_train(&run, &err), &err);
    double loss = 0, right = 0;
    size_t step = 0;
    for (size_t k = 0; k < run.log->n; k++) {
        const weft_event *event = &run.log->events[k];
        if (event->kind == WEFT_EVENT_STEP) {
            double size = (double)batch_at(25, 7, step++ % 4);
            loss += event->train.loss * size / 25;
            right += event->train.accuracy * size;
            CHECK_NEAR(right, round(right), 1e-9); /* whole samples */
        } else if (event->kind == WEFT_EVENT_EPOCH) {
            CHECK_NEAR(event->train.loss, loss, 1e-12);
            CHECK_NEAR(event->train.accuracy, right / 25, 1e-12);
            loss = right = 0;
        }
    }
    weft_evaluation evaluation = {0};
    CHECK_OK(weft_evaluate(run.context, run.net, run.data, &evaluation, &err), &err);
    const weft_event *last = &run.log->events[run.log->n - 2];
    CHECK_BYTES(&last->val.loss, &evaluation.loss, sizeof(double));
    CHECK_BYTES(&last->val.accuracy, &evaluation.accuracy, sizeof(double));
    weft_evaluation_release(&evaluation);
    run_release(&run);
}

static void accuracy_is_unknown_without_classes(void)
{
    weft_dataset *data = synthetic_values(20, 3, 2, 1);
    weft_net *net = synthetic_net(3, (size_t[]){4, 0}, WEFT_RELU, 2, WEFT_OUTPUT_IDENTITY, 1);
    weft_context *context = synthetic_context(1);
    struct log *log = log_new();
    weft_train_options options = options_of(1, 0, 0.1, log);
    weft_error err;
    CHECK_OK(weft_train(context, net, data, &options, &err), &err);
    CHECK_UINT(log->n, 4);
    CHECK(isfinite(log->events[1].train.loss) && isnan(log->events[1].train.accuracy));
    CHECK(isfinite(log->events[2].train.loss) && isnan(log->events[2].train.accuracy));
    free(log);
    weft_net_free(net);
    weft_dataset_free(data);
    weft_context_free(context);
}

static void schedules_are_exact(void)
{
    for (int linear = 0; linear < 2; linear++) {
        struct run run;
        weft_error err;
        run_init(&run);
        run.options.schedule = linear ? WEFT_LR_LINEAR : WEFT_LR_CONSTANT;
        CHECK_OK(run_train(&run, &err), &err);
        size_t step = 0;
        CHECK_NEAR(run.log->events[0].lr, 0.25, 0);
        for (size_t k = 0; k < run.log->n; k++) {
            if (run.log->events[k].kind == WEFT_EVENT_STEP) {
                double wanted = linear ? 0.25 * (1 - (double)step / 12) : 0.25;
                CHECK_NEAR(run.log->events[k].lr, wanted, 4 * DBL_EPSILON * wanted);
                step++;
            }
        }
        CHECK_UINT(step, 12);
        run_release(&run);
    }
}

static void zero_epochs_change_nothing(void)
{
    struct run run;
    weft_error err;
    run_init(&run);
    run.options.epochs = 0;
    float *before = synthetic_params(run.net);
    CHECK_OK(run_train(&run, &err), &err);
    float *after = synthetic_params(run.net);
    CHECK_BYTES(after, before, weft_net_n_params(run.net) * sizeof *after);
    CHECK_UINT(run.log->n, 2);
    CHECK_INT(run.log->events[0].kind, WEFT_EVENT_RUN_STARTED);
    CHECK_INT(run.log->events[1].kind, WEFT_EVENT_RUN_FINISHED);
    free(before);
    free(after);
    run_release(&run);
}

/* The epoch of the last step made is told where it is whole; after the very last step nothing is
 * left to stop. */
static void listener_stops_at_a_step(void)
{
    for (size_t stop = 1; stop <= 12; stop++) {
        struct run run;
        weft_error err;
        run_init(&run);
        size_t n_params = weft_net_n_params(run.net);
        run.log->stop_at_step = stop;
        run.log->params_at_stop = reference_alloc(n_params, sizeof(float));
        weft_status wanted = stop < 12 ? WEFT_ERR_STOPPED : WEFT_OK;
        CHECK_STATUS(run_train(&run, &err), wanted, &err);
        float *params = synthetic_params(run.net);
        CHECK_BYTES(params, run.log->params_at_stop, n_params * sizeof *params);
        const weft_event *last = &run.log->events[run.log->n - 1];
        CHECK_INT(last->kind, WEFT_EVENT_RUN_FINISHED);
        CHECK_INT(last->status, wanted);
        CHECK_UINT(last->step, stop);
        CHECK_UINT(run.log->n, 1 + stop + stop / 4 + 1);
        free(params);
        free(run.log->params_at_stop);
        run_release(&run);
    }
}

/* Before the first step, and after an epoch (event 6). */
static void listener_stops_elsewhere(void)
{
    static const struct {
        size_t event, steps;
    } cases[] = {{1, 0}, {6, 4}};
    for (size_t k = 0; k < 2; k++) {
        struct run run;
        weft_error err;
        run_init(&run);
        float *before = synthetic_params(run.net);
        run.log->stop_at_event = cases[k].event;
        CHECK_STATUS(run_train(&run, &err), WEFT_ERR_STOPPED, &err);
        CHECK_UINT(run.log->n, cases[k].event + 1);
        CHECK_UINT(run.log->events[run.log->n - 1].step, cases[k].steps);
        if (cases[k].steps == 0) {
            float *after = synthetic_params(run.net);
            CHECK_BYTES(after, before, weft_net_n_params(run.net) * sizeof *after);
            free(after);
        }
        free(before);
        run_release(&run);
    }
}

/* ---- trouble ---- */

static void divergence_is_told(void)
{
    weft_dataset *data = synthetic_values(64, 6, 2, 4);
    weft_net *net = synthetic_net(6, (size_t[]){8, 0}, WEFT_RELU, 2, WEFT_OUTPUT_IDENTITY, 2);
    weft_context *context = synthetic_context(2);
    struct log *log = log_new();
    weft_train_options options = options_of(50, 16, 1e6, log);
    weft_error err;
    CHECK_STATUS(weft_train(context, net, data, &options, &err), WEFT_ERR_DIVERGED, &err);
    const weft_event *last = &log->events[log->n - 1];
    CHECK_INT(last->kind, WEFT_EVENT_RUN_FINISHED);
    CHECK_INT(last->status, WEFT_ERR_DIVERGED);
    CHECK(last->step > 0 && last->step < 100);
    /* The step that failed is the one after the last that was told; the loss is that one's. */
    char part[64];
    snprintf(part, sizeof part, "step %zu", last->step + 1);
    CHECK_HAS(err.message, part);
    CHECK_HAS(err.message, "1e+06");
    CHECK(strchr(err.message, '\n') == NULL);
    for (size_t k = 0; k < log->n; k++) {
        if (log->events[k].kind == WEFT_EVENT_STEP) {
            CHECK(isfinite(log->events[k].train.loss));
        }
    }
    printf("\n  \"%s\" ", err.message);
    free(log);
    weft_net_free(net);
    weft_dataset_free(data);
    weft_context_free(context);
}

/* The last step has no loss behind it to tell; the first none before it. */
static void divergence_at_the_ends(void)
{
    weft_dataset *data = synthetic_values(64, 6, 2, 4);
    weft_net *net = synthetic_net(6, (size_t[]){8, 0}, WEFT_RELU, 2, WEFT_OUTPUT_IDENTITY, 2);
    weft_context *context = synthetic_context(2);
    struct log *log = log_new();
    weft_train_options options = options_of(1, 0, 3e38, log);
    float *params = synthetic_params(net);
    for (size_t k = 0; k < weft_net_n_params(net); k++) {
        params[k] *= 100; /* gradients beyond 1, which such a step makes infinite */
    }
    weft_error err;
    weft_net_set_params(net, params);
    CHECK_STATUS(weft_train(context, net, data, &options, &err), WEFT_ERR_DIVERGED, &err);
    CHECK_HAS(err.message, "a parameter is not finite in step 1 (epoch 1)");
    CHECK_HAS(err.message, "last finite loss");
    CHECK_UINT(log->n, 4);
    CHECK_INT(log->events[3].status, WEFT_ERR_DIVERGED);
    weft_net_set_params(net, params);
    options.epochs = 3;
    CHECK_STATUS(weft_train(context, net, data, &options, &err), WEFT_ERR_DIVERGED, &err);
    CHECK_HAS(err.message, "loss is not finite in step 2 (epoch 2)");
    params[0] = NAN;
    weft_net_set_params(net, params);
    CHECK_STATUS(weft_train(context, net, data, &options, &err), WEFT_ERR_DIVERGED, &err);
    CHECK_HAS(err.message, "in step 1 (epoch 1)");
    CHECK_HAS(err.message, "no loss was finite before");
    options.epochs = 0;
    CHECK_OK(weft_train(context, net, data, &options, &err), &err);
    free(params);
    free(log);
    weft_net_free(net);
    weft_dataset_free(data);
    weft_context_free(context);
}

static void bad_options_are_refused(void)
{
    static const struct {
        double lr, momentum;
        weft_schedule schedule;
    } cases[] = {
        {0, 0, WEFT_LR_CONSTANT},           {-1, 0, WEFT_LR_CONSTANT},
        {(double)NAN, 0, WEFT_LR_LINEAR},   {(double)INFINITY, 0, WEFT_LR_LINEAR},
        {0.1, (double)NAN, WEFT_LR_LINEAR}, {0.1, 1, WEFT_LR_LINEAR},
        {0.1, -0.1, WEFT_LR_LINEAR},        {0.1, 2, WEFT_LR_LINEAR},
        {0.1, 0, WEFT_N_SCHEDULES},         {0.1, 0, (weft_schedule)-1},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct run run;
        weft_error err;
        run_init(&run);
        float *before = synthetic_params(run.net);
        run.options.lr = cases[k].lr;
        run.options.momentum = cases[k].momentum;
        run.options.schedule = cases[k].schedule;
        CHECK_STATUS(run_train(&run, &err), WEFT_ERR_ARG, &err);
        float *after = synthetic_params(run.net);
        CHECK_BYTES(after, before, weft_net_n_params(run.net) * sizeof *after);
        free(before);
        free(after);
        run_release(&run);
    }
}

static void misfits_are_refused(void)
{
    struct run run;
    weft_error err;
    run_init(&run);
    weft_dataset *narrow = synthetic_classes(WEFT_F32, 25, 3, 3, 0.6, 8);
    weft_dataset *values = synthetic_values(25, 4, 3, 8);
    weft_dataset *more = synthetic_classes(WEFT_F32, 25, 4, 4, 0.6, 8);
    const weft_dataset *bad[] = {narrow, values, more};
    for (size_t k = 0; k < 3; k++) {
        CHECK_STATUS(weft_train(run.context, run.net, bad[k], &run.options, &err),
                     WEFT_ERR_MISMATCH, &err);
        run.options.val = bad[k];
        CHECK_STATUS(run_train(&run, &err), WEFT_ERR_MISMATCH, &err);
        run.options.val = NULL;
    }
    weft_dataset_free(narrow);
    weft_dataset_free(values);
    weft_dataset_free(more);
    run_release(&run);
}

/* From the first event to the last: steps, shuffling and evaluations use what was there before. */
static void no_memory_is_taken_in_steps(void)
{
    for (size_t j = 0; j < sizeof jobs / sizeof *jobs; j++) {
        weft_dataset *data = job_data(&jobs[j]);
        weft_net *net = job_net(&jobs[j], data);
        struct log *log = log_new();
        size_t steps = 0, before = weft_mem_count();
        train_job(&jobs[j], data, net, 2, log);
        CHECK(log->n > 0 && log->allocations[0] > before); /* the counter counts */
        for (size_t k = 1; k < log->n; k++) {
            CHECK_UINT(log->allocations[k], log->allocations[0]);
            steps += log->events[k].kind == WEFT_EVENT_STEP;
        }
        CHECK(steps > 0);
        free(log);
        weft_net_free(net);
        weft_dataset_free(data);
    }
}

/* Every allocation fails once: an error each time, and the network is not touched. */
static void out_of_memory_is_survived(void)
{
    bool done = false;
    for (size_t n = 1; !done && n < 1000; n++) {
        struct run run;
        weft_error err = {0};
        run_init(&run);
        run.options.val = run.data;
        run.options.momentum = 0.9;
        run.options.shuffle = true;
        weft_mem_fail_at(n);
        weft_status status = run_train(&run, &err);
        weft_mem_fail_at(0);
        done = status == WEFT_OK;
        if (!done) {
            CHECK_STATUS(status, WEFT_ERR_NOMEM, &err);
            CHECK_HAS(err.message, "memory");
        }
        CHECK(n > 1 || !done); /* training takes some */
        run_release(&run);
    }
    CHECK(done);
}

/* Shuffling depends on the seed and changes what is learnt; every epoch sees each sample once. */
static void shuffling_is_seeded(void)
{
    double losses[3];
    for (size_t k = 0; k < 3; k++) {
        struct run run;
        weft_error err;
        run_init(&run);
        run.options.shuffle = true;
        run.options.seed = k == 2 ? 2 : 1;
        CHECK_OK(run_train(&run, &err), &err);
        losses[k] = run.log->events[run.log->n - 2].train.loss;
        run_release(&run);
    }
    CHECK_BYTES(&losses[0], &losses[1], sizeof losses[0]);
    CHECK(fabs(losses[0] - losses[2]) > 1e-6);
}

/* With a learning rate too small to change any weight, the mean over a shuffled epoch is that of
 * the whole set: nothing is left out or seen twice. */
static void shuffled_epoch_sees_every_sample_once(void)
{
    struct run run;
    weft_evaluation evaluation = {0};
    weft_error err;
    run_init(&run);
    run.options.shuffle = true;
    run.options.lr = 1e-30;
    CHECK_OK(weft_evaluate(run.context, run.net, run.data, &evaluation, &err), &err);
    CHECK_OK(run_train(&run, &err), &err);
    double first[3];
    size_t epochs = 0;
    for (size_t k = 0; k < run.log->n; k++) {
        const weft_event *event = &run.log->events[k];
        if (event->kind == WEFT_EVENT_EPOCH) {
            CHECK_NEAR(event->train.loss, evaluation.loss, 1e-6 * evaluation.loss);
            CHECK_NEAR(event->train.accuracy, evaluation.accuracy, 1e-12);
            first[epochs++] = run.log->events[k - 4].train.loss; /* its first step */
        }
    }
    CHECK_UINT(epochs, 3);
    /* ... and each epoch in an order of its own. */
    CHECK(fabs(first[0] - first[1]) > 1e-9 && fabs(first[1] - first[2]) > 1e-9);
    weft_evaluation_release(&evaluation);
    run_release(&run);
}

static CU_TestInfo bits_tests[] = {
    {"on any threads", same_bits_on_any_threads},
    {"callers in threads", callers_in_threads},
    {"callers in a parallel region", callers_in_a_parallel_region},
    CU_TEST_INFO_NULL,
};

static CU_TestInfo step_tests[] = {
    {"match double precision", steps_match_double_precision},
    {"separable set is learnt", separable_set_is_learnt},
    {"shuffling is seeded", shuffling_is_seeded},
    {"shuffled epoch sees every sample once", shuffled_epoch_sees_every_sample_once},
    {"no memory is taken", no_memory_is_taken_in_steps},
    CU_TEST_INFO_NULL,
};

static CU_TestInfo event_tests[] = {
    {"come in order", events_come_in_order},
    {"epoch scores are means", epoch_scores_are_means},
    {"accuracy is unknown without classes", accuracy_is_unknown_without_classes},
    {"schedules are exact", schedules_are_exact},
    {"zero epochs change nothing", zero_epochs_change_nothing},
    {"listener stops at a step", listener_stops_at_a_step},
    {"listener stops elsewhere", listener_stops_elsewhere},
    CU_TEST_INFO_NULL,
};

static CU_TestInfo trouble_tests[] = {
    {"divergence is told", divergence_is_told},
    {"divergence at the ends", divergence_at_the_ends},
    {"bad options are refused", bad_options_are_refused},
    {"misfits are refused", misfits_are_refused},
    {"out of memory is survived", out_of_memory_is_survived},
    CU_TEST_INFO_NULL,
};

static const CU_SuiteInfo suites[] = {
    {"bits", NULL, NULL, NULL, NULL, bits_tests},
    {"step", NULL, NULL, NULL, NULL, step_tests},
    {"events", NULL, NULL, NULL, NULL, event_tests},
    {"trouble", NULL, NULL, NULL, NULL, trouble_tests},
    CU_SUITE_INFO_NULL,
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, suites);
}
