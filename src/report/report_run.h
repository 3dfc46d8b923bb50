/* A run directory in memory: all that reports are made from. */
#ifndef WEFT_REPORT_RUN_H
#define WEFT_REPORT_RUN_H

#include <stddef.h>

#include <weft/net.h>
#include <weft/status.h>

#include <jansson.h>

/* A line of config.ini; value as it stands there. */
struct report_setting {
    char *section, *key, *value;
};

/* Numbers of metrics.jsonl, by their keys there. */
enum report_metric {
    REPORT_EPOCH,
    REPORT_LR,
    REPORT_TRAIN_LOSS,
    REPORT_TRAIN_ACCURACY,
    REPORT_VAL_LOSS,
    REPORT_VAL_ACCURACY,
    REPORT_TEST_LOSS,
    REPORT_TEST_ACCURACY,
    REPORT_TIME, /* "seconds" */
    REPORT_N_METRICS
};

/* A zeroed struct is empty. */
struct report_run {
    char *path;
    char *name; /* the last component of the path */
    struct report_setting *settings;
    size_t n_settings;
    double *metrics[REPORT_N_METRICS]; /* [n_epochs] each; NaN where a line has no such number */
    size_t n_epochs;
    json_t *evaluation; /* as report_evaluation_read() gives it; NULL: the run has none */
    weft_net *net;      /* NULL: the run has none, and no evaluation either */
};

/* Reads config.ini, metrics.jsonl, evaluation.json and model.safetensors of a run directory; the
 * last two may be missing, as of runs that diverged.
 * WEFT_ERR_IO, WEFT_ERR_FORMAT, WEFT_ERR_MISMATCH (the files do not belong together): the message
 * names the file, and the line where there are lines. Release with report_run_release(). */
WEFT_CHECKED weft_status report_run_read(const char *path, struct report_run *out, weft_error *err);

void report_run_release(struct report_run *run);

/* The value of a setting, or NULL. */
const char *report_run_setting(const struct report_run *run, const char *section, const char *key);

#endif
