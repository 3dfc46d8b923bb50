/* Lists of the terms that count, made once for a batch and read by every panel of weights. */
#include "ops/nonzeros.h"

#include "base/mem.h"
#include "kernels/kernels.h"
#include "ops/team.h"
#include "ops/tiles.h"

/* Kernels write lists in whole vectors of up to 16. */
enum { LIST_SLACK = 16 };

/* Runs are of whole panels, so that blocks of terms are not cut. */
enum { GRAIN = 32 };

static size_t round_up(size_t n, size_t grain)
{
    return weft_tiles_of(n, grain) * grain;
}

size_t weft_run_length(size_t n_terms, size_t max_run)
{
    size_t n_runs = weft_tiles_of(n_terms, max_run);
    return round_up(n_runs <= 1 ? n_terms : weft_tiles_of(n_terms, n_runs), GRAIN);
}

bool weft_term_lists_init(struct weft_term_lists *lists, size_t n_tiles, size_t n_terms,
                          size_t max_run)
{
    *lists = (struct weft_term_lists){
        .max_runs = weft_tiles_of(n_terms, max_run),
        .room = round_up(max_run, GRAIN) + LIST_SLACK,
    };
    if (!weft_mul_fits(n_tiles, lists->max_runs, &lists->n_lists)) {
        return false;
    }
    lists->counts = weft_mem_alloc(lists->n_lists, sizeof *lists->counts);
    lists->terms = weft_mem_alloc(lists->n_lists, lists->room * sizeof *lists->terms);
    return lists->counts != NULL && lists->terms != NULL;
}

void weft_term_lists_release(struct weft_term_lists *lists)
{
    weft_mem_free(lists->terms);
    weft_mem_free(lists->counts);
    *lists = (struct weft_term_lists){0};
}

weft_status weft_nonzeros_init(struct weft_nonzeros *nonzeros, const weft_context *context,
                               size_t max_rows, size_t n_cols, bool by_cols, bool to_pack)
{
    size_t mr = to_pack ? context->kernels->packed_mr : context->kernels->mr;
    size_t kc = context->kernels->kc;
    *nonzeros = (struct weft_nonzeros){.n_cols = n_cols + 1, .mr = mr};
    if (weft_term_lists_init(&nonzeros->by_rows, weft_tiles_of(max_rows, mr), n_cols + 1, kc) &&
        (!by_cols ||
         weft_term_lists_init(&nonzeros->by_cols, weft_tiles_of(n_cols + 1, mr), max_rows, kc))) {
        return WEFT_OK;
    }
    weft_nonzeros_release(nonzeros);
    return WEFT_ERR_NOMEM;
}

void weft_nonzeros_release(struct weft_nonzeros *nonzeros)
{
    weft_term_lists_release(&nonzeros->by_rows);
    weft_term_lists_release(&nonzeros->by_cols);
    *nonzeros = (struct weft_nonzeros){0};
}

/* Fills the lists of tile t, whose terms are columns of x where by_rows. */
static void list_tile(const struct weft_kernel_set *kernels, struct weft_nonzeros *nonzeros,
                      const weft_tensor *x, size_t t, bool by_rows)
{
    struct weft_term_lists *lists = by_rows ? &nonzeros->by_rows : &nonzeros->by_cols;
    size_t from = t * nonzeros->mr, n_cols = nonzeros->n_cols;
    size_t n_terms = by_rows ? n_cols : x->rows;
    size_t width = weft_smaller(nonzeros->mr, (by_rows ? x->rows : n_cols) - from);
    size_t run = weft_run_length(n_terms, kernels->kc);
    for (size_t p = 0, r = 0; p < n_terms; p += run, r++) {
        size_t at = t * lists->max_runs + r, count = weft_smaller(run, n_terms - p);
        uint32_t *list = lists->terms + at * lists->room;
        const float *data = x->data;
        lists->counts[at] =
            (uint32_t)(by_rows ? kernels->used_columns(width, count, data + from * x->ld + p, x->ld,
                                                       list)
                               : kernels->used_rows(count, width, data + p * x->ld + from, x->ld,
                                                    list));
    }
}

void weft_nonzeros_find_team(weft_context *context, struct weft_nonzeros *nonzeros,
                             const weft_tensor *x)
{
    const struct weft_kernel_set *kernels = context->kernels;
    size_t n_row_tiles = weft_tiles_of(x->rows, nonzeros->mr);
    size_t n_col_tiles =
        nonzeros->by_cols.terms == NULL ? 0 : weft_tiles_of(nonzeros->n_cols, nonzeros->mr);
#pragma omp for schedule(static) nowait
    for (size_t t = 0; t < n_row_tiles; t++) {
        list_tile(kernels, nonzeros, x, t, true);
    }
#pragma omp for schedule(static) nowait
    for (size_t t = 0; t < n_col_tiles; t++) {
        list_tile(kernels, nonzeros, x, t, false);
    }
    weft_team_barrier(context);
}

size_t weft_nonzeros_terms(const struct weft_term_lists *lists, size_t tile, size_t run,
                           size_t run_length, const uint32_t **terms)
{
    size_t at = tile * lists->max_runs + run;
    size_t count = lists->counts[at];
    if (count * 8 > run_length * 7) {
        *terms = NULL;
        return run_length;
    }
    *terms = lists->terms + at * lists->room;
    return count;
}

void weft_nonzeros_leave_out(const struct weft_nonzeros *nonzeros,
                             const struct weft_term_lists *lists, size_t tile, size_t run,
                             struct weft_sgemm *product)
{
    if (lists->values == NULL) {
        product->k = weft_nonzeros_terms(lists, tile, run, product->k, &product->terms);
        return;
    }
    size_t at = tile * lists->max_runs + run;
    product->k = lists->counts[at];
    product->terms = lists->terms + lists->begins[at];
    product->a_packed = true;
    product->a = lists->values + lists->begins[at] * nonzeros->mr;
    product->a_rs = 1;
    product->a_cs = nonzeros->mr;
}
