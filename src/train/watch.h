/* Watching the validation set: which epoch was the best, whether to go on, and the parameters of
 * the best one. */
#ifndef WEFT_TRAIN_WATCH_H
#define WEFT_TRAIN_WATCH_H

#include <stdbool.h>
#include <stddef.h>

#include <weft/net.h>
#include <weft/status.h>
#include <weft/train.h>

/* What a checkpoint has to save of it: all of this. */
struct weft_watch {
    size_t best_epoch;  /* counted from 1; 0: none yet */
    weft_score best;    /* of that epoch */
    float *best_params; /* a block of the network's layout, or NULL */
};

/* WEFT_ERR_ARG: a number is out of range, or what it is about is not measured. */
WEFT_CHECKED weft_status weft_watch_check(const weft_train_options *options, const weft_net *net,
                                          weft_error *err);

/* WEFT_ERR_NOMEM. */
WEFT_CHECKED weft_status weft_watch_init(struct weft_watch *watch,
                                         const weft_train_options *options, const weft_net *net,
                                         weft_error *err);
void weft_watch_release(struct weft_watch *watch);

/* Takes the scores of epoch number `epoch`, counted from 1, whose parameters the network has.
 * Returns why to stop, or WEFT_END_EPOCHS where nothing says so. */
weft_end weft_watch_take(struct weft_watch *watch, const weft_train_options *options,
                         const weft_net *net, size_t epoch, const weft_score *val);

/* After `epoch` epochs, of which the last had these scores: why to stop, as above. */
weft_end weft_watch_end(const struct weft_watch *watch, const weft_train_options *options,
                        size_t epoch, const weft_score *val);

/* Gives the network the parameters of the best epoch, if they were kept. */
void weft_watch_restore(const struct weft_watch *watch, weft_net *net);

#endif
