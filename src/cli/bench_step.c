/* weft bench step: how long a training step takes, and an epoch. */
#include "base/fail.h"
#include "base/mem.h"
#include "cli/bench_job.h"
#include "cli/json_line.h"

/* An epoch that fits into a round is measured as a whole; of a longer one the steps tell. */
enum { ROUNDS = 5, SAMPLES = 16384 };

struct step_result {
    size_t batch, n_threads, n_samples;
    size_t rounds;
    struct bench_stats step, epoch; /* epoch.n is 0 where none was measured */
    double samples_per_s, gflop_per_s;
};

static void print_row(const char *name, const struct bench_stats *stats)
{
    char text[4][32];
    const double values[] = {stats->median, stats->p10, stats->p90, stats->min};
    printf("%-10s", name);
    for (size_t i = 0; i < 4; i++) {
        printf("  %9s", bench_time_text(values[i], text[i], sizeof text[i]));
    }
    printf("  %8zu\n", stats->n);
}

static int print_text(const struct bench_job *job, const struct step_result *found)
{
    char text[32];
    bench_print_setup(job);
    size_t n_steps = (found->n_samples - 1) / found->batch + 1;
    printf("%-10s%zu thread%s, batches of %zu, %zu step%s an epoch\n", "training", found->n_threads,
           found->n_threads == 1 ? "" : "s", found->batch, n_steps, n_steps == 1 ? "" : "s");
    printf("\n%-10s  %9s  %9s  %9s  %9s  %8s\n", "", "median", "10 %", "90 %", "least", "measured");
    print_row("step", &found->step);
    if (found->epoch.n > 0) {
        print_row("epoch", &found->epoch);
    } else {
        double epoch = (double)found->n_samples / found->samples_per_s;
        printf("%-10s  %9s  as the steps tell\n", "epoch",
               bench_time_text(epoch, text, sizeof text));
    }
    printf("\n%-10s%.0f samples/s, %.1f GFLOP/s in dense products\n", "speed", found->samples_per_s,
           found->gflop_per_s);
    return CLI_DONE;
}

static int print_json(const struct bench_job *job, const struct step_result *found)
{
    json_t *object = json_object();
    int failed = bench_put_setup(object, job);
    failed |= json_object_set_new(object, "threads", cli_json_count(found->n_threads));
    failed |= json_object_set_new(object, "batch_size", cli_json_count(found->batch));
    failed |= json_object_set_new(object, "rounds", cli_json_count(found->rounds));
    failed |= json_object_set_new(object, "step", bench_json_stats(&found->step));
    failed |= json_object_set_new(
        object, "epoch", found->epoch.n > 0 ? bench_json_stats(&found->epoch) : json_null());
    failed |= json_object_set_new(object, "samples_per_s", cli_json_real(found->samples_per_s));
    failed |= json_object_set_new(object, "gflop_per_s", cli_json_real(found->gflop_per_s));
    return cli_json_print(job->command, object, failed);
}

/* Room for the parameters: before, after the first round, after another. */
static weft_status measure(struct bench_job *job, weft_context *context, float *params,
                           struct step_result *out, weft_error *err)
{
    size_t n_params = weft_net_n_params(job->net);
    bool has_first = false;
    struct bench_training training = {
        .context = context,
        .net = job->net,
        .data = job->data,
        .options = bench_train_options(job->args),
        .start = params,
        .first = params + n_params,
        .found = params + 2 * n_params,
        .has_first = &has_first,
    };
    size_t batch = bench_batch_samples(job->data, job->args->batch_size);
    size_t n_samples = weft_dataset_samples(job->data);
    training.options.batch_size = batch;
    weft_net_get_params(job->net, params);
    struct bench_case item = {.state = &training,
                              .run = bench_training_run,
                              .series = &training.steps,
                              .whole = (n_samples - 1) / batch + 1};
    job->plan.rounds = ROUNDS;
    weft_status status = bench_measure(&job->plan, &item, 1, err);
    if (status == WEFT_OK) {
        *out = (struct step_result){.batch = batch,
                                    .n_threads = weft_context_threads(context),
                                    .n_samples = n_samples,
                                    .rounds = job->plan.rounds_done,
                                    .step = bench_stats_of(&training.steps),
                                    .epoch = bench_stats_of(&training.epochs)};
        /* Whole epochs tell of shuffling, small last batches and stalls too. */
        out->samples_per_s = out->epoch.n > 0 ? (double)n_samples / out->epoch.median
                                              : (double)batch / out->step.median;
        out->gflop_per_s = 1e-9 * bench_training_flops(job->net) * out->samples_per_s;
    }
    bench_series_release(&training.steps);
    bench_series_release(&training.epochs);
    return status;
}

static int measure_and_print(struct bench_job *job, weft_context *context)
{
    struct step_result found = {0};
    weft_error err;
    float *params = weft_mem_alloc(weft_net_n_params(job->net), 3 * sizeof *params);
    weft_status status = params != NULL ? measure(job, context, params, &found, &err)
                                        : weft_fail_nomem(&err, "parameters");
    weft_mem_free(params);
    if (status != WEFT_OK) {
        return bench_fail(job->command, &err);
    }
    return job->args->common.json ? print_json(job, &found) : print_text(job, &found);
}

int bench_step(struct cli_call *call)
{
    struct bench_job job = bench_job_of(call);
    weft_context *context = NULL;
    int code = cli_make_context(job.command, &job.args->common, &context);
    if (code == CLI_DONE) {
        bench_note_threads(&job, job.args->common.threads);
        code = bench_setup_training(&job, SAMPLES);
    }
    if (code == CLI_DONE) {
        code = measure_and_print(&job, context);
    }
    weft_context_free(context);
    bench_job_release(&job);
    return code;
}
