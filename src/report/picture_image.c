/* Finding, reading and enlarging the images in a data set. */
#include "report/picture_image.h"

#include <float.h>
#include <math.h>
#include <stdint.h>

#define MAX_SIDE 192

static bool is_channels(size_t n)
{
    return n == 1 || n == 3;
}

/* The shape, but not the range. */
static bool find_shape(const weft_dataset *data, struct picture_image *out)
{
    size_t dims[4];
    size_t n_dims = weft_dataset_shape(data, dims);
    *out = (struct picture_image){.channels = 1};
    if (n_dims == 1 && weft_dataset_x(data).dtype == WEFT_U8) {
        size_t side = (size_t)lround(sqrt((double)dims[0]));
        out->height = out->width = side;
        return side >= 8 && side * side == dims[0];
    }
    if (n_dims == 3 && is_channels(dims[2])) {
        *out = (struct picture_image){.height = dims[0], .width = dims[1], .channels = dims[2]};
    } else if (n_dims == 3 && is_channels(dims[0])) {
        *out = (struct picture_image){
            .height = dims[1], .width = dims[2], .channels = dims[0], .planes = true};
    } else if (n_dims == 2) {
        out->height = dims[0];
        out->width = dims[1];
    }
    return out->height >= 2 && out->width >= 2;
}

static void find_range(const weft_dataset *data, struct picture_image *out)
{
    weft_tensor x = weft_dataset_x(data);
    out->low = 0;
    out->high = 255;
    if (x.dtype == WEFT_U8) {
        return;
    }
    float low = FLT_MAX, high = -FLT_MAX;
    for (size_t i = 0; i < x.rows; i++) {
        const float *row = (const float *)x.data + i * x.ld;
        for (size_t j = 0; j < x.cols; j++) {
            low = row[j] < low ? row[j] : low;
            high = row[j] > high ? row[j] : high;
        }
    }
    if (low >= 0 && high <= 1) {
        out->high = 1;
    } else if (low < 0 || high > 255 || !weft_dataset_is_integer(data)) {
        out->low = low;
        out->high = high;
    }
}

bool picture_image_find(const weft_dataset *data, struct picture_image *out)
{
    if (!find_shape(data, out)) {
        return false;
    }
    find_range(data, out);
    return true;
}

static unsigned char brightness(const struct picture_image *image, float value)
{
    /* In double, as the difference of two floats may be no float. */
    double range = (double)image->high - (double)image->low;
    double share = range > 0 ? ((double)value - (double)image->low) / range : 0;
    return (unsigned char)lround(255 * fmin(fmax(share, 0), 1));
}

void picture_image_render(const struct picture_image *image, const weft_dataset *data,
                          size_t sample, unsigned char *rgb)
{
    weft_tensor x = weft_dataset_x(data);
    size_t n_pixels = image->height * image->width;
    for (size_t pixel = 0; pixel < n_pixels; pixel++) {
        for (size_t color = 0; color < 3; color++) {
            size_t channel = image->channels == 3 ? color : 0;
            size_t at =
                image->planes ? channel * n_pixels + pixel : pixel * image->channels + channel;
            at += sample * x.ld;
            rgb[3 * pixel + color] = x.dtype == WEFT_U8
                                         ? ((const uint8_t *)x.data)[at]
                                         : brightness(image, ((const float *)x.data)[at]);
        }
    }
}

struct picture_zoom picture_zoom_of(const struct picture_image *image, size_t side)
{
    size_t longer = image->width > image->height ? image->width : image->height;
    struct picture_zoom zoom = {.enlarge = 1, .reduce = 1};
    if (longer > MAX_SIDE) {
        zoom.reduce = (longer + MAX_SIDE - 1) / MAX_SIDE;
    } else if (longer < side) {
        zoom.enlarge = side / longer;
    }
    zoom.width = (image->width * zoom.enlarge + zoom.reduce - 1) / zoom.reduce;
    zoom.height = (image->height * zoom.enlarge + zoom.reduce - 1) / zoom.reduce;
    return zoom;
}

/* Mean over a block, which may reach beyond the right and lower border. */
static struct picture_color mean_of(const struct picture_image *image, size_t top, size_t left,
                                    size_t size, const unsigned char *rgb)
{
    size_t bottom = top + size < image->height ? top + size : image->height;
    size_t right = left + size < image->width ? left + size : image->width;
    size_t sum[3] = {0, 0, 0}, n = (bottom - top) * (right - left);
    for (size_t y = top; y < bottom; y++) {
        for (size_t x = left; x < right; x++) {
            for (size_t color = 0; color < 3; color++) {
                sum[color] += rgb[3 * (y * image->width + x) + color];
            }
        }
    }
    return (struct picture_color){(unsigned char)((sum[0] + n / 2) / n),
                                  (unsigned char)((sum[1] + n / 2) / n),
                                  (unsigned char)((sum[2] + n / 2) / n)};
}

void picture_image_draw(struct picture_canvas *canvas, size_t x, size_t y,
                        const struct picture_image *image, const struct picture_zoom *zoom,
                        const unsigned char *rgb)
{
    size_t step = zoom->reduce, dot = zoom->enlarge;
    for (size_t row = 0; row * step < image->height; row++) {
        for (size_t col = 0; col * step < image->width; col++) {
            struct picture_color color = mean_of(image, row * step, col * step, step, rgb);
            picture_fill(canvas, (struct picture_box){x + col * dot, y + row * dot, dot, dot},
                         color);
        }
    }
}
