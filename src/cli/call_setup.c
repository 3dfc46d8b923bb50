/* What several commands do before their own work. */
#include <string.h>

#include "cli/command.h"
#include "cli/core_count.h"

const char *cli_precision_choice(size_t index)
{
    return weft_precision_name((weft_precision)index);
}

int cli_make_context(const char *command, struct cli_common *common, weft_context **out)
{
    if (common->threads == 0) {
        common->threads = cli_default_threads();
    }
    bool automatic = common->isa == NULL || strcmp(common->isa, "auto") == 0;
    weft_context_options options = weft_context_options_default();
    options.n_threads = common->threads;
    options.isa = automatic ? NULL : common->isa;
    options.precision = (weft_precision)common->precision;
    weft_error err;
    /* A kernel set that is unknown or cannot run here is a mistake in the call. */
    weft_status status = weft_context_new(&options, out, &err);
    if (status == WEFT_ERR_UNSUPPORTED) {
        cli_error(command, "%s; --isa auto takes the best that there is", err.message);
        return CLI_USAGE;
    }
    if (status != WEFT_OK) {
        return cli_fail(command, CLI_USAGE, &err);
    }
    if (!cli_text_assign(&common->isa, weft_context_isa(*out))) {
        weft_context_free(*out);
        *out = NULL;
        cli_error(command, "no memory for options");
        return CLI_FAILED;
    }
    return CLI_DONE;
}
