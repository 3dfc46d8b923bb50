/* Floor 3: tensors, contexts, and the team functions against plain loops on random shapes. */
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
#include "ops/gemm.h"
#include "ops/output.h"
#include "ops/reduce.h"
#include "ops/team.h"

#include "harness.h"

static const size_t thread_counts[] = {1, 2, 3, 8};
enum { N_THREAD_COUNTS = sizeof thread_counts / sizeof *thread_counts };

static weft_context *context_of(size_t n_threads)
{
    weft_context_options options = weft_context_options_default();
    options.n_threads = n_threads;
    weft_context *context = NULL;
    weft_error err;
    CHECK_OK(weft_context_new(&options, &context, &err), &err);
    return context;
}

/* A number in [1, most], a function of its position. */
static size_t size_at(uint64_t stream, uint64_t at, size_t most)
{
    return 1 + (size_t)(weft_rng_u64(5, stream, at) % most);
}

static float *element(const weft_tensor *t, size_t i, size_t j)
{
    return (float *)t->data + i * t->ld + j;
}

static weft_tensor random_tensor(size_t rows, size_t cols, uint64_t stream)
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

static bool same_elements(const weft_tensor *a, const weft_tensor *b)
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

/* ---- matrix product ---- */

struct gemm_run {
    weft_context *context;
    const struct weft_gemm_job *job;
};

static void gemm_team(void *arg)
{
    struct gemm_run *run = arg;
    weft_gemm_team(run->context, run->job);
}

static double naive_element(const struct weft_gemm_job *job, size_t i, size_t j, double *size)
{
    double sum = 0;
    for (size_t p = 0; p < job->b.rows; p++) {
        double a = (double)(job->transpose_a ? *element(&job->a, p, i) : *element(&job->a, i, p));
        double term = a * (double)*element(&job->b, p, j);
        sum += term;
        *size += fabs(term);
    }
    return sum;
}

/* Random shapes, beyond the runs of k; plain, accumulating and transposed; every thread count. */
static void gemm_random_shapes(void)
{
    for (uint64_t round = 0; round < 60; round++) {
        size_t m = size_at(10, round, 90), n = size_at(11, round, 90);
        size_t k = size_at(12, round, round % 4 == 0 ? 900 : 60);
        struct weft_gemm_job job = {.transpose_a = round % 2, .accumulate = round % 3 == 0};
        job.a = job.transpose_a ? random_tensor(k, m, 100) : random_tensor(m, k, 100);
        job.b = random_tensor(k, n, 101);
        weft_tensor start = random_tensor(m, n, 102), first = {0};
        for (size_t t = 0; t < N_THREAD_COUNTS; t++) {
            weft_context *context = context_of(thread_counts[t]);
            job.c = random_tensor(m, n, 102);
            weft_team_run(context, gemm_team, &(struct gemm_run){context, &job});
            weft_context_free(context);
            if (t == 0) {
                first = job.c;
                continue;
            }
            CHECK(same_elements(&first, &job.c));
            weft_tensor_release(&job.c);
        }
        size_t wrong = 0;
        for (size_t i = 0; i < m; i++) {
            for (size_t j = 0; j < n; j++) {
                double before = job.accumulate ? (double)*element(&start, i, j) : 0;
                double size = fabs(before);
                double wanted = before + naive_element(&job, i, j, &size);
                double bound = (double)(k + 4) * (double)FLT_EPSILON * size;
                wrong += !(fabs((double)*element(&first, i, j) - wanted) <= bound);
            }
        }
        CHECK_UINT(wrong, 0);
        weft_tensor_release(&job.a);
        weft_tensor_release(&job.b);
        weft_tensor_release(&start);
        weft_tensor_release(&first);
    }
}

/* The epilogue is the same as the product followed by the kernel over the whole matrix. */
static void gemm_epilogues(void)
{
    weft_context *context = context_of(2);
    for (int f = 0; f < WEFT_N_ACTIVATIONS; f++) {
        size_t m = size_at(20, (uint64_t)f, 70), n = size_at(21, (uint64_t)f, 70), k = 19;
        weft_tensor pre = random_tensor(m, n, 203), whole = random_tensor(m, n, 204);
        weft_tensor bias = random_tensor(1, n, 205);
        struct weft_gemm_job job = {
            .a = random_tensor(m, k, 201),
            .b = random_tensor(k, n, 202),
            .c = random_tensor(m, n, 204),
            .f = (weft_activation)f,
            .bias = bias.data,
            .saved = pre,
        };
        for (int gradient = 0; gradient < 2; gradient++) {
            job.epilogue = gradient ? WEFT_EPILOGUE_GRADIENT : WEFT_EPILOGUE_ACTIVATE;
            weft_team_run(context, gemm_team, &(struct gemm_run){context, &job});
            struct weft_gemm_job plain = job;
            plain.epilogue = WEFT_EPILOGUE_NONE;
            plain.c = whole;
            weft_team_run(context, gemm_team, &(struct gemm_run){context, &plain});
            if (gradient) {
                context->kernels->activate_gradient(job.f, m, n, whole.data, whole.ld, pre.data,
                                                    pre.ld);
            } else {
                context->kernels->bias_activate(job.f, m, n, whole.data, whole.ld, job.bias, NULL,
                                                0);
            }
            CHECK(same_elements(&job.c, &whole));
        }
        weft_tensor_release(&job.a);
        weft_tensor_release(&job.b);
        weft_tensor_release(&job.c);
        weft_tensor_release(&pre);
        weft_tensor_release(&whole);
        weft_tensor_release(&bias);
    }
    weft_context_free(context);
}

static void transpose_outside_a_region(void)
{
    weft_context *context = context_of(4);
    weft_tensor src = random_tensor(130, 67, 1), dst = random_tensor(67, 130, 2);
    weft_transpose_team(context, &src, &dst);
    size_t wrong = 0;
    for (size_t i = 0; i < 130; i++) {
        for (size_t j = 0; j < 67; j++) {
            wrong += *element(&dst, j, i) != *element(&src, i, j);
        }
    }
    CHECK_UINT(wrong, 0);
    weft_tensor_release(&src);
    weft_tensor_release(&dst);
    weft_context_free(context);
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
        weft_loss_team(context, (weft_output)output, &z, &targets, NULL, 0, 0.5f, &dz, sums);
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
            weft_loss_team(context, WEFT_OUTPUT_SOFTMAX, &z, &targets, NULL, 0, 1, &dz, &sum);
            CHECK_NEAR(sum.loss, wanted, 1e-6 * wanted + DBL_EPSILON); /* log(1 + tiny) */
            z = weft_tensor_borrow(WEFT_F32, &z1, 1, 1, 1);
            dz = weft_tensor_borrow(WEFT_F32, &d1, 1, 1, 1);
            weft_loss_team(context, WEFT_OUTPUT_SIGMOID, &z, &targets, NULL, 0, 1, &dz, &sum);
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

struct update_run {
    weft_context *context;
    size_t n;
    float *w, *g, *v;
    weft_tensor *x;
    float *sums;
};

static void update_team(void *arg)
{
    struct update_run *run = arg;
    weft_sgd_team(run->context, run->n, run->w, run->g, run->v, 0.1f, 0.9f);
    weft_column_sums_team(run->context, run->x, run->sums, true);
}

static void updates_and_sums(void)
{
    enum { N = 10000, COLS = 200 };
    weft_tensor g = random_tensor(1, N, 2), x = random_tensor(30, COLS, 3);
    for (size_t t = 0; t < N_THREAD_COUNTS; t++) {
        weft_tensor w = random_tensor(1, N, 1), v = random_tensor(1, N, 4);
        weft_tensor w0 = random_tensor(1, N, 1), v0 = random_tensor(1, N, 4);
        float sums[COLS] = {0};
        weft_context *context = context_of(thread_counts[t]);
        struct update_run run = {context, N, w.data, g.data, v.data, &x, sums};
        weft_team_run(context, update_team, &run);
        run.v = NULL;
        weft_team_run(context, update_team, &run);
        size_t wrong = 0;
        for (size_t i = 0; i < N; i++) {
            float vi = 0.9f * *element(&v0, 0, i) + *element(&g, 0, i);
            float wi = *element(&w0, 0, i) - 0.1f * vi;
            wi -= 0.1f * *element(&g, 0, i);
            wrong += *element(&v, 0, i) != vi || *element(&w, 0, i) != wi;
        }
        CHECK_UINT(wrong, 0);
        for (size_t j = 0; j < COLS; j++) {
            double wanted = 0;
            for (size_t i = 0; i < 30; i++) {
                wanted += 2 * (double)*element(&x, i, j);
            }
            CHECK_NEAR((double)sums[j], wanted, 1e-4);
        }
        weft_context_free(context);
        weft_tensor_release(&w);
        weft_tensor_release(&v);
        weft_tensor_release(&w0);
        weft_tensor_release(&v0);
    }
    weft_tensor_release(&g);
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
    CU_TEST_INFO_NULL,
};

static CU_TestInfo gemm_tests[] = {
    {"random shapes", gemm_random_shapes},
    {"epilogues", gemm_epilogues},
    {"transpose outside a region", transpose_outside_a_region},
    CU_TEST_INFO_NULL,
};

static CU_TestInfo batch_tests[] = {
    {"gather", gather_rows},
    {"losses", losses},
    {"losses at the ends", losses_at_the_ends},
    {"choosing a class", choosing},
    {"predictions", output_predictions},
    {"updates and sums", updates_and_sums},
    CU_TEST_INFO_NULL,
};

static const CU_SuiteInfo suites[] = {
    {"tensor", NULL, NULL, NULL, NULL, tensor_tests},
    {"context", NULL, NULL, NULL, NULL, context_tests},
    {"gemm", NULL, NULL, NULL, NULL, gemm_tests},
    {"batch", NULL, NULL, NULL, NULL, batch_tests},
    CU_SUITE_INFO_NULL,
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, suites);
}
