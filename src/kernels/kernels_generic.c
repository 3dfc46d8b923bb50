/* The kernels in plain C: what every CPU runs, and what the other sets are tested against. */
#include <string.h>

#define WEFT_SET(name) name##_generic
#include "kernels/bf16_template.h"
#include "kernels/elementwise_template.h"

/* Row by row of A: each term a(i,p) adds a multiple of row p of B to row i of C. */
static void sgemm_generic(size_t m, size_t n, size_t k, const float *a, size_t a_rs, size_t a_cs,
                          const float *b, size_t b_rs, float *c, size_t c_rs, bool accumulate)
{
    for (size_t i = 0; i < m; i++) {
        float *ci = c + i * c_rs;
        if (!accumulate) {
            memset(ci, 0, n * sizeof *ci);
        }
        for (size_t p = 0; p < k; p++) {
            float aip = a[i * a_rs + p * a_cs];
            const float *bp = b + p * b_rs;
            for (size_t j = 0; j < n; j++) {
                ci[j] += aip * bp[j];
            }
        }
    }
}

const struct weft_kernel_set weft_kernels_generic = {
    .name = "generic",
    .needs = 0,
    .mr = 8,
    .nr = 32,
    .kc = 256,
    .sgemm = sgemm_generic,
    .bmr = 8,
    .bnr = 64,
    .bgemm = weft_bgemm_generic,
    BF16_CONVERSIONS,
    ELEMENTWISE_KERNELS,
};
