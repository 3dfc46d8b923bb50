/* The float32 matrix product for machines with vector registers and fused multiply-add.
 *
 * A tile of C of up to MR rows by NV vectors stays in registers while k runs over the whole
 * sum: one outer product per k, an element of A broadcast against NV vectors of B (Goto & van
 * de Geijn, "Anatomy of high-performance matrix multiplication", 2008). Tile shapes below MR x
 * NV and the masked last vector are the same code with other constants, so an element's sum is
 * the same in each.
 *
 * The including file defines, before including this:
 *   WEFT_SET(name)       adds the suffix of the set
 *   MR, NV, W            rows and vectors of the tile (MR 6 or 8, NV 2); floats of a vector
 *   VECTOR, MASK         types
 *   ZERO()               a vector of zeros             BROADCAST(p)   of *p
 *   LOAD(p), STORE(p, v)
 *   MASK_OF(n)           for the first n < W elements
 *   LOAD_MASKED(p, m), STORE_MASKED(p, m, v)
 *   FMA(a, b, c)         a b + c, rounded once         ADD(a, b) */
#include <stdbool.h>
#include <stddef.h>

#define INLINE static inline __attribute__((always_inline))

/* Rows of B and C are whole vectors, but for a last one that may count in part. */
INLINE VECTOR load_part(const float *p, bool masked, MASK mask)
{
    return masked ? LOAD_MASKED(p, mask) : LOAD(p);
}

INLINE void store_part(float *p, bool masked, MASK mask, VECTOR v)
{
    if (masked) {
        STORE_MASKED(p, mask, v);
    } else {
        STORE(p, v);
    }
}

INLINE void tile(size_t mr, size_t nv, bool masked, MASK mask, size_t k, const float *a,
                 size_t a_rs, size_t a_cs, const float *b, size_t b_rs, float *c, size_t c_rs,
                 bool accumulate)
{
    VECTOR sum[MR][NV];
#pragma GCC unroll 8
    for (size_t i = 0; i < mr; i++) {
#pragma GCC unroll 2
        for (size_t j = 0; j < nv; j++) {
            sum[i][j] = ZERO();
        }
    }
    for (size_t p = 0; p < k; p++) {
        VECTOR bp[NV];
#pragma GCC unroll 2
        for (size_t j = 0; j < nv; j++) {
            bp[j] = load_part(b + p * b_rs + j * W, masked && j + 1 == nv, mask);
        }
#pragma GCC unroll 8
        for (size_t i = 0; i < mr; i++) {
            VECTOR aip = BROADCAST(a + i * a_rs + p * a_cs);
#pragma GCC unroll 2
            for (size_t j = 0; j < nv; j++) {
                sum[i][j] = FMA(aip, bp[j], sum[i][j]);
            }
        }
    }
#pragma GCC unroll 8
    for (size_t i = 0; i < mr; i++) {
#pragma GCC unroll 2
        for (size_t j = 0; j < nv; j++) {
            float *cij = c + i * c_rs + j * W;
            bool part = masked && j + 1 == nv;
            VECTOR v = sum[i][j];
            if (accumulate) {
                v = ADD(load_part(cij, part, mask), v);
            }
            store_part(cij, part, mask, v);
        }
    }
}

typedef void tile_function(MASK mask, size_t k, const float *a, size_t a_rs, size_t a_cs,
                           const float *b, size_t b_rs, float *c, size_t c_rs, bool accumulate);

/* One function for each shape; transposed A (a_rs = 1) gets its own, with constant offsets. */
#define TILE(rows, vectors, masked)                                                                \
    static void tile_##rows##_##vectors##_##masked(                                                \
        MASK mask, size_t k, const float *a, size_t a_rs, size_t a_cs, const float *b,             \
        size_t b_rs, float *c, size_t c_rs, bool accumulate)                                       \
    {                                                                                              \
        if (a_rs == 1) {                                                                           \
            tile(rows, vectors, masked, mask, k, a, 1, a_cs, b, b_rs, c, c_rs, accumulate);        \
        } else {                                                                                   \
            tile(rows, vectors, masked, mask, k, a, a_rs, a_cs, b, b_rs, c, c_rs, accumulate);     \
        }                                                                                          \
    }
#define TILES(rows) TILE(rows, 1, 0) TILE(rows, 1, 1) TILE(rows, 2, 0) TILE(rows, 2, 1)
TILES(1)
TILES(2)
TILES(3)
TILES(4)
TILES(5)
TILES(6)
#if MR > 6
TILES(7)
TILES(8)
#endif

#define TILE_ROW(rows)                                                                             \
    {                                                                                              \
        {tile_##rows##_1_0, tile_##rows##_1_1},                                                    \
        {                                                                                          \
            tile_##rows##_2_0, tile_##rows##_2_1                                                   \
        }                                                                                          \
    }
static tile_function *const tiles[MR][NV][2] = {
    TILE_ROW(1), TILE_ROW(2), TILE_ROW(3), TILE_ROW(4), TILE_ROW(5), TILE_ROW(6),
#if MR > 6
    TILE_ROW(7), TILE_ROW(8),
#endif
};

static void WEFT_SET(sgemm)(size_t m, size_t n, size_t k, const float *a, size_t a_rs, size_t a_cs,
                            const float *b, size_t b_rs, float *c, size_t c_rs, bool accumulate)
{
    for (size_t j = 0; j < n; j += NV * W) {
        size_t cols = n - j < NV * W ? n - j : NV * W;
        size_t vectors = (cols + W - 1) / W;
        size_t tail = cols % W;
        MASK mask = MASK_OF(tail);
        for (size_t i = 0; i < m; i += MR) {
            size_t rows = m - i < MR ? m - i : MR;
            tiles[rows - 1][vectors - 1][tail != 0](mask, k, a + i * a_rs, a_rs, a_cs, b + j, b_rs,
                                                    c + i * c_rs + j, c_rs, accumulate);
        }
    }
}
