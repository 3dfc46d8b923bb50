/* Floor 3: tensors, contexts, teams, batches, losses, updates. The products of layers are in
 * test_ops_linear.c. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <weft/context.h>
#include <weft/output.h>
#include <weft/tensor.h>

#include "base/mem.h"
#include "base/rng.h"
#include "ops/gather.h"
#include "ops/output.h"
#include "ops/rectangle.h"
#include "ops/shift.h"
#include "ops/team.h"
#include "ops/update.h"

#include "harness.h"
#include "test_ops.h"

const size_t thread_counts[N_THREAD_COUNTS] = {1, 2, 3, 8};

weft_context *context_of(size_t n_threads)
{
    weft_context_options options = weft_context_options_default();
    options.n_threads = n_threads;
    weft_context *context = NULL;
    weft_error err;
    CHECK_OK(weft_context_new(&options, &context, &err), &err);
    return context;
}

size_t size_at(uint64_t stream, uint64_t at, size_t most)
{
    return 1 + (size_t)(weft_rng_u64(5, stream, at) % most);
}

float *element(const weft_tensor *t, size_t i, size_t j)
{
    return (float *)t->data + i * t->ld + j;
}

weft_tensor random_tensor(size_t rows, size_t cols, uint64_t stream)
{
    weft_tensor t = {0};
    CHECK(weft_tensor_init(&t, WEFT_F32, rows, cols) == WEFT_OK);
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < cols; j++) {
            *element(&t, i, j) = (float)weft_rng_normal(6, stream, i * cols + j);
        }
    }
    return t;
}

bool same_elements(const weft_tensor *a, const weft_tensor *b)
{
    for (size_t i = 0; i < a->rows; i++) {
        if (memcmp(element(a, i, 0), element(b, i, 0), a->cols * sizeof(float)) != 0) {
            return false;
        }
    }
    return true;
}

/* ---- tensors ---- */

static void tensor_layout(void)
{
    for (size_t cols = 1; cols <= 600; cols++) {
        weft_tensor t = {0};
        CHECK(weft_tensor_init(&t, WEFT_F32, 3, cols) == WEFT_OK);
        CHECK_UINT((uintptr_t)t.data % 64, 0);
        CHECK(t.ld >= cols && t.ld % 16 == 0 && t.ld % 128 != 0 && t.ld < cols + 32);
        size_t sum = 0;
        for (size_t i = 0; i < 3 * t.ld; i++) {
            sum += ((float *)t.data)[i] != 0;
        }
        CHECK_UINT(sum, 0);
        weft_tensor_release(&t);
        CHECK(t.data == NULL);
        weft_tensor_release(&t);
    }
    weft_tensor bytes = {0};
    CHECK(weft_tensor_init(&bytes, WEFT_U8, 2, 784) == WEFT_OK);
    CHECK_UINT(bytes.ld, 832);
    weft_tensor_release(&bytes);
}

static void tensor_too_large(void)
{
    weft_tensor t = {0};
    CHECK(weft_tensor_init(&t, WEFT_F32, SIZE_MAX / 64, 64) == WEFT_ERR_NOMEM);
    CHECK(weft_tensor_init(&t, WEFT_F32, 2, SIZE_MAX / 4) == WEFT_ERR_NOMEM);
    CHECK(weft_tensor_init(&t, WEFT_U8, 1, SIZE_MAX) == WEFT_ERR_NOMEM);
    CHECK(t.data == NULL);
    weft_mem_fail_at(1);
    CHECK(weft_tensor_init(&t, WEFT_F32, 2, 2) == WEFT_ERR_NOMEM);
    CHECK(t.data == NULL);
}

/* Tiles cover every element once, whatever the sizes. */
static void tiles_cover(void)
{
    for (uint64_t round = 0; round < 200; round++) {
        size_t rows = size_at(1, round, 40), cols = size_at(2, round, 40);
        weft_tensor t = {0};
        CHECK(weft_tensor_init(&t, WEFT_F32, rows, cols) == WEFT_OK);
        weft_tiling tiling =
            weft_tiling_of(rows, cols, size_at(3, round, 50) - 1, size_at(4, round, 50) - 1);
        for (size_t i = 0; i < weft_tiling_count(&tiling); i++) {
            weft_tensor tile = weft_tensor_tile(&t, &tiling, i);
            CHECK(tile.owned == NULL && tile.ld == t.ld && tile.rows > 0 && tile.cols > 0);
            for (size_t r = 0; r < tile.rows; r++) {
                for (size_t c = 0; c < tile.cols; c++) {
                    *element(&tile, r, c) += 1;
                }
            }
        }
        size_t wrong = 0;
        for (size_t r = 0; r < rows; r++) {
            for (size_t c = 0; c < cols; c++) {
                wrong += *element(&t, r, c) != 1;
            }
        }
        CHECK_UINT(wrong, 0);
        weft_tensor_release(&t);
    }
    weft_tiling none = weft_tiling_of(0, 5, 2, 2);
    CHECK_UINT(weft_tiling_count(&none), 0);
}

static void views_share(void)
{
    weft_tensor t = random_tensor(5, 7, 1);
    weft_tensor view = weft_tensor_view(&t, 1, 2, 3, 4);
    weft_tensor inner = weft_tensor_view(&view, 2, 1, 1, 3);
    CHECK(element(&inner, 0, 0) == element(&t, 3, 3));
    weft_tensor_release(&inner);
    *element(&view, 0, 0) = 42;
    CHECK(*element(&t, 1, 2) == 42);
    weft_tensor_release(&t);
}

/* ---- contexts ---- */

static void context_options(void)
{
    weft_context *context = NULL;
    weft_error err = {0};
    weft_context_options options = weft_context_options_default();
    CHECK_UINT(options.n_threads, 1);
    options.n_threads = 0;
    CHECK_STATUS(weft_context_new(&options, &context, &err), WEFT_ERR_ARG, &err);
    CHECK_HAS(err.message, "threads");
    options.n_threads = 5000;
    CHECK_STATUS(weft_context_new(&options, &context, NULL), WEFT_ERR_ARG, NULL);
    options = (weft_context_options){.n_threads = 3, .isa = "sse9"};
    CHECK_STATUS(weft_context_new(&options, &context, &err), WEFT_ERR_ARG, &err);
    CHECK_HAS(err.message, "sse9");
    CHECK(context == NULL);
    options.isa = "generic";
    CHECK_OK(weft_context_new(&options, &context, &err), &err);
    CHECK_STR(weft_context_isa(context), "generic");
    CHECK_UINT(weft_context_threads(context), 3);
    weft_context_free(context);
    weft_context_free(NULL);
    weft_mem_fail_at(1);
    CHECK_STATUS(weft_context_new(NULL, &context, &err), WEFT_ERR_NOMEM, &err);
    for (size_t i = 0; i < weft_isa_count(); i++) {
        options.isa = weft_isa_name(i);
        weft_status wanted = weft_isa_usable(i) ? WEFT_OK : WEFT_ERR_UNSUPPORTED;
        CHECK_STATUS(weft_context_new(&options, &context, &err), wanted, &err);
        if (wanted == WEFT_OK) {
            weft_context_free(context);
        }
    }
}

struct count_job {
    weft_context *context;
    int turns[64];
    size_t n_threads, n_wrong;
};

/* Each turn one thread writes what all must then see. */
static void count_team(void *arg)
{
    struct count_job *job = arg;
#pragma omp atomic
    job->n_threads++;
    weft_team_barrier(job->context);
    for (int turn = 0; turn < 64; turn++) {
#pragma omp single nowait
        job->turns[turn] = turn + 1;
        weft_team_barrier(job->context);
        if (job->turns[turn] != turn + 1) {
#pragma omp atomic
            job->n_wrong++;
        }
    }
}

static void barrier_separates(void)
{
    static const size_t counts[] = {1, 2, 7, 33};
    for (size_t i = 0; i < 4; i++) {
        weft_context *context = context_of(counts[i]);
        for (int round = 0; round < 20; round++) {
            struct count_job job = {.context = context};
            weft_team_run(context, count_team, &job);
            CHECK_UINT(job.n_threads, counts[i]);
            CHECK_UINT(job.n_wrong, 0);
        }
        weft_context_free(context);
    }
}

/* Small steps are not worth a barrier between many threads. */
static void small_work_on_fewer_threads(void)
{
    static const struct {
        double flop_per_thread, flop;
        size_t wanted;
    } cases[] = {{100, 0, 1},   {100, 99, 1},    {100, 100, 2},
                 {100, 250, 3}, {100, 1e300, 4}, {0, 0, 4}};
    weft_context *context = context_of(4);
    CHECK(context->flop_per_thread > 0); /* the default makes a difference */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct count_job job = {.context = context};
        context->flop_per_thread = cases[i].flop_per_thread;
        weft_team_run_for(context, cases[i].flop, count_team, &job);
        CHECK_UINT(job.n_threads, cases[i].wanted);
        CHECK_UINT(job.n_wrong, 0);
    }
    weft_context_free(context);
}

/* ---- shares of work ---- */

enum { MAX_SHARED = 40 };

struct share_job {
    weft_context *context;
    size_t n;
    int taken[MAX_SHARED];
    size_t n_threads, least, most, n_bad_scratch;
};

/* Takes the thread's share, and writes all of its scratch. */
static void share_team(void *arg)
{
    struct share_job *job = arg;
    size_t from = SIZE_MAX, to = SIZE_MAX;
    weft_team_share(job->context, job->n, &from, &to);
    float *scratch = weft_team_scratch(job->context);
    scratch[0] = scratch[WEFT_SCRATCH_LEN - 1] = (float)from;
    weft_team_barrier(job->context);
#pragma omp critical
    {
        job->n_threads++;
        job->n_bad_scratch += (uintptr_t)scratch % 64 != 0 || scratch[0] != (float)from ||
                              scratch[WEFT_SCRATCH_LEN - 1] != (float)from;
        job->least = to - from < job->least ? to - from : job->least;
        job->most = to - from > job->most ? to - from : job->most;
        for (size_t i = from; i < to && i < MAX_SHARED; i++) {
            job->taken[i]++;
        }
    }
}

static void shares_are_even(void)
{
    for (size_t t = 0; t < N_THREAD_COUNTS; t++) {
        weft_context *context = context_of(thread_counts[t]);
        for (size_t n = 0; n <= MAX_SHARED; n++) {
            struct share_job job = {.context = context, .n = n, .least = SIZE_MAX};
            weft_team_run(context, share_team, &job);
            CHECK_UINT(job.n_threads, thread_counts[t]);
            CHECK_UINT(job.n_bad_scratch, 0);
            CHECK(job.most - job.least <= 1);
            for (size_t i = 0; i < MAX_SHARED; i++) {
                CHECK_INT(job.taken[i], i < n);
            }
        }
        size_t from = 1, to = 1;
        weft_team_share(context, 7, &from, &to); /* outside any region: a team of one */
        CHECK(from == 0 && to == 7);
        weft_context_free(context);
    }
}

/* Cuts tiles [from, to) of a grid into rectangles; false where a tile is not in just one. */
static bool rectangles_cover(size_t n_lines, size_t n_inner, size_t from, size_t to,
                             size_t max_outer)
{
    enum { MAX_TILES = 100 };
    int taken[MAX_TILES] = {0};
    struct weft_rectangle r;
    size_t at = from;
    while (weft_next_rectangle(&at, to, n_inner, max_outer, &r)) {
        if (r.outer_from >= r.outer_to || r.inner_from >= r.inner_to || r.outer_to > n_lines ||
            r.inner_to > n_inner || r.outer_to - r.outer_from > max_outer) {
            return false;
        }
        for (size_t outer = r.outer_from; outer < r.outer_to; outer++) {
            for (size_t inner = r.inner_from; inner < r.inner_to; inner++) {
                taken[outer * n_inner + inner]++;
            }
        }
    }
    size_t n_wrong = at < to;
    for (size_t i = 0; i < n_lines * n_inner; i++) {
        n_wrong += taken[i] != (i >= from && i < to);
    }
    return n_wrong == 0;
}

static void rectangles(void)
{
    size_t n_wrong = 0;
    for (size_t n_inner = 1; n_inner <= 7; n_inner++) {
        for (size_t n_lines = 1; n_lines <= 6; n_lines++) {
            for (size_t from = 0; from <= n_lines * n_inner; from++) {
                for (size_t to = from; to <= n_lines * n_inner; to++) {
                    for (size_t max_outer = 1; max_outer <= 4; max_outer++) {
                        n_wrong += !rectangles_cover(n_lines, n_inner, from, to, max_outer);
                    }
                }
            }
        }
    }
    CHECK_UINT(n_wrong, 0);
    /* Whole lines come together. */
    struct weft_rectangle r;
    size_t at = 5;
    CHECK(weft_next_rectangle(&at, 30, 5, 8, &r) && r.outer_from == 1 && r.outer_to == 6);
    CHECK(r.inner_from == 0 && r.inner_to == 5 && at == 30);
}

/* ---- batches, losses, updates ---- */

static void gather_rows(void)
{
    enum { ROWS = 9, COLS = 21, PICKED = 5 };
    static const uint32_t rows[PICKED] = {8, 0, 3, 3, 7};
    weft_context *context = context_of(1);
    weft_tensor floats = random_tensor(ROWS, COLS, 1), out = random_tensor(PICKED, COLS, 2);
    weft_tensor shift = random_tensor(1, COLS, 3), scale = random_tensor(1, COLS, 4);
    uint8_t bytes[ROWS * COLS];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i * 37);
    }
    static const size_t n_scales[] = {0, 1, COLS};
    for (size_t mode = 0; mode < 12; mode++) {
        size_t n_scale = n_scales[mode % 3];
        bool as_bytes = mode / 3 % 2, picked = mode / 6 % 2;
        weft_tensor x = as_bytes ? weft_tensor_borrow(WEFT_U8, bytes, ROWS, COLS, COLS) : floats;
        weft_gather_team(context, &x, picked ? rows : NULL, 2, n_scale, shift.data, scale.data,
                         &out);
        size_t wrong = 0;
        for (size_t i = 0; i < PICKED; i++) {
            size_t row = picked ? rows[i] : 2 + i;
            for (size_t j = 0; j < COLS; j++) {
                size_t at = n_scale == COLS ? j : 0;
                float value = as_bytes ? (float)bytes[row * COLS + j] : *element(&floats, row, j);
                float wanted = n_scale == 0
                                   ? value
                                   : (value - *element(&shift, 0, at)) * *element(&scale, 0, at);
                wrong += *element(&out, i, j) != wanted;
            }
        }
        CHECK_UINT(wrong, 0);
    }
    weft_tensor_release(&floats);
    weft_tensor_release(&out);
    weft_tensor_release(&shift);
    weft_tensor_release(&scale);
    weft_context_free(context);
}

enum { IMAGE_H = 5, IMAGE_W = 7, IMAGE_D = 2, IMAGE = IMAGE_H * IMAGE_W * IMAGE_D, MOST = 2 };

/* Whether `row` of out is that image moved by (dx, dy), in plain loops. */
static bool is_moved(const weft_tensor *out, size_t row, const weft_tensor *x, size_t sample,
                     int dx, int dy, size_t n_scale, const weft_tensor *shift,
                     const weft_tensor *scale)
{
    size_t n_wrong = 0;
    for (int k = 0; k < IMAGE; k++) {
        int y = k / (IMAGE_W * IMAGE_D) - dy, c = k % IMAGE_D;
        int at_x = k / IMAGE_D % IMAGE_W - dx;
        bool inside = y >= 0 && y < IMAGE_H && at_x >= 0 && at_x < IMAGE_W;
        size_t from = inside ? (size_t)((y * IMAGE_W + at_x) * IMAGE_D + c) : 0;
        float value = 0;
        if (inside) {
            value = x->dtype == WEFT_U8 ? (float)((const uint8_t *)x->data)[sample * x->ld + from]
                                        : *element(x, sample, from);
        }
        size_t of = n_scale == IMAGE ? (size_t)k : 0;
        float wanted =
            n_scale == 0 ? value : (value - *element(shift, 0, of)) * *element(scale, 0, of);
        n_wrong += *element(out, row, (size_t)k) != wanted;
    }
    return n_wrong == 0;
}

/* Every image has moved by one of the offsets, each of which comes about, whatever else is in its
 * batch; anew in another epoch or by another seed. */
static void gather_moved_images(void)
{
    enum { ROWS = 300, SIDE = 2 * MOST + 1 };
    static const size_t n_scales[] = {0, 1, IMAGE};
    uint32_t rows[ROWS];
    static uint8_t bytes[ROWS * IMAGE];
    weft_tensor floats = random_tensor(ROWS, IMAGE, 1), out = random_tensor(ROWS, IMAGE, 2);
    weft_tensor again = random_tensor(ROWS, IMAGE, 2);
    weft_tensor shift = random_tensor(1, IMAGE, 3), scale = random_tensor(1, IMAGE, 4);
    weft_context *context = context_of(1);
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i * i * 37 >> 3);
    }
    for (size_t i = 0; i < ROWS; i++) {
        rows[i] = (uint32_t)(ROWS - 1 - i);
    }
    struct weft_shift move = {IMAGE_H, IMAGE_W, IMAGE_D, MOST, 5, 3};
    for (size_t mode = 0; mode < 6; mode++) {
        size_t n_scale = n_scales[mode % 3], n_at[SIDE * SIDE] = {0}, n_found = 0, n_same = 0;
        weft_tensor x =
            mode / 3 == 1 ? weft_tensor_borrow(WEFT_U8, bytes, ROWS, IMAGE, IMAGE) : floats;
        weft_gather_shifted_team(context, &move, &x, NULL, 0, NULL, n_scale, shift.data, scale.data,
                                 &out);
        for (size_t i = 0; i < ROWS; i++) {
            for (int k = 0; k < SIDE * SIDE; k++) {
                bool moved = is_moved(&out, i, &x, i, k % SIDE - MOST, k / SIDE - MOST, n_scale,
                                      &shift, &scale);
                n_found += moved;
                n_at[k] += moved;
            }
        }
        CHECK_UINT(n_found, ROWS);
        for (size_t k = 0; k < SIDE * SIDE; k++) {
            CHECK(n_at[k] > 0 && n_at[k] < 40); /* 12 on average */
        }
        weft_gather_shifted_team(context, &move, &x, rows, 0, NULL, n_scale, shift.data, scale.data,
                                 &again);
        for (size_t i = 0; i < ROWS; i++) {
            n_same += memcmp(element(&again, ROWS - 1 - i, 0), element(&out, i, 0),
                             IMAGE * sizeof(float)) == 0;
        }
        CHECK_UINT(n_same, ROWS);
        for (int other = 0; other < 2; other++) {
            struct weft_shift another = move;
            another.epoch += other == 0;
            another.seed += other == 1;
            weft_gather_shifted_team(context, &another, &x, NULL, 0, NULL, n_scale, shift.data,
                                     scale.data, &again);
            n_same = 0;
            for (size_t i = 0; i < ROWS; i++) {
                n_same +=
                    memcmp(element(&again, i, 0), element(&out, i, 0), IMAGE * sizeof(float)) == 0;
            }
            CHECK(n_same < 40);
        }
    }
    weft_context_free(context);
    weft_tensor_release(&floats);
    weft_tensor_release(&out);
    weft_tensor_release(&again);
    weft_tensor_release(&shift);
    weft_tensor_release(&scale);
}

/* Losses, gradients and hits of every output against the textbook in double; 150 rows are three
 * blocks. */
static void losses(void)
{
    enum { ROWS = 150, COLS = 6 };
    weft_context *context = context_of(1);
    weft_tensor z = random_tensor(ROWS, COLS, 1), dz = random_tensor(ROWS, COLS, 2);
    int32_t classes[ROWS];
    float values[ROWS * COLS];
    for (size_t i = 0; i < ROWS; i++) {
        classes[i] = (int32_t)(i * 7 % COLS);
        for (size_t j = 0; j < COLS; j++) {
            values[i * COLS + j] = (float)((i + j) % 3 == 0);
        }
    }
    for (int output = 0; output < WEFT_N_OUTPUTS; output++) {
        weft_targets targets = {.kind = WEFT_LABELS_VALUES, .values = values, .n_values = COLS};
        if (output == WEFT_OUTPUT_SOFTMAX) {
            targets = (weft_targets){.kind = WEFT_LABELS_CLASSES, .classes = classes};
        }
        struct weft_loss_sum sums[3];
        CHECK_UINT(weft_loss_n_blocks(ROWS), 3);
        weft_loss_team(context, (weft_output)output, &z, &targets, NULL, 0, 0, 0.5f, &dz, sums);
        struct weft_loss_sum got = weft_loss_total(sums, 3);
        double wanted = 0;
        size_t right = 0;
        for (size_t i = 0; i < ROWS; i++) {
            double sum = 0, best = -HUGE_VAL, of_class = 0;
            for (size_t j = 0; j < COLS; j++) {
                double zj = (double)*element(&z, i, j);
                sum += exp(zj);
                best = zj > best ? zj : best;
                of_class = (int32_t)j == classes[i] ? zj : of_class;
            }
            right += output == WEFT_OUTPUT_SOFTMAX && of_class == best;
            wanted += output == WEFT_OUTPUT_SOFTMAX ? log(sum) - of_class : 0;
            for (size_t j = 0; j < COLS; j++) {
                double zj = (double)*element(&z, i, j), y = (double)values[i * COLS + j];
                double p = zj;
                if (output == WEFT_OUTPUT_SOFTMAX) {
                    p = exp(zj) / sum;
                    y = (int32_t)j == classes[i];
                } else if (output == WEFT_OUTPUT_SIGMOID) {
                    p = 1 / (1 + exp(-zj));
                    wanted -= y * log(p) + (1 - y) * log(1 - p);
                    right += (p >= 0.5) == (y >= 0.5);
                } else {
                    wanted += (zj - y) * (zj - y) / 2;
                }
                CHECK_NEAR((double)*element(&dz, i, j), 0.5 * (p - y), 2e-7);
            }
        }
        CHECK_NEAR(got.loss, wanted, 1e-6 * wanted);
        CHECK_UINT(got.n_right, right);
    }
    weft_tensor_release(&z);
    weft_tensor_release(&dz);
    weft_context_free(context);
}

/* No logit overflows the loss, and a perfect one costs next to nothing but never less than that. */
static void losses_at_the_ends(void)
{
    static const float sizes[] = {0, 1e-3f, 30, 100, 1e4f, 1e30f};
    weft_context *context = context_of(1);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        for (int32_t y = 0; y < 2; y++) {
            float z2[2] = {-sizes[s] / 2, sizes[s] / 2}, z1 = sizes[s], d2[2], d1;
            weft_targets targets = {.kind = WEFT_LABELS_CLASSES, .classes = &y};
            struct weft_loss_sum sum;
            weft_tensor z = weft_tensor_borrow(WEFT_F32, z2, 1, 2, 2);
            weft_tensor dz = weft_tensor_borrow(WEFT_F32, d2, 1, 2, 2);
            double gap = (double)sizes[s];
            double wanted = log1p(exp(-gap)) + (y == 0 ? gap : 0);
            weft_loss_team(context, WEFT_OUTPUT_SOFTMAX, &z, &targets, NULL, 0, 0, 1, &dz, &sum);
            CHECK_NEAR(sum.loss, wanted, 1e-6 * wanted + DBL_EPSILON); /* log(1 + tiny) */
            z = weft_tensor_borrow(WEFT_F32, &z1, 1, 1, 1);
            dz = weft_tensor_borrow(WEFT_F32, &d1, 1, 1, 1);
            weft_loss_team(context, WEFT_OUTPUT_SIGMOID, &z, &targets, NULL, 0, 0, 1, &dz, &sum);
            CHECK_NEAR(sum.loss, wanted, 1e-12 * wanted);
            CHECK_NEAR((double)d1, 1 / (1 + exp(-gap)) - y, 1e-7);
        }
    }
    weft_context_free(context);
}

static void choosing(void)
{
    static const float ties[] = {1, 3, 3, 2};
    CHECK_INT(weft_choose_class(ties, 4, 0), 1);
    static const float edge = 0.5f, below = 0.49f;
    CHECK_INT(weft_choose_class(&edge, 1, 0.5f), 1);
    CHECK_INT(weft_choose_class(&below, 1, 0.5f), 0);
}

static void output_predictions(void)
{
    float rows[2][3] = {{0, 1, 2}, {-1000, 0, 1000}};
    weft_tensor z = weft_tensor_borrow(WEFT_F32, rows, 2, 3, 3);
    weft_output_apply(WEFT_OUTPUT_IDENTITY, &z);
    CHECK(rows[1][2] == 1000);
    weft_output_apply(WEFT_OUTPUT_SOFTMAX, &z);
    double sum = 1 + exp(1) + exp(2);
    CHECK_NEAR((double)rows[0][1], exp(1) / sum, 1e-7);
    CHECK(rows[1][0] == 0 && rows[1][2] == 1);
    float logits[2] = {0, -1000};
    z = weft_tensor_borrow(WEFT_F32, logits, 1, 2, 2);
    weft_output_apply(WEFT_OUTPUT_SIGMOID, &z);
    CHECK(logits[0] == 0.5f && logits[1] == 0);
}

/* Weights and biases have steps of their own, however they are cut into ranges. */
static void updates(void)
{
    enum { N = 10000, N_WEIGHTS = 9000 };
    weft_tensor g = random_tensor(1, N, 2);
    weft_tensor w = random_tensor(1, N, 1), m = random_tensor(1, N, 4);
    weft_tensor w0 = random_tensor(1, N, 1), m0 = random_tensor(1, N, 4);
    weft_context *context = context_of(1);
    struct weft_update update = {
        .weights = {.rule = WEFT_RULE_MOMENTUM, .lr = 0.1f, .beta1 = 0.9f},
        .params = w.data,
        .m = m.data,
    };
    update.weights.scale = update.weights.keep = 1;
    update.weights.limit = INFINITY;
    update.biases = update.weights;
    update.weights.l2 = 0.5f;
    for (size_t at = 0, n; at < N; at += n) {
        n = size_at(7, at, 100);
        n = N - at < n ? N - at : n;
        size_t n_weights = at >= N_WEIGHTS ? 0 : N_WEIGHTS - at < n ? N_WEIGHTS - at : n;
        weft_update_range(context->kernels, &update, at, n_weights, n - n_weights,
                          element(&g, 0, at));
    }
    size_t wrong = 0;
    for (size_t i = 0; i < N; i++) {
        float gi = *element(&g, 0, i) + (i < N_WEIGHTS ? 0.5f * *element(&w0, 0, i) : 0);
        float mi = 0.9f * *element(&m0, 0, i) + gi;
        float wi = *element(&w0, 0, i) - 0.1f * mi;
        wrong += *element(&m, 0, i) != mi || *element(&w, 0, i) != wi;
    }
    CHECK_UINT(wrong, 0);
    weft_context_free(context);
    weft_tensor_release(&g);
    weft_tensor_release(&w);
    weft_tensor_release(&m);
    weft_tensor_release(&w0);
    weft_tensor_release(&m0);
}

struct norm_run {
    weft_context *context;
    size_t n;
    const float *x;
    double *sums;
    double norm[8]; /* as the first threads found it */
    size_t n_norms;
};

static void norm_team(void *arg)
{
    struct norm_run *run = arg;
    double norm = weft_norm_team(run->context, run->n, run->x, run->sums);
#pragma omp critical
    if (run->n_norms < 8) {
        run->norm[run->n_norms++] = norm;
    }
}

static void norms(void)
{
    enum { N = 30001 };
    weft_tensor x = random_tensor(1, N, 3);
    for (size_t n = 0; n <= N; n += 10000) {
        double wanted = 0, first = 0;
        for (size_t i = 0; i < n + (n > 0); i++) {
            wanted += (double)*element(&x, 0, i) * (double)*element(&x, 0, i);
        }
        for (size_t t = 0; t < N_THREAD_COUNTS; t++) {
            struct norm_run run = {context_of(thread_counts[t]), n + (n > 0), x.data, NULL, {0}, 0};
            run.sums = weft_mem_alloc(weft_norm_n_sums(run.n), sizeof *run.sums);
            weft_team_run(run.context, norm_team, &run);
            first = t == 0 ? run.norm[0] : first;
            for (size_t k = 0; k < run.n_norms; k++) {
                CHECK(run.norm[k] == first);
            }
            CHECK_NEAR(run.norm[0], sqrt(wanted), 1e-12 * sqrt(wanted));
            weft_mem_free(run.sums);
            weft_context_free(run.context);
        }
    }
    weft_tensor_release(&x);
}

static CU_TestInfo tensor_tests[] = {
    {"layout", tensor_layout},
    {"too large", tensor_too_large},
    {"tiles cover", tiles_cover},
    {"views share", views_share},
    CU_TEST_INFO_NULL,
};

static CU_TestInfo context_tests[] = {
    {"options", context_options},
    {"the barrier separates", barrier_separates},
    {"small work on fewer threads", small_work_on_fewer_threads},
    CU_TEST_INFO_NULL,
};

static CU_TestInfo share_tests[] = {
    {"shares are even", shares_are_even},
    {"rectangles", rectangles},
    CU_TEST_INFO_NULL,
};

static CU_TestInfo batch_tests[] = {
    {"gather", gather_rows},
    {"moved images", gather_moved_images},
    {"losses", losses},
    {"losses at the ends", losses_at_the_ends},
    {"choosing a class", choosing},
    {"predictions", output_predictions},
    {"updates", updates},
    {"norms", norms},
    CU_TEST_INFO_NULL,
};

static const CU_SuiteInfo suites[] = {
    {"tensor", NULL, NULL, NULL, NULL, tensor_tests},
    {"context", NULL, NULL, NULL, NULL, context_tests},
    {"shares", NULL, NULL, NULL, NULL, share_tests},
    {"layout", NULL, NULL, NULL, NULL, layout_tests},
    {"nonzeros", NULL, NULL, NULL, NULL, nonzeros_tests},
    {"forward", NULL, NULL, NULL, NULL, forward_tests},
    {"backward", NULL, NULL, NULL, NULL, backward_tests},
    {"batch", NULL, NULL, NULL, NULL, batch_tests},
    CU_SUITE_INFO_NULL,
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, suites);
}
