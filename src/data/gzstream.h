/* The bytes of a regular file, decompressed where its content is gzip (RFC 1952), whatever its
 * name. Every way in which the compressed data can be broken is an error with the file's name. */
#ifndef WEFT_DATA_GZSTREAM_H
#define WEFT_DATA_GZSTREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/status.h>

/* How far weft_gzstream_peek() can look. */
#define WEFT_GZSTREAM_PEEK 512

struct weft_gzstream;

/* Opens a regular file that is not empty; never waits on a FIFO or a device.
 * Free with weft_gzstream_close(). */
WEFT_CHECKED weft_status weft_gzstream_open(const char *path, struct weft_gzstream **out,
                                            weft_error *err);

void weft_gzstream_close(struct weft_gzstream *stream);

/* Reads n bytes; *got < n only at the end of the data. A check sum is looked at where the end of
 * its member is read past, so a caller that stops early must ask for one byte more. */
WEFT_CHECKED weft_status weft_gzstream_read(struct weft_gzstream *stream, void *bytes, size_t n,
                                            size_t *got, weft_error *err);

/* The first bytes, up to WEFT_GZSTREAM_PEEK, without taking them; before any read. */
WEFT_CHECKED weft_status weft_gzstream_peek(struct weft_gzstream *stream,
                                            const unsigned char **bytes, size_t *got,
                                            weft_error *err);

const char *weft_gzstream_path(const struct weft_gzstream *stream);
bool weft_gzstream_is_gzip(const struct weft_gzstream *stream);

/* Whether the name ends in .gz though the content is not compressed. */
bool weft_gzstream_is_misnamed(const struct weft_gzstream *stream);

/* Bytes of the file as it is on disk. */
uint64_t weft_gzstream_file_bytes(const struct weft_gzstream *stream);

#endif
