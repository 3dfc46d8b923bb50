/* Checking of UTF-8. */
#include "base/utf8.h"

static bool continues(unsigned char byte)
{
    return (byte & 0xC0) == 0x80;
}

size_t weft_utf8_len(const char *text)
{
    const unsigned char *byte = (const unsigned char *)text;
    if (byte[0] < 0x80) {
        return 1;
    }
    /* From here the NUL at the end of the text continues nothing, so no byte after it is read. */
    if (byte[0] < 0xC2 || byte[0] > 0xF4 || !continues(byte[1])) {
        return 0;
    }
    if (byte[0] < 0xE0) {
        return 2;
    }
    if (!continues(byte[2])) {
        return 0;
    }
    if (byte[0] < 0xF0) {
        bool overlong = byte[0] == 0xE0 && byte[1] < 0xA0;
        bool surrogate = byte[0] == 0xED && byte[1] > 0x9F;
        return overlong || surrogate ? 0 : 3;
    }
    bool overlong = byte[0] == 0xF0 && byte[1] < 0x90;
    bool too_high = byte[0] == 0xF4 && byte[1] > 0x8F;
    return overlong || too_high || !continues(byte[3]) ? 0 : 4;
}

bool weft_utf8_valid(const char *text)
{
    while (*text != '\0') {
        size_t len = weft_utf8_len(text);
        if (len == 0) {
            return false;
        }
        text += len;
    }
    return true;
}
