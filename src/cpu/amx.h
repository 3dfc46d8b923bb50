/* AMX needs more than a bit of CPUID: a process has to ask Linux for its tile registers. */
#ifndef WEFT_AMX_H
#define WEFT_AMX_H

#include <stdint.h>

/* WEFT_CPU_AMX_TILE and WEFT_CPU_AMX_BF16 where this process may use them, else 0. The first call
 * on a CPU that has AMX asks Linux for the tile registers, for all threads of the process and for
 * good; nothing happens on others. */
uint32_t weft_amx_usable(void);

#endif
