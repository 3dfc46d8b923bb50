/* The learning rate of a step: a function of the options, of where in the run the step is, and of
 * what the plateau schedule remembers. */
#ifndef WEFT_TRAIN_SCHEDULE_H
#define WEFT_TRAIN_SCHEDULE_H

#include <stddef.h>

#include <weft/status.h>
#include <weft/train.h>

/* How long a run is. */
struct weft_run_length {
    size_t epochs, steps_per_epoch;
};

/* What is remembered from epoch to epoch, by the plateau schedule alone. */
struct weft_plateau {
    double lr;    /* what lr has come to */
    double best;  /* the lowest loss so far */
    size_t n_bad; /* epochs without a better one */
};

/* WEFT_ERR_ARG: a number that the schedule reads is out of range, or does not fit the run. */
WEFT_CHECKED weft_status weft_schedule_check(const weft_train_options *options,
                                             struct weft_run_length length, weft_error *err);

/* Before the first epoch. */
struct weft_plateau weft_plateau_start(const weft_train_options *options);

/* After an epoch with this loss. */
void weft_plateau_take(struct weft_plateau *plateau, const weft_train_options *options,
                       double loss);

/* Of step number `step`, counted from 0. */
double weft_schedule_lr(const weft_train_options *options, struct weft_run_length length,
                        const struct weft_plateau *plateau, size_t step);

#endif
