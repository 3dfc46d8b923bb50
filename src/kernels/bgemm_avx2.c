/* The bfloat16 product on AVX2: both halves of each pair are widened to float32 and multiplied by
 * FMA. A tile of 4 x 16 keeps 8 sums, 4 vectors of B and 2 of A in the 16 registers. */
#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#include "kernels/vector_avx2.h"

#define BGEMM weft_bgemm_avx2
#define MR 4

struct widened {
    __m256 first, second;
};
#define A_PAIR struct widened
#define B_PAIRS struct widened

/* The first of a pair is its lower half, which becomes an upper half. */
static inline __attribute__((always_inline)) struct widened widen(__m256i pairs)
{
    return (struct widened){
        _mm256_castsi256_ps(_mm256_slli_epi32(pairs, 16)),
        _mm256_castsi256_ps(_mm256_and_si256(pairs, _mm256_set1_epi32((int)0xFFFF0000u)))};
}

static inline __attribute__((always_inline)) struct widened broadcast(const uint16_t *p)
{
    int pair;
    memcpy(&pair, p, sizeof pair);
    return widen(_mm256_set1_epi32(pair));
}

static inline __attribute__((always_inline)) __m256 dot(__m256 sum, struct widened a,
                                                        struct widened b)
{
    sum = _mm256_fmadd_ps(a.first, b.first, sum);
    return _mm256_fmadd_ps(a.second, b.second, sum);
}

#define A_LOAD(p) broadcast(p)
#define B_LOAD(p) widen(_mm256_loadu_si256((const __m256i *)(const void *)(p)))
#define B_LOAD_MASKED(p, m) widen(_mm256_maskload_epi32((const int *)(const void *)(p), m))
#define DOT(sum, a, b) dot(sum, a, b)
#include "kernels/bgemm_template.h"
