/* Which instruction sets this process may use: present in the CPU and enabled by the system. */
#ifndef WEFT_CPU_H
#define WEFT_CPU_H

#include <stddef.h>
#include <stdint.h>

enum weft_cpu_feature {
    WEFT_CPU_AVX2 = 1 << 0,
    WEFT_CPU_FMA = 1 << 1,
    WEFT_CPU_AVX512F = 1 << 2,
    WEFT_CPU_AVX512VL = 1 << 3,
    WEFT_CPU_AVX512DQ = 1 << 4,
    WEFT_CPU_AVX512BW = 1 << 5,
    WEFT_CPU_AVX512BF16 = 1 << 6,
    WEFT_CPU_AMX_TILE = 1 << 7,
    WEFT_CPU_AMX_BF16 = 1 << 8,
};

#define WEFT_CPU_N_FEATURES 9

/* The name of bit `index` < WEFT_CPU_N_FEATURES, such as "avx2". */
const char *weft_cpu_name(size_t index);

/* The usable ones, as a set of bits. */
uint32_t weft_cpu_usable(void);

#endif
