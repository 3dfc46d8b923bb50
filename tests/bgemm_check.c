/* See bgemm_check.h. */
#include "bgemm_check.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"

#include "harness.h"

enum { MAX_M = 65, MAX_N = 129, MAX_K = 100, BF16_NAN = 0x7FC1 };

static uint16_t a[(MAX_M + 1) * (MAX_K + 40)], b[(MAX_K / 2 + 2) * (2 * MAX_N + 5)];
static float c[(MAX_M + 1) * (MAX_N + 7)], before[(MAX_M + 1) * (MAX_N + 7)];

static double value_of(uint16_t bf16)
{
    uint32_t bits = (uint32_t)bf16 << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return (double)value;
}

/* The upper half of a float32, as any bfloat16 number will do. */
static uint16_t random_bf16(uint64_t stream, uint64_t at)
{
    float value = (float)weft_rng_normal(11, stream, at);
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (uint16_t)(bits >> 16);
}

static size_t a_at(const struct weft_bgemm *job, size_t i, size_t p)
{
    return i * job->a_rs +
           (job->a_block == 0 ? p : p / job->a_block * job->a_bs + p % job->a_block);
}

static size_t b_at(const struct weft_bgemm *job, size_t p, size_t j)
{
    return p / 2 * job->b_rs + 2 * j + p % 2;
}

static void fill_operands(const struct weft_bgemm *job)
{
    for (size_t i = 0; i < sizeof a / sizeof *a; i++) {
        a[i] = BF16_NAN;
    }
    for (size_t i = 0; i < sizeof b / sizeof *b; i++) {
        b[i] = BF16_NAN;
    }
    for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
        c[i] = NAN;
    }
    uint64_t stream = (job->m * 1000 + job->n) * 1000 + job->k;
    for (size_t p = 0; p < (job->k + 1) / 2 * 2; p++) { /* odd k are filled up with zeros */
        for (size_t i = 0; i < job->m; i++) {
            a[a_at(job, i, p)] = p < job->k ? random_bf16(stream, i * MAX_K + p) : 0;
        }
        for (size_t j = 0; j < job->n; j++) {
            b[b_at(job, p, j)] = p < job->k ? random_bf16(stream + 1, p * MAX_N + j) : 0;
        }
    }
    for (size_t i = 0; job->accumulate && i < job->m; i++) {
        for (size_t j = 0; j < job->n; j++) {
            c[i * job->c_rs + j] = (float)weft_rng_normal(11, stream + 2, i * MAX_N + j);
        }
    }
    memcpy(before, c, sizeof c);
}

static bool element_is_right(const struct weft_bgemm *job, size_t i, size_t j)
{
    double sum = job->accumulate ? (double)before[i * job->c_rs + j] : 0, size = fabs(sum);
    for (size_t p = 0; p < job->k; p++) {
        double term = value_of(job->a[a_at(job, i, p)]) * value_of(job->b[b_at(job, p, j)]);
        sum += term;
        size += fabs(term);
    }
    /* Each rounding is half a FLT_EPSILON at most, and each flush of a denormal FLT_MIN. */
    double bound = (double)(job->k + 2) * ((double)FLT_EPSILON * size + (double)FLT_MIN);
    double got = (double)job->c[i * job->c_rs + j];
    if (fabs(got - sum) <= bound) {
        return true;
    }
    printf("\n%zux%zux%zu%s%s: c[%zu,%zu]: got %.9g, wanted %.9g, bound %.3g", job->m, job->n,
           job->k, job->a_block != 0 ? " in blocks" : "", job->accumulate ? " accumulate" : "", i,
           j, got, sum, bound);
    return false;
}

static bool product_is_right(bgemm_function *bgemm, size_t m, size_t n, size_t k, bool blocks,
                             bool accumulate)
{
    size_t even_k = (k + 1) / 2 * 2;
    struct weft_bgemm job = {.m = m,
                             .n = n,
                             .k = k,
                             .a = a,
                             .a_rs = blocks ? 33 : even_k + 3,
                             .a_block = blocks ? 32 : 0,
                             .a_bs = blocks ? m * 33 + 1 : 0,
                             .b = b,
                             .b_rs = 2 * n + 5,
                             .c = c,
                             .c_rs = n + 7,
                             .accumulate = accumulate};
    fill_operands(&job);
    bgemm(&job);
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < n; j++) {
            if (!element_is_right(&job, i, j)) {
                return false;
            }
            c[i * job.c_rs + j] = before[i * job.c_rs + j];
        }
    }
    if (memcmp(c, before, sizeof c) != 0) {
        printf("\n%zux%zux%zu: wrote beyond its edges", m, n, k);
        return false;
    }
    return true;
}

void check_bgemm_at_every_edge(bgemm_function *bgemm, size_t mr)
{
    enum { NR = 32 }; /* columns of the widest tile */
    static const size_t ks[] = {1, 2, 3, 31, 32, 33, 64, 65, 98};
    size_t n_failed = 0, n_run = 0;
    for (size_t m = 1; m <= 2 * mr + 1; m += mr > 16 && m % 16 > 1 && m % 16 < 15 ? 6 : 1) {
        for (size_t n = 1; n <= 2 * NR + 1; n += n % 8 > 1 && n % 8 < 7 ? 3 : 1) {
            for (size_t l = 0; l < sizeof ks / sizeof *ks; l++) {
                size_t flags = m + n + l;
                if (!HARNESS_SLOW_BUILD || flags % 5 == 0) {
                    n_run++;
                    n_failed +=
                        !product_is_right(bgemm, m, n, ks[l], flags % 2 != 0, flags / 2 % 2 != 0);
                }
            }
        }
    }
    CHECK_UINT(n_failed, 0);
    CHECK(n_run > (HARNESS_SLOW_BUILD ? 100 : 500)); /* by the size of the tile */
}

void check_bgemm_same_bits_in_any_tile(bgemm_function *bgemm)
{
    enum { M = 65, N = 70, K = 50 };
    static float whole[M * N], part[M * N];
    struct weft_bgemm job = {.m = M,
                             .n = N,
                             .k = K,
                             .a = a,
                             .a_rs = K,
                             .b = b,
                             .b_rs = 2 * N,
                             .c = whole,
                             .c_rs = N,
                             .accumulate = true};
    for (int accumulate = 0; accumulate < 2; accumulate++) {
        job.accumulate = accumulate != 0;
        fill_operands(&job);
        memcpy(whole, c, sizeof whole);
        bgemm(&(struct weft_bgemm){M, N, K, a, K, 0, 0, b, 2 * N, whole, N, accumulate != 0, NULL,
                                   0});
        for (size_t rows = 1; rows <= 37; rows += 4) {
            for (size_t cols = 1; cols <= 37; cols += 6) {
                memcpy(part, c, sizeof part);
                for (size_t i = 0; i < M; i += rows) {
                    for (size_t j = 0; j < N; j += cols) {
                        struct weft_bgemm tile = job;
                        tile.m = M - i < rows ? M - i : rows;
                        tile.n = N - j < cols ? N - j : cols;
                        tile.a += i * K;
                        tile.b += 2 * j;
                        tile.c = part + i * N + j;
                        bgemm(&tile);
                    }
                }
                CHECK_BYTES(part, whole, sizeof whole);
            }
        }
    }
}

/* Every third pair of A is zeros of both signs, in all rows. */
void check_bgemm_over_listed_pairs(bgemm_function *bgemm)
{
    enum { K = 70 };
    static float whole[sizeof c / sizeof *c];
    uint32_t pairs[K / 2];
    size_t n_pairs = 0;
    for (uint32_t pair = 0; pair < K / 2; pair++) {
        pairs[n_pairs] = pair;
        n_pairs += pair % 3 != 1;
    }
    for (size_t m = 1; m <= 34; m += m < 14 ? 1 : 10) {
        for (size_t n = 1; n <= 70; n += n % 8 > 1 && n % 8 < 7 ? 5 : 1) {
            struct weft_bgemm job = {.m = m,
                                     .n = n,
                                     .k = K,
                                     .a = a,
                                     .a_rs = K + 3,
                                     .b = b,
                                     .b_rs = 2 * n + 5,
                                     .c = c,
                                     .c_rs = n + 7,
                                     .accumulate = (m + n) % 2 != 0};
            fill_operands(&job);
            for (size_t p = 2; p < K; p += 6) {
                for (size_t i = 0; i < m; i++) {
                    a[a_at(&job, i, p)] = 0;
                    a[a_at(&job, i, p + 1)] = 0x8000;
                }
            }
            bgemm(&job);
            memcpy(whole, c, sizeof whole);
            memcpy(c, before, sizeof c);
            job.pairs = pairs;
            job.n_pairs = n_pairs;
            bgemm(&job);
            if (!CHECK_BYTES(c, whole, sizeof c)) {
                printf(" %zu x %zu", m, n);
            }
        }
    }
}

void check_bgemm_at_the_ends_of_the_range(bgemm_function *bgemm)
{
    enum { INF = 0x7F80, ONE = 0x3F80, LARGE = 0x7F00, LEAST_NORMAL = 0x0080, DENORMAL = 0x0001 };
    static const struct {
        uint16_t a[2], b[2];
        double wanted; /* NaN for NaN */
    } cases[] = {
        {{INF, ONE}, {ONE, ONE}, HUGE_VAL},
        {{INF, ONE}, {0, ONE}, (double)NAN},
        {{INF, INF}, {ONE, ONE | 0x8000}, (double)NAN},
        {{BF16_NAN, 0}, {ONE, ONE}, (double)NAN},
        {{LARGE, 0}, {ONE, ONE}, 0x1p127},
        {{LEAST_NORMAL, 0}, {ONE, ONE}, 0x1p-126},
        {{DENORMAL, ONE}, {ONE, ONE}, 1},
        {{ONE, ONE | 0x8000}, {ONE, ONE}, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        float got = 7;
        bgemm(&(struct weft_bgemm){1, 1, 2, cases[i].a, 2, 0, 0, cases[i].b, 2, &got, 1, false,
                                   NULL, 0});
        if (!CHECK(isnan(cases[i].wanted) ? isnan(got) : (double)got == cases[i].wanted)) {
            printf(" case %zu: got %g", i, (double)got);
        }
    }
}
