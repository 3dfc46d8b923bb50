/* Fully connected layers: their layout in memory, what is not zero in their input, and their three
 * products against plain loops in double precision on random shapes. Whatever lies beside the
 * operands, and the threads' scratch, is NaN before each product, so that reading it shows. The
 * product of one thread without an epilogue and without lists is compared with the plain loops; all
 * others must have its bits. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "ops/linear.h"
#include "ops/nonzeros.h"
#include "ops/packed.h"
#include "ops/team.h"
#include "ops/update.h"

#include "harness.h"
#include "test_ops.h"

enum { N_SHAPES = HARNESS_EMULATED ? 13 : HARNESS_SLOW_BUILD ? 26 : 52 };

/* ---- one layer and its operands ---- */

struct shape {
    size_t n_in, n_out, batch;
    double share; /* of x that is not zero */
};

/* n_out around the sizes of panels and of narrow layers; n_in beyond a run of terms; batches around
 * and beyond register tiles; every other x is mostly zeros. */
static struct shape shape_at(uint64_t round)
{
    static const size_t n_outs[] = {17, 1, 32, 2, 33, 10, 64, 100, 9, 31, 15, 16, 70};
    static const size_t batches[] = {1, 256, 8, 31, 255, 32, 7, 193};
    return (struct shape){
        .n_in = size_at(10, round, round % 5 == 0 ? 900 : 300),
        .n_out = n_outs[round % 13],
        .batch = round % 2 == 0 ? batches[round / 2 % 8] : size_at(11, round, WEFT_LINEAR_MAX_ROWS),
        .share = round / 13 % 2 == 0 ? 0.1 : 1,
    };
}

static void print_shape(const struct shape *shape, const char *what)
{
    printf("\n  %s: batch %zu, %zu inputs (%g not zero), %zu outputs", what, shape->batch,
           shape->n_in, shape->share, shape->n_out);
}

/* In the corner of a wider tensor, so that rows are further apart than those of the operand that it
 * goes with. Release `whole`. */
static weft_tensor wide_rows(size_t rows, size_t cols, uint64_t stream, weft_tensor *whole)
{
    *whole = random_tensor(rows, cols + 40, stream);
    return weft_tensor_view(whole, 0, 0, rows, cols);
}

static void poison(float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        x[i] = NAN;
    }
}

/* Makes the padding of each row NaN, `from` columns on. */
static void poison_padding(weft_tensor *t, size_t from)
{
    for (size_t i = 0; i < t->rows; i++) {
        poison(element(t, i, 0) + from, t->ld - from);
    }
}

static bool padding_is_poisoned(const weft_tensor *t, size_t from)
{
    for (size_t i = 0; i < t->rows; i++) {
        for (size_t j = from; j < t->ld; j++) {
            if (!isnan(((float *)t->data)[i * t->ld + j])) {
                return false;
            }
        }
    }
    return true;
}

/* The input of a layer, a share of it not zero; some columns are zero throughout. */
static weft_tensor random_input(const struct shape *shape, uint64_t stream)
{
    weft_tensor x = {0};
    CU_ASSERT_FATAL(weft_linear_input_init(&x, shape->batch, shape->n_in) == WEFT_OK);
    for (size_t i = 0; i < x.rows; i++) {
        for (size_t j = 0; j < x.cols; j++) {
            uint64_t at = i * x.cols + j;
            bool zero = shape->share < 1 &&
                        (j % 7 == 3 || weft_rng_uniform(12, stream, at) >= shape->share);
            *element(&x, i, j) = !zero         ? (float)weft_rng_normal(13, stream, at)
                                 : at % 3 == 0 ? -0.0f
                                               : 0.0f;
        }
    }
    poison_padding(&x, x.cols + 1);
    return x;
}

static float *zero_block(size_t len)
{
    float *block = weft_mem_zalloc(len, sizeof *block);
    CU_ASSERT_FATAL(block != NULL);
    return block;
}

/* A block of a layer's layout: random where a parameter is. */
static float *random_block(const struct weft_linear *linear, uint64_t stream)
{
    float *block = zero_block(linear->len);
    for (size_t i = 0; i <= linear->n_in; i++) {
        for (size_t o = 0; o < linear->n_out; o++) {
            uint64_t at = i * linear->n_out + o;
            block[weft_linear_at(linear, i, o)] = (float)weft_rng_normal(14, stream, at);
        }
    }
    return block;
}

/* What padding there is between the parameters of a block. */
static bool block_padding_is_zero(const struct weft_linear *linear, const float *block)
{
    bool *used = calloc(linear->len, sizeof *used);
    size_t n_wrong = 0;
    for (size_t i = 0; i <= linear->n_in; i++) {
        for (size_t o = 0; o < linear->n_out; o++) {
            used[weft_linear_at(linear, i, o)] = true;
        }
    }
    for (size_t at = 0; at < linear->len; at++) {
        n_wrong += !used[at] && block[at] != 0;
    }
    free(used);
    return n_wrong == 0;
}

/* What a team does: each that is not NULL. */
struct linear_run {
    weft_context *context;
    struct weft_nonzeros *nonzeros; /* found in the input of whichever follows */
    const struct weft_forward_job *forward;
    const struct weft_input_gradient_job *input_gradient;
    const struct weft_weight_gradient_job *weight_gradient;
    /* The update of a layer that begins at update_at, whose whole gradient this is. */
    const struct weft_update *update;
    const struct weft_linear *linear;
    const float *gradient;
    size_t update_at;
};

static void linear_team(void *arg)
{
    const struct linear_run *run = arg;
    if (run->nonzeros != NULL) {
        weft_nonzeros_find_team(run->context, run->nonzeros,
                                run->forward != NULL ? &run->forward->x : &run->weight_gradient->x);
    }
    if (run->forward != NULL) {
        weft_linear_forward_team(run->context, run->forward);
    }
    if (run->input_gradient != NULL) {
        weft_linear_input_gradient_team(run->context, run->input_gradient);
    }
    if (run->weight_gradient != NULL) {
        weft_linear_weight_gradient_nowait(run->context, run->weight_gradient);
    }
    if (run->update != NULL) {
        weft_linear_update_team(run->context, run->linear, run->update, run->update_at,
                                run->gradient);
    }
}

static void run_team(struct linear_run run)
{
    poison(run.context->scratch, run.context->n_threads * WEFT_SCRATCH_LEN);
    weft_team_run(run.context, linear_team, &run);
}

static weft_context *contexts[N_THREAD_COUNTS];

static void make_contexts(void)
{
    for (size_t t = 0; t < N_THREAD_COUNTS; t++) {
        contexts[t] = context_of(thread_counts[t]);
    }
}

static void free_contexts(void)
{
    for (size_t t = 0; t < N_THREAD_COUNTS; t++) {
        weft_context_free(contexts[t]);
    }
}

/* Room for more than the batch, as a pass has. */
static struct weft_nonzeros nonzeros_for(const weft_context *context, const struct shape *shape)
{
    struct weft_nonzeros nonzeros;
    CU_ASSERT_FATAL(weft_nonzeros_init(&nonzeros, context, shape->batch + 3, shape->n_in, true,
                                       false) == WEFT_OK);
    return nonzeros;
}

/* |got - wanted| <= (k + 4) eps size, for a sum of k terms whose sizes add up to `size`. */
static bool sum_is_near(float got, double wanted, double size, size_t k)
{
    return fabs((double)got - wanted) <= (double)(k + 4) * (double)FLT_EPSILON * size;
}

/* ---- layout ---- */

static void places(void)
{
    static const size_t n_ins[] = {1, 2, 15, 16, 31, 32, 33, 784};
    for (size_t s = 0; s < sizeof n_ins / sizeof *n_ins; s++) {
        for (size_t n_out = 1; n_out <= 100; n_out++) {
            struct weft_linear linear = weft_linear_of(n_ins[s], n_out);
            CHECK(linear.n_in == n_ins[s] && linear.n_out == n_out);
            CHECK(linear.len >= (n_ins[s] + 1) * n_out && linear.len % 16 == 0);
            bool *used = calloc(linear.len, sizeof *used);
            size_t wrong = 0;
            for (size_t i = 0; i <= linear.n_in; i++) {
                for (size_t o = 0; o < n_out; o++) {
                    size_t at = weft_linear_at(&linear, i, o);
                    wrong += at >= linear.len || used[at];
                    used[at < linear.len ? at : 0] = true;
                }
            }
            CHECK_UINT(wrong, 0);
            free(used);
        }
    }
}

static void too_large(void)
{
    static const size_t shapes[][2] = {
        {SIZE_MAX, 1},
        {SIZE_MAX, 100},
        {SIZE_MAX - 1, 1},
        {SIZE_MAX - 1, 17},
        {SIZE_MAX / 16, 16},
        {SIZE_MAX / 32, 17},
        {SIZE_MAX / 64, 33},
        {1, SIZE_MAX},
        {SIZE_MAX / 4, 16},
        {SIZE_MAX / 2, 64},
        {SIZE_MAX / 2, SIZE_MAX / 2},
    };
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        CHECK_UINT(weft_linear_of(shapes[s][0], shapes[s][1]).len, 0);
    }
    CHECK_UINT(weft_linear_of(SIZE_MAX / 32 - 1, 17).len, SIZE_MAX / 32 * 32); /* just fits */
}

static void inputs_carry_ones(void)
{
    for (size_t cols = 1; cols <= 300; cols++) {
        weft_tensor x = {0};
        CHECK(weft_linear_input_init(&x, 3, cols) == WEFT_OK);
        CHECK(x.rows == 3 && x.cols == cols && x.ld > cols);
        size_t wrong = 0;
        for (size_t i = 0; i < 3; i++) {
            for (size_t j = 0; j < x.ld; j++) {
                wrong += ((float *)x.data)[i * x.ld + j] != (j == cols ? 1.0f : 0.0f);
            }
        }
        CHECK_UINT(wrong, 0);
        weft_tensor_release(&x);
    }
    weft_tensor x = {0};
    CHECK(weft_linear_input_init(&x, 1, SIZE_MAX) == WEFT_ERR_NOMEM);
    CHECK(weft_linear_input_init(&x, SIZE_MAX / 8, 7) == WEFT_ERR_NOMEM);
    weft_mem_fail_at(1);
    CHECK(weft_linear_input_init(&x, 2, 2) == WEFT_ERR_NOMEM);
    CHECK(x.data == NULL);
}

/* ---- what is not zero ---- */

static void run_lengths(void)
{
    static const size_t longest[] = {32, 192, 256};
    for (size_t s = 0; s < sizeof longest / sizeof *longest; s++) {
        size_t wrong = 0;
        for (size_t n = 1; n <= 2000; n++) {
            size_t run = weft_run_length(n, longest[s]);
            size_t n_runs = (n + run - 1) / run;
            wrong += run == 0 || run % WEFT_PANEL != 0 || run > longest[s];
            wrong += n_runs > (n + longest[s] - 1) / longest[s];
        }
        CHECK_UINT(wrong, 0);
    }
}

static bool is_used(const weft_tensor *x, bool by_rows, size_t from, size_t to, size_t term)
{
    for (size_t line = from; line < to; line++) {
        size_t at = by_rows ? line * x->ld + term : term * x->ld + line;
        if (((float *)x->data)[at] != 0) {
            return true;
        }
    }
    return false;
}

/* Checks the lists of tiles of rows (whose terms are columns), or of columns; counts those that
 * leave something out. */
static size_t check_lists(const weft_context *context, const struct weft_term_lists *lists,
                          const weft_tensor *x, bool by_rows)
{
    size_t mr = context->kernels->mr, n_listed = 0, wrong = 0;
    size_t n_lines = by_rows ? x->rows : x->cols + 1, n_terms = by_rows ? x->cols + 1 : x->rows;
    size_t run = weft_run_length(n_terms, context->kernels->kc);
    for (size_t from = 0; from < n_lines; from += mr) {
        size_t to = n_lines - from < mr ? n_lines : from + mr;
        for (size_t p = 0; p < n_terms; p += run) {
            size_t length = n_terms - p < run ? n_terms - p : run, n_used = 0;
            const uint32_t *terms = NULL;
            size_t n = weft_nonzeros_terms(lists, from / mr, p / run, length, &terms);
            for (size_t q = 0; q < length; q++) {
                bool used = is_used(x, by_rows, from, to, p + q);
                wrong += used && terms != NULL && (n_used >= n || terms[n_used] != q);
                n_used += used;
            }
            wrong += terms != NULL ? n != n_used : n != length || 2 * n_used < length;
            n_listed += terms != NULL;
        }
    }
    CHECK_UINT(wrong, 0);
    return n_listed;
}

struct find_job {
    weft_context *context;
    struct weft_nonzeros *nonzeros;
    const weft_tensor *x;
};

static void find_team(void *arg)
{
    const struct find_job *job = arg;
    weft_nonzeros_find_team(job->context, job->nonzeros, job->x);
}

/* For a whole part of a batch, then for a last one that is smaller. */
static void lists_of_terms(void)
{
    make_contexts();
    for (uint64_t round = 0; round < N_SHAPES; round++) {
        struct shape shape = shape_at(round);
        weft_context *context = contexts[round % N_THREAD_COUNTS];
        struct weft_nonzeros nonzeros = nonzeros_for(context, &shape);
        weft_tensor x = random_input(&shape, round);
        for (size_t rows = shape.batch; rows > 0; rows = rows == shape.batch ? rows / 3 : 0) {
            weft_tensor part = weft_tensor_view(&x, shape.batch - rows, 0, rows, shape.n_in);
            weft_team_run(context, find_team, &(struct find_job){context, &nonzeros, &part});
            size_t n_listed = check_lists(context, &nonzeros.by_rows, &part, true) +
                              check_lists(context, &nonzeros.by_cols, &part, false);
            CHECK(shape.share < 1 ? n_listed > 0 || shape.n_in < 30 : n_listed == 0);
        }
        weft_tensor_release(&x);
        weft_nonzeros_release(&nonzeros);
        CHECK(nonzeros.by_rows.terms == NULL && nonzeros.by_cols.counts == NULL);
    }
    free_contexts();
}

static void lists_without_memory(void)
{
    weft_context *context = context_of(1);
    struct weft_nonzeros nonzeros;
    size_t n_failed = 0;
    for (size_t i = 1;; i++) {
        weft_mem_fail_at(i);
        weft_status status = weft_nonzeros_init(&nonzeros, context, 20, 30, true, false);
        weft_mem_fail_at(0);
        if (status == WEFT_OK) {
            break;
        }
        CHECK_INT(status, WEFT_ERR_NOMEM);
        CHECK(nonzeros.by_rows.terms == NULL && nonzeros.by_rows.counts == NULL);
        CHECK(nonzeros.by_cols.terms == NULL && nonzeros.by_cols.counts == NULL);
        n_failed++;
    }
    CHECK(n_failed >= 2);
    weft_nonzeros_release(&nonzeros);
    CHECK(weft_nonzeros_init(&nonzeros, context, 20, 30, false, false) == WEFT_OK);
    CHECK(nonzeros.by_rows.terms != NULL && nonzeros.by_cols.terms == NULL);
    weft_nonzeros_release(&nonzeros);
    weft_context_free(context);
}

/* Lists take 4 bytes a term and 4 more for each line of a tile. */
static void packed_within_bounds(void)
{
    enum { ROWS = 20, COLS = 3 };
    weft_context *context = context_of(1);
    size_t mr = context->kernels->packed_mr, n_terms = 0;
    struct weft_nonzeros found;
    struct weft_packed packed;
    weft_tensor x;
    CHECK(weft_linear_input_init(&x, ROWS, COLS) == WEFT_OK);
    *element(&x, 7, 1) = 5;
    CHECK(weft_nonzeros_init(&found, context, ROWS, COLS, true, true) == WEFT_OK);
    CHECK(weft_packed_init(&packed, &found, 1) == WEFT_OK);
    weft_nonzeros_find_team(context, &found, &x);
    weft_packed_count_team(context, &packed, 0, &found, ROWS);
    n_terms += (ROWS + mr - 1) / mr + 1; /* the ones in each tile of rows, and the 5 */
    n_terms += mr > COLS ? ROWS : ROWS + 1;
    size_t bytes = n_terms * (1 + mr) * sizeof(float);
    CHECK_INT(weft_packed_make_room(&packed, bytes - 1), WEFT_ERR_NOMEM);
    CHECK_INT(weft_packed_make_room(&packed, bytes), WEFT_OK);
    weft_packed_fill_team(context, &packed, 0, &found, &x);
    struct weft_sgemm product = {.k = COLS + 1};
    weft_nonzeros_leave_out(&packed.parts[0], &packed.parts[0].by_rows, 7 / mr, 0, &product);
    CHECK_UINT(product.k, 2);
    CHECK(product.a_packed && product.a_rs == 1 && product.a_cs == mr);
    CHECK(product.terms[0] == 1 && product.a[7 % mr] == 5 && product.a[(7 + 1) % mr] == 0);
    CHECK(product.terms[1] == COLS && product.a[mr + 7 % mr] == 1);
    weft_packed_release(&packed);
    weft_nonzeros_release(&found);
    weft_tensor_release(&x);
    weft_context_free(context);
}

/* ---- forward ---- */

static size_t n_far_from_product(const struct weft_forward_job *job)
{
    const struct weft_linear *linear = job->linear;
    size_t wrong = 0;
    for (size_t b = 0; b < job->x.rows; b++) {
        for (size_t o = 0; o < linear->n_out; o++) {
            double sum = (double)job->params[weft_linear_at(linear, linear->n_in, o)];
            double size = fabs(sum);
            for (size_t i = 0; i < linear->n_in; i++) {
                double term = (double)*element(&job->x, b, i) *
                              (double)job->params[weft_linear_at(linear, i, o)];
                sum += term;
                size += fabs(term);
            }
            wrong += !sum_is_near(*element(&job->y, b, o), sum, size, linear->n_in);
        }
    }
    return wrong;
}

/* Runs the job with f, and compares with the kernel over the whole of z. */
static void check_forward(struct linear_run run, const struct weft_forward_job *base,
                          const weft_tensor *z, bool keep_pre)
{
    struct weft_forward_job job = *base;
    weft_tensor whole_pre, whole_untouched;
    weft_tensor pre = wide_rows(z->rows, z->cols, 5, &whole_pre);
    weft_tensor untouched = wide_rows(z->rows, z->cols, 5, &whole_untouched);
    job.pre = keep_pre ? pre : (weft_tensor){0};
    job.nonzeros = run.nonzeros;
    weft_tensor wanted = random_tensor(z->rows, z->cols, 6);
    for (size_t b = 0; b < z->rows; b++) {
        memcpy(element(&wanted, b, 0), element(z, b, 0), z->cols * sizeof(float));
        poison(element(&job.y, b, 0), job.y.ld);
    }
    run.context->kernels->activate(job.f, z->rows, z->cols, wanted.data, wanted.ld, NULL, 0);
    run.forward = &job;
    run_team(run);
    CHECK(same_elements(&job.y, &wanted));
    CHECK(padding_is_poisoned(&job.y, job.y.cols));
    CHECK(same_elements(&pre, keep_pre && weft_linear_saves_input(job.f) ? z : &untouched));
    weft_tensor_release(&whole_pre);
    weft_tensor_release(&whole_untouched);
    weft_tensor_release(&wanted);
}

static void forward(void)
{
    make_contexts();
    for (uint64_t round = 0; round < N_SHAPES; round++) {
        struct shape shape = shape_at(round);
        struct weft_linear linear = weft_linear_of(shape.n_in, shape.n_out);
        float *params = random_block(&linear, round);
        weft_tensor z = random_tensor(shape.batch, shape.n_out, 3);
        struct weft_forward_job job = {
            .linear = &linear,
            .params = params,
            .x = random_input(&shape, round),
            .y = z,
            .f = WEFT_IDENTITY,
        };
        poison_padding(&z, z.cols);
        run_team((struct linear_run){.context = contexts[0], .forward = &job});
        bool right = CHECK_UINT(n_far_from_product(&job), 0);
        right = CHECK(padding_is_poisoned(&z, z.cols)) && right;
        if (!right) {
            print_shape(&shape, "forward");
        }
        job.y = random_tensor(shape.batch, shape.n_out, 4);
        struct weft_nonzeros nonzeros = nonzeros_for(contexts[0], &shape);
        for (size_t t = 0; t < N_THREAD_COUNTS; t++) {
            job.f = (weft_activation)((round + 2 * t) % WEFT_N_ACTIVATIONS);
            check_forward((struct linear_run){.context = contexts[t]}, &job, &z, true);
            check_forward((struct linear_run){.context = contexts[t], .nonzeros = &nonzeros}, &job,
                          &z, t % 2 == 0);
        }
        weft_nonzeros_release(&nonzeros);
        weft_tensor_release(&job.x);
        weft_tensor_release(&job.y);
        weft_tensor_release(&z);
        weft_mem_free(params);
    }
    free_contexts();
}

/* ---- the gradient of the input ---- */

static size_t n_far_from_input_gradient(const struct weft_input_gradient_job *job)
{
    const struct weft_linear *linear = job->linear;
    size_t wrong = 0;
    for (size_t b = 0; b < job->dx.rows; b++) {
        for (size_t i = 0; i < linear->n_in; i++) {
            double sum = 0, size = 0;
            for (size_t o = 0; o < linear->n_out; o++) {
                double term = (double)*element(&job->dz, b, o) *
                              (double)job->params[weft_linear_at(linear, i, o)];
                sum += term;
                size += fabs(term);
            }
            wrong += !sum_is_near(*element(&job->dx, b, i), sum, size, linear->n_out);
        }
    }
    return wrong;
}

/* Runs the job with f, and compares with the kernel over the whole of dx. */
static void check_input_gradient(weft_context *context, const struct weft_input_gradient_job *base,
                                 weft_activation f, const weft_tensor *dx)
{
    struct weft_input_gradient_job job = *base;
    job.f = f;
    job.dx = random_tensor(dx->rows, dx->cols, 8);
    weft_tensor wanted = random_tensor(dx->rows, dx->cols, 9);
    for (size_t b = 0; b < dx->rows; b++) {
        memcpy(element(&wanted, b, 0), element(dx, b, 0), dx->cols * sizeof(float));
        poison(element(&job.dx, b, 0), job.dx.ld);
    }
    context->kernels->activate_gradient(f, dx->rows, dx->cols, wanted.data, wanted.ld,
                                        job.saved.data, job.saved.ld);
    poison(job.turned, weft_linear_turned_len(job.linear, dx->rows));
    run_team((struct linear_run){.context = context, .input_gradient = &job});
    CHECK(same_elements(&job.dx, &wanted));
    CHECK(padding_is_poisoned(&job.dx, job.dx.cols));
    weft_tensor_release(&job.dx);
    weft_tensor_release(&wanted);
}

static void input_gradient(void)
{
    make_contexts();
    for (uint64_t round = 0; round < N_SHAPES; round++) {
        struct shape shape = shape_at(round + 1000);
        struct weft_linear linear = weft_linear_of(shape.n_in, shape.n_out);
        float *params = random_block(&linear, round);
        size_t turned_len = weft_linear_turned_len(&linear, shape.batch);
        weft_tensor dx = random_tensor(shape.batch, shape.n_in, 7), whole_saved;
        struct weft_input_gradient_job job = {
            .linear = &linear,
            .params = params,
            .dz = random_tensor(shape.batch, shape.n_out, 3),
            .dx = dx,
            .saved = wide_rows(shape.batch, shape.n_in, 4, &whole_saved),
            .f = WEFT_IDENTITY,
            .turned = zero_block(turned_len),
        };
        poison_padding(&job.dz, job.dz.cols);
        poison_padding(&dx, dx.cols);
        poison(job.turned, turned_len);
        run_team((struct linear_run){.context = contexts[0], .input_gradient = &job});
        bool right = CHECK_UINT(n_far_from_input_gradient(&job), 0);
        right = CHECK(padding_is_poisoned(&dx, dx.cols)) && right;
        if (!right) {
            print_shape(&shape, "gradient of the input");
        }
        for (size_t t = 0; t < N_THREAD_COUNTS; t++) {
            check_input_gradient(contexts[t], &job, WEFT_IDENTITY, &dx);
            check_input_gradient(contexts[t], &job,
                                 (weft_activation)((round + t) % WEFT_N_ACTIVATIONS), &dx);
        }
        weft_tensor_release(&job.dz);
        weft_tensor_release(&whole_saved);
        weft_tensor_release(&dx);
        weft_mem_free(job.turned);
        weft_mem_free(params);
    }
    free_contexts();
}

/* ---- the gradient of the weights ---- */

/* Two parts of a batch. */
struct parts {
    weft_tensor x[2], dz[2];
};

static struct parts random_parts(const struct shape *shape, uint64_t stream)
{
    struct parts parts;
    struct shape second = *shape;
    second.batch = shape->batch / 2 + 1;
    for (size_t k = 0; k < 2; k++) {
        const struct shape *of_part = k == 0 ? shape : &second;
        parts.x[k] = random_input(of_part, 100 * stream + k);
        parts.dz[k] = random_tensor(of_part->batch, shape->n_out, 20 + k);
        poison_padding(&parts.dz[k], parts.dz[k].cols);
    }
    return parts;
}

static void parts_release(struct parts *parts)
{
    for (size_t k = 0; k < 2; k++) {
        weft_tensor_release(&parts->x[k]);
        weft_tensor_release(&parts->dz[k]);
    }
}

/* Against the sum over the first n_parts parts. */
static size_t n_far_from_weight_gradient(const struct weft_linear *linear,
                                         const struct parts *parts, size_t n_parts,
                                         const float *gradient)
{
    size_t wrong = 0;
    for (size_t i = 0; i <= linear->n_in; i++) {
        for (size_t o = 0; o < linear->n_out; o++) {
            double sum = 0, size = 0;
            size_t n_terms = 0;
            for (size_t k = 0; k < n_parts; k++) {
                n_terms += parts->x[k].rows;
                for (size_t b = 0; b < parts->x[k].rows; b++) {
                    double x = i < linear->n_in ? (double)*element(&parts->x[k], b, i) : 1;
                    double term = x * (double)*element(&parts->dz[k], b, o);
                    sum += term;
                    size += fabs(term);
                }
            }
            wrong += !sum_is_near(gradient[weft_linear_at(linear, i, o)], sum, size, n_terms);
        }
    }
    return wrong;
}

/* The gradient of the first n_parts parts, into a block of zeros beside NaN parameters. */
static void sum_parts(weft_context *context, const struct weft_linear *linear,
                      const struct parts *parts, size_t n_parts, struct weft_nonzeros *nonzeros,
                      float *gradient)
{
    memset(gradient, 0, linear->len * sizeof *gradient);
    for (size_t i = 0; i <= linear->n_in; i++) {
        for (size_t o = 0; o < linear->n_out; o++) {
            gradient[weft_linear_at(linear, i, o)] = NAN; /* must be written, not added to */
        }
    }
    for (size_t k = 0; k < n_parts; k++) {
        struct weft_weight_gradient_job job = {
            .linear = linear,
            .x = parts->x[k],
            .dz = parts->dz[k],
            .gradient = gradient,
            .accumulate = k > 0,
            .nonzeros = nonzeros,
        };
        run_team(
            (struct linear_run){.context = context, .nonzeros = nonzeros, .weight_gradient = &job});
    }
}

static void weight_gradient(void)
{
    make_contexts();
    for (uint64_t round = 0; round < N_SHAPES; round++) {
        struct shape shape = shape_at(round + 2000);
        struct weft_linear linear = weft_linear_of(shape.n_in, shape.n_out);
        struct parts parts = random_parts(&shape, round);
        struct weft_nonzeros nonzeros = nonzeros_for(contexts[0], &shape);
        float *wanted = zero_block(linear.len), *got = zero_block(linear.len);
        size_t n_bytes = linear.len * sizeof *got;
        for (size_t n_parts = 1; n_parts <= 2; n_parts++) {
            sum_parts(contexts[0], &linear, &parts, n_parts, NULL, wanted);
            bool right =
                CHECK_UINT(n_far_from_weight_gradient(&linear, &parts, n_parts, wanted), 0);
            right = CHECK(block_padding_is_zero(&linear, wanted)) && right;
            for (size_t t = 0; t < N_THREAD_COUNTS; t++) {
                sum_parts(contexts[t], &linear, &parts, n_parts, NULL, got);
                right = CHECK_BYTES(got, wanted, n_bytes) && right;
                sum_parts(contexts[t], &linear, &parts, n_parts, &nonzeros, got);
                right = CHECK_BYTES(got, wanted, n_bytes) && right;
            }
            if (!right) {
                print_shape(&shape, n_parts == 1 ? "gradient of the weights" : "of two parts");
            }
        }
        weft_nonzeros_release(&nonzeros);
        parts_release(&parts);
        weft_mem_free(wanted);
        weft_mem_free(got);
    }
    free_contexts();
}

/* ---- with the update ---- */

/* A block of parameters between those of other layers, which are NaN. */
enum { BEFORE = 64, BEHIND = 32 };

static float *surrounded_block(const struct weft_linear *linear, uint64_t stream)
{
    float *inner = random_block(linear, stream);
    float *block = zero_block(BEFORE + linear->len + BEHIND);
    poison(block, BEFORE + linear->len + BEHIND);
    memcpy(block + BEFORE, inner, linear->len * sizeof *block);
    weft_mem_free(inner);
    return block;
}

/* What a step starts with and what there is to compare with. */
struct step {
    struct weft_linear linear;
    struct parts parts;
    struct weft_nonzeros nonzeros;
    float *w, *m, *v;   /* before it */
    float *gradient[2]; /* of one part, of two */
    float *wanted_w, *wanted_m, *wanted_v, *got_w, *got_m, *got_v, *got_gradient;
};

static void step_init(struct step *step, const struct shape *shape, uint64_t round)
{
    *step = (struct step){
        .linear = weft_linear_of(shape->n_in, shape->n_out),
        .parts = random_parts(shape, round),
        .nonzeros = nonzeros_for(contexts[0], shape),
    };
    size_t len = step->linear.len;
    step->w = surrounded_block(&step->linear, 1);
    step->m = surrounded_block(&step->linear, 2);
    step->v = surrounded_block(&step->linear, 3);
    for (size_t at = BEFORE; at < BEFORE + len; at++) {
        step->v[at] = fabsf(step->v[at]); /* a mean of squares */
    }
    for (size_t k = 0; k < 2; k++) {
        step->gradient[k] = zero_block(len);
        sum_parts(contexts[0], &step->linear, &step->parts, 1 + k, NULL, step->gradient[k]);
    }
    float **const blocks[] = {&step->wanted_w, &step->wanted_m, &step->wanted_v,
                              &step->got_w,    &step->got_m,    &step->got_v};
    for (size_t k = 0; k < 6; k++) {
        *blocks[k] = zero_block(BEFORE + len + BEHIND);
    }
    step->got_gradient = zero_block(len);
}

static void step_release(struct step *step)
{
    float *const blocks[] = {step->w,           step->m,           step->v,
                             step->wanted_w,    step->wanted_m,    step->wanted_v,
                             step->got_w,       step->got_m,       step->got_v,
                             step->gradient[0], step->gradient[1], step->got_gradient};
    for (size_t k = 0; k < sizeof blocks / sizeof *blocks; k++) {
        weft_mem_free(blocks[k]);
    }
    weft_nonzeros_release(&step->nonzeros);
    parts_release(&step->parts);
}

struct update_way {
    enum weft_rule rule;
    bool adjusts, lists, two_parts, kept;
};

static struct weft_rule_step step_of(struct update_way way)
{
    struct weft_rule_step step = {
        .rule = way.rule,
        .lr = 0.1f,
        .beta1 = 0.9f,
        .gain1 = 0.1f,
        .beta2 = 0.99f,
        .gain2 = 0.01f,
        .correction = 1.25f,
        .epsilon = 1e-3f,
        .scale = 1,
        .limit = INFINITY,
        .keep = 1,
    };
    if (way.adjusts) {
        step.scale = 0.5f;
        step.limit = 0.75f;
        step.l1 = 0.01f;
        step.l2 = 0.02f;
        step.keep = 0.9f;
    }
    return step;
}

/* What every parameter by itself comes to. */
static void step_one_by_one(const struct weft_kernel_set *kernels, struct step *step,
                            const struct weft_update *update, const float *gradient)
{
    const struct weft_linear *linear = &step->linear;
    for (size_t i = 0; i <= linear->n_in; i++) {
        for (size_t o = 0; o < linear->n_out; o++) {
            size_t at = weft_linear_at(linear, i, o);
            kernels->update(i < linear->n_in ? &update->weights : &update->biases, 1,
                            step->wanted_w + BEFORE + at, gradient + at,
                            step->wanted_m + BEFORE + at, step->wanted_v + BEFORE + at);
        }
    }
}

static void begin(const struct step *step, float *w, float *m, float *v)
{
    size_t n_bytes = (BEFORE + step->linear.len + BEHIND) * sizeof *w;
    memcpy(w, step->w, n_bytes);
    memcpy(m, step->m, n_bytes);
    memcpy(v, step->v, n_bytes);
}

static bool is_as_wanted(const struct step *step)
{
    const struct weft_linear *linear = &step->linear;
    size_t n_bytes = (BEFORE + linear->len + BEHIND) * sizeof(float);
    bool right = CHECK_BYTES(step->got_w, step->wanted_w, n_bytes);
    right = CHECK_BYTES(step->got_m, step->wanted_m, n_bytes) && right;
    right = CHECK_BYTES(step->got_v, step->wanted_v, n_bytes) && right;
    right = CHECK(block_padding_is_zero(linear, step->got_w + BEFORE)) && right;
    right = CHECK(block_padding_is_zero(linear, step->got_m + BEFORE)) && right;
    right = CHECK(block_padding_is_zero(linear, step->got_v + BEFORE)) && right;
    return right;
}

/* The step behind the gradient, and the step fused with its last part. */
static bool both_are_right(weft_context *context, struct step *step, struct update_way way)
{
    const struct weft_linear *linear = &step->linear;
    size_t last = way.two_parts;
    struct weft_update update = {
        .weights = step_of(way),
        .biases = step_of((struct update_way){.rule = way.rule}),
        .params = step->got_w,
        .m = step->got_m,
        .v = step->got_v,
    };
    begin(step, step->wanted_w, step->wanted_m, step->wanted_v);
    step_one_by_one(context->kernels, step, &update, step->gradient[last]);

    begin(step, step->got_w, step->got_m, step->got_v);
    run_team((struct linear_run){.context = context,
                                 .update = &update,
                                 .linear = linear,
                                 .gradient = step->gradient[last],
                                 .update_at = BEFORE});
    bool right = is_as_wanted(step);

    begin(step, step->got_w, step->got_m, step->got_v);
    memcpy(step->got_gradient, step->gradient[0], linear->len * sizeof(float));
    struct weft_weight_gradient_job job = {
        .linear = linear,
        .x = step->parts.x[last],
        .dz = step->parts.dz[last],
        .gradient = way.kept ? step->got_gradient : NULL,
        .accumulate = way.two_parts,
        .update = &update,
        .update_at = BEFORE,
        .nonzeros = way.lists ? &step->nonzeros : NULL,
    };
    run_team((struct linear_run){.context = context,
                                 .nonzeros = way.lists ? &step->nonzeros : NULL,
                                 .weight_gradient = &job});
    right = is_as_wanted(step) && right;
    right = CHECK_BYTES(step->got_gradient, step->gradient[way.kept ? last : 0],
                        linear->len * sizeof(float)) &&
            right;
    return right;
}

static void updates_of_layers(void)
{
    make_contexts();
    for (uint64_t round = 0; round < N_SHAPES; round++) {
        struct shape shape = shape_at(round + 3000);
        struct step step;
        step_init(&step, &shape, round);
        for (unsigned k = 0; k < 8 * WEFT_N_RULES; k++) {
            struct update_way way = {(enum weft_rule)(k / 8), (k + round) % 2, k & 2, k & 4, k & 1};
            weft_context *context = contexts[(round + k) % N_THREAD_COUNTS];
            way.kept = way.kept || way.two_parts;
            if (!both_are_right(context, &step, way)) {
                print_shape(&shape, "update");
                printf(", %zu threads, rule %d%s%s%s%s", context->n_threads, (int)way.rule,
                       way.adjusts ? ", adjusted" : "", way.lists ? ", lists" : "",
                       way.two_parts ? ", two parts" : "", way.kept ? ", gradient kept" : "");
            }
        }
        step_release(&step);
    }
    free_contexts();
}

CU_TestInfo layout_tests[] = {
    {"places", places},
    {"too large", too_large},
    {"inputs carry ones", inputs_carry_ones},
    CU_TEST_INFO_NULL,
};

CU_TestInfo nonzeros_tests[] = {
    {"lengths of runs", run_lengths},
    {"lists of terms", lists_of_terms},
    {"without memory", lists_without_memory},
    {"packed within bounds", packed_within_bounds},
    CU_TEST_INFO_NULL,
};

CU_TestInfo forward_tests[] = {
    {"random shapes", forward},
    CU_TEST_INFO_NULL,
};

CU_TestInfo backward_tests[] = {
    {"gradient of the input", input_gradient},
    {"gradient of the weights", weight_gradient},
    {"updates, behind the gradient and fused with it", updates_of_layers},
    CU_TEST_INFO_NULL,
};
