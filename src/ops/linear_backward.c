/* Backward: the gradients of a layer's input and of its weights.
 *
 * The input's, dX = dZ W^T, is done as dX^T = W dZ^T: so it reads W by rows, in the one layout that
 * there is, and only activations are turned round, which are fewer. The weights', G = X^T dZ, goes
 * straight into the layout of the parameters. */
#include <assert.h>
#include <string.h>

#include "kernels/kernels.h"
#include "ops/linear.h"
#include "ops/linear_bf16.h"
#include "ops/rectangle.h"
#include "ops/team.h"
#include "ops/tiles.h"

size_t weft_linear_turned_len(const struct weft_linear *linear, size_t rows)
{
    return linear->n_out <= WEFT_NARROW
               ? 0
               : weft_tiles_of(rows, WEFT_PANEL) * WEFT_PANEL * linear->n_out;
}

/* dZ^T in panels of WEFT_PANEL samples: turned [B / 32][n_out][32]. */
static void turn_team(weft_context *context, const struct weft_input_gradient_job *job)
{
    enum { COLS = 64 };
    const weft_tensor *dz = &job->dz;
    size_t n_out = job->linear->n_out;
    size_t n_col_tiles = weft_tiles_of(n_out, COLS);
    size_t n_tiles = weft_tiles_of(dz->rows, WEFT_PANEL) * n_col_tiles;
#pragma omp for schedule(static) nowait
    for (size_t t = 0; t < n_tiles; t++) {
        size_t row = t / n_col_tiles * WEFT_PANEL, col = t % n_col_tiles * COLS;
        context->kernels->transpose(weft_smaller(WEFT_PANEL, dz->rows - row),
                                    weft_smaller(COLS, n_out - col),
                                    (const float *)dz->data + row * dz->ld + col, dz->ld,
                                    job->turned + row * n_out + col * WEFT_PANEL, WEFT_PANEL);
    }
    weft_team_barrier(context);
}

/* Dropout and f' for rows x cols of dX from (row, col) on, and what the layer below wants of it. */
static void finish(const struct weft_kernel_set *kernels, const struct weft_input_gradient_job *job,
                   size_t row, size_t rows, size_t col, size_t cols)
{
    const weft_tensor *keep = &job->drop.keep;
    float *dx = (float *)job->dx.data + row * job->dx.ld + col;
    if (keep->data != NULL) {
        kernels->mask(rows, cols, (const uint8_t *)keep->data + row * keep->ld + col, keep->ld,
                      job->drop.scale, dx, job->dx.ld, dx, job->dx.ld);
    }
    kernels->activate_gradient(job->f, rows, cols, dx, job->dx.ld,
                               (const float *)job->saved.data + row * job->saved.ld + col,
                               job->saved.ld);
    if (job->dx_copies != NULL) {
        weft_linear_bf16_store_gradient(kernels, &job->dx, job->dx_copies, row, rows, col, cols);
    }
}

/* Rows of a block of dX^T that a thread does before turning it; with the samples of a batch's part
 * it fills the scratch. */
enum { BLOCK_ROWS = 64, BLOCK_COLS = WEFT_LINEAR_MAX_ROWS, BLOCK_LD = BLOCK_COLS + 16 };
static_assert(BLOCK_ROWS * BLOCK_LD <= WEFT_SCRATCH_LEN, "scratch of a thread");

/* Terms p .. p + run of rows i .. i + n_i of dX^T, for samples row .. row + rows <= 32:
 * dX^T [n_i, rows] += W [n_i, run] dZ^T [run, rows] */
static void add_input_run(const struct weft_kernel_set *kernels,
                          const struct weft_input_gradient_job *job, size_t i, size_t n_i,
                          size_t row, size_t rows, size_t p, size_t run, float *c)
{
    const struct weft_linear *linear = job->linear;
    kernels->sgemm(&(struct weft_sgemm){
        .m = n_i,
        .n = rows,
        .k = run,
        .a = job->params + weft_linear_at(linear, i, p),
        .a_rs = WEFT_PANEL,
        .a_cs = 1,
        .a_block = WEFT_PANEL,
        .a_bs = (linear->n_in + 1) * WEFT_PANEL,
        .b = job->turned + row * linear->n_out + p * WEFT_PANEL,
        .b_rs = WEFT_PANEL,
        .c = c,
        .c_rs = BLOCK_LD,
        .accumulate = p > 0,
    });
}

static void add_bf16_input_run(const struct weft_kernel_set *kernels,
                               const struct weft_input_gradient_job *job, size_t i, size_t n_i,
                               size_t row, size_t rows, size_t p, size_t run, float *c)
{
    const struct weft_linear *linear = job->linear;
    size_t n_pairs = weft_tiles_of(linear->n_out, 2);
    kernels->bgemm(&(struct weft_bgemm){
        .m = n_i,
        .n = rows,
        .k = run,
        .a = job->bf16->w_rows + weft_linear_at(linear, i, p),
        .a_rs = WEFT_PANEL,
        .a_block = WEFT_PANEL,
        .a_bs = (linear->n_in + 1) * WEFT_PANEL,
        .b = job->bf16->dz_turned + (row * n_pairs + p / 2 * WEFT_PANEL) * 2,
        .b_rs = 2 * WEFT_PANEL,
        .c = c,
        .c_rs = BLOCK_LD,
        .accumulate = p > 0,
    });
}

/* A rectangle of dX^T: lines are tiles of inputs, columns panels of samples. */
static void input_rectangle(const weft_context *context, const struct weft_input_gradient_job *job,
                            const struct weft_rectangle *share)
{
    const struct weft_kernel_set *kernels = context->kernels;
    const struct weft_linear *linear = job->linear;
    float *block = weft_team_scratch(context);
    size_t mr = job->bf16 != NULL ? kernels->bmr : kernels->mr;
    size_t i = share->outer_from * mr;
    size_t n_i = weft_smaller(share->outer_to * mr, linear->n_in) - i;
    size_t row = share->inner_from * WEFT_PANEL;
    size_t rows = weft_smaller(share->inner_to * WEFT_PANEL, job->dx.rows) - row;
    size_t run = weft_run_length(linear->n_out, job->bf16 != NULL ? kernels->bkc : kernels->kc);
    for (size_t p = 0; p < linear->n_out; p += run) {
        for (size_t done = 0; done < rows; done += WEFT_PANEL) {
            (job->bf16 != NULL ? add_bf16_input_run : add_input_run)(
                kernels, job, i, n_i, row + done, weft_smaller(WEFT_PANEL, rows - done), p,
                weft_smaller(run, linear->n_out - p), block + done);
        }
    }
    kernels->transpose(n_i, rows, block, BLOCK_LD, (float *)job->dx.data + row * job->dx.ld + i,
                       job->dx.ld);
    finish(kernels, job, row, rows, i, n_i);
}

/* Few outputs: W is [n_out, n_in] already and stays in the first-level cache, as there is a row of
 * it for each of few terms. Lines of the grid are tiles of rows, so that dX and what f' needs go by
 * in long runs, in pieces that are in the first-level cache twice. */
static void input_narrow(const weft_context *context, const struct weft_input_gradient_job *job)
{
    enum { ROWS = WEFT_PANEL, COLS = 64 };
    const struct weft_kernel_set *kernels = context->kernels;
    const struct weft_linear *linear = job->linear;
    size_t n_col_tiles = weft_tiles_of(linear->n_in, WEFT_PANEL);
    size_t from, to;
    weft_team_share(context, weft_tiles_of(job->dx.rows, ROWS) * n_col_tiles, &from, &to);
    struct weft_rectangle share;
    while (weft_next_rectangle(&from, to, n_col_tiles, 1, &share)) {
        size_t row = share.outer_from * ROWS, rows = weft_smaller(ROWS, job->dx.rows - row);
        size_t end = weft_smaller(share.inner_to * WEFT_PANEL, linear->n_in);
        for (size_t i = share.inner_from * WEFT_PANEL; i < end; i += COLS) {
            size_t n_i = weft_smaller(COLS, end - i);
            kernels->sgemm(&(struct weft_sgemm){
                .m = rows,
                .n = n_i,
                .k = linear->n_out,
                .a = (const float *)job->dz.data + row * job->dz.ld,
                .a_rs = job->dz.ld,
                .a_cs = 1,
                .b = job->params + i,
                .b_rs = linear->ld,
                .c = (float *)job->dx.data + row * job->dx.ld + i,
                .c_rs = job->dx.ld,
            });
            finish(kernels, job, row, rows, i, n_i);
        }
    }
}

void weft_linear_input_gradient_team(weft_context *context,
                                     const struct weft_input_gradient_job *job)
{
    const struct weft_kernel_set *kernels = context->kernels;
    const struct weft_linear *linear = job->linear;
    assert(job->dz.cols == linear->n_out && job->dx.cols == linear->n_in);
    assert(job->dz.rows == job->dx.rows);
    if (linear->n_out <= WEFT_NARROW) {
        input_narrow(context, job);
    } else {
        assert(job->dx.rows <= WEFT_LINEAR_MAX_ROWS);
        if (job->bf16 == NULL) {
            turn_team(context, job);
        }
        size_t mr = job->bf16 != NULL ? kernels->bmr : kernels->mr;
        size_t n_panels = weft_tiles_of(job->dx.rows, WEFT_PANEL);
        size_t from, to;
        weft_team_share(context, weft_tiles_of(linear->n_in, mr) * n_panels, &from, &to);
        struct weft_rectangle share;
        while (weft_next_rectangle(&from, to, n_panels, BLOCK_ROWS / mr, &share)) {
            input_rectangle(context, job, &share);
        }
    }
    weft_team_barrier(context);
}

/* One product of G: c [m, n] over n columns of dZ or X. Its operands begin at a and b. */
struct gradient_tile {
    size_t m, n;
    const float *a, *b;
    float *c;
    size_t a_ld, b_ld, c_ld;
};

/* c (+)= a^T b over the batch, run by run. */
static void sum_batch(const struct weft_kernel_set *kernels, const struct gradient_tile *tile,
                      size_t batch, const struct weft_nonzeros *nonzeros, size_t list,
                      bool accumulate)
{
    size_t run = weft_run_length(batch, kernels->kc);
    for (size_t p = 0, r = 0; p < batch; p += run, r++) {
        struct weft_sgemm product = {
            .m = tile->m,
            .n = tile->n,
            .k = weft_smaller(run, batch - p),
            .a = tile->a + p * tile->a_ld,
            .a_rs = 1,
            .a_cs = tile->a_ld,
            .b = tile->b + p * tile->b_ld,
            .b_rs = tile->b_ld,
            .c = tile->c,
            .c_rs = tile->c_ld,
            .accumulate = accumulate || p > 0,
        };
        if (nonzeros != NULL) {
            weft_nonzeros_leave_out(nonzeros, &nonzeros->by_cols, list, r, &product);
        }
        kernels->sgemm(&product);
    }
}

/* g (+)= X^T dZ for rows i .. i + n_i and the columns of a panel. */
static void sum_float_batch(const struct weft_kernel_set *kernels,
                            const struct weft_weight_gradient_job *job, size_t panel, size_t i,
                            size_t n_i, float *g)
{
    size_t col = panel * WEFT_PANEL;
    struct gradient_tile tile = {
        .n = weft_smaller(WEFT_PANEL, job->linear->n_out - col),
        .b = (const float *)job->dz.data + col,
        .a_ld = job->x.ld,
        .b_ld = job->dz.ld,
        .c_ld = WEFT_PANEL,
    };
    size_t step = job->nonzeros != NULL ? job->nonzeros->mr : n_i;
    for (size_t done = 0; done < n_i; done += step) {
        tile.m = weft_smaller(step, n_i - done);
        tile.a = (const float *)job->x.data + i + done;
        tile.c = g + done * WEFT_PANEL;
        sum_batch(kernels, &tile, job->x.rows, job->nonzeros, (i + done) / step, job->accumulate);
    }
}

/* g (+)= X^T dZ of bfloat16 numbers, for rows i .. i + n_i and the columns of a panel. */
static void sum_bf16_batch(const struct weft_kernel_set *kernels,
                           const struct weft_weight_gradient_job *job, size_t panel, size_t i,
                           size_t n_i, float *g)
{
    const struct weft_linear_bf16 *copies = job->bf16;
    const struct weft_term_lists *lists = &copies->by_cols;
    size_t col = panel * WEFT_PANEL, batch = job->x.rows;
    size_t run = weft_run_length(batch, kernels->bkc);
    size_t step = lists->terms != NULL ? kernels->bmr : n_i;
    for (size_t p = 0, r = 0; p < batch; p += run, r++) {
        for (size_t done = 0; done < n_i; done += step) {
            struct weft_bgemm tile = {
                .m = weft_smaller(step, n_i - done),
                .n = weft_smaller(WEFT_PANEL, job->linear->n_out - col),
                .k = weft_smaller(run, batch - p),
                .a = copies->x_turned + (i + done) * copies->turned_ld + p,
                .a_rs = copies->turned_ld,
                .b = copies->dz_pairs + p / 2 * copies->dz_ld + 2 * col,
                .b_rs = copies->dz_ld,
                .c_rs = WEFT_PANEL,
                .accumulate = job->accumulate || p > 0,
            };
            tile.c = g + done * WEFT_PANEL;
            if (lists->terms != NULL) {
                tile.n_pairs = weft_nonzeros_terms(lists, (i + done) / kernels->bmr, r,
                                                   weft_tiles_of(tile.k, 2), &tile.pairs);
            }
            kernels->bgemm(&tile);
        }
    }
}

/* Rows i .. i + n_i of one panel of G, a contiguous piece of the parameters. */
static void weight_block(const weft_context *context, const struct weft_weight_gradient_job *job,
                         size_t panel, size_t i, size_t n_i)
{
    const struct weft_kernel_set *kernels = context->kernels;
    const struct weft_linear *linear = job->linear;
    size_t col = panel * WEFT_PANEL, at = weft_linear_at(linear, i, col);
    float *g = job->gradient != NULL ? job->gradient + at : weft_team_scratch(context);
    if (job->gradient == NULL && linear->n_out - col < WEFT_PANEL) {
        memset(g, 0, n_i * WEFT_PANEL * sizeof *g); /* the columns that fill up the panel */
    }
    if (job->bf16 != NULL) {
        sum_bf16_batch(kernels, job, panel, i, n_i, g);
    } else {
        sum_float_batch(kernels, job, panel, i, n_i, g);
    }
    if (job->update != NULL) {
        size_t n_weights = weft_smaller(n_i, linear->n_in - i);
        weft_update_range(kernels, job->update, job->update_at + at, n_weights * WEFT_PANEL,
                          (n_i - n_weights) * WEFT_PANEL, g);
    }
    if (job->update != NULL && job->bf16 != NULL) {
        weft_linear_bf16_store(kernels, linear, job->update->params + job->update_at, job->bf16,
                               panel, i, n_i);
    }
}

/* The grid is panels of outputs by tiles of inputs. */
static void weight_wide(const weft_context *context, const struct weft_weight_gradient_job *job)
{
    const struct weft_kernel_set *kernels = context->kernels;
    const struct weft_linear *linear = job->linear;
    size_t n_rows = linear->n_in + 1;
    size_t mr = job->bf16 != NULL ? kernels->bmr : kernels->mr;
    size_t n_row_tiles = weft_tiles_of(n_rows, mr);
    size_t block = BLOCK_ROWS / mr * mr;
    size_t from, to;
    weft_team_share(context, weft_tiles_of(linear->n_out, WEFT_PANEL) * n_row_tiles, &from, &to);
    struct weft_rectangle share;
    while (weft_next_rectangle(&from, to, n_row_tiles, 1, &share)) {
        size_t end = weft_smaller(share.inner_to * mr, n_rows);
        for (size_t i = share.inner_from * mr; i < end; i += block) {
            weight_block(context, job, share.outer_from, i, weft_smaller(block, end - i));
        }
    }
}

/* Few outputs: G^T [n_out, n_in + 1] = dZ^T [X 1], by 32 inputs at a time. */
static void weight_narrow(const weft_context *context, const struct weft_weight_gradient_job *job)
{
    const struct weft_kernel_set *kernels = context->kernels;
    const struct weft_linear *linear = job->linear;
    size_t from, to;
    weft_team_share(context, weft_tiles_of(linear->n_in + 1, WEFT_PANEL), &from, &to);
    for (size_t t = from; t < to; t++) {
        size_t i = t * WEFT_PANEL;
        struct gradient_tile tile = {
            .m = linear->n_out,
            .n = weft_smaller(WEFT_PANEL, linear->n_in + 1 - i),
            .a = job->dz.data,
            .b = (const float *)job->x.data + i,
            .a_ld = job->dz.ld,
            .b_ld = job->x.ld,
        };
        bool kept = job->gradient != NULL;
        tile.c = kept ? job->gradient + i : weft_team_scratch(context);
        tile.c_ld = kept ? linear->ld : WEFT_PANEL;
        sum_batch(kernels, &tile, job->x.rows, NULL, 0, job->accumulate);
        size_t n_weights = weft_smaller(tile.n, linear->n_in - i);
        for (size_t o = 0; job->update != NULL && o < linear->n_out; o++) {
            weft_update_range(kernels, job->update, job->update_at + o * linear->ld + i, n_weights,
                              tile.n - n_weights, tile.c + o * tile.c_ld);
        }
    }
}

void weft_linear_weight_gradient_nowait(weft_context *context,
                                        const struct weft_weight_gradient_job *job)
{
    const struct weft_linear *linear = job->linear;
    assert(job->x.cols == linear->n_in && job->x.ld > linear->n_in);
    assert(job->dz.cols == linear->n_out && job->dz.rows == job->x.rows);
    assert(job->gradient != NULL || (job->update != NULL && !job->accumulate));
    if (linear->n_out <= WEFT_NARROW) {
        weight_narrow(context, job);
    } else {
        weight_wide(context, job);
    }
}
