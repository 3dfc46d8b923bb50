/* A raster to draw on: boxes, signs, text. Coordinates are pixels from the top left corner; what
 * lies outside of the canvas is not drawn. */
#ifndef WEFT_REPORT_PICTURE_CANVAS_H
#define WEFT_REPORT_PICTURE_CANVAS_H

#include <stdbool.h>
#include <stddef.h>

#include <weft/status.h>

/* sRGB, 8 bits a channel */
struct picture_color {
    unsigned char r, g, b;
};

/* Colours of all pictures. Right and wrong are told apart by those who see no red or green too, as
 * one is darker, but never by colour alone. */
#define PICTURE_WHITE ((struct picture_color){255, 255, 255})
#define PICTURE_INK ((struct picture_color){32, 36, 44})
#define PICTURE_MUTED ((struct picture_color){96, 102, 114})
#define PICTURE_LINE ((struct picture_color){208, 212, 220})
#define PICTURE_RIGHT ((struct picture_color){22, 128, 92})
#define PICTURE_WRONG ((struct picture_color){184, 32, 48})

/* A zeroed struct is empty. */
struct picture_canvas {
    size_t width, height;
    unsigned char *rgb; /* [height, width, 3] */
};

struct picture_box {
    size_t x, y, width, height;
};

/* How text is set. */
struct picture_type {
    struct picture_color color;
    size_t scale; /* pixels of a dot of the font */
    size_t max;   /* characters; what is longer ends in an ellipsis. 0: no limit */
    bool upwards; /* turned to the left: (x, y) is then the lower left corner */
};

/* A blank canvas, white all over. WEFT_ERR_NOMEM also where the size does not fit size_t. Release
 * with picture_canvas_release(). */
WEFT_CHECKED weft_status picture_canvas_init(struct picture_canvas *canvas, size_t width,
                                             size_t height, weft_error *err);
void picture_canvas_release(struct picture_canvas *canvas);

void picture_fill(struct picture_canvas *canvas, struct picture_box box,
                  struct picture_color color);

/* A frame around the outside of a box, which must be `thickness` away from the left and upper
 * border. */
void picture_frame(struct picture_canvas *canvas, struct picture_box box, size_t thickness,
                   struct picture_color color);

/* A tick or a cross in the box of a character at (x, y). */
void picture_sign(struct picture_canvas *canvas, size_t x, size_t y, bool right);

/* Draws UTF-8 text whose upper left corner is (x, y). */
void picture_text(struct picture_canvas *canvas, size_t x, size_t y,
                  const struct picture_type *type, const char *text);

/* How many characters a text has: its width in glyphs. */
size_t picture_text_len(const char *text);

#endif
