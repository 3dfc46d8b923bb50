/* One PNG file, decoded. The only place of the library that knows libpng. */
#ifndef WEFT_DATA_PNG_IMAGE_H
#define WEFT_DATA_PNG_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/status.h>

#include "data/gzstream.h"

/* Larger images are refused before memory is taken: decoded they take 4 bytes for each pixel. */
#define WEFT_PNG_PIXELS_MAX ((size_t)12000000)

/* A zeroed struct may be released. */
struct weft_png_image {
    size_t width, height;
    bool is_grey;        /* as it is in the file */
    unsigned char *rgba; /* [height, width, 4], NULL where only the header was read */
};

/* Whether this build can read PNG files. */
bool weft_png_available(void);

/* Whether a file that starts so is one. */
bool weft_png_looks_so(const unsigned char *bytes, size_t n);

/* Reads the stream to the end of the image: 16 bits become 8 (of libpng, rounded), palettes and
 * tRNS colours become RGBA, gamma and colour profiles are left alone. What decompresses beyond
 * bounds is refused: the image must be plausible for the size of the file.
 * WEFT_ERR_FORMAT: broken, or too large. WEFT_ERR_UNSUPPORTED: a build without libpng. */
WEFT_CHECKED weft_status weft_png_read(struct weft_gzstream *stream, struct weft_png_image *image,
                                       weft_error *err);

/* The same for the header alone. */
WEFT_CHECKED weft_status weft_png_read_header(struct weft_gzstream *stream,
                                              struct weft_png_image *image, weft_error *err);

void weft_png_release(struct weft_png_image *image);

#endif
