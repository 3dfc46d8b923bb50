/* Kernels for AVX-512 (F, VL, DQ, BW: Skylake-X and Zen 4 on): 32 registers of 16 floats; a tile of
 * 8 x 32 uses 16 for sums, enough to cover two FMA units of 4 cycles, and leaves A's eight rows to
 * broadcasts from memory. */
#include <immintrin.h>

#define WEFT_SET(name) name##_avx512
#include "cpu/cpu.h"
#include "kernels/bf16_template.h"
#include "kernels/elementwise_template.h"

#define MR 8
#define NV 2
#define W 16
#define VECTOR __m512
#define MASK __mmask16
#define ZERO() _mm512_setzero_ps()
#define BROADCAST(p) _mm512_set1_ps(*(p))
#define LOAD(p) _mm512_loadu_ps(p)
#define STORE(p, v) _mm512_storeu_ps(p, v)
#define MASK_OF(n) ((__mmask16)((1u << (n)) - 1u))
#define LOAD_MASKED(p, m) _mm512_maskz_loadu_ps(m, p)
#define STORE_MASKED(p, m, v) _mm512_mask_storeu_ps(p, m, v)
#define FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#define ADD(a, b) _mm512_add_ps(a, b)
#include "kernels/sgemm_template.h"

#define AVX512_BITS                                                                                \
    (WEFT_CPU_AVX512F | WEFT_CPU_AVX512VL | WEFT_CPU_AVX512DQ | WEFT_CPU_AVX512BW | WEFT_CPU_FMA)
#define AVX512_FIELDS                                                                              \
    .mr = MR, .nr = NV * W, .kc = 192, .sgemm = sgemm_avx512, BF16_CONVERSIONS, ELEMENTWISE_KERNELS

const struct weft_kernel_set weft_kernels_avx512 = {
    .name = "avx512",
    .needs = AVX512_BITS,
    .bmr = 8,
    .bnr = 32,
    .bgemm = weft_bgemm_avx512,
    AVX512_FIELDS,
};

#ifdef WEFT_HAVE_KERNELS_AVX512BF16
const struct weft_kernel_set weft_kernels_avx512bf16 = {
    .name = "avx512bf16",
    .needs = AVX512_BITS | WEFT_CPU_AVX512BF16,
    .for_bf16 = true,
    .bmr = 12,
    .bnr = 32,
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
    .bnr = 32,
    .bgemm = weft_bgemm_amx,
    AVX512_FIELDS,
};
#endif
