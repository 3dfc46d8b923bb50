/* The commands of weft, in the order of its help. */
#include "cli/command.h"

const struct cli_command *const cli_commands[] = {
    &cli_train,   &cli_eval, &cli_predict, &cli_export, &cli_report, &cli_inspect,
    &cli_convert, &cli_info, &cli_bench,   &cli_sync,   NULL,
};
