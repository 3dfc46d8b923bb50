/* The two files of a tracked run. */
#include "track/track_spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/mem.h"
#include "base/safefile.h"
#include "track/track.h"

static char *join(const char *dir, const char *name)
{
    size_t size = strlen(dir) + strlen(name) + 2;
    char *path = weft_mem_alloc(size, 1);
    if (path != NULL) {
        snprintf(path, size, "%s/%s", dir, name);
    }
    return path;
}

static weft_status set_paths(struct weft_spool *spool, const char *dir, weft_error *err)
{
    *spool = (struct weft_spool){.dir = weft_mem_strdup(dir),
                                 .path = join(dir, WEFT_TRACK_SPOOL_FILE),
                                 .state_path = join(dir, WEFT_TRACK_STATE_FILE)};
    return spool->dir != NULL && spool->path != NULL && spool->state_path != NULL
               ? WEFT_OK
               : weft_fail_nomem(err, "file names");
}

/* Opens the spool and locks it; the lock goes when the file is closed. */
static weft_status open_stream(struct weft_spool *spool, bool truncate, weft_error *err)
{
    spool->stream = fopen(spool->path, "a+e");
    if (spool->stream == NULL) {
        return weft_fail_errno(err, errno, "%s: cannot create", spool->path);
    }
    int fd = fileno(spool->stream);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_SETLK, &lock) != 0 && (errno == EACCES || errno == EAGAIN)) {
        return weft_fail(err, WEFT_ERR_MISMATCH,
                         "%s: another program is sending it; is the run "
                         "still going?",
                         spool->path);
    }
    struct stat info;
    if ((truncate && ftruncate(fd, 0) != 0) || fstat(fd, &info) != 0) {
        return weft_fail_errno(err, errno, "%s: cannot write", spool->path);
    }
    spool->size = info.st_size;
    return WEFT_OK;
}

weft_status weft_spool_create(struct weft_spool *spool, const char *dir, json_t *state,
                              weft_error *err)
{
    weft_status status = set_paths(spool, dir, err);
    spool->state = state;
    if (status == WEFT_OK && state == NULL) {
        status = weft_fail_nomem(err, WEFT_TRACK_STATE_FILE);
    }
    if (status == WEFT_OK) {
        status = open_stream(spool, true, err);
    }
    if (status == WEFT_OK) {
        weft_spool_save(spool);
        if (spool->failed) {
            *err = spool->problem;
            status = err->status;
        }
    }
    if (status != WEFT_OK) {
        weft_spool_release(spool);
    }
    return status;
}

static weft_status read_state(struct weft_spool *spool, weft_error *err)
{
    FILE *stream = fopen(spool->state_path, "rbe");
    if (stream == NULL) {
        return weft_fail_errno(err, errno, "%s: wanted the directory of a run that was tracked",
                               spool->state_path);
    }
    spool->state = json_loadf(stream, JSON_REJECT_DUPLICATES, NULL);
    fclose(stream);
    return weft_spool_text(spool, "uri") != NULL
               ? WEFT_OK
               : weft_fail(err, WEFT_ERR_FORMAT, "%s: wanted what weft wrote; got something else",
                           spool->state_path);
}

weft_status weft_spool_open(struct weft_spool *spool, const char *dir, weft_error *err)
{
    weft_status status = set_paths(spool, dir, err);
    if (status == WEFT_OK) {
        status = read_state(spool, err);
    }
    if (status == WEFT_OK && !json_is_true(json_object_get(spool->state, "done"))) {
        status = open_stream(spool, false, err);
    }
    if (status != WEFT_OK) {
        weft_spool_release(spool);
    }
    return status;
}

static void give_up(struct weft_spool *spool, int saved_errno)
{
    if (!spool->failed) {
        spool->failed = true;
        (void)weft_fail_errno(&spool->problem, saved_errno, "%s: cannot write", spool->path);
    }
}

void weft_spool_add(struct weft_spool *spool, const char *kind, json_t *item)
{
    json_t *line = json_pack("{s:o}", kind, item);
    if (line != NULL && !spool->failed) {
        errno = 0;
        if (json_dumpf(line, spool->stream, JSON_COMPACT) != 0 ||
            putc('\n', spool->stream) == EOF) {
            give_up(spool, errno);
        }
    }
    json_decref(line);
}

void weft_spool_flush(struct weft_spool *spool)
{
    errno = 0;
    if (!spool->failed) {
        if (fflush(spool->stream) != 0) {
            give_up(spool, errno);
        } else {
            off_t end = ftello(spool->stream);
            spool->size = end > spool->size ? end : spool->size;
        }
    }
}

json_t *weft_spool_read(struct weft_spool *spool, off_t *at)
{
    if (*at >= spool->size || fseeko(spool->stream, *at, SEEK_SET) != 0) {
        return NULL;
    }
    ssize_t len = getline(&spool->line, &spool->line_size, spool->stream);
    /* Half a line is all that a crash or a full disk left of the last one. */
    json_t *line = NULL;
    if (len > 0 && spool->line[len - 1] == '\n') {
        line = json_loadb(spool->line, (size_t)len, 0, NULL);
        line = line != NULL ? line : json_object();
        *at += len;
    }
    /* Between reading and appending, standard C wants the stream positioned. */
    clearerr(spool->stream);
    fseeko(spool->stream, 0, SEEK_END);
    return line;
}

const char *weft_spool_text(const struct weft_spool *spool, const char *key)
{
    return json_string_value(json_object_get(spool->state, key));
}

void weft_spool_set(struct weft_spool *spool, const char *key, json_t *value)
{
    /* Where there is no memory the old value stays, and more is sent again than need be. */
    (void)json_object_set_new(spool->state, key, value);
}

off_t weft_spool_sent(const struct weft_spool *spool)
{
    json_int_t sent = json_integer_value(json_object_get(spool->state, "sent"));
    return sent < 0 ? 0 : sent > spool->size ? spool->size : (off_t)sent;
}

void weft_spool_save(struct weft_spool *spool)
{
    struct weft_safefile file = {0};
    weft_error err;
    if (spool->failed) {
        return;
    }
    weft_status status = weft_safefile_open(&file, spool->state_path, &err);
    if (status == WEFT_OK) {
        json_dumpf(spool->state, file.stream, JSON_INDENT(2));
        putc('\n', file.stream);
        status = weft_safefile_commit(&file, &err);
    }
    if (status != WEFT_OK) {
        spool->failed = true;
        spool->problem = err;
    }
}

void weft_spool_remove(struct weft_spool *spool)
{
    unlink(spool->path);
}

void weft_spool_release(struct weft_spool *spool)
{
    if (spool->stream != NULL) {
        fclose(spool->stream);
    }
    json_decref(spool->state);
    free(spool->line); /* of getline() */
    weft_mem_free(spool->path);
    weft_mem_free(spool->state_path);
    weft_mem_free(spool->dir);
    *spool = (struct weft_spool){0};
}
