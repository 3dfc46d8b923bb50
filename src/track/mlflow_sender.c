/* The order of calls is that of MLflow's own client: get-by-name, create, log-batch, log-inputs,
 * the artifacts, update (mlflow.org/docs/latest/rest-api.html). */
#include "track/mlflow_sender.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/mem.h"
#include "track/track_state.h"

/* Of one log-batch (mlflow/utils/validation.py): 1000 items, of which 100 params and 100 tags, and
 * a megabyte. */
enum { MAX_ITEMS = 1000, MAX_PAIRS = 100, MAX_BYTES = 900000 };

static enum weft_http_result fail(struct weft_sender *sender, enum weft_http_result result,
                                  struct weft_http_answer *answer)
{
    if (result != WEFT_HTTP_ABORTED) {
        (void)weft_fail(&sender->failure, WEFT_ERR_IO, "%s", answer->message);
    }
    sender->retry_after = answer->retry_after;
    weft_http_answer_release(answer);
    return result;
}

static enum weft_http_result get(struct weft_sender *sender, const char *path,
                                 struct weft_http_answer *answer)
{
    enum weft_http_result result = weft_http_get(sender->http, path, answer);
    sender->n_done += result == WEFT_HTTP_OK;
    return result;
}

static enum weft_http_result post(struct weft_sender *sender, const char *path, json_t *body,
                                  struct weft_http_answer *answer)
{
    enum weft_http_result result = weft_http_post(sender->http, path, body, answer);
    sender->n_done += result == WEFT_HTTP_OK;
    return result;
}

static enum weft_http_result fail_with(struct weft_sender *sender, enum weft_http_result result,
                                       const char *what)
{
    (void)weft_fail(&sender->failure, WEFT_ERR_IO, "%s: %s", sender->base, what);
    sender->retry_after = 0;
    return result;
}

static void drop(struct weft_sender *sender, const char *message)
{
    if (sender->dropped.message[0] == '\0') {
        (void)weft_fail(&sender->dropped, WEFT_ERR_IO, "%s", message);
    }
}

/* Keeps an identifier of an answer in the state; false where it is none. */
static bool keep(struct weft_sender *sender, const char *key, const json_t *value)
{
    if (!weft_state_is_id(value)) {
        return false;
    }
    weft_spool_set(sender->spool, key, json_string(json_string_value(value)));
    return weft_spool_text(sender->spool, key) != NULL;
}

/* The experiment may be made by somebody else between two calls: then it is asked for again. */
static enum weft_http_result find_experiment(struct weft_sender *sender, bool may_create)
{
    const char *name = weft_spool_text(sender->spool, "experiment");
    struct weft_http_answer answer;
    char *escaped = weft_http_escape(sender->http, name != NULL ? name : "Default");
    size_t size = (escaped != NULL ? strlen(escaped) : 0) + 80;
    char *path = weft_mem_alloc(size, 1);
    if (escaped == NULL || path == NULL) {
        weft_mem_free(escaped);
        weft_mem_free(path);
        return fail_with(sender, WEFT_HTTP_AGAIN, "no memory for a request");
    }
    snprintf(path, size, "/api/2.0/mlflow/experiments/get-by-name?experiment_name=%s", escaped);
    enum weft_http_result result = get(sender, path, &answer);
    weft_mem_free(escaped);
    weft_mem_free(path);
    if (result == WEFT_HTTP_REFUSED && may_create &&
        strcmp(answer.error_code, "RESOURCE_DOES_NOT_EXIST") == 0) {
        weft_http_answer_release(&answer);
        result = post(sender, "/api/2.0/mlflow/experiments/create",
                      json_pack("{s:s}", "name", name), &answer);
        if (result == WEFT_HTTP_REFUSED &&
            strcmp(answer.error_code, "RESOURCE_ALREADY_EXISTS") == 0) {
            weft_http_answer_release(&answer);
            return find_experiment(sender, false);
        }
    }
    if (result != WEFT_HTTP_OK) {
        return fail(sender, result, &answer);
    }
    const json_t *found = json_object_get(answer.body, "experiment");
    const char *stage = json_string_value(json_object_get(found, "lifecycle_stage"));
    found = found != NULL ? found : answer.body;
    if (stage != NULL && strcmp(stage, "deleted") == 0) {
        result = fail_with(sender, WEFT_HTTP_REFUSED,
                           "the experiment of that name is deleted; "
                           "restore it or choose another name");
    } else if (!keep(sender, "experiment_id", json_object_get(found, "experiment_id"))) {
        result = fail_with(sender, WEFT_HTTP_AGAIN, "an answer has no experiment_id");
    } else {
        weft_spool_save(sender->spool);
    }
    weft_http_answer_release(&answer);
    return result;
}

static enum weft_http_result keep_run(struct weft_sender *sender, const json_t *run)
{
    const json_t *info = json_object_get(run, "info");
    const json_t *id = json_object_get(info, "run_id");
    id = id != NULL ? id : json_object_get(info, "run_uuid"); /* before MLflow 1.0 */
    const json_t *place = json_object_get(info, "artifact_uri");
    if (json_string_length(place) > 0) {
        weft_spool_set(sender->spool, "artifact_uri", json_string(json_string_value(place)));
        if (weft_spool_text(sender->spool, "artifact_uri") == NULL) {
            return fail_with(sender, WEFT_HTTP_AGAIN, "no memory for an answer");
        }
    }
    if (!keep(sender, "run_id", id)) {
        return fail_with(sender, WEFT_HTTP_AGAIN, "an answer has no run_id");
    }
    weft_spool_save(sender->spool);
    return WEFT_HTTP_OK;
}

/* Where the answer to an earlier runs/create was lost, the run may be there: the tag weft.key finds
 * it. */
static enum weft_http_result search_run(struct weft_sender *sender)
{
    char filter[100];
    struct weft_http_answer answer;
    snprintf(filter, sizeof filter, "tags.`weft.key` = '%.40s'",
             weft_spool_text(sender->spool, "key"));
    enum weft_http_result result = post(sender, "/api/2.0/mlflow/runs/search",
                                        json_pack("{s:[s], s:s, s:i}", "experiment_ids",
                                                  weft_spool_text(sender->spool, "experiment_id"),
                                                  "filter", filter, "max_results", 1),
                                        &answer);
    if (result != WEFT_HTTP_OK) {
        return fail(sender, result, &answer);
    }
    const json_t *run = json_array_get(json_object_get(answer.body, "runs"), 0);
    result = run != NULL ? keep_run(sender, run) : WEFT_HTTP_OK;
    weft_http_answer_release(&answer);
    return result;
}

static enum weft_http_result create_run(struct weft_sender *sender)
{
    struct weft_spool *spool = sender->spool;
    struct weft_http_answer answer;
    if (weft_spool_flag(spool, "asked")) {
        enum weft_http_result result = search_run(sender);
        if (result != WEFT_HTTP_OK || weft_spool_text(spool, "run_id") != NULL) {
            return result;
        }
    }
    weft_spool_set(spool, "asked", json_true());
    weft_spool_save(spool);
    const char *name = weft_spool_text(spool, "run_name");
    json_t *body =
        json_pack("{s:s, s:s, s:O, s:[{s:s,s:s},{s:s,s:s}]}", "experiment_id",
                  weft_spool_text(spool, "experiment_id"), "run_name", name, "start_time",
                  json_object_get(spool->state, "start_time"), "tags", "key", "mlflow.runName",
                  "value", name, "key", "weft.key", "value", weft_spool_text(spool, "key"));
    enum weft_http_result result = post(sender, "/api/2.0/mlflow/runs/create", body, &answer);
    if (result != WEFT_HTTP_OK) {
        return fail(sender, result, &answer);
    }
    result = keep_run(sender, json_object_get(answer.body, "run"));
    weft_http_answer_release(&answer);
    return result;
}

/* A run that had ended and goes on: as MLflow's own client starts one that is there. */
static enum weft_http_result resume_run(struct weft_sender *sender)
{
    struct weft_http_answer answer;
    json_t *body = json_pack("{s:s, s:s}", "run_id", weft_spool_text(sender->spool, "run_id"),
                             "status", "RUNNING");
    enum weft_http_result result = post(sender, "/api/2.0/mlflow/runs/update", body, &answer);
    if (result != WEFT_HTTP_OK) {
        return fail(sender, result, &answer);
    }
    weft_http_answer_release(&answer);
    weft_spool_set(sender->spool, "resumed", json_false());
    weft_spool_save(sender->spool);
    return WEFT_HTTP_OK;
}

/* What of the spool goes into one request. */
struct batch {
    json_t *items[3]; /* as in `kinds` */
    json_t *dataset;  /* goes alone */
    size_t n;
    off_t end;
};

static const char *const kinds[3] = {"metrics", "params", "tags"};

enum taken { TAKEN, FOR_THE_NEXT, NO_MEMORY };

static enum taken take_line(struct weft_sender *sender, struct batch *batch, const json_t *line)
{
    json_t *dataset = json_object_get(line, "datasets");
    if (dataset != NULL) {
        batch->dataset = batch->n == 0 ? json_incref(dataset) : NULL;
        return batch->n == 0 ? TAKEN : FOR_THE_NEXT;
    }
    for (size_t k = 0; k < 3; k++) {
        json_t *item = json_object_get(line, kinds[k]);
        if (item != NULL && k > 0 && json_array_size(batch->items[k]) >= MAX_PAIRS) {
            return FOR_THE_NEXT;
        }
        if (item != NULL) {
            return json_array_append(batch->items[k], item) == 0 ? TAKEN : NO_MEMORY;
        }
    }
    drop(sender, "mlflow.spool: a line is none that weft wrote");
    return TAKEN;
}

static enum weft_http_result no_memory(struct weft_sender *sender)
{
    return fail_with(sender, WEFT_HTTP_AGAIN, "no memory for a batch");
}

/* An empty batch: nothing is left. */
static enum weft_http_result fill_batch(struct weft_sender *sender, struct batch *batch)
{
    size_t limit = sender->limit > 0 ? sender->limit : MAX_ITEMS;
    off_t start = sender->spool->sent, at = start;
    batch->end = start;
    for (size_t k = 0; k < 3; k++) {
        batch->items[k] = json_array();
        if (batch->items[k] == NULL) {
            return no_memory(sender);
        }
    }
    while (batch->n < limit && batch->dataset == NULL && at - start < MAX_BYTES) {
        json_t *line = NULL;
        enum weft_spool_result read = weft_spool_read(sender->spool, &at, &line, &sender->failure);
        if (read != WEFT_SPOOL_LINE) {
            return read == WEFT_SPOOL_END ? WEFT_HTTP_OK : WEFT_HTTP_AGAIN;
        }
        enum taken taken = take_line(sender, batch, line);
        json_decref(line);
        if (taken != TAKEN) {
            return taken == NO_MEMORY ? no_memory(sender) : WEFT_HTTP_OK;
        }
        batch->n++;
        batch->end = at;
    }
    return WEFT_HTTP_OK;
}

static enum weft_http_result post_batch(struct weft_sender *sender, struct batch *batch,
                                        struct weft_http_answer *answer)
{
    const char *run_id = weft_spool_text(sender->spool, "run_id");
    if (batch->dataset != NULL) {
        json_t *body =
            json_pack("{s:s, s:[{s:[{s:s,s:s}], s:O}]}", "run_id", run_id, "datasets", "tags",
                      "key", "mlflow.data.context", "value", "training", "dataset", batch->dataset);
        return post(sender, "/api/2.0/mlflow/runs/log-inputs", body, answer);
    }
    json_t *body = json_pack("{s:s, s:O, s:O, s:O}", "run_id", run_id, kinds[0], batch->items[0],
                             kinds[1], batch->items[1], kinds[2], batch->items[2]);
    return post(sender, "/api/2.0/mlflow/runs/log-batch", body, answer);
}

static void accept(struct weft_sender *sender, const struct batch *batch)
{
    weft_spool_accept(sender->spool, batch->end, batch->n);
}

/* Data sets are new in MLflow 2.4: a server that does not know them, or not these, goes without. */
static bool is_unknown(long code)
{
    return code == 400 || code == 404 || code == 405 || code == 501;
}

/* Of a batch that the server refuses as such (400: an item is not right, 413: too much), halves are
 * tried, down to the one item that is to blame. */
static enum weft_http_result send_batch(struct weft_sender *sender, struct batch *batch)
{
    struct weft_http_answer answer;
    enum weft_http_result result = post_batch(sender, batch, &answer);
    if (result == WEFT_HTTP_OK) {
        sender->n_sent += batch->n;
        sender->limit = sender->limit > 0 && sender->limit < MAX_ITEMS ? 2 * sender->limit : 0;
        accept(sender, batch);
    } else if (batch->dataset != NULL && is_unknown(answer.code)) {
        accept(sender, batch);
    } else if (result == WEFT_HTTP_REFUSED && (answer.code == 400 || answer.code == 413)) {
        if (batch->n == 1) {
            drop(sender, answer.message);
            accept(sender, batch);
        } else {
            sender->limit = batch->n / 2;
        }
    } else {
        return fail(sender, result, &answer);
    }
    weft_http_answer_release(&answer);
    return WEFT_HTTP_OK;
}

static void release_batch(struct batch *batch)
{
    for (size_t k = 0; k < 3; k++) {
        json_decref(batch->items[k]);
    }
    json_decref(batch->dataset);
}

static enum weft_http_result send_batches(struct weft_sender *sender)
{
    enum weft_http_result result = WEFT_HTTP_OK;
    bool more = true;
    while (result == WEFT_HTTP_OK && more) {
        struct batch batch = {0};
        weft_spool_flush(sender->spool);
        result = fill_batch(sender, &batch);
        more = batch.n > 0;
        if (result == WEFT_HTTP_OK && more) {
            result = send_batch(sender, &batch);
        }
        release_batch(&batch);
    }
    if (result == WEFT_HTTP_OK) {
        weft_spool_trim(sender->spool);
    }
    return result;
}

enum weft_http_result weft_sender_items(struct weft_sender *sender)
{
    enum weft_http_result result = WEFT_HTTP_OK;
    if (weft_spool_text(sender->spool, "experiment_id") == NULL) {
        result = find_experiment(sender, true);
    }
    if (result == WEFT_HTTP_OK && weft_spool_text(sender->spool, "run_id") == NULL) {
        result = create_run(sender);
    }
    if (result == WEFT_HTTP_OK && weft_spool_flag(sender->spool, "resumed")) {
        result = resume_run(sender);
    }
    return result == WEFT_HTTP_OK ? send_batches(sender) : result;
}

static enum weft_http_result put_stream(struct weft_sender *sender, const char *file, FILE *stream,
                                        size_t size)
{
    char *path = NULL;
    weft_error err;
    const char *artifact_uri = weft_spool_text(sender->spool, "artifact_uri");
    weft_status status = weft_address_of_artifact(
        sender->base, artifact_uri != NULL ? artifact_uri : "", file, &path, &err);
    if (status == WEFT_ERR_NOMEM) {
        return fail_with(sender, WEFT_HTTP_AGAIN, err.message);
    }
    if (status != WEFT_OK) {
        drop(sender, err.message);
        return WEFT_HTTP_OK;
    }
    struct weft_http_answer answer;
    enum weft_http_result result = weft_http_put(sender->http, path, stream, size, &answer);
    sender->n_done += result == WEFT_HTTP_OK;
    weft_mem_free(path);
    if (result == WEFT_HTTP_REFUSED && answer.code != 401 && answer.code != 403) {
        (void)weft_fail(&err, WEFT_ERR_IO, "%s: %s", file, answer.message);
        drop(sender, err.message);
        result = WEFT_HTTP_OK;
    }
    if (result != WEFT_HTTP_OK) {
        return fail(sender, result, &answer);
    }
    weft_http_answer_release(&answer);
    return WEFT_HTTP_OK;
}

static enum weft_http_result put_file(struct weft_sender *sender, const char *file)
{
    size_t size = strlen(sender->spool->dir) + strlen(file) + 2;
    char *path = weft_mem_alloc(size, 1);
    if (path == NULL) {
        return fail_with(sender, WEFT_HTTP_AGAIN, "no memory for a file name");
    }
    snprintf(path, size, "%s/%s", sender->spool->dir, file);
    FILE *stream = fopen(path, "rbe");
    struct stat info;
    enum weft_http_result result = WEFT_HTTP_OK;
    if (stream == NULL || fstat(fileno(stream), &info) != 0 || !S_ISREG(info.st_mode)) {
        weft_error err;
        (void)weft_fail_errno(&err, errno, "%s: cannot be sent", path);
        drop(sender, err.message);
    } else {
        result = put_stream(sender, file, stream, (size_t)info.st_size);
    }
    if (stream != NULL) {
        fclose(stream);
    }
    weft_mem_free(path);
    return result;
}

static enum weft_http_result put_files(struct weft_sender *sender)
{
    json_t *files = json_object_get(sender->spool->state, "files");
    while (json_array_size(files) > 0) {
        enum weft_http_result result =
            put_file(sender, json_string_value(json_array_get(files, 0)));
        if (result != WEFT_HTTP_OK) {
            return result;
        }
        (void)json_array_remove(files, 0);
        weft_spool_save(sender->spool);
    }
    return WEFT_HTTP_OK;
}

enum weft_http_result weft_sender_end(struct weft_sender *sender)
{
    struct weft_spool *spool = sender->spool;
    if (spool->n_unsent > 0) {
        return fail_with(sender, WEFT_HTTP_AGAIN, "not all items have been sent");
    }
    enum weft_http_result result = put_files(sender);
    if (result != WEFT_HTTP_OK) {
        return result;
    }
    struct weft_http_answer answer;
    json_t *body = json_pack("{s:s, s:s, s:O}", "run_id", weft_spool_text(spool, "run_id"),
                             "status", weft_spool_text(spool, "status"), "end_time",
                             json_object_get(spool->state, "end_time"));
    result = post(sender, "/api/2.0/mlflow/runs/update", body, &answer);
    if (result != WEFT_HTTP_OK) {
        return fail(sender, result, &answer);
    }
    weft_http_answer_release(&answer);
    weft_spool_set(spool, "done", json_true());
    if (!weft_spool_flag(spool, "done")) {
        return fail_with(sender, WEFT_HTTP_AGAIN, "no memory to note the end");
    }
    if (weft_spool_save(spool)) {
        weft_spool_remove(spool);
    }
    return WEFT_HTTP_OK;
}

enum weft_http_result weft_sender_finish(struct weft_sender *sender, double seconds)
{
    double pause = 0.5, since = weft_clock_seconds();
    size_t n_done = sender->n_done;
    for (;;) {
        enum weft_http_result result = weft_sender_items(sender);
        result = result == WEFT_HTTP_OK ? weft_sender_end(sender) : result;
        if (result != WEFT_HTTP_AGAIN) {
            return result;
        }
        double now = weft_clock_seconds();
        if (sender->n_done > n_done) {
            n_done = sender->n_done;
            since = now;
            pause = 0.5;
        }
        double wait = fmax(pause, sender->retry_after);
        double limit =
            weft_http_was_answered(sender->http) ? seconds : fmin(seconds, WEFT_SENDER_UNSEEN);
        if (now + wait - since > limit) {
            return result;
        }
        if (!weft_http_pause(sender->http, wait)) {
            return result;
        }
        pause = fmin(10, 2 * pause);
    }
}
