/* weft bench: its modes and their options. */
#include "cli/bench_job.h"

#define AT(member) offsetof(struct bench_args, member)

static const struct cli_option data_options[] = {
    {.name = "data",
     .type = CLI_TEXT,
     .flags = CLI_POSITIONAL,
     .offset = AT(data),
     .metavar = "DATA",
     .help = "data as 'weft train' takes it",
     .default_text = "made up"},
    CLI_OPTION_LABEL(AT(label)),
    CLI_OPTION_X(AT(x)),
    CLI_OPTION_Y(AT(y)),
    {.name = "samples",
     .type = CLI_COUNT,
     .offset = AT(samples),
     .metavar = "N",
     .word = "auto",
     .min = 2,
     .help = "made up data: samples (auto: 16384, or what scaling needs)"},
};

static const struct cli_option model_options[] = {
    {.name = "model",
     .type = CLI_TEXT,
     .flags = CLI_POSITIONAL,
     .offset = AT(model),
     .metavar = "MODEL",
     .help = "a model file or a run directory",
     .default_text = "made up"},
};

static const struct cli_option network_options[] = {
    {.name = "inputs",
     .type = CLI_COUNT,
     .offset = AT(inputs),
     .metavar = "N",
     .fallback = "784",
     .min = 1,
     .help = "of a made up network"},
    {.name = "outputs",
     .type = CLI_COUNT,
     .offset = AT(outputs),
     .metavar = "N",
     .fallback = "10",
     .min = 1,
     .help = "of a made up network"},
    CLI_OPTION_HIDDEN(AT(net)),
    CLI_OPTION_ACTIVATION(AT(net)),
    CLI_OPTION_HINT_OUTPUT(AT(net.output)),
    CLI_OPTION_HINT_SCALE(AT(scale)),
};

static const struct cli_option training_options[] = {
    {.name = "batch-size",
     .type = CLI_COUNT,
     .offset = AT(batch_size),
     .metavar = "N",
     .word = "full",
     .min = 1,
     .max = 1000000000,
     .help = "samples of each step, or 'full' for all of them"},
    CLI_OPTION_OPTIMIZER(AT(optimizer)),
    CLI_OPTION_MOMENTUM(AT(momentum)),
};

static const struct cli_option prediction_options[] = {
    {.name = "batch-size",
     .type = CLI_COUNTS,
     .offset = AT(batch_sizes),
     .metavar = "LIST",
     .fallback = "1,16,128,1024",
     .min = 1,
     .max = 1000000000,
     .help = "samples of a call, one or several sizes"},
};

#define BENCH_OPTION_OTHER                                                                         \
    {.name = "seconds",                                                                            \
     .type = CLI_REAL,                                                                             \
     .offset = AT(seconds),                                                                        \
     .metavar = "F",                                                                               \
     .lo_open = true,                                                                              \
     .hi = 1e6,                                                                                    \
     .help = "time to measure for, after warming up; three rounds at least",                       \
     .default_text = "10"},                                                                        \
        {.name = "seed",                                                                           \
         .type = CLI_SEED,                                                                         \
         .offset = AT(seed),                                                                       \
         .metavar = "N",                                                                           \
         .help = "of weights, order and what is made up"},                                         \
        CLI_OPTION_ISA(struct bench_args), CLI_OPTION_PRECISION(struct bench_args),                \
        CLI_OPTION_JSON(struct bench_args),                                                        \
        {.name = "quiet",                                                                          \
         .short_name = 'q',                                                                        \
         .type = CLI_FLAG,                                                                         \
         .offset = AT(common.quiet),                                                               \
         .help = "only results and errors"},                                                       \
        CLI_OPTION_HELP(struct bench_args)

static const struct cli_option other_options[] = {
    CLI_OPTION_THREADS(struct bench_args),
    BENCH_OPTION_OTHER,
};

static const struct cli_option scaling_options[] = {
    {.name = "threads",
     .type = CLI_COUNTS,
     .offset = AT(thread_counts),
     .metavar = "LIST",
     .word = "auto",
     .min = 1,
     .max = 4096,
     .help = "numbers of threads, such as 1,2,4; speed-up is against the least",
     .default_text = "1, 2, 4, ... and the cores this process may use"},
    {.name = "svg",
     .type = CLI_TEXT,
     .offset = AT(svg),
     .metavar = "FILE",
     .help = "also write a chart",
     .default_text = "none"},
    BENCH_OPTION_OTHER,
};

static const struct cli_group step_groups[] = {
    {"Data", "data", data_options, sizeof data_options / sizeof *data_options},
    {"Network", "network", network_options, sizeof network_options / sizeof *network_options},
    {"Training", "training", training_options, sizeof training_options / sizeof *training_options},
    {"Other", "run", other_options, sizeof other_options / sizeof *other_options},
};

static const struct cli_group scaling_groups[] = {
    {"Data", "data", data_options, sizeof data_options / sizeof *data_options},
    {"Network", "network", network_options, sizeof network_options / sizeof *network_options},
    {"Training", "training", training_options, sizeof training_options / sizeof *training_options},
    {"Other", "run", scaling_options, sizeof scaling_options / sizeof *scaling_options},
};

static const struct cli_group predict_groups[] = {
    {"Input", "data", model_options, sizeof model_options / sizeof *model_options},
    {"Network", "network", network_options, sizeof network_options / sizeof *network_options},
    {"Prediction", "prediction", prediction_options,
     sizeof prediction_options / sizeof *prediction_options},
    {"Other", "run", other_options, sizeof other_options / sizeof *other_options},
};

static void set_defaults(void *arguments)
{
    struct bench_args *args = arguments;
    weft_train_options options = weft_train_options_default();
    args->batch_size = options.batch_size;
    args->optimizer = (size_t)options.optimizer;
    args->momentum = options.momentum;
    args->seed = options.seed;
    args->seconds = 10;
}

static const struct cli_command mode_step = {
    .name = "bench step",
    .operands = "[DATA]",
    .summary = "time training steps and epochs",
    .about = "Times steps of training as 'weft train' makes them with the same options: batch,\n"
             "forward, loss, backward, update. Without DATA, samples are made up, none of\n"
             "their numbers 0. Prints the median of all steps and the range that four out of\n"
             "five of them lie in.\n"
             "\n"
             "Samples per second are those of whole epochs, where a few of them fit into the\n"
             "time, else those of the median step. GFLOP/s count the dense products: two\n"
             "operations for each weight and sample, three times over (twice in the first\n"
             "layer), whatever zeros there are.",
    .examples = "  weft bench step data/mnist\n"
                "  weft bench step --hidden 512,512 --batch-size 128 --threads 1\n",
    .groups = step_groups,
    .n_groups = sizeof step_groups / sizeof *step_groups,
    .args_size = sizeof(struct bench_args),
    .set_defaults = set_defaults,
    .run = bench_step,
};

static const struct cli_command mode_scaling = {
    .name = "bench scaling",
    .operands = "[DATA]",
    .summary = "show what more threads bring",
    .about = "Times the same training steps on different numbers of threads, in turn, and\n"
             "makes sure that all end with the same parameters, bit for bit.\n"
             "\n"
             "Strong scaling: the same batch on more threads. Weak scaling: a batch that grows\n"
             "with the number of threads. Speed-up is in samples per second against the least\n"
             "number of threads; efficiency is its share of what is ideal.",
    .examples = "  weft bench scaling --hidden 512,512 --batch-size 256 --svg scaling.svg\n"
                "  weft bench scaling data/mnist --threads 1,2,3,4 --json\n",
    .groups = scaling_groups,
    .n_groups = sizeof scaling_groups / sizeof *scaling_groups,
    .args_size = sizeof(struct bench_args),
    .set_defaults = set_defaults,
    .run = bench_scaling,
};

static const struct cli_command mode_predict = {
    .name = "bench predict",
    .operands = "[MODEL]",
    .summary = "time predictions",
    .about = "Times the forward pass for batches of several sizes; a batch of 1 is how long\n"
             "one answer takes. Samples are made up; so is the network where no MODEL is\n"
             "given. Reading files is not part of it.",
    .examples = "  weft bench predict runs/001\n"
                "  weft bench predict --hidden 512,512 --batch-size 1,64 --threads 1\n",
    .groups = predict_groups,
    .n_groups = sizeof predict_groups / sizeof *predict_groups,
    .args_size = sizeof(struct bench_args),
    .set_defaults = set_defaults,
    .run = bench_predict,
};

static const struct cli_command *const modes[] = {&mode_step, &mode_scaling, &mode_predict, NULL};

const struct cli_command cli_bench = {
    .name = "bench",
    .operands = "MODE",
    .summary = "measure how fast training and predictions are here",
    .about = "Measures weft on this machine: warms up, then runs all cases in turn until the\n"
             "time is spent, and prints medians and their spread. Do nothing else meanwhile.",
    .examples = "  weft bench step data/mnist\n"
                "  weft bench scaling --svg scaling.svg\n"
                "  weft bench predict runs/001\n",
    .modes = modes,
};
