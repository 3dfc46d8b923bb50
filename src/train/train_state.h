/* What learning remembers between two steps, as checkpoints save it and a resumed run takes it up.
 */
#ifndef WEFT_TRAIN_TRAIN_STATE_H
#define WEFT_TRAIN_TRAIN_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/checkpoint.h>
#include <weft/context.h>
#include <weft/dataset.h>
#include <weft/net.h>
#include <weft/train.h>

#include "ops/output.h"
#include "train/schedule.h"

/* Numbers. A new one belongs into the table of checkpoint_fields.c. */
struct weft_learned {
    size_t epoch, step;
    struct weft_loss_sum epoch_sum; /* of the running epoch */
    size_t epoch_samples;
    double lr;        /* of the last step */
    double lr_factor; /* by which all learning rates are multiplied */
    double last_loss; /* the last finite one; NaN before */
    double seconds;   /* of training, before a resume too */
    struct weft_plateau plateau;
    size_t best_epoch;
    weft_score best;
    weft_score train, val, test; /* of the last epoch that ended */
};

/* Blocks of the network's layout; NULL where the run has none. */
enum { WEFT_BLOCK_M, WEFT_BLOCK_V, WEFT_BLOCK_AVERAGE, WEFT_BLOCK_BEST, WEFT_N_BLOCKS };

/* What a data set was, or 0 for none. */
struct weft_digests {
    bool known;
    uint64_t data, val;
};

/* A run at rest, all of it borrowed. */
struct weft_train_state {
    struct weft_learned learned;
    const weft_net *net;
    const float *blocks[WEFT_N_BLOCKS];
    const weft_train_options *options;
    const weft_dataset *data;
    const weft_context *context;
    struct weft_digests *digests; /* found when they are first wanted */
};

struct weft_checkpoint {
    struct weft_learned learned;
    weft_train_options options; /* of the fields that say what a run is */
    struct weft_digests digests;
    weft_net *net;
    float *blocks[WEFT_N_BLOCKS];
    char *isa, *precision;
    weft_checkpoint_note *notes; /* [n_notes], their texts owned */
    size_t n_notes;
};

/* Fills in what is not known. */
void weft_digests_find(struct weft_digests *digests, const weft_dataset *data,
                       const weft_train_options *options);

/* WEFT_ERR_MISMATCH, naming it, where the network, an option or the data are not those of the
 * checkpoint; WEFT_ERR_FORMAT where its numbers contradict each other. */
WEFT_CHECKED weft_status weft_checkpoint_check(const weft_checkpoint *checkpoint,
                                               const weft_net *net, const weft_dataset *data,
                                               const weft_train_options *options, size_t batch_size,
                                               struct weft_run_length length, weft_error *err);

#endif
