/* Loss and accuracy over whole data sets. */
#include "train/score.h"

#include <math.h>

#include "base/fail.h"
#include "data/walk.h"

weft_status weft_check_fit(const weft_net *net, const weft_dataset *data, bool wants_labels,
                           const char *what, weft_error *err)
{
    if (weft_dataset_features(data) != weft_net_n_inputs(net)) {
        return weft_fail(err, WEFT_ERR_MISMATCH, "%s: %zu features, the network wants %zu", what,
                         weft_dataset_features(data), weft_net_n_inputs(net));
    }
    if (!wants_labels) {
        return WEFT_OK;
    }
    weft_targets targets = weft_dataset_targets(data);
    weft_error cause;
    weft_status status = weft_net_check_targets(net, &targets, weft_dataset_samples(data), &cause);
    return status == WEFT_OK ? status : weft_fail(err, status, "%s: %s", what, cause.message);
}

/* Those of the samples from `first` on, without weights. */
static weft_targets targets_from(const weft_targets *targets, size_t first)
{
    weft_targets rest = *targets;
    rest.classes = rest.classes == NULL ? NULL : rest.classes + first;
    rest.weights = NULL; /* scores count each sample once */
    rest.values = rest.values == NULL ? NULL : rest.values + first * rest.n_values;
    return rest;
}

weft_score weft_score_of(const weft_net *net, struct weft_loss_sum sum, size_t n_samples)
{
    double n_choices = (double)n_samples;
    if (weft_net_n_classes(net) == 0) {
        n_choices *= (double)weft_net_n_outputs(net);
    }
    return (weft_score){
        .known = true,
        .loss = sum.loss / (double)n_samples,
        .accuracy = weft_net_output(net) == WEFT_OUTPUT_IDENTITY ? (double)NAN
                                                                 : (double)sum.n_right / n_choices,
    };
}

weft_status weft_pass_over_dataset(struct weft_pass *pass, const weft_dataset *data,
                                   weft_tensor *logits, struct weft_loss_sum *total,
                                   weft_error *err)
{
    weft_targets targets = weft_dataset_targets(data);
    struct weft_walk walk;
    *total = (struct weft_loss_sum){0};
    weft_status status = weft_walk_init(&walk, data, err);
    size_t n_samples = weft_dataset_samples(data);
    weft_tensor x = {0}, view = {0};
    for (size_t at = 0; status == WEFT_OK && at < n_samples; at += x.rows) {
        status = weft_walk_next(&walk, &x, err);
        if (status == WEFT_OK && logits != NULL) {
            view = weft_tensor_view(logits, at, 0, x.rows, logits->cols);
        }
        if (status == WEFT_OK) {
            weft_targets here = targets_from(&targets, at);
            weft_pass_over(pass, &x, &here, logits != NULL ? &view : NULL, total);
        }
    }
    weft_walk_release(&walk);
    return status;
}

weft_status weft_score_dataset(struct weft_pass *pass, const weft_dataset *data, weft_score *out,
                               weft_error *err)
{
    struct weft_loss_sum total;
    weft_status status = weft_pass_over_dataset(pass, data, NULL, &total, err);
    if (status == WEFT_OK) {
        *out = weft_score_of(pass->net, total, weft_dataset_samples(data));
    }
    return status;
}
