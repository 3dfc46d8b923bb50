/* Strict parsing of numbers. */
#include "cli/strict_number.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

bool cli_parse_whole(const char *text, uint64_t *out)
{
    uint64_t value = 0;
    const char *c = text;
    for (; *c >= '0' && *c <= '9'; c++) {
        uint64_t digit = (uint64_t)(*c - '0');
        if (value > (UINT64_MAX - digit) / 10) {
            return false;
        }
        value = 10 * value + digit;
    }
    if (c == text || *c != '\0') {
        return false;
    }
    *out = value;
    return true;
}

static size_t count_digits(const char **c)
{
    const char *start = *c;
    while (**c >= '0' && **c <= '9') {
        ++*c;
    }
    return (size_t)(*c - start);
}

static void skip_sign(const char **c)
{
    if (**c == '+' || **c == '-') {
        ++*c;
    }
}

static bool is_real(const char *c)
{
    skip_sign(&c);
    size_t digits = count_digits(&c);
    if (*c == '.') {
        c++;
        digits += count_digits(&c);
    }
    if (digits == 0) {
        return false;
    }
    if (*c == 'e' || *c == 'E') {
        c++;
        skip_sign(&c);
        if (count_digits(&c) == 0) {
            return false;
        }
    }
    return *c == '\0';
}

bool cli_parse_real(const char *text, double *out)
{
    if (!is_real(text)) {
        return false;
    }
    /* The program never calls setlocale(), so strtod() knows the point as the decimal mark. */
    double value = strtod(text, NULL);
    if (!isfinite(value)) {
        return false;
    }
    *out = value;
    return true;
}
