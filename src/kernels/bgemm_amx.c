/* The bfloat16 product by AMX; needs AVX512BW for rows that end within a tile. Every thread that
 * calls it has called weft_amx_enter() before and calls weft_amx_leave() afterwards: state that is
 * left in the tile registers makes every switch of threads save 8 KiB more. */
#include <immintrin.h>

/* gcc 12 does not know that these read memory. */
#define WRITTEN() __asm__ volatile("" ::: "memory")

#define TILE_CONFIGURE(p)                                                                          \
    do {                                                                                           \
        WRITTEN();                                                                                 \
        _tile_loadconfig(p);                                                                       \
    } while (0)
#define TILE_RELEASE() _tile_release()
#define TILE_ZERO(t) _tile_zero(t)
#define TILE_LOAD(t, p, stride)                                                                    \
    do {                                                                                           \
        WRITTEN();                                                                                 \
        _tile_loadd(t, p, stride);                                                                 \
    } while (0)
#define TILE_STORE(t, p, stride) _tile_stored(t, p, stride)
#define TILE_DOT(c, a, b) _tile_dpbf16ps(c, a, b)
#define COPY_ROW(to, from, n)                                                                      \
    _mm512_storeu_si512(to, _mm512_maskz_loadu_epi16((__mmask32)((1ull << (n)) - 1), from))
#define AMX_BGEMM weft_bgemm_amx
#define AMX_ENTER weft_amx_enter
#define AMX_LEAVE weft_amx_leave
#include "kernels/bgemm_amx_template.h"
