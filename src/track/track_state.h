/* mlflow.json, what is known of a tracked run: read with every item checked, and written. */
#ifndef WEFT_TRACK_TRACK_STATE_H
#define WEFT_TRACK_TRACK_STATE_H

#include <stdbool.h>

#include <jansson.h>

#include <weft/status.h>

/* The object in the file at `path`, to be freed with json_decref(). Whoever reads it need not doubt
 * it: uri, experiment, run_name, key and start_time are there, and whatever else weft writes is, if
 * it is there, of its kind; files are relative paths without "..".
 * WEFT_ERR_IO: there is none, or it cannot be read. WEFT_ERR_FORMAT: weft did not write that. */
WEFT_CHECKED weft_status weft_state_read(const char *path, json_t **out, weft_error *err);

/* Whether it may be the identifier of an experiment or a run: printable ASCII without blanks. */
bool weft_state_is_id(const json_t *value);

/* Replaces the file, whole or not at all. */
WEFT_CHECKED weft_status weft_state_write(const char *path, const json_t *state, weft_error *err);

#endif
