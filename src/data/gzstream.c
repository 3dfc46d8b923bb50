/* Reads plain and gzip files and parts of archives through one interface. zlib's inflate is driven
 * by hand rather than through gzread, which takes a truncated file or garbage after the last member
 * for a normal end.
 * Members may follow one another (RFC 1952, section 2.2); zeros after the last one are padding, as
 * for gzip(1). */
#include "data/gzstream.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/fail.h"
#include "base/mem.h"

#define INPUT_BYTES ((size_t)1 << 17)

enum packing { PLAIN, GZIP, DEFLATE };

struct weft_gzstream {
    int fd;
    char *path;
    enum packing packing;
    bool between; /* a member has ended and the next one has not begun */
    bool ended;   /* nothing follows */
    bool is_part;
    bool is_summed;           /* a part that has been read from its start on: crc is of all of it */
    uint64_t start;           /* of the data in the file */
    uint64_t file_bytes;      /* as the file was when opened; of a part its own */
    uint64_t n_read;          /* bytes taken from the file; z.avail_in of them wait in input */
    uint64_t n_out, n_wanted; /* of a part: bytes delivered, and all that it should have */
    uint32_t crc, crc_wanted;
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
    size_t most = n < SSIZE_MAX ? n : SSIZE_MAX;
    if (stream->is_part && stream->file_bytes - stream->n_read < most) {
        most = (size_t)(stream->file_bytes - stream->n_read);
    }
    do {
        taken = read(stream->fd, bytes, most);
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

static weft_status start_inflating(struct weft_gzstream *stream, enum packing packing,
                                   weft_error *err)
{
    stream->z.zalloc = zlib_alloc;
    stream->z.zfree = zlib_free;
    int bits = packing == GZIP ? MAX_WBITS + 16 : -MAX_WBITS; /* negative: no wrapping */
    if (inflateInit2(&stream->z, bits) != Z_OK) {
        return weft_fail_nomem(err, "decompression");
    }
    stream->packing = packing;
    return WEFT_OK;
}

static weft_status start(struct weft_gzstream *stream, weft_error *err)
{
    weft_status status = fill(stream, 2, err);
    if (status != WEFT_OK || !starts_member(&stream->z)) {
        return status;
    }
    return start_inflating(stream, GZIP, err);
}

static weft_status seek_fd(struct weft_gzstream *stream, uint64_t offset, weft_error *err)
{
    if (lseek(stream->fd, (off_t)(stream->start + offset), SEEK_SET) < 0) {
        return weft_fail_errno(err, errno, "%s: cannot go to byte %llu", stream->path,
                               (unsigned long long)offset);
    }
    stream->n_read = offset;
    stream->z.next_in = stream->input;
    stream->z.avail_in = 0;
    return WEFT_OK;
}

/* Makes of a file that is open one of its parts. */
static weft_status narrow(struct weft_gzstream *stream, const struct weft_gzstream_part *part,
                          weft_error *err)
{
    uint64_t whole = stream->file_bytes;
    if (part->start > whole || part->n_packed > whole - part->start ||
        (!part->is_deflated && part->n_packed != part->n_bytes)) {
        return weft_fail(err, WEFT_ERR_FORMAT,
                         "%s: %llu bytes (%llu decompressed) from byte %llu on are more than the "
                         "file has (%llu)",
                         stream->path, (unsigned long long)part->n_packed,
                         (unsigned long long)part->n_bytes, (unsigned long long)part->start,
                         (unsigned long long)whole);
    }
    stream->is_part = true;
    stream->is_summed = true;
    stream->start = part->start;
    stream->file_bytes = part->n_packed;
    stream->n_wanted = part->n_bytes;
    stream->crc_wanted = part->crc;
    weft_status status = seek_fd(stream, 0, err);
    return status == WEFT_OK && part->is_deflated ? start_inflating(stream, DEFLATE, err) : status;
}

/* `name` may be NULL. */
static char *name_of(const char *path, const char *name)
{
    if (name == NULL) {
        return weft_mem_strdup(path);
    }
    size_t size = strlen(path) + strlen(name) + 3;
    char *text = weft_mem_alloc(size, 1);
    if (text != NULL) {
        snprintf(text, size, "%s: %s", path, name);
    }
    return text;
}

/* `part` may be NULL for the whole file. */
static weft_status open_stream(const char *path, const struct weft_gzstream_part *part,
                               struct weft_gzstream **out, weft_error *err)
{
    struct weft_gzstream *stream = weft_mem_zalloc(1, sizeof *stream);
    if (stream == NULL) {
        return weft_fail_nomem(err, "a file reader");
    }
    stream->fd = -1;
    stream->path = name_of(path, part == NULL ? NULL : part->name);
    stream->input = weft_mem_alloc(INPUT_BYTES, 1);
    if (stream->path == NULL || stream->input == NULL) {
        weft_gzstream_close(stream);
        return weft_fail_nomem(err, "a file reader");
    }
    stream->z.next_in = stream->input;
    weft_status status = open_regular(stream, path, err);
    if (status == WEFT_OK) {
        status = part == NULL ? start(stream, err) : narrow(stream, part, err);
    }
    if (status != WEFT_OK) {
        weft_gzstream_close(stream);
        return status;
    }
    *out = stream;
    return WEFT_OK;
}

weft_status weft_gzstream_open(const char *path, struct weft_gzstream **out, weft_error *err)
{
    return open_stream(path, NULL, out, err);
}

weft_status weft_gzstream_open_part(const char *path, const struct weft_gzstream_part *part,
                                    struct weft_gzstream **out, weft_error *err)
{
    return open_stream(path, part, out, err);
}

void weft_gzstream_close(struct weft_gzstream *stream)
{
    if (stream == NULL) {
        return;
    }
    if (stream->packing != PLAIN) {
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
    const char *packing = stream->packing == GZIP ? "gzip" : "deflated";
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
    return weft_fail(err, WEFT_ERR_FORMAT, "%s: corrupt %s data near byte %llu: %s", stream->path,
                     packing, position(stream), why);
}

/* Where all of a part has been delivered: it must be what was promised. */
static weft_status end_part(struct weft_gzstream *stream, weft_error *err)
{
    stream->ended = true;
    if (stream->n_out != stream->n_wanted || position(stream) != stream->file_bytes) {
        return weft_fail(err, WEFT_ERR_FORMAT,
                         "%s: %llu bytes from %llu in the file, its entry promises %llu from %llu",
                         stream->path, (unsigned long long)stream->n_out, position(stream),
                         (unsigned long long)stream->n_wanted,
                         (unsigned long long)stream->file_bytes);
    }
    if (stream->is_summed && stream->crc != stream->crc_wanted) {
        return weft_fail(err, WEFT_ERR_FORMAT, "%s: corrupt: its check sum (CRC-32) does not fit",
                         stream->path);
    }
    return WEFT_OK;
}

/* Takes note of n bytes delivered from a part. */
static weft_status count_part(struct weft_gzstream *stream, const unsigned char *bytes, size_t n,
                              weft_error *err)
{
    stream->n_out += n;
    if (stream->is_summed) {
        stream->crc = (uint32_t)crc32_z(stream->crc, bytes, n);
    }
    if (stream->n_out > stream->n_wanted) {
        return weft_fail(err, WEFT_ERR_FORMAT, "%s: goes on after the %llu bytes promised",
                         stream->path, (unsigned long long)stream->n_wanted);
    }
    return WEFT_OK;
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
                         "%s: truncated: the %s ends after %llu bytes, amid its %s data",
                         stream->path, stream->is_part ? "part" : "file", position(stream),
                         stream->packing == GZIP ? "gzip" : "deflated");
    }
    uInt room = n < UINT_MAX ? (uInt)n : UINT_MAX;
    stream->z.next_out = bytes;
    stream->z.avail_out = room;
    int result = inflate(&stream->z, Z_NO_FLUSH);
    *got = room - stream->z.avail_out;
    if (stream->is_part && (result == Z_OK || result == Z_STREAM_END)) {
        status = count_part(stream, bytes, *got, err);
        return status == WEFT_OK && result == Z_STREAM_END ? end_part(stream, err) : status;
    }
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
        if (status == WEFT_OK && stream->is_part) {
            status = stream->ended ? end_part(stream, err) : count_part(stream, bytes, *got, err);
        }
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
        weft_status status = stream->packing == PLAIN
                                 ? copy_some(stream, rest, n - total, &more, err)
                                 : inflate_some(stream, rest, n - total, &more, err);
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

/* To the start of the data. */
static weft_status rewind_stream(struct weft_gzstream *stream, weft_error *err)
{
    weft_status status = seek_fd(stream, 0, err);
    if (status == WEFT_OK && stream->packing != PLAIN) {
        int reset = inflateReset(&stream->z);
        assert(reset == Z_OK);
        (void)reset;
    }
    stream->head_at = stream->head_len = 0;
    stream->between = stream->ended = false;
    stream->n_out = 0;
    stream->crc = 0;
    stream->is_summed = stream->is_part;
    return status;
}

weft_status weft_gzstream_seek(struct weft_gzstream *stream, uint64_t offset, weft_error *err)
{
    weft_status status = rewind_stream(stream, err);
    if (status == WEFT_OK && stream->packing == PLAIN && offset > 0) {
        stream->n_out = offset;
        stream->is_summed = false;
        return seek_fd(stream, offset, err);
    }
    while (status == WEFT_OK && offset > 0) {
        unsigned char skipped[4096];
        size_t n = offset < sizeof skipped ? (size_t)offset : sizeof skipped, got = 0;
        status = weft_gzstream_read(stream, skipped, n, &got, err);
        if (status == WEFT_OK && got < n) {
            return weft_fail(err, WEFT_ERR_FORMAT, "%s: shorter than when it was first read",
                             stream->path);
        }
        offset -= got;
    }
    return status;
}

const char *weft_gzstream_path(const struct weft_gzstream *stream)
{
    return stream->path;
}

bool weft_gzstream_is_packed(const struct weft_gzstream *stream)
{
    return stream->packing != PLAIN;
}

bool weft_gzstream_is_misnamed(const struct weft_gzstream *stream)
{
    size_t len = strlen(stream->path);
    return stream->packing == PLAIN && len > 3 && strcasecmp(stream->path + len - 3, ".gz") == 0;
}

uint64_t weft_gzstream_file_bytes(const struct weft_gzstream *stream)
{
    return stream->file_bytes;
}
