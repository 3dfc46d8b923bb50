/* BMP: a file header, a BITMAPINFOHEADER, a palette where pixels are indices, rows from the bottom
 * up, each filled to whole groups of four bytes, blue first. */
#include "report/report_bitmap.h"

#include <stdint.h>
#include <string.h>

#include "base/fail.h"
#include "base/mem.h"
#include "report/report_base64.h"

enum { HEADERS = 14 + 40, PALETTE = 4 * 256 };

static void put_16(unsigned char *to, size_t value)
{
    to[0] = (unsigned char)value;
    to[1] = (unsigned char)(value >> 8);
}

static void put_32(unsigned char *to, size_t value)
{
    put_16(to, value);
    put_16(to + 2, value >> 16);
}

static void put_headers(unsigned char *to, const struct report_bitmap *bitmap, size_t start,
                        size_t size)
{
    memset(to, 0, HEADERS);
    to[0] = 'B';
    to[1] = 'M';
    put_32(to + 2, size);
    put_32(to + 10, start);
    put_32(to + 14, 40);
    put_32(to + 18, bitmap->width);
    put_32(to + 22, bitmap->height);
    put_16(to + 26, 1); /* planes */
    put_16(to + 28, 8 * bitmap->channels);
}

static void put_palette(unsigned char *to, const struct report_bitmap *bitmap)
{
    for (size_t i = 0; i < 256; i++) {
        for (size_t c = 0; c < 3; c++) {
            to[4 * i + 2 - c] = bitmap->palette != NULL ? bitmap->palette[i][c] : (unsigned char)i;
        }
        to[4 * i + 3] = 0;
    }
}

static void put_rows(unsigned char *to, const struct report_bitmap *bitmap, size_t row_size)
{
    size_t channels = bitmap->channels;
    for (size_t y = 0; y < bitmap->height; y++) {
        const unsigned char *from =
            bitmap->pixels + (bitmap->height - 1 - y) * bitmap->width * channels;
        unsigned char *row = to + y * row_size;
        memset(row, 0, row_size);
        for (size_t i = 0; i < bitmap->width * channels; i++) {
            row[i] = channels == 3 ? from[i - i % 3 + 2 - i % 3] : from[i];
        }
    }
}

weft_status report_bitmap_print(FILE *out, const struct report_bitmap *bitmap, weft_error *err)
{
    size_t row_size = (bitmap->width * bitmap->channels + 3) / 4 * 4;
    size_t start = HEADERS + (bitmap->channels == 1 ? PALETTE : 0);
    size_t size = start + bitmap->height * row_size;
    unsigned char *file = weft_mem_alloc(size, 1);
    char *text = weft_mem_alloc(report_base64_size(size), 1);
    weft_status status = WEFT_OK;
    if (file == NULL || text == NULL) {
        status = weft_fail_nomem(err, "an image");
    } else {
        put_headers(file, bitmap, start, size);
        if (bitmap->channels == 1) {
            put_palette(file + HEADERS, bitmap);
        }
        put_rows(file + start, bitmap, row_size);
        report_base64_encode(file, size, text);
        fprintf(out, "data:image/bmp;base64,%s", text);
    }
    weft_mem_free(file);
    weft_mem_free(text);
    return status;
}
