/* The help texts, printed from the tables of commands and options. */
#include <stdint.h>
#include <string.h>

#include "cli/command.h"

enum { WIDTH = 80, NAME_COLUMN = 26 };

/* Prints words from column `column` on, wrapped at WIDTH, further lines from column `indent`. */
static void print_wrapped(FILE *stream, const char *text, size_t column, size_t indent)
{
    bool first = true;
    while (*text != '\0') {
        size_t len = strcspn(text, " ");
        if (!first && column + 1 + len > WIDTH) {
            fprintf(stream, "\n%*s", (int)indent, "");
            column = indent;
        } else if (!first) {
            putc(' ', stream);
            column++;
        }
        fprintf(stream, "%.*s", (int)len, text);
        column += len;
        text += len;
        text += strspn(text, " ");
        first = false;
    }
    putc('\n', stream);
}

void cli_print_option_name(const struct cli_options *options, size_t index, FILE *stream)
{
    const struct cli_option *option = cli_options_at(options, index, NULL);
    if (option->flags & CLI_POSITIONAL) {
        fputs(option->metavar, stream);
        return;
    }
    if (option->short_name != '\0') {
        fprintf(stream, "-%c, ", option->short_name);
    }
    /* A flag that is on by default is there to be turned off. */
    bool on =
        option->type == CLI_FLAG && *(const bool *)((const char *)options->args + option->offset);
    fprintf(stream, "--%s%s", on ? "[no-]" : "", option->name);
    if (option->metavar != NULL) {
        fprintf(stream, " %s", option->metavar);
    }
}

void cli_print_option_description(const struct cli_options *options, size_t index, FILE *stream)
{
    const struct cli_option *option = cli_options_at(options, index, NULL);
    fputs(option->help, stream);
    for (size_t i = 0; i < option->n_choices; i++) {
        fprintf(stream, "%s%s", i == 0 ? ": " : ", ", option->choice(i));
    }
    if (option->default_text != NULL) {
        fprintf(stream, " [%s]", option->default_text);
    } else if (option->type != CLI_FLAG && option->type != CLI_TEXT && option->type != CLI_TEXTS) {
        fputs(" [", stream);
        cli_options_print_value(options, index, stream);
        fputs("]", stream);
    }
}

static void print_option(const struct cli_options *options, size_t index, FILE *stream)
{
    const struct cli_option *option = cli_options_at(options, index, NULL);
    bool aligned = !(option->flags & CLI_POSITIONAL) && option->short_name == '\0';
    char name[80] = "", text[1024] = "";
    FILE *name_stream = fmemopen(name, sizeof name, "w");
    FILE *text_stream = fmemopen(text, sizeof text, "w");
    if (name_stream != NULL && text_stream != NULL) {
        fputs(aligned ? "    " : "", name_stream);
        cli_print_option_name(options, index, name_stream);
        cli_print_option_description(options, index, text_stream);
    }
    if (name_stream != NULL) {
        fclose(name_stream);
    }
    if (text_stream != NULL) {
        fclose(text_stream);
    }
    fprintf(stream, "  %-*s", NAME_COLUMN - 2, name);
    if (strlen(name) + 2 >= NAME_COLUMN) {
        fprintf(stream, "\n%*s", NAME_COLUMN, "");
    }
    print_wrapped(stream, text, NAME_COLUMN, NAME_COLUMN);
}

void cli_print_command_help(const struct cli_command *command, const struct cli_options *options,
                            FILE *stream)
{
    fprintf(stream, "usage: weft %s %s%s[options]\n\n%s\n", command->name, command->operands,
            command->operands[0] != '\0' ? " " : "", command->about);
    const struct cli_group *shown = NULL, *group;
    for (size_t i = 0; i < cli_options_count(options); i++) {
        cli_options_at(options, i, &group);
        if (group != shown) {
            fprintf(stream, "\n%s\n", group->title);
            shown = group;
        }
        print_option(options, i, stream);
    }
    if (command->examples != NULL) {
        fprintf(stream, "\nExamples\n%s", command->examples);
    }
}

const char *cli_command_word(const struct cli_command *command)
{
    const char *blank = strrchr(command->name, ' ');
    return blank != NULL ? blank + 1 : command->name;
}

/* Their calls and what they are for; `list` ends with NULL. */
static void print_commands(const struct cli_command *const *list, FILE *stream)
{
    for (; *list != NULL; list++) {
        char call[40];
        snprintf(call, sizeof call, "%s %s", (*list)->name, (*list)->operands);
        fprintf(stream, "  %-*s%s\n", NAME_COLUMN - 2, call, (*list)->summary);
    }
}

void cli_print_modes_help(const struct cli_command *command, FILE *stream)
{
    fprintf(stream, "usage: weft %s %s ...\n\n%s\n\nModes\n", command->name, command->operands,
            command->about);
    print_commands(command->modes, stream);
    char call[40];
    snprintf(call, sizeof call, "%s %s --help", command->name, command->operands);
    fprintf(stream, "\n  %-*s%s\n", NAME_COLUMN - 2, call,
            "the options of a mode, with their defaults");
    if (command->examples != NULL) {
        fprintf(stream, "\nExamples\n%s", command->examples);
    }
}

void cli_print_program_help(const struct cli_command *const *commands, FILE *stream)
{
    fputs("usage: weft COMMAND ...\n\nTrains fully connected neural networks, and uses them.\n\n"
          "Commands\n",
          stream);
    print_commands(commands, stream);
    fprintf(stream, "\n  %-*s%s\n  %-*s%s\n", NAME_COLUMN - 2, "COMMAND --help",
            "the options of a command, with their defaults", NAME_COLUMN - 2, "--version",
            "the version");
    fputs("\nTo begin: weft train data/mnist\n", stream);
}
