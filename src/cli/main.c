/* The program weft: finds the command in a table, reads its options, runs it, and sees to it that
 * all of stdout arrived. */
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include <weft/version.h>

#include "base/mem.h"
#include "cli/command.h"
#include "cli/config_file.h"
#include "cli/suggestion.h"

static const struct cli_command *const commands[] = {
    &cli_train, &cli_eval, &cli_predict, &cli_inspect, &cli_info,
};

enum { N_COMMANDS = sizeof commands / sizeof *commands };

static const struct cli_command *find_command(const char *name)
{
    for (size_t i = 0; i < N_COMMANDS; i++) {
        if (strcmp(commands[i]->name, name) == 0) {
            return commands[i];
        }
    }
    return NULL;
}

static int unknown_command(const char *name)
{
    struct cli_suggestion hint = {.typed = name};
    for (size_t i = 0; i < N_COMMANDS; i++) {
        cli_suggestion_offer(&hint, commands[i]->name);
    }
    struct stat info;
    if (name[0] == '-') {
        cli_error(NULL, "unknown option '%s'; 'weft --help' lists the commands", name);
    } else if (hint.best != NULL) {
        cli_error(NULL, "unknown command '%s'; did you mean '%s'?", name, hint.best);
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

/* Command line, then the config file that it may name, then what has to be there. */
static weft_status read_options(struct cli_options *options, int argc, char **argv, weft_error *err)
{
    weft_status status = cli_options_parse(options, argc, argv, err);
    const struct cli_common *common = options->args;
    if (status == WEFT_OK && common->config != NULL) {
        status = cli_config_read(options, common->config, err);
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
    struct cli_call call = {.command = command};
    weft_error err;
    void *args = weft_mem_zalloc(1, command->args_size);
    if (args == NULL) {
        cli_error(command->name, "no memory for options");
        return CLI_FAILED;
    }
    if (command->set_defaults != NULL) {
        command->set_defaults(args);
    }
    int code;
    if (cli_options_init(&call.options, command->groups, command->n_groups, args, &err) !=
        WEFT_OK) {
        code = cli_fail(command->name, CLI_FAILED, &err);
    } else {
        code = run_with_options(&call, argc, argv);
        cli_options_release(&call.options);
    }
    weft_mem_free(args);
    return cli_finish_stdout(command->name, code);
}

/* "weft help [COMMAND]" is what people try first. */
static int run_help(int argc, char **argv)
{
    const struct cli_command *command = argc > 0 ? find_command(argv[0]) : NULL;
    char help[] = "--help";
    if (command != NULL) {
        return run_command(command, 1, (char *[]){help});
    }
    if (argc > 0) {
        return unknown_command(argv[0]);
    }
    cli_print_program_help(commands, N_COMMANDS, stdout);
    return cli_finish_stdout(NULL, CLI_DONE);
}

int main(int argc, char **argv)
{
    /* A reader that goes away and a file that may not grow are errors of the write that meets them,
     * so that a network in training is not lost with them. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    if (argc < 2) {
        cli_print_program_help(commands, N_COMMANDS, stderr);
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
    const struct cli_command *command = find_command(name);
    return command != NULL ? run_command(command, argc - 2, argv + 2) : unknown_command(name);
}
