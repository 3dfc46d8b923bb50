/* weft bench: what its modes share: arguments, the network and data to measure with, reports. */
#ifndef WEFT_CLI_BENCH_JOB_H
#define WEFT_CLI_BENCH_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/weft.h>

#include "cli/bench_rounds.h"
#include "cli/command.h"
#include "cli/net_setup.h"

/* Not every mode has all of them. */
struct bench_args {
    struct cli_common common;
    char *data, *model; /* NULL: made up */
    char *label, *x, *y;
    size_t inputs, outputs, samples; /* of what is made up; samples 0: enough */
    struct cli_net_args net;
    size_t scale; /* index of cli_scale_choice() */
    size_t batch_size;
    size_t optimizer; /* weft_optimizer */
    double momentum;
    struct cli_list thread_counts, batch_sizes;
    uint64_t seed;
    double seconds;
    char *svg;
};

struct bench_job {
    const char *command;
    const struct cli_options *options;
    struct bench_args *args;
    weft_dataset *data;
    weft_net *net;
    struct bench_plan plan;
};

struct bench_job bench_job_of(struct cli_call *call);
void bench_job_release(struct bench_job *job);

/* Says on stderr where threads have to share cores. */
void bench_note_threads(const struct bench_job *job, size_t n_threads);

/* bench_setup.c. Each returns 0, or the exit code after a message. */

/* Loads data and makes a network for it as weft train would, or makes up both; at least `samples`
 * samples where nobody says how many. */
int bench_setup_training(struct bench_job *job, size_t samples);

/* Loads a model or makes up a network. */
int bench_setup_network(struct bench_job *job);

/* A [rows, cols] tensor of numbers inside (0, 1), none of them 0: a function of the seed. Release
 * with weft_tensor_release(). */
WEFT_CHECKED weft_status bench_make_samples(uint64_t seed, size_t rows, size_t cols,
                                            weft_tensor *out, weft_error *err);

/* bench_training.c */

/* Training steps as a case: the same ones in each round, from the same parameters. */
struct bench_training {
    weft_context *context;
    weft_net *net;
    const weft_dataset *data;
    weft_train_options options; /* epochs and listener are filled in */
    const float *start;         /* [parameters] to begin from */
    float *found;               /* [parameters] room for what came out; may be shared */
    /* What the first round came to, all others must come to: [parameters], filled where *has_first
     * is false. Cases of equal work share it. */
    float *first;
    bool *has_first;
    struct bench_series steps, epochs;
    /* Of the run under way. */
    size_t n_wanted;
    double step_mark, epoch_mark;
    bool warm;
};

/* One round, for struct bench_case. WEFT_ERR_MISMATCH: other bits than in another round. */
weft_status bench_training_run(void *state, size_t n, bool warm, weft_error *err);

/* What every mode asks of training: a rate so small that no loss diverges. */
weft_train_options bench_train_options(const struct bench_args *args);

/* The exit code for a measurement that failed, after a message. */
int bench_fail(const char *command, const weft_error *err);

/* bench_report.c */

/* Floating-point operations of the dense products for one sample, zeros and all: two for each
 * weight in each of forward, dW and dX = W dZ, which the first layer does without. */
double bench_forward_flops(const weft_net *net);
double bench_training_flops(const weft_net *net);

/* The samples of a batch: 0 means all. */
size_t bench_batch_samples(const weft_dataset *data, size_t batch_size);

/* Lines about machine, program, network and data. */
void bench_print_setup(const struct bench_job *job);

/* Puts "benchmark", "version", "compiler", "isa", "precision", "machine", "network" into an object,
 * and "data" and "samples", or "model" where there is no data; returns other than 0 where that
 * failed. */
int bench_put_setup(json_t *object, const struct bench_job *job);

int bench_step(struct cli_call *call);
int bench_scaling(struct cli_call *call);
int bench_predict(struct cli_call *call);

#endif
