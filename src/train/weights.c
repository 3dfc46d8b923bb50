/* See weights.h. The sum runs over the samples in their order, in double. */
#include "train/weights.h"

#include <math.h>

#include "base/fail.h"
#include "base/mem.h"

weft_status weft_balanced_weights(const weft_dataset *data, double *weights, weft_error *err)
{
    size_t n = weft_dataset_samples(data), k = weft_dataset_n_classes(data), n_present = 0;
    weft_targets targets = weft_dataset_targets(data);
    if (targets.kind != WEFT_LABELS_CLASSES) {
        return weft_fail(err, WEFT_ERR_MISMATCH, "balanced weights: the labels are not classes");
    }
    for (size_t c = 0; c < k; c++) {
        weights[c] = 0;
    }
    for (size_t i = 0; i < n; i++) {
        n_present += weights[targets.classes[i]] == 0;
        weights[targets.classes[i]] += 1;
    }
    for (size_t c = 0; c < k; c++) {
        weights[c] = weights[c] > 0 ? (double)n / ((double)n_present * weights[c]) : 0;
    }
    return WEFT_OK;
}

static double weight_of(const weft_targets *targets, const weft_train_options *options, size_t i)
{
    double weight =
        options->class_weights != NULL ? options->class_weights[targets->classes[i]] : 1;
    return targets->weights != NULL ? weight * (double)targets->weights[i] : weight;
}

static double sum_of(const weft_dataset *data, const weft_train_options *options)
{
    weft_targets targets = weft_dataset_targets(data);
    double sum = 0;
    for (size_t i = 0; i < weft_dataset_samples(data); i++) {
        sum += weight_of(&targets, options, i);
    }
    return sum;
}

weft_status weft_check_weights(const weft_dataset *data, const weft_train_options *options,
                               weft_error *err)
{
    weft_targets targets = weft_dataset_targets(data);
    if (options->class_weights != NULL) {
        if (targets.kind != WEFT_LABELS_CLASSES) {
            return weft_fail(err, WEFT_ERR_ARG, "class weights: the labels are not classes");
        }
        if (options->n_class_weights != weft_dataset_n_classes(data)) {
            return weft_fail(err, WEFT_ERR_ARG, "%zu class weights, wanted %zu, one for each class",
                             options->n_class_weights, weft_dataset_n_classes(data));
        }
    }
    for (size_t c = 0; options->class_weights != NULL && c < options->n_class_weights; c++) {
        double weight = options->class_weights[c];
        if (!(weight >= 0 && isfinite(weight))) {
            return weft_fail(err, WEFT_ERR_ARG, "class weight %g, wanted 0 or more", weight);
        }
    }
    bool counts =
        (options->class_weights == NULL && targets.weights == NULL) || sum_of(data, options) > 0;
    return counts ? WEFT_OK : weft_fail(err, WEFT_ERR_ARG, "the weights of all samples are 0");
}

weft_status weft_sample_weights(const weft_dataset *data, const weft_train_options *options,
                                float **out, weft_error *err)
{
    weft_targets targets = weft_dataset_targets(data);
    size_t n = weft_dataset_samples(data);
    *out = NULL;
    if (options->class_weights == NULL && targets.weights == NULL) {
        return WEFT_OK;
    }
    float *weights = weft_mem_alloc(n, sizeof *weights);
    if (weights == NULL) {
        return weft_fail_nomem(err, "weights");
    }
    double scale = (double)n / sum_of(data, options);
    for (size_t i = 0; i < n; i++) {
        weights[i] = (float)(weight_of(&targets, options, i) * scale);
    }
    *out = weights;
    return WEFT_OK;
}
