/* The queue, the thread that empties it, and sending what an earlier run left. */
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/mem.h"
#include "track/mlflow_sender.h"
#include "track/system_usage.h"
#include "track/track.h"

enum {
    QUEUE = 4096,        /* events; steps may take three quarters, so that epochs find room */
    TICK = 1000,         /* milliseconds from one look at the queue to the next */
    SAMPLE_SECONDS = 10, /* as MLflow's own system metrics */
    SEND_SECONDS = 2,
    BACKOFF_SECONDS = 60, /* at most, from one try of a dead server to the next */
};

enum { OF_SERVER, OF_SPOOL, OF_ROOM, WARNINGS };

/* An event as it is kept: where its scores are known, they become metrics. */
struct point {
    bool is_step;
    size_t step; /* of a step its number, of an epoch the number of epochs */
    int64_t milliseconds;
    double lr, seconds;
    weft_score train, val, test;
};

struct weft_tracker {
    struct weft_address address;
    struct weft_track_target target; /* its texts are copies */
    struct weft_spool spool;
    struct weft_http *http;
    struct weft_sender sender;
    size_t every;
    bool goes_on; /* a run that began earlier */

    /* Written by the one who trains up to `head`, read by the thread from `tail`. */
    struct point *queue;
    atomic_size_t head, tail, n_dropped;
    atomic_bool woken;

    /* The thread's own. */
    struct weft_system_usage usage;
    double next_sample, next_try, backoff;
    bool refused;     /* the server will not, and asking again would change nothing */
    size_t n_samples; /* of the system: their step, as in MLflow */
    size_t n_thinned; /* points that the spool had no room for */
    bool closed;      /* the last item is in the spool */

    /* Said once each: of the server, of the spool, of its room. */
    char warnings[WARNINGS][600];
    bool warned[WARNINGS];
    atomic_bool ready[WARNINGS];
    bool taken[WARNINGS];

    /* The epochs, the last and the best, with which a score on the test set went into the queue. */
    size_t tested_last, tested_best;

    /* How the run ended: written before `ending`. */
    weft_score test;
    size_t epoch;
    double patience;
    char reason[600];
    const char *status;
    json_t *files;
    atomic_bool ending, aborted;

    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t condition;
    bool ended; /* under the mutex */
    enum weft_http_result result;
};

bool weft_track_available(void)
{
    return true;
}

weft_status weft_track_check(const struct weft_track_target *target, weft_error *err)
{
    struct weft_address address = {0};
    weft_status status = weft_address_parse(target->uri, &address, err);
    weft_address_release(&address);
    return status;
}

static int64_t now_milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Items of the spool. */

/* Without numbers that are not finite: JSON has none, and MLflow's pages stumble over them. */
static void add_metric(struct weft_spool *spool, const char *key, double value,
                       int64_t milliseconds, size_t step)
{
    if (isfinite(value)) {
        weft_spool_add(spool, "metrics",
                       json_pack("{s:s, s:f, s:I, s:I}", "key", key, "value", value, "timestamp",
                                 (json_int_t)milliseconds, "step", (json_int_t)step));
    }
}

static void add_score(struct weft_spool *spool, const char *name, const weft_score *score,
                      const struct point *point)
{
    char key[40];
    if (score->known) {
        snprintf(key, sizeof key, "%s/loss", name);
        add_metric(spool, key, score->loss, point->milliseconds, point->step);
        snprintf(key, sizeof key, "%s/accuracy", name);
        add_metric(spool, key, score->accuracy, point->milliseconds, point->step);
    }
}

static void add_point(struct weft_spool *spool, const struct point *point)
{
    if (point->is_step) {
        add_score(spool, "batch", &point->train, point);
        add_metric(spool, "batch/lr", point->lr, point->milliseconds, point->step);
        return;
    }
    add_score(spool, "train", &point->train, point);
    add_score(spool, "val", &point->val, point);
    add_score(spool, "test", &point->test, point);
    add_metric(spool, "lr", point->lr, point->milliseconds, point->step);
    add_metric(spool, "seconds", point->seconds, point->milliseconds, point->step);
}

/* Text that MLflow takes: valid UTF-8, not longer than `max`. */
static json_t *text_of(const char *value, size_t max)
{
    size_t len = strlen(value) < max ? strlen(value) : max;
    json_t *text = json_stringn(value, len);
    while (text == NULL && len > 0 && ((unsigned char)value[len] & 0xC0) == 0x80) {
        text = json_stringn(value, --len);
    }
    return text != NULL ? text : json_string("?");
}

/* "What MLflow takes as a key": letters, digits, _ - . / and space; others become '_'. */
static void add_pair(struct weft_spool *spool, const char *kind, const char *key, const char *value,
                     size_t max)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "_-. /";
    char name[251];
    snprintf(name, sizeof name, "%s", key);
    for (char *c = name + strspn(name, allowed); *c != '\0'; c += strspn(c, allowed)) {
        *c = '_';
    }
    weft_spool_add(spool, kind, json_pack("{s:s, s:o}", "key", name, "value", text_of(value, max)));
}

/* As mlflow.data does it: `source` and `profile` are JSON in a text. */
static void add_data(struct weft_spool *spool, const struct weft_track_data *data)
{
    json_t *source = json_pack("{s:o}", "uri", text_of(data->path, 4000));
    json_int_t n_rows = (json_int_t)data->n_samples;
    json_t *profile = json_pack("{s:I, s:I}", "num_rows", n_rows, "num_elements",
                                n_rows * (json_int_t)data->n_features);
    char source_text[8192] = "{}", profile_text[200] = "{}";
    size_t n_source = json_dumpb(source, source_text, sizeof source_text - 1, JSON_COMPACT);
    size_t n_profile = json_dumpb(profile, profile_text, sizeof profile_text - 1, JSON_COMPACT);
    json_decref(source);
    json_decref(profile);
    if (n_source < sizeof source_text && n_profile < sizeof profile_text) {
        source_text[n_source] = profile_text[n_profile] = '\0';
        weft_spool_add(spool, "datasets",
                       json_pack("{s:o, s:o, s:s, s:s, s:s}", "name", text_of(data->name, 250),
                                 "digest", text_of(data->digest, 36), "source_type", "local",
                                 "source", source_text, "profile", profile_text));
    }
}

static void add_run(struct weft_spool *spool, const struct weft_track_run *run, bool is_new)
{
    for (size_t i = 0; is_new && i < run->n_params; i++) {
        add_pair(spool, "params", run->params[i].key, run->params[i].value, 6000);
    }
    for (size_t i = 0; i < run->n_tags; i++) {
        add_pair(spool, "tags", run->tags[i].key, run->tags[i].value, 5000);
    }
    if (is_new && run->data != NULL) {
        add_data(spool, run->data);
    }
    weft_spool_flush(spool);
}

/* The thread. */

static void warn(weft_tracker *tracker, int which, const char *message)
{
    if (!tracker->warned[which]) {
        tracker->warned[which] = true;
        snprintf(tracker->warnings[which], sizeof tracker->warnings[which], "%s", message);
        atomic_store_explicit(&tracker->ready[which], true, memory_order_release);
    }
}

static void sample_system(weft_tracker *tracker)
{
    const char *names[WEFT_SYSTEM_METRICS];
    double values[WEFT_SYSTEM_METRICS];
    double now = weft_clock_seconds();
    bool last = atomic_load(&tracker->ending) && tracker->n_samples == 0;
    if (now < tracker->next_sample && !last) {
        return;
    }
    tracker->next_sample = now + SAMPLE_SECONDS;
    if (!weft_spool_has_room(&tracker->spool, false)) {
        return;
    }
    size_t n = weft_system_usage_sample(&tracker->usage, names, values);
    for (size_t i = 0; i < n; i++) {
        add_metric(&tracker->spool, names[i], values[i], now_milliseconds(), tracker->n_samples);
    }
    tracker->n_samples++;
}

static void keep_point(weft_tracker *tracker, const struct point *point)
{
    struct weft_spool *spool = &tracker->spool;
    if (weft_spool_has_room(spool, !point->is_step)) {
        add_point(spool, point);
        return;
    }
    weft_error text;
    (void)weft_fail(&text, WEFT_ERR_IO,
                    "%s: is as large as the disk allows: what happens in %s is no longer kept",
                    spool->path, point->is_step ? "batches" : "epochs");
    warn(tracker, OF_ROOM, text.message);
    tracker->n_thinned++;
}

/* From the queue into the spool. */
static void drain(weft_tracker *tracker)
{
    size_t tail = atomic_load_explicit(&tracker->tail, memory_order_relaxed);
    size_t head = atomic_load_explicit(&tracker->head, memory_order_acquire);
    atomic_store_explicit(&tracker->woken, false, memory_order_relaxed);
    for (; tail != head; tail++) {
        keep_point(tracker, &tracker->queue[tail % QUEUE]);
        atomic_store_explicit(&tracker->tail, tail + 1, memory_order_release);
    }
    sample_system(tracker);
    weft_spool_flush(&tracker->spool);
    if (tracker->spool.failed) {
        warn(tracker, OF_SPOOL, tracker->spool.problem.message);
    }
}

/* Runs while requests are on their way. */
static bool on_idle(void *user)
{
    weft_tracker *tracker = user;
    if (!tracker->closed) {
        drain(tracker);
    }
    return !atomic_load(&tracker->aborted);
}

static enum weft_http_result note(weft_tracker *tracker, enum weft_http_result result)
{
    double wait = SEND_SECONDS;
    if (result == WEFT_HTTP_AGAIN || result == WEFT_HTTP_REFUSED) {
        warn(tracker, OF_SERVER, tracker->sender.failure.message);
        tracker->refused = result == WEFT_HTTP_REFUSED;
        tracker->backoff = fmin(BACKOFF_SECONDS, fmax(SEND_SECONDS, 2 * tracker->backoff));
        wait = fmax(tracker->backoff, fmin(300, tracker->sender.retry_after));
    } else {
        tracker->backoff = 0;
    }
    tracker->next_try = weft_clock_seconds() + wait;
    return result;
}

/* What the state says of the end, and the last items. */
static void put_end(weft_tracker *tracker)
{
    struct weft_spool *spool = &tracker->spool;
    struct point last = {.step = tracker->epoch, .milliseconds = now_milliseconds()};
    char count[30];
    size_t n_dropped = atomic_load(&tracker->n_dropped) + tracker->n_thinned;
    if (tracker->epoch != tracker->tested_last && tracker->epoch != tracker->tested_best) {
        add_score(spool, "test", &tracker->test, &last);
    }
    if (tracker->reason[0] != '\0') {
        add_pair(spool, "tags", "weft.reason", tracker->reason, 5000);
    }
    if (n_dropped > 0) {
        snprintf(count, sizeof count, "%zu", n_dropped);
        add_pair(spool, "tags", "weft.dropped_points", count, 5000);
    }
    weft_spool_flush(spool);
    weft_spool_set(spool, "status", json_string(tracker->status));
    weft_spool_set(spool, "end_time", json_integer((json_int_t)last.milliseconds));
    if (tracker->files != NULL) { /* else what was listed at the start */
        weft_spool_set(spool, "files", json_incref(tracker->files));
    }
    weft_spool_save(spool);
    tracker->closed = true;
}

static void *work(void *user)
{
    weft_tracker *tracker = user;
    while (!atomic_load(&tracker->ending)) {
        drain(tracker);
        if (!tracker->refused && weft_clock_seconds() >= tracker->next_try) {
            note(tracker, weft_sender_items(&tracker->sender));
        }
        if (!atomic_load(&tracker->ending)) {
            weft_http_sleep(tracker->http, TICK);
        }
    }
    drain(tracker);
    put_end(tracker);
    enum weft_http_result result = WEFT_HTTP_REFUSED;
    if (!tracker->refused) {
        result = note(tracker, weft_sender_finish(&tracker->sender, tracker->patience));
    }
    pthread_mutex_lock(&tracker->mutex);
    tracker->ended = true;
    tracker->result = result;
    pthread_cond_signal(&tracker->condition);
    pthread_mutex_unlock(&tracker->mutex);
    return NULL;
}

/* Making and ending. */

/* 32 hexadecimal digits that no other run has. */
static void make_key(char key[33])
{
    uint64_t random[2] = {(uint64_t)now_milliseconds(), (uint64_t)getpid()};
    FILE *stream = fopen("/dev/urandom", "rbe");
    if (stream != NULL) {
        (void)!fread(random, sizeof random, 1, stream);
        fclose(stream);
    }
    snprintf(key, 33, "%016llx%016llx", (unsigned long long)random[0],
             (unsigned long long)random[1]);
}

static json_t *list_of(const char *const *files, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; list != NULL && i < n; i++) {
        if (json_array_append_new(list, json_string(files[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *first_state(const weft_tracker *tracker, const struct weft_track_run *run)
{
    char key[33];
    make_key(key);
    const struct weft_track_target *target = &tracker->target;
    return json_pack(
        "{s:s, s:o, s:o, s:s, s:I, s:i, s:o}", "uri", tracker->address.base, "experiment",
        text_of(target->experiment != NULL ? target->experiment : "Default", 500), "run_name",
        text_of(target->run_name != NULL ? target->run_name : run->dir, 250), "key", key,
        "start_time", (json_int_t)now_milliseconds(), "sent", 0, "files",
        list_of(run->files, run->n_files));
}

static bool copy_text(const char **text)
{
    *text = *text != NULL ? weft_mem_strdup(*text) : NULL;
    return *text != NULL;
}

/* A copy of a target that does not depend on the caller's texts. */
static weft_status copy_target(struct weft_track_target *to, const struct weft_track_target *from,
                               weft_error *err)
{
    *to = *from;
    const char **texts[] = {&to->uri,      &to->experiment, &to->run_name, &to->username,
                            &to->password, &to->token,      &to->ca_file};
    bool ok = true;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        bool given = *texts[i] != NULL;
        ok = copy_text(texts[i]) == given && ok;
    }
    return ok ? WEFT_OK : weft_fail_nomem(err, "tracking");
}

static void release_target(struct weft_track_target *target)
{
    const char *texts[] = {target->uri,      target->experiment, target->run_name, target->username,
                           target->password, target->token,      target->ca_file};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        weft_mem_free((char *)texts[i]);
    }
}

static void free_tracker(weft_tracker *tracker)
{
    pthread_mutex_destroy(&tracker->mutex);
    pthread_cond_destroy(&tracker->condition);
    weft_http_free(tracker->http);
    weft_spool_release(&tracker->spool);
    weft_address_release(&tracker->address);
    release_target(&tracker->target);
    json_decref(tracker->files);
    weft_mem_free(tracker->queue);
    weft_mem_free(tracker);
}

/* Signals are for the thread that trains. */
static weft_status start_thread(weft_tracker *tracker, weft_error *err)
{
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int failed = pthread_create(&tracker->thread, NULL, work, tracker);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return failed == 0 ? WEFT_OK : weft_fail_errno(err, failed, "tracking: cannot start a thread");
}

/* A run that has an end gets another one. */
static weft_status go_on(weft_tracker *tracker, const struct weft_track_run *run, weft_error *err)
{
    struct weft_spool *spool = &tracker->spool;
    weft_status status = weft_spool_continue(spool, run->dir, err);
    if (status != WEFT_OK) {
        return status;
    }
    const char *own = weft_spool_text(spool, "uri");
    if (strcmp(own, tracker->address.base) != 0) {
        return weft_fail(err, WEFT_ERR_ARG, "wanted %s, where the run has begun; got %s", own,
                         tracker->address.base);
    }
    static const char *const of_the_end[] = {"status", "end_time", "done"};
    for (size_t i = 0; i < sizeof of_the_end / sizeof *of_the_end; i++) {
        (void)json_object_del(spool->state, of_the_end[i]);
    }
    weft_spool_set(spool, "resumed", json_true());
    weft_spool_set(spool, "files", list_of(run->files, run->n_files));
    tracker->goes_on = true;
    return weft_spool_save(spool)
               ? WEFT_OK
               : weft_fail(err, spool->problem.status, "%s", spool->problem.message);
}

static weft_status open_spool(weft_tracker *tracker, const struct weft_track_run *run,
                              weft_error *err)
{
    weft_status status = WEFT_ERR_IO;
    if (run->go_on) {
        status = go_on(tracker, run, err);
    }
    if (status == WEFT_ERR_IO && (!run->go_on || err->saved_errno == ENOENT)) {
        status = weft_spool_create(&tracker->spool, run->dir, first_state(tracker, run), err);
    }
    tracker->spool.reserve = run->reserve;
    return status;
}

static weft_status prepare(weft_tracker *tracker, const struct weft_track_target *target,
                           const struct weft_track_run *run, weft_error *err)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&tracker->mutex, NULL);
    pthread_cond_init(&tracker->condition, &attributes);
    pthread_condattr_destroy(&attributes);
    tracker->every = run->every;
    tracker->next_sample = weft_clock_seconds() + SAMPLE_SECONDS;
    tracker->queue = weft_mem_alloc(QUEUE, sizeof *tracker->queue);
    if (tracker->queue == NULL) {
        return weft_fail_nomem(err, "tracking");
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    weft_system_usage_init(&tracker->usage);
    weft_status status = copy_target(&tracker->target, target, err);
    if (status == WEFT_OK) {
        status = weft_address_parse(target->uri, &tracker->address, err);
    }
    if (status == WEFT_OK) {
        status = weft_http_new(&tracker->address, &tracker->target, on_idle, tracker,
                               &tracker->http, err);
    }
    return status == WEFT_OK ? open_spool(tracker, run, err) : status;
}

weft_status weft_track_start(const struct weft_track_target *target,
                             const struct weft_track_run *run, weft_tracker **out, weft_error *err)
{
    weft_tracker *tracker = weft_mem_zalloc(1, sizeof *tracker);
    if (tracker == NULL) {
        return weft_fail_nomem(err, "tracking");
    }
    weft_status status = prepare(tracker, target, run, err);
    if (status == WEFT_OK) {
        add_run(&tracker->spool, run, !tracker->goes_on);
        tracker->sender = (struct weft_sender){
            .http = tracker->http, .spool = &tracker->spool, .base = tracker->address.base};
        status = start_thread(tracker, err);
    }
    if (status != WEFT_OK) {
        free_tracker(tracker);
        return status;
    }
    *out = tracker;
    return WEFT_OK;
}

static bool wanted(const weft_tracker *tracker, const weft_event *event)
{
    return event->kind == WEFT_EVENT_EPOCH ||
           (event->kind == WEFT_EVENT_STEP && tracker->every > 0 &&
            event->step % tracker->every == 0);
}

void weft_track_event(weft_tracker *tracker, const weft_event *event)
{
    if (tracker == NULL || !wanted(tracker, event)) {
        return;
    }
    const bool is_step = event->kind == WEFT_EVENT_STEP;
    size_t head = atomic_load_explicit(&tracker->head, memory_order_relaxed);
    size_t used = head - atomic_load_explicit(&tracker->tail, memory_order_acquire);
    if (used >= QUEUE || (is_step && used >= QUEUE / 4 * 3)) {
        atomic_fetch_add_explicit(&tracker->n_dropped, 1, memory_order_relaxed);
        return;
    }
    tracker->queue[head % QUEUE] = (struct point){.is_step = is_step,
                                                  .step = is_step ? event->step : event->epoch,
                                                  .milliseconds = now_milliseconds(),
                                                  .lr = event->lr,
                                                  .seconds = event->seconds,
                                                  .train = event->train,
                                                  .val = event->val,
                                                  .test = event->test};
    atomic_store_explicit(&tracker->head, head + 1, memory_order_release);
    if (!is_step && event->test.known) {
        tracker->tested_last = event->epoch;
        tracker->tested_best =
            event->best_epoch == event->epoch ? event->epoch : tracker->tested_best;
    }
    if (used >= QUEUE / 2 && !atomic_exchange(&tracker->woken, true)) {
        weft_http_wakeup(tracker->http);
    }
}

bool weft_track_warning(weft_tracker *tracker, char *text, size_t size)
{
    for (int i = 0; tracker != NULL && i < WARNINGS; i++) {
        if (!tracker->taken[i] && atomic_load_explicit(&tracker->ready[i], memory_order_acquire)) {
            tracker->taken[i] = true;
            snprintf(text, size, "%s", tracker->warnings[i]);
            return true;
        }
    }
    return false;
}

void weft_track_end(weft_tracker *tracker, const struct weft_track_end *end)
{
    tracker->status = end->status;
    tracker->test = end->test;
    tracker->epoch = end->epoch;
    snprintf(tracker->reason, sizeof tracker->reason, "%s", end->reason != NULL ? end->reason : "");
    tracker->patience = end->patience;
    tracker->files = list_of(end->files, end->n_files);
    atomic_store(&tracker->ending, true);
    weft_http_wakeup(tracker->http);
}

bool weft_track_wait(weft_tracker *tracker, double seconds)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    long nanoseconds = until.tv_nsec + (long)(fmod(seconds, 1) * 1e9);
    until.tv_sec += (time_t)seconds + nanoseconds / 1000000000;
    until.tv_nsec = nanoseconds % 1000000000;
    pthread_mutex_lock(&tracker->mutex);
    int failed = 0;
    while (!tracker->ended && failed == 0) {
        failed = pthread_cond_timedwait(&tracker->condition, &tracker->mutex, &until);
    }
    bool ended = tracker->ended;
    pthread_mutex_unlock(&tracker->mutex);
    return ended;
}

static void describe(struct weft_spool *spool, const struct weft_sender *sender,
                     enum weft_http_result result, struct weft_track_outcome *outcome)
{
    bool done = weft_spool_flag(spool, "done");
    *outcome = (struct weft_track_outcome){
        .complete = done && spool->n_lost == 0,
        .n_sent = sender->n_sent,
        .n_unsent = done ? 0 : spool->n_unsent,
        .n_files_unsent = json_array_size(json_object_get(spool->state, "files")),
        .n_lost = spool->n_lost};
    const char *run_id = weft_spool_text(spool, "run_id");
    if (run_id != NULL) {
        snprintf(outcome->where, sizeof outcome->where, "%s/#/experiments/%s/runs/%s",
                 weft_spool_text(spool, "uri"), weft_spool_text(spool, "experiment_id"), run_id);
    }
    const char *problem = sender->dropped.message;
    if (result != WEFT_HTTP_OK) {
        problem = sender->failure.message;
    } else if (*problem == '\0' && spool->failed) {
        problem = spool->problem.message;
    }
    snprintf(outcome->problem, sizeof outcome->problem, "%s", problem);
}

void weft_track_finish(weft_tracker *tracker, struct weft_track_outcome *outcome)
{
    if (tracker == NULL) {
        *outcome = (struct weft_track_outcome){0};
        return;
    }
    atomic_store(&tracker->aborted, true);
    weft_http_wakeup(tracker->http);
    pthread_join(tracker->thread, NULL);
    describe(&tracker->spool, &tracker->sender, tracker->result, outcome);
    for (int i = 0; i < WARNINGS; i++) {
        if (tracker->taken[i] && strcmp(tracker->warnings[i], outcome->problem) == 0) {
            outcome->problem[0] = '\0';
        }
    }
    free_tracker(tracker);
}

/* When the spool was last written. */
static json_int_t last_sign_of_life(const struct weft_spool *spool)
{
    struct stat info;
    json_int_t start = json_integer_value(json_object_get(spool->state, "start_time"));
    json_int_t found = start;
    if (fstat(spool->fd, &info) == 0) {
        found = (json_int_t)info.st_mtim.tv_sec * 1000 + info.st_mtim.tv_nsec / 1000000;
    }
    return found > start ? found : start;
}

/* Of the files that the run was to leave, those that it left. */
static json_t *existing_files(const struct weft_spool *spool)
{
    json_t *files = json_deep_copy(json_object_get(spool->state, "files"));
    for (size_t i = json_array_size(files); i-- > 0;) {
        const char *file = json_string_value(json_array_get(files, i));
        size_t size = strlen(spool->dir) + strlen(file) + 2;
        char *path = weft_mem_alloc(size, 1);
        if (path != NULL) {
            snprintf(path, size, "%s/%s", spool->dir, file);
            if (access(path, F_OK) != 0) {
                (void)json_array_remove(files, i);
            }
            weft_mem_free(path);
        }
    }
    return files;
}

/* A run that was cut off left no status. */
static void settle_end(struct weft_spool *spool)
{
    if (json_object_get(spool->state, "end_time") == NULL) {
        weft_spool_set(spool, "end_time", json_integer(last_sign_of_life(spool)));
    }
    if (weft_spool_text(spool, "status") == NULL) {
        weft_spool_set(spool, "files", existing_files(spool));
        weft_spool_set(spool, "status", json_string("KILLED"));
    }
}

/* The address that the state names, or the one that was asked for where the run has not begun. */
static weft_status choose_address(struct weft_spool *spool, const char *uri,
                                  struct weft_address *out, weft_error *err)
{
    const char *own = weft_spool_text(spool, "uri");
    weft_status status = weft_address_parse(uri != NULL ? uri : own, out, err);
    if (status != WEFT_OK || strcmp(out->base, own) == 0) {
        return status;
    }
    if (weft_spool_text(spool, "experiment_id") != NULL) {
        return weft_fail(err, WEFT_ERR_ARG, "wanted %s, where the run has begun; got %s", own,
                         out->base);
    }
    weft_spool_set(spool, "uri", json_string(out->base));
    return WEFT_OK;
}

weft_status weft_track_sync(const char *dir, const struct weft_track_target *target, double seconds,
                            weft_track_patience *patience, void *user,
                            struct weft_track_outcome *outcome, weft_error *err)
{
    struct weft_spool spool = {0};
    struct weft_address address = {0};
    struct weft_http *http = NULL;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    weft_status status = weft_spool_open(&spool, dir, err);
    if (status != WEFT_OK) {
        return status;
    }
    struct weft_sender sender = {.spool = &spool};
    enum weft_http_result result = WEFT_HTTP_OK;
    if (!weft_spool_flag(&spool, "done")) {
        status = choose_address(&spool, target->uri, &address, err);
        if (status == WEFT_OK) {
            status = weft_http_new(&address, target, patience, user, &http, err);
        }
        if (status == WEFT_OK) {
            sender.http = http;
            sender.base = address.base;
            settle_end(&spool);
            result = weft_sender_finish(&sender, seconds);
        }
    }
    if (status == WEFT_OK) {
        describe(&spool, &sender, result, outcome);
    }
    weft_http_free(http);
    weft_address_release(&address);
    weft_spool_release(&spool);
    return status;
}
