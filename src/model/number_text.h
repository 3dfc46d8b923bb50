/* Numbers as text that every reader takes back to the same bits. */
#ifndef WEFT_MODEL_NUMBER_TEXT_H
#define WEFT_MODEL_NUMBER_TEXT_H

#include <stddef.h>

enum { WEFT_MAX_NUMBER = 24 }; /* more than "-1.23456789e-38" has */

/* Nine digits name a float32 uniquely. The decimal point is '.' whatever the locale says, and -0
 * is written as -0.0 because JSON readers drop the sign of a whole number. Returns the length; no
 * NUL is written. */
size_t weft_number_text(char out[WEFT_MAX_NUMBER], float value);

#endif
