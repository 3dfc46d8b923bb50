/* weft's products as its training calls them: all calls of a measurement in one parallel region,
 * each ending behind the team's barrier ("team"), and each in a region of its own, as the other
 * libraries open one ("call").
 *
 * usage: worker_weft --threads N [--isa NAME] */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "harness.h"
#include "ops/linear.h"
#include "ops/linear_bf16.h"
#include "ops/team.h"
#include "worker.h"

#include <weft/weft.h>

enum variant { TEAM, CALL, N_VARIANTS };

struct call {
    enum variant variant;
    size_t times;
    enum product product;
    struct weft_linear linear;
    float *params, *gradient, *turned; /* of the layer's layout; scratch of dX */
    weft_tensor x, dz, y, dx;          /* those that the product reads or writes, else empty */
    struct weft_linear_bf16 bf16;      /* empty for float32 and for few outputs */
};

static weft_context *context;

static void must(weft_status status)
{
    if (status != WEFT_OK) {
        bench_die("no memory");
    }
}

static void fill(weft_tensor *t, const float *from)
{
    for (size_t i = 0; i < t->rows; i++) {
        memcpy((float *)t->data + i * t->ld, from + i * t->cols, t->cols * sizeof *from);
    }
}

/* W with a bias of 0, as the other libraries have none. */
static float *packed(const struct weft_linear *linear, const float *w)
{
    float *params = weft_mem_zalloc(linear->len, sizeof *params);
    must(params == NULL ? WEFT_ERR_NOMEM : WEFT_OK);
    for (size_t i = 0; i < linear->n_in; i++) {
        for (size_t o = 0; o < linear->n_out; o++) {
            params[weft_linear_at(linear, i, o)] = w[i * linear->n_out + o];
        }
    }
    return params;
}

static void *prepare(const struct product_task *task, size_t variant)
{
    struct call *call = bench_alloc(1, sizeof *call);
    *call = (struct call){
        .variant = (enum variant)variant,
        .product = task->product,
        .linear = weft_linear_of(task->n_in, task->n_out),
    };
    call->params = packed(&call->linear, task->w);
    if (task->product != PRODUCT_DX) {
        must(weft_linear_input_init(&call->x, task->batch, task->n_in));
        fill(&call->x, task->x);
    }
    if (task->product != PRODUCT_FORWARD) {
        must(weft_tensor_init(&call->dz, WEFT_F32, task->batch, task->n_out));
        fill(&call->dz, task->dz);
    }
    switch (task->product) {
    case PRODUCT_FORWARD:
        must(weft_linear_input_init(&call->y, task->batch, task->n_out));
        break;
    case PRODUCT_DX:
        must(weft_tensor_init(&call->dx, WEFT_F32, task->batch, task->n_in));
        call->turned = weft_mem_alloc(weft_linear_turned_len(&call->linear, WEFT_LINEAR_MAX_ROWS),
                                      sizeof *call->turned);
        must(call->turned == NULL ? WEFT_ERR_NOMEM : WEFT_OK);
        break;
    default:
        call->gradient = weft_mem_zalloc(call->linear.len, sizeof *call->gradient);
        must(call->gradient == NULL ? WEFT_ERR_NOMEM : WEFT_OK);
    }
    if (task->bf16) {
        struct weft_bf16_uses uses = {.weight_gradient = task->product == PRODUCT_DW,
                                      .input_gradient = task->product == PRODUCT_DX};
        must(
            weft_linear_bf16_init(&call->bf16, context, &call->linear, WEFT_LINEAR_MAX_ROWS, uses));
    }
    if (call->bf16.w_pairs != NULL) {
        weft_linear_bf16_weights_team(context, &call->linear, call->params, &call->bf16);
    }
    return call;
}

static weft_tensor part_of(const weft_tensor *t, size_t row, size_t rows)
{
    return t->data == NULL ? *t : weft_tensor_view(t, row, 0, rows, t->cols);
}

static void multiply_part(const struct call *call, size_t row, size_t rows)
{
    weft_tensor x = part_of(&call->x, row, rows), dz = part_of(&call->dz, row, rows);
    weft_tensor dx = part_of(&call->dx, row, rows);
    const struct weft_linear_bf16 *bf16 = call->bf16.w_pairs != NULL ? &call->bf16 : NULL;
    /* In training whoever makes X and dZ rounds them, but for the first and last ones. */
    if (bf16 != NULL && call->product != PRODUCT_DX) {
        weft_linear_bf16_input_team(context, &x, bf16);
    }
    if (bf16 != NULL && call->product != PRODUCT_FORWARD) {
        weft_linear_bf16_gradient_team(context, &dz, bf16);
    }
    switch (call->product) {
    case PRODUCT_FORWARD:
        weft_linear_forward_team(context, &(struct weft_forward_job){
                                              .linear = &call->linear,
                                              .params = call->params,
                                              .x = x,
                                              .y = part_of(&call->y, row, rows),
                                              .f = WEFT_IDENTITY,
                                              .bf16 = bf16,
                                          });
        break;
    case PRODUCT_DX:
        weft_linear_input_gradient_team(context, &(struct weft_input_gradient_job){
                                                     .linear = &call->linear,
                                                     .params = call->params,
                                                     .dz = dz,
                                                     .dx = dx,
                                                     .saved = dx,
                                                     .f = WEFT_IDENTITY,
                                                     .turned = call->turned,
                                                     .bf16 = bf16,
                                                 });
        break;
    default:
        weft_linear_weight_gradient_nowait(context, &(struct weft_weight_gradient_job){
                                                        .linear = &call->linear,
                                                        .x = x,
                                                        .dz = dz,
                                                        .gradient = call->gradient,
                                                        .accumulate = row > 0,
                                                        .bf16 = bf16,
                                                    });
        weft_team_barrier(context);
    }
}

/* In parts, as training does. */
static void multiply(const struct call *call)
{
    size_t batch = call->x.data != NULL ? call->x.rows : call->dz.rows;
    for (size_t row = 0; row < batch; row += WEFT_LINEAR_MAX_ROWS) {
        size_t left = batch - row;
        multiply_part(call, row, left < WEFT_LINEAR_MAX_ROWS ? left : WEFT_LINEAR_MAX_ROWS);
    }
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
    const struct weft_linear *linear = &call->linear;
    const weft_tensor *t = call->product == PRODUCT_FORWARD ? &call->y : &call->dx;
    for (size_t i = 0; call->gradient == NULL && i < t->rows; i++) {
        memcpy(out + i * t->cols, (const float *)t->data + i * t->ld, t->cols * sizeof *out);
    }
    for (size_t i = 0; call->gradient != NULL && i < linear->n_in; i++) {
        for (size_t o = 0; o < linear->n_out; o++) {
            out[i * linear->n_out + o] = call->gradient[weft_linear_at(linear, i, o)];
        }
    }
}

static void release(void *state)
{
    struct call *call = state;
    weft_mem_free(call->params);
    weft_mem_free(call->gradient);
    weft_mem_free(call->turned);
    weft_linear_bf16_release(&call->bf16);
    weft_tensor_release(&call->x);
    weft_tensor_release(&call->dz);
    weft_tensor_release(&call->y);
    weft_tensor_release(&call->dx);
    free(call);
}

int main(int argc, char **argv)
{
    static const char *const variants[N_VARIANTS] = {"team", "call"};
    const struct worker_backend backend = {N_VARIANTS, variants, prepare, run, result, release};
    const char *threads = worker_option(argc, argv, "--threads");
    weft_context_options options = {.n_threads = threads == NULL ? 1 : strtoul(threads, NULL, 10),
                                    .isa = worker_option(argc, argv, "--isa"),
                                    .precision =
                                        WEFT_PRECISION_BF16}; /* and float32 all the same */
    weft_error err;
    if (weft_context_new(&options, &context, &err) != WEFT_OK) {
        bench_die("%s", err.message);
    }
    int status = worker_serve(&backend);
    weft_context_free(context);
    return status;
}
