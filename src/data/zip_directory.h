/* The members of a ZIP archive, after PKWARE's APPNOTE 6.3: what of it NumPy's .npz files use. */
#ifndef WEFT_DATA_ZIP_DIRECTORY_H
#define WEFT_DATA_ZIP_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/gzstream.h"

struct weft_zip_member {
    const char *name;
    uint64_t at; /* of its local header */
    uint64_t n_packed, n_bytes;
    uint32_t crc;
    unsigned method, flags;
};

/* A zeroed struct may be released. */
struct weft_zip {
    struct weft_zip_member *members; /* names follow in the same block */
    size_t n;
    uint64_t end; /* where members end and the directory begins */
};

/* Whether a file that starts so is one. */
bool weft_zip_looks_so(const unsigned char *bytes, size_t n);

/* Reads the directory of a file that is not compressed itself. Only what it says is checked:
 * members that are never opened may be broken. */
WEFT_CHECKED weft_status weft_zip_init(struct weft_zip *zip, struct weft_gzstream *file,
                                       weft_error *err);

void weft_zip_release(struct weft_zip *zip);

/* NULL: there is none of that name. */
const struct weft_zip_member *weft_zip_find(const struct weft_zip *zip, const char *name);

/* Opens a member, stored or deflated. Close with weft_gzstream_close(). */
WEFT_CHECKED weft_status weft_zip_open(const struct weft_zip *zip, struct weft_gzstream *file,
                                       const struct weft_zip_member *member,
                                       struct weft_gzstream **out, weft_error *err);

#endif
