/* The kernel sets of this build, best first. Build flags say which there are. */
#include "cpu/cpu.h"
#include "kernels/kernels.h"

static const struct weft_kernel_set *const sets[] = {
#ifdef WEFT_HAVE_KERNELS_AMX
    &weft_kernels_amx,
#endif
#ifdef WEFT_HAVE_KERNELS_AVX512BF16
    &weft_kernels_avx512bf16,
#endif
#ifdef WEFT_HAVE_KERNELS_AVX512
    &weft_kernels_avx512,
#endif
#ifdef WEFT_HAVE_KERNELS_AVX2
    &weft_kernels_avx2,
#endif
#ifdef WEFT_HAVE_KERNELS_NEON
    &weft_kernels_neon,
#endif
    &weft_kernels_generic,
};

size_t weft_kernel_set_count(void)
{
    return sizeof sets / sizeof *sets;
}

const struct weft_kernel_set *weft_kernel_set_at(size_t index)
{
    return sets[index];
}

bool weft_kernel_set_usable(const struct weft_kernel_set *set)
{
    return (set->needs & ~weft_cpu_usable()) == 0;
}

bool weft_activation_needs_input(weft_activation f)
{
    return f == WEFT_GELU || f == WEFT_SILU;
}
