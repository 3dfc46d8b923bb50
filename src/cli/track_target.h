/* What --track and the environment say of a tracking server. */
#ifndef WEFT_CLI_TRACK_TARGET_H
#define WEFT_CLI_TRACK_TARGET_H

#include "track/track.h"

/* "mlflow:URI", or "mlflow" with MLFLOW_TRACKING_URI; the rest of MLFLOW_... from the environment.
 * `spec` NULL: the address stays NULL. Texts are those of the environment and of `spec`.
 * WEFT_ERR_ARG: nothing that can be used; the message shows no password. */
WEFT_CHECKED weft_status cli_track_target(const char *spec, struct weft_track_target *out,
                                          weft_error *err);

#endif
