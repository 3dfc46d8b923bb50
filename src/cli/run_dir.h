/* The directory of one training run: config.ini, metrics.jsonl, model.safetensors, images. */
#ifndef WEFT_CLI_RUN_DIR_H
#define WEFT_CLI_RUN_DIR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <weft/status.h>

#include "cli/option_table.h"

/* A zeroed struct is empty. */
struct cli_run_dir {
    char *path, *config, *metrics, *model; /* the directory and the files in it */
    char *evaluation, *report;
    char *images, *grid, *confusion; /* the directory of pictures and these */
    size_t first_made;    /* length of the shortest part of `path` that was made here; 0: none */
    int metrics_fd;       /* open where `metrics` is not NULL */
    off_t metrics_size;   /* bytes of whole lines */
    bool wrote_something; /* config or metrics exist by this run */
    size_t n_forgotten;   /* items of an older run in it that a tracker has not sent */
    bool resumed;         /* nothing in it is this call's to discard */
};

/* WEFT_ERR_IO where `path` could not become a run directory: it is a file, lies below one, or has
 * files in it without `force`. Nothing is made. */
WEFT_CHECKED weft_status cli_run_dir_check(const char *path, bool force, weft_error *err);

/* Makes the directory (with the ones above it) and the files that a run begins with: config.ini
 * with the values of `options`, an empty metrics.jsonl; with `force` an older model, its report and
 * its pictures go. `path` NULL: the next free runs/NNN, also where several programs ask at once. On
 * failure nothing that was made stays. Release with cli_run_dir_release(). */
WEFT_CHECKED weft_status cli_run_dir_make(struct cli_run_dir *run, const char *path, bool force,
                                          const struct cli_options *options, weft_error *err);

/* Opens the directory of a run that goes on: cuts metrics.jsonl to `metrics_size` bytes and writes
 * config.ini anew. WEFT_ERR_FORMAT: metrics.jsonl is shorter than that. WEFT_ERR_MISMATCH: another
 * process is training there. */
WEFT_CHECKED weft_status cli_run_dir_open(struct cli_run_dir *run, const char *path,
                                          off_t metrics_size, const struct cli_options *options,
                                          weft_error *err);

/* Cuts metrics.jsonl. */
WEFT_CHECKED weft_status cli_run_dir_truncate(struct cli_run_dir *run, off_t metrics_size,
                                              weft_error *err);

/* Makes what was appended survive a power cut, as far as the file system goes along. */
void cli_run_dir_sync(const struct cli_run_dir *run);

/* Makes the directory of pictures, where it is not there. */
WEFT_CHECKED weft_status cli_run_dir_make_images(struct cli_run_dir *run, weft_error *err);

/* Appends a line to metrics.jsonl, whole or not at all. */
WEFT_CHECKED weft_status cli_run_dir_append(struct cli_run_dir *run, const char *line, size_t len,
                                            weft_error *err);

/* Removes what the run has made. */
void cli_run_dir_discard(struct cli_run_dir *run);

/* Closes the metrics and empties the struct. */
void cli_run_dir_release(struct cli_run_dir *run);

#endif
