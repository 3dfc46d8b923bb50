/* Reads plain and gzip files through one interface. zlib's inflate is driven by hand rather than
 * through gzread, which takes a truncated file or garbage after the last member for a normal end.
 * Members may follow one another (RFC 1952, section 2.2); zeros after the last one are padding, as
 * for gzip(1). */
#include "data/gzstream.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/fail.h"
#include "base/mem.h"

#define INPUT_BYTES ((size_t)1 << 17)

struct weft_gzstream {
    int fd;
    char *path;
    bool is_gzip;
    bool between;        /* a member has ended and the next one has not begun */
    bool ended;          /* nothing follows */
    uint64_t file_bytes; /* as the file was when opened */
    uint64_t n_read;     /* bytes taken from the file; z.avail_in of them wait in input */
    z_stream z;
    unsigned char *input; /* [INPUT_BYTES] as they are in the file */
    size_t head_at, head_len;
    unsigned char head[WEFT_GZSTREAM_PEEK]; /* looked at ahead of time */
};

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

static weft_status read_fd(struct weft_gzstream *stream, void *bytes, size_t n, size_t *got,
                           weft_error *err)
{
    ssize_t taken;
    do {
        taken = read(stream->fd, bytes, n < SSIZE_MAX ? n : SSIZE_MAX);
    } while (taken < 0 && errno == EINTR);
    if (taken < 0) {
        return weft_fail_errno(err, errno, "%s: cannot read", stream->path);
    }
    stream->n_read += (uint64_t)taken;
    *got = (size_t)taken;
    return WEFT_OK;
}

/* Tries to have at least `wanted` bytes waiting; fewer only at the end of the file. */
static weft_status fill(struct weft_gzstream *stream, size_t wanted, weft_error *err)
{
    z_stream *z = &stream->z;
    if (z->avail_in >= wanted) {
        return WEFT_OK;
    }
    memmove(stream->input, z->next_in, z->avail_in);
    z->next_in = stream->input;
    while (z->avail_in < wanted) {
        size_t got = 0;
        weft_status status =
            read_fd(stream, stream->input + z->avail_in, INPUT_BYTES - z->avail_in, &got, err);
        if (status != WEFT_OK) {
            return status;
        }
        if (got == 0) {
            break;
        }
        z->avail_in += (uInt)got;
    }
    return WEFT_OK;
}

static bool starts_member(const z_stream *z)
{
    return z->avail_in >= 2 && z->next_in[0] == 0x1f && z->next_in[1] == 0x8b;
}

static weft_status open_regular(struct weft_gzstream *stream, const char *path, weft_error *err)
{
    /* O_NONBLOCK: opening a FIFO must not wait for a writer; on regular files it does nothing. */
    stream->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat info;
    if (stream->fd < 0 || fstat(stream->fd, &info) != 0) {
        return weft_fail_errno(err, errno, "%s", path);
    }
    if (!S_ISREG(info.st_mode)) {
        return weft_fail(err, WEFT_ERR_IO, "%s: not a regular file", path);
    }
    if (info.st_size == 0) {
        return weft_fail(err, WEFT_ERR_FORMAT, "%s: the file is empty", path);
    }
    stream->file_bytes = (uint64_t)info.st_size;
    return WEFT_OK;
}

static weft_status start(struct weft_gzstream *stream, weft_error *err)
{
    weft_status status = fill(stream, 2, err);
    if (status != WEFT_OK || !starts_member(&stream->z)) {
        return status;
    }
    stream->z.zalloc = zlib_alloc;
    stream->z.zfree = zlib_free;
    if (inflateInit2(&stream->z, MAX_WBITS + 16) != Z_OK) { /* + 16: gzip wrapping */
        return weft_fail_nomem(err, "decompression");
    }
    stream->is_gzip = true;
    return WEFT_OK;
}

weft_status weft_gzstream_open(const char *path, struct weft_gzstream **out, weft_error *err)
{
    struct weft_gzstream *stream = weft_mem_zalloc(1, sizeof *stream);
    if (stream == NULL) {
        return weft_fail_nomem(err, "a file reader");
    }
    stream->fd = -1;
    stream->path = weft_mem_strdup(path);
    stream->input = weft_mem_alloc(INPUT_BYTES, 1);
    if (stream->path == NULL || stream->input == NULL) {
        weft_gzstream_close(stream);
        return weft_fail_nomem(err, "a file reader");
    }
    stream->z.next_in = stream->input;
    weft_status status = open_regular(stream, path, err);
    if (status == WEFT_OK) {
        status = start(stream, err);
    }
    if (status != WEFT_OK) {
        weft_gzstream_close(stream);
        return status;
    }
    *out = stream;
    return WEFT_OK;
}

void weft_gzstream_close(struct weft_gzstream *stream)
{
    if (stream == NULL) {
        return;
    }
    if (stream->is_gzip) {
        inflateEnd(&stream->z);
    }
    if (stream->fd >= 0) {
        close(stream->fd);
    }
    weft_mem_free(stream->input);
    weft_mem_free(stream->path);
    weft_mem_free(stream);
}

static unsigned long long position(const struct weft_gzstream *stream)
{
    return stream->n_read - stream->z.avail_in;
}

static weft_status fail_corrupt(const struct weft_gzstream *stream, weft_error *err)
{
    const char *why = stream->z.msg == NULL ? "zlib names no cause" : stream->z.msg;
    if (strcmp(why, "incorrect data check") == 0) {
        return weft_fail(err, WEFT_ERR_FORMAT,
                         "%s: corrupt gzip data: its check sum (CRC-32) does not fit",
                         stream->path);
    }
    if (strcmp(why, "incorrect length check") == 0) {
        return weft_fail(err, WEFT_ERR_FORMAT,
                         "%s: corrupt gzip data: its length is not the one stated at its end",
                         stream->path);
    }
    return weft_fail(err, WEFT_ERR_FORMAT, "%s: corrupt gzip data near byte %llu: %s", stream->path,
                     position(stream), why);
}

/* After the last member nothing but zeros may follow. */
static weft_status skip_padding(struct weft_gzstream *stream, weft_error *err)
{
    z_stream *z = &stream->z;
    for (;;) {
        for (; z->avail_in > 0 && *z->next_in == 0; z->next_in++, z->avail_in--) {
        }
        if (z->avail_in > 0) {
            return weft_fail(err, WEFT_ERR_FORMAT,
                             "%s: trailing garbage: the gzip data ends before byte %llu of %llu",
                             stream->path, position(stream),
                             (unsigned long long)stream->file_bytes);
        }
        weft_status status = fill(stream, 1, err);
        if (status != WEFT_OK) {
            return status;
        }
        if (z->avail_in == 0) {
            stream->ended = true;
            return WEFT_OK;
        }
    }
}

static weft_status next_member(struct weft_gzstream *stream, weft_error *err)
{
    weft_status status = fill(stream, 2, err);
    if (status != WEFT_OK) {
        return status;
    }
    if (!starts_member(&stream->z)) {
        return skip_padding(stream, err);
    }
    int reset = inflateReset(&stream->z);
    assert(reset == Z_OK);
    (void)reset;
    stream->between = false;
    return WEFT_OK;
}

/* Decompresses at most n bytes; *got may be 0 before the end, too. */
static weft_status inflate_some(struct weft_gzstream *stream, unsigned char *bytes, size_t n,
                                size_t *got, weft_error *err)
{
    *got = 0;
    if (stream->between) {
        return next_member(stream, err);
    }
    weft_status status = fill(stream, 1, err);
    if (status != WEFT_OK) {
        return status;
    }
    if (stream->z.avail_in == 0) {
        return weft_fail(err, WEFT_ERR_FORMAT,
                         "%s: truncated: the file ends after %llu bytes, amid its gzip data",
                         stream->path, position(stream));
    }
    uInt room = n < UINT_MAX ? (uInt)n : UINT_MAX;
    stream->z.next_out = bytes;
    stream->z.avail_out = room;
    int result = inflate(&stream->z, Z_NO_FLUSH);
    *got = room - stream->z.avail_out;
    if (result == Z_STREAM_END) {
        stream->between = true;
    } else if (result == Z_MEM_ERROR) {
        return weft_fail_nomem(err, "decompression");
    } else if (result != Z_OK) {
        return fail_corrupt(stream, err);
    }
    return WEFT_OK;
}

static weft_status copy_some(struct weft_gzstream *stream, unsigned char *bytes, size_t n,
                             size_t *got, weft_error *err)
{
    z_stream *z = &stream->z;
    if (z->avail_in == 0) {
        weft_status status = read_fd(stream, bytes, n, got, err);
        stream->ended = status == WEFT_OK && *got == 0;
        return status;
    }
    *got = n < z->avail_in ? n : z->avail_in;
    memcpy(bytes, z->next_in, *got);
    z->next_in += *got;
    z->avail_in -= (uInt)*got;
    return WEFT_OK;
}

weft_status weft_gzstream_read(struct weft_gzstream *stream, void *bytes, size_t n, size_t *got,
                               weft_error *err)
{
    size_t ahead = stream->head_len - stream->head_at;
    size_t total = n < ahead ? n : ahead;
    memcpy(bytes, stream->head + stream->head_at, total);
    stream->head_at += total;
    while (total < n && !stream->ended) {
        unsigned char *rest = (unsigned char *)bytes + total;
        size_t more = 0;
        weft_status status = stream->is_gzip ? inflate_some(stream, rest, n - total, &more, err)
                                             : copy_some(stream, rest, n - total, &more, err);
        if (status != WEFT_OK) {
            return status;
        }
        total += more;
    }
    *got = total;
    return WEFT_OK;
}

weft_status weft_gzstream_peek(struct weft_gzstream *stream, const unsigned char **bytes,
                               size_t *got, weft_error *err)
{
    assert(stream->head_at == 0);
    if (stream->head_len == 0) {
        size_t len;
        weft_status status =
            weft_gzstream_read(stream, stream->head, sizeof stream->head, &len, err);
        if (status != WEFT_OK) {
            return status;
        }
        stream->head_len = len;
    }
    *bytes = stream->head;
    *got = stream->head_len;
    return WEFT_OK;
}

const char *weft_gzstream_path(const struct weft_gzstream *stream)
{
    return stream->path;
}

bool weft_gzstream_is_gzip(const struct weft_gzstream *stream)
{
    return stream->is_gzip;
}

bool weft_gzstream_is_misnamed(const struct weft_gzstream *stream)
{
    size_t len = strlen(stream->path);
    return !stream->is_gzip && len > 3 && strcasecmp(stream->path + len - 3, ".gz") == 0;
}

uint64_t weft_gzstream_file_bytes(const struct weft_gzstream *stream)
{
    return stream->file_bytes;
}
