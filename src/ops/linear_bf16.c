/* See linear_bf16.h. Everything is rounded in tiles, each by one thread while it is in cache. */
#include "ops/linear_bf16.h"

#include "base/mem.h"
#include "ops/padding.h"
#include "ops/team.h"
#include "ops/tiles.h"

/* Elements of a row of n bfloat16 numbers, to an even number: as long as floats of half as many. */
static size_t ld_of(size_t n)
{
    return 2 * weft_padded_ld(WEFT_F32, weft_tiles_of(n, 2));
}

/* count rows of `len` zeros; *out stays NULL where there is no memory. */
static bool make(uint16_t **out, bool wanted, size_t count, size_t len)
{
    size_t n;
    if (!wanted) {
        return true;
    }
    *out = weft_mul_fits(count, len, &n) ? weft_mem_zalloc(n, sizeof **out) : NULL;
    return *out != NULL;
}

weft_status weft_linear_bf16_init(struct weft_linear_bf16 *copies, const struct weft_linear *linear,
                                  size_t rows, struct weft_bf16_uses uses)
{
    *copies = (struct weft_linear_bf16){0};
    if (linear->n_out <= WEFT_NARROW) {
        return WEFT_OK;
    }
    size_t n_terms = linear->n_in + 1, n_out = linear->n_out;
    size_t n_panels = weft_tiles_of(n_out, WEFT_PANEL);
    copies->x_ld = ld_of(n_terms);
    copies->turned_ld = ld_of(rows);
    copies->dz_ld = ld_of(2 * n_out);
    if (make(&copies->w_pairs, true, n_panels, weft_tiles_of(n_terms, 2) * 2 * WEFT_PANEL) &&
        make(&copies->w_rows, uses.input_gradient, n_panels, n_terms * WEFT_PANEL) &&
        make(&copies->x_rows, true, rows, copies->x_ld) &&
        make(&copies->x_turned, uses.weight_gradient, n_terms, copies->turned_ld) &&
        make(&copies->dz_pairs, uses.weight_gradient, weft_tiles_of(rows, 2), copies->dz_ld) &&
        make(&copies->dz_turned, uses.input_gradient, weft_tiles_of(rows, WEFT_PANEL),
             weft_tiles_of(n_out, 2) * 2 * WEFT_PANEL)) {
        return WEFT_OK;
    }
    weft_linear_bf16_release(copies);
    return WEFT_ERR_NOMEM;
}

void weft_linear_bf16_release(struct weft_linear_bf16 *copies)
{
    weft_mem_free(copies->w_pairs);
    weft_mem_free(copies->w_rows);
    weft_mem_free(copies->x_rows);
    weft_mem_free(copies->x_turned);
    weft_mem_free(copies->dz_pairs);
    weft_mem_free(copies->dz_turned);
    *copies = (struct weft_linear_bf16){0};
}

void weft_linear_bf16_store(const struct weft_kernel_set *kernels, const struct weft_linear *linear,
                            const float *params, const struct weft_linear_bf16 *copies,
                            size_t panel, size_t i, size_t n)
{
    const float *from = params + weft_linear_at(linear, i, panel * WEFT_PANEL);
    size_t n_pairs = weft_tiles_of(linear->n_in + 1, 2);
    kernels->bf16_pairs(n, WEFT_PANEL, from, WEFT_PANEL,
                        copies->w_pairs + (panel * n_pairs + i / 2) * 2 * WEFT_PANEL,
                        2 * WEFT_PANEL);
    if (copies->w_rows != NULL) {
        kernels->bf16_rows(n, WEFT_PANEL, from, WEFT_PANEL,
                           copies->w_rows + weft_linear_at(linear, i, panel * WEFT_PANEL),
                           WEFT_PANEL);
    }
}

void weft_linear_bf16_weights_team(weft_context *context, const struct weft_linear *linear,
                                   const float *params, const struct weft_linear_bf16 *copies)
{
    enum { ROWS = 128 };
    size_t n_row_tiles = weft_tiles_of(linear->n_in + 1, ROWS);
    size_t n_tiles = weft_tiles_of(linear->n_out, WEFT_PANEL) * n_row_tiles;
#pragma omp for schedule(static) nowait
    for (size_t t = 0; t < n_tiles; t++) {
        size_t i = t % n_row_tiles * ROWS;
        weft_linear_bf16_store(context->kernels, linear, params, copies, t / n_row_tiles, i,
                               weft_smaller(ROWS, linear->n_in + 1 - i));
    }
    weft_team_barrier(context);
}

/* Rows and columns from (row, col) of x, or below of dz; row and col are multiples of 32. */
static void store_input(const struct weft_kernel_set *kernels, const weft_tensor *x,
                        const struct weft_linear_bf16 *copies, size_t row, size_t rows, size_t col,
                        size_t cols)
{
    const float *from = (const float *)x->data + row * x->ld + col;
    kernels->bf16_rows(rows, cols, from, x->ld, copies->x_rows + row * copies->x_ld + col,
                       copies->x_ld);
    if (copies->x_turned != NULL) {
        kernels->bf16_transpose(rows, cols, from, x->ld,
                                copies->x_turned + col * copies->turned_ld + row,
                                copies->turned_ld);
    }
}

static void store_gradient(const struct weft_kernel_set *kernels, const weft_tensor *dz,
                           const struct weft_linear_bf16 *copies, size_t row, size_t rows,
                           size_t col, size_t cols)
{
    const float *from = (const float *)dz->data + row * dz->ld + col;
    if (copies->dz_pairs != NULL) {
        kernels->bf16_pairs(rows, cols, from, dz->ld,
                            copies->dz_pairs + row / 2 * copies->dz_ld + 2 * col, copies->dz_ld);
    }
    size_t n_pairs = weft_tiles_of(dz->cols, 2);
    for (size_t done = 0; copies->dz_turned != NULL && done < rows; done += WEFT_PANEL) {
        kernels->bf16_transpose_pairs(
            weft_smaller(WEFT_PANEL, rows - done), cols, from + done * dz->ld, dz->ld,
            copies->dz_turned + ((row + done) * n_pairs + col / 2 * WEFT_PANEL) * 2,
            2 * WEFT_PANEL);
    }
}

enum { TILE_ROWS = 32, TILE_COLS = 64 };

void weft_linear_bf16_input_team(weft_context *context, const weft_tensor *x,
                                 const struct weft_linear_bf16 *copies)
{
    size_t n_terms = x->cols + 1, n_col_tiles = weft_tiles_of(n_terms, TILE_COLS);
    size_t n_tiles = weft_tiles_of(x->rows, TILE_ROWS) * n_col_tiles;
#pragma omp for schedule(static) nowait
    for (size_t t = 0; t < n_tiles; t++) {
        size_t row = t / n_col_tiles * TILE_ROWS, col = t % n_col_tiles * TILE_COLS;
        store_input(context->kernels, x, copies, row, weft_smaller(TILE_ROWS, x->rows - row), col,
                    weft_smaller(TILE_COLS, n_terms - col));
    }
    weft_team_barrier(context);
}

void weft_linear_bf16_gradient_team(weft_context *context, const weft_tensor *dz,
                                    const struct weft_linear_bf16 *copies)
{
    size_t n_col_tiles = weft_tiles_of(dz->cols, TILE_COLS);
    size_t n_tiles = weft_tiles_of(dz->rows, TILE_ROWS) * n_col_tiles;
#pragma omp for schedule(static) nowait
    for (size_t t = 0; t < n_tiles; t++) {
        size_t row = t / n_col_tiles * TILE_ROWS, col = t % n_col_tiles * TILE_COLS;
        store_gradient(context->kernels, dz, copies, row, weft_smaller(TILE_ROWS, dz->rows - row),
                       col, weft_smaller(TILE_COLS, dz->cols - col));
    }
    weft_team_barrier(context);
}
