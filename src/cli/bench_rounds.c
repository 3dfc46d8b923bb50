/* Warming up, rounds, statistics. */
#include "cli/bench_rounds.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/mem.h"
#include "base/quantile.h"
#include "cli/json_line.h"

/* Caches, branch predictors and clock rates settle within some 0.1 s. */
static const double most_warm_seconds = 0.15;

enum { FEWEST_ROUNDS = 3, MOST_ROUNDS = 1000, MOST_REPETITIONS = 1000000 };

weft_status bench_series_reserve(struct bench_series *series, size_t more, weft_error *err)
{
    if (series->room - series->n >= more) {
        return WEFT_OK;
    }
    size_t room = 2 * series->room > series->n + more ? 2 * series->room : series->n + more;
    double *seconds = weft_mem_grow(series->seconds, series->room, room, sizeof *seconds);
    if (seconds == NULL) {
        return weft_fail_nomem(err, "measured times");
    }
    series->seconds = seconds;
    series->room = room;
    return WEFT_OK;
}

void bench_series_add(struct bench_series *series, double seconds)
{
    series->seconds[series->n++] = seconds;
}

void bench_series_release(struct bench_series *series)
{
    weft_mem_free(series->seconds);
    *series = (struct bench_series){0};
}

struct bench_stats bench_stats_of(struct bench_series *series)
{
    size_t n = series->n;
    if (n == 0) {
        return (struct bench_stats){0};
    }
    double *sorted = series->seconds;
    weft_sort_numbers(sorted, n);
    return (struct bench_stats){
        .n = n,
        .min = sorted[0],
        .p10 = weft_quantile(sorted, n, 0.1),
        .median = weft_quantile(sorted, n, 0.5),
        .p90 = weft_quantile(sorted, n, 0.9),
        .p99 = weft_quantile(sorted, n, 0.99),
        .max = sorted[n - 1],
    };
}

json_t *bench_json_stats(const struct bench_stats *stats)
{
    const struct {
        const char *name;
        double value;
    } numbers[] = {{"median_s", stats->median}, {"min_s", stats->min}, {"p10_s", stats->p10},
                   {"p90_s", stats->p90},       {"p99_s", stats->p99}, {"max_s", stats->max}};
    json_t *object = json_object();
    int failed = json_object_set_new(object, "n", cli_json_count(stats->n));
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        /* The clock counts in nanoseconds; quantiles in between mean nothing more. */
        double value = round(numbers[i].value * 1e10) / 1e10;
        failed |= json_object_set_new(object, numbers[i].name, cli_json_real(value));
    }
    if (failed != 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}

const char *bench_time_text(double seconds, char *text, size_t size)
{
    static const struct {
        double size;
        const char *name;
    } units[] = {{1, "s"}, {1e-3, "ms"}, {1e-6, "us"}};
    size_t unit = 0;
    /* Half a last digit below: what would round up to 1000 belongs to the larger unit. */
    while (unit < 2 && seconds < 0.9995 * units[unit].size) {
        unit++;
    }
    double value = seconds / units[unit].size;
    int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    snprintf(text, size, "%.*f %s", decimals, value, units[unit].name);
    return text;
}

static weft_status run_case(struct bench_case *item, size_t n, bool warm, weft_error *err)
{
    weft_status status = bench_series_reserve(item->series, n, err);
    return status == WEFT_OK ? item->run(item->state, n, warm, err) : status;
}

/* Runs until a while has passed; the median of the last run tells how long one repetition takes. */
static weft_status warm_up(struct bench_case *item, double seconds, double *each, weft_error *err)
{
    double start = weft_clock_seconds();
    for (size_t n = BENCH_FEWEST;; n *= 2) {
        item->series->n = 0;
        weft_status status = run_case(item, n, true, err);
        if (status != WEFT_OK) {
            return status;
        }
        if (weft_clock_seconds() - start >= seconds) {
            break;
        }
    }
    *each = bench_stats_of(item->series).median;
    item->series->n = 0;
    return WEFT_OK;
}

static size_t repetitions(double slice, double each, size_t whole)
{
    double fit = each > 0 ? slice / each : MOST_REPETITIONS;
    size_t n = fit < BENCH_FEWEST       ? BENCH_FEWEST
               : fit > MOST_REPETITIONS ? MOST_REPETITIONS
                                        : (size_t)fit;
    return whole > 0 && n > whole && n - n % whole >= BENCH_FEWEST ? n - n % whole : n;
}

/* The slowest case of a group decides for all of them. */
static void level_groups(struct bench_case *cases, size_t n_cases)
{
    for (size_t i = 0; i < n_cases; i++) {
        for (size_t k = 0; k < n_cases; k++) {
            if (cases[k].group == cases[i].group && cases[k].n < cases[i].n) {
                cases[i].n = cases[k].n;
            }
        }
    }
}

/* On a terminal one line that changes; elsewhere one line in all. */
static void show_progress(const struct bench_plan *plan, size_t n_cases, double spent)
{
    if (plan->quiet) {
        return;
    }
    if (!isatty(STDERR_FILENO)) {
        if (plan->rounds_done == 0) {
            fprintf(stderr, "measuring %zu case%s for about %g s\n", n_cases,
                    n_cases == 1 ? "" : "s", plan->seconds);
        }
    } else if (plan->rounds_done == 0) {
        fprintf(stderr, "\rwarming up");
    } else {
        fprintf(stderr, "\rmeasuring: %.1f of %g s, round %zu  ", spent, plan->seconds,
                plan->rounds_done);
    }
}

static void clear_progress(const struct bench_plan *plan)
{
    if (!plan->quiet && isatty(STDERR_FILENO)) {
        fprintf(stderr, "\r%60s\r", "");
    }
}

static weft_status run_rounds(struct bench_plan *plan, struct bench_case *cases, size_t n_cases,
                              weft_error *err)
{
    double start = weft_clock_seconds();
    while (plan->rounds_done < MOST_ROUNDS) {
        /* Stop where one more round would not fit. */
        double spent = weft_clock_seconds() - start, done = (double)plan->rounds_done;
        if (done >= FEWEST_ROUNDS && spent + spent / done > plan->seconds) {
            break;
        }
        for (size_t i = 0; i < n_cases; i++) {
            weft_status status = run_case(&cases[i], cases[i].n, false, err);
            if (status != WEFT_OK) {
                return status;
            }
        }
        plan->rounds_done++;
        show_progress(plan, n_cases, weft_clock_seconds() - start);
    }
    return WEFT_OK;
}

weft_status bench_measure(struct bench_plan *plan, struct bench_case *cases, size_t n_cases,
                          weft_error *err)
{
    double slice = plan->seconds / (double)(plan->rounds * n_cases);
    double warm_seconds = fmin(plan->seconds / (double)n_cases, most_warm_seconds);
    weft_status status = WEFT_OK;
    plan->rounds_done = 0;
    show_progress(plan, n_cases, 0);
    for (size_t i = 0; i < n_cases && status == WEFT_OK; i++) {
        double each;
        status = warm_up(&cases[i], warm_seconds, &each, err);
        if (status == WEFT_OK) {
            cases[i].n = repetitions(slice, each, cases[i].whole);
        }
    }
    if (status == WEFT_OK) {
        level_groups(cases, n_cases);
        status = run_rounds(plan, cases, n_cases, err);
    }
    clear_progress(plan);
    return status;
}
