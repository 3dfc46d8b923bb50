/* Options of a command as tables: one entry serves the command line, the config file, the help and
 * the config file that a run writes. */
#ifndef WEFT_CLI_OPTION_TABLE_H
#define WEFT_CLI_OPTION_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <weft/status.h>

/* The kind of an option's value, and the type of the variable that it is kept in. */
enum cli_type {
    CLI_FLAG,    /* bool: --name, --no-name, --name=true */
    CLI_COUNT,   /* size_t */
    CLI_SEED,    /* uint64_t */
    CLI_REAL,    /* double */
    CLI_TEXT,    /* char *, owned by the options; NULL: not given */
    CLI_TEXTS,   /* struct cli_texts; of a positional: all arguments that are left */
    CLI_CHOICE,  /* size_t: index of a name */
    CLI_COUNTS,  /* struct cli_list of numbers, separated by commas */
    CLI_CHOICES, /* struct cli_list of indices of names */
};

struct cli_list {
    size_t n;
    size_t *items;
};

struct cli_texts {
    char **items; /* owned by the options; NULL: none given */
    size_t n;
};

enum cli_option_flags {
    CLI_POSITIONAL = 1, /* given without a name on the command line */
    CLI_NO_CONFIG = 2,  /* makes no sense in a config file */
    CLI_NO_RECORD = 4,  /* of this call only: not written to a run's config file */
};

struct cli_option {
    const char *name; /* with dashes; users may write underscores */
    enum cli_type type;
    unsigned flags;
    size_t offset;            /* of the variable in the command's struct of arguments */
    const char *metavar;      /* name of the value in the help; NULL for flags */
    const char *help;         /* what it does, in a phrase */
    const char *fallback;     /* default as text; NULL: what the variable holds already */
    const char *default_text; /* default in words for the help, where the value says little */
    const char *missing;      /* what to say where it is left out; NULL: it may be left out */
    const char *negated;      /* TEXT: what --no-NAME means; NULL: there is no such thing */
    const char *word;         /* COUNT: stands for 0; COUNTS: stands for the empty list */
    uint64_t min, max;        /* COUNT, COUNTS; max 0: no limit */
    double lo, hi;            /* REAL */
    size_t n_choices;
    const char *(*choice)(size_t index);
    bool lo_open, hi_open; /* REAL: whether the limit itself is left out */
    char short_name;       /* or 0 */
};

/* Options that belong together: a heading in the help, a section in the config file. */
struct cli_group {
    const char *title, *section;
    const struct cli_option *options;
    size_t n_options;
};

enum cli_origin { CLI_BY_DEFAULT, CLI_BY_CONFIG, CLI_BY_COMMAND_LINE };

/* The options of one call with their variables. */
struct cli_options {
    const struct cli_group *groups;
    size_t n_groups;
    void *args;
    unsigned char *origins; /* enum cli_origin of each option, in table order */
};

/* Sets every variable that has a fallback. Release with cli_options_release(). */
WEFT_CHECKED weft_status cli_options_init(struct cli_options *options,
                                          const struct cli_group *groups, size_t n_groups,
                                          void *args, weft_error *err);

/* Frees the texts and lists in the variables; harmless on a zeroed struct. */
void cli_options_release(struct cli_options *options);

/* Reads the arguments behind the command's name. Accepts --name value, --name=value, -n value,
 * -nvalue, grouped short flags; "--" ends options. WEFT_ERR_ARG: the message names the option,
 * what was wanted and what was given. */
WEFT_CHECKED weft_status cli_options_parse(struct cli_options *options, int argc, char **argv,
                                           weft_error *err);

/* Sets option `index` from text, unless a stronger origin has set it already; the text is checked
 * in either case. `where` begins the message: "--lr", or "FILE:3: lr". */
WEFT_CHECKED weft_status cli_options_set(struct cli_options *options, size_t index,
                                         const char *text, enum cli_origin origin,
                                         const char *where, weft_error *err);

/* WEFT_ERR_ARG with the option's own message where one that must be given is not. */
WEFT_CHECKED weft_status cli_options_check_missing(const struct cli_options *options,
                                                   weft_error *err);

size_t cli_options_count(const struct cli_options *options);
const struct cli_option *cli_options_at(const struct cli_options *options, size_t index,
                                        const struct cli_group **group);

/* The option of that name ('_' and '-' alike), or SIZE_MAX. `len` bytes of name count. */
size_t cli_options_find(const struct cli_options *options, const char *name, size_t len);

/* Who set the variable at this address, which must belong to an option. */
enum cli_origin cli_options_origin(const struct cli_options *options, const void *variable);

/* Writes the value of an option as text that cli_options_set() reads back to the same value. */
void cli_options_print_value(const struct cli_options *options, size_t index, FILE *stream);

/* What the option accepts: "a number above 0". */
void cli_option_print_wanted(const struct cli_option *option, FILE *stream);

/* Makes `list` hold a copy of n numbers; false where there is no memory. */
bool cli_list_assign(struct cli_list *list, const size_t *items, size_t n);

/* Makes *text hold a copy of value (NULL: none); false where there is no memory. */
bool cli_text_assign(char **text, const char *value);

#endif
