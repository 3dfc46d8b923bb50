/* Predicting a data set, and comparing with its labels. */
#include "report/sample_predictions.h"

#include <stdbool.h>

#include "base/fail.h"
#include "base/mem.h"

weft_status sample_predictions_init(struct sample_predictions *found, weft_context *context,
                                    const weft_net *net, const weft_dataset *data, weft_error *err)
{
    *found = (struct sample_predictions){.net = net,
                                         .data = data,
                                         .samples = weft_dataset_samples(data),
                                         .n_classes = weft_net_n_classes(net),
                                         .n_outputs = weft_net_n_outputs(net)};
    if (weft_tensor_init(&found->p, WEFT_F32, found->samples, found->n_outputs) != WEFT_OK) {
        return weft_fail_nomem(err, "predictions");
    }
    if (found->n_classes > 0) {
        found->classes = weft_mem_alloc(found->samples, sizeof *found->classes);
        if (found->classes == NULL) {
            return weft_fail_nomem(err, "predictions");
        }
    }
    return weft_predict(context, net, data, &found->p, found->classes, err);
}

void sample_predictions_release(struct sample_predictions *found)
{
    weft_mem_free(found->classes);
    weft_tensor_release(&found->p);
    *found = (struct sample_predictions){0};
}

float sample_output(const struct sample_predictions *found, size_t sample, size_t index)
{
    return ((const float *)found->p.data)[sample * found->p.ld + index];
}

float sample_probability(const struct sample_predictions *found, size_t sample, size_t index)
{
    if (found->n_outputs > 1) {
        return sample_output(found, sample, index);
    }
    float p = sample_output(found, sample, 0);
    return index == 1 ? p : 1 - p;
}

enum sample_verdict sample_verdict(const struct sample_predictions *found, size_t sample)
{
    weft_targets targets = weft_dataset_targets(found->data);
    if (targets.kind == WEFT_LABELS_CLASSES && found->classes != NULL) {
        return targets.classes[sample] == found->classes[sample] ? SAMPLE_RIGHT : SAMPLE_WRONG;
    }
    if (targets.kind != WEFT_LABELS_VALUES || weft_net_output(found->net) != WEFT_OUTPUT_SIGMOID) {
        return SAMPLE_UNKNOWN;
    }
    bool right = true;
    for (size_t i = 0; i < targets.n_values; i++) {
        bool wanted = targets.values[sample * targets.n_values + i] >= 0.5F;
        right = right && (sample_output(found, sample, i) >= 0.5F) == wanted;
    }
    return right ? SAMPLE_RIGHT : SAMPLE_WRONG;
}
