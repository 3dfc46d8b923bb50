/* Reads the directory at the end of a ZIP archive, with its extension for large files (ZIP64), and
 * finds where the data of a member is. Sizes are taken from the directory alone: those in front of
 * the data may be missing. */
#include "data/zip_directory.h"

#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/mem.h"
#include "data/dataset_impl.h"

#define END_BYTES 22       /* of the end record, without its comment */
#define LOCATOR_BYTES 20   /* of what comes before it in a large archive */
#define LARGE_END_BYTES 56 /* what that leads to */
#define ENTRY_BYTES 46     /* of a member, without its name */
#define LOCAL_BYTES 30
#define COMMENT_MAX 65535
#define DIRECTORY_MAX ((uint64_t)1 << 24)
#define MEMBERS_MAX 10000
#define ENCRYPTED 1u
#define STORED 0
#define DEFLATED 8

static uint64_t le(const unsigned char *bytes, size_t n)
{
    uint64_t value = 0;
    for (size_t i = n; i-- > 0;) {
        value = value << 8 | bytes[i];
    }
    return value;
}

bool weft_zip_looks_so(const unsigned char *bytes, size_t n)
{
    /* The second is that of an archive without members. */
    return n >= 4 && (memcmp(bytes, "PK\3\4", 4) == 0 || memcmp(bytes, "PK\5\6", 4) == 0);
}

static weft_status fail(const struct weft_gzstream *file, const char *what, weft_error *err)
{
    return weft_fail(err, WEFT_ERR_FORMAT, "%s: broken ZIP archive: %s", weft_gzstream_path(file),
                     what);
}

/* Reads n bytes from `at` on, which lie inside the file. */
static weft_status read_at(struct weft_gzstream *file, uint64_t at, void *bytes, size_t n,
                           weft_error *err)
{
    size_t got = 0;
    weft_status status = weft_gzstream_seek(file, at, err);
    if (status == WEFT_OK) {
        status = weft_gzstream_read(file, bytes, n, &got, err);
    }
    return status == WEFT_OK && got < n ? fail(file, "it ends while it is read", err) : status;
}

/* Where the directory is. */
struct place {
    uint64_t at, bytes, n;
};

/* The end record of a large archive, which the locator at `locator` leads to. */
static weft_status read_large_end(struct weft_gzstream *file, const unsigned char *locator,
                                  uint64_t locator_at, struct place *place, weft_error *err)
{
    unsigned char end[LARGE_END_BYTES];
    uint64_t at = le(locator + 8, 8);
    if (memcmp(locator, "PK\6\7", 4) != 0 || locator_at < sizeof end ||
        at > locator_at - sizeof end) {
        return fail(file, "its ZIP64 locator leads nowhere", err);
    }
    weft_status status = read_at(file, at, end, sizeof end, err);
    if (status == WEFT_OK && memcmp(end, "PK\6\6", 4) != 0) {
        return fail(file, "its ZIP64 locator leads nowhere", err);
    }
    if (status == WEFT_OK) {
        *place = (struct place){.at = le(end + 48, 8), .bytes = le(end + 40, 8)};
        place->n = le(end + 32, 8);
    }
    return status;
}

/* Finds the end record in the last `n` bytes of the file; it may be followed by a comment. */
static const unsigned char *find_end(const unsigned char *tail, size_t n)
{
    for (size_t i = n - END_BYTES + 1; i-- > 0;) {
        if (memcmp(tail + i, "PK\5\6", 4) == 0 && le(tail + i + 20, 2) == n - i - END_BYTES) {
            return tail + i;
        }
    }
    return NULL;
}

static weft_status read_end(struct weft_gzstream *file, unsigned char *tail, size_t n,
                            struct place *place, weft_error *err)
{
    uint64_t file_bytes = weft_gzstream_file_bytes(file), start = file_bytes - n;
    weft_status status = read_at(file, start, tail, n, err);
    if (status != WEFT_OK) {
        return status;
    }
    const unsigned char *end = find_end(tail, n);
    if (end == NULL) {
        return fail(file, "it has no directory at its end: truncated?", err);
    }
    uint64_t limit = start + (uint64_t)(end - tail);
    *place = (struct place){.at = le(end + 16, 4), .bytes = le(end + 12, 4), .n = le(end + 10, 2)};
    if (place->at == UINT32_MAX || place->bytes == UINT32_MAX || place->n == UINT16_MAX) {
        if (end - tail < LOCATOR_BYTES) {
            return fail(file, "its ZIP64 locator is missing", err);
        }
        limit -= LOCATOR_BYTES;
        status = read_large_end(file, end - LOCATOR_BYTES, limit, place, err);
    }
    if (status == WEFT_OK && (place->bytes > limit || place->at > limit - place->bytes ||
                              place->n > place->bytes / ENTRY_BYTES)) {
        return fail(file, "its directory does not fit into the file", err);
    }
    if (status == WEFT_OK && (place->bytes > DIRECTORY_MAX || place->n > MEMBERS_MAX)) {
        return fail(file, "more than 10000 members, or 16 MB of their names", err);
    }
    return status;
}

static weft_status find_directory(struct weft_gzstream *file, struct place *place, weft_error *err)
{
    uint64_t file_bytes = weft_gzstream_file_bytes(file);
    size_t n = END_BYTES + COMMENT_MAX + LOCATOR_BYTES;
    n = n < file_bytes ? n : (size_t)file_bytes;
    if (n < END_BYTES) {
        return fail(file, "it has no directory at its end: truncated?", err);
    }
    unsigned char *tail = weft_mem_alloc(n, 1);
    if (tail == NULL) {
        return weft_fail_nomem(err, "a read buffer");
    }
    weft_status status = read_end(file, tail, n, place, err);
    weft_mem_free(tail);
    return status;
}

/* Sizes that do not fit 4 bytes are in an extra field, in this order. */
static bool read_large_sizes(struct weft_zip_member *member, const unsigned char *extra, size_t n)
{
    uint64_t *sizes[] = {&member->n_bytes, &member->n_packed, &member->at};
    while (n >= 4) {
        size_t len = (size_t)le(extra + 2, 2);
        if (len > n - 4) {
            return false;
        }
        if (le(extra, 2) == 1) {
            const unsigned char *at = extra + 4;
            for (size_t i = 0; i < 3; i++) {
                if (*sizes[i] == UINT32_MAX) {
                    if (len < 8) {
                        return false;
                    }
                    *sizes[i] = le(at, 8);
                    at += 8;
                    len -= 8;
                }
            }
            return true;
        }
        extra += 4 + len;
        n -= 4 + len;
    }
    return true;
}

/* Reads one entry and copies its name to *names, which is moved behind it. */
static weft_status read_entry(const struct weft_gzstream *file, const unsigned char **at,
                              const unsigned char *end, struct weft_zip_member *member,
                              char **names, weft_error *err)
{
    const unsigned char *entry = *at;
    size_t left = (size_t)(end - entry);
    if (left < ENTRY_BYTES || memcmp(entry, "PK\1\2", 4) != 0) {
        return fail(file, "an entry of its directory is none", err);
    }
    size_t name = (size_t)le(entry + 28, 2), extra = (size_t)le(entry + 30, 2);
    size_t bytes = ENTRY_BYTES + name + extra + (size_t)le(entry + 32, 2);
    if (bytes > left) {
        return fail(file, "an entry of its directory is cut off", err);
    }
    *member = (struct weft_zip_member){
        .name = *names,
        .flags = (unsigned)le(entry + 8, 2),
        .method = (unsigned)le(entry + 10, 2),
        .crc = (uint32_t)le(entry + 16, 4),
        .n_packed = le(entry + 20, 4),
        .n_bytes = le(entry + 24, 4),
        .at = le(entry + 42, 4),
    };
    if (!read_large_sizes(member, entry + ENTRY_BYTES + name, extra)) {
        return fail(file, "an extra field of its directory is cut off", err);
    }
    memcpy(*names, entry + ENTRY_BYTES, name);
    (*names)[name] = '\0';
    *names += name + 1;
    *at += bytes;
    return WEFT_OK;
}

static weft_status read_entries(struct weft_zip *zip, const struct weft_gzstream *file,
                                const unsigned char *bytes, const struct place *place,
                                weft_error *err)
{
    size_t n = (size_t)place->n;
    zip->members = weft_mem_alloc(1, n * (sizeof *zip->members + 1) + (size_t)place->bytes);
    if (zip->members == NULL) {
        return weft_fail_nomem(err, "the directory of an archive");
    }
    char *names = (char *)(zip->members + n);
    const unsigned char *at = bytes, *end = bytes + place->bytes;
    for (size_t i = 0; i < n; i++) {
        weft_status status = read_entry(file, &at, end, &zip->members[i], &names, err);
        if (status != WEFT_OK) {
            return status;
        }
        if (weft_zip_find(zip, zip->members[i].name) != NULL) {
            const char *name = zip->members[i].name;
            return weft_fail(err, WEFT_ERR_FORMAT,
                             "%s: broken ZIP archive: two members are named %s",
                             weft_gzstream_path(file), weft_quote(name, strlen(name)).text);
        }
        zip->n = i + 1;
    }
    zip->end = place->at;
    return WEFT_OK;
}

weft_status weft_zip_init(struct weft_zip *zip, struct weft_gzstream *file, weft_error *err)
{
    *zip = (struct weft_zip){0};
    struct place place = {0};
    weft_status status = find_directory(file, &place, err);
    if (status != WEFT_OK) {
        return status;
    }
    unsigned char *bytes = weft_mem_alloc((size_t)place.bytes, 1);
    if (bytes == NULL) {
        return weft_fail_nomem(err, "the directory of an archive");
    }
    status = read_at(file, place.at, bytes, (size_t)place.bytes, err);
    if (status == WEFT_OK) {
        status = read_entries(zip, file, bytes, &place, err);
    }
    weft_mem_free(bytes);
    if (status != WEFT_OK) {
        weft_zip_release(zip);
    }
    return status;
}

void weft_zip_release(struct weft_zip *zip)
{
    weft_mem_free(zip->members);
    *zip = (struct weft_zip){0};
}

const struct weft_zip_member *weft_zip_find(const struct weft_zip *zip, const char *name)
{
    for (size_t i = 0; i < zip->n; i++) {
        if (strcmp(zip->members[i].name, name) == 0) {
            return &zip->members[i];
        }
    }
    return NULL;
}

static weft_status fail_member(const struct weft_gzstream *file,
                               const struct weft_zip_member *member, const char *what,
                               weft_error *err)
{
    return weft_fail(err, WEFT_ERR_FORMAT, "%s: member %s %s", weft_gzstream_path(file),
                     weft_quote(member->name, strlen(member->name)).text, what);
}

/* Whether the data of a member, from `start` on, reaches into another member. */
static bool overlaps(const struct weft_zip *zip, const struct weft_zip_member *member,
                     uint64_t start)
{
    uint64_t end = start + member->n_packed;
    for (size_t i = 0; i < zip->n; i++) {
        const struct weft_zip_member *other = &zip->members[i];
        if (other != member && other->at >= member->at && other->at < end) {
            return true;
        }
    }
    return false;
}

weft_status weft_zip_open(const struct weft_zip *zip, struct weft_gzstream *file,
                          const struct weft_zip_member *member, struct weft_gzstream **out,
                          weft_error *err)
{
    unsigned char local[LOCAL_BYTES];
    if (zip->end < sizeof local || member->at > zip->end - sizeof local) {
        return fail_member(file, member, "lies outside the archive", err);
    }
    if ((member->flags & ENCRYPTED) != 0 ||
        (member->method != STORED && member->method != DEFLATED)) {
        return fail_member(file, member, "is neither stored nor deflated", err);
    }
    weft_status status = read_at(file, member->at, local, sizeof local, err);
    if (status != WEFT_OK) {
        return status;
    }
    if (memcmp(local, "PK\3\4", 4) != 0) {
        return fail_member(file, member, "has no header where the directory says", err);
    }
    uint64_t start = member->at + sizeof local + le(local + 26, 2) + le(local + 28, 2);
    if (start > zip->end || member->n_packed > zip->end - start) {
        return fail_member(file, member, "is longer than the archive", err);
    }
    if (overlaps(zip, member, start)) {
        return fail_member(file, member, "overlaps another", err);
    }
    const struct weft_gzstream_part part = {
        .name = member->name,
        .start = start,
        .n_packed = member->n_packed,
        .n_bytes = member->n_bytes,
        .crc = member->crc,
        .is_deflated = member->method == DEFLATED,
    };
    return weft_gzstream_open_part(weft_gzstream_path(file), &part, out, err);
}
