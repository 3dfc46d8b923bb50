/* weft train --resume: what has to be found again before training goes on, and going back to the
 * last checkpoint after a divergence. */
#include <string.h>

#include "base/fail.h"
#include "base/mem.h"
#include "cli/train_job.h"

/* Reads the last checkpoint anew. */
static weft_status load_last(struct train_job *job, weft_error *err)
{
    weft_checkpoint_free(job->resume);
    job->resume = NULL;
    weft_status status = weft_checkpoint_load(job->checkpoints.last, &job->resume, err);
    if (status == WEFT_OK) {
        status = checkpoints_notes(job->resume, job->checkpoints.last, &job->resume_metrics,
                                   &job->resume_unwritten, err);
    }
    if (status == WEFT_OK) {
        job->checkpoints.has_last = true;
        job->checkpoints.saved_step = weft_checkpoint_step(job->resume);
    }
    return status;
}

int train_resume_open(struct train_job *job)
{
    struct train_args *args = job->args;
    weft_error err;
    if (args->out != NULL || args->common.config != NULL) {
        cli_error(job->command, "--%s: wanted none beside --resume",
                  args->out != NULL ? "out" : "config");
        return CLI_USAGE;
    }
    if (!cli_text_assign(&args->out, args->common.resume)) {
        cli_error(job->command, "no memory for a file name");
        return CLI_FAILED;
    }
    weft_status status = checkpoints_init(&job->checkpoints, args->out, &err);
    if (status == WEFT_OK) {
        status = load_last(job, &err);
    }
    return status == WEFT_OK ? CLI_DONE : cli_fail(job->command, CLI_INPUT, &err);
}

/* A schedule that looks at how long the run is. */
static bool depends_on_length(const struct train_args *args)
{
    return args->schedule == WEFT_LR_LINEAR || args->schedule == WEFT_LR_ONE_CYCLE ||
           (args->schedule == WEFT_LR_COSINE && args->lr_period == 0);
}

int train_resume_check(struct train_job *job)
{
    const struct train_args *args = job->args;
    const char *isa = weft_checkpoint_isa(job->resume);
    weft_error err;
    if (!checkpoints_take_settings(&job->checkpoints, job->options)) {
        cli_error(job->command, "no memory for settings");
        return CLI_FAILED;
    }
    if (checkpoints_check(&job->checkpoints, job->resume, args->out, &err) != WEFT_OK) {
        return cli_fail(job->command, CLI_USAGE, &err);
    }
    if (strcmp(isa, args->common.isa) != 0) {
        cli_error(job->command,
                  "warning: %s was trained with kernels for %s, these are for %s: the last bits of "
                  "results may differ from those of a run that was not stopped",
                  args->out, isa, args->common.isa);
    }
    if (weft_checkpoint_epochs(job->resume) != args->epochs && depends_on_length(args)) {
        cli_error(job->command,
                  "warning: with --schedule %s the learning rate depends on --epochs: from here on "
                  "it is that of a run of %zu epochs, before it was that of one of %zu",
                  cli_schedule_choice(args->schedule), args->epochs,
                  weft_checkpoint_epochs(job->resume));
    }
    return CLI_DONE;
}

weft_status train_roll_back(struct train_job *job, weft_error *err)
{
    weft_status status = load_last(job, err);
    if (status == WEFT_OK) {
        status = cli_run_dir_truncate(&job->run, job->resume_metrics, err);
    }
    return status;
}
