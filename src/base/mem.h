/* The one place where the library takes memory: aligned to cache lines, sizes checked for overflow,
 * and able to fail on demand for tests. */
#ifndef WEFT_BASE_MEM_H
#define WEFT_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>

#define WEFT_CACHE_LINE 64

/* *product = a * b; false where it does not fit. */
bool weft_mul_fits(size_t a, size_t b, size_t *product);

/* count * size bytes, aligned to WEFT_CACHE_LINE, not initialised; NULL where that overflows or
 * there is no memory. A size of 0 gives a pointer that may be freed. Free with weft_mem_free(). */
void *weft_mem_alloc(size_t count, size_t size) __attribute__((warn_unused_result));

/* The same, zeroed. */
void *weft_mem_zalloc(size_t count, size_t size) __attribute__((warn_unused_result));

/* Moves an array of old_count elements into one of new_count (>= old_count); the new ones are not
 * initialised. NULL on failure, and `block` is then still valid. `block` may be NULL with old_count
 * 0. */
void *weft_mem_grow(void *block, size_t old_count, size_t new_count, size_t size)
    __attribute__((warn_unused_result));

/* A copy of a string, or NULL. */
char *weft_mem_strdup(const char *text) __attribute__((warn_unused_result));

void weft_mem_free(void *block);

/* For tests: how many allocations were tried since the program started; and let the n-th from now
 * on (1 = the next) fail once, 0 = none. Not for use while other threads allocate. */
size_t weft_mem_count(void);
void weft_mem_fail_at(size_t n);

#endif
