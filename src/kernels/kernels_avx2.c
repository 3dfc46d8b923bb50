/* Kernels for AVX2 with FMA: 16 registers of 8 floats; a tile of 6 x 16 uses 12 for sums, 2 for
 * B and 1 for A. Twelve independent sums cover the latency of two FMA units (4 or 5 cycles
 * each). */
#include <immintrin.h>

#define WEFT_SET(name) name##_avx2
#include "cpu/cpu.h"
#include "kernels/bf16_template.h"
#include "kernels/elementwise_template.h"

#define MR 6
#define NV 2
#define W 8
#define VECTOR __m256
#define MASK __m256i
#define ZERO() _mm256_setzero_ps()
#define BROADCAST(p) _mm256_broadcast_ss(p)
#define LOAD(p) _mm256_loadu_ps(p)
#define STORE(p, v) _mm256_storeu_ps(p, v)
#define MASK_OF(n)                                                                                 \
    _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))
#define LOAD_MASKED(p, m) _mm256_maskload_ps(p, m)
#define STORE_MASKED(p, m, v) _mm256_maskstore_ps(p, m, v)
#define FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#define ADD(a, b) _mm256_add_ps(a, b)
#include "kernels/sgemm_template.h"

const struct weft_kernel_set weft_kernels_avx2 = {
    .name = "avx2",
    .needs = WEFT_CPU_AVX2 | WEFT_CPU_FMA,
    .mr = MR,
    .nr = NV * W,
    .kc = 256,
    .sgemm = sgemm_avx2,
    .bmr = 4,
    .bnr = 16,
    .bgemm = weft_bgemm_avx2,
    BF16_CONVERSIONS,
    ELEMENTWISE_KERNELS,
};
