/* Kernels for AVX2 with FMA: 16 registers of 8 floats; a tile of 6 x 16 uses 12 for sums, 2 for
 * B and 1 for A. Twelve independent sums cover the latency of two FMA units (4 or 5 cycles
 * each). */
#include <immintrin.h>

#include <stddef.h>

#define WEFT_SET(name) name##_avx2
#include "cpu/cpu.h"
#include "kernels/vector_avx2.h"

#define TRANSPOSE_SIDE 8

static inline void transpose_square_avx2(const float *src, size_t src_rs, float *dst, size_t dst_rs)
{
    __m256 r[8], t[8];
#pragma GCC unroll 8
    for (size_t i = 0; i < 8; i++) {
        r[i] = _mm256_loadu_ps(src + i * src_rs);
    }
#pragma GCC unroll 4
    for (size_t i = 0; i < 8; i += 2) {
        t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
#pragma GCC unroll 2
    for (size_t i = 0; i < 8; i += 4) {
        r[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
        r[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xEE);
        r[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
        r[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xEE);
    }
    /* r[4 g + c]: columns c and c + 4 (one in each lane) of rows 4 g .. 4 g + 3. */
#pragma GCC unroll 4
    for (size_t c = 0; c < 4; c++) {
        _mm256_storeu_ps(dst + c * dst_rs, _mm256_permute2f128_ps(r[c], r[4 + c], 0x20));
        _mm256_storeu_ps(dst + (c + 4) * dst_rs, _mm256_permute2f128_ps(r[c], r[4 + c], 0x31));
    }
}

/* Vector loads and stores of floats move any bits at any address. */
#define TURN_PAIRS(src, src_rs, dst, dst_rs)                                                       \
    transpose_square_avx2((const float *)(const void *)(src), src_rs, (float *)(void *)(dst),      \
                          dst_rs)
#include "kernels/bf16_template.h"
#include "kernels/elementwise_template.h"

#define MR 6
#define NV 2
#define DOT_ROWS 2
#define BROADCAST(p) _mm256_broadcast_ss(p)
#define FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#define STORE_SUMS(p, v0, v1, v2, v3) _mm_storeu_ps(p, sums_of(v0, v1, v2, v3))

/* Each half of a vector first, all four vectors at once. */
static inline __m128 sums_of(__m256 v0, __m256 v1, __m256 v2, __m256 v3)
{
    __m256 v01 = _mm256_add_ps(_mm256_unpacklo_ps(v0, v1), _mm256_unpackhi_ps(v0, v1));
    __m256 v23 = _mm256_add_ps(_mm256_unpacklo_ps(v2, v3), _mm256_unpackhi_ps(v2, v3));
    __m256 halves =
        _mm256_add_ps(_mm256_shuffle_ps(v01, v23, 0x44), _mm256_shuffle_ps(v01, v23, 0xEE));
    return _mm_add_ps(_mm256_castps256_ps128(halves), _mm256_extractf128_ps(halves, 1));
}

#include "kernels/sgemm_template.h"

/* n <= 8 elements without their signs, and zeros behind them: a zero of either sign has no bit. */
INLINE __m256i load_magnitudes(const float *p, size_t n)
{
    __m256i bits = _mm256_castps_si256(n < W ? LOAD_MASKED(p, MASK_OF(n)) : LOAD(p));
    return _mm256_and_si256(bits, _mm256_set1_epi32(0x7FFFFFFF));
}

/* Adds those of first .. first + 7 whose elements are not 0 to a list of n; returns how many it
 * has. */
INLINE size_t append(uint32_t *list, size_t n, size_t first, __m256i any)
{
    __m256i zeros = _mm256_cmpeq_epi32(any, _mm256_setzero_si256());
    unsigned unused = (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(zeros));
#pragma GCC unroll 8
    for (size_t at = 0; at < W; at++) {
        list[n] = (uint32_t)(first + at);
        n += (~unused >> at) & 1;
    }
    return n;
}

static size_t used_columns_avx2(size_t rows, size_t cols, const float *x, size_t x_rs,
                                uint32_t *list)
{
    size_t n = 0;
    for (size_t j = 0; j < cols; j += W) {
        __m256i any = _mm256_setzero_si256();
        for (size_t i = 0; i < rows; i++) {
            any = _mm256_or_si256(any, load_magnitudes(x + i * x_rs + j, cols - j));
        }
        n = append(list, n, j, any);
    }
    return n;
}

/* For each of eight rows, of which so many are there, an element that is not 0 where one of its n
 * <= 8 columns is not. Packing with saturation keeps what is not zero, and brings four columns of
 * four rows into each half of 32 bytes. */
INLINE __m256i rows_in_use(size_t rows, size_t n, const float *x, size_t x_rs)
{
    __m256i row[8];
#pragma GCC unroll 8
    for (size_t i = 0; i < 8; i++) {
        row[i] = i < rows ? load_magnitudes(x + i * x_rs, n) : _mm256_setzero_si256();
    }
    __m256i low =
        _mm256_packs_epi16(_mm256_packs_epi32(row[0], row[1]), _mm256_packs_epi32(row[2], row[3]));
    __m256i high =
        _mm256_packs_epi16(_mm256_packs_epi32(row[4], row[5]), _mm256_packs_epi32(row[6], row[7]));
    return _mm256_or_si256(_mm256_permute2x128_si256(low, high, 0x20),
                           _mm256_permute2x128_si256(low, high, 0x31));
}

static size_t used_rows_avx2(size_t rows, size_t cols, const float *x, size_t x_rs, uint32_t *list)
{
    size_t n = 0;
    for (size_t i = 0; i < rows; i += 8) {
        __m256i any = _mm256_setzero_si256();
        for (size_t j = 0; j < cols; j += W) {
            const float *from = x + i * x_rs + j;
            any = _mm256_or_si256(any, rows - i >= 8 ? rows_in_use(8, cols - j, from, x_rs)
                                                     : rows_in_use(rows - i, cols - j, from, x_rs));
        }
        n = append(list, n, i, any);
    }
    return n;
}

const struct weft_kernel_set weft_kernels_avx2 = {
    .name = "avx2",
    .needs = WEFT_CPU_AVX2 | WEFT_CPU_FMA,
    .mr = MR,
    .packed_mr = MR,
    .kc = 1056,
    .sgemm = sgemm_avx2,
    .sdot = sdot_avx2,
    .used_columns = used_columns_avx2,
    .used_rows = used_rows_avx2,
    .bmr = 4,
    .bkc = 512,
    .bgemm = weft_bgemm_avx2,
    BF16_CONVERSIONS,
    ELEMENTWISE_KERNELS,
};
