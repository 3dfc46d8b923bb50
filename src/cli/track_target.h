/* What --track and the environment say of a tracking server. */
#ifndef WEFT_CLI_TRACK_TARGET_H
#define WEFT_CLI_TRACK_TARGET_H

#include "track/track.h"

/* "mlflow:URI", or "mlflow" with MLFLOW_TRACKING_URI; the rest of MLFLOW_... from the environment.
 * `spec` NULL: the address stays NULL. Texts are those of the environment and of `spec`.
 * WEFT_ERR_ARG: nothing that can be used; the message shows no password. */
WEFT_CHECKED weft_status cli_track_target(const char *spec, struct weft_track_target *out,
                                          weft_error *err);

/* The parts of --track, copies owned by the struct; NULL: not asked for. */
struct cli_tracks {
    char *mlflow;      /* "mlflow" or "mlflow:URI" */
    char *tensorboard; /* a directory; empty: that of the run */
};

/* Takes "KIND[:WHERE],..." apart, each kind once; `text` may be NULL. WEFT_ERR_ARG: another kind.
 * Release with cli_tracks_release(), which takes a zeroed struct, too. */
WEFT_CHECKED weft_status cli_tracks_init(struct cli_tracks *tracks, const char *text,
                                         weft_error *err);
void cli_tracks_release(struct cli_tracks *tracks);

#endif
