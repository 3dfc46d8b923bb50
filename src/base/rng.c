/* Philox4x32-10 and the distributions built on it. */
#include "base/rng.h"

#include <math.h>

#include "base/explog.h"

uint64_t weft_rng_stream(enum weft_rng_use use, uint64_t index)
{
    return (uint64_t)use << 48 | (index & 0xFFFFFFFFFFFFu);
}

void weft_philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0;
        uint64_t p1 = (uint64_t)0xCD9E8D57u * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9u; /* golden ratio */
        k1 += 0xBB67AE85u; /* sqrt(3) - 1 */
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

static void draw(uint64_t seed, uint64_t stream, uint64_t counter, uint64_t out[2])
{
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    const uint32_t position[4] = {(uint32_t)counter, (uint32_t)(counter >> 32), (uint32_t)stream,
                                  (uint32_t)(stream >> 32)};
    uint32_t bits[4];
    weft_philox4x32(position, key, bits);
    out[0] = (uint64_t)bits[1] << 32 | bits[0];
    out[1] = (uint64_t)bits[3] << 32 | bits[2];
}

uint64_t weft_rng_u64(uint64_t seed, uint64_t stream, uint64_t counter)
{
    uint64_t bits[2];
    draw(seed, stream, counter, bits);
    return bits[0];
}

double weft_rng_uniform(uint64_t seed, uint64_t stream, uint64_t counter)
{
    return (double)(weft_rng_u64(seed, stream, counter) >> 11) * 0x1p-53;
}

double weft_rng_normal(uint64_t seed, uint64_t stream, uint64_t counter)
{
    /* Attempt t of the rejection uses counter + t 2^48: other counters stay independent of how many
     * attempts this one needs (4 / pi on average). */
    for (uint64_t attempt = 0;; attempt++) {
        uint64_t bits[2];
        draw(seed, stream, counter + (attempt << 48), bits);
        double u = (double)(int64_t)bits[0] * 0x1p-63;
        double v = (double)(int64_t)bits[1] * 0x1p-63;
        double s = u * u + v * v;
        if (s > 0 && s < 1) {
            return u * sqrt(-2 * weft_log(s) / s);
        }
    }
}

void weft_rng_permutation(uint64_t seed, uint64_t stream, uint32_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = (uint32_t)i;
    }
    for (size_t i = n; i > 1; i--) {
        uint64_t bits = weft_rng_u64(seed, stream, i);
        /* floor(bits * i / 2^64) from two 32-bit halves, exact as i < 2^32 */
        uint64_t low = (bits & 0xFFFFFFFFu) * i;
        size_t j = (size_t)(((bits >> 32) * i + (low >> 32)) >> 32);
        uint32_t kept = out[i - 1];
        out[i - 1] = out[j];
        out[j] = kept;
    }
}
