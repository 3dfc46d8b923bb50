/* Random numbers. Everything here is a function of fixed seeds, so a bound of five standard errors
 * either holds for good or shows a mistake. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "harness.h"
#include "test_base.h"

/* Known answers from the Random123 distribution (kat_vectors, philox4x32 10). */
static void philox_known_answers(void)
{
    static const struct {
        uint32_t counter[4], key[2], wanted[4];
    } cases[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t got[4];
        weft_philox4x32(cases[i].counter, cases[i].key, got);
        CHECK_BYTES(got, cases[i].wanted, sizeof got);
    }
}

/* Where seed, stream and counter go: no half of any of them may be lost. */
static void every_argument_counts(void)
{
    /* The third known answer again, through the 64-bit arguments. */
    CHECK_UINT(weft_rng_u64(0x299f31d0a4093822, 0x0370734413198a2e, 0x85a308d3243f6a88),
               0x94fdccebd16cfe09);
    uint64_t base = weft_rng_u64(1, 2, 3);
    for (int bit = 0; bit < 64; bit++) {
        uint64_t flip = (uint64_t)1 << bit;
        CHECK(weft_rng_u64(1 ^ flip, 2, 3) != base);
        CHECK(weft_rng_u64(1, 2 ^ flip, 3) != base);
        CHECK(weft_rng_u64(1, 2, 3 ^ flip) != base);
    }
    CHECK_UINT(weft_rng_stream(WEFT_RNG_INIT, 5), 0x0001000000000005);
    CHECK_UINT(weft_rng_stream(WEFT_RNG_SPLIT, 0), 0x0003000000000000);
    CHECK_UINT(weft_rng_stream(WEFT_RNG_SHUFFLE, UINT64_MAX), 0x0002FFFFFFFFFFFF);
}

enum { N = 400000 };

static void uniform_moments(void)
{
    double sum = 0, sum2 = 0, lag = 0, previous = 0.5;
    int n_outside = 0;
    int bins[16] = {0};
    for (uint64_t i = 0; i < N; i++) {
        double u = weft_rng_uniform(11, 12, i);
        n_outside += !(u >= 0 && u < 1);
        bins[(int)(u * 16) & 15]++;
        sum += u - 0.5;
        sum2 += (u - 0.5) * (u - 0.5);
        lag += (u - 0.5) * (previous - 0.5);
        previous = u;
    }
    CHECK_INT(n_outside, 0);
    CHECK_NEAR(sum / N, 0, 5 * sqrt(1.0 / 12 / N));
    CHECK_NEAR(sum2 / N, 1.0 / 12, 5 * sqrt(1.0 / 180 / N));
    CHECK_NEAR(lag / N, 0, 5.0 / 12 / sqrt(N));
    double chi2 = 0;
    for (int i = 0; i < 16; i++) {
        chi2 += pow(bins[i] - N / 16.0, 2) / (N / 16.0);
    }
    CHECK_NEAR(chi2, 15, 5 * sqrt(2 * 15.0));
}

static void normal_moments(void)
{
    double sum = 0, sum2 = 0, sum3 = 0, sum4 = 0;
    int n_beyond_1 = 0, n_beyond_2 = 0, n_beyond_3 = 0;
    for (uint64_t i = 0; i < N; i++) {
        double z = weft_rng_normal(21, 22, i);
        sum += z;
        sum2 += z * z;
        sum3 += z * z * z;
        sum4 += z * z * z * z;
        n_beyond_1 += fabs(z) > 1;
        n_beyond_2 += fabs(z) > 2;
        n_beyond_3 += fabs(z) > 3;
    }
    /* Standard errors: of the k-th moment sqrt((m_2k - m_k^2) / N), with m_4 = 3, m_6 = 15,
     * m_8 = 105; of a share p sqrt(p (1 - p) / N). */
    CHECK_NEAR(sum / N, 0, 5 * sqrt(1.0 / N));
    CHECK_NEAR(sum2 / N, 1, 5 * sqrt(2.0 / N));
    CHECK_NEAR(sum3 / N, 0, 5 * sqrt(15.0 / N));
    CHECK_NEAR(sum4 / N, 3, 5 * sqrt(96.0 / N));
    CHECK_NEAR((double)n_beyond_1 / N, 0.317310508, 5 * sqrt(0.2166 / N));
    CHECK_NEAR((double)n_beyond_2 / N, 0.045500264, 5 * sqrt(0.0434 / N));
    CHECK_NEAR((double)n_beyond_3 / N, 0.002699796, 5 * sqrt(0.0027 / N));
}

/* The polar method as its paper gives it, with the C library's logarithm: the library's own must
 * agree nearly to the last bit, also where s is close to 0 or 1. */
static double polar_reference(uint64_t seed, uint64_t stream, uint64_t counter, double *s)
{
    for (uint64_t attempt = 0;; attempt++) {
        uint64_t at = counter + (attempt << 48);
        const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
        const uint32_t position[4] = {(uint32_t)at, (uint32_t)(at >> 32), (uint32_t)stream,
                                      (uint32_t)(stream >> 32)};
        uint32_t bits[4];
        weft_philox4x32(position, key, bits);
        double u = ldexp((double)(int64_t)((uint64_t)bits[1] << 32 | bits[0]), -63);
        double v = ldexp((double)(int64_t)((uint64_t)bits[3] << 32 | bits[2]), -63);
        *s = u * u + v * v;
        if (*s > 0 && *s < 1) {
            return u * sqrt(-2 * log(*s) / *s);
        }
    }
}

static void normal_against_the_libm_logarithm(void)
{
    double worst = 0, least_s = 1, most_s = 0;
    for (uint64_t i = 0; i < N; i++) {
        double s;
        double wanted = polar_reference(31, 32, i, &s);
        double got = weft_rng_normal(31, 32, i);
        double error = fabs(got - wanted) / fabs(wanted);
        worst = error > worst || isnan(error) ? error : worst;
        least_s = s < least_s ? s : least_s;
        most_s = s > most_s ? s : most_s;
    }
    CHECK_NEAR(worst, 0, 4 * 0x1p-53);
    CHECK(least_s < 1e-4 && most_s > 1 - 1e-4);
}

/* The numbers are part of what "the same seed" promises: they may never change. */
static void known_numbers(void)
{
    CHECK_NEAR(weft_rng_uniform(1, 2, 3), 0x1.98fbfd3f7822ep-2, 0);
    CHECK_NEAR(weft_rng_normal(1, 2, 3), 0x1.7f8ad83528fbfp-2, 0);
    CHECK_NEAR(weft_rng_normal(1, 2, 2), -0x1.df9d90760b576p-1, 0); /* its second attempt */
    CHECK_NEAR(weft_rng_normal(UINT64_MAX, UINT64_MAX, ((uint64_t)1 << 48) - 1),
               0x1.1c2dab59724dap-1, 0);
    static const uint32_t wanted[8] = {2, 4, 1, 0, 7, 6, 3, 5};
    uint32_t got[8];
    weft_rng_permutation(1, 2, got, 8);
    CHECK_BYTES(got, wanted, sizeof got);
}

static void streams_are_unlike(void)
{
    enum { STREAMS = 64, EACH = 256 };
    static double z[STREAMS][EACH];
    for (uint64_t s = 0; s < STREAMS; s++) {
        for (uint64_t i = 0; i < EACH; i++) {
            z[s][i] = weft_rng_normal(41, weft_rng_stream(WEFT_RNG_INIT, s), i);
        }
    }
    double worst = 0;
    for (size_t a = 0; a < STREAMS; a++) {
        for (size_t b = 0; b < a; b++) {
            double product = 0;
            for (size_t i = 0; i < EACH; i++) {
                product += z[a][i] * z[b][i];
            }
            worst = fmax(worst, fabs(product) / EACH);
        }
    }
    /* 2016 correlations of standard error 1/16; six of them are met once in 500 million. */
    CHECK_NEAR(worst, 0, 6.0 / 16);
    CHECK(worst > 0);
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void permutations_are_permutations(void)
{
    static uint32_t order[70000];
    static const size_t sizes[] = {0, 1, 2, 3, 10, 1000, 70000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t n = sizes[i], n_moved = 0, n_missing = 0;
        memset(order, 0xFF, sizeof order);
        weft_rng_permutation(51, i, order, n);
        for (size_t j = 0; j < n; j++) {
            n_moved += order[j] != j;
        }
        CHECK(n < 10 || n_moved > n / 2);
        CHECK(n == 70000 || order[n] == UINT32_MAX);
        qsort(order, n, sizeof *order, by_value);
        for (size_t j = 0; j < n; j++) {
            n_missing += order[j] != j;
        }
        CHECK_UINT(n_missing, 0);
    }
}

/* All 24 orders of four, equally often over many streams. */
static void permutations_are_fair(void)
{
    enum { TRIES = 48000 };
    int counts[256] = {0};
    for (uint64_t stream = 0; stream < TRIES; stream++) {
        uint32_t order[4];
        weft_rng_permutation(61, stream, order, 4);
        counts[order[0] | order[1] << 2 | order[2] << 4 | order[3] << 6]++;
    }
    int n_orders = 0;
    double chi2 = 0;
    for (int i = 0; i < 256; i++) {
        n_orders += counts[i] > 0;
        chi2 += counts[i] > 0 ? pow(counts[i] - TRIES / 24.0, 2) / (TRIES / 24.0) : 0;
    }
    CHECK_INT(n_orders, 24);
    CHECK_NEAR(chi2, 23, 5 * sqrt(2 * 23.0));
}

CU_TestInfo rng_tests[] = {
    {"philox known answers", philox_known_answers},
    {"every argument counts", every_argument_counts},
    {"uniform moments", uniform_moments},
    {"normal moments", normal_moments},
    {"normal against the libm logarithm", normal_against_the_libm_logarithm},
    {"known numbers", known_numbers},
    {"streams are unlike", streams_are_unlike},
    {"permutations are permutations", permutations_are_permutations},
    {"permutations are fair", permutations_are_fair},
    CU_TEST_INFO_NULL,
};
