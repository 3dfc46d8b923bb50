/* Files to write, compressed or not, that appear whole or not at all. */
#ifndef WEFT_DATA_SINK_H
#define WEFT_DATA_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zlib.h>

#include "base/safefile.h"

/* A zeroed struct is empty. */
struct weft_sink {
    struct weft_safefile file;
    bool is_gzip, failed; /* failed: zlib did */
    z_stream z;
    unsigned char *packed; /* of zlib */
    uint64_t n;            /* bytes written */
    uint32_t crc;          /* of them, where counts_crc */
    bool counts_crc;
};

/* gzip where the name ends in .gz. */
WEFT_CHECKED weft_status weft_sink_open(struct weft_sink *sink, const char *path, weft_error *err);

/* Errors are sticky and seen by the commit. */
void weft_sink_write(struct weft_sink *sink, const void *bytes, size_t n);

/* Makes the file appear and empties the struct; on failure removes it. */
WEFT_CHECKED weft_status weft_sink_commit(struct weft_sink *sink, weft_error *err);

/* Harmless on an empty one. */
void weft_sink_abort(struct weft_sink *sink);

#endif
