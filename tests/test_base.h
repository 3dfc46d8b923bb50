/* The test tables of floor 0, one for each unit. */
#ifndef WEFT_TESTS_TEST_BASE_H
#define WEFT_TESTS_TEST_BASE_H

#include <CUnit/CUnit.h>

extern CU_TestInfo bytes_tests[], fail_tests[], mem_tests[], rng_tests[], safefile_tests[],
    utf8_tests[];

#endif
