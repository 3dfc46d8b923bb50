/* weft train --track tensorboard: what TensorBoard is told of a run. No trouble with it stops
 * training: one warning, and nothing is written from then on. */
#include <string.h>

#include "base/fail.h"
#include "base/mem.h"
#include "cli/train_job.h"

/* Samples, spread over the training set, that gradients for histograms are taken over. */
enum { GRADIENT_SAMPLES = 256 };

/* Gives up after a failure. */
static void check(struct train_job *job, weft_status status, const weft_error *err)
{
    if (status != WEFT_OK) {
        cli_progress_clear(&job->progress);
        cli_error(job->command, "--track tensorboard: %s; nothing more is written there",
                  err->message);
        train_board_close(job);
    }
}

void train_board_start(struct train_job *job)
{
    const char *spec = job->tracks.tensorboard;
    if (spec == NULL) {
        return;
    }
    weft_error err;
    char *own = *spec == '\0' ? cli_join_path(job->run.path, "tensorboard") : NULL;
    if (*spec == '\0' && own == NULL) {
        check(job, weft_fail_nomem(&err, "a file name"), &err);
        return;
    }
    const struct weft_tensorboard_options options = {
        .dir = own != NULL ? own : spec,
        .every = job->args->track_every,
        .replace = own != NULL && job->resume == NULL,
    };
    weft_status status = weft_tensorboard_open(&options, &job->board, &err);
    weft_mem_free(own);
    if (status == WEFT_OK && job->args->track_gradients) {
        status = weft_dataset_in_memory(job->data, GRADIENT_SAMPLES, &job->board_samples, &err);
    }
    check(job, status, &err);
}

static weft_status write_gradient(struct train_job *job, const weft_event *event, weft_error *err)
{
    weft_tensor x = weft_dataset_x(job->board_samples);
    weft_targets targets = weft_dataset_targets(job->board_samples);
    float *gradient = weft_mem_alloc(weft_net_n_params(event->net), sizeof *gradient);
    if (gradient == NULL) {
        return weft_fail_nomem(err, "a gradient");
    }
    double loss;
    weft_status status =
        weft_net_gradient(job->context, event->net, &x, &targets, &loss, gradient, err);
    if (status == WEFT_OK) {
        status = weft_tensorboard_gradient(job->board, event->net, event->step, gradient, err);
    }
    weft_mem_free(gradient);
    return status;
}

/* Scores on the test set are told once for each step. */
static void note_test(struct train_job *job, const weft_event *event)
{
    if (event->kind == WEFT_EVENT_EPOCH && event->test.known) {
        job->board_tested = event->step;
    }
}

void train_board_event(struct train_job *job, const weft_event *event)
{
    weft_error err;
    if (job->board == NULL) {
        return;
    }
    weft_status status = weft_tensorboard_event(job->board, event, &err);
    if (status == WEFT_OK && event->kind == WEFT_EVENT_EPOCH && job->args->track_gradients) {
        status = write_gradient(job, event, &err);
    }
    note_test(job, event);
    check(job, status, &err);
}

/* The score at the end, of the epoch whose network was kept. */
static weft_status write_test(struct train_job *job, weft_error *err)
{
    size_t step = job->step;
    if (job->args->keep_best && job->finish.best_epoch > 0) {
        step = job->finish.best_epoch * job->finish.steps_per_epoch;
    }
    return !job->test_score.known || step == job->board_tested
               ? WEFT_OK
               : weft_tensorboard_test(job->board, step, job->test_score, err);
}

static weft_status write_picture(struct train_job *job, weft_error *err)
{
    char *path = cli_join_path(job->run.path, "images/sample_prediction.png");
    if (path == NULL) {
        return weft_fail_nomem(err, "a file name");
    }
    weft_status status =
        weft_tensorboard_image(job->board, "sample prediction", job->step, path, err);
    weft_mem_free(path);
    return status;
}

void train_board_finish(struct train_job *job)
{
    weft_error err;
    if (job->board != NULL) {
        check(job, write_test(job, &err), &err);
    }
    if (job->board != NULL && job->has_grid) {
        check(job, write_picture(job, &err), &err);
    }
    train_board_close(job);
}

void train_board_close(struct train_job *job)
{
    weft_tensorboard_close(job->board);
    weft_dataset_free(job->board_samples);
    job->board = NULL;
    job->board_samples = NULL;
}
