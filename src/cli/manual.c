/* Manual pages in man(7). */
#include "cli/manual.h"

#include <string.h>

#include <weft/version.h>

/* Text in which nothing is taken for a request or an escape, and no '-' for a hyphen. At the
 * beginning of a line a dot or a quote begins a request, so those lines begin with \&. */
static void print_text(const char *text, FILE *stream)
{
    bool at_start = true;
    for (; *text != '\0'; text++) {
        if (at_start && (*text == '.' || *text == '\'')) {
            fputs("\\&", stream);
        }
        if (*text == '\\') {
            fputs("\\e", stream);
        } else if (*text == '-') {
            fputs("\\-", stream);
        } else {
            putc(*text, stream);
        }
        at_start = *text == '\n';
    }
}

/* "bench step" as the name of a page: "weft-bench-step". */
static void print_page_name(const struct cli_command *command, FILE *stream)
{
    fputs("weft\\-", stream);
    for (const char *c = command->name; *c != '\0'; c++) {
        if (*c == ' ') {
            fputs("\\-", stream);
        } else {
            putc(*c, stream);
        }
    }
}

static void print_begin(const struct cli_command *command, const char *summary, FILE *stream)
{
    fputs(".TH \"", stream);
    if (command != NULL) {
        print_page_name(command, stream);
    } else {
        fputs("weft", stream);
    }
    fputs("\" 1 \"\" \"weft " WEFT_VERSION_STRING "\" \"User Commands\"\n.SH NAME\n", stream);
    if (command != NULL) {
        print_page_name(command, stream);
    } else {
        fputs("weft", stream);
    }
    fputs(" \\- ", stream);
    print_text(summary, stream);
    fputs("\n.SH SYNOPSIS\n", stream);
}

/* Paragraphs; lines that begin with a blank stay as they are. */
static void print_paragraphs(const char *text, FILE *stream)
{
    bool as_it_is = false;
    while (*text != '\0') {
        size_t len = strcspn(text, "\n");
        bool wanted = *text == ' ';
        if (wanted != as_it_is) {
            fputs(wanted ? ".PP\n.nf\n" : ".fi\n.PP\n", stream);
            as_it_is = wanted;
        }
        char line[200];
        snprintf(line, sizeof line, "%.*s", (int)(len < sizeof line ? len : sizeof line - 1), text);
        if (len == 0) {
            fputs(".PP", stream);
        } else {
            print_text(line, stream);
        }
        putc('\n', stream);
        text += len;
        text += *text == '\n';
    }
    fputs(as_it_is ? ".fi\n" : "", stream);
}

static void print_examples(const struct cli_command *command, FILE *stream)
{
    if (command->examples != NULL) {
        fputs(".SH EXAMPLES\n.nf\n", stream);
        print_text(command->examples, stream);
        fputs(".fi\n", stream);
    }
}

static void print_end(FILE *stream)
{
    fputs(".SH EXIT STATUS\n"
          ".TP\n0\ndone\n"
          ".TP\n2\nthe command line or the config file\n"
          ".TP\n3\nan input is missing, unreadable, broken or does not fit\n"
          ".TP\n4\ntraining diverged\n"
          ".TP\n128 + N\nstopped by signal N\n"
          ".TP\n1\nanything else\n"
          ".SH SEE ALSO\n",
          stream);
    fputs(".BR weft (1)", stream);
    for (const struct cli_command *const *command = cli_commands; *command != NULL; command++) {
        fputs(",\n.BR ", stream);
        print_page_name(*command, stream);
        fputs(" (1)", stream);
    }
    putc('\n', stream);
}

/* An entry of a list: the name in bold letters, then what it is. */
static void print_entry(const char *name, const char *text, FILE *stream)
{
    fputs(".TP\n.B ", stream);
    print_text(name, stream);
    putc('\n', stream);
    print_text(text, stream);
    putc('\n', stream);
}

static void print_option(const struct cli_options *options, size_t index, FILE *stream)
{
    char name[80] = "", text[1024] = "";
    FILE *name_stream = fmemopen(name, sizeof name, "w");
    FILE *text_stream = fmemopen(text, sizeof text, "w");
    if (name_stream != NULL && text_stream != NULL) {
        cli_print_option_name(options, index, name_stream);
        cli_print_option_description(options, index, text_stream);
    }
    if (name_stream != NULL) {
        fclose(name_stream);
    }
    if (text_stream != NULL) {
        fclose(text_stream);
    }
    print_entry(name, text, stream);
}

void cli_print_command_manual(const struct cli_call *call, FILE *stream)
{
    const struct cli_command *command = call->command;
    print_begin(command, command->summary, stream);
    fputs(".B weft ", stream);
    print_text(command->name, stream);
    fputs("\n.I ", stream);
    print_text(command->operands[0] != '\0' ? command->operands : "\\&", stream);
    fputs("\n[options]\n.SH DESCRIPTION\n", stream);
    print_paragraphs(command->about, stream);
    fputs(".SH OPTIONS\n", stream);
    const struct cli_group *shown = NULL, *group;
    for (size_t i = 0; i < cli_options_count(&call->options); i++) {
        cli_options_at(&call->options, i, &group);
        if (group != shown) {
            fputs(".SS ", stream);
            print_text(group->title, stream);
            putc('\n', stream);
            shown = group;
        }
        print_option(&call->options, i, stream);
    }
    print_examples(command, stream);
    print_end(stream);
}

static void print_commands(const struct cli_command *const *list, FILE *stream)
{
    for (; *list != NULL; list++) {
        char call[80];
        snprintf(call, sizeof call, "weft %s %s", (*list)->name, (*list)->operands);
        print_entry(call, (*list)->summary, stream);
    }
}

void cli_print_modes_manual(const struct cli_command *command, FILE *stream)
{
    print_begin(command, command->summary, stream);
    fputs(".B weft ", stream);
    print_text(command->name, stream);
    fputs("\n.I ", stream);
    print_text(command->operands, stream);
    fputs("\n\\&...\n.SH DESCRIPTION\n", stream);
    print_paragraphs(command->about, stream);
    fputs(".SH MODES\nEach has a page of its own.\n", stream);
    print_commands(command->modes, stream);
    print_examples(command, stream);
    print_end(stream);
}

void cli_print_program_manual(FILE *stream)
{
    print_begin(NULL, "train fully connected neural networks, and use them", stream);
    fputs(".B weft\n.I COMMAND\n\\&...\n.SH DESCRIPTION\n"
          "Trains fully connected neural networks on the CPU, in parallel, and uses them.\n"
          "The same seed gives the same model, byte for byte, on any number of threads.\n"
          ".SH COMMANDS\nEach has a page of its own.\n",
          stream);
    print_commands(cli_commands, stream);
    fputs(".SH ENVIRONMENT\n", stream);
    print_entry("OMP_NUM_THREADS", "threads to use where --threads says nothing", stream);
    print_entry("WEFT_ISA", "the kernels to use where --isa says nothing", stream);
    fputs(".SH EXAMPLES\n.nf\n"
          "  weft train data/mnist \\-\\-out runs/digits\n"
          "  weft eval runs/digits data/mnist\n.fi\n",
          stream);
    print_end(stream);
}
