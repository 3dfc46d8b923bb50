/* Takes a spool to an MLflow server: finds or makes the experiment and the run, sends items in
 * batches, uploads files, says how the run ended. Every step that succeeded is written down, so
 * that the next call goes on where this one stopped. */
#ifndef WEFT_TRACK_MLFLOW_SENDER_H
#define WEFT_TRACK_MLFLOW_SENDER_H

#include <stddef.h>

#include "track/http_client.h"
#include "track/track_spool.h"

/* `http`, `spool` and `base` are borrowed; zero the rest. */
struct weft_sender {
    struct weft_http *http;
    struct weft_spool *spool;
    const char *base;
    size_t limit; /* items of the next batch; 0: as many as a batch may have */
    size_t n_sent;
    size_t n_done;      /* requests that succeeded */
    double retry_after; /* seconds the server asked for */
    weft_error failure; /* of the last call that was no success */
    weft_error dropped; /* the first thing the server would never take; empty message: none */
};

/* Sends what is in the spool. */
enum weft_http_result weft_sender_items(struct weft_sender *sender);

/* Once all items are sent: uploads the files that the state lists, then reports the status in the
 * state and ends the run. */
enum weft_http_result weft_sender_end(struct weft_sender *sender);

/* Both, and where the server would rather have it later, again: with pauses that double, or as long
 * as the server asks, until nothing has gone forward for so many seconds, or the next try would
 * come after that. A server that never gave an answer of any kind is tried for WEFT_SENDER_UNSEEN
 * at most. */
enum weft_http_result weft_sender_finish(struct weft_sender *sender, double seconds);

enum { WEFT_SENDER_UNSEEN = 5 };

#endif
