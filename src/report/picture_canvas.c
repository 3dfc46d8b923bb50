/* Drawing into memory. */
#include "report/picture_canvas.h"

#include <stdint.h>
#include <string.h>

#include "base/fail.h"
#include "base/mem.h"
#include "report/picture_font.h"

weft_status picture_canvas_init(struct picture_canvas *canvas, size_t width, size_t height,
                                weft_error *err)
{
    size_t pixels;
    *canvas = (struct picture_canvas){.width = width, .height = height};
    if (weft_mul_fits(width, height, &pixels)) {
        canvas->rgb = weft_mem_alloc(pixels, 3);
    }
    if (canvas->rgb == NULL) {
        return weft_fail_nomem(err, "a picture");
    }
    memset(canvas->rgb, 255, 3 * pixels);
    return WEFT_OK;
}

void picture_canvas_release(struct picture_canvas *canvas)
{
    weft_mem_free(canvas->rgb);
    *canvas = (struct picture_canvas){0};
}

void picture_fill(struct picture_canvas *canvas, struct picture_box box, struct picture_color color)
{
    size_t right = box.x + box.width < canvas->width ? box.x + box.width : canvas->width;
    size_t bottom = box.y + box.height < canvas->height ? box.y + box.height : canvas->height;
    for (size_t y = box.y; y < bottom; y++) {
        unsigned char *pixel = canvas->rgb + 3 * (y * canvas->width + box.x);
        for (size_t x = box.x; x < right; x++, pixel += 3) {
            pixel[0] = color.r;
            pixel[1] = color.g;
            pixel[2] = color.b;
        }
    }
}

void picture_frame(struct picture_canvas *canvas, struct picture_box box, size_t thickness,
                   struct picture_color color)
{
    size_t x = box.x - thickness, y = box.y - thickness;
    size_t width = box.width + 2 * thickness;
    picture_fill(canvas, (struct picture_box){x, y, width, thickness}, color);
    picture_fill(canvas, (struct picture_box){x, box.y + box.height, width, thickness}, color);
    picture_fill(canvas, (struct picture_box){x, box.y, thickness, box.height}, color);
    picture_fill(canvas, (struct picture_box){box.x + box.width, box.y, thickness, box.height},
                 color);
}

/* Draws a glyph; (x, y) is its upper left corner, or its lower left one where it is turned, in
 * which case a column of it becomes a row. */
static void draw_glyph(struct picture_canvas *canvas, size_t x, size_t y,
                       const struct picture_type *type, const unsigned char *rows)
{
    size_t scale = type->scale;
    for (size_t row = 0; row < PICTURE_GLYPH_HEIGHT; row++) {
        for (size_t col = 0; col < PICTURE_GLYPH_WIDTH; col++) {
            if ((rows[row] >> (PICTURE_GLYPH_WIDTH - 1 - col) & 1) == 0) {
                continue;
            }
            struct picture_box dot = {x + scale * col, y + scale * row, scale, scale};
            if (type->upwards) {
                dot.x = x + scale * row;
                dot.y = y - scale * (col + 1);
            }
            picture_fill(canvas, dot, type->color);
        }
    }
}

void picture_sign(struct picture_canvas *canvas, size_t x, size_t y, bool right)
{
    static const unsigned char tick[PICTURE_GLYPH_HEIGHT] = {
        0, 0, 0, 0x01, 0x03, 0x06, 0x46, 0x6c, 0x7c, 0x38, 0x10, 0, 0};
    static const unsigned char cross[PICTURE_GLYPH_HEIGHT] = {
        0, 0, 0, 0x41, 0x63, 0x36, 0x1c, 0x1c, 0x36, 0x63, 0x41, 0, 0};
    struct picture_type type = {.color = right ? PICTURE_RIGHT : PICTURE_WRONG, .scale = 1};
    draw_glyph(canvas, x, y, &type, right ? tick : cross);
}

size_t picture_text_len(const char *text)
{
    size_t n = 0;
    while (*text != '\0') {
        picture_glyph(&text);
        n++;
    }
    return n;
}

void picture_text(struct picture_canvas *canvas, size_t x, size_t y,
                  const struct picture_type *type, const char *text)
{
    bool cut = type->max > 0 && picture_text_len(text) > type->max;
    for (size_t i = 0; *text != '\0' && (!cut || i < type->max); i++) {
        const unsigned char *glyph =
            cut && i + 1 == type->max ? picture_ellipsis() : picture_glyph(&text);
        size_t along = i * type->scale * PICTURE_GLYPH_WIDTH;
        draw_glyph(canvas, type->upwards ? x : x + along, type->upwards ? y - along : y, type,
                   glyph);
    }
}
