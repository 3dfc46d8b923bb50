/* What the templates of products ask for, in AVX2: vectors of 8 floats. */
#ifndef WEFT_KERNELS_VECTOR_AVX2_H
#define WEFT_KERNELS_VECTOR_AVX2_H

#include <immintrin.h>

#define W 8
#define VECTOR __m256
#define MASK __m256i
#define ZERO() _mm256_setzero_ps()
#define LOAD(p) _mm256_loadu_ps(p)
#define STORE(p, v) _mm256_storeu_ps(p, v)
#define MASK_OF(n)                                                                                 \
    _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))
#define LOAD_MASKED(p, m) _mm256_maskload_ps(p, m)
#define STORE_MASKED(p, m, v) _mm256_maskstore_ps(p, m, v)
#define ADD(a, b) _mm256_add_ps(a, b)

#endif
