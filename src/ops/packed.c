/* Packing a batch. Parts are counted first: the lists of what is not zero are then as long as they
 * have to be, and lie in the order in which they are read. */
#include "ops/packed.h"

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "kernels/kernels.h"
#include "ops/team.h"
#include "ops/tiles.h"

static bool lists_init(struct weft_packed_lists *lists, const struct weft_term_lists *found,
                       size_t n_parts)
{
    size_t n;
    *lists = (struct weft_packed_lists){.n_lists = found->n_lists, .max_runs = found->max_runs};
    if (!weft_mul_fits(n_parts, lists->n_lists, &n)) {
        return false;
    }
    lists->counts = weft_mem_zalloc(n, sizeof *lists->counts);
    lists->begins = weft_mem_alloc(n, sizeof *lists->begins);
    return lists->counts != NULL && lists->begins != NULL;
}

static void lists_release(struct weft_packed_lists *lists)
{
    weft_mem_free(lists->counts);
    weft_mem_free(lists->begins);
    weft_mem_free(lists->terms);
    weft_mem_free(lists->values);
}

weft_status weft_packed_init(struct weft_packed *packed, const struct weft_nonzeros *found,
                             size_t n_parts)
{
    *packed = (struct weft_packed){.n_parts = n_parts, .mr = found->mr, .n_cols = found->n_cols};
    packed->parts = weft_mem_alloc(n_parts, sizeof *packed->parts);
    if (packed->parts != NULL && lists_init(&packed->by_rows, &found->by_rows, n_parts) &&
        lists_init(&packed->by_cols, &found->by_cols, n_parts)) {
        return WEFT_OK;
    }
    weft_packed_release(packed);
    return WEFT_ERR_NOMEM;
}

void weft_packed_release(struct weft_packed *packed)
{
    lists_release(&packed->by_rows);
    lists_release(&packed->by_cols);
    weft_mem_free(packed->parts);
    *packed = (struct weft_packed){0};
}

static void count(struct weft_packed_lists *lists, size_t part, const struct weft_term_lists *found,
                  size_t n_tiles)
{
    size_t n = n_tiles * found->max_runs;
#pragma omp for schedule(static) nowait
    for (size_t l = 0; l < n; l++) {
        lists->counts[part * lists->n_lists + l] = found->counts[l];
    }
}

void weft_packed_count_team(weft_context *context, struct weft_packed *packed, size_t part,
                            const struct weft_nonzeros *found, size_t n_rows)
{
    count(&packed->by_rows, part, &found->by_rows, weft_tiles_of(n_rows, packed->mr));
    if (packed->by_cols.n_lists > 0) {
        count(&packed->by_cols, part, &found->by_cols, weft_tiles_of(packed->n_cols, packed->mr));
    }
    weft_team_barrier(context);
}

/* Where each list begins; returns the number of all terms. */
static size_t place(struct weft_packed_lists *lists, size_t n_lists)
{
    size_t n_terms = 0;
    for (size_t l = 0; l < n_lists; l++) {
        lists->begins[l] = n_terms;
        n_terms += lists->counts[l];
    }
    return n_terms;
}

static bool lists_make_room(struct weft_packed_lists *lists, size_t n_terms, size_t mr)
{
    lists->terms = weft_mem_alloc(n_terms, sizeof *lists->terms);
    lists->values = weft_mem_alloc(n_terms, mr * sizeof *lists->values);
    return lists->terms != NULL && lists->values != NULL;
}

static struct weft_term_lists lists_of_part(const struct weft_packed_lists *lists, size_t part)
{
    return (struct weft_term_lists){
        .n_lists = lists->n_lists,
        .max_runs = lists->max_runs,
        .counts = lists->counts + part * lists->n_lists,
        .begins = lists->begins + part * lists->n_lists,
        .terms = lists->terms,
        .values = lists->values,
    };
}

weft_status weft_packed_make_room(struct weft_packed *packed, size_t max_bytes)
{
    size_t by_rows = place(&packed->by_rows, packed->n_parts * packed->by_rows.n_lists);
    size_t by_cols = place(&packed->by_cols, packed->n_parts * packed->by_cols.n_lists);
    size_t bytes = sizeof *packed->by_rows.terms + packed->mr * sizeof *packed->by_rows.values;
    if (by_rows <= max_bytes / bytes && by_cols <= max_bytes / bytes - by_rows &&
        lists_make_room(&packed->by_rows, by_rows, packed->mr) &&
        lists_make_room(&packed->by_cols, by_cols, packed->mr)) {
        for (size_t part = 0; part < packed->n_parts; part++) {
            packed->parts[part] = (struct weft_nonzeros){
                .by_rows = lists_of_part(&packed->by_rows, part),
                .by_cols = lists_of_part(&packed->by_cols, part),
                .n_cols = packed->n_cols,
                .mr = packed->mr,
            };
        }
        return WEFT_OK;
    }
    return WEFT_ERR_NOMEM;
}

/* The values of n terms, each of `width` lines of x and zeros beyond: value i of term p is
 * x[i * line + p * term]. */
static void pack(const float *x, size_t line, size_t term, size_t width, size_t mr,
                 const uint32_t *terms, size_t n, float *values)
{
    for (size_t q = 0; q < n; q++) {
        for (size_t i = 0; i < mr; i++) {
            values[q * mr + i] = i < width ? x[i * line + terms[q] * term] : 0;
        }
    }
}

static void fill(const struct weft_packed *packed, const struct weft_packed_lists *lists,
                 size_t part, const struct weft_term_lists *found, const weft_tensor *x,
                 bool by_rows, size_t run)
{
    size_t mr = packed->mr, n_lines = by_rows ? x->rows : packed->n_cols;
    size_t line = by_rows ? x->ld : 1, term = by_rows ? 1 : x->ld;
    size_t n = weft_tiles_of(n_lines, mr) * found->max_runs;
#pragma omp for schedule(static) nowait
    for (size_t l = 0; l < n; l++) {
        size_t from = l / found->max_runs * mr, p = l % found->max_runs * run;
        size_t begin = lists->begins[part * lists->n_lists + l];
        const uint32_t *terms = found->terms + l * found->room;
        memcpy(lists->terms + begin, terms, found->counts[l] * sizeof *terms);
        pack((const float *)x->data + from * line + p * term, line, term,
             weft_smaller(mr, n_lines - from), mr, terms, found->counts[l],
             lists->values + begin * mr);
    }
}

void weft_packed_fill_team(weft_context *context, struct weft_packed *packed, size_t part,
                           const struct weft_nonzeros *found, const weft_tensor *x)
{
    size_t kc = context->kernels->kc;
    fill(packed, &packed->by_rows, part, &found->by_rows, x, true,
         weft_run_length(packed->n_cols, kc));
    if (packed->by_cols.n_lists > 0) {
        fill(packed, &packed->by_cols, part, &found->by_cols, x, false,
             weft_run_length(x->rows, kc));
    }
    weft_team_barrier(context);
}
