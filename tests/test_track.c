/* Tracking without a network: addresses, the files of a run cut off and spoiled, the sender against
 * a server that lies in this program, memory that is not there, a queue that overflows. What goes
 * over wires is tested by cli/track.sh and scripts/interop. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "base/mem.h"
#include "harness.h"
#include "track/mlflow_sender.h"
#include "track/track.h"
#include "track/track_address.h"
#include "track/track_spool.h"

static weft_error err;

/* ---- a server ---- */

/* Instead of http_client.c. Says yes to everything, notes what it was asked. */
struct weft_http {
    int unused;
};
static struct weft_http the_http;
static size_t n_requests, n_metrics, n_pairs, n_puts, n_updates;
static size_t refuse_until; /* so many requests are put off */
static bool is_deaf;        /* none is answered */
static double first_pause, n_pauses;
static char last_update[300];

static void reset_server(void)
{
    n_requests = n_metrics = n_pairs = n_puts = n_updates = refuse_until = 0;
    first_pause = n_pauses = 0;
    is_deaf = false;
    *last_update = '\0';
}

weft_status weft_http_new(const struct weft_address *address,
                          const struct weft_track_target *target, weft_track_patience *hook,
                          void *user, struct weft_http **out, weft_error *error)
{
    (void)address, (void)target, (void)hook, (void)user, (void)error;
    *out = &the_http;
    return WEFT_OK;
}

void weft_http_free(struct weft_http *http)
{
    (void)http;
}

void weft_http_answer_release(struct weft_http_answer *answer)
{
    json_decref(answer->body);
    *answer = (struct weft_http_answer){0};
}

void weft_http_sleep(struct weft_http *http, int milliseconds)
{
    (void)http, (void)milliseconds;
    nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
}

void weft_http_wakeup(struct weft_http *http)
{
    (void)http;
}

bool weft_http_was_answered(const struct weft_http *http)
{
    (void)http;
    return !is_deaf;
}

/* Time passes quickly here, and once. */
bool weft_http_pause(struct weft_http *http, double seconds)
{
    (void)http;
    first_pause = n_pauses == 0 ? seconds : first_pause;
    n_pauses++;
    return n_pauses < 100;
}

char *weft_http_escape(struct weft_http *http, const char *text)
{
    (void)http;
    return weft_mem_strdup(text);
}

static bool puts_off(struct weft_http_answer *answer)
{
    *answer = (struct weft_http_answer){.code = is_deaf ? 0 : 503, .retry_after = 7};
    snprintf(answer->message, sizeof answer->message, "busy");
    n_requests++;
    return is_deaf || n_requests <= refuse_until;
}

static enum weft_http_result answer_with(struct weft_http_answer *answer, json_t *body)
{
    *answer = (struct weft_http_answer){.code = 200, .body = body};
    snprintf(answer->message, sizeof answer->message, "no memory");
    return body != NULL ? WEFT_HTTP_OK : WEFT_HTTP_AGAIN;
}

enum weft_http_result weft_http_get(struct weft_http *http, const char *path,
                                    struct weft_http_answer *answer)
{
    (void)http, (void)path;
    return puts_off(answer)
               ? WEFT_HTTP_AGAIN
               : answer_with(answer, json_pack("{s:{s:s}}", "experiment", "experiment_id", "7"));
}

enum weft_http_result weft_http_post(struct weft_http *http, const char *path, json_t *body,
                                     struct weft_http_answer *answer)
{
    (void)http;
    if (body == NULL) {
        return answer_with(answer, NULL);
    }
    if (puts_off(answer)) {
        json_decref(body);
        return WEFT_HTTP_AGAIN;
    }
    json_t *found = strstr(path, "/runs/create") != NULL
                        ? json_pack("{s:{s:{s:s, s:s}}}", "run", "info", "run_id", "abc",
                                    "artifact_uri", "mlflow-artifacts:/7/abc")
                        : json_object();
    if (found != NULL && strstr(path, "/log-batch") != NULL) {
        n_metrics += json_array_size(json_object_get(body, "metrics"));
        n_pairs += json_array_size(json_object_get(body, "params")) +
                   json_array_size(json_object_get(body, "tags"));
    }
    if (found != NULL && strstr(path, "/runs/update") != NULL) {
        n_updates++;
        last_update[json_dumpb(body, last_update, sizeof last_update - 1, JSON_COMPACT)] = '\0';
    }
    json_decref(body);
    return answer_with(answer, found);
}

enum weft_http_result weft_http_put(struct weft_http *http, const char *path, FILE *stream,
                                    size_t size, struct weft_http_answer *answer)
{
    (void)http, (void)path, (void)stream, (void)size;
    if (puts_off(answer)) {
        return WEFT_HTTP_AGAIN;
    }
    n_puts++;
    *answer = (struct weft_http_answer){.code = 200};
    return WEFT_HTTP_OK;
}

/* ---- run directories ---- */

static const char *directory(const char *name)
{
    static char path[500];
    snprintf(path, sizeof path, "%s/%s", harness_temp_dir(), name);
    mkdir(path, 0777);
    return path;
}

static const char *file_in(const char *dir, const char *name)
{
    static char path[4][600];
    static size_t next;
    char *out = path[next++ % 4];
    snprintf(out, sizeof path[0], "%s/%s", dir, name);
    return out;
}

static char *read_text(const char *path, size_t *n)
{
    FILE *file = fopen(path, "rb");
    CU_ASSERT_FATAL(file != NULL);
    char *text = malloc(1 << 20);
    *n = fread(text, 1, (1 << 20) - 1, file);
    text[*n] = '\0';
    fclose(file);
    return text;
}

static void write_text(const char *path, const char *text, size_t n)
{
    FILE *file = fopen(path, "wb");
    CU_ASSERT_FATAL(file != NULL);
    CHECK_UINT(fwrite(text, 1, n, file), n);
    fclose(file);
}

static json_t *some_state(void)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:[s,s]}", "uri", "http://127.0.0.1:1",
                     "experiment", "Default", "run_name", "a run", "key",
                     "0123456789abcdef0123456789abcdef", "start_time", 1000, "sent", 0, "files",
                     "config.ini", "none.png");
}

enum { N_ITEMS = 9 };

/* Leaves what a run leaves that was cut off before anything was sent. */
static void leave_run(const char *dir)
{
    struct weft_spool spool;
    CHECK_OK(weft_spool_create(&spool, dir, some_state(), &err), &err);
    weft_spool_add(&spool, "params", json_pack("{s:s, s:s}", "key", "lr", "value", "1"));
    for (int i = 1; i < N_ITEMS; i++) {
        weft_spool_add(&spool, "metrics",
                       json_pack("{s:s, s:f, s:i, s:i}", "key", "train/loss", "value", 1.0 / i,
                                 "timestamp", 1000 + i, "step", i));
    }
    weft_spool_flush(&spool);
    CHECK(!spool.failed);
    CHECK_UINT(spool.n_unsent, N_ITEMS);
    weft_spool_release(&spool);
    write_text(file_in(dir, "config.ini"), "", 0);
}

static weft_status sync_run(const char *dir, struct weft_track_outcome *outcome)
{
    const struct weft_track_target target = {.timeout = 1};
    return weft_track_sync(dir, &target, 60, NULL, NULL, outcome, &err);
}

/* ---- addresses ---- */

static void addresses(void)
{
    static const struct {
        const char *uri, *base, *user, *password;
    } good[] = {
        {"http://host", "http://host", NULL, NULL},
        {"https://host:1/a/b//", "https://host:1/a/b", NULL, NULL},
        {"http://me:p%40ss@host:80/", "http://host:80", "me", "p@ss"},
        {"http://me@[::1]:5000", "http://[::1]:5000", "me", NULL},
    };
    static const char *const bad[] = {"",
                                      "http://",
                                      "host",
                                      "ftp://host",
                                      "file:///s3cret",
                                      "http://me:s3cret@",
                                      "http://host/?s3cret",
                                      "http://host/#s3cret",
                                      "http://host:s3cret/",
                                      "sqlite:///s3cret"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct weft_address address = {0};
        CHECK_OK(weft_address_parse(good[i].uri, &address, &err), &err);
        CHECK_STR(address.base, good[i].base);
        CHECK((address.user == NULL) == (good[i].user == NULL));
        CHECK((address.password == NULL) == (good[i].password == NULL));
        if (address.user != NULL && good[i].user != NULL) {
            CHECK_STR(address.user, good[i].user);
        }
        if (address.password != NULL && good[i].password != NULL) {
            CHECK_STR(address.password, good[i].password);
        }
        weft_address_release(&address);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct weft_address address = {0};
        CHECK_STATUS(weft_address_parse(bad[i], &address, &err), WEFT_ERR_ARG, &err);
        CHECK(strstr(err.message, "s3cret") == NULL);
        CHECK(address.base == NULL);
    }
}

/* Files go to the server itself, or not at all. */
static void artifact_addresses(void)
{
    static const struct {
        const char *uri, *path; /* NULL: elsewhere */
    } cases[] = {
        {"mlflow-artifacts:/7/a b", "/api/2.0/mlflow-artifacts/artifacts/7/a%20b/x%3F.png"},
        {"mlflow-artifacts://host:1/7", "/api/2.0/mlflow-artifacts/artifacts/7/x%3F.png"},
        {"mlflow-artifacts://host:1", "/api/2.0/mlflow-artifacts/artifacts/x%3F.png"},
        {"mlflow-artifacts://host:12/7", NULL},
        {"mlflow-artifacts://other/7", NULL},
        {"mlflow-artifacts://host:1@other/7", NULL},
        {"mlflow-artifacts://host:1.other/7", NULL},
        {"s3://bucket/7", NULL},
        {"/plain/path", NULL},
        {"http://host:1/7", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *path = NULL;
        weft_status status =
            weft_address_of_artifact("http://host:1/base", cases[i].uri, "x?.png", &path, &err);
        CHECK_STATUS(status, cases[i].path != NULL ? WEFT_OK : WEFT_ERR_UNSUPPORTED, &err);
        if (path != NULL && cases[i].path != NULL) {
            CHECK_STR(path, cases[i].path);
        }
        weft_mem_free(path);
    }
}

/* ---- files ---- */

/* Whole lines are sent, wherever a crash cut the spool; the rest of a line is not. */
static void cut_spool(void)
{
    size_t n, n_state;
    const char *dir = directory("cut");
    leave_run(dir);
    char *text = read_text(file_in(dir, WEFT_TRACK_SPOOL_FILE), &n);
    char *state = read_text(file_in(dir, WEFT_TRACK_STATE_FILE), &n_state);
    for (size_t cut = 0; cut <= n; cut++) {
        struct weft_track_outcome outcome;
        size_t n_whole = 0;
        for (size_t i = 0; i < cut; i++) {
            n_whole += text[i] == '\n';
        }
        reset_server();
        write_text(file_in(dir, WEFT_TRACK_SPOOL_FILE), text, cut);
        write_text(file_in(dir, WEFT_TRACK_STATE_FILE), state, n_state);
        CHECK_OK(sync_run(dir, &outcome), &err);
        CHECK(outcome.complete);
        CHECK_UINT(n_metrics + n_pairs, n_whole);
        CHECK_UINT(outcome.n_sent, n_whole);
        CHECK_UINT(n_puts, 1); /* config.ini; none.png was never made */
        CHECK(access(file_in(dir, WEFT_TRACK_SPOOL_FILE), F_OK) != 0);
    }
    free(text);
    free(state);
}

/* mlflow.json: cut anywhere, or with any item missing or of another type. */
static void spoiled_state(void)
{
    size_t n;
    struct weft_track_outcome outcome;
    const char *dir = directory("spoiled");
    leave_run(dir);
    const char *path = file_in(dir, WEFT_TRACK_STATE_FILE);
    char *text = read_text(path, &n);
    reset_server();
    for (size_t cut = 0; cut + 2 < n; cut++) {
        write_text(path, text, cut);
        CHECK_STATUS(sync_run(dir, &outcome), WEFT_ERR_FORMAT, &err);
    }
    static const char *const keys[] = {"uri", "experiment", "run_name",
                                       "key", "start_time", "sent"};
    static const char *const values[] = {
        "null",        "-1", "[]", "{}", "\"\"", "true", "1.5", "[5]", "[\"/etc/passwd\"]",
        "[\"a/../b\"]"};
    static const char *const more[] = {"files",  "run_id", "experiment_id", "artifact_uri",
                                       "status", "done",   "end_time"};
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
        json_t *state = json_loads(text, 0, NULL);
        json_object_del(state, keys[k]);
        json_dump_file(state, path, 0);
        CHECK_STATUS(sync_run(dir, &outcome), WEFT_ERR_FORMAT, &err);
        CHECK_HAS(err.message, keys[k]);
        json_decref(state);
    }
    for (size_t i = 0; i < 13 * 10; i++) {
        const char *key = i % 13 < 6 ? keys[i % 13] : more[i % 13 - 6];
        const char *value = values[i / 13];
        bool good = (strcmp(key, "files") == 0 && strcmp(value, "[]") == 0) ||
                    (strcmp(key, "done") == 0 && strcmp(value, "true") == 0);
        json_t *state = json_loads(text, 0, NULL);
        json_object_set_new(state, key, json_loads(value, JSON_DECODE_ANY, NULL));
        json_dump_file(state, path, 0);
        if (!good) {
            CHECK_STATUS(sync_run(dir, &outcome), WEFT_ERR_FORMAT, &err);
        }
        json_decref(state);
    }
    CHECK_UINT(n_requests, 0);
    free(text);
}

/* The lock is asked before anything is read: what another program is writing may be half there. */
static void lock_before_reading(void)
{
    struct weft_track_outcome outcome;
    const char *dir = directory("locked");
    leave_run(dir);
    int ready[2], go[2];
    CU_ASSERT_FATAL(pipe(ready) == 0 && pipe(go) == 0);
    pid_t child = fork();
    if (child == 0) {
        struct weft_spool spool;
        char byte = weft_spool_open(&spool, dir, NULL) == WEFT_OK;
        if (write(ready[1], &byte, 1) != 1 || read(go[0], &byte, 1) != 1) {
            _exit(1);
        }
        _exit(0);
    }
    char byte = 0;
    CHECK(read(ready[0], &byte, 1) == 1 && byte == 1);
    write_text(file_in(dir, WEFT_TRACK_STATE_FILE), "{", 1);
    CHECK_STATUS(sync_run(dir, &outcome), WEFT_ERR_MISMATCH, &err);
    size_t n_unsent;
    CHECK_STATUS(weft_track_forget(dir, &n_unsent, &err), WEFT_ERR_MISMATCH, &err);
    CHECK(write(go[1], &byte, 1) == 1);
    waitpid(child, NULL, 0);
    CHECK_STATUS(sync_run(dir, &outcome), WEFT_ERR_FORMAT, &err);
    CHECK_OK(weft_track_forget(dir, &n_unsent, &err), &err);
    CHECK_UINT(n_unsent, N_ITEMS);
    CHECK(access(file_in(dir, WEFT_TRACK_SPOOL_FILE), F_OK) != 0);
    CHECK(access(file_in(dir, WEFT_TRACK_STATE_FILE), F_OK) != 0);
}

/* Lines of a length that fills what waits for writing to the last byte, and all others. */
static void full_buffer(void)
{
    const char *dir = directory("full");
    for (int len = 0; len < 80; len++) {
        struct weft_spool spool;
        CHECK_OK(weft_spool_create(&spool, dir, some_state(), &err), &err);
        for (int i = 0; i < 5000; i++) {
            weft_spool_add(&spool, "tags",
                           json_pack("{s:s%}", "k",
                                     "----------------------------"
                                     "----------------------------"
                                     "-------------------------",
                                     (size_t)len));
        }
        weft_spool_flush(&spool);
        CHECK(!spool.failed);
        CHECK_UINT((unsigned long long)spool.size,
                   5000ULL * (strlen("{\"tags\":{\"k\":\"\"}}\n") + (size_t)len));
        weft_spool_release(&spool);
    }
}

/* What has been sent gives its room back, once that is worth it. */
static void trimmed(void)
{
    struct weft_spool spool;
    CHECK_OK(weft_spool_create(&spool, directory("trimmed"), some_state(), &err), &err);
    off_t at = 0;
    while (spool.size < 2 << 20) {
        weft_spool_add(&spool, "tags", json_pack("{s:s}", "k", "v"));
        weft_spool_flush(&spool);
    }
    weft_spool_trim(&spool);
    CHECK(spool.size >= 2 << 20); /* not sent */
    weft_spool_accept(&spool, spool.size, spool.n_unsent);
    weft_spool_trim(&spool);
    CHECK_INT(spool.size, 0);
    weft_spool_add(&spool, "tags", json_pack("{s:s}", "new", "v"));
    weft_spool_flush(&spool);
    json_t *line = NULL;
    at = spool.sent;
    CHECK_INT(weft_spool_read(&spool, &at, &line, &err), WEFT_SPOOL_LINE);
    CHECK(json_object_get(json_object_get(line, "tags"), "new") != NULL);
    json_decref(line);
    CHECK_INT(weft_spool_read(&spool, &at, &line, &err), WEFT_SPOOL_END);
    weft_spool_release(&spool);
}

/* ---- memory ---- */

static size_t fail_json_at, n_json;

static void *json_alloc(size_t size)
{
    n_json++;
    return n_json == fail_json_at ? NULL : malloc(size);
}

/* Whatever allocation fails, of weft or of jansson: what was called complete is all there. */
static void no_memory(void)
{
    const char *dir = directory("memory");
    json_set_alloc_funcs(json_alloc, free);
    for (int pass = 0; pass < 2; pass++) {
        bool more = true;
        for (size_t i = 1; more; i++) {
            struct weft_track_outcome outcome = {0};
            leave_run(dir);
            reset_server();
            n_json = 0;
            size_t before = weft_mem_count();
            fail_json_at = pass == 0 ? i : 0;
            weft_mem_fail_at(pass == 0 ? 0 : i);
            weft_status status = sync_run(dir, &outcome);
            more = pass == 0 ? n_json >= i : weft_mem_count() - before >= i;
            fail_json_at = 0;
            weft_mem_fail_at(0);
            if (status == WEFT_OK && outcome.complete) {
                CHECK(n_metrics + n_pairs >= N_ITEMS);
                CHECK(n_puts >= 1 && n_updates >= 1);
            } else if (status != WEFT_ERR_NOMEM && status != WEFT_ERR_FORMAT) {
                /* jansson does not always tell lack of memory from a broken text */
                CHECK(status == WEFT_OK && outcome.problem[0] != '\0');
            }
            /* Later all of it arrives. */
            if (status != WEFT_OK || !outcome.complete) {
                CHECK_OK(sync_run(dir, &outcome), &err);
                CHECK(outcome.complete);
                CHECK(n_metrics + n_pairs >= N_ITEMS);
            }
        }
    }
    json_set_alloc_funcs(malloc, free);
}

/* ---- patience ---- */

static void busy_server(void)
{
    struct weft_track_outcome outcome;
    const char *dir = directory("busy");
    leave_run(dir);
    reset_server();
    refuse_until = 5;
    CHECK_OK(sync_run(dir, &outcome), &err);
    CHECK(outcome.complete);
    CHECK(n_pauses >= 1);
    CHECK_NEAR(first_pause, 7, 1e-9); /* as it asked */
    leave_run(dir);
    reset_server();
    is_deaf = true;
    CHECK_OK(sync_run(dir, &outcome), &err);
    CHECK(!outcome.complete);
    CHECK_UINT(outcome.n_unsent, N_ITEMS);
    CHECK_HAS(outcome.problem, "busy");
}

/* ---- the tracker ---- */

static weft_tracker *start_tracker(const char *dir, bool go_on)
{
    weft_tracker *tracker = NULL;
    const struct weft_track_target target = {.uri = "http://127.0.0.1:1", .timeout = 1};
    const struct weft_track_pair params[] = {{"lr", "1"}, {"epochs", "2"}}, tags[] = {{"a", "b"}};
    const struct weft_track_run run = {.dir = dir,
                                       .params = params,
                                       .n_params = 2,
                                       .tags = tags,
                                       .n_tags = 1,
                                       .every = 1,
                                       .go_on = go_on};
    CHECK_OK(weft_track_start(&target, &run, &tracker, &err), &err);
    CU_ASSERT_FATAL(tracker != NULL);
    return tracker;
}

static void end_tracker(weft_tracker *tracker, weft_score test, size_t epoch,
                        struct weft_track_outcome *outcome)
{
    const struct weft_track_end end = {
        .status = "FINISHED", .test = test, .epoch = epoch, .patience = 10};
    weft_track_end(tracker, &end);
    while (!weft_track_wait(tracker, 1)) {
    }
    weft_track_finish(tracker, outcome);
}

static weft_event epoch_event(size_t epoch)
{
    return (weft_event){.kind = WEFT_EVENT_EPOCH,
                        .epoch = epoch,
                        .train = {true, 0.5, 0.5},
                        .lr = 0.1,
                        .seconds = (double)epoch};
}

/* More steps at once than the queue holds: they are counted, and epochs still find room. */
static void overflow(void)
{
    struct weft_track_outcome outcome;
    const char *dir = directory("overflow");
    reset_server();
    is_deaf = true; /* so that the spool stays */
    weft_tracker *tracker = start_tracker(dir, false);
    for (size_t i = 1; i <= 200000; i++) {
        const weft_event event = {.kind = WEFT_EVENT_STEP, .step = i, .train = {true, 1, 0.5}};
        weft_track_event(tracker, &event);
    }
    const weft_event event = epoch_event(1);
    weft_track_event(tracker, &event);
    end_tracker(tracker, (weft_score){0}, 1, &outcome);
    CHECK(!outcome.complete);
    size_t n, n_steps = 0, n_epochs = 0, n_dropped = 0;
    FILE *stream = fopen(file_in(dir, WEFT_TRACK_SPOOL_FILE), "r");
    CU_ASSERT_FATAL(stream != NULL);
    char *line = NULL;
    while (getline(&line, &n, stream) > 0) {
        static const char tag[] = "\"weft.dropped_points\",\"value\":\"";
        n_steps += strstr(line, "\"batch/loss\"") != NULL;
        n_epochs += strstr(line, "\"train/loss\"") != NULL;
        const char *found = strstr(line, tag);
        n_dropped = found != NULL ? strtoul(found + strlen(tag), NULL, 10) : n_dropped;
    }
    free(line);
    fclose(stream);
    CHECK(n_dropped > 0);
    CHECK_UINT(n_steps + n_dropped, 200000);
    CHECK_UINT(n_epochs, 1);
}

/* A score on the test set goes with the network that is kept, once. */
static void kept_scores(void)
{
    static const struct {
        size_t tested, best, kept, n_wanted;
    } cases[] = {{0, 1, 3, 1}, {3, 1, 3, 1}, {2, 2, 2, 1}, {3, 1, 1, 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct weft_track_outcome outcome;
        const char *dir = directory("kept");
        size_t n, n_found = 0;
        reset_server();
        is_deaf = true;
        weft_tracker *tracker = start_tracker(dir, false);
        for (size_t epoch = 1; epoch <= 3; epoch++) {
            weft_event event = epoch_event(epoch);
            event.test.known = epoch == cases[i].tested;
            event.best_epoch = epoch < cases[i].best ? epoch : cases[i].best;
            weft_track_event(tracker, &event);
        }
        end_tracker(tracker, (weft_score){true, 0.25, 0.75}, cases[i].kept, &outcome);
        char *text = read_text(file_in(dir, WEFT_TRACK_SPOOL_FILE), &n);
        for (const char *at = text; (at = strstr(at, "\"test/loss\"")) != NULL; at++) {
            n_found++;
        }
        CHECK_UINT(n_found, cases[i].n_wanted);
        free(text);
    }
}

/* A resumed run goes on in the one that the directory holds, which is running again. */
static void going_on(void)
{
    struct weft_track_outcome outcome;
    const char *dir = directory("resumed");
    reset_server();
    weft_event event = epoch_event(1);
    weft_tracker *tracker = start_tracker(dir, true); /* none there yet: a new one */
    weft_track_event(tracker, &event);
    end_tracker(tracker, (weft_score){0}, 1, &outcome);
    CHECK(outcome.complete);
    CHECK_UINT(n_pairs, 3);
    CHECK_UINT(n_updates, 1);
    char where[sizeof outcome.where];
    memcpy(where, outcome.where, sizeof where);
    size_t before = n_metrics;
    tracker = start_tracker(dir, true);
    event = epoch_event(2);
    weft_track_event(tracker, &event);
    end_tracker(tracker, (weft_score){0}, 2, &outcome);
    CHECK(outcome.complete);
    CHECK_STR(outcome.where, where);
    CHECK_UINT(n_pairs, 4); /* tags alone: params stay as they are */
    CHECK(n_metrics > before);
    CHECK_UINT(n_updates, 3); /* RUNNING, FINISHED */
    CHECK_HAS(last_update, "\"status\":\"FINISHED\"");
    /* What was not sent before is sent then, too. */
    is_deaf = true;
    tracker = start_tracker(dir, true);
    event = epoch_event(3);
    weft_track_event(tracker, &event);
    end_tracker(tracker, (weft_score){0}, 3, &outcome);
    CHECK(!outcome.complete);
    reset_server();
    tracker = start_tracker(dir, true);
    event = epoch_event(4);
    weft_track_event(tracker, &event);
    end_tracker(tracker, (weft_score){0}, 4, &outcome);
    CHECK(outcome.complete);
    CHECK(n_metrics >= 8); /* four of each epoch */
    /* Elsewhere than where it is it cannot. */
    const struct weft_track_target other = {.uri = "http://127.0.0.1:2", .timeout = 1};
    const struct weft_track_run run = {.dir = dir, .go_on = true};
    CHECK_STATUS(weft_track_start(&other, &run, &tracker, &err), WEFT_ERR_ARG, &err);
}

int main(int argc, char **argv)
{
    static CU_TestInfo address_tests[] = {
        {"addresses", addresses},
        {"artifact addresses", artifact_addresses},
        CU_TEST_INFO_NULL,
    };
    static CU_TestInfo file_tests[] = {
        {"cut spool", cut_spool},
        {"spoiled state", spoiled_state},
        {"lock", lock_before_reading},
        {"full buffer", full_buffer},
        {"trimmed", trimmed},
        {"no memory", no_memory},
        CU_TEST_INFO_NULL,
    };
    static CU_TestInfo tracker_tests[] = {
        {"busy server", busy_server}, {"overflow", overflow}, {"kept scores", kept_scores},
        {"going on", going_on},       CU_TEST_INFO_NULL,
    };
    static const CU_SuiteInfo suites[] = {
        {"addresses", NULL, NULL, NULL, NULL, address_tests},
        {"files", NULL, NULL, NULL, NULL, file_tests},
        {"tracker", NULL, NULL, NULL, NULL, tracker_tests},
        CU_SUITE_INFO_NULL,
    };
    return harness_main(argc, argv, suites);
}
