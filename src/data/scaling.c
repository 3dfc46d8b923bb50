/* Finds how features become network inputs. Sums run over the samples in their order, in double, so
 * the result is a function of the data alone. */
#include <weft/scaling.h>

#include <math.h>
#include <string.h>

#include "base/fail.h"
#include "base/mem.h"
#include "data/dataset_impl.h"
#include "data/walk.h"

static const char *const kind_names[] = {"auto", "none", "unit", "standard", "rms"};

#define N_KINDS (sizeof kind_names / sizeof *kind_names)

const char *weft_scale_kind_name(weft_scale_kind kind)
{
    return (size_t)kind < N_KINDS ? kind_names[kind] : "unknown";
}

weft_status weft_scale_kind_from_name(const char *name, weft_scale_kind *out)
{
    for (size_t i = 0; i < N_KINDS; i++) {
        if (strcmp(name, kind_names[i]) == 0) {
            *out = (weft_scale_kind)i;
            return WEFT_OK;
        }
    }
    return WEFT_ERR_ARG;
}

void weft_scaling_release(weft_scaling *scaling)
{
    weft_mem_free(scaling->shift);
    weft_mem_free(scaling->scale);
    *scaling = (weft_scaling){0};
}

static double element(const weft_tensor *x, size_t row, size_t feature)
{
    size_t at = row * x->ld + feature;
    return x->dtype == WEFT_U8 ? (double)((const uint8_t *)x->data)[at]
                               : (double)((const float *)x->data)[at];
}

/* 1 / spread as float; 1 where the feature is constant or so nearly that it does not fit. */
static float inverse(double spread)
{
    float scale = (float)(1 / spread);
    return spread > 0 && isfinite(scale) ? scale : 1;
}

/* Two numbers for each feature, that all samples pass by. */
struct sums {
    size_t features;
    double *one, *other;
};

static void add_range(struct sums *sums, const weft_tensor *x)
{
    double *low = sums->one, *high = sums->other;
    for (size_t i = 0; i < x->rows; i++) {
        for (size_t j = 0; j < sums->features; j++) {
            double value = element(x, i, j);
            low[j] = value < low[j] ? value : low[j];
            high[j] = value > high[j] ? value : high[j];
        }
    }
}

static void add_mean(struct sums *sums, const weft_tensor *x)
{
    for (size_t i = 0; i < x->rows; i++) {
        for (size_t j = 0; j < sums->features; j++) {
            sums->one[j] += element(x, i, j);
        }
    }
}

static void add_square(struct sums *sums, const weft_tensor *x)
{
    for (size_t i = 0; i < x->rows; i++) {
        for (size_t j = 0; j < sums->features; j++) {
            double difference = element(x, i, j) - sums->one[j];
            sums->other[j] += difference * difference;
        }
    }
}

/* Lets all samples pass by, in order. */
static weft_status pass(const weft_dataset *data, struct sums *sums,
                        void (*add)(struct sums *sums, const weft_tensor *x), weft_error *err)
{
    struct weft_walk walk;
    weft_tensor x = {0};
    weft_status status = weft_walk_init(&walk, data, err);
    do {
        if (status == WEFT_OK) {
            status = weft_walk_next(&walk, &x, err);
        }
        if (status == WEFT_OK) {
            add(sums, &x);
        }
    } while (status == WEFT_OK && x.rows > 0);
    weft_walk_release(&walk);
    return status;
}

/* shift = min, scale = 1 / (max - min) */
static weft_status fit_range(const weft_dataset *data, weft_scaling *scaling, struct sums *sums,
                             weft_error *err)
{
    for (size_t j = 0; j < sums->features; j++) {
        sums->one[j] = HUGE_VAL;
        sums->other[j] = -HUGE_VAL;
    }
    weft_status status = pass(data, sums, add_range, err);
    for (size_t j = 0; j < sums->features; j++) {
        scaling->shift[j] = (float)sums->one[j];
        scaling->scale[j] = inverse(sums->other[j] - sums->one[j]);
    }
    return status;
}

/* shift = mean, scale = 1 / sqrt(mean of (x - mean)^2), in two passes: the difference of two sums
 * of squares would lose all digits where the mean is large. */
static weft_status fit_standard(const weft_dataset *data, weft_scaling *scaling, struct sums *sums,
                                weft_error *err)
{
    double n = (double)data->extent.samples;
    weft_status status = pass(data, sums, add_mean, err);
    for (size_t j = 0; j < sums->features; j++) {
        sums->one[j] /= n;
    }
    if (status == WEFT_OK) {
        status = pass(data, sums, add_square, err);
    }
    for (size_t j = 0; j < sums->features; j++) {
        scaling->shift[j] = (float)sums->one[j];
        scaling->scale[j] = inverse(sqrt(sums->other[j] / n));
    }
    return status;
}

/* Of bytes the sum is exact. */
static void add_all_squares(struct sums *sums, const weft_tensor *x)
{
    size_t n = x->rows * x->cols; /* which follow each other */
    if (x->dtype == WEFT_U8) {
        const uint8_t *bytes = x->data;
        uint64_t sum = 0;
        for (size_t i = 0; i < n; i++) {
            sum += (uint64_t)bytes[i] * bytes[i];
        }
        *sums->one += (double)sum;
        return;
    }
    const float *floats = x->data;
    for (size_t i = 0; i < n; i++) {
        *sums->one += (double)floats[i] * (double)floats[i];
    }
}

/* scale = 1 / sqrt(mean of x^2) over all features of all samples. */
static weft_status fit_rms(const weft_dataset *data, weft_scaling *scaling, weft_error *err)
{
    double squares = 0;
    struct sums sums = {.features = data->extent.features, .one = &squares};
    weft_status status = pass(data, &sums, add_all_squares, err);
    double n = (double)data->extent.samples * (double)data->extent.features;
    scaling->scale[0] = inverse(sqrt(squares / n));
    return status;
}

static weft_status allocate(weft_scaling *scaling, weft_scale_kind kind, size_t n)
{
    scaling->kind = kind;
    scaling->n = n;
    scaling->shift = weft_mem_zalloc(n, sizeof *scaling->shift);
    scaling->scale = weft_mem_zalloc(n, sizeof *scaling->scale);
    return scaling->shift != NULL && scaling->scale != NULL ? WEFT_OK : WEFT_ERR_NOMEM;
}

/* A scaling with entries for each feature. */
static weft_status fit_each(const weft_dataset *data, weft_scale_kind kind, weft_scaling *scaling,
                            weft_error *err)
{
    struct sums sums = {.features = data->extent.features};
    weft_status status = allocate(scaling, kind, sums.features);
    sums.one = weft_mem_zalloc(sums.features, sizeof *sums.one);
    sums.other = weft_mem_zalloc(sums.features, sizeof *sums.other);
    if (status != WEFT_OK || sums.one == NULL || sums.other == NULL) {
        status = weft_fail_nomem(err, "a scaling");
    } else if (kind == WEFT_SCALE_UNIT) {
        status = fit_range(data, scaling, &sums, err);
    } else {
        status = fit_standard(data, scaling, &sums, err);
    }
    weft_mem_free(sums.one);
    weft_mem_free(sums.other);
    return status;
}

weft_status weft_scaling_fit(const weft_dataset *data, weft_scale_kind kind, weft_scaling *out,
                             weft_error *err)
{
    if ((size_t)kind >= N_KINDS) {
        return weft_fail(err, WEFT_ERR_ARG, "no such kind of scaling: %d", (int)kind);
    }
    if (kind == WEFT_SCALE_AUTO) {
        kind = data->is_integer ? WEFT_SCALE_UNIT : WEFT_SCALE_STANDARD;
    }
    weft_scaling made = {.kind = kind};
    weft_status status = WEFT_OK;
    if (kind == WEFT_SCALE_UNIT && data->x.dtype == WEFT_U8) {
        status = allocate(&made, kind, 1);
        if (status == WEFT_OK) {
            made.scale[0] = 1.0f / 255;
        } else {
            status = weft_fail_nomem(err, "a scaling");
        }
    } else if (kind == WEFT_SCALE_RMS) {
        status = allocate(&made, kind, 1);
        status = status == WEFT_OK ? fit_rms(data, &made, err) : weft_fail_nomem(err, "a scaling");
    } else if (kind != WEFT_SCALE_NONE) {
        status = fit_each(data, kind, &made, err);
    }
    if (status != WEFT_OK) {
        weft_scaling_release(&made);
        return status;
    }
    *out = made;
    return WEFT_OK;
}
