/* Lists of the columns or rows that are not all zero, for sets without better instructions.
 *
 * The including file defines WEFT_SET(name), which adds its suffix to a name. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The bits of a float but for its sign: 0 only for a zero. */
static inline uint32_t magnitude(const float *x)
{
    uint32_t bits;
    memcpy(&bits, x, sizeof bits);
    return bits & 0x7FFFFFFFu;
}

static size_t WEFT_SET(used_columns)(size_t rows, size_t cols, const float *x, size_t x_rs,
                                     uint32_t *list)
{
    enum { BLOCK = 16 };
    size_t n = 0;
    for (size_t j0 = 0; j0 < cols; j0 += BLOCK) {
        size_t width = cols - j0 < BLOCK ? cols - j0 : BLOCK;
        uint32_t any[BLOCK] = {0};
        for (size_t i = 0; i < rows; i++) {
            for (size_t j = 0; j < width; j++) {
                any[j] |= magnitude(x + i * x_rs + j0 + j);
            }
        }
        for (size_t j = 0; j < width; j++) {
            list[n] = (uint32_t)(j0 + j);
            n += any[j] != 0;
        }
    }
    return n;
}

static size_t WEFT_SET(used_rows)(size_t rows, size_t cols, const float *x, size_t x_rs,
                                  uint32_t *list)
{
    size_t n = 0;
    for (size_t i = 0; i < rows; i++) {
        uint32_t any = 0;
        for (size_t j = 0; j < cols; j++) {
            any |= magnitude(x + i * x_rs + j);
        }
        list[n] = (uint32_t)i;
        n += any != 0;
    }
    return n;
}
