/* weft sync: sends what a tracked run could not. */
#include "cli/command.h"
#include "cli/json_line.h"
#include "cli/stop_signal.h"
#include "cli/track_target.h"

struct sync_args {
    struct cli_common common;
    char *run, *track;
    size_t track_wait;
};

static const struct cli_option sync_options[] = {
    {.name = "run",
     .type = CLI_TEXT,
     .flags = CLI_POSITIONAL,
     .offset = offsetof(struct sync_args, run),
     .metavar = "RUNDIR",
     .missing = "wanted the RUNDIR of a tracked run; such as: weft sync runs/001",
     .help = "the directory of the run"},
    {.name = "track",
     .type = CLI_TEXT,
     .offset = offsetof(struct sync_args, track),
     .metavar = "mlflow[:URI]",
     .help = "the server, for a run that has not begun on another",
     .default_text = "where the run was to go"},
    {.name = "track-wait",
     .type = CLI_COUNT,
     .offset = offsetof(struct sync_args, track_wait),
     .metavar = "SECONDS",
     .max = 86400,
     .help = "how long to go on trying while nothing gets through"},
    CLI_OPTION_JSON(struct sync_args),
    CLI_OPTION_HELP(struct sync_args),
};

static const struct cli_group groups[] = {
    {"Options", "run", sync_options, sizeof sync_options / sizeof *sync_options},
};

static void set_defaults(void *args)
{
    ((struct sync_args *)args)->track_wait = 60;
}

static bool not_stopped(void *user)
{
    (void)user;
    return cli_stop_signal() == 0;
}

static int print_json(const char *command, const struct weft_track_outcome *outcome)
{
    json_t *object = json_object();
    int failed = json_object_set_new(object, "complete", json_boolean(outcome->complete));
    failed |= json_object_set_new(object, "sent", cli_json_count(outcome->n_sent));
    failed |= json_object_set_new(object, "unsent", cli_json_count(outcome->n_unsent));
    failed |= json_object_set_new(object, "files_unsent", cli_json_count(outcome->n_files_unsent));
    failed |= json_object_set_new(object, "lost", cli_json_count(outcome->n_lost));
    failed |= json_object_set_new(object, "run_url", cli_json_text(outcome->where));
    return cli_json_print(command, object, failed);
}

static int report(const struct cli_call *call, const struct weft_track_outcome *outcome)
{
    const struct sync_args *args = call->options.args;
    const char *command = call->command->name;
    int code = args->common.json ? print_json(command, outcome) : CLI_DONE;
    if (outcome->complete && !args->common.json) {
        printf("%-10s%zu items; all of the run is at %s\n", "sent", outcome->n_sent,
               outcome->where);
    }
    if (outcome->problem[0] != '\0') {
        cli_error(command, "%s", outcome->problem);
    }
    if (outcome->n_lost > 0) {
        cli_error(command, "%zu items could not be kept when the run went on, and are lost",
                  outcome->n_lost);
    }
    if (!outcome->complete && cli_stop_signal() != 0) {
        return CLI_SIGNAL + cli_stop_signal();
    }
    return outcome->complete ? code : CLI_FAILED;
}

static int run(struct cli_call *call)
{
    const struct sync_args *args = call->options.args;
    const char *command = call->command->name;
    struct weft_track_target target;
    struct weft_track_outcome outcome;
    weft_error err;
    if (cli_track_target(args->track, &target, &err) != WEFT_OK) {
        return cli_fail(command, CLI_USAGE, &err);
    }
    cli_stop_install();
    weft_status status = weft_track_sync(args->run, &target, (double)args->track_wait, not_stopped,
                                         NULL, &outcome, &err);
    if (status != WEFT_OK) {
        return cli_fail(command, status == WEFT_ERR_UNSUPPORTED ? CLI_FAILED : CLI_INPUT, &err);
    }
    return report(call, &outcome);
}

const struct cli_command cli_sync = {
    .name = "sync",
    .operands = "RUNDIR",
    .summary = "send a tracked run to its server",
    .about = "Sends to the MLflow server what weft train --track could not: where the server was\n"
             "down, or the run was cut off. What has arrived is not sent again. Name and password\n"
             "come from MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or the token from\n"
             "MLFLOW_TRACKING_TOKEN; a RUNDIR holds none of them.",
    .examples = "  weft sync runs/001\n",
    .groups = groups,
    .n_groups = sizeof groups / sizeof *groups,
    .args_size = sizeof(struct sync_args),
    .set_defaults = set_defaults,
    .run = run,
};
