/* weft bench scaling: what more threads bring. Strong scaling: the same steps on more threads. Weak
 * scaling: batches that grow with the number of threads. */
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/mem.h"
#include "base/safefile.h"
#include "cli/bench_job.h"
#include "cli/core_count.h"
#include "cli/json_line.h"
#include "cli/machine.h"
#include "cli/scaling_chart.h"

enum { ROUNDS = 10, SAMPLES = 16384 };

/* Thread counts ascending; weak scaling is measured for the first n_weak of them. */
struct scaling {
    size_t n, n_weak, batch;
    size_t *threads;
    weft_context **contexts;
    float *params;                /* [n_weak + 3, parameters] */
    bool *has_first;              /* [n_weak + 1] */
    struct bench_training *jobs;  /* [n] strong, then [n_weak] weak */
    struct bench_case *cases;     /* the same */
    struct bench_stats *stats;    /* the same */
    struct scaling_point *points; /* the same */
};

static int by_size(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

/* The list ascending, each count once. */
static void sort_counts(struct cli_list *counts)
{
    size_t n = 0;
    qsort(counts->items, counts->n, sizeof *counts->items, by_size);
    for (size_t i = 0; i < counts->n; i++) {
        if (n == 0 || counts->items[n - 1] != counts->items[i]) {
            counts->items[n++] = counts->items[i];
        }
    }
    counts->n = n;
}

/* 1, 2, 4, ... and the number of cores. */
static bool default_counts(struct cli_list *counts)
{
    size_t items[16], n = 0, cores = cli_granted_cores();
    for (size_t t = 1; t < cores; t *= 2) {
        items[n++] = t;
    }
    items[n++] = cores;
    return cli_list_assign(counts, items, n);
}

static void scaling_release(struct scaling *scaling)
{
    for (size_t i = 0; scaling->contexts != NULL && i < scaling->n; i++) {
        weft_context_free(scaling->contexts[i]);
    }
    for (size_t i = 0; scaling->jobs != NULL && i < scaling->n + scaling->n_weak; i++) {
        bench_series_release(&scaling->jobs[i].steps);
        bench_series_release(&scaling->jobs[i].epochs);
    }
    weft_mem_free(scaling->contexts);
    weft_mem_free(scaling->params);
    weft_mem_free(scaling->has_first);
    weft_mem_free(scaling->jobs);
    weft_mem_free(scaling->cases);
    weft_mem_free(scaling->stats);
    weft_mem_free(scaling->points);
}

/* One context for each thread count. */
static int make_contexts(struct bench_job *job, struct scaling *scaling)
{
    struct cli_common *common = &job->args->common;
    scaling->contexts = weft_mem_zalloc(scaling->n, sizeof(weft_context *));
    if (scaling->contexts == NULL) {
        cli_error(job->command, "no memory for contexts");
        return CLI_FAILED;
    }
    for (size_t i = 0; i < scaling->n; i++) {
        common->threads = scaling->threads[i];
        int code = cli_make_context(job->command, common, &scaling->contexts[i]);
        if (code != CLI_DONE) {
            return code;
        }
    }
    return CLI_DONE;
}

/* Weak scaling ends where the data has not enough samples for a batch. */
static void choose_weak(const struct bench_job *job, struct scaling *scaling)
{
    size_t n_samples = weft_dataset_samples(job->data);
    scaling->batch = bench_batch_samples(job->data, job->args->batch_size);
    while (scaling->n_weak < scaling->n &&
           scaling->threads[scaling->n_weak] <= n_samples / scaling->batch) {
        scaling->n_weak++;
    }
    if (scaling->n_weak < scaling->n && !job->args->common.quiet) {
        cli_error(job->command,
                  "note: weak scaling ends before %zu threads, for which %zu samples are not "
                  "enough",
                  scaling->threads[scaling->n_weak], n_samples);
    }
    scaling->n_weak = scaling->n_weak > 1 ? scaling->n_weak : 0;
}

static weft_status make_arrays(const struct bench_job *job, struct scaling *scaling,
                               weft_error *err)
{
    size_t n = scaling->n + scaling->n_weak, n_params = weft_net_n_params(job->net);
    scaling->params = weft_mem_alloc(n_params, (scaling->n_weak + 3) * sizeof *scaling->params);
    scaling->has_first = weft_mem_zalloc(scaling->n_weak + 1, sizeof *scaling->has_first);
    scaling->jobs = weft_mem_zalloc(n, sizeof *scaling->jobs);
    scaling->cases = weft_mem_zalloc(n, sizeof *scaling->cases);
    scaling->stats = weft_mem_zalloc(n, sizeof *scaling->stats);
    scaling->points = weft_mem_zalloc(n, sizeof *scaling->points);
    bool ok = scaling->params != NULL && scaling->has_first != NULL && scaling->jobs != NULL &&
              scaling->cases != NULL && scaling->stats != NULL && scaling->points != NULL;
    return ok ? WEFT_OK : weft_fail_nomem(err, "the measurement");
}

/* All strong cases must come to the same parameters; of the weak ones each to its own. */
static void make_cases(const struct bench_job *job, struct scaling *scaling)
{
    size_t n_params = weft_net_n_params(job->net);
    float *start = scaling->params, *found = start + n_params, *first = found + n_params;
    weft_net_get_params(job->net, start);
    for (size_t k = 0; k < scaling->n + scaling->n_weak; k++) {
        bool weak = k >= scaling->n;
        size_t at = weak ? k - scaling->n : k, group = weak ? at + 1 : 0;
        struct bench_training *training = &scaling->jobs[k];
        *training = (struct bench_training){
            .context = scaling->contexts[at],
            .net = job->net,
            .data = job->data,
            .options = bench_train_options(job->args),
            .start = start,
            .found = found,
            .first = first + group * n_params,
            .has_first = &scaling->has_first[group],
        };
        training->options.batch_size =
            weak ? scaling->batch * scaling->threads[at] : scaling->batch;
        scaling->cases[k] = (struct bench_case){.state = training,
                                                .run = bench_training_run,
                                                .series = &training->steps,
                                                .group = (int)group};
    }
}

/* Samples a second against those of the first of n cases. */
static void find_points(struct scaling *scaling, size_t first, size_t n)
{
    for (size_t k = first; k < first + n; k++) {
        const struct bench_stats *stats = &scaling->stats[k], *base = &scaling->stats[first];
        double share = (double)scaling->jobs[k].options.batch_size /
                       (double)scaling->jobs[first].options.batch_size;
        double work = share * base->median;
        scaling->points[k] = (struct scaling_point){.threads = scaling->threads[k - first],
                                                    .speedup = work / stats->median,
                                                    .low = work / stats->p90,
                                                    .high = work / stats->p10};
    }
}

static double efficiency(const struct scaling *scaling, size_t k)
{
    return scaling->points[k].speedup * (double)scaling->threads[0] /
           (double)scaling->points[k].threads;
}

static double samples_per_s(const struct scaling *scaling, size_t k)
{
    return (double)scaling->jobs[k].options.batch_size / scaling->stats[k].median;
}

static void print_table(const struct bench_job *job, const struct scaling *scaling, size_t first,
                        size_t n)
{
    double gflop = 1e-9 * bench_training_flops(job->net);
    printf("%7s %6s %8s %8s %8s %10s %7s %8s %10s\n", "threads", "batch", "step", "10 %", "90 %",
           "samples/s", "GFLOP/s", "speed-up", "efficiency");
    for (size_t k = first; k < first + n; k++) {
        const struct bench_stats *stats = &scaling->stats[k];
        char text[3][32];
        printf("%7zu %6zu %8s %8s %8s %10.0f %7.1f %8.2f %8.0f %%\n", scaling->points[k].threads,
               scaling->jobs[k].options.batch_size,
               bench_time_text(stats->median, text[0], sizeof text[0]),
               bench_time_text(stats->p10, text[1], sizeof text[1]),
               bench_time_text(stats->p90, text[2], sizeof text[2]), samples_per_s(scaling, k),
               gflop * samples_per_s(scaling, k), scaling->points[k].speedup,
               100 * efficiency(scaling, k));
    }
}

static int print_text(const struct bench_job *job, const struct scaling *scaling)
{
    bench_print_setup(job);
    printf("\nstrong scaling: the same steps, which end with the same bits\n");
    print_table(job, scaling, 0, scaling->n);
    if (scaling->n_weak > 0) {
        printf("\nweak scaling: the batch grows with the threads\n");
        print_table(job, scaling, scaling->n, scaling->n_weak);
    }
    return CLI_DONE;
}

static json_t *json_cases(const struct bench_job *job, const struct scaling *scaling, size_t first,
                          size_t n)
{
    double gflop = 1e-9 * bench_training_flops(job->net);
    json_t *list = json_array();
    for (size_t k = first; k < first + n; k++) {
        json_t *one = json_object();
        int failed =
            json_object_set_new(one, "threads", cli_json_count(scaling->points[k].threads));
        failed |= json_object_set_new(one, "batch_size",
                                      cli_json_count(scaling->jobs[k].options.batch_size));
        failed |= json_object_set_new(one, "step", bench_json_stats(&scaling->stats[k]));
        failed |=
            json_object_set_new(one, "samples_per_s", cli_json_real(samples_per_s(scaling, k)));
        failed |= json_object_set_new(one, "gflop_per_s",
                                      cli_json_real(gflop * samples_per_s(scaling, k)));
        failed |= json_object_set_new(one, "speedup", cli_json_real(scaling->points[k].speedup));
        failed |= json_object_set_new(one, "efficiency", cli_json_real(efficiency(scaling, k)));
        if (json_array_append_new(list, one) != 0 || failed != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static int print_json(const struct bench_job *job, const struct scaling *scaling)
{
    json_t *object = json_object();
    int failed = bench_put_setup(object, job);
    failed |= json_object_set_new(object, "rounds", cli_json_count(job->plan.rounds_done));
    /* Where they are not, there is no result. */
    failed |= json_object_set_new(object, "same_bits", json_true());
    failed |= json_object_set_new(object, "strong", json_cases(job, scaling, 0, scaling->n));
    failed |=
        json_object_set_new(object, "weak", json_cases(job, scaling, scaling->n, scaling->n_weak));
    if (job->args->svg != NULL) {
        failed |= json_object_set_new(object, "svg", cli_json_text(job->args->svg));
    }
    return cli_json_print(job->command, object, failed);
}

/* "784-128-10, batches of 32, avx512 kernels", cut to fit into the chart. */
static void describe(const struct bench_job *job, const struct scaling *scaling, char *text,
                     size_t size)
{
    FILE *stream = fmemopen(text, size, "w");
    text[0] = '\0';
    if (stream != NULL) {
        cli_print_shape(stream, job->net);
        fprintf(stream, ", batches of %zu, %s kernels, %s", scaling->batch, job->args->common.isa,
                cli_precision_choice(job->args->common.precision));
        fclose(stream);
    }
    text[size - 1] = '\0';
    if (strlen(text) + 1 == size) {
        memcpy(text + size - 4, "...", 4);
    }
}

static int write_chart(const struct bench_job *job, const struct scaling *scaling)
{
    char subtitle[100], cpu[128], footer[400];
    if (job->args->svg == NULL) {
        return CLI_DONE;
    }
    describe(job, scaling, subtitle, sizeof subtitle);
    cli_cpu_name(cpu, sizeof cpu);
    snprintf(footer, sizeof footer, "%s, %zu cores; weft %s, %s", cpu, cli_granted_cores(),
             weft_version(), cli_compiler());
    struct scaling_chart chart = {
        .title = "Training steps on more threads",
        .subtitle = subtitle,
        .footer = footer,
        .strong = {"strong scaling", scaling->points, scaling->n},
        .weak = {"weak scaling", scaling->points + scaling->n, scaling->n_weak},
        .base = scaling->threads[0],
    };
    weft_error err;
    if (scaling_chart_write(&chart, job->args->svg, &err) != WEFT_OK) {
        return cli_fail(job->command, CLI_FAILED, &err);
    }
    return CLI_DONE;
}

static int measure_and_print(struct bench_job *job, struct scaling *scaling)
{
    weft_error err;
    choose_weak(job, scaling);
    weft_status status = make_arrays(job, scaling, &err);
    if (status == WEFT_OK) {
        make_cases(job, scaling);
        job->plan.rounds = ROUNDS;
        status = bench_measure(&job->plan, scaling->cases, scaling->n + scaling->n_weak, &err);
    }
    if (status != WEFT_OK) {
        return bench_fail(job->command, &err);
    }
    for (size_t k = 0; k < scaling->n + scaling->n_weak; k++) {
        scaling->stats[k] = bench_stats_of(&scaling->jobs[k].steps);
    }
    find_points(scaling, 0, scaling->n);
    find_points(scaling, scaling->n, scaling->n_weak);
    int code = job->args->common.json ? print_json(job, scaling) : print_text(job, scaling);
    int written = write_chart(job, scaling);
    return code == CLI_DONE ? written : code;
}

/* Enough samples that weak scaling has some steps in an epoch. */
static size_t enough_samples(const struct bench_args *args, size_t most_threads)
{
    size_t wanted = 4 * args->batch_size * most_threads;
    return wanted > SAMPLES ? wanted : SAMPLES;
}

/* Whether the chart can be written, before minutes are spent on it. */
static int check_svg(const struct bench_job *job)
{
    struct weft_safefile file = {0};
    weft_error err;
    if (job->args->svg != NULL && weft_safefile_open(&file, job->args->svg, &err) != WEFT_OK) {
        return cli_fail(job->command, CLI_FAILED, &err);
    }
    weft_safefile_abort(&file);
    return CLI_DONE;
}

int bench_scaling(struct cli_call *call)
{
    struct bench_job job = bench_job_of(call);
    struct cli_list *counts = &job.args->thread_counts;
    if (counts->n == 0 && !default_counts(counts)) {
        cli_error(job.command, "no memory for options");
        return CLI_FAILED;
    }
    sort_counts(counts);
    struct scaling scaling = {.n = counts->n, .threads = counts->items};
    int code = check_svg(&job);
    if (code == CLI_DONE) {
        code = make_contexts(&job, &scaling);
    }
    if (code == CLI_DONE) {
        bench_note_threads(&job, counts->items[counts->n - 1]);
        code = bench_setup_training(&job, enough_samples(job.args, counts->items[counts->n - 1]));
    }
    if (code == CLI_DONE) {
        code = measure_and_print(&job, &scaling);
    }
    scaling_release(&scaling);
    bench_job_release(&job);
    return code;
}
