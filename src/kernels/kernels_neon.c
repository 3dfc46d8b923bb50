/* Kernels for Advanced SIMD (NEON) of 64-bit ARM, which every such CPU has: 32 registers of 4
 * floats. A register pair counts as one vector of 8, so a tile of 6 x 16 uses 24 registers for
 * sums, 4 for B and 1 or 2 for A: 10 loads for 24 fused multiply-adds, and sums enough to cover
 * the latency of four such units. */
#include <arm_neon.h>

#include <stddef.h>

#define WEFT_SET(name) name##_neon
#define TRANSPOSE_SIDE 4

static inline void transpose_square_neon(const float *src, size_t src_rs, float *dst, size_t dst_rs)
{
    float32x4x2_t top = vtrnq_f32(vld1q_f32(src), vld1q_f32(src + src_rs));
    float32x4x2_t bottom = vtrnq_f32(vld1q_f32(src + 2 * src_rs), vld1q_f32(src + 3 * src_rs));
    /* val[c]: columns c and c + 2 of two rows each */
    for (size_t c = 0; c < 2; c++) {
        vst1q_f32(dst + c * dst_rs,
                  vcombine_f32(vget_low_f32(top.val[c]), vget_low_f32(bottom.val[c])));
        vst1q_f32(dst + (c + 2) * dst_rs,
                  vcombine_f32(vget_high_f32(top.val[c]), vget_high_f32(bottom.val[c])));
    }
}

#include "kernels/bf16_template.h"
#include "kernels/elementwise_template.h"
#include "kernels/lists_template.h"
#include "kernels/neon_partial.h"

struct pair {
    float32x4_t low, high;
};

static inline struct pair zero_pair(void)
{
    return (struct pair){vdupq_n_f32(0), vdupq_n_f32(0)};
}

static inline struct pair broadcast_pair(const float *p)
{
    float32x4_t x = vld1q_dup_f32(p);
    return (struct pair){x, x};
}

static inline struct pair load_pair(const float *p)
{
    return (struct pair){vld1q_f32(p), vld1q_f32(p + 4)};
}

static inline void store_pair(float *p, struct pair v)
{
    vst1q_f32(p, v.low);
    vst1q_f32(p + 4, v.high);
}

static inline struct pair load_pair_part(const float *p, size_t n)
{
    return (struct pair){load_some(p, n), n > 4 ? load_some(p + 4, n - 4) : vdupq_n_f32(0)};
}

static inline void store_pair_part(float *p, size_t n, struct pair v)
{
    store_some(p, n, v.low);
    if (n > 4) {
        store_some(p + 4, n - 4, v.high);
    }
}

static inline struct pair fma_pair(struct pair a, struct pair b, struct pair c)
{
    return (struct pair){vfmaq_f32(c.low, a.low, b.low), vfmaq_f32(c.high, a.high, b.high)};
}

static inline struct pair add_pair(struct pair a, struct pair b)
{
    return (struct pair){vaddq_f32(a.low, b.low), vaddq_f32(a.high, b.high)};
}

#define MR 6
#define NV 2
#define W 8
#define DOT_ROWS 2
#define VECTOR struct pair
#define MASK size_t
#define ZERO() zero_pair()
#define BROADCAST(p) broadcast_pair(p)
#define LOAD(p) load_pair(p)
#define STORE(p, v) store_pair(p, v)
#define MASK_OF(n) (n)
#define LOAD_MASKED(p, m) load_pair_part(p, m)
#define STORE_MASKED(p, m, v) store_pair_part(p, m, v)
#define FMA(a, b, c) fma_pair(a, b, c)
#define ADD(a, b) add_pair(a, b)
#define STORE_SUMS(p, v0, v1, v2, v3) vst1q_f32(p, sums_of(v0, v1, v2, v3))

static inline float32x4_t sums_of(struct pair v0, struct pair v1, struct pair v2, struct pair v3)
{
    return vpaddq_f32(vpaddq_f32(vaddq_f32(v0.low, v0.high), vaddq_f32(v1.low, v1.high)),
                      vpaddq_f32(vaddq_f32(v2.low, v2.high), vaddq_f32(v3.low, v3.high)));
}

#include "kernels/sgemm_template.h"

const struct weft_kernel_set weft_kernels_neon = {
    .name = "neon",
    .needs = 0,
    .mr = MR,
    .packed_mr = MR,
    .kc = 256,
    .sgemm = sgemm_neon,
    .sdot = sdot_neon,
    .used_columns = used_columns_neon,
    .used_rows = used_rows_neon,
    .bmr = 8,
    .bkc = 512,
    .bgemm = weft_bgemm_neon,
    BF16_CONVERSIONS,
    ELEMENTWISE_KERNELS,
};
