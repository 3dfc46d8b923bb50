/** What networks are trained towards: the labels of samples. */
#ifndef WEFT_TARGETS_H
#define WEFT_TARGETS_H

#include <stddef.h>
#include <stdint.h>

/** What the labels of a data set are. */
typedef enum weft_label_kind {
    WEFT_LABELS_AUTO, /**< in options only: classes for text and whole numbers, values for others */
    WEFT_LABELS_NONE, /**< there are none, or they are not wanted */
    WEFT_LABELS_CLASSES, /**< one class of several for each sample */
    WEFT_LABELS_VALUES,  /**< numbers: regression targets, or 0/1 for each of several labels */
} weft_label_kind;

/** What a network is trained towards, for n samples. Borrowed: valid as long as its owner. */
typedef struct weft_targets {
    weft_label_kind kind;   /**< never AUTO */
    const int32_t *classes; /**< [n] class ids from 0, where kind is CLASSES */
    const float *values;    /**< [n, n_values] row-major, where kind is VALUES */
    size_t n_values;
    const float *weights; /**< [n] how much each sample counts, 0 or more; NULL: 1 each */
} weft_targets;

#endif
