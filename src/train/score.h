/* Loss and accuracy of a network on a data set. */
#ifndef WEFT_TRAIN_SCORE_H
#define WEFT_TRAIN_SCORE_H

#include <stdbool.h>
#include <stddef.h>

#include <weft/train.h>

#include "nn/pass.h"
#include "ops/output.h"

/* Whether data have the network's features and (unless labels are not wanted) targets that fit.
 * `what` begins the message: "training data". */
WEFT_CHECKED weft_status weft_check_fit(const weft_net *net, const weft_dataset *data,
                                        bool wants_labels, const char *what, weft_error *err);

/* From what the samples' losses add up to, to their mean and the fraction that is right (NaN
 * for identity). */
weft_score weft_score_of(const weft_net *net, struct weft_loss_sum sum, size_t n_samples);

/* One pass over data, which must fit; forward buffers are the caller's. Fails only where streamed
 * data do. */
WEFT_CHECKED weft_status weft_score_dataset(struct weft_pass *pass, const weft_dataset *data,
                                            weft_score *out, weft_error *err);

/* The same for sums and logits, which may be NULL: [samples, n_outputs]. */
WEFT_CHECKED weft_status weft_pass_over_dataset(struct weft_pass *pass, const weft_dataset *data,
                                                weft_tensor *logits, struct weft_loss_sum *total,
                                                weft_error *err);

#endif
