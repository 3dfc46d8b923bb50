/* Canvases as PNG files (W3C PNG specification), by libpng. */
#ifndef WEFT_REPORT_PICTURE_PNG_H
#define WEFT_REPORT_PICTURE_PNG_H

#include <stdbool.h>

#include <weft/status.h>

#include "report/picture_canvas.h"

/* Whether this build writes PNG files. */
bool picture_png_available(void);

/* Writes a file, whole or not at all, as base/safefile.h does. The same bytes for the same canvas.
 * WEFT_ERR_IO: it cannot be written. WEFT_ERR_ARG: more than libpng's 1,000,000 pixels wide or
 * high. WEFT_ERR_UNSUPPORTED: a build without libpng. */
WEFT_CHECKED weft_status picture_png_write(const struct picture_canvas *canvas, const char *path,
                                           weft_error *err);

#endif
