/* Floor 2: every kernel set that this CPU runs, against double precision. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "kernels/kernels.h"

#include "harness.h"

/* The set that WEFT_ISA names, or the best. */
static const struct weft_kernel_set *kernels(void)
{
    const char *wanted = getenv("WEFT_ISA");
    for (size_t i = 0; i < weft_kernel_set_count(); i++) {
        const struct weft_kernel_set *set = weft_kernel_set_at(i);
        if (wanted == NULL || *wanted == '\0' ? weft_kernel_set_usable(set)
                                              : strcmp(set->name, wanted) == 0) {
            return set;
        }
    }
    return NULL;
}

static float random_float(uint64_t stream, uint64_t at)
{
    return (float)weft_rng_normal(7, stream, at);
}

/* Fills n floats with random numbers. */
static void fill(float *x, size_t n, uint64_t stream)
{
    for (size_t i = 0; i < n; i++) {
        x[i] = random_float(stream, i);
    }
}

/* ---- matrix product ---- */

enum { MAX_M = 40, MAX_N = 72, MAX_K = 64, POISON = 0x7FC0DEAD };

static float poison(void)
{
    uint32_t bits = POISON;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* One product with its operands in the corner of larger arrays full of NaN: reading beyond an
 * edge makes the result NaN, writing beyond one is seen in the border. */
static bool product_is_right(size_t m, size_t n, size_t k, bool transposed, bool accumulate)
{
    static float a[(MAX_M + 3) * (MAX_K + MAX_M + 3)], b[(MAX_K + 1) * (MAX_N + 5)];
    static float c[(MAX_M + 1) * (MAX_N + 7)], before[(MAX_M + 1) * (MAX_N + 7)];
    size_t b_rs = n + 5, c_rs = n + 7;
    size_t a_rs = transposed ? 1 : k + 3, a_cs = transposed ? m + 3 : 1;
    for (size_t i = 0; i < sizeof a / sizeof *a; i++) {
        a[i] = poison();
    }
    for (size_t i = 0; i < sizeof b / sizeof *b; i++) {
        b[i] = poison();
    }
    for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
        c[i] = poison();
    }
    uint64_t stream = (m * 1000 + n) * 1000 + k;
    for (size_t i = 0; i < m; i++) {
        for (size_t p = 0; p < k; p++) {
            a[i * a_rs + p * a_cs] = random_float(stream, i * k + p);
        }
    }
    for (size_t p = 0; p < k; p++) {
        fill(b + p * b_rs, n, stream + 1 + p);
    }
    for (size_t i = 0; accumulate && i < m; i++) {
        fill(c + i * c_rs, n, stream + 500 + i);
    }
    memcpy(before, c, sizeof c);
    kernels()->sgemm(m, n, k, a, a_rs, a_cs, b, b_rs, c, c_rs, accumulate);
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < n; j++) {
            double sum = accumulate ? (double)before[i * c_rs + j] : 0;
            double size = fabs(sum);
            for (size_t p = 0; p < k; p++) {
                double term = (double)a[i * a_rs + p * a_cs] * (double)b[p * b_rs + j];
                sum += term;
                size += fabs(term);
            }
            double bound = (double)(k + 2) * (double)FLT_EPSILON * size;
            if (!(fabs((double)c[i * c_rs + j] - sum) <= bound)) {
                printf("\n%zux%zux%zu%s%s: c[%zu,%zu]: got %.9g, wanted %.9g, bound %.3g", m, n, k,
                       transposed ? " transposed" : "", accumulate ? " accumulate" : "", i, j,
                       (double)c[i * c_rs + j], sum, bound);
                return false;
            }
            c[i * c_rs + j] = before[i * c_rs + j];
        }
    }
    return memcmp(c, before, sizeof c) == 0; /* the border is as it was */
}

static void sgemm_at_every_edge(void)
{
    size_t mr = kernels()->mr, nr = kernels()->nr;
    size_t n_failed = 0, n_run = 0;
    for (size_t m = 1; m <= 2 * mr + 1; m++) {
        for (size_t n = 1; n <= 2 * nr + 1; n++) {
            for (size_t k = 1; k <= MAX_K; k = k < 4 ? k + 1 : k * 2 - 1) {
                for (int flags = 0; flags < 4; flags++) {
                    n_run++;
                    n_failed += !product_is_right(m, n, k, flags & 1, (flags & 2) != 0);
                }
            }
        }
    }
    CHECK_UINT(n_failed, 0);
    CHECK(n_run > 1000);
}

/* An element's bits must not depend on the tile it falls into. */
static void sgemm_same_bits_in_any_tile(void)
{
    enum { M = 33, N = 70, K = 50 };
    static float a[M * K], b[K * N], whole[M * N], part[M * N];
    fill(a, M * K, 1);
    fill(b, K * N, 2);
    kernels()->sgemm(M, N, K, a, K, 1, b, N, whole, N, false);
    for (size_t rows = 1; rows <= 9; rows++) {
        for (size_t cols = 1; cols <= 37; cols += 6) {
            memset(part, 0xFF, sizeof part);
            for (size_t i = 0; i < M; i += rows) {
                for (size_t j = 0; j < N; j += cols) {
                    kernels()->sgemm(M - i < rows ? M - i : rows, N - j < cols ? N - j : cols, K,
                                     a + i * K, K, 1, b + j, N, part + i * N + j, N, false);
                }
            }
            CHECK_BYTES(part, whole, sizeof whole);
        }
    }
}

/* ---- functions of one variable ---- */

/* The distance of got from wanted in units in the last place of wanted's float. */
static double ulps(float got, long double wanted)
{
    float nearest = (float)wanted;
    if (!isfinite(nearest) || !isfinite(got)) {
        return (isnan(got) && isnan(wanted)) || got == nearest ? 0 : HUGE_VAL;
    }
    float size = fabsf(nearest) < FLT_MIN ? FLT_MIN : fabsf(nearest);
    long double unit = (long double)(nextafterf(size, INFINITY) - size);
    return (double)(fabsl((long double)got - wanted) / unit);
}

struct accuracy_case {
    weft_activation f;
    long double (*exact)(long double);
    float from, to;
    double bound; /* ulps */
};

static long double exact_sigmoid(long double z)
{
    return 1 / (1 + expl(-z));
}

static long double exact_elu(long double z)
{
    return z > 0 ? z : expm1l(z);
}

/* erf through gelu: gelu(z) = z/2 (1 + erf(z / sqrt 2)); above 0, where nothing cancels. */
static long double exact_gelu(long double z)
{
    return z / 2 * erfcl(-z / sqrtl(2));
}

static long double exact_silu(long double z)
{
    return z / (1 + expl(-z));
}

static long double exact_selu(long double z)
{
    return 1.0507009873554804934193349852946L *
           (z > 0 ? z : 1.6732632423543772848170429916717L * expm1l(z));
}

static const struct accuracy_case accuracy_cases[] = {
    {WEFT_TANH, tanhl, -12, 12, 2.0},    {WEFT_SIGMOID, exact_sigmoid, -87, 30, 2.5},
    {WEFT_ELU, exact_elu, -30, 10, 2.0}, {WEFT_SELU, exact_selu, -30, 10, 4.0},
    {WEFT_GELU, exact_gelu, 0, 20, 3.0}, {WEFT_SILU, exact_silu, -80, 30, 4.0},
    {WEFT_IDENTITY, NULL, -5, 5, 0},     {WEFT_RELU, NULL, -5, 5, 0},
    {WEFT_LEAKY_RELU, NULL, -5, 5, 0},
};

static long double exact_value(const struct accuracy_case *this, float z)
{
    if (this->exact != NULL) {
        return this->exact((long double)z);
    }
    float slope = this->f == WEFT_IDENTITY ? 1 : this->f == WEFT_RELU ? 0 : 0.01f;
    return (long double)(z < 0 ? slope * z : z);
}

/* f over a grid and tiny arguments, through bias_activate with bias 0. */
static double worst_ulps(const struct accuracy_case *this)
{
    enum { N = 4096 };
    static float z[N], y[N], zeros[N];
    double worst = 0;
    for (size_t round = 0; round < 32; round++) {
        for (size_t i = 0; i < N; i++) {
            float u = (float)weft_rng_uniform(3, round, i);
            z[i] = this->from + (this->to - this->from) * u;
            if (i % 4 == 0) {
                z[i] *= ldexpf(1, -(int)(i / 4 % 40));
            }
        }
        memcpy(y, z, sizeof y);
        kernels()->bias_activate(this->f, 1, N, y, N, zeros, NULL, 0);
        for (size_t i = 0; i < N; i++) {
            double error = ulps(y[i], exact_value(this, z[i]));
            worst = error > worst ? error : worst;
        }
    }
    return worst;
}

static void activations_within_stated_ulps(void)
{
    for (size_t i = 0; i < sizeof accuracy_cases / sizeof *accuracy_cases; i++) {
        double worst = worst_ulps(&accuracy_cases[i]);
        if (!CHECK(worst <= accuracy_cases[i].bound)) {
            printf(" %s: %.3f ulp, wanted at most %.1f", weft_activation_name(accuracy_cases[i].f),
                   worst, accuracy_cases[i].bound);
        }
    }
}

/* exp x is what the sum of softmax has beyond 1 for logits 0 and x, exact in double down to -19. */
static void exp_within_an_ulp(void)
{
    enum { N = 100000 };
    double worst = 0;
    for (size_t i = 0; i < N; i++) {
        float z[2] = {0, -19.0f * (float)i / N}, p[2], max;
        double sum = kernels()->softmax(2, z, p, &max);
        double error = ulps((float)(sum - 1), expl((long double)z[1]));
        worst = error > worst ? error : worst;
    }
    CHECK_NEAR(worst, 0, 1);
}

/* Below 0, 1 + erf cancels: the error is bounded against the size of z / 2 instead. */
static void gelu_below_zero(void)
{
    enum { N = 4096 };
    static float z[N], y[N], zeros[N];
    for (size_t i = 0; i < N; i++) {
        z[i] = -8.0f * (float)i / N;
    }
    memcpy(y, z, sizeof y);
    kernels()->bias_activate(WEFT_GELU, 1, N, y, N, zeros, NULL, 0);
    for (size_t i = 0; i < N; i++) {
        CHECK_NEAR((double)y[i], (double)exact_gelu((long double)z[i]),
                   2 * (double)FLT_EPSILON * fabs((double)z[i]));
    }
}

static void activations_at_the_ends(void)
{
    static const float inputs[] = {INFINITY, -INFINITY, NAN, 1e30f, -1e30f, 0.0f, -0.0f};
    static const struct {
        weft_activation f;
        float wanted[7];
    } cases[] = {
        {WEFT_RELU, {INFINITY, 0, NAN, 1e30f, 0, 0, 0}},
        {WEFT_TANH, {1, -1, NAN, 1, -1, 0, 0}},
        {WEFT_SIGMOID, {1, 0, NAN, 1, 0, 0.5f, 0.5f}},
        {WEFT_ELU, {INFINITY, -1, NAN, 1e30f, -1, 0, 0}},
        {WEFT_IDENTITY, {INFINITY, -INFINITY, NAN, 1e30f, -1e30f, 0, 0}},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        float y[7], zeros[7] = {0};
        memcpy(y, inputs, sizeof y);
        kernels()->bias_activate(cases[c].f, 1, 7, y, 7, zeros, NULL, 0);
        for (size_t i = 0; i < 7; i++) {
            CHECK(isnan(cases[c].wanted[i]) ? isnan(y[i]) : y[i] == cases[c].wanted[i]);
        }
    }
}

/* f' against the central difference of f in long double, away from the kinks at 0. */
static void slopes_match_differences(void)
{
    for (size_t c = 0; c < sizeof accuracy_cases / sizeof *accuracy_cases; c++) {
        const struct accuracy_case *this = &accuracy_cases[c];
        for (int step = -40; step <= 40; step++) {
            float z = 0.11f * (float)step + 0.05f, pre = 0, y = z, d = 3, zero = 0;
            kernels()->bias_activate(this->f, 1, 1, &y, 1, &zero, &pre, 1);
            const float *saved = weft_activation_needs_input(this->f) ? &pre : &y;
            kernels()->activate_gradient(this->f, 1, 1, &d, 1, saved, 1);
            long double h = 1e-5L, slope;
            if (this->exact != NULL) {
                slope = (this->exact((long double)z + h) - this->exact((long double)z - h)) / 2 / h;
            } else {
                slope = z > 0 || this->f == WEFT_IDENTITY ? 1 : this->f == WEFT_RELU ? 0 : 0.01L;
            }
            CHECK_NEAR((double)d, 3 * (double)slope, 3e-6);
        }
    }
}

/* ---- the rest ---- */

static void bias_activate_rows(void)
{
    enum { ROWS = 5, COLS = 19, LD = 23 };
    float z[ROWS * LD], pre[ROWS * LD], before[ROWS * LD], bias[COLS];
    fill(z, ROWS * LD, 11);
    fill(bias, COLS, 12);
    memcpy(before, z, sizeof z);
    memset(pre, 0, sizeof pre);
    kernels()->bias_activate(WEFT_SILU, ROWS, COLS, z, LD, bias, pre, LD);
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t j = 0; j < LD; j++) {
            size_t at = i * LD + j;
            if (j >= COLS) {
                CHECK(z[at] == before[at] && pre[at] == 0);
                continue;
            }
            CHECK(pre[at] == before[at] + bias[j]);
            CHECK_NEAR((double)z[at], (double)exact_silu((long double)pre[at]), 1e-6);
        }
    }
}

static void softmax_rows(void)
{
    for (size_t n = 1; n <= 40; n++) {
        float z[40], p[40], max;
        fill(z, n, 20 + n);
        z[n / 2] += n % 3 == 0 ? 1000.0f : 0.0f;
        double sum = kernels()->softmax(n, z, p, &max);
        long double wanted_sum = 0, wanted_max = (long double)z[0];
        for (size_t j = 0; j < n; j++) {
            wanted_max = (long double)z[j] > wanted_max ? (long double)z[j] : wanted_max;
        }
        for (size_t j = 0; j < n; j++) {
            wanted_sum += expl((long double)z[j] - wanted_max);
        }
        CHECK(max == (float)wanted_max);
        CHECK_NEAR(sum, (double)wanted_sum, 1e-6 * (double)wanted_sum);
        for (size_t j = 0; j < n; j++) {
            CHECK_NEAR((double)p[j], (double)(expl((long double)z[j] - wanted_max) / wanted_sum),
                       3e-7);
        }
    }
}

static void transpose_shapes(void)
{
    for (size_t rows = 1; rows <= 35; rows += 2) {
        for (size_t cols = 1; cols <= 35; cols += 3) {
            static float src[36 * 40], dst[36 * 41];
            fill(src, 36 * 40, rows);
            for (size_t i = 0; i < 36 * 41; i++) {
                dst[i] = 9;
            }
            kernels()->transpose(rows, cols, src, 40, dst, 41);
            size_t wrong = 0;
            for (size_t j = 0; j < 36; j++) {
                for (size_t i = 0; i < 41; i++) {
                    wrong += dst[j * 41 + i] != (j < cols && i < rows ? src[i * 40 + j] : 9);
                }
            }
            CHECK_UINT(wrong, 0);
        }
    }
}

static void column_sums_and_sgd(void)
{
    enum { ROWS = 9, COLS = 21 };
    float x[ROWS * COLS], sums[COLS], w[COLS], v[COLS], w0[COLS], v0[COLS];
    fill(x, ROWS * COLS, 31);
    fill(w0, COLS, 32);
    fill(v0, COLS, 33);
    for (int round = 0; round < 2; round++) {
        kernels()->column_sums(ROWS, COLS, x, COLS, sums, round == 1);
        for (size_t j = 0; j < COLS; j++) {
            double wanted = 0;
            for (size_t i = 0; i < ROWS; i++) {
                wanted += (double)x[i * COLS + j];
            }
            CHECK_NEAR((double)sums[j], (round + 1) * wanted, 1e-5);
        }
    }
    memcpy(w, w0, sizeof w);
    memcpy(v, v0, sizeof v);
    kernels()->sgd(COLS, w, x, 0.5f);
    for (size_t j = 0; j < COLS; j++) {
        CHECK(w[j] == w0[j] - 0.5f * x[j]);
    }
    memcpy(w, w0, sizeof w);
    kernels()->sgd_momentum(COLS, w, x, v, 0.5f, 0.25f);
    for (size_t j = 0; j < COLS; j++) {
        float wanted_v = 0.25f * v0[j] + x[j];
        CHECK(v[j] == wanted_v && w[j] == w0[j] - 0.5f * wanted_v);
    }
}

static void scaling(void)
{
    float out[256], shift[256], scale[256], in[256];
    uint8_t bytes[256];
    fill(shift, 256, 41);
    fill(scale, 256, 42);
    for (size_t i = 0; i < 256; i++) {
        bytes[i] = (uint8_t)i;
        in[i] = (float)i;
    }
    for (int each = 0; each < 2; each++) {
        for (int as_bytes = 0; as_bytes < 2; as_bytes++) {
            if (as_bytes) {
                kernels()->scale_u8(256, bytes, shift, scale, each, out);
            } else {
                kernels()->scale_f32(256, in, shift, scale, each, out);
            }
            for (size_t i = 0; i < 256; i++) {
                CHECK(out[i] == (in[i] - shift[each ? i : 0]) * scale[each ? i : 0]);
            }
        }
    }
}

/* Everything but sgemm has the same bits in every set. */
static void elementwise_same_bits_as_generic(void)
{
    enum { N = 1000 };
    const struct weft_kernel_set *generic = weft_kernel_set_at(weft_kernel_set_count() - 1);
    CHECK_STR(generic->name, "generic");
    static float z[N], bias[N], got[N], wanted[N], pre[N];
    fill(z, N, 51);
    fill(bias, N, 52);
    for (int f = 0; f < WEFT_N_ACTIVATIONS; f++) {
        memcpy(got, z, sizeof z);
        memcpy(wanted, z, sizeof z);
        kernels()->bias_activate((weft_activation)f, 1, N, got, N, bias, NULL, 0);
        generic->bias_activate((weft_activation)f, 1, N, wanted, N, bias, NULL, 0);
        CHECK_BYTES(got, wanted, sizeof got);
        kernels()->activate_gradient((weft_activation)f, 1, N, got, N, bias, N);
        generic->activate_gradient((weft_activation)f, 1, N, wanted, N, bias, N);
        CHECK_BYTES(got, wanted, sizeof got);
        memcpy(got, z, sizeof z);
        memcpy(wanted, z, sizeof z);
        kernels()->bias_activate((weft_activation)f, 1, N, got, N, bias, pre, N);
        generic->bias_activate((weft_activation)f, 1, N, wanted, N, bias, NULL, 0);
        CHECK_BYTES(got, wanted, sizeof got);
    }
    float max, wanted_max;
    double sum = kernels()->softmax(N, z, got, &max);
    double wanted_sum = generic->softmax(N, z, wanted, &wanted_max);
    CHECK_BYTES(got, wanted, sizeof got);
    CHECK(sum == wanted_sum && max == wanted_max);
    kernels()->sigmoid(N, z, got);
    generic->sigmoid(N, z, wanted);
    CHECK_BYTES(got, wanted, sizeof got);
    kernels()->column_sums(N / 50, 50, z, 50, got, false);
    generic->column_sums(N / 50, 50, z, 50, wanted, false);
    CHECK_BYTES(got, wanted, 50 * sizeof *got);
}

static CU_TestInfo sgemm_tests[] = {
    {"every edge of the tile", sgemm_at_every_edge},
    {"same bits in any tile", sgemm_same_bits_in_any_tile},
    CU_TEST_INFO_NULL,
};

static CU_TestInfo elementwise_tests[] = {
    {"activations within the stated ulps", activations_within_stated_ulps},
    {"exp within an ulp", exp_within_an_ulp},
    {"gelu below zero", gelu_below_zero},
    {"activations at infinity and NaN", activations_at_the_ends},
    {"slopes match differences", slopes_match_differences},
    {"bias and activation of rows", bias_activate_rows},
    {"softmax", softmax_rows},
    {"transpose", transpose_shapes},
    {"column sums, gradient steps", column_sums_and_sgd},
    {"scaling", scaling},
    {"same bits as generic", elementwise_same_bits_as_generic},
    CU_TEST_INFO_NULL,
};

static const CU_SuiteInfo suites[] = {
    {"sgemm", NULL, NULL, NULL, NULL, sgemm_tests},
    {"elementwise", NULL, NULL, NULL, NULL, elementwise_tests},
    CU_SUITE_INFO_NULL,
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, suites);
}
