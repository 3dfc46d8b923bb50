/* Random numbers as a function of (seed, stream, counter): Philox4x32-10 (Salmon, Moraes, Dror &
 * Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011). No state, so the same numbers on
 * any number of threads and after a resume, and on every machine: the arithmetic below uses nothing
 * of libm but sqrt and frexp, which IEEE 754 leaves no freedom. */
#ifndef WEFT_BASE_RNG_H
#define WEFT_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

/* What a stream of numbers is for, in its high 16 bits; the low 48 are the user's (layer, epoch,
 * ...). */
enum weft_rng_use {
    WEFT_RNG_INIT = 1,
    WEFT_RNG_SHUFFLE = 2,
    WEFT_RNG_SPLIT = 3,
    WEFT_RNG_MOVE = 4,
    WEFT_RNG_DROP = 5,
    WEFT_RNG_NOISE = 6,
};

uint64_t weft_rng_stream(enum weft_rng_use use, uint64_t index);

/* The raw generator: 128-bit counter and 64-bit key to 128 random bits. */
void weft_philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* 64 random bits. */
uint64_t weft_rng_u64(uint64_t seed, uint64_t stream, uint64_t counter);

/* Uniform in [0, 1), a multiple of 2^-53. */
double weft_rng_uniform(uint64_t seed, uint64_t stream, uint64_t counter);

/* Normal with mean 0 and standard deviation 1, by the polar method (Marsaglia & Bray 1964).
 * counter < 2^48. */
double weft_rng_normal(uint64_t seed, uint64_t stream, uint64_t counter);

/* Fills out with a random order of 0..n-1 (Fisher & Yates; Durstenfeld 1964); n < 2^32. The draws
 * are 64-bit multiply-high, biased by less than n / 2^64. */
void weft_rng_permutation(uint64_t seed, uint64_t stream, uint32_t *out, size_t n);

#endif
