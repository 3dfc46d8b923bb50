/* See optimizer.h; the rules themselves are kernels. */
#include "train/optimizer.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include <weft/optimizer.h>

#include "base/explog.h"
#include "base/fail.h"
#include "base/mem.h"

static const char *const names[] = {
    [WEFT_SGD] = "sgd",   [WEFT_NESTEROV] = "nesterov", [WEFT_RMSPROP] = "rmsprop",
    [WEFT_ADAM] = "adam", [WEFT_ADAMW] = "adamw",
};

const char *weft_optimizer_name(weft_optimizer optimizer)
{
    return names[optimizer];
}

weft_status weft_optimizer_from_name(const char *name, weft_optimizer *out)
{
    for (size_t i = 0; i < WEFT_N_OPTIMIZERS; i++) {
        if (strcmp(name, names[i]) == 0) {
            *out = (weft_optimizer)i;
            return WEFT_OK;
        }
    }
    return WEFT_ERR_ARG;
}

void weft_train_options_set_optimizer(weft_train_options *options, weft_optimizer optimizer)
{
    bool plain = optimizer == WEFT_SGD || optimizer == WEFT_NESTEROV;
    bool decoupled = optimizer == WEFT_ADAMW;
    options->optimizer = optimizer;
    options->lr = plain ? 0.3 : decoupled ? 0.003 : 0.001;
    options->momentum = optimizer == WEFT_NESTEROV ? 0.9 : 0;
    options->beta1 = 0.9;
    options->beta2 = optimizer == WEFT_RMSPROP ? 0.99 : decoupled ? 0.98 : 0.999;
    options->epsilon = 1e-8;
    options->weight_decay = decoupled ? 0.01 : 0;
}

/* Which of the options an optimiser reads. */
static bool has_momentum(const weft_train_options *options)
{
    return options->optimizer == WEFT_NESTEROV ||
           (options->optimizer == WEFT_SGD && options->momentum > 0);
}

static bool has_mean(const weft_train_options *options)
{
    return options->optimizer == WEFT_ADAM || options->optimizer == WEFT_ADAMW;
}

static bool has_squares(const weft_train_options *options)
{
    return has_mean(options) || options->optimizer == WEFT_RMSPROP;
}

static bool is_share(double x)
{
    return x >= 0 && x < 1;
}

/* Steps are taken in float32. */
static bool is_at_least_0(double x)
{
    return x >= 0 && x <= (double)FLT_MAX;
}

static weft_status check_rule(const weft_train_options *options, weft_error *err)
{
    if (!is_share(options->momentum)) {
        return weft_fail(err, WEFT_ERR_ARG, "momentum %g, wanted 0 <= momentum < 1",
                         options->momentum);
    }
    if (options->optimizer == WEFT_NESTEROV && options->momentum == 0) {
        return weft_fail(err, WEFT_ERR_ARG, "momentum 0, wanted more for nesterov");
    }
    if ((has_mean(options) && !is_share(options->beta1)) ||
        (has_squares(options) && !is_share(options->beta2))) {
        return weft_fail(err, WEFT_ERR_ARG, "beta1 %g, beta2 %g, wanted 0 <= beta < 1",
                         options->beta1, options->beta2);
    }
    if (has_squares(options) &&
        !(options->epsilon >= (double)FLT_MIN && is_at_least_0(options->epsilon))) {
        return weft_fail(err, WEFT_ERR_ARG, "epsilon %g, wanted %g to %g", options->epsilon,
                         (double)FLT_MIN, (double)FLT_MAX);
    }
    return WEFT_OK;
}

weft_status weft_optimizer_check(const weft_train_options *options, weft_error *err)
{
    if ((unsigned)options->optimizer >= WEFT_N_OPTIMIZERS) {
        return weft_fail(err, WEFT_ERR_ARG, "no optimizer %d", (int)options->optimizer);
    }
    if (!(options->lr > 0 && is_at_least_0(options->lr))) {
        return weft_fail(err, WEFT_ERR_ARG, "learning rate %g, wanted above 0 to %g", options->lr,
                         (double)FLT_MAX);
    }
    const struct {
        const char *name;
        double value;
    } others[] = {{"weight decay", options->weight_decay},
                  {"l1", options->l1},
                  {"norm to clip to", options->clip_norm},
                  {"value to clip to", options->clip_value}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (!is_at_least_0(others[i].value)) {
            return weft_fail(err, WEFT_ERR_ARG, "%s %g, wanted 0 to %g", others[i].name,
                             others[i].value, (double)FLT_MAX);
        }
    }
    if (options->optimizer == WEFT_ADAMW && options->lr * options->weight_decay >= 1) {
        return weft_fail(err, WEFT_ERR_ARG,
                         "learning rate %g times weight decay %g, wanted below 1 for adamw",
                         options->lr, options->weight_decay);
    }
    return check_rule(options, err);
}

weft_status weft_optimizer_init(struct weft_optimizer_state *state,
                                const weft_train_options *options, size_t block_len,
                                weft_error *err)
{
    bool has_m = has_momentum(options) || has_mean(options), has_v = has_squares(options);
    *state = (struct weft_optimizer_state){
        .m = has_m ? weft_mem_zalloc(block_len, sizeof *state->m) : NULL,
        .v = has_v ? weft_mem_zalloc(block_len, sizeof *state->v) : NULL,
    };
    if ((has_m && state->m == NULL) || (has_v && state->v == NULL)) {
        weft_optimizer_release(state);
        return weft_fail_nomem(err, "the state of the optimiser");
    }
    return WEFT_OK;
}

void weft_optimizer_release(struct weft_optimizer_state *state)
{
    weft_mem_free(state->m);
    weft_mem_free(state->v);
    *state = (struct weft_optimizer_state){0};
}

static enum weft_rule rule_of(const weft_train_options *options)
{
    switch (options->optimizer) {
    case WEFT_NESTEROV:
        return WEFT_RULE_NESTEROV;
    case WEFT_RMSPROP:
        return WEFT_RULE_RMSPROP;
    case WEFT_ADAM:
    case WEFT_ADAMW:
        return WEFT_RULE_ADAM;
    case WEFT_SGD:
    case WEFT_N_OPTIMIZERS:
        break;
    }
    return has_momentum(options) ? WEFT_RULE_MOMENTUM : WEFT_RULE_SGD;
}

struct weft_update weft_optimizer_update(const struct weft_optimizer_state *state,
                                         const weft_train_options *options, float *params,
                                         double lr, size_t step)
{
    double beta1 = has_mean(options) ? options->beta1 : options->momentum;
    double beta2 = options->beta2;
    /* The means start at 0, which makes them too small by 1 - beta^t. */
    double seen1 = has_mean(options) ? 1 - weft_power(beta1, step + 1) : 1;
    double seen2 = has_mean(options) ? 1 - weft_power(beta2, step + 1) : 1;
    bool decoupled = options->optimizer == WEFT_ADAMW;
    struct weft_rule_step biases = {
        .rule = rule_of(options),
        .lr = (float)(lr / seen1),
        .beta1 = (float)beta1,
        .gain1 = (float)(1 - beta1),
        .beta2 = (float)beta2,
        .gain2 = (float)(1 - beta2),
        .correction = (float)(1 / sqrt(seen2)),
        .epsilon = (float)options->epsilon,
        .scale = 1,
        .limit = options->clip_value > 0 ? (float)options->clip_value : INFINITY,
        .keep = 1,
    };
    struct weft_rule_step weights = biases;
    weights.l1 = (float)options->l1;
    weights.l2 = decoupled ? 0 : (float)options->weight_decay;
    weights.keep = decoupled ? (float)(1 - lr * options->weight_decay) : 1;
    return (struct weft_update){
        .weights = weights, .biases = biases, .params = params, .m = state->m, .v = state->v};
}

void weft_optimizer_clip(struct weft_update *update, double norm, double max_norm)
{
    if (norm > max_norm) {
        update->weights.scale = update->biases.scale = (float)(max_norm / norm);
    }
}
