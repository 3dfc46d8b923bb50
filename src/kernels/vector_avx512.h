/* What the templates of products ask for, in AVX-512: vectors of 16 floats. */
#ifndef WEFT_KERNELS_VECTOR_AVX512_H
#define WEFT_KERNELS_VECTOR_AVX512_H

#include <immintrin.h>

#define W 16
#define VECTOR __m512
#define MASK __mmask16
#define ZERO() _mm512_setzero_ps()
#define LOAD(p) _mm512_loadu_ps(p)
#define STORE(p, v) _mm512_storeu_ps(p, v)
#define MASK_OF(n) ((__mmask16)((1u << (n)) - 1u))
#define LOAD_MASKED(p, m) _mm512_maskz_loadu_ps(m, p)
#define STORE_MASKED(p, m, v) _mm512_mask_storeu_ps(p, m, v)
#define ADD(a, b) _mm512_add_ps(a, b)

#endif
