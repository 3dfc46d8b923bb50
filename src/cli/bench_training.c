/* Training steps under the clock: a listener takes the time from event to event. */
#include <string.h>

#include "base/fail.h"
#include "cli/bench_job.h"

/* Counts the steps of whole batches. The first of a run is left out: threads wake up in it. */
static void take_step(struct bench_training *job, const weft_event *event)
{
    bool last = event->step % event->steps_per_epoch == 0;
    bool whole = event->n_samples % job->options.batch_size == 0 || !last;
    if (event->step > 1 && whole) {
        bench_series_add(&job->steps, event->seconds - job->step_mark);
    }
}

static bool on_event(const weft_event *event, void *user)
{
    struct bench_training *job = user;
    if (event->kind == WEFT_EVENT_STEP) {
        take_step(job, event);
    } else if (event->kind == WEFT_EVENT_EPOCH) {
        if (!job->warm) {
            bench_series_add(&job->epochs, event->seconds - job->epoch_mark);
        }
        job->epoch_mark = event->seconds;
    } else if (event->kind == WEFT_EVENT_RUN_STARTED) {
        job->epoch_mark = event->seconds;
    }
    job->step_mark = event->seconds;
    return event->step < job->n_wanted;
}

static weft_status check_bits(struct bench_training *job, weft_error *err)
{
    size_t n = weft_net_n_params(job->net);
    if (!*job->has_first) {
        weft_net_get_params(job->net, job->first);
        *job->has_first = true;
        return WEFT_OK;
    }
    weft_net_get_params(job->net, job->found);
    if (memcmp(job->found, job->first, n * sizeof *job->first) != 0) {
        return weft_fail(err, WEFT_ERR_MISMATCH,
                         "the same %zu steps on %zu threads ended with other parameters than "
                         "before, which is a fault of weft",
                         job->n_wanted, weft_context_threads(job->context));
    }
    return WEFT_OK;
}

weft_status bench_training_run(void *state, size_t n, bool warm, weft_error *err)
{
    struct bench_training *job = state;
    size_t batch = job->options.batch_size;
    size_t steps_per_epoch = (weft_dataset_samples(job->data) - 1) / batch + 1;
    job->options.epochs = (n - 1) / steps_per_epoch + 1;
    job->options.listener = on_event;
    job->options.listener_user = job;
    job->n_wanted = n;
    job->warm = warm;
    weft_status status = bench_series_reserve(&job->epochs, job->options.epochs, err);
    if (status != WEFT_OK) {
        return status;
    }
    weft_net_set_params(job->net, job->start);
    status = weft_train(job->context, job->net, job->data, &job->options, err);
    if (status != WEFT_OK && status != WEFT_ERR_STOPPED) {
        return status;
    }
    return warm ? WEFT_OK : check_bits(job, err);
}

weft_train_options bench_train_options(const struct bench_args *args)
{
    weft_train_options options = weft_train_options_default();
    weft_train_options_set_optimizer(&options, (weft_optimizer)args->optimizer);
    options.lr = 1e-4;
    options.schedule = WEFT_LR_CONSTANT;
    options.momentum = args->momentum;
    options.seed = args->seed;
    return options;
}

int bench_fail(const char *command, const weft_error *err)
{
    int code = err->status == WEFT_ERR_DIVERGED ? CLI_DIVERGED : CLI_FAILED;
    return cli_fail(command, code, err);
}
