/* See watch.h. */
#include "train/watch.h"

#include <math.h>
#include <string.h>

#include "base/fail.h"
#include "base/mem.h"
#include "nn/layers.h"

static const char *const names[] = {
    [WEFT_WATCH_LOSS] = "loss",
    [WEFT_WATCH_ACCURACY] = "accuracy",
};

const char *weft_watched_name(weft_watched watched)
{
    return names[watched];
}

weft_status weft_watched_from_name(const char *name, weft_watched *out)
{
    for (size_t i = 0; i < WEFT_N_WATCHED; i++) {
        if (strcmp(name, names[i]) == 0) {
            *out = (weft_watched)i;
            return WEFT_OK;
        }
    }
    return WEFT_ERR_ARG;
}

weft_status weft_watch_check(const weft_train_options *options, const weft_net *net,
                             weft_error *err)
{
    if ((unsigned)options->watch >= WEFT_N_WATCHED) {
        return weft_fail(err, WEFT_ERR_ARG, "nothing to watch has the number %d",
                         (int)options->watch);
    }
    if (!(options->min_delta >= 0 && isfinite(options->min_delta))) {
        return weft_fail(err, WEFT_ERR_ARG, "least improvement %g, wanted 0 or more",
                         options->min_delta);
    }
    if (!(options->target_accuracy >= 0 && options->target_accuracy <= 1)) {
        return weft_fail(err, WEFT_ERR_ARG, "target accuracy %g, wanted 0 to 1",
                         options->target_accuracy);
    }
    if (!(options->max_seconds >= 0)) {
        return weft_fail(err, WEFT_ERR_ARG, "%g seconds at most, wanted 0 or more",
                         options->max_seconds);
    }
    bool watches = options->patience > 0 || options->keep_best;
    const char *what = options->patience > 0          ? "patience"
                       : options->keep_best           ? "the best epoch's parameters"
                       : options->target_accuracy > 0 ? "a target accuracy"
                                                      : NULL;
    if (what != NULL && options->val == NULL) {
        return weft_fail(err, WEFT_ERR_ARG, "%s: wanted validation data with it; got none", what);
    }
    bool accuracy =
        options->target_accuracy > 0 || (watches && options->watch == WEFT_WATCH_ACCURACY);
    if (accuracy && weft_net_output(net) == WEFT_OUTPUT_IDENTITY) {
        return weft_fail(err, WEFT_ERR_ARG, "%s: an identity output has no accuracy", what);
    }
    return WEFT_OK;
}

weft_status weft_watch_init(struct weft_watch *watch, const weft_train_options *options,
                            const weft_net *net, weft_error *err)
{
    *watch = (struct weft_watch){0};
    if (options->keep_best) {
        watch->best_params = weft_mem_alloc(net->block_len, sizeof *watch->best_params);
        if (watch->best_params == NULL) {
            return weft_fail_nomem(err, "the best parameters");
        }
    }
    return WEFT_OK;
}

void weft_watch_release(struct weft_watch *watch)
{
    weft_mem_free(watch->best_params);
    *watch = (struct weft_watch){0};
}

/* By more than min_delta; a loss that is not a number is worse than any that is one. */
static bool is_better(const weft_train_options *options, const weft_score *score,
                      const weft_score *best)
{
    return options->watch == WEFT_WATCH_ACCURACY
               ? score->accuracy > best->accuracy + options->min_delta
               : score->loss < best->loss - options->min_delta ||
                     (isnan(best->loss) && !isnan(score->loss));
}

weft_end weft_watch_take(struct weft_watch *watch, const weft_train_options *options,
                         const weft_net *net, size_t epoch, const weft_score *val)
{
    if (options->patience == 0 && !options->keep_best && options->target_accuracy == 0) {
        return WEFT_END_EPOCHS;
    }
    if (watch->best_epoch == 0 || is_better(options, val, &watch->best)) {
        watch->best_epoch = epoch;
        watch->best = *val;
        if (watch->best_params != NULL) {
            memcpy(watch->best_params, net->params, net->block_len * sizeof *net->params);
        }
    }
    return weft_watch_end(watch, options, epoch, val);
}

weft_end weft_watch_end(const struct weft_watch *watch, const weft_train_options *options,
                        size_t epoch, const weft_score *val)
{
    if (options->target_accuracy > 0 && val->accuracy >= options->target_accuracy) {
        return WEFT_END_TARGET;
    }
    return options->patience > 0 && epoch - watch->best_epoch >= options->patience
               ? WEFT_END_PATIENCE
               : WEFT_END_EPOCHS;
}

void weft_watch_restore(const struct weft_watch *watch, weft_net *net)
{
    if (watch->best_params != NULL && watch->best_epoch > 0) {
        memcpy(net->params, watch->best_params, net->block_len * sizeof *net->params);
    }
}
