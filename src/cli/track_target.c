/* The variables are those of MLflow's own client, so that one set-up serves both. */
#include "cli/track_target.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/fail.h"
#include "base/mem.h"
#include "cli/strict_number.h"

/* Seconds for one request. MLflow waits 120; here the end of a run waits for it. */
static const double default_timeout = 30;

/* NULL where it is unset or empty. */
static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && *value != '\0' ? value : NULL;
}

static weft_status read_timeout(double *out, weft_error *err)
{
    static const char name[] = "MLFLOW_HTTP_REQUEST_TIMEOUT";
    const char *text = variable(name);
    *out = default_timeout;
    if (text != NULL && (!cli_parse_real(text, out) || !(*out >= 1 && *out <= 3600))) {
        return weft_fail(err, WEFT_ERR_ARG, "%s: wanted seconds from 1 to 3600; got '%s'", name,
                         text);
    }
    return WEFT_OK;
}

/* As MLflow's own client reads it. */
static weft_status read_insecure(bool *out, weft_error *err)
{
    static const char name[] = "MLFLOW_TRACKING_INSECURE_TLS";
    const char *text = variable(name);
    *out = text != NULL && (strcasecmp(text, "true") == 0 || strcmp(text, "1") == 0);
    if (text != NULL && !*out && strcasecmp(text, "false") != 0 && strcmp(text, "0") != 0) {
        return weft_fail(err, WEFT_ERR_ARG, "%s: wanted true or false; got '%s'", name, text);
    }
    return WEFT_OK;
}

static weft_status read_address(const char *spec, const char **out, weft_error *err)
{
    static const char kind[] = "mlflow";
    size_t len = strcspn(spec, ":");
    if (len != strlen(kind) || strncmp(spec, kind, len) != 0) {
        return weft_fail(err, WEFT_ERR_ARG,
                         "--track: wanted mlflow[:URI] or tensorboard[:DIR]; got '%.*s'", (int)len,
                         spec);
    }
    *out = spec[len] == ':' ? spec + len + 1 : variable("MLFLOW_TRACKING_URI");
    return *out != NULL ? WEFT_OK
                        : weft_fail(err, WEFT_ERR_ARG,
                                    "--track mlflow: wanted an address, in "
                                    "MLFLOW_TRACKING_URI or as --track mlflow:URI");
}

weft_status cli_track_target(const char *spec, struct weft_track_target *out, weft_error *err)
{
    *out = (struct weft_track_target){
        .experiment = variable("MLFLOW_EXPERIMENT_NAME"),
        .run_name = variable("MLFLOW_RUN_NAME"),
        .username = variable("MLFLOW_TRACKING_USERNAME"),
        .password = variable("MLFLOW_TRACKING_PASSWORD"),
        .token = variable("MLFLOW_TRACKING_TOKEN"),
        .ca_file = variable("MLFLOW_TRACKING_SERVER_CERT_PATH"),
    };
    weft_status status = read_timeout(&out->timeout, err);
    if (status == WEFT_OK) {
        status = read_insecure(&out->insecure, err);
    }
    if (status != WEFT_OK || spec == NULL) {
        return status;
    }
    status = read_address(spec, &out->uri, err);
    weft_error why;
    if (status == WEFT_OK && (status = weft_track_check(out, &why)) != WEFT_OK) {
        (void)weft_fail(err, status, "--track: %s", why.message);
    }
    return status;
}

static const char board_kind[] = "tensorboard";

/* The length of the part that `text` begins with: up to a comma with another kind behind it, as
 * addresses may have commas. */
static size_t part_len(const char *text)
{
    const char *comma = text;
    while ((comma = strchr(comma, ',')) != NULL) {
        comma++;
        if (strncmp(comma, "mlflow", strlen("mlflow")) == 0 ||
            strncmp(comma, board_kind, strlen(board_kind)) == 0) {
            return (size_t)(comma - 1 - text);
        }
    }
    return strlen(text);
}

static weft_status take_part(struct cli_tracks *tracks, char *part, weft_error *err)
{
    size_t len = strcspn(part, ":");
    bool board = len == strlen(board_kind) && strncmp(part, board_kind, len) == 0;
    char **place = board ? &tracks->tensorboard : &tracks->mlflow;
    if (*place != NULL) {
        return weft_fail(err, WEFT_ERR_ARG, "--track: wanted %.*s once; got it twice", (int)len,
                         part);
    }
    if (board && part[len] == ':' && part[len + 1] == '\0') {
        return weft_fail(err, WEFT_ERR_ARG,
                         "--track tensorboard:DIR: wanted a directory; got none");
    }
    *place = weft_mem_strdup(!board ? part : part[len] == ':' ? part + len + 1 : "");
    return *place != NULL ? WEFT_OK : weft_fail_nomem(err, "--track");
}

weft_status cli_tracks_init(struct cli_tracks *tracks, const char *text, weft_error *err)
{
    weft_status status = WEFT_OK;
    *tracks = (struct cli_tracks){0};
    while (status == WEFT_OK && text != NULL) {
        size_t len = part_len(text);
        char *part = weft_mem_alloc(len + 1, 1);
        if (part == NULL) {
            status = weft_fail_nomem(err, "--track");
            break;
        }
        memcpy(part, text, len);
        part[len] = '\0';
        status = take_part(tracks, part, err);
        weft_mem_free(part);
        text = text[len] == ',' ? text + len + 1 : NULL;
    }
    if (status != WEFT_OK) {
        cli_tracks_release(tracks);
    }
    return status;
}

void cli_tracks_release(struct cli_tracks *tracks)
{
    weft_mem_free(tracks->mlflow);
    weft_mem_free(tracks->tensorboard);
    *tracks = (struct cli_tracks){0};
}
