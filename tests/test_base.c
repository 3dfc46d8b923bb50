/* Floor 0. */
#include <math.h>
#include <string.h>

#include <weft/version.h>

#include "base/clock.h"
#include "base/quantile.h"
#include "harness.h"
#include "test_base.h"

static void clock_goes_forward(void)
{
    double before = weft_clock_seconds();
    double now = before;
    for (int i = 0; i < 1000000 && now == before; i++) {
        now = weft_clock_seconds();
        CHECK(now >= before);
    }
    CHECK(now > before);
    CHECK(now - before < 10);
}

/* numpy.quantile([3, 1, 4, 1, 5, 9, 2, 6], q), and ends. */
static void quantiles(void)
{
    double numbers[] = {3, 1, 4, 1, 5, 9, 2, 6};
    static const double wanted[][2] = {{0, 1},     {0.1, 1},   {0.25, 1.75},
                                       {0.5, 3.5}, {0.9, 6.9}, {1, 9}};
    weft_sort_numbers(numbers, 8);
    for (size_t k = 1; k < 8; k++) {
        CHECK(numbers[k - 1] <= numbers[k]);
    }
    for (size_t k = 0; k < sizeof wanted / sizeof *wanted; k++) {
        CHECK(fabs(weft_quantile(numbers, 8, wanted[k][0]) - wanted[k][1]) < 1e-12);
    }
    CHECK(weft_quantile(numbers, 1, 0.7) == numbers[0]);
}

static void version_is_that_of_the_headers(void)
{
    CHECK_STR(weft_version(), WEFT_VERSION_STRING);
    char numbers[64];
    snprintf(numbers, sizeof numbers, "%d.%d.%d", WEFT_VERSION_MAJOR, WEFT_VERSION_MINOR,
             WEFT_VERSION_PATCH);
    CHECK_STR(numbers, WEFT_VERSION_STRING);
}

static CU_TestInfo small_tests[] = {
    {"clock goes forward", clock_goes_forward},
    {"quantiles", quantiles},
    {"version is that of the headers", version_is_that_of_the_headers},
    CU_TEST_INFO_NULL,
};

static const CU_SuiteInfo suites[] = {
    {"bytes", NULL, NULL, NULL, NULL, bytes_tests},
    {"fail", NULL, NULL, NULL, NULL, fail_tests},
    {"mem", NULL, NULL, NULL, NULL, mem_tests},
    {"rng", NULL, NULL, NULL, NULL, rng_tests},
    {"safefile", NULL, NULL, NULL, NULL, safefile_tests},
    {"small", NULL, NULL, NULL, NULL, small_tests},
    {"utf8", NULL, NULL, NULL, NULL, utf8_tests},
    CU_SUITE_INFO_NULL,
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, suites);
}
