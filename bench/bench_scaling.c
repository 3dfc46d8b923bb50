/* How an epoch's time falls with the number of threads: 1, 2, 4, ... and all cores. Strong scaling:
 * the same batches of 256, and parameters must come out as the same bits for all of them. Weak
 * scaling: batches of 128 for each thread, so that each has the same work in every step. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "digits.h"
#include "harness.h"

#define MAX_COUNTS 16

/* Batch sizes are set for each thread count where the scaling is weak. */
static const struct {
    struct digits_shape shape;
    bool weak;
} jobs_wanted[] = {
    {{"784-128-10 strong", {128, 0}, 256, 1, 0.85}, false},
    {{"784-512-512-10 strong", {512, 512, 0}, 256, 1, 0.85}, false},
    {{"784-128-10 weak", {128, 0}, 128, 1, 0.5}, true},
    {{"784-512-512-10 weak", {512, 512, 0}, 128, 1, 0.5}, true},
};
#define N_WANTED (sizeof jobs_wanted / sizeof *jobs_wanted)

/* All thread counts must have led to the parameters of the first. */
static void check_same_bits(const struct digits_job *jobs, size_t n)
{
    size_t size = weft_net_n_params(jobs[0].net) * sizeof *jobs[0].first;
    for (size_t k = 1; k < n; k++) {
        if (memcmp(jobs[k].first, jobs[0].first, size) != 0) {
            bench_die("%s: %zu threads end with other bits than one", jobs[k].shape->name,
                      weft_context_threads(jobs[k].context));
        }
    }
}

static void print_scaling(const struct bench_case *cases, const struct bench_stats *stats, size_t n)
{
    printf("%-24s %7s %10s %10s %10s\n", "case", "threads", "median s", "speed-up", "efficiency");
    for (size_t k = 0; k < n; k++) {
        double speedup = stats[0].median / stats[k].median;
        printf("%-24s %7zu %10.4f %10.2f %9.0f%%\n", cases[k].name, cases[k].n_threads,
               stats[k].median, speedup, 100 * speedup / (double)cases[k].n_threads);
    }
}

static json_t *json_of_scaling(const struct bench_stats *one, const struct bench_stats *stats,
                               size_t n_threads)
{
    double speedup = one->median / stats->median;
    return json_pack("{s:f, s:f}", "speedup", speedup, "efficiency", speedup / (double)n_threads);
}

int main(int argc, char **argv)
{
    struct bench_options options =
        bench_options_parse(argc, argv,
                            "Seconds, speed-up and efficiency of a training epoch over thread "
                            "counts, with the same batches\n"
                            "(strong scaling) and with 128 samples a thread in each (weak).");
    size_t counts[MAX_COUNTS], n = 0;
    size_t n_counts = bench_thread_counts(options.n_threads > 0 ? options.n_threads : bench_cores(),
                                          counts, MAX_COUNTS);
    weft_dataset *train = digits_load(&options, WEFT_SPLIT_TRAIN);
    weft_dataset *test = digits_load(&options, WEFT_SPLIT_TEST);
    bool weak[N_WANTED * MAX_COUNTS];
    struct digits_shape shapes[N_WANTED * MAX_COUNTS];
    struct digits_job jobs[N_WANTED * MAX_COUNTS];
    struct bench_case cases[N_WANTED * MAX_COUNTS];
    struct bench_stats stats[N_WANTED * MAX_COUNTS];
    json_t *extra[N_WANTED * MAX_COUNTS];
    for (size_t k = 0; k < N_WANTED * n_counts; k++) {
        size_t n_threads = counts[k % n_counts];
        shapes[n] = jobs_wanted[k / n_counts].shape;
        if (options.filter != NULL && strstr(shapes[n].name, options.filter) == NULL) {
            continue;
        }
        weak[n] = jobs_wanted[k / n_counts].weak;
        shapes[n].batch_size *= weak[n] ? n_threads : 1;
        digits_job_init(&jobs[n], &shapes[n], train, test, n_threads, &options);
        cases[n] = digits_case(&jobs[n], shapes[n].name);
        n++;
    }
    if (n == 0) {
        bench_die("--only %s: no such case", options.filter);
    }
    const char *isa = weft_context_isa(jobs[0].context);
    bench_print_machine(isa);
    bench_run(&options, cases, n, stats);
    for (size_t k = 0; k < n; k += n_counts) {
        if (!weak[k]) {
            check_same_bits(&jobs[k], n_counts);
        }
        print_scaling(&cases[k], &stats[k], n_counts);
        for (size_t t = k; t < k + n_counts; t++) {
            extra[t] = json_of_scaling(&stats[k], &stats[t], cases[t].n_threads);
        }
    }
    bench_write_json(&options, "scaling", isa, cases, stats, n, extra);
    for (size_t k = 0; k < n; k++) {
        digits_job_release(&jobs[k]);
        free(stats[k].seconds);
        json_decref(extra[k]);
    }
    weft_dataset_free(train);
    weft_dataset_free(test);
    return 0;
}
