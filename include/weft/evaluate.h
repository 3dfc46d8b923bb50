/** Predictions for a data set, and how good they are. */
#ifndef WEFT_EVALUATE_H
#define WEFT_EVALUATE_H

#include <stddef.h>
#include <stdint.h>

#include <weft/api.h>
#include <weft/context.h>
#include <weft/dataset.h>
#include <weft/net.h>
#include <weft/status.h>
#include <weft/tensor.h>

/** Predictions for every sample. Probabilities (or values) go to p [samples, n_outputs] f32, the
 *  caller's; class ids (argmax, ties to the lowest; for a single sigmoid p >= 0.5) go to classes
 *  [samples]. Either may be NULL; classes must be where weft_net_n_classes() is 0.
 *  WEFT_ERR_MISMATCH: the number of features, or the shape of p. */
WEFT_API WEFT_CHECKED weft_status weft_predict(weft_context *context, const weft_net *net,
                                               const weft_dataset *data, weft_tensor *p,
                                               int32_t *classes, weft_error *err);

/** How the samples of one class fared. Ratios with a zero denominator are 0. */
typedef struct weft_class_score {
    size_t support; /**< samples of the class */
    double precision, recall, f1;
} weft_class_score;

/** What an evaluation found; NaN where a number does not apply, or where logits are not finite. */
typedef struct weft_evaluation {
    size_t samples;
    double loss;     /**< the network's loss over all samples */
    double accuracy; /**< fraction of samples whose class is right (of sample-label pairs, for
                        several sigmoids) */
    double auc;      /**< area under the ROC curve (two classes; ties count half: Fawcett 2006) */
    double rmse;     /**< root of the mean squared error over all values (identity only) */
    double mae;      /**< mean absolute error (identity only) */
    double r2; /**< 1 - residual / total sum of squares, mean over the outputs (identity only) */
    size_t n_classes;
    size_t *confusion; /**< [n_classes, n_classes]: row: true class, column: predicted; or NULL */
    weft_class_score *by_class; /**< [n_classes], or NULL */
} weft_evaluation;

/** Evaluates net on labelled data. WEFT_ERR_MISMATCH: data does not fit the network or has no
 *  labels. Release with weft_evaluation_release(). The same bits for every thread count. */
WEFT_API WEFT_CHECKED weft_status weft_evaluate(weft_context *context, const weft_net *net,
                                                const weft_dataset *data, weft_evaluation *out,
                                                weft_error *err);

WEFT_API void weft_evaluation_release(weft_evaluation *evaluation);

#endif
