/* A training run for TensorBoard: event files below one directory, train/, val/ and test/ with
 * equal tags, so that their curves are drawn in one chart. */
#ifndef WEFT_TRACK_TENSORBOARD_H
#define WEFT_TRACK_TENSORBOARD_H

#include <stdbool.h>
#include <stddef.h>

#include <weft/status.h>
#include <weft/train.h>

struct weft_tensorboard_options {
    const char *dir; /* made where it is missing */
    size_t every;    /* steps from one point of the batch metrics to the next; 0: none */
    bool replace;    /* what an earlier run left there goes, for it would be drawn as one run */
};

typedef struct weft_tensorboard weft_tensorboard;

/* Makes the directory and the files of the training set. Close with weft_tensorboard_close(). */
WEFT_CHECKED weft_status weft_tensorboard_open(const struct weft_tensorboard_options *options,
                                               weft_tensorboard **out, weft_error *err);

/* Writes what an event tells: after epochs loss and accuracy of each set that was scored, the
 * learning rate, and a histogram of the parameters of each layer; of steps the batch's loss and
 * learning rate. After a failure it does nothing and returns that again. */
WEFT_CHECKED weft_status weft_tensorboard_event(weft_tensorboard *board, const weft_event *event,
                                                weft_error *err);

/* A histogram of each layer's part of a gradient, which is laid out as weft_net_get_params() says.
 */
WEFT_CHECKED weft_status weft_tensorboard_gradient(weft_tensorboard *board, const weft_net *net,
                                                   size_t step, const float *gradient,
                                                   weft_error *err);

/* The score on the test set at the end, where no event told it. */
WEFT_CHECKED weft_status weft_tensorboard_test(weft_tensorboard *board, size_t step,
                                               weft_score score, weft_error *err);

/* The PNG file at `path`, under `tag`. */
WEFT_CHECKED weft_status weft_tensorboard_image(weft_tensorboard *board, const char *tag,
                                                size_t step, const char *path, weft_error *err);

/* Harmless on NULL. */
void weft_tensorboard_close(weft_tensorboard *board);

#endif
