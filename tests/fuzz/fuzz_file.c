/* Files in memory (memfd_create), which are regular files to all that opens them. */
#include "fuzz_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void fuzz_must(int condition, const char *text)
{
    if (!condition) {
        fprintf(stderr, "broken promise: %s\n", text);
        abort();
    }
}

const char *fuzz_file(int slot, const void *bytes, size_t n)
{
    static int files[2];
    static char paths[2][32];
    if (files[slot] == 0) {
        files[slot] = memfd_create("fuzz", MFD_CLOEXEC);
        FUZZ_MUST(files[slot] > 0);
        snprintf(paths[slot], sizeof paths[slot], "/proc/self/fd/%d", files[slot]);
    }
    FUZZ_MUST(ftruncate(files[slot], (off_t)n) == 0);
    FUZZ_MUST(pwrite(files[slot], bytes, n, 0) == (ssize_t)n);
    return paths[slot];
}
