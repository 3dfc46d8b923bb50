/* oneDNN's inner product, matrix multiplication and sgemm (version 2's interface in C). Weights and
 * their gradient are in whatever layout a primitive prefers; activations and their gradients, which
 * are new in each step, are row-major. The number of threads comes from OMP_NUM_THREADS.
 *
 * In bfloat16 the factors are of that type and the result is float32, or bfloat16 in the variants
 * that end in "16". */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <oneapi/dnnl/dnnl.h>

#include "harness.h"
#include "worker.h"

enum variant { IP, IP_16, MATMUL, MATMUL_16, MATMUL_T, SGEMM, N_VARIANTS };

/* One of the three matrices of a primitive: its logical shape and how the caller's dense float32
 * matrix is to be read as such. */
struct operand {
    int arg;
    dnnl_query_t query;
    dnnl_dims_t dims, strides;
    const float *data; /* NULL: the result */
    bool any_layout, bf16;
};

struct call {
    dnnl_primitive_t primitive; /* NULL: sgemm */
    dnnl_exec_arg_t args[3];
    const struct product_task *task;
    struct operand result;
    dnnl_memory_t result_memory;
    float *c; /* of sgemm */
};

static dnnl_engine_t engine;
static dnnl_stream_t stream;

static void must(dnnl_status_t status)
{
    if (status != dnnl_success) {
        bench_die("oneDNN: status %d", (int)status);
    }
}

static struct operand operand(int arg, dnnl_query_t query, size_t rows, size_t cols,
                              bool transposed, const float *data)
{
    struct operand o = {.arg = arg, .query = query, .data = data};
    o.dims[0] = (dnnl_dim_t)rows, o.dims[1] = (dnnl_dim_t)cols;
    o.strides[0] = transposed ? 1 : (dnnl_dim_t)cols;
    o.strides[1] = transposed ? (dnnl_dim_t)rows : 1;
    return o;
}

/* What the primitive is asked for. */
static dnnl_memory_desc_t wish(const struct operand *o)
{
    dnnl_memory_desc_t md;
    dnnl_data_type_t type = o->bf16 ? dnnl_bf16 : dnnl_f32;
    if (o->any_layout) {
        must(dnnl_memory_desc_init_by_tag(&md, 2, o->dims, type, dnnl_format_tag_any));
    } else {
        must(dnnl_memory_desc_init_by_strides(&md, 2, o->dims, type, o->strides));
    }
    return md;
}

static void reorder(dnnl_memory_t from, dnnl_memory_t to)
{
    const dnnl_memory_desc_t *from_md, *to_md;
    dnnl_primitive_desc_t pd;
    dnnl_primitive_t primitive;
    must(dnnl_memory_get_memory_desc(from, &from_md));
    must(dnnl_memory_get_memory_desc(to, &to_md));
    must(dnnl_reorder_primitive_desc_create(&pd, from_md, engine, to_md, engine, NULL));
    must(dnnl_primitive_create(&primitive, pd));
    const dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
    must(dnnl_primitive_execute(primitive, stream, 2, args));
    must(dnnl_stream_wait(stream));
    must(dnnl_primitive_destroy(primitive));
    must(dnnl_primitive_desc_destroy(pd));
}

/* The caller's matrix as oneDNN sees it. */
static dnnl_memory_t users_memory(const struct operand *o, const float *data)
{
    dnnl_memory_desc_t md;
    dnnl_memory_t memory;
    must(dnnl_memory_desc_init_by_strides(&md, 2, o->dims, dnnl_f32, o->strides));
    must(dnnl_memory_create(&memory, &md, engine, (void *)(uintptr_t)data));
    return memory;
}

static void set_types(const struct product_task *task, bool short_result, struct operand o[3])
{
    for (int k = 0; k < 3; k++) {
        o[k].bf16 = task->bf16 && (o[k].data != NULL || short_result);
    }
}

/* Y[n,oc] = X[n,ic] W[oc,ic]^T and its gradients. */
static dnnl_status_t create_ip(const struct product_task *task, bool short_result,
                               struct operand o[3], dnnl_primitive_desc_t *pd)
{
    dnnl_primitive_desc_t forward = NULL;
    dnnl_inner_product_desc_t d;
    bool dx = task->product == PRODUCT_DX, dw = task->product == PRODUCT_DW;
    o[0] = operand(dx ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC,
                   dx ? dnnl_query_diff_src_md : dnnl_query_src_md, task->batch, task->n_in, false,
                   dx ? NULL : task->x);
    o[1] = operand(dw ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS,
                   dw ? dnnl_query_diff_weights_md : dnnl_query_weights_md, task->n_out, task->n_in,
                   true, dw ? NULL : task->w);
    o[2] = operand(dx || dw ? DNNL_ARG_DIFF_DST : DNNL_ARG_DST,
                   dx || dw ? dnnl_query_diff_dst_md : dnnl_query_dst_md, task->batch, task->n_out,
                   false, dx || dw ? task->dz : NULL);
    o[1].any_layout = true;
    set_types(task, short_result, o);
    dnnl_memory_desc_t src = wish(&o[0]), weights = wish(&o[1]), dst = wish(&o[2]);
    must(dnnl_inner_product_forward_desc_init(&d, dnnl_forward_training, &src, &weights, NULL,
                                              &dst));
    dnnl_status_t status = dnnl_primitive_desc_create(&forward, &d, NULL, engine, NULL);
    if (!dx && !dw) {
        *pd = forward;
        return status;
    }
    if (dx) {
        must(dnnl_inner_product_backward_data_desc_init(&d, &src, &weights, &dst));
    } else {
        must(dnnl_inner_product_backward_weights_desc_init(&d, &src, &weights, NULL, &dst));
    }
    if (status == dnnl_success) {
        status = dnnl_primitive_desc_create(pd, &d, NULL, engine, forward);
        must(dnnl_primitive_desc_destroy(forward));
    }
    return status;
}

/* Only what a primitive may keep from step to step is in its own layout: W and dW. */
static dnnl_status_t create_matmul(const struct product_task *t, bool short_result, bool transposed,
                                   struct operand o[3], dnnl_primitive_desc_t *pd)
{
    const int src = DNNL_ARG_SRC, weights = DNNL_ARG_WEIGHTS, dst = DNNL_ARG_DST;
    const dnnl_query_t q0 = dnnl_query_src_md, q1 = dnnl_query_weights_md, q2 = dnnl_query_dst_md;
    size_t batch = t->batch, n_in = t->n_in, n_out = t->n_out;
    if (t->product == PRODUCT_FORWARD) {
        o[0] = operand(src, q0, batch, n_in, false, t->x);
        o[1] = operand(weights, q1, n_in, n_out, false, t->w);
        o[2] = operand(dst, q2, batch, n_out, false, NULL);
    } else if (t->product == PRODUCT_DX) {
        o[0] = operand(src, q0, batch, n_out, false, t->dz);
        o[1] = operand(weights, q1, n_out, n_in, true, t->w);
        o[2] = operand(dst, q2, batch, n_in, false, NULL);
    } else if (transposed) {
        o[0] = operand(src, q0, n_out, batch, true, t->dz);
        o[1] = operand(weights, q1, batch, n_in, false, t->x);
        o[2] = operand(dst, q2, n_out, n_in, true, NULL);
    } else {
        o[0] = operand(src, q0, n_in, batch, true, t->x);
        o[1] = operand(weights, q1, batch, n_out, false, t->dz);
        o[2] = operand(dst, q2, n_in, n_out, false, NULL);
    }
    o[t->product == PRODUCT_DW ? 2 : 1].any_layout = true;
    set_types(t, short_result, o);
    dnnl_memory_desc_t a = wish(&o[0]), b = wish(&o[1]), c = wish(&o[2]);
    dnnl_matmul_desc_t d;
    dnnl_status_t status = dnnl_matmul_desc_init(&d, &a, &b, NULL, &c);
    return status == dnnl_success ? dnnl_primitive_desc_create(pd, &d, NULL, engine, NULL) : status;
}

/* Allocates the primitive's matrices and fills its factors. */
static void bind(struct call *call, const struct operand o[3], dnnl_primitive_desc_t pd)
{
    must(dnnl_primitive_create(&call->primitive, pd));
    for (int k = 0; k < 3; k++) {
        const dnnl_memory_desc_t *md = dnnl_primitive_desc_query_md(pd, o[k].query, 0);
        dnnl_memory_t memory;
        must(dnnl_memory_create(&memory, md, engine, DNNL_MEMORY_ALLOCATE));
        call->args[k] = (dnnl_exec_arg_t){o[k].arg, memory};
        if (o[k].data == NULL) {
            call->result = o[k];
            call->result_memory = memory;
            continue;
        }
        dnnl_memory_t from = users_memory(&o[k], o[k].data);
        reorder(from, memory);
        must(dnnl_memory_destroy(from));
    }
}

static void *prepare(const struct product_task *task, size_t variant)
{
    struct operand o[3];
    dnnl_primitive_desc_t pd = NULL;
    dnnl_status_t status = dnnl_unimplemented;
    bool short_result = variant == IP_16 || variant == MATMUL_16;
    struct call *call = bench_alloc(1, sizeof *call);
    call->task = task;
    if (variant == SGEMM && !task->bf16) {
        call->c = bench_floats(product_rows(task) * product_cols(task));
        return call;
    }
    if ((variant == IP || (variant == IP_16 && task->bf16))) {
        status = create_ip(task, short_result, o, &pd);
    } else if (variant == MATMUL || (variant == MATMUL_16 && task->bf16) ||
               (variant == MATMUL_T && task->product == PRODUCT_DW)) {
        status = create_matmul(task, short_result, variant == MATMUL_T, o, &pd);
    }
    if (status != dnnl_success) {
        free(call);
        return NULL;
    }
    bind(call, o, pd);
    must(dnnl_primitive_desc_destroy(pd));
    return call;
}

static void call_sgemm(const struct product_task *t, float *c)
{
    dnnl_dim_t batch = (dnnl_dim_t)t->batch, n_in = (dnnl_dim_t)t->n_in,
               n_out = (dnnl_dim_t)t->n_out;
    switch (t->product) {
    case PRODUCT_FORWARD:
        must(dnnl_sgemm('N', 'N', batch, n_out, n_in, 1.0f, t->x, n_in, t->w, n_out, 0.0f, c,
                        n_out));
        break;
    case PRODUCT_DX:
        must(dnnl_sgemm('N', 'T', batch, n_in, n_out, 1.0f, t->dz, n_out, t->w, n_out, 0.0f, c,
                        n_in));
        break;
    default:
        must(dnnl_sgemm('T', 'N', n_in, n_out, batch, 1.0f, t->x, n_in, t->dz, n_out, 0.0f, c,
                        n_out));
    }
}

static void run(void *state, size_t times)
{
    struct call *call = state;
    for (size_t k = 0; k < times; k++) {
        if (call->primitive == NULL) {
            call_sgemm(call->task, call->c);
        } else {
            must(dnnl_primitive_execute(call->primitive, stream, 3, call->args));
        }
    }
    must(dnnl_stream_wait(stream));
}

static void result(void *state, float *out)
{
    struct call *call = state;
    if (call->primitive == NULL) {
        memcpy(out, call->c, product_rows(call->task) * product_cols(call->task) * sizeof *out);
        return;
    }
    dnnl_memory_t to = users_memory(&call->result, out);
    reorder(call->result_memory, to);
    must(dnnl_memory_destroy(to));
}

static void release(void *state)
{
    struct call *call = state;
    for (int k = 0; k < 3 && call->primitive != NULL; k++) {
        must(dnnl_memory_destroy(call->args[k].memory));
    }
    if (call->primitive != NULL) {
        must(dnnl_primitive_destroy(call->primitive));
    }
    free(call->c);
    free(call);
}

int main(void)
{
    static const char *const variants[N_VARIANTS] = {"ip",       "ip16",     "matmul",
                                                     "matmul16", "matmul-t", "sgemm"};
    const struct worker_backend backend = {N_VARIANTS, variants, prepare, run, result, release};
    must(dnnl_engine_create(&engine, dnnl_cpu, 0));
    must(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags));
    int status = worker_serve(&backend);
    must(dnnl_stream_destroy(stream));
    must(dnnl_engine_destroy(engine));
    return status;
}
