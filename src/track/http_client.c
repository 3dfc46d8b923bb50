/* One curl handle in one multi handle: the multi interface sleeps in poll() and can be woken. */
#include "track/http_client.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/mem.h"

enum {
    LARGEST_ANSWER = 1 << 20, /* MLflow's own are some kilobytes */
    HOOK_MILLISECONDS = 500,
    SLOWEST = 16384, /* bytes a second of a file on its way */
};

struct weft_http {
    CURLM *multi;
    CURL *easy;
    struct curl_slist *headers;
    const struct weft_address *address;
    const struct weft_track_target *target;
    weft_track_patience *hook;
    void *user;
    bool has_credentials, was_answered;
    char *answer; /* LARGEST_ANSWER + 1 bytes */
    size_t answer_len;
    bool answer_too_long;
    char error[CURL_ERROR_SIZE];
};

static size_t take_bytes(char *bytes, size_t size, size_t n, void *user)
{
    struct weft_http *http = user;
    size_t len = size * n;
    if (len > LARGEST_ANSWER - http->answer_len) {
        http->answer_too_long = true;
        return 0;
    }
    memcpy(http->answer + http->answer_len, bytes, len);
    http->answer_len += len;
    return len;
}

/* No request takes for ever, however slowly its bytes go and come. */
static void set_limit(struct weft_http *http, size_t size)
{
    double seconds = http->target->timeout + (double)size / SLOWEST;
    curl_easy_setopt(http->easy, CURLOPT_TIMEOUT_MS, (long)fmin(1000 * seconds, 1e9));
}

/* What holds for every request; curl_easy_reset() forgets it. */
static void set_common(struct weft_http *http)
{
    const struct weft_track_target *target = http->target;
    CURL *easy = http->easy;
    const char *user = target->username != NULL ? target->username : http->address->user;
    const char *password = target->password != NULL ? target->password : http->address->password;
    curl_easy_reset(easy);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, http->error);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_bytes);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, http);
    /* A redirection is not followed: it would take passwords along, or turn a POST into a GET. */
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    long timeout = target->timeout >= 1 ? (long)target->timeout : 1;
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, timeout < 10 ? timeout : 10L);
    set_limit(http, 0);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, timeout);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "weft");
    /* As MLflow's own client: a name with a password wins over a token. */
    if (user != NULL && (password != NULL || target->token == NULL)) {
        curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
        curl_easy_setopt(easy, CURLOPT_USERNAME, user);
        curl_easy_setopt(easy, CURLOPT_PASSWORD, password != NULL ? password : "");
        http->has_credentials = true;
    } else if (target->token != NULL) {
        curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
        curl_easy_setopt(easy, CURLOPT_XOAUTH2_BEARER, target->token);
        http->has_credentials = true;
    }
    if (target->insecure) {
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (target->ca_file != NULL) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, target->ca_file);
    }
#if LIBCURL_VERSION_NUM >= 0x075700
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* do not wait for a name server at the end */
#endif
}

weft_status weft_http_new(const struct weft_address *address,
                          const struct weft_track_target *target, weft_track_patience *hook,
                          void *user, struct weft_http **out, weft_error *err)
{
    struct weft_http *http = weft_mem_zalloc(1, sizeof *http);
    if (http == NULL) {
        return weft_fail_nomem(err, "an HTTP client");
    }
    *http = (struct weft_http){.address = address, .target = target, .hook = hook, .user = user};
    http->answer = weft_mem_alloc(LARGEST_ANSWER + 1, 1);
    http->multi = curl_multi_init();
    http->easy = curl_easy_init();
    http->headers = curl_slist_append(NULL, "Content-Type: application/json");
    /* Without this curl waits a second for a word of the server before it sends a file. */
    struct curl_slist *more =
        http->headers != NULL ? curl_slist_append(http->headers, "Expect:") : NULL;
    if (http->answer == NULL || http->multi == NULL || http->easy == NULL || more == NULL) {
        weft_http_free(http);
        return weft_fail_nomem(err, "an HTTP client");
    }
    *out = http;
    return WEFT_OK;
}

void weft_http_free(struct weft_http *http)
{
    if (http != NULL) {
        curl_easy_cleanup(http->easy);
        curl_multi_cleanup(http->multi);
        curl_slist_free_all(http->headers);
        weft_mem_free(http->answer);
        weft_mem_free(http);
    }
}

void weft_http_answer_release(struct weft_http_answer *answer)
{
    json_decref(answer->body);
    *answer = (struct weft_http_answer){0};
}

void weft_http_sleep(struct weft_http *http, int milliseconds)
{
    curl_multi_poll(http->multi, NULL, 0, milliseconds, NULL);
}

void weft_http_wakeup(struct weft_http *http)
{
    curl_multi_wakeup(http->multi);
}

bool weft_http_was_answered(const struct weft_http *http)
{
    return http->was_answered;
}

bool weft_http_pause(struct weft_http *http, double seconds)
{
    double until = weft_clock_seconds() + seconds, left = seconds;
    bool go_on = true;
    while (go_on && left > 0) {
        weft_http_sleep(http, (int)fmin(HOOK_MILLISECONDS, 1 + 1000 * left));
        go_on = http->hook(http->user);
        left = until - weft_clock_seconds();
    }
    return go_on;
}

char *weft_http_escape(struct weft_http *http, const char *text)
{
    char *escaped = curl_easy_escape(http->easy, text, 0);
    char *copy = escaped != NULL ? weft_mem_strdup(escaped) : NULL;
    curl_free(escaped);
    return copy;
}

/* Runs the request that has been set up; false where the hook ended it. */
static bool perform(struct weft_http *http, CURLcode *code)
{
    int n_running = 1;
    bool go_on = true;
    *code = CURLE_FAILED_INIT;
    if (curl_multi_add_handle(http->multi, http->easy) != CURLM_OK) {
        return true;
    }
    while (go_on && n_running > 0) {
        if (curl_multi_perform(http->multi, &n_running) != CURLM_OK) {
            break;
        }
        if (n_running > 0) {
            weft_http_sleep(http, HOOK_MILLISECONDS);
        }
        go_on = http->hook(http->user);
    }
    int n_left;
    const CURLMsg *message = curl_multi_info_read(http->multi, &n_left);
    if (message != NULL && message->msg == CURLMSG_DONE) {
        *code = message->data.result;
        go_on = true;
    }
    curl_multi_remove_handle(http->multi, http->easy);
    return go_on;
}

static void say(const struct weft_http *http, struct weft_http_answer *answer, const char *what,
                const char *more)
{
    weft_error text;
    (void)weft_fail(&text, WEFT_ERR_IO, "%s: %s%s", http->address->base, what, more);
    memcpy(answer->message, text.message, sizeof answer->message);
}

/* How much of a text fits into `max` bytes without its last character being cut. */
static int cut(const char *text, size_t max)
{
    size_t len = strlen(text);
    for (len = len < max ? len : max; len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80;) {
        len--;
    }
    return (int)len;
}

/* What an answer that is no success says: {"error_code":...,"message":...}, or anything. */
static void say_refusal(const struct weft_http *http, struct weft_http_answer *answer)
{
    char what[80];
    snprintf(what, sizeof what, "HTTP %ld", answer->code);
    json_t *body = json_loadb(http->answer, http->answer_len, 0, NULL);
    const char *error_code = json_string_value(json_object_get(body, "error_code"));
    const char *message = json_string_value(json_object_get(body, "message"));
    snprintf(answer->error_code, sizeof answer->error_code, "%s",
             error_code != NULL ? error_code : "");
    char more[300] = "";
    if (answer->code == 401) {
        snprintf(more, sizeof more, "%s",
                 http->has_credentials
                     ? ": it does not take this name and password, or token"
                     : ": wanted MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or "
                       "MLFLOW_TRACKING_TOKEN");
    } else if (answer->code == 403) {
        snprintf(more, sizeof more, ": this user may not do that there");
    } else if (answer->code / 100 == 3) {
        snprintf(more, sizeof more, ": wanted the server itself, got a redirection");
    } else if (message != NULL) {
        snprintf(more, sizeof more, ": %.*s", cut(message, 250), message);
    } else if (answer->code == 404) {
        snprintf(more, sizeof more, ": this does not look like an MLflow server");
    }
    say(http, answer, what, more);
    json_decref(body);
}

/* 408, 429 and 5xx are the server's moods; everything else stays as it is. */
static enum weft_http_result judge(struct weft_http *http, CURLcode code,
                                   struct weft_http_answer *answer)
{
    curl_off_t wait = 0;
    curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &answer->code);
    curl_easy_getinfo(http->easy, CURLINFO_RETRY_AFTER, &wait);
    answer->retry_after = (double)wait;
    http->was_answered = http->was_answered || answer->code != 0;
    if (http->answer_too_long) {
        say(http, answer, "wanted a short answer; got more than 1 MiB", "");
        return WEFT_HTTP_AGAIN;
    }
    if (code != CURLE_OK) {
        say(http, answer, http->error[0] != '\0' ? http->error : curl_easy_strerror(code), "");
        answer->code = 0;
        return WEFT_HTTP_AGAIN;
    }
    if (answer->code / 100 == 2) {
        return WEFT_HTTP_OK;
    }
    say_refusal(http, answer);
    return answer->code == 408 || answer->code == 429 || answer->code / 100 == 5
               ? WEFT_HTTP_AGAIN
               : WEFT_HTTP_REFUSED;
}

static enum weft_http_result call(struct weft_http *http, const char *path,
                                  struct weft_http_answer *answer)
{
    CURLcode code;
    size_t size = strlen(http->address->base) + strlen(path) + 1;
    char *url = weft_mem_alloc(size, 1);
    if (url == NULL) {
        say(http, answer, "no memory for a request", "");
        return WEFT_HTTP_AGAIN;
    }
    snprintf(url, size, "%s%s", http->address->base, path);
    http->answer_len = 0;
    http->answer_too_long = false;
    http->error[0] = '\0';
    curl_easy_setopt(http->easy, CURLOPT_URL, url);
    bool ended = perform(http, &code);
    weft_mem_free(url);
    return ended ? judge(http, code, answer) : WEFT_HTTP_ABORTED;
}

static enum weft_http_result call_for_json(struct weft_http *http, const char *path,
                                           struct weft_http_answer *answer)
{
    enum weft_http_result result = call(http, path, answer);
    if (result != WEFT_HTTP_OK) {
        return result;
    }
    answer->body = json_loadb(http->answer, http->answer_len, 0, NULL);
    if (!json_is_object(answer->body)) {
        char start[60];
        http->answer[http->answer_len] = '\0';
        snprintf(start, sizeof start, "%.*s'", cut(http->answer, 40), http->answer);
        say(http, answer, "wanted an answer in JSON, as of an MLflow server; got '", start);
        json_decref(answer->body);
        answer->body = NULL;
        return WEFT_HTTP_AGAIN;
    }
    return WEFT_HTTP_OK;
}

enum weft_http_result weft_http_get(struct weft_http *http, const char *path,
                                    struct weft_http_answer *answer)
{
    *answer = (struct weft_http_answer){0};
    set_common(http);
    return call_for_json(http, path, answer);
}

enum weft_http_result weft_http_post(struct weft_http *http, const char *path, json_t *body,
                                     struct weft_http_answer *answer)
{
    *answer = (struct weft_http_answer){0};
    char *text = body != NULL ? json_dumps(body, JSON_COMPACT) : NULL;
    json_decref(body);
    if (text == NULL) {
        say(http, answer, "no memory for a request", "");
        return WEFT_HTTP_AGAIN;
    }
    set_common(http);
    curl_easy_setopt(http->easy, CURLOPT_HTTPHEADER, http->headers);
    curl_easy_setopt(http->easy, CURLOPT_POSTFIELDS, text);
    enum weft_http_result result = call_for_json(http, path, answer);
    free(text);
    return result;
}

enum weft_http_result weft_http_put(struct weft_http *http, const char *path, FILE *stream,
                                    size_t size, struct weft_http_answer *answer)
{
    *answer = (struct weft_http_answer){0};
    set_common(http);
    set_limit(http, size);
    curl_easy_setopt(http->easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(http->easy, CURLOPT_READDATA, stream);
    curl_easy_setopt(http->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)size);
    curl_easy_setopt(http->easy, CURLOPT_HTTPHEADER, http->headers->next);
    return call(http, path, answer);
}
