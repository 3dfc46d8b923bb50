/* Resizes images by area averaging, in whole numbers: pixel x of `new` in a row of `old` covers the
 * range [x * old, (x + 1) * old) where pixel i of the old ones is [i * new, (i + 1) * new). */
#include "data/image_resize.h"

#include <stdint.h>

/* One channel of a pixel laid on its background: in units of 1/255. */
static uint32_t blend(const unsigned char *pixel, size_t channel, uint32_t background)
{
    return pixel[channel] * (uint32_t)pixel[3] + background * (255u - pixel[3]);
}

/* A value of a pixel in units of 1/255000: 0 to 255 * 255000. */
static uint32_t value_of(const unsigned char *pixel, size_t channel,
                         const struct weft_image_shape *shape)
{
    uint32_t background = shape->invert ? 255 : 0;
    if (shape->channels == 1) {
        return 299 * blend(pixel, 0, background) + 587 * blend(pixel, 1, background) +
               114 * blend(pixel, 2, background);
    }
    return 1000 * blend(pixel, channel, background);
}

/* How much of the old pixel i the range [from, to) covers. */
static uint64_t overlap(uint64_t i, uint64_t unit, uint64_t from, uint64_t to)
{
    uint64_t start = i * unit > from ? i * unit : from;
    uint64_t end = (i + 1) * unit < to ? (i + 1) * unit : to;
    return end - start;
}

/* The mean over a rectangle. The weights of its pixels sum to width * height, which is at most
 * 12e6, so the sum is below 2^50. */
static unsigned char mean_of(const unsigned char *rgba, size_t width, size_t height,
                             const struct weft_image_shape *shape, size_t x, size_t y,
                             size_t channel)
{
    uint64_t left = (uint64_t)x * width, right = left + width;
    uint64_t top = (uint64_t)y * height, bottom = top + height;
    uint64_t sum = 0;
    for (uint64_t j = top / shape->height; j * shape->height < bottom; j++) {
        uint64_t row = 0;
        for (uint64_t i = left / shape->width; i * shape->width < right; i++) {
            row += overlap(i, shape->width, left, right) *
                   value_of(rgba + 4 * (j * width + i), channel, shape);
        }
        sum += overlap(j, shape->height, top, bottom) * row;
    }
    uint64_t whole = (uint64_t)width * height * 255000;
    uint64_t mean = (sum + whole / 2) / whole;
    return (unsigned char)(shape->invert ? 255 - mean : mean);
}

void weft_image_resize(const unsigned char *rgba, size_t width, size_t height,
                       const struct weft_image_shape *shape, unsigned char *out)
{
    for (size_t y = 0; y < shape->height; y++) {
        for (size_t x = 0; x < shape->width; x++) {
            for (size_t c = 0; c < shape->channels; c++) {
                *out++ = mean_of(rgba, width, height, shape, x, y, c);
            }
        }
    }
}
