/* Files that appear whole or not at all: written under a temporary name in the same directory,
 * flushed, fsynced, renamed, and the directory fsynced. A crash or a full disk leaves the old file.
 */
#ifndef WEFT_BASE_SAFEFILE_H
#define WEFT_BASE_SAFEFILE_H

#include <stddef.h>
#include <stdio.h>

#include <weft/status.h>

/* A zeroed struct is empty. */
struct weft_safefile {
    FILE *stream; /* to write to; errors are sticky and seen by the commit */
    char *path, *temp_path;
};

/* Creates the temporary file beside `path`. */
WEFT_CHECKED weft_status weft_safefile_open(struct weft_safefile *file, const char *path,
                                            weft_error *err);

/* Makes the file appear under its name and empties the struct; on failure the temporary file
 * is removed and the old file is as it was. */
WEFT_CHECKED weft_status weft_safefile_commit(struct weft_safefile *file, weft_error *err);

/* Removes the temporary file and empties the struct; harmless on an empty one. */
void weft_safefile_abort(struct weft_safefile *file);

#endif
