/* How much each sample counts. */
#ifndef WEFT_TRAIN_WEIGHTS_H
#define WEFT_TRAIN_WEIGHTS_H

#include <weft/train.h>

/* WEFT_ERR_ARG: weights of classes that are not those of the data, below 0, not finite, or that
 * make all samples count 0. */
WEFT_CHECKED weft_status weft_check_weights(const weft_dataset *data,
                                            const weft_train_options *options, weft_error *err);

/* The weights of all samples by their class and their own, which must pass that check, scaled to a
 * mean of 1; NULL where all count alike. Free with weft_mem_free(). */
WEFT_CHECKED weft_status weft_sample_weights(const weft_dataset *data,
                                             const weft_train_options *options, float **out,
                                             weft_error *err);

#endif
