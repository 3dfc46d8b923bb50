/* Loads and stores of less than a vector, which Advanced SIMD has no masks for: n <= 4 elements,
 * and nothing beyond them is touched. */
#ifndef WEFT_KERNELS_NEON_PARTIAL_H
#define WEFT_KERNELS_NEON_PARTIAL_H

#include <arm_neon.h>
#include <stddef.h>

/* Zero from the n-th element on. */
static inline float32x4_t load_some(const float *p, size_t n)
{
    float32x4_t v = vdupq_n_f32(0);
    v = n > 0 ? vld1q_lane_f32(p, v, 0) : v;
    v = n > 1 ? vld1q_lane_f32(p + 1, v, 1) : v;
    v = n > 2 ? vld1q_lane_f32(p + 2, v, 2) : v;
    return n > 3 ? vld1q_lane_f32(p + 3, v, 3) : v;
}

static inline void store_some(float *p, size_t n, float32x4_t v)
{
    if (n > 0) {
        vst1q_lane_f32(p, v, 0);
    }
    if (n > 1) {
        vst1q_lane_f32(p + 1, v, 1);
    }
    if (n > 2) {
        vst1q_lane_f32(p + 2, v, 2);
    }
    if (n > 3) {
        vst1q_lane_f32(p + 3, v, 3);
    }
}

#endif
