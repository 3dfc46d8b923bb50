/* Which kernel set a test is about. */
#ifndef WEFT_TESTS_KERNELS_UNDER_TEST_H
#define WEFT_TESTS_KERNELS_UNDER_TEST_H

#include "kernels/kernels.h"

/* The set that WEFT_ISA names, or the best; NULL: there is no such set. */
const struct weft_kernel_set *kernels(void);

#endif
