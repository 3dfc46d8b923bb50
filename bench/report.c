/* What a benchmark says: the machine, a table, and JSON. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "revision.h"

#include <weft/weft.h>

#if defined(__clang__)
#define COMPILER "clang " __clang_version__
#elif defined(__GNUC__)
#define COMPILER "gcc " __VERSION__
#else
#define COMPILER "unknown compiler"
#endif

/* "model name" of /proc/cpuinfo, which ARM machines lack. */
static void cpu_name(char *name, size_t size)
{
    char line[256];
    snprintf(name, size, "unknown CPU");
    FILE *file = fopen("/proc/cpuinfo", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) == 0 && colon != NULL) {
            snprintf(name, size, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
            break;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
}

void bench_print_machine(const char *isa)
{
    char cpu[128];
    cpu_name(cpu, sizeof cpu);
    printf("%s, %zu cores; %s kernels; weft %s (%s), %s\n\n", cpu, bench_cores(), isa,
           weft_version(), WEFT_REVISION, COMPILER);
}

void bench_print(const struct bench_case *cases, const struct bench_stats *stats, size_t n_cases)
{
    printf("%-24s %7s %6s %10s %10s %10s %10s %10s %12s\n", "case", "threads", "rounds", "median s",
           "quartile 1", "quartile 3", "min s", "GFLOP/s", "samples/s");
    for (size_t k = 0; k < n_cases; k++) {
        const struct bench_stats *s = &stats[k];
        printf("%-24s %7zu %6zu %10.4f %10.4f %10.4f %10.4f %10.1f %12.0f\n", cases[k].name,
               cases[k].n_threads, s->rounds, s->median, s->quartile1, s->quartile3, s->min,
               cases[k].gflop / s->median, cases[k].samples / s->median);
    }
}

static json_t *json_of_features(void)
{
    json_t *names = json_array();
    for (size_t k = 0; k < weft_cpu_feature_count(); k++) {
        if (weft_cpu_feature_usable(k)) {
            json_array_append_new(names, json_string(weft_cpu_feature_name(k)));
        }
    }
    return names;
}

static json_t *json_of_machine(const char *isa)
{
    char cpu[128], date[32];
    time_t now = time(NULL);
    struct tm utc;
    cpu_name(cpu, sizeof cpu);
    gmtime_r(&now, &utc);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return json_pack("{s:s, s:I, s:o, s:s, s:s, s:s, s:s, s:s}", "cpu", cpu, "cores",
                     (json_int_t)bench_cores(), "features", json_of_features(), "isa", isa,
                     "compiler", COMPILER, "weft", weft_version(), "revision", WEFT_REVISION,
                     "date", date);
}

json_t *bench_json_of_stats(const struct bench_stats *s)
{
    json_t *seconds = json_array();
    for (size_t k = 0; k < s->rounds; k++) {
        json_array_append_new(seconds, json_real(s->seconds[k]));
    }
    return json_pack("{s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:o}", "rounds", (json_int_t)s->rounds,
                     "disturbed", (json_int_t)s->disturbed, "median_s", s->median, "quartile1_s",
                     s->quartile1, "quartile3_s", s->quartile3, "min_s", s->min, "max_s", s->max,
                     "seconds", seconds);
}

static json_t *json_of_case(const struct bench_case *item, const struct bench_stats *s)
{
    json_t *object = json_pack("{s:s, s:I, s:f, s:f}", "name", item->name, "threads",
                               (json_int_t)item->n_threads, "gflop_per_s", item->gflop / s->median,
                               "samples_per_s", item->samples / s->median);
    json_object_update_new(object, bench_json_of_stats(s));
    return object;
}

void bench_write_results(const struct bench_options *options, const char *benchmark,
                         const char *isa, json_t *results, json_t *extra)
{
    json_t *root = json_pack("{s:s, s:o, s:o}", "benchmark", benchmark, "machine",
                             json_of_machine(isa), "results", results);
    if (extra != NULL) {
        json_object_update_new(root, extra);
    }
    if (options->json != NULL &&
        json_dump_file(root, options->json, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) != 0) {
        bench_die("cannot write %s", options->json);
    }
    json_decref(root);
}

void bench_write_json(const struct bench_options *options, const char *benchmark, const char *isa,
                      const struct bench_case *cases, const struct bench_stats *stats,
                      size_t n_cases, json_t *const *extra)
{
    json_t *results = json_array();
    for (size_t k = 0; k < n_cases; k++) {
        json_t *item = json_of_case(&cases[k], &stats[k]);
        if (extra != NULL && extra[k] != NULL) {
            json_object_update(item, extra[k]);
        }
        json_array_append_new(results, item);
    }
    bench_write_results(options, benchmark, isa, results, NULL);
}
