/* weft info: what this build and this machine have. */
#include <string.h>

#include <weft/dataset.h>
#include <weft/version.h>

#include "cli/command.h"
#include "cli/json_line.h"
#include "cli/machine.h"
#include "report/picture_png.h"
#include "track/track.h"

struct info_args {
    struct cli_common common;
};

static const struct cli_option other_options[] = {
    CLI_OPTION_THREADS(struct info_args),
    CLI_OPTION_ISA(struct info_args),
    CLI_OPTION_JSON(struct info_args),
    CLI_OPTION_HELP(struct info_args),
};

static const struct cli_group groups[] = {
    {"Options", "run", other_options, sizeof other_options / sizeof *other_options},
};

static int print_json(const char *command, const struct cli_common *common)
{
    json_t *object = json_object();
    int failed = json_object_set_new(object, "version", cli_json_text(weft_version()));
    failed |= json_object_set_new(object, "compiler", cli_json_text(cli_compiler()));
    failed |= json_object_set_new(object, "cpu",
                                  cli_json_names(weft_cpu_feature_count(), weft_cpu_feature_name,
                                                 weft_cpu_feature_usable, false));
    failed |= json_object_set_new(
        object, "kernels", cli_json_names(weft_isa_count(), weft_isa_name, weft_isa_usable, true));
    failed |= json_object_set_new(
        object, "kernels_usable",
        cli_json_names(weft_isa_count(), weft_isa_name, weft_isa_usable, false));
    failed |= json_object_set_new(object, "isa", cli_json_text(common->isa));
    failed |= json_object_set_new(object, "threads", cli_json_count(common->threads));
    failed |= json_object_set_new(object, "hdf5", json_boolean(weft_has_hdf5()));
    failed |= json_object_set_new(object, "png", json_boolean(picture_png_available()));
    failed |= json_object_set_new(object, "tracking", json_boolean(weft_track_available()));
    return cli_json_print(command, object, failed);
}

static int print_text(const struct cli_common *common)
{
    printf("%-10s%s\n%-10s%s\n%-10s", "weft", weft_version(), "compiler", cli_compiler(), "cpu");
    for (size_t i = 0, n = 0; i < weft_cpu_feature_count(); i++) {
        if (weft_cpu_feature_usable(i)) {
            printf("%s%s", n++ > 0 ? " " : "", weft_cpu_feature_name(i));
        }
    }
    printf("\n%-10s", "kernels");
    for (size_t i = 0; i < weft_isa_count(); i++) {
        const char *name = weft_isa_name(i);
        printf("%s%s%s", i > 0 ? ", " : "", name,
               !weft_isa_usable(i)              ? " (not on this machine)"
               : strcmp(name, common->isa) == 0 ? " (in use)"
                                                : "");
    }
    printf("\n%-10s%zu\n%-10s%s\n%-10s%s\n", "threads", common->threads, "hdf5",
           weft_has_hdf5() ? "yes" : "no", "png", picture_png_available() ? "yes" : "no");
    printf("%-10s%s\n", "tracking", weft_track_available() ? "mlflow" : "no");
    return CLI_DONE;
}

static int run(struct cli_call *call)
{
    struct info_args *args = call->options.args;
    weft_context *context = NULL;
    int code = cli_make_context(call->command->name, &args->common, &context);
    if (code != CLI_DONE) {
        return code;
    }
    weft_context_free(context);
    return args->common.json ? print_json(call->command->name, &args->common)
                             : print_text(&args->common);
}

const struct cli_command cli_info = {
    .name = "info",
    .operands = "",
    .summary = "show version, CPU features, kernels, threads",
    .about = "Shows what this build has and what it would use on this machine.",
    .groups = groups,
    .n_groups = sizeof groups / sizeof *groups,
    .args_size = sizeof(struct info_args),
    .run = run,
};
