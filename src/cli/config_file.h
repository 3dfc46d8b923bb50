/* Options in a file:
 *
 *   # comment                     ; comment
 *   [training]                    sections may be left out
 *   batch_size = 32               keys as options, '_' and '-' alike
 *   data = "a name # with all"    quoted where it has blanks at its ends, quotes, ' #' or ' ;'
 */
#ifndef WEFT_CLI_CONFIG_FILE_H
#define WEFT_CLI_CONFIG_FILE_H

#include <stdio.h>

#include <weft/status.h>

#include "cli/option_table.h"

/* Reads a file; what the command line set stays. WEFT_ERR_IO: it cannot be read. WEFT_ERR_ARG:
 * file, line, what was wanted and what is there. */
WEFT_CHECKED weft_status cli_config_read(struct cli_options *options, const char *path,
                                         weft_error *err);

/* Writes every option's value, so that cli_config_read() restores it; without those of one call
 * only (CLI_NO_RECORD). Errors stay in the stream. */
void cli_config_write(const struct cli_options *options, FILE *stream);

#endif
