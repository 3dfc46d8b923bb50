/* Orders of samples: each once, drawn as the header says, all equally likely. */
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "data/shuffle_order.h"
#include "test_data.h"

#include "harness.h"

/* A buffer as one would write it down first: samples come in, a drawn one goes out, the first one
 * takes its place and what is behind that moves up. */
static void simulate(size_t size, uint64_t seed, size_t epoch, uint32_t *order, size_t n)
{
    uint32_t *held = calloc(size + 1, sizeof *held);
    CU_ASSERT_PTR_NOT_NULL_FATAL(held);
    size_t n_held = 0, came = 0;
    for (size_t at = 0; at < n; at++) {
        while (n_held < size && came < n) {
            held[n_held++] = (uint32_t)came++;
        }
        uint64_t bits = weft_rng_u64(seed, weft_rng_stream(WEFT_RNG_SHUFFLE, epoch), at);
        size_t from = (size_t)((double)(bits >> 32) * 0x1p-32 * (double)n_held);
        order[at] = held[from];
        held[from] = held[0];
        memmove(held, held + 1, --n_held * sizeof *held);
    }
    free(held);
}

static bool is_permutation(const uint32_t *order, size_t n)
{
    bool *seen = calloc(n, sizeof *seen), all = true;
    CU_ASSERT_PTR_NOT_NULL_FATAL(seen);
    for (size_t i = 0; i < n; i++) {
        all = all && order[i] < n && !seen[order[i]];
        seen[order[i] < n ? order[i] : 0] = true;
    }
    free(seen);
    return all;
}

enum { MOST = 1000 };

static void test_buffer_is_simulated(void)
{
    static const size_t sizes[] = {1, 2, 7, 64, 999, 1000, 5000}, ns[] = {1, 2, 65, MOST};
    uint32_t got[MOST], wanted[MOST];
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        for (size_t k = 0; k < sizeof ns / sizeof *ns; k++) {
            weft_shuffle_order(WEFT_SHUFFLE_BUFFER, sizes[s], 3 + s, k, got, ns[k]);
            simulate(sizes[s], 3 + s, k, wanted, ns[k]);
            CHECK_BYTES(got, wanted, ns[k] * sizeof *got);
            CHECK(is_permutation(got, ns[k]));
        }
    }
}

/* A sample leaves at most one buffer before its place. */
static void test_buffer_bounds(void)
{
    uint32_t order[MOST];
    size_t n_moved = 0;
    weft_shuffle_order(WEFT_SHUFFLE_BUFFER, 50, 1, 0, order, MOST);
    for (size_t i = 0; i < MOST; i++) {
        CHECK(order[i] < i + 50);
        n_moved += order[i] != i;
    }
    CHECK(n_moved > MOST / 2);
}

static void test_simple_orders(void)
{
    uint32_t order[MOST], other[MOST];
    weft_shuffle_order(WEFT_SHUFFLE_NONE, 0, 1, 4, order, MOST);
    for (size_t i = 0; i < MOST; i++) {
        CHECK_UINT(order[i], i);
    }
    weft_shuffle_order(WEFT_SHUFFLE_BUFFER, 1, 1, 4, other, MOST);
    CHECK_BYTES(other, order, sizeof order);
    weft_shuffle_order(WEFT_SHUFFLE_FULL, 0, 1, 4, other, MOST);
    CHECK(is_permutation(other, MOST));
    CHECK(memcmp(other, order, sizeof order) != 0);
    weft_shuffle_order(WEFT_SHUFFLE_FULL, 0, 1, 5, order, MOST);
    CHECK(memcmp(other, order, sizeof order) != 0);
    weft_shuffle_order(WEFT_SHUFFLE_FULL, 0, 2, 4, order, MOST);
    CHECK(memcmp(other, order, sizeof order) != 0);
}

/* A buffer that holds everything makes each of the 24 orders of 4 samples equally likely. 24,000
 * draws: 1000 each with a standard deviation of 31; six of them are never seen. */
static void test_whole_buffer_is_fair(void)
{
    size_t counts[256] = {0}, n_orders = 0;
    for (uint64_t seed = 0; seed < 24000; seed++) {
        uint32_t order[4];
        weft_shuffle_order(WEFT_SHUFFLE_BUFFER, 4, seed, 0, order, 4);
        counts[order[0] << 6 | order[1] << 4 | order[2] << 2 | order[3]]++;
    }
    for (size_t i = 0; i < 256; i++) {
        n_orders += counts[i] > 0;
        if (counts[i] > 0) {
            CHECK_NEAR((double)counts[i], 1000, 186);
        }
    }
    CHECK_UINT(n_orders, 24);
}

static void test_names(void)
{
    for (int i = 0; i < WEFT_N_SHUFFLES; i++) {
        weft_shuffle got = WEFT_N_SHUFFLES;
        CHECK_OK(weft_shuffle_from_name(weft_shuffle_name((weft_shuffle)i), &got), NULL);
        CHECK_INT(got, i);
    }
    weft_shuffle got = WEFT_SHUFFLE_FULL;
    CHECK_STATUS(weft_shuffle_from_name("ful", &got), WEFT_ERR_ARG, NULL);
    CHECK_INT(got, WEFT_SHUFFLE_FULL);
}

CU_TestInfo shuffle_tests[] = {
    {"buffer is simulated", test_buffer_is_simulated},
    {"buffer bounds", test_buffer_bounds},
    {"simple orders", test_simple_orders},
    {"whole buffer is fair", test_whole_buffer_is_fair},
    {"names", test_names},
    CU_TEST_INFO_NULL,
};
