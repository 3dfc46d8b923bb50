/* See amx_emulation.h. */
#include "amx_emulation.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    int configured;
    size_t rows[AMX_TILES], row_bytes[AMX_TILES];
    uint8_t data[AMX_TILES][AMX_ROWS][AMX_ROW_BYTES];
} state;

struct amx_counts amx_counts;

/* Where the processor would raise an exception. */
static void demand(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "amx emulation: %s\n", what);
        abort();
    }
}

void amx_configure(const void *p)
{
    const uint8_t *bytes = p;
    demand(bytes[0] == 1, "palette 1 is the only one");
    demand(bytes[1] == 0, "start_row is 0 but after an interrupted load");
    for (size_t i = 2; i < 16; i++) {
        demand(bytes[i] == 0, "reserved bytes are 0");
    }
    memset(&state, 0, sizeof state);
    for (size_t t = 0; t < 16; t++) {
        uint16_t row_bytes;
        memcpy(&row_bytes, bytes + 16 + 2 * t, sizeof row_bytes);
        size_t rows = bytes[48 + t];
        demand(row_bytes <= AMX_ROW_BYTES && rows <= AMX_ROWS, "a tile is at most 16 x 64 bytes");
        demand((rows == 0) == (row_bytes == 0), "rows and bytes are both 0 or neither");
        demand(t < AMX_TILES || rows == 0, "there are eight tiles");
        if (t < AMX_TILES) {
            state.rows[t] = rows;
            state.row_bytes[t] = row_bytes;
        }
    }
    state.configured = 1;
    amx_counts.n_configured++;
}

void amx_release(void)
{
    memset(&state, 0, sizeof state);
    amx_counts.n_released++;
}

static void demand_tile(int tile)
{
    demand(state.configured, "no configuration was loaded");
    demand(tile >= 0 && tile < AMX_TILES && state.rows[tile] > 0, "this tile is not configured");
}

void amx_zero(int tile)
{
    demand_tile(tile);
    memset(state.data[tile], 0, sizeof state.data[tile]);
}

void amx_load(int tile, const void *p, size_t stride)
{
    amx_zero(tile);
    for (size_t i = 0; i < state.rows[tile]; i++) {
        memcpy(state.data[tile][i], (const uint8_t *)p + i * stride, state.row_bytes[tile]);
    }
    amx_counts.n_loads++;
}

void amx_store(int tile, void *p, size_t stride)
{
    demand_tile(tile);
    for (size_t i = 0; i < state.rows[tile]; i++) {
        memcpy((uint8_t *)p + i * stride, state.data[tile][i], state.row_bytes[tile]);
    }
    amx_counts.n_stores++;
}

/* Denormal numbers count as 0, as operands and as results. */
static float flushed(float x)
{
    return fabsf(x) < FLT_MIN ? copysignf(0, x) : x;
}

static float bf16_at(const uint8_t *row, size_t index)
{
    uint16_t half;
    memcpy(&half, row + 2 * index, sizeof half);
    uint32_t bits = (uint32_t)half << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return flushed(value);
}

/* The products of first and of second elements are summed apart, by FMA, over all pairs of the
 * tiles; then both sums are added, and that to c. */
static float dot_of_row(int a, int b, size_t m, size_t n)
{
    float sums[2] = {0, 0};
    for (size_t k = 0; k < state.row_bytes[a] / 4; k++) {
        for (size_t half = 0; half < 2; half++) {
            float x = bf16_at(state.data[a][m], 2 * k + half);
            float y = bf16_at(state.data[b][k], 2 * n + half);
            sums[half] = flushed(fmaf(x, y, sums[half]));
        }
    }
    return flushed(sums[0] + sums[1]);
}

void amx_dot_bf16(int c, int a, int b)
{
    demand_tile(a);
    demand_tile(b);
    demand_tile(c);
    demand(a != b && b != c && a != c, "the tiles are three");
    demand(state.rows[a] == state.rows[c], "a and c have the same rows");
    demand(state.row_bytes[b] == state.row_bytes[c], "b and c have the same columns");
    demand(state.row_bytes[a] == 4 * state.rows[b], "a's terms are b's rows");
    for (size_t m = 0; m < state.rows[c]; m++) {
        for (size_t n = 0; n < state.row_bytes[c] / 4; n++) {
            float sum;
            memcpy(&sum, &state.data[c][m][4 * n], sizeof sum);
            sum = flushed(flushed(sum) + dot_of_row(a, b, m, n));
            memcpy(&state.data[c][m][4 * n], &sum, sizeof sum);
        }
    }
    amx_counts.n_dots++;
}
