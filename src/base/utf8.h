/* UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef WEFT_BASE_UTF8_H
#define WEFT_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the character that a NUL-ended text starts with: 1..4, or 0 where its first bytes are no
 * UTF-8. */
size_t weft_utf8_len(const char *text);

bool weft_utf8_valid(const char *text);

#endif
