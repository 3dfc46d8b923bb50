/* Decimal numbers: the short ones by one multiplication or division of exact operands (Clinger
 * 1990, "How to read floating point numbers accurately"), the others by strtod under the C locale.
 */
#include "data/number.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 1000
#define DIGITS_MAX 19 /* 10^19 < 2^64 */
#define EXACT_POWER 22

static const double powers[EXACT_POWER + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                               1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                               1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* sign mantissa * 10^exponent */
struct decimal {
    bool negative;
    uint64_t mantissa;
    unsigned n_digits; /* leading zeros among them; the mantissa is right up to DIGITS_MAX */
    int exponent;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const char *scan_digits(const char *p, struct decimal *decimal)
{
    const char *start = p;
    for (; is_digit(*p); p++) {
        decimal->mantissa = decimal->mantissa * 10 + (uint64_t)(*p - '0');
    }
    decimal->n_digits += p - start > TEXT_MAX ? TEXT_MAX : (unsigned)(p - start);
    return p;
}

/* Past an exponent at p, or NULL where it has no digits. */
static const char *scan_exponent(const char *p, struct decimal *decimal)
{
    p++;
    bool negative = *p == '-';
    p += negative || *p == '+';
    if (!is_digit(*p)) {
        return NULL;
    }
    int exponent = 0;
    for (; is_digit(*p); p++) {
        exponent = exponent < 100000 ? exponent * 10 + (*p - '0') : exponent;
    }
    decimal->exponent += negative ? -exponent : exponent;
    return p;
}

/* [+-] digits [. digits] [e [+-] digits], with a digit before or after the point; the first byte
 * after it, or NULL. */
static inline const char *scan(const char *p, struct decimal *decimal)
{
    *decimal = (struct decimal){.negative = *p == '-'};
    p += *p == '-' || *p == '+';
    p = scan_digits(p, decimal);
    if (*p == '.') {
        const char *fraction = p + 1;
        p = scan_digits(fraction, decimal);
        decimal->exponent = p - fraction > TEXT_MAX ? -TEXT_MAX : -(int)(p - fraction);
    }
    if (decimal->n_digits == 0) {
        return NULL;
    }
    return *p == 'e' || *p == 'E' ? scan_exponent(p, decimal) : p;
}

static double signed_value(const struct decimal *decimal, double value)
{
    return decimal->negative ? -value : value;
}

static inline double scaled(const struct decimal *decimal)
{
    double mantissa = (double)decimal->mantissa;
    return decimal->exponent < 0 ? mantissa / powers[-decimal->exponent]
                                 : mantissa * powers[decimal->exponent];
}

/* One rounding where the mantissa fits a double and the power is exact. */
static inline bool exact(const struct decimal *decimal)
{
    return decimal->n_digits <= DIGITS_MAX && decimal->mantissa <= (uint64_t)1 << DBL_MANT_DIG &&
           decimal->exponent >= -EXACT_POWER && decimal->exponent <= EXACT_POWER;
}

/* With up to 19 digits the mantissa is rounded too, so that the double may be 2 units off. That
 * gives the right float unless it is as near to the middle of two floats, where the 29 bits that a
 * float lacks are 1 followed by zeros. */
static bool rounds_safely(const struct decimal *decimal, double value)
{
    if (decimal->n_digits > DIGITS_MAX || decimal->exponent < -EXACT_POWER ||
        decimal->exponent > EXACT_POWER || !(value >= 1e-37 && value <= 1e37)) {
        return false;
    }
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint64_t lacking = bits & (((uint64_t)1 << 29) - 1);
    uint64_t middle = (uint64_t)1 << 28;
    return lacking < middle - 4 || lacking > middle + 4;
}

const char *weft_number_scan(const char *text, float *out)
{
    struct decimal decimal;
    const char *end = scan(text, &decimal);
    if (end == NULL || decimal.n_digits > DIGITS_MAX || decimal.exponent < -EXACT_POWER ||
        decimal.exponent > EXACT_POWER) {
        return NULL;
    }
    double value = scaled(&decimal);
    if (!exact(&decimal) && !rounds_safely(&decimal, value)) {
        return NULL;
    }
    *out = (float)signed_value(&decimal, value);
    return isfinite(*out) ? end : NULL;
}

/* text is a number by our own grammar already; only its value is wanted. */
static enum weft_number slow(const char *text, double *out)
{
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (c_locale == (locale_t)0) {
        return WEFT_NUMBER_NOT; /* cannot happen: POSIX promises the C locale */
    }
    locale_t callers = uselocale(c_locale);
    *out = strtod(text, NULL);
    uselocale(callers);
    freelocale(c_locale);
    return isfinite(*out) ? WEFT_NUMBER_OK : WEFT_NUMBER_RANGE;
}

enum weft_number weft_number_double(const char *text, size_t len, double *out)
{
    if (len == 0 || len > TEXT_MAX) {
        return WEFT_NUMBER_NOT;
    }
    char copy[TEXT_MAX + 1];
    memcpy(copy, text, len);
    copy[len] = '\0';
    struct decimal decimal;
    const char *end = scan(copy, &decimal);
    if (end != copy + len) {
        return WEFT_NUMBER_NOT;
    }
    if (exact(&decimal)) {
        *out = signed_value(&decimal, scaled(&decimal));
        return WEFT_NUMBER_OK;
    }
    return slow(copy, out);
}

enum weft_number weft_number_float(const char *text, size_t len, float *out)
{
    double value;
    enum weft_number result = weft_number_double(text, len, &value);
    if (result != WEFT_NUMBER_OK) {
        return result;
    }
    float narrow = (float)value;
    if (!isfinite(narrow)) {
        return WEFT_NUMBER_RANGE;
    }
    *out = narrow;
    return WEFT_NUMBER_OK;
}

bool weft_number_is_whole(double x)
{
    return fabs(x) < 0x1p53 && x == trunc(x);
}
