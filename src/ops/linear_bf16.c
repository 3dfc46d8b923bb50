/* See linear_bf16.h. Everything is rounded in tiles, each by one thread while it is in cache. */
#include "ops/linear_bf16.h"

#include "base/mem.h"
#include "ops/nonzeros.h"
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

/* The lists of pairs, in tiles as bgemm takes them. */
static bool make_lists(struct weft_linear_bf16 *copies, const struct weft_kernel_set *kernels,
                       size_t n_terms, size_t rows, struct weft_bf16_uses uses)
{
    size_t mr = kernels->bmr, kc = kernels->bkc;
    return !uses.zeros ||
           (weft_term_lists_init(&copies->by_rows, weft_tiles_of(rows, mr), n_terms, kc) &&
            (!uses.weight_gradient ||
             weft_term_lists_init(&copies->by_cols, weft_tiles_of(n_terms, mr), rows, kc)));
}

weft_status weft_linear_bf16_init(struct weft_linear_bf16 *copies, const weft_context *context,
                                  const struct weft_linear *linear, size_t rows,
                                  struct weft_bf16_uses uses)
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
             weft_tiles_of(n_out, 2) * 2 * WEFT_PANEL) &&
        make_lists(copies, context->kernels, n_terms, rows, uses)) {
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
    weft_term_lists_release(&copies->by_rows);
    weft_term_lists_release(&copies->by_cols);
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

void weft_linear_bf16_store_input(const struct weft_kernel_set *kernels, const weft_tensor *x,
                                  const struct weft_linear_bf16 *copies, size_t row, size_t rows,
                                  size_t col, size_t cols)
{
    const float *from = (const float *)x->data + row * x->ld + col;
    size_t n_terms = col + cols == x->cols ? cols + 1 : cols;
    kernels->bf16_rows(rows, n_terms, from, x->ld, copies->x_rows + row * copies->x_ld + col,
                       copies->x_ld);
    if (copies->x_turned != NULL) {
        kernels->bf16_transpose(rows, n_terms, from, x->ld,
                                copies->x_turned + col * copies->turned_ld + row,
                                copies->turned_ld);
    }
}

void weft_linear_bf16_store_gradient(const struct weft_kernel_set *kernels, const weft_tensor *dz,
                                     const struct weft_linear_bf16 *copies, size_t row, size_t rows,
                                     size_t col, size_t cols)
{
    const float *from = (const float *)dz->data + row * dz->ld + col;
    if (copies->dz_pairs != NULL) {
        kernels->bf16_pairs(rows, cols, from, dz->ld,
                            copies->dz_pairs + row / 2 * copies->dz_ld + 2 * col, copies->dz_ld);
    }
    size_t n_pairs = weft_tiles_of(dz->cols, 2), n;
    for (size_t done = 0; copies->dz_turned != NULL && done < rows; done += n) {
        size_t at = (row + done) % WEFT_PANEL, panel = row + done - at;
        n = weft_smaller(WEFT_PANEL - at, rows - done);
        kernels->bf16_transpose_pairs(
            n, cols, from + done * dz->ld, dz->ld,
            copies->dz_turned + (panel * n_pairs + col / 2 * WEFT_PANEL + at) * 2, 2 * WEFT_PANEL);
    }
}

/* Lists the pairs in use of tile t of [rows, n_terms] bfloat16 numbers. A pair is the bits of a
 * float: it counts as zero where both halves are, the second one of either sign. */
static void list_tile(const struct weft_kernel_set *kernels, const struct weft_term_lists *lists,
                      const uint16_t *x, size_t x_ld, size_t rows, size_t n_terms, size_t t)
{
    size_t row = t * kernels->bmr, run = weft_run_length(n_terms, kernels->bkc);
    for (size_t p = 0, r = 0; p < n_terms; p += run, r++) {
        size_t at = t * lists->max_runs + r;
        const void *from = x + row * x_ld + p;
        lists->counts[at] =
            (uint32_t)kernels->used_columns(weft_smaller(kernels->bmr, rows - row),
                                            weft_tiles_of(weft_smaller(run, n_terms - p), 2), from,
                                            x_ld / 2, lists->terms + at * lists->room);
    }
}

static void find_zeros_team(weft_context *context, const weft_tensor *x,
                            const struct weft_linear_bf16 *copies)
{
    const struct weft_kernel_set *kernels = context->kernels;
    size_t n_terms = x->cols + 1;
    size_t n_row_tiles = weft_tiles_of(x->rows, kernels->bmr);
    size_t n_col_tiles = copies->by_cols.terms == NULL ? 0 : weft_tiles_of(n_terms, kernels->bmr);
#pragma omp for schedule(static) nowait
    for (size_t t = 0; t < n_row_tiles; t++) {
        list_tile(kernels, &copies->by_rows, copies->x_rows, copies->x_ld, x->rows, n_terms, t);
    }
#pragma omp for schedule(static) nowait
    for (size_t t = 0; t < n_col_tiles; t++) {
        list_tile(kernels, &copies->by_cols, copies->x_turned, copies->turned_ld, n_terms, x->rows,
                  t);
    }
    weft_team_barrier(context);
}

enum { TILE_ROWS = 32, TILE_COLS = 64 };

typedef void store_tile(const struct weft_kernel_set *kernels, const weft_tensor *from,
                        const struct weft_linear_bf16 *copies, size_t row, size_t rows, size_t col,
                        size_t cols);

static void store_team(weft_context *context, const weft_tensor *from,
                       const struct weft_linear_bf16 *copies, store_tile *store)
{
    size_t n_col_tiles = weft_tiles_of(from->cols, TILE_COLS);
    size_t n_tiles = weft_tiles_of(from->rows, TILE_ROWS) * n_col_tiles;
#pragma omp for schedule(static) nowait
    for (size_t t = 0; t < n_tiles; t++) {
        size_t row = t / n_col_tiles * TILE_ROWS, col = t % n_col_tiles * TILE_COLS;
        store(context->kernels, from, copies, row, weft_smaller(TILE_ROWS, from->rows - row), col,
              weft_smaller(TILE_COLS, from->cols - col));
    }
    weft_team_barrier(context);
}

void weft_linear_bf16_input_team(weft_context *context, const weft_tensor *x,
                                 const struct weft_linear_bf16 *copies)
{
    store_team(context, x, copies, weft_linear_bf16_store_input);
    if (copies->by_rows.terms != NULL) {
        find_zeros_team(context, x, copies);
    }
}

void weft_linear_bf16_gradient_team(weft_context *context, const weft_tensor *dz,
                                    const struct weft_linear_bf16 *copies)
{
    store_team(context, dz, copies, weft_linear_bf16_store_gradient);
}
