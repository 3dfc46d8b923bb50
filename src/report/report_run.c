/* Reading a run directory. */
#include "report/report_run.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <weft/model.h>

#include "base/fail.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "report/report_evaluation.h"

static const char *const metric_keys[REPORT_N_METRICS] = {
    [REPORT_EPOCH] = "epoch",           [REPORT_LR] = "lr",
    [REPORT_TRAIN_LOSS] = "train_loss", [REPORT_TRAIN_ACCURACY] = "train_accuracy",
    [REPORT_VAL_LOSS] = "val_loss",     [REPORT_VAL_ACCURACY] = "val_accuracy",
    [REPORT_TEST_LOSS] = "test_loss",   [REPORT_TEST_ACCURACY] = "test_accuracy",
    [REPORT_TIME] = "seconds",
};

/* A text file, read line by line. */
struct lines {
    char *path;
    FILE *stream;
    char *text; /* the line, without its end */
    size_t size, number;
};

static char *join(const char *directory, const char *name)
{
    size_t size = strlen(directory) + strlen(name) + 2;
    char *path = weft_mem_alloc(size, 1);
    if (path != NULL) {
        size_t len = strlen(directory);
        snprintf(path, size, "%s%s%s", directory, len > 0 && directory[len - 1] == '/' ? "" : "/",
                 name);
    }
    return path;
}

static weft_status lines_open(struct lines *lines, const char *directory, const char *name,
                              weft_error *err)
{
    *lines = (struct lines){.path = join(directory, name)};
    if (lines->path == NULL) {
        return weft_fail_nomem(err, name);
    }
    lines->stream = fopen(lines->path, "rb");
    if (lines->stream == NULL) {
        int saved = errno;
        weft_status status = weft_fail_errno(err, saved, "%s: cannot open", lines->path);
        weft_mem_free(lines->path);
        return status;
    }
    return WEFT_OK;
}

static bool lines_next(struct lines *lines)
{
    ssize_t len = getline(&lines->text, &lines->size, lines->stream);
    if (len < 0) {
        return false;
    }
    lines->number++;
    while (len > 0 && (lines->text[len - 1] == '\n' || lines->text[len - 1] == '\r')) {
        lines->text[--len] = '\0';
    }
    return true;
}

/* Closes the file; `status` is what came of it so far. */
static weft_status lines_close(struct lines *lines, weft_status status, weft_error *err)
{
    if (status == WEFT_OK && ferror(lines->stream)) {
        status = weft_fail_errno(err, errno, "%s: cannot read", lines->path);
    }
    fclose(lines->stream);
    free(lines->text);
    weft_mem_free(lines->path);
    return status;
}

/* Settings. */

static char *trim(char *text)
{
    text += strspn(text, " \t");
    size_t len = strlen(text);
    while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t')) {
        len--;
    }
    text[len] = '\0';
    return text;
}

static weft_status add_setting(struct report_run *run, const char *section, const char *key,
                               const char *value, weft_error *err)
{
    struct report_setting *grown =
        weft_mem_grow(run->settings, run->n_settings, run->n_settings + 1, sizeof *run->settings);
    if (grown == NULL) {
        return weft_fail_nomem(err, "settings");
    }
    run->settings = grown;
    struct report_setting *setting = &run->settings[run->n_settings++];
    *setting = (struct report_setting){weft_mem_strdup(section), weft_mem_strdup(key),
                                       weft_mem_strdup(value)};
    return setting->section != NULL && setting->key != NULL && setting->value != NULL
               ? WEFT_OK
               : weft_fail_nomem(err, "settings");
}

static weft_status read_setting(struct report_run *run, const struct lines *lines, char *section,
                                size_t section_size, weft_error *err)
{
    char *line = trim(lines->text);
    size_t len = strlen(line);
    char *equals = strchr(line, '=');
    if (len == 0 || *line == '#' || *line == ';') {
        return WEFT_OK;
    }
    if (*line == '[' && line[len - 1] == ']' && len - 1 < section_size) {
        snprintf(section, section_size, "%.*s", (int)len - 2, line + 1);
        return WEFT_OK;
    }
    if (*line == '[' || equals == NULL || equals == line || !weft_utf8_valid(trim(line))) {
        return weft_fail(err, WEFT_ERR_FORMAT,
                         "%s:%zu: wanted 'key = value' or '[section]'; got "
                         "'%s'",
                         lines->path, lines->number, line);
    }
    *equals = '\0';
    return add_setting(run, section, trim(line), trim(equals + 1), err);
}

static weft_status read_settings(struct report_run *run, weft_error *err)
{
    struct lines lines;
    char section[64] = "";
    weft_status status = lines_open(&lines, run->path, "config.ini", err);
    if (status != WEFT_OK) {
        return status;
    }
    while (status == WEFT_OK && lines_next(&lines)) {
        status = read_setting(run, &lines, section, sizeof section, err);
    }
    return lines_close(&lines, status, err);
}

const char *report_run_setting(const struct report_run *run, const char *section, const char *key)
{
    for (size_t i = 0; i < run->n_settings; i++) {
        if (strcmp(run->settings[i].section, section) == 0 &&
            strcmp(run->settings[i].key, key) == 0) {
            return run->settings[i].value;
        }
    }
    return NULL;
}

/* Metrics. */

static weft_status make_room(struct report_run *run, size_t *room, weft_error *err)
{
    if (run->n_epochs < *room) {
        return WEFT_OK;
    }
    size_t more = *room == 0 ? 64 : 2 * *room;
    for (size_t m = 0; m < REPORT_N_METRICS; m++) {
        double *grown = weft_mem_grow(run->metrics[m], run->n_epochs, more, sizeof *grown);
        if (grown == NULL) {
            return weft_fail_nomem(err, "metrics");
        }
        run->metrics[m] = grown;
    }
    *room = more;
    return WEFT_OK;
}

static weft_status read_epoch(struct report_run *run, const struct lines *lines, weft_error *err)
{
    json_error_t why;
    json_t *object = json_loads(lines->text, JSON_REJECT_DUPLICATES, &why);
    bool good = json_is_object(object) && json_is_integer(json_object_get(object, "epoch"));
    for (size_t m = 0; good && m < REPORT_N_METRICS; m++) {
        const json_t *value = json_object_get(object, metric_keys[m]);
        run->metrics[m][run->n_epochs] =
            json_is_number(value) ? json_number_value(value) : (double)NAN;
    }
    run->n_epochs += good;
    weft_status status =
        good ? WEFT_OK
             : weft_fail(err, WEFT_ERR_FORMAT,
                         "%s:%zu: wanted an epoch as a JSON object with 'epoch'; got '%.80s'",
                         lines->path, lines->number, lines->text);
    json_decref(object);
    return status;
}

static weft_status read_metrics(struct report_run *run, weft_error *err)
{
    struct lines lines;
    size_t room = 0;
    weft_status status = lines_open(&lines, run->path, "metrics.jsonl", err);
    if (status != WEFT_OK) {
        return status;
    }
    while (status == WEFT_OK && lines_next(&lines)) {
        status = make_room(run, &room, err);
        status = status == WEFT_OK ? read_epoch(run, &lines, err) : status;
    }
    return lines_close(&lines, status, err);
}

/* Model and evaluation. */

static bool is_missing(const char *path)
{
    return access(path, F_OK) != 0 && errno == ENOENT;
}

static weft_status read_model(struct report_run *run, weft_error *err)
{
    char *path = join(run->path, "model.safetensors");
    if (path == NULL) {
        return weft_fail_nomem(err, "a file name");
    }
    weft_status status = WEFT_OK;
    if (run->evaluation != NULL || !is_missing(path)) {
        status = weft_model_load(path, NULL, &run->net, err);
    }
    weft_mem_free(path);
    return status;
}

static weft_status read_evaluation(struct report_run *run, weft_error *err)
{
    char *path = join(run->path, REPORT_EVALUATION_FILE);
    if (path == NULL) {
        return weft_fail_nomem(err, "a file name");
    }
    weft_status status =
        is_missing(path) ? WEFT_OK : report_evaluation_read(path, &run->evaluation, err);
    weft_mem_free(path);
    return status;
}

static weft_status check_fit(const struct report_run *run, weft_error *err)
{
    const json_t *image = json_object_get(run->evaluation, "image");
    const json_t *names = json_object_get(run->evaluation, "classes");
    size_t pixels = (size_t)(json_integer_value(json_object_get(image, "height")) *
                             json_integer_value(json_object_get(image, "width")) *
                             json_integer_value(json_object_get(image, "channels")));
    if ((image != NULL && pixels != weft_net_n_inputs(run->net)) ||
        (names != NULL && json_array_size(names) != weft_net_n_class_names(run->net))) {
        return weft_fail(err, WEFT_ERR_MISMATCH,
                         "%s/%s: is of another network than model.safetensors beside it", run->path,
                         REPORT_EVALUATION_FILE);
    }
    return WEFT_OK;
}

static char *name_of(const char *path)
{
    size_t end = strlen(path);
    while (end > 1 && path[end - 1] == '/') {
        end--;
    }
    size_t start = end;
    while (start > 0 && path[start - 1] != '/') {
        start--;
    }
    char *name = weft_mem_alloc(end - start + 1, 1);
    if (name != NULL) {
        memcpy(name, path + start, end - start);
        name[end - start] = '\0';
    }
    return name;
}

weft_status report_run_read(const char *path, struct report_run *out, weft_error *err)
{
    struct report_run run = {.path = weft_mem_strdup(path), .name = name_of(path)};
    weft_status status = WEFT_OK;
    if (run.path == NULL || run.name == NULL) {
        status = weft_fail_nomem(err, "a file name");
    }
    if (status == WEFT_OK) {
        status = read_settings(&run, err);
    }
    if (status == WEFT_OK) {
        status = read_metrics(&run, err);
    }
    if (status == WEFT_OK) {
        status = read_evaluation(&run, err);
    }
    if (status == WEFT_OK) {
        status = read_model(&run, err);
    }
    if (status == WEFT_OK) {
        status = check_fit(&run, err);
    }
    if (status != WEFT_OK) {
        report_run_release(&run);
        return status;
    }
    *out = run;
    return WEFT_OK;
}

void report_run_release(struct report_run *run)
{
    for (size_t i = 0; i < run->n_settings; i++) {
        weft_mem_free(run->settings[i].section);
        weft_mem_free(run->settings[i].key);
        weft_mem_free(run->settings[i].value);
    }
    for (size_t m = 0; m < REPORT_N_METRICS; m++) {
        weft_mem_free(run->metrics[m]);
    }
    weft_mem_free(run->settings);
    weft_mem_free(run->path);
    weft_mem_free(run->name);
    json_decref(run->evaluation);
    weft_net_free(run->net);
    *run = (struct report_run){0};
}
