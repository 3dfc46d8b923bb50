/* What a run has to tell a server, kept in its directory until it has arrived: see track.h for the
 * files. Lines of the spool are {"metrics":{...}}, {"params":{...}}, {"tags":{...}} or
 * {"datasets":{...}}, each with one item as MLflow takes it. */
#ifndef WEFT_TRACK_TRACK_SPOOL_H
#define WEFT_TRACK_TRACK_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <jansson.h>

#include <weft/status.h>

/* A zeroed struct is empty. */
struct weft_spool {
    char *dir, *path, *state_path, *lock_path;
    bool is_locked, is_open;
    int lock_fd, fd; /* where is_locked, is_open */
    off_t size;      /* bytes of whole lines in the file */
    off_t sent;      /* of these, the ones that have arrived */
    size_t n_unsent; /* lines behind them, also those not yet in the file */
    size_t n_lost;   /* items that could not be kept */
    json_t *state;   /* the content of mlflow.json, but for `sent` and `lost` */
    bool failed;     /* something could not be written: `problem` says why of the first */
    weft_error problem;

    size_t reserve; /* bytes to leave free on the disk; set by the caller */
    off_t room;     /* how large the file may grow */

    /* Lines that wait for weft_spool_flush(), and a part of the file. */
    char *pending, *chunk;
    size_t pending_len, n_pending, chunk_len;
    off_t chunk_at;
};

enum weft_spool_result { WEFT_SPOOL_LINE, WEFT_SPOOL_END, WEFT_SPOOL_FAILED };

/* Each of the four takes the lock of the directory first: WEFT_ERR_MISMATCH where another program
 * has it. On failure the struct is empty. */

/* Begins an empty spool with this state, which is taken. */
WEFT_CHECKED weft_status weft_spool_create(struct weft_spool *spool, const char *dir, json_t *state,
                                           weft_error *err);

/* Opens what a run left, to send it. WEFT_ERR_IO: it was not tracked, the files cannot be read, or
 * the spool of a run that is not done is gone. WEFT_ERR_FORMAT: mlflow.json or mlflow.spool is
 * broken. */
WEFT_CHECKED weft_status weft_spool_open(struct weft_spool *spool, const char *dir,
                                         weft_error *err);

/* The same to add to it, also where all has been sent. */
WEFT_CHECKED weft_status weft_spool_continue(struct weft_spool *spool, const char *dir,
                                             weft_error *err);

/* The same to remove it, also where it is broken; not locked where nothing is there. */
WEFT_CHECKED weft_status weft_spool_forget(struct weft_spool *spool, const char *dir,
                                           weft_error *err);

/* Whether another item of the kind that there are most of (batches), or of the kind that matters
 * (epochs), should be kept: the file takes a part of what is free on its disk, and at most some
 * hundred megabytes. */
bool weft_spool_has_room(const struct weft_spool *spool, bool matters);

/* Appends one item as a line; takes it. What cannot be kept is counted. */
void weft_spool_add(struct weft_spool *spool, const char *kind, json_t *item);

/* Writes the lines added so far. */
void weft_spool_flush(struct weft_spool *spool);

/* The line at *at, as an object to be freed, and moves *at behind it. What is no JSON object comes
 * as an empty one. FAILED: no memory, or the file cannot be read; `err` says which. */
enum weft_spool_result weft_spool_read(struct weft_spool *spool, off_t *at, json_t **line,
                                       weft_error *err);

/* The lines up to `end`, so many, have arrived. */
void weft_spool_accept(struct weft_spool *spool, off_t end, size_t n);

/* Gives back the disk where all has been sent, and that is worth it. */
void weft_spool_trim(struct weft_spool *spool);

/* Items of the state. */
const char *weft_spool_text(const struct weft_spool *spool, const char *key);
bool weft_spool_flag(const struct weft_spool *spool, const char *key);
void weft_spool_set(struct weft_spool *spool, const char *key, json_t *value);

/* Writes mlflow.json; false where it could not. */
bool weft_spool_save(struct weft_spool *spool);

/* Removes mlflow.spool. */
void weft_spool_remove(struct weft_spool *spool);

void weft_spool_release(struct weft_spool *spool);

#endif
