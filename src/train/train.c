/* The training loop: epochs of shuffled batches, each a gradient step; one parallel region for
 * each epoch, in which all threads walk the same steps and share the loops inside.
 *
 * Owns for the time of a run: the feed that batches come from, the gradient, what optimiser,
 * schedule and watch remember, the buffers of a pass. The network and the data are the caller's. */
#include <weft/train.h>

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/mem.h"
#include "data/feed.h"
#include "data/streamed.h"
#include "nn/layers.h"
#include "nn/pass.h"
#include "ops/output.h"
#include "ops/team.h"
#include "ops/update.h"
#include "train/optimizer.h"
#include "train/schedule.h"
#include "train/score.h"
#include "train/train_state.h"
#include "train/watch.h"
#include "train/weights.h"

weft_train_options weft_train_options_default(void)
{
    weft_train_options options = {
        .epochs = 10,
        .batch_size = 32,
        .schedule = WEFT_LR_LINEAR,
        .lr_period_factor = 1,
        .lr_patience = 10,
        .lr_factor = 0.1,
        .shuffle = WEFT_SHUFFLE_FULL,
        .shuffle_buffer = 65536,
        .seed = 1,
        .resume_lr_factor = 1,
    };
    weft_train_options_set_optimizer(&options, WEFT_SGD);
    return options;
}

weft_train_options weft_train_options_for(size_t n_samples, weft_output output)
{
    enum { FEWEST_EPOCHS = 10, MOST_EPOCHS = 500, SEEN = 64000, MANY = 10000 };
    weft_train_options options = weft_train_options_default();
    size_t epochs = n_samples == 0 ? 0 : (SEEN - 1) / n_samples + 1;
    options.epochs = epochs < FEWEST_EPOCHS ? FEWEST_EPOCHS
                     : epochs > MOST_EPOCHS ? MOST_EPOCHS
                                            : epochs;
    options.batch_size = n_samples < MANY ? 32 : 128;
    options.label_smoothing = output == WEFT_OUTPUT_IDENTITY ? 0 : 0.02;
    weft_train_options_set_optimizer(&options, WEFT_ADAMW);
    return options;
}

/* Keeping the samples takes about as long as it saves in five steps. */
enum { KEEP_FROM = 8 };

/* One run. Fields below the line change while threads run; each is written by one thread
 * between barriers. */
struct run {
    weft_context *context;
    weft_net *net;
    const weft_train_options *options;
    const weft_dataset *data;
    struct weft_feed feed;
    float *weights;              /* of the samples, or NULL: all count alike */
    struct weft_shift shift;     /* of this epoch; most 0: none */
    struct weft_perturb perturb; /* of this epoch */
    bool perturbs;
    size_t n_samples, batch_size;
    struct weft_run_length length;
    size_t n_steps;
    double start;          /* of this call */
    double seconds_before; /* of training before it */
    double lr_factor;
    struct weft_pass pass;
    struct weft_optimizer_state optimizer;
    /* A block of the net's layout; NULL where each parameter takes its step as soon as its gradient
     * is known: batches are one part, and nothing asks for the norm. */
    float *gradient;
    double *norm_sums; /* of weft_norm_team(), or NULL */
    float *average;    /* of the parameters, a block, or NULL; nothing before the first step */
    /* ---- */
    size_t epoch, step;
    struct weft_plateau plateau;
    struct weft_watch watch;
    struct weft_loss_sum epoch_sum;
    size_t epoch_samples;        /* that it is the sum of */
    double lr;                   /* of the last step, or of the first to come */
    double last_loss;            /* the last finite one, for the message on divergence */
    size_t first_sample;         /* that the running epoch begins with, in its order */
    weft_score train, val, test; /* of the last epoch that ended */
    bool stop, diverged;
    weft_end end;
    struct weft_digests digests;
    weft_status feed_status; /* of the last time that the feed was asked for more */
    weft_error feed_error;
};

static weft_status check_data(const weft_net *net, const weft_dataset *data,
                              const weft_train_options *options, weft_error *err)
{
    weft_status status = weft_check_fit(net, data, true, "training data", err);
    if (status == WEFT_OK && options->val != NULL) {
        status = weft_check_fit(net, options->val, true, "validation data", err);
    }
    if (status == WEFT_OK && options->test != NULL) {
        status = weft_check_fit(net, options->test, true, "test data", err);
    }
    if (status == WEFT_OK && weft_dataset_samples(data) > UINT32_MAX) {
        status = weft_fail(err, WEFT_ERR_ARG, "training data: %zu samples, wanted at most 2^32 - 1",
                           weft_dataset_samples(data));
    }
    return status;
}

/* The samples of a batch, and what the steps of the whole run come to. */
static weft_status measure(const weft_train_options *options, size_t n_samples, size_t *batch_size,
                           struct weft_run_length *length, weft_error *err)
{
    bool full = options->batch_size == 0 || options->batch_size >= n_samples;
    size_t n_steps;
    *batch_size = full ? n_samples : options->batch_size;
    *length = (struct weft_run_length){.epochs = options->epochs,
                                       .steps_per_epoch = (n_samples - 1) / *batch_size + 1};
    return weft_mul_fits(length->steps_per_epoch, length->epochs, &n_steps)
               ? WEFT_OK
               : weft_fail(err, WEFT_ERR_ARG, "epochs: %zu of %zu steps are too many",
                           length->epochs, length->steps_per_epoch);
}

/* How the images of a data set move in epoch 0; height is 0 where they are none. */
static struct weft_shift shift_of(const weft_train_options *options, const weft_dataset *data)
{
    size_t dims[4], n = weft_dataset_shape(data, dims);
    struct weft_shift shift = {.most = options->random_shift, .seed = options->seed};
    if (n == 2 || n == 3) {
        shift.height = dims[0];
        shift.width = dims[1];
        shift.depth = n == 3 ? dims[2] : 1;
    }
    return shift;
}

static struct weft_perturb perturb_of(const weft_train_options *options)
{
    return (struct weft_perturb){.seed = options->seed,
                                 .input_noise = options->input_noise,
                                 .input_dropout = options->input_dropout,
                                 .dropout = options->dropout};
}

static weft_status check_shift(const weft_train_options *options, const weft_dataset *data,
                               weft_error *err)
{
    struct weft_shift shift = shift_of(options, data);
    if (shift.most > 0 && shift.height == 0) {
        return weft_fail(err, WEFT_ERR_ARG,
                         "random shift: wanted images; got samples of another shape");
    }
    if (shift.most > 0 && (shift.most >= shift.height || shift.most >= shift.width)) {
        return weft_fail(err, WEFT_ERR_ARG,
                         "random shift of %zu pixels, wanted fewer than images of %zu x %zu have",
                         shift.most, shift.height, shift.width);
    }
    return WEFT_OK;
}

static weft_status check_shuffle(const weft_train_options *options, const weft_dataset *data,
                                 weft_error *err)
{
    if ((unsigned)options->shuffle >= WEFT_N_SHUFFLES) {
        return weft_fail(err, WEFT_ERR_ARG, "no way to shuffle: %d", (int)options->shuffle);
    }
    if (options->shuffle == WEFT_SHUFFLE_BUFFER && options->shuffle_buffer == 0) {
        return weft_fail(err, WEFT_ERR_ARG, "shuffle: a buffer of 0 samples, wanted 1 or more");
    }
    bool full = options->batch_size == 0 || options->batch_size >= weft_dataset_samples(data);
    return full ? WEFT_OK : weft_feed_check(data, options->shuffle, err);
}

static weft_status check_regularisation(const weft_train_options *options, const weft_net *net,
                                        weft_error *err)
{
    if (!(options->max_norm >= 0 && isfinite(options->max_norm))) {
        return weft_fail(err, WEFT_ERR_ARG, "norm of weights %g, wanted 0 or more",
                         options->max_norm);
    }
    if (!(options->label_smoothing >= 0 && options->label_smoothing < 1)) {
        return weft_fail(err, WEFT_ERR_ARG, "label smoothing %g, wanted 0 <= smoothing < 1",
                         options->label_smoothing);
    }
    if (options->label_smoothing > 0 && weft_net_output(net) == WEFT_OUTPUT_IDENTITY) {
        return weft_fail(err, WEFT_ERR_ARG, "label smoothing: an identity output has no labels");
    }
    const struct {
        const char *name;
        double share;
    } shares[] = {{"dropout", options->dropout}, {"input dropout", options->input_dropout}};
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        if (!(shares[i].share >= 0 && shares[i].share < 1)) {
            return weft_fail(err, WEFT_ERR_ARG, "%s %g, wanted 0 <= share < 1", shares[i].name,
                             shares[i].share);
        }
    }
    if (options->dropout > 0 && weft_net_n_layers(net) == 1) {
        return weft_fail(err, WEFT_ERR_ARG, "dropout: the network has no hidden layers");
    }
    if (!(options->input_noise >= 0 && options->input_noise <= (double)FLT_MAX)) {
        return weft_fail(err, WEFT_ERR_ARG, "input noise %g, wanted 0 to %g", options->input_noise,
                         (double)FLT_MAX);
    }
    if (!(options->ema >= 0 && options->ema < 1)) {
        return weft_fail(err, WEFT_ERR_ARG, "average of parameters %g, wanted 0 <= ema < 1",
                         options->ema);
    }
    return WEFT_OK;
}

/* Statistics of a batch need the whole of it at hand. */
static weft_status check_norms(const weft_net *net, size_t batch_size, weft_error *err)
{
    if (!weft_net_has_statistics(net) || (batch_size > 1 && batch_size <= WEFT_PASS_ROWS)) {
        return WEFT_OK;
    }
    return weft_fail(err, WEFT_ERR_ARG,
                     "batch normalisation: batches of %zu samples, wanted 2 to %d", batch_size,
                     WEFT_PASS_ROWS);
}

weft_status weft_train_check(const weft_net *net, const weft_dataset *data,
                             const weft_train_options *options, weft_error *err)
{
    size_t batch_size;
    struct weft_run_length length;
    weft_status status = weft_optimizer_check(options, err);
    if (status == WEFT_OK) {
        status = weft_watch_check(options, net, err);
    }
    if (status == WEFT_OK) {
        status = check_regularisation(options, net, err);
    }
    if (status == WEFT_OK) {
        status = check_shuffle(options, data, err);
    }
    if (status == WEFT_OK) {
        status = weft_check_weights(data, options, err);
    }
    if (status == WEFT_OK) {
        status = check_shift(options, data, err);
    }
    if (status == WEFT_OK) {
        status = check_data(net, data, options, err);
    }
    if (status == WEFT_OK) {
        status = measure(options, weft_dataset_samples(data), &batch_size, &length, err);
    }
    if (status == WEFT_OK) {
        status = check_norms(net, batch_size, err);
    }
    if (status == WEFT_OK) {
        status = weft_schedule_check(options, length, err);
    }
    if (status == WEFT_OK && options->resume != NULL &&
        !(options->resume_lr_factor > 0 && options->resume_lr_factor <= 1)) {
        status = weft_fail(err, WEFT_ERR_ARG, "resume: learning rate times %g, wanted above 0 to 1",
                           options->resume_lr_factor);
    }
    if (status == WEFT_OK && options->resume != NULL) {
        status =
            weft_checkpoint_check(options->resume, net, data, options, batch_size, length, err);
    }
    return status;
}

static void run_release(struct run *run)
{
    weft_pass_release(&run->pass);
    weft_mem_free(run->gradient);
    weft_mem_free(run->norm_sums);
    weft_mem_free(run->average);
    weft_optimizer_release(&run->optimizer);
    weft_watch_release(&run->watch);
    weft_feed_release(&run->feed);
    weft_mem_free(run->weights);
}

static struct weft_feed_options feed_options(const weft_train_options *options, size_t n_samples,
                                             const float *weights)
{
    bool full = options->batch_size == 0 || options->batch_size >= n_samples;
    return (struct weft_feed_options){
        .batch_size = full ? n_samples : options->batch_size,
        .shuffle = full ? WEFT_SHUFFLE_NONE : options->shuffle,
        .buffer = options->shuffle_buffer,
        .seed = options->seed,
        .n_epochs = options->epochs,
        .weights = weights,
    };
}

size_t weft_train_data_bytes(const weft_dataset *data, const weft_train_options *options)
{
    size_t n_samples = weft_dataset_samples(data);
    const struct weft_feed_options how = feed_options(options, n_samples, NULL);
    return weft_dataset_bytes(data) + weft_feed_bytes(data, &how);
}

static weft_status run_init(struct run *run, weft_error *err)
{
    const weft_train_options *options = run->options;
    const weft_tensor x = weft_dataset_sample(run->data);
    weft_status status = measure(options, run->n_samples, &run->batch_size, &run->length, err);
    if (status != WEFT_OK) {
        return status;
    }
    run->n_steps = run->length.epochs * run->length.steps_per_epoch;
    run->plateau = weft_plateau_start(options);
    run->perturb = perturb_of(options);
    run->perturbs = options->dropout > 0 || weft_perturb_inputs(&run->perturb);
    /* Evaluations use the same buffers, so they are of full size whatever the batch. */
    status = weft_pass_init(&run->pass, WEFT_PASS_BACKWARD, run->context, run->net, &x,
                            WEFT_PASS_ROWS, err);
    if (status != WEFT_OK) {
        return status;
    }
    bool full = run->length.steps_per_epoch == 1;
    if (run->perturbs) {
        status = weft_pass_allow(&run->pass, &run->perturb, err);
        if (status != WEFT_OK) {
            return status;
        }
    }
    if (full && run->shift.most == 0 && !run->perturbs && run->length.epochs >= KEEP_FROM &&
        !weft_dataset_is_streamed(run->data)) {
        weft_pass_keep(&run->pass, &x);
    }
    bool clips = options->clip_norm > 0;
    bool keeps_gradient = clips || run->batch_size > WEFT_PASS_ROWS;
    if (keeps_gradient) {
        run->gradient = weft_mem_zalloc(run->net->block_len, sizeof *run->gradient);
    }
    if (clips) {
        run->norm_sums =
            weft_mem_alloc(weft_norm_n_sums(run->net->block_len), sizeof *run->norm_sums);
    }
    if (options->ema > 0) {
        run->average = weft_mem_zalloc(run->net->block_len, sizeof *run->average);
    }
    if ((keeps_gradient && run->gradient == NULL) || (clips && run->norm_sums == NULL) ||
        (options->ema > 0 && run->average == NULL)) {
        return weft_fail_nomem(err, "the state of training");
    }
    status = weft_sample_weights(run->data, options, &run->weights, err);
    const struct weft_feed_options how = feed_options(options, run->n_samples, run->weights);
    if (status == WEFT_OK) {
        status = weft_feed_init(&run->feed, run->data, &how, err);
    }
    if (status == WEFT_OK) {
        status = weft_optimizer_init(&run->optimizer, options, run->net->block_len, err);
    }
    return status == WEFT_OK ? weft_watch_init(&run->watch, options, run->net, err) : status;
}

static double learning_rate(const struct run *run, size_t step)
{
    return run->lr_factor * weft_schedule_lr(run->options, run->length, &run->plateau, step);
}

static double seconds_of(const struct run *run)
{
    return run->seconds_before + weft_clock_seconds() - run->start;
}

/* All that a checkpoint has to save. */
static struct weft_train_state state_of(struct run *run)
{
    struct weft_train_state state = {
        .net = run->net,
        .options = run->options,
        .data = run->data,
        .context = run->context,
        .digests = &run->digests,
    };
    state.learned = (struct weft_learned){
        .epoch = run->epoch,
        .step = run->step,
        .epoch_sum = run->epoch_sum,
        .epoch_samples = run->epoch_samples,
        .lr = run->lr,
        .lr_factor = run->lr_factor,
        .last_loss = run->last_loss,
        .seconds = seconds_of(run),
        .plateau = run->plateau,
        .best_epoch = run->watch.best_epoch,
        .best = run->watch.best,
        .train = run->train,
        .val = run->val,
        .test = run->test,
    };
    state.blocks[WEFT_BLOCK_M] = run->optimizer.m;
    state.blocks[WEFT_BLOCK_V] = run->optimizer.v;
    state.blocks[WEFT_BLOCK_AVERAGE] = run->average;
    state.blocks[WEFT_BLOCK_BEST] = run->watch.best_epoch > 0 ? run->watch.best_params : NULL;
    return state;
}

static void copy_params_team(void *pass)
{
    weft_pass_copy_params_team(pass);
}

static weft_status take_block(const struct run *run, int which, float *block, weft_error *err)
{
    const float *from = run->options->resume->blocks[which];
    if ((from == NULL) != (block == NULL)) {
        return weft_fail(err, WEFT_ERR_FORMAT, "resume: the checkpoint %s a block that is %swanted",
                         from == NULL ? "lacks" : "has", from == NULL ? "" : "not ");
    }
    if (block != NULL) {
        memcpy(block, from, run->net->block_len * sizeof *block);
    }
    return WEFT_OK;
}

static weft_status take_blocks(struct run *run, weft_error *err)
{
    const weft_checkpoint *from = run->options->resume;
    const char *precision = weft_precision_name(weft_context_precision(run->context));
    if (strcmp(precision, from->precision) != 0) {
        return weft_fail(err, WEFT_ERR_MISMATCH,
                         "resume: precision was %s, wanted the same; got %s", from->precision,
                         precision);
    }
    float *best = from->learned.best_epoch > 0 ? run->watch.best_params : NULL;
    weft_status status = take_block(run, WEFT_BLOCK_M, run->optimizer.m, err);
    if (status == WEFT_OK) {
        status = take_block(run, WEFT_BLOCK_V, run->optimizer.v, err);
    }
    if (status == WEFT_OK) {
        status = take_block(run, WEFT_BLOCK_AVERAGE, run->average, err);
    }
    return status == WEFT_OK ? take_block(run, WEFT_BLOCK_BEST, best, err) : status;
}

/* Takes up what the checkpoint remembers; the network is as it was where that fails. */
static weft_status take_up(struct run *run, weft_error *err)
{
    const weft_checkpoint *from = run->options->resume;
    const struct weft_learned *learned = &from->learned;
    weft_status status = take_blocks(run, err);
    if (status != WEFT_OK) {
        return status;
    }
    memcpy(run->net->params, from->net->params, run->net->block_len * sizeof *run->net->params);
    weft_team_run(run->context, copy_params_team, &run->pass);
    run->epoch = learned->epoch;
    run->step = learned->step;
    run->epoch_sum = learned->epoch_sum;
    run->epoch_samples = learned->epoch_samples;
    run->lr_factor = learned->lr_factor * run->options->resume_lr_factor;
    run->last_loss = learned->last_loss;
    run->seconds_before = learned->seconds;
    run->plateau = learned->plateau;
    run->watch.best_epoch = learned->best_epoch;
    run->watch.best = learned->best;
    run->train = learned->train;
    run->val = learned->val;
    run->test = learned->test;
    if (run->epoch > 0 && run->step == run->epoch * run->length.steps_per_epoch) {
        run->end = weft_watch_end(&run->watch, run->options, run->epoch, &run->val);
    }
    return WEFT_OK;
}

static void emit(struct run *run, weft_event *event)
{
    event->epoch = run->epoch;
    event->n_epochs = run->options->epochs;
    event->step = run->step;
    event->n_steps = run->n_steps;
    event->steps_per_epoch = run->length.steps_per_epoch;
    event->lr = run->lr;
    event->seconds = seconds_of(run);
    event->wait_seconds = run->feed.seconds;
    event->n_samples = run->n_samples;
    event->net = run->net;
    event->best_epoch = run->watch.best_epoch;
    event->best = run->watch.best;
    event->end = run->end;
    const struct weft_train_state state = state_of(run);
    bool cut = event->kind == WEFT_EVENT_EPOCH && run->end == WEFT_END_TIME;
    event->state = event->kind == WEFT_EVENT_RUN_FINISHED || cut ? NULL : &state;
    if (run->options->listener != NULL &&
        !run->options->listener(event, run->options->listener_user)) {
        run->stop = true;
    }
    event->state = NULL;
}

/* The update of a gradient whose norm has to be known first. */
static void clipped_update_team(struct run *run, const struct weft_update *update)
{
    struct weft_update clipped = *update;
    double norm = weft_norm_team(run->context, run->net->block_len, run->gradient, run->norm_sums);
    weft_optimizer_clip(&clipped, norm, run->options->clip_norm);
    weft_pass_update_team(&run->pass, run->gradient, &clipped);
}

/* Makes sure that the samples at this position are there. All threads find the same status. */
static weft_status wait_team(struct run *run, size_t at)
{
    if (!weft_feed_waits(&run->feed, at)) {
        return WEFT_OK;
    }
#pragma omp single nowait
    run->feed_status = weft_feed_advance(&run->feed, at, &run->feed_error);
    weft_team_barrier(run->context);
    return run->feed_status;
}

/* One step: the gradient of a batch, part by part, each parameter taking its step with the last
 * part; unless the loss, returned in *sum, is not finite, or samples cannot be had, which then is
 * what is returned. All threads find the same sum and status. */
static weft_status step_team(struct run *run, size_t first, size_t n, struct weft_loss_sum *sum)
{
    const struct weft_update update = weft_optimizer_update(
        &run->optimizer, run->options, run->net->params, learning_rate(run, run->step), run->step);
    bool fused = run->norm_sums == NULL;
    *sum = (struct weft_loss_sum){0};
    size_t max_rows = run->pass.max_rows;
    for (size_t done = 0; done < n; done += max_rows) {
        weft_status status = wait_team(run, first + done);
        if (status != WEFT_OK) {
            return status;
        }
        struct weft_feed_rows rows =
            weft_feed_rows(&run->feed, first + done, n - done < max_rows ? n - done : max_rows);
        struct weft_part part = {
            .x = &rows.x,
            .targets = &rows.targets,
            .rows = rows.rows,
            .samples = rows.samples,
            .first = rows.first,
            .n = rows.n,
            .label_smoothing = (float)run->options->label_smoothing,
            .shift = run->shift.most > 0 ? &run->shift : NULL,
            .perturb = run->perturbs ? &run->perturb : NULL,
            .tracks = true,
        };
        weft_pass_forward_team(&run->pass, &part);
        weft_pass_loss_team(&run->pass, &part, 1.0f / (float)n);
        weft_pass_add_loss(&run->pass, part.n, sum);
        bool last = n - done <= max_rows;
        if (last && !isfinite(sum->loss)) {
            return WEFT_OK;
        }
        weft_pass_backward_team(&run->pass, &part, run->gradient, done > 0,
                                last && fused ? &update : NULL);
    }
    if (!fused) {
        clipped_update_team(run, &update);
    }
    if (run->options->max_norm > 0) {
        weft_pass_limit_team(&run->pass, run->options->max_norm);
    }
    if (run->average != NULL) {
        float share = run->step == 0 ? 1 : (float)(1 - run->options->ema);
        weft_average_team(run->context, run->net->block_len, run->average, run->net->params, share);
    }
    return WEFT_OK;
}

/* After the update, by one thread. */
static void finish_step(struct run *run, size_t n, struct weft_loss_sum sum)
{
    run->lr = learning_rate(run, run->step);
    run->step++;
    run->epoch_sum.loss += sum.loss;
    run->epoch_sum.n_right += sum.n_right;
    run->epoch_samples += n;
    weft_score score = weft_score_of(run->net, sum, n);
    run->last_loss = score.loss;
    double most = run->options->max_seconds;
    if (most > 0 && weft_clock_seconds() - run->start >= most) {
        run->end = WEFT_END_TIME;
    }
    emit(run, &(weft_event){.kind = WEFT_EVENT_STEP, .train = score});
}

static void epoch_team(void *arg)
{
    struct run *run = arg;
    for (size_t first = run->first_sample; first < run->n_samples; first += run->batch_size) {
        size_t left = run->n_samples - first;
        size_t n = left < run->batch_size ? left : run->batch_size;
        struct weft_loss_sum sum;
        if (step_team(run, first, n, &sum) != WEFT_OK) {
            return;
        }
        if (!isfinite(sum.loss)) {
#pragma omp single nowait
            run->diverged = true;
            return;
        }
#pragma omp single nowait
        finish_step(run, n, sum);
        weft_team_barrier(run->context);
        if (run->stop || run->end == WEFT_END_TIME) {
            return;
        }
    }
}

/* Exchanges the parameters and their average, where there is one. */
static void exchange_average(struct run *run)
{
    if (run->average != NULL) {
        float *params = run->net->params;
        run->net->params = run->average;
        run->average = params;
        weft_team_run(run->context, copy_params_team, &run->pass);
    }
}

static weft_status fail_stopped(const struct run *run, weft_error *err)
{
    return weft_fail(err, WEFT_ERR_STOPPED, "stopped after step %zu of %zu", run->step,
                     run->n_steps);
}

/* Evaluates, and tells of the epoch. */
static weft_status finish_epoch(struct run *run, weft_error *err)
{
    const weft_train_options *options = run->options;
    weft_event event = {
        .kind = WEFT_EVENT_EPOCH,
        .train = weft_score_of(run->net, run->epoch_sum, run->epoch_samples),
    };
    run->epoch++;
    run->epoch_sum = (struct weft_loss_sum){0};
    run->epoch_samples = 0;
    exchange_average(run);
    weft_status status = WEFT_OK;
    if (options->val != NULL) {
        status = weft_score_dataset(&run->pass, options->val, &event.val, err);
    }
    if (status == WEFT_OK && options->val != NULL) {
        weft_end end = weft_watch_take(&run->watch, options, run->net, run->epoch, &event.val);
        run->end = run->end == WEFT_END_EPOCHS ? end : run->end;
    }
    if (status == WEFT_OK && options->test != NULL && options->test_every > 0 &&
        run->epoch % options->test_every == 0) {
        status = weft_score_dataset(&run->pass, options->test, &event.test, err);
    }
    exchange_average(run);
    if (status != WEFT_OK) {
        return status;
    }
    event.last = run->end != WEFT_END_EPOCHS || run->epoch == options->epochs;
    weft_plateau_take(&run->plateau, options,
                      options->val != NULL ? event.val.loss : event.train.loss);
    run->train = event.train;
    run->val = event.val;
    run->test = event.test;
    emit(run, &event);
    return run->stop && !event.last ? fail_stopped(run, err) : WEFT_OK;
}

/* `what` happened at step number `step`, counted from 1. */
static weft_status fail_diverged(const struct run *run, const char *what, size_t step,
                                 weft_error *err)
{
    char before[48] = "no loss was finite before";
    if (isfinite(run->last_loss)) {
        snprintf(before, sizeof before, "last finite loss %g", run->last_loss);
    }
    return weft_fail(err, WEFT_ERR_DIVERGED, "%s in step %zu (epoch %zu) at learning rate %g; %s",
                     what, step, (step - 1) / run->length.steps_per_epoch + 1,
                     learning_rate(run, step - 1), before);
}

static weft_status run_epoch(struct run *run, weft_error *err)
{
    size_t done = run->step - run->epoch * run->length.steps_per_epoch;
    run->first_sample =
        done == run->length.steps_per_epoch ? run->n_samples : done * run->batch_size;
    run->shift.epoch = run->perturb.epoch = run->epoch;
    weft_status status = weft_feed_begin(&run->feed, run->epoch, run->first_sample, err);
    if (status != WEFT_OK) {
        return status;
    }
    weft_team_run_for(run->context, weft_pass_flop(run->net, WEFT_PASS_BACKWARD, run->batch_size),
                      epoch_team, run);
    if (run->diverged) {
        return fail_diverged(run, "loss is not finite", run->step + 1, err);
    }
    if (run->feed_status != WEFT_OK) {
        return weft_fail(err, run->feed_status, "%s", run->feed_error.message);
    }
    bool whole = run->step == (run->epoch + 1) * run->length.steps_per_epoch;
    return whole || (run->end == WEFT_END_TIME && !run->stop) ? finish_epoch(run, err)
                                                              : fail_stopped(run, err);
}

/* No loss is computed after the last step, so what it did is looked at here. */
static weft_status check_params(const struct run *run, weft_error *err)
{
    for (size_t i = 0; run->step > 0 && i < run->net->block_len; i++) {
        if (!isfinite(run->net->params[i])) {
            return fail_diverged(run, "a parameter is not finite", run->step, err);
        }
    }
    return WEFT_OK;
}

static void start(struct run *run)
{
    weft_event event = {.kind = WEFT_EVENT_RUN_STARTED};
    event.train = run->train;
    event.val = run->val;
    event.test = run->test;
    run->lr = run->step > 0 ? run->options->resume->learned.lr : learning_rate(run, 0);
    emit(run, &event);
}

weft_status weft_train(weft_context *context, weft_net *net, const weft_dataset *data,
                       const weft_train_options *options, weft_error *err)
{
    weft_train_options defaults = weft_train_options_default();
    struct run run = {
        .context = context,
        .net = net,
        .data = data,
        .options = options != NULL ? options : &defaults,
        .lr_factor = 1,
        .shift = shift_of(options != NULL ? options : &defaults, data),
        .n_samples = weft_dataset_samples(data),
        .start = weft_clock_seconds(),
        .last_loss = (double)NAN,
    };
    weft_status status = weft_team_check(weft_context_threads(context), err);
    if (status == WEFT_OK) {
        status = weft_train_check(net, data, run.options, err);
    }
    if (status == WEFT_OK) {
        status = run_init(&run, err);
    }
    if (status == WEFT_OK && run.options->resume != NULL) {
        status = take_up(&run, err);
    }
    if (status == WEFT_OK) {
        start(&run);
        if (run.stop) {
            status = weft_fail(err, WEFT_ERR_STOPPED, "stopped before the first step");
        }
        while (status == WEFT_OK && run.end == WEFT_END_EPOCHS && run.epoch < run.options->epochs) {
            status = run_epoch(&run, err);
        }
        if (status == WEFT_OK || status == WEFT_ERR_STOPPED) {
            if (run.step > 0) {
                exchange_average(&run);
            }
            weft_watch_restore(&run.watch, net);
        }
        if (status == WEFT_OK) {
            status = check_params(&run, err);
        }
        emit(&run, &(weft_event){.kind = WEFT_EVENT_RUN_FINISHED, .status = status});
    }
    run_release(&run);
    return status;
}
