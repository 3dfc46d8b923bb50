/* Atomic replacement of files: temporary name, fsync, rename, fsync of the directory. */
#define _XOPEN_SOURCE 700 /* realpath */
#include "base/safefile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/file_call.h"
#include "base/mem.h"
#include "base/rng.h"

static void forget(struct weft_safefile *file)
{
    weft_mem_free(file->path);
    weft_mem_free(file->real_path);
    weft_mem_free(file->temp_path);
    weft_mem_free(file->error);
    *file = (struct weft_safefile){0};
}

/* A name that is likely to be free; open() with O_EXCL finds out. The name of the file leads it, so
 * that whoever finds one after a crash knows what it is, but cut: with the suffix it must not
 * exceed what file systems allow (255 bytes). */
static void name_temp(char *temp_path, size_t size, const char *real_path, uint32_t attempt)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    const uint32_t key[2] = {(uint32_t)getpid(), attempt};
    const uint32_t counter[4] = {(uint32_t)now.tv_sec, (uint32_t)now.tv_nsec,
                                 (uint32_t)(uintptr_t)temp_path,
                                 (uint32_t)((uint64_t)(uintptr_t)temp_path >> 32)};
    uint32_t bits[4];
    weft_philox4x32(counter, key, bits);
    const char *slash = strrchr(real_path, '/');
    size_t dir_len = slash == NULL ? 0 : (size_t)(slash + 1 - real_path);
    snprintf(temp_path, size, "%.*s%.200s.tmp.%08x%08x", (int)dir_len, real_path,
             real_path + dir_len, bits[0], bits[1]);
}

/* The mode 0666 is what the kernel takes the umask from; umask() itself would have to set it to
 * read it, which other threads would see. */
static int create_temp(struct weft_safefile *file, size_t size)
{
    for (uint32_t attempt = 0; attempt < 100; attempt++) {
        name_temp(file->temp_path, size, file->real_path, attempt);
        int fd = weft_file_open(file->temp_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0 || errno != EEXIST) {
            return fd;
        }
    }
    return -1;
}

/* Gives the new file the mode of the one it will replace. */
static bool take_mode(int fd, mode_t mode)
{
    struct stat made;
    return fstat(fd, &made) == 0 &&
           ((made.st_mode & 0777) == (mode & 0777) || weft_file_mode(fd, mode & 0777) == 0);
}

/* Opens the temporary file; `old` is the file in its place, or NULL. */
static weft_status open_temp(struct weft_safefile *file, const struct stat *old, weft_error *err)
{
    size_t size = strlen(file->real_path) + sizeof ".tmp.0123456789abcdef";
    file->temp_path = weft_mem_alloc(size, 1);
    file->error = weft_mem_zalloc(1, sizeof *file->error);
    if (file->temp_path == NULL || file->error == NULL) {
        return weft_fail_nomem(err, "a file name");
    }
    int fd = create_temp(file, size);
    if (fd < 0) {
        return weft_fail_errno(err, errno, "%s: cannot create a file in its directory", file->path);
    }
    file->fd = fd;
    bool like_old = old == NULL || take_mode(fd, old->st_mode);
    file->stream = like_old ? weft_file_stream(fd, file->error) : NULL;
    if (file->stream == NULL) {
        int saved = errno;
        close(fd);
        unlink(file->temp_path);
        return weft_fail_errno(err, saved, "%s: cannot create a file like it", file->path);
    }
    return WEFT_OK;
}

/* Sets real_path for a path that exists. */
static weft_status resolve(struct weft_safefile *file, weft_error *err)
{
    struct stat link;
    if (lstat(file->path, &link) != 0 || !S_ISLNK(link.st_mode)) {
        file->real_path = weft_mem_strdup(file->path);
        return file->real_path == NULL ? weft_fail_nomem(err, "a file name") : WEFT_OK;
    }
    char *real_path = realpath(file->path, NULL);
    if (real_path == NULL) {
        return weft_fail_errno(err, errno, "%s: cannot follow the link", file->path);
    }
    file->real_path = weft_mem_strdup(real_path);
    free(real_path);
    return file->real_path == NULL ? weft_fail_nomem(err, "a file name") : WEFT_OK;
}

static weft_status open_existing(struct weft_safefile *file, const struct stat *old,
                                 weft_error *err)
{
    if (S_ISDIR(old->st_mode)) {
        return weft_fail_errno(err, EISDIR, "%s: cannot write", file->path);
    }
    if (access(file->path, W_OK) != 0) {
        return weft_fail_errno(err, errno, "%s: cannot write", file->path);
    }
    if (S_ISREG(old->st_mode)) {
        weft_status status = resolve(file, err);
        return status == WEFT_OK ? open_temp(file, old, err) : status;
    }
    file->stream = fopen(file->path, "wb");
    if (file->stream == NULL) {
        return weft_fail_errno(err, errno, "%s: cannot write", file->path);
    }
    return WEFT_OK;
}

static weft_status open_new(struct weft_safefile *file, weft_error *err)
{
    struct stat link;
    if (lstat(file->path, &link) == 0) {
        return weft_fail_errno(err, ENOENT, "%s: a symbolic link that leads nowhere", file->path);
    }
    file->real_path = weft_mem_strdup(file->path);
    return file->real_path == NULL ? weft_fail_nomem(err, "a file name")
                                   : open_temp(file, NULL, err);
}

weft_status weft_safefile_open(struct weft_safefile *file, const char *path, weft_error *err)
{
    *file = (struct weft_safefile){.path = weft_mem_strdup(path)};
    if (file->path == NULL) {
        return weft_fail_nomem(err, "a file name");
    }
    struct stat old;
    weft_status status;
    if (stat(path, &old) == 0) {
        status = open_existing(file, &old, err);
    } else if (errno == ENOENT) {
        status = open_new(file, err);
    } else {
        status = weft_fail_errno(err, errno, "%s: cannot write", path);
    }
    if (status != WEFT_OK) {
        forget(file);
    }
    return status;
}

/* Makes the new name survive a power cut. A directory that may be written but not read cannot be
 * opened for it, and some file systems refuse fsync on directories; they offer nothing better. */
static bool sync_directory_of(char *path)
{
    char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? "." : slash == path ? "/" : path;
    if (slash != NULL && slash != path) {
        *slash = '\0';
    }
    int fd = weft_file_open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    bool ok = fd < 0 || weft_file_sync(fd) == 0 || errno != EIO;
    if (fd >= 0) {
        (void)weft_file_close(fd);
    }
    return ok;
}

/* A write to a device that failed long ago has left a mark in the stream but no errno. What was
 * written is lost anyway, so write more and see: a full disk is still full. */
static int cause_of_failure(int fd)
{
    static const char block[4096];
    for (int attempt = 0; attempt < 4; attempt++) {
        if (write(fd, block, sizeof block) < 0) {
            return errno;
        }
    }
    return EIO;
}

/* 0, or the errno of what went wrong with what was written. */
static int flush(struct weft_safefile *file)
{
    bool is_temp = file->temp_path != NULL;
    bool failed = ferror(file->stream) != 0;
    errno = 0;
    if (!failed && fflush(file->stream) == 0) {
        return is_temp && weft_file_sync(file->fd) != 0 ? errno : 0;
    }
    if (is_temp && *file->error != 0) {
        return *file->error;
    }
    return !failed && errno != 0 ? errno
                                 : cause_of_failure(is_temp ? file->fd : fileno(file->stream));
}

/* Closes the stream; 0, or what went wrong. */
static int finish_stream(struct weft_safefile *file)
{
    int error = flush(file);
    if (fclose(file->stream) != 0 && error == 0) {
        error = errno;
    }
    file->stream = NULL;
    return error;
}

weft_status weft_safefile_commit(struct weft_safefile *file, weft_error *err)
{
    int error = finish_stream(file);
    if (error == 0 && file->temp_path != NULL &&
        weft_file_rename(file->temp_path, file->real_path) != 0) {
        error = errno;
    }
    if (error != 0) {
        weft_status status = weft_fail_errno(err, error, "%s: cannot write", file->path);
        weft_safefile_abort(file);
        return status;
    }
    weft_status status = WEFT_OK;
    if (file->temp_path != NULL && !sync_directory_of(file->real_path)) {
        status = weft_fail_errno(err, EIO, "%s: cannot sync its directory", file->path);
    }
    forget(file);
    return status;
}

void weft_safefile_abort(struct weft_safefile *file)
{
    if (file->stream != NULL) {
        fclose(file->stream);
    }
    if (file->temp_path != NULL) {
        unlink(file->temp_path);
    }
    forget(file);
}

/* NAME.tmp. and 16 hexadecimal digits. */
static bool is_temp_name(const char *name)
{
    static const char infix[] = ".tmp.";
    size_t len = strlen(name), digits = 16, tail = digits + sizeof infix - 1;
    return len > tail && memcmp(name + len - tail, infix, sizeof infix - 1) == 0 &&
           strspn(name + len - digits, "0123456789abcdef") == digits;
}

void weft_safefile_clean(const char *directory)
{
    DIR *entries = opendir(directory);
    const struct dirent *entry;
    while (entries != NULL && (entry = readdir(entries)) != NULL) {
        if (is_temp_name(entry->d_name)) {
            unlinkat(dirfd(entries), entry->d_name, 0);
        }
    }
    if (entries != NULL) {
        closedir(entries);
    }
}
