/* Bytes as text, in the alphabet of RFC 4648, section 4. */
#ifndef WEFT_REPORT_BASE64_H
#define WEFT_REPORT_BASE64_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes that the text of n bytes takes, with the NUL at its end. */
size_t report_base64_size(size_t n);
void report_base64_encode(const unsigned char *bytes, size_t n, char *text);

/* Reads a text that stands for exactly n bytes; false where it is something else. */
bool report_base64_decode(const char *text, unsigned char *bytes, size_t n);

#endif
