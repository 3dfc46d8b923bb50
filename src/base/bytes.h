/* A growing row of bytes, for formats that want sizes before what they are the sizes of. Numbers
 * are little-endian. */
#ifndef WEFT_BASE_BYTES_H
#define WEFT_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A zeroed struct is empty. */
struct weft_bytes {
    unsigned char *data;
    size_t n, room;
    bool failed; /* there was no memory; all calls do nothing from then on */
};

void weft_bytes_release(struct weft_bytes *bytes);

/* Appends n bytes. */
void weft_bytes_add(struct weft_bytes *bytes, const void *data, size_t n);
void weft_bytes_add_text(struct weft_bytes *bytes, const char *text);

/* Appends the low `size` (<= 8) bytes of a number. */
void weft_bytes_add_number(struct weft_bytes *bytes, uint64_t number, size_t size);

void weft_bytes_add_f64(struct weft_bytes *bytes, double value);
void weft_bytes_add_floats(struct weft_bytes *bytes, const float *values, size_t n);

/* Protocol buffers (https://protobuf.dev/programming-guides/encoding): fields of one message after
 * the other. A message within is what is appended between begin and end. */
void weft_proto_varint(struct weft_bytes *bytes, unsigned field, uint64_t value);
void weft_proto_f32(struct weft_bytes *bytes, unsigned field, float value);
void weft_proto_f64(struct weft_bytes *bytes, unsigned field, double value);
void weft_proto_text(struct weft_bytes *bytes, unsigned field, const char *text);

/* Starts a field of bytes or a message; what it returns is for weft_proto_end(). */
size_t weft_proto_begin(struct weft_bytes *bytes, unsigned field);
void weft_proto_end(struct weft_bytes *bytes, size_t begin);

#endif
