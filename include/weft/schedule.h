/** Schedules of the learning rate. */
#ifndef WEFT_SCHEDULE_H
#define WEFT_SCHEDULE_H

#include <weft/api.h>
#include <weft/status.h>

/** The learning rate at t = 0, 1, .. T-1, which counts steps, or epochs where lr_by_epoch. W =
 *  warmup of these come first: lr rises in equal parts, lr(t) = lr(W) (t + 1) / (W + 1); then t and
 *  T below are t - W and T - W. As PyTorch's schedulers of these names, with the options of
 *  weft_train_options. */
typedef enum weft_schedule {
    WEFT_LR_CONSTANT,    /**< lr */
    WEFT_LR_LINEAR,      /**< lr_min + (lr - lr_min) (1 - t/T) */
    WEFT_LR_STEP,        /**< lr lr_factor^floor(t / lr_period) */
    WEFT_LR_EXPONENTIAL, /**< lr lr_factor^t */
    /** lr_min + (lr - lr_min) (1 + cos(pi c/L)) / 2, c of L in a cycle (Loshchilov & Hutter 2017,
     *  eq. 5). The first cycle is lr_period long, or T where that is 0, each other lr_period_factor
     *  times the one before. */
    WEFT_LR_COSINE,
    /** By half waves of a cosine from lr/25 up to lr, which is reached at t = 0.3 T - 1, and down
     *  to lr/250000 at T - 1 (Smith & Topin 2018, in the form that PyTorch gives it). Momentum
     *  stays. */
    WEFT_LR_ONE_CYCLE,
    /** lr to begin with; times lr_factor, but never below lr_min, whenever the loss has not fallen
     *  below (1 - 1e-4) times its best for more than lr_patience epochs, counted anew after each
     *  fall: the validation loss, or without a validation set that of training. */
    WEFT_LR_PLATEAU,
    WEFT_N_SCHEDULES
} weft_schedule;

/** The name for people and files: "constant", "linear", "step", "exponential", "cosine",
 *  "one_cycle", "plateau". */
WEFT_API const char *weft_schedule_name(weft_schedule schedule);

/** WEFT_ERR_ARG: no schedule has that name. */
WEFT_API WEFT_CHECKED weft_status weft_schedule_from_name(const char *name, weft_schedule *out);

#endif
