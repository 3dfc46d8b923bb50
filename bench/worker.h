/* A process that times one library's matrix products for bench_gemm.
 *
 * Each library has a process of its own, so that no two of them share thread pools, symbols or
 * environment variables. A worker reads requests from standard input and answers each with a line:
 *   prepare PRECISION PRODUCT BATCH N_IN N_OUT   ok VARIANT...   those that can, all with right
 *                                                results; replaces what was prepared before
 *   time VARIANT SECONDS                         T WAITED   seconds of one product, from about
 *                                                SECONDS of calls after a warm-up, and the share
 *                                                of them that threads waited for a core
 * It answers only once its threads have come to rest, so that a pool that spins takes nothing
 * from the worker that is asked next. It ends at the end of its input.
 */
#ifndef WEFT_BENCH_WORKER_H
#define WEFT_BENCH_WORKER_H

#include <stdbool.h>
#include <stddef.h>

/* The three products of a layer Y = X W. */
enum product {
    PRODUCT_FORWARD, /* Y[batch,n_out] = X[batch,n_in] W[n_in,n_out] */
    PRODUCT_DX,      /* dX[batch,n_in] = dZ[batch,n_out] W^T */
    PRODUCT_DW,      /* dW[n_in,n_out] = X^T dZ */
    N_PRODUCTS
};

extern const char *const product_names[N_PRODUCTS];

struct product_task {
    enum product product;
    bool bf16; /* the factors are exact in bfloat16, to be given as such */
    size_t batch, n_in, n_out;
    const float *x, *w, *dz; /* row-major, dense; they outlive the task */
};

/* Rows and columns of the result, and the terms of each of its sums. */
size_t product_rows(const struct product_task *task);
size_t product_cols(const struct product_task *task);
size_t product_terms(const struct product_task *task);

/* What a library brings. A variant is a way to compute the same product; all are tried. */
struct worker_backend {
    size_t n_variants;
    const char *const *variants;
    /* Brings the factors into the layouts the library likes best, where they could stay in them
     * from step to step (weights), allocates, and returns the state of run(), or NULL where this
     * variant cannot do the task. Not timed. */
    void *(*prepare)(const struct product_task *task, size_t variant);
    /* Computes the product `times` times. */
    void (*run)(void *state, size_t times);
    /* Its last result, row-major, dense. */
    void (*result)(void *state, float *out);
    void (*release)(void *state);
};

/* Serves requests until the end of the input; what main() returns. */
int worker_serve(const struct worker_backend *backend);

/* The value of an option in "NAME VALUE" form among the arguments, or NULL. */
const char *worker_option(int argc, char **argv, const char *name);

#endif
