/* weft train: its options, and the order of its work: everything that can be wrong with the input
 * is found before anything is written. */
#include <float.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/mem.h"
#include "base/safefile.h"
#include "cli/stop_signal.h"
#include "cli/train_job.h"

#define AT(member) offsetof(struct train_args, member)

static const char *on_divergence_choice(size_t index)
{
    return index == TRAIN_STOP ? "stop" : "rollback";
}

static const struct cli_option data_options[] = {
    {.name = "data",
     .type = CLI_TEXT,
     .flags = CLI_POSITIONAL,
     .offset = AT(data),
     .metavar = "DATA",
     .missing = "wanted DATA to train on; such as: weft train data/mnist",
     .help = "what to train on, see above"},
    {.name = "test",
     .type = CLI_TEXT,
     .offset = AT(test),
     .metavar = "DATA",
     .help = "test set, evaluated once, at the end; 'none' for none",
     .default_text = "the t10k files of a directory, else none"},
    {.name = "val",
     .type = CLI_TEXT,
     .offset = AT(val),
     .metavar = "FRACTION|DATA",
     .fallback = "0",
     .help = "hold out this share of each class, or take this set, evaluated after every epoch",
     .default_text = "0"},
    CLI_OPTION_LABEL(AT(label)),
    CLI_OPTION_IGNORE(AT(ignore)),
    CLI_OPTION_MISSING(AT(missing)),
    CLI_OPTION_CATEGORICAL(AT(categorical)),
    CLI_OPTIONS_IMAGE(AT(image)),
    CLI_OPTION_X(AT(x)),
    CLI_OPTION_Y(AT(y)),
    {.name = "test-x",
     .type = CLI_TEXT,
     .offset = AT(test_x),
     .metavar = "NAME",
     .help = "the same in the test file",
     .default_text = "as --x, with 'train' made 'test'"},
    {.name = "test-y",
     .type = CLI_TEXT,
     .offset = AT(test_y),
     .metavar = "NAME",
     .help = "the same in the test file",
     .default_text = "as --y, with 'train' made 'test'"},
    {.name = "cache-memory",
     .type = CLI_TEXT,
     .flags = CLI_NO_RECORD,
     .offset = AT(cache_memory),
     .metavar = "SIZE",
     .help = "keep data in memory up to this size, such as 500M or 2G; read what takes more from "
             "its file in each pass. The result is the same",
     .default_text = "half of the memory"},
};

static const struct cli_option network_options[] = {
    CLI_OPTION_HIDDEN(AT(net)),
    CLI_OPTION_ACTIVATION(AT(net)),
    CLI_OPTION_NORM(AT(net)),
    {.name = "output",
     .type = CLI_CHOICE,
     .offset = AT(net.output),
     .metavar = "NAME",
     .n_choices = WEFT_N_OUTPUTS + 1,
     .choice = cli_output_choice,
     .help = "last layer and loss (auto: sigmoid for two classes or 0/1 columns, softmax for more "
             "classes, identity for other values)"},
    {.name = "init",
     .type = CLI_CHOICE,
     .offset = AT(init),
     .metavar = "NAME",
     .n_choices = WEFT_N_INITS,
     .choice = cli_init_choice,
     .help = "how weights start (auto: by activation)"},
    {.name = "init-std",
     .type = CLI_REAL,
     .offset = AT(init_std),
     .metavar = "F",
     .lo_open = true,
     .hi = 1e6,
     .help = "standard deviation of --init small_normal"},
    {.name = "init-from",
     .type = CLI_TEXT,
     .offset = AT(init_from),
     .metavar = "MODEL",
     .help = "start from this model's weights, with its layers, scaling and classes",
     .default_text = "none"},
    {.name = "scale",
     .type = CLI_CHOICE,
     .offset = AT(scale),
     .metavar = "KIND",
     .n_choices = WEFT_N_SCALE_KINDS,
     .choice = cli_scale_choice,
     .help = "of the inputs (auto: unit for whole numbers, else standard)"},
};

static const struct cli_option training_options[] = {
    {.name = "epochs",
     .type = CLI_COUNT,
     .offset = AT(epochs),
     .metavar = "N",
     .max = 1000000000,
     .help = "passes over the training set; 0 writes the network as it starts",
     .default_text = "10, or up to 500 that make 64,000 samples"},
    {.name = "batch-size",
     .type = CLI_COUNT,
     .offset = AT(batch_size),
     .metavar = "N",
     .word = "full",
     .min = 1,
     .help = "samples of each step, or 'full' for all of them",
     .default_text = "32; 128 from 10,000 samples on"},
    {.name = "lr",
     .type = CLI_REAL,
     .offset = AT(lr),
     .metavar = "F",
     .lo_open = true,
     .hi = (double)FLT_MAX,
     .help = "learning rate",
     .default_text = "0.003 with adamw, 0.001 with rmsprop and adam, else 0.3"},
    {.name = "schedule",
     .type = CLI_CHOICE,
     .offset = AT(schedule),
     .metavar = "NAME",
     .n_choices = WEFT_N_SCHEDULES,
     .choice = cli_schedule_choice,
     .help = "of the learning rate (linear: falls to --lr-min)"},
    {.name = "lr-by-epoch",
     .type = CLI_FLAG,
     .offset = AT(lr_by_epoch),
     .help = "let the schedule count epochs, not steps"},
    {.name = "warmup",
     .type = CLI_COUNT,
     .offset = AT(warmup),
     .metavar = "N",
     .help = "steps (or epochs) before the schedule in which the rate rises to where that begins"},
    {.name = "lr-min",
     .type = CLI_REAL,
     .offset = AT(lr_min),
     .metavar = "F",
     .hi = (double)FLT_MAX,
     .help = "where linear and cosine end, and plateau stops falling"},
    {.name = "lr-factor",
     .type = CLI_REAL,
     .offset = AT(lr_factor),
     .metavar = "F",
     .lo_open = true,
     .hi = 1,
     .help = "of each fall of step and plateau, of each step (or epoch) of exponential"},
    {.name = "lr-period",
     .type = CLI_COUNT,
     .offset = AT(lr_period),
     .metavar = "N",
     .word = "run",
     .min = 1,
     .help = "steps (or epochs) from one fall of step to the next, of the first cycle of cosine"},
    {.name = "lr-period-factor",
     .type = CLI_COUNT,
     .offset = AT(lr_period_factor),
     .metavar = "N",
     .min = 1,
     .max = 1000000,
     .help = "how many times longer each further cycle of cosine is"},
    {.name = "lr-patience",
     .type = CLI_COUNT,
     .offset = AT(lr_patience),
     .metavar = "N",
     .max = 1000000000,
     .help = "epochs without a lower loss that plateau bears before a fall"},
    CLI_OPTION_OPTIMIZER(AT(optimizer)),
    CLI_OPTION_MOMENTUM(AT(momentum)),
    {.name = "beta1",
     .type = CLI_REAL,
     .offset = AT(beta1),
     .metavar = "F",
     .hi = 1,
     .hi_open = true,
     .help = "share that the mean of gradients keeps in each step of adam, adamw"},
    {.name = "beta2",
     .type = CLI_REAL,
     .offset = AT(beta2),
     .metavar = "F",
     .hi = 1,
     .hi_open = true,
     .help = "the same of the mean of their squares, of rmsprop too",
     .default_text = "0.98 with adamw, 0.99 with rmsprop, 0.999 with adam"},
    {.name = "epsilon",
     .type = CLI_REAL,
     .offset = AT(epsilon),
     .metavar = "F",
     .lo = (double)FLT_MIN,
     .hi = (double)FLT_MAX,
     .help = "added to the root of that mean"},
    {.name = "clip-norm",
     .type = CLI_REAL,
     .offset = AT(clip_norm),
     .metavar = "F",
     .hi = (double)FLT_MAX,
     .help = "scale gradients down to this norm; 0 for not at all"},
    {.name = "clip-value",
     .type = CLI_REAL,
     .offset = AT(clip_value),
     .metavar = "F",
     .hi = (double)FLT_MAX,
     .help = "cut each element of the gradient to +-F; 0 for not at all"},
    {.name = "shuffle",
     .type = CLI_TEXT,
     .offset = AT(shuffle),
     .metavar = "METHOD",
     .fallback = "auto",
     .negated = "none",
     .help = "order of the samples in each epoch: full, buffer:N (drawn from a buffer of N samples "
             "as they come), none (--no-shuffle)",
     .default_text = "full up to 4 GiB of data, else a buffer of 256 MiB"},
    {.name = "class-weight",
     .type = CLI_TEXT,
     .offset = AT(class_weight),
     .metavar = "W0,W1,...",
     .help = "how much the samples of each class count in training, in the order of the classes; "
             "'balanced': all classes alike, whatever their numbers",
     .default_text = "1 each"},
    {.name = "sample-weight",
     .type = CLI_TEXT,
     .offset = AT(sample_weight),
     .metavar = "COLUMN",
     .help = "CSV: column that says how much each sample counts in training, given as for --label",
     .default_text = "1 each"},
    {.name = "seed",
     .type = CLI_SEED,
     .offset = AT(seed),
     .metavar = "N",
     .help = "of weights, order and hold-out; the same seed gives the same model"},
    {.name = "test-every",
     .type = CLI_COUNT,
     .offset = AT(test_every),
     .metavar = "N",
     .word = "never",
     .help = "also evaluate the test set after every N epochs"},
};

static const struct cli_option regularisation_options[] = {
    {.name = "weight-decay",
     .type = CLI_REAL,
     .offset = AT(weight_decay),
     .metavar = "F",
     .hi = (double)FLT_MAX,
     .help = "of weights, not of biases: decoupled with adamw, else L2",
     .default_text = "0; 0.01 with adamw"},
    {.name = "l1",
     .type = CLI_REAL,
     .offset = AT(l1),
     .metavar = "F",
     .hi = (double)FLT_MAX,
     .help = "factor of the sum of |weight| in what is minimised"},
    {.name = "max-norm",
     .type = CLI_REAL,
     .offset = AT(max_norm),
     .metavar = "F",
     .hi = (double)FLT_MAX,
     .help = "most that the weights into a hidden unit come to; 0 for no limit"},
    {.name = "label-smoothing",
     .type = CLI_REAL,
     .offset = AT(label_smoothing),
     .metavar = "F",
     .hi = 1,
     .hi_open = true,
     .help = "share of each target that is spread over all classes",
     .default_text = "0.02; 0 with an identity output"},
    {.name = "dropout",
     .type = CLI_REAL,
     .offset = AT(dropout),
     .metavar = "F",
     .hi = 1,
     .hi_open = true,
     .help = "share of the hidden units that each step leaves out, anew for each sample"},
    {.name = "input-dropout",
     .type = CLI_REAL,
     .offset = AT(input_dropout),
     .metavar = "F",
     .hi = 1,
     .hi_open = true,
     .help = "the same of the inputs"},
    {.name = "input-noise",
     .type = CLI_REAL,
     .offset = AT(input_noise),
     .metavar = "F",
     .hi = (double)FLT_MAX,
     .help = "standard deviation of the noise added to scaled inputs"},
    {.name = "random-shift",
     .type = CLI_COUNT,
     .offset = AT(random_shift),
     .metavar = "N",
     .word = "none",
     .min = 1,
     .help = "move each image by up to N pixels, anew in each epoch"},
    {.name = "ema",
     .type = CLI_REAL,
     .offset = AT(ema),
     .metavar = "F",
     .hi = 1,
     .hi_open = true,
     .help = "evaluate and write an average of the weights that keeps this share in each step"},
};

static const struct cli_option stopping_options[] = {
    {.name = "patience",
     .type = CLI_COUNT,
     .offset = AT(patience),
     .metavar = "N",
     .word = "never",
     .min = 1,
     .help = "stop after N epochs without a better one on the held-out samples"},
    {.name = "watch",
     .type = CLI_CHOICE,
     .offset = AT(watch),
     .metavar = "WHAT",
     .n_choices = WEFT_N_WATCHED,
     .choice = cli_watched_choice,
     .help = "what makes an epoch better"},
    {.name = "min-delta",
     .type = CLI_REAL,
     .offset = AT(min_delta),
     .metavar = "F",
     .hi = (double)FLT_MAX,
     .help = "by more than which it has to be better"},
    {.name = "keep-best",
     .type = CLI_FLAG,
     .offset = AT(keep_best),
     .help = "write the network of the best epoch, not of the last",
     .default_text = "with --patience"},
    {.name = "target-accuracy",
     .type = CLI_REAL,
     .offset = AT(target_accuracy),
     .metavar = "F",
     .hi = 1,
     .help = "stop when the held-out samples reach it, such as 0.98; 0 for never"},
    {.name = "max-time",
     .type = CLI_REAL,
     .offset = AT(max_time),
     .metavar = "SECONDS",
     .hi = 1e9,
     .help = "stop after so long, in the middle of an epoch; 0 for never"},
};

static const struct cli_option run_options[] = {
    {.name = "out",
     .short_name = 'o',
     .type = CLI_TEXT,
     .flags = CLI_NO_RECORD,
     .offset = AT(out),
     .metavar = "RUNDIR",
     .help = "where model, config and metrics go",
     .default_text = "the next free runs/NNN"},
    {.name = "force",
     .type = CLI_FLAG,
     .flags = CLI_NO_RECORD,
     .offset = AT(force),
     .help = "write into a RUNDIR that is not empty"},
    {.name = "report",
     .type = CLI_FLAG,
     .offset = AT(report),
     .help = "also write evaluation.json and report.html, a page with curves, scores and samples"},
    {.name = "config",
     .short_name = 'c',
     .type = CLI_TEXT,
     .flags = CLI_NO_CONFIG,
     .offset = AT(common.config),
     .metavar = "FILE",
     .help = "read options from a file, such as a run's config.ini; the command line wins"},
    {.name = "print-every",
     .type = CLI_COUNT,
     .offset = AT(print_every),
     .metavar = "N",
     .word = "auto",
     .min = 1,
     .help = "epochs from one line of progress to the next (auto: at most 20 lines)"},
    {.name = "resume",
     .type = CLI_TEXT,
     .flags = CLI_NO_CONFIG | CLI_NO_RECORD,
     .offset = AT(common.resume),
     .metavar = "RUNDIR",
     .help = "go on with this run where its last checkpoint is, with its settings; --epochs is the "
             "total",
     .default_text = "none"},
    {.name = "checkpoint-every",
     .type = CLI_TEXT,
     .offset = AT(checkpoint_every),
     .metavar = "N[s|e]",
     .fallback = "60s",
     .help = "steps, seconds (60s) or epochs (5e) from one checkpoint to the next, or 'never'; "
             "another one is written when the run ends or is stopped"},
    {.name = "keep",
     .type = CLI_COUNT,
     .offset = AT(keep),
     .metavar = "N",
     .max = 1000000,
     .help = "older checkpoints that stay beside the last one"},
    {.name = "on-divergence",
     .type = CLI_CHOICE,
     .offset = AT(on_divergence),
     .metavar = "WHAT",
     .n_choices = TRAIN_N_ON_DIVERGENCE,
     .choice = on_divergence_choice,
     .help = "when losses are no longer finite; rollback: go on from the last checkpoint at half "
             "the learning rate"},
    {.name = "rollbacks",
     .type = CLI_COUNT,
     .offset = AT(rollbacks),
     .metavar = "N",
     .min = 1,
     .max = 1000,
     .help = "times that --on-divergence rollback does so at most"},
    {.name = "track",
     .type = CLI_TEXT,
     .flags = CLI_NO_RECORD,
     .offset = AT(track),
     .metavar = "WHERE",
     .help = "mlflow[:URI]: log the run on an MLflow server, by default that of "
             "MLFLOW_TRACKING_URI; name and password from MLFLOW_TRACKING_USERNAME and "
             "MLFLOW_TRACKING_PASSWORD. tensorboard[:DIR]: write event files, by default into "
             "RUNDIR/tensorboard. Both with a comma",
     .default_text = "none"},
    {.name = "track-every",
     .type = CLI_COUNT,
     .flags = CLI_NO_RECORD,
     .offset = AT(track_every),
     .metavar = "N",
     .word = "never",
     .help = "steps from one logged batch to the next; epochs are always logged"},
    {.name = "track-gradients",
     .type = CLI_FLAG,
     .flags = CLI_NO_RECORD,
     .offset = AT(track_gradients),
     .help = "for TensorBoard: histograms of the gradient over 256 samples, too"},
    {.name = "track-wait",
     .type = CLI_COUNT,
     .flags = CLI_NO_RECORD,
     .offset = AT(track_wait),
     .metavar = "SECONDS",
     .max = 86400,
     .help = "wait so long at the end for the server; 'weft sync' sends what is left"},
    CLI_OPTION_THREADS(struct train_args),
    CLI_OPTION_ISA(struct train_args),
    CLI_OPTION_PRECISION(struct train_args),
    CLI_OPTION_JSON(struct train_args),
    {.name = "quiet",
     .short_name = 'q',
     .type = CLI_FLAG,
     .flags = CLI_NO_RECORD,
     .offset = AT(common.quiet),
     .help = "only results and errors"},
    {.name = "verbose",
     .short_name = 'v',
     .type = CLI_FLAG,
     .flags = CLI_NO_RECORD,
     .offset = AT(common.verbose),
     .help = "a line for every epoch, and the names of the classes"},
    CLI_OPTION_HELP(struct train_args),
};

static const struct cli_group groups[] = {
    {"Data", "data", data_options, sizeof data_options / sizeof *data_options},
    {"Network", "network", network_options, sizeof network_options / sizeof *network_options},
    {"Training", "training", training_options, sizeof training_options / sizeof *training_options},
    {"Regularisation", "regularisation", regularisation_options,
     sizeof regularisation_options / sizeof *regularisation_options},
    {"Stopping", "stopping", stopping_options, sizeof stopping_options / sizeof *stopping_options},
    {"Run", "run", run_options, sizeof run_options / sizeof *run_options},
};

static void set_defaults(void *arguments)
{
    struct train_args *args = arguments;
    weft_train_options options = weft_train_options_default();
    args->epochs = options.epochs;
    args->batch_size = options.batch_size;
    args->lr = options.lr;
    args->schedule = (size_t)options.schedule;
    args->lr_by_epoch = options.lr_by_epoch;
    args->warmup = options.warmup;
    args->lr_min = options.lr_min;
    args->lr_factor = options.lr_factor;
    args->lr_period = options.lr_period;
    args->lr_period_factor = options.lr_period_factor;
    args->lr_patience = options.lr_patience;
    args->max_norm = options.max_norm;
    args->label_smoothing = options.label_smoothing;
    args->random_shift = options.random_shift;
    args->dropout = options.dropout;
    args->input_dropout = options.input_dropout;
    args->input_noise = options.input_noise;
    args->ema = options.ema;
    args->watch = (size_t)options.watch;
    args->min_delta = options.min_delta;
    args->patience = options.patience;
    args->keep_best = options.keep_best;
    args->target_accuracy = options.target_accuracy;
    args->max_time = options.max_seconds;
    args->optimizer = WEFT_ADAMW;
    args->momentum = options.momentum;
    args->beta1 = options.beta1;
    args->beta2 = options.beta2;
    args->epsilon = options.epsilon;
    args->weight_decay = options.weight_decay;
    args->l1 = options.l1;
    args->clip_norm = options.clip_norm;
    args->clip_value = options.clip_value;
    args->seed = options.seed;
    args->test_every = options.test_every;
    args->init_std = 0.01;
    args->report = true;
    args->rollbacks = 5;
    args->track_every = 100;
    args->track_wait = 60;
}

static bool on_command_line(const struct train_job *job, const void *variable)
{
    return cli_options_origin(job->options, variable) == CLI_BY_COMMAND_LINE;
}

/* Numbers of the optimiser that nobody gave are those usual for it. */
static void resolve_optimizer(const struct train_job *job)
{
    struct train_args *args = job->args;
    weft_train_options usual = weft_train_options_default();
    weft_train_options_set_optimizer(&usual, (weft_optimizer)args->optimizer);
    const struct {
        double *value, usual;
    } numbers[] = {{&args->lr, usual.lr},
                   {&args->momentum, usual.momentum},
                   {&args->beta2, usual.beta2},
                   {&args->weight_decay, usual.weight_decay}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (cli_options_origin(job->options, numbers[i].value) == CLI_BY_DEFAULT) {
            *numbers[i].value = numbers[i].usual;
        }
    }
}

/* Numbers that an optimiser does not read are not given to it. */
static weft_status check_optimizer(const struct train_job *job, weft_error *err)
{
    const struct train_args *args = job->args;
    weft_optimizer optimizer = (weft_optimizer)args->optimizer;
    bool adam = optimizer == WEFT_ADAM || optimizer == WEFT_ADAMW;
    bool squares = adam || optimizer == WEFT_RMSPROP;
    const struct {
        const double *value;
        bool is_read;
        const char *name, *readers;
    } numbers[] = {{&args->momentum, !squares, "momentum", "sgd or nesterov"},
                   {&args->beta1, adam, "beta1", "adam or adamw"},
                   {&args->beta2, squares, "beta2", "rmsprop, adam or adamw"},
                   {&args->epsilon, squares, "epsilon", "rmsprop, adam or adamw"}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (on_command_line(job, numbers[i].value) && !numbers[i].is_read) {
            return weft_fail(err, WEFT_ERR_ARG, "--%s: wanted --optimizer %s with it; got %s",
                             numbers[i].name, numbers[i].readers, weft_optimizer_name(optimizer));
        }
    }
    if (optimizer == WEFT_NESTEROV && args->momentum == 0) {
        return weft_fail(err, WEFT_ERR_ARG,
                         "--momentum: wanted a number above 0 with --optimizer nesterov; got 0");
    }
    if (optimizer == WEFT_ADAMW && args->lr * args->weight_decay >= 1) {
        bool decay_given = cli_options_origin(job->options, &args->weight_decay) != CLI_BY_DEFAULT;
        if (!decay_given) {
            return weft_fail(err, WEFT_ERR_ARG,
                             "--lr: wanted below %g with --optimizer adamw and --weight-decay %g; "
                             "got %g",
                             1 / args->weight_decay, args->weight_decay, args->lr);
        }
        return weft_fail(err, WEFT_ERR_ARG,
                         "--weight-decay: wanted below 1 times --lr with --optimizer adamw; got %g",
                         args->lr * args->weight_decay);
    }
    return WEFT_OK;
}

/* Options that say nothing without another one. */
static weft_status check_stopping(const struct train_job *job, weft_error *err)
{
    struct train_args *args = job->args;
    if (cli_options_origin(job->options, &args->keep_best) == CLI_BY_DEFAULT) {
        args->keep_best = args->patience > 0;
    }
    const char *name = args->patience > 0          ? "patience"
                       : args->keep_best           ? "keep-best"
                       : args->target_accuracy > 0 ? "target-accuracy"
                                                   : NULL;
    if (name != NULL && job->val_path == NULL && job->val_fraction == 0) {
        return weft_fail(err, WEFT_ERR_ARG, "--%s: wanted --val with it; got none", name);
    }
    if (args->schedule == WEFT_LR_STEP && args->lr_period == 0) {
        return weft_fail(err, WEFT_ERR_ARG,
                         "--lr-period: wanted a number from 1 with --schedule step; got 'run'");
    }
    return WEFT_OK;
}

static weft_status check_checkpoints(const struct train_job *job, weft_error *err)
{
    const struct train_args *args = job->args;
    struct checkpoint_interval interval;
    weft_status status = checkpoint_interval_parse(args->checkpoint_every, &interval, err);
    if (status == WEFT_OK && interval.unit == CHECKPOINT_NEVER &&
        args->on_divergence == TRAIN_ROLL_BACK) {
        return weft_fail(err, WEFT_ERR_ARG,
                         "--on-divergence rollback: wanted checkpoints to go back to; got "
                         "--checkpoint-every never");
    }
    return status;
}

/* What no single option can be blamed for. */
static weft_status check_options(const struct train_job *job, weft_error *err)
{
    const struct train_args *args = job->args;
    if (args->init_from != NULL && args->init != WEFT_INIT_AUTO) {
        return weft_fail(err, WEFT_ERR_ARG, "--init: wanted none beside --init-from; got '%s'",
                         cli_init_choice(args->init));
    }
    if (on_command_line(job, &args->init_std) && args->init != WEFT_INIT_SMALL_NORMAL) {
        return weft_fail(err, WEFT_ERR_ARG,
                         "--init-std: wanted --init small_normal with it; got --init %s",
                         cli_init_choice(args->init));
    }
    weft_status status = check_optimizer(job, err);
    if (status == WEFT_OK) {
        status = check_stopping(job, err);
    }
    if (status == WEFT_OK) {
        status = check_checkpoints(job, err);
    }
    if (status == WEFT_OK && args->init_from == NULL) {
        status = cli_check_activations(&args->net, err);
    }
    return status;
}

/* Whether writing this run would overwrite the model that it starts from. */
static bool would_overwrite_start(const struct train_args *args)
{
    char *start = NULL, *model = NULL;
    struct stat a, b;
    bool same = args->out != NULL && args->init_from != NULL &&
                cli_model_path(args->init_from, &start, NULL) == WEFT_OK &&
                (model = cli_join_path(args->out, CLI_MODEL_FILE)) != NULL &&
                stat(start, &a) == 0 && stat(model, &b) == 0 && a.st_dev == b.st_dev &&
                a.st_ino == b.st_ino;
    weft_mem_free(start);
    weft_mem_free(model);
    return same;
}

static int check_out(const struct train_job *job)
{
    const struct train_args *args = job->args;
    weft_error err;
    if (args->out != NULL && cli_run_dir_check(args->out, args->force, &err) != WEFT_OK) {
        return cli_fail(job->command, CLI_FAILED, &err);
    }
    if (would_overwrite_start(args)) {
        cli_error(job->command, "--out %s: wanted another place than that of --init-from's model",
                  args->out);
        return CLI_USAGE;
    }
    return CLI_DONE;
}

static int make_run(struct train_job *job)
{
    weft_error err;
    struct train_args *args = job->args;
    if (args->print_every == 0) {
        args->print_every = cli_progress_every(args->epochs);
    }
    weft_status status =
        job->resume != NULL
            ? cli_run_dir_open(&job->run, args->out, job->resume_metrics, job->options, &err)
            : cli_run_dir_make(&job->run, args->out, args->force, job->options, &err);
    if (status == WEFT_OK && job->resume == NULL) {
        status = checkpoints_init(&job->checkpoints, job->run.path, &err);
    }
    if (status == WEFT_OK) {
        status =
            checkpoint_interval_parse(args->checkpoint_every, &job->checkpoints.interval, &err);
    }
    if (status == WEFT_OK && !checkpoints_take_settings(&job->checkpoints, job->options)) {
        status = weft_fail_nomem(&err, "settings");
    }
    if (status != WEFT_OK) {
        cli_run_dir_discard(&job->run);
        return cli_fail(job->command, CLI_FAILED, &err);
    }
    if (job->run.n_forgotten > 0) {
        cli_error(job->command, "%s: %zu items of an older run were never sent and are gone",
                  job->run.path, job->run.n_forgotten);
    }
    if (job->resume == NULL) {
        checkpoints_clear(&job->checkpoints);
    } else {
        weft_safefile_clean(job->checkpoints.dir);
    }
    job->checkpoints.keep = args->keep;
    job->checkpoints.keeps_best = args->keep_best;
    return CLI_DONE;
}

static int run_job(struct train_job *job)
{
    weft_error err;
    resolve_optimizer(job);
    if (train_resolve_val(job, &err) != WEFT_OK || train_resolve_memory(job, &err) != WEFT_OK ||
        train_check_shuffle(job, &err) != WEFT_OK || check_options(job, &err) != WEFT_OK) {
        return cli_fail(job->command, CLI_USAGE, &err);
    }
    int code = train_track_check(job);
    if (code == CLI_DONE) {
        code = job->args->common.resume != NULL ? train_resume_open(job) : check_out(job);
    }
    if (code == CLI_DONE) {
        code = cli_make_context(job->command, &job->args->common, &job->context);
    }
    double start = weft_clock_seconds();
    if (code == CLI_DONE) {
        code = train_load(job);
        job->load_seconds = weft_clock_seconds() - start;
    }
    if (code == CLI_DONE && job->resume != NULL) {
        code = train_resume_check(job);
    }
    if (code == CLI_DONE) {
        code = train_check(job);
    }
    if (code != CLI_DONE) {
        return code;
    }
    cli_stop_install();
    code = make_run(job);
    if (code != CLI_DONE) {
        return code;
    }
    train_announce(job);
    train_track_start(job);
    train_board_start(job);
    code = train_execute(job);
    if (code == CLI_DONE || code > CLI_SIGNAL) {
        /* What cannot be drawn is no reason to hold back the results. */
        int written = job->args->report ? train_write_report(job) : CLI_DONE;
        int drawn = train_pictures(job);
        int reported = train_report(job);
        code = code != CLI_DONE      ? code
               : written != CLI_DONE ? written
               : drawn != CLI_DONE   ? drawn
                                     : reported;
    }
    train_board_finish(job);
    train_track_finish(job, code);
    return code;
}

static int run(struct cli_call *call)
{
    struct train_job job = {
        .command = call->command->name, .options = &call->options, .args = call->options.args};
    int code = run_job(&job);
    train_board_close(&job);
    cli_tracks_release(&job.tracks);
    cli_run_dir_release(&job.run);
    checkpoints_release(&job.checkpoints);
    weft_checkpoint_free(job.resume);
    weft_evaluation_release(&job.test_found);
    sample_predictions_release(&job.predictions);
    weft_net_free(job.net);
    weft_dataset_free(job.data);
    weft_dataset_free(job.val);
    weft_dataset_free(job.test);
    weft_dataset_free(job.shown);
    weft_mem_free(job.class_weights);
    weft_context_free(job.context);
    return code;
}

const struct cli_command cli_train = {
    .name = "train",
    .operands = "DATA",
    .summary = "train a network on DATA",
    .about = "Trains a fully connected network by gradient descent and writes it, its settings\n"
             "and its metrics into a run directory. The same settings give the same model, bit\n"
             "for bit, on any number of threads.\n"
             "\n"
             "DATA is\n"
             "  a directory       MNIST-style files, train-images-idx3-ubyte[.gz] and so on;\n"
             "                    its t10k files are the test set\n"
             "  IMAGES,LABELS     two IDX or NumPy files\n"
             "  FILE.csv[.gz]     a table; see --label\n"
             "  FILE.npz          NumPy; see --x and --y\n"
             "  FILE.libsvm[.gz]  sparse text: LABEL INDEX:VALUE ...\n"
             "  FILE.h5           HDF5; see --x and --y",
    .examples = "  weft train data/mnist\n"
                "  weft train iris.csv --label species --val 0.2 --hidden 16,16 --epochs 100\n"
                "  weft train -c runs/001/config.ini --seed 2\n"
                "  weft train --resume runs/001\n",
    .groups = groups,
    .n_groups = sizeof groups / sizeof *groups,
    .args_size = sizeof(struct train_args),
    .set_defaults = set_defaults,
    .run = run,
};
