/* Kernels for AVX-512 (F, VL, DQ, BW: Skylake-X and Zen 4 on): 32 registers of 16 floats; a tile of
 * 8 x 32 uses 16 for sums, enough to cover two FMA units of 4 cycles, and leaves A's eight rows to
 * broadcasts from memory. */
#include <immintrin.h>

#include <stddef.h>

#define WEFT_SET(name) name##_avx512
#include "cpu/cpu.h"
#include "kernels/vector_avx512.h"

#define TRANSPOSE_SIDE 16

/* Pairs, quadruples and halves of rows change places, a factor of 2 in each of four steps. */
static inline void transpose_square_avx512(const float *src, size_t src_rs, float *dst,
                                           size_t dst_rs)
{
    __m512 r[16], t[16];
#pragma GCC unroll 16
    for (size_t i = 0; i < 16; i++) {
        r[i] = _mm512_loadu_ps(src + i * src_rs);
    }
#pragma GCC unroll 8
    for (size_t i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
    }
#pragma GCC unroll 4
    for (size_t i = 0; i < 16; i += 4) {
        r[i] = _mm512_shuffle_ps(t[i], t[i + 2], 0x44);
        r[i + 1] = _mm512_shuffle_ps(t[i], t[i + 2], 0xEE);
        r[i + 2] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0x44);
        r[i + 3] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0xEE);
    }
    /* r[4 g + c]: columns c, c + 4, c + 8, c + 12 (one in each lane) of rows 4 g .. 4 g + 3. */
#pragma GCC unroll 4
    for (size_t c = 0; c < 4; c++) {
        __m512 low01 = _mm512_shuffle_f32x4(r[c], r[4 + c], 0x88);
        __m512 high01 = _mm512_shuffle_f32x4(r[c], r[4 + c], 0xDD);
        __m512 low23 = _mm512_shuffle_f32x4(r[8 + c], r[12 + c], 0x88);
        __m512 high23 = _mm512_shuffle_f32x4(r[8 + c], r[12 + c], 0xDD);
        _mm512_storeu_ps(dst + c * dst_rs, _mm512_shuffle_f32x4(low01, low23, 0x88));
        _mm512_storeu_ps(dst + (c + 4) * dst_rs, _mm512_shuffle_f32x4(high01, high23, 0x88));
        _mm512_storeu_ps(dst + (c + 8) * dst_rs, _mm512_shuffle_f32x4(low01, low23, 0xDD));
        _mm512_storeu_ps(dst + (c + 12) * dst_rs, _mm512_shuffle_f32x4(high01, high23, 0xDD));
    }
}

/* Vector loads and stores of floats move any bits at any address. */
#define TURN_PAIRS(src, src_rs, dst, dst_rs)                                                       \
    transpose_square_avx512((const float *)(const void *)(src), src_rs, (float *)(void *)(dst),    \
                            dst_rs)
#include "kernels/bf16_template.h"
#include "kernels/elementwise_template.h"

/* A zero of either sign has no bit here. */
static inline __m512i magnitude_bits(void)
{
    return _mm512_set1_epi32(0x7FFFFFFF);
}

/* Adds those of first .. first + 15 that `used` names to a list of n; returns how many it has. */
static inline size_t append(uint32_t *list, size_t n, size_t first, __mmask16 used)
{
    const __m512i iota = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    __m512i at = _mm512_add_epi32(iota, _mm512_set1_epi32((int)first));
    _mm512_storeu_si512(list + n, _mm512_maskz_compress_epi32(used, at));
    return n + (size_t)__builtin_popcount(used);
}

static size_t used_columns_avx512(size_t rows, size_t cols, const float *x, size_t x_rs,
                                  uint32_t *list)
{
    size_t n = 0;
    for (size_t j = 0; j < cols; j += 16) {
        __mmask16 inside = cols - j < 16 ? (__mmask16)((1u << (cols - j)) - 1u) : 0xFFFF;
        __m512i any = _mm512_setzero_si512();
        for (size_t i = 0; i < rows; i++) {
            any = _mm512_or_si512(any, _mm512_maskz_loadu_epi32(inside, x + i * x_rs + j));
        }
        n = append(list, n, j, _mm512_test_epi32_mask(any, magnitude_bits()));
    }
    return n;
}

/* Which of up to 16 rows have anything in the columns of `inside`. Packing with saturation keeps
 * what is not zero, and brings four columns of four rows into each half of 32 bytes. */
static inline __attribute__((always_inline)) __mmask16 rows_in_use(size_t rows, __mmask8 inside,
                                                                   const float *x, size_t x_rs)
{
    __m256i row[16];
#pragma GCC unroll 16
    for (size_t i = 0; i < 16; i++) {
        __mmask8 wanted = i < rows ? inside : 0;
        row[i] = _mm256_maskz_and_epi32(wanted, _mm256_maskz_loadu_epi32(wanted, x + i * x_rs),
                                        _mm512_castsi512_si256(magnitude_bits()));
    }
    __m128i four[4]; /* rows, a word each */
#pragma GCC unroll 4
    for (size_t i = 0; i < 4; i++) {
        __m256i bytes = _mm256_packs_epi16(_mm256_packs_epi32(row[4 * i], row[4 * i + 1]),
                                           _mm256_packs_epi32(row[4 * i + 2], row[4 * i + 3]));
        four[i] = _mm_or_si128(_mm256_castsi256_si128(bytes), _mm256_extracti128_si256(bytes, 1));
    }
    __m512i all = _mm512_inserti32x4(_mm512_castsi128_si512(four[0]), four[1], 1);
    all = _mm512_inserti32x4(_mm512_inserti32x4(all, four[2], 2), four[3], 3);
    return _mm512_test_epi32_mask(all, all);
}

static size_t used_rows_avx512(size_t rows, size_t cols, const float *x, size_t x_rs,
                               uint32_t *list)
{
    size_t n = 0;
    for (size_t i = 0; i < rows; i += 16) {
        __mmask16 used = 0;
        for (size_t j = 0; j < cols; j += 8) {
            __mmask8 inside = cols - j < 8 ? (__mmask8)((1u << (cols - j)) - 1u) : 0xFF;
            const float *from = x + i * x_rs + j;
            used |= rows - i >= 16 ? rows_in_use(16, inside, from, x_rs)
                                   : rows_in_use(rows - i, inside, from, x_rs);
        }
        n = append(list, n, i, used);
    }
    return n;
}

#define MR 8
#define NV 2
#define DOT_ROWS 4
#define BROADCAST(p) _mm512_set1_ps(*(p))
#define FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#define STORE_SUMS(p, v0, v1, v2, v3) _mm_storeu_ps(p, sums_of(v0, v1, v2, v3))

/* Each quarter of a vector first, all four vectors at once. */
static inline __m128 sums_of(__m512 v0, __m512 v1, __m512 v2, __m512 v3)
{
    __m512 v01 = _mm512_add_ps(_mm512_unpacklo_ps(v0, v1), _mm512_unpackhi_ps(v0, v1));
    __m512 v23 = _mm512_add_ps(_mm512_unpacklo_ps(v2, v3), _mm512_unpackhi_ps(v2, v3));
    __m512 quarters =
        _mm512_add_ps(_mm512_shuffle_ps(v01, v23, 0x44), _mm512_shuffle_ps(v01, v23, 0xEE));
    __m256 halves =
        _mm256_add_ps(_mm512_castps512_ps256(quarters), _mm512_extractf32x8_ps(quarters, 1));
    return _mm_add_ps(_mm256_castps256_ps128(halves), _mm256_extractf128_ps(halves, 1));
}

#include "kernels/sgemm_template.h"

#define AVX512_BITS                                                                                \
    (WEFT_CPU_AVX512F | WEFT_CPU_AVX512VL | WEFT_CPU_AVX512DQ | WEFT_CPU_AVX512BW | WEFT_CPU_FMA)
#define AVX512_FIELDS                                                                              \
    .mr = MR, .packed_mr = 4, .kc = 1056, .sgemm = sgemm_avx512, .sdot = sdot_avx512,              \
    .used_columns = used_columns_avx512, .used_rows = used_rows_avx512, BF16_CONVERSIONS,          \
    ELEMENTWISE_KERNELS

const struct weft_kernel_set weft_kernels_avx512 = {
    .name = "avx512",
    .needs = AVX512_BITS,
    .bmr = 8,
    .bkc = 384,
    .bgemm = weft_bgemm_avx512,
    AVX512_FIELDS,
};

#ifdef WEFT_HAVE_KERNELS_AVX512BF16
const struct weft_kernel_set weft_kernels_avx512bf16 = {
    .name = "avx512bf16",
    .needs = AVX512_BITS | WEFT_CPU_AVX512BF16,
    .for_bf16 = true,
    .bmr = 12,
    .bkc = 384,
    .bgemm = weft_bgemm_avx512bf16,
    AVX512_FIELDS,
};
#endif

#ifdef WEFT_HAVE_KERNELS_AMX
const struct weft_kernel_set weft_kernels_amx = {
    .name = "amx",
    .needs = AVX512_BITS | WEFT_CPU_AMX_TILE | WEFT_CPU_AMX_BF16,
    .for_bf16 = true,
    .enter = weft_amx_enter,
    .leave = weft_amx_leave,
    .bmr = 32,
    .bkc = 384,
    .bgemm = weft_bgemm_amx,
    AVX512_FIELDS,
};
#endif
