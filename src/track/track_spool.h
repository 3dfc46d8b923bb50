/* What a run has to tell a server, kept in its directory until it has arrived: see track.h for the
 * files. Lines of the spool are {"metrics":{...}}, {"params":{...}}, {"tags":{...}} or
 * {"datasets":{...}}, each with one item as MLflow takes it. */
#ifndef WEFT_TRACK_TRACK_SPOOL_H
#define WEFT_TRACK_TRACK_SPOOL_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include <jansson.h>

#include <weft/status.h>

/* A zeroed struct is empty. */
struct weft_spool {
    char *path, *state_path, *dir;
    FILE *stream;  /* locked against other programs while open */
    off_t size;    /* bytes of whole lines */
    json_t *state; /* the content of mlflow.json */
    bool failed;   /* nothing more can be kept: `problem` says why */
    weft_error problem;
    char *line; /* the last one read */
    size_t line_size;
};

/* Begins an empty spool with this state, which is taken. */
WEFT_CHECKED weft_status weft_spool_create(struct weft_spool *spool, const char *dir, json_t *state,
                                           weft_error *err);

/* Opens what a run left. WEFT_ERR_IO: it was not tracked, or the files cannot be read.
 * WEFT_ERR_MISMATCH: it is still going. WEFT_ERR_FORMAT: mlflow.json is broken. */
WEFT_CHECKED weft_status weft_spool_open(struct weft_spool *spool, const char *dir,
                                         weft_error *err);

/* Appends one item as a line; takes it. */
void weft_spool_add(struct weft_spool *spool, const char *kind, json_t *item);

/* Lets the lines added so far be read. */
void weft_spool_flush(struct weft_spool *spool);

/* The line at *at, as an object to be freed, and moves *at behind it; NULL at the end. What is no
 * JSON object comes as an empty one. */
json_t *weft_spool_read(struct weft_spool *spool, off_t *at);

/* Items of the state. */
const char *weft_spool_text(const struct weft_spool *spool, const char *key);
void weft_spool_set(struct weft_spool *spool, const char *key, json_t *value);
off_t weft_spool_sent(const struct weft_spool *spool);

/* Writes mlflow.json. */
void weft_spool_save(struct weft_spool *spool);

/* Removes mlflow.spool. */
void weft_spool_remove(struct weft_spool *spool);

void weft_spool_release(struct weft_spool *spool);

#endif
