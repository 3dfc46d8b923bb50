/* Whether a checkpoint and a run belong together: the same network, options and data, and numbers
 * that a run can have come to. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/fail.h"
#include "nn/layers.h"
#include "train/checkpoint_fields.h"
#include "train/train_state.h"

/* Of the weights of classes, by FNV-1a; 0 where there are none. */
static uint64_t digest_of_weights(const weft_train_options *options)
{
    const unsigned char *bytes = (const unsigned char *)options->class_weights;
    size_t n = options->n_class_weights * sizeof *options->class_weights;
    uint64_t digest = bytes == NULL ? 0 : 0xcbf29ce484222325u;
    for (size_t i = 0; bytes != NULL && i < n; i++) {
        digest = (digest ^ bytes[i]) * 0x100000001b3u;
    }
    return digest;
}

void weft_digests_find(struct weft_digests *digests, const weft_dataset *data,
                       const weft_train_options *options)
{
    if (!digests->known) {
        digests->data = weft_dataset_digest(data) ^ digest_of_weights(options);
        digests->val = options->val == NULL ? 0 : weft_dataset_digest(options->val);
        digests->known = true;
    }
}

static bool same_floats(const float *a, const float *b, size_t n)
{
    return n == 0 || memcmp(a, b, n * sizeof *a) == 0;
}

/* What differs between two networks beside their parameters, or NULL. */
static const char *difference(const weft_net *a, const weft_net *b)
{
    if (a->n_layers != b->n_layers) {
        return "another number of layers";
    }
    for (size_t l = 0; l < a->n_layers; l++) {
        const struct weft_layer *x = &a->layers[l], *y = &b->layers[l];
        if (x->linear.n_in != y->linear.n_in || x->linear.n_out != y->linear.n_out) {
            return "layers of other widths";
        }
        if (x->f != y->f) {
            return "another activation";
        }
    }
    if (a->output != b->output) {
        return "another output";
    }
    const weft_scaling *s = &a->scaling, *t = &b->scaling;
    return s->n == t->n && same_floats(s->shift, t->shift, s->n) &&
                   same_floats(s->scale, t->scale, s->n)
               ? NULL
               : "another scaling of its inputs";
}

static weft_status check_options(const weft_train_options *then, const weft_train_options *now,
                                 weft_error *err)
{
    for (size_t i = 0; i < weft_n_option_fields; i++) {
        const struct weft_field *field = &weft_option_fields[i];
        char a[WEFT_FIELD_SIZE], b[WEFT_FIELD_SIZE];
        weft_field_text(field, then, a);
        weft_field_text(field, now, b);
        if (!field->may_change && strcmp(a, b) != 0) {
            return weft_fail(err, WEFT_ERR_MISMATCH, "resume: %s was %s, wanted the same; got %s",
                             strrchr(field->key, '.') + 1, a, b);
        }
    }
    return WEFT_OK;
}

static weft_status check_data(const struct weft_digests *then, const weft_dataset *data,
                              const weft_train_options *options, weft_error *err)
{
    struct weft_digests now = {0};
    weft_digests_find(&now, data, options);
    const char *what = now.data != then->data ? "training"
                       : now.val != then->val ? "validation"
                                              : NULL;
    if (what == NULL) {
        return WEFT_OK;
    }
    bool is_val = now.data == then->data;
    return weft_fail(err, WEFT_ERR_MISMATCH,
                     "resume: the %s data are not those of the checkpoint: digest %016" PRIx64
                     ", wanted %016" PRIx64,
                     what, is_val ? now.val : now.data, is_val ? then->val : then->data);
}

/* Numbers that come from a file whose checksum is right, but that nobody's run has come to. */
static bool is_possible(const weft_checkpoint *checkpoint, size_t n_samples, size_t batch_size,
                        struct weft_run_length length)
{
    const struct weft_learned *at = &checkpoint->learned;
    size_t per_epoch = length.steps_per_epoch;
    if (at->epoch > SIZE_MAX / per_epoch - 1 || at->step < at->epoch * per_epoch ||
        at->step > (at->epoch + 1) * per_epoch) {
        return false;
    }
    size_t in_epoch = at->step - at->epoch * per_epoch;
    size_t samples = in_epoch == per_epoch ? n_samples : in_epoch * batch_size;
    return at->epoch_samples == samples && isfinite(at->epoch_sum.loss) && isfinite(at->lr) &&
           at->lr_factor > 0 && at->lr_factor <= 1 && at->seconds >= 0 && isfinite(at->seconds) &&
           isfinite(at->plateau.lr) && at->plateau.lr >= 0 && at->best_epoch <= at->epoch;
}

static weft_status check_numbers(const weft_checkpoint *checkpoint, size_t n_samples,
                                 size_t batch_size, struct weft_run_length length, weft_error *err)
{
    const struct weft_learned *at = &checkpoint->learned;
    if (!is_possible(checkpoint, n_samples, batch_size, length)) {
        return weft_fail(err, WEFT_ERR_FORMAT,
                         "resume: the numbers of the checkpoint contradict each other: epoch %zu, "
                         "step %zu, %zu samples",
                         at->epoch, at->step, at->epoch_samples);
    }
    return at->step <= length.epochs * length.steps_per_epoch
               ? WEFT_OK
               : weft_fail(err, WEFT_ERR_MISMATCH,
                           "resume: step %zu is made, wanted epochs for more; got %zu of %zu steps",
                           at->step, length.epochs, length.steps_per_epoch);
}

weft_status weft_checkpoint_check(const weft_checkpoint *checkpoint, const weft_net *net,
                                  const weft_dataset *data, const weft_train_options *options,
                                  size_t batch_size, struct weft_run_length length, weft_error *err)
{
    const char *other = difference(checkpoint->net, net);
    if (other != NULL) {
        return weft_fail(err, WEFT_ERR_MISMATCH, "resume: the network of the checkpoint has %s",
                         other);
    }
    weft_status status = check_options(&checkpoint->options, options, err);
    if (status == WEFT_OK) {
        status = check_data(&checkpoint->digests, data, options, err);
    }
    return status == WEFT_OK
               ? check_numbers(checkpoint, weft_dataset_samples(data), batch_size, length, err)
               : status;
}

weft_status weft_checkpoint_best(const weft_checkpoint *checkpoint, weft_net *net, weft_error *err)
{
    const float *best = checkpoint->blocks[WEFT_BLOCK_BEST];
    if (best == NULL || difference(checkpoint->net, net) != NULL) {
        return weft_fail(err, WEFT_ERR_ARG, "the checkpoint has no best epoch of such a network");
    }
    memcpy(net->params, best, net->block_len * sizeof *best);
    return WEFT_OK;
}
