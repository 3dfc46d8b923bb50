/* See file_call.h. Streams are glibc's and musl's fopencookie(), so that what stdio writes goes
 * through here too; where there is none, stdio writes itself. */
#define _GNU_SOURCE /* fopencookie */
#include "base/file_call.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

static atomic_size_t n_made;
static size_t fault_at; /* value of n_made whose call meets the fault; 0: none */
static int fault_kind;

size_t weft_file_count(void)
{
    return atomic_load_explicit(&n_made, memory_order_relaxed);
}

void weft_file_fault(size_t n, int fault)
{
    fault_at = n == 0 ? 0 : weft_file_count() + n;
    fault_kind = fault;
}

/* Counts a call; what it is to meet, or 0. */
static int next_fault(void)
{
    size_t n = atomic_fetch_add_explicit(&n_made, 1, memory_order_relaxed) + 1;
    int what = fault_at != 0 && n == fault_at ? fault_kind : 0;
    if (what == WEFT_FAULT_KILL) {
        raise(SIGKILL);
    }
    if (what > 0) {
        errno = what;
    }
    return what;
}

static int after(int what, int result)
{
    if (what == WEFT_FAULT_KILL_AFTER) {
        raise(SIGKILL);
    }
    return result;
}

int weft_file_open(const char *path, int flags, mode_t mode)
{
    int fd, what;
    do {
        what = next_fault();
        fd = what > 0 ? -1 : after(what, open(path, flags, mode));
    } while (fd < 0 && errno == EINTR);
    return fd;
}

int weft_file_mode(int fd, mode_t mode)
{
    int result, what;
    do {
        what = next_fault();
        result = what > 0 ? -1 : after(what, fchmod(fd, mode));
    } while (result < 0 && errno == EINTR);
    return result;
}

int weft_file_sync(int fd)
{
    int result, what;
    do {
        what = next_fault();
        result = what > 0 ? -1 : after(what, fsync(fd));
    } while (result < 0 && errno == EINTR);
    return result;
}

/* The descriptor is gone whatever the call says (Linux), also when it was interrupted: that is no
 * failure, as all was synced before. */
int weft_file_close(int fd)
{
    int what = next_fault();
    int result = after(what, close(fd));
    if (what > 0) {
        errno = what;
        result = -1;
    }
    return result < 0 && errno == EINTR ? 0 : result;
}

int weft_file_rename(const char *from, const char *to)
{
    int result, what;
    do {
        what = next_fault();
        result = what > 0 ? -1 : after(what, rename(from, to));
    } while (result < 0 && errno == EINTR);
    return result;
}

bool weft_file_write(int fd, const void *bytes, size_t n)
{
    const char *at = bytes;
    while (n > 0) {
        int what = next_fault();
        ssize_t written = what > 0 ? -1 : write(fd, at, what == WEFT_FAULT_SHORT ? 1 : n);
        (void)after(what, 0);
        if (written < 0 && errno != EINTR) {
            return false;
        }
        if (written > 0) {
            at += written;
            n -= (size_t)written;
        }
    }
    return true;
}

#ifdef __linux__
struct cookie {
    int fd;
    int *error;
};

static ssize_t write_cookie(void *user, const char *bytes, size_t n)
{
    struct cookie *cookie = user;
    if (*cookie->error == 0 && !weft_file_write(cookie->fd, bytes, n)) {
        *cookie->error = errno;
    }
    return *cookie->error == 0 ? (ssize_t)n : 0; /* 0 is how fopencookie() spells failure */
}

static int seek_cookie(void *user, off64_t *offset, int whence)
{
    const struct cookie *cookie = user;
    off_t at = lseek(cookie->fd, (off_t)*offset, whence);
    *offset = at;
    return at < 0 ? -1 : 0;
}

static int close_cookie(void *user)
{
    struct cookie *cookie = user;
    int result = weft_file_close(cookie->fd);
    weft_mem_free(cookie);
    return result;
}

FILE *weft_file_stream(int fd, int *error)
{
    struct cookie *cookie = weft_mem_alloc(1, sizeof *cookie);
    if (cookie == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    *cookie = (struct cookie){fd, error};
    *error = 0;
    const cookie_io_functions_t functions = {
        .write = write_cookie, .seek = seek_cookie, .close = close_cookie};
    FILE *stream = fopencookie(cookie, "wb", functions);
    if (stream == NULL) {
        weft_mem_free(cookie);
    }
    return stream;
}
#else
FILE *weft_file_stream(int fd, int *error)
{
    *error = 0;
    return fdopen(fd, "wb");
}
#endif
