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
};

#define WEFT_CPU_N_FEATURES 6

/* The name of bit `index` < WEFT_CPU_N_FEATURES, such as "avx2". */
const char *weft_cpu_name(size_t index);

/* The usable ones, as a set of bits. */
uint32_t weft_cpu_usable(void);

#endif
