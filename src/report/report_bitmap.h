/* Images inside a page, as data: URIs of BMP files, which every browser shows and which need no
 * library. */
#ifndef WEFT_REPORT_BITMAP_H
#define WEFT_REPORT_BITMAP_H

#include <stddef.h>
#include <stdio.h>

#include <weft/status.h>

/* Pixels row by row from the top; borrowed. */
struct report_bitmap {
    size_t width, height;
    size_t channels; /* 1: indices of the palette; 3: red, green, blue */
    const unsigned char *pixels;
    const unsigned char (*palette)[3]; /* [256] red, green, blue; NULL: shades of grey */
};

/* Prints "data:image/bmp;base64,...". WEFT_ERR_NOMEM. */
WEFT_CHECKED weft_status report_bitmap_print(FILE *out, const struct report_bitmap *bitmap,
                                             weft_error *err);

#endif
