/* Requests to one server, one at a time, over libcurl. While a request is on its way the caller's
 * own work goes on through a hook, in the same thread, which otherwise sleeps in poll(). */
#ifndef WEFT_TRACK_HTTP_CLIENT_H
#define WEFT_TRACK_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

#include <weft/status.h>

#include "track/track.h"
#include "track/track_address.h"

enum weft_http_result {
    WEFT_HTTP_OK,
    WEFT_HTTP_AGAIN,   /* no answer, or one that another try may better */
    WEFT_HTTP_REFUSED, /* the server understood and will not */
    WEFT_HTTP_ABORTED, /* the hook said so */
};

/* A zeroed struct is empty. */
struct weft_http_answer {
    long code;           /* of HTTP; 0: no answer came */
    json_t *body;        /* of a good answer to GET and POST: an object */
    double retry_after;  /* seconds that the server asks to wait; 0: it does not */
    char error_code[64]; /* of MLflow, such as RESOURCE_DOES_NOT_EXIST */
    char message[512];   /* what went wrong, for people, with the server's address */
};

struct weft_http;

/* `address` and `target` are borrowed until weft_http_free(); names and passwords in the target win
 * over those in the address. `hook` runs at least twice a second during calls. */
WEFT_CHECKED weft_status weft_http_new(const struct weft_address *address,
                                       const struct weft_track_target *target,
                                       weft_track_patience *hook, void *user,
                                       struct weft_http **out, weft_error *err);
void weft_http_free(struct weft_http *http);

/* `path` begins with '/', below the server's address; a good answer is a JSON object. Release
 * `answer` with weft_http_answer_release(). */
enum weft_http_result weft_http_get(struct weft_http *http, const char *path,
                                    struct weft_http_answer *answer);

/* Takes `body`; NULL: there was no memory for it, which is answered with AGAIN. */
enum weft_http_result weft_http_post(struct weft_http *http, const char *path, json_t *body,
                                     struct weft_http_answer *answer);

/* PUT of `size` bytes. It may take longer than other requests, at 16 KiB/s. */
enum weft_http_result weft_http_put(struct weft_http *http, const char *path, FILE *stream,
                                    size_t size, struct weft_http_answer *answer);

void weft_http_answer_release(struct weft_http_answer *answer);

/* Whether an answer of any kind, be it an error, has ever come. */
bool weft_http_was_answered(const struct weft_http *http);

/* Lets the hook run for so long; false where it ends that. */
bool weft_http_pause(struct weft_http *http, double seconds);

/* Sleeps until weft_http_wakeup() or for so long. */
void weft_http_sleep(struct weft_http *http, int milliseconds);

/* From any thread: ends the sleep, and lets the hook of a call run now. */
void weft_http_wakeup(struct weft_http *http);

/* Text for a query, percent-encoded; to be freed with weft_mem_free(), or NULL. */
char *weft_http_escape(struct weft_http *http, const char *text);

#endif
