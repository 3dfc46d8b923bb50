/* Loss and accuracy over whole data sets. */
#include "train/score.h"

#include <math.h>

#include "base/fail.h"

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

weft_score weft_score_dataset(struct weft_pass *pass, const weft_dataset *data)
{
    weft_tensor x = weft_dataset_x(data);
    weft_targets targets = weft_dataset_targets(data);
    struct weft_loss_sum total;
    weft_pass_over(pass, &x, &targets, NULL, &total);
    return weft_score_of(pass->net, total, x.rows);
}
