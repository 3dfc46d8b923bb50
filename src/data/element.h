/* Numbers as binary files hold them: of every usual size, in either byte order. */
#ifndef WEFT_DATA_ELEMENT_H
#define WEFT_DATA_ELEMENT_H

#include <stdbool.h>
#include <stddef.h>

#include <weft/tensor.h>

enum weft_element_kind { WEFT_UNSIGNED, WEFT_SIGNED, WEFT_FLOATING, WEFT_BOOLEAN };

/* Integers of 1, 2, 4 or 8 bytes, IEEE floating-point numbers of 2, 4 or 8, truth values of 1. */
struct weft_element {
    enum weft_element_kind kind;
    size_t size; /* bytes */
    bool big_endian;
};

/* What such numbers become as features: bytes stay bytes, all others are rounded to float32. */
weft_dtype weft_element_dtype(const struct weft_element *element);

/* Whether features are the bytes of the file as they are. */
bool weft_element_is_plain(const struct weft_element *element);

/* Decodes n of them as doubles; truth values as 0 and 1, integers from 2^53 on rounded. */
void weft_element_doubles(const struct weft_element *element, const void *bytes, size_t n,
                          double *out);

/* Decodes n of them as features: of weft_element_dtype(). */
void weft_element_features(const struct weft_element *element, const void *bytes, size_t n,
                           void *out);

#endif
