/* Orders of samples, on their numbers alone. */
#ifndef WEFT_DATA_SHUFFLE_ORDER_H
#define WEFT_DATA_SHUFFLE_ORDER_H

#include <stddef.h>
#include <stdint.h>

#include <weft/shuffle.h>

/* WEFT_SHUFFLE_BUFFER, at position `at` of n: the buffer is what stands at the positions at .. at +
 * buffer - 1, or up to the end; this is how far behind `at` the sample taken stands. It changes
 * places with the one at `at`. */
size_t weft_shuffle_draw(uint64_t seed, size_t epoch, size_t at, size_t n, size_t buffer);

/* Fills order with the samples 0..n-1 as epoch takes them; n < 2^32. buffer > 0 is looked at for
 * WEFT_SHUFFLE_BUFFER only. */
void weft_shuffle_order(weft_shuffle shuffle, size_t buffer, uint64_t seed, size_t epoch,
                        uint32_t *order, size_t n);

#endif
