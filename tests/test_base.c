/* Floor 0. */
#include <string.h>

#include "base/rng.h"
#include "harness.h"

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

static CU_TestInfo rng_tests[] = {
    {"philox known answers", philox_known_answers},
    CU_TEST_INFO_NULL,
};

static const CU_SuiteInfo suites[] = {
    {"rng", NULL, NULL, NULL, NULL, rng_tests},
    CU_SUITE_INFO_NULL,
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, suites);
}
