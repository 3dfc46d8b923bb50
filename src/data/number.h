/* Decimal numbers in text, read exactly and independently of the locale. What C takes beyond
 * decimals (hexadecimal, nan, inf) is no number here. */
#ifndef WEFT_DATA_NUMBER_H
#define WEFT_DATA_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

enum weft_number {
    WEFT_NUMBER_OK,
    WEFT_NUMBER_NOT,   /* something else, or more than 1000 characters */
    WEFT_NUMBER_RANGE, /* a number, but too large */
};

/* The double nearest to all of text[0..len). */
enum weft_number weft_number_double(const char *text, size_t len, double *out);

/* That double as a float. */
enum weft_number weft_number_float(const char *text, size_t len, float *out);

/* The quick way for a number that is followed by a byte that cannot belong to one: where that byte
 * is, or NULL where text must go through weft_number_float(). The same values. */
const char *weft_number_scan(const char *text, float *out);

/* Whether a double is a whole number that it holds exactly with its neighbours: |x| < 2^53. */
bool weft_number_is_whole(double x);

#endif
