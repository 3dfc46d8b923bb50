/* See digits.h. */
#include "digits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct digits_shape digits_shapes[DIGITS_N_SHAPES] = {
    {"784-128-10", {128, 0}, 128, 1, 0.90},
    {"784-512-512-10", {512, 512, 0}, 128, 1, 0.92},
    {"784-32-16-10 full batch", {32, 16, 0}, 0, 10, 0.15},
};

static void must(weft_status status, const weft_error *err)
{
    if (status != WEFT_OK) {
        bench_die("%s", err->message);
    }
}

weft_dataset *digits_load(const struct bench_options *options, weft_split split)
{
    weft_dataset_options how = weft_dataset_options_default();
    weft_dataset *data = NULL;
    weft_error err;
    how.split = split;
    must(weft_dataset_load(options->data, &how, &data, &err), &err);
    return data;
}

static weft_net *net_of(const struct digits_shape *shape, const weft_dataset *data)
{
    static const weft_activation activations[] = {WEFT_RELU, WEFT_RELU, WEFT_RELU, WEFT_RELU};
    size_t n_hidden = 0;
    while (shape->hidden[n_hidden] != 0) {
        n_hidden++;
    }
    weft_net_options options = {.n_inputs = weft_dataset_features(data),
                                .n_outputs = weft_dataset_n_classes(data),
                                .n_hidden = n_hidden,
                                .hidden = shape->hidden,
                                .activations = activations,
                                .output = WEFT_OUTPUT_SOFTMAX};
    weft_net *net = NULL;
    weft_scaling scaling = {0};
    weft_error err;
    must(weft_net_new(&options, &net, &err), &err);
    must(weft_net_init(net, WEFT_INIT_AUTO, 0, 1, &err), &err);
    must(weft_scaling_fit(data, WEFT_SCALE_UNIT, &scaling, &err), &err);
    must(weft_net_set_scaling(net, &scaling, &err), &err);
    weft_scaling_release(&scaling);
    return net;
}

void digits_job_init(struct digits_job *job, const struct digits_shape *shape,
                     const weft_dataset *train, const weft_dataset *test, size_t n_threads,
                     const struct bench_options *options)
{
    weft_context_options context_options = {
        .n_threads = n_threads, .isa = options->isa, .precision = options->precision};
    weft_error err;
    *job = (struct digits_job){.shape = shape, .train = train, .test = test};
    must(weft_context_new(&context_options, &job->context, &err), &err);
    job->net = net_of(shape, train);
    job->start = bench_alloc(weft_net_n_params(job->net), sizeof *job->start);
    weft_net_get_params(job->net, job->start);
}

void digits_job_release(struct digits_job *job)
{
    weft_net_free(job->net);
    weft_context_free(job->context);
    free(job->start);
    free(job->first);
}

static void prepare(void *state)
{
    struct digits_job *job = state;
    weft_net_set_params(job->net, job->start);
}

static void run(void *state)
{
    struct digits_job *job = state;
    weft_train_options options = weft_train_options_default();
    weft_error err;
    options.epochs = job->shape->epochs;
    options.batch_size =
        job->shape->batch_size > 0 ? job->shape->batch_size : weft_dataset_samples(job->train);
    options.lr = 0.1;
    options.schedule = WEFT_LR_CONSTANT;
    options.momentum = 0;
    options.shuffle = true;
    must(weft_train(job->context, job->net, job->train, &options, &err), &err);
}

static bool check(void *state)
{
    struct digits_job *job = state;
    size_t n = weft_net_n_params(job->net);
    float *params = bench_alloc(n, sizeof *params);
    weft_net_get_params(job->net, params);
    if (job->first != NULL) {
        bool same = memcmp(params, job->first, n * sizeof *params) == 0;
        if (!same) {
            fprintf(stderr, "%s: two runs ended with different parameters\n", job->shape->name);
        }
        free(params);
        return same;
    }
    weft_evaluation evaluation;
    weft_error err;
    job->first = params;
    must(weft_evaluate(job->context, job->net, job->test, &evaluation, &err), &err);
    job->accuracy = evaluation.accuracy;
    weft_evaluation_release(&evaluation);
    if (!(job->accuracy >= job->shape->least_accuracy)) {
        fprintf(stderr, "%s: test accuracy %g after a run, wanted %g\n", job->shape->name,
                job->accuracy, job->shape->least_accuracy);
        return false;
    }
    return true;
}

/* Two floating-point operations for each weight and sample in each of three products: forward, and
 * backward to the weights and to the layer below, which the first layer does not need. */
static double gflop_of_run(const struct digits_job *job)
{
    double sum = 0, below = (double)weft_net_n_inputs(job->net);
    for (size_t l = 0; l < weft_net_n_layers(job->net); l++) {
        double width = (double)weft_net_width(job->net, l);
        sum += below * width * (l == 0 ? 4 : 6);
        below = width;
    }
    return 1e-9 * sum * (double)weft_dataset_samples(job->train) * (double)job->shape->epochs;
}

struct bench_case digits_case(struct digits_job *job, const char *name)
{
    return (struct bench_case){.name = name,
                               .state = job,
                               .prepare = prepare,
                               .run = run,
                               .check = check,
                               .gflop = gflop_of_run(job),
                               .n_threads = weft_context_threads(job->context),
                               .samples =
                                   (double)(weft_dataset_samples(job->train) * job->shape->epochs)};
}
