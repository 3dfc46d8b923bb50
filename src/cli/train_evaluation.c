/* What weft train leaves for people to look at: evaluation.json, and the report made from it. */
#include <stdio.h>
#include <sys/utsname.h>
#include <time.h>

#include "cli/core_count.h"
#include "cli/machine.h"
#include "cli/stop_signal.h"
#include "cli/train_job.h"
#include "report/report_evaluation.h"
#include "report/report_page.h"

static void describe_system(char *text, size_t size)
{
    struct utsname system;
    if (uname(&system) == 0) {
        snprintf(text, size, "%s %s, %s", system.sysname, system.release, system.machine);
    } else {
        snprintf(text, size, "unknown");
    }
}

static void describe_now(char *text, size_t size)
{
    time_t now = time(NULL);
    struct tm utc;
    if (gmtime_r(&now, &utc) == NULL || strftime(text, size, "%Y-%m-%d %H:%M UTC", &utc) == 0) {
        snprintf(text, size, "at an unknown time");
    }
}

static weft_status write_evaluation(const struct train_job *job, const char *path, weft_error *err)
{
    const struct cli_common *common = &job->args->common;
    char cpu[128], system[256], ended[64], outcome[48] = "finished";
    cli_cpu_name(cpu, sizeof cpu);
    describe_system(system, sizeof system);
    describe_now(ended, sizeof ended);
    if (cli_stop_signal() != 0) {
        snprintf(outcome, sizeof outcome, "stopped by %s", train_signal_name(cli_stop_signal()));
    }
    const struct report_subject subject = {
        .evaluation = job->test_found.samples > 0 && job->shown == NULL ? &job->test_found : NULL,
        .predictions = &job->predictions,
        .context = job->context,
        .net = job->net,
        .train = job->data,
        .val = job->val,
        .test = job->test,
        .shown = job->shown,
        .train_path = job->args->data,
        .val_path = job->val_path != NULL ? job->val_path : job->args->data,
        .test_path = job->args->test,
        .outcome = outcome,
        .ended = ended,
        .epochs = job->last.epoch,
        .steps = job->step,
        .load_seconds = job->load_seconds,
        .train_seconds = job->seconds - job->watch_seconds,
        .watch_seconds = job->watch_seconds,
        .test_seconds = job->test_seconds,
        .kernels = common->isa,
        .precision = cli_precision_choice(common->precision),
        .compiler = cli_compiler(),
        .cpu = cpu,
        .system = system,
        .threads = common->threads,
        .cores = cli_granted_cores(),
    };
    return report_evaluation_write(&subject, path, err);
}

int train_write_report(struct train_job *job)
{
    weft_error err;
    bool unwritten;
    const char *run = job->run.path;
    cli_stop_hold();
    weft_status status = train_predict(job, &err);
    if (status == WEFT_OK) {
        status = write_evaluation(job, job->run.evaluation, &err);
    }
    if (status == WEFT_OK) {
        status = report_page_write(&run, 1, job->run.report, &unwritten, &err);
    }
    cli_stop_release();
    job->has_report = status == WEFT_OK;
    return status == WEFT_OK ? CLI_DONE : cli_fail(job->command, CLI_FAILED, &err);
}
