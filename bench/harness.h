/* What every benchmark shares: options, the rounds, the statistics, the report.
 *
 * All cases of a program are warmed up, then run in turn, round after round, until the time budget
 * is spent: what the machine does besides hits all of them alike. A run during which threads waited
 * for a core is done again, a few times at most. After every run the case checks its result; a
 * wrong one ends the program with 1. Reported are the median and the quartiles.
 */
#ifndef WEFT_BENCH_HARNESS_H
#define WEFT_BENCH_HARNESS_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include <weft/context.h>

struct bench_options {
    double budget;    /* seconds for all rounds of all cases */
    size_t rounds;    /* exactly so many rounds instead, where not 0 */
    size_t n_threads; /* 0: the cores of this process */
    const char *isa;  /* NULL: the best */
    weft_precision precision;
    const char *data;   /* directory of the digits */
    const char *json;   /* file to write, or NULL */
    const char *filter; /* only cases with this text in their name, or NULL */
};

struct bench_case {
    const char *name;
    void *state;
    /* Makes ready for one run; not timed. May be NULL. */
    void (*prepare)(void *state);
    /* The work to time. */
    void (*run)(void *state);
    /* Whether the result of the run is right; says on stderr what is not. Not timed. */
    bool (*check)(void *state);
    double gflop;     /* arithmetic of one run */
    size_t n_threads; /* for the report */
    double samples;   /* of one run, for samples per second; 0: none */
};

struct bench_stats {
    size_t rounds, disturbed;                      /* of the rounds, even after some tries */
    double min, quartile1, median, quartile3, max; /* seconds */
    double *seconds;                               /* [rounds] in order of time */
};

/* Reads the command line; prints the help or complains, and ends the program, where needed. */
struct bench_options bench_options_parse(int argc, char **argv, const char *description);

/* The cores this process may run on. */
size_t bench_cores(void);

/* 1, 2, 4, ... up to `most`, and `most` itself; returns how many. counts [room]. */
size_t bench_thread_counts(size_t most, size_t *counts, size_t room);

/* Memory or the end of the program. */
void *bench_alloc(size_t count, size_t size);

/* The same for floats, on a cache line: 0 each. */
float *bench_floats(size_t count);

/* Ends the program with 1 and a message. */
void bench_die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* Runs all cases; stats [n_cases], whose `seconds` stay allocated. */
void bench_run(const struct bench_options *options, const struct bench_case *cases, size_t n_cases,
               struct bench_stats *stats);

/* Sets all but `rounds` and `seconds` from these. */
void bench_summarise(struct bench_stats *stats);

/* Prints one line for machine, kernels, compiler and revision. */
void bench_print_machine(const char *isa);

/* Prints the table of cases. */
void bench_print(const struct bench_case *cases, const struct bench_stats *stats, size_t n_cases);

/* Writes options->json, where wanted: machine and cases, and `extra` (borrowed, may be NULL) under
 * its own keys in the object of each case. */
void bench_write_json(const struct bench_options *options, const char *benchmark, const char *isa,
                      const struct bench_case *cases, const struct bench_stats *stats,
                      size_t n_cases, json_t *const *extra);

/* Rounds, median, quartiles, extremes and all times, as an object. */
json_t *bench_json_of_stats(const struct bench_stats *stats);

/* Writes options->json, where wanted: benchmark, machine, results, and the keys of `extra`, which
 * may be NULL. Takes results and extra. */
void bench_write_results(const struct bench_options *options, const char *benchmark,
                         const char *isa, json_t *results, json_t *extra);

#endif
