/* See kernels_under_test.h. */
#include "kernels_under_test.h"

#include <stdlib.h>
#include <string.h>

const struct weft_kernel_set *kernels(void)
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
