/** Training by gradient descent, and the events it tells the world. */
#ifndef WEFT_TRAIN_H
#define WEFT_TRAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/api.h>
#include <weft/context.h>
#include <weft/dataset.h>
#include <weft/net.h>
#include <weft/optimizer.h>
#include <weft/schedule.h>
#include <weft/shuffle.h>
#include <weft/status.h>

/** What the validation set is watched for. */
typedef enum weft_watched {
    WEFT_WATCH_LOSS,     /**< lower is better */
    WEFT_WATCH_ACCURACY, /**< higher is better */
    WEFT_N_WATCHED
} weft_watched;

/** "loss", "accuracy". */
WEFT_API const char *weft_watched_name(weft_watched watched);
/** WEFT_ERR_ARG: nothing to watch has that name. */
WEFT_API WEFT_CHECKED weft_status weft_watched_from_name(const char *name, weft_watched *out);

/** What ended a run that nothing stopped from outside. */
typedef enum weft_end {
    WEFT_END_EPOCHS,   /**< all epochs are done, or it has not ended yet */
    WEFT_END_PATIENCE, /**< no better epoch for too long */
    WEFT_END_TARGET,   /**< target_accuracy is reached */
    WEFT_END_TIME,     /**< max_seconds are over */
} weft_end;

typedef enum weft_event_kind {
    /** Before the first step; of a resumed run with the scores of the last epoch that had ended */
    WEFT_EVENT_RUN_STARTED,
    WEFT_EVENT_STEP,         /**< after each step: one update of the parameters */
    WEFT_EVENT_EPOCH,        /**< after each epoch and its evaluations */
    WEFT_EVENT_RUN_FINISHED, /**< at the end of a run that started, whatever ended it */
} weft_event_kind;

/** Loss and accuracy of one data set; accuracy is a fraction (of sample-label pairs, for several
 *  sigmoids), and NaN where the output is identity. */
typedef struct weft_score {
    bool known; /**< whether the two numbers were measured */
    double loss, accuracy;
} weft_score;

/** What a run remembers, for weft_checkpoint_save(). */
typedef struct weft_train_state weft_train_state;
/** See weft/checkpoint.h. */
struct weft_checkpoint;

/** What happened. Valid during the call of the listener only. */
typedef struct weft_event {
    weft_event_kind kind;
    size_t epoch, n_epochs; /**< epochs ended so far (in a STEP: those before this one) */
    size_t step, n_steps;   /**< steps ended so far, and of the whole run */
    size_t steps_per_epoch;
    double lr; /**< of the step just made; of the first step where none is */
    /** STEP: of its batch before the update; EPOCH: mean over the epoch's samples, each as it was
     *  when its batch was computed */
    weft_score train;
    weft_score val;      /**< EPOCH: after the epoch, where there is a validation set */
    weft_score test;     /**< EPOCH: where test_every says so */
    double seconds;      /**< since the start of the run, by a monotonic clock; of a resumed run
                                with those that it had trained before */
    double wait_seconds; /**< of this call, for which threads waited for samples or their order */
    size_t n_samples;    /**< of the training set */
    const weft_net *net; /**< to be read only, in every event */
    /** The best epoch so far, counted from 1, and its validation score; 0 where nothing is watched
     *  (see weft_train_options) */
    size_t best_epoch;
    weft_score best;
    bool last;          /**< EPOCH: no other follows, unless the listener stops the run here */
    weft_end end;       /**< EPOCH that is the last, RUN_FINISHED: why; TIME in its STEP already */
    weft_status status; /**< RUN_FINISHED: what weft_train() returns */
    /** Of RUN_STARTED, STEP and EPOCH, but of no EPOCH that max_seconds cut short: NULL there. */
    const weft_train_state *state;
} weft_event;

/** Called by one thread at a time, in order; which thread may change. Returning false asks training
 *  to stop after this event; an EPOCH event still follows the last step of an epoch, and a run
 *  whose last step is made has nothing left to stop. In STEP events the context of the run is in
 *  use: a listener that computes there needs another. */
typedef bool weft_listener(const weft_event *event, void *user);

typedef struct weft_train_options {
    size_t epochs; /**< 0: nothing is trained */
    /** Samples a step; 0: all of them. The last batch of an epoch may be smaller. */
    size_t batch_size;
    double lr; /**< learning rate, above 0, at most FLT_MAX */
    weft_schedule schedule;
    /** Of the schedule, see there for which reads what. lr_factor in (0, 1]; lr_min from 0 to lr;
     *  lr_period_factor at least 1; warmup less than the run. */
    bool lr_by_epoch;
    size_t warmup, lr_period, lr_period_factor, lr_patience;
    double lr_factor, lr_min;
    weft_optimizer optimizer; /**< see there for what it reads of the numbers below */
    double momentum;          /**< in [0, 1); SGD, NESTEROV, which wants it above 0 */
    double beta1, beta2;      /**< in [0, 1); ADAM, ADAMW, and RMSPROP beta2 */
    double epsilon;           /**< above 0; RMSPROP, ADAM, ADAMW */
    /** At least 0; of weights, not of biases. ADAMW: decoupled, and then lr weight_decay < 1; all
     *  others: g += weight_decay w, the gradient of L2 regularisation weight_decay |w|^2 / 2. The
     *  losses that are reported have no part of it. */
    double weight_decay;
    /** At least 0: g += l1 sign(w) for weights, the gradient of l1 |w|_1. */
    double l1;
    /** The gradient of all parameters is scaled down to this Euclidean norm (Pascanu et al. 2013),
     *  then each element cut to +-clip_value; before weight decay and l1. 0: not at all. */
    double clip_norm, clip_value;
    /** After each step the weights into each unit of the hidden layers are scaled down to this
     *  Euclidean norm (Srivastava et al. 2014, section 5.1). 0: they are not. */
    double max_norm;
    /** In [0, 1): the loss is that of targets mixed with the uniform distribution,
     *  (1 - s) y + s / n_classes, of sigmoids (1 - s) y + s / 2 (Szegedy et al. 2016, section 7);
     *  the training loss that is reported, too. Not for an identity output. */
    double label_smoothing;
    /** In [0, 1): the share of hidden units, and of inputs, that a step leaves out of each sample,
     *  while what stays is divided by the share that stays (Srivastava et al. 2014, section 10).
     *  Both are rounded to multiples of 2^-16, upwards from 0. dropout wants hidden layers. */
    double dropout, input_dropout;
    /** At least 0: the standard deviation of normal numbers added to each input after scaling,
     *  before inputs are left out (Bishop 1995). Which units and inputs, and what numbers: a
     *  function of (seed, epoch, sample). Scores on val and test are without any of these, the
     *  training loss that is reported is with them. */
    double input_noise;
    /** [n_class_weights] how much the samples of each class count, 0 or more; NULL: 1. Samples
     *  count by this times their own weight in the data, scaled so that all samples of the training
     *  set count 1 on average: what is minimised is sum_i w_i loss_i / sum_i w_i, and a batch of B
     *  samples gives 1/B sum_b w_b loss_b, whose mean that is. The training loss that is reported
     *  is this one; accuracies, and scores on val and test, count each sample once. */
    const double *class_weights;
    size_t n_class_weights;
    /** In [0, 1), above 0: an average of the parameters over the steps, a = ema a + (1 - ema) w,
     *  which begins with those after the first step (Polyak & Juditsky 1992). Scores on val and
     *  test are of it, and the network has it at the end; in events before that it has what is
     *  trained. */
    double ema;
    /** Samples that are images, [height, width] or [height, width, channels], move by dx and dy
     *  pixels in each epoch, both uniform in -random_shift .. random_shift, which is less than
     *  height and width: a function of (seed, epoch, sample). What comes in at the edges is 0
     *  before scaling. Scores on val and test are of images as they are. 0: they do not move. */
    size_t random_shift;
    /** A new order each epoch, a function of (seed, epoch); never for full batches. The buffer is
     *  that of WEFT_SHUFFLE_BUFFER, at least 1 sample. */
    weft_shuffle shuffle;
    size_t shuffle_buffer;
    uint64_t seed;
    const weft_dataset *val;  /**< evaluated after each epoch; may be NULL */
    const weft_dataset *test; /**< evaluated after every test_every epochs; may be NULL */
    size_t test_every;        /**< 0: never */
    /** What a better epoch is: one whose watched score on val is better than that of the best one
     *  by more than min_delta >= 0. */
    weft_watched watch;
    double min_delta;
    /** Epochs without a better one after which training ends (Prechelt 1998); 0: it does not. */
    size_t patience;
    bool keep_best; /**< at the end the network gets the parameters of the best epoch */
    /** Ends after an epoch whose accuracy on val is at least this, in [0, 1]; 0: does not. */
    double target_accuracy;
    /** Ends after the step in which so many seconds have passed since weft_train() was called,
     *  which cuts its epoch short; the result is then no function of the options alone. 0: does
     *  not. */
    double max_seconds;
    weft_listener *listener; /**< may be NULL */
    void *listener_user;
    /** Goes on from this checkpoint, whose weights the network gets: to the same bits as the run
     *  that wrote it, on any number of threads, with the same kernel set and precision. Options
     *  must be the same but for: epochs (the total; a schedule that depends on how long the run is
     *  follows the new length from here on), test_every, patience, target_accuracy, max_seconds,
     *  listener. NULL: a new run. Borrowed. */
    const struct weft_checkpoint *resume;
    /** In (0, 1], with resume: all learning rates from here on are multiplied by it, and by those
     *  of earlier resumes; what is tried after a divergence. */
    double resume_lr_factor;
} weft_train_options;

/** Plain gradient descent, 10 epochs in batches of 32, and nothing else: what to start from to set
 *  everything oneself. */
WEFT_API weft_train_options weft_train_options_default(void);

/** A good choice for a training set of so many samples, which plain `weft train` takes: ADAMW;
 *  batches of 32, of 128 from 10,000 samples on; 10 epochs, or more up to 500 where those are fewer
 *  than 64,000 samples in all; label smoothing 0.02 unless the output is identity. Found by
 *  measurements on held-out samples of six data sets. */
WEFT_API weft_train_options weft_train_options_for(size_t n_samples, weft_output output);

/** Chooses an optimiser with the numbers usual for it: lr 0.3 for SGD and NESTEROV, 0.003 for
 *  ADAMW, else 0.001; momentum 0.9 for NESTEROV, else 0; beta1 0.9; beta2 0.98 for ADAMW, 0.99 for
 *  RMSPROP, else 0.999; epsilon 1e-8; weight_decay 0.01 for ADAMW, else 0. Other options stay as
 *  they are. */
WEFT_API void weft_train_options_set_optimizer(weft_train_options *options,
                                               weft_optimizer optimizer);

/** What weft_train() would refuse, without training: its WEFT_ERR_ARG and WEFT_ERR_MISMATCH. */
WEFT_API WEFT_CHECKED weft_status weft_train_check(const weft_net *net, const weft_dataset *data,
                                                   const weft_train_options *options,
                                                   weft_error *err);

/** The weights that make all classes count alike: n / (k n_c) for a class of n_c of the n samples,
 *  of which there are k, and 0 for one without samples (King & Zeng 2001). weights has
 *  weft_dataset_n_classes() entries. WEFT_ERR_MISMATCH: the labels are not classes. */
WEFT_API WEFT_CHECKED weft_status weft_balanced_weights(const weft_dataset *data, double *weights,
                                                        weft_error *err);

/** Bytes that the training set takes in memory while it is trained on: features and labels or,
 *  where it is streamed, labels, batches on their way and the shuffle buffer. */
WEFT_API size_t weft_train_data_bytes(const weft_dataset *data, const weft_train_options *options);

/** Trains `net` in place on `data` by (mini-batch) gradient descent. Batch normalisation wants
 *  batches of 2 to 256 samples, as statistics are of whole batches; a last batch of 1 leaves
 *  running statistics alone. With ema these are averaged like parameters.
 *  The result is a function of (net, data, options) and the context's kernel set and precision: the
 *  same bits for every thread count.
 *  options may be NULL for the defaults. WEFT_ERR_ARG: an option out of range.
 *  WEFT_ERR_MISMATCH: data does not fit the network, or one of both or an option does not fit the
 *  checkpoint to resume from; the message names it.
 *  WEFT_ERR_DIVERGED: a batch's loss, or a parameter after the last step, was not finite; the
 *  message has the step, the learning rate and the last finite loss; the parameters are those after
 *  the last step, or its average or best epoch where ema or keep_best ask for them.
 *  WEFT_ERR_IO, WEFT_ERR_FORMAT: streamed data could not be read again; the parameters are those
 *  after the last step.
 *  WEFT_ERR_STOPPED: the listener said so; the parameters are those (with ema the average)
 *  after the last whole step, or with keep_best of the best epoch, if one has ended. */
WEFT_API WEFT_CHECKED weft_status weft_train(weft_context *context, weft_net *net,
                                             const weft_dataset *data,
                                             const weft_train_options *options, weft_error *err);

#endif
