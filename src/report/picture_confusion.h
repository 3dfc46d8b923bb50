/* The confusion matrix as a picture. */
#ifndef WEFT_REPORT_PICTURE_CONFUSION_H
#define WEFT_REPORT_PICTURE_CONFUSION_H

#include <stdbool.h>

#include <weft/status.h>

#include "report/picture_canvas.h"
#include "report/sample_predictions.h"

/* Whether there is a matrix to draw: at most 1000 classes, and data with labels. */
bool picture_confusion_possible(const weft_net *net, const weft_dataset *data);

/* Draws how many samples of each class (rows) were taken for which (columns), with the share of
 * each class that was right behind its row. The shade of a cell is its share of its row. Up to 30
 * classes have numbers, up to 100 have names. Release with picture_canvas_release(). */
WEFT_CHECKED weft_status picture_confusion_draw(const struct sample_predictions *found,
                                                const char *title, struct picture_canvas *out,
                                                weft_error *err);

#endif
