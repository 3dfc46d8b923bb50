/* Addresses of servers: taken apart, with the password out of everything that is shown or kept. */
#ifndef WEFT_TRACK_TRACK_ADDRESS_H
#define WEFT_TRACK_TRACK_ADDRESS_H

#include <weft/status.h>

/* A zeroed struct is empty. */
struct weft_address {
    char *base;            /* without user, password and final '/' */
    char *user, *password; /* decoded; NULL: none */
};

/* WEFT_ERR_ARG: not http:// or https:// with a host, or with a query or fragment, which requests
 * could not keep; the message shows no more than the scheme.
 * Release with weft_address_release(). */
WEFT_CHECKED weft_status weft_address_parse(const char *uri, struct weft_address *out,
                                            weft_error *err);

void weft_address_release(struct weft_address *address);

/* The path of an artifact below the address of a server, "/api/2.0/mlflow-artifacts/artifacts/...",
 * every part percent-encoded; to be freed with weft_mem_free(). `artifact_uri` is where the server
 * keeps the files of a run, `file` a relative path. WEFT_ERR_UNSUPPORTED: the files go elsewhere
 * than through `base`, the server. */
WEFT_CHECKED weft_status weft_address_of_artifact(const char *base, const char *artifact_uri,
                                                  const char *file, char **out, weft_error *err);

#endif
