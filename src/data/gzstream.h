/* The bytes of a regular file, decompressed where its content is gzip (RFC 1952), whatever its
 * name; or those of a part of a file, such as a member of an archive. Every way in which the
 * compressed data can be broken is an error with the file's name. */
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

/* A part of a file: n_packed bytes from `start` on, as they are or deflated (RFC 1951), that come
 * to n_bytes with the CRC-32 given. `name` stands for the part in messages. */
struct weft_gzstream_part {
    const char *name;
    uint64_t start, n_packed, n_bytes;
    uint32_t crc;
    bool is_deflated;
};
WEFT_CHECKED weft_status weft_gzstream_open_part(const char *path,
                                                 const struct weft_gzstream_part *part,
                                                 struct weft_gzstream **out, weft_error *err);

void weft_gzstream_close(struct weft_gzstream *stream);

/* Reads n bytes; *got < n only at the end of the data. A check sum is looked at where the end of
 * its member is read past, so a caller that stops early must ask for one byte more. */
WEFT_CHECKED weft_status weft_gzstream_read(struct weft_gzstream *stream, void *bytes, size_t n,
                                            size_t *got, weft_error *err);

/* The first bytes, up to WEFT_GZSTREAM_PEEK, without taking them; before any read. */
WEFT_CHECKED weft_status weft_gzstream_peek(struct weft_gzstream *stream,
                                            const unsigned char **bytes, size_t *got,
                                            weft_error *err);

/* Goes on `offset` bytes behind the start of the data, which must be within it: at once where it is
 * not compressed (the check sum of a part is then not looked at unless offset is 0), else by
 * decompressing all before it. What was looked at ahead is forgotten. */
WEFT_CHECKED weft_status weft_gzstream_seek(struct weft_gzstream *stream, uint64_t offset,
                                            weft_error *err);

/* For messages; of a part "FILE: NAME". */
const char *weft_gzstream_path(const struct weft_gzstream *stream);

/* Whether the content is compressed, in one way or another. */
bool weft_gzstream_is_packed(const struct weft_gzstream *stream);

/* Whether the name ends in .gz though the content is not compressed. */
bool weft_gzstream_is_misnamed(const struct weft_gzstream *stream);

/* Bytes of the file, or of the part, as they are on disk. */
uint64_t weft_gzstream_file_bytes(const struct weft_gzstream *stream);

#endif
