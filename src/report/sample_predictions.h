/* Predictions for the samples of a data set, and which of them are right. */
#ifndef WEFT_REPORT_SAMPLE_PREDICTIONS_H
#define WEFT_REPORT_SAMPLE_PREDICTIONS_H

#include <stddef.h>
#include <stdint.h>

#include <weft/evaluate.h>

/* What weft_predict() says of a data set. A zeroed struct is empty. */
struct sample_predictions {
    const weft_net *net;      /* borrowed */
    const weft_dataset *data; /* borrowed; with labels that fit the network, or without labels */
    size_t samples, n_classes, n_outputs;
    weft_tensor p;    /* [samples, n_outputs] */
    int32_t *classes; /* [samples], NULL where n_classes is 0 */
};

/* Predicts all samples of data. Release with sample_predictions_release(), also on failure. */
WEFT_CHECKED weft_status sample_predictions_init(struct sample_predictions *found,
                                                 weft_context *context, const weft_net *net,
                                                 const weft_dataset *data, weft_error *err);
void sample_predictions_release(struct sample_predictions *found);

/* Output `index` of the network. */
float sample_output(const struct sample_predictions *found, size_t sample, size_t index);

/* The probability of class `index`; a single sigmoid gives that of the second. */
float sample_probability(const struct sample_predictions *found, size_t sample, size_t index);

enum sample_verdict {
    SAMPLE_UNKNOWN, /* no labels, or values, which are never quite right */
    SAMPLE_RIGHT,   /* the class, or each of several labels */
    SAMPLE_WRONG,
};

enum sample_verdict sample_verdict(const struct sample_predictions *found, size_t sample);

#endif
