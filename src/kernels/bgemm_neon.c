/* The bfloat16 product on Advanced SIMD: both halves of each pair are widened to float32 and
 * multiplied by FMA. A tile of 8 x 8 keeps 16 sums, 4 vectors of B and 2 of A in the 32
 * registers. */
#include <arm_neon.h>
#include <stdint.h>
#include <string.h>

#include "kernels/neon_partial.h"

#define BGEMM weft_bgemm_neon
#define MR 8
#define W 4
#define VECTOR float32x4_t
#define MASK size_t
#define ZERO() vdupq_n_f32(0)
#define LOAD(p) vld1q_f32(p)
#define STORE(p, v) vst1q_f32(p, v)
#define MASK_OF(n) (n)
#define LOAD_MASKED(p, m) load_some(p, m)
#define STORE_MASKED(p, m, v) store_some(p, m, v)
#define ADD(a, b) vaddq_f32(a, b)

struct widened {
    float32x4_t first, second;
};
#define A_PAIR struct widened
#define B_PAIRS struct widened

/* The first of a pair is its lower half, which becomes an upper half. */
static inline struct widened widen(uint32x4_t pairs)
{
    return (struct widened){vreinterpretq_f32_u32(vshlq_n_u32(pairs, 16)),
                            vreinterpretq_f32_u32(vandq_u32(pairs, vdupq_n_u32(0xFFFF0000u)))};
}

static inline struct widened broadcast(const uint16_t *p)
{
    uint32_t pair;
    memcpy(&pair, p, sizeof pair);
    return widen(vdupq_n_u32(pair));
}

static inline struct widened load_pairs(const uint16_t *p)
{
    return widen(vreinterpretq_u32_u16(vld1q_u16(p)));
}

static inline struct widened load_some_pairs(const uint16_t *p, size_t n)
{
    uint16_t pairs[8] = {0};
    memcpy(pairs, p, 2 * n * sizeof *p);
    return load_pairs(pairs);
}

static inline float32x4_t dot(float32x4_t sum, struct widened a, struct widened b)
{
    sum = vfmaq_f32(sum, a.first, b.first);
    return vfmaq_f32(sum, a.second, b.second);
}

#define A_LOAD(p) broadcast(p)
#define B_LOAD(p) load_pairs(p)
#define B_LOAD_MASKED(p, m) load_some_pairs(p, m)
#define DOT(sum, a, b) dot(sum, a, b)
#include "kernels/bgemm_template.h"
