/* The program weft: finds the command in a table, reads its options, runs it, and sees to it that
 * all of stdout arrived. */
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include <weft/version.h>

#include "base/fail.h"
#include "base/mem.h"
#include "cli/command.h"
#include "cli/config_file.h"
#include "cli/inputs.h"
#include "cli/suggestion.h"

/* The command of that name in a list ended by NULL; of a mode, "bench step", the last word is its
 * name in the list. */
static const struct cli_command *find_command(const struct cli_command *const *list,
                                              const char *name)
{
    for (; *list != NULL; list++) {
        if (strcmp(cli_command_word(*list), name) == 0) {
            return *list;
        }
    }
    return NULL;
}

static const char *nearest_command(const struct cli_command *const *list, const char *name)
{
    struct cli_suggestion hint = {.typed = name};
    for (; *list != NULL; list++) {
        cli_suggestion_offer(&hint, cli_command_word(*list));
    }
    return hint.best;
}

static int unknown_command(const char *name)
{
    const char *nearest = nearest_command(cli_commands, name);
    struct stat info;
    if (name[0] == '-') {
        cli_error(NULL, "unknown option '%s'; 'weft --help' lists the commands", name);
    } else if (nearest != NULL) {
        cli_error(NULL, "unknown command '%s'; did you mean '%s'?", name, nearest);
    } else if (stat(name, &info) == 0) {
        cli_error(NULL, "unknown command '%s'; to train on it: weft train %s", name, name);
    } else {
        cli_error(NULL, "unknown command '%s'; 'weft --help' lists them", name);
    }
    return CLI_USAGE;
}

/* Whether help is asked for; nothing else on the line matters then, not even its mistakes. */
static bool wants_help(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return true;
        }
    }
    return false;
}

static weft_status read_resumed(struct cli_options *options, const char *run_dir, weft_error *err)
{
    char *path = cli_join_path(run_dir, "config.ini");
    weft_status status =
        path == NULL ? weft_fail_nomem(err, "a file name") : cli_config_read(options, path, err);
    weft_mem_free(path);
    return status;
}

/* Command line, then the config file that it may name, then what has to be there. */
static weft_status read_options(struct cli_options *options, int argc, char **argv, weft_error *err)
{
    weft_status status = cli_options_parse(options, argc, argv, err);
    const struct cli_common *common = options->args;
    if (status == WEFT_OK && common->config != NULL) {
        status = cli_config_read(options, common->config, err);
    } else if (status == WEFT_OK && common->resume != NULL) {
        status = read_resumed(options, common->resume, err);
    }
    return status != WEFT_OK ? status : cli_options_check_missing(options, err);
}

static int run_with_options(struct cli_call *call, int argc, char **argv)
{
    const struct cli_command *command = call->command;
    weft_error err;
    if (wants_help(argc, argv)) {
        cli_print_command_help(command, &call->options, stdout);
        return CLI_DONE;
    }
    if (read_options(&call->options, argc, argv, &err) != WEFT_OK) {
        return cli_fail(command->name, CLI_USAGE, &err);
    }
    return command->run(call);
}

static int run_command(const struct cli_command *command, int argc, char **argv)
{
    struct cli_call call;
    weft_error err;
    int code;
    if (cli_call_init(&call, command, &err) != WEFT_OK) {
        code = cli_fail(command->name, CLI_FAILED, &err);
    } else {
        code = run_with_options(&call, argc, argv);
        cli_call_release(&call);
    }
    return cli_finish_stdout(command->name, code);
}

static int unknown_mode(const struct cli_command *command, const char *name)
{
    const char *nearest = nearest_command(command->modes, name);
    const char *first = (*command->modes)->name;
    struct stat info;
    if (nearest != NULL) {
        cli_error(command->name, "unknown mode '%s'; did you mean '%s'?", name, nearest);
    } else if (name[0] != '-' && stat(name, &info) == 0) {
        cli_error(command->name, "unknown mode '%s'; perhaps: weft %s %s", name, first, name);
    } else {
        cli_error(command->name, "wanted a mode first, such as 'weft %s'; got '%s'", first, name);
    }
    return CLI_USAGE;
}

/* A command with modes: its first argument says which. */
static int run_mode(const struct cli_command *command, int argc, char **argv)
{
    const struct cli_command *mode = argc > 0 ? find_command(command->modes, argv[0]) : NULL;
    if (mode != NULL) {
        return run_command(mode, argc - 1, argv + 1);
    }
    if (argc == 0) {
        cli_print_modes_help(command, stderr);
        return CLI_USAGE;
    }
    if (wants_help(argc, argv) || strcmp(argv[0], "help") == 0) {
        cli_print_modes_help(command, stdout);
        return cli_finish_stdout(command->name, CLI_DONE);
    }
    return unknown_mode(command, argv[0]);
}

/* "weft help [COMMAND [MODE]]" is what people try first. */
static int run_help(int argc, char **argv)
{
    const struct cli_command *command = argc > 0 ? find_command(cli_commands, argv[0]) : NULL;
    char help[] = "--help";
    if (command != NULL && command->modes != NULL) {
        return run_mode(command, argc > 1 ? 2 : 1, (char *[]){argc > 1 ? argv[1] : help, help});
    }
    if (command != NULL) {
        return run_command(command, 1, (char *[]){help});
    }
    if (argc > 0) {
        return unknown_command(argv[0]);
    }
    cli_print_program_help(cli_commands, stdout);
    return cli_finish_stdout(NULL, CLI_DONE);
}

int main(int argc, char **argv)
{
    /* A reader that goes away and a file that may not grow are errors of the write that meets them,
     * so that a network in training is not lost with them. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    if (argc < 2) {
        cli_print_program_help(cli_commands, stderr);
        return CLI_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        return run_help(argc - 2, argv + 2);
    }
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
        printf("weft %s\n", weft_version());
        return cli_finish_stdout(NULL, CLI_DONE);
    }
    const struct cli_command *command = find_command(cli_commands, name);
    if (command == NULL) {
        return unknown_command(name);
    }
    return command->modes != NULL ? run_mode(command, argc - 2, argv + 2)
                                  : run_command(command, argc - 2, argv + 2);
}
