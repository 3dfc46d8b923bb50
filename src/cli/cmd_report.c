/* weft report: makes the report of a run again, or a page that compares several. */
#include <string.h>

#include "base/mem.h"
#include "cli/command.h"
#include "cli/inputs.h"
#include "report/report_page.h"

struct report_args {
    struct cli_common common;
    struct cli_texts runs;
    char *out;
};

static const struct cli_option options[] = {
    {.name = "runs",
     .type = CLI_TEXTS,
     .flags = CLI_POSITIONAL,
     .offset = offsetof(struct report_args, runs),
     .metavar = "RUNDIR",
     .missing = "wanted RUNDIR; such as: weft report runs/001",
     .help = "what 'weft train' wrote; several are compared on one page"},
    {.name = "out",
     .short_name = 'o',
     .type = CLI_TEXT,
     .offset = offsetof(struct report_args, out),
     .metavar = "FILE",
     .help = "where the page goes",
     .default_text = "report.html in RUNDIR; of several, here"},
    {.name = "quiet",
     .short_name = 'q',
     .type = CLI_FLAG,
     .offset = offsetof(struct report_args, common.quiet),
     .help = "do not say what was written"},
    CLI_OPTION_HELP(struct report_args),
};

static const struct cli_group groups[] = {
    {"Options", "report", options, sizeof options / sizeof *options},
};

static int run(struct cli_call *call)
{
    const struct report_args *args = call->options.args;
    const char *command = call->command->name;
    char *own = NULL;
    const char *out = args->out != NULL ? args->out : REPORT_PAGE_FILE;
    if (args->runs.n > REPORT_MOST_RUNS) {
        cli_error(command, "wanted at most %d run directories; got %zu", REPORT_MOST_RUNS,
                  args->runs.n);
        return CLI_USAGE;
    }
    if (args->out == NULL && args->runs.n == 1) {
        own = cli_join_path(args->runs.items[0], REPORT_PAGE_FILE);
        if (own == NULL) {
            cli_error(command, "no memory for a file name");
            return CLI_FAILED;
        }
        out = own;
    }
    weft_error err;
    bool unwritten;
    int code = CLI_DONE;
    if (report_page_write((const char *const *)args->runs.items, args->runs.n, out, &unwritten,
                          &err) != WEFT_OK) {
        code = cli_fail(command, unwritten ? CLI_FAILED : CLI_INPUT, &err);
    } else if (!args->common.quiet) {
        printf("%-10s%s\n", "wrote", out);
    }
    weft_mem_free(own);
    return code;
}

const struct cli_command cli_report = {
    .name = "report",
    .operands = "RUNDIR...",
    .summary = "make the HTML report of a run, or compare runs",
    .about = "Writes one HTML file that needs nothing else: curves, scores, samples, settings.\n"
             "'weft train' leaves such a report in every run directory; this makes it again\n"
             "from the files there, without the data.",
    .examples = "  weft report runs/001\n"
                "  weft report runs/001 runs/002 -o comparison.html\n",
    .groups = groups,
    .n_groups = sizeof groups / sizeof *groups,
    .args_size = sizeof(struct report_args),
    .run = run,
};
