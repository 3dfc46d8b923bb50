/* IEEE 754 binary16 numbers as files hold them. */
#ifndef WEFT_BASE_HALF_H
#define WEFT_BASE_HALF_H

#include <stdint.h>

/* The same number; infinities and NaN stay what they are. */
float weft_half_to_float(uint16_t bits);

#endif
