/* The checkpoints of a run of weft train: when they are written and which ones stay. */
#ifndef WEFT_CLI_TRAIN_CHECKPOINT_H
#define WEFT_CLI_TRAIN_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <weft/checkpoint.h>
#include <weft/status.h>

#include "cli/option_table.h"

/* Where in RUNDIR they are. */
#define CLI_CHECKPOINTS "checkpoints"
#define CLI_LAST_CHECKPOINT "last.safetensors"
#define CLI_BEST_CHECKPOINT "best.safetensors"

/* From one to the next. */
struct checkpoint_interval {
    enum { CHECKPOINT_NEVER, CHECKPOINT_STEPS, CHECKPOINT_SECONDS, CHECKPOINT_EPOCHS } unit;
    double n;
};

/* "500", "60s", "2e", "never". WEFT_ERR_ARG: something else. */
WEFT_CHECKED weft_status checkpoint_interval_parse(const char *text,
                                                   struct checkpoint_interval *out,
                                                   weft_error *err);

struct checkpoints {
    struct checkpoint_interval interval;
    size_t keep;             /* older ones that stay */
    char *dir, *last, *best; /* paths */
    char *settings;          /* what a resumed run must have alike: lines NAME = VALUE */
    double saved_at;         /* by the clock */
    size_t saved_step;       /* of `last`, where has_last */
    size_t saved_best;       /* epoch of `best`; 0: none */
    bool keeps_best;         /* the run knows the network of its best epoch */
    bool has_last, failed;   /* failed: the last save was, and this has been said */
};

/* Paths; nothing is written. Release with checkpoints_release(). */
WEFT_CHECKED weft_status checkpoints_init(struct checkpoints *checkpoints, const char *run_dir,
                                          weft_error *err);

/* Once options are resolved. false: no memory */
bool checkpoints_take_settings(struct checkpoints *checkpoints, const struct cli_options *options);

void checkpoints_release(struct checkpoints *checkpoints);

/* Removes what an older run left there, and what a killed one left half-written. */
void checkpoints_clear(const struct checkpoints *checkpoints);

/* Whether a checkpoint is to be written at this event. */
bool checkpoints_due(const struct checkpoints *checkpoints, const weft_event *event);

/* Writes `last`, and `best` where that is new; the older one stays as a file of its own as far as
 * `keep` says. `metrics_size` are the bytes of metrics.jsonl that belong to it; `unwritten`: the
 * line of the last epoch is not among them. */
WEFT_CHECKED weft_status checkpoints_save(struct checkpoints *checkpoints, const weft_event *event,
                                          off_t metrics_size, bool unwritten, weft_error *err);

/* What checkpoints_save() was told. WEFT_ERR_FORMAT: the file has not got it. */
WEFT_CHECKED weft_status checkpoints_notes(const weft_checkpoint *checkpoint, const char *path,
                                           off_t *metrics_size, bool *unwritten, weft_error *err);

/* WEFT_ERR_ARG, naming it, where an option differs from that of the run that wrote `checkpoint` and
 * a resumed run cannot have another. */
WEFT_CHECKED weft_status checkpoints_check(const struct checkpoints *checkpoints,
                                           const weft_checkpoint *checkpoint, const char *run_dir,
                                           weft_error *err);

#endif
