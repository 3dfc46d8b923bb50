/* Forward: Y = f([X 1] W). The grid of tiles is panels of W by rows of register tiles, shared in
 * contiguous ranges, so that a thread keeps to its own panels where there are enough of them: those
 * that it updated a step before. Within a share, runs of terms are outermost: the rows of X that
 * they need stay in the second-level cache from panel to panel, and so does the part of a panel, of
 * up to 132 KiB, from one tile of rows to the next. A is read in place (Goto & van de Geijn 2008
 * pack it; a strip of 8 rows of X needs no more of the cache unpacked, as its rows are padded to
 * differ in their sets). */
#include <assert.h>

#include "kernels/kernels.h"
#include "ops/linear.h"
#include "ops/linear_bf16.h"
#include "ops/rectangle.h"
#include "ops/team.h"
#include "ops/tiles.h"

/* Terms p .. p + run of the sums of one panel and the row tiles of the rectangle. */
static void add_run(const struct weft_kernel_set *kernels, const struct weft_forward_job *job,
                    const struct weft_rectangle *share, size_t panel, size_t p, size_t run)
{
    const struct weft_linear *linear = job->linear;
    size_t row = share->inner_from * kernels->mr, col = panel * WEFT_PANEL;
    struct weft_sgemm product = {
        .m = weft_smaller(share->inner_to * kernels->mr, job->y.rows) - row,
        .n = weft_smaller(WEFT_PANEL, linear->n_out - col),
        .k = run,
        .a = (const float *)job->x.data + row * job->x.ld + p,
        .a_rs = job->x.ld,
        .a_cs = 1,
        .b = job->params + weft_linear_at(linear, p, col),
        .b_rs = WEFT_PANEL,
        .c = (float *)job->y.data + row * job->y.ld + col,
        .c_rs = job->y.ld,
        .accumulate = p > 0,
    };
    if (job->nonzeros == NULL) {
        kernels->sgemm(&product);
        return;
    }
    size_t mr = job->nonzeros->mr, nth_run = p / weft_run_length(linear->n_in + 1, kernels->kc);
    for (size_t done = 0; done < product.m; done += mr) {
        struct weft_sgemm tile = product;
        tile.m = weft_smaller(mr, product.m - done);
        tile.a += done * product.a_rs;
        tile.c += done * product.c_rs;
        weft_nonzeros_leave_out(job->nonzeros, &job->nonzeros->by_rows, (row + done) / mr, nth_run,
                                &tile);
        kernels->sgemm(&tile);
    }
}

/* The same of bfloat16 numbers. */
static void add_bf16_run(const struct weft_kernel_set *kernels, const struct weft_forward_job *job,
                         const struct weft_rectangle *share, size_t panel, size_t p, size_t run)
{
    const struct weft_linear *linear = job->linear;
    const struct weft_linear_bf16 *copies = job->bf16;
    size_t row = share->inner_from * kernels->bmr, col = panel * WEFT_PANEL;
    size_t n_pairs = linear->n_in / 2 + 1;
    struct weft_bgemm product = {
        .m = weft_smaller(share->inner_to * kernels->bmr, job->y.rows) - row,
        .n = weft_smaller(WEFT_PANEL, linear->n_out - col),
        .k = run,
        .a = copies->x_rows + row * copies->x_ld + p,
        .a_rs = copies->x_ld,
        .b = copies->w_pairs + (panel * n_pairs + p / 2) * 2 * WEFT_PANEL,
        .b_rs = 2 * WEFT_PANEL,
        .c = (float *)job->y.data + row * job->y.ld + col,
        .c_rs = job->y.ld,
        .accumulate = p > 0,
    };
    if (copies->by_rows.terms == NULL) {
        kernels->bgemm(&product);
        return;
    }
    size_t nth_run = p / weft_run_length(linear->n_in + 1, kernels->bkc);
    for (size_t done = 0; done < product.m; done += kernels->bmr) {
        struct weft_bgemm tile = product;
        tile.m = weft_smaller(kernels->bmr, product.m - done);
        tile.a += done * product.a_rs;
        tile.c += done * product.c_rs;
        tile.n_pairs =
            weft_nonzeros_terms(&copies->by_rows, share->inner_from + done / kernels->bmr, nth_run,
                                weft_tiles_of(run, 2), &tile.pairs);
        kernels->bgemm(&tile);
    }
}

void weft_linear_finish(const struct weft_kernel_set *kernels, const struct weft_forward_job *job,
                        size_t row, size_t rows, size_t col, size_t cols)
{
    float *pre = job->pre.data == NULL ? NULL : (float *)job->pre.data + row * job->pre.ld + col;
    kernels->activate(job->f, rows, cols, (float *)job->y.data + row * job->y.ld + col, job->y.ld,
                      pre, job->pre.ld);
    const weft_tensor *out = &job->y;
    const weft_tensor *keep = &job->drop.keep;
    if (keep->data != NULL) {
        out = &job->dropped;
        kernels->mask(rows, cols, (const uint8_t *)keep->data + row * keep->ld + col, keep->ld,
                      job->drop.scale, (const float *)job->y.data + row * job->y.ld + col,
                      job->y.ld, (float *)out->data + row * out->ld + col, out->ld);
    }
    if (job->y_copies != NULL) {
        weft_linear_bf16_store_input(kernels, out, job->y_copies, row, rows, col, cols);
    }
}

static void forward_rectangle(const struct weft_kernel_set *kernels,
                              const struct weft_forward_job *job,
                              const struct weft_rectangle *share)
{
    const struct weft_linear *linear = job->linear;
    size_t n_terms = linear->n_in + 1;
    size_t mr = job->bf16 != NULL ? kernels->bmr : kernels->mr;
    size_t run = weft_run_length(n_terms, job->bf16 != NULL ? kernels->bkc : kernels->kc);
    for (size_t p = 0; p < n_terms; p += run) {
        for (size_t panel = share->outer_from; panel < share->outer_to; panel++) {
            (job->bf16 != NULL ? add_bf16_run : add_run)(kernels, job, share, panel, p,
                                                         weft_smaller(run, n_terms - p));
        }
    }
    size_t row = share->inner_from * mr, col = share->outer_from * WEFT_PANEL;
    weft_linear_finish(kernels, job, row, weft_smaller(share->inner_to * mr, job->y.rows) - row,
                       col, weft_smaller(share->outer_to * WEFT_PANEL, linear->n_out) - col);
}

/* Few outputs: a vector holds terms of one sum. */
static void forward_narrow(const weft_context *context, const struct weft_forward_job *job)
{
    enum { GRAIN = 4 };
    const struct weft_kernel_set *kernels = context->kernels;
    const struct weft_linear *linear = job->linear;
    size_t from, to;
    weft_team_share(context, weft_tiles_of(job->y.rows, GRAIN), &from, &to);
    size_t row = from * GRAIN, end = weft_smaller(to * GRAIN, job->y.rows);
    if (row < end) {
        kernels->sdot(end - row, linear->n_out, linear->n_in + 1,
                      (const float *)job->x.data + row * job->x.ld, job->x.ld, job->params,
                      linear->ld, (float *)job->y.data + row * job->y.ld, job->y.ld);
        weft_linear_finish(kernels, job, row, end - row, 0, linear->n_out);
    }
}

void weft_linear_forward_nowait(weft_context *context, const struct weft_forward_job *job)
{
    const struct weft_kernel_set *kernels = context->kernels;
    const struct weft_linear *linear = job->linear;
    assert(job->x.cols == linear->n_in && job->x.ld > linear->n_in);
    assert(job->y.cols == linear->n_out && job->y.rows == job->x.rows);
    if (linear->n_out <= WEFT_NARROW) {
        forward_narrow(context, job);
    } else {
        enum { MAX_PANELS = 8 };
        size_t mr = job->bf16 != NULL ? kernels->bmr : kernels->mr;
        size_t n_panels = weft_tiles_of(linear->n_out, WEFT_PANEL);
        size_t n_row_tiles = weft_tiles_of(job->y.rows, mr);
        size_t from, to;
        weft_team_share(context, n_panels * n_row_tiles, &from, &to);
        struct weft_rectangle share;
        while (weft_next_rectangle(&from, to, n_row_tiles, MAX_PANELS, &share)) {
            forward_rectangle(kernels, job, &share);
        }
    }
}

void weft_linear_forward_team(weft_context *context, const struct weft_forward_job *job)
{
    weft_linear_forward_nowait(context, job);
    weft_team_barrier(context);
}
