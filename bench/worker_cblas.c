/* A library with the C interface to BLAS (OpenBLAS, BLIS), opened by name: nothing of it is needed
 * to build this. The number of threads comes from the environment, where each library has its own
 * variable.
 *
 * The variants are the two ways to keep weights, [n_in,n_out] and [n_out,n_in]: which one is faster
 * depends on the product. These interfaces have no packed weights.
 *
 * usage: worker_cblas --library FILE */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "worker.h"

enum { ROW_MAJOR = 101, NO_TRANS = 111, TRANS = 112 }; /* the values of cblas.h */

typedef void sgemm_function(int order, int trans_a, int trans_b, int m, int n, int k, float alpha,
                            const float *a, int lda, const float *b, int ldb, float beta, float *c,
                            int ldc);

static sgemm_function *sgemm; /* of the library */

struct call {
    int trans_a, trans_b, m, n, k, lda, ldb;
    const float *a, *b;
    float *c, *weights; /* C; W^T where the variant keeps that, or NULL */
    bool transposed;    /* C is the result transposed */
};

static void transpose(size_t rows, size_t cols, const float *from, float *to)
{
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < cols; j++) {
            to[j * rows + i] = from[i * cols + j];
        }
    }
}

static void *prepare(const struct product_task *task, size_t variant)
{
    bool out_in = variant == 1;
    int batch = (int)task->batch, n_in = (int)task->n_in, n_out = (int)task->n_out;
    const float *w = task->w;
    if (task->bf16) {
        return NULL;
    }
    struct call *call = bench_alloc(1, sizeof *call);
    if (out_in) {
        call->weights = bench_floats(task->n_in * task->n_out);
        transpose(task->n_in, task->n_out, task->w, call->weights);
        w = call->weights;
    }
    call->c = bench_floats(product_rows(task) * product_cols(task));
    call->trans_a = call->trans_b = NO_TRANS;
    switch (task->product) {
    case PRODUCT_FORWARD:
        call->m = batch, call->n = n_out, call->k = n_in;
        call->a = task->x, call->lda = n_in;
        call->b = w, call->ldb = out_in ? n_in : n_out;
        call->trans_b = out_in ? TRANS : NO_TRANS;
        break;
    case PRODUCT_DX:
        call->m = batch, call->n = n_in, call->k = n_out;
        call->a = task->dz, call->lda = n_out;
        call->b = w, call->ldb = out_in ? n_in : n_out;
        call->trans_b = out_in ? NO_TRANS : TRANS;
        break;
    default:
        call->m = out_in ? n_out : n_in, call->n = out_in ? n_in : n_out, call->k = batch;
        call->a = out_in ? task->dz : task->x, call->lda = call->m;
        call->b = out_in ? task->x : task->dz, call->ldb = call->n;
        call->trans_a = TRANS;
        call->transposed = out_in;
    }
    return call;
}

static void run(void *state, size_t times)
{
    struct call *call = state;
    for (size_t k = 0; k < times; k++) {
        sgemm(ROW_MAJOR, call->trans_a, call->trans_b, call->m, call->n, call->k, 1.0f, call->a,
              call->lda, call->b, call->ldb, 0.0f, call->c, call->n);
    }
}

static void result(void *state, float *out)
{
    struct call *call = state;
    if (call->transposed) {
        transpose((size_t)call->m, (size_t)call->n, call->c, out);
    } else {
        memcpy(out, call->c, (size_t)call->m * (size_t)call->n * sizeof *out);
    }
}

static void release(void *state)
{
    struct call *call = state;
    free(call->c);
    free(call->weights);
    free(call);
}

int main(int argc, char **argv)
{
    static const char *const variants[] = {"in-out", "out-in"};
    const struct worker_backend backend = {2, variants, prepare, run, result, release};
    const char *file = worker_option(argc, argv, "--library");
    void *library = file == NULL ? NULL : dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        return 77; /* bench_gemm goes on without this peer */
    }
    void *symbol = dlsym(library, "cblas_sgemm");
    if (symbol == NULL) {
        bench_die("%s has no cblas_sgemm", file);
    }
    /* ISO C has no cast from an object to a function pointer; POSIX promises that this works. */
    memcpy(&sgemm, &symbol, sizeof sgemm);
    return worker_serve(&backend);
}
