/* Networks from options, for the commands that make one, and how networks and data are told of. */
#ifndef WEFT_CLI_NET_SETUP_H
#define WEFT_CLI_NET_SETUP_H

#include <stddef.h>
#include <stdio.h>

#include <weft/dataset.h>
#include <weft/net.h>
#include <weft/scaling.h>

#include "cli/inputs.h"
#include "cli/option_table.h"

/* What the options of a network say. */
struct cli_net_args {
    struct cli_list hidden, activation, norm;
    size_t output; /* index of cli_output_choice() */
};

/* Entries of option tables, by the offset of a struct cli_net_args. */
#define CLI_OPTION_HIDDEN(target)                                                                  \
    {                                                                                              \
        .name = "hidden", .type = CLI_COUNTS,                                                      \
        .offset = (target) + offsetof(struct cli_net_args, hidden), .metavar = "WIDTHS",           \
        .fallback = "256", .word = "none", .min = 1,                                               \
        .help = "units of the hidden layers, such as 128,64; 'none' for a linear model"            \
    }
#define CLI_OPTION_ACTIVATION(target)                                                              \
    {                                                                                              \
        .name = "activation", .type = CLI_CHOICES,                                                 \
        .offset = (target) + offsetof(struct cli_net_args, activation), .metavar = "NAMES",        \
        .fallback = "relu", .n_choices = WEFT_N_ACTIVATIONS, .choice = cli_activation_choice,      \
        .help = "of the hidden layers, one for all or one for each"                                \
    }

#define CLI_OPTION_NORM(target)                                                                    \
    {                                                                                              \
        .name = "norm", .type = CLI_CHOICES,                                                       \
        .offset = (target) + offsetof(struct cli_net_args, norm), .metavar = "NAMES",              \
        .fallback = "none", .n_choices = WEFT_N_NORMS, .choice = cli_norm_choice,                  \
        .help = "normalisation in hidden layers, in front of the activation: batch, layer; one "   \
                "for all or one for each"                                                          \
    }

/* WEFT_ERR_ARG: neither one activation for all hidden layers nor one for each; nor normalisation.
 */
WEFT_CHECKED weft_status cli_check_activations(const struct cli_net_args *args, weft_error *err);

/* The labels to read for a network with this output (an index of cli_output_choice()). */
weft_label_kind cli_labels_for_output(size_t output);

/* Sets output and n_outputs to what the labels of `data` and the options ask for. `path` names the
 * data. WEFT_ERR_MISMATCH: they do not go together. */
WEFT_CHECKED weft_status cli_choose_output(const struct cli_net_args *args,
                                           const weft_dataset *data, const char *path,
                                           weft_net_options *options, weft_error *err);

/* Makes a network with the hidden layers of `args`; `options` has the rest. */
WEFT_CHECKED weft_status cli_make_net(const struct cli_net_args *args, weft_net_options *options,
                                      weft_net **out, weft_error *err);

/* Finds the scaling of `data` and gives it to `net`. scale: an index of cli_scale_choice(). */
WEFT_CHECKED weft_status cli_fit_scaling(weft_net *net, const weft_dataset *data, size_t scale,
                                         weft_error *err);

/* "data/mnist: 60000 samples of 28 x 28, 10 classes (IDX, gzip)", without a newline. */
void cli_print_data(FILE *stream, const char *path, const weft_dataset *data);

/* "784-128-10" */
void cli_print_shape(FILE *stream, const weft_net *net);

/* "784-128-10, relu, softmax; 101770 parameters; inputs scaled: unit", without a newline. */
void cli_print_network(FILE *stream, const weft_net *net);

#endif
