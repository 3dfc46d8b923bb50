/* Finding and loading models and data, with messages that name the files and the likely mistake. */
#ifndef WEFT_CLI_INPUTS_H
#define WEFT_CLI_INPUTS_H

#include <stdbool.h>
#include <stddef.h>

#include <weft/dataset.h>
#include <weft/model.h>

#include "cli/option_table.h"

#define CLI_MODEL_FILE "model.safetensors"

/* Whether a file begins as safetensors files do: the size of a JSON header, then '{'. */
bool cli_looks_like_model(const char *path);

/* "DIRECTORY/name", to be freed with weft_mem_free(); NULL where there is no memory. */
char *cli_join_path(const char *directory, const char *name);

bool cli_is_directory(const char *path);

/* The file that a MODEL argument means: itself, or that of a run directory. */
WEFT_CHECKED weft_status cli_model_path(const char *model, char **out, weft_error *err);

/* What the hint options of a command say: indices as in the choice functions below, where 0 is
 * "auto" for output and scale. */
struct cli_hints {
    struct cli_list activation; /* empty: not given */
    size_t output, scale;
};

/* Loads a MODEL argument. WEFT_ERR_ARG: a hint that cannot be used. Other errors: as
 * weft_model_load(). `data`, which may be NULL, is the data argument, to see whether the two were
 * swapped. */
WEFT_CHECKED weft_status cli_load_model(const char *model, const char *data,
                                        const struct cli_hints *hints, weft_net **out,
                                        weft_error *err);

/* weft_dataset_load() with a hint where `path` is a model. */
WEFT_CHECKED weft_status cli_load_data(const char *path, const weft_dataset_options *options,
                                       weft_dataset **out, weft_error *err);

/* The labels that a network needs: classes with its names, or values. */
void cli_expect_labels_of(const weft_net *net, weft_dataset_options *options);

/* WEFT_ERR_MISMATCH, naming both, where data has not the features that net takes, or has_labels
 * that do not fit its output. */
WEFT_CHECKED weft_status cli_check_fit(const weft_net *net, const char *model,
                                       const weft_dataset *data, const char *path, bool has_labels,
                                       weft_error *err);

/* What images are brought to. */
struct cli_image {
    char *size;  /* "28x28", or NULL */
    size_t mode; /* index of cli_mode_choice() */
    bool invert;
};

/* Puts it into options. WEFT_ERR_ARG: the size is none. */
WEFT_CHECKED weft_status cli_image_options(const struct cli_image *image,
                                           weft_dataset_options *options, weft_error *err);

/* Where data comes from, and how its columns or parts are found. */
struct cli_source {
    char *path, *label, *ignore, *x, *y;
    size_t split; /* index of cli_split_choice() */
    struct cli_image image;
};

/* Loads what a source says, with labels as `net` needs them, or without (with_labels false), and
 * checks that it fits; messages name `model`. */
WEFT_CHECKED weft_status cli_load_for(const weft_net *net, const char *model,
                                      const struct cli_source *source, bool with_labels,
                                      weft_dataset **out, weft_error *err);

/* Entries of option tables. */
#define CLI_OPTION_LABEL(target)                                                                   \
    {                                                                                              \
        .name = "label", .type = CLI_TEXT, .offset = (target), .metavar = "COLUMN",                \
        .help = "CSV: label column by name, or by index from 0 (negative: from the end); several " \
                "with commas",                                                                     \
        .default_text = "the first"                                                                \
    }
#define CLI_OPTION_IGNORE(target)                                                                  \
    {                                                                                              \
        .name = "ignore", .type = CLI_TEXT, .offset = (target), .metavar = "COLUMN",               \
        .help = "CSV: columns to leave out, given as for --label", .default_text = "none"          \
    }
/* Three entries, by the offset of a struct cli_image. */
#define CLI_OPTIONS_IMAGE(target)                                                                  \
    {.name = "image-size",                                                                         \
     .type = CLI_TEXT,                                                                             \
     .offset = (target) + offsetof(struct cli_image, size),                                        \
     .metavar = "WxH",                                                                             \
     .help = "PNG: width and height that images are brought to",                                   \
     .default_text = "as they are, or as the model takes"},                                        \
        {.name = "image-mode",                                                                     \
         .type = CLI_CHOICE,                                                                       \
         .offset = (target) + offsetof(struct cli_image, mode),                                    \
         .metavar = "MODE",                                                                        \
         .n_choices = 3,                                                                           \
         .choice = cli_mode_choice,                                                                \
         .help = "PNG: colours that images are brought to (auto: as the first, or the model)"},    \
    {                                                                                              \
        .name = "invert", .type = CLI_FLAG,                                                        \
        .offset = (target) + offsetof(struct cli_image, invert),                                   \
        .help = "PNG: dark ink on light paper: 255 becomes 0"                                      \
    }
#define CLI_OPTION_MISSING(target)                                                                 \
    {                                                                                              \
        .name = "missing", .type = CLI_CHOICE, .offset = (target), .metavar = "HOW",               \
        .n_choices = WEFT_N_MISSING, .choice = cli_missing_choice,                                 \
        .help = "CSV: what stands for a missing value (empty, ?, NA, N/A, NaN, null); drop: "      \
                "leave the row out"                                                                \
    }
#define CLI_OPTION_CATEGORICAL(target)                                                             \
    {                                                                                              \
        .name = "categorical", .type = CLI_TEXT, .offset = (target), .metavar = "COLUMN",          \
        .help = "CSV: columns of categories, given as for --label, each category a feature of 0 "  \
                "or 1",                                                                            \
        .default_text = "none"                                                                     \
    }
#define CLI_OPTION_X(target)                                                                       \
    {                                                                                              \
        .name = "x", .type = CLI_TEXT, .offset = (target), .metavar = "NAME",                      \
        .help = "HDF5, .npz: the name of the features", .default_text = "guessed"                  \
    }
#define CLI_OPTION_Y(target)                                                                       \
    {                                                                                              \
        .name = "y", .type = CLI_TEXT, .offset = (target), .metavar = "NAME",                      \
        .help = "HDF5, .npz: the name of the labels", .default_text = "guessed"                    \
    }
#define CLI_OPTION_SPLIT(target)                                                                   \
    {                                                                                              \
        .name = "split", .type = CLI_CHOICE, .offset = (target), .metavar = "PART",                \
        .n_choices = 3, .choice = cli_split_choice,                                                \
        .help = "which files of a directory (auto: the test files, if there are any)"              \
    }
#define CLI_OPTION_HINT_ACTIVATION(target)                                                         \
    {                                                                                              \
        .name = "activation", .type = CLI_CHOICES, .offset = (target), .metavar = "NAMES",         \
        .n_choices = WEFT_N_ACTIVATIONS, .choice = cli_activation_choice, .word = "auto",          \
        .help = "of the hidden layers, one for all or one for each"                                \
    }
#define CLI_OPTION_HINT_OUTPUT(target)                                                             \
    {                                                                                              \
        .name = "output", .type = CLI_CHOICE, .offset = (target), .metavar = "NAME",               \
        .n_choices = WEFT_N_OUTPUTS + 1, .choice = cli_output_choice, .help = "of the last layer"  \
    }
#define CLI_OPTION_HINT_SCALE(target)                                                              \
    {                                                                                              \
        .name = "scale", .type = CLI_CHOICE, .offset = (target), .metavar = "KIND",                \
        .n_choices = WEFT_N_SCALE_KINDS, .choice = cli_scale_choice,                               \
        .help = "of the inputs (unit: 1/255)"                                                      \
    }

#define CLI_OPTION_OPTIMIZER(target)                                                               \
    {                                                                                              \
        .name = "optimizer", .type = CLI_CHOICE, .offset = (target), .metavar = "NAME",            \
        .n_choices = WEFT_N_OPTIMIZERS, .choice = cli_optimizer_choice,                            \
        .help = "how gradients move weights"                                                       \
    }
#define CLI_OPTION_MOMENTUM(target)                                                                \
    {                                                                                              \
        .name = "momentum", .type = CLI_REAL, .offset = (target), .metavar = "F", .hi = 1,         \
        .hi_open = true, .help = "share of the last step that the next one keeps",                 \
        .default_text = "0; 0.9 with nesterov"                                                     \
    }

/* Names for option tables. */
const char *cli_activation_choice(size_t index);
const char *cli_output_choice(size_t index); /* "auto", then the outputs */
const char *cli_scale_choice(size_t index);  /* "auto", then the kinds */
const char *cli_init_choice(size_t index);

/* The names of weft_norm. */
const char *cli_norm_choice(size_t index);
const char *cli_schedule_choice(size_t index);
const char *cli_optimizer_choice(size_t index);
const char *cli_watched_choice(size_t index);
const char *cli_missing_choice(size_t index);
const char *cli_mode_choice(size_t index);  /* "auto", "grey", "rgb" */
const char *cli_split_choice(size_t index); /* "auto", "train", "test" */

/* The split that the index of cli_split_choice() means for a path: auto is the test files of a
 * directory that has them, else the train files; for anything but a directory it is the test
 * split. */
weft_split cli_split_of(size_t choice, const char *path);

#endif
