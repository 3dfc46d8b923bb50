/* See schedule.h, and weft/schedule.h for the formulas. */
#include "train/schedule.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include <weft/schedule.h>

#include "base/explog.h"
#include "base/fail.h"

static const char *const names[] = {
    [WEFT_LR_CONSTANT] = "constant", [WEFT_LR_LINEAR] = "linear",
    [WEFT_LR_STEP] = "step",         [WEFT_LR_EXPONENTIAL] = "exponential",
    [WEFT_LR_COSINE] = "cosine",     [WEFT_LR_ONE_CYCLE] = "one_cycle",
    [WEFT_LR_PLATEAU] = "plateau",
};

const char *weft_schedule_name(weft_schedule schedule)
{
    return names[schedule];
}

weft_status weft_schedule_from_name(const char *name, weft_schedule *out)
{
    for (size_t i = 0; i < WEFT_N_SCHEDULES; i++) {
        if (strcmp(name, names[i]) == 0) {
            *out = (weft_schedule)i;
            return WEFT_OK;
        }
    }
    return WEFT_ERR_ARG;
}

static weft_status check_numbers(const weft_train_options *options, weft_error *err)
{
    weft_schedule schedule = options->schedule;
    bool has_factor =
        schedule == WEFT_LR_STEP || schedule == WEFT_LR_EXPONENTIAL || schedule == WEFT_LR_PLATEAU;
    bool has_min =
        schedule == WEFT_LR_LINEAR || schedule == WEFT_LR_COSINE || schedule == WEFT_LR_PLATEAU;
    if (has_factor && !(options->lr_factor > 0 && options->lr_factor <= 1)) {
        return weft_fail(err, WEFT_ERR_ARG, "learning rate: factor %g, wanted above 0 to 1",
                         options->lr_factor);
    }
    if (has_min && !(options->lr_min >= 0 && options->lr_min <= options->lr)) {
        return weft_fail(err, WEFT_ERR_ARG,
                         "learning rate: least %g, wanted 0 to %g, which it "
                         "begins with",
                         options->lr_min, options->lr);
    }
    if (schedule == WEFT_LR_STEP && options->lr_period == 0) {
        return weft_fail(err, WEFT_ERR_ARG, "learning rate: period 0, wanted more for step");
    }
    if (schedule == WEFT_LR_COSINE && options->lr_period_factor == 0) {
        return weft_fail(err, WEFT_ERR_ARG, "learning rate: period factor 0, wanted 1 or more");
    }
    return WEFT_OK;
}

weft_status weft_schedule_check(const weft_train_options *options, struct weft_run_length length,
                                weft_error *err)
{
    if ((unsigned)options->schedule >= WEFT_N_SCHEDULES) {
        return weft_fail(err, WEFT_ERR_ARG, "learning rate: no schedule %d",
                         (int)options->schedule);
    }
    size_t n = options->lr_by_epoch ? length.epochs : length.epochs * length.steps_per_epoch;
    if (options->warmup > 0 && options->warmup >= n) {
        return weft_fail(err, WEFT_ERR_ARG,
                         "learning rate: warm-up of %zu %s, wanted fewer than the run's %zu",
                         options->warmup, options->lr_by_epoch ? "epochs" : "steps", n);
    }
    return check_numbers(options, err);
}

/* From `from` at x = 0 to `to` at x = 1. */
static double half_wave(double from, double to, double x)
{
    return to + (from - to) * (1 + weft_cos_pi(x)) / 2;
}

static double cosine(const weft_train_options *options, size_t t, size_t n)
{
    size_t length = options->lr_period > 0 ? options->lr_period : n;
    while (t >= length) {
        t -= length;
        /* A cycle that long is the last. */
        bool fits = length <= (size_t)-1 / options->lr_period_factor;
        length = fits ? length * options->lr_period_factor : (size_t)-1;
    }
    return half_wave(options->lr, options->lr_min, (double)t / (double)length);
}

static double one_cycle(double most, size_t t, size_t n)
{
    double first = most / 25, last = first / 1e4;
    double top = 0.3 * (double)n - 1, end = (double)n - 1, at = (double)t;
    return at <= top ? half_wave(first, most, top > 0 ? at / top : 1)
                     : half_wave(most, last, (at - top) / (end - top));
}

/* The schedule without warm-up at t of n. */
static double rate_at(const weft_train_options *options, const struct weft_plateau *plateau,
                      size_t t, size_t n)
{
    switch (options->schedule) {
    case WEFT_LR_LINEAR:
        return options->lr_min +
               (options->lr - options->lr_min) * (1 - (double)t / (double)(n > 0 ? n : 1));
    case WEFT_LR_STEP:
        return options->lr * weft_power(options->lr_factor, t / options->lr_period);
    case WEFT_LR_EXPONENTIAL:
        return options->lr * weft_power(options->lr_factor, t);
    case WEFT_LR_COSINE:
        return n > 0 ? cosine(options, t, n) : options->lr;
    case WEFT_LR_ONE_CYCLE:
        return n > 0 ? one_cycle(options->lr, t, n) : options->lr;
    case WEFT_LR_PLATEAU:
        return plateau->lr;
    case WEFT_LR_CONSTANT:
    case WEFT_N_SCHEDULES:
        break;
    }
    return options->lr;
}

double weft_schedule_lr(const weft_train_options *options, struct weft_run_length length,
                        const struct weft_plateau *plateau, size_t step)
{
    bool by_epoch = options->lr_by_epoch;
    size_t t = by_epoch ? step / length.steps_per_epoch : step;
    size_t n = by_epoch ? length.epochs : length.epochs * length.steps_per_epoch;
    size_t warmup = options->warmup;
    if (t < warmup) {
        return rate_at(options, plateau, 0, n - warmup) * ((double)t + 1) / ((double)warmup + 1);
    }
    return rate_at(options, plateau, t - warmup, n - warmup);
}

struct weft_plateau weft_plateau_start(const weft_train_options *options)
{
    return (struct weft_plateau){.lr = options->lr, .best = HUGE_VAL};
}

void weft_plateau_take(struct weft_plateau *plateau, const weft_train_options *options, double loss)
{
    if (loss < plateau->best * (1 - 1e-4)) {
        plateau->best = loss;
        plateau->n_bad = 0;
        return;
    }
    if (++plateau->n_bad > options->lr_patience) {
        double lower = plateau->lr * options->lr_factor;
        plateau->lr = lower > options->lr_min ? lower : options->lr_min;
        plateau->n_bad = 0;
    }
}
