/* Finds how features become network inputs. Sums run over the samples in their order, in double, so
 * the result is a function of the data alone. */
#include <weft/scaling.h>

#include <math.h>
#include <string.h>

#include "base/fail.h"
#include "base/mem.h"
#include "data/dataset_impl.h"

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

static double element(const weft_dataset *data, size_t sample, size_t feature)
{
    size_t at = sample * data->extent.features + feature;
    return data->x.dtype == WEFT_U8 ? (double)((const uint8_t *)data->x.data)[at]
                                    : (double)((const float *)data->x.data)[at];
}

/* 1 / spread as float; 1 where the feature is constant or so nearly that it does not fit. */
static float inverse(double spread)
{
    float scale = (float)(1 / spread);
    return spread > 0 && isfinite(scale) ? scale : 1;
}

/* shift = min, scale = 1 / (max - min) */
static void fit_range(const weft_dataset *data, weft_scaling *scaling, double *low, double *high)
{
    size_t n = data->extent.samples, features = data->extent.features;
    for (size_t j = 0; j < features; j++) {
        low[j] = high[j] = element(data, 0, j);
    }
    for (size_t i = 1; i < n; i++) {
        for (size_t j = 0; j < features; j++) {
            double x = element(data, i, j);
            low[j] = x < low[j] ? x : low[j];
            high[j] = x > high[j] ? x : high[j];
        }
    }
    for (size_t j = 0; j < features; j++) {
        scaling->shift[j] = (float)low[j];
        scaling->scale[j] = inverse(high[j] - low[j]);
    }
}

/* shift = mean, scale = 1 / sqrt(mean of (x - mean)^2), in two passes: the difference of two sums
 * of squares would lose all digits where the mean is large. */
static void fit_standard(const weft_dataset *data, weft_scaling *scaling, double *mean,
                         double *square)
{
    size_t n = data->extent.samples, features = data->extent.features;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < features; j++) {
            mean[j] += element(data, i, j);
        }
    }
    for (size_t j = 0; j < features; j++) {
        mean[j] /= (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < features; j++) {
            double difference = element(data, i, j) - mean[j];
            square[j] += difference * difference;
        }
    }
    for (size_t j = 0; j < features; j++) {
        scaling->shift[j] = (float)mean[j];
        scaling->scale[j] = inverse(sqrt(square[j] / (double)n));
    }
}

/* scale = 1 / sqrt(mean of x^2) over all features of all samples. Of bytes the sum is exact. */
static void fit_rms(const weft_dataset *data, weft_scaling *scaling)
{
    size_t n = data->extent.samples * data->extent.features;
    double squares = 0;
    if (data->x.dtype == WEFT_U8) {
        const uint8_t *x = data->x.data;
        uint64_t sum = 0;
        for (size_t i = 0; i < n; i++) {
            sum += (uint64_t)x[i] * x[i];
        }
        squares = (double)sum;
    } else {
        const float *x = data->x.data;
        for (size_t i = 0; i < n; i++) {
            squares += (double)x[i] * (double)x[i];
        }
    }
    scaling->scale[0] = inverse(sqrt(squares / (double)n));
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
static weft_status fit_each(const weft_dataset *data, weft_scale_kind kind, weft_scaling *scaling)
{
    size_t features = data->extent.features;
    weft_status status = allocate(scaling, kind, features);
    double *one = weft_mem_zalloc(features, sizeof *one);
    double *other = weft_mem_zalloc(features, sizeof *other);
    if (status != WEFT_OK || one == NULL || other == NULL) {
        status = WEFT_ERR_NOMEM;
    } else if (kind == WEFT_SCALE_UNIT) {
        fit_range(data, scaling, one, other);
    } else {
        fit_standard(data, scaling, one, other);
    }
    weft_mem_free(one);
    weft_mem_free(other);
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
        }
    } else if (kind == WEFT_SCALE_RMS) {
        status = allocate(&made, kind, 1);
        if (status == WEFT_OK) {
            fit_rms(data, &made);
        }
    } else if (kind != WEFT_SCALE_NONE) {
        status = fit_each(data, kind, &made);
    }
    if (status != WEFT_OK) {
        weft_scaling_release(&made);
        return weft_fail_nomem(err, "a scaling");
    }
    *out = made;
    return WEFT_OK;
}
