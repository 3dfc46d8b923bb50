/* See worker.h: requests, factors, the check of results, and the clock. */
#include "worker.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "quiet.h"

#define MAX_VARIANTS 8

const char *const product_names[N_PRODUCTS] = {"forward", "dx", "dw"};

struct worker {
    const struct worker_backend *backend;
    struct product_task task;
    float *x, *w, *dz; /* of the task */
    void *states[MAX_VARIANTS];
};

size_t product_rows(const struct product_task *task)
{
    return task->product == PRODUCT_DW ? task->n_in : task->batch;
}

size_t product_cols(const struct product_task *task)
{
    return task->product == PRODUCT_DX ? task->n_in : task->n_out;
}

size_t product_terms(const struct product_task *task)
{
    switch (task->product) {
    case PRODUCT_FORWARD:
        return task->n_in;
    case PRODUCT_DX:
        return task->n_out;
    default:
        return task->batch;
    }
}

const char *worker_option(int argc, char **argv, const char *name)
{
    for (int k = 1; k + 1 < argc; k += 2) {
        if (strcmp(argv[k], name) == 0) {
            return argv[k + 1];
        }
    }
    return NULL;
}

/* Eighths between -1 and 1 have few bits: exact in bfloat16 as well. Otherwise 24 bits of a linear
 * congruential generator (Knuth's MMIX). */
static float *random_matrix(size_t count, bool bf16, uint64_t seed)
{
    float *block = bench_floats(count);
    uint64_t state = seed;
    for (size_t k = 0; k < count; k++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        uint32_t bits = (uint32_t)(state >> 40);
        block[k] = bf16 ? (float)((int)(bits >> 16) - 128) / 128 : (float)bits * 0x1p-23f - 1;
    }
    return block;
}

/* Element (i, j) of the result as a double-precision sum; *size is the sum of the terms' sizes. */
static double wanted(const struct product_task *t, size_t i, size_t j, double *size)
{
    double sum = 0;
    *size = 0;
    for (size_t p = 0; p < product_terms(t); p++) {
        double a, b;
        switch (t->product) {
        case PRODUCT_FORWARD:
            a = (double)t->x[i * t->n_in + p], b = (double)t->w[p * t->n_out + j];
            break;
        case PRODUCT_DX:
            a = (double)t->dz[i * t->n_out + p], b = (double)t->w[j * t->n_out + p];
            break;
        default:
            a = (double)t->x[p * t->n_in + i], b = (double)t->dz[p * t->n_out + j];
        }
        sum += a * b;
        *size += fabs(a * b);
    }
    return sum;
}

/* Compares a few hundred elements, spread over all rows and columns, with their sums in double
 * precision, within k eps sum |a| |b| (Higham 2002, 3.5), and one rounding to bfloat16 where the
 * result may be of that type. */
static bool is_right(const struct product_task *task, const float *got)
{
    size_t rows = product_rows(task), cols = product_cols(task), n = rows * cols;
    double bound = (double)product_terms(task) * (double)FLT_EPSILON;
    for (size_t s = 0; s < 401; s++) {
        size_t at = (size_t)((double)s / 400 * (double)(n - 1));
        double size, want = wanted(task, at / cols, at % cols, &size);
        double error = fabs((double)got[at] - want);
        if (!(error <= bound * size + (task->bf16 ? fabs(want) / 256 : 0))) {
            fprintf(stderr, "%s: (%zu, %zu): got %g, wanted %g\n", product_names[task->product],
                    at / cols, at % cols, (double)got[at], want);
            return false;
        }
    }
    return true;
}

static void forget(struct worker *worker)
{
    for (size_t v = 0; v < worker->backend->n_variants; v++) {
        if (worker->states[v] != NULL) {
            worker->backend->release(worker->states[v]);
        }
        worker->states[v] = NULL;
    }
    free(worker->x);
    free(worker->w);
    free(worker->dz);
    worker->x = worker->w = worker->dz = NULL;
}

static bool parse_task(const char *line, struct product_task *task)
{
    char precision[8], product[16];
    *task = (struct product_task){.product = N_PRODUCTS};
    if (sscanf(line, "prepare %7s %15s %zu %zu %zu", precision, product, &task->batch, &task->n_in,
               &task->n_out) != 5) {
        return false;
    }
    task->bf16 = strcmp(precision, "bf16") == 0;
    for (int k = 0; k < N_PRODUCTS; k++) {
        if (strcmp(product, product_names[k]) == 0) {
            task->product = (enum product)k;
        }
    }
    return task->product != N_PRODUCTS;
}

static void prepare(struct worker *worker, const char *line)
{
    struct product_task *task = &worker->task;
    forget(worker);
    if (!parse_task(line, task)) {
        bench_die("bad request: %s", line);
    }
    worker->x = random_matrix(task->batch * task->n_in, task->bf16, 1);
    worker->w = random_matrix(task->n_in * task->n_out, task->bf16, 2);
    worker->dz = random_matrix(task->batch * task->n_out, task->bf16, 3);
    task->x = worker->x, task->w = worker->w, task->dz = worker->dz;
    float *result = bench_floats(product_rows(task) * product_cols(task));
    fputs("ok", stdout);
    for (size_t v = 0; v < worker->backend->n_variants; v++) {
        void *state = worker->backend->prepare(task, v);
        worker->states[v] = state;
        if (state == NULL) {
            continue;
        }
        worker->backend->run(state, 2);
        worker->backend->result(state, result);
        if (!is_right(task, result)) {
            bench_die("%s: wrong result", worker->backend->variants[v]);
        }
        printf(" %s", worker->backend->variants[v]);
    }
    putchar('\n');
    free(result);
}

static double timed(const struct worker_backend *backend, void *state, size_t times)
{
    double start = bench_now();
    backend->run(state, times);
    return bench_now() - start;
}

/* Seconds of one product: lets the number of calls grow until they fill the time. What was too
 * short was the warm-up; where a call took long for once, such as the first one in threads that
 * slept, the next try has more of them again. */
static double seconds_of(const struct worker_backend *backend, void *state, double budget,
                         double *waited)
{
    double warm = 0;
    for (size_t times = 1;;) {
        double before = bench_waited(), spent = timed(backend, state, times);
        *waited = (bench_waited() - before) / spent;
        /* A call that long warms itself up. */
        if (spent >= 4 * budget || (spent >= 0.8 * budget && warm >= 0.3 * budget)) {
            return spent / (double)times;
        }
        warm += spent;
        double wanted = ceil((double)times * budget / spent);
        times = (size_t)fmin(fmax(wanted, (double)times), 4 * (double)times);
    }
}

static void time_variant(struct worker *worker, const char *line)
{
    const struct worker_backend *backend = worker->backend;
    char name[32];
    double budget;
    if (sscanf(line, "time %31s %lf", name, &budget) != 2) {
        bench_die("bad request: %s", line);
    }
    for (size_t v = 0; v < backend->n_variants; v++) {
        if (strcmp(name, backend->variants[v]) == 0 && worker->states[v] != NULL) {
            double waited, seconds = seconds_of(backend, worker->states[v], budget, &waited);
            printf("%.9g %.4f\n", seconds, waited);
            return;
        }
    }
    bench_die("no variant %s is prepared", name);
}

int worker_serve(const struct worker_backend *backend)
{
    struct worker worker = {.backend = backend};
    char line[256];
    while (fgets(line, sizeof line, stdin) != NULL) {
        if (strncmp(line, "prepare ", 8) == 0) {
            prepare(&worker, line);
        } else {
            time_variant(&worker, line);
        }
        bench_rest();
        fflush(stdout);
    }
    forget(&worker);
    return 0;
}
