/* The AMX instructions that weft uses in plain C, as the Intel SDM (vol. 1, ch. 18, and the pages
 * of LDTILECFG, TILELOADD, TILESTORED, TILEZERO, TDPBF16PS) tells what they do to registers and
 * memory. What the processor would refuse ends the program. One thread only. */
#ifndef WEFT_TESTS_AMX_EMULATION_H
#define WEFT_TESTS_AMX_EMULATION_H

#include <stddef.h>
#include <stdint.h>

enum { AMX_TILES = 8, AMX_ROWS = 16, AMX_ROW_BYTES = 64 };

/* `p` is the 64 bytes of LDTILECFG. */
void amx_configure(const void *p);
void amx_release(void);
void amx_zero(int tile);
void amx_load(int tile, const void *p, size_t stride);
void amx_store(int tile, void *p, size_t stride);
void amx_dot_bf16(int c, int a, int b);

/* How many of each were run, to see that a test reached what it was after. */
struct amx_counts {
    size_t n_configured, n_released, n_loads, n_stores, n_dots;
};
extern struct amx_counts amx_counts;

#endif
