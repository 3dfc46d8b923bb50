/* A font for pictures: glyphs of one size, as bits. */
#ifndef WEFT_REPORT_PICTURE_FONT_H
#define WEFT_REPORT_PICTURE_FONT_H

#include <stdint.h>

#define PICTURE_GLYPH_WIDTH 7
#define PICTURE_GLYPH_HEIGHT 13

/* The rows of a glyph from top to bottom, the leftmost pixel in bit PICTURE_GLYPH_WIDTH - 1, for
 * the character that *text, which is not empty, begins with; moves *text behind it. A replacement
 * glyph where the font lacks the character, it is a control character, or a byte is no UTF-8. */
const unsigned char *picture_glyph(const char **text);

/* The glyph that says that text was cut. */
const unsigned char *picture_ellipsis(void);

#endif
