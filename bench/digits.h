/* Epochs of training on the MNIST digits, as cases for the harness. */
#ifndef WEFT_BENCH_DIGITS_H
#define WEFT_BENCH_DIGITS_H

#include <stdbool.h>
#include <stddef.h>

#include "harness.h"

#include <weft/weft.h>

/* A network and how it is trained. */
struct digits_shape {
    const char *name;
    size_t hidden[4];      /* widths, ends with 0 */
    size_t batch_size;     /* 0: all samples */
    size_t epochs;         /* of a run */
    double least_accuracy; /* after them */
};

/* An epoch of 784-128-10 and of 784-512-512-10 in batches of 128, and ten iterations of the older
 * project's full-batch job (scripts/recipes/seed-mnist.ini). */
#define DIGITS_N_SHAPES 3
extern const struct digits_shape digits_shapes[DIGITS_N_SHAPES];

struct digits_job {
    const struct digits_shape *shape;
    const weft_dataset *train, *test; /* borrowed */
    weft_context *context;
    weft_net *net;
    float *start; /* parameters that every run starts from */
    float *first; /* those that the first run ended with, or NULL before it */
    double accuracy;
};

/* Reads a split of the digits, or ends the program. */
weft_dataset *digits_load(const struct bench_options *options, weft_split split);

void digits_job_init(struct digits_job *job, const struct digits_shape *shape,
                     const weft_dataset *train, const weft_dataset *test, size_t n_threads,
                     const struct bench_options *options);
void digits_job_release(struct digits_job *job);

/* The case of a job. Its check: the parameters are the same bits after every run, and the test
 * accuracy is what such a network reaches. */
struct bench_case digits_case(struct digits_job *job, const char *name);

#endif
