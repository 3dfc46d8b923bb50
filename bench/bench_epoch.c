/* How long training takes: 60,000 digits, through the public interface. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "digits.h"
#include "harness.h"

int main(int argc, char **argv)
{
    struct bench_options options = bench_options_parse(
        argc, argv,
        "Seconds of one training epoch on MNIST in batches of 128, and of ten iterations with all\n"
        "samples in a batch (784-32-16-10).");
    size_t n_threads = options.n_threads > 0 ? options.n_threads : bench_cores(), n = 0;
    weft_dataset *train = digits_load(&options, WEFT_SPLIT_TRAIN);
    weft_dataset *test = digits_load(&options, WEFT_SPLIT_TEST);
    struct digits_job jobs[DIGITS_N_SHAPES];
    struct bench_case cases[DIGITS_N_SHAPES];
    struct bench_stats stats[DIGITS_N_SHAPES];
    for (size_t k = 0; k < DIGITS_N_SHAPES; k++) {
        const char *name = digits_shapes[k].name;
        if (options.filter == NULL || strstr(name, options.filter) != NULL) {
            digits_job_init(&jobs[n], &digits_shapes[k], train, test, n_threads, &options);
            cases[n] = digits_case(&jobs[n], name);
            n++;
        }
    }
    if (n == 0) {
        bench_die("--only %s: no such case", options.filter);
    }
    const char *isa = weft_context_isa(jobs[0].context);
    bench_print_machine(isa);
    bench_run(&options, cases, n, stats);
    bench_print(cases, stats, n);
    bench_write_json(&options, "epoch", isa, cases, stats, n, NULL);
    for (size_t k = 0; k < n; k++) {
        digits_job_release(&jobs[k]);
        free(stats[k].seconds);
    }
    weft_dataset_free(train);
    weft_dataset_free(test);
    return 0;
}
