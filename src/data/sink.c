/* Output through zlib (RFC 1952) or as it is. */
#include "data/sink.h"

#include <string.h>

#include "base/fail.h"
#include "base/mem.h"

#define PACKED_BYTES ((size_t)1 << 16)

static void *zlib_alloc(void *opaque, uInt count, uInt size)
{
    (void)opaque;
    return weft_mem_zalloc(count, size);
}

static void zlib_free(void *opaque, void *block)
{
    (void)opaque;
    weft_mem_free(block);
}

static void release(struct weft_sink *sink)
{
    if (sink->is_gzip) {
        deflateEnd(&sink->z);
    }
    weft_mem_free(sink->packed);
    *sink = (struct weft_sink){0};
}

weft_status weft_sink_open(struct weft_sink *sink, const char *path, weft_error *err)
{
    size_t len = strlen(path);
    *sink = (struct weft_sink){0};
    weft_status status = weft_safefile_open(&sink->file, path, err);
    if (status != WEFT_OK || len < 3 || strcmp(path + len - 3, ".gz") != 0) {
        return status;
    }
    sink->z.zalloc = zlib_alloc;
    sink->z.zfree = zlib_free;
    sink->packed = weft_mem_alloc(PACKED_BYTES, 1);
    sink->is_gzip =
        sink->packed != NULL && deflateInit2(&sink->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED,
                                             MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK;
    if (!sink->is_gzip) {
        weft_sink_abort(sink);
        return weft_fail_nomem(err, "compression");
    }
    return WEFT_OK;
}

static void deflate_all(struct weft_sink *sink, int flush)
{
    int result;
    do {
        sink->z.next_out = sink->packed;
        sink->z.avail_out = PACKED_BYTES;
        result = deflate(&sink->z, flush);
        sink->failed = sink->failed || result == Z_STREAM_ERROR;
        size_t n = PACKED_BYTES - sink->z.avail_out;
        fwrite(sink->packed, 1, n, sink->file.stream);
    } while (!sink->failed && sink->z.avail_out == 0);
}

void weft_sink_write(struct weft_sink *sink, const void *bytes, size_t n)
{
    const size_t most = (size_t)1 << 30; /* fits zlib's counts */
    sink->n += n;
    if (sink->counts_crc) {
        sink->crc = (uint32_t)crc32_z(sink->crc, bytes, n);
    }
    if (!sink->is_gzip) {
        fwrite(bytes, 1, n, sink->file.stream);
        return;
    }
    for (const unsigned char *at = bytes; n > 0;) {
        size_t some = n < most ? n : most;
        sink->z.next_in = (unsigned char *)at;
        sink->z.avail_in = (uInt)some;
        deflate_all(sink, Z_NO_FLUSH);
        at += some;
        n -= some;
    }
}

weft_status weft_sink_commit(struct weft_sink *sink, weft_error *err)
{
    if (sink->is_gzip) {
        sink->z.avail_in = 0;
        deflate_all(sink, Z_FINISH);
    }
    if (sink->failed) {
        weft_status status =
            weft_fail(err, WEFT_ERR_IO, "%s: cannot be compressed", sink->file.path);
        weft_sink_abort(sink);
        return status;
    }
    weft_status status = weft_safefile_commit(&sink->file, err);
    release(sink);
    return status;
}

void weft_sink_abort(struct weft_sink *sink)
{
    weft_safefile_abort(&sink->file);
    release(sink);
}
