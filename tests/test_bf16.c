/* Floor 2: bfloat16 products and conversions of every kernel set that this CPU runs. */
#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "kernels/kernels.h"

#include "bgemm_check.h"
#include "harness.h"
#include "kernels_under_test.h"

static const struct weft_kernel_set *generic(void)
{
    return weft_kernel_set_at(weft_kernel_set_count() - 1);
}

static int enter(void)
{
    if (kernels()->enter != NULL) {
        kernels()->enter();
    }
    return 0;
}

static int leave(void)
{
    if (kernels()->leave != NULL) {
        kernels()->leave();
    }
    return 0;
}

/* ---- products ---- */

static void every_edge(void)
{
    check_bgemm_at_every_edge(kernels()->bgemm, kernels()->bmr);
}

static void same_bits_in_any_tile(void)
{
    check_bgemm_same_bits_in_any_tile(kernels()->bgemm);
}

static void over_listed_pairs(void)
{
    check_bgemm_over_listed_pairs(kernels()->bgemm);
}

static void ends_of_the_range(void)
{
    check_bgemm_at_the_ends_of_the_range(kernels()->bgemm);
}

/* Sets without instructions for bfloat16 sum in the same order. */
static void same_bits_as_generic(void)
{
    enum { M = 30, N = 70, K = 50 };
    static uint16_t a[M * K], b[K * N];
    static float x[M * K], y[K * N], got[M * N], wanted[M * N];
    if (kernels()->for_bf16) {
        return;
    }
    for (size_t i = 0; i < M * K; i++) {
        x[i] = (float)weft_rng_normal(3, 1, i);
    }
    for (size_t i = 0; i < K * N; i++) {
        y[i] = (float)weft_rng_normal(3, 2, i);
    }
    for (size_t i = 0; i < M * N; i++) {
        got[i] = wanted[i] = (float)weft_rng_normal(3, 3, i);
    }
    kernels()->bf16_rows(M, K, x, K, a, K);
    kernels()->bf16_pairs(K, N, y, N, b, 2 * N);
    kernels()->bgemm(&(struct weft_bgemm){M, N, K, a, K, 0, 0, b, 2 * N, got, N, true, NULL, 0});
    generic()->bgemm(&(struct weft_bgemm){M, N, K, a, K, 0, 0, b, 2 * N, wanted, N, true, NULL, 0});
    CHECK_BYTES(got, wanted, sizeof got);
}

/* ---- conversions ---- */

/* The bfloat16 number nearest to x by comparing distances to both neighbours, which double holds
 * exactly; infinity counts as 2^128 there (IEEE 754-2019, 4.3.1). */
static uint16_t nearest_bf16(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint16_t down = (uint16_t)(bits >> 16);
    if (isnan(x)) {
        return down | 0x40;
    }
    if (isinf(x)) {
        return down;
    }
    uint32_t low_bits = bits & 0xFFFF0000u, high_bits = low_bits + 0x10000u;
    float low, high;
    memcpy(&low, &low_bits, sizeof low);
    memcpy(&high, &high_bits, sizeof high);
    double above = isinf(high) ? 0x1p128 : fabs((double)high);
    double to_low = fabs((double)x) - fabs((double)low), to_high = above - fabs((double)x);
    bool up = to_high < to_low || (to_high == to_low && down % 2 != 0);
    return (uint16_t)(down + up);
}

/* Every bfloat16 number with lower halves around its ends and its middle. */
static void rounds_to_nearest_even(void)
{
    static const uint32_t lower[] = {0, 1, 0x7FFF, 0x8000, 0x8001, 0xC000, 0xFFFF};
    enum { N_LOWER = sizeof lower / sizeof *lower, N = 1 << 16 };
    size_t n_wrong = 0;
    for (size_t l = 0; l < N_LOWER; l++) {
        static float x[N];
        static uint16_t got[N];
        for (uint32_t upper = 0; upper < N; upper++) {
            uint32_t bits = upper << 16 | lower[l];
            memcpy(&x[upper], &bits, sizeof bits);
        }
        kernels()->bf16_rows(1, N, x, N, got, N);
        for (size_t i = 0; i < N; i++) {
            n_wrong += got[i] != nearest_bf16(x[i]);
        }
    }
    CHECK_UINT(n_wrong, 0);
}

enum { SRC_RS = 75, DST_RS = 150, DST_ROWS = 75, UNTOUCHED = 0x1234 };

/* Where element (i, j) of the source goes: its place in row-major A or in pairs of B. */
typedef size_t place_function(size_t i, size_t j);

static size_t place_in_rows(size_t i, size_t j)
{
    return i * DST_RS + j;
}

static size_t place_in_pairs(size_t i, size_t j)
{
    return i / 2 * DST_RS + 2 * j + i % 2;
}

static size_t place_in_transpose(size_t i, size_t j)
{
    return place_in_rows(j, i);
}

static size_t place_in_transposed_pairs(size_t i, size_t j)
{
    return place_in_pairs(j, i);
}

typedef void conversion(size_t rows, size_t cols, const float *src, size_t src_rs, uint16_t *dst,
                        size_t dst_rs);

static void check_layout(conversion *convert, place_function *place, bool terms_along_rows)
{
    static float src[SRC_RS * SRC_RS];
    static uint16_t dst[DST_ROWS * DST_RS], wanted[DST_ROWS * DST_RS];
    for (size_t i = 0; i < SRC_RS * SRC_RS; i++) {
        src[i] = (float)weft_rng_normal(5, 1, i);
    }
    for (size_t rows = 1; rows <= 70; rows += rows % 16 < 2 || rows % 16 == 15 ? 1 : 4) {
        for (size_t cols = 1; cols <= 70; cols += cols % 16 < 2 || cols % 16 == 15 ? 1 : 4) {
            for (size_t i = 0; i < DST_ROWS * DST_RS; i++) {
                dst[i] = wanted[i] = UNTOUCHED;
            }
            for (size_t i = 0; i < rows + (terms_along_rows ? rows % 2 : 0); i++) {
                for (size_t j = 0; j < cols + (terms_along_rows ? 0 : cols % 2); j++) {
                    bool there = i < rows && j < cols;
                    wanted[place(i, j)] = there ? nearest_bf16(src[i * SRC_RS + j]) : 0;
                }
            }
            convert(rows, cols, src, SRC_RS, dst, DST_RS);
            if (!CHECK_BYTES(dst, wanted, sizeof dst)) {
                printf(" %zu x %zu", rows, cols);
            }
        }
    }
}

static void layouts(void)
{
    check_layout(kernels()->bf16_rows, place_in_rows, false);
    check_layout(kernels()->bf16_transpose, place_in_transpose, true);
    check_layout(kernels()->bf16_pairs, place_in_pairs, true);
    check_layout(kernels()->bf16_transpose_pairs, place_in_transposed_pairs, false);
}

static CU_TestInfo bgemm_tests[] = {
    {"every edge of the tile", every_edge},
    {"same bits in any tile", same_bits_in_any_tile},
    {"same bits over listed pairs", over_listed_pairs},
    {"ends of the range", ends_of_the_range},
    {"same bits as generic", same_bits_as_generic},
    CU_TEST_INFO_NULL,
};

static CU_TestInfo conversion_tests[] = {
    {"rounds to nearest even", rounds_to_nearest_even},
    {"layouts", layouts},
    CU_TEST_INFO_NULL,
};

static const CU_SuiteInfo suites[] = {
    {"bgemm", enter, leave, NULL, NULL, bgemm_tests},
    {"conversions", NULL, NULL, NULL, NULL, conversion_tests},
    CU_SUITE_INFO_NULL,
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, suites);
}
