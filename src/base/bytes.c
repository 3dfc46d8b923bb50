/* A growing row of bytes, and protocol buffers in it. */
#include "base/bytes.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

enum { SIZE_BYTES = 5 }; /* of a size below 2^35, seven bits in each */

void weft_bytes_release(struct weft_bytes *bytes)
{
    weft_mem_free(bytes->data);
    *bytes = (struct weft_bytes){0};
}

/* Makes room for n more. */
static bool reserve(struct weft_bytes *bytes, size_t n)
{
    if (bytes->failed || n <= bytes->room - bytes->n) {
        return !bytes->failed;
    }
    size_t room = bytes->room < SIZE_MAX / 4 ? 2 * bytes->room : bytes->room;
    size_t wanted = n <= SIZE_MAX - bytes->n ? bytes->n + n : SIZE_MAX;
    room = room < wanted ? wanted : room;
    unsigned char *data = weft_mem_grow(bytes->data, bytes->n, room, 1);
    bytes->failed = data == NULL;
    if (data != NULL) {
        bytes->data = data;
        bytes->room = room;
    }
    return data != NULL;
}

void weft_bytes_add(struct weft_bytes *bytes, const void *data, size_t n)
{
    if (n > 0 && reserve(bytes, n)) {
        memcpy(bytes->data + bytes->n, data, n);
        bytes->n += n;
    }
}

void weft_bytes_add_text(struct weft_bytes *bytes, const char *text)
{
    weft_bytes_add(bytes, text, strlen(text));
}

void weft_bytes_add_number(struct weft_bytes *bytes, uint64_t number, size_t size)
{
    unsigned char digits[8];
    assert(size <= sizeof digits);
    for (size_t i = 0; i < size; i++) {
        digits[i] = (unsigned char)(number >> (8 * i));
    }
    weft_bytes_add(bytes, digits, size);
}

void weft_bytes_add_floats(struct weft_bytes *bytes, const float *values, size_t n)
{
    size_t size;
    if (!weft_mul_fits(n, sizeof *values, &size)) {
        bytes->failed = true;
        return;
    }
    if (!reserve(bytes, size)) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        weft_bytes_add_number(bytes, bits, sizeof bits);
    }
}

void weft_bytes_add_f64(struct weft_bytes *bytes, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    weft_bytes_add_number(bytes, bits, sizeof bits);
}

static size_t varint(unsigned char *out, uint64_t value)
{
    size_t n = 0;
    for (; value >= 0x80; value >>= 7) {
        out[n++] = (unsigned char)(value | 0x80);
    }
    out[n++] = (unsigned char)value;
    return n;
}

static void add_varint(struct weft_bytes *bytes, uint64_t value)
{
    unsigned char digits[10];
    weft_bytes_add(bytes, digits, varint(digits, value));
}

void weft_proto_varint(struct weft_bytes *bytes, unsigned field, uint64_t value)
{
    add_varint(bytes, field << 3 | 0);
    add_varint(bytes, value);
}

void weft_proto_f32(struct weft_bytes *bytes, unsigned field, float value)
{
    add_varint(bytes, field << 3 | 5);
    weft_bytes_add_floats(bytes, &value, 1);
}

void weft_proto_f64(struct weft_bytes *bytes, unsigned field, double value)
{
    add_varint(bytes, field << 3 | 1);
    weft_bytes_add_f64(bytes, value);
}

void weft_proto_text(struct weft_bytes *bytes, unsigned field, const char *text)
{
    add_varint(bytes, field << 3 | 2);
    add_varint(bytes, strlen(text));
    weft_bytes_add_text(bytes, text);
}

size_t weft_proto_begin(struct weft_bytes *bytes, unsigned field)
{
    add_varint(bytes, field << 3 | 2);
    weft_bytes_add_number(bytes, 0, SIZE_BYTES);
    return bytes->n;
}

/* The size, which is known now, may take less than was left for it. */
void weft_proto_end(struct weft_bytes *bytes, size_t begin)
{
    if (bytes->failed) {
        return;
    }
    size_t n = bytes->n - begin;
    unsigned char digits[10];
    size_t n_digits = varint(digits, n);
    assert(n_digits <= SIZE_BYTES);
    unsigned char *at = bytes->data + begin - SIZE_BYTES;
    memcpy(at, digits, n_digits);
    memmove(at + n_digits, bytes->data + begin, n);
    bytes->n -= SIZE_BYTES - n_digits;
}
