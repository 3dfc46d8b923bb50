/* The bfloat16 matrix product for machines with vector registers, whether they multiply pairs of
 * bfloat16 numbers or have to widen them to float32 first. As in sgemm_template.h, a tile of C of
 * up to MR rows by two vectors stays in registers while k runs over the whole sum, in outer
 * products of a pair of A's elements broadcast against two vectors of pairs of B. Smaller tiles are
 * the same code with other constants, so an element's sum is the same in each.
 *
 * The including file defines, before including this (vector_<isa>.h has most of it):
 *   BGEMM                the name of the function
 *   MR, W                rows of the tile (up to 12); floats of a vector
 *   VECTOR, MASK         types
 *   A_PAIR, B_PAIRS      what a pair of A, broadcast, and a vector of pairs of B are held in
 *   A_LOAD(p)            of the pair at p              B_LOAD(p)      of W pairs at p
 *   B_LOAD_MASKED(p, m)  of those pairs that m names
 *   DOT(sum, a, b)       sum with the products of the pairs added
 *   ZERO(), ADD(a, b), LOAD(p), STORE(p, v), LOAD_MASKED(p, m), STORE_MASKED(p, m, v)   floats
 *   MASK_OF(n)           for the first n < W elements */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/kernels.h"

#define NV 2
#define INLINE static inline __attribute__((always_inline))

/* One pair of terms: sum += a's two columns times b's two rows. */
INLINE void add_pair(size_t rows, size_t vectors, bool masked, MASK mask, const uint16_t *a,
                     size_t a_rs, const uint16_t *b, VECTOR sum[MR][NV])
{
    B_PAIRS bp[NV];
#pragma GCC unroll 2
    for (size_t j = 0; j < vectors; j++) {
        bool part = masked && j + 1 == vectors;
        bp[j] = part ? B_LOAD_MASKED(b + 2 * j * W, mask) : B_LOAD(b + 2 * j * W);
    }
#pragma GCC unroll 12
    for (size_t i = 0; i < rows; i++) {
        A_PAIR ap = A_LOAD(a + i * a_rs);
#pragma GCC unroll 2
        for (size_t j = 0; j < vectors; j++) {
            sum[i][j] = DOT(sum[i][j], ap, bp[j]);
        }
    }
}

INLINE void add_sums(size_t rows, size_t vectors, bool masked, MASK mask,
                     const struct weft_bgemm *job, const uint16_t *a, const uint16_t *b, float *c)
{
    size_t k = job->k, a_rs = job->a_rs, b_rs = job->b_rs, c_rs = job->c_rs;
    size_t block = job->a_block != 0 ? job->a_block : k;
    VECTOR sum[MR][NV];
#pragma GCC unroll 12
    for (size_t i = 0; i < rows; i++) {
#pragma GCC unroll 2
        for (size_t j = 0; j < vectors; j++) {
            sum[i][j] = ZERO();
        }
    }
    if (job->pairs != NULL) {
        const uint32_t *end = job->pairs + job->n_pairs;
        for (const uint32_t *pair = job->pairs; pair < end; pair++) {
            add_pair(rows, vectors, masked, mask, a + 2 * *pair, a_rs, b + *pair * b_rs, sum);
        }
    } else {
        for (size_t p0 = 0; p0 < k; p0 += block, a += job->a_bs) {
            size_t run = k - p0 < block ? k - p0 : block;
            for (size_t p = 0; p < run; p += 2, b += b_rs) {
                add_pair(rows, vectors, masked, mask, a + p, a_rs, b, sum);
            }
        }
    }
#pragma GCC unroll 12
    for (size_t i = 0; i < rows; i++) {
#pragma GCC unroll 2
        for (size_t j = 0; j < vectors; j++) {
            float *cij = c + i * c_rs + j * W;
            bool part = masked && j + 1 == vectors;
            VECTOR v = sum[i][j];
            if (job->accumulate) {
                v = ADD(part ? LOAD_MASKED(cij, mask) : LOAD(cij), v);
            }
            if (part) {
                STORE_MASKED(cij, mask, v);
            } else {
                STORE(cij, v);
            }
        }
    }
}

typedef void tile_function(MASK mask, const struct weft_bgemm *job, const uint16_t *a,
                           const uint16_t *b, float *c);

/* One function for each shape. */
#define TILE(rows, vectors, masked)                                                                \
    static void tile_##rows##_##vectors##_##masked(MASK mask, const struct weft_bgemm *job,        \
                                                   const uint16_t *a, const uint16_t *b, float *c) \
    {                                                                                              \
        add_sums(rows, vectors, masked, mask, job, a, b, c);                                       \
    }
#define TILES(rows) TILE(rows, 1, 0) TILE(rows, 1, 1) TILE(rows, 2, 0) TILE(rows, 2, 1)
#define TILE_ROW(rows)                                                                             \
    {                                                                                              \
        {tile_##rows##_1_0, tile_##rows##_1_1},                                                    \
        {                                                                                          \
            tile_##rows##_2_0, tile_##rows##_2_1                                                   \
        }                                                                                          \
    }
TILES(1)
TILES(2)
TILES(3)
TILES(4)
#if MR > 4
TILES(5)
TILES(6)
#endif
#if MR > 6
TILES(7)
TILES(8)
#endif
#if MR > 8
TILES(9)
TILES(10)
TILES(11)
TILES(12)
#endif

static tile_function *const tiles[MR][NV][2] = {
    TILE_ROW(1), TILE_ROW(2),  TILE_ROW(3),  TILE_ROW(4),
#if MR > 4
    TILE_ROW(5), TILE_ROW(6),
#endif
#if MR > 6
    TILE_ROW(7), TILE_ROW(8),
#endif
#if MR > 8
    TILE_ROW(9), TILE_ROW(10), TILE_ROW(11), TILE_ROW(12),
#endif
};

void BGEMM(const struct weft_bgemm *job)
{
    for (size_t j = 0; j < job->n; j += NV * W) {
        size_t cols = job->n - j < NV * W ? job->n - j : NV * W;
        size_t vectors = (cols + W - 1) / W;
        size_t tail = cols % W;
        MASK mask = MASK_OF(tail);
        for (size_t i = 0; i < job->m; i += MR) {
            size_t rows = job->m - i < MR ? job->m - i : MR;
            tiles[rows - 1][vectors - 1][tail != 0](mask, job, job->a + i * job->a_rs,
                                                    job->b + 2 * j, job->c + i * job->c_rs + j);
        }
    }
}
