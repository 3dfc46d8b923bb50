/* A subcommand as data: what the help says, its options, and what it runs. */
#ifndef WEFT_CLI_COMMAND_H
#define WEFT_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <weft/context.h>

#include "cli/messages.h"
#include "cli/option_table.h"

/* What every command takes; first in each command's struct of arguments. */
struct cli_common {
    bool help, json, quiet, verbose;
    size_t threads; /* 0: to be found out */
    char *isa;      /* NULL: WEFT_ISA, or else the best */
    char *config;
    char *resume;     /* directory of a run whose config.ini is read as `config` */
    size_t precision; /* weft_precision */
};

struct cli_command;

/* One call of a command. */
struct cli_call {
    const struct cli_command *command;
    struct cli_options options;
};

struct cli_command {
    const char *name, *operands, *summary;
    const char *about;    /* paragraphs between the usage and the options */
    const char *examples; /* ready lines for the end of the help, or NULL */
    const struct cli_group *groups;
    size_t n_groups;
    size_t args_size;
    void (*set_defaults)(void *args); /* before the tables' own; NULL: all zero */
    int (*run)(struct cli_call *call);
    /* Of a command that only leads to others: these, ended by NULL. Their names begin with its own:
     * "bench step". It has no options and runs nothing itself. */
    const struct cli_command *const *modes;
};

extern const struct cli_command cli_train, cli_eval, cli_predict, cli_export, cli_report, cli_info,
    cli_inspect, cli_convert, cli_bench, cli_sync;

/* All of them in the order of the help, ended by NULL. */
extern const struct cli_command *const cli_commands[];

/* The last word of a command's name: "step" of "bench step". */
const char *cli_command_word(const struct cli_command *command);

/* Entries of option tables that several commands have. */
#define CLI_OPTION_HELP(args)                                                                      \
    {                                                                                              \
        .name = "help", .short_name = 'h', .type = CLI_FLAG, .flags = CLI_NO_CONFIG,               \
        .offset = offsetof(args, common.help), .help = "show this help"                            \
    }
#define CLI_OPTION_JSON(args)                                                                      \
    {                                                                                              \
        .name = "json", .type = CLI_FLAG, .flags = CLI_NO_RECORD,                                  \
        .offset = offsetof(args, common.json), .help = "results as one JSON object on one line"    \
    }
#define CLI_OPTION_THREADS(args)                                                                   \
    {                                                                                              \
        .name = "threads", .type = CLI_COUNT, .offset = offsetof(args, common.threads),            \
        .metavar = "N", .word = "auto", .min = 1, .max = 4096,                                     \
        .help = "threads; results do not depend on it",                                            \
        .default_text = "OMP_NUM_THREADS, or the cores this process may use"                       \
    }
#define CLI_OPTION_ISA(args)                                                                       \
    {                                                                                              \
        .name = "isa", .type = CLI_TEXT, .offset = offsetof(args, common.isa), .metavar = "NAME",  \
        .help = "kernels for this instruction set ('weft info' lists them)",                       \
        .default_text = "WEFT_ISA, or the best for this CPU"                                       \
    }
#define CLI_OPTION_PRECISION(args)                                                                 \
    {                                                                                              \
        .name = "precision", .type = CLI_CHOICE, .offset = offsetof(args, common.precision),       \
        .metavar = "NAME", .n_choices = WEFT_N_PRECISIONS, .choice = cli_precision_choice,         \
        .help = "what products of wide layers multiply; sums and weights are float32 in both"      \
    }

/* The names of weft_precision. */
const char *cli_precision_choice(size_t index);

/* Prints the help of a command, of a command with modes, or of the program; defaults are what
 * `options` holds, lists end with NULL. */
void cli_print_command_help(const struct cli_command *command, const struct cli_options *options,
                            FILE *stream);
void cli_print_modes_help(const struct cli_command *command, FILE *stream);
void cli_print_program_help(const struct cli_command *const *commands, FILE *stream);

/* What the help says of one option: "-q, --quiet", "--[no-]shuffle", "--lr F", "DATA"; and what it
 * does, the names to choose from, the default. */
void cli_print_option_name(const struct cli_options *options, size_t index, FILE *stream);
void cli_print_option_description(const struct cli_options *options, size_t index, FILE *stream);

/* A call with all options at their defaults. Release with cli_call_release(). WEFT_ERR_NOMEM. */
WEFT_CHECKED weft_status cli_call_init(struct cli_call *call, const struct cli_command *command,
                                       weft_error *err);
void cli_call_release(struct cli_call *call);

/* Makes the context that a call asks for, and puts the thread count and kernel set in use into
 * `common`. Returns 0, or the exit code after a message. */
int cli_make_context(const char *command, struct cli_common *common, weft_context **out);

#endif
