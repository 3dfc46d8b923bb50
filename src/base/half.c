/* binary16: 1 sign, 5 exponent (bias 15; binary32 has 127), 10 mantissa bits. */
#include "base/half.h"

#include <string.h>

float weft_half_to_float(uint16_t bits)
{
    uint32_t sign = (uint32_t)bits >> 15 << 31, exponent = bits >> 10 & 31, mantissa = bits & 1023;
    if (exponent == 0) {
        float size = (float)mantissa * 0x1p-24f;
        return sign != 0 ? -size : size;
    }
    uint32_t wide = exponent == 31 ? 255 : exponent + 127 - 15;
    uint32_t widened = sign | wide << 23 | mantissa << 13;
    float value;
    memcpy(&value, &widened, sizeof value);
    return value;
}
