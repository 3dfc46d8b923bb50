/* Completion scripts for bash and zsh. */
#include <string.h>

#include "cli/manual.h"

typedef void print_call(const struct cli_call *call, FILE *stream);

/* Prints every command that has options, modes too. */
static weft_status print_each(const struct cli_command *const *list, print_call *print,
                              FILE *stream, weft_error *err)
{
    for (; *list != NULL; list++) {
        if ((*list)->modes != NULL) {
            weft_status status = print_each((*list)->modes, print, stream, err);
            if (status != WEFT_OK) {
                return status;
            }
            continue;
        }
        struct cli_call call;
        weft_status status = cli_call_init(&call, *list, err);
        if (status != WEFT_OK) {
            return status;
        }
        print(&call, stream);
        cli_call_release(&call);
    }
    return WEFT_OK;
}

static void print_words(const struct cli_command *const *list, FILE *stream)
{
    for (const struct cli_command *const *command = list; *command != NULL; command++) {
        fprintf(stream, "%s%s", command == list ? "" : " ", cli_command_word(*command));
    }
}

static bool is_on(const struct cli_call *call, const struct cli_option *option)
{
    const char *args = call->options.args;
    return option->type == CLI_FLAG && *(const bool *)(args + option->offset);
}

static void print_choices(const struct cli_option *option, FILE *stream)
{
    for (size_t i = 0; i < option->n_choices; i++) {
        fprintf(stream, "%s%s", i == 0 ? "" : " ", option->choice(i));
    }
}

/* bash: an entry of two case statements for each command, with what options it has, and what those
 * take. */

static void print_bash_options(const struct cli_call *call, FILE *stream)
{
    fprintf(stream, "    '%s') words='", call->command->name);
    const char *blank = "";
    for (size_t i = 0; i < cli_options_count(&call->options); i++) {
        const struct cli_option *option = cli_options_at(&call->options, i, NULL);
        if (option->flags & CLI_POSITIONAL) {
            continue;
        }
        fprintf(stream, "%s--%s%s", blank, is_on(call, option) ? "no-" : "", option->name);
        blank = " ";
    }
    fputs("' ;;\n", stream);
}

static void print_bash_values(const struct cli_call *call, FILE *stream)
{
    for (size_t i = 0; i < cli_options_count(&call->options); i++) {
        const struct cli_option *option = cli_options_at(&call->options, i, NULL);
        if ((option->flags & CLI_POSITIONAL) || option->type == CLI_FLAG) {
            continue;
        }
        fprintf(stream, "    '%s --%s'", call->command->name, option->name);
        if (option->short_name != '\0') {
            fprintf(stream, " | '%s -%c'", call->command->name, option->short_name);
        }
        fputs(") kind=value", stream);
        if (option->n_choices > 0) {
            fputs(" words='", stream);
            print_choices(option, stream);
            putc('\'', stream);
        } else if (option->type == CLI_TEXT) {
            fputs(" kind=file", stream);
        }
        fputs(" ;;\n", stream);
    }
}

static void print_bash_modes(FILE *stream)
{
    for (const struct cli_command *const *command = cli_commands; *command != NULL; command++) {
        if ((*command)->modes != NULL) {
            fprintf(stream, "    %s)\n        words='", (*command)->name);
            print_words((*command)->modes, stream);
            fputs("'\n        first=3\n        command+=\" ${COMP_WORDS[2]}\"\n        ;;\n",
                  stream);
        }
    }
}

weft_status cli_print_bash_completion(FILE *stream, weft_error *err)
{
    fputs("# bash completion for weft, made from its tables of options.\n"
          "_weft()\n{\n"
          "    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}\n"
          "    local command=${COMP_WORDS[1]} first=2 kind=option items= words=\n"
          "    COMPREPLY=()\n"
          "    # bash takes --name=value for three words.\n"
          "    if [[ $current == '=' ]]; then\n"
          "        current=\n"
          "    elif [[ $before == '=' ]]; then\n"
          "        before=${COMP_WORDS[COMP_CWORD - 2]}\n"
          "    fi\n"
          "    case $command in\n",
          stream);
    print_bash_modes(stream);
    fputs("    esac\n"
          "    if [[ $COMP_CWORD == 1 ]]; then\n"
          "        COMPREPLY=($(compgen -W '",
          stream);
    print_words(cli_commands, stream);
    fputs(" help --help --version' -- \"$current\"))\n"
          "        return\n"
          "    elif ((COMP_CWORD < first)); then\n"
          "        COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
          "        return\n"
          "    fi\n"
          "    case \"$command $before\" in\n",
          stream);
    weft_status status = print_each(cli_commands, print_bash_values, stream, err);
    if (status != WEFT_OK) {
        return status;
    }
    fputs("    *)\n"
          "        words=\n"
          "        [[ $current == -* ]] || kind=file\n"
          "        ;;\n"
          "    esac\n"
          "    if [[ $kind == file ]]; then\n"
          "        compopt -o filenames 2>/dev/null\n"
          "        mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n"
          "        return\n"
          "    fi\n"
          "    [[ $kind == value ]] || case $command in\n",
          stream);
    status = print_each(cli_commands, print_bash_options, stream, err);
    fputs("    esac\n"
          "    # Of a list the names before the last comma stay.\n"
          "    [[ $current != *,* ]] || items=${current%,*},\n"
          "    COMPREPLY=($(compgen -P \"$items\" -W \"$words\" -- \"${current##*,}\"))\n"
          "}\n"
          "complete -F _weft weft\n",
          stream);
    return status;
}

/* zsh: specifications for _arguments. */

/* Text in a specification in single quotes. */
static void print_zsh_text(const char *text, FILE *stream)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'') {
            fputs("'\\''", stream);
            continue;
        }
        if (strchr("[]:\\", *text) != NULL) {
            putc('\\', stream);
        }
        putc(*text, stream);
    }
}

/* ":NAME:(a b)", ":FILE:_files", ":N:" */
static void print_zsh_value(const struct cli_option *option, FILE *stream)
{
    fputs(":", stream);
    print_zsh_text(option->metavar, stream);
    fputs(":", stream);
    if (option->type == CLI_CHOICES) {
        fputs("_values -s , name ", stream);
        print_choices(option, stream);
    } else if (option->n_choices > 0) {
        fputs("(", stream);
        print_choices(option, stream);
        fputs(")", stream);
    } else if (option->type == CLI_TEXT) {
        fputs("_files", stream);
    }
}

static void print_zsh_option(const struct cli_call *call, const struct cli_option *option,
                             FILE *stream)
{
    fputs(" \\\n            ", stream);
    if (option->flags & CLI_POSITIONAL) {
        putc('\'', stream);
    } else {
        const char *end = option->type == CLI_FLAG ? "" : "=";
        const char *no = is_on(call, option) ? "no-" : "";
        if (option->short_name != '\0') {
            fprintf(stream, "'(-%c --%s%s)'{-%c%s,--%s%s%s}'", option->short_name, no, option->name,
                    option->short_name, option->type == CLI_FLAG ? "" : "+", no, option->name, end);
        } else {
            fprintf(stream, "'--%s%s%s", no, option->name, end);
        }
        putc('[', stream);
        print_zsh_text(option->help, stream);
        putc(']', stream);
    }
    if (option->type != CLI_FLAG) {
        print_zsh_value(option, stream);
    }
    putc('\'', stream);
}

static void print_zsh_call(const struct cli_call *call, FILE *stream)
{
    fprintf(stream, "    '%s')\n        _arguments -s -S", call->command->name);
    for (size_t i = 0; i < cli_options_count(&call->options); i++) {
        print_zsh_option(call, cli_options_at(&call->options, i, NULL), stream);
    }
    fputs("\n        ;;\n", stream);
}

static void print_zsh_commands(const char *name, const struct cli_command *const *list,
                               FILE *stream)
{
    fprintf(stream, "    local -a %s=(\n", name);
    for (; *list != NULL; list++) {
        fprintf(stream, "        '%s:", cli_command_word(*list));
        print_zsh_text((*list)->summary, stream);
        fputs("'\n", stream);
    }
    fputs("    )\n", stream);
}

weft_status cli_print_zsh_completion(FILE *stream, weft_error *err)
{
    fputs("#compdef weft\n# Made from the tables of options of weft.\n_weft()\n{\n"
          "    local command=$words[2]\n    local -i skipped=1\n",
          stream);
    print_zsh_commands("commands", cli_commands, stream);
    fputs("    if ((CURRENT == 2)); then\n"
          "        _describe command commands\n"
          "        return\n"
          "    fi\n",
          stream);
    for (const struct cli_command *const *command = cli_commands; *command != NULL; command++) {
        if ((*command)->modes != NULL) {
            fprintf(stream, "    if [[ $command == %s ]]; then\n", (*command)->name);
            print_zsh_commands("modes", (*command)->modes, stream);
            fputs("    if ((CURRENT == 3)); then\n"
                  "        _describe mode modes\n"
                  "        return\n"
                  "    fi\n"
                  "    command+=\" $words[3]\"\n"
                  "    skipped=2\n"
                  "    fi\n",
                  stream);
        }
    }
    fputs("    shift $skipped words\n    ((CURRENT -= skipped))\n    case $command in\n", stream);
    weft_status status = print_each(cli_commands, print_zsh_call, stream, err);
    fputs("    esac\n}\n_weft \"$@\"\n", stream);
    return status;
}
