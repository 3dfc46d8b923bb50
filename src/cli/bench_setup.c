/* What weft bench measures with: the user's data and model, or made up ones. */
#include <string.h>

#include "base/fail.h"
#include "base/mem.h"
#include "base/rng.h"
#include "cli/bench_job.h"
#include "cli/core_count.h"

struct bench_job bench_job_of(struct cli_call *call)
{
    struct bench_args *args = call->options.args;
    return (struct bench_job){
        .command = call->command->name,
        .options = &call->options,
        .args = args,
        .plan = {.seconds = args->seconds, .quiet = args->common.quiet},
    };
}

void bench_job_release(struct bench_job *job)
{
    weft_net_free(job->net);
    weft_dataset_free(job->data);
}

void bench_note_threads(const struct bench_job *job, size_t n_threads)
{
    size_t cores = cli_granted_cores();
    if (n_threads > cores && !job->args->common.quiet) {
        cli_error(job->command, "note: %zu threads share %zu core%s", n_threads, cores,
                  cores == 1 ? "" : "s");
    }
}

static bool given(const struct bench_job *job, const void *variable)
{
    return cli_options_origin(job->options, variable) != CLI_BY_DEFAULT;
}

weft_status bench_make_samples(uint64_t seed, size_t rows, size_t cols, weft_tensor *out,
                               weft_error *err)
{
    *out = (weft_tensor){0};
    if (weft_tensor_init(out, WEFT_F32, rows, cols) != WEFT_OK) {
        return weft_fail_nomem(err, "made up samples");
    }
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    for (size_t i = 0; i < rows; i++) {
        float *row = (float *)out->data + i * out->ld;
        uint32_t bits[4];
        for (size_t j = 0; j < cols; j++) {
            if (j % 4 == 0) {
                const uint32_t counter[4] = {(uint32_t)(j / 4), (uint32_t)i,
                                             (uint32_t)((uint64_t)i >> 32), 0};
                weft_philox4x32(counter, key, bits);
            }
            row[j] = ((float)(bits[j % 4] >> 9) + 0.5f) * 0x1p-23f;
        }
    }
    return WEFT_OK;
}

/* Labels for made up samples: class ids, 0 or 1 for each sigmoid, numbers for identity. */
static weft_status make_targets(const weft_net_options *shape, uint64_t seed, size_t n,
                                weft_targets *out, weft_error *err)
{
    bool classes = shape->output == WEFT_OUTPUT_SOFTMAX;
    size_t width = classes ? 1 : shape->n_outputs;
    weft_tensor numbers;
    weft_status status = bench_make_samples(seed ^ 1, n, width, &numbers, err);
    if (status != WEFT_OK) {
        return status;
    }
    size_t count;
    float *values = weft_mul_fits(n, width, &count) ? weft_mem_alloc(count, sizeof *values) : NULL;
    int32_t *ids = weft_mem_alloc(classes ? n : 0, sizeof *ids);
    if (values == NULL || ids == NULL) {
        weft_mem_free(values);
        weft_mem_free(ids);
        weft_tensor_release(&numbers);
        return weft_fail_nomem(err, "made up labels");
    }
    for (size_t i = 0; i < n * width; i++) {
        float u = ((const float *)numbers.data)[i / width * numbers.ld + i % width];
        values[i] = shape->output == WEFT_OUTPUT_SIGMOID ? (float)(u >= 0.5f) : u;
        if (classes) {
            ids[i] = (int32_t)((double)u * (double)shape->n_outputs);
        }
    }
    weft_tensor_release(&numbers);
    *out = (weft_targets){.kind = classes ? WEFT_LABELS_CLASSES : WEFT_LABELS_VALUES,
                          .classes = ids,
                          .values = values,
                          .n_values = width};
    return WEFT_OK;
}

static weft_status make_data(struct bench_job *job, const weft_net_options *shape, size_t n,
                             weft_error *err)
{
    weft_tensor x = {0};
    weft_targets targets = {0};
    weft_status status = bench_make_samples(job->args->seed, n, shape->n_inputs, &x, err);
    if (status == WEFT_OK) {
        status = make_targets(shape, job->args->seed, n, &targets, err);
    }
    if (status == WEFT_OK) {
        size_t n_classes = targets.kind == WEFT_LABELS_CLASSES ? shape->n_outputs : 0;
        status = weft_dataset_from_memory(&x, &targets, NULL, n_classes, &job->data, err);
    }
    weft_mem_free((void *)targets.classes);
    weft_mem_free((void *)targets.values);
    weft_tensor_release(&x);
    return status;
}

static weft_net_options made_up_shape(const struct bench_args *args)
{
    weft_output automatic = args->outputs == 1 ? WEFT_OUTPUT_SIGMOID : WEFT_OUTPUT_SOFTMAX;
    return (weft_net_options){
        .n_inputs = args->inputs,
        .n_outputs = args->outputs,
        .output = args->net.output == 0 ? automatic : (weft_output)(args->net.output - 1),
    };
}

/* Options that say nothing beside what is given, or nothing without it. */
struct conflict {
    const void *variable;
    const char *name;
};

static weft_status refuse_given(const struct bench_job *job, const struct conflict *list, size_t n,
                                const char *what, const char *got, weft_error *err)
{
    for (size_t i = 0; i < n; i++) {
        if (given(job, list[i].variable)) {
            return weft_fail(err, WEFT_ERR_ARG, "--%s: wanted %s; got %s", list[i].name, what, got);
        }
    }
    return WEFT_OK;
}

static weft_status check_options(const struct bench_job *job, weft_error *err)
{
    const struct bench_args *args = job->args;
    const struct conflict made_up[] = {
        {&args->inputs, "inputs"}, {&args->outputs, "outputs"}, {&args->samples, "samples"}};
    const struct conflict columns[] = {{&args->label, "label"}, {&args->x, "x"}, {&args->y, "y"}};
    weft_status status = args->data != NULL
                             ? refuse_given(job, made_up, 3, "no DATA beside it", args->data, err)
                             : refuse_given(job, columns, 3, "DATA with it", "none", err);
    return status == WEFT_OK ? cli_check_activations(&args->net, err) : status;
}

static weft_status load_data(struct bench_job *job, weft_net_options *shape, weft_error *err)
{
    const struct bench_args *args = job->args;
    weft_dataset_options from = weft_dataset_options_default();
    from.labels = cli_labels_for_output(args->net.output);
    from.label = args->label;
    from.x_name = args->x;
    from.y_name = args->y;
    weft_status status = cli_load_data(args->data, &from, &job->data, err);
    if (status == WEFT_OK) {
        shape->n_inputs = weft_dataset_features(job->data);
        status = cli_choose_output(&args->net, job->data, args->data, shape, err);
    }
    return status;
}

static weft_status setup_training(struct bench_job *job, size_t samples, weft_error *err)
{
    const struct bench_args *args = job->args;
    weft_net_options shape = made_up_shape(args);
    weft_status status = WEFT_OK;
    if (args->data != NULL) {
        status = load_data(job, &shape, err);
    }
    if (status == WEFT_OK) {
        status = cli_make_net(&args->net, &shape, &job->net, err);
    }
    if (status == WEFT_OK && args->data == NULL) {
        status = make_data(job, &shape, args->samples > 0 ? args->samples : samples, err);
    }
    if (status == WEFT_OK) {
        status = weft_net_init(job->net, WEFT_INIT_AUTO, 0, args->seed, err);
    }
    if (status == WEFT_OK) {
        status = cli_fit_scaling(job->net, job->data, args->scale, err);
    }
    const char *path = args->data != NULL ? args->data : "made up data";
    return status == WEFT_OK ? cli_check_fit(job->net, "the network", job->data, path, true, err)
                             : status;
}

/* Momentum that nobody gave is what is usual with the optimiser. */
static weft_status resolve_momentum(const struct bench_job *job, weft_error *err)
{
    struct bench_args *args = job->args;
    weft_train_options usual = weft_train_options_default();
    weft_train_options_set_optimizer(&usual, (weft_optimizer)args->optimizer);
    const struct conflict momentum = {&args->momentum, "momentum"};
    bool is_read = usual.optimizer == WEFT_SGD || usual.optimizer == WEFT_NESTEROV;
    if (!given(job, &args->momentum)) {
        args->momentum = usual.momentum;
    }
    return is_read ? WEFT_OK
                   : refuse_given(job, &momentum, 1, "--optimizer sgd or nesterov with it",
                                  weft_optimizer_name(usual.optimizer), err);
}

int bench_setup_training(struct bench_job *job, size_t samples)
{
    weft_error err;
    if (check_options(job, &err) != WEFT_OK || resolve_momentum(job, &err) != WEFT_OK) {
        return cli_fail(job->command, CLI_USAGE, &err);
    }
    weft_status status = setup_training(job, samples, &err);
    if (status == WEFT_OK) {
        return CLI_DONE;
    }
    return cli_fail(job->command, status == WEFT_ERR_ARG ? CLI_USAGE : CLI_INPUT, &err);
}

static weft_status load_model(struct bench_job *job, weft_error *err)
{
    const struct bench_args *args = job->args;
    struct cli_hints hints = {.output = args->net.output, .scale = args->scale};
    if (given(job, &args->net.activation)) {
        hints.activation = args->net.activation;
    }
    return cli_load_model(args->model, NULL, &hints, &job->net, err);
}

static weft_status make_network(struct bench_job *job, weft_error *err)
{
    const struct bench_args *args = job->args;
    weft_net_options shape = made_up_shape(args);
    weft_status status = cli_check_activations(&args->net, err);
    if (status == WEFT_OK) {
        status = cli_make_net(&args->net, &shape, &job->net, err);
    }
    return status == WEFT_OK ? weft_net_init(job->net, WEFT_INIT_AUTO, 0, args->seed, err) : status;
}

int bench_setup_network(struct bench_job *job)
{
    const struct bench_args *args = job->args;
    const struct conflict made_up[] = {
        {&args->inputs, "inputs"}, {&args->outputs, "outputs"}, {&args->net.hidden, "hidden"}};
    const struct conflict hints[] = {{&args->scale, "scale"}};
    weft_error err;
    weft_status status =
        args->model != NULL ? refuse_given(job, made_up, 3, "no MODEL beside it", args->model, &err)
                            : refuse_given(job, hints, 1, "MODEL with it", "none", &err);
    if (status != WEFT_OK) {
        return cli_fail(job->command, CLI_USAGE, &err);
    }
    if (args->model != NULL) {
        return load_model(job, &err) == WEFT_OK ? CLI_DONE
                                                : cli_fail(job->command, CLI_INPUT, &err);
    }
    return make_network(job, &err) == WEFT_OK ? CLI_DONE : cli_fail(job->command, CLI_USAGE, &err);
}
