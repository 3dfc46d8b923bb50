/* Files that appear whole or not at all: written under a temporary name in the same directory,
 * flushed, fsynced, renamed, and the directory fsynced. A crash or a full disk leaves the old file.
 *
 * A symbolic link stays, and the file it leads to is replaced. A replaced file keeps its mode, but
 * not its owner or other names (hard links); one that this process may not write is not replaced.
 * Devices and pipes cannot be replaced: they are written to directly. */
#ifndef WEFT_BASE_SAFEFILE_H
#define WEFT_BASE_SAFEFILE_H

#include <stddef.h>
#include <stdio.h>

#include <weft/status.h>

/* A zeroed struct is empty. */
struct weft_safefile {
    FILE *stream;    /* to write to; errors are sticky and seen by the commit */
    char *path;      /* as the caller gave it, for messages */
    char *real_path; /* what is replaced: path, or where its symbolic link leads */
    char *temp_path; /* NULL where a device or pipe is written directly */
    int fd;          /* of the temporary file */
    int *error;      /* errno of the first write that failed, or 0 */
};

/* Creates the temporary file beside `path`. WEFT_ERR_IO: there is no such directory, it may not be
 * written, or `path` is a directory, a read-only file or a symbolic link that leads nowhere. */
WEFT_CHECKED weft_status weft_safefile_open(struct weft_safefile *file, const char *path,
                                            weft_error *err);

/* Makes the file appear under its name and empties the struct; on failure the temporary file
 * is removed and the old file is as it was. One failure comes later than that: where the device
 * breaks while the directory is fsynced, the new file is in its place, but may not survive a crash.
 */
WEFT_CHECKED weft_status weft_safefile_commit(struct weft_safefile *file, weft_error *err);

/* Removes temporary files that a killed process left in a directory, which nobody else is writing
 * to. What cannot be removed stays. */
void weft_safefile_clean(const char *directory);

/* Removes the temporary file and empties the struct; harmless on an empty one. */
void weft_safefile_abort(struct weft_safefile *file);

#endif
