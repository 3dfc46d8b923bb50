/* Optimisers: what they remember from step to step, and the constants of one step.
 *
 * A step is a function of the options, of the learning rate, of the number of the step and of the
 * two blocks below. So parameters, blocks and the number of steps made are all that has to be kept
 * of an optimiser to go on as if it had never stopped. */
#ifndef WEFT_TRAIN_OPTIMIZER_H
#define WEFT_TRAIN_OPTIMIZER_H

#include <stddef.h>

#include <weft/status.h>
#include <weft/train.h>

#include "ops/update.h"

/* Blocks of the network's layout, 0 before the first step; NULL where the optimiser has none. */
struct weft_optimizer_state {
    float *m; /* velocity, or mean of gradients */
    float *v; /* mean of their squares */
};

/* WEFT_ERR_ARG: a number that the optimiser reads is out of range. */
WEFT_CHECKED weft_status weft_optimizer_check(const weft_train_options *options, weft_error *err);

/* WEFT_ERR_NOMEM: and then it is empty. */
WEFT_CHECKED weft_status weft_optimizer_init(struct weft_optimizer_state *state,
                                             const weft_train_options *options, size_t block_len,
                                             weft_error *err);
void weft_optimizer_release(struct weft_optimizer_state *state);

/* What step number `step`, counted from 0, does to the parameters. */
struct weft_update weft_optimizer_update(const struct weft_optimizer_state *state,
                                         const weft_train_options *options, float *params,
                                         double lr, size_t step);

/* Scales the gradient, whose norm this is, down to at most max_norm. */
void weft_optimizer_clip(struct weft_update *update, double norm, double max_norm);

#endif
