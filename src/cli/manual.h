/* Manual pages and shell completion, printed from the tables of commands and options as the help
 * is. */
#ifndef WEFT_CLI_MANUAL_H
#define WEFT_CLI_MANUAL_H

#include <stdio.h>

#include "cli/command.h"

/* The page weft(1), that of a command with modes, and that of a command or mode in man(7). */
void cli_print_program_manual(FILE *stream);
void cli_print_modes_manual(const struct cli_command *command, FILE *stream);
void cli_print_command_manual(const struct cli_call *call, FILE *stream);

/* Scripts for bash-completion and for zsh's compsys. WEFT_ERR_NOMEM. */
WEFT_CHECKED weft_status cli_print_bash_completion(FILE *stream, weft_error *err);
WEFT_CHECKED weft_status cli_print_zsh_completion(FILE *stream, weft_error *err);

#endif
