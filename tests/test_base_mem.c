/* Allocation. */
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "harness.h"
#include "test_base.h"

static void blocks_are_aligned(void)
{
    static const size_t sizes[] = {0, 1, 63, 64, 65, 4095, 4096, 100001};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        unsigned char *block = weft_mem_alloc(sizes[i], 1);
        unsigned char *zeros = weft_mem_zalloc(sizes[i], 3);
        CHECK(block != NULL && (uintptr_t)block % WEFT_CACHE_LINE == 0);
        CHECK(zeros != NULL && (uintptr_t)zeros % WEFT_CACHE_LINE == 0);
        if (block != NULL && zeros != NULL) {
            memset(block, 0xAA, sizes[i]);
            size_t n_set = 0;
            for (size_t j = 0; j < 3 * sizes[i]; j++) {
                n_set += zeros[j] != 0;
            }
            CHECK_UINT(n_set, 0);
        }
        weft_mem_free(block);
        weft_mem_free(zeros);
    }
    weft_mem_free(NULL);
}

static void products(void)
{
    static const struct {
        size_t a, b;
        bool fits;
    } cases[] = {
        {0, 0, true},
        {0, SIZE_MAX, true},
        {SIZE_MAX, 0, true},
        {1, SIZE_MAX, true},
        {SIZE_MAX, 1, true},
        {2, SIZE_MAX / 2, true},
        {2, SIZE_MAX / 2 + 1, false},
        {SIZE_MAX / 3, 3, true},
        {SIZE_MAX / 3 + 1, 3, false},
        {SIZE_MAX, SIZE_MAX, false},
        {(size_t)1 << (sizeof(size_t) * 4), (size_t)1 << (sizeof(size_t) * 4), false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t product = 77;
        CHECK_INT(weft_mul_fits(cases[i].a, cases[i].b, &product), cases[i].fits);
        CHECK_UINT(product, cases[i].fits ? cases[i].a * cases[i].b : 77);
    }
}

static void sizes_that_overflow_are_refused(void)
{
    CHECK(weft_mem_alloc(SIZE_MAX, 1) == NULL);
    CHECK(weft_mem_alloc(SIZE_MAX / 4 + 1, 4) == NULL);
    CHECK(weft_mem_alloc(SIZE_MAX / 2 + 2, 1) == NULL);
    CHECK(weft_mem_zalloc(SIZE_MAX, SIZE_MAX) == NULL);
    char *block = weft_mem_strdup("kept");
    CHECK(weft_mem_grow(block, 5, SIZE_MAX / 2, 4) == NULL);
    CHECK_STR(block, "kept");
    weft_mem_free(block);
}

static void growing_keeps_what_was_there(void)
{
    uint32_t *array = NULL;
    size_t n = 0;
    for (size_t wanted = 1; wanted < 5000; wanted = wanted * 2 + 1) {
        uint32_t *grown = weft_mem_grow(array, n, wanted, sizeof *array);
        if (!CHECK(grown != NULL)) {
            break;
        }
        array = grown;
        for (; n < wanted; n++) {
            array[n] = (uint32_t)n * 7;
        }
        size_t n_wrong = 0;
        for (size_t i = 0; i < n; i++) {
            n_wrong += array[i] != i * 7;
        }
        CHECK_UINT(n_wrong, 0);
    }
    weft_mem_free(array);
}

static void strings_are_copied(void)
{
    const char text[] = "eine Schnur";
    char *copy = weft_mem_strdup(text);
    CHECK(copy != text);
    CHECK_STR(copy, text);
    weft_mem_free(copy);
    copy = weft_mem_strdup("");
    CHECK_STR(copy, "");
    weft_mem_free(copy);
}

/* Which of five allocations of each kind fails. */
static void the_nth_allocation_fails_once(void)
{
    for (size_t n = 1; n <= 5; n++) {
        size_t before = weft_mem_count();
        weft_mem_fail_at(n);
        void *blocks[5] = {weft_mem_alloc(1, 1), weft_mem_zalloc(1, 1), weft_mem_strdup("x"),
                           weft_mem_grow(NULL, 0, 1, 1), weft_mem_alloc(2, 8)};
        CHECK_UINT(weft_mem_count() - before, 5);
        for (size_t i = 0; i < 5; i++) {
            CHECK_INT(blocks[i] == NULL, i + 1 == n);
            weft_mem_free(blocks[i]);
        }
    }
    weft_mem_fail_at(1);
    weft_mem_fail_at(0);
    void *block = weft_mem_alloc(1, 1);
    CHECK(block != NULL);
    weft_mem_free(block);
}

CU_TestInfo mem_tests[] = {
    {"blocks are aligned", blocks_are_aligned},
    {"products", products},
    {"sizes that overflow are refused", sizes_that_overflow_are_refused},
    {"growing keeps what was there", growing_keeps_what_was_there},
    {"strings are copied", strings_are_copied},
    {"the n-th allocation fails once", the_nth_allocation_fails_once},
    CU_TEST_INFO_NULL,
};
