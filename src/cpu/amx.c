/* The permission to use AMX, in three steps that must all succeed: CPUID names the instructions
 * (Intel SDM vol. 2A, CPUID leaf 7), XCR0 says that the system saves the tile registers (vol. 1,
 * 13.3 and 18.3), and Linux grants this process their 8 KiB of state, which it does on request
 * only (Documentation/arch/x86/xstate.rst). */
#define _DEFAULT_SOURCE /* syscall() */
#include "cpu/amx.h"

#include "cpu/cpu.h"

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <immintrin.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    CPUID1_ECX_OSXSAVE = 27,
    CPUID7_EDX_AMX_BF16 = 22,
    CPUID7_EDX_AMX_TILE = 24,
    XCR0_TILECFG = 17,
    XCR0_TILEDATA = 18,
    ARCH_GET_XCOMP_PERM = 0x1022,
    ARCH_REQ_XCOMP_PERM = 0x1023,
};

static bool bit(uint64_t bits, int index)
{
    return (bits >> index & 1) != 0;
}

static uint32_t present(void)
{
    unsigned a, b, c, d;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
        return 0;
    }
    return (bit(d, CPUID7_EDX_AMX_TILE) ? WEFT_CPU_AMX_TILE : 0) |
           (bit(d, CPUID7_EDX_AMX_BF16) ? WEFT_CPU_AMX_BF16 : 0);
}

/* Executes XGETBV, which is there where OSXSAVE is. */
__attribute__((target("xsave"))) static bool saved_by_system(void)
{
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !bit(c, CPUID1_ECX_OSXSAVE)) {
        return false;
    }
    uint64_t xcr0 = (uint64_t)_xgetbv(0);
    return bit(xcr0, XCR0_TILECFG) && bit(xcr0, XCR0_TILEDATA);
}

/* What Linux grants is read back: the request alone succeeds on some kernels that then refuse. */
static bool granted_by_linux(void)
{
    uint64_t mask = 0;
    return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XCR0_TILEDATA) == 0 &&
           syscall(SYS_arch_prctl, ARCH_GET_XCOMP_PERM, &mask) == 0 && bit(mask, XCR0_TILEDATA);
}

uint32_t weft_amx_usable(void)
{
    uint32_t features = present();
    return features != 0 && saved_by_system() && granted_by_linux() ? features : 0;
}
#else
uint32_t weft_amx_usable(void)
{
    return 0;
}
#endif
