/* weft's products as its training calls them: all calls of a measurement in one parallel region,
 * each ending behind the team's barrier ("team"), and each in a region of its own, as the other
 * libraries open one ("call").
 *
 * usage: worker_weft --threads N [--isa NAME] */
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "ops/gemm.h"
#include "ops/team.h"
#include "worker.h"

#include <weft/weft.h>

enum variant { TEAM, CALL, N_VARIANTS };

struct call {
    enum variant variant;
    size_t times;
    struct weft_gemm_job job;
    weft_tensor w, wt, c; /* W, its transpose for dX, the result */
    bool transposes;      /* in each product, as training has to */
};

static weft_context *context;

static weft_tensor tensor(size_t rows, size_t cols, const float *from)
{
    weft_tensor t;
    if (weft_tensor_init(&t, WEFT_F32, rows, cols) != WEFT_OK) {
        bench_die("no memory");
    }
    for (size_t i = 0; from != NULL && i < rows; i++) {
        memcpy((float *)t.data + i * t.ld, from + i * cols, cols * sizeof *from);
    }
    return t;
}

static void *prepare(const struct product_task *task, size_t variant)
{
    if (task->bf16) {
        return NULL;
    }
    struct call *call = bench_alloc(1, sizeof *call);
    struct weft_gemm_job *job = &call->job;
    call->variant = (enum variant)variant;
    call->c = job->c = tensor(product_rows(task), product_cols(task), NULL);
    call->w = tensor(task->n_in, task->n_out, task->w);
    call->wt = tensor(task->n_out, task->n_in, NULL);
    switch (task->product) {
    case PRODUCT_FORWARD:
        job->a = tensor(task->batch, task->n_in, task->x), job->b = call->w;
        break;
    case PRODUCT_DX:
        job->a = tensor(task->batch, task->n_out, task->dz), job->b = call->wt;
        call->transposes = true;
        break;
    default:
        job->a = tensor(task->batch, task->n_in, task->x);
        job->b = tensor(task->batch, task->n_out, task->dz);
        job->transpose_a = true;
    }
    return call;
}

static void multiply(const struct call *call)
{
    if (call->transposes) {
        weft_transpose_team(context, &call->w, &call->wt);
    }
    weft_gemm_team(context, &call->job);
}

static void multiply_once(void *arg)
{
    multiply(arg);
}

static void multiply_often(void *arg)
{
    const struct call *call = arg;
    for (size_t k = 0; k < call->times; k++) {
        multiply(call);
    }
}

static void run(void *state, size_t times)
{
    struct call *call = state;
    call->times = times;
    if (call->variant == TEAM) {
        weft_team_run(context, multiply_often, call);
        return;
    }
    for (size_t k = 0; k < times; k++) {
        weft_team_run(context, multiply_once, call);
    }
}

static void result(void *state, float *out)
{
    const struct call *call = state;
    for (size_t i = 0; i < call->c.rows; i++) {
        memcpy(out + i * call->c.cols, (const float *)call->c.data + i * call->c.ld,
               call->c.cols * sizeof *out);
    }
}

static void release(void *state)
{
    struct call *call = state;
    weft_tensor_release(&call->job.a);
    if (call->job.transpose_a) {
        weft_tensor_release(&call->job.b);
    }
    weft_tensor_release(&call->w);
    weft_tensor_release(&call->wt);
    weft_tensor_release(&call->c);
    free(call);
}

int main(int argc, char **argv)
{
    static const char *const variants[N_VARIANTS] = {"team", "call"};
    const struct worker_backend backend = {N_VARIANTS, variants, prepare, run, result, release};
    const char *threads = worker_option(argc, argv, "--threads");
    weft_context_options options = {.n_threads = threads == NULL ? 1 : strtoul(threads, NULL, 10),
                                    .isa = worker_option(argc, argv, "--isa")};
    weft_error err;
    if (weft_context_new(&options, &context, &err) != WEFT_OK) {
        bench_die("%s", err.message);
    }
    int status = worker_serve(&backend);
    weft_context_free(context);
    return status;
}
