/* From decoded images of any size to samples of one size. */
#ifndef WEFT_DATA_IMAGE_RESIZE_H
#define WEFT_DATA_IMAGE_RESIZE_H

#include <stdbool.h>
#include <stddef.h>

/* What samples look like. */
struct weft_image_shape {
    size_t width, height, channels; /* channels: 1 grey, 3 RGB */
    bool invert;                    /* 255 - x: for dark ink on light paper */
};

/* Brings rgba [height, width, 4] to the shape and writes out [shape height, width, channels].
 * Transparent pixels are laid on black, with invert on white, so that what is transparent becomes
 * 0. Grey is (299 R + 587 G + 114 B) / 1000 (ITU-R BT.601). A pixel of the result is the mean over
 * the rectangle of the image that it covers, pixels that are covered in part counting in part; so
 * an image of the right size stays as it is. The proportions of the image are not kept. */
void weft_image_resize(const unsigned char *rgba, size_t width, size_t height,
                       const struct weft_image_shape *shape, unsigned char *out);

#endif
