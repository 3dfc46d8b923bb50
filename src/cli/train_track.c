/* weft train --track: what the tracker is told of a run, and what a person is told of the tracker.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <weft/version.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/mem.h"
#include "cli/machine.h"
#include "cli/stop_signal.h"
#include "cli/track_target.h"
#include "cli/train_job.h"

/* Of the files of a run these are sent; whatever else lies in RUNDIR is somebody's own. */
static const char *const artifacts[] = {
    "config.ini",
    "metrics.jsonl",
    "model.safetensors",
    "evaluation.json",
    "report.html",
    "images/sample_prediction.png",
    "images/confusion_matrix.png",
};
enum { N_ARTIFACTS = sizeof artifacts / sizeof *artifacts };

/* What the spool leaves free on the disk: the model, and room for report and pictures. */
static size_t reserve_of(const struct train_job *job)
{
    enum { REPORT = 4 << 20 };
    return REPORT + sizeof(float) * weft_net_n_params(job->net);
}

int train_track_check(struct train_job *job)
{
    struct weft_track_target target;
    weft_error err;
    if (cli_tracks_init(&job->tracks, job->args->track, &err) == WEFT_OK &&
        (job->tracks.mlflow == NULL ||
         cli_track_target(job->tracks.mlflow, &target, &err) == WEFT_OK)) {
        return CLI_DONE;
    }
    return cli_fail(job->command, err.status == WEFT_ERR_UNSUPPORTED ? CLI_FAILED : CLI_USAGE,
                    &err);
}

/* Params: every option as config.ini has it, but those that say nothing. Texts and array are to be
 * freed with release_params(). */
static size_t collect_params(const struct cli_options *options, struct weft_track_pair *params,
                             char (*names)[64])
{
    size_t n = 0;
    for (size_t i = 0; i < cli_options_count(options); i++) {
        const struct cli_option *option = cli_options_at(options, i, NULL);
        char *text = NULL;
        size_t size;
        FILE *stream = (option->flags & (CLI_NO_CONFIG | CLI_NO_RECORD)) == 0
                           ? open_memstream(&text, &size)
                           : NULL;
        if (stream == NULL) {
            continue;
        }
        cli_options_print_value(options, i, stream);
        if (fclose(stream) != 0 || size == 0) {
            free(text);
            continue;
        }
        snprintf(names[n], sizeof names[n], "%s", option->name);
        for (char *c = names[n]; *c != '\0'; c++) {
            *c = *c == '-' ? '_' : *c;
        }
        params[n] = (struct weft_track_pair){names[n], text};
        n++;
    }
    return n;
}

/* The commit and branch of the repository that the program was started in, where there is one: data
 * and settings are versioned there. */
static void read_git(char commit[64], char branch[128])
{
    FILE *stream = popen("git rev-parse HEAD --abbrev-ref HEAD 2>/dev/null", "r");
    if (stream == NULL) {
        return;
    }
    if (fgets(commit, 64, stream) == NULL || fgets(branch, 128, stream) == NULL) {
        *commit = *branch = '\0';
    }
    pclose(stream);
    commit[strcspn(commit, "\n")] = '\0';
    branch[strcspn(branch, "\n")] = '\0';
}

/* FNV-1a (Fowler, Noll, Vo), 64 bits. */
static uint64_t hash(uint64_t seed, const void *bytes, size_t n)
{
    const unsigned char *byte = bytes;
    for (size_t i = 0; i < n; i++) {
        seed = (seed ^ byte[i]) * 0x100000001b3u;
    }
    return seed;
}

/* Tells data sets apart: their shape and at most 1000 samples spread evenly, as MLflow's own
 * digests look at a part only. Of what cannot be read, by its shape. */
static void make_digest(const weft_dataset *data, char digest[17])
{
    size_t shape[2] = {weft_dataset_samples(data), weft_dataset_features(data)};
    uint64_t found = hash(0xcbf29ce484222325u, shape, sizeof shape);
    weft_walk *walk = NULL;
    weft_tensor x = {0};
    size_t step = shape[0] / 1000 + 1, at = 0, next = 0;
    bool ok = weft_walk_new(data, &walk, NULL) == WEFT_OK;
    for (; ok && next < shape[0]; at += x.rows) {
        ok = weft_walk_next(walk, &x, NULL) == WEFT_OK;
        for (; ok && next < at + x.rows; next += step) {
            const char *row = (const char *)x.data + (next - at) * x.ld * weft_dtype_size(x.dtype);
            found = hash(found, row, x.cols * weft_dtype_size(x.dtype));
        }
    }
    weft_walk_free(walk);
    snprintf(digest, 17, "%016llx", (unsigned long long)found);
}

struct run_tags {
    struct weft_track_pair pairs[12];
    size_t n;
};

static void put_tag(struct run_tags *tags, const char *key, const char *value)
{
    if (value != NULL && *value != '\0') {
        tags->pairs[tags->n++] = (struct weft_track_pair){key, value};
    }
}

static weft_status start(struct train_job *job, const struct weft_track_target *target,
                         struct weft_track_pair *params, char (*names)[64], weft_error *err)
{
    const struct train_args *args = job->args;
    char commit[64] = "", branch[128] = "", cpu[128], digest[17];
    struct utsname system = {0};
    struct run_tags tags = {.n = 0};
    read_git(commit, branch);
    cli_cpu_name(cpu, sizeof cpu);
    make_digest(job->data, digest);
    put_tag(&tags, "mlflow.source.name", "weft train");
    put_tag(&tags, "mlflow.source.type", "LOCAL");
    put_tag(&tags, "mlflow.source.git.commit", commit);
    put_tag(&tags, "mlflow.source.git.branch", branch);
    put_tag(&tags, "mlflow.user", getenv("USER"));
    put_tag(&tags, "weft.version", weft_version());
    put_tag(&tags, "weft.kernels", args->common.isa);
    put_tag(&tags, "weft.host", uname(&system) == 0 ? system.nodename : "");
    put_tag(&tags, "weft.cpu", cpu);
    put_tag(&tags, "weft.rundir", job->run.path);
    size_t n_params = collect_params(job->options, params, names);
    const char *slash = strrchr(args->data, '/');
    const struct weft_track_data data = {.name = slash != NULL && slash[1] != '\0' ? slash + 1
                                                                                   : args->data,
                                         .digest = digest,
                                         .path = args->data,
                                         .n_samples = weft_dataset_samples(job->data),
                                         .n_features = weft_dataset_features(job->data)};
    const struct weft_track_run run = {.dir = job->run.path,
                                       .params = params,
                                       .n_params = n_params,
                                       .tags = tags.pairs,
                                       .n_tags = tags.n,
                                       .data = &data,
                                       .files = artifacts,
                                       .n_files = N_ARTIFACTS,
                                       .reserve = reserve_of(job),
                                       .go_on = job->resume != NULL,
                                       .every = args->track_every};
    weft_status status = weft_track_start(target, &run, &job->tracker, err);
    for (size_t i = 0; i < n_params; i++) {
        free((char *)params[i].value);
    }
    return status;
}

void train_track_start(struct train_job *job)
{
    if (job->tracks.mlflow == NULL) {
        return;
    }
    struct weft_track_target target;
    weft_error err;
    size_t n = cli_options_count(job->options);
    struct weft_track_pair *params = weft_mem_alloc(n, sizeof *params);
    char(*names)[64] = weft_mem_alloc(n, sizeof *names);
    weft_status status = params != NULL && names != NULL
                             ? cli_track_target(job->tracks.mlflow, &target, &err)
                             : weft_fail_nomem(&err, "tracking");
    if (status == WEFT_OK) {
        status = start(job, &target, params, names, &err);
    }
    if (status != WEFT_OK) {
        cli_error(job->command, "tracking: %s; training goes on without", err.message);
    }
    weft_mem_free(params);
    weft_mem_free(names);
}

/* What is wrong is said once, as it is found. */
static void show_warnings(struct train_job *job, const char *and_then)
{
    char text[600];
    while (weft_track_warning(job->tracker, text, sizeof text)) {
        cli_progress_clear(&job->progress);
        cli_error(job->command, "tracking: %s%s", text, and_then);
    }
}

void train_track_event(struct train_job *job, const weft_event *event)
{
    weft_track_event(job->tracker, event);
    if (event->kind == WEFT_EVENT_EPOCH) {
        show_warnings(job, event->last ? "" : "; training goes on");
    }
}

/* Those of `artifacts` that are there. */
static size_t find_files(const struct train_job *job, const char *files[N_ARTIFACTS])
{
    size_t n = 0;
    for (size_t i = 0; i < N_ARTIFACTS; i++) {
        char *path = cli_join_path(job->run.path, artifacts[i]);
        if (path != NULL && access(path, F_OK) == 0) {
            files[n++] = artifacts[i];
        }
        weft_mem_free(path);
    }
    return n;
}

/* Waits, showing for how long at most once it takes longer than a blink. Ends at a signal. */
static void wait_for_tracker(struct train_job *job)
{
    const double limit = (double)job->args->track_wait;
    int first_signal = cli_stop_signal();
    double start_time = weft_clock_seconds();
    bool shown = false;
    while (weft_clock_seconds() - start_time < limit && !weft_track_wait(job->tracker, 0.1) &&
           cli_stop_signal() == first_signal) {
        if (!shown && !job->args->common.quiet && weft_clock_seconds() - start_time > 0.5) {
            fprintf(stderr, "%-10ssending the rest to MLflow, for at most %zu s\n", "tracking",
                    job->args->track_wait);
            shown = true;
        }
        show_warnings(job, "");
    }
    show_warnings(job, "");
}

static void show_outcome(const struct train_job *job, const struct weft_track_outcome *outcome)
{
    if (outcome->problem[0] != '\0') {
        cli_error(job->command, "tracking: %s%s", outcome->complete ? "not all was taken: " : "",
                  outcome->problem);
    }
    if (outcome->n_lost > 0) {
        cli_error(job->command, "tracking: %zu items could not be kept and are lost",
                  outcome->n_lost);
    }
    if (outcome->n_unsent > 0 || outcome->n_files_unsent > 0 ||
        (!outcome->complete && outcome->n_lost == 0)) {
        cli_error(job->command,
                  "tracking: %zu items and %zu files have not been sent; later: weft sync %s",
                  outcome->n_unsent, outcome->n_files_unsent, job->run.path);
    } else if (!job->args->common.quiet) {
        fprintf(stderr, "%-10s%s\n", "tracked", outcome->where);
    }
}

void train_track_finish(struct train_job *job, int code)
{
    if (job->tracker == NULL) {
        return;
    }
    const char *files[N_ARTIFACTS];
    const bool killed = code > CLI_SIGNAL;
    const struct weft_track_end end = {.status = code == CLI_DONE ? "FINISHED"
                                                 : killed         ? "KILLED"
                                                                  : "FAILED",
                                       .reason = killed ? train_signal_name(code - CLI_SIGNAL)
                                                 : code == CLI_DIVERGED ? "diverged"
                                                 : job->write_failed    ? job->write_error.message
                                                                        : NULL,
                                       .test = job->test_score,
                                       .epoch = job->args->keep_best && job->finish.best_epoch > 0
                                                    ? job->finish.best_epoch
                                                    : job->last.epoch,
                                       .patience = (double)job->args->track_wait,
                                       .files = files,
                                       .n_files = find_files(job, files)};
    struct weft_track_outcome outcome;
    weft_track_end(job->tracker, &end);
    fflush(stdout); /* the results do not wait for a server */
    wait_for_tracker(job);
    weft_track_finish(job->tracker, &outcome);
    job->tracker = NULL;
    show_outcome(job, &outcome);
}
