/* Aligned, overflow-checked allocation with a hook for failure tests. */
#include "base/mem.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static atomic_size_t n_tried; /* a statistic and a test hook, no more: relaxed everywhere */
static atomic_size_t fail_at; /* value of n_tried whose allocation fails; 0: none */

bool weft_mul_fits(size_t a, size_t b, size_t *product)
{
    if (b != 0 && a > SIZE_MAX / b) {
        return false;
    }
    *product = a * b;
    return true;
}

void *weft_mem_alloc(size_t count, size_t size)
{
    size_t tried = atomic_fetch_add_explicit(&n_tried, 1, memory_order_relaxed) + 1;
    if (tried == atomic_load_explicit(&fail_at, memory_order_relaxed)) {
        return NULL;
    }
    size_t bytes;
    if (!weft_mul_fits(count, size, &bytes) || bytes > SIZE_MAX / 2) {
        return NULL;
    }
    /* Not aligned_alloc(): it wants whole lines, and rounded sizes hide overruns from checkers. */
    void *block;
    return posix_memalign(&block, WEFT_CACHE_LINE, bytes == 0 ? 1 : bytes) == 0 ? block : NULL;
}

void *weft_mem_zalloc(size_t count, size_t size)
{
    void *block = weft_mem_alloc(count, size);
    if (block != NULL) {
        memset(block, 0, count * size);
    }
    return block;
}

void *weft_mem_grow(void *block, size_t old_count, size_t new_count, size_t size)
{
    void *grown = weft_mem_alloc(new_count, size);
    if (grown != NULL && block != NULL) {
        memcpy(grown, block, old_count * size);
        weft_mem_free(block);
    }
    return grown;
}

char *weft_mem_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = weft_mem_alloc(size, 1);
    if (copy != NULL) {
        memcpy(copy, text, size);
    }
    return copy;
}

void weft_mem_free(void *block)
{
    free(block);
}

size_t weft_mem_count(void)
{
    return atomic_load_explicit(&n_tried, memory_order_relaxed);
}

void weft_mem_fail_at(size_t n)
{
    size_t at = n == 0 ? 0 : weft_mem_count() + n;
    atomic_store_explicit(&fail_at, at, memory_order_relaxed);
}
