/* Blocked matrix products: C is cut into tiles, tiles are shared among the threads of the team,
 * and each tile is summed by one thread in runs of kc terms (Goto & van de Geijn 2008, without
 * packing: rows are padded by weft_tensor_init() so that they do not collide in the cache). */
#include "ops/gemm.h"

#include <assert.h>

#include "kernels/kernels.h"
#include "ops/team.h"

bool weft_gemm_saves_input(weft_activation f)
{
    return weft_activation_needs_input(f);
}

/* A tile starts at 8 x 2 register tiles and is halved until there is work for many threads, or it
 * is one register tile. By shape alone; the result does not depend on it. */
static weft_tiling tiling_for(const struct weft_kernel_set *kernels, size_t m, size_t n)
{
    enum { WANTED_TILES = 32 };
    size_t row_tiles = 8, col_tiles = 2;
    for (;;) {
        weft_tiling tiling = weft_tiling_of(m, n, row_tiles * kernels->mr, col_tiles * kernels->nr);
        if (weft_tiling_count(&tiling) >= WANTED_TILES || (row_tiles == 1 && col_tiles == 1)) {
            return tiling;
        }
        if (col_tiles > 1) {
            col_tiles /= 2;
        } else {
            row_tiles /= 2;
        }
    }
}

static void multiply_tile(const struct weft_kernel_set *kernels, const struct weft_gemm_job *job,
                          const weft_tensor *c, size_t row, size_t col)
{
    size_t k = job->b.rows;
    size_t a_rs = job->transpose_a ? 1 : job->a.ld;
    size_t a_cs = job->transpose_a ? job->a.ld : 1;
    const float *a = (const float *)job->a.data + row * a_rs;
    const float *b = (const float *)job->b.data + col;
    for (size_t p = 0; p < k; p += kernels->kc) {
        size_t run = k - p < kernels->kc ? k - p : kernels->kc;
        kernels->sgemm(c->rows, c->cols, run, a + p * a_cs, a_rs, a_cs, b + p * job->b.ld,
                       job->b.ld, c->data, c->ld, job->accumulate || p > 0);
    }
}

static void finish_tile(const struct weft_kernel_set *kernels, const struct weft_gemm_job *job,
                        const weft_tensor *c, size_t row, size_t col)
{
    float *saved =
        job->saved.data == NULL ? NULL : (float *)job->saved.data + row * job->saved.ld + col;
    switch (job->epilogue) {
    case WEFT_EPILOGUE_NONE:
        break;
    case WEFT_EPILOGUE_ACTIVATE:
        kernels->bias_activate(job->f, c->rows, c->cols, c->data, c->ld, job->bias + col, saved,
                               job->saved.ld);
        break;
    case WEFT_EPILOGUE_GRADIENT:
        kernels->activate_gradient(job->f, c->rows, c->cols, c->data, c->ld, saved, job->saved.ld);
        break;
    }
}

void weft_gemm_team(weft_context *context, const struct weft_gemm_job *job)
{
    const struct weft_kernel_set *kernels = context->kernels;
    assert((job->transpose_a ? job->a.cols : job->a.rows) == job->c.rows);
    assert((job->transpose_a ? job->a.rows : job->a.cols) == job->b.rows);
    assert(job->b.cols == job->c.cols);
    weft_tiling tiling = tiling_for(kernels, job->c.rows, job->c.cols);
    size_t n_tiles = weft_tiling_count(&tiling);
#pragma omp for schedule(static) nowait
    for (size_t t = 0; t < n_tiles; t++) {
        weft_tensor c = weft_tensor_tile(&job->c, &tiling, t);
        size_t row = t / tiling.n_col_tiles * tiling.tile_rows;
        size_t col = t % tiling.n_col_tiles * tiling.tile_cols;
        multiply_tile(kernels, job, &c, row, col);
        finish_tile(kernels, job, &c, row, col);
    }
    weft_team_barrier(context);
}

void weft_transpose_team(weft_context *context, const weft_tensor *src, const weft_tensor *dst)
{
    const struct weft_kernel_set *kernels = context->kernels;
    assert(src->rows == dst->cols && src->cols == dst->rows);
    enum { TILE = 64 };
    weft_tiling tiling = weft_tiling_of(src->rows, src->cols, TILE, TILE);
    size_t n_tiles = weft_tiling_count(&tiling);
#pragma omp for schedule(static) nowait
    for (size_t t = 0; t < n_tiles; t++) {
        weft_tensor from = weft_tensor_tile(src, &tiling, t);
        float *to = (float *)dst->data + t % tiling.n_col_tiles * TILE * dst->ld +
                    t / tiling.n_col_tiles * TILE;
        kernels->transpose(from.rows, from.cols, from.data, from.ld, to, dst->ld);
    }
    weft_team_barrier(context);
}
