/* A grid of samples as images, with what was predicted for them and what they are. */
#ifndef WEFT_REPORT_PICTURE_GRID_H
#define WEFT_REPORT_PICTURE_GRID_H

#include <stddef.h>

#include <weft/status.h>

#include "report/picture_canvas.h"
#include "report/sample_predictions.h"

/* Samples under a heading of their own. */
struct picture_section {
    const char *heading;
    const size_t *samples;
    size_t n;
};

/* Draws the samples of all sections that are not empty; rows have at most 10 samples. Below each
 * image stand the predicted class and its probability (or the labels, or the values), and the true
 * ones where they are known; a tick or a cross, and the colour of the frame, say whether that is
 * right. Names are UTF-8, cut where they are long.
 * WEFT_ERR_MISMATCH: the samples are no images. Release with picture_canvas_release(). */
WEFT_CHECKED weft_status picture_grid_draw(const struct sample_predictions *found,
                                           const char *title,
                                           const struct picture_section *sections,
                                           size_t n_sections, struct picture_canvas *out,
                                           weft_error *err);

#endif
