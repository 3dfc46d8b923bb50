/* What the tests of floor 3 share, and their tables, one for each unit. */
#ifndef WEFT_TESTS_TEST_OPS_H
#define WEFT_TESTS_TEST_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/context.h>
#include <weft/tensor.h>

#include <CUnit/CUnit.h>

enum { N_THREAD_COUNTS = 4 };
extern const size_t thread_counts[N_THREAD_COUNTS];

weft_context *context_of(size_t n_threads);

/* A number in [1, most], a function of its position. */
size_t size_at(uint64_t stream, uint64_t at, size_t most);

float *element(const weft_tensor *t, size_t i, size_t j);

/* Normally distributed elements, padding zero. */
weft_tensor random_tensor(size_t rows, size_t cols, uint64_t stream);

bool same_elements(const weft_tensor *a, const weft_tensor *b);

extern CU_TestInfo layout_tests[], forward_tests[], backward_tests[], nonzeros_tests[];

#endif
