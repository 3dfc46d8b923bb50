/* Where the time of training goes: weft_train() as it is, with the linker's --wrap between it and
 * the team functions it calls. Each wrapper takes the time of one phase in each thread, and the
 * wrapper of the barrier what of it was waiting for others; two clock readings a call, a share of
 * a thousandth of a step. What is left is the loop itself: shuffling, events, the start of the
 * team. */
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "digits.h"
#include "harness.h"
#include "ops/gather.h"
#include "ops/linear.h"
#include "ops/linear_bf16.h"
#include "ops/nonzeros.h"
#include "ops/output.h"
#include "ops/team.h"
#include "peaks.h"
#include "quiet.h"

#define MAX_PHASES 32
#define MAX_THREADS 256
#define DEFAULT_ROUNDS 5

enum kind { GATHER, FIND_ZEROS, ROUND, FORWARD, LOSS, INPUT_GRADIENT, WEIGHT_GRADIENT, OUTSIDE };

static const char *const kind_names[] = {"gather and scale",
                                         "find zeros",
                                         "round, find zeros",
                                         "forward",
                                         "loss",
                                         "input gradient",
                                         "weight gradient, update",
                                         "loop and barriers"};

struct phase {
    enum kind kind;
    size_t n_in, n_out; /* of the layer, or 0 */
    double seconds;     /* waiting included */
    double waited;
    double flop; /* of the whole team */
};

/* The phases of one thread; the first one is OUTSIDE. */
struct profile {
    struct phase phases[MAX_PHASES];
    size_t n;
    struct phase *current;
    char line[64]; /* of the cache, between two threads */
};

/* The wrappers get no pointer of ours. */
static struct profile profiles[MAX_THREADS];

static void reset_profiles(void)
{
    for (size_t t = 0; t < MAX_THREADS; t++) {
        profiles[t] = (struct profile){.n = 1, .phases = {{.kind = OUTSIDE}}};
        profiles[t].current = &profiles[t].phases[0];
    }
}

static struct profile *my_profile(void)
{
    return &profiles[omp_get_thread_num() % MAX_THREADS];
}

static double enter(enum kind kind, const struct weft_linear *linear, size_t rows)
{
    struct profile *p = my_profile();
    size_t n_in = linear == NULL ? 0 : linear->n_in, n_out = linear == NULL ? 0 : linear->n_out;
    size_t k = 1;
    while (k < p->n && (p->phases[k].kind != kind || p->phases[k].n_in != n_in ||
                        p->phases[k].n_out != n_out)) {
        k++;
    }
    if (k == p->n && p->n < MAX_PHASES) {
        p->phases[p->n++] = (struct phase){.kind = kind, .n_in = n_in, .n_out = n_out};
    }
    p->current = &p->phases[k < MAX_PHASES ? k : 0];
    p->current->flop += 2.0 * (double)n_in * (double)n_out * (double)rows;
    return bench_now();
}

static void leave(double start)
{
    struct profile *p = my_profile();
    p->current->seconds += bench_now() - start;
    p->current = &p->phases[0];
}

/* The linker sends calls of f to __wrap_f, and those of __real_f to f. */
void __real_weft_gather_team(weft_context *context, const weft_tensor *x, const uint32_t *rows,
                             size_t first, size_t n_scale, const float *shift, const float *scale,
                             const weft_tensor *out);
void __wrap_weft_gather_team(weft_context *context, const weft_tensor *x, const uint32_t *rows,
                             size_t first, size_t n_scale, const float *shift, const float *scale,
                             const weft_tensor *out);
void __wrap_weft_gather_team(weft_context *context, const weft_tensor *x, const uint32_t *rows,
                             size_t first, size_t n_scale, const float *shift, const float *scale,
                             const weft_tensor *out)
{
    double start = enter(GATHER, NULL, 0);
    __real_weft_gather_team(context, x, rows, first, n_scale, shift, scale, out);
    leave(start);
}

void __real_weft_nonzeros_find_team(weft_context *context, struct weft_nonzeros *nonzeros,
                                    const weft_tensor *x);
void __wrap_weft_nonzeros_find_team(weft_context *context, struct weft_nonzeros *nonzeros,
                                    const weft_tensor *x);
void __wrap_weft_nonzeros_find_team(weft_context *context, struct weft_nonzeros *nonzeros,
                                    const weft_tensor *x)
{
    double start = enter(FIND_ZEROS, NULL, 0);
    __real_weft_nonzeros_find_team(context, nonzeros, x);
    leave(start);
}

void __real_weft_linear_bf16_input_team(weft_context *context, const weft_tensor *x,
                                        const struct weft_linear_bf16 *copies);
void __wrap_weft_linear_bf16_input_team(weft_context *context, const weft_tensor *x,
                                        const struct weft_linear_bf16 *copies);
void __wrap_weft_linear_bf16_input_team(weft_context *context, const weft_tensor *x,
                                        const struct weft_linear_bf16 *copies)
{
    double start = enter(ROUND, NULL, 0);
    __real_weft_linear_bf16_input_team(context, x, copies);
    leave(start);
}

void __real_weft_linear_forward_nowait(weft_context *context, const struct weft_forward_job *job);
void __wrap_weft_linear_forward_nowait(weft_context *context, const struct weft_forward_job *job);
void __wrap_weft_linear_forward_nowait(weft_context *context, const struct weft_forward_job *job)
{
    double start = enter(FORWARD, job->linear, job->x.rows);
    __real_weft_linear_forward_nowait(context, job);
    leave(start);
}

void __real_weft_loss_team(weft_context *context, weft_output output, const weft_tensor *z,
                           const weft_targets *targets, const uint32_t *rows, size_t first,
                           float smoothing, float weight, const weft_tensor *dz,
                           struct weft_loss_sum *sums);
void __wrap_weft_loss_team(weft_context *context, weft_output output, const weft_tensor *z,
                           const weft_targets *targets, const uint32_t *rows, size_t first,
                           float smoothing, float weight, const weft_tensor *dz,
                           struct weft_loss_sum *sums);
void __wrap_weft_loss_team(weft_context *context, weft_output output, const weft_tensor *z,
                           const weft_targets *targets, const uint32_t *rows, size_t first,
                           float smoothing, float weight, const weft_tensor *dz,
                           struct weft_loss_sum *sums)
{
    double start = enter(LOSS, NULL, 0);
    __real_weft_loss_team(context, output, z, targets, rows, first, smoothing, weight, dz, sums);
    leave(start);
}

void __real_weft_linear_input_gradient_team(weft_context *context,
                                            const struct weft_input_gradient_job *job);
void __wrap_weft_linear_input_gradient_team(weft_context *context,
                                            const struct weft_input_gradient_job *job);
void __wrap_weft_linear_input_gradient_team(weft_context *context,
                                            const struct weft_input_gradient_job *job)
{
    double start = enter(INPUT_GRADIENT, job->linear, job->dz.rows);
    __real_weft_linear_input_gradient_team(context, job);
    leave(start);
}

void __real_weft_linear_weight_gradient_nowait(weft_context *context,
                                               const struct weft_weight_gradient_job *job);
void __wrap_weft_linear_weight_gradient_nowait(weft_context *context,
                                               const struct weft_weight_gradient_job *job);
void __wrap_weft_linear_weight_gradient_nowait(weft_context *context,
                                               const struct weft_weight_gradient_job *job)
{
    double start = enter(WEIGHT_GRADIENT, job->linear, job->x.rows);
    __real_weft_linear_weight_gradient_nowait(context, job);
    leave(start);
}

void __real_weft_team_barrier(weft_context *context);
void __wrap_weft_team_barrier(weft_context *context);
void __wrap_weft_team_barrier(weft_context *context)
{
    double start = bench_now();
    __real_weft_team_barrier(context);
    my_profile()->current->waited += bench_now() - start;
}

/* The mean over the threads, and the seconds of all. */
struct result {
    double seconds;
    struct phase phases[MAX_PHASES];
    size_t n;
};

/* Phases come in the same order in each thread. */
static struct result collect(double seconds, size_t n_threads)
{
    struct result result = {.seconds = seconds, .n = profiles[0].n};
    memcpy(result.phases, profiles[0].phases, sizeof result.phases);
    for (size_t k = 0; k < result.n; k++) {
        struct phase *phase = &result.phases[k];
        phase->seconds = phase->waited = 0;
        for (size_t t = 0; t < n_threads; t++) {
            phase->seconds += profiles[t].phases[k].seconds / (double)n_threads;
            phase->waited += profiles[t].phases[k].waited / (double)n_threads;
        }
        if (k > 0) {
            seconds -= phase->seconds;
        }
    }
    result.phases[0].seconds = seconds;
    return result;
}

static int by_seconds(const void *a, const void *b)
{
    double x = ((const struct result *)a)->seconds, y = ((const struct result *)b)->seconds;
    return (x > y) - (x < y);
}

/* The run with the median time. */
static struct result measure(const struct bench_options *options, const struct bench_case *item)
{
    size_t rounds = options->rounds > 0 ? options->rounds : DEFAULT_ROUNDS;
    struct result *results = bench_alloc(rounds, sizeof *results);
    for (size_t round = 0; round <= rounds; round++) { /* the first one warms up */
        item->prepare(item->state);
        reset_profiles();
        double start = bench_now();
        item->run(item->state);
        struct result result = collect(bench_now() - start, item->n_threads);
        if (!item->check(item->state)) {
            bench_die("%s: wrong result", item->name);
        }
        results[round > 0 ? round - 1 : 0] = result;
    }
    qsort(results, rounds, sizeof *results, by_seconds);
    struct result median = results[rounds / 2];
    free(results);
    return median;
}

static json_t *report(const struct bench_case *item, const struct result *result, double peak)
{
    json_t *phases = json_array();
    printf("%s, %zu threads: %.4f s\n", item->name, item->n_threads, result->seconds);
    printf("  %-24s %-10s %9s %7s %8s %9s %8s\n", "phase", "layer", "ms", "share", "waiting",
           "GFLOP/s", "of peak");
    for (size_t k = 1; k <= result->n; k++) {
        const struct phase *phase = &result->phases[k % result->n]; /* OUTSIDE last */
        char layer[32] = "";
        double rate = 1e-9 * phase->flop / phase->seconds;
        if (phase->n_out > 0) {
            snprintf(layer, sizeof layer, "%zux%zu", phase->n_in, phase->n_out);
        }
        printf("  %-24s %-10s %9.2f %6.1f%% %7.1f%%", kind_names[phase->kind], layer,
               1e3 * phase->seconds, 100 * phase->seconds / result->seconds,
               100 * phase->waited / result->seconds);
        if (phase->flop > 0) {
            printf(" %9.1f %7.0f%%", rate, 100 * rate / peak);
        }
        putchar('\n');
        json_array_append_new(phases, json_pack("{s:s, s:s, s:f, s:f, s:f, s:f}", "phase",
                                                kind_names[phase->kind], "layer", layer, "seconds",
                                                phase->seconds, "waited", phase->waited, "share",
                                                phase->seconds / result->seconds, "gflop_per_s",
                                                phase->flop > 0 ? rate : 0));
    }
    return json_pack("{s:s, s:I, s:f, s:f, s:o}", "name", item->name, "threads",
                     (json_int_t)item->n_threads, "seconds", result->seconds, "f32_peak", peak,
                     "phases", phases);
}

int main(int argc, char **argv)
{
    struct bench_options options = bench_options_parse(
        argc, argv,
        "Where the time of training goes: seconds of each phase of an epoch of MNIST (of the "
        "full-\n"
        "batch job: of ten), the mean over the threads, and how much of it they waited for each\n"
        "other. Rates count all terms of a sum, those too that are left out because they are "
        "zero.");
    size_t n_threads = options.n_threads > 0 ? options.n_threads : bench_cores();
    weft_dataset *train = digits_load(&options, WEFT_SPLIT_TRAIN);
    weft_dataset *test = digits_load(&options, WEFT_SPLIT_TEST);
    json_t *results = json_array();
    const char *isa = "";
    for (size_t k = 0; k < DIGITS_N_SHAPES; k++) {
        struct digits_job job;
        const char *name = digits_shapes[k].name;
        if (options.filter != NULL && strstr(name, options.filter) == NULL) {
            continue;
        }
        digits_job_init(&job, &digits_shapes[k], train, test, n_threads, &options);
        if (*isa == '\0') {
            isa = weft_context_isa(job.context);
            bench_print_machine(isa);
        }
        struct bench_case item = digits_case(&job, name);
        struct result result = measure(&options, &item);
        double peak = bench_peak_gflops(PEAK_F32, n_threads, 0.05);
        json_array_append_new(results, report(&item, &result, peak));
        digits_job_release(&job);
    }
    bench_write_results(&options, "phases", isa, results, NULL);
    weft_dataset_free(train);
    weft_dataset_free(test);
    return 0;
}
