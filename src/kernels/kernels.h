/* Leaf arithmetic, one set of functions for each instruction set. No threads, no memory, no
 * errors: callers cut the work into tiles and check shapes. All matrices are row-major float32
 * where nothing else is said; X_rs is the distance between rows of X in elements. Functions that
 * only map elements give the same bits in every set; sgemm, sdot and bgemm may differ in the last
 * bits between sets. */
#ifndef WEFT_KERNELS_H
#define WEFT_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/activation.h>

/* C[m,n] = A B, or C += A B where accumulate, of bfloat16 numbers (the upper halves of float32)
 * summed in float32. A(i,p) is a[i * a_rs + p], or a[i * a_rs + p / a_block * a_bs + p % a_block]
 * where a_block is not 0; it is 32 then. B(p,j) is b[p / 2 * b_rs + 2 * j + p % 2]: pairs of rows,
 * interleaved. Both are read up to the next even k: where k is odd, A's terms and B's row of
 * index k must be there, and be 0. Nothing else beyond m, n, k is read or written; without
 * accumulate C is not read. With `pairs` A is 0 in all terms but 2 pairs[q] and 2 pairs[q] + 1 for
 * q < n_pairs, which ascend, and others may be left out of the sums; a_block is then 0. */
struct weft_bgemm {
    size_t m, n, k;
    const uint16_t *a;
    size_t a_rs, a_block, a_bs;
    const uint16_t *b;
    size_t b_rs;
    float *c;
    size_t c_rs;
    bool accumulate;
    const uint32_t *pairs;
    size_t n_pairs;
};

/* One product C[m,n] = A B of k terms, or C += A B where accumulate. A(i,p) is
 * a[i a_rs + p a_cs]; where a_block is not 0 its terms lie in blocks of a_block, a_bs apart: A(i,p)
 * is a[i a_rs + (p / a_block) a_bs + (p % a_block) a_cs]. B and C are row-major. With `terms` the
 * sum runs over p = terms[0], .. terms[k-1] only, which ascend; a_block is then 0. Where
 * a_packed A has no columns but these: A(i,terms[q]) is a[i a_rs + q a_cs]. */
struct weft_sgemm {
    size_t m, n, k;
    const float *a;
    size_t a_rs, a_cs;
    size_t a_block, a_bs;
    const uint32_t *terms;
    bool a_packed;
    const float *b;
    size_t b_rs;
    float *c;
    size_t c_rs;
    bool accumulate;
};

/* How optimisers move parameters w, with state m and v:
 *   SGD       w -= lr g
 *   MOMENTUM  m = beta1 m + g;  w -= lr m
 *   NESTEROV  m = beta1 m + g;  w -= lr (g + beta1 m)
 *   RMSPROP   v = beta2 v + gain2 g^2;  w -= lr g / (sqrt(v) + epsilon)
 *   ADAM      m += gain1 (g - m);  v as above;  w -= lr m / (sqrt(v) correction + epsilon) */
enum weft_rule {
    WEFT_RULE_SGD,
    WEFT_RULE_MOMENTUM,
    WEFT_RULE_NESTEROV,
    WEFT_RULE_RMSPROP,
    WEFT_RULE_ADAM,
    WEFT_N_RULES
};

/* One step of a rule. Before it the gradient, and then the parameter, are adjusted:
 *   g = min(max(scale g, -limit), limit) + l2 w + l1 sign(w);  w = keep w
 * scale 1, limit INFINITY, l1 and l2 0, keep 1 adjust nothing. */
struct weft_rule_step {
    enum weft_rule rule;
    float lr, beta1, gain1, beta2, gain2, correction, epsilon;
    float scale, limit, l1, l2, keep;
};

/* Where random numbers come from: the key and the counter of Philox, which counts from `block` on
 * in its lowest word. */
struct weft_draw {
    uint32_t key[2], block, counter[3];
};

struct weft_kernel_set {
    const char *name;
    uint32_t needs; /* bits of enum weft_cpu_feature */
    bool for_bf16;  /* differs from the next set by bgemm alone: nothing for float32 work */

    /* Every thread calls these around its calls of bgemm; NULL where there is nothing to do. */
    void (*enter)(void);
    void (*leave)(void);

    /* Block sizes for the callers of sgemm: rows of a register tile, and how many terms of a sum
     * are worth doing at a time: kc rows of B's panel of 32 columns are read once for each tile of
     * rows, and stay in the first- or second-level cache meanwhile. */
    size_t mr, kc;

    /* Rows of a tile of packed terms (ops/packed.h), a divisor of mr: a lower one leaves out more,
     * but has to give the units for multiplication as many sums as they need to be busy. */
    size_t packed_mr;

    /* Nothing beyond the n columns is read or written; without accumulate C is not read. Each
     * element is one sum in the order of p, whatever m and n: so cutting C into tiles never
     * changes a bit, nor does leaving out terms whose A is zero where B is finite. */
    void (*sgemm)(const struct weft_sgemm *job);

    /* C[m,n] = A[m,k] B[n,k]^T, all row-major: for n too small to fill vectors. Each element is
     * one sum in an order given by k. */
    void (*sdot)(size_t m, size_t n, size_t k, const float *a, size_t a_rs, const float *b,
                 size_t b_rs, float *c, size_t c_rs);

    /* Lists the columns of X[rows,cols] that are not all zero, or its rows that are not; ascending.
     * Returns how many. `list` has room for all of them and 15 more. */
    size_t (*used_columns)(size_t rows, size_t cols, const float *x, size_t x_rs, uint32_t *list);
    size_t (*used_rows)(size_t rows, size_t cols, const float *x, size_t x_rs, uint32_t *list);

    /* The products of bfloat16 numbers, and their block sizes. A term of the sum is exact in
     * float32 (8 bits times 8), where it is in its range; sums are rounded to float32. Each element
     * is one sum in an order given by k alone, whatever m and n, and leaving out pairs whose A is
     * zero changes no bit where B is finite. In generic, avx2, avx512 and neon the order is
     * p = 0..k-1, from 0, C added at the end, so they give the same bits. The instructions for
     * bfloat16 add in other orders, take numbers below 2^-126 as 0 and round to nearest whatever
     * the control register says (Intel SDM vol. 2, VDPBF16PS, TDPBF16PS). bmr is even. */
    size_t bmr, bkc; /* as mr, kc */
    void (*bgemm)(const struct weft_bgemm *job);

    /* float32 to bfloat16, rounded to nearest, ties to even; NaN stays NaN. In the four layouts
     * that bgemm reads; src is [rows,cols]. Where the number of terms is odd, a 0 is added to the
     * last pair.
     *   rows           A = src     dst[i * dst_rs + p], terms along cols
     *   transpose      A = src^T   dst[j * dst_rs + i], terms along rows
     *   pairs          B = src     dst[i / 2 * dst_rs + 2 * j + i % 2], terms along rows
     *   transpose_pairs B = src^T  dst[j / 2 * dst_rs + 2 * i + j % 2], terms along cols */
    void (*bf16_rows)(size_t rows, size_t cols, const float *src, size_t src_rs, uint16_t *dst,
                      size_t dst_rs);
    void (*bf16_transpose)(size_t rows, size_t cols, const float *src, size_t src_rs, uint16_t *dst,
                           size_t dst_rs);
    void (*bf16_pairs)(size_t rows, size_t cols, const float *src, size_t src_rs, uint16_t *dst,
                       size_t dst_rs);
    void (*bf16_transpose_pairs)(size_t rows, size_t cols, const float *src, size_t src_rs,
                                 uint16_t *dst, size_t dst_rs);

    /* DST[cols,rows] = SRC[rows,cols]^T */
    void (*transpose)(size_t rows, size_t cols, const float *src, size_t src_rs, float *dst,
                      size_t dst_rs);

    /* Z = f(Z). Where weft_activation_needs_input(f), pre gets the Z from before, which the
     * derivative wants; it may be NULL and is not touched for other f. */
    void (*activate)(weft_activation f, size_t rows, size_t cols, float *z, size_t z_rs, float *pre,
                     size_t pre_rs);

    /* D = D * f'(z), z given as what activate left: `saved` is f(z), or z where
     * weft_activation_needs_input(f). */
    void (*activate_gradient)(weft_activation f, size_t rows, size_t cols, float *d, size_t d_rs,
                              const float *saved, size_t saved_rs);

    /* p_j = exp(z_j - max z) / sum; returns the sum, in an order given by n alone, and *max_out. p
     * may be z. n >= 1. */
    double (*softmax)(size_t n, const float *z, float *p, float *max_out);

    /* p_j = 1 / (1 + exp(-z_j)); p may be z. */
    void (*sigmoid)(size_t n, const float *z, float *p);

    /* out_j = (in_j - shift_j) * scale_j; shift_0, scale_0 for all j unless each. */
    void (*scale_f32)(size_t n, const float *in, const float *shift, const float *scale, bool each,
                      float *out);
    void (*scale_u8)(size_t n, const uint8_t *in, const float *shift, const float *scale, bool each,
                     float *out);

    /* One step of n parameters w with the gradient g, by step->rule; m and v are touched where the
     * rule has them. */
    void (*update)(const struct weft_rule_step *step, size_t n, float *w, const float *g, float *m,
                   float *v);

    /* The sum of x_i^2, in an order given by n. */
    double (*sum_of_squares)(size_t n, const float *x);

    /* The mean of each column of Z, and of its squared distances from that. */
    void (*column_moments)(size_t rows, size_t cols, const float *z, size_t z_rs, float *mean,
                           float *var);

    /* The sums of each column of D, and of D * X. */
    void (*column_products)(size_t rows, size_t cols, const float *d, size_t d_rs, const float *x,
                            size_t x_rs, float *sum_d, float *sum_dx);

    /* Z = (Z - mean) * inverse, Y = gamma * Z + beta, with a number of each for every column. */
    void (*normalise_columns)(size_t rows, size_t cols, float *z, size_t z_rs, const float *mean,
                              const float *inverse, const float *gamma, const float *beta, float *y,
                              size_t y_rs);

    /* D = scale * (D - mean_d - X * mean_dx) */
    void (*normalise_columns_gradient)(size_t rows, size_t cols, float *d, size_t d_rs,
                                       const float *x, size_t x_rs, const float *scale,
                                       const float *mean_d, const float *mean_dx);

    /* z = (z - mean z) * inverse, y = gamma * z + beta; returns inverse, which is
     * 1 / sqrt(mean (z - mean z)^2 + epsilon). */
    float (*normalise_row)(size_t n, float epsilon, float *z, const float *gamma, const float *beta,
                           float *y);

    /* d = inverse * (g - mean g - x * mean (g x)) with g = gamma * d */
    void (*normalise_row_gradient)(size_t n, float inverse, const float *gamma, const float *x,
                                   float *d);

    /* keep_j = whether number j of the draw, uniform in 0 .. 65535, is at least `threshold`: eight
     * of them for each block, so that element j belongs to blocks of 16 that begin at 16 (j / 128).
     */
    void (*draw_keep)(const struct weft_draw *draw, uint32_t threshold, size_t n, uint8_t *keep);

    /* out = keep ? x * scale : 0; out may be x. */
    void (*mask)(size_t rows, size_t cols, const uint8_t *keep, size_t keep_rs, float scale,
                 const float *x, size_t x_rs, float *out, size_t out_rs);

    /* x_j += std * number j of the draw, normal with mean 0 and standard deviation 1. */
    void (*add_noise)(const struct weft_draw *draw, float std, size_t n, float *x);
};

/* Whether f' is computed from f's input z rather than from its output. */
bool weft_activation_needs_input(weft_activation f);

/* The sets there are; registry.c knows which of them are in this build. */
extern const struct weft_kernel_set weft_kernels_generic;
extern const struct weft_kernel_set weft_kernels_avx2;
extern const struct weft_kernel_set weft_kernels_avx512;
extern const struct weft_kernel_set weft_kernels_avx512bf16;
extern const struct weft_kernel_set weft_kernels_amx;
extern const struct weft_kernel_set weft_kernels_neon;

/* Parts of the sets that have files of their own. */
void weft_bgemm_generic(const struct weft_bgemm *job);
void weft_bgemm_avx2(const struct weft_bgemm *job);
void weft_bgemm_avx512(const struct weft_bgemm *job);
void weft_bgemm_avx512bf16(const struct weft_bgemm *job);
void weft_bgemm_amx(const struct weft_bgemm *job);
void weft_bgemm_neon(const struct weft_bgemm *job);
void weft_amx_enter(void);
void weft_amx_leave(void);

/* The sets of this build, best first; the last one is "generic", which every CPU runs. */
size_t weft_kernel_set_count(void);
const struct weft_kernel_set *weft_kernel_set_at(size_t index);
bool weft_kernel_set_usable(const struct weft_kernel_set *set);

#endif
