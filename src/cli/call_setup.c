/* What several commands do before their own work. */
#include <string.h>

#include "base/fail.h"
#include "base/mem.h"
#include "cli/command.h"
#include "cli/core_count.h"

const char *cli_precision_choice(size_t index)
{
    return weft_precision_name((weft_precision)index);
}

weft_status cli_call_init(struct cli_call *call, const struct cli_command *command, weft_error *err)
{
    *call = (struct cli_call){.command = command};
    void *args = weft_mem_zalloc(1, command->args_size);
    if (args == NULL) {
        return weft_fail_nomem(err, "options");
    }
    if (command->set_defaults != NULL) {
        command->set_defaults(args);
    }
    weft_status status =
        cli_options_init(&call->options, command->groups, command->n_groups, args, err);
    if (status != WEFT_OK) {
        weft_mem_free(args);
    }
    return status;
}

void cli_call_release(struct cli_call *call)
{
    void *args = call->options.args;
    cli_options_release(&call->options);
    weft_mem_free(args);
}

int cli_make_context(const char *command, struct cli_common *common, weft_context **out)
{
    if (common->threads == 0) {
        common->threads = cli_default_threads();
    }
    size_t cores = cli_granted_cores();
    if (common->threads > cores && !common->quiet) {
        cli_error(command, "warning: --threads %zu, but this process may use %zu core%s",
                  common->threads, cores, cores == 1 ? "" : "s");
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
