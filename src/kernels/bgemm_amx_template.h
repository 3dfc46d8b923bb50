/* The bfloat16 matrix product on AMX: eight registers ("tiles") of 16 rows of 64 bytes. An A tile
 * is 16 rows of 32 terms, a B tile 16 pairs of rows of 16 columns, a C tile 16 x 16 sums. Blocks of
 * C of 2 x 2 tiles use all eight registers, so each tile read serves two products; what is left at
 * the bottom is done in 1 x 3 tiles, at the right in 3 x 1.
 *
 * All tiles are always whole: one configuration serves all shapes, as changing it costs more
 * than a product. Where A, B or C end within a tile, the part that is there is copied to a buffer
 * with zeros around. An element's sum runs over k in steps of 32 terms in every place alike.
 *
 * The including file defines, before including this (tiles are named by literal numbers):
 *   TILE_CONFIGURE(p)          takes the 64 bytes of configuration at p
 *   TILE_RELEASE()
 *   TILE_ZERO(t)
 *   TILE_LOAD(t, p, stride)    rows `stride` bytes apart    TILE_STORE(t, p, stride)
 *   TILE_DOT(c, a, b)          c += a b
 *   COPY_ROW(to, from, n)      n <= 32 elements, and zeros up to 32
 *   AMX_BGEMM, AMX_ENTER, AMX_LEAVE   the names of the functions made here */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/kernels.h"

enum { T = 16, TERMS = 2 * T, TILE_BYTES = 64, PALETTE = 1, N_TILES = 8 };

/* Intel SDM vol. 1, table 18-1. */
struct tile_configuration {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
};
_Static_assert(sizeof(struct tile_configuration) == 64, "what LDTILECFG reads");

void AMX_ENTER(void)
{
    struct tile_configuration configuration = {.palette = PALETTE};
    for (size_t t = 0; t < N_TILES; t++) {
        configuration.row_bytes[t] = TILE_BYTES;
        configuration.rows[t] = T;
    }
    TILE_CONFIGURE(&configuration);
}

void AMX_LEAVE(void)
{
    TILE_RELEASE();
}

/* Where a tile is to be read from. */
struct place {
    const void *at;
    size_t stride; /* bytes */
};

static inline size_t at_most(size_t n, size_t limit)
{
    return n < limit ? n : limit;
}

/* `rows` rows of `n` elements as a whole tile: copied into the buffer, where they are no such. */
static inline struct place whole_tile(const uint16_t *from, size_t rs, size_t rows, size_t n,
                                      uint16_t buffer[T][TERMS])
{
    if (rows == T && n == TERMS) {
        return (struct place){from, rs * sizeof *from};
    }
    for (size_t i = 0; i < T; i++) {
        COPY_ROW(buffer[i], from + i * rs, i < rows ? n : 0);
    }
    return (struct place){buffer, TILE_BYTES};
}

/* Rows i.. and terms p.. of A; terms up to the next even k. */
static inline struct place a_tile(const struct weft_bgemm *job, size_t i, size_t p,
                                  uint16_t buffer[T][TERMS])
{
    const uint16_t *from = job->a + i * job->a_rs + (job->a_block == 0 ? p : p / TERMS * job->a_bs);
    return whole_tile(from, job->a_rs, at_most(job->m - i, T),
                      at_most((job->k - p + 1) / 2 * 2, TERMS), buffer);
}

/* Terms p.. and columns j.. of B. */
static inline struct place b_tile(const struct weft_bgemm *job, size_t p, size_t j,
                                  uint16_t buffer[T][TERMS])
{
    return whole_tile(job->b + p / 2 * job->b_rs + 2 * j, job->b_rs,
                      at_most((job->k - p + 1) / 2, T), at_most(2 * (job->n - j), TERMS), buffer);
}

/* What the sums at (i, j) start from where C is added to. */
static inline struct place c_tile(const struct weft_bgemm *job, size_t i, size_t j,
                                  float buffer[T][T])
{
    const float *c = job->c + i * job->c_rs + j;
    size_t rows = at_most(job->m - i, T), cols = at_most(job->n - j, T);
    if (rows == T && cols == T) {
        return (struct place){c, job->c_rs * sizeof *c};
    }
    for (size_t r = 0; r < T; r++) {
        for (size_t l = 0; l < T; l++) {
            buffer[r][l] = r < rows && l < cols ? c[r * job->c_rs + l] : 0;
        }
    }
    return (struct place){buffer, TILE_BYTES};
}

#define START(t, i, j)                                                                             \
    do {                                                                                           \
        if (job->accumulate) {                                                                     \
            float buffer[T][T];                                                                    \
            struct place from = c_tile(job, (i), (j), buffer);                                     \
            TILE_LOAD(t, from.at, from.stride);                                                    \
        } else {                                                                                   \
            TILE_ZERO(t);                                                                          \
        }                                                                                          \
    } while (0)

static void copy_to_c(const struct weft_bgemm *job, size_t i, size_t j, float buffer[T][T])
{
    float *c = job->c + i * job->c_rs + j;
    size_t rows = at_most(job->m - i, T), cols = at_most(job->n - j, T);
    for (size_t r = 0; r < rows; r++) {
        for (size_t l = 0; l < cols; l++) {
            c[r * job->c_rs + l] = buffer[r][l];
        }
    }
}

#define FINISH(t, i, j)                                                                            \
    do {                                                                                           \
        if (job->m - (i) >= T && job->n - (j) >= T) {                                              \
            TILE_STORE(t, job->c + (i)*job->c_rs + (j), job->c_rs * sizeof(float));                \
        } else {                                                                                   \
            float buffer[T][T];                                                                    \
            TILE_STORE(t, buffer, TILE_BYTES);                                                     \
            copy_to_c(job, (i), (j), buffer);                                                      \
        }                                                                                          \
    } while (0)

#define READ_A(t, i, p)                                                                            \
    do {                                                                                           \
        uint16_t buffer[T][TERMS];                                                                 \
        struct place from = a_tile(job, (i), (p), buffer);                                         \
        TILE_LOAD(t, from.at, from.stride);                                                        \
    } while (0)

#define READ_B(t, p, j)                                                                            \
    do {                                                                                           \
        uint16_t buffer[T][TERMS];                                                                 \
        struct place from = b_tile(job, (p), (j), buffer);                                         \
        TILE_LOAD(t, from.at, from.stride);                                                        \
    } while (0)

/* More than T rows and columns from (i, j). Tiles 0-3: sums, 4-5: A, 6-7: B. */
static void block_2x2(const struct weft_bgemm *job, size_t i, size_t j)
{
    START(0, i, j);
    START(1, i, j + T);
    START(2, i + T, j);
    START(3, i + T, j + T);
    for (size_t p = 0; p < job->k; p += TERMS) {
        READ_A(4, i, p);
        READ_B(6, p, j);
        TILE_DOT(0, 4, 6);
        READ_B(7, p, j + T);
        TILE_DOT(1, 4, 7);
        READ_A(5, i + T, p);
        TILE_DOT(2, 5, 6);
        TILE_DOT(3, 5, 7);
    }
    FINISH(0, i, j);
    FINISH(1, i, j + T);
    FINISH(2, i + T, j);
    FINISH(3, i + T, j + T);
}

/* One tile down, n <= 3 across. Tiles 0-2: sums, 4: A, 5-7: B. */
static void block_1x3(const struct weft_bgemm *job, size_t i, size_t j, size_t n)
{
    START(0, i, j);
    if (n > 1) {
        START(1, i, j + T);
    }
    if (n > 2) {
        START(2, i, j + 2 * T);
    }
    for (size_t p = 0; p < job->k; p += TERMS) {
        READ_A(4, i, p);
        READ_B(5, p, j);
        TILE_DOT(0, 4, 5);
        if (n > 1) {
            READ_B(6, p, j + T);
            TILE_DOT(1, 4, 6);
        }
        if (n > 2) {
            READ_B(7, p, j + 2 * T);
            TILE_DOT(2, 4, 7);
        }
    }
    FINISH(0, i, j);
    if (n > 1) {
        FINISH(1, i, j + T);
    }
    if (n > 2) {
        FINISH(2, i, j + 2 * T);
    }
}

/* n <= 3 tiles down, one across. Tiles 0-2: sums, 4-6: A, 7: B. */
static void block_3x1(const struct weft_bgemm *job, size_t i, size_t j, size_t n)
{
    START(0, i, j);
    if (n > 1) {
        START(1, i + T, j);
    }
    if (n > 2) {
        START(2, i + 2 * T, j);
    }
    for (size_t p = 0; p < job->k; p += TERMS) {
        READ_B(7, p, j);
        READ_A(4, i, p);
        TILE_DOT(0, 4, 7);
        if (n > 1) {
            READ_A(5, i + T, p);
            TILE_DOT(1, 5, 7);
        }
        if (n > 2) {
            READ_A(6, i + 2 * T, p);
            TILE_DOT(2, 6, 7);
        }
    }
    FINISH(0, i, j);
    if (n > 1) {
        FINISH(1, i + T, j);
    }
    if (n > 2) {
        FINISH(2, i + 2 * T, j);
    }
}

/* How many of n rows or columns go into pairs of tiles: all, unless the last pair would hold one
 * tile alone. */
static size_t in_pairs(size_t n)
{
    size_t rest = n % (2 * T);
    return rest > T ? n : n - rest;
}

void AMX_BGEMM(const struct weft_bgemm *job)
{
    size_t m = in_pairs(job->m), n = in_pairs(job->n);
    for (size_t j = 0; j < n; j += 2 * T) {
        for (size_t i = 0; i < m; i += 2 * T) {
            block_2x2(job, i, j);
        }
    }
    for (size_t j = 0; m < job->m && j < n; j += 3 * T) {
        block_1x3(job, m, j, at_most((n - j + T - 1) / T, 3));
    }
    for (size_t i = 0; n < job->n && i < job->m; i += 3 * T) {
        block_3x1(job, i, n, at_most((job->m - i + T - 1) / T, 3));
    }
}
