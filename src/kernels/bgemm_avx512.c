/* The bfloat16 product where AVX-512 has no instructions for it: both halves of each pair are
 * widened to float32 and multiplied by FMA, so at best at the speed of float32, less the widening:
 * 8 rows share that of B. */
#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#include "kernels/vector_avx512.h"

#define BGEMM weft_bgemm_avx512
#define MR 8

struct widened {
    __m512 first, second;
};
#define A_PAIR struct widened
#define B_PAIRS struct widened

/* The first of a pair is its lower half, which becomes an upper half. */
static inline __attribute__((always_inline)) struct widened widen(__m512i pairs)
{
    return (struct widened){
        _mm512_castsi512_ps(_mm512_slli_epi32(pairs, 16)),
        _mm512_castsi512_ps(_mm512_and_si512(pairs, _mm512_set1_epi32((int)0xFFFF0000u)))};
}

static inline __attribute__((always_inline)) struct widened broadcast(const uint16_t *p)
{
    int pair;
    memcpy(&pair, p, sizeof pair);
    return widen(_mm512_set1_epi32(pair));
}

static inline __attribute__((always_inline)) __m512 dot(__m512 sum, struct widened a,
                                                        struct widened b)
{
    sum = _mm512_fmadd_ps(a.first, b.first, sum);
    return _mm512_fmadd_ps(a.second, b.second, sum);
}

#define A_LOAD(p) broadcast(p)
#define B_LOAD(p) widen(_mm512_loadu_si512(p))
#define B_LOAD_MASKED(p, m) widen(_mm512_maskz_loadu_epi32(m, p))
#define DOT(sum, a, b) dot(sum, a, b)
#include "kernels/bgemm_template.h"
