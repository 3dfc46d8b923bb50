/* One call of weft train: what its parts hand to one another. */
#ifndef WEFT_CLI_TRAIN_JOB_H
#define WEFT_CLI_TRAIN_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/weft.h>

#include "cli/command.h"
#include "cli/inputs.h"
#include "cli/net_setup.h"
#include "cli/progress_bar.h"
#include "cli/run_dir.h"
#include "cli/track_target.h"
#include "cli/train_checkpoint.h"
#include "report/sample_predictions.h"
#include "track/tensorboard.h"
#include "track/track.h"

struct train_args {
    struct cli_common common;
    char *cache_memory; /* NULL: half of what there is */
    char *data, *test, *val, *label, *ignore, *categorical, *x, *y, *test_x, *test_y;
    char *class_weight, *sample_weight;
    struct cli_net_args net;
    size_t missing; /* weft_missing */
    struct cli_image image;
    size_t scale; /* index of cli_scale_choice() */
    size_t init;
    double init_std;
    char *init_from;
    size_t epochs, batch_size, schedule, test_every, print_every;
    size_t optimizer; /* weft_optimizer */
    double lr, momentum, beta1, beta2, epsilon;
    double weight_decay, l1, clip_norm, clip_value;
    double max_norm, label_smoothing, ema;
    size_t random_shift;
    double dropout, input_dropout, input_noise;
    bool lr_by_epoch;
    size_t warmup, lr_period, lr_period_factor, lr_patience;
    double lr_factor, lr_min;
    size_t watch, patience; /* weft_watched */
    bool keep_best;
    double min_delta, target_accuracy, max_time;
    char *shuffle;
    uint64_t seed;
    char *out;
    bool force, report;
    char *track; /* NULL: no tracking */
    size_t track_every, track_wait;
    char *checkpoint_every;
    size_t keep, on_divergence, rollbacks;
    bool track_gradients;
};

/* Of --on-divergence. */
enum { TRAIN_STOP, TRAIN_ROLL_BACK, TRAIN_N_ON_DIVERGENCE };

struct train_job {
    const char *command;
    const struct cli_options *options;
    struct train_args *args;
    weft_context *context;
    weft_dataset *data, *val, *test; /* val and test may be NULL */
    weft_dataset *shown;  /* samples of a streamed set that judges; NULL: there are none */
    const char *val_path; /* NULL: val is cut off the data, or there is none */
    double val_fraction;
    size_t cache_bytes; /* that features may take in memory */
    weft_shuffle shuffle;
    size_t shuffle_buffer;
    double *class_weights; /* [classes] or NULL */
    weft_net *net;
    struct cli_run_dir run;
    struct cli_progress progress;
    struct cli_tracks tracks;    /* what --track asks for */
    weft_tracker *tracker;       /* NULL: none */
    weft_tensorboard *board;     /* NULL: none, or given up */
    weft_dataset *board_samples; /* that gradients are of, or NULL */
    size_t board_tested;         /* the last step whose score on the test set it was told */
    struct checkpoints checkpoints;
    weft_checkpoint *resume; /* NULL: a new run */
    off_t resume_metrics;    /* bytes of metrics.jsonl that belong to it */
    bool resume_unwritten;   /* the line of its last epoch is not among them */

    weft_event last;     /* the last epoch that ended; last.epoch is 0 before the first */
    bool last_unwritten; /* its line waits for the score on the test set */
    bool write_failed;   /* metrics could not be written: write_error says why */
    weft_error write_error;
    weft_event finish; /* how the run ended */
    size_t step, n_steps;
    double seconds;
    double load_seconds;        /* of reading data and making the network */
    double step_seconds;        /* from the start of training to the end of the last step */
    double watch_seconds;       /* of `seconds`: of the evaluations after epochs */
    double test_seconds;        /* of the evaluation at the end */
    weft_score test_score;      /* at the end */
    weft_evaluation test_found; /* more of it, where it was measured at the end: samples > 0 */
    struct sample_predictions predictions; /* by train_predict(); empty before */
    bool has_pictures, has_grid;           /* files in images/; the samples among them */
    bool has_report;                       /* evaluation.json and report.html */
};

/* Each part returns 0, or the exit code after a message. */

/* train_inputs.c: loads data and network, checks that they fit, and puts every setting as resolved
 * into the arguments. Nothing is written. */
int train_load(struct train_job *job);

/* train_resume.c: finds the checkpoint of --resume and checks it against the options, which must be
 * resolved. Rolling back reads the last checkpoint, and cuts the metrics to it. */
int train_resume_open(struct train_job *job);
int train_resume_check(struct train_job *job);
WEFT_CHECKED weft_status train_roll_back(struct train_job *job, weft_error *err);

/* train_streams.c: what of the data stays in memory, and in which order samples are taken. Memory,
 * val: what the arguments say. Left: bytes that features may still take. Cache: brings a streamed
 * set into memory where it fits. Shuffle: the method for the data there are, put back into the
 * arguments. */
WEFT_CHECKED weft_status train_resolve_memory(struct train_job *job, weft_error *err);
WEFT_CHECKED weft_status train_resolve_val(struct train_job *job, weft_error *err);
size_t train_memory_left(const struct train_job *job);
WEFT_CHECKED weft_status train_cache(const struct train_job *job, weft_dataset **data,
                                     weft_error *err);
WEFT_CHECKED weft_status train_check_shuffle(struct train_job *job, weft_error *err);
WEFT_CHECKED weft_status train_resolve_shuffle(struct train_job *job, weft_error *err);
void train_print_memory(const struct train_job *job);

/* train_weights.c: what --class-weight says of the data there are. */
WEFT_CHECKED weft_status train_resolve_weights(struct train_job *job, weft_error *err);

/* train_watch.c */

weft_train_options train_options_of(const struct train_job *job);

/* Whether training can be done as the options say. */
int train_check(const struct train_job *job);

/* Trains, with events going to bar, metrics and the stop flag; evaluates the test
 * set; writes the model. */
int train_execute(struct train_job *job);

/* The set that judges the network: test set, else validation set, else training set; some samples
 * of it where it is streamed. NULL, with a message, where these cannot be had. */
const weft_dataset *train_judge(struct train_job *job);

/* Predicts that set, once, for all who show something of it. */
WEFT_CHECKED weft_status train_predict(struct train_job *job, weft_error *err);

/* train_pictures.c: draws what the run directory shows in images/, as far as the data, and this
 * build, allow. */
int train_pictures(struct train_job *job);
/* train_evaluation.c: evaluates the network for evaluation.json, and makes report.html. */
int train_write_report(struct train_job *job);

/* train_report.c: tells about the job before, and about what came out of it, on stderr and stdout.
 */
void train_announce(const struct train_job *job);
int train_report(const struct train_job *job);

/* train_track.c: tells a tracker of the run; nothing happens without --track, and no trouble with
 * it stops training. Check: before anything is written. Finish: at the very end, when all files are
 * there, with the exit code so far. */
int train_track_check(struct train_job *job);
void train_track_start(struct train_job *job);
void train_track_event(struct train_job *job, const weft_event *event);
void train_track_finish(struct train_job *job, int code);

/* train_board.c: the same for TensorBoard. Finish: when the pictures are there. Close: harmless
 * twice. */
void train_board_start(struct train_job *job);
void train_board_event(struct train_job *job, const weft_event *event);
void train_board_finish(struct train_job *job);
void train_board_close(struct train_job *job);

/* What to say of the signal that stopped the run: "SIGINT". */
const char *train_signal_name(int number);

#endif
