/* CPU features by the compiler's own detection (libgcc, compiler-rt), which takes a feature as
 * present only where the operating system saves its registers: OSXSAVE and XCR0 (Intel SDM vol.
 * 1, 13.3); amx.c knows what AMX asks beyond that. */
#include "cpu/cpu.h"

#include "cpu/amx.h"

/* In the order of the bits. */
static const char *const names[WEFT_CPU_N_FEATURES] = {
    "avx2",     "fma",        "avx512f",  "avx512vl", "avx512dq",
    "avx512bw", "avx512bf16", "amx-tile", "amx-bf16",
};

const char *weft_cpu_name(size_t index)
{
    return names[index];
}

uint32_t weft_cpu_usable(void)
{
    uint32_t features = 0;
#if defined(__x86_64__) && defined(__GNUC__)
    __builtin_cpu_init();
    features |= __builtin_cpu_supports("avx2") ? WEFT_CPU_AVX2 : 0;
    features |= __builtin_cpu_supports("fma") ? WEFT_CPU_FMA : 0;
    features |= __builtin_cpu_supports("avx512f") ? WEFT_CPU_AVX512F : 0;
    features |= __builtin_cpu_supports("avx512vl") ? WEFT_CPU_AVX512VL : 0;
    features |= __builtin_cpu_supports("avx512dq") ? WEFT_CPU_AVX512DQ : 0;
    features |= __builtin_cpu_supports("avx512bw") ? WEFT_CPU_AVX512BW : 0;
    features |= __builtin_cpu_supports("avx512bf16") ? WEFT_CPU_AVX512BF16 : 0;
    features |= weft_amx_usable();
#endif
    return features;
}
