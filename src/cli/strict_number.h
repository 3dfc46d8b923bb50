/* Numbers as people write them on a command line, and nothing else: no blanks, no hex, no nan or
 * inf, nothing behind the number. */
#ifndef WEFT_CLI_STRICT_NUMBER_H
#define WEFT_CLI_STRICT_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* Decimal digits only. False for anything else, and for numbers from 2^64 on. */
bool cli_parse_whole(const char *text, uint64_t *out);

/* [+-]digits[.digits][e[+-]digits], at least one digit before or after the point. False for
 * anything else, and for numbers beyond the range of a double. */
bool cli_parse_real(const char *text, double *out);

#endif
