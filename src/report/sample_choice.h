/* Which few samples of a data set show best what a network does. */
#ifndef WEFT_REPORT_SAMPLE_CHOICE_H
#define WEFT_REPORT_SAMPLE_CHOICE_H

#include <stddef.h>

#include <weft/status.h>

#include "report/sample_predictions.h"

/* A few samples of a data set, and how many there were to choose from. */
struct sample_choice {
    size_t n_right, n_wrong;         /* chosen */
    size_t total_right, total_wrong; /* in the data set */
    size_t *right, *wrong;
};

/* Chooses at most `most` samples that were right, one of each class, then another of each, each
 * time the first in the data that are left; and at most `most` that were wrong: those with the
 * highest probability of the class that they are not, the highest first, and in the order of the
 * data where these are equal. Both are empty where the network has no classes or the data no
 * labels. Release with sample_choice_release(). */
WEFT_CHECKED weft_status sample_choice_init(struct sample_choice *choice,
                                            const struct sample_predictions *found, size_t most,
                                            weft_error *err);
void sample_choice_release(struct sample_choice *choice);

#endif
