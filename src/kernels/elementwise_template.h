/* Everything but the matrix product, as loops that the compiler vectorises for the instruction
 * set of the including file. Plain multiplications and additions in a fixed order, no
 * contraction: the same bits in every set.
 *
 * The functions of one variable are polynomials fitted by the Remez exchange algorithm to the
 * relative error, after the usual reductions (Muller, Elementary Functions, 3rd ed., ch. 4 and
 * 11). Their bounds in units in the last place are checked against long double by
 * tests/test_kernels.c: exp 1 (below 0), expm1 2, tanh 2, sigmoid 2.5, and erf as part of gelu, 3
 * (above 0).
 *
 * The including file defines WEFT_SET(name), which adds its suffix to a name, TRANSPOSE_SIDE and
 * transpose_square(src, src_rs, dst, dst_rs), which transposes so many rows and columns. */
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kernels/kernels.h"

/* exp x. x = n ln 2 + r with |r| <= ln 2 / 2; exp r = 1 + r + r^2 P(r). ln 2 is split in two,
 * the first part with so few bits that n times it is exact (Cody & Waite 1980). 2^n is made in
 * two factors, so that results below 2^-126 are right as well. Overflow gives inf, NaN stays
 * NaN. */
static inline float exp_f32(float x)
{
    float clamped = x > 89.0f ? 89.0f : x < -104.0f ? -104.0f : x;
    /* Adding 1.5 2^23 rounds to the nearest integer, which is then in the low bits. */
    const float magic = 0x1.8p23f;
    float shifted = clamped * 0x1.715476p0f + magic;
    float n = shifted - magic;
    float r = (clamped - n * 0x1.62e4p-1f) - n * 0x1.7f7d1cp-20f;
    float p = 0x1.a18c62p-13f;
    p = p * r + 0x1.6d4f40p-10f;
    p = p * r + 0x1.1110a4p-7f;
    p = p * r + 0x1.5554e0p-5f;
    p = p * r + 0x1.555556p-3f;
    p = p * r + 0.5f;
    p = (p * r) * r + r + 1.0f;
    /* n as an integer is what `shifted` has beyond magic, bit for bit. */
    uint32_t shifted_bits;
    memcpy(&shifted_bits, &shifted, sizeof shifted_bits);
    int32_t exponent = (int32_t)(shifted_bits - 0x4B400000u);
    int32_t half = exponent >> 1;
    uint32_t low_bits = (uint32_t)(half + 127) << 23;
    uint32_t high_bits = (uint32_t)(exponent - half + 127) << 23;
    float low, high;
    memcpy(&low, &low_bits, sizeof low);
    memcpy(&high, &high_bits, sizeof high);
    return p * low * high;
}

/* exp x - 1 for x <= 0: x + x^2 P(x) from -1/2 on, where exp(x) - 1 would cancel. */
static inline float expm1_nonpositive_f32(float x)
{
    float p = 0x1.4f7436p-13f;
    p = p * x + 0x1.657cd6p-10f;
    p = p * x + 0x1.10cb88p-7f;
    p = p * x + 0x1.555268p-5f;
    p = p * x + 0x1.555546p-3f;
    p = p * x + 0.5f;
    float near_zero = (p * x) * x + x;
    float far = exp_f32(x) - 1.0f;
    return x > -0.5f ? near_zero : far;
}

static inline float sigmoid_f32(float x)
{
    return 1.0f / (1.0f + exp_f32(-x));
}

/* x + x^3 P(x^2) up to 0.625; beyond, 1 - 2 / (exp(2 |x|) + 1) with the sign of x. */
static inline float tanh_f32(float x)
{
    float s = x * x;
    float p = 0x1.18e1e8p-9f;
    p = p * s + -0x1.0bf500p-7f;
    p = p * s + 0x1.638b5ap-6f;
    p = p * s + -0x1.b9ee90p-5f;
    p = p * s + 0x1.111066p-3f;
    p = p * s + -0x1.555554p-2f;
    float near_zero = (p * s) * x + x;
    float size = fabsf(x);
    float far = copysignf(1.0f - 2.0f / (exp_f32(2.0f * size) + 1.0f), x);
    return size < 0.625f ? near_zero : far;
}

/* x + x P(x^2) up to 1; beyond, 1 - exp(-|x| Q(|x|)) with the sign of x, which is 1 in float32 from
 * |x| = 4 on. */
static inline float erf_f32(float x)
{
    float s = x * x;
    float p = 0x1.496a34p-14f;
    p = p * s + -0x1.a3f700p-11f;
    p = p * s + 0x1.5405b2p-8f;
    p = p * s + -0x1.b7f90ep-6f;
    p = p * s + 0x1.ce2cf8p-4f;
    p = p * s + -0x1.81273ep-2f;
    p = p * s + 0x1.06eba8p-3f;
    float near_zero = p * x + x;
    float size = fabsf(x);
    float t = size > 4.0f ? 4.0f : size;
    float q = 0x1.d47efcp-17f;
    q = q * t + -0x1.6f9edep-12f;
    q = q * t + 0x1.ec7fc4p-9f;
    q = q * t + -0x1.896178p-6f;
    q = q * t + 0x1.b459b0p-4f;
    q = q * t + 0x1.451abap-1f;
    q = q * t + 0x1.20f21cp+0f;
    float far = copysignf(1.0f - exp_f32(-t * q), x);
    return size < 1.0f ? near_zero : far;
}

#define SELU_LAMBDA 1.05070098735548049342f /* Klambauer et al. 2017, section 3 */
#define SELU_ALPHA 1.67326324235437728481f
#define LEAKY_SLOPE 0.01f
#define SQRT_HALF 0.70710678118654752440f
#define SQRT_HALF_OVER_PI 0.39894228040143267794f /* 1 / sqrt(2 pi), the density of N(0, 1) at 0 */

/* Comparisons are written so that NaN is passed on. */
static inline float relu_value(float z)
{
    return z < 0.0f ? 0.0f : z;
}

static inline float leaky_relu_value(float z)
{
    return z < 0.0f ? LEAKY_SLOPE * z : z;
}

static inline float gelu_value(float z)
{
    return 0.5f * z * (1.0f + erf_f32(z * SQRT_HALF));
}

static inline float silu_value(float z)
{
    return z * sigmoid_f32(z);
}

static inline float elu_value(float z)
{
    return z > 0.0f ? z : expm1_nonpositive_f32(z > 0.0f ? 0.0f : z);
}

static inline float selu_value(float z)
{
    float below = SELU_ALPHA * expm1_nonpositive_f32(z > 0.0f ? 0.0f : z);
    return SELU_LAMBDA * (z > 0.0f ? z : below);
}

/* Derivatives; y = f(z). At a kink the value of the left side, as in PyTorch. */
static inline float relu_slope(float y)
{
    return y > 0.0f ? 1.0f : 0.0f;
}

static inline float leaky_relu_slope(float y)
{
    return y > 0.0f ? 1.0f : LEAKY_SLOPE;
}

static inline float tanh_slope(float y)
{
    return 1.0f - y * y;
}

static inline float sigmoid_slope(float y)
{
    return y * (1.0f - y);
}

/* Phi(z) + z phi(z), of z */
static inline float gelu_slope(float z)
{
    return 0.5f * (1.0f + erf_f32(z * SQRT_HALF)) + z * SQRT_HALF_OVER_PI * exp_f32(-0.5f * z * z);
}

/* s + z s (1 - s), of z */
static inline float silu_slope(float z)
{
    float s = sigmoid_f32(z);
    return s + z * s * (1.0f - s);
}

static inline float elu_slope(float y)
{
    return y > 0.0f ? 1.0f : y + 1.0f;
}

static inline float selu_slope(float y)
{
    return y > 0.0f ? SELU_LAMBDA : y + SELU_LAMBDA * SELU_ALPHA;
}

#define ACTIVATE_LOOP(f)                                                                           \
    for (size_t i = 0; i < rows; i++) {                                                            \
        float *zi = z + i * z_rs;                                                                  \
        _Pragma("omp simd") for (size_t j = 0; j < cols; j++)                                      \
        {                                                                                          \
            zi[j] = f(zi[j]);                                                                      \
        }                                                                                          \
    }

#define ACTIVATE_KEEP_LOOP(f)                                                                      \
    for (size_t i = 0; i < rows; i++) {                                                            \
        float *zi = z + i * z_rs, *prei = pre + i * pre_rs;                                        \
        _Pragma("omp simd") for (size_t j = 0; j < cols; j++)                                      \
        {                                                                                          \
            prei[j] = zi[j];                                                                       \
            zi[j] = f(zi[j]);                                                                      \
        }                                                                                          \
    }

static void WEFT_SET(activate)(weft_activation f, size_t rows, size_t cols, float *z, size_t z_rs,
                               float *pre, size_t pre_rs)
{
    switch (f) {
    case WEFT_IDENTITY:
        break;
    case WEFT_RELU:
        ACTIVATE_LOOP(relu_value);
        break;
    case WEFT_LEAKY_RELU:
        ACTIVATE_LOOP(leaky_relu_value);
        break;
    case WEFT_TANH:
        ACTIVATE_LOOP(tanh_f32);
        break;
    case WEFT_SIGMOID:
        ACTIVATE_LOOP(sigmoid_f32);
        break;
    case WEFT_GELU:
        if (pre == NULL) {
            ACTIVATE_LOOP(gelu_value);
            break;
        }
        ACTIVATE_KEEP_LOOP(gelu_value);
        break;
    case WEFT_SILU:
        if (pre == NULL) {
            ACTIVATE_LOOP(silu_value);
            break;
        }
        ACTIVATE_KEEP_LOOP(silu_value);
        break;
    case WEFT_ELU:
        ACTIVATE_LOOP(elu_value);
        break;
    case WEFT_SELU:
        ACTIVATE_LOOP(selu_value);
        break;
    case WEFT_N_ACTIVATIONS:
        break;
    }
}

#define ACTIVATE_GRADIENT_LOOP(slope)                                                              \
    for (size_t i = 0; i < rows; i++) {                                                            \
        float *di = d + i * d_rs;                                                                  \
        const float *si = saved + i * saved_rs;                                                    \
        _Pragma("omp simd") for (size_t j = 0; j < cols; j++)                                      \
        {                                                                                          \
            di[j] *= slope(si[j]);                                                                 \
        }                                                                                          \
    }

static void WEFT_SET(activate_gradient)(weft_activation f, size_t rows, size_t cols, float *d,
                                        size_t d_rs, const float *saved, size_t saved_rs)
{
    switch (f) {
    case WEFT_IDENTITY:
        break;
    case WEFT_RELU:
        ACTIVATE_GRADIENT_LOOP(relu_slope);
        break;
    case WEFT_LEAKY_RELU:
        ACTIVATE_GRADIENT_LOOP(leaky_relu_slope);
        break;
    case WEFT_TANH:
        ACTIVATE_GRADIENT_LOOP(tanh_slope);
        break;
    case WEFT_SIGMOID:
        ACTIVATE_GRADIENT_LOOP(sigmoid_slope);
        break;
    case WEFT_GELU:
        ACTIVATE_GRADIENT_LOOP(gelu_slope);
        break;
    case WEFT_SILU:
        ACTIVATE_GRADIENT_LOOP(silu_slope);
        break;
    case WEFT_ELU:
        ACTIVATE_GRADIENT_LOOP(elu_slope);
        break;
    case WEFT_SELU:
        ACTIVATE_GRADIENT_LOOP(selu_slope);
        break;
    case WEFT_N_ACTIVATIONS:
        break;
    }
}

/* Maxima and sums run in so many lanes, element j in lane j % LANES, and then over the lanes: an
 * order that no width of vectors changes. */
#define SOFTMAX_LANES ((size_t)16)

static inline float max_of(size_t n, const float *z)
{
    float lanes[SOFTMAX_LANES];
    size_t n_lanes = n < SOFTMAX_LANES ? n : SOFTMAX_LANES;
    memcpy(lanes, z, n_lanes * sizeof *z);
    size_t j = SOFTMAX_LANES;
    for (; j + SOFTMAX_LANES <= n; j += SOFTMAX_LANES) {
#pragma omp simd
        for (size_t l = 0; l < SOFTMAX_LANES; l++) {
            lanes[l] = z[j + l] > lanes[l] ? z[j + l] : lanes[l];
        }
    }
    for (; j < n; j++) {
        size_t l = j % SOFTMAX_LANES;
        lanes[l] = z[j] > lanes[l] ? z[j] : lanes[l];
    }
    float max = lanes[0];
    for (size_t l = 1; l < n_lanes; l++) {
        max = lanes[l] > max ? lanes[l] : max;
    }
    return max;
}

static inline double sum_of_floats(size_t n, const float *p)
{
    double lanes[SOFTMAX_LANES];
    size_t n_lanes = n < SOFTMAX_LANES ? n : SOFTMAX_LANES;
    for (size_t l = 0; l < n_lanes; l++) {
        lanes[l] = (double)p[l];
    }
    size_t j = SOFTMAX_LANES;
    for (; j + SOFTMAX_LANES <= n; j += SOFTMAX_LANES) {
#pragma omp simd
        for (size_t l = 0; l < SOFTMAX_LANES; l++) {
            lanes[l] += (double)p[j + l];
        }
    }
    for (; j < n; j++) {
        lanes[j % SOFTMAX_LANES] += (double)p[j];
    }
    double sum = 0;
    for (size_t l = 0; l < n_lanes; l++) {
        sum += lanes[l];
    }
    return sum;
}

static double WEFT_SET(softmax)(size_t n, const float *z, float *p, float *max_out)
{
    float max = max_of(n, z);
#pragma omp simd
    for (size_t j = 0; j < n; j++) {
        p[j] = exp_f32(z[j] - max);
    }
    double sum = sum_of_floats(n, p);
    float inverse = (float)(1 / sum);
#pragma omp simd
    for (size_t j = 0; j < n; j++) {
        p[j] *= inverse;
    }
    *max_out = max;
    return sum;
}

static void WEFT_SET(sigmoid)(size_t n, const float *z, float *p)
{
#pragma omp simd
    for (size_t j = 0; j < n; j++) {
        p[j] = sigmoid_f32(z[j]);
    }
}

/* Square blocks of registers, and what is left at the edges element by element. */
static void WEFT_SET(transpose)(size_t rows, size_t cols, const float *src, size_t src_rs,
                                float *dst, size_t dst_rs)
{
    for (size_t i0 = 0; i0 < rows; i0 += TRANSPOSE_SIDE) {
        size_t i1 = rows - i0 < TRANSPOSE_SIDE ? rows : i0 + TRANSPOSE_SIDE;
        for (size_t j0 = 0; j0 < cols; j0 += TRANSPOSE_SIDE) {
            size_t j1 = cols - j0 < TRANSPOSE_SIDE ? cols : j0 + TRANSPOSE_SIDE;
            if (i1 - i0 == TRANSPOSE_SIDE && j1 - j0 == TRANSPOSE_SIDE) {
                WEFT_SET(transpose_square)
                (src + i0 * src_rs + j0, src_rs, dst + j0 * dst_rs + i0, dst_rs);
                continue;
            }
            for (size_t j = j0; j < j1; j++) {
                for (size_t i = i0; i < i1; i++) {
                    dst[j * dst_rs + i] = src[i * src_rs + j];
                }
            }
        }
    }
}

#define SCALE_LOOPS                                                                                \
    if (each) {                                                                                    \
        _Pragma("omp simd") for (size_t j = 0; j < n; j++)                                         \
        {                                                                                          \
            out[j] = ((float)in[j] - shift[j]) * scale[j];                                         \
        }                                                                                          \
    } else {                                                                                       \
        float shift0 = shift[0], scale0 = scale[0];                                                \
        _Pragma("omp simd") for (size_t j = 0; j < n; j++)                                         \
        {                                                                                          \
            out[j] = ((float)in[j] - shift0) * scale0;                                             \
        }                                                                                          \
    }

static void WEFT_SET(scale_f32)(size_t n, const float *in, const float *shift, const float *scale,
                                bool each, float *out)
{
    SCALE_LOOPS
}

static void WEFT_SET(scale_u8)(size_t n, const uint8_t *in, const float *shift, const float *scale,
                               bool each, float *out)
{
    SCALE_LOOPS
}

/* Steps of optimisers, see kernels.h: the new parameter from w and g, which are adjusted already; m
 * and v are the state. */
static inline float sgd_step(const struct weft_rule_step *s, float w, float g)
{
    return w - s->lr * g;
}

static inline float momentum_step(const struct weft_rule_step *s, float w, float g, float *m)
{
    *m = s->beta1 * *m + g;
    return w - s->lr * *m;
}

static inline float nesterov_step(const struct weft_rule_step *s, float w, float g, float *m)
{
    *m = s->beta1 * *m + g;
    return w - s->lr * (g + s->beta1 * *m);
}

static inline float rmsprop_step(const struct weft_rule_step *s, float w, float g, float *v)
{
    *v = s->beta2 * *v + s->gain2 * (g * g);
    return w - s->lr * (g / (sqrtf(*v) + s->epsilon));
}

static inline float adam_step(const struct weft_rule_step *s, float w, float g, float *m, float *v)
{
    *m = *m + s->gain1 * (g - *m);
    *v = s->beta2 * *v + s->gain2 * (g * g);
    return w - s->lr * (*m / (sqrtf(*v) * s->correction + s->epsilon));
}

/* Comparisons are written so that NaN is passed on. */
static inline float adjusted_gradient(const struct weft_rule_step *s, float w, float g)
{
    float scaled = s->scale * g;
    float within = scaled > s->limit ? s->limit : scaled < -s->limit ? -s->limit : scaled;
    float sign = w > 0.0f ? s->l1 : w < 0.0f ? -s->l1 : 0.0f;
    return within + (s->l2 * w + sign);
}

/* `step` of the parameter wi and its gradient gi, with or without adjustments. */
#define UPDATE_LOOPS(step)                                                                         \
    if (adjusts) {                                                                                 \
        _Pragma("omp simd") for (size_t i = 0; i < n; i++)                                         \
        {                                                                                          \
            float wi = s.keep * w[i], gi = adjusted_gradient(&s, w[i], g[i]);                      \
            w[i] = step;                                                                           \
        }                                                                                          \
    } else {                                                                                       \
        _Pragma("omp simd") for (size_t i = 0; i < n; i++)                                         \
        {                                                                                          \
            float wi = w[i], gi = g[i];                                                            \
            w[i] = step;                                                                           \
        }                                                                                          \
    }

static void WEFT_SET(update)(const struct weft_rule_step *step, size_t n, float *w, const float *g,
                             float *m, float *v)
{
    const struct weft_rule_step s = *step; /* its floats cannot be among those written */
    bool adjusts =
        s.scale != 1.0f || s.limit < INFINITY || s.l1 != 0.0f || s.l2 != 0.0f || s.keep != 1.0f;
    /* NOLINTBEGIN(bugprone-branch-clone): loops under a pragma are not compared */
    switch (s.rule) {
    case WEFT_RULE_SGD:
        UPDATE_LOOPS(sgd_step(&s, wi, gi));
        break;
    case WEFT_RULE_MOMENTUM:
        UPDATE_LOOPS(momentum_step(&s, wi, gi, m + i));
        break;
    case WEFT_RULE_NESTEROV:
        UPDATE_LOOPS(nesterov_step(&s, wi, gi, m + i));
        break;
    case WEFT_RULE_RMSPROP:
        UPDATE_LOOPS(rmsprop_step(&s, wi, gi, v + i));
        break;
    case WEFT_RULE_ADAM:
        UPDATE_LOOPS(adam_step(&s, wi, gi, m + i, v + i));
        break;
    case WEFT_N_RULES:
        break;
    }
    /* NOLINTEND(bugprone-branch-clone) */
}

/* In so many lanes, which are then folded in halves: independent of how wide vectors are. */
enum { SQUARES_LANES = 16 };

static double WEFT_SET(sum_of_squares)(size_t n, const float *x)
{
    double sums[SQUARES_LANES] = {0};
    size_t i = 0;
    for (; n - i >= SQUARES_LANES; i += SQUARES_LANES) {
#pragma omp simd
        for (size_t l = 0; l < SQUARES_LANES; l++) {
            sums[l] += (double)x[i + l] * (double)x[i + l];
        }
    }
    for (size_t l = 0; i + l < n; l++) {
        sums[l] += (double)x[i + l] * (double)x[i + l];
    }
    for (size_t half = SQUARES_LANES / 2; half > 0; half /= 2) {
        for (size_t l = 0; l < half; l++) {
            sums[l] += sums[l + half];
        }
    }
    return sums[0];
}

#include "kernels/norm_template.h"
#include "kernels/random_template.h"

/* The fields of struct weft_kernel_set that this file provides. */
#define ELEMENTWISE_KERNELS                                                                        \
    .transpose = WEFT_SET(transpose), .activate = WEFT_SET(activate),                              \
    .activate_gradient = WEFT_SET(activate_gradient), .softmax = WEFT_SET(softmax),                \
    .sigmoid = WEFT_SET(sigmoid), .scale_f32 = WEFT_SET(scale_f32),                                \
    .scale_u8 = WEFT_SET(scale_u8), .update = WEFT_SET(update),                                    \
    .sum_of_squares = WEFT_SET(sum_of_squares), .draw_keep = WEFT_SET(draw_keep),                  \
    .mask = WEFT_SET(mask), .add_noise = WEFT_SET(add_noise),                                      \
    .column_moments = WEFT_SET(column_moments), .column_products = WEFT_SET(column_products),      \
    .normalise_columns = WEFT_SET(normalise_columns),                                              \
    .normalise_columns_gradient = WEFT_SET(normalise_columns_gradient),                            \
    .normalise_row = WEFT_SET(normalise_row),                                                      \
    .normalise_row_gradient = WEFT_SET(normalise_row_gradient)
