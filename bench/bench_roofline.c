/* What this machine can do at most, against which the other figures are shares: arithmetic in
 * registers and memory traffic in each level of the cache, with 1, 2, 4, ... threads and all cores,
 * and how each grows with the threads. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "peaks.h"
#include "quiet.h"

#include <weft/weft.h>

#define MAX_POINTS 512
#define MAX_COUNTS 16
#define DEFAULT_ROUNDS 5

enum { N_LEVELS = 4 };

/* Something to measure: a peak, or traffic through `bytes` of memory. */
struct point {
    char name[64];
    bool is_traffic;
    enum bench_peak peak;
    enum bench_traffic traffic;
    size_t bytes, n_threads;
    struct bench_stats stats; /* of GFLOP/s or GB/s rather than seconds */
    size_t of_one_thread;     /* index of the point that scaling is told against */
};

/* One line of a file about a cache of the first core; false where the system tells nothing. */
static bool cache_line(unsigned index, const char *what, char *line, int size)
{
    char path[96];
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%u/%s", index, what);
    FILE *file = fopen(path, "r");
    bool done = file != NULL && fgets(line, size, file) != NULL;
    if (file != NULL) {
        fclose(file);
    }
    return done;
}

/* Bytes of the data cache of a level, from 1: what a core sees of it, where sysconf() may tell the
 * whole processor's. A usual size where the system does not tell. */
static size_t cache_bytes(unsigned level)
{
    static const size_t usual[] = {0, 32u << 10, 1u << 20, 16u << 20};
    char line[32];
    for (unsigned index = 0; cache_line(index, "level", line, sizeof line); index++) {
        bool same = strtoul(line, NULL, 10) == level;
        if (same && cache_line(index, "type", line, sizeof line) && line[0] != 'I' &&
            cache_line(index, "size", line, sizeof line)) {
            return (size_t)strtoul(line, NULL, 10) << 10;
        }
    }
    return usual[level];
}

/* Half of each level, so that what else is in there does not count; of memory, four times the last
 * level and 128 MiB at least. Each thread has private first and second levels of its own. */
static size_t level_bytes(size_t level, size_t n_threads, const char **name)
{
    static const char *const names[N_LEVELS] = {"L1", "L2", "L3", "memory"};
    *name = names[level];
    if (level == 3) {
        size_t last = cache_bytes(3);
        return last < 32u << 20 ? 128u << 20 : 4 * last;
    }
    return cache_bytes((unsigned)level + 1) / 2 * (level == 2 ? 1 : n_threads);
}

static size_t add(const struct bench_options *options, struct point *points, size_t n,
                  struct point point)
{
    if (n == MAX_POINTS ||
        (options->filter != NULL && strstr(point.name, options->filter) == NULL)) {
        return n;
    }
    point.of_one_thread = n;
    for (size_t k = 0; k < n; k++) {
        if (strcmp(points[k].name, point.name) == 0 && points[k].n_threads == 1) {
            point.of_one_thread = k;
        }
    }
    points[n] = point;
    return n + 1;
}

static size_t all_points(const struct bench_options *options, struct point points[MAX_POINTS])
{
    size_t counts[MAX_COUNTS], n = 0;
    size_t n_counts = bench_thread_counts(
        options->n_threads > 0 ? options->n_threads : bench_cores(), counts, MAX_COUNTS);
    for (size_t k = 0; k < N_PEAKS * n_counts; k++) {
        struct point point = {.peak = (enum bench_peak)(k / n_counts),
                              .n_threads = counts[k % n_counts]};
        snprintf(point.name, sizeof point.name, "%s", bench_peak_names[point.peak]);
        if (bench_peak_gflops(point.peak, 1, 1e-3) > 0) {
            n = add(options, points, n, point);
        }
    }
    for (size_t k = 0; k < N_LEVELS * N_TRAFFICS * n_counts; k++) {
        const char *level;
        struct point point = {.is_traffic = true,
                              .traffic = (enum bench_traffic)(k / n_counts % N_TRAFFICS),
                              .n_threads = counts[k % n_counts]};
        point.bytes = level_bytes(k / n_counts / N_TRAFFICS, point.n_threads, &level);
        snprintf(point.name, sizeof point.name, "%s %s", level, bench_traffic_names[point.traffic]);
        n = add(options, points, n, point);
    }
    return n;
}

static double rate(const struct point *point, double seconds)
{
    return point->is_traffic
               ? bench_bandwidth(point->traffic, point->n_threads, point->bytes, seconds)
               : bench_peak_gflops(point->peak, point->n_threads, seconds);
}

static void measure(const struct bench_options *options, struct point *points, size_t n)
{
    size_t rounds = options->rounds > 0 ? options->rounds : DEFAULT_ROUNDS;
    double seconds = fmax(options->budget / (double)(n * rounds) / 2, 1e-3);
    for (size_t k = 0; k < n; k++) {
        points[k].stats.seconds = bench_alloc(rounds, sizeof(double));
    }
    for (size_t round = 0; round < rounds; round++) {
        for (size_t k = 0; k < n; k++) {
            struct bench_stats *stats = &points[k].stats;
            stats->seconds[stats->rounds++] = rate(&points[k], seconds);
            bench_rest();
        }
    }
    for (size_t k = 0; k < n; k++) {
        bench_summarise(&points[k].stats);
    }
}

static double scaling(const struct point *points, size_t k)
{
    return points[k].stats.median / points[points[k].of_one_thread].stats.median;
}

static void print(const struct point *points, size_t n)
{
    printf("%-14s %10s %7s %10s %10s %10s %8s %9s\n", "limit", "KiB", "threads", "median",
           "quartile 1", "quartile 3", "unit", "x 1 thread");
    for (size_t k = 0; k < n; k++) {
        const struct bench_stats *s = &points[k].stats;
        printf("%-14s %10zu %7zu %10.1f %10.1f %10.1f %8s %9.2f\n", points[k].name,
               points[k].bytes / 1024, points[k].n_threads, s->median, s->quartile1, s->quartile3,
               points[k].is_traffic ? "GB/s" : "GFLOP/s", scaling(points, k));
    }
}

static json_t *json_of(const struct point *points, size_t n)
{
    json_t *results = json_array();
    for (size_t k = 0; k < n; k++) {
        const struct point *p = &points[k];
        json_array_append_new(
            results,
            json_pack("{s:s, s:s, s:I, s:I, s:I, s:f, s:f, s:f, s:f}", "name", p->name, "unit",
                      p->is_traffic ? "GB/s" : "GFLOP/s", "bytes", (json_int_t)p->bytes, "threads",
                      (json_int_t)p->n_threads, "rounds", (json_int_t)p->stats.rounds, "median",
                      p->stats.median, "quartile1", p->stats.quartile1, "quartile3",
                      p->stats.quartile3, "scaling", scaling(points, k)));
    }
    return results;
}

int main(int argc, char **argv)
{
    struct bench_options options = bench_options_parse(
        argc, argv,
        "The machine's limits: float32 and bfloat16 arithmetic in GFLOP/s, memory traffic of each\n"
        "level in GB/s (what the loops read and write, without the read that a write may cost).\n"
        "Names to pick from are such as \"f32 fma\" and \"L2 triad\"; threads go up to --threads.");
    struct point *points = bench_alloc(MAX_POINTS, sizeof *points);
    size_t n = all_points(&options, points);
    if (n == 0) {
        bench_die("--only %s: no such limit", options.filter);
    }
    bench_print_machine("no");
    measure(&options, points, n);
    print(points, n);
    bench_write_results(&options, "roofline", "none", json_of(points, n), NULL);
    for (size_t k = 0; k < n; k++) {
        free(points[k].stats.seconds);
    }
    free(points);
    return 0;
}
