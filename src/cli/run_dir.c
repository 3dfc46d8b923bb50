/* Making, filling and, if need be, unmaking a run directory. */
#include "cli/run_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weft/version.h>

#include "base/fail.h"
#include "base/mem.h"
#include "base/safefile.h"
#include "cli/config_file.h"
#include "cli/inputs.h"
#include "cli/strict_number.h"
#include "report/report_evaluation.h"
#include "report/report_page.h"
#include "track/track.h"

static const char runs[] = "runs";

weft_status cli_run_dir_check(const char *path, bool force, weft_error *err)
{
    DIR *directory = opendir(path);
    if (directory == NULL) {
        return errno == ENOENT ? WEFT_OK
                               : weft_fail_errno(err, errno, "%s: cannot be a run directory", path);
    }
    bool empty = true;
    const struct dirent *entry;
    while (empty && (entry = readdir(directory)) != NULL) {
        empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    }
    closedir(directory);
    if (!empty && !force) {
        return weft_fail(err, WEFT_ERR_IO,
                         "%s: exists and is not empty; --force writes into it all the same", path);
    }
    return WEFT_OK;
}

/* mkdir() that remembers what is new. */
static int make_one(struct cli_run_dir *run, const char *path, size_t len)
{
    if (mkdir(path, 0777) != 0) {
        return errno;
    }
    if (run->first_made == 0) {
        run->first_made = len;
    }
    return 0;
}

/* Makes run->path, which may exist, and the directories above it. */
static weft_status make_all(struct cli_run_dir *run, weft_error *err)
{
    char *path = run->path;
    int failed = 0;
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        failed = make_one(run, path, (size_t)(slash - path));
        *slash = '/';
        if (failed != 0 && failed != EEXIST) {
            return weft_fail_errno(err, failed, "%s: cannot make the directories above it", path);
        }
    }
    failed = make_one(run, path, strlen(path));
    /* A final '/' made the directory before its last component was looked at. */
    if (failed != 0 && (failed != EEXIST || !cli_is_directory(path))) {
        return weft_fail_errno(err, failed, "%s: cannot make the directory", path);
    }
    return WEFT_OK;
}

/* The number behind the largest of runs/NNN. */
static uint64_t next_number(void)
{
    uint64_t largest = 0, number;
    DIR *directory = opendir(runs);
    const struct dirent *entry;
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        if (cli_parse_whole(entry->d_name, &number) && number > largest &&
            number < UINT64_MAX / 2) {
            largest = number;
        }
    }
    if (directory != NULL) {
        closedir(directory);
    }
    return largest + 1;
}

/* mkdir() decides who gets a number, so that two runs never share one. */
static weft_status make_numbered(struct cli_run_dir *run, weft_error *err)
{
    int failed = make_one(run, runs, strlen(runs));
    if (failed != 0 && failed != EEXIST) {
        return weft_fail_errno(err, failed, "%s: cannot make the directory", runs);
    }
    for (uint64_t number = next_number();; number++) {
        char path[40];
        snprintf(path, sizeof path, "%s/%03llu", runs, (unsigned long long)number);
        if (!cli_text_assign(&run->path, path)) {
            return weft_fail_nomem(err, "the run directory");
        }
        failed = make_one(run, path, strlen(path));
        if (failed != EEXIST) {
            return failed == 0
                       ? WEFT_OK
                       : weft_fail_errno(err, failed, "%s: cannot make the directory", path);
        }
    }
}

static weft_status write_config(const struct cli_run_dir *run, const struct cli_options *options,
                                weft_error *err)
{
    struct weft_safefile file = {0};
    weft_status status = weft_safefile_open(&file, run->config, err);
    if (status != WEFT_OK) {
        return status;
    }
    fprintf(file.stream,
            "# A run of weft %s, with every setting as it was used. To repeat it:\n"
            "#   weft train -c config.ini\n\n",
            weft_version());
    cli_config_write(options, file.stream);
    return weft_safefile_commit(&file, err);
}

static bool name_images(struct cli_run_dir *run)
{
    run->images = cli_join_path(run->path, "images");
    if (run->images == NULL) {
        return false;
    }
    run->grid = cli_join_path(run->images, "sample_prediction.png");
    run->confusion = cli_join_path(run->images, "confusion_matrix.png");
    return run->grid != NULL && run->confusion != NULL;
}

/* What an older run has left of what this one may not write. */
static weft_status remove_older(const char *path, weft_error *err)
{
    return unlink(path) == 0 || errno == ENOENT || errno == ENOTDIR
               ? WEFT_OK
               : weft_fail_errno(err, errno, "%s: cannot remove the older file", path);
}

static weft_status name_files(struct cli_run_dir *run, char **metrics, weft_error *err)
{
    run->config = cli_join_path(run->path, "config.ini");
    run->model = cli_join_path(run->path, CLI_MODEL_FILE);
    run->evaluation = cli_join_path(run->path, REPORT_EVALUATION_FILE);
    run->report = cli_join_path(run->path, REPORT_PAGE_FILE);
    *metrics = cli_join_path(run->path, "metrics.jsonl");
    if (run->config == NULL || run->model == NULL || run->evaluation == NULL ||
        run->report == NULL || *metrics == NULL || !name_images(run)) {
        weft_mem_free(*metrics);
        return weft_fail_nomem(err, "file names");
    }
    return WEFT_OK;
}

/* What a killed process left half-written. */
static void clean(const struct cli_run_dir *run)
{
    weft_safefile_clean(run->path);
    weft_safefile_clean(run->images);
}

/* Two processes that write the same metrics would mix them up. Where the file system knows no
 * locks there are none. */
static weft_status lock_metrics(int fd, const char *metrics, weft_error *err)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(fd, F_SETLK, &lock) != 0 && (errno == EACCES || errno == EAGAIN)
               ? weft_fail(err, WEFT_ERR_MISMATCH, "%s: another process is training there", metrics)
               : WEFT_OK;
}

static weft_status open_files(struct cli_run_dir *run, const struct cli_options *options,
                              weft_error *err)
{
    char *metrics = NULL;
    weft_status status = name_files(run, &metrics, err);
    if (status != WEFT_OK) {
        return status;
    }
    const char *const older[] = {run->model, run->evaluation, run->report, run->grid,
                                 run->confusion};
    status = weft_track_forget(run->path, &run->n_forgotten, err);
    for (size_t i = 0; status == WEFT_OK && i < sizeof older / sizeof *older; i++) {
        status = remove_older(older[i], err);
    }
    if (status == WEFT_OK) {
        status = write_config(run, options, err);
    }
    if (status != WEFT_OK) {
        weft_mem_free(metrics);
        return status;
    }
    run->wrote_something = true;
    run->metrics_fd = open(metrics, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (run->metrics_fd < 0) {
        status = weft_fail_errno(err, errno, "%s: cannot create", metrics);
        weft_mem_free(metrics);
        return status;
    }
    run->metrics = metrics;
    clean(run);
    return lock_metrics(run->metrics_fd, metrics, err);
}

weft_status cli_run_dir_truncate(struct cli_run_dir *run, off_t metrics_size, weft_error *err)
{
    off_t size = lseek(run->metrics_fd, 0, SEEK_END);
    if (size < metrics_size) {
        return weft_fail(err, WEFT_ERR_FORMAT,
                         "%s: %lld bytes, the checkpoint was made when it had %lld", run->metrics,
                         (long long)size, (long long)metrics_size);
    }
    if (ftruncate(run->metrics_fd, metrics_size) != 0 ||
        lseek(run->metrics_fd, metrics_size, SEEK_SET) < 0) {
        return weft_fail_errno(err, errno, "%s: cannot cut", run->metrics);
    }
    run->metrics_size = metrics_size;
    return WEFT_OK;
}

static weft_status open_again(struct cli_run_dir *run, off_t metrics_size,
                              const struct cli_options *options, weft_error *err)
{
    char *metrics = NULL;
    weft_status status = name_files(run, &metrics, err);
    if (status != WEFT_OK) {
        return status;
    }
    run->metrics_fd = open(metrics, O_WRONLY | O_CLOEXEC);
    if (run->metrics_fd < 0) {
        status = weft_fail_errno(err, errno, "%s: cannot go on with it", metrics);
        weft_mem_free(metrics);
        return status;
    }
    run->metrics = metrics;
    status = lock_metrics(run->metrics_fd, metrics, err);
    if (status == WEFT_OK) {
        clean(run);
        status = cli_run_dir_truncate(run, metrics_size, err);
    }
    return status == WEFT_OK ? write_config(run, options, err) : status;
}

weft_status cli_run_dir_open(struct cli_run_dir *run, const char *path, off_t metrics_size,
                             const struct cli_options *options, weft_error *err)
{
    *run = (struct cli_run_dir){.resumed = true};
    weft_status status = cli_text_assign(&run->path, path)
                             ? open_again(run, metrics_size, options, err)
                             : weft_fail_nomem(err, "the run directory");
    if (status != WEFT_OK) {
        cli_run_dir_release(run);
    }
    return status;
}

void cli_run_dir_sync(const struct cli_run_dir *run)
{
    (void)!fsync(run->metrics_fd);
}

weft_status cli_run_dir_make(struct cli_run_dir *run, const char *path, bool force,
                             const struct cli_options *options, weft_error *err)
{
    *run = (struct cli_run_dir){0};
    weft_status status;
    if (path == NULL) {
        status = make_numbered(run, err);
    } else if (!cli_text_assign(&run->path, path)) {
        status = weft_fail_nomem(err, "the run directory");
    } else {
        status = make_all(run, err);
        if (status == WEFT_OK) {
            status = cli_run_dir_check(path, force, err);
        }
    }
    if (status == WEFT_OK) {
        status = open_files(run, options, err);
    }
    if (status != WEFT_OK) {
        cli_run_dir_discard(run);
        cli_run_dir_release(run);
    }
    return status;
}

weft_status cli_run_dir_make_images(struct cli_run_dir *run, weft_error *err)
{
    if (mkdir(run->images, 0777) != 0 && (errno != EEXIST || !cli_is_directory(run->images))) {
        return weft_fail_errno(err, errno, "%s: cannot make the directory", run->images);
    }
    return WEFT_OK;
}

weft_status cli_run_dir_append(struct cli_run_dir *run, const char *line, size_t len,
                               weft_error *err)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = write(run->metrics_fd, line + done, len - done);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            weft_status status =
                weft_fail_errno(err, n < 0 ? errno : ENOSPC, "%s: cannot write", run->metrics);
            if (ftruncate(run->metrics_fd, run->metrics_size) == 0) {
                lseek(run->metrics_fd, run->metrics_size, SEEK_SET);
            }
            return status;
        }
        done += (size_t)n;
    }
    run->metrics_size += (off_t)len;
    return WEFT_OK;
}

void cli_run_dir_discard(struct cli_run_dir *run)
{
    if (run->resumed) {
        return;
    }
    if (run->wrote_something) {
        unlink(run->config);
    }
    if (run->metrics != NULL) {
        unlink(run->metrics);
    }
    if (run->path == NULL || run->first_made == 0) {
        return;
    }
    /* Only directories that were made here, and, as rmdir() sees to, only empty ones. */
    size_t len = strlen(run->path);
    while (len >= run->first_made && rmdir(run->path) == 0) {
        while (len > 0 && run->path[len - 1] != '/') {
            len--;
        }
        while (len > 0 && run->path[len - 1] == '/') {
            len--;
        }
        run->path[len] = '\0';
    }
}

void cli_run_dir_release(struct cli_run_dir *run)
{
    if (run->metrics != NULL) {
        close(run->metrics_fd);
    }
    weft_mem_free(run->path);
    weft_mem_free(run->config);
    weft_mem_free(run->metrics);
    weft_mem_free(run->model);
    weft_mem_free(run->evaluation);
    weft_mem_free(run->report);
    weft_mem_free(run->images);
    weft_mem_free(run->grid);
    weft_mem_free(run->confusion);
    *run = (struct cli_run_dir){0};
}
