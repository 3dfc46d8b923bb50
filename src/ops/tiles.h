/* Counting in tiles. */
#ifndef WEFT_OPS_TILES_H
#define WEFT_OPS_TILES_H

#include <stddef.h>

static inline size_t weft_smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Tiles that n elements fill, the last one maybe in part. */
static inline size_t weft_tiles_of(size_t n, size_t tile)
{
    return (n + tile - 1) / tile;
}

#endif
