/* See shuffle_order.h. */
#include "data/shuffle_order.h"

#include <string.h>

#include "base/rng.h"

static const char *const names[WEFT_N_SHUFFLES] = {
    [WEFT_SHUFFLE_NONE] = "none",
    [WEFT_SHUFFLE_FULL] = "full",
    [WEFT_SHUFFLE_BUFFER] = "buffer",
};

const char *weft_shuffle_name(weft_shuffle shuffle)
{
    return (unsigned)shuffle < WEFT_N_SHUFFLES ? names[shuffle] : "unknown";
}

weft_status weft_shuffle_from_name(const char *name, weft_shuffle *out)
{
    for (size_t i = 0; i < WEFT_N_SHUFFLES; i++) {
        if (strcmp(name, names[i]) == 0) {
            *out = (weft_shuffle)i;
            return WEFT_OK;
        }
    }
    return WEFT_ERR_ARG;
}

size_t weft_shuffle_draw(uint64_t seed, size_t epoch, size_t at, size_t n, size_t buffer)
{
    uint64_t held = n - at < buffer ? n - at : buffer;
    uint64_t bits = weft_rng_u64(seed, weft_rng_stream(WEFT_RNG_SHUFFLE, epoch), at);
    /* floor(bits * held / 2^64) from two 32-bit halves, exact as held < 2^32 */
    uint64_t low = (bits & 0xFFFFFFFFu) * held;
    return (size_t)(((bits >> 32) * held + (low >> 32)) >> 32);
}

void weft_shuffle_order(weft_shuffle shuffle, size_t buffer, uint64_t seed, size_t epoch,
                        uint32_t *order, size_t n)
{
    if (shuffle == WEFT_SHUFFLE_FULL) {
        weft_rng_permutation(seed, weft_rng_stream(WEFT_RNG_SHUFFLE, epoch), order, n);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        order[i] = (uint32_t)i;
    }
    for (size_t at = 0; shuffle == WEFT_SHUFFLE_BUFFER && at < n; at++) {
        size_t from = at + weft_shuffle_draw(seed, epoch, at, n, buffer);
        uint32_t taken = order[from];
        order[from] = order[at];
        order[at] = taken;
    }
}
