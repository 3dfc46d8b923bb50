/* Tracking a training run on an MLflow server, over its REST interface
 * (mlflow.org/docs/latest/rest-api.html). A listener to the events of training, part of the
 * program.
 *
 * A thread of its own takes what happened from a queue of fixed size and writes it into a spool in
 * the run directory; from there it goes to the server in batches. Where the server is down, the
 * spool stays for weft_track_sync(). Files in the run directory:
 *   mlflow.json    where the run goes, its id there, what has been sent; never a password
 *   mlflow.spool   what is to be sent, one JSON object a line; removed when all of it arrived
 *   mlflow.lock    locked by the program that has the other two; empty
 *
 * The spool is bounded: lines that have been sent make room, and where it nears 256 MiB, or a
 * quarter of what is free on its disk, batches are dropped, at twice that epochs, too.
 *
 * Metrics carry the time at which they were taken. A server with a database takes one that it has
 * already (same time, step and value) for the same, so asking again after an answer was lost does
 * not double anything there; the older file store would. */
#ifndef WEFT_TRACK_TRACK_H
#define WEFT_TRACK_TRACK_H

#include <stdbool.h>
#include <stddef.h>

#include <weft/status.h>
#include <weft/train.h>

#define WEFT_TRACK_STATE_FILE "mlflow.json"
#define WEFT_TRACK_SPOOL_FILE "mlflow.spool"
#define WEFT_TRACK_LOCK_FILE "mlflow.lock"

/* Where to, and as whom. Texts are borrowed during calls; all but uri may be NULL. */
struct weft_track_target {
    const char *uri;        /* http:// or https://, perhaps with user:password@ */
    const char *experiment; /* NULL: Default */
    const char *run_name;   /* NULL: the run directory */
    const char *username, *password, *token, *ca_file;
    bool insecure;  /* take any certificate */
    double timeout; /* seconds that one request may take */
};

struct weft_track_pair {
    const char *key, *value;
};

/* The data set that is trained on. */
struct weft_track_data {
    const char *name, *digest, *path; /* digest: at most 36 characters */
    size_t n_samples, n_features;
};

struct weft_track_run {
    const char *dir;
    const struct weft_track_pair *params, *tags;
    size_t n_params, n_tags;
    const struct weft_track_data *data;
    size_t every; /* steps from one point of the batch metrics to the next; 0: none */
    /* What the run may leave, relative to `dir`: to upload of a run that is cut off. */
    const char *const *files;
    size_t n_files;
    size_t reserve; /* bytes on the disk of `dir` that are not for the spool */
    /* Goes on in the run that `dir` holds (mlflow.json), with its own experiment and name: what it
     * has not sent is kept, its status is RUNNING again. Params are not sent again, as servers
     * refuse to change them; tags are. Where `dir` holds none, a new run begins. */
    bool go_on;
};

/* How a run ended. */
struct weft_track_end {
    const char *status;       /* "FINISHED", "FAILED", "KILLED" */
    const char *reason;       /* why it failed; may be NULL */
    weft_score test;          /* of the network that is kept; sent where its epoch had none */
    size_t epoch;             /* that epoch */
    double patience;          /* seconds to go on for where the server would rather have it later */
    const char *const *files; /* to upload, relative to the run directory */
    size_t n_files;
};

/* What became of it all. */
struct weft_track_outcome {
    bool complete;   /* everything arrived that the run had to tell */
    size_t n_unsent; /* params, metrics and tags still in the spool */
    size_t n_files_unsent;
    size_t n_lost;     /* items that could not be kept in the spool */
    size_t n_sent;     /* in this call or run */
    char where[600];   /* the run's page, or empty */
    char problem[600]; /* what went wrong and weft_track_warning() has not told, or empty */
};

/* Asked some times a second while waiting; false: stop waiting. */
typedef bool weft_track_patience(void *user);

typedef struct weft_tracker weft_tracker;

/* Whether this build has libcurl. Without it the calls below return WEFT_ERR_UNSUPPORTED. */
bool weft_track_available(void);

/* WEFT_ERR_ARG where the target is no http:// or https:// address. Does not go to the network. The
 * message has no password in it. */
WEFT_CHECKED weft_status weft_track_check(const struct weft_track_target *target, weft_error *err);

/* Begins the spool of a run, replacing one that is there unless run->go_on, and starts the thread.
 * Does not wait for the server. End with weft_track_finish(). WEFT_ERR_MISMATCH: another program
 * has the run of that directory. WEFT_ERR_ARG: the run to go on with is on another server. */
WEFT_CHECKED weft_status weft_track_start(const struct weft_track_target *target,
                                          const struct weft_track_run *run, weft_tracker **out,
                                          weft_error *err);

/* Takes an event of training: no lock, no allocation, at most a wake-up for the thread. Where the
 * queue is full, the event is dropped and counted. For one thread at a time. NULL is allowed. */
void weft_track_event(weft_tracker *tracker, const weft_event *event);

/* Gives each text once that a person should see while training goes on: false where there is none.
 */
bool weft_track_warning(weft_tracker *tracker, char *text, size_t size);

/* Hands over how the run ended. */
void weft_track_end(weft_tracker *tracker, const struct weft_track_end *end);

/* After weft_track_end(): waits at most `seconds` for the rest to arrive. True where nothing is
 * left to wait for, with or without success. */
bool weft_track_wait(weft_tracker *tracker, double seconds);

/* Ends the thread, whatever it is doing, and frees the tracker; NULL is allowed. */
void weft_track_finish(weft_tracker *tracker, struct weft_track_outcome *outcome);

/* Sends what the spool of a run directory still holds. target->uri may be NULL: where the run was
 * to go; otherwise it goes there. What has arrived is not sent again. A run that never said how it
 * ended is marked as killed. Ends where nothing has gone forward for so many seconds.
 * WEFT_ERR_IO: no tracked run there, or unreadable. WEFT_ERR_FORMAT: its files are broken.
 * WEFT_ERR_MISMATCH: the run is still going. That the server did not take it is no error of this
 * call: see outcome->complete. */
WEFT_CHECKED weft_status weft_track_sync(const char *dir, const struct weft_track_target *target,
                                         double seconds, weft_track_patience *patience, void *user,
                                         struct weft_track_outcome *outcome, weft_error *err);

/* Removes the tracked run of a directory, if there is one; *n_unsent items of it were never sent.
 * Works without libcurl, too. WEFT_ERR_MISMATCH: another program has it; nothing is removed. */
WEFT_CHECKED weft_status weft_track_forget(const char *dir, size_t *n_unsent, weft_error *err);

#endif
