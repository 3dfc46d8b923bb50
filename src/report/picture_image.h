/* Samples of a data set as images. */
#ifndef WEFT_REPORT_PICTURE_IMAGE_H
#define WEFT_REPORT_PICTURE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>

#include <weft/dataset.h>

#include "report/picture_canvas.h"

/* How the numbers of a sample make an image. */
struct picture_image {
    size_t height, width, channels; /* 1: grey, 3: red, green, blue */
    bool planes;     /* [channels, height, width] instead of [height, width, channels] */
    float low, high; /* the numbers of black and white */
};

/* Finds the image in the shape of the samples: [height, width], [height, width, 1 or 3] or [1 or 3,
 * height, width], sides of at least 2; of samples without a shape (a table) those of bytes whose
 * number is a square from 8 x 8 on. False where there is none. Bytes go from 0 to 255; other
 * numbers from 0 to 1, whole ones from 0 to 255, where all of them lie there; else from the least
 * to the largest. */
bool picture_image_find(const weft_dataset *data, struct picture_image *out);

/* Writes a sample as rgb [height, width, 3]. */
void picture_image_render(const struct picture_image *image, const weft_dataset *data,
                          size_t sample, unsigned char *rgb);

/* How an image is shown: each pixel as `enlarge` x `enlarge` of them, or the mean of `reduce` x
 * `reduce`; one of the two is 1. */
struct picture_zoom {
    size_t enlarge, reduce;
    size_t width, height; /* as shown */
};

/* Enlarges in whole steps as long as the longer side stays within `side`; reduces likewise what is
 * longer than 192 pixels. */
struct picture_zoom picture_zoom_of(const struct picture_image *image, size_t side);

/* Draws rgb [image->height, image->width, 3] with its upper left corner at (x, y). */
void picture_image_draw(struct picture_canvas *canvas, size_t x, size_t y,
                        const struct picture_image *image, const struct picture_zoom *zoom,
                        const unsigned char *rgb);

#endif
