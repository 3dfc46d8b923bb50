/* The files of a tracked run. mlflow.lock is never removed: who holds its lock has the others. */
#include "track/track_spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/mem.h"
#include "track/track.h"
#include "track/track_state.h"

enum {
    LARGEST_LINE = 1 << 17,  /* a param of 6000 bytes, each as \u00XX, has room three times over */
    LARGEST_SPOOL = 1 << 28, /* of batches; of epochs twice that */
    WORTH_TRIMMING = 1 << 20,
};

static char *join(const char *dir, const char *name)
{
    size_t size = strlen(dir) + strlen(name) + 2;
    char *path = weft_mem_alloc(size, 1);
    if (path != NULL) {
        snprintf(path, size, "%s/%s", dir, name);
    }
    return path;
}

static weft_status prepare(struct weft_spool *spool, const char *dir, weft_error *err)
{
    *spool = (struct weft_spool){.dir = weft_mem_strdup(dir),
                                 .path = join(dir, WEFT_TRACK_SPOOL_FILE),
                                 .state_path = join(dir, WEFT_TRACK_STATE_FILE),
                                 .lock_path = join(dir, WEFT_TRACK_LOCK_FILE),
                                 .pending = weft_mem_alloc(LARGEST_LINE, 1),
                                 .chunk = weft_mem_alloc(LARGEST_LINE, 1),
                                 .room = LARGEST_SPOOL};
    return spool->dir != NULL && spool->path != NULL && spool->state_path != NULL &&
                   spool->lock_path != NULL && spool->pending != NULL && spool->chunk != NULL
               ? WEFT_OK
               : weft_fail_nomem(err, "the spool");
}

/* The lock goes when the file is closed. File systems without locks have to do without. */
static weft_status take_lock(struct weft_spool *spool, weft_error *err)
{
    spool->lock_fd = open(spool->lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (spool->lock_fd < 0) {
        return weft_fail_errno(err, errno, "%s: cannot create", spool->lock_path);
    }
    spool->is_locked = true;
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(spool->lock_fd, F_SETLK, &lock) != 0 && (errno == EACCES || errno == EAGAIN)) {
        return weft_fail(err, WEFT_ERR_MISMATCH,
                         "%s: another program is sending it; is the run still going?", spool->path);
    }
    return WEFT_OK;
}

/* How far whole lines go, and how many of them lie behind `sent`. Half a line is all that a crash
 * or a full disk left of the last one. */
static weft_status scan(struct weft_spool *spool, weft_error *err)
{
    ssize_t n;
    off_t at = 0;
    spool->size = 0;
    while ((n = pread(spool->fd, spool->chunk, LARGEST_LINE, at)) > 0) {
        for (const char *c = spool->chunk, *end = c + n;
             (c = memchr(c, '\n', (size_t)(end - c))) != NULL; c++) {
            spool->size = at + (c - spool->chunk) + 1;
            spool->n_unsent += spool->size > spool->sent;
        }
        at += n;
        if (at - spool->size >= LARGEST_LINE) {
            return weft_fail(err, WEFT_ERR_FORMAT, "%s: wanted lines that weft wrote; got a longer",
                             spool->path);
        }
    }
    spool->sent = spool->sent > spool->size ? spool->size : spool->sent;
    return n == 0 ? WEFT_OK : weft_fail_errno(err, errno, "%s: cannot read", spool->path);
}

static weft_status open_lines(struct weft_spool *spool, int flags, weft_error *err)
{
    spool->fd = open(spool->path, O_RDWR | O_APPEND | O_CLOEXEC | flags, 0666);
    if (spool->fd < 0) {
        return errno == ENOENT
                   ? weft_fail(err, WEFT_ERR_IO,
                               "%s: wanted what has not been sent of the run; the file is gone",
                               spool->path)
                   : weft_fail_errno(err, errno, "%s: cannot open", spool->path);
    }
    spool->is_open = true;
    return scan(spool, err);
}

weft_status weft_spool_create(struct weft_spool *spool, const char *dir, json_t *state,
                              weft_error *err)
{
    weft_status status = prepare(spool, dir, err);
    spool->state = state;
    if (status == WEFT_OK && state == NULL) {
        status = weft_fail_nomem(err, WEFT_TRACK_STATE_FILE);
    }
    if (status == WEFT_OK) {
        status = take_lock(spool, err);
    }
    if (status == WEFT_OK) {
        status = open_lines(spool, O_CREAT | O_TRUNC, err);
    }
    if (status == WEFT_OK && !weft_spool_save(spool)) {
        *err = spool->problem;
        status = err->status;
    }
    if (status != WEFT_OK) {
        weft_spool_release(spool);
    }
    return status;
}

static weft_status reopen(struct weft_spool *spool, const char *dir, bool to_add, weft_error *err)
{
    weft_status status = prepare(spool, dir, err);
    /* First of all, so that a directory without a run gets no lock. */
    if (status == WEFT_OK && access(spool->state_path, F_OK) != 0) {
        status = weft_fail_errno(err, errno, "%s: wanted the directory of a run that was tracked",
                                 spool->state_path);
    }
    if (status == WEFT_OK) {
        status = take_lock(spool, err);
    }
    if (status == WEFT_OK) {
        status = weft_state_read(spool->state_path, &spool->state, err);
    }
    if (status != WEFT_OK) {
        return status;
    }
    bool done = weft_spool_flag(spool, "done");
    spool->n_lost = (size_t)json_integer_value(json_object_get(spool->state, "lost"));
    spool->sent = done ? 0 : (off_t)json_integer_value(json_object_get(spool->state, "sent"));
    if (done && !to_add) {
        return WEFT_OK;
    }
    return open_lines(spool, done ? O_CREAT | O_TRUNC : 0, err);
}

weft_status weft_spool_open(struct weft_spool *spool, const char *dir, weft_error *err)
{
    weft_status status = reopen(spool, dir, false, err);
    if (status != WEFT_OK) {
        weft_spool_release(spool);
    }
    return status;
}

weft_status weft_spool_continue(struct weft_spool *spool, const char *dir, weft_error *err)
{
    weft_status status = reopen(spool, dir, true, err);
    if (status == WEFT_OK && ftruncate(spool->fd, spool->size) != 0) {
        status = weft_fail_errno(err, errno, "%s: cannot write", spool->path);
    }
    if (status != WEFT_OK) {
        weft_spool_release(spool);
    }
    return status;
}

weft_status weft_spool_forget(struct weft_spool *spool, const char *dir, weft_error *err)
{
    weft_error broken;
    weft_status status = prepare(spool, dir, err);
    if (status == WEFT_OK && access(spool->state_path, F_OK) != 0 &&
        access(spool->path, F_OK) != 0) {
        return WEFT_OK;
    }
    if (status == WEFT_OK) {
        status = take_lock(spool, err);
    }
    if (status != WEFT_OK) {
        weft_spool_release(spool);
        return status;
    }
    if (weft_state_read(spool->state_path, &spool->state, &broken) == WEFT_OK) {
        spool->sent = (off_t)json_integer_value(json_object_get(spool->state, "sent"));
    }
    if (open_lines(spool, 0, &broken) != WEFT_OK) {
        spool->n_unsent = 0;
    }
    return WEFT_OK;
}

static void note_problem(struct weft_spool *spool, const weft_error *problem)
{
    if (!spool->failed) {
        spool->failed = true;
        spool->problem = *problem;
    }
}

/* A quarter of what would be free without the spool: metrics, model and report want room, too. */
static void measure_room(struct weft_spool *spool)
{
    struct statvfs disk;
    spool->room = LARGEST_SPOOL;
    if (fstatvfs(spool->fd, &disk) == 0) {
        double left = (double)disk.f_bavail * (double)disk.f_frsize + (double)spool->size -
                      (double)spool->reserve;
        left = left > 0 ? left / 4 : 0;
        spool->room = left < LARGEST_SPOOL ? (off_t)left : LARGEST_SPOOL;
    }
}

bool weft_spool_has_room(const struct weft_spool *spool, bool matters)
{
    off_t size = spool->size + (off_t)spool->pending_len;
    return size < (matters ? 2 : 1) * spool->room;
}

static void lose(struct weft_spool *spool, size_t n, const weft_error *why)
{
    spool->n_lost += n;
    note_problem(spool, why);
}

/* The line behind those that wait, and how long it is without its end; 0 where it does not fit. */
static size_t put_line(struct weft_spool *spool, const json_t *line)
{
    size_t room = LARGEST_LINE - spool->pending_len;
    size_t len = json_dumpb(line, spool->pending + spool->pending_len, room, JSON_COMPACT);
    return len < room ? len : 0;
}

void weft_spool_add(struct weft_spool *spool, const char *kind, json_t *item)
{
    weft_error why;
    json_t *line = json_pack("{s:o}", kind, item);
    size_t len = put_line(spool, line);
    if (len == 0 && spool->pending_len > 0) {
        weft_spool_flush(spool);
        len = put_line(spool, line);
    }
    json_decref(line);
    if (len == 0) {
        (void)weft_fail_nomem(&why, spool->path);
        lose(spool, 1, &why);
        return;
    }
    spool->pending_len += len;
    spool->pending[spool->pending_len++] = '\n';
    spool->n_pending++;
    spool->n_unsent++;
}

/* All of it or, as far as can be, nothing. */
static bool write_all(struct weft_spool *spool, weft_error *err)
{
    for (size_t done = 0; done < spool->pending_len;) {
        ssize_t n = write(spool->fd, spool->pending + done, spool->pending_len - done);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            (void)weft_fail_errno(err, n < 0 ? errno : ENOSPC, "%s: cannot write", spool->path);
            (void)!ftruncate(spool->fd, spool->size);
            return false;
        }
        done += (size_t)n;
    }
    return true;
}

void weft_spool_flush(struct weft_spool *spool)
{
    weft_error why;
    if (spool->pending_len == 0) {
        return;
    }
    if (write_all(spool, &why)) {
        spool->size += (off_t)spool->pending_len;
    } else {
        spool->n_unsent -= spool->n_pending;
        lose(spool, spool->n_pending, &why);
    }
    spool->pending_len = spool->n_pending = 0;
    measure_room(spool);
}

/* The bytes of the line at `at` within the chunk, or 0. */
static size_t find_line(const struct weft_spool *spool, off_t at, const char **line)
{
    if (at < spool->chunk_at || at >= spool->chunk_at + (off_t)spool->chunk_len) {
        return 0;
    }
    size_t start = (size_t)(at - spool->chunk_at);
    *line = spool->chunk + start;
    const char *end = memchr(*line, '\n', spool->chunk_len - start);
    return end != NULL ? (size_t)(end - *line) + 1 : 0;
}

static size_t load_line(struct weft_spool *spool, off_t at, const char **line, weft_error *err)
{
    size_t len = find_line(spool, at, line);
    if (len > 0) {
        return len;
    }
    off_t left = spool->size - at;
    ssize_t n =
        pread(spool->fd, spool->chunk, left < LARGEST_LINE ? (size_t)left : LARGEST_LINE, at);
    spool->chunk_at = at;
    spool->chunk_len = n > 0 ? (size_t)n : 0;
    len = find_line(spool, at, line);
    if (len == 0) {
        (void)weft_fail_errno(err, n < 0 ? errno : EIO, "%s: cannot read", spool->path);
    }
    return len;
}

enum weft_spool_result weft_spool_read(struct weft_spool *spool, off_t *at, json_t **line,
                                       weft_error *err)
{
    if (*at >= spool->size) {
        return WEFT_SPOOL_END;
    }
    const char *text;
    size_t len = load_line(spool, *at, &text, err);
    if (len == 0) {
        return WEFT_SPOOL_FAILED;
    }
    /* Where memory is short jansson may take that for a fault of the text: what fails twice is one,
     * unless it says otherwise. */
    json_error_t why = {0};
    json_t *found = json_loadb(text, len, 0, &why);
    found = found != NULL ? found : json_loadb(text, len, 0, &why);
    if (found == NULL && json_error_code(&why) != json_error_out_of_memory) {
        found = json_object();
    }
    if (found == NULL) {
        (void)weft_fail_nomem(err, spool->path);
        return WEFT_SPOOL_FAILED;
    }
    *at += (off_t)len;
    *line = found;
    return WEFT_SPOOL_LINE;
}

void weft_spool_accept(struct weft_spool *spool, off_t end, size_t n)
{
    spool->sent = end;
    spool->n_unsent -= n < spool->n_unsent ? n : spool->n_unsent;
    weft_spool_save(spool);
}

/* First the lines, then the state: cut off in between, what counts as sent is more than there is,
 * which is no harm. */
void weft_spool_trim(struct weft_spool *spool)
{
    bool worth = spool->size >= WORTH_TRIMMING || spool->size > spool->room / 2;
    if (spool->size > 0 && spool->sent == spool->size && worth && ftruncate(spool->fd, 0) == 0) {
        spool->size = spool->sent = 0;
        spool->chunk_len = 0;
        weft_spool_save(spool);
        measure_room(spool);
    }
}

const char *weft_spool_text(const struct weft_spool *spool, const char *key)
{
    return json_string_value(json_object_get(spool->state, key));
}

bool weft_spool_flag(const struct weft_spool *spool, const char *key)
{
    return json_is_true(json_object_get(spool->state, key));
}

void weft_spool_set(struct weft_spool *spool, const char *key, json_t *value)
{
    /* Where there is no memory the old value stays, and more is sent again than need be. */
    (void)json_object_set_new(spool->state, key, value);
}

bool weft_spool_save(struct weft_spool *spool)
{
    weft_error why;
    json_t *sent = json_integer((json_int_t)spool->sent);
    json_t *lost = json_integer((json_int_t)spool->n_lost);
    weft_status status = WEFT_OK;
    if ((json_object_set_new(spool->state, "sent", sent) |
         json_object_set_new(spool->state, "lost", lost)) != 0) {
        status = weft_fail_nomem(&why, spool->state_path);
    } else {
        status = weft_state_write(spool->state_path, spool->state, &why);
    }
    if (status != WEFT_OK) {
        note_problem(spool, &why);
    }
    return status == WEFT_OK;
}

void weft_spool_remove(struct weft_spool *spool)
{
    unlink(spool->path);
}

void weft_spool_release(struct weft_spool *spool)
{
    if (spool->is_open) {
        close(spool->fd);
    }
    if (spool->is_locked) {
        close(spool->lock_fd);
    }
    json_decref(spool->state);
    weft_mem_free(spool->pending);
    weft_mem_free(spool->chunk);
    weft_mem_free(spool->dir);
    weft_mem_free(spool->path);
    weft_mem_free(spool->state_path);
    weft_mem_free(spool->lock_path);
    *spool = (struct weft_spool){0};
}
