/* Checkpoints: a run that is taken up at any step ends in the same bits, on any number of threads;
 * what does not belong together is refused by name; files that are not to be trusted. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "harness.h"
#include "synthetic.h"

#include <weft/weft.h>

enum {
    N_SAMPLES = 77,
    N_FEATURES = 16,
    BATCH = 10,
    EPOCHS = 8,
    STEPS = 8 * EPOCHS,
    N_PARAMS = 17 * 20 + 21 * 7 + 8 * 3
};

/* What the options of a run are made of. */
enum variant { PLAIN, WITH_AVERAGE, WITH_SHIFT, WITH_DROPOUT, WITH_ALL, N_VARIANTS };

static const weft_optimizer optimizers[] = {WEFT_SGD, WEFT_NESTEROV, WEFT_ADAMW};

/* Epochs as a listener sees them: all that has to come out the same. */
struct record {
    size_t n;
    struct epoch {
        size_t epoch, step, best_epoch;
        double lr;
        weft_score train, val;
    } epochs[EPOCHS + 8];
};

struct watcher {
    struct record record;
    char paths[STEPS + 1][200]; /* where checkpoints go, by step */
    bool saves;
    size_t stop_at; /* 0: never */
};

static char *path_of(struct watcher *watcher, size_t step)
{
    snprintf(watcher->paths[step], sizeof *watcher->paths, "%s/%zu.safetensors", harness_temp_dir(),
             step);
    return watcher->paths[step];
}

static bool listen(const weft_event *event, void *user)
{
    struct watcher *watcher = user;
    weft_error err;
    if (event->kind == WEFT_EVENT_EPOCH) {
        struct record *record = &watcher->record;
        size_t at = record->n++;
        record->epochs[at].epoch = event->epoch;
        record->epochs[at].step = event->step;
        record->epochs[at].best_epoch = event->best_epoch;
        record->epochs[at].lr = event->lr;
        record->epochs[at].train = event->train;
        record->epochs[at].val = event->val;
    }
    if (event->kind == WEFT_EVENT_STEP && watcher->saves) {
        CHECK_OK(weft_checkpoint_save(event, path_of(watcher, event->step), NULL, 0, &err), &err);
    }
    return event->kind != WEFT_EVENT_STEP || event->step != watcher->stop_at;
}

static void put_be32(unsigned char *at, size_t value)
{
    for (size_t i = 0; i < 4; i++) {
        at[i] = (unsigned char)(value >> (24 - 8 * i));
    }
}

/* Images of 4 x 4 pixels of three classes; only files have shapes. */
static weft_dataset *images(size_t n, uint64_t seed)
{
    weft_dataset *flat = synthetic_classes(WEFT_U8, n, N_FEATURES, 3, 0.9, seed), *data = NULL;
    weft_tensor x = weft_dataset_x(flat);
    weft_targets targets = weft_dataset_targets(flat);
    unsigned char pixels[16 + N_SAMPLES * N_FEATURES] = {0, 0, 8, 3},
                                          labels[8 + N_SAMPLES] = {0, 0, 8, 1};
    put_be32(pixels + 4, n);
    put_be32(pixels + 8, 4);
    put_be32(pixels + 12, 4);
    put_be32(labels + 4, n);
    for (size_t i = 0; i < n; i++) {
        memcpy(pixels + 16 + N_FEATURES * i, (const char *)x.data + i * x.ld, N_FEATURES);
        labels[8 + i] = (unsigned char)targets.classes[i];
    }
    char paths[500];
    snprintf(paths, sizeof paths, "%s,%s", harness_write_file("x", pixels, 16 + N_FEATURES * n),
             harness_write_file("y", labels, 8 + n));
    weft_error err;
    if (!CHECK_OK(weft_dataset_load(paths, NULL, &data, &err), &err)) {
        exit(1);
    }
    weft_dataset_free(flat);
    return data;
}

static weft_net *net_for(const weft_dataset *data)
{
    static const size_t hidden[] = {20, 7, 0};
    weft_net *net = synthetic_net(N_FEATURES, hidden, WEFT_TANH, 3, WEFT_OUTPUT_SOFTMAX, 5);
    synthetic_scale(net, data, WEFT_SCALE_UNIT);
    return net;
}

static weft_train_options options_of(weft_optimizer optimizer, enum variant variant,
                                     const weft_dataset *val, struct watcher *watcher)
{
    weft_train_options options = weft_train_options_default();
    weft_train_options_set_optimizer(&options, optimizer);
    options.epochs = EPOCHS;
    options.batch_size = BATCH;
    options.seed = 11;
    options.val = val;
    options.listener = listen;
    options.listener_user = watcher;
    if (variant == WITH_AVERAGE || variant == WITH_ALL) {
        options.ema = 0.9;
    }
    if (variant == WITH_SHIFT || variant == WITH_ALL) {
        options.random_shift = 1;
    }
    if (variant == WITH_DROPOUT || variant == WITH_ALL) {
        options.dropout = 0.3;
        options.input_dropout = 0.1;
        options.input_noise = 0.05;
    }
    if (variant == WITH_ALL) {
        options.schedule = WEFT_LR_PLATEAU;
        options.lr_patience = 1;
        options.keep_best = true;
        options.clip_norm = 0.5;
        options.label_smoothing = 0.1;
        options.dropout = 0.2;
        options.input_dropout = 0.1;
        options.input_noise = 0.1;
        options.max_norm = 2;
    }
    return options;
}

/* What is in memory for a test. */
struct bed {
    weft_dataset *data, *val;
    weft_context *contexts[3]; /* 1, 2, 3 threads */
    struct watcher *watcher, *again;
};

static void bed_init(struct bed *bed)
{
    *bed = (struct bed){.data = images(N_SAMPLES, 3), .val = images(23, 4)};
    for (size_t i = 0; i < 3; i++) {
        bed->contexts[i] = synthetic_context(i + 1);
    }
    bed->watcher = calloc(1, sizeof *bed->watcher);
    bed->again = calloc(1, sizeof *bed->again);
    if (bed->watcher == NULL || bed->again == NULL) {
        abort();
    }
}

static void bed_release(struct bed *bed)
{
    for (size_t i = 0; i < 3; i++) {
        weft_context_free(bed->contexts[i]);
    }
    weft_dataset_free(bed->data);
    weft_dataset_free(bed->val);
    free(bed->watcher);
    free(bed->again);
}

/* Trains to the end, from a checkpoint where path is not NULL; the parameters are to be freed. */
static float *finish(const struct bed *bed, size_t n_threads, weft_train_options options,
                     const char *path)
{
    weft_checkpoint *checkpoint = NULL;
    weft_error err;
    weft_net *net = net_for(bed->data);
    if (path != NULL) {
        CHECK_OK(weft_checkpoint_load(path, &checkpoint, &err), &err);
        options.resume = checkpoint;
    }
    CHECK_OK(weft_train(bed->contexts[n_threads - 1], net, bed->data, &options, &err), &err);
    float *params = synthetic_params(net);
    weft_checkpoint_free(checkpoint);
    weft_net_free(net);
    return params;
}

static bool same_number(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

static bool same_score(const weft_score *a, const weft_score *b)
{
    return a->known == b->known && same_number(a->loss, b->loss) &&
           same_number(a->accuracy, b->accuracy);
}

/* The records of a resumed run are the last ones of the whole run. */
static bool same_record(const struct record *whole, const struct record *rest, size_t step)
{
    size_t skipped = step == 0 ? 0 : (step - 1) / 8;
    bool same = rest->n == whole->n - skipped;
    for (size_t i = 0; same && i < rest->n; i++) {
        const struct epoch *a = &whole->epochs[skipped + i], *b = &rest->epochs[i];
        same = a->epoch == b->epoch && a->step == b->step && a->best_epoch == b->best_epoch &&
               same_number(a->lr, b->lr) && same_score(&a->train, &b->train) &&
               same_score(&a->val, &b->val);
    }
    return same;
}

static size_t resume_everywhere(struct bed *bed, weft_optimizer optimizer, enum variant variant,
                                size_t every)
{
    weft_train_options options = options_of(optimizer, variant, bed->val, bed->watcher);
    *bed->watcher = (struct watcher){.saves = true};
    float *wanted = finish(bed, 1, options, NULL);
    size_t n_bad = 0, n_done = 0;
    options.listener_user = bed->again;
    for (size_t step = 1; step <= STEPS; step += every) {
        for (size_t n_threads = 2; n_threads <= 3; n_threads++) {
            *bed->again = (struct watcher){.saves = false};
            float *got = finish(bed, n_threads, options, bed->watcher->paths[step]);
            n_bad += memcmp(got, wanted, N_PARAMS * sizeof *got) != 0;
            n_bad += !same_record(&bed->watcher->record, &bed->again->record, step);
            n_done++;
            free(got);
        }
    }
    CHECK_UINT(n_bad, 0);
    free(wanted);
    return n_done;
}

static void test_every_step(void)
{
    struct bed bed;
    size_t n = 0;
    bed_init(&bed);
    for (size_t o = 0; o < sizeof optimizers / sizeof *optimizers; o++) {
        for (int variant = 0; variant < N_VARIANTS; variant++) {
            n += resume_everywhere(&bed, optimizers[o], (enum variant)variant,
                                   getenv("WEFT_TORTURE") != NULL ? 1
                                   : HARNESS_SLOW_BUILD           ? 31
                                                                  : 9);
        }
    }
    printf("%zu resumes to the same bits\n", n);
    bed_release(&bed);
}

/* One run with a checkpoint after step 21, in the third epoch; the path is the watcher's. */
static const char *one_checkpoint(struct bed *bed, const weft_train_options *options)
{
    *bed->watcher = (struct watcher){.saves = true, .stop_at = 21};
    weft_net *net = net_for(bed->data);
    weft_error err;
    CHECK_STATUS(weft_train(bed->contexts[0], net, bed->data, options, &err), WEFT_ERR_STOPPED,
                 &err);
    weft_net_free(net);
    return bed->watcher->paths[21];
}

/* What is refused, with a part of the message. */
static void refused(struct bed *bed, const char *path, weft_train_options options,
                    const weft_dataset *data, weft_net *net, const char *message)
{
    weft_checkpoint *checkpoint = NULL;
    weft_error err;
    float *before = synthetic_params(net);
    if (CHECK_OK(weft_checkpoint_load(path, &checkpoint, &err), &err)) {
        options.resume = checkpoint;
        CHECK_STATUS(weft_train(bed->contexts[1], net, data, &options, &err), WEFT_ERR_MISMATCH,
                     &err);
        CHECK_HAS(err.message, message);
    }
    float *after = synthetic_params(net);
    CHECK_BYTES(after, before, N_PARAMS * sizeof *before);
    free(before);
    free(after);
    weft_checkpoint_free(checkpoint);
}

static void test_options_that_differ(void)
{
    struct bed bed;
    bed_init(&bed);
    weft_net *net = net_for(bed.data);
    weft_train_options options = options_of(WEFT_ADAMW, PLAIN, bed.val, bed.watcher), other;
    options.lr = 0.1;
    const char *path = one_checkpoint(&bed, &options);
#define WITH(member, value, message)                                                               \
    other = options;                                                                               \
    other.member = (value);                                                                        \
    refused(&bed, path, other, bed.data, net, message)
    WITH(batch_size, 11, "resume: batch_size was 10, wanted the same; got 11");
    WITH(lr, 0.2, "resume: lr was 0.1, wanted the same; got 0.2");
    WITH(schedule, WEFT_LR_COSINE, "resume: schedule was linear, wanted the same; got cosine");
    WITH(lr_by_epoch, true, "lr_by_epoch");
    WITH(warmup, 2, "warmup");
    WITH(lr_period, 2, "lr_period");
    WITH(lr_period_factor, 2, "lr_period_factor");
    WITH(lr_patience, 2, "lr_patience");
    WITH(lr_factor, 0.5, "lr_factor");
    WITH(lr_min, 1e-5, "lr_min");
    WITH(optimizer, WEFT_ADAM, "resume: optimizer was adamw, wanted the same; got adam");
    WITH(momentum, 0.5, "momentum");
    WITH(beta1, 0.5, "beta1");
    WITH(beta2, 0.5, "beta2");
    WITH(epsilon, 0.5, "epsilon");
    WITH(weight_decay, 0.5, "weight_decay");
    WITH(l1, 0.5, "l1");
    WITH(clip_norm, 0.5, "clip_norm");
    WITH(clip_value, 0.5, "clip_value");
    WITH(max_norm, 0.5, "max_norm");
    WITH(label_smoothing, 0.5, "label_smoothing");
    WITH(ema, 0.5, "ema");
    WITH(dropout, 0.5, "dropout");
    WITH(input_dropout, 0.5, "input_dropout");
    WITH(input_noise, 0.5, "input_noise");
    WITH(random_shift, 1, "random_shift");
    WITH(shuffle, WEFT_SHUFFLE_NONE, "resume: shuffle was full, wanted the same; got none");
    WITH(shuffle_buffer, 7, "shuffle_buffer");
    WITH(seed, UINT64_MAX, "resume: seed was 11, wanted the same; got 18446744073709551615");
    WITH(watch, WEFT_WATCH_ACCURACY, "watch");
    WITH(min_delta, 0.5, "min_delta");
    WITH(keep_best, true, "keep_best");
    WITH(epochs, 2, "resume: step 21 is made");
    WITH(val, NULL, "resume: the validation data are not those of the checkpoint");
#undef WITH
    weft_net_free(net);
    bed_release(&bed);
}

static void test_data_and_networks_that_differ(void)
{
    struct bed bed;
    bed_init(&bed);
    weft_net *net = net_for(bed.data);
    weft_train_options options = options_of(WEFT_SGD, PLAIN, bed.val, bed.watcher);
    const char *path = one_checkpoint(&bed, &options);
    weft_dataset *other = images(N_SAMPLES, 5);
    refused(&bed, path, options, other, net, "resume: the training data are not those");
    weft_dataset_free(other);
    options.val = bed.data;
    refused(&bed, path, options, bed.data, net, "resume: the validation data are not those");
    options.val = bed.val;
    weft_scaling unscaled = {.kind = WEFT_SCALE_NONE};
    weft_error err;
    CHECK_OK(weft_net_set_scaling(net, &unscaled, &err), &err);
    refused(&bed, path, options, bed.data, net, "another scaling of its inputs");
    weft_net_free(net);
    static const size_t hidden[] = {20, 7, 0};
    net = synthetic_net(N_FEATURES, hidden, WEFT_RELU, 3, WEFT_OUTPUT_SOFTMAX, 5);
    synthetic_scale(net, bed.data, WEFT_SCALE_UNIT);
    refused(&bed, path, options, bed.data, net, "another activation");
    weft_net_free(net);
    /* As many parameters, in layers of other widths. */
    static const size_t turned[] = {7, 20, 0};
    net = synthetic_net(N_FEATURES, turned, WEFT_TANH, 3, WEFT_OUTPUT_SOFTMAX, 5);
    weft_checkpoint *checkpoint = NULL;
    CHECK_OK(weft_checkpoint_load(path, &checkpoint, &err), &err);
    options.resume = checkpoint;
    CHECK_STATUS(weft_train(bed.contexts[0], net, bed.data, &options, &err), WEFT_ERR_MISMATCH,
                 &err);
    CHECK_HAS(err.message, "layers of other widths");
    options.resume_lr_factor = 1.5;
    CHECK_STATUS(weft_train(bed.contexts[0], net, bed.data, &options, &err), WEFT_ERR_ARG, &err);
    weft_checkpoint_free(checkpoint);
    weft_net_free(net);
    bed_release(&bed);
}

/* A run that is made longer is the longer run, where the schedule does not look at the length. */
static void test_more_epochs(void)
{
    static const weft_schedule schedules[] = {WEFT_LR_CONSTANT, WEFT_LR_STEP, WEFT_LR_EXPONENTIAL,
                                              WEFT_LR_PLATEAU};
    struct bed bed;
    bed_init(&bed);
    for (size_t s = 0; s < sizeof schedules / sizeof *schedules; s++) {
        weft_train_options options = options_of(WEFT_NESTEROV, PLAIN, bed.val, bed.watcher);
        options.lr = 0.01;
        options.schedule = schedules[s];
        options.lr_period = 20;
        options.lr_factor = 0.99;
        *bed.watcher = (struct watcher){.saves = false};
        float *wanted = finish(&bed, 1, options, NULL);
        options.epochs = 3;
        struct record whole = bed.watcher->record;
        *bed.watcher = (struct watcher){.saves = true};
        free(finish(&bed, 2, options, NULL));
        options.epochs = EPOCHS;
        options.listener_user = bed.again;
        *bed.again = (struct watcher){.saves = false};
        float *got = finish(&bed, 1, options, bed.watcher->paths[24]);
        CHECK_BYTES(got, wanted, N_PARAMS * sizeof *got);
        CHECK(same_record(&whole, &bed.again->record, 24));
        free(got);
        free(wanted);
    }
    bed_release(&bed);
}

/* A checkpoint as a file: a model for every reader, with notes. */
static bool save_with_notes(const weft_event *event, void *user)
{
    static const weft_checkpoint_note notes[] = {{"config", "[run]\nlr = 0.3\n"}, {"empty", ""}};
    weft_error err;
    if (event->kind == WEFT_EVENT_RUN_FINISHED) {
        CHECK(event->state == NULL);
        CHECK_STATUS(weft_checkpoint_save(event, user, NULL, 0, &err), WEFT_ERR_ARG, &err);
    } else if (event->kind == WEFT_EVENT_EPOCH) {
        CHECK_OK(weft_checkpoint_save(event, user, notes, 2, &err), &err);
    }
    return event->epoch < 3;
}

static void test_file(void)
{
    struct bed bed;
    bed_init(&bed);
    weft_train_options options = options_of(WEFT_ADAMW, WITH_ALL, bed.val, NULL);
    const char *path = harness_write_file("run.safetensors", "", 0);
    options.listener = save_with_notes;
    options.listener_user = (void *)path;
    weft_net *net = net_for(bed.data), *model = NULL;
    weft_checkpoint *checkpoint = NULL;
    weft_error err;
    CHECK_STATUS(weft_train(bed.contexts[1], net, bed.data, &options, &err), WEFT_ERR_STOPPED,
                 &err);
    if (CHECK_OK(weft_checkpoint_load(path, &checkpoint, &err), &err) &&
        CHECK_OK(weft_model_load(path, NULL, &model, &err), &err)) {
        CHECK_UINT(weft_checkpoint_step(checkpoint), 24);
        CHECK_UINT(weft_checkpoint_epoch(checkpoint), 3);
        CHECK_UINT(weft_checkpoint_epochs(checkpoint), EPOCHS);
        CHECK_STR(weft_checkpoint_isa(checkpoint), weft_context_isa(bed.contexts[1]));
        CHECK_STR(weft_checkpoint_get_note(checkpoint, "config"), "[run]\nlr = 0.3\n");
        CHECK_STR(weft_checkpoint_get_note(checkpoint, "empty"), "");
        CHECK(weft_checkpoint_get_note(checkpoint, "conf") == NULL);
        float *a = synthetic_params(weft_checkpoint_net(checkpoint)), *b = synthetic_params(model);
        CHECK_BYTES(b, a, N_PARAMS * sizeof *a);
        free(a);
        free(b);
        /* What training ended with is the best epoch, which the checkpoint has too. */
        CHECK_OK(weft_checkpoint_best(checkpoint, model, &err), &err);
        a = synthetic_params(net);
        b = synthetic_params(model);
        CHECK_BYTES(b, a, N_PARAMS * sizeof *a);
        free(a);
        free(b);
    }
    weft_checkpoint_free(checkpoint);
    weft_net_free(model);
    weft_net_free(net);
    bed_release(&bed);
}

/* Patience that had run out has run out after a resume, too; more of it goes on. */
static void test_ended_runs(void)
{
    struct bed bed;
    bed_init(&bed);
    weft_train_options options = options_of(WEFT_SGD, WITH_ALL, bed.val, NULL);
    const char *path = harness_write_file("ended.safetensors", "", 0);
    options.patience = 1;
    options.lr = 1e-30; /* no epoch is better than the first */
    options.schedule = WEFT_LR_CONSTANT;
    options.listener = save_with_notes;
    options.listener_user = (void *)path;
    weft_net *net = net_for(bed.data);
    weft_error err;
    CHECK_OK(weft_train(bed.contexts[0], net, bed.data, &options, &err), &err);
    weft_net_free(net);
    options.listener = listen;
    options.listener_user = bed.again;
    *bed.again = (struct watcher){.saves = false};
    free(finish(&bed, 1, options, path));
    CHECK_UINT(bed.again->record.n, 0);
    options.patience = 3;
    free(finish(&bed, 1, options, path));
    CHECK_UINT(bed.again->record.n, 2);
    bed_release(&bed);
}

/* Every allocation of saving and of loading may fail. */
struct starved {
    const char *path;
    size_t n_failed;
};

static bool save_starved(const weft_event *event, void *user)
{
    struct starved *starved = user;
    weft_error err;
    weft_status status = WEFT_ERR_NOMEM;
    if (event->kind != WEFT_EVENT_STEP || event->step != 1) {
        return true;
    }
    for (size_t n = 1; status != WEFT_OK && n < 10000; n++) {
        weft_mem_fail_at(n);
        status = weft_checkpoint_save(event, starved->path, NULL, 0, &err);
        weft_mem_fail_at(0);
        if (status != WEFT_OK) {
            CHECK_STATUS(status, WEFT_ERR_NOMEM, &err);
            starved->n_failed++;
        }
    }
    CHECK_INT(status, WEFT_OK);
    return true;
}

static void test_no_memory(void)
{
    struct bed bed;
    bed_init(&bed);
    struct starved starved = {harness_write_file("starved.safetensors", "", 0), 0};
    weft_train_options options = options_of(WEFT_ADAMW, WITH_ALL, bed.val, NULL);
    options.listener = save_starved;
    options.listener_user = &starved;
    options.epochs = 1;
    weft_net *net = net_for(bed.data);
    weft_error err;
    CHECK_OK(weft_train(bed.contexts[0], net, bed.data, &options, &err), &err);
    CHECK(starved.n_failed > 5);
    weft_status status = WEFT_ERR_NOMEM;
    weft_checkpoint *checkpoint = NULL;
    size_t n_loads = 0;
    for (; status == WEFT_ERR_NOMEM && n_loads < 10000; n_loads++) {
        weft_mem_fail_at(n_loads + 1);
        status = weft_checkpoint_load(starved.path, &checkpoint, &err);
        weft_mem_fail_at(0);
    }
    CHECK_OK(status, &err);
    CHECK(n_loads > 20);
    options.resume = checkpoint;
    options.listener = NULL;
    status = WEFT_ERR_NOMEM;
    for (size_t n = 1; status == WEFT_ERR_NOMEM && n < 10000; n++) {
        weft_mem_fail_at(n);
        status = weft_train(bed.contexts[0], net, bed.data, &options, &err);
        weft_mem_fail_at(0);
    }
    CHECK_OK(status, &err);
    weft_checkpoint_free(checkpoint);
    weft_net_free(net);
    bed_release(&bed);
}

/* Parameters that are not finite are never saved: the last good checkpoint stays. */
static bool save_good(const weft_event *event, void *user)
{
    struct starved *starved = user;
    weft_error err;
    if (event->kind == WEFT_EVENT_RUN_STARTED) {
        CHECK_OK(weft_checkpoint_save(event, starved->path, NULL, 0, &err), &err);
    } else if (event->kind == WEFT_EVENT_STEP) {
        float params[N_PARAMS] = {[N_PARAMS - 1] = INFINITY};
        weft_net_set_params((weft_net *)event->net, params);
        CHECK_STATUS(weft_checkpoint_save(event, starved->path, NULL, 0, &err), WEFT_ERR_DIVERGED,
                     &err);
        CHECK_HAS(err.message, "is not finite");
        starved->n_failed++;
    }
    return true;
}

static bool note_rate(const weft_event *event, void *user)
{
    if (event->kind == WEFT_EVENT_STEP && event->step == 1) {
        *(double *)user = event->lr;
    }
    return true;
}

static void test_divergence(void)
{
    struct bed bed;
    bed_init(&bed);
    struct starved saved = {harness_write_file("diverged.safetensors", "", 0), 0};
    double rate = 0;
    weft_train_options options = options_of(WEFT_SGD, PLAIN, NULL, NULL);
    options.listener = save_good;
    options.listener_user = &saved;
    weft_net *net = net_for(bed.data);
    weft_checkpoint *checkpoint = NULL;
    weft_error err;
    CHECK_STATUS(weft_train(bed.contexts[1], net, bed.data, &options, &err), WEFT_ERR_DIVERGED,
                 &err);
    CHECK_UINT(saved.n_failed, 1);
    if (CHECK_OK(weft_checkpoint_load(saved.path, &checkpoint, &err), &err)) {
        /* From there, at a smaller rate. */
        options.listener = note_rate;
        options.listener_user = &rate;
        options.resume = checkpoint;
        options.resume_lr_factor = 0.25;
        CHECK_OK(weft_train(bed.contexts[1], net, bed.data, &options, &err), &err);
        CHECK_NEAR(rate, 0.25 * options.lr, 0);
    }
    weft_checkpoint_free(checkpoint);
    weft_net_free(net);
    bed_release(&bed);
}

static CU_TestInfo tests[] = {
    {"every step, any number of threads", test_every_step},
    {"options that differ", test_options_that_differ},
    {"data and networks that differ", test_data_and_networks_that_differ},
    {"more epochs", test_more_epochs},
    {"file", test_file},
    {"ended runs", test_ended_runs},
    {"no memory", test_no_memory},
    {"divergence", test_divergence},
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    static const CU_SuiteInfo suites[] = {
        {"checkpoint", NULL, NULL, NULL, NULL, tests},
        CU_SUITE_INFO_NULL,
    };
    return harness_main(argc, argv, suites);
}
