/* Forward and backward passes (Rumelhart, Hinton & Williams 1986, in matrix form as in
 * Goodfellow, Bengio & Courville 2016, alg. 6.3 and 6.4). A batch is B rows; all shapes are in
 * pass.h. */
#include "nn/pass.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/fail.h"
#include "base/mem.h"
#include "nn/layers.h"
#include "ops/gather.h"
#include "ops/linear.h"
#include "ops/team.h"
#include "ops/tiles.h"

/* Samples looked at to tell whether data are mostly zeros. */
enum { SAMPLED_ROWS = 256 };

static float raw_value(const weft_tensor *x, size_t i, size_t j)
{
    size_t at = i * x->ld + j;
    return x->dtype == WEFT_U8 ? (float)((const uint8_t *)x->data)[at]
                               : ((const float *)x->data)[at];
}

/* Whether at least half of the scaled values are zero, judged by rows spread over x. Lists of what
 * is not zero then pay; they cost a few percent where nothing is. */
static bool is_mostly_zeros(const weft_tensor *x, const weft_scaling *scaling)
{
    size_t n_rows = x->rows < SAMPLED_ROWS ? x->rows : SAMPLED_ROWS;
    size_t n_zeros = 0;
    for (size_t r = 0; r < n_rows; r++) {
        size_t i = x->rows / n_rows * r;
        for (size_t j = 0; j < x->cols; j++) {
            float shift = scaling->n == 0 ? 0 : scaling->shift[scaling->n > 1 ? j : 0];
            n_zeros += raw_value(x, i, j) == shift;
        }
    }
    return n_zeros >= n_rows * x->cols - n_zeros;
}

/* What backward needs of layer l beyond forward and loss. */
static weft_status init_backward(struct weft_pass_layer *buffers, const weft_net *net, size_t l,
                                 size_t rows)
{
    const struct weft_layer *layer = &net->layers[l];
    weft_status status = WEFT_OK;
    if (l + 1 < net->n_layers) {
        status = weft_tensor_init(&buffers->dz, WEFT_F32, rows, layer->linear.n_out);
    }
    if (status == WEFT_OK && weft_linear_saves_input(layer->f)) {
        status = weft_tensor_init(&buffers->pre, WEFT_F32, rows, layer->linear.n_out);
    }
    return status;
}

/* Passes that only evaluate have batch normalisation folded into the weights. */
static bool normalises(const struct weft_layer *layer, enum weft_pass_kind kind)
{
    return layer->norm == WEFT_NORM_LAYER ||
           (layer->norm == WEFT_NORM_BATCH && kind == WEFT_PASS_BACKWARD);
}

static weft_status init_norm(struct weft_pass_layer *buffers, const struct weft_layer *layer,
                             size_t rows)
{
    size_t n_pair = 2 * weft_norm_stride(layer->linear.n_out);
    buffers->moments = weft_mem_zalloc(rows > n_pair ? rows : n_pair, sizeof *buffers->moments);
    buffers->norm_gradient = weft_mem_zalloc(n_pair, sizeof *buffers->norm_gradient);
    return buffers->moments != NULL && buffers->norm_gradient != NULL
               ? weft_tensor_init(&buffers->z, WEFT_F32, rows, layer->linear.n_out)
               : WEFT_ERR_NOMEM;
}

static weft_status init_layer(struct weft_pass_layer *buffers, enum weft_pass_kind kind,
                              const weft_net *net, size_t l, size_t rows)
{
    size_t n_out = net->layers[l].linear.n_out;
    weft_status status = weft_linear_input_init(&buffers->y, rows, n_out);
    if (status == WEFT_OK && l + 1 == net->n_layers) {
        status = weft_tensor_init(&buffers->dz, WEFT_F32, rows, n_out);
    }
    if (status == WEFT_OK && normalises(&net->layers[l], kind)) {
        status = init_norm(buffers, &net->layers[l], rows);
    }
    if (status == WEFT_OK && kind == WEFT_PASS_BACKWARD) {
        status = init_backward(buffers, net, l, rows);
    }
    return status;
}

static weft_status init_bf16(struct weft_pass *pass, enum weft_pass_kind kind, const weft_tensor *x,
                             size_t rows)
{
    bool backward = kind == WEFT_PASS_BACKWARD;
    weft_status status = WEFT_OK;
    for (size_t l = 0; status == WEFT_OK && l < pass->n_layers; l++) {
        struct weft_bf16_uses uses = {.weight_gradient = backward,
                                      .input_gradient = backward && l > 0,
                                      .zeros = l == 0 && is_mostly_zeros(x, &pass->net->scaling)};
        status = weft_linear_bf16_init(&pass->layers[l].bf16, pass->context,
                                       &pass->net->layers[l].linear, rows, uses);
    }
    return status;
}

/* The bfloat16 copies of layer l, or NULL: it computes in float32, or there is no such layer. */
static const struct weft_linear_bf16 *bf16_of(const struct weft_pass *pass, size_t l)
{
    bool there = l < pass->n_layers && pass->layers[l].bf16.w_pairs != NULL;
    return there ? &pass->layers[l].bf16 : NULL;
}

/* Room for dZ^T of whichever layer wants most. */
static weft_status init_turned(struct weft_pass *pass, size_t rows)
{
    size_t len = 0;
    for (size_t l = 1; l < pass->n_layers; l++) {
        size_t wanted = bf16_of(pass, l) != NULL
                            ? 0
                            : weft_linear_turned_len(&pass->net->layers[l].linear, rows);
        len = wanted > len ? wanted : len;
    }
    pass->turned = weft_mem_alloc(len, sizeof *pass->turned);
    return pass->turned != NULL ? WEFT_OK : WEFT_ERR_NOMEM;
}

static weft_status init_buffers(struct weft_pass *pass, enum weft_pass_kind kind,
                                const weft_tensor *x, size_t rows)
{
    const weft_net *net = pass->net;
    bool backward = kind == WEFT_PASS_BACKWARD;
    weft_status status = weft_linear_input_init(&pass->x, rows, weft_net_n_inputs(net));
    if (status == WEFT_OK && weft_context_precision(pass->context) == WEFT_PRECISION_BF16) {
        status = init_bf16(pass, kind, x, rows);
    }
    if (status == WEFT_OK && bf16_of(pass, 0) == NULL &&
        weft_linear_uses_nonzeros(&net->layers[0].linear) && is_mostly_zeros(x, &net->scaling)) {
        status = weft_nonzeros_init(&pass->nonzeros, pass->context, rows, weft_net_n_inputs(net),
                                    backward, false);
    }
    for (size_t l = 0; status == WEFT_OK && l < net->n_layers; l++) {
        status = init_layer(&pass->layers[l], kind, net, l, rows);
    }
    if (status == WEFT_OK && weft_net_has_statistics(net)) {
        pass->folded = weft_mem_alloc(net->block_len, sizeof *pass->folded);
        status = pass->folded != NULL ? WEFT_OK : WEFT_ERR_NOMEM;
    }
    return status == WEFT_OK && backward ? init_turned(pass, rows) : status;
}

/* The parameters that forward uses. */
static const float *params_of(const struct weft_pass *pass)
{
    return pass->folds ? pass->folded : pass->net->params;
}

void weft_pass_copy_params_team(struct weft_pass *pass)
{
    for (size_t l = 0; l < pass->n_layers; l++) {
        const struct weft_layer *layer = &pass->net->layers[l];
        if (bf16_of(pass, l) != NULL) {
            weft_linear_bf16_weights_team(pass->context, &layer->linear,
                                          params_of(pass) + layer->at, bf16_of(pass, l));
        }
    }
}

static void copy_params(void *pass)
{
    weft_pass_copy_params_team(pass);
}

static void release_layers(struct weft_pass_layer *layers, size_t n_layers)
{
    for (size_t l = 0; layers != NULL && l < n_layers; l++) {
        weft_tensor_release(&layers[l].y);
        weft_tensor_release(&layers[l].pre);
        weft_tensor_release(&layers[l].dz);
        weft_tensor_release(&layers[l].z);
        weft_mem_free(layers[l].moments);
        weft_mem_free(layers[l].norm_gradient);
        weft_tensor_release(&layers[l].keep);
        weft_tensor_release(&layers[l].dropped);
        weft_linear_bf16_release(&layers[l].bf16);
    }
    weft_mem_free(layers);
}

weft_status weft_pass_init(struct weft_pass *pass, enum weft_pass_kind kind, weft_context *context,
                           const weft_net *net, const weft_tensor *x, size_t max_rows,
                           weft_error *err)
{
    assert(max_rows <= WEFT_PASS_ROWS);
    *pass = (struct weft_pass){
        .net = net,
        .context = context,
        .n_layers = net->n_layers,
        .max_rows = max_rows,
        .layers = weft_mem_zalloc(net->n_layers, sizeof *pass->layers),
        .sums = weft_mem_zalloc(weft_loss_n_blocks(max_rows), sizeof *pass->sums),
    };
    weft_status status = pass->layers != NULL && pass->sums != NULL ? WEFT_OK : WEFT_ERR_NOMEM;
    if (status == WEFT_OK) {
        status = init_buffers(pass, kind, x, max_rows);
    }
    if (status != WEFT_OK) {
        weft_pass_release(pass);
        return weft_fail_nomem(err, "the activations of a batch");
    }
    if (weft_context_precision(context) == WEFT_PRECISION_BF16) {
        weft_team_run(context, copy_params, pass);
    }
    return WEFT_OK;
}

static weft_status init_dropout(struct weft_pass_layer *layer)
{
    weft_status status = weft_tensor_init(&layer->keep, WEFT_U8, layer->y.rows, layer->y.cols);
    return status == WEFT_OK ? weft_linear_input_init(&layer->dropped, layer->y.rows, layer->y.cols)
                             : status;
}

weft_status weft_pass_allow(struct weft_pass *pass, const struct weft_perturb *perturb,
                            weft_error *err)
{
    weft_status status = WEFT_OK;
    for (size_t l = 0; status == WEFT_OK && perturb->dropout > 0 && l + 1 < pass->n_layers; l++) {
        status = init_dropout(&pass->layers[l]);
    }
    if (perturb->input_noise > 0) {
        weft_nonzeros_release(&pass->nonzeros); /* there will be no zeros to leave out */
    }
    return status == WEFT_OK ? status : weft_fail_nomem(err, "the activations of a batch");
}

void weft_pass_release(struct weft_pass *pass)
{
    release_layers(pass->layers, pass->n_layers);
    weft_tensor_release(&pass->x);
    weft_nonzeros_release(&pass->nonzeros);
    weft_packed_release(&pass->kept.packed);
    weft_mem_free(pass->turned);
    weft_mem_free(pass->sums);
    weft_mem_free(pass->folded);
    *pass = (struct weft_pass){0};
}

double weft_pass_flop(const weft_net *net, enum weft_pass_kind kind, size_t rows)
{
    double n_products = kind == WEFT_PASS_BACKWARD ? 3 : 1;
    return n_products * 2 * (double)weft_net_n_params(net) * (double)rows;
}

/* Rows at .. at + n of a buffer; an empty buffer stays empty. */
static weft_tensor rows_of(const weft_tensor *buffer, size_t at, size_t n)
{
    return buffer->data == NULL ? *buffer : weft_tensor_view(buffer, at, 0, n, buffer->cols);
}

static weft_tensor top(const weft_tensor *buffer, size_t n)
{
    return rows_of(buffer, 0, n);
}

weft_tensor weft_pass_logits(const struct weft_pass *pass, size_t n)
{
    return top(&pass->layers[pass->n_layers - 1].y, n);
}

static bool drops_units(const struct weft_part *part)
{
    return part->perturb != NULL && part->perturb->dropout > 0;
}

/* What dropout does to the outputs of hidden layer l. */
static struct weft_drop drop_of(const struct weft_pass *pass, const struct weft_part *part,
                                size_t l, size_t at, size_t n)
{
    if (!drops_units(part) || l + 1 == pass->n_layers) {
        return (struct weft_drop){0};
    }
    return (struct weft_drop){rows_of(&pass->layers[l].keep, at, n),
                              weft_dropout_scale(part->perturb->dropout)};
}

/* What layer l reads: the batch, or the output of the layer below. Of kept samples that are packed
 * there is no x but its shape. */
static weft_tensor input_of(const struct weft_pass *pass, const struct weft_part *part, size_t l,
                            size_t at, size_t n)
{
    if (l == 0) {
        return top(&pass->x, n);
    }
    const struct weft_pass_layer *below = &pass->layers[l - 1];
    return rows_of(drops_units(part) ? &below->dropped : &below->y, at, n);
}

static bool has_nonzeros(const struct weft_nonzeros *nonzeros)
{
    return nonzeros->by_rows.terms != NULL;
}

static weft_tensor gather_team(struct weft_pass *pass, const struct weft_part *part)
{
    const weft_scaling *scaling = &pass->net->scaling;
    struct weft_row_names names = {part->rows, part->samples, part->first};
    weft_tensor x = top(&pass->x, part->n);
    if (part->shift != NULL) {
        weft_gather_shifted_team(pass->context, part->shift, part->x, part->rows, part->first,
                                 part->samples, scaling->n, scaling->shift, scaling->scale, &x);
    } else {
        weft_gather_team(pass->context, part->x, part->rows, part->first, scaling->n,
                         scaling->shift, scaling->scale, &x);
    }
    if (part->perturb != NULL && weft_perturb_inputs(part->perturb)) {
        weft_perturb_team(pass->context, part->perturb, &names, &x);
    }
    return x;
}

/* Packing all rows of x in two walks over them: one counts, one fills in. */
struct keep_job {
    struct weft_pass *pass;
    const weft_tensor *x;
    struct weft_nonzeros found;
    bool counted;
};

static void keep_team(void *arg)
{
    struct keep_job *job = arg;
    struct weft_pass *pass = job->pass;
    size_t max_rows = pass->x.rows;
    for (size_t p = 0; p * max_rows < job->x->rows; p++) {
        struct weft_part part = {.x = job->x, .first = p * max_rows};
        part.n = weft_smaller(max_rows, job->x->rows - part.first);
        weft_tensor x = gather_team(pass, &part);
        weft_nonzeros_find_team(pass->context, &job->found, &x);
        if (job->counted) {
            weft_packed_fill_team(pass->context, &pass->kept.packed, p, &job->found, &x);
        } else {
            weft_packed_count_team(pass->context, &pass->kept.packed, p, &job->found, x.rows);
        }
    }
}

static weft_status pack(struct weft_pass *pass, struct keep_job *job)
{
    struct weft_packed *packed = &pass->kept.packed;
    weft_status status =
        weft_packed_init(packed, &job->found, weft_tiles_of(job->x->rows, pass->x.rows));
    if (status != WEFT_OK) {
        return status;
    }
    weft_team_run(pass->context, keep_team, job);
    status = weft_packed_make_room(packed, WEFT_PASS_MAX_KEPT);
    if (status != WEFT_OK) {
        weft_packed_release(packed);
        return status;
    }
    job->counted = true;
    weft_team_run(pass->context, keep_team, job);
    return WEFT_OK;
}

/* How many rows a part of n kept samples should have. */
static size_t larger_part(const struct weft_pass *pass, size_t n)
{
    size_t row_bytes = 0, rows = pass->x.rows;
    for (size_t l = 0; l < pass->n_layers; l++) {
        const struct weft_pass_layer *layer = &pass->layers[l];
        row_bytes += (layer->y.ld + layer->pre.ld + layer->dz.ld) * sizeof(float);
    }
    while (rows < n && 2 * rows <= WEFT_PASS_MAX_ROWS &&
           row_bytes <= WEFT_PASS_MAX_ACTIVATIONS / (2 * rows)) {
        rows *= 2;
    }
    return rows;
}

/* Makes the activations larger; where there is no memory for that, they stay as they are. */
static void enlarge(struct weft_pass *pass, size_t rows)
{
    enum weft_pass_kind kind = pass->turned != NULL ? WEFT_PASS_BACKWARD : WEFT_PASS_FORWARD;
    struct weft_pass_layer *layers = weft_mem_zalloc(pass->n_layers, sizeof *layers);
    struct weft_loss_sum *sums = weft_mem_zalloc(weft_loss_n_blocks(rows), sizeof *sums);
    weft_status status = layers != NULL && sums != NULL ? WEFT_OK : WEFT_ERR_NOMEM;
    for (size_t l = 0; status == WEFT_OK && l < pass->n_layers; l++) {
        status = init_layer(&layers[l], kind, pass->net, l, rows);
    }
    if (status != WEFT_OK) {
        release_layers(layers, pass->n_layers);
        weft_mem_free(sums);
        return;
    }
    assert(bf16_of(pass, 0) == NULL); /* the new layers have no copies */
    release_layers(pass->layers, pass->n_layers);
    weft_mem_free(pass->sums);
    pass->layers = layers;
    pass->sums = sums;
    pass->max_rows = rows;
}

void weft_pass_keep(struct weft_pass *pass, const weft_tensor *x)
{
    assert(pass->x.rows == WEFT_PASS_ROWS);
    if (x->rows > pass->x.rows) {
        struct keep_job job = {.pass = pass, .x = x};
        bool packed = has_nonzeros(&pass->nonzeros) &&
                      weft_nonzeros_init(&job.found, pass->context, pass->x.rows, x->cols,
                                         pass->nonzeros.by_cols.terms != NULL, true) == WEFT_OK &&
                      pack(pass, &job) == WEFT_OK;
        weft_nonzeros_release(&job.found);
        if (!packed) {
            return;
        }
        size_t rows = larger_part(pass, x->rows);
        if (rows > pass->max_rows) {
            enlarge(pass, rows);
        }
    }
    pass->kept.data = x->data;
    pass->kept.n_rows = x->rows;
}

/* Whether the part is of the rows that are kept. */
static bool is_kept(const struct weft_pass *pass, const struct weft_part *part)
{
    return part->x->data == pass->kept.data && part->x->rows == pass->kept.n_rows &&
           part->rows == NULL && part->shift == NULL && part->perturb == NULL;
}

static bool is_packed(const struct weft_pass *pass, const struct weft_part *part)
{
    return pass->kept.packed.n_parts > 0 && is_kept(pass, part);
}

/* What is known of the zeros in the input of layer l, from row `at` of the part on. */
static const struct weft_nonzeros *nonzeros_of(const struct weft_pass *pass,
                                               const struct weft_part *part, size_t at, size_t l)
{
    if (l > 0 || !has_nonzeros(&pass->nonzeros)) {
        return NULL;
    }
    return is_packed(pass, part) ? &pass->kept.packed.parts[(part->first + at) / pass->x.rows]
                                 : &pass->nonzeros;
}

/* Draws what hidden units stay; the barrier behind the input is behind this, too. */
static void draw_dropout(struct weft_pass *pass, const struct weft_part *part)
{
    struct weft_row_names names = {part->rows, part->samples, part->first};
    for (size_t l = 0; drops_units(part) && l + 1 < pass->n_layers; l++) {
        weft_tensor keep = top(&pass->layers[l].keep, part->n);
        weft_dropout_draw_nowait(pass->context, part->perturb, l, &names, &keep);
    }
}

/* Makes the input of the first layer ready. */
static void input_team(struct weft_pass *pass, const struct weft_part *part)
{
    bool kept = is_kept(pass, part);
    if (is_packed(pass, part) || (kept && pass->kept.in_x)) {
        return;
    }
    draw_dropout(pass, part);
    weft_tensor x = gather_team(pass, part);
    if (has_nonzeros(&pass->nonzeros)) {
        weft_nonzeros_find_team(pass->context, &pass->nonzeros, &x);
    }
    if (bf16_of(pass, 0) != NULL) {
        weft_linear_bf16_input_team(pass->context, &x, bf16_of(pass, 0));
    }
#pragma omp single nowait
    pass->kept.in_x = kept;
}

/* What layer l does to rows at .. at + n of the part, but for what it reads. */
static struct weft_forward_job forward_job(const struct weft_pass *pass,
                                           const struct weft_part *part, size_t l, size_t at,
                                           size_t n)
{
    const struct weft_layer *layer = &pass->net->layers[l];
    const struct weft_pass_layer *buffers = &pass->layers[l];
    return (struct weft_forward_job){
        .linear = &layer->linear,
        .params = params_of(pass) + layer->at,
        .y = rows_of(&buffers->y, at, n),
        .pre = rows_of(&buffers->pre, at, n),
        .dropped = rows_of(&buffers->dropped, at, n),
        .drop = drop_of(pass, part, l, at, n),
        .f = layer->f,
        .bf16 = bf16_of(pass, l),
        .y_copies = bf16_of(pass, l + 1),
    };
}

/* Whether layer l is normalised by statistics of what runs. */
static bool has_norm(const struct weft_pass *pass, size_t l)
{
    weft_norm norm = pass->net->layers[l].norm;
    return norm == WEFT_NORM_LAYER || (norm == WEFT_NORM_BATCH && !pass->folds);
}

static struct weft_norm_job norm_job(const struct weft_pass *pass, size_t l, size_t n)
{
    const struct weft_layer *layer = &pass->net->layers[l];
    return (struct weft_norm_job){
        .norm = layer->norm,
        .params = params_of(pass) + layer->norm_at,
        .z = top(&pass->layers[l].z, n),
        .moments = pass->layers[l].moments,
    };
}

/* The product of a layer that is normalised ends in z, untouched. */
static void divert(const struct weft_pass *pass, size_t l, size_t at, size_t n,
                   struct weft_forward_job *job)
{
    job->y = rows_of(&pass->layers[l].z, at, n);
    job->pre = (weft_tensor){0};
    job->drop = (struct weft_drop){0};
    job->f = WEFT_IDENTITY;
    job->y_copies = NULL;
}

void weft_pass_forward_team(struct weft_pass *pass, const struct weft_part *part)
{
    input_team(pass, part);
    for (size_t l = 0; l < pass->n_layers; l++) {
        for (size_t at = 0; at < part->n; at += WEFT_PASS_ROWS) {
            size_t n = weft_smaller(WEFT_PASS_ROWS, part->n - at);
            struct weft_forward_job job = forward_job(pass, part, l, at, n);
            job.x = input_of(pass, part, l, at, n);
            job.nonzeros = nonzeros_of(pass, part, at, l);
            if (has_norm(pass, l)) {
                divert(pass, l, at, n, &job);
            }
            weft_linear_forward_nowait(pass->context, &job);
        }
        weft_team_barrier(pass->context);
        if (has_norm(pass, l)) {
            struct weft_norm_job norm = norm_job(pass, l, part->n);
            struct weft_forward_job whole = forward_job(pass, part, l, 0, part->n);
            weft_norm_forward_team(pass->context, &norm, &whole);
        }
    }
}

void weft_pass_loss_team(struct weft_pass *pass, const struct weft_part *part, float weight)
{
    weft_tensor z = weft_pass_logits(pass, part->n);
    weft_tensor dz = top(&pass->layers[pass->n_layers - 1].dz, part->n);
    weft_loss_team(pass->context, pass->net->output, &z, part->targets, part->rows, part->first,
                   part->label_smoothing, weight, &dz, pass->sums);
}

void weft_pass_add_loss(const struct weft_pass *pass, size_t n, struct weft_loss_sum *sum)
{
    for (size_t at = 0; at < n; at += WEFT_PASS_ROWS) {
        struct weft_loss_sum more =
            weft_loss_total(pass->sums + weft_loss_n_blocks(at),
                            weft_loss_n_blocks(weft_smaller(WEFT_PASS_ROWS, n - at)));
        sum->loss += more.loss;
        sum->n_right += more.n_right;
    }
}

/* dZ of the layer below l. */
static void propagate_team(struct weft_pass *pass, const struct weft_part *part, size_t l)
{
    const struct weft_layer *layer = &pass->net->layers[l];
    const struct weft_pass_layer *below = &pass->layers[l - 1];
    weft_activation f = pass->net->layers[l - 1].f;
    const weft_tensor *saved = weft_linear_saves_input(f) ? &below->pre : &below->y;
    size_t n = part->n, step = layer->linear.n_out <= WEFT_NARROW ? n : WEFT_LINEAR_MAX_ROWS;
    for (size_t at = 0; at < n; at += step) {
        size_t rows = weft_smaller(step, n - at);
        weft_linear_input_gradient_team(
            pass->context, &(struct weft_input_gradient_job){
                               .linear = &layer->linear,
                               .params = pass->net->params + layer->at,
                               .dz = rows_of(&pass->layers[l].dz, at, rows),
                               .dx = rows_of(&below->dz, at, rows),
                               .saved = rows_of(saved, at, rows),
                               .f = f,
                               .drop = drop_of(pass, part, l - 1, at, rows),
                               .turned = pass->turned,
                               .bf16 = bf16_of(pass, l),
                               .dx_copies = has_norm(pass, l - 1) ? NULL : bf16_of(pass, l - 1),
                           });
    }
}

/* From the gradient behind the normalisation of layer l to that before it. Without a block of
 * gradients, those of gamma and beta are nobody's but the update's. */
static void norm_backward_team(struct weft_pass *pass, const struct weft_part *part, size_t l,
                               float *gradient, bool accumulate, const struct weft_update *update)
{
    const struct weft_layer *layer = &pass->net->layers[l];
    struct weft_pass_layer *buffers = &pass->layers[l];
    bool tracks = part->tracks && layer->norm == WEFT_NORM_BATCH;
    weft_norm_backward_team(
        pass->context,
        &(struct weft_norm_gradient_job){
            .norm = norm_job(pass, l, part->n),
            .dz = top(&buffers->dz, part->n),
            .dz_copies = bf16_of(pass, l),
            .gradient = gradient == NULL ? buffers->norm_gradient : gradient + layer->norm_at,
            .accumulate = accumulate,
            .update = update,
            .update_at = layer->norm_at,
            .running = tracks ? pass->net->params + layer->statistics_at : NULL,
        });
}

void weft_pass_backward_team(struct weft_pass *pass, const struct weft_part *part, float *gradient,
                             bool accumulate, const struct weft_update *update)
{
    size_t last = pass->n_layers - 1;
    if (bf16_of(pass, last) != NULL) {
        weft_tensor dz = top(&pass->layers[last].dz, part->n);
        weft_linear_bf16_gradient_team(pass->context, &dz, bf16_of(pass, last));
    }
    for (size_t l = pass->n_layers; l-- > 0;) {
        const struct weft_layer *layer = &pass->net->layers[l];
        if (l > 0) {
            propagate_team(pass, part, l); /* before the weights take their step */
        }
        if (l > 0 && has_norm(pass, l - 1)) {
            norm_backward_team(pass, part, l - 1, gradient, accumulate, update);
        }
        /* A piece of the gradient belongs to the same thread in each of these. */
        for (size_t at = 0; at < part->n; at += WEFT_PASS_ROWS) {
            size_t n = weft_smaller(WEFT_PASS_ROWS, part->n - at);
            weft_linear_weight_gradient_nowait(
                pass->context, &(struct weft_weight_gradient_job){
                                   .linear = &layer->linear,
                                   .x = input_of(pass, part, l, at, n),
                                   .dz = rows_of(&pass->layers[l].dz, at, n),
                                   .gradient = gradient == NULL ? NULL : gradient + layer->at,
                                   .accumulate = accumulate || at > 0,
                                   .update = at + n == part->n ? update : NULL,
                                   .update_at = layer->at,
                                   .nonzeros = nonzeros_of(pass, part, at, l),
                                   .bf16 = bf16_of(pass, l),
                               });
        }
    }
    weft_team_barrier(pass->context);
}

void weft_pass_update_team(struct weft_pass *pass, const float *gradient,
                           const struct weft_update *update)
{
    for (size_t l = 0; l < pass->n_layers; l++) {
        const struct weft_layer *layer = &pass->net->layers[l];
        weft_linear_update_team(pass->context, &layer->linear, update, layer->at,
                                gradient + layer->at);
        if (layer->norm != WEFT_NORM_NONE) {
#pragma omp single nowait
            weft_norm_update(pass->context, layer->linear.n_out, update, layer->norm_at,
                             gradient + layer->norm_at);
        }
    }
    weft_team_barrier(pass->context);
    weft_pass_copy_params_team(pass);
}

void weft_pass_limit_team(struct weft_pass *pass, double most)
{
    for (size_t l = 0; l + 1 < pass->n_layers; l++) {
        const struct weft_layer *layer = &pass->net->layers[l];
        weft_linear_limit_team(pass->context, &layer->linear, pass->net->params + layer->at, most);
    }
    weft_pass_copy_params_team(pass);
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

/* Evaluates without batch normalisation from now on, or with it again. */
static void fold(struct weft_pass *pass, bool folds)
{
    if (pass->folded == NULL) {
        return;
    }
    if (folds) {
        weft_block_fold(pass->net, pass->folded);
    }
    pass->folds = folds;
    if (weft_context_precision(pass->context) == WEFT_PRECISION_BF16) {
        weft_team_run(pass->context, copy_params, pass);
    }
}

void weft_pass_over(struct weft_pass *pass, const weft_tensor *x, const weft_targets *targets,
                    weft_tensor *logits, struct weft_loss_sum *total)
{
    size_t rows = x->rows < pass->x.rows ? x->rows : pass->x.rows;
    fold(pass, true);
    weft_team_run_for(pass->context, weft_pass_flop(pass->net, WEFT_PASS_FORWARD, rows), over_team,
                      &(struct over_job){pass, x, targets, logits, total});
    fold(pass, false);
}
