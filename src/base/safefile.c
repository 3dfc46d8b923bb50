/* Atomic replacement of files: temporary name, fsync, rename, fsync of the directory. */
#include "base/safefile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/mem.h"

static void forget(struct weft_safefile *file)
{
    weft_mem_free(file->path);
    weft_mem_free(file->temp_path);
    *file = (struct weft_safefile){0};
}

/* The mode of the file to be replaced, or what open() would give a new one. */
static mode_t wanted_mode(const char *path)
{
    struct stat info;
    if (stat(path, &info) == 0) {
        return info.st_mode & 07777;
    }
    mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

weft_status weft_safefile_open(struct weft_safefile *file, const char *path, weft_error *err)
{
    static const char suffix[] = ".tmp.XXXXXX";
    size_t path_len = strlen(path);
    *file = (struct weft_safefile){.path = weft_mem_strdup(path),
                                   .temp_path = weft_mem_alloc(path_len + sizeof suffix, 1)};
    if (file->path == NULL || file->temp_path == NULL) {
        forget(file);
        return weft_fail_nomem(err, "a file name");
    }
    memcpy(file->temp_path, path, path_len);
    memcpy(file->temp_path + path_len, suffix, sizeof suffix);
    int fd = mkstemp(file->temp_path);
    if (fd < 0) {
        int saved = errno;
        forget(file);
        return weft_fail_errno(err, saved, "%s: cannot create", path);
    }
    file->stream = fchmod(fd, wanted_mode(path)) == 0 ? fdopen(fd, "wb") : NULL;
    if (file->stream == NULL) {
        int saved = errno;
        close(fd);
        unlink(file->temp_path);
        forget(file);
        return weft_fail_errno(err, saved, "%s: cannot create", path);
    }
    return WEFT_OK;
}

/* Makes the new name survive a power cut. Some file systems refuse fsync on directories (EINVAL);
 * they offer nothing better. */
static bool sync_directory_of(char *path)
{
    char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? "." : slash == path ? "/" : path;
    if (slash != NULL && slash != path) {
        *slash = '\0';
    }
    int fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL);
    int saved = errno;
    if (fd >= 0) {
        close(fd);
    }
    errno = saved;
    if (slash != NULL && slash != path) {
        *slash = '/';
    }
    return ok;
}

weft_status weft_safefile_commit(struct weft_safefile *file, weft_error *err)
{
    errno = 0; /* a sticky stream error may have no errno of its own by now */
    bool ok =
        fflush(file->stream) == 0 && !ferror(file->stream) && fsync(fileno(file->stream)) == 0;
    int saved = ok ? 0 : errno != 0 ? errno : EIO;
    if (fclose(file->stream) != 0 && ok) {
        ok = false;
        saved = errno;
    }
    file->stream = NULL;
    if (ok && rename(file->temp_path, file->path) != 0) {
        ok = false;
        saved = errno;
    }
    if (!ok) {
        weft_status status = weft_fail_errno(err, saved, "%s: cannot write", file->path);
        weft_safefile_abort(file);
        return status;
    }
    weft_status status = WEFT_OK;
    if (!sync_directory_of(file->path)) {
        status = weft_fail_errno(err, errno, "%s: cannot sync its directory", file->path);
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
