/* What this machine can do at most: arithmetic in registers, and memory traffic. Measured, because
 * clock rates under load and in virtual machines are not to be had otherwise. */
#ifndef WEFT_BENCH_PEAKS_H
#define WEFT_BENCH_PEAKS_H

#include <stddef.h>

enum bench_peak {
    PEAK_F32,  /* float32 fused multiply-add, the widest vectors */
    PEAK_BF16, /* dot products of bfloat16 pairs, AVX512_BF16 */
    PEAK_AMX,  /* bfloat16 tiles, AMX */
    N_PEAKS
};

extern const char *const bench_peak_names[N_PEAKS];

/* GFLOP/s of n_threads that do nothing else for about `seconds`, taken again (a few times)
 * where one of them had to wait for a core; 0 where this CPU or the compiler
 * lacks the instructions. */
double bench_peak_gflops(enum bench_peak peak, size_t n_threads, double seconds);

enum bench_traffic {
    TRAFFIC_READ,   /* sum of x */
    TRAFFIC_COPY,   /* y = x */
    TRAFFIC_TRIAD,  /* y = x + c z (McCalpin 1995) */
    TRAFFIC_CHANGE, /* y = c y */
    TRAFFIC_UPDATE, /* y = y + c x */
    N_TRAFFICS
};

extern const char *const bench_traffic_names[N_TRAFFICS];

/* GB/s that n_threads move together, each within `bytes` / n_threads of memory of its own, for
 * about `seconds`, taken again likewise: what the loops name, without the read that a write may
 * cost. */
double bench_bandwidth(enum bench_traffic traffic, size_t n_threads, size_t bytes, double seconds);

#endif
