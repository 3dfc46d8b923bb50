/* Choosing samples by what was predicted for them. */
#include "report/sample_choice.h"

#include <math.h>
#include <string.h>

#include "base/fail.h"
#include "base/mem.h"

/* That of the predicted class; what is no number comes last. */
static float confidence(const struct sample_predictions *found, size_t sample)
{
    float p = sample_probability(found, sample, (size_t)found->classes[sample]);
    return isnan(p) ? -1 : p;
}

/* Keeps the most confident ones in order: insertion into a short list. */
static void offer_wrong(struct sample_choice *choice, const struct sample_predictions *found,
                        size_t most, size_t sample)
{
    float p = confidence(found, sample);
    size_t at = choice->n_wrong;
    while (at > 0 && confidence(found, choice->wrong[at - 1]) < p) {
        at--;
    }
    if (at == most) {
        return;
    }
    choice->n_wrong += choice->n_wrong < most;
    for (size_t i = choice->n_wrong - 1; i > at; i--) {
        choice->wrong[i] = choice->wrong[i - 1];
    }
    choice->wrong[at] = sample;
}

/* Takes the samples that are the `round`-th right ones of their classes, sorted by class. `seen`
 * [n_classes] is scratch. */
static void take_round(struct sample_choice *choice, const struct sample_predictions *found,
                       size_t most, size_t round, size_t *seen)
{
    size_t first = choice->n_right;
    memset(seen, 0, found->n_classes * sizeof *seen);
    for (size_t i = 0; i < found->samples && choice->n_right < most; i++) {
        if (sample_verdict(found, i) != SAMPLE_RIGHT || seen[found->classes[i]]++ != round) {
            continue;
        }
        size_t at = choice->n_right++;
        for (; at > first && found->classes[choice->right[at - 1]] > found->classes[i]; at--) {
            choice->right[at] = choice->right[at - 1];
        }
        choice->right[at] = i;
    }
}

weft_status sample_choice_init(struct sample_choice *choice, const struct sample_predictions *found,
                               size_t most, weft_error *err)
{
    *choice = (struct sample_choice){0};
    size_t n_classes = found->n_classes;
    if (n_classes == 0 || weft_dataset_targets(found->data).kind != WEFT_LABELS_CLASSES) {
        return WEFT_OK;
    }
    size_t *seen = weft_mem_alloc(n_classes, sizeof *seen);
    choice->right = weft_mem_alloc(most, sizeof *choice->right);
    choice->wrong = weft_mem_alloc(most, sizeof *choice->wrong);
    if (seen == NULL || choice->right == NULL || choice->wrong == NULL) {
        weft_mem_free(seen);
        sample_choice_release(choice);
        return weft_fail_nomem(err, "a choice of samples");
    }
    for (size_t i = 0; i < found->samples; i++) {
        if (sample_verdict(found, i) == SAMPLE_WRONG) {
            choice->total_wrong++;
            offer_wrong(choice, found, most, i);
        } else {
            choice->total_right++;
        }
    }
    size_t wanted = choice->total_right < most ? choice->total_right : most;
    for (size_t round = 0; choice->n_right < wanted; round++) {
        take_round(choice, found, most, round, seen);
    }
    weft_mem_free(seen);
    return WEFT_OK;
}

void sample_choice_release(struct sample_choice *choice)
{
    weft_mem_free(choice->right);
    weft_mem_free(choice->wrong);
    *choice = (struct sample_choice){0};
}
