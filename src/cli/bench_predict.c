/* weft bench predict: forward passes over batches of several sizes; a batch of one is the latency
 * of an answer. */
#include <string.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/mem.h"
#include "cli/bench_job.h"
#include "cli/json_line.h"

enum { ROUNDS = 10 };

/* Forward passes over the first rows of the samples. */
struct predict_case {
    weft_context *context;
    const weft_net *net;
    weft_tensor x, logits; /* [batch, inputs], [batch, outputs]; views */
    const float *wanted;   /* the logits of the first sample, whatever the batch; or NULL */
    struct bench_series calls;
    struct bench_stats stats;
};

struct predictions {
    size_t n;
    weft_tensor x, logits; /* of the largest batch */
    float *wanted;
    struct predict_case *cases;
    struct bench_case *timed;
};

/* The same bits for every batch size, as weft_net_forward() promises. */
static weft_status check_bits(const struct predict_case *item, weft_error *err)
{
    if (memcmp(item->logits.data, item->wanted, item->logits.cols * sizeof *item->wanted) == 0) {
        return WEFT_OK;
    }
    return weft_fail(err, WEFT_ERR_MISMATCH,
                     "a batch of %zu gave its first sample other outputs than one alone, which is "
                     "a fault of weft",
                     item->x.rows);
}

static weft_status run_calls(void *state, size_t n, bool warm, weft_error *err)
{
    struct predict_case *item = state;
    (void)warm;
    for (size_t i = 0; i < n; i++) {
        double start = weft_clock_seconds();
        weft_status status =
            weft_net_forward(item->context, item->net, &item->x, &item->logits, err);
        if (status != WEFT_OK) {
            return status;
        }
        bench_series_add(&item->calls, weft_clock_seconds() - start);
    }
    return check_bits(item, err);
}

static void predictions_release(struct predictions *all)
{
    for (size_t i = 0; all->cases != NULL && i < all->n; i++) {
        bench_series_release(&all->cases[i].calls);
    }
    weft_mem_free(all->cases);
    weft_mem_free(all->timed);
    weft_mem_free(all->wanted);
    weft_tensor_release(&all->x);
    weft_tensor_release(&all->logits);
}

static weft_status make_room(const struct bench_job *job, struct predictions *all, size_t most,
                             weft_error *err)
{
    size_t n_outputs = weft_net_n_outputs(job->net);
    all->cases = weft_mem_zalloc(all->n, sizeof *all->cases);
    all->timed = weft_mem_zalloc(all->n, sizeof *all->timed);
    all->wanted = weft_mem_alloc(n_outputs, sizeof *all->wanted);
    if (all->cases == NULL || all->timed == NULL || all->wanted == NULL ||
        weft_tensor_init(&all->logits, WEFT_F32, most, n_outputs) != WEFT_OK) {
        return weft_fail_nomem(err, "the measurement");
    }
    return bench_make_samples(job->args->seed, most, weft_net_n_inputs(job->net), &all->x, err);
}

static weft_status make_cases(const struct bench_job *job, weft_context *context,
                              struct predictions *all, weft_error *err)
{
    const struct cli_list *sizes = &job->args->batch_sizes;
    size_t most = 1;
    for (size_t i = 0; i < sizes->n; i++) {
        most = sizes->items[i] > most ? sizes->items[i] : most;
    }
    weft_status status = make_room(job, all, most, err);
    if (status != WEFT_OK) {
        return status;
    }
    for (size_t i = 0; i < all->n; i++) {
        size_t batch = sizes->items[i];
        all->cases[i] = (struct predict_case){
            .context = context,
            .net = job->net,
            .x = weft_tensor_view(&all->x, 0, 0, batch, all->x.cols),
            .logits = weft_tensor_view(&all->logits, 0, 0, batch, all->logits.cols),
            .wanted = all->wanted,
        };
        all->timed[i] = (struct bench_case){.state = &all->cases[i],
                                            .run = run_calls,
                                            .series = &all->cases[i].calls,
                                            .group = (int)i};
    }
    weft_tensor x = weft_tensor_view(&all->x, 0, 0, 1, all->x.cols);
    weft_tensor logits =
        weft_tensor_borrow(WEFT_F32, all->wanted, 1, all->logits.cols, all->logits.cols);
    return weft_net_forward(context, job->net, &x, &logits, err);
}

static double samples_per_s(const struct predict_case *item)
{
    return (double)item->x.rows / item->stats.median;
}

static int print_text(const struct bench_job *job, const struct predictions *all)
{
    double gflop = 1e-9 * bench_forward_flops(job->net);
    size_t n_threads = job->args->common.threads;
    bench_print_setup(job);
    printf("%-10s%zu thread%s, made up samples\n", "predict", n_threads, n_threads == 1 ? "" : "s");
    printf("\n%7s  %9s  %9s  %9s  %9s  %11s  %8s\n", "batch", "time", "10 %", "90 %", "99 %",
           "samples/s", "GFLOP/s");
    for (size_t i = 0; i < all->n; i++) {
        const struct predict_case *item = &all->cases[i];
        char text[4][32];
        printf("%7zu  %9s  %9s  %9s  %9s  %11.0f  %8.1f\n", item->x.rows,
               bench_time_text(item->stats.median, text[0], sizeof text[0]),
               bench_time_text(item->stats.p10, text[1], sizeof text[1]),
               bench_time_text(item->stats.p90, text[2], sizeof text[2]),
               bench_time_text(item->stats.p99, text[3], sizeof text[3]), samples_per_s(item),
               gflop * samples_per_s(item));
    }
    return CLI_DONE;
}

static int print_json(const struct bench_job *job, const struct predictions *all)
{
    double gflop = 1e-9 * bench_forward_flops(job->net);
    json_t *object = json_object(), *list = json_array();
    int failed = bench_put_setup(object, job);
    failed |= json_object_set_new(object, "threads", cli_json_count(job->args->common.threads));
    failed |= json_object_set_new(object, "rounds", cli_json_count(job->plan.rounds_done));
    for (size_t i = 0; i < all->n; i++) {
        const struct predict_case *item = &all->cases[i];
        json_t *one = json_object();
        failed |= json_object_set_new(one, "batch_size", cli_json_count(item->x.rows));
        failed |= json_object_set_new(one, "call", bench_json_stats(&item->stats));
        failed |= json_object_set_new(one, "samples_per_s", cli_json_real(samples_per_s(item)));
        failed |=
            json_object_set_new(one, "gflop_per_s", cli_json_real(gflop * samples_per_s(item)));
        failed |= json_array_append_new(list, one);
    }
    failed |= json_object_set_new(object, "batches", list);
    return cli_json_print(job->command, object, failed);
}

static int measure_and_print(struct bench_job *job, weft_context *context)
{
    struct predictions all = {.n = job->args->batch_sizes.n};
    weft_error err;
    weft_status status = make_cases(job, context, &all, &err);
    if (status == WEFT_OK) {
        job->plan.rounds = ROUNDS;
        status = bench_measure(&job->plan, all.timed, all.n, &err);
    }
    int code = CLI_DONE;
    if (status != WEFT_OK) {
        code = bench_fail(job->command, &err);
    }
    for (size_t i = 0; code == CLI_DONE && i < all.n; i++) {
        all.cases[i].stats = bench_stats_of(&all.cases[i].calls);
    }
    if (code == CLI_DONE) {
        code = job->args->common.json ? print_json(job, &all) : print_text(job, &all);
    }
    predictions_release(&all);
    return code;
}

int bench_predict(struct cli_call *call)
{
    struct bench_job job = bench_job_of(call);
    weft_context *context = NULL;
    int code = cli_make_context(job.command, &job.args->common, &context);
    if (code == CLI_DONE) {
        bench_note_threads(&job, job.args->common.threads);
        code = bench_setup_network(&job);
    }
    if (code == CLI_DONE) {
        code = measure_and_print(&job, context);
    }
    weft_context_free(context);
    bench_job_release(&job);
    return code;
}
