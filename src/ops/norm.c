/* See norm.h. Units are shared in panels, samples in tiles of rows. */
#include "ops/norm.h"

#include <assert.h>
#include <math.h>

#include "kernels/kernels.h"
#include "ops/linear_bf16.h"
#include "ops/team.h"
#include "ops/tiles.h"

enum { TILE_ROWS = 32 };

size_t weft_norm_stride(size_t n)
{
    return weft_tiles_of(n, 16) * 16;
}

static float *element(const weft_tensor *x, size_t row, size_t col)
{
    return (float *)x->data + row * x->ld + col;
}

/* 1 / sqrt(var + epsilon) */
static void invert(size_t n, const float *var, float *inverse)
{
    for (size_t j = 0; j < n; j++) {
        inverse[j] = (float)(1 / sqrt((double)var[j] + (double)WEFT_NORM_EPSILON));
    }
}

static void forward_panel(const struct weft_kernel_set *kernels, const struct weft_norm_job *job,
                          const struct weft_forward_job *layer, size_t col)
{
    size_t stride = weft_norm_stride(job->z.cols), rows = job->z.rows;
    size_t cols = weft_smaller(WEFT_PANEL, job->z.cols - col);
    float inverse[WEFT_PANEL];
    float *mean = job->moments + col;
    kernels->column_moments(rows, cols, element(&job->z, 0, col), job->z.ld, mean, mean + stride);
    invert(cols, mean + stride, inverse);
    kernels->normalise_columns(rows, cols, element(&job->z, 0, col), job->z.ld, mean, inverse,
                               job->params + col, job->params + stride + col,
                               element(&layer->y, 0, col), layer->y.ld);
    weft_linear_finish(kernels, layer, 0, rows, col, cols);
}

static void forward_rows(const struct weft_kernel_set *kernels, const struct weft_norm_job *job,
                         const struct weft_forward_job *layer, size_t row)
{
    size_t n = job->z.cols, rows = weft_smaller(TILE_ROWS, job->z.rows - row);
    for (size_t i = row; i < row + rows; i++) {
        job->moments[i] =
            kernels->normalise_row(n, WEFT_NORM_EPSILON, element(&job->z, i, 0), job->params,
                                   job->params + weft_norm_stride(n), element(&layer->y, i, 0));
    }
    weft_linear_finish(kernels, layer, row, rows, 0, n);
}

void weft_norm_forward_team(weft_context *context, const struct weft_norm_job *job,
                            const struct weft_forward_job *layer)
{
    assert(job->z.rows == layer->y.rows && job->z.cols == layer->y.cols);
    bool batch = job->norm == WEFT_NORM_BATCH;
    size_t n_tiles =
        batch ? weft_tiles_of(job->z.cols, WEFT_PANEL) : weft_tiles_of(job->z.rows, TILE_ROWS);
#pragma omp for schedule(static) nowait
    for (size_t t = 0; t < n_tiles; t++) {
        if (batch) {
            forward_panel(context->kernels, job, layer, t * WEFT_PANEL);
        } else {
            forward_rows(context->kernels, job, layer, t * TILE_ROWS);
        }
    }
    weft_team_barrier(context);
}

/* The gradients of gamma and beta for a panel, sums over all rows; returned in sums[2][32], and put
 * or added into the gradient. */
static void sum_panel(const struct weft_kernel_set *kernels,
                      const struct weft_norm_gradient_job *job, size_t col, size_t cols,
                      float sums[2][WEFT_PANEL])
{
    const weft_tensor *x = &job->norm.z;
    float *gamma = job->gradient + col, *beta = gamma + weft_norm_stride(x->cols);
    kernels->column_products(x->rows, cols, element(&job->dz, 0, col), job->dz.ld,
                             element(x, 0, col), x->ld, sums[1], sums[0]);
    for (size_t j = 0; j < cols; j++) {
        gamma[j] = job->accumulate ? gamma[j] + sums[0][j] : sums[0][j];
        beta[j] = job->accumulate ? beta[j] + sums[1][j] : sums[1][j];
    }
}

static void update_panel(const struct weft_kernel_set *kernels,
                         const struct weft_norm_gradient_job *job, size_t col, size_t cols)
{
    size_t stride = weft_norm_stride(job->norm.z.cols);
    for (size_t k = 0; job->update != NULL && k < 2; k++) {
        weft_update_range(kernels, job->update, job->update_at + k * stride + col, 0, cols,
                          job->gradient + k * stride + col);
    }
}

/* A batch of one sample says nothing of a variance. */
static void track_panel(const struct weft_norm_gradient_job *job, size_t col, size_t cols)
{
    size_t stride = weft_norm_stride(job->norm.z.cols), rows = job->norm.z.rows;
    if (job->running == NULL || rows < 2) {
        return;
    }
    float unbiased = (float)((double)rows / (double)(rows - 1));
    const float *mean = job->norm.moments + col, *var = mean + stride;
    float *running_mean = job->running + col, *running_var = running_mean + stride;
    for (size_t j = 0; j < cols; j++) {
        running_mean[j] += WEFT_NORM_MOMENTUM * (mean[j] - running_mean[j]);
        running_var[j] += WEFT_NORM_MOMENTUM * (var[j] * unbiased - running_var[j]);
    }
}

static void backward_panel(const struct weft_kernel_set *kernels,
                           const struct weft_norm_gradient_job *job, size_t col)
{
    const weft_tensor *x = &job->norm.z;
    size_t rows = x->rows, cols = weft_smaller(WEFT_PANEL, x->cols - col);
    float sums[2][WEFT_PANEL], scale[WEFT_PANEL];
    sum_panel(kernels, job, col, cols, sums);
    invert(cols, job->norm.moments + weft_norm_stride(x->cols) + col, scale);
    for (size_t j = 0; j < cols; j++) {
        scale[j] *= job->norm.params[col + j];
        sums[0][j] /= (float)rows;
        sums[1][j] /= (float)rows;
    }
    kernels->normalise_columns_gradient(rows, cols, element(&job->dz, 0, col), job->dz.ld,
                                        element(x, 0, col), x->ld, scale, sums[1], sums[0]);
    if (job->dz_copies != NULL) {
        weft_linear_bf16_store_gradient(kernels, &job->dz, job->dz_copies, 0, rows, col, cols);
    }
    track_panel(job, col, cols);
    update_panel(kernels, job, col, cols);
}

static void backward_rows(const struct weft_kernel_set *kernels,
                          const struct weft_norm_gradient_job *job, size_t row)
{
    const weft_tensor *x = &job->norm.z;
    size_t rows = weft_smaller(TILE_ROWS, x->rows - row);
    for (size_t i = row; i < row + rows; i++) {
        kernels->normalise_row_gradient(x->cols, job->norm.moments[i], job->norm.params,
                                        element(x, i, 0), element(&job->dz, i, 0));
    }
    if (job->dz_copies != NULL) {
        weft_linear_bf16_store_gradient(kernels, &job->dz, job->dz_copies, row, rows, 0, x->cols);
    }
}

/* Sums over samples first, while dz is what came in; gamma takes its step when nobody reads it. */
static void backward_layer_team(weft_context *context, const struct weft_norm_gradient_job *job)
{
    size_t n_panels = weft_tiles_of(job->dz.cols, WEFT_PANEL);
    size_t n_row_tiles = weft_tiles_of(job->dz.rows, TILE_ROWS);
#pragma omp for schedule(static) nowait
    for (size_t t = 0; t < n_panels; t++) {
        float sums[2][WEFT_PANEL];
        size_t col = t * WEFT_PANEL;
        sum_panel(context->kernels, job, col, weft_smaller(WEFT_PANEL, job->dz.cols - col), sums);
    }
    weft_team_barrier(context);
#pragma omp for schedule(static) nowait
    for (size_t t = 0; t < n_row_tiles; t++) {
        backward_rows(context->kernels, job, t * TILE_ROWS);
    }
    weft_team_barrier(context);
#pragma omp for schedule(static) nowait
    for (size_t t = 0; t < n_panels; t++) {
        size_t col = t * WEFT_PANEL;
        update_panel(context->kernels, job, col, weft_smaller(WEFT_PANEL, job->dz.cols - col));
    }
    weft_team_barrier(context);
}

void weft_norm_backward_team(weft_context *context, const struct weft_norm_gradient_job *job)
{
    if (job->norm.norm == WEFT_NORM_LAYER) {
        backward_layer_team(context, job);
        return;
    }
    size_t n_panels = weft_tiles_of(job->dz.cols, WEFT_PANEL);
#pragma omp for schedule(static) nowait
    for (size_t t = 0; t < n_panels; t++) {
        backward_panel(context->kernels, job, t * WEFT_PANEL);
    }
    weft_team_barrier(context);
}

void weft_norm_update(const weft_context *context, size_t n, const struct weft_update *update,
                      size_t at, const float *gradient)
{
    weft_update_range(context->kernels, update, at, 0, 2 * weft_norm_stride(n), gradient);
}
