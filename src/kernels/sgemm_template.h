/* The float32 matrix products for machines with vector registers and fused multiply-add.
 *
 * A tile of C of up to MR rows by NV vectors stays in registers while k runs over the whole
 * sum: one outer product per k, an element of A broadcast against NV vectors of B (Goto & van
 * de Geijn, "Anatomy of high-performance matrix multiplication", 2008). Tile shapes below MR x
 * NV and the masked last vector are the same code with other constants, so an element's sum is
 * the same in each. Few columns leave such vectors empty; sdot lets a vector be W terms of one
 * sum instead.
 *
 * The including file defines, before including this (vector_<isa>.h has most of it):
 *   WEFT_SET(name)       adds the suffix of the set
 *   MR, NV, W            rows and vectors of the tile (MR 6 or 8, NV 2); floats of a vector
 *   DOT_ROWS             rows of the tile of sdot, 2 or 4; it has 5 columns
 *   VECTOR, MASK         types
 *   ZERO()               a vector of zeros             BROADCAST(p)   of *p
 *   LOAD(p), STORE(p, v)
 *   MASK_OF(n)           for the first n < W elements
 *   LOAD_MASKED(p, m), STORE_MASKED(p, m, v)
 *   FMA(a, b, c)         a b + c, rounded once         ADD(a, b)
 *   STORE_SUMS(p, v0, v1, v2, v3)   p[i] = the sum of the elements of vi, in an order of its own */
#include <stdbool.h>
#include <stddef.h>

#define DOT_COLS 5

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

/* One term: sum += a's column times b's row. */
INLINE void add_term(size_t mr, size_t nv, bool masked, MASK mask, const float *a, size_t a_rs,
                     const float *b, VECTOR sum[MR][NV])
{
    VECTOR bp[NV];
#pragma GCC unroll 2
    for (size_t j = 0; j < nv; j++) {
        bp[j] = load_part(b + j * W, masked && j + 1 == nv, mask);
    }
#pragma GCC unroll 8
    for (size_t i = 0; i < mr; i++) {
        VECTOR aip = BROADCAST(a + i * a_rs);
#pragma GCC unroll 2
        for (size_t j = 0; j < nv; j++) {
            sum[i][j] = FMA(aip, bp[j], sum[i][j]);
        }
    }
}

INLINE void tile(size_t mr, size_t nv, bool masked, MASK mask, size_t a_rs,
                 const struct weft_sgemm *job, const float *a, const float *b, float *c)
{
    VECTOR sum[MR][NV];
#pragma GCC unroll 8
    for (size_t i = 0; i < mr; i++) {
#pragma GCC unroll 2
        for (size_t j = 0; j < nv; j++) {
            sum[i][j] = ZERO();
        }
    }
    size_t a_cs = job->a_cs, b_rs = job->b_rs;
    if (job->terms != NULL && job->a_packed) {
        for (const uint32_t *term = job->terms, *end = term + job->k; term < end; term++) {
            /* Each is read but once a step. The processor's own prefetch loses these streams among
             * the rows of B: without this, terms took 11.4 cycles instead of 8.6 (of 8 at least).
             */
            __builtin_prefetch(a + 512);
            __builtin_prefetch(term + 256);
            add_term(mr, nv, masked, mask, a, a_rs, b + *term * b_rs, sum);
            a += a_cs;
        }
    } else if (job->terms != NULL) {
        for (const uint32_t *term = job->terms, *end = term + job->k; term < end; term++) {
            add_term(mr, nv, masked, mask, a + *term * a_cs, a_rs, b + *term * b_rs, sum);
        }
    } else {
        size_t block = job->a_block == 0 ? job->k : job->a_block;
        for (size_t p = 0; p < job->k; p += block, a += job->a_bs) {
            const float *ap = a;
            /* The block of the next tile's rows: two cache lines each. */
            for (size_t i = 0; a_rs == 32 && i < mr; i++) {
                __builtin_prefetch(a + (mr + i) * 32);
                __builtin_prefetch(a + (mr + i) * 32 + 16);
            }
            for (size_t left = job->k - p < block ? job->k - p : block; left > 0; left--) {
                add_term(mr, nv, masked, mask, ap, a_rs, b, sum);
                ap += a_cs;
                b += b_rs;
            }
        }
    }
    size_t c_rs = job->c_rs;
#pragma GCC unroll 8
    for (size_t i = 0; i < mr; i++) {
#pragma GCC unroll 2
        for (size_t j = 0; j < nv; j++) {
            float *cij = c + i * c_rs + j * W;
            bool part = masked && j + 1 == nv;
            VECTOR v = sum[i][j];
            if (job->accumulate) {
                v = ADD(load_part(cij, part, mask), v);
            }
            store_part(cij, part, mask, v);
        }
    }
}

typedef void tile_function(MASK mask, const struct weft_sgemm *job, const float *a, const float *b,
                           float *c);

/* One function for each shape. Transposed A (a_rs = 1), A in panels (32) and A of up to 16 columns,
 * each row a cache line (16), get their own code in it, with constant offsets. */
#define TILE(rows, vectors, masked)                                                                \
    static void tile_##rows##_##vectors##_##masked(MASK mask, const struct weft_sgemm *job,        \
                                                   const float *a, const float *b, float *c)       \
    {                                                                                              \
        switch (job->a_rs) {                                                                       \
        case 1:                                                                                    \
            tile(rows, vectors, masked, mask, 1, job, a, b, c);                                    \
            break;                                                                                 \
        case 16:                                                                                   \
            tile(rows, vectors, masked, mask, 16, job, a, b, c);                                   \
            break;                                                                                 \
        case 32:                                                                                   \
            tile(rows, vectors, masked, mask, 32, job, a, b, c);                                   \
            break;                                                                                 \
        default:                                                                                   \
            tile(rows, vectors, masked, mask, job->a_rs, job, a, b, c);                            \
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

/* n cut into parts of at most max, as even as can be: 10 by 8 is 5 and 5. */
INLINE size_t even_part(size_t n, size_t max)
{
    size_t n_parts = (n + max - 1) / max;
    return n_parts == 0 ? 1 : (n + n_parts - 1) / n_parts;
}

static void WEFT_SET(sgemm)(const struct weft_sgemm *job)
{
    size_t mr = even_part(job->m, MR);
    for (size_t j = 0; j < job->n; j += NV * W) {
        size_t cols = job->n - j < NV * W ? job->n - j : NV * W;
        size_t vectors = (cols + W - 1) / W;
        size_t tail = cols % W;
        MASK mask = MASK_OF(tail);
        for (size_t i = 0; i < job->m; i += mr) {
            size_t rows = job->m - i < mr ? job->m - i : mr;
            tiles[rows - 1][vectors - 1][tail != 0](mask, job, job->a + i * job->a_rs, job->b + j,
                                                    job->c + i * job->c_rs + j);
        }
    }
}

/* W terms of each of rows x cols sums. */
INLINE void dot_terms(size_t rows, size_t cols, bool masked, MASK mask, const float *a, size_t a_rs,
                      const float *b, size_t b_rs, VECTOR sum[DOT_ROWS][DOT_COLS])
{
    VECTOR bj[DOT_COLS];
#pragma GCC unroll 5
    for (size_t j = 0; j < cols; j++) {
        bj[j] = load_part(b + j * b_rs, masked, mask);
    }
#pragma GCC unroll 4
    for (size_t i = 0; i < rows; i++) {
        VECTOR ai = load_part(a + i * a_rs, masked, mask);
#pragma GCC unroll 5
        for (size_t j = 0; j < cols; j++) {
            sum[i][j] = FMA(ai, bj[j], sum[i][j]);
        }
    }
}

INLINE void dot_tile(size_t rows, size_t cols, size_t k, const float *a, size_t a_rs,
                     const float *b, size_t b_rs, float *c, size_t c_rs)
{
    VECTOR sum[DOT_ROWS][DOT_COLS];
#pragma GCC unroll 4
    for (size_t i = 0; i < rows; i++) {
#pragma GCC unroll 5
        for (size_t j = 0; j < cols; j++) {
            sum[i][j] = ZERO();
        }
    }
    size_t p = 0;
    for (; k - p >= W; p += W) {
        dot_terms(rows, cols, false, MASK_OF(0), a + p, a_rs, b + p, b_rs, sum);
    }
    if (p < k) {
        dot_terms(rows, cols, true, MASK_OF(k - p), a + p, a_rs, b + p, b_rs, sum);
    }
    size_t j = 0;
#pragma GCC unroll 1
    for (; cols - j >= 4; j += 4) {
#pragma GCC unroll 4
        for (size_t i = 0; i < rows; i++) {
            STORE_SUMS(c + i * c_rs + j, sum[i][j], sum[i][j + 1], sum[i][j + 2], sum[i][j + 3]);
        }
    }
#pragma GCC unroll 3
    for (; j < cols; j++) { /* what is left, by columns */
        float column[4];
        VECTOR of_row[4] = {ZERO(), ZERO(), ZERO(), ZERO()};
#pragma GCC unroll 4
        for (size_t i = 0; i < rows; i++) {
            of_row[i] = sum[i][j];
        }
        STORE_SUMS(column, of_row[0], of_row[1], of_row[2], of_row[3]);
#pragma GCC unroll 4
        for (size_t i = 0; i < rows; i++) {
            c[i * c_rs + j] = column[i];
        }
    }
}

typedef void dot_function(size_t k, const float *a, size_t a_rs, const float *b, size_t b_rs,
                          float *c, size_t c_rs);

#define DOT(rows, cols)                                                                            \
    static void dot_##rows##_##cols(size_t k, const float *a, size_t a_rs, const float *b,         \
                                    size_t b_rs, float *c, size_t c_rs)                            \
    {                                                                                              \
        dot_tile(rows, cols, k, a, a_rs, b, b_rs, c, c_rs);                                        \
    }

#define DOTS(rows) DOT(rows, 1) DOT(rows, 2) DOT(rows, 3) DOT(rows, 4) DOT(rows, 5)
#define DOT_ROW(rows)                                                                              \
    {                                                                                              \
        dot_##rows##_1, dot_##rows##_2, dot_##rows##_3, dot_##rows##_4, dot_##rows##_5             \
    }
DOTS(1)
DOTS(2)
#if DOT_ROWS == 4
DOTS(3)
DOTS(4)
#endif
static dot_function *const dots[DOT_ROWS][DOT_COLS] = {
    DOT_ROW(1),
    DOT_ROW(2),
#if DOT_ROWS == 4
    DOT_ROW(3),
    DOT_ROW(4),
#endif
};

static void WEFT_SET(sdot)(size_t m, size_t n, size_t k, const float *a, size_t a_rs,
                           const float *b, size_t b_rs, float *c, size_t c_rs)
{
    size_t width = even_part(n, DOT_COLS);
    for (size_t i = 0; i < m; i += DOT_ROWS) {
        size_t rows = m - i < DOT_ROWS ? m - i : DOT_ROWS;
        for (size_t j = 0; j < n; j += width) {
            size_t cols = n - j < width ? n - j : width;
            dots[rows - 1][cols - 1](k, a + i * a_rs, a_rs, b + j * b_rs, b_rs, c + i * c_rs + j,
                                     c_rs);
        }
    }
}
