/* How an epoch's time falls with the number of threads: 1, 2, 4, ... and all cores. Parameters must
 * come out as the same bits for all of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "digits.h"
#include "harness.h"

#define MAX_COUNTS 16

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
    struct bench_options options = bench_options_parse(
        argc, argv, "Seconds, speed-up and efficiency of a training epoch over thread counts.");
    size_t counts[MAX_COUNTS], n = 0;
    size_t n_counts = bench_thread_counts(options.n_threads > 0 ? options.n_threads : bench_cores(),
                                          counts, MAX_COUNTS);
    weft_dataset *train = digits_load(&options, WEFT_SPLIT_TRAIN);
    weft_dataset *test = digits_load(&options, WEFT_SPLIT_TEST);
    struct digits_job jobs[DIGITS_N_SHAPES * MAX_COUNTS];
    struct bench_case cases[DIGITS_N_SHAPES * MAX_COUNTS];
    struct bench_stats stats[DIGITS_N_SHAPES * MAX_COUNTS];
    json_t *extra[DIGITS_N_SHAPES * MAX_COUNTS];
    for (size_t k = 0; k < DIGITS_N_SHAPES; k++) {
        const char *name = digits_shapes[k].name;
        if (options.filter != NULL && strstr(name, options.filter) == NULL) {
            continue;
        }
        for (size_t t = 0; t < n_counts; t++, n++) {
            digits_job_init(&jobs[n], &digits_shapes[k], train, test, counts[t], options.isa);
            cases[n] = digits_case(&jobs[n], name);
        }
    }
    if (n == 0) {
        bench_die("--only %s: no such case", options.filter);
    }
    const char *isa = weft_context_isa(jobs[0].context);
    bench_print_machine(isa);
    bench_run(&options, cases, n, stats);
    for (size_t k = 0; k < n; k += n_counts) {
        check_same_bits(&jobs[k], n_counts);
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
