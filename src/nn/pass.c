/* Forward and backward passes (Rumelhart, Hinton & Williams 1986, in matrix form as in
 * Goodfellow, Bengio & Courville 2016, alg. 6.3 and 6.4). A batch is B rows; all shapes are in
 * pass.h. */
#include "nn/pass.h"

#include <assert.h>
#include <string.h>

#include "base/fail.h"
#include "base/mem.h"
#include "nn/layers.h"
#include "ops/gather.h"
#include "ops/gemm.h"
#include "ops/reduce.h"
#include "ops/team.h"

/* What backward needs of layer l beyond forward and loss. */
static weft_status init_backward(struct weft_pass_layer *buffers, const weft_net *net, size_t l,
                                 size_t rows)
{
    const struct weft_layer *layer = &net->layers[l];
    weft_status status = WEFT_OK;
    if (l + 1 < net->n_layers) {
        status = weft_tensor_init(&buffers->dz, WEFT_F32, rows, layer->n_out);
    }
    if (status == WEFT_OK && weft_gemm_saves_input(layer->f)) {
        status = weft_tensor_init(&buffers->pre, WEFT_F32, rows, layer->n_out);
    }
    if (status == WEFT_OK && l > 0) {
        status = weft_tensor_init(&buffers->wt, WEFT_F32, layer->n_out, layer->n_in);
    }
    return status;
}

static weft_status init_layer(struct weft_pass_layer *buffers, enum weft_pass_kind kind,
                              const weft_net *net, size_t l, size_t rows)
{
    size_t n_out = net->layers[l].n_out;
    weft_status status = weft_tensor_init(&buffers->y, WEFT_F32, rows, n_out);
    if (status == WEFT_OK && l + 1 == net->n_layers) {
        status = weft_tensor_init(&buffers->dz, WEFT_F32, rows, n_out);
    }
    if (status == WEFT_OK && kind == WEFT_PASS_BACKWARD) {
        status = init_backward(buffers, net, l, rows);
    }
    return status;
}

weft_status weft_pass_init(struct weft_pass *pass, enum weft_pass_kind kind, weft_context *context,
                           const weft_net *net, size_t max_rows, weft_error *err)
{
    assert(max_rows <= WEFT_PASS_ROWS);
    *pass = (struct weft_pass){
        .net = net,
        .context = context,
        .n_layers = net->n_layers,
        .layers = weft_mem_zalloc(net->n_layers, sizeof *pass->layers),
        .sums = weft_mem_zalloc(weft_loss_n_blocks(max_rows), sizeof *pass->sums),
    };
    weft_status status = pass->layers != NULL && pass->sums != NULL ? WEFT_OK : WEFT_ERR_NOMEM;
    if (status == WEFT_OK) {
        status = weft_tensor_init(&pass->x, WEFT_F32, max_rows, weft_net_n_inputs(net));
    }
    for (size_t l = 0; status == WEFT_OK && l < net->n_layers; l++) {
        status = init_layer(&pass->layers[l], kind, net, l, max_rows);
    }
    if (status != WEFT_OK) {
        weft_pass_release(pass);
        return weft_fail_nomem(err, "the activations of a batch");
    }
    return WEFT_OK;
}

void weft_pass_release(struct weft_pass *pass)
{
    for (size_t l = 0; pass->layers != NULL && l < pass->n_layers; l++) {
        weft_tensor_release(&pass->layers[l].y);
        weft_tensor_release(&pass->layers[l].pre);
        weft_tensor_release(&pass->layers[l].dz);
        weft_tensor_release(&pass->layers[l].wt);
    }
    weft_tensor_release(&pass->x);
    weft_mem_free(pass->layers);
    weft_mem_free(pass->sums);
    *pass = (struct weft_pass){0};
}

/* The first n rows of a buffer; an empty buffer stays empty. */
static weft_tensor top(const weft_tensor *buffer, size_t n)
{
    return buffer->data == NULL ? *buffer : weft_tensor_view(buffer, 0, 0, n, buffer->cols);
}

weft_tensor weft_pass_logits(const struct weft_pass *pass, size_t n)
{
    return top(&pass->layers[pass->n_layers - 1].y, n);
}

/* What layer l reads: the batch, or the output of the layer below. */
static weft_tensor input_of(const struct weft_pass *pass, size_t l, size_t n)
{
    return top(l == 0 ? &pass->x : &pass->layers[l - 1].y, n);
}

void weft_pass_forward_team(struct weft_pass *pass, const struct weft_part *part)
{
    const weft_scaling *scaling = &pass->net->scaling;
    weft_tensor x = top(&pass->x, part->n);
    weft_gather_team(pass->context, part->x, part->rows, part->first, scaling->n, scaling->shift,
                     scaling->scale, &x);
    for (size_t l = 0; l < pass->n_layers; l++) {
        const struct weft_layer *layer = &pass->net->layers[l];
        /* Y [B, n_out] = f(X [B, n_in] W [n_in, n_out] + b) */
        weft_gemm_team(pass->context, &(struct weft_gemm_job){
                                          .a = input_of(pass, l, part->n),
                                          .b = weft_layer_weight(layer, pass->net->params),
                                          .c = top(&pass->layers[l].y, part->n),
                                          .epilogue = WEFT_EPILOGUE_ACTIVATE,
                                          .f = layer->f,
                                          .bias = weft_layer_bias(layer, pass->net->params),
                                          .saved = top(&pass->layers[l].pre, part->n),
                                      });
    }
}

void weft_pass_loss_team(struct weft_pass *pass, const struct weft_part *part, float weight)
{
    weft_tensor z = weft_pass_logits(pass, part->n);
    weft_tensor dz = top(&pass->layers[pass->n_layers - 1].dz, part->n);
    weft_loss_team(pass->context, pass->net->output, &z, part->targets, part->rows, part->first,
                   weight, &dz, pass->sums);
}

/* dZ [B, n_in] of the layer below = (dZ [B, n_out] W^T [n_out, n_in]) * f'(.) */
static void propagate_team(struct weft_pass *pass, size_t l, const weft_tensor *dz, size_t n)
{
    const struct weft_pass_layer *below = &pass->layers[l - 1];
    weft_activation f = pass->net->layers[l - 1].f;
    weft_gemm_team(pass->context,
                   &(struct weft_gemm_job){
                       .a = *dz,
                       .b = pass->layers[l].wt,
                       .c = top(&below->dz, n),
                       .epilogue = WEFT_EPILOGUE_GRADIENT,
                       .f = f,
                       .saved = top(weft_gemm_saves_input(f) ? &below->pre : &below->y, n),
                   });
}

void weft_pass_backward_team(struct weft_pass *pass, const struct weft_part *part, float *gradient,
                             bool accumulate)
{
    for (size_t l = pass->n_layers; l-- > 0;) {
        const struct weft_layer *layer = &pass->net->layers[l];
        weft_tensor dz = top(&pass->layers[l].dz, part->n);
        /* dW [n_in, n_out] = X^T [n_in, B] dZ [B, n_out] */
        weft_gemm_team(pass->context, &(struct weft_gemm_job){
                                          .a = input_of(pass, l, part->n),
                                          .b = dz,
                                          .c = weft_layer_weight(layer, gradient),
                                          .transpose_a = true,
                                          .accumulate = accumulate,
                                      });
        /* db [n_out] = sum over the batch of dZ */
        weft_column_sums_team(pass->context, &dz, weft_layer_bias(layer, gradient), accumulate);
        if (l > 0 && !accumulate) {
            weft_tensor w = weft_layer_weight(layer, pass->net->params);
            weft_transpose_team(pass->context, &w, &pass->layers[l].wt);
        }
        if (l > 0) {
            propagate_team(pass, l, &dz, part->n);
        }
    }
}

struct over_job {
    struct weft_pass *pass;
    const weft_tensor *x;
    const weft_targets *targets;
    weft_tensor *logits;
    struct weft_loss_sum *total;
};

/* The bookkeeping of a part, by one thread. */
static void collect(const struct over_job *job, const struct weft_part *part)
{
    if (job->logits != NULL) {
        weft_tensor from = weft_pass_logits(job->pass, part->n);
        for (size_t i = 0; i < part->n; i++) {
            memcpy((float *)job->logits->data + (part->first + i) * job->logits->ld,
                   (const float *)from.data + i * from.ld, from.cols * sizeof(float));
        }
    }
    if (job->targets != NULL) {
        struct weft_loss_sum sum = weft_loss_total(job->pass->sums, weft_loss_n_blocks(part->n));
        job->total->loss += sum.loss;
        job->total->n_right += sum.n_right;
    }
}

static void over_team(void *arg)
{
    const struct over_job *job = arg;
    size_t max_rows = job->pass->x.rows;
    for (size_t first = 0; first < job->x->rows; first += max_rows) {
        size_t left = job->x->rows - first;
        struct weft_part part = {
            .x = job->x,
            .targets = job->targets,
            .first = first,
            .n = left < max_rows ? left : max_rows,
        };
        weft_pass_forward_team(job->pass, &part);
        if (job->targets != NULL) {
            weft_pass_loss_team(job->pass, &part, 1.0f);
        }
#pragma omp single nowait
        collect(job, &part);
        weft_team_barrier(job->pass->context);
    }
}

void weft_pass_over(struct weft_pass *pass, const weft_tensor *x, const weft_targets *targets,
                    weft_tensor *logits, struct weft_loss_sum *total)
{
    if (total != NULL) {
        *total = (struct weft_loss_sum){0};
    }
    weft_team_run(pass->context, over_team, &(struct over_job){pass, x, targets, logits, total});
}
