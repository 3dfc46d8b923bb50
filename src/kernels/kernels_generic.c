/* The kernels in plain C: what every CPU runs, and what the other sets are tested against. */
#include <stddef.h>
#include <string.h>

#define WEFT_SET(name) name##_generic
#define TRANSPOSE_SIDE 8

static inline void transpose_square_generic(const float *src, size_t src_rs, float *dst,
                                            size_t dst_rs)
{
    for (size_t j = 0; j < TRANSPOSE_SIDE; j++) {
        for (size_t i = 0; i < TRANSPOSE_SIDE; i++) {
            dst[j * dst_rs + i] = src[i * src_rs + j];
        }
    }
}

#include "kernels/bf16_template.h"
#include "kernels/elementwise_template.h"
#include "kernels/lists_template.h"

/* Where the q-th term of a product begins in A. */
static size_t term_of_a(const struct weft_sgemm *job, size_t q)
{
    if (job->terms != NULL && !job->a_packed) {
        return job->terms[q] * job->a_cs;
    }
    return job->a_block == 0 ? q * job->a_cs
                             : q / job->a_block * job->a_bs + q % job->a_block * job->a_cs;
}

/* Row by row of A: each term A(i,p) adds a multiple of row p of B to the sums of row i. The sums
 * are kept apart from C, to be added to it at the end. */
static void sgemm_generic(const struct weft_sgemm *job)
{
    enum { COLS = 64 };
    for (size_t i = 0; i < job->m; i++) {
        const float *ai = job->a + i * job->a_rs;
        for (size_t j0 = 0; j0 < job->n; j0 += COLS) {
            size_t cols = job->n - j0 < COLS ? job->n - j0 : COLS;
            float sums[COLS] = {0};
            for (size_t q = 0; q < job->k; q++) {
                float aip = ai[term_of_a(job, q)];
                size_t p = job->terms != NULL ? job->terms[q] : q;
                const float *bp = job->b + p * job->b_rs + j0;
                for (size_t j = 0; j < cols; j++) {
                    sums[j] += aip * bp[j];
                }
            }
            float *ci = job->c + i * job->c_rs + j0;
            for (size_t j = 0; j < cols; j++) {
                ci[j] = job->accumulate ? ci[j] + sums[j] : sums[j];
            }
        }
    }
}

/* Eight partial sums, so that this is not slowed by the latency of one. */
static void sdot_generic(size_t m, size_t n, size_t k, const float *a, size_t a_rs, const float *b,
                         size_t b_rs, float *c, size_t c_rs)
{
    enum { LANES = 8 };
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < n; j++) {
            const float *ai = a + i * a_rs, *bj = b + j * b_rs;
            float sums[LANES] = {0};
            size_t p = 0;
            for (; k - p >= LANES; p += LANES) {
                for (size_t lane = 0; lane < LANES; lane++) {
                    sums[lane] += ai[p + lane] * bj[p + lane];
                }
            }
            float sum = 0;
            for (; p < k; p++) {
                sum += ai[p] * bj[p];
            }
            for (size_t lane = 0; lane < LANES; lane++) {
                sum += sums[lane];
            }
            c[i * c_rs + j] = sum;
        }
    }
}

const struct weft_kernel_set weft_kernels_generic = {
    .name = "generic",
    .needs = 0,
    .mr = 8,
    .packed_mr = 8,
    .kc = 256,
    .sgemm = sgemm_generic,
    .sdot = sdot_generic,
    .used_columns = used_columns_generic,
    .used_rows = used_rows_generic,
    .bmr = 8,
    .bkc = 512,
    .bgemm = weft_bgemm_generic,
    BF16_CONVERSIONS,
    ELEMENTWISE_KERNELS,
};
