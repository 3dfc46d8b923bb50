/* How good predictions are, beyond the loss. */
#ifndef WEFT_TRAIN_METRICS_H
#define WEFT_TRAIN_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/evaluate.h>

/* confusion[t * n_classes + p] counts the samples of class t that were taken for p; zeroed by
 * the caller. */
void weft_confusion_count(const int32_t *truth, const int32_t *predicted, size_t n,
                          size_t n_classes, size_t *confusion);

/* precision = tp / (tp + fp), recall = tp / (tp + fn), F1 = their harmonic mean (van Rijsbergen
 * 1979). */
void weft_class_scores(const size_t *confusion, size_t n_classes, weft_class_score *by_class);

/* The probability that a sample of class 1 has a larger score than one of class 0, ties
 * counting half: the area under the ROC curve (Hanley & McNeil 1982; Fawcett 2006). NaN where a
 * class is missing, a score is NaN or there is no memory (*no_memory). scores has n entries,
 * `stride` floats apart. */
double weft_roc_auc(const float *scores, size_t stride, const int32_t *truth, size_t n,
                    bool *no_memory);

#endif
