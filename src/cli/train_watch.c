/* Training itself: events go to the bar, to metrics.jsonl, to the tracker and to the stop flag;
 * then the score on the test set, and the model file. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/fail.h"
#include "cli/json_line.h"
#include "cli/stop_signal.h"
#include "cli/train_job.h"

const char *train_signal_name(int number)
{
    return cli_stop_name(number);
}

static int put_score(json_t *object, const char *name, const weft_score *score)
{
    char key[32];
    if (!score->known) {
        return 0;
    }
    snprintf(key, sizeof key, "%s_loss", name);
    int failed = json_object_set_new(object, key, cli_json_real(score->loss));
    snprintf(key, sizeof key, "%s_accuracy", name);
    return failed | json_object_set_new(object, key, cli_json_real(score->accuracy));
}

static weft_status append_epoch(struct train_job *job, const weft_event *event, weft_error *err)
{
    json_t *object = json_object();
    int failed = json_object_set_new(object, "epoch", cli_json_count(event->epoch));
    failed |= json_object_set_new(object, "step", cli_json_count(event->step));
    failed |= json_object_set_new(object, "lr", cli_json_real(event->lr));
    failed |= put_score(object, "train", &event->train);
    failed |= put_score(object, "val", &event->val);
    failed |= put_score(object, "test", &event->test);
    /* Microseconds are all that a clock is good for here. */
    failed |=
        json_object_set_new(object, "seconds", cli_json_real(round(event->seconds * 1e6) / 1e6));
    char line[1024];
    size_t len = failed == 0 ? json_dumpb(object, line, sizeof line - 1, CLI_JSON_FLAGS) : 0;
    json_decref(object);
    if (len == 0 || len >= sizeof line) {
        return weft_fail_nomem(err, "a line of metrics");
    }
    line[len++] = '\n';
    return cli_run_dir_append(&job->run, line, len, err);
}

static void write_epoch(struct train_job *job, const weft_event *event)
{
    job->write_failed = append_epoch(job, event, &job->write_error) != WEFT_OK;
}

/* The last line of a whole run waits for the score on the test set. */
static void take_epoch(struct train_job *job, const weft_event *event)
{
    job->last = *event;
    job->last_unwritten = event->last && job->test != NULL && !event->test.known;
    if (!job->last_unwritten) {
        write_epoch(job, event);
    }
}

/* A run that goes on: the last epoch before is the last one so far. */
static void take_up(struct train_job *job, const weft_event *event)
{
    if (event->epoch == 0) {
        return;
    }
    bool ended = event->end != WEFT_END_EPOCHS || event->epoch == event->n_epochs;
    job->last = *event;
    job->last_unwritten = job->resume_unwritten && ended;
    if (job->resume_unwritten && !ended) {
        write_epoch(job, event);
    }
}

/* What cannot be written is said once; training goes on without. */
static void save_checkpoint(struct train_job *job, const weft_event *event)
{
    weft_error err;
    struct checkpoints *checkpoints = &job->checkpoints;
    cli_run_dir_sync(&job->run);
    weft_status status =
        checkpoints_save(checkpoints, event, job->run.metrics_size, job->last_unwritten, &err);
    if (status == WEFT_ERR_DIVERGED) {
        return; /* the next step says so */
    }
    if (status != WEFT_OK && !checkpoints->failed) {
        cli_progress_clear(&job->progress);
        cli_error(job->command, "checkpoint: %s; training goes on", err.message);
    }
    checkpoints->failed = status != WEFT_OK;
}

static bool wants_checkpoint(struct train_job *job, const weft_event *event, bool stops)
{
    bool allowed = job->checkpoints.interval.unit != CHECKPOINT_NEVER;
    if (event->state == NULL || !allowed) {
        return false;
    }
    bool asked = cli_stop_take_request();
    bool first =
        event->kind == WEFT_EVENT_RUN_STARTED && job->args->on_divergence == TRAIN_ROLL_BACK;
    return stops || asked || first || checkpoints_due(&job->checkpoints, event);
}

static bool on_event(const weft_event *event, void *user)
{
    struct train_job *job = user;
    if (event->kind == WEFT_EVENT_RUN_STARTED) {
        take_up(job, event);
    }
    job->step = event->step;
    job->n_steps = event->n_steps;
    job->seconds = event->seconds;
    if (event->kind == WEFT_EVENT_STEP) {
        job->step_seconds = event->seconds;
    }
    if (event->kind == WEFT_EVENT_EPOCH) {
        job->watch_seconds += event->seconds - job->step_seconds;
        take_epoch(job, event);
    }
    if (event->kind == WEFT_EVENT_RUN_FINISHED) {
        job->finish = *event;
    }
    cli_progress_event(&job->progress, event);
    train_track_event(job, event);
    train_board_event(job, event);
    bool stops = cli_stop_signal() != 0 || job->write_failed;
    if (wants_checkpoint(job, event, stops)) {
        save_checkpoint(job, event);
    }
    return !stops;
}

weft_train_options train_options_of(const struct train_job *job)
{
    const struct train_args *args = job->args;
    weft_train_options options = weft_train_options_default();
    options.epochs = args->epochs;
    options.batch_size = args->batch_size;
    options.lr = args->lr;
    options.schedule = (weft_schedule)args->schedule;
    options.lr_by_epoch = args->lr_by_epoch;
    options.warmup = args->warmup;
    options.lr_min = args->lr_min;
    options.lr_factor = args->lr_factor;
    options.lr_period = args->lr_period;
    options.lr_period_factor = args->lr_period_factor;
    options.lr_patience = args->lr_patience;
    options.optimizer = (weft_optimizer)args->optimizer;
    options.momentum = args->momentum;
    options.beta1 = args->beta1;
    options.beta2 = args->beta2;
    options.epsilon = args->epsilon;
    options.weight_decay = args->weight_decay;
    options.l1 = args->l1;
    options.clip_norm = args->clip_norm;
    options.clip_value = args->clip_value;
    options.max_norm = args->max_norm;
    options.label_smoothing = args->label_smoothing;
    options.ema = args->ema;
    options.random_shift = args->random_shift;
    options.dropout = args->dropout;
    options.input_dropout = args->input_dropout;
    options.input_noise = args->input_noise;
    options.shuffle = job->shuffle;
    options.class_weights = job->class_weights;
    options.n_class_weights = job->class_weights == NULL ? 0 : weft_dataset_n_classes(job->data);
    options.shuffle_buffer = job->shuffle_buffer;
    options.seed = args->seed;
    options.val = job->val;
    options.test = job->test;
    options.test_every = args->test_every;
    options.watch = (weft_watched)args->watch;
    options.min_delta = args->min_delta;
    options.patience = args->patience;
    options.keep_best = args->keep_best;
    options.target_accuracy = args->target_accuracy;
    options.max_seconds = args->max_time;
    options.resume = job->resume;
    return options;
}

int train_check(const struct train_job *job)
{
    weft_train_options options = train_options_of(job);
    weft_error err;
    weft_status status = weft_train_check(job->net, job->data, &options, &err);
    if (status == WEFT_OK) {
        return CLI_DONE;
    }
    bool is_input = job->resume != NULL && status != WEFT_ERR_ARG;
    return cli_fail(job->command, is_input ? CLI_INPUT : CLI_USAGE, &err);
}

/* Trains; after a divergence again from the last checkpoint at half the rate, if so wanted. */
static weft_status train(struct train_job *job, weft_error *err)
{
    weft_train_options options = train_options_of(job);
    options.listener = on_event;
    options.listener_user = job;
    weft_status status = weft_train(job->context, job->net, job->data, &options, err);
    size_t most = job->args->on_divergence == TRAIN_ROLL_BACK ? job->args->rollbacks : 0;
    for (size_t n = 1; status == WEFT_ERR_DIVERGED && n <= most && job->checkpoints.has_last; n++) {
        weft_error why;
        cli_progress_clear(&job->progress);
        if (train_roll_back(job, &why) != WEFT_OK) {
            cli_error(job->command, "cannot go back: %s", why.message);
            return status;
        }
        cli_error(job->command, "%s; going back to step %zu at half the learning rate (%zu of %zu)",
                  err->message, weft_checkpoint_step(job->resume), n, most);
        options.resume = job->resume;
        options.resume_lr_factor = 0.5;
        status = weft_train(job->context, job->net, job->data, &options, err);
    }
    return status;
}

/* Once, at the end; not at all where the last epoch has done it already. */
static weft_status score_test(struct train_job *job, weft_error *err)
{
    if (job->test == NULL) {
        return WEFT_OK;
    }
    bool is_last = !job->args->keep_best || job->finish.best_epoch == job->last.epoch;
    if (job->last.epoch > 0 && job->last.test.known && is_last) {
        job->test_score = job->last.test;
        return WEFT_OK;
    }
    const weft_evaluation *found = &job->test_found;
    double start = weft_clock_seconds();
    weft_status status = weft_evaluate(job->context, job->net, job->test, &job->test_found, err);
    if (status == WEFT_OK) {
        job->test_score = (weft_score){true, found->loss, found->accuracy};
    }
    job->test_seconds = weft_clock_seconds() - start;
    return status;
}

const weft_dataset *train_judge(struct train_job *job)
{
    enum { SHOWN = 10000 };
    const weft_dataset *judge = job->test != NULL  ? job->test
                                : job->val != NULL ? job->val
                                                   : job->data;
    if (!weft_dataset_is_streamed(judge)) {
        return judge;
    }
    weft_error err;
    if (job->shown == NULL && weft_dataset_in_memory(judge, SHOWN, &job->shown, &err) != WEFT_OK) {
        cli_error(job->command, "%s", err.message);
    }
    return job->shown;
}

weft_status train_predict(struct train_job *job, weft_error *err)
{
    if (job->predictions.samples > 0) {
        return WEFT_OK;
    }
    const weft_dataset *judge = train_judge(job);
    if (judge == NULL) {
        return weft_fail(err, WEFT_ERR_IO, "no samples to show");
    }
    weft_status status =
        sample_predictions_init(&job->predictions, job->context, job->net, judge, err);
    if (status != WEFT_OK) {
        sample_predictions_release(&job->predictions);
    }
    return status;
}

/* Ends metrics.jsonl with its last line. */
static void finish_metrics(struct train_job *job)
{
    if (job->last_unwritten) {
        if (!job->args->keep_best || job->finish.best_epoch == job->last.epoch) {
            job->last.test = job->test_score;
        }
        job->last_unwritten = false;
        write_epoch(job, &job->last);
    }
}

static int save_model(struct train_job *job)
{
    weft_error err;
    cli_stop_hold();
    weft_status status = weft_model_save(job->net, job->run.model, &err);
    cli_stop_release();
    return status == WEFT_OK ? CLI_DONE : cli_fail(job->command, CLI_FAILED, &err);
}

/* Says why the run ends before its end, and saves what there is. */
static int finish_stopped(struct train_job *job)
{
    int signal_number = cli_stop_signal();
    int stopped_code = signal_number != 0 ? CLI_SIGNAL + signal_number : CLI_FAILED;
    finish_metrics(job);
    if (job->write_failed) {
        cli_error(job->command, "%s", job->write_error.message);
    }
    int code = save_model(job);
    if (code != CLI_DONE) {
        return code;
    }
    char which[80] = "the network as it was then";
    if (job->args->keep_best && job->finish.best_epoch > 0) {
        snprintf(which, sizeof which, "the network of epoch %zu, the best,",
                 job->finish.best_epoch);
    }
    const struct checkpoints *checkpoints = &job->checkpoints;
    bool resumable = checkpoints->has_last && checkpoints->saved_step == job->step;
    cli_error(job->command, "stopped%s%s after step %zu of %zu; %s is in %s%s%s",
              signal_number != 0 ? " by " : "",
              signal_number != 0 ? train_signal_name(signal_number) : "", job->step, job->n_steps,
              which, job->run.model, resumable ? "; to go on: weft train --resume " : "",
              resumable ? job->run.path : "");
    return stopped_code;
}

static int finish_whole(struct train_job *job)
{
    weft_error err;
    if (score_test(job, &err) != WEFT_OK) {
        return cli_fail(job->command, CLI_FAILED, &err);
    }
    finish_metrics(job);
    int code = save_model(job);
    if (code == CLI_DONE && job->write_failed) {
        return cli_fail(job->command, CLI_FAILED, &job->write_error);
    }
    return code;
}

static int finish_diverged(const struct train_job *job, const weft_error *err)
{
    char kept[32] = "";
    if (job->checkpoints.has_last) {
        snprintf(kept, sizeof kept, " of step %zu", job->checkpoints.saved_step);
    }
    cli_error(job->command, "%s; try a smaller --lr than %g, --clip-norm 1 or --warmup%s%s%s%s",
              err->message, job->args->lr, kept[0] != '\0' ? "; the last good checkpoint," : "",
              kept, kept[0] != '\0' ? ", is " : "", kept[0] != '\0' ? job->checkpoints.last : "");
    return CLI_DIVERGED;
}

/* Streamed data could not be read again. What has been learned from them is saved, where an epoch
 * was whole. */
static int finish_unread(struct train_job *job, const weft_error *err)
{
    if (job->last.epoch == 0) {
        if (job->resume == NULL) {
            checkpoints_clear(&job->checkpoints);
        }
        cli_run_dir_discard(&job->run);
        return cli_fail(job->command, CLI_INPUT, err);
    }
    finish_metrics(job);
    int code = save_model(job);
    cli_error(job->command, "%s; the network as it was after step %zu is in %s", err->message,
              job->step, job->run.model);
    return code == CLI_DONE ? CLI_INPUT : code;
}

int train_execute(struct train_job *job)
{
    weft_error err;
    const struct cli_common *common = &job->args->common;
    cli_progress_init(&job->progress, common->quiet, common->verbose ? 1 : job->args->print_every);
    weft_status status = train(job, &err);
    cli_progress_clear(&job->progress);
    if (job->last.epoch > 0 && !common->quiet) {
        putc('\n', stderr);
    }
    switch (status) {
    case WEFT_OK:
        return finish_whole(job);
    case WEFT_ERR_STOPPED:
        return finish_stopped(job);
    case WEFT_ERR_DIVERGED:
        return finish_diverged(job, &err);
    case WEFT_ERR_IO:
    case WEFT_ERR_FORMAT:
        return finish_unread(job, &err);
    default:
        if (job->resume == NULL) {
            checkpoints_clear(&job->checkpoints);
        }
        cli_run_dir_discard(&job->run);
        return cli_fail(job->command, CLI_FAILED, &err);
    }
}
