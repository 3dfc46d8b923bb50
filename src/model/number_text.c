/* float32 as decimal text. */
#include "model/number_text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

size_t weft_number_text(char out[WEFT_MAX_NUMBER], float value)
{
    char text[WEFT_MAX_NUMBER];
    snprintf(text, sizeof text, "%.9g", (double)value);
    if (value == 0 && signbit(value)) {
        strcpy(text, "-0.0");
    }
    size_t len = 0;
    for (const char *at = text; *at != '\0';) {
        size_t n_plain = strspn(at, "0123456789+-e");
        memcpy(out + len, at, n_plain);
        len += n_plain;
        at += n_plain;
        if (*at != '\0') {
            out[len++] = '.';
            at += strcspn(at, "0123456789+-e");
        }
    }
    return len;
}
