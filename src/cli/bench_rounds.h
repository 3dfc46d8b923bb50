/* The harness of weft bench: cases are warmed up, then run in turn, round after round, until the
 * time is spent, so that what the machine does besides hits all of them alike. */
#ifndef WEFT_CLI_BENCH_ROUNDS_H
#define WEFT_CLI_BENCH_ROUNDS_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include <weft/status.h>

/* Measured times in seconds, in order of measurement. A zeroed struct is empty. */
struct bench_series {
    size_t n, room;
    double *seconds;
};

/* Room for `more` entries, so that bench_series_add() needs no memory. */
WEFT_CHECKED weft_status bench_series_reserve(struct bench_series *series, size_t more,
                                              weft_error *err);
void bench_series_add(struct bench_series *series, double seconds);
void bench_series_release(struct bench_series *series);

/* Order statistics of a series, in seconds. */
struct bench_stats {
    size_t n;
    double min, p10, median, p90, p99, max;
};

/* Sorts the series; all numbers are 0 where it is empty. */
struct bench_stats bench_stats_of(struct bench_series *series);

/* {"n", "median_s", "min_s", "p10_s", "p90_s", "p99_s", "max_s"} */
json_t *bench_json_stats(const struct bench_stats *stats);

/* A time for tables, three digits and a unit: "12.3 us". */
const char *bench_time_text(double seconds, char *text, size_t size);

/* Something to time. */
struct bench_case {
    void *state;
    /* Does the work `n` times in a row and adds the time of each to *series, in which there is
     * room; it may leave out some, but not all of FEWEST or more. `warm` says that this is for
     * warming up, and another n will follow. */
    weft_status (*run)(void *state, size_t n, bool warm, weft_error *err);
    struct bench_series *series;
    size_t whole; /* n is made a multiple of this where it is larger; 0 as 1 */
    int group;    /* cases of one group get the same n */
    size_t n;     /* out: repetitions in each round */
};

enum { BENCH_FEWEST = 4 };

struct bench_plan {
    double seconds;     /* for all rounds of all cases, though never fewer than three rounds */
    size_t rounds;      /* to aim at, as long as each can hold BENCH_FEWEST repetitions */
    bool quiet;         /* no progress on stderr */
    size_t rounds_done; /* out */
};

WEFT_CHECKED weft_status bench_measure(struct bench_plan *plan, struct bench_case *cases,
                                       size_t n_cases, weft_error *err);

#endif
