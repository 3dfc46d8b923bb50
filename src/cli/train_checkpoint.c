/* See train_checkpoint.h. */
#define _POSIX_C_SOURCE 200809L
#include "cli/train_checkpoint.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/mem.h"
#include "base/safefile.h"
#include "cli/inputs.h"
#include "cli/strict_number.h"

/* Options that a resumed run may have another value of: where things are, how long it goes on and
 * what is shown of it. That the data are the same is seen by their digest. */
static const char *const free_options[] = {
    "data",       "test",     "label",         "ignore",           "x",
    "y",          "test-x",   "test-y",        "init-from",        "epochs",
    "test-every", "patience", "report",        "target-accuracy",  "max-time",
    "threads",    "isa",      "print-every",   "checkpoint-every", "keep",
    "rollbacks",  "memory",   "on-divergence",
};

weft_status checkpoint_interval_parse(const char *text, struct checkpoint_interval *out,
                                      weft_error *err)
{
    size_t len = strlen(text);
    char unit = len > 0 ? text[len - 1] : '\0', number[32];
    bool has_unit = unit == 's' || unit == 'e';
    snprintf(number, sizeof number, "%.*s", (int)(has_unit ? len - 1 : len), text);
    uint64_t whole = 0;
    *out = (struct checkpoint_interval){.unit = CHECKPOINT_NEVER};
    if (strcmp(text, "never") == 0) {
        return WEFT_OK;
    }
    if (len >= sizeof number || !cli_parse_whole(number, &whole) || whole == 0) {
        return weft_fail(err, WEFT_ERR_ARG,
                         "--checkpoint-every: wanted a number of steps, seconds such as 60s, "
                         "epochs such as 5e, or never; got '%s'",
                         text);
    }
    out->unit = unit == 's'   ? CHECKPOINT_SECONDS
                : unit == 'e' ? CHECKPOINT_EPOCHS
                              : CHECKPOINT_STEPS;
    out->n = (double)whole;
    return WEFT_OK;
}

static bool is_free(const struct cli_option *option)
{
    if (option->flags & (CLI_NO_CONFIG | CLI_NO_RECORD)) {
        return true;
    }
    for (size_t i = 0; i < sizeof free_options / sizeof *free_options; i++) {
        if (strcmp(option->name, free_options[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Lines NAME = VALUE, or NULL. */
static char *settings_of(const struct cli_options *options)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    if (stream == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < cli_options_count(options); i++) {
        const struct cli_option *option = cli_options_at(options, i, NULL);
        if (!is_free(option)) {
            fprintf(stream, "%s = ", option->name);
            cli_options_print_value(options, i, stream);
            putc('\n', stream);
        }
    }
    char *copy = fclose(stream) == 0 ? weft_mem_strdup(text) : NULL;
    free(text); /* of open_memstream() */
    return copy;
}

weft_status checkpoints_init(struct checkpoints *checkpoints, const char *run_dir, weft_error *err)
{
    checkpoints->dir = cli_join_path(run_dir, CLI_CHECKPOINTS);
    if (checkpoints->dir != NULL) {
        checkpoints->last = cli_join_path(checkpoints->dir, CLI_LAST_CHECKPOINT);
        checkpoints->best = cli_join_path(checkpoints->dir, CLI_BEST_CHECKPOINT);
    }
    checkpoints->saved_at = weft_clock_seconds();
    return checkpoints->last != NULL && checkpoints->best != NULL
               ? WEFT_OK
               : weft_fail_nomem(err, "checkpoints");
}

bool checkpoints_take_settings(struct checkpoints *checkpoints, const struct cli_options *options)
{
    weft_mem_free(checkpoints->settings);
    checkpoints->settings = settings_of(options);
    return checkpoints->settings != NULL;
}

void checkpoints_release(struct checkpoints *checkpoints)
{
    weft_mem_free(checkpoints->dir);
    weft_mem_free(checkpoints->last);
    weft_mem_free(checkpoints->best);
    weft_mem_free(checkpoints->settings);
    *checkpoints = (struct checkpoints){0};
}

/* The step in the name of an older checkpoint, step-NNN.safetensors. */
static bool step_of(const char *name, uint64_t *step)
{
    char number[24];
    int len = 0;
    return sscanf(name, "step-%23[0-9].safetensors%n", number, &len) == 1 && len > 0 &&
           name[len] == '\0' && cli_parse_whole(number, step);
}

static void remove_file(const struct checkpoints *checkpoints, const char *name)
{
    char *path = cli_join_path(checkpoints->dir, name);
    if (path != NULL) {
        unlink(path);
    }
    weft_mem_free(path);
}

void checkpoints_clear(const struct checkpoints *checkpoints)
{
    DIR *directory = opendir(checkpoints->dir);
    const struct dirent *entry;
    uint64_t step;
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        if (step_of(entry->d_name, &step) || strcmp(entry->d_name, CLI_LAST_CHECKPOINT) == 0 ||
            strcmp(entry->d_name, CLI_BEST_CHECKPOINT) == 0) {
            remove_file(checkpoints, entry->d_name);
        }
    }
    if (directory != NULL) {
        closedir(directory);
    }
    weft_safefile_clean(checkpoints->dir);
    rmdir(checkpoints->dir); /* if nothing else is in it */
}

/* Removes the oldest of more than `keep` older checkpoints. */
static void prune(const struct checkpoints *checkpoints)
{
    for (;;) {
        DIR *directory = opendir(checkpoints->dir);
        const struct dirent *entry;
        char oldest[NAME_MAX + 1] = "";
        uint64_t step, least = UINT64_MAX;
        size_t n = 0;
        while (directory != NULL && (entry = readdir(directory)) != NULL) {
            if (!step_of(entry->d_name, &step)) {
                continue;
            }
            n++;
            if (step <= least) {
                least = step;
                snprintf(oldest, sizeof oldest, "%s", entry->d_name);
            }
        }
        if (directory != NULL) {
            closedir(directory);
        }
        if (n <= checkpoints->keep) {
            return;
        }
        remove_file(checkpoints, oldest);
    }
}

/* Gives what is `last` now a second name, which stays when `last` is replaced. */
static void keep_last(const struct checkpoints *checkpoints)
{
    char name[64];
    snprintf(name, sizeof name, "step-%010zu.safetensors", checkpoints->saved_step);
    char *path = cli_join_path(checkpoints->dir, name);
    if (path != NULL && link(checkpoints->last, path) != 0 && errno == EEXIST) {
        unlink(path);
        (void)!link(checkpoints->last, path); /* not there: one older checkpoint less */
    }
    weft_mem_free(path);
}

bool checkpoints_due(const struct checkpoints *checkpoints, const weft_event *event)
{
    const struct checkpoint_interval *interval = &checkpoints->interval;
    size_t n = (size_t)interval->n;
    bool at_step = event->kind == WEFT_EVENT_STEP, at_epoch = event->kind == WEFT_EVENT_EPOCH;
    if (event->state == NULL || interval->unit == CHECKPOINT_NEVER) {
        return false;
    }
    if ((at_epoch && event->last) || (at_step && event->end == WEFT_END_TIME)) {
        return true;
    }
    switch (interval->unit) {
    case CHECKPOINT_STEPS:
        return at_step && event->step % n == 0;
    case CHECKPOINT_EPOCHS:
        return at_epoch && event->epoch % n == 0;
    case CHECKPOINT_SECONDS:
        return (at_step || at_epoch) && weft_clock_seconds() - checkpoints->saved_at >= interval->n;
    case CHECKPOINT_NEVER:
        break;
    }
    return false;
}

weft_status checkpoints_save(struct checkpoints *checkpoints, const weft_event *event,
                             off_t metrics_size, bool unwritten, weft_error *err)
{
    char size[24];
    snprintf(size, sizeof size, "%lld", (long long)metrics_size);
    const weft_checkpoint_note notes[] = {{"settings", checkpoints->settings},
                                          {"metrics_size", size},
                                          {"unwritten", unwritten ? "1" : "0"}};
    if (mkdir(checkpoints->dir, 0777) != 0 && errno != EEXIST) {
        return weft_fail_errno(err, errno, "%s: cannot make the directory", checkpoints->dir);
    }
    if (checkpoints->keep > 0 && checkpoints->has_last && checkpoints->saved_step != event->step) {
        keep_last(checkpoints);
    }
    weft_status status =
        weft_checkpoint_save(event, checkpoints->last, notes, sizeof notes / sizeof *notes, err);
    if (status != WEFT_OK) {
        rmdir(checkpoints->dir); /* if it is empty */
        return status;
    }
    checkpoints->has_last = true;
    checkpoints->saved_step = event->step;
    checkpoints->saved_at = weft_clock_seconds();
    if (checkpoints->keep > 0) {
        prune(checkpoints);
    }
    if (checkpoints->keeps_best && event->best_epoch > 0 &&
        event->best_epoch != checkpoints->saved_best) {
        status = weft_checkpoint_save_best(event, checkpoints->best, err);
        checkpoints->saved_best = event->best_epoch;
    }
    return status;
}

weft_status checkpoints_notes(const weft_checkpoint *checkpoint, const char *path,
                              off_t *metrics_size, bool *unwritten, weft_error *err)
{
    const char *size = weft_checkpoint_get_note(checkpoint, "metrics_size");
    const char *flag = weft_checkpoint_get_note(checkpoint, "unwritten");
    uint64_t number;
    if (size == NULL || !cli_parse_whole(size, &number) || number > INT64_MAX / 2 || flag == NULL ||
        weft_checkpoint_get_note(checkpoint, "settings") == NULL) {
        return weft_fail(err, WEFT_ERR_FORMAT, "%s: not a checkpoint of weft train", path);
    }
    *metrics_size = (off_t)number;
    *unwritten = strcmp(flag, "1") == 0;
    return WEFT_OK;
}

/* The value of the line that begins with NAME = , and its length; NULL: there is none. */
static const char *find_setting(const char *settings, const char *line, size_t name_len,
                                size_t *len)
{
    while (*settings != '\0') {
        size_t whole = strcspn(settings, "\n");
        if (whole >= name_len && memcmp(settings, line, name_len) == 0) {
            *len = whole - name_len;
            return settings + name_len;
        }
        settings += whole + (settings[whole] == '\n');
    }
    return NULL;
}

weft_status checkpoints_check(const struct checkpoints *checkpoints,
                              const weft_checkpoint *checkpoint, const char *run_dir,
                              weft_error *err)
{
    const char *then = weft_checkpoint_get_note(checkpoint, "settings");
    const char *line = checkpoints->settings;
    while (*line != '\0') {
        size_t whole = strcspn(line, "\n"), len = 0;
        size_t name_len = (size_t)(strstr(line, " = ") - line) + 3;
        const char *old = find_setting(then, line, name_len, &len);
        if (old != NULL && (len != whole - name_len || memcmp(old, line + name_len, len) != 0)) {
            return weft_fail(err, WEFT_ERR_ARG,
                             "--%.*s: wanted %.*s, as %s has it; a resumed run cannot have %.*s",
                             (int)name_len - 3, line, (int)len, old, run_dir,
                             (int)(whole - name_len), line + name_len);
        }
        line += whole + 1;
    }
    return WEFT_OK;
}
