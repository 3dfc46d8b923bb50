/* Decodes numbers of binary files. The loops are over one size each, so that the compiler can make
 * vector code of them. */
#include "data/element.h"

#include <stdint.h>
#include <string.h>

#include "base/half.h"

static uint64_t swapped(uint64_t bits, size_t size)
{
    return __builtin_bswap64(bits) >> (64 - 8 * size);
}

static double value_of(uint64_t bits, enum weft_element_kind kind, size_t size)
{
    if (kind == WEFT_UNSIGNED) {
        return (double)bits;
    }
    if (kind == WEFT_BOOLEAN) {
        return bits == 0 ? 0 : 1;
    }
    if (kind == WEFT_SIGNED) {
        unsigned unused = (unsigned)(64 - 8 * size);
        return (double)((int64_t)(bits << unused) >> unused);
    }
    if (size == 2) {
        return (double)weft_half_to_float((uint16_t)bits);
    }
    if (size == 4) {
        uint32_t narrow = (uint32_t)bits;
        float value;
        memcpy(&value, &narrow, sizeof value);
        return (double)value;
    }
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* With kind, size and order constant wherever it is inlined. */
static inline __attribute__((always_inline)) void decode(const unsigned char *bytes, size_t n,
                                                         enum weft_element_kind kind, size_t size,
                                                         bool big_endian, double *out)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t bits = 0;
        memcpy(&bits, bytes + i * size, size);
        out[i] = value_of(big_endian ? swapped(bits, size) : bits, kind, size);
    }
}

static inline __attribute__((always_inline)) void decode_sizes(const unsigned char *bytes, size_t n,
                                                               enum weft_element_kind kind,
                                                               size_t size, bool big_endian,
                                                               double *out)
{
    switch (size) {
    case 1:
        decode(bytes, n, kind, 1, false, out);
        return;
    case 2:
        decode(bytes, n, kind, 2, big_endian, out);
        return;
    case 4:
        decode(bytes, n, kind, 4, big_endian, out);
        return;
    default:
        decode(bytes, n, kind, 8, big_endian, out);
    }
}

void weft_element_doubles(const struct weft_element *element, const void *bytes, size_t n,
                          double *out)
{
    bool big_endian = element->big_endian;
    switch (element->kind) {
    case WEFT_UNSIGNED:
        decode_sizes(bytes, n, WEFT_UNSIGNED, element->size, big_endian, out);
        return;
    case WEFT_SIGNED:
        decode_sizes(bytes, n, WEFT_SIGNED, element->size, big_endian, out);
        return;
    case WEFT_BOOLEAN:
        decode_sizes(bytes, n, WEFT_BOOLEAN, element->size, big_endian, out);
        return;
    default:
        decode_sizes(bytes, n, WEFT_FLOATING, element->size, big_endian, out);
    }
}

weft_dtype weft_element_dtype(const struct weft_element *element)
{
    return element->kind == WEFT_UNSIGNED && element->size == 1 ? WEFT_U8 : WEFT_F32;
}

bool weft_element_is_plain(const struct weft_element *element)
{
    bool is_float = element->kind == WEFT_FLOATING && element->size == 4 && !element->big_endian;
    return is_float || weft_element_dtype(element) == WEFT_U8;
}

void weft_element_features(const struct weft_element *element, const void *bytes, size_t n,
                           void *out)
{
    enum { GROUP = 512 }; /* stays in the innermost cache */
    if (weft_element_is_plain(element)) {
        memcpy(out, bytes, n * element->size);
        return;
    }
    double values[GROUP];
    float *features = out;
    for (size_t done = 0; done < n; done += GROUP) {
        size_t group = n - done < GROUP ? n - done : GROUP;
        weft_element_doubles(element, (const unsigned char *)bytes + done * element->size, group,
                             values);
        for (size_t i = 0; i < group; i++) {
            features[done + i] = (float)values[i];
        }
    }
}
