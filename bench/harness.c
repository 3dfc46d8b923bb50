/* Options, rounds and statistics; see harness.h. */
#include "harness.h"

#include <float.h>
#include <getopt.h>
#include <math.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/quantile.h"
#include "quiet.h"

#define MAX_ROUNDS 1000
#define MAX_TRIES 4

/* A share of a run. Threads that sleep at a barrier wait some microseconds for a core when they
 * wake up; a time slice that another process took is some milliseconds. */
#define TOLERATED_WAIT 0.04

void bench_die(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("error: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

void *bench_alloc(size_t count, size_t size)
{
    void *block = calloc(count == 0 ? 1 : count, size);
    if (block == NULL) {
        bench_die("no memory for %zu x %zu bytes", count, size);
    }
    return block;
}

float *bench_floats(size_t count)
{
    size_t bytes = (count * sizeof(float) + 63) / 64 * 64;
    float *block = aligned_alloc(64, bytes == 0 ? 64 : bytes);
    if (block == NULL) {
        bench_die("no memory for %zu floats", count);
    }
    memset(block, 0, bytes);
    return block;
}

size_t bench_cores(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) != 0 || CPU_COUNT(&set) < 1) {
        return 1;
    }
    return (size_t)CPU_COUNT(&set);
}

size_t bench_thread_counts(size_t most, size_t *counts, size_t room)
{
    size_t n = 0;
    for (size_t t = 1; t < most && n + 1 < room; t *= 2) {
        counts[n++] = t;
    }
    counts[n++] = most;
    return n;
}

static void print_help(const char *program, const char *description)
{
    printf("usage: %s [OPTION...]\n%s\n\n"
           "  --budget SECONDS   time for all rounds together (default 60)\n"
           "  --rounds N         exactly N rounds instead\n"
           "  --threads N        threads (default: the cores of this process)\n"
           "  --isa NAME         kernel set (default: the best)\n"
           "  --precision NAME   f32 (the default) or bf16, where training is measured\n"
           "  --only TEXT        only cases with TEXT in their name\n"
           "  --data DIR         the MNIST files (default: data/mnist of the sources)\n"
           "  --json FILE        write the results there too\n",
           program, description);
}

/* A whole number above 0, or the end of the program. */
static size_t number(const char *name, const char *text)
{
    char *end;
    long value = strtol(text, &end, 10);
    if (end == text || *end != '\0' || value < 1 || value > 1000000) {
        fprintf(stderr, "error: --%s: wanted a whole number from 1, got \"%s\"\n", name, text);
        exit(2);
    }
    return (size_t)value;
}

static double seconds_of(const char *text)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value > 0 && value < 1e6)) {
        fprintf(stderr, "error: --budget: wanted seconds, got \"%s\"\n", text);
        exit(2);
    }
    return value;
}

struct bench_options bench_options_parse(int argc, char **argv, const char *description)
{
    static const struct option table[] = {
        {"budget", required_argument, NULL, 'b'},
        {"rounds", required_argument, NULL, 'r'},
        {"threads", required_argument, NULL, 't'},
        {"isa", required_argument, NULL, 'i'},
        {"precision", required_argument, NULL, 'p'},
        {"only", required_argument, NULL, 'o'},
        {"data", required_argument, NULL, 'd'},
        {"json", required_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct bench_options options = {.budget = 60, .data = WEFT_SOURCE_DIR "/data/mnist"};
    for (int c; (c = getopt_long(argc, argv, "", table, NULL)) != -1;) {
        switch (c) {
        case 'b':
            options.budget = seconds_of(optarg);
            break;
        case 'r':
            options.rounds = number("rounds", optarg);
            break;
        case 't':
            options.n_threads = number("threads", optarg);
            break;
        case 'i':
            options.isa = optarg;
            break;
        case 'p':
            if (weft_precision_from_name(optarg, &options.precision) != WEFT_OK) {
                fprintf(stderr, "error: --precision: wanted f32 or bf16, got \"%s\"\n", optarg);
                exit(2);
            }
            break;
        case 'o':
            options.filter = optarg;
            break;
        case 'd':
            options.data = optarg;
            break;
        case 'j':
            options.json = optarg;
            break;
        case 'h':
            print_help(argv[0], description);
            exit(0);
        default:
            exit(2);
        }
    }
    if (optind != argc) {
        fprintf(stderr, "error: unexpected \"%s\"; see --help\n", argv[optind]);
        exit(2);
    }
    return options;
}

/* Seconds of one run, and the share of them for which threads waited for a core. */
static double run_once(const struct bench_case *item, double *waited)
{
    if (item->prepare != NULL) {
        item->prepare(item->state);
    }
    double before = bench_waited(), start = bench_now();
    item->run(item->state);
    double seconds = bench_now() - start;
    *waited = (bench_waited() - before) / seconds;
    if (!item->check(item->state)) {
        bench_die("%s: wrong result", item->name);
    }
    return seconds;
}

static void run_round(const struct bench_case *item, struct bench_stats *stats)
{
    double waited, least = DBL_MAX;
    for (int tries = 0; tries < MAX_TRIES; tries++) {
        least = fmin(least, run_once(item, &waited));
        if (waited < TOLERATED_WAIT) {
            break;
        }
    }
    stats->seconds[stats->rounds++] = least;
    stats->disturbed += waited >= TOLERATED_WAIT;
}

void bench_summarise(struct bench_stats *stats)
{
    double *sorted = bench_alloc(stats->rounds, sizeof *sorted);
    memcpy(sorted, stats->seconds, stats->rounds * sizeof *sorted);
    weft_sort_numbers(sorted, stats->rounds);
    stats->min = sorted[0];
    stats->quartile1 = weft_quantile(sorted, stats->rounds, 0.25);
    stats->median = weft_quantile(sorted, stats->rounds, 0.5);
    stats->quartile3 = weft_quantile(sorted, stats->rounds, 0.75);
    stats->max = sorted[stats->rounds - 1];
    free(sorted);
}

void bench_run(const struct bench_options *options, const struct bench_case *cases, size_t n_cases,
               struct bench_stats *stats)
{
    size_t most = options->rounds > 0 ? options->rounds : MAX_ROUNDS;
    for (size_t k = 0; k < n_cases; k++) {
        stats[k] = (struct bench_stats){.seconds = bench_alloc(most, sizeof(double))};
        double waited;
        run_once(&cases[k], &waited);
    }
    double start = bench_now();
    for (size_t round = 0; round < most; round++) {
        /* Stop where one more round would not fit; three at least, or there is no median. */
        double spent = bench_now() - start;
        bool fits = spent + spent / (double)(round > 0 ? round : 1) <= options->budget;
        if (options->rounds == 0 && round >= 3 && !fits) {
            break;
        }
        for (size_t k = 0; k < n_cases; k++) {
            run_round(&cases[k], &stats[k]);
        }
    }
    for (size_t k = 0; k < n_cases; k++) {
        bench_summarise(&stats[k]);
    }
}
