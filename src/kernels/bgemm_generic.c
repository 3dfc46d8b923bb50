/* The bfloat16 product in plain C: the specification. Each product is exact in float32 (where it is
 * in range), each sum is rounded. */
#include <string.h>

#include "kernels/kernels.h"

static inline float float_of(uint16_t bf16)
{
    uint32_t bits = (uint32_t)bf16 << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* sum[j] += a[0] b[2 j] and then += a[1] b[2 j + 1] */
static inline void add_pair(size_t n, const uint16_t *a, const uint16_t *b, float *sum)
{
    float first = float_of(a[0]), second = float_of(a[1]);
#pragma omp simd
    for (size_t j = 0; j < n; j++) {
        sum[j] = (sum[j] + first * float_of(b[2 * j])) + second * float_of(b[2 * j + 1]);
    }
}

/* Row i of C, columns j to j + n. */
enum { SUMS = 64 };
static void multiply_row(const struct weft_bgemm *job, size_t i, size_t j, size_t n)
{
    float sum[SUMS] = {0};
    const uint16_t *a = job->a + i * job->a_rs, *b = job->b + 2 * j;
    size_t block = job->a_block != 0 ? job->a_block : job->k + 1;
    for (size_t p = 0; p < job->k; p += 2) {
        add_pair(n, a + p / block * job->a_bs + p % block, b + p / 2 * job->b_rs, sum);
    }
    float *c = job->c + i * job->c_rs + j;
    for (size_t l = 0; l < n; l++) {
        c[l] = job->accumulate ? c[l] + sum[l] : sum[l];
    }
}

void weft_bgemm_generic(const struct weft_bgemm *job)
{
    for (size_t i = 0; i < job->m; i++) {
        for (size_t j = 0; j < job->n; j += SUMS) {
            multiply_row(job, i, j, job->n - j < SUMS ? job->n - j : SUMS);
        }
    }
}
