/* The bfloat16 product by VDPBF16PS, which multiplies 16 pairs and adds both products to 16 sums:
 * twice the terms of an FMA. 12 x 2 sums cover its latency (6 cycles on Zen 4) and leave
 * registers for two vectors of B and some pairs of A. */
#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#include "kernels/vector_avx512.h"

#define BGEMM weft_bgemm_avx512bf16
#define MR 12

#define A_PAIR __m512i
#define B_PAIRS __m512i

static inline __attribute__((always_inline)) __m512i broadcast(const uint16_t *p)
{
    int pair;
    memcpy(&pair, p, sizeof pair);
    return _mm512_set1_epi32(pair);
}

#define A_LOAD(p) broadcast(p)
#define B_LOAD(p) _mm512_loadu_si512(p)
#define B_LOAD_MASKED(p, m) _mm512_maskz_loadu_epi32(m, p)
#define DOT(sum, a, b) _mm512_dpbf16_ps(sum, (__m512bh)(a), (__m512bh)(b))
#include "kernels/bgemm_template.h"
