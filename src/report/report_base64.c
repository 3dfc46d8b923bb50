/* Base64. */
#include "report/report_base64.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t report_base64_size(size_t n)
{
    return (n + 2) / 3 * 4 + 1;
}

void report_base64_encode(const unsigned char *bytes, size_t n, char *text)
{
    for (size_t i = 0; i < n; i += 3) {
        size_t left = n - i;
        unsigned long group = (unsigned long)bytes[i] << 16 |
                              (left > 1 ? (unsigned long)bytes[i + 1] << 8 : 0) |
                              (left > 2 ? (unsigned long)bytes[i + 2] : 0);
        *text++ = alphabet[group >> 18];
        *text++ = alphabet[group >> 12 & 63];
        *text++ = left > 1 ? alphabet[group >> 6 & 63] : '=';
        *text++ = left > 2 ? alphabet[group & 63] : '=';
    }
    *text = '\0';
}

bool report_base64_decode(const char *text, unsigned char *bytes, size_t n)
{
    if (strlen(text) + 1 != report_base64_size(n)) {
        return false;
    }
    for (size_t i = 0; i < n; i += 3, text += 4) {
        unsigned long group = 0;
        for (size_t k = 0; k < 4; k++) {
            /* What stands for bytes behind the end is padding. */
            bool padding = k > 0 && i + k > n;
            const char *digit = strchr(alphabet, text[k]);
            if (padding ? text[k] != '=' : digit == NULL) {
                return false;
            }
            group = group << 6 | (padding ? 0 : (unsigned long)(digit - alphabet));
        }
        for (size_t k = 0; k < 3 && i + k < n; k++) {
            bytes[i + k] = (unsigned char)(group >> (16 - 8 * k));
        }
    }
    return true;
}
