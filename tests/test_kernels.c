/* Floor 2: every kernel set that this CPU runs, against double precision. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "kernels/kernels.h"

#include "harness.h"
#include "kernels_under_test.h"

static float random_float(uint64_t stream, uint64_t at)
{
    return (float)weft_rng_normal(7, stream, at);
}

/* Fills n floats with random numbers. */
static void fill(float *x, size_t n, uint64_t stream)
{
    for (size_t i = 0; i < n; i++) {
        x[i] = random_float(stream, i);
    }
}

/* ---- matrix products ---- */

/* Room for two tiles and a row or column more, and for terms of four blocks. */
enum { MAX_M = 40, MAX_N = 72, MAX_K = 100, BLOCK = 32 };
enum {
    A_LEN = (MAX_M + 4) * (MAX_K + BLOCK + 3),
    B_LEN = MAX_K * (MAX_N + 5),
    C_LEN = (MAX_M + 1) * (MAX_N + 7),
};

static float poison(void)
{
    uint32_t bits = 0x7FC0DEAD;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void fill_with_poison(float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        x[i] = poison();
    }
}

/* How A lies in memory. */
enum layout { PLAIN, TRANSPOSED, IN_PANELS, IN_BLOCKS, N_LAYOUTS };
static const char *const layout_names[] = {"plain", "transposed", "in panels", "in blocks"};

/* Gives the job the strides of a layout, all of them with something between rows, columns or
 * blocks; leaves the rest of it alone. */
static void set_layout(struct weft_sgemm *job, enum layout layout)
{
    job->a_block = job->a_bs = 0;
    switch (layout) {
    case PLAIN:
        job->a_rs = job->k < 16 ? 16 : job->k + 3; /* the former as gradients of few outputs are */
        job->a_cs = 1;
        break;
    case TRANSPOSED:
        job->a_rs = 1;
        job->a_cs = job->m + 3;
        break;
    case IN_PANELS: /* as weights are */
        job->a_rs = job->a_block = BLOCK;
        job->a_cs = 1;
        job->a_bs = (job->m + 1) * BLOCK;
        break;
    case IN_BLOCKS: /* of 8 columns of A, each a row */
        job->a_rs = 2;
        job->a_block = 8;
        job->a_cs = 2 * job->m + 1;
        job->a_bs = 8 * job->a_cs + 5;
        break;
    case N_LAYOUTS:
        break;
    }
}

static size_t at_in_a(const struct weft_sgemm *job, size_t i, size_t p)
{
    size_t block = job->a_block == 0 ? 0 : p / job->a_block;
    return i * job->a_rs + block * job->a_bs + (p - block * job->a_block) * job->a_cs;
}

static size_t n_not_near(const struct weft_sgemm *job, const float *before)
{
    for (size_t i = 0; i < job->m; i++) {
        for (size_t j = 0; j < job->n; j++) {
            double got = (double)job->c[i * job->c_rs + j];
            double sum = job->accumulate ? (double)before[i * job->c_rs + j] : 0;
            double size = fabs(sum);
            for (size_t p = 0; p < job->k; p++) {
                double term =
                    (double)job->a[at_in_a(job, i, p)] * (double)job->b[p * job->b_rs + j];
                sum += term;
                size += fabs(term);
            }
            double bound = (double)(job->k + 2) * (double)FLT_EPSILON * size;
            if (!(fabs(got - sum) <= bound)) {
                printf("\n%zux%zux%zu%s: c[%zu,%zu]: got %.9g, wanted %.9g, bound %.3g", job->m,
                       job->n, job->k, job->accumulate ? " accumulate" : "", i, j, got, sum, bound);
                return 1;
            }
        }
    }
    return 0;
}

/* One product with its operands in the corner of larger arrays full of NaN: reading beyond an
 * edge makes the result NaN, writing beyond one is seen in the border. */
static bool product_is_right(size_t m, size_t n, size_t k, enum layout layout, bool accumulate)
{
    static float a[A_LEN], b[B_LEN], c[C_LEN], before[C_LEN];
    struct weft_sgemm job = {
        .m = m,
        .n = n,
        .k = k,
        .a = a,
        .b = b,
        .b_rs = n + 5,
        .c = c,
        .c_rs = n + 7,
        .accumulate = accumulate,
    };
    set_layout(&job, layout);
    size_t a_len = at_in_a(&job, m, k) + 1, b_len = k * job.b_rs, c_len = (m + 1) * job.c_rs;
    if (!CHECK(a_len <= A_LEN && b_len <= B_LEN && c_len <= C_LEN)) {
        return false;
    }
    fill_with_poison(a, A_LEN < 2 * a_len ? A_LEN : 2 * a_len);
    fill_with_poison(b, b_len);
    fill_with_poison(c, c_len);
    uint64_t stream = (m * 1000 + n) * 1000 + k;
    for (size_t i = 0; i < m; i++) {
        for (size_t p = 0; p < k; p++) {
            a[at_in_a(&job, i, p)] = random_float(stream, i * k + p);
        }
    }
    for (size_t p = 0; p < k; p++) {
        fill(b + p * job.b_rs, n, stream + 1 + p);
    }
    for (size_t i = 0; accumulate && i < m; i++) {
        fill(c + i * job.c_rs, n, stream + 500 + i);
    }
    memcpy(before, c, c_len * sizeof *c);
    kernels()->sgemm(&job);
    if (n_not_near(&job, before) > 0) {
        printf(" (A %s)", layout_names[layout]);
        return false;
    }
    for (size_t i = 0; i < m; i++) {
        memcpy(c + i * job.c_rs, before + i * job.c_rs, n * sizeof *c);
    }
    return memcmp(c, before, c_len * sizeof *c) == 0; /* the border is as it was */
}

static void sgemm_at_every_edge(void)
{
    static const size_t ks[] = {1, 2, 3, 4, 9, 31, 32, 33, 65, 100};
    enum { NR = 32 }; /* columns of the widest tile */
    size_t mr = kernels()->mr, step = HARNESS_SLOW_BUILD ? 3 : 1;
    size_t n_failed = 0, n_run = 0;
    for (size_t m = 1; m <= 2 * mr + 1; m++) {
        for (size_t n = 1; n <= 2 * NR + 1; n += n % 8 < 7 ? 1 : step) {
            for (size_t q = n % step; q < sizeof ks / sizeof *ks; q += step) {
                int layout = (int)((m + n + q) % N_LAYOUTS);
                for (int flags = 0; flags < 2; flags++) {
                    n_run += 2;
                    n_failed += !product_is_right(m, n, ks[q], (enum layout)layout, flags != 0);
                    n_failed += !product_is_right(m, n, ks[q], (enum layout)(layout ^ 1), !flags);
                }
            }
        }
    }
    CHECK_UINT(n_failed, 0);
    CHECK(n_run > 1000);
}

/* An element's bits must not depend on the tile it falls into. */
static void sgemm_same_bits_in_any_tile(void)
{
    enum { M = 33, N = 70, K = 50 };
    static float a[M * K], b[K * N], whole[M * N], part[M * N];
    fill(a, M * K, 1);
    fill(b, K * N, 2);
    struct weft_sgemm job = {.m = M,
                             .n = N,
                             .k = K,
                             .a = a,
                             .a_rs = K,
                             .a_cs = 1,
                             .b = b,
                             .b_rs = N,
                             .c = whole,
                             .c_rs = N};
    kernels()->sgemm(&job);
    for (size_t rows = 1; rows <= 9; rows++) {
        for (size_t cols = 1; cols <= 37; cols += 6) {
            memset(part, 0xFF, sizeof part);
            for (size_t i = 0; i < M; i += rows) {
                for (size_t j = 0; j < N; j += cols) {
                    job.m = M - i < rows ? M - i : rows;
                    job.n = N - j < cols ? N - j : cols;
                    job.a = a + i * K;
                    job.b = b + j;
                    job.c = part + i * N + j;
                    kernels()->sgemm(&job);
                }
            }
            CHECK_BYTES(part, whole, sizeof whole);
        }
    }
}

/* Nor on how A lies in memory. */
static void sgemm_same_bits_in_any_layout(void)
{
    enum { M = 19, N = 45, K = 97 };
    static float a[A_LEN], b[K * N], first[M * N], c[M * N];
    fill(b, K * N, 2);
    struct weft_sgemm job = {.m = M, .n = N, .k = K, .a = a, .b = b, .b_rs = N, .c = c, .c_rs = N};
    for (int layout = 0; layout < N_LAYOUTS; layout++) {
        set_layout(&job, (enum layout)layout);
        for (size_t i = 0; i < M; i++) {
            for (size_t p = 0; p < K; p++) {
                a[at_in_a(&job, i, p)] = random_float(1, i * K + p);
            }
        }
        kernels()->sgemm(&job);
        if (layout == PLAIN) {
            memcpy(first, c, sizeof c);
        }
        CHECK_BYTES(c, first, sizeof c);
    }
}

/* The product of the listed terms from an A of these columns alone: the same bits. */
static void check_packed_terms(const struct weft_sgemm *listed, const float *wanted)
{
    static float a[A_LEN];
    size_t m = listed->m, n = listed->n;
    for (size_t q = 0; q < listed->k; q++) {
        for (size_t i = 0; i < m; i++) {
            a[q * m + i] = listed->a[at_in_a(listed, i, listed->terms[q])];
        }
    }
    struct weft_sgemm packed = *listed;
    packed.a = a;
    packed.a_rs = 1;
    packed.a_cs = m;
    packed.a_packed = true;
    kernels()->sgemm(&packed);
    CHECK_BYTES(packed.c, wanted, m * n * sizeof *wanted);
}

/* A product whose A has whole columns of zeros of either sign, over all terms and then over a list
 * of the others: the same bits, although what is left out is NaN by then. */
static void check_terms(size_t m, size_t n, size_t k, enum layout layout, double share)
{
    static float a[A_LEN], b[B_LEN], c[C_LEN], wanted[C_LEN];
    static uint32_t terms[MAX_K];
    struct weft_sgemm job = {.m = m, .n = n, .k = k, .a = a, .b = b, .b_rs = n, .c_rs = n};
    set_layout(&job, layout);
    uint64_t stream = (m * 1000 + n) * 1000 + k;
    size_t n_terms = 0;
    for (size_t p = 0; p < k; p++) {
        bool used = weft_rng_uniform(8, stream, p) < share;
        for (size_t i = 0; i < m; i++) {
            float zero = (i + p) % 2 == 0 ? 0.0f : -0.0f;
            a[at_in_a(&job, i, p)] = used ? random_float(stream, i * k + p) : zero;
        }
        terms[n_terms] = (uint32_t)p;
        n_terms += used;
    }
    fill(b, k * n, 3);
    for (int accumulate = 0; accumulate < 2; accumulate++) {
        fill(c, m * n, 4);
        memcpy(wanted, c, m * n * sizeof *c);
        job.accumulate = accumulate != 0;
        job.c = wanted;
        kernels()->sgemm(&job);
        struct weft_sgemm listed = job;
        static float a2[A_LEN], b2[B_LEN];
        fill_with_poison(a2, A_LEN);
        fill_with_poison(b2, B_LEN);
        for (size_t q = 0; q < n_terms; q++) {
            for (size_t i = 0; i < m; i++) {
                a2[at_in_a(&job, i, terms[q])] = a[at_in_a(&job, i, terms[q])];
            }
            memcpy(b2 + terms[q] * n, b + terms[q] * n, n * sizeof *b);
        }
        listed.a = a2;
        listed.b = b2;
        listed.c = c;
        listed.k = n_terms;
        listed.terms = terms;
        kernels()->sgemm(&listed);
        if (!CHECK_BYTES(c, wanted, m * n * sizeof *c)) {
            printf(" (%zux%zux%zu, %zu terms, A %s)", m, n, k, n_terms, layout_names[layout]);
        }
        fill(c, m * n, 4);
        check_packed_terms(&listed, wanted);
    }
}

static void sgemm_over_listed_terms(void)
{
    static const double shares[] = {0, 0.1, 0.5, 1};
    for (size_t m = 1; m <= 2 * kernels()->mr + 1; m += m < kernels()->mr ? 1 : 3) {
        for (size_t n = 1; n <= MAX_N; n += n % 16 < 2 ? 1 : 7) {
            for (size_t s = 0; s < sizeof shares / sizeof *shares; s++) {
                size_t k = 1 + (m * 31 + n * 7 + s) % MAX_K;
                check_terms(m, n, k, PLAIN, shares[s]);
                check_terms(m, n, k, TRANSPOSED, shares[s]);
            }
        }
    }
}

/* As product_is_right(). */
static bool dot_is_right(size_t m, size_t n, size_t k)
{
    enum { MAX_DOT_M = 20, MAX_DOT_N = 20, MAX_DOT_K = 140 };
    static float a[MAX_DOT_M * (MAX_DOT_K + 3)], b[MAX_DOT_N * (MAX_DOT_K + 5)];
    static float c[(MAX_DOT_M + 1) * (MAX_DOT_N + 7)];
    size_t a_rs = k + 3, b_rs = k + 5, c_rs = n + 7, c_len = (m + 1) * c_rs;
    fill_with_poison(a, m * a_rs);
    fill_with_poison(b, n * b_rs);
    fill_with_poison(c, c_len);
    for (size_t i = 0; i < m; i++) {
        fill(a + i * a_rs, k, 600 + i);
    }
    for (size_t j = 0; j < n; j++) {
        fill(b + j * b_rs, k, 700 + j);
    }
    kernels()->sdot(m, n, k, a, a_rs, b, b_rs, c, c_rs);
    for (size_t at = 0; at < c_len; at++) {
        size_t i = at / c_rs, j = at % c_rs;
        if (i == m || j >= n) {
            float border = poison();
            if (memcmp(c + at, &border, sizeof border) != 0) {
                printf("\n%zux%zux%zu: wrote c[%zu,%zu]", m, n, k, i, j);
                return false;
            }
            continue;
        }
        double sum = 0, size = 0;
        for (size_t p = 0; p < k; p++) {
            double term = (double)a[i * a_rs + p] * (double)b[j * b_rs + p];
            sum += term;
            size += fabs(term);
        }
        float alone;
        kernels()->sdot(1, 1, k, a + i * a_rs, a_rs, b + j * b_rs, b_rs, &alone, 1);
        if (!(fabs((double)c[at] - sum) <= (double)(k + 2) * (double)FLT_EPSILON * size) ||
            c[at] != alone) {
            printf("\n%zux%zux%zu: c[%zu,%zu]: got %.9g, alone %.9g, wanted %.9g", m, n, k, i, j,
                   (double)c[at], (double)alone, sum);
            return false;
        }
    }
    return true;
}

/* Sizes around tiles of up to 8 x 8 and vectors of up to 16; an element's bits are those that it
 * has alone. */
static void sdot_at_every_edge(void)
{
    size_t n_failed = 0;
    for (size_t m = 1; m <= 17; m++) {
        for (size_t n = 1; n <= 17; n++) {
            for (size_t k = 1; k <= 130; k += k < 35 && !HARNESS_SLOW_BUILD ? 1 : 15) {
                n_failed += !dot_is_right(m, n, k);
            }
        }
    }
    CHECK_UINT(n_failed, 0);
}

/* ---- lists of what is not zero ---- */

enum { LIST_ROWS = 40, LIST_COLS = 70, LIST_LD = LIST_COLS + 3, LIST_SLACK = 15 };

/* In the corner of an array of NaN, whose border would count as used: zeros of either sign, and
 * some numbers, among them the smallest and NaN. */
static void fill_mostly_zeros(float *x, size_t rows, size_t cols, double share, uint64_t stream)
{
    static const float used[] = {1, -2, FLT_TRUE_MIN, -FLT_TRUE_MIN, INFINITY, NAN};
    fill_with_poison(x, LIST_ROWS * LIST_LD);
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < cols; j++) {
            uint64_t at = i * cols + j;
            bool zero = weft_rng_uniform(9, stream, at) >= share;
            x[i * LIST_LD + j] = zero ? (at % 2 == 0 ? 0.0f : -0.0f) : used[at % 6];
        }
    }
}

/* Whether x has anything but zeros in column (or row) `at`. */
static bool line_is_used(const float *x, size_t rows, size_t cols, bool by_columns, size_t at)
{
    for (size_t other = 0; other < (by_columns ? rows : cols); other++) {
        float value = by_columns ? x[other * LIST_LD + at] : x[at * LIST_LD + other];
        if (!(value == 0)) {
            return true;
        }
    }
    return false;
}

static bool list_is_right(const float *x, size_t rows, size_t cols, bool by_columns)
{
    enum { MAX_LINES = LIST_COLS > LIST_ROWS ? LIST_COLS : LIST_ROWS };
    const uint32_t unwritten = 0xABABABAB;
    uint32_t list[MAX_LINES + LIST_SLACK + 50];
    memset(list, 0xAB, sizeof list);
    size_t n_lines = by_columns ? cols : rows, n_used = 0;
    size_t n = by_columns ? kernels()->used_columns(rows, cols, x, LIST_LD, list)
                          : kernels()->used_rows(rows, cols, x, LIST_LD, list);
    for (size_t at = 0; at < n_lines; at++) {
        if (line_is_used(x, rows, cols, by_columns, at) && (n_used >= n || list[n_used++] != at)) {
            return false;
        }
    }
    for (size_t at = n_lines + LIST_SLACK; at < sizeof list / sizeof *list; at++) {
        if (list[at] != unwritten) {
            return false;
        }
    }
    return n_used == n;
}

static void lists_of_used(void)
{
    static const double shares[] = {0, 0.02, 0.2, 1};
    static float x[LIST_ROWS * LIST_LD];
    size_t n_failed = 0;
    for (size_t rows = 1; rows < LIST_ROWS; rows += rows < 18 ? 1 : 5) {
        for (size_t cols = 1; cols <= LIST_COLS; cols++) {
            for (size_t s = 0; s < sizeof shares / sizeof *shares; s++) {
                fill_mostly_zeros(x, rows, cols, shares[s], rows * 100 + cols);
                n_failed += !list_is_right(x, rows, cols, true);
                n_failed += !list_is_right(x, rows, cols, false);
            }
        }
    }
    CHECK_UINT(n_failed, 0);
}

/* ---- functions of one variable ---- */

/* The distance of got from wanted in units in the last place of wanted's float. */
static double ulps(float got, long double wanted)
{
    float nearest = (float)wanted;
    if (!isfinite(nearest) || !isfinite(got)) {
        return (isnan(got) && isnan(wanted)) || got == nearest ? 0 : HUGE_VAL;
    }
    float size = fabsf(nearest) < FLT_MIN ? FLT_MIN : fabsf(nearest);
    long double unit = (long double)(nextafterf(size, INFINITY) - size);
    return (double)(fabsl((long double)got - wanted) / unit);
}

struct accuracy_case {
    weft_activation f;
    long double (*exact)(long double);
    float from, to;
    double bound; /* ulps */
};

static long double exact_sigmoid(long double z)
{
    return 1 / (1 + expl(-z));
}

static long double exact_elu(long double z)
{
    return z > 0 ? z : expm1l(z);
}

/* erf through gelu: gelu(z) = z/2 (1 + erf(z / sqrt 2)); above 0, where nothing cancels. */
static long double exact_gelu(long double z)
{
    return z / 2 * erfcl(-z / sqrtl(2));
}

static long double exact_silu(long double z)
{
    return z / (1 + expl(-z));
}

static long double exact_selu(long double z)
{
    return 1.0507009873554804934193349852946L *
           (z > 0 ? z : 1.6732632423543772848170429916717L * expm1l(z));
}

static const struct accuracy_case accuracy_cases[] = {
    {WEFT_TANH, tanhl, -12, 12, 2.0},    {WEFT_SIGMOID, exact_sigmoid, -87, 30, 2.5},
    {WEFT_ELU, exact_elu, -30, 10, 2.0}, {WEFT_SELU, exact_selu, -30, 10, 4.0},
    {WEFT_GELU, exact_gelu, 0, 20, 3.0}, {WEFT_SILU, exact_silu, -80, 30, 4.0},
    {WEFT_IDENTITY, NULL, -5, 5, 0},     {WEFT_RELU, NULL, -5, 5, 0},
    {WEFT_LEAKY_RELU, NULL, -5, 5, 0},
};

static long double exact_value(const struct accuracy_case *this, float z)
{
    if (this->exact != NULL) {
        return this->exact((long double)z);
    }
    float slope = this->f == WEFT_IDENTITY ? 1 : this->f == WEFT_RELU ? 0 : 0.01f;
    return (long double)(z < 0 ? slope * z : z);
}

/* f over a grid and tiny arguments, through activate. */
static double worst_ulps(const struct accuracy_case *this)
{
    enum { N = 4096 };
    static float z[N], y[N];
    double worst = 0;
    for (size_t round = 0; round < 32; round++) {
        for (size_t i = 0; i < N; i++) {
            float u = (float)weft_rng_uniform(3, round, i);
            z[i] = this->from + (this->to - this->from) * u;
            if (i % 4 == 0) {
                z[i] *= ldexpf(1, -(int)(i / 4 % 40));
            }
        }
        memcpy(y, z, sizeof y);
        kernels()->activate(this->f, 1, N, y, N, NULL, 0);
        for (size_t i = 0; i < N; i++) {
            double error = ulps(y[i], exact_value(this, z[i]));
            worst = error > worst ? error : worst;
        }
    }
    return worst;
}

static void activations_within_stated_ulps(void)
{
    for (size_t i = 0; i < sizeof accuracy_cases / sizeof *accuracy_cases; i++) {
        double worst = worst_ulps(&accuracy_cases[i]);
        if (!CHECK(worst <= accuracy_cases[i].bound)) {
            printf(" %s: %.3f ulp, wanted at most %.1f", weft_activation_name(accuracy_cases[i].f),
                   worst, accuracy_cases[i].bound);
        }
    }
}

/* exp x is what the sum of softmax has beyond 1 for logits 0 and x, exact in double down to -19. */
static void exp_within_an_ulp(void)
{
    enum { N = 100000 };
    double worst = 0;
    for (size_t i = 0; i < N; i++) {
        float z[2] = {0, -19.0f * (float)i / N}, p[2], max;
        double sum = kernels()->softmax(2, z, p, &max);
        double error = ulps((float)(sum - 1), expl((long double)z[1]));
        worst = error > worst ? error : worst;
    }
    CHECK_NEAR(worst, 0, 1);
}

/* Below 0, 1 + erf cancels: the error is bounded against the size of z / 2 instead. */
static void gelu_below_zero(void)
{
    enum { N = 4096 };
    static float z[N], y[N];
    for (size_t i = 0; i < N; i++) {
        z[i] = -8.0f * (float)i / N;
    }
    memcpy(y, z, sizeof y);
    kernels()->activate(WEFT_GELU, 1, N, y, N, NULL, 0);
    for (size_t i = 0; i < N; i++) {
        CHECK_NEAR((double)y[i], (double)exact_gelu((long double)z[i]),
                   2 * (double)FLT_EPSILON * fabs((double)z[i]));
    }
}

static void activations_at_the_ends(void)
{
    static const float inputs[] = {INFINITY, -INFINITY, NAN, 1e30f, -1e30f, 0.0f, -0.0f};
    static const struct {
        weft_activation f;
        float wanted[7];
    } cases[] = {
        {WEFT_RELU, {INFINITY, 0, NAN, 1e30f, 0, 0, 0}},
        {WEFT_TANH, {1, -1, NAN, 1, -1, 0, 0}},
        {WEFT_SIGMOID, {1, 0, NAN, 1, 0, 0.5f, 0.5f}},
        {WEFT_ELU, {INFINITY, -1, NAN, 1e30f, -1, 0, 0}},
        {WEFT_IDENTITY, {INFINITY, -INFINITY, NAN, 1e30f, -1e30f, 0, 0}},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        float y[7];
        memcpy(y, inputs, sizeof y);
        kernels()->activate(cases[c].f, 1, 7, y, 7, NULL, 0);
        for (size_t i = 0; i < 7; i++) {
            CHECK(isnan(cases[c].wanted[i]) ? isnan(y[i]) : y[i] == cases[c].wanted[i]);
        }
    }
}

/* f' against the central difference of f in long double, away from the kinks at 0. */
static void slopes_match_differences(void)
{
    for (size_t c = 0; c < sizeof accuracy_cases / sizeof *accuracy_cases; c++) {
        const struct accuracy_case *this = &accuracy_cases[c];
        for (int step = -40; step <= 40; step++) {
            float z = 0.11f * (float)step + 0.05f, pre = 0, y = z, d = 3;
            kernels()->activate(this->f, 1, 1, &y, 1, &pre, 1);
            const float *saved = weft_activation_needs_input(this->f) ? &pre : &y;
            kernels()->activate_gradient(this->f, 1, 1, &d, 1, saved, 1);
            long double h = 1e-5L, slope;
            if (this->exact != NULL) {
                slope = (this->exact((long double)z + h) - this->exact((long double)z - h)) / 2 / h;
            } else {
                slope = z > 0 || this->f == WEFT_IDENTITY ? 1 : this->f == WEFT_RELU ? 0 : 0.01L;
            }
            CHECK_NEAR((double)d, 3 * (double)slope, 3e-6);
        }
    }
}

/* ---- the rest ---- */

/* Rows within wider ones; pre is written for those f whose derivative wants it, no other. */
static void activate_rows(void)
{
    enum { ROWS = 5, COLS = 19, LD = 23, PRE_LD = 21 };
    float z[ROWS * LD], pre[ROWS * PRE_LD], before[ROWS * LD], without[ROWS * LD];
    fill(before, ROWS * LD, 11);
    for (int f = 0; f < WEFT_N_ACTIVATIONS; f++) {
        bool keeps = weft_activation_needs_input((weft_activation)f);
        CHECK(keeps == (f == WEFT_GELU || f == WEFT_SILU));
        memcpy(z, before, sizeof z);
        memcpy(without, before, sizeof z);
        memset(pre, 0, sizeof pre);
        kernels()->activate((weft_activation)f, ROWS, COLS, z, LD, pre, PRE_LD);
        kernels()->activate((weft_activation)f, ROWS, COLS, without, LD, NULL, 0);
        CHECK_BYTES(z, without, sizeof z);
        for (size_t i = 0; i < ROWS; i++) {
            for (size_t j = 0; j < PRE_LD; j++) {
                CHECK(pre[i * PRE_LD + j] == (keeps && j < COLS ? before[i * LD + j] : 0));
            }
            for (size_t j = COLS; j < LD; j++) {
                CHECK(z[i * LD + j] == before[i * LD + j]);
            }
            for (size_t j = 0; j < COLS; j++) {
                float alone = before[i * LD + j];
                kernels()->activate((weft_activation)f, 1, 1, &alone, 1, NULL, 0);
                CHECK(z[i * LD + j] == alone);
            }
        }
    }
}

static void softmax_rows(void)
{
    for (size_t n = 1; n <= 40; n++) {
        float z[40], p[40], max;
        fill(z, n, 20 + n);
        z[n / 2] += n % 3 == 0 ? 1000.0f : 0.0f;
        double sum = kernels()->softmax(n, z, p, &max);
        long double wanted_sum = 0, wanted_max = (long double)z[0];
        for (size_t j = 0; j < n; j++) {
            wanted_max = (long double)z[j] > wanted_max ? (long double)z[j] : wanted_max;
        }
        for (size_t j = 0; j < n; j++) {
            wanted_sum += expl((long double)z[j] - wanted_max);
        }
        CHECK(max == (float)wanted_max);
        CHECK_NEAR(sum, (double)wanted_sum, 1e-6 * (double)wanted_sum);
        for (size_t j = 0; j < n; j++) {
            CHECK_NEAR((double)p[j], (double)(expl((long double)z[j] - wanted_max) / wanted_sum),
                       3e-7);
        }
    }
}

/* Every size up to two squares of 16 and some more, in the corner of arrays of NaN. */
static void transpose_shapes(void)
{
    enum { SIDE = 37, SRC_LD = 39, DST_LD = 41 };
    static float src[SIDE * SRC_LD], dst[SIDE * DST_LD], wanted[SIDE * DST_LD];
    size_t n_failed = 0;
    for (size_t rows = 1; rows < SIDE; rows++) {
        for (size_t cols = 1; cols < SIDE; cols++) {
            fill_with_poison(src, SIDE * SRC_LD);
            fill_with_poison(dst, SIDE * DST_LD);
            fill_with_poison(wanted, SIDE * DST_LD);
            for (size_t i = 0; i < rows; i++) {
                for (size_t j = 0; j < cols; j++) {
                    src[i * SRC_LD + j] = (float)(1 + i * SIDE + j);
                    wanted[j * DST_LD + i] = (float)(1 + i * SIDE + j);
                }
            }
            kernels()->transpose(rows, cols, src, SRC_LD, dst, DST_LD);
            n_failed += memcmp(dst, wanted, sizeof dst) != 0;
        }
    }
    CHECK_UINT(n_failed, 0);
}

/* The rules in plain C, as kernels.h has them. */
static float reference_step(const struct weft_rule_step *s, float w, float g, float *m, float *v)
{
    float scaled = s->scale * g;
    scaled = fminf(fmaxf(scaled, -s->limit), s->limit);
    float sign = w > 0 ? 1.0f : w < 0 ? -1.0f : 0.0f;
    g = scaled + (s->l2 * w + s->l1 * sign);
    w *= s->keep;
    bool squares = s->rule == WEFT_RULE_RMSPROP || s->rule == WEFT_RULE_ADAM;
    if (squares) {
        *v = s->beta2 * *v + s->gain2 * (g * g);
    }
    float root = sqrtf(*v);
    switch (s->rule) {
    case WEFT_RULE_SGD:
        return w - s->lr * g;
    case WEFT_RULE_MOMENTUM:
        *m = s->beta1 * *m + g;
        return w - s->lr * *m;
    case WEFT_RULE_NESTEROV:
        *m = s->beta1 * *m + g;
        return w - s->lr * (g + s->beta1 * *m);
    case WEFT_RULE_RMSPROP:
        return w - s->lr * (g / (root + s->epsilon));
    case WEFT_RULE_ADAM:
        *m += s->gain1 * (g - *m);
        return w - s->lr * (*m / (root * s->correction + s->epsilon));
    case WEFT_N_RULES:
        break;
    }
    return (float)NAN;
}

static const struct weft_rule_step plain_step = {
    .lr = 0.3f,
    .beta1 = 0.9f,
    .gain1 = 0.1f,
    .beta2 = 0.99f,
    .gain2 = 0.01f,
    .correction = 1.5f,
    .epsilon = 1e-3f,
    .scale = 1,
    .limit = INFINITY,
    .keep = 1,
};

/* plain_step of a rule, or with one adjustment, or with all of them. */
enum { N_ADJUSTMENTS = 7 };
static struct weft_rule_step step_of(int rule, int adjustment)
{
    struct weft_rule_step step = plain_step;
    bool all = adjustment == N_ADJUSTMENTS - 1;
    step.rule = (enum weft_rule)rule;
    step.scale = all || adjustment == 1 ? 0.7f : step.scale;
    step.limit = all || adjustment == 2 ? 0.4f : step.limit;
    step.l1 = all || adjustment == 3 ? 0.05f : step.l1;
    step.l2 = all || adjustment == 4 ? 0.02f : step.l2;
    step.keep = all || adjustment == 5 ? 0.95f : step.keep;
    return step;
}

/* Every length around a vector, every rule; what a rule does not have is not touched. */
static void optimiser_steps(void)
{
    enum { N = 41, ROOM = N + 3 };
    float g[ROOM], w[ROOM], m[ROOM], v[ROOM], w0[ROOM], m0[ROOM], v0[ROOM];
    fill(g, ROOM, 31);
    fill(w0, ROOM, 32);
    fill(m0, ROOM, 33);
    fill(v0, ROOM, 34);
    w0[1] = 0; /* no sign */
    for (size_t j = 0; j < ROOM; j++) {
        v0[j] = fabsf(v0[j]);
    }
    for (int k = 0; k < WEFT_N_RULES * N_ADJUSTMENTS; k++) {
        struct weft_rule_step step = step_of(k / N_ADJUSTMENTS, k % N_ADJUSTMENTS);
        size_t n_wrong = 0;
        for (size_t n = 0; n <= N; n++) {
            memcpy(w, w0, sizeof w);
            memcpy(m, m0, sizeof m);
            memcpy(v, v0, sizeof v);
            kernels()->update(&step, n, w, g, m, v);
            for (size_t j = 0; j < ROOM; j++) {
                float wanted_m = m0[j], wanted_v = v0[j];
                float wanted =
                    j < n ? reference_step(&step, w0[j], g[j], &wanted_m, &wanted_v) : w0[j];
                n_wrong += w[j] != wanted || m[j] != wanted_m || v[j] != wanted_v;
            }
        }
        if (!CHECK_UINT(n_wrong, 0)) {
            printf(" (rule %d, adjustment %d)", k / N_ADJUSTMENTS, k % N_ADJUSTMENTS);
        }
    }
}

/* A parameter that is not a number is not hidden by comparisons. */
static void optimiser_steps_pass_nan_on(void)
{
    for (int k = 0; k < WEFT_N_RULES * N_ADJUSTMENTS; k++) {
        struct weft_rule_step step = step_of(k / N_ADJUSTMENTS, k % N_ADJUSTMENTS);
        float w[2] = {1, (float)NAN}, g[2] = {(float)NAN, 1}, m[2] = {0}, v[2] = {0};
        kernels()->update(&step, 2, w, g, m, v);
        CHECK(isnan(w[0]) && isnan(w[1]));
    }
}

static void sums_of_squares(void)
{
    enum { N = 70 };
    const struct weft_kernel_set *generic = weft_kernel_set_at(weft_kernel_set_count() - 1);
    float x[N + 1];
    fill(x, N + 1, 35);
    double wanted = 0;
    for (size_t n = 0; n <= N; n++) {
        double got = kernels()->sum_of_squares(n, x);
        CHECK_NEAR(got, wanted, 4 * (double)N * DBL_EPSILON * wanted);
        CHECK(got == generic->sum_of_squares(n, x));
        wanted += (double)x[n] * (double)x[n];
    }
}

static void scaling(void)
{
    float out[256], shift[256], scale[256], in[256];
    uint8_t bytes[256];
    fill(shift, 256, 41);
    fill(scale, 256, 42);
    for (size_t i = 0; i < 256; i++) {
        bytes[i] = (uint8_t)i;
        in[i] = (float)i;
    }
    for (int each = 0; each < 2; each++) {
        for (int as_bytes = 0; as_bytes < 2; as_bytes++) {
            if (as_bytes) {
                kernels()->scale_u8(256, bytes, shift, scale, each, out);
            } else {
                kernels()->scale_f32(256, in, shift, scale, each, out);
            }
            for (size_t i = 0; i < 256; i++) {
                CHECK(out[i] == (in[i] - shift[each ? i : 0]) * scale[each ? i : 0]);
            }
        }
    }
}

/* Everything but the matrix products has the same bits in every set. */
static void elementwise_same_bits_as_generic(void)
{
    enum { N = 1000 };
    const struct weft_kernel_set *generic = weft_kernel_set_at(weft_kernel_set_count() - 1);
    CHECK_STR(generic->name, "generic");
    static float z[N], saved[N], got[N], wanted[N], pre[N];
    fill(z, N, 51);
    fill(saved, N, 52);
    for (int f = 0; f < WEFT_N_ACTIVATIONS; f++) {
        memcpy(got, z, sizeof z);
        memcpy(wanted, z, sizeof z);
        kernels()->activate((weft_activation)f, 1, N, got, N, NULL, 0);
        generic->activate((weft_activation)f, 1, N, wanted, N, NULL, 0);
        CHECK_BYTES(got, wanted, sizeof got);
        kernels()->activate_gradient((weft_activation)f, 1, N, got, N, saved, N);
        generic->activate_gradient((weft_activation)f, 1, N, wanted, N, saved, N);
        CHECK_BYTES(got, wanted, sizeof got);
        memcpy(got, z, sizeof z);
        memcpy(wanted, z, sizeof z);
        kernels()->activate((weft_activation)f, 1, N, got, N, pre, N);
        generic->activate((weft_activation)f, 1, N, wanted, N, NULL, 0);
        CHECK_BYTES(got, wanted, sizeof got);
    }
    float max, wanted_max;
    double sum = kernels()->softmax(N, z, got, &max);
    double wanted_sum = generic->softmax(N, z, wanted, &wanted_max);
    CHECK_BYTES(got, wanted, sizeof got);
    CHECK(sum == wanted_sum && max == wanted_max);
    kernels()->sigmoid(N, z, got);
    generic->sigmoid(N, z, wanted);
    CHECK_BYTES(got, wanted, sizeof got);
    static float m[N], wanted_m[N], v[N], wanted_v[N];
    for (int k = 0; k < WEFT_N_RULES * N_ADJUSTMENTS; k++) {
        struct weft_rule_step step = step_of(k / N_ADJUSTMENTS, k % N_ADJUSTMENTS);
        memcpy(m, z, sizeof z);
        memcpy(wanted_m, z, sizeof z);
        memset(v, 0, sizeof v);
        memset(wanted_v, 0, sizeof v);
        kernels()->update(&step, N, got, z, m, v);
        generic->update(&step, N, wanted, z, wanted_m, wanted_v);
        CHECK_BYTES(m, wanted_m, sizeof m);
        CHECK_BYTES(v, wanted_v, sizeof v);
        CHECK_BYTES(got, wanted, sizeof got);
    }
}

static CU_TestInfo sgemm_tests[] = {
    {"every edge of the tile", sgemm_at_every_edge},
    {"same bits in any tile", sgemm_same_bits_in_any_tile},
    {"same bits in any layout of A", sgemm_same_bits_in_any_layout},
    {"same bits over listed terms", sgemm_over_listed_terms},
    CU_TEST_INFO_NULL,
};

static CU_TestInfo sdot_tests[] = {
    {"every edge of the tile", sdot_at_every_edge},
    CU_TEST_INFO_NULL,
};

static CU_TestInfo list_tests[] = {
    {"used columns and rows", lists_of_used},
    CU_TEST_INFO_NULL,
};

static CU_TestInfo elementwise_tests[] = {
    {"activations within the stated ulps", activations_within_stated_ulps},
    {"exp within an ulp", exp_within_an_ulp},
    {"gelu below zero", gelu_below_zero},
    {"activations at infinity and NaN", activations_at_the_ends},
    {"slopes match differences", slopes_match_differences},
    {"activation of rows", activate_rows},
    {"softmax", softmax_rows},
    {"transpose", transpose_shapes},
    {"optimiser steps", optimiser_steps},
    {"optimiser steps pass NaN on", optimiser_steps_pass_nan_on},
    {"sums of squares", sums_of_squares},
    {"scaling", scaling},
    {"same bits as generic", elementwise_same_bits_as_generic},
    CU_TEST_INFO_NULL,
};

static const CU_SuiteInfo suites[] = {
    {"sgemm", NULL, NULL, NULL, NULL, sgemm_tests},
    {"sdot", NULL, NULL, NULL, NULL, sdot_tests},
    {"lists", NULL, NULL, NULL, NULL, list_tests},
    {"elementwise", NULL, NULL, NULL, NULL, elementwise_tests},
    CU_SUITE_INFO_NULL,
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, suites);
}
