/* float32 to bfloat16 in the layouts that bgemm reads, as loops that the compiler vectorises for
 * the instruction set of the including file. Rounding is done on the bits, in integers: the same in
 * every set, and numbers below 2^-126 are kept.
 *
 * The including file defines WEFT_SET(name), which adds its suffix to a name, and may define
 * TURN_PAIRS(src, src_rs, dst, dst_rs): transposes TRANSPOSE_SIDE rows and columns of pairs, whose
 * rows lie so many pairs apart. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kernels/kernels.h"

/* A pair is handled as one number with the first element where memory has it first. */
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define FIRST_SHIFT 16
#else
#define FIRST_SHIFT 0
#endif

/* The upper half of x, to nearest, ties to even: half a unit less a bit is added, and that bit
 * where the result would be odd. NaN would become infinity; it gets its quiet bit instead. */
static inline uint32_t bf16_bits(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint32_t rounded = bits + 0x7FFFu + (bits >> 16 & 1);
    return (x != x ? bits | 0x400000u : rounded) >> 16;
}

static inline uint32_t bf16_pair(float first, float second)
{
    return bf16_bits(first) << FIRST_SHIFT | bf16_bits(second) << (16 - FIRST_SHIFT);
}

static void WEFT_SET(bf16_rows)(size_t rows, size_t cols, const float *src, size_t src_rs,
                                uint16_t *dst, size_t dst_rs)
{
    for (size_t i = 0; i < rows; i++) {
        const float *from = src + i * src_rs;
        uint16_t *to = dst + i * dst_rs;
#pragma omp simd
        for (size_t j = 0; j < cols; j++) {
            to[j] = (uint16_t)bf16_bits(from[j]);
        }
        if (cols % 2 != 0) {
            to[cols] = 0;
        }
    }
}

/* dst[2 j], dst[2 j + 1] = first[j], second[j] */
static inline void interleave_rows(size_t n, const float *first, const float *second, void *dst)
{
    unsigned char *to = dst; /* pairs may lie at any even address */
#pragma omp simd
    for (size_t j = 0; j < n; j++) {
        uint32_t pair = bf16_pair(first[j], second[j]);
        memcpy(to + 4 * j, &pair, sizeof pair);
    }
}

static inline void interleave_row_with_zeros(size_t n, const float *first, void *dst)
{
    unsigned char *to = dst;
#pragma omp simd
    for (size_t j = 0; j < n; j++) {
        uint32_t pair = bf16_pair(first[j], 0);
        memcpy(to + 4 * j, &pair, sizeof pair);
    }
}

static void WEFT_SET(bf16_pairs)(size_t rows, size_t cols, const float *src, size_t src_rs,
                                 uint16_t *dst, size_t dst_rs)
{
    for (size_t i = 0; i < rows / 2; i++) {
        const float *first = src + 2 * i * src_rs;
        interleave_rows(cols, first, first + src_rs, dst + i * dst_rs);
    }
    if (rows % 2 != 0) {
        interleave_row_with_zeros(cols, src + (rows - 1) * src_rs, dst + rows / 2 * dst_rs);
    }
}

/* Transposing goes by blocks of so many pairs each way: rounded into a buffer in the first-level
 * cache, then written in rows of whole cache lines. */
enum { PAIR_BLOCK = 16 };

/* dst's row j gets column j of the block, [rows, cols] pairs. */
static inline void turn_block(size_t rows, size_t cols, uint16_t block[PAIR_BLOCK][2 * PAIR_BLOCK],
                              uint16_t *dst, size_t dst_rs)
{
#ifdef TURN_PAIRS
    if (rows == PAIR_BLOCK && cols == PAIR_BLOCK && dst_rs % 2 == 0) {
        for (size_t i = 0; i < PAIR_BLOCK; i += TRANSPOSE_SIDE) {
            for (size_t j = 0; j < PAIR_BLOCK; j += TRANSPOSE_SIDE) {
                TURN_PAIRS(&block[i][2 * j], PAIR_BLOCK, dst + j * dst_rs + 2 * i, dst_rs / 2);
            }
        }
        return;
    }
#endif
    for (size_t j = 0; j < cols; j++) {
        uint32_t row[PAIR_BLOCK];
        for (size_t i = 0; i < PAIR_BLOCK; i++) {
            memcpy(&row[i], &block[i][2 * j], sizeof row[i]);
        }
        memcpy(dst + j * dst_rs, row, rows * sizeof *row);
    }
}

static void WEFT_SET(bf16_transpose)(size_t rows, size_t cols, const float *src, size_t src_rs,
                                     uint16_t *dst, size_t dst_rs)
{
    uint16_t block[PAIR_BLOCK][2 * PAIR_BLOCK] = {{0}};
    for (size_t i0 = 0; i0 < rows; i0 += 2 * PAIR_BLOCK) {
        size_t n_rows = rows - i0 < 2 * PAIR_BLOCK ? rows - i0 : 2 * PAIR_BLOCK;
        for (size_t j0 = 0; j0 < cols; j0 += PAIR_BLOCK) {
            size_t n_cols = cols - j0 < PAIR_BLOCK ? cols - j0 : PAIR_BLOCK;
            WEFT_SET(bf16_pairs)
            (n_rows, n_cols, src + i0 * src_rs + j0, src_rs, block[0], 2 * PAIR_BLOCK);
            turn_block((n_rows + 1) / 2, n_cols, block, dst + j0 * dst_rs + i0, dst_rs);
        }
    }
}

static void WEFT_SET(bf16_transpose_pairs)(size_t rows, size_t cols, const float *src,
                                           size_t src_rs, uint16_t *dst, size_t dst_rs)
{
    uint16_t block[PAIR_BLOCK][2 * PAIR_BLOCK] = {{0}};
    for (size_t i0 = 0; i0 < rows; i0 += PAIR_BLOCK) {
        size_t n_rows = rows - i0 < PAIR_BLOCK ? rows - i0 : PAIR_BLOCK;
        for (size_t j0 = 0; j0 < cols; j0 += 2 * PAIR_BLOCK) {
            size_t n_cols = cols - j0 < 2 * PAIR_BLOCK ? cols - j0 : 2 * PAIR_BLOCK;
            WEFT_SET(bf16_rows)
            (n_rows, n_cols, src + i0 * src_rs + j0, src_rs, block[0], 2 * PAIR_BLOCK);
            turn_block(n_rows, (n_cols + 1) / 2, block, dst + j0 / 2 * dst_rs + 2 * i0, dst_rs);
        }
    }
}

/* The fields of struct weft_kernel_set that this file provides. */
#define BF16_CONVERSIONS                                                                           \
    .bf16_rows = WEFT_SET(bf16_rows), .bf16_transpose = WEFT_SET(bf16_transpose),                  \
    .bf16_pairs = WEFT_SET(bf16_pairs), .bf16_transpose_pairs = WEFT_SET(bf16_transpose_pairs)
