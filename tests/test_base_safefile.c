/* Files that appear whole or not at all. */
#define _XOPEN_SOURCE 700 /* sys/resource.h in full */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/safefile.h"
#include "harness.h"
#include "test_base.h"

/* A new empty directory; the name lives until the next call. */
static const char *fresh_dir(void)
{
    static char dir[256];
    static int n;
    snprintf(dir, sizeof dir, "%s/safefile%d", harness_temp_dir(), n++);
    if (mkdir(dir, 0755) != 0 || chmod(harness_temp_dir(), 0755) != 0) {
        perror(dir);
        exit(1);
    }
    return dir;
}

static const char *inside(const char *dir, const char *name)
{
    static char paths[4][1024];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", dir, name);
    return path;
}

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

static const char *content(const char *path)
{
    static char text[256];
    FILE *file = fopen(path, "rb");
    size_t n = 0;
    if (file != NULL) {
        n = fread(text, 1, sizeof text - 1, file);
        fclose(file);
    }
    text[n] = '\0';
    return file == NULL ? "(no file)" : text;
}

static size_t n_files(const char *dir)
{
    size_t n = 0;
    DIR *stream = opendir(dir);
    for (struct dirent *entry; stream != NULL && (entry = readdir(stream)) != NULL;) {
        n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    }
    if (stream != NULL) {
        closedir(stream);
    }
    return n;
}

static unsigned mode_of(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? info.st_mode & 07777 : 0;
}

/* Writes text and commits. */
static weft_status save(const char *path, const char *text, weft_error *err)
{
    struct weft_safefile file;
    weft_status status = weft_safefile_open(&file, path, err);
    if (status != WEFT_OK) {
        return status;
    }
    fputs(text, file.stream);
    status = weft_safefile_commit(&file, err);
    CHECK(file.stream == NULL && file.path == NULL && file.temp_path == NULL);
    return status;
}

static void commit_shows_the_file(void)
{
    weft_error err;
    const char *dir = fresh_dir();
    const char *path = inside(dir, "new");
    struct weft_safefile file;
    if (!CHECK_OK(weft_safefile_open(&file, path, &err), &err)) {
        return;
    }
    fputs("first", file.stream);
    CHECK_STR(content(path), "(no file)");
    CHECK_OK(weft_safefile_commit(&file, &err), &err);
    CHECK_STR(content(path), "first");
    CHECK_UINT(n_files(dir), 1);

    CHECK_OK(save(path, "second", &err), &err);
    CHECK_STR(content(path), "second");
    CHECK_OK(save(path, "", &err), &err);
    CHECK_STR(content(path), "");
    CHECK_UINT(n_files(dir), 1);
}

static void abort_leaves_no_trace(void)
{
    weft_error err;
    const char *dir = fresh_dir();
    const char *path = inside(dir, "old");
    put(path, "old");
    struct weft_safefile file;
    if (!CHECK_OK(weft_safefile_open(&file, path, &err), &err)) {
        return;
    }
    fputs("new", file.stream);
    CHECK_UINT(n_files(dir), 2);
    weft_safefile_abort(&file);
    CHECK_STR(content(path), "old");
    CHECK_UINT(n_files(dir), 1);
    weft_safefile_abort(&file);
    weft_safefile_abort(&(struct weft_safefile){0});
}

static void modes(void)
{
    weft_error err;
    const char *dir = fresh_dir();
    const char *path = inside(dir, "mode");
    mode_t mask = umask(027);
    CHECK_OK(save(path, "a", &err), &err);
    CHECK_UINT(mode_of(path), 0640);
    static const mode_t kept[] = {0600, 0664, 0755, 0666};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        chmod(path, kept[i]);
        CHECK_OK(save(path, "b", &err), &err);
        CHECK_UINT(mode_of(path), kept[i]);
    }
    CHECK_UINT(umask(mask), 027);
}

/* Cuts the size of files off, so that writes fail as on a full disk. */
static void failing_writes(void)
{
    static char block[10000];
    memset(block, 'x', sizeof block - 1);
    struct rlimit old_limit;
    getrlimit(RLIMIT_FSIZE, &old_limit);
    signal(SIGXFSZ, SIG_IGN);
    static const size_t lengths[] = {5000, 5001, 8000, 9999}; /* around the stream's buffer */
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        weft_error err;
        const char *dir = fresh_dir();
        const char *path = inside(dir, "old");
        put(path, "old");
        struct weft_safefile file;
        if (!CHECK_OK(weft_safefile_open(&file, path, &err), &err)) {
            continue;
        }
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){4096, old_limit.rlim_max});
        fwrite(block, 1, lengths[i], file.stream);
        fputs("and more", file.stream);
        weft_status status = weft_safefile_commit(&file, &err);
        setrlimit(RLIMIT_FSIZE, &old_limit);
        CHECK_STATUS(status, WEFT_ERR_IO, &err);
        CHECK_INT(err.saved_errno, EFBIG);
        CHECK_HAS(err.message, path);
        CHECK_HAS(err.message, "cannot write: File too large");
        CHECK_STR(content(path), "old");
        CHECK_UINT(n_files(dir), 1);
    }
    signal(SIGXFSZ, SIG_DFL);
}

/* A write that failed long before the commit is told with its cause all the same. */
static void early_failure_keeps_its_cause(void)
{
    const char *full = harness_device("full");
    weft_error err;
    struct weft_safefile file;
    if (full == NULL || !CHECK_OK(weft_safefile_open(&file, full, &err), &err)) {
        return;
    }
    CHECK(fputs("lost", file.stream) >= 0);
    CHECK(fflush(file.stream) != 0);
    errno = 0;
    CHECK_STATUS(weft_safefile_commit(&file, &err), WEFT_ERR_IO, &err);
    CHECK_HAS(err.message, full);
    CHECK_HAS(err.message, ": cannot write: No space left on device");
}

/* Renaming a file over a device would replace the device. */
static void devices_and_pipes_are_written_in_place(void)
{
    weft_error err;
    struct stat before, after;
    const char *null = harness_device("null"), *full = harness_device("full");
    if (null != NULL && full != NULL) {
        stat(null, &before);
        CHECK_OK(save(null, "gone", &err), &err);
        stat(null, &after);
        CHECK(S_ISCHR(after.st_mode) && before.st_ino == after.st_ino);

        CHECK_STATUS(save(full, "too much", &err), WEFT_ERR_IO, &err);
        CHECK_INT(err.saved_errno, ENOSPC);
    }

    const char *dir = fresh_dir();
    const char *path = inside(dir, "pipe");
    if (mkfifo(path, 0600) == 0) {
        int fd = open(path, O_RDONLY | O_NONBLOCK);
        CHECK_OK(save(path, "through", &err), &err);
        char text[16] = "";
        CHECK_INT(read(fd, text, sizeof text - 1), 7);
        CHECK_STR(text, "through");
        close(fd);
        CHECK_UINT(n_files(dir), 1);
    }
}

static void links_stay_links(void)
{
    weft_error err;
    const char *dir = fresh_dir();
    const char *target = inside(dir, "target");
    put(target, "old");
    const char *link = inside(dir, "link");
    CHECK_INT(symlink("target", link), 0);
    CHECK_OK(save(link, "new", &err), &err);
    struct stat info;
    CHECK(lstat(link, &info) == 0 && S_ISLNK(info.st_mode));
    CHECK_STR(content(target), "new");
    CHECK_UINT(n_files(dir), 2);

    const char *lost = inside(dir, "lost");
    CHECK_INT(symlink("nowhere", lost), 0);
    CHECK_STATUS(save(lost, "x", &err), WEFT_ERR_IO, &err);
    CHECK_HAS(err.message, "symbolic link that leads nowhere");
    CHECK_UINT(n_files(dir), 3);
    CHECK_INT(symlink("loop", inside(dir, "loop")), 0);
    CHECK_STATUS(save(inside(dir, "loop"), "x", &err), WEFT_ERR_IO, &err);
    CHECK_INT(err.saved_errno, ELOOP);
}

static void places_that_cannot_be(void)
{
    weft_error err;
    const char *dir = fresh_dir();
    CHECK_STATUS(save(dir, "x", &err), WEFT_ERR_IO, &err);
    CHECK_INT(err.saved_errno, EISDIR);
    CHECK_STATUS(save(inside(dir, ""), "x", &err), WEFT_ERR_IO, &err);
    CHECK_INT(err.saved_errno, EISDIR);

    const char *path = inside(dir, "none/file");
    CHECK_STATUS(save(path, "x", &err), WEFT_ERR_IO, &err);
    CHECK_INT(err.saved_errno, ENOENT);
    CHECK_HAS(err.message, path);
    CHECK_HAS(err.message, "cannot create a file in its directory: No such file or directory");

    put(inside(dir, "file"), "x");
    CHECK_STATUS(save(inside(dir, "file/below"), "x", &err), WEFT_ERR_IO, &err);
    CHECK_INT(err.saved_errno, ENOTDIR);
    CHECK_STATUS(save("", "x", &err), WEFT_ERR_IO, &err);
    CHECK_UINT(n_files(dir), 1);
}

/* 255 bytes are the longest name of a file; the temporary one must not ask for more. */
static void longest_name(void)
{
    weft_error err;
    char name[257];
    memset(name, 'n', sizeof name);
    name[255] = '\0';
    const char *dir = fresh_dir();
    CHECK_OK(save(inside(dir, name), "x", &err), &err);
    CHECK_UINT(n_files(dir), 1);
    name[255] = 'n';
    name[256] = '\0';
    CHECK_STATUS(save(inside(dir, name), "x", &err), WEFT_ERR_IO, &err);
    CHECK_INT(err.saved_errno, ENAMETOOLONG);
}

/* save() as a user for whom permissions count; returns the errno that it met. */
static int save_as_nobody(const char *path)
{
    pid_t child = fork();
    if (child == 0) {
        weft_error err = {0};
        if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) {
            _exit(255);
        }
        _exit(save(path, "new", &err) == WEFT_OK ? 0 : err.saved_errno);
    }
    int code = 0;
    waitpid(child, &code, 0);
    return WIFEXITED(code) ? WEXITSTATUS(code) : -1;
}

static void permissions(void)
{
    const char *dir = fresh_dir();
    const char *path = inside(dir, "file");
    put(path, "old");
    chmod(path, 0444);
    chmod(dir, 0777);
    CHECK_INT(save_as_nobody(path), EACCES); /* the file is read-only, though its place is not */
    chmod(path, 0666);
    chmod(dir, 0555);
    CHECK_INT(save_as_nobody(path), EACCES);
    CHECK_INT(save_as_nobody(inside(dir, "new")), EACCES);
    chmod(dir, 0777);
    CHECK_STR(content(path), "old");
    CHECK_UINT(n_files(dir), 1);
    chmod(dir, 0733); /* may be written, not listed, and so not opened to be synced */
    CHECK_INT(save_as_nobody(path), 0);
    chmod(dir, 0755);
    CHECK_STR(content(path), "new");
    CHECK_UINT(n_files(dir), 1);
}

static void no_memory(void)
{
    const char *dir = fresh_dir();
    put(inside(dir, "target"), "old");
    CHECK_INT(symlink("target", inside(dir, "link")), 0);
    static const char *const names[] = {"new", "target", "link"};
    for (size_t i = 0; i < 3; i++) {
        size_t n = 0;
        weft_status status;
        do {
            weft_error err;
            struct weft_safefile file;
            weft_mem_fail_at(++n);
            status = weft_safefile_open(&file, inside(dir, names[i]), &err);
            weft_mem_fail_at(0);
            CHECK(status == WEFT_OK || status == WEFT_ERR_NOMEM);
            weft_safefile_abort(&file);
            CHECK_UINT(n_files(dir), 2);
        } while (status != WEFT_OK && n < 20);
        CHECK_UINT(n, 6);
    }
    CHECK_STR(content(inside(dir, "target")), "old");
}

CU_TestInfo safefile_tests[] = {
    {"commit shows the file", commit_shows_the_file},
    {"abort leaves no trace", abort_leaves_no_trace},
    {"modes", modes},
    {"failing writes", failing_writes},
    {"early failure keeps its cause", early_failure_keeps_its_cause},
    {"devices and pipes are written in place", devices_and_pipes_are_written_in_place},
    {"links stay links", links_stay_links},
    {"places that cannot be", places_that_cannot_be},
    {"longest name", longest_name},
    {"permissions", permissions},
    {"no memory", no_memory},
    CU_TEST_INFO_NULL,
};
